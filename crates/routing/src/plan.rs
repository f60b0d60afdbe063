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
use crate::diversion::{self, Diverted};
use ngn_model::call_plan::{Condition, Leg, Step, Target};
use ngn_model::{Account, Aor, Binding, CallPlan, Plan, Reject};
use std::net::IpAddr;
use std::time::Duration;

/// All that may matter to one request that begins a call (or any other dialog or transaction).
#[derive(Debug, Clone, Copy)]
pub struct CallFacts<'a> {
    /// Who calls.
    pub caller: Caller<'a>,
    /// Who is called.
    pub callee: Callee<'a>,
    /// The URI of the request's From, without parameters of the header field.
    pub from: &'a str,
    /// Whom diversions may lead to, from the callee on; what is not there leads nowhere.
    pub diverted: &'a [Diverted<'a>],
    /// The address that the request came from.
    pub source: IpAddr,
    /// The time, in milliseconds since 1970 UTC.
    pub now: i64,
    /// The platform's settings.
    pub settings: &'a Settings,
}

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// An account of ours that answered the digest challenge.
    Account(&'a Account),
    /// Somebody whose From is not in a domain of ours and who proved nothing.
    Stranger,
}

/// Who is called.
#[derive(Debug, Clone, Copy)]
pub enum Callee<'a> {
    /// An account of ours with its bindings, expired ones included.
    Account {
        /// The account.
        account: &'a Account,
        /// The alias by which it was called, if any.
        alias: Option<&'a Aor>,
        /// What is registered.
        bindings: &'a [Binding],
    },
    /// The domain is ours; no account or alias has the user name.
    Unknown {
        /// The address that was called.
        address: &'a str,
    },
    /// The domain is not ours.
    Foreign {
        /// The Request-URI as it came.
        uri: &'a str,
    },
}

/// Platform-wide settings that calls depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a callee rings who has set no time of its own (B56).
    pub default_answer_timeout: Duration,
    /// Host and port of the voicemail server; without it diversions to mailboxes lead nowhere (B85).
    pub voicemail_server: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { default_answer_timeout: Duration::from_secs(35), voicemail_server: None }
    }
}

/// Decides where a call goes, or why it goes nowhere.
#[must_use]
pub fn plan(facts: &CallFacts<'_>) -> Plan {
    caller_may_call(facts)
        .or_else(|| caller_may_call_this_number(facts))
        .or_else(|| to_the_outside(facts))
        .or_else(|| to_nobody(facts))
        .unwrap_or_else(|| to_an_account(facts))
}

