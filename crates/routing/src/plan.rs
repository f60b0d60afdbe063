//! The ordered list of rules that turns the facts of a call into a plan. Read this first.
//!
//! Each rule is a function that may settle the call; the first one that does ends the walk:
//!
//! Requests about the messages in a mailbox are no calls and go their own way (`mailbox_state`). Calls:
//!
//! 1. `emergency`: nothing keeps anybody who is known from calling an emergency number (B165).
//! 2. `caller_may_call`: a blocked account calls nobody (B66), nor does one from outside its networks (B77), one that
//!    proved nothing, or a trunk that is blocked or full (B147).
//!    A caller for whom privacy is critical that a proxy cannot give is refused (`privacy_can_be_kept`).
//! 3. `to_the_mailbox`: the caller's own messages (B156).
//! 4. `to_the_outside`: a domain that is not ours is reached only by callers that proved who they are (and whom their
//!    barring prefixes let, B96), and by trunks in transit (B147).
//! 5. `to_an_account`: whom the callee takes calls from, its diversions, and every registered contact, highest
//!    preference first; without one: 480 (`account`, [`crate::diversion`]).
//! 6. `to_a_number`: telephone numbers that nobody here has, of accounts and trunks: by ENUM, or by gateways for those
//!    who may (B66, B70, B71, B76, B96), by the routes (B130 to B135) (`to_number`, `paying`).
//! 7. `to_nobody`: the domain is ours and nobody has that address: 404.
//!
//! Aliases, quick dial (B78, B79) and a trunk's changes to the number (B147) are resolved when the facts are gathered, by
//! [`crate::dial`], so that the rules see accounts only.

use crate::barring;
use crate::caller_id::{edits_everywhere, edits_outward};
use crate::dial;
use crate::diversion::number_in;
use crate::emergency;
use crate::facts::{CallFacts, Callee, Caller, Purpose};
use crate::legs::{Legs, Outcome, Way};
use crate::number;
use crate::paying::Paying;
use crate::to_number::wants_enum;
use crate::trunk;
use crate::voicemail;
use ngn_model::call_plan::{Target, Why};
use ngn_model::{CallPlan, Plan, Reject};

/// Decides where a call goes, or why it goes nowhere.
#[must_use]
pub fn plan(facts: &CallFacts<'_>) -> Plan {
    let mut legs = Legs::new(facts);
    if let Some(outcome) = mailbox_state(&mut legs) {
        return finish(legs, Vec::new(), outcome, false);
    }
    if let Some(why) = emergency(&mut legs) {
        return finish(legs, why, Outcome::Planned, true);
    }
    let outcome = caller_may_call(facts)
        .or_else(|| privacy_can_be_kept(facts))
        .or_else(|| to_the_mailbox(&mut legs))
        .or_else(|| to_the_outside(&mut legs))
        .or_else(|| to_an_account(&mut legs))
        .or_else(|| to_a_number(&mut legs))
        .unwrap_or_else(|| to_nobody(facts));
    finish(legs, Vec::new(), outcome, false)
}

/// The numbers that ENUM is to be asked about before the plan is made, digits with country code: those that a gateway
/// might take, called or diverted to. None when the caller may not call at all.
#[must_use]
pub fn enum_questions(facts: &CallFacts<'_>) -> Vec<String> {
    let mut numbers = Vec::new();
    let goes_as_calls = matches!(facts.purpose, Purpose::Call | Purpose::Other);
    if !goes_as_calls || caller_may_call(facts).is_some() {
        return numbers;
    }
    if let (Some(paying), Callee::Unknown { .. }) = (paying(facts), facts.callee)
        && wants_enum(facts, paying)
    {
        numbers.extend(dial::of(facts).number);
    }
    for diverted in facts.diverted {
        if let Callee::Unknown { .. } = diverted.callee {
            numbers.extend(number_in(diverted.uri, facts.settings));
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers.iter().map(|number| number::e164(number).to_owned()).collect()
}

/// Who pays for what the caller dials.
const fn paying<'a>(facts: &CallFacts<'a>) -> Option<Paying<'a>> {
    match facts.caller {
        Caller::Account(account) => Some(Paying::Account(account)),
        Caller::Peer(peer) => Some(Paying::Peer(peer)),
        Caller::Claimed(_) | Caller::Stranger => None,
    }
}

/// The plan of what was put together.
fn finish(legs: Legs<'_>, why: Vec<Why>, outcome: Outcome, is_emergency: bool) -> Plan {
    let Legs { facts, steps, not_tried, .. } = legs;
    let mut reject = match outcome {
        Outcome::Planned if !steps.is_empty() => {
            let edits = edits_everywhere(facts, is_emergency);
            let outward_edits = edits_outward(facts, is_emergency);
            let plan = CallPlan { steps, edits, outward_edits, is_emergency, why, not_tried };
            return Plan::Call(plan);
        }
        // Only an emergency call that nobody at all takes.
        Outcome::Planned => {
            let reject = Reject::new(
                503,
                "Service Unavailable",
                Why::new("B165", "nobody takes emergency calls"),
            );
            Reject { why: why.into_iter().chain(reject.why.clone()).collect(), ..reject }
        }
        Outcome::Nowhere(why) => Reject::new(404, "Not Found", why),
        Outcome::Refused(reject) => reject,
    };
    reject.not_tried = not_tried;
    Plan::Reject(reject)
}

