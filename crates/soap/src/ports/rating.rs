//! The Rating port (contract B6).

use crate::table::operations;
use crate::types::*;

operations! {
    Rating;

    /// Stores the rating profiles of an entity.
    SetEntityProfiles "setEntityProfiles" { profiles: RatingEntityProfiles } -> void;
    /// Deletes the rating profiles of an entity.
    DeleteEntityProfiles "deleteEntityProfiles" { entity: string } -> void;
    /// Returns the rating profiles of an entity.
    GetEntityProfiles "getEntityProfiles" { entity: string } -> RatingEntityProfiles;
}
