//! Rating profiles (contract C7).

use crate::table::types;

types! {
    /// Which rates apply to an entity, and when.
    struct RatingEntityProfiles {
        /// The entity: `subscriber://user@domain`, `domain://…` or `gateway://…`.
        entity: string key,
        /// Profile on working days.
        profile_weekday "profileWeekday": string,
        /// Fallback profile on working days.
        profile_weekday_alt "profileWeekdayAlt": string,
        /// Profile on week-ends.
        profile_weekend "profileWeekend": string,
        /// Fallback profile on week-ends.
        profile_weekend_alt "profileWeekendAlt": string,
        /// Time zone by its name in the tz database.
        timezone: string,
        /// Seconds that calls are rounded up to.
        increment: int,
        /// Seconds that are charged at least.
        min_duration: int,
        /// The owning reseller.
        reseller: integer,
    }
}
