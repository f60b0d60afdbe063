//! Response rate limiting of datagrams: its settings, and who is exempt.

use ngn_daemon::prefix::Prefix;
use ngn_dns::answer::Answered;
use ngn_dns::rate::{Limiter, Rates, Verdict};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

/// How many answers a network (24 bits of IPv4, 56 of IPv6) gets over UDP in a second.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rate {
    /// Answers about one name and type, or delegations, wildcards and missing types of one zone; 0 for any number.
    pub responses: u32,
    /// Answers that a name of one zone does not exist; 0 for any number.
    pub nxdomains: u32,
    /// Refusals and other errors; 0 for any number.
    pub errors: u32,
    /// One of so many answers that are too many is sent cut short, so that the asker can come over TCP; 0 for none.
    pub slip: u32,
    /// Addresses and prefixes that get every answer.
    pub exempt: Vec<Prefix>,
}

impl Default for Rate {
    fn default() -> Self {
        let loopback = [
            Prefix::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
            Prefix::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
        ];
        Self { responses: 200, nxdomains: 200, errors: 100, slip: 2, exempt: loopback.into() }
    }
}

/// Decides which answers are sent.
#[derive(Debug)]
pub(crate) struct RateLimit {
    limiter: Limiter,
    exempt: Vec<Prefix>,
    started: Instant,
}

impl RateLimit {
    /// `None` when nothing is limited. The secret must be of this process alone.
    pub(crate) fn new(settings: &Rate, secret: [u8; 16]) -> Option<Self> {
        let Rate { responses, nxdomains, errors, slip, .. } = *settings;
        if (responses, nxdomains, errors) == (0, 0, 0) {
            return None;
        }
        let limiter = Limiter::new(Rates { responses, nxdomains, errors, slip }, secret);
        Some(Self { limiter, exempt: settings.exempt.clone(), started: Instant::now() })
    }

    /// Counts an answer to a query in a datagram. Who proved its address is answered always.
    pub(crate) fn count(&self, from: IpAddr, query: &[u8], answered: &Answered) -> Verdict {
        if answered.proven || self.exempt.iter().any(|prefix| prefix.contains(from)) {
            return Verdict::Send;
        }
        self.limiter.count(from, query, answered, self.started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_dns::answer::{About, Rcode};

    const REFUSED: Answered = Answered {
        rcode: Rcode::Refused,
        qtype: Some(1),
        truncated: false,
        about: About::Nothing,
        proven: false,
        dnssec_ok: false,
    };

    fn is_limited(settings: &Rate, from: &str, answered: &Answered) -> bool {
        let limit = RateLimit::new(settings, [1; 16]).unwrap();
        let from = from.parse().unwrap();
        (0..100_000).any(|_| limit.count(from, b"", answered) != Verdict::Send)
    }

    #[test]
    fn loopback_and_who_proved_its_address_get_every_answer() {
        let usual = Rate::default();
        assert!(is_limited(&usual, "192.0.2.1", &REFUSED));
        assert!(!is_limited(&usual, "127.0.0.1", &REFUSED));
        assert!(!is_limited(&usual, "::1", &REFUSED));
        assert!(!is_limited(&usual, "192.0.2.1", &Answered { proven: true, ..REFUSED }));
        assert!(is_limited(&Rate { exempt: Vec::new(), ..usual }, "127.0.0.1", &REFUSED));
    }

    #[test]
    fn nothing_limited_is_no_limit() {
        let none = Rate { responses: 0, nxdomains: 0, errors: 0, ..Rate::default() };
        assert!(RateLimit::new(&none, [1; 16]).is_none());
    }
}