/// B66: a blocked account calls nobody. B77: an account with an access list is used from its networks only.
fn caller_may_call(facts: &CallFacts<'_>) -> Option<Plan> {
    match facts.caller {
        Caller::Account(caller) if caller.is_blocked() => {
            Some(reject(403, "Forbidden", format!("caller {} is blocked (B66)", caller.aor)))
        }
        Caller::Account(caller) if !caller.admits(facts.source) => Some(reject(
            403,
            "Forbidden",
            format!("{} may not be used from there (B77)", caller.aor),
        )),
        Caller::Account(_) | Caller::Stranger => None,
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
    Some(reject(403, "Forbidden", format!("{} may not call +{prefix} (B96)", caller.aor)))
}

/// A proxy that forwards anybody's request anywhere is an open relay (RFC 3261 section 26.3.2).
fn to_the_outside(facts: &CallFacts<'_>) -> Option<Plan> {
    let Callee::Foreign { uri } = facts.callee else { return None };
    Some(match facts.caller {
        Caller::Stranger => {
            reject(403, "Relaying Forbidden", "neither side belongs to a domain of ours".to_owned())
        }
        Caller::Account(caller) => Plan::Call(CallPlan {
            steps: vec![Step {
                when: Condition::First,
                leg: Leg::default(),
                targets: vec![Target::Uri(uri.to_owned())],
                answer_timeout: facts.settings.default_answer_timeout,
                reason: format!("{} calls a domain that is not ours", caller.aor),
            }],
        }),
    })
}

/// RFC 3261 section 16.5: an address of ours that nobody has.
fn to_nobody(facts: &CallFacts<'_>) -> Option<Plan> {
    let Callee::Unknown { address } = facts.callee else { return None };
    Some(reject(404, "Not Found", format!("no account or alias is called {address}")))
}

/// The callee's own rules and diversions: [`crate::diversion`].
fn to_an_account(facts: &CallFacts<'_>) -> Plan {
    let Callee::Account { account, alias, bindings } = facts.callee else {
        return reject(404, "Not Found", "nobody is called".to_owned());
    };
    match diversion::reach(facts, account, alias, bindings) {
        Ok(steps) => Plan::Call(CallPlan { steps }),
        Err(reject) => Plan::Reject(reject),
    }
}

fn reject(status: u16, phrase: &'static str, reason: String) -> Plan {
    Plan::Reject(Reject { status, phrase, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(address: &str, groups: &[&str]) -> Account {
        let mut account = Account::new(address.parse().expect("an address"));
        account.groups = groups.iter().map(|g| (*g).to_owned()).collect();
        account
    }

    fn binding(account: &Account, contact: &str, q: u16, expires_at: i64) -> Binding {
        Binding {
            aor: account.aor.clone(),
            contact: contact.to_owned(),
            received: None,
            path: String::new(),
            expires_at,
            q,
            call_id: "c".to_owned(),
            cseq: 1,
            user_agent: String::new(),
            socket: String::new(),
            instance: None,
            reg_id: 0,
            node: String::new(),
            last_modified: 0,
        }
    }

    fn decide(caller: Caller<'_>, callee: Callee<'_>) -> Plan {
        let (source, settings) = (IpAddr::from([192, 0, 2, 9]), Settings::default());
        let (from, diverted) = ("sip:caller@example.net", &[]);
        plan(&CallFacts { caller, callee, from, diverted, source, now: 1_000, settings: &settings })
    }

    fn status(plan: &Plan) -> u16 {
        match plan {
            Plan::Reject(reject) => reject.status,
            Plan::Call(_) => 0,
        }
    }

    #[test]
    fn refusals() {
        let alice = account("alice@example.com", &[]);
        let blocked = account("mallory@example.com", &["blocked"]);
        let mut elsewhere = account("elsewhere@example.com", &[]);
        elsewhere.acl = vec!["198.51.100.0/24".to_owned(), "203.0.113.1".to_owned()];
        let mut inside = account("inside@example.com", &[]);
        inside.acl = vec!["198.51.100.0/24".to_owned(), "192.0.2.0/24".to_owned()];
        let bob = account("bob@example.com", &[]);
        let here = [binding(&bob, "sip:bob@192.0.2.1", 1000, 2_000)];
        let gone = [binding(&bob, "sip:bob@192.0.2.1", 1000, 1_000)];
        let bob_here = Callee::Account { account: &bob, alias: None, bindings: &here };
        let bob_gone = Callee::Account { account: &bob, alias: None, bindings: &gone };
        let nobody = Callee::Unknown { address: "nobody@example.com" };
        let outside = Callee::Foreign { uri: "sip:carol@example.net" };
        for (name, caller, callee, expected) in [
            ("a registered callee", Caller::Account(&alice), bob_here, 0),
            ("a stranger may call us", Caller::Stranger, bob_here, 0),
            ("B66: a blocked caller", Caller::Account(&blocked), bob_here, 403),
            ("B77: outside its networks", Caller::Account(&elsewhere), bob_here, 403),
            ("B77: within them", Caller::Account(&inside), bob_here, 0),
            ("an expired binding is none", Caller::Account(&alice), bob_gone, 480),
            ("an unknown user", Caller::Account(&alice), nobody, 404),
            ("our caller may leave", Caller::Account(&alice), outside, 0),
            ("a stranger may not pass through", Caller::Stranger, outside, 403),
            ("B66: nor may a blocked caller", Caller::Account(&blocked), outside, 403),
        ] {
            assert_eq!(status(&decide(caller, callee)), expected, "{name}");
        }
    }

    #[test]
    fn contacts_of_equal_preference_ring_together() {
        let alice = account("alice@example.com", &[]);
        let mut bob = account("bob@example.com", &[]);
        bob.answer_timeout = Some(20);
        let alias: Aor = "info@example.com".parse().expect("an address");
        let bindings = [
            binding(&bob, "sip:low@192.0.2.1", 500, 2_000),
            binding(&bob, "sip:one@192.0.2.1", 1000, 2_000),
            binding(&bob, "sip:old@192.0.2.1", 1000, 900),
            binding(&bob, "sip:two@192.0.2.1", 1000, 2_000),
        ];
        let callee = Callee::Account { account: &bob, alias: Some(&alias), bindings: &bindings };
        let Plan::Call(call) = decide(Caller::Account(&alice), callee) else {
            panic!("the call must be tried")
        };
        let shape: Vec<(Condition, usize, Duration)> = call
            .steps
            .iter()
            .map(|step| (step.when, step.targets.len(), step.answer_timeout))
            .collect();
        let twenty = Duration::from_secs(20);
        assert_eq!(shape, [(Condition::First, 2, twenty), (Condition::Unanswered, 1, twenty)]);
        assert!(call.steps.iter().all(|step| step.reason.contains("info@example.com")));
    }
}
