//! Who is kept out: sources that guess passwords, scan for users, or ask more often than anybody needs.
//!
//! [`Guard`] judges and remembers; it holds no clock and sends nothing. A source is one IPv4 address, or a /64 of IPv6
//! ([`Network`]). All tables have a fixed size: where one is full, what matters least is forgotten.
//!
//! - **Passwords.** Wrong credentials count against the source and against the account that they name, whether or not
//!   there is such an account. A source with too many is banned for a time that doubles with each ban; an account with too
//!   many from anywhere is guarded for such a time. Meanwhile credentials are not even looked at, except those for an account
//!   that has lately been used with success from the source they come from: a flood keeps nobody out who is in already, nor
//!   does a neighbour behind the same NAT. That exception ends when too many of its own attempts fail.
//! - **Borrowed addresses.** Over UDP anybody may write another's address. Nonces are marked with the source they were made
//!   for; failures with somebody else's nonce never count against that exception.
//! - **Scans.** Sources that ask for many users that do not exist, and clients that name themselves after known scanners.
//! - **Rates.** Requests and new calls of one source in a second (generic cell rate algorithm).

mod bans;
mod bucket;
mod scanner;
mod strikes;
mod table;

pub use bans::Banned;
pub use bucket::{Bucket, Rate};
pub use scanner::Scanners;
pub use strikes::{StrikeRules, Strikes};

use crate::transaction::Moment;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use table::{Keep, Table};

/// Sources and accounts that are remembered at one time, and pairs of both; up to 160 octets each.
const CAPACITY: usize = 65_536;
/// How long it is remembered that an account was used with success from a source.
const LATELY: Duration = Duration::from_hours(24);
/// Of so many requests that pass in a second, one more is told 503; the others beyond the limit are not answered.
const TOLD: u32 = 10;

/// Whom requests come from, as far as limits are concerned: an IPv4 address, or the first 64 bits of an IPv6 address, all
/// of which one customer usually has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of an address; an IPv4 address in IPv6 form counts as IPv4.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(IpAddr::V4(address)),
            IpAddr::V6(address) => {
                Self(IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)))
            }
        }
    }

    /// What is written into nonces for it.
    #[must_use]
    pub fn octets(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        if self.0.is_ipv6() { f.write_str("/64") } else { Ok(()) }
    }
}

/// What is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Wrong credentials of one source.
    pub source_failures: StrikeRules,
    /// Wrong credentials for one account, from anywhere.
    pub account_failures: StrikeRules,
    /// Different users that do not exist, asked for by one source; at most 40 can be told apart.
    pub unknown_names: StrikeRules,
    /// Requests of one source.
    pub requests: Rate,
    /// New calls of one source.
    pub calls: Rate,
}

/// What to do with a request before anything else looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screened {
    /// Handle it.
    Pass,
    /// The source asks too often: say so (503).
    TooMany,
    /// The source asks too often, and was told: no answer.
    Ignore,
    /// The source has looked for too many users that do not exist: no answer.
    Probing,
}

/// What to do with a request that has to prove who it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Look at its credentials, or ask for some.
    Check,
    /// Ask for credentials with a new nonce, without a look at those that it has.
    Anew,
    /// Refuse it, without a look at its credentials and in the same words whatever they are.
    Refuse,
}

/// A ban that began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bans {
    /// Of the source, for so long.
    pub source: Option<Duration>,
    /// The account is guarded for so long.
    pub account: Option<Duration>,
}

/// What is known of a source.
#[derive(Debug, Default)]
struct Source {
    requests: Bucket,
    calls: Bucket,
    told: Bucket,
    failures: Strikes,
    unknown: Strikes,
    /// One bit for each of the names that were asked for, by their hash.
    names: u64,
    seen: Moment,
}

impl Keep for Source {
    fn keep(&self) -> Moment {
        self.seen.max(self.failures.until()).max(self.unknown.until())
    }
}

/// What is known of an account.
#[derive(Debug, Default)]
struct Account {
    failures: Strikes,
    seen: Moment,
}

impl Keep for Account {
    fn keep(&self) -> Moment {
        self.seen.max(self.failures.until())
    }
}

/// An account that is used from a source.
#[derive(Debug, Default)]
struct Pair {
    succeeded: Option<Moment>,
    failures: Strikes,
}

impl Keep for Pair {
    fn keep(&self) -> Moment {
        // Those who never succeeded go first.
        self.succeeded.unwrap_or_default()
    }
}

/// Judges and remembers; see the [module](self).
#[derive(Debug)]
pub struct Guard {
    rules: Rules,
    sources: Table<Network, Source>,
    /// By the hash of their name.
    accounts: Table<u64, Account>,
    /// By source and account.
    pairs: Table<(Network, u64), Pair>,
    bans: bans::List,
}

