//! The Rating port (contract B6).

use crate::table::operations;
use crate::types::*;

operations! {
    Rating;

    /// Stores the rating profiles of an entity.
    SetEntityProfiles "setEntityProfiles" { profiles: RatingEntityProfiles } -> void
        faults [1000 1010 4000 4001 8003 9001]
        rules [B10 B175 B176 B177 B178];
    /// Deletes the rating profiles of an entity.
    DeleteEntityProfiles "deleteEntityProfiles" { entity: string } -> void
        faults [4000 4001 8003]
        rules [B10 B175 B176 B177 B178];
    /// Returns the rating profiles of an entity.
    GetEntityProfiles "getEntityProfiles" { entity: string } -> RatingEntityProfiles
        faults [4000 4001 8003]
        rules [B11 B175];
}
