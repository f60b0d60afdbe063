//! Facts for tests: nobody is there, nothing is provisioned.

use crate::facts::{Asks, CallFacts, Callee, Caller, Purpose, Settings};
use crate::{EmergencyTable, Pstn};
use std::collections::HashSet;
use std::net::IpAddr;

/// What facts refer to.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) pstn: Pstn,
    pub(crate) emergency: EmergencyTable,
    pub(crate) down: HashSet<i64>,
}

impl World {
    /// A call of a stranger to nobody.
    pub(crate) fn facts(&self) -> CallFacts<'_> {
        CallFacts {
            purpose: Purpose::Call,
            caller: Caller::Stranger,
            callee: Callee::Unknown { address: "" },
            dialled: "",
            domain: None,
            from: "sip:caller@example.net",
            wants_privacy: false,
            asks: Asks::default(),
            diverted: &[],
            enum_answers: &[],
            pstn: &self.pstn,
            down: &self.down,
            emergency: &self.emergency,
            usage: &[],
            seed: 0,
            source: IpAddr::from([192, 0, 2, 9]),
            source_port: None,
            now: 1_000,
            settings: &self.settings,
        }
    }
}
