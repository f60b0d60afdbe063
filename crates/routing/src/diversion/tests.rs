//! Plans of calls to accounts with rules and diversions: a small world, and what becomes of calls in it.

use super::*;
use crate::facts::Diverted;
use crate::facts::{CallFacts, Callee};
use crate::plan::plan;
use ngn_model::Binding;
use ngn_model::Plan;
use ngn_model::accept_rules::TemporaryRule;
use ngn_model::call_options::AddressPattern;
use ngn_model::call_plan::Step;
use ngn_model::diversion::Diversion;

/// Accounts of `example.com`, by user name, and who of them is registered.
#[derive(Default)]
struct World {
    accounts: Vec<(Account, Vec<Binding>)>,
    settings: Settings,
}

impl World {
    /// Adds an account with diversions as `condition target`, such as `FBUS sip:bob@example.com`.
    fn add(&mut self, name: &str, is_online: bool, diversions: &[&str]) -> &mut CallOptions {
        let mut account = Account::new(format!("{name}@example.com").parse().expect("an address"));
        let diversions = diversions.iter().map(|text| {
            let (spelling, target) = text.split_once(' ').expect("a condition and a target");
            let how = if spelling.starts_with('F') {
                DiversionAction::Forward
            } else {
                DiversionAction::Redirect
            };
            let when = match spelling.get(1..) {
                Some("UNC") => DiversionCondition::Unconditional,
                Some("UNV") => DiversionCondition::Unavailable,
                Some("NOL") => DiversionCondition::NotOnline,
                Some("BUS") => DiversionCondition::Busy,
                Some("NOA") => DiversionCondition::NoAnswer,
                _ => panic!("{spelling}"),
            };
            Diversion { when, how, target: DiversionTarget::read(target).expect("a target") }
        });
        let options = CallOptions { diversions: diversions.collect(), ..CallOptions::default() };
        let expires_at = if is_online { 2_000 } else { 500 };
        let contact = format!("sip:{name}@192.0.2.1");
        let binding = Binding::new(account.aor.clone(), contact, expires_at);
        account.options = Some(Box::new(options));
        self.accounts.push((account, vec![binding]));
        let (account, _) = self.accounts.last_mut().expect("the account");
        account.options.as_mut().expect("options")
    }

    fn find<'a>(&'a self, uri: &'a str) -> Callee<'a> {
        let address = uri.trim_start_matches("sip:");
        match self.accounts.iter().find(|(account, _)| account.aor.to_string() == address) {
            Some((account, bindings)) => Callee::Account { account, alias: None, bindings },
            None if address.ends_with("@example.com") => Callee::Unknown { address: uri },
            None => Callee::Foreign { uri },
        }
    }

