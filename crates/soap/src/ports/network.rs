//! The Network port (contract B7).

use crate::table::operations;

operations! {
    Network;

    /// Returns counts per role, node and domain, as JSON.
    GetStatistics "getStatistics" {} -> string;
    /// Returns the nodes of the platform, as JSON.
    GetStatus "getStatus" {} -> string;
}
