//! The steps by which an account is reached, its diversions included (B80 to B87).
//!
//! Each account that the call may come to has a leg of its own. In a leg, in this order (B81):
//!
//! 1. Callers that the account rejects are refused (B97), anonymous ones if it is in `anonymous-reject` (B66).
//! 2. Accept rules forbid the caller now: the diversion for *unavailable*, else 480 (B82).
//! 3. The diversion that is *unconditional*.
//! 4. Nothing is registered: the diversion for *not online*, else 480.
//! 5. The registered contacts, best preference first; after them the diversions for *busy* and *no answer*.
//!
//! A diversion that leads nowhere (a mailbox that does not exist, an address that nobody has, an account that the call
//! came through already, too many in a row) is taken as not set.

use crate::accept::{forbidden, rejected};
use crate::barring::{self, barred};
use crate::facts::{CallFacts, Callee, Caller, Settings};
use ngn_model::call_plan::{Condition, Leg, Step, Target, Why};
use ngn_model::{
    Account, Aor, Binding, CallOptions, DiversionAction, DiversionCondition, DiversionTarget,
    Reject,
};
use std::time::Duration;

/// How many diversions a call may go through, one after the other.
pub const MOST_DIVERSIONS: usize = 5;

const UNAVAILABLE: &str = "Temporarily Unavailable";

/// How many legs a call may have, counting those that it may come to.
const MOST_LEGS: u16 = 32;

/// The URIs that the diversions of an account lead to and that facts have to say about. Redirections are not among
/// them: the caller follows those.
#[must_use]
pub fn targets(account: &Account, settings: &Settings) -> Vec<String> {
    let Some(options) = &account.options else { return Vec::new() };
    let forwarded = options.diversions.iter().filter(|d| d.how == DiversionAction::Forward);
    forwarded.filter_map(|d| resolve(account, options, &d.target, settings)).collect()
}

/// What a diversion's target stands for now (B85, B86).
fn resolve(
    account: &Account,
    options: &CallOptions,
    target: &DiversionTarget,
    settings: &Settings,
) -> Option<String> {
    match target {
        DiversionTarget::Uri(uri) => Some(uri.clone()),
        DiversionTarget::VoiceMailbox => {
            let server = settings.voicemail_of(account.ownership.reseller)?;
            Some(format!("sip:{}@{server}", options.mailbox.as_ref()?))
        }
        DiversionTarget::MobileNumber => {
            let number = options.mobile.as_deref()?.trim();
            if number.contains('@') {
                let has_scheme = number.starts_with("sip:") || number.starts_with("sips:");
                return Some(if has_scheme { number.to_owned() } else { format!("sip:{number}") });
            }
            let dialled = |c: &char| c.is_ascii_digit() || *c == '+';
            let digits: String = number.chars().filter(dialled).collect();
            (!digits.is_empty()).then(|| format!("sip:{digits}@{}", account.aor.domain()))
        }
    }
}

/// The addresses under which a caller may be known to an account.
fn callers(facts: &CallFacts<'_>) -> Vec<String> {
    let mut callers = vec![facts.from.to_owned()];
    if let Caller::Account(account) = facts.caller {
        // What is provisioned about callers names accounts, whatever From says.
        callers.push(account.aor.to_string());
    }
    callers
}

/// The steps by which an account is reached, or why it cannot be.
pub(crate) fn reach(
    facts: &CallFacts<'_>,
    account: &Account,
    alias: Option<&Aor>,
    bindings: &[Binding],
) -> Result<Vec<Step>, Reject> {
    let mut legs = Legs { facts, callers: callers(facts), steps: Vec::new(), next: 0 };
    let alias = alias.map(|alias| {
        Why::new("B79", "called by an alias")
            .with("alias", alias.to_string())
            .with("account", account.aor.to_string())
    });
    let why = alias.as_slice();
    legs.account(account, bindings, &Way { when: Condition::First, after: None, via: &[], why })?;
    Ok(legs.steps)
}

/// How a leg is come to.
#[derive(Clone, Copy)]
struct Way<'w> {
    /// When its first step is taken.
    when: Condition,
    /// After which leg.
    after: Option<u16>,
    /// The accounts that the call came through.
    via: &'w [&'w Aor],
    /// How the call came there.
    why: &'w [Why],
}

impl Way<'_> {
    /// The reasons of a step on it.
    fn reasons(&self, why: Why) -> Vec<Why> {
        self.why.iter().cloned().chain([why]).collect()
    }
}

/// What came of a diversion.
enum Outcome {
    /// Its steps are there.
    Planned,
    /// It leads nowhere.
    Nowhere,
    /// Whom it leads to does not take the call.
    Refused(Reject),
}

struct Legs<'f> {
    facts: &'f CallFacts<'f>,
    callers: Vec<String>,
    steps: Vec<Step>,
    next: u16,
}