/// RFC 3842: what a request about the messages in a mailbox comes to.
fn mailbox_state(legs: &mut Legs<'_>) -> Option<Outcome> {
    match legs.facts.purpose {
        Purpose::Call | Purpose::Other => None,
        Purpose::WatchMailbox => {
            caller_may_call(legs.facts).or_else(|| Some(voicemail::watch(legs)))
        }
        Purpose::MailboxChanged => Some(voicemail::changed(legs)),
    }
}

/// B165: before anything may refuse it.
fn emergency(legs: &mut Legs<'_>) -> Option<Vec<Why>> {
    emergency::reach(legs)
}

/// B66: a blocked account calls nobody. B77: an account with an access list is used from its networks only. B147: a
/// trunk may be blocked, or full.
fn caller_may_call(facts: &CallFacts<'_>) -> Option<Outcome> {
    let refused = |why: Why| Some(Outcome::Refused(Reject::new(403, "Forbidden", why)));
    match facts.caller {
        Caller::Account(caller) if caller.is_blocked() => refused(
            Why::new("B66", "the caller is blocked")
                .with("account", caller.aor.to_string())
                .with("group", "blocked"),
        ),
        Caller::Account(caller) if !caller.admits(facts.source) => refused(
            Why::new("B77", "the account may not be used from there")
                .with("account", caller.aor.to_string())
                .with("source", facts.source.to_string()),
        ),
        Caller::Claimed(caller) => refused(
            Why::new("RFC 3261 22.3", "the caller proved nothing")
                .with("account", caller.aor.to_string()),
        ),
        Caller::Peer(peer) => trunk::refused(peer, facts).map(Outcome::Refused),
        Caller::Account(_) | Caller::Stranger => None,
    }
}

/// RFC 3323 section 5: what would have to be changed for privacy of the header (Contact, Via, Call-ID) a proxy cannot
/// change; a caller who says that this is critical is not called for.
fn privacy_can_be_kept(facts: &CallFacts<'_>) -> Option<Outcome> {
    (facts.asks.header_privacy && facts.asks.is_critical).then(|| {
        let why =
            Why::new("RFC 3323 5", "privacy of the header is critical, and no proxy can give it");
        Outcome::Refused(Reject::new(500, "Privacy Unavailable", why))
    })
}

/// B156: the caller's own messages.
fn to_the_mailbox(legs: &mut Legs<'_>) -> Option<Outcome> {
    voicemail::reach(legs)
}

/// A proxy that forwards anybody's request anywhere is an open relay (RFC 3261 section 26.3.2).
fn to_the_outside(legs: &mut Legs<'_>) -> Option<Outcome> {
    let Callee::Foreign { uri } = legs.facts.callee else { return None };
    let refused = |phrase, why| Some(Outcome::Refused(Reject::new(403, phrase, why)));
    let why = match legs.facts.caller {
        Caller::Account(caller) => {
            if let Some(prefix) = barring::barred(caller, uri) {
                return refused("Forbidden", barring::why(caller, prefix));
            }
            Why::new("RFC 3261 16.5", "a domain that is not ours")
                .with("account", caller.aor.to_string())
        }
        Caller::Peer(peer) if peer.transit => {
            Why::new("B147", "a domain that is not ours, in transit").with("peer", peer.ip.clone())
        }
        Caller::Peer(_) | Caller::Claimed(_) | Caller::Stranger => {
            let why = Why::new("RFC 3261 26.3.2", "neither side belongs to a domain of ours");
            return refused("Relaying Forbidden", why);
        }
    };
    legs.step(Target::Uri(uri.to_owned()), &Way::FIRST, why);
    Some(Outcome::Planned)
}

/// The callee's own rules and diversions.
fn to_an_account(legs: &mut Legs<'_>) -> Option<Outcome> {
    let Callee::Account { account, alias, bindings } = legs.facts.callee else { return None };
    let alias = alias.map(|alias| {
        Why::new("B79", "called by an alias")
            .with("alias", alias.to_string())
            .with("account", account.aor.to_string())
    });
    let quick = dial::quick_why(legs.facts, account);
    let why: Vec<Why> = quick.into_iter().chain(alias).collect();
    Some(legs.account(account, bindings, &Way { why: &why, ..Way::FIRST }))
}

/// A telephone number that nobody here has. Who is not known calls none.
fn to_a_number(legs: &mut Legs<'_>) -> Option<Outcome> {
    let (Some(paying), Callee::Unknown { .. }) = (paying(legs.facts), legs.facts.callee) else {
        return None;
    };
    let dialled = dial::of(legs.facts);
    let why = dialled.why(legs.facts);
    Some(legs.number(&dialled.number?, paying, &Way { why: &why, ..Way::FIRST }))
}

/// RFC 3261 section 16.5: an address of ours that nobody has.
fn to_nobody(facts: &CallFacts<'_>) -> Outcome {
    let address = if let Callee::Unknown { address } = facts.callee { address } else { "" };
    let why = Why::new("RFC 3261 16.5", "no account or alias is called that");
    Outcome::Refused(Reject::new(404, "Not Found", why.with("address", address)))
}

#[cfg(test)]
mod tests;
