//! Calls to telephone numbers, and those to emergency numbers.

use ngn_routing::NumberPlan;
use serde::Deserialize;
use std::time::Duration;

/// Calls to telephone numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pstn {
    /// The country code, digits; empty: only international numbers are understood.
    pub country_code: String,
    /// The area code, without national prefix; empty: numbers dialled without any prefix are none.
    pub area_code: String,
    /// What is dialled before area code and number; may be empty.
    pub national_prefix: String,
    /// What is dialled before a country code, beside `00` and `+`.
    pub international_prefix: String,
    /// Simultaneous calls to telephone numbers of an account that has no limit of its own (B76), 0 for no limit.
    pub calls_per_account: u32,
    /// How long a called number rings, in seconds, 1 to 900.
    pub answer_timeout: u64,
    /// How the gateways of one carrier are used.
    pub gateway_order: GatewayOrder,
    /// The responses after which another gateway is tried, beside 408 and 5xx, 400 to 499.
    pub failover_codes: Vec<u16>,
    /// How long a gateway may say nothing to a call before another one is tried, in seconds, 1 to 32.
    pub silent_seconds: u64,
    /// How often a gateway is probed by OPTIONS, in seconds, 0 (never) to 3,600.
    pub probe_seconds: u64,
    /// How many failures in a row take a gateway down, 1 to 100.
    pub probe_failures: u32,
}

/// How the gateways of one carrier are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GatewayOrder {
    /// Each gets the same share of the calls; the others take over.
    Shared,
    /// Always the first that is up, by id.
    InOrder,
}

impl Default for Pstn {
    fn default() -> Self {
        let numbers = NumberPlan::default();
        Self {
            country_code: numbers.country_code,
            area_code: numbers.area_code,
            national_prefix: numbers.national_prefix,
            international_prefix: numbers.international_prefix,
            calls_per_account: 0,
            answer_timeout: 120,
            gateway_order: GatewayOrder::Shared,
            failover_codes: Vec::new(),
            silent_seconds: 5,
            probe_seconds: 30,
            probe_failures: 3,
        }
    }
}

impl Pstn {
    /// How long a gateway may say nothing to a call.
    #[must_use]
    pub const fn silence(&self) -> Duration {
        Duration::from_secs(self.silent_seconds)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let digits = [&self.country_code, &self.area_code, &self.national_prefix];
        let is_digits =
            |text: &&String| text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits.iter().all(is_digits) || !is_digits(&&self.international_prefix) {
            return Err("pstn: codes and prefixes are digits".to_owned());
        }
        if !self.failover_codes.iter().all(|code| (400..=499).contains(code)) {
            return Err(
                "pstn.failover_codes: must be 400 to 499; 408 and 5xx always count".to_owned()
            );
        }
        if !(1..=900).contains(&self.answer_timeout) {
            return Err("pstn.answer_timeout: must be 1 to 900".to_owned());
        }
        if !(1..=32).contains(&self.silent_seconds) {
            return Err("pstn.silent_seconds: must be 1 to 32".to_owned());
        }
        if self.probe_seconds > 3_600 || !(1..=100).contains(&self.probe_failures) {
            let why = "`probe_seconds` must be 0 to 3600, `probe_failures` 1 to 100";
            return Err(format!("pstn: {why}"));
        }
        Ok(())
    }
}

/// Emergency calls (B165).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Emergency {
    /// Numbers that are emergency numbers whatever is mapped; those of the mapping are too.
    pub numbers: Vec<String>,
    /// Which accounts need not show a password.
    pub without_password: WithoutPassword,
}

/// Which accounts make emergency calls without showing a password; blocked ones are as good as others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutPassword {
    /// Whoever says that it is one of ours.
    #[default]
    Known,
    /// One that is registered from the address that the call comes from.
    Registered,
    /// None.
    Nobody,
}

impl Default for Emergency {
    fn default() -> Self {
        Self {
            numbers: vec!["112".to_owned(), "911".to_owned()],
            without_password: WithoutPassword::Known,
        }
    }
}