impl Guard {
    /// One that knows nobody yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self::with_capacity(rules, CAPACITY)
    }

    fn with_capacity(rules: Rules, capacity: usize) -> Self {
        Self {
            rules,
            sources: Table::new(capacity),
            accounts: Table::new(capacity),
            pairs: Table::new(capacity),
            bans: bans::List::new(capacity),
        }
    }

    /// Takes other rules; what is remembered stays.
    pub const fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Counts a request of a source. Who may ask without limit must not be counted.
    pub fn screen(&mut self, now: Moment, source: Network, is_new_call: bool) -> Screened {
        let rules = self.rules;
        let source = self.sources.entry(source);
        source.seen = now;
        if source.unknown.is_out(now) {
            return Screened::Probing;
        }
        let is_within = source.requests.take(now, rules.requests)
            && (!is_new_call || source.calls.take(now, rules.calls));
        let told = Rate { each_second: rules.requests.each_second.div_ceil(TOLD), burst: 1 };
        match is_within {
            true => Screened::Pass,
            false if source.told.take(now, told) => Screened::TooMany,
            false => Screened::Ignore,
        }
    }

    /// Whether credentials for an account are looked at. `is_registered` says whether the account is registered from that
    /// source, and is only asked when it matters; `is_own_nonce`, that the nonce was made for it, or that there is none.
    #[must_use]
    pub fn proof(
        &self,
        now: Moment,
        source: Network,
        account: &str,
        is_registered: impl FnOnce() -> bool,
        is_own_nonce: bool,
    ) -> Proof {
        let is_banned = self.is_banned(now, source);
        let name = self.name(account);
        let is_guarded = || self.accounts.get(&name).is_some_and(|one| one.failures.is_out(now));
        if !is_banned && !is_guarded() {
            return Proof::Check;
        }
        match self.is_known(now, source, account, is_registered) {
            true if is_own_nonce => Proof::Check,
            true => Proof::Anew,
            false => Proof::Refuse,
        }
    }

    /// Whether a source is banned for wrong credentials.
    #[must_use]
    pub fn is_banned(&self, now: Moment, source: Network) -> bool {
        self.sources.get(&source).is_some_and(|one| one.failures.is_out(now))
    }

    /// Whether an account is, or lately was, used from a source.
    #[must_use]
    pub fn is_known(
        &self,
        now: Moment,
        source: Network,
        account: &str,
        is_registered: impl FnOnce() -> bool,
    ) -> bool {
        let Some(pair) = self.pairs.get(&(source, self.name(account))) else {
            return is_registered();
        };
        let lately = pair.succeeded.is_some_and(|at| now.since(at) < LATELY);
        !pair.failures.is_out(now) && (lately || is_registered())
    }

    /// Takes note of wrong credentials; `source` is `None` for one that is not counted.
    pub fn failed(
        &mut self,
        now: Moment,
        source: Option<Network>,
        account: &str,
        is_own_nonce: bool,
    ) -> Bans {
        let (rules, named, account) = (self.rules, account, self.name(account));
        let mut bans = Bans::default();
        if let Some(source) = source {
            if is_own_nonce {
                let pair = self.pairs.entry((source, account));
                pair.failures.strike(now, &rules.source_failures);
            }
            let known = self.sources.entry(source);
            known.seen = now;
            bans.source = known.failures.strike(now, &rules.source_failures);
            if let Some(length) = bans.source {
                self.bans.add(now, Banned::Guessing(source), now + length);
            }
        }
        let known = self.accounts.entry(account);
        known.seen = now;
        bans.account = known.failures.strike(now, &rules.account_failures);
        if let Some(length) = bans.account {
            self.bans.add(now, Banned::Account(named.to_owned()), now + length);
        }
        bans
    }

    /// Takes note that an account was used from a source, by somebody who knows its password.
    pub fn succeeded(&mut self, now: Moment, source: Network, account: &str) {
        let key = (source, self.name(account));
        let pair = self.pairs.entry(key);
        pair.succeeded = Some(now);
        pair.failures = Strikes::default();
    }

    /// Takes note that a source asked for a user; gives how long it is ignored when that was one too many that does
    /// not exist.
    pub fn asked(
        &mut self,
        now: Moment,
        source: Network,
        name: &str,
        exists: bool,
    ) -> Option<Duration> {
        let rules = self.rules.unknown_names;
        // The same work for both, so that time tells nothing.
        let bit = 1 << (self.name(name) % 64);
        let known = self.sources.entry(source);
        known.seen = now;
        if exists {
            return None;
        }
        if known.unknown.is_over(now, &rules) {
            known.names = 0;
        }
        if known.names & bit != 0 {
            return None;
        }
        known.names |= bit;
        let ban = known.unknown.strike(now, &rules);
        if let Some(length) = ban {
            known.names = 0;
            self.bans.add(now, Banned::Probing(source), now + length);
        }
        ban
    }

    /// Names have any length; nobody can foresee their hashes.
    fn name(&self, name: &str) -> u64 {
        self.sources.hash(name)
    }

    /// Sources that are remembered.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.sources.len()
    }
}

#[cfg(test)]
mod tests;
