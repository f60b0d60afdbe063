//! Rating profiles (B175-B178).

mod delete_entity_profiles;
mod get_entity_profiles;
mod set_entity_profiles;

use ngn_tests::{Value, record};

/// Profiles as CDRTool sends them.
fn profiles(entity: &str) -> Value {
    record! {
        profiles: record! {
            entity: entity, profileWeekday: "441", profileWeekdayAlt: "", profileWeekend: "442",
            profileWeekendAlt: "", timezone: "Europe/Amsterdam",
        },
    }
}

fn of(entity: &str) -> Value {
    record! { entity: entity }
}
