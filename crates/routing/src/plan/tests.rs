//! Refusals and contacts.

use super::*;
use crate::testing::World;
use ngn_model::call_plan::Condition;
use ngn_model::{Account, Aor, Binding};
use std::time::Duration;

fn account(address: &str, groups: &[&str]) -> Account {
    let mut account = Account::new(address.parse().expect("an address"));
    account.groups = groups.iter().map(|g| (*g).to_owned()).collect();
    account
}

fn binding(account: &Account, contact: &str, q: u16, expires_at: i64) -> Binding {
    Binding { q, ..Binding::new(account.aor.clone(), contact, expires_at) }
}

fn decide(caller: Caller<'_>, callee: Callee<'_>) -> Plan {
    let world = World::default();
    plan(&CallFacts { caller, callee, ..world.facts() })
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
    assert!(call.steps.iter().all(|step| step.reason().contains("info@example.com")));
}

// B66: nobody is asked about numbers for those who may call none.
#[test]
fn b66_blocked_callers_cause_no_questions() {
    let world = World::default();
    let asked = |groups: &[&str]| {
        let alice = account("alice@example.com", groups);
        let caller = Caller::Account(&alice);
        enum_questions(&CallFacts { caller, dialled: "+431234567", ..world.facts() })
    };
    assert_eq!(asked(&[]), ["431234567"]);
    assert!(asked(&["blocked"]).is_empty());
}
