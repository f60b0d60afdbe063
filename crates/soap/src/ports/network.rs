//! The Network port (contract B7).

use crate::table::operations;

operations! {
    Network;

    /// Returns counts per role, node and domain, as JSON.
    GetStatistics "getStatistics" {} -> string
        faults [6000 8003]
        rules [B169 B170];
    /// Returns the nodes of the platform, as JSON.
    GetStatus "getStatus" {} -> string
        faults [6000 8003]
        rules [B169 B170];
}
