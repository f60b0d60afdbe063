//! What sources may do that prove nothing, and what is turned away when too much waits.

use ngn_daemon::prefix::Prefix;
use ngn_sip::guard::{Rate, Rules, StrikeRules};
use ngn_sip::stack::ShedRules;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// How many different names can be told apart.
const MOST_NAMES: u32 = 40;

/// What sources may do that prove nothing. Trusted peers, gateways and voicemail servers are never counted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// Addresses and prefixes that are not counted either.
    pub exempt: Vec<Prefix>,
    /// Wrong passwords within `within_seconds` that ban a source; 0: any number.
    pub source_failures: u32,
    /// Wrong passwords within `within_seconds` after which an account is only used from where it lately was; 0: any number.
    pub account_failures: u32,
    /// Different users that do not exist, asked for within `within_seconds`, that ban a source; 0 (any number) to 40.
    pub unknown_names: u32,
    /// The time in which failures are counted together, in seconds, 1 to 86,400.
    pub within_seconds: u64,
    /// How long the first ban lasts, in seconds, 1 to 86,400; each further one lasts twice as long.
    pub ban_seconds: u64,
    /// The longest ban, in seconds, up to 604,800.
    pub longest_ban_seconds: u64,
    /// Words in User-Agent, or names in From, of clients that are never answered.
    pub scanners: Vec<String>,
    /// Requests of one source in a second; 0: any number.
    pub requests_per_second: u32,
    /// Requests of one source at once.
    pub request_burst: u32,
    /// New calls of one source in a second; 0: any number.
    pub calls_per_second: u32,
    /// New calls of one source at once.
    pub call_burst: u32,
}

impl Default for Guard {
    fn default() -> Self {
        let scanners = [
            "friendly-scanner",
            "friendly-request",
            "sipvicious",
            "sundayddr",
            "pplsip",
            "sipcli",
            "sip-scan",
            "sipscan",
            "sipptk",
            "iwar",
            "vaxsipuseragent",
            "vaxipuseragent",
            "cyberscan",
            "nmap",
            "zgrab",
        ];
        Self {
            exempt: vec![
                Prefix::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
                Prefix::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
            ],
            source_failures: 20,
            account_failures: 50,
            unknown_names: 20,
            within_seconds: 300,
            ban_seconds: 60,
            longest_ban_seconds: 3_600,
            scanners: scanners.map(str::to_owned).to_vec(),
            requests_per_second: 100,
            request_burst: 500,
            calls_per_second: 20,
            call_burst: 100,
        }
    }
}

impl Guard {
    /// As decisions take it.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let strikes = |most| StrikeRules {
            most,
            within: Duration::from_secs(self.within_seconds),
            first: Duration::from_secs(self.ban_seconds),
            longest: Duration::from_secs(self.longest_ban_seconds),
        };
        Rules {
            source_failures: strikes(self.source_failures),
            account_failures: strikes(self.account_failures),
            unknown_names: strikes(self.unknown_names),
            requests: Rate { each_second: self.requests_per_second, burst: self.request_burst },
            calls: Rate { each_second: self.calls_per_second, burst: self.call_burst },
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.unknown_names > MOST_NAMES {
            return Err(format!("guard.unknown_names: must be 0 to {MOST_NAMES}"));
        }
        let day = 1..=86_400;
        if !day.contains(&self.within_seconds) || !day.contains(&self.ban_seconds) {
            let why = "`within_seconds` and `ban_seconds` must be 1 to 86400";
            return Err(format!("guard: {why}"));
        }
        if !(self.ban_seconds..=604_800).contains(&self.longest_ban_seconds) {
            return Err("guard.longest_ban_seconds: must be `ban_seconds` to 604800".to_owned());
        }
        for (rate, burst, key) in [
            (self.requests_per_second, self.request_burst, "request_burst"),
            (self.calls_per_second, self.call_burst, "call_burst"),
        ] {
            if rate > 0 && burst == 0 {
                return Err(format!("guard.{key}: must be at least 1"));
            }
        }
        Ok(())
    }
}

/// What is turned away when too much waits; emergency calls never are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overload {
    /// How long requests may wait before new ones that are no calls are refused, in milliseconds, 1 to 60,000.
    pub registrations_milliseconds: u64,
    /// How long, before new calls are refused too.
    pub calls_milliseconds: u64,
    /// How long requests inside dialogs may wait before they are refused too.
    pub dialogs_milliseconds: u64,
    /// Fewest and most seconds after which those may try again who are refused.
    pub retry_after: [u32; 2],
    /// Whether the system drops most of what is turned away, when that is a flood, before it is read.
    pub drop_unread: bool,
}

impl Default for Overload {
    fn default() -> Self {
        Self {
            registrations_milliseconds: 500,
            calls_milliseconds: 1_000,
            dialogs_milliseconds: 5_000,
            retry_after: [5, 30],
            drop_unread: true,
        }
    }
}

impl Overload {
    /// As decisions take it.
    #[must_use]
    pub const fn rules(&self) -> ShedRules {
        ShedRules {
            registrations: Duration::from_millis(self.registrations_milliseconds),
            calls: Duration::from_millis(self.calls_milliseconds),
            dialogs: Duration::from_millis(self.dialogs_milliseconds),
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let Self { registrations_milliseconds: first, calls_milliseconds: second, .. } = *self;
        if first == 0 || first > second || second > self.dialogs_milliseconds {
            let why = "needs 1 <= registrations_milliseconds <= calls_milliseconds <= dialogs_milliseconds";
            return Err(format!("overload: {why}"));
        }
        if self.dialogs_milliseconds > 60_000 {
            return Err("overload.dialogs_milliseconds: must be at most 60000".to_owned());
        }
        let [fewest, most] = self.retry_after;
        if fewest == 0 || fewest > most || most > 3_600 {
            return Err(
                "overload.retry_after: must be two numbers such as [5, 30], 1 to 3600".to_owned()
            );
        }
        Ok(())
    }
}
