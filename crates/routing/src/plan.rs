//! The ordered list of rules that turns the facts of a call into a plan. Read this first.
//!
//! Each rule is a function that may settle the call; the first one that does ends the walk:
//!
//! 1. `caller_may_call`: a blocked account calls nobody (B66), nor does one from outside its networks (B77).
//! 2. `caller_may_call_this_number`: barring prefixes of the caller (B96).
//! 3. `to_the_outside`: a domain that is not ours is reached only by callers that proved who they are.
//! 4. `to_nobody`: the domain is ours and nobody has that address: 404.
//! 5. `to_an_account`: whom the callee takes calls from, its diversions, and every registered contact, highest
//!    preference first; without one: 480.
//!
//! Aliases are resolved when the facts are gathered (B79), so that the rules see accounts only.

use crate::barring;
use crate::dial;
use crate::diversion;
use crate::facts::{CallFacts, Callee, Caller};
use crate::number;
use ngn_model::call_plan::{Condition, Leg, Step, Target, Why};
use ngn_model::{CallPlan, Plan, Reject};

/// Decides where a call goes, or why it goes nowhere.
#[must_use]
pub fn plan(facts: &CallFacts<'_>) -> Plan {
    caller_may_call(facts)
        .or_else(|| caller_may_call_this_number(facts))
        .or_else(|| to_the_outside(facts))
        .or_else(|| to_nobody(facts))
        .unwrap_or_else(|| to_an_account(facts))
}

/// The numbers that ENUM is to be asked about before the plan is made, digits with country code: those that a gateway
/// would take.
#[must_use]
pub fn enum_questions(facts: &CallFacts<'_>) -> Vec<String> {
    let mut numbers = Vec::new();
    if let Callee::Unknown { .. } = facts.callee
        && !matches!(facts.caller, Caller::Stranger | Caller::Claimed(_))
    {
        numbers.extend(dial::of(facts).number);
    }
    numbers.iter().map(|number| number::e164(number).to_owned()).collect()
}

/// B66: a blocked account calls nobody. B77: an account with an access list is used from its networks only.
fn caller_may_call(facts: &CallFacts<'_>) -> Option<Plan> {
    match facts.caller {
        Caller::Account(caller) if caller.is_blocked() => Some(reject(
            403,
            "Forbidden",
            Why::new("B66", "the caller is blocked").with("account", caller.aor.to_string()),
        )),
        Caller::Account(caller) if !caller.admits(facts.source) => Some(reject(
            403,
            "Forbidden",
            Why::new("B77", "the account may not be used from there")
                .with("account", caller.aor.to_string())
                .with("source", facts.source.to_string()),
        )),
        Caller::Claimed(caller) => Some(reject(
            403,
            "Forbidden",
            Why::new("RFC 3261 22.3", "the caller proved nothing")
                .with("account", caller.aor.to_string()),
        )),
        Caller::Peer(peer) if peer.blocked => Some(reject(
            403,
            "Forbidden",
            Why::new("B147", "the trusted peer is blocked").with("peer", peer.ip.clone()),
        )),
        Caller::Account(_) | Caller::Peer(_) | Caller::Stranger => None,
    }
}

/// B96: numbers that the caller's account may not call. What is a number of ours is no call to the PSTN.
fn caller_may_call_this_number(facts: &CallFacts<'_>) -> Option<Plan> {
    let (
        Caller::Account(caller),
        Callee::Unknown { address: called } | Callee::Foreign { uri: called },
    ) = (facts.caller, facts.callee)
    else {
        return None;
    };
    let prefix = barring::barred(caller, called)?;
    Some(reject(403, "Forbidden", barring::why(caller, prefix)))
}

/// A proxy that forwards anybody's request anywhere is an open relay (RFC 3261 section 26.3.2).
fn to_the_outside(facts: &CallFacts<'_>) -> Option<Plan> {
    let Callee::Foreign { uri } = facts.callee else { return None };
    let why = match facts.caller {
        Caller::Account(caller) => Why::new("RFC 3261 16.5", "a domain that is not ours")
            .with("account", caller.aor.to_string()),
        Caller::Peer(peer) if peer.transit => {
            Why::new("B147", "a domain that is not ours, in transit").with("peer", peer.ip.clone())
        }
        Caller::Peer(_) | Caller::Claimed(_) | Caller::Stranger => {
            let why = Why::new("RFC 3261 26.3.2", "neither side belongs to a domain of ours");
            return Some(reject(403, "Relaying Forbidden", why));
        }
    };
    Some(Plan::Call(CallPlan {
        steps: vec![Step {
            when: Condition::First,
            leg: Leg::default(),
            targets: vec![Target::Uri(uri.to_owned())],
            answer_timeout: facts.settings.default_answer_timeout,
            why: vec![why],
        }],
        ..CallPlan::default()
    }))
}

/// RFC 3261 section 16.5: an address of ours that nobody has.
fn to_nobody(facts: &CallFacts<'_>) -> Option<Plan> {
    let Callee::Unknown { address } = facts.callee else { return None };
    let why = Why::new("RFC 3261 16.5", "no account or alias is called that");
    Some(reject(404, "Not Found", why.with("address", address)))
}

/// The callee's own rules and diversions: [`crate::diversion`].
fn to_an_account(facts: &CallFacts<'_>) -> Plan {
    let Callee::Account { account, alias, bindings } = facts.callee else {
        return reject(404, "Not Found", Why::new("RFC 3261 16.5", "nobody is called"));
    };
    match diversion::reach(facts, account, alias, bindings) {
        Ok(steps) => Plan::Call(CallPlan { steps, ..CallPlan::default() }),
        Err(reject) => Plan::Reject(reject),
    }
}

fn reject(status: u16, phrase: &'static str, why: Why) -> Plan {
    Plan::Reject(Reject::new(status, phrase, why))
}

#[cfg(test)]
mod tests;