    /// What becomes of a call from outside to `alice`: a line for each step, or status and phrase.
    fn call(&self, from: &str) -> String {
        let uris: Vec<String> = self
            .accounts
            .iter()
            .flat_map(|(account, _)| targets(account, &self.settings))
            .collect();
        let diverted: Vec<Diverted<'_>> =
            uris.iter().map(|uri| Diverted { uri, callee: self.find(uri) }).collect();
        let nothing = crate::testing::World::default();
        let facts = CallFacts {
            callee: self.find("sip:alice@example.com"),
            from,
            diverted: &diverted,
            settings: &self.settings,
            ..nothing.facts()
        };
        match plan(&facts) {
            Plan::Reject(reject) => format!("{} {}", reject.status, reject.phrase),
            Plan::Call(call) => {
                assert!(call.steps.iter().all(|step| !step.why.is_empty()));
                call.steps.iter().map(line).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

/// `condition leg<parent target`.
fn line(step: &Step) -> String {
    let target = match &step.targets[0] {
        Target::Binding(binding) => binding.aor.username().to_owned(),
        Target::Uri(uri) => uri.clone(),
        Target::Redirect(uri) => format!("302 {uri}"),
        Target::Gateway(gateway) => gateway.request_uri(),
    };
    let after = step.leg.after.map_or(String::new(), |after| format!("<{after}"));
    format!("{:?} {}{after} {target}", step.when, step.leg.id)
}

const STRANGER: &str = "sip:stranger@example.net";

fn refuse_everybody(options: &mut CallOptions) {
    let groups = vec!["nobody".to_owned()];
    options.accept.temporary = Some(TemporaryRule { groups, expires_at: None });
}

#[test]
fn b81_diversions_of_one_account() {
    for (name, is_online, diversions, expected) in [
        ("none", true, &[][..], "First 0 alice"),
        ("none, offline", false, &[], "480 Temporarily Unavailable"),
        ("unconditional", true, &["FUNC sip:bob@example.com"], "First 0 bob"),
        (
            "unconditional before offline",
            false,
            &["FNOL sip:x@example.org", "FUNC sip:bob@example.com"],
            "First 0 bob",
        ),
        (
            "unconditional, elsewhere",
            true,
            &["FUNC sip:x@example.org"],
            "First 0 sip:x@example.org",
        ),
        (
            "unconditional redirection",
            true,
            &["RUNC sip:x@example.org"],
            "First 0 302 sip:x@example.org",
        ),
        ("offline", false, &["FNOL sip:bob@example.com"], "First 0 bob"),
        (
            "offline redirection",
            false,
            &["RNOL sip:bob@example.com"],
            "First 0 302 sip:bob@example.com",
        ),
        ("online", true, &["FNOL sip:bob@example.com"], "First 0 alice"),
        ("busy", true, &["FBUS sip:bob@example.com"], "First 0 alice; Busy 1<0 bob"),
        ("no answer", true, &["FNOA sip:bob@example.com"], "First 0 alice; NoAnswer 1<0 bob"),
        (
            "busy redirection",
            true,
            &["RBUS sip:bob@example.com"],
            "First 0 alice; Busy 1<0 302 sip:bob@example.com",
        ),
        (
            "both",
            true,
            &["FNOA sip:x@example.org", "FBUS sip:bob@example.com"],
            "First 0 alice; Busy 1<0 bob; NoAnswer 2<0 sip:x@example.org",
        ),
        ("unavailable is not asked", true, &["FUNV sip:bob@example.com"], "First 0 alice"),
        ("B82: nobody has the target", true, &["FUNC sip:nobody@example.com"], "First 0 alice"),
        (
            "a target that is offline refuses",
            true,
            &["FUNC sip:off@example.com"],
            "480 Temporarily Unavailable",
        ),
        ("after busy it adds nothing", true, &["FBUS sip:off@example.com"], "First 0 alice"),
        ("to itself", true, &["FUNC sip:alice@example.com"], "First 0 alice"),
    ] {
        let mut world = World::default();
        world.add("alice", is_online, diversions);
        world.add("bob", true, &[]);
        world.add("off", false, &[]);
        assert_eq!(world.call(STRANGER), expected, "{name}");
    }
}

#[test]
fn b82_unavailable_is_what_the_accept_rules_forbid() {
    for (diversions, expected) in [
        (&[][..], "480 Temporarily Unavailable"),
        (&["FUNV sip:bob@example.com", "FUNC sip:x@example.org"], "First 0 bob"),
        (&["RUNV sip:x@example.org"], "First 0 302 sip:x@example.org"),
        // B81: unavailable comes first, so nothing else is looked at.
        (&["FUNC sip:bob@example.com"], "480 Temporarily Unavailable"),
    ] {
        let mut world = World::default();
        refuse_everybody(world.add("alice", true, diversions));
        world.add("bob", true, &[]);
        assert_eq!(world.call(STRANGER), expected, "{diversions:?}");
    }
}

#[test]
fn b97_rejected_callers_are_refused_whatever_is_diverted() {
    let mut world = World::default();
    let options = world.add("alice", true, &["FUNC sip:bob@example.com"]);
    options.reject.push(AddressPattern::new("sip:%@spam.example"));
    world.add("bob", true, &[]);
    assert_eq!(world.call("sip:a@spam.example"), "603 Decline");
    assert_eq!(world.call(STRANGER), "First 0 bob");
}

#[test]
fn b97_the_target_of_a_diversion_may_reject_the_caller_too() {
    let mut world = World::default();
    world.add("alice", true, &["FBUS sip:bob@example.com", "FNOA sip:x@example.org"]);
    world.add("bob", true, &[]).reject.push(AddressPattern::new(STRANGER));
    assert_eq!(world.call(STRANGER), "First 0 alice; NoAnswer 1<0 sip:x@example.org");
}

#[test]
fn b66_anonymous_callers() {
    let mut world = World::default();
    world.add("alice", true, &[]);
    assert_eq!(world.call("sip:anonymous@anonymous.invalid"), "First 0 alice");
    world.accounts[0].0.groups.push("anonymous-reject".to_owned());
    assert_eq!(world.call("sip:Anonymous@anonymous.invalid"), "433 Anonymity Disallowed");
    assert_eq!(world.call(STRANGER), "First 0 alice");
}

#[test]
fn b85_mailboxes_need_a_number_and_a_server() {
    for (mailbox, server, expected) in [
        (
            Some("1000000"),
            Some("vm.example.org:5062"),
            "First 0 alice; Busy 1<0 sip:1000000@vm.example.org:5062",
        ),
        (None, Some("vm.example.org"), "First 0 alice"),
        (Some("1000000"), None, "First 0 alice"),
    ] {
        let mut world = World::default();
        world.settings.voicemail_server = server.map(str::to_owned);
        world.add("alice", true, &["FBUS <voice-mailbox>"]).mailbox = mailbox.map(str::to_owned);
        assert_eq!(world.call(STRANGER), expected, "{mailbox:?} {server:?}");
    }
}

#[test]
fn b86_mobile_numbers() {
    for (mobile, expected) in [
        (None, None),
        (Some("+31 6 1111 1111"), Some("sip:+31611111111@example.com")),
        (Some("m@example.org"), Some("sip:m@example.org")),
        (Some("sip:m@example.org"), Some("sip:m@example.org")),
        (Some("unknown"), None),
    ] {
        let mut world = World::default();
        world.add("alice", true, &["FNOA <mobile-number>"]).mobile = mobile.map(str::to_owned);
        let found = targets(&world.accounts[0].0, &world.settings);
        assert_eq!(found, Vec::from_iter(expected.map(str::to_owned)), "{mobile:?}");
    }
}

#[test]
fn b96_an_account_does_not_divert_to_what_it_may_not_call() {
    let mut world = World::default();
    let options = world.add("alice", true, &["FUNC sip:+31900123@gw.example.org"]);
    options.barred.push("31900".to_owned());
    assert_eq!(world.call(STRANGER), "403 Forbidden");
    world.accounts[0].0.options.as_mut().expect("options").barred.clear();
    assert_eq!(world.call(STRANGER), "First 0 sip:+31900123@gw.example.org");
}

#[test]
fn diversions_of_diversions_stay_in_their_leg() {
    let mut world = World::default();
    world.add("alice", true, &["FBUS sip:bob@example.com", "FNOA sip:dave@example.com"]);
    world.add("bob", true, &["FBUS sip:carol@example.com", "FNOA sip:alice@example.com"]);
    world.add("carol", true, &[]);
    world.add("dave", false, &["FNOL sip:x@example.org"]);
    assert_eq!(
        world.call(STRANGER),
        "First 0 alice; Busy 1<0 bob; Busy 2<1 carol; NoAnswer 3<0 sip:x@example.org"
    );
}

#[test]
fn loops_end() {
    let mut world = World::default();
    world.add("alice", true, &["FUNC sip:bob@example.com"]);
    world.add("bob", true, &["FUNC sip:carol@example.com"]);
    world.add("carol", true, &["FUNC sip:alice@example.com"]);
    assert_eq!(world.call(STRANGER), "First 0 carol");
    // A chain without a loop ends after so many.
    let mut world = World::default();
    world.add("alice", true, &["FUNC sip:n0@example.com"]);
    for i in 0..9 {
        world.add(&format!("n{i}"), true, &[&format!("FUNC sip:n{}@example.com", i + 1)]);
    }
    assert_eq!(world.call(STRANGER), format!("First 0 n{}", MOST_DIVERSIONS - 1));
    // Everybody to everybody, in every way: there is a plan, and it is not long.
    let mut world = World::default();
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
    for (i, name) in names.iter().enumerate() {
        let to = |n: usize| names[(i + n) % names.len()];
        let (busy, other) =
            (format!("FBUS sip:{}@example.com", to(1)), format!("FNOA sip:{}@example.com", to(2)));
        world.add(name, true, &[&busy, &other]);
    }
    let steps = world.call(STRANGER).split("; ").count();
    assert!((2..=usize::from(MOST_LEGS) + 1).contains(&steps), "{steps}");
}
