//! The steps of a plan while they are put together: one leg for each place that a call may come to.

use crate::facts::{CallFacts, Caller};
use crate::number;
use ngn_model::call_plan::{Condition, Diverted, Leg, Step, Target, Why};
use ngn_model::{Aor, Binding, Reject};
use std::time::Duration;

/// How many legs a call may have, counting those that it may come to.
pub(crate) const MOST_LEGS: u16 = 32;

/// How a leg is come to.
#[derive(Clone, Copy)]
pub(crate) struct Way<'w> {
    /// When its first step is taken.
    pub(crate) when: Condition,
    /// After which leg.
    pub(crate) after: Option<u16>,
    /// The accounts that the call came through.
    pub(crate) via: &'w [&'w Aor],
    /// The accounts that diverted it.
    pub(crate) diverted: &'w [Diverted],
    /// How the call came there.
    pub(crate) why: &'w [Why],
}

impl Way<'_> {
    /// The way to where the call goes first.
    pub(crate) const FIRST: Self =
        Self { when: Condition::First, after: None, via: &[], diverted: &[], why: &[] };

    /// The reasons of a step on it.
    pub(crate) fn reasons(&self, why: impl IntoIterator<Item = Why>) -> Vec<Why> {
        self.why.iter().cloned().chain(why).collect()
    }
}

/// What came of a leg.
pub(crate) enum Outcome {
    /// Its steps are there.
    Planned,
    /// It leads nowhere.
    Nowhere(Why),
    /// Whom it leads to does not take the call, or it may not be made.
    Refused(Reject),
}

/// What is there so far.
pub(crate) struct Legs<'f> {
    pub(crate) facts: &'f CallFacts<'f>,
    pub(crate) steps: Vec<Step>,
    /// What is not tried, and why not.
    pub(crate) not_tried: Vec<Why>,
    /// How many legs there are.
    pub(crate) next: u16,
}

impl<'f> Legs<'f> {
    pub(crate) fn new(facts: &'f CallFacts<'f>) -> Self {
        let (steps, not_tried) = (Vec::new(), Vec::new());
        Self { facts, steps, not_tried, next: 0 }
    }

    /// A leg with one step and one target.
    pub(crate) fn step(&mut self, target: Target, way: &Way<'_>, why: Why) -> u16 {
        self.step_to(vec![target], way, why)
    }

    /// A leg with one step.
    pub(crate) fn step_to(&mut self, targets: Vec<Target>, way: &Way<'_>, why: Why) -> u16 {
        let id = self.leg();
        let answer_timeout = self.facts.settings.default_answer_timeout;
        self.push(
            way.when,
            Leg { id, after: way.after },
            targets,
            answer_timeout,
            (way.reasons([why]), way.diverted),
        );
        id
    }

    pub(crate) fn push(
        &mut self,
        when: Condition,
        leg: Leg,
        targets: Vec<Target>,
        answer_timeout: Duration,
        (why, diverted): (Vec<Why>, &[Diverted]),
    ) {
        let diverted = diverted.to_vec();
        self.steps.push(Step { when, leg, targets, answer_timeout, diverted, why });
    }

    /// The number of another leg.
    pub(crate) fn leg(&mut self) -> u16 {
        let id = self.next;
        self.next = self.next.saturating_add(1);
        id
    }

    /// The contacts that are asked at once where all phones are: of each phone its newest flow.
    pub(crate) fn phones<'b>(&self, bindings: &'b [Binding]) -> Vec<&'b Binding> {
        rounds(&self.live(bindings)).into_iter().next().unwrap_or_default()
    }

    /// The bindings that have not ended.
    pub(crate) fn live<'b>(&self, bindings: &'b [Binding]) -> Vec<&'b Binding> {
        bindings.iter().filter(|b| b.expires_at > self.facts.now).collect()
    }
}

/// Contacts in the rounds in which they are tried: no phone is in a round with two of its flows (RFC 5626 section 7), and
/// the newest one comes first.
pub(crate) fn rounds<'b>(contacts: &[&'b Binding]) -> Vec<Vec<&'b Binding>> {
    let instance = |b: &'b Binding| b.instance.as_deref().filter(|_| b.reg_id != 0);
    let mut rounds: Vec<Vec<&Binding>> = Vec::new();
    for contact in contacts {
        let newer = |other: &&&'b Binding| {
            instance(other) == instance(contact)
                && (other.last_modified, other.reg_id) > (contact.last_modified, contact.reg_id)
        };
        let round = match instance(contact) {
            Some(_) => contacts.iter().filter(newer).count(),
            None => 0,
        };
        if rounds.len() <= round {
            rounds.resize_with(round + 1, Vec::new);
        }
        if let Some(round) = rounds.get_mut(round) {
            round.push(contact);
        }
    }
    rounds
}

/// The addresses under which a caller may be known to an account.
pub(crate) fn callers(facts: &CallFacts<'_>) -> Vec<String> {
    let mut callers = vec![facts.from.to_owned()];
    match facts.caller {
        // What is provisioned about callers names accounts, whatever From says.
        Caller::Account(account) | Caller::Claimed(account) => {
            callers.push(account.aor.to_string())
        }
        // Phone books have the number with its country code.
        Caller::Peer(_) => {
            let (user, host) = user_and_host(facts.from);
            let number = facts.settings.numbers_of(facts.domain).international(user);
            callers.extend(number.map(|n| format!("sip:+{}@{host}", number::e164(&n))));
        }
        Caller::Stranger => {}
    }
    callers
}

/// User part and host with port of a SIP or tel URI, or of an address without scheme.
pub(crate) fn user_and_host(uri: &str) -> (&str, &str) {
    let is_scheme = |scheme: &str| {
        let schemes = ["sip", "sips", "tel"];
        schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme))
    };
    let rest = match uri.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme.trim()) => rest,
        _ => uri,
    };
    let (user, host) = rest.split_once('@').unwrap_or((rest, ""));
    let end = |text: &'_ str| text.find([';', '?', '>']).unwrap_or(text.len());
    let user = user.split([';', ':']).next().unwrap_or_default();
    (user, host.get(..end(host)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc5626_7_a_phone_is_in_each_round_with_one_flow() {
        let aor: Aor = "bob@example.com".parse().expect("an address");
        let contact = |name: &str, instance: Option<&str>, reg_id: u32, modified: i64| Binding {
            instance: instance.map(str::to_owned),
            reg_id,
            last_modified: modified,
            ..Binding::new(aor.clone(), name, 0)
        };
        let contacts = [
            contact("old", Some("a"), 1, 10),
            contact("plain", None, 0, 5),
            contact("new", Some("a"), 2, 20),
            contact("other", Some("b"), 1, 1),
            contact("oldest", Some("a"), 3, 9),
            // It has a name, and no flows.
            contact("named", Some("a"), 0, 30),
        ];
        let all: Vec<&Binding> = contacts.iter().collect();
        let names = |round: &Vec<&Binding>| {
            round.iter().map(|b| b.contact.clone()).collect::<Vec<_>>().join(" ")
        };
        let rounds: Vec<_> = rounds(&all).iter().map(names).collect();
        assert_eq!(rounds, ["plain new other named", "old", "oldest"]);
    }
}