impl Legs<'_> {
    fn account(
        &mut self,
        account: &Account,
        bindings: &[Binding],
        way: &Way<'_>,
    ) -> Result<(), Reject> {
        let (facts, aor) = (self.facts, &account.aor);
        let nothing = CallOptions::default();
        let options = account.options.as_deref().unwrap_or(&nothing);
        if let Some(why) = rejected(options, &self.callers) {
            return Err(Reject::new(603, "Decline", why.with("account", aor.to_string())));
        }
        if account.is_in_group("anonymous-reject") && is_anonymous(facts.from) {
            // RFC 5079.
            let why = Why::new("B66", "the account takes no anonymous calls");
            let why = why.with("account", aor.to_string()).with("group", "anonymous-reject");
            return Err(Reject::new(433, "Anonymity Disallowed", why));
        }
        if let Some(why) = forbidden(options, &self.callers, facts.now) {
            return self.divert(account, DiversionCondition::Unavailable, way).unwrap_or_else(
                || Err(Reject::new(480, UNAVAILABLE, why.with("account", aor.to_string()))),
            );
        }
        if let Some(settled) = self.divert(account, DiversionCondition::Unconditional, way) {
            return settled;
        }
        let live: Vec<&Binding> = bindings.iter().filter(|b| b.expires_at > facts.now).collect();
        if live.is_empty() {
            return self.divert(account, DiversionCondition::NotOnline, way).unwrap_or_else(|| {
                let why = Why::new("B82", "nothing is registered");
                Err(Reject::new(480, UNAVAILABLE, why.with("account", aor.to_string())))
            });
        }
        let id = self.contacts(account, live, way);
        let via: Vec<&Aor> = way.via.iter().copied().chain([aor]).collect();
        for (condition, when) in [
            (DiversionCondition::Busy, Condition::Busy),
            (DiversionCondition::NoAnswer, Condition::NoAnswer),
        ] {
            // Whoever does not take the call then leaves the caller with the answer that there is.
            let _ =
                self.follow(account, condition, &Way { when, after: Some(id), via: &via, ..*way });
        }
        Ok(())
    }

    /// RFC 3261 section 16.6: all contacts of the best preference at once, then those of the next.
    fn contacts(&mut self, account: &Account, mut live: Vec<&Binding>, way: &Way<'_>) -> u16 {
        let id = self.leg();
        live.sort_by_key(|b| std::cmp::Reverse(b.q));
        let answer_timeout = account
            .answer_timeout
            .filter(|seconds| *seconds > 0)
            .map_or(self.facts.settings.default_answer_timeout, |s| {
                Duration::from_secs(u64::from(s))
            });
        for (index, group) in live.chunk_by(|a, b| a.q == b.q).enumerate() {
            let q = group.first().map_or(0, |b| b.q);
            let (when, after) =
                if index == 0 { (way.when, way.after) } else { (Condition::Unanswered, Some(id)) };
            self.steps.push(Step {
                when,
                leg: Leg { id, after },
                targets: group.iter().map(|b| Target::Binding(Box::new((*b).clone()))).collect(),
                answer_timeout,
                why: way.reasons(
                    Why::new("RFC 3261 16.6", "the account is registered")
                        .with("account", account.aor.to_string())
                        .with("q", format!("{}.{:03}", q / 1000, q % 1000)),
                ),
            });
        }
        id
    }

    /// Follows a diversion that is taken before anybody rings; `None` when there is none or it leads nowhere.
    fn divert(
        &mut self,
        account: &Account,
        condition: DiversionCondition,
        way: &Way<'_>,
    ) -> Option<Result<(), Reject>> {
        let via: Vec<&Aor> = way.via.iter().copied().chain([&account.aor]).collect();
        match self.follow(account, condition, &Way { via: &via, ..*way }) {
            Outcome::Planned => Some(Ok(())),
            Outcome::Refused(reject) => Some(Err(reject)),
            Outcome::Nowhere => None,
        }
    }

    fn follow(
        &mut self,
        account: &Account,
        condition: DiversionCondition,
        way: &Way<'_>,
    ) -> Outcome {
        let Some(options) = account.options.as_deref() else { return Outcome::Nowhere };
        let Some(diversion) = options.diversion(condition) else { return Outcome::Nowhere };
        let settings = self.facts.settings;
        let Some(uri) = resolve(account, options, &diversion.target, settings) else {
            return Outcome::Nowhere;
        };
        if way.via.len() > MOST_DIVERSIONS || self.next >= MOST_LEGS {
            return Outcome::Nowhere;
        }
        let why = way.reasons(
            Why::new("B81", "the account diverts")
                .with("account", account.aor.to_string())
                .with("when", condition.to_string())
                .with("to", uri.clone()),
        );
        let way = Way { why: &why, ..*way };
        if diversion.how == DiversionAction::Redirect {
            let why = Why::new("B80", "the caller is told to call there");
            self.step(Target::Redirect(uri), &way, why);
            return Outcome::Planned;
        }
        if let Some(prefix) = barred(account, &uri) {
            // The call goes on at the account's expense, so its own limits hold.
            let why = barring::why(account, prefix);
            return Outcome::Refused(Reject::new(403, "Forbidden", why));
        }
        let found = self.facts.diverted.iter().find(|diverted| diverted.uri == uri);
        match found.map(|diverted| diverted.callee) {
            Some(Callee::Account { account: next, .. }) if way.via.contains(&&next.aor) => {
                Outcome::Nowhere
            }
            Some(Callee::Account { account: next, bindings, .. }) => {
                match self.account(next, bindings, &way) {
                    Ok(()) => Outcome::Planned,
                    Err(reject) => Outcome::Refused(reject),
                }
            }
            Some(Callee::Foreign { uri }) => {
                let why = Why::new("RFC 3261 16.5", "a domain that is not ours");
                self.step(Target::Uri(uri.to_owned()), &way, why);
                Outcome::Planned
            }
            Some(Callee::Unknown { .. }) | None => Outcome::Nowhere,
        }
    }

    fn step(&mut self, target: Target, way: &Way<'_>, why: Why) {
        let id = self.leg();
        self.steps.push(Step {
            when: way.when,
            leg: Leg { id, after: way.after },
            targets: vec![target],
            answer_timeout: self.facts.settings.default_answer_timeout,
            why: way.reasons(why),
        });
    }

    fn leg(&mut self) -> u16 {
        let id = self.next;
        self.next = self.next.saturating_add(1);
        id
    }
}

/// RFC 3323 section 4.1.1.3.
fn is_anonymous(from: &str) -> bool {
    from.to_ascii_lowercase().contains("anonymous@anonymous.invalid")
}

#[cfg(test)]
mod tests;
