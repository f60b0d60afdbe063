//! `[calls]`: how the end of a call is noticed that nobody tells of.

use ngn_sip::stack::SessionRules;
use serde::Deserialize;
use std::time::Duration;

/// How the end of a call is noticed that nobody tells of.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calls {
    /// The session interval that calls are given which ask for none, in seconds, 90 to 86,400; 0: none (RFC 4028).
    pub session_expires: u32,
    /// The shortest session interval that is taken, in seconds, 1 to 3,600; in earnest at least 90.
    pub min_session_expires: u32,
    /// How often both sides of a call without session timer are asked whether it goes on, in seconds, 1 to 86,400; 0: never.
    pub probe_interval: u32,
    /// How many times in a row one side must say that it does not, or nothing, until the call is over, 1 to 100.
    pub probe_failures: u32,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            session_expires: 1_800,
            min_session_expires: 90,
            probe_interval: 300,
            probe_failures: 3,
        }
    }
}

/// How long after a probe in vain the next one goes out, at most.
const AGAIN: Duration = Duration::from_secs(30);

impl Calls {
    /// What is asked of sessions.
    #[must_use]
    pub const fn session(&self) -> SessionRules {
        SessionRules { expires: self.session_expires, minimum: self.min_session_expires }
    }

    /// How calls are watched.
    #[must_use]
    pub fn rules(&self) -> ngn_sip::watch::Rules {
        let interval = Duration::from_secs(self.probe_interval.into());
        ngn_sip::watch::Rules {
            interval,
            again: interval.min(AGAIN),
            failures: self.probe_failures,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let is_interval = |seconds: u32| seconds == 0 || (90..=86_400).contains(&seconds);
        if !is_interval(self.session_expires)
            || self.session_expires > 0 && self.session_expires < self.min_session_expires
        {
            let why = "must be 0, or 90 to 86400 and no less than `min_session_expires`";
            return Err(format!("calls.session_expires: {why}"));
        }
        if !(1..=3_600).contains(&self.min_session_expires) {
            return Err("calls.min_session_expires: must be 1 to 3600".to_owned());
        }
        if self.probe_interval > 86_400 {
            return Err("calls.probe_interval: must be 0 to 86400".to_owned());
        }
        if !(1..=100).contains(&self.probe_failures) {
            return Err("calls.probe_failures: must be 1 to 100".to_owned());
        }
        Ok(())
    }
}
