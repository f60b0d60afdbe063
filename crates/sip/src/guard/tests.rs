use super::*;
use crate::message::{Limits, Message};

const MINUTE: Duration = Duration::from_mins(1);

fn rules() -> Rules {
    let strikes =
        |most| StrikeRules { most, within: MINUTE * 5, first: MINUTE, longest: MINUTE * 60 };
    Rules {
        source_failures: strikes(5),
        account_failures: strikes(20),
        unknown_names: strikes(10),
        requests: Rate { each_second: 10, burst: 20 },
        calls: Rate { each_second: 2, burst: 3 },
    }
}

fn guard() -> Guard {
    Guard::new(rules())
}

fn network(text: &str) -> Network {
    Network::of(text.parse().expect("an address"))
}

fn at(seconds: u64) -> Moment {
    Moment::from_millis(seconds * 1000)
}

/// Fails so often; gives the last bans.
fn fail(guard: &mut Guard, now: Moment, source: Network, account: &str, times: u32) -> Bans {
    let failures = (0..times).map(|_| guard.failed(now, Some(source), account, true));
    failures.last().expect("one")
}

#[test]
fn networks_are_addresses_or_a_64() {
    assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
    assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
    assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    assert_ne!(network("192.0.2.2"), network("192.0.2.1"));
    assert_eq!(network("2001:db8::7").to_string(), "2001:db8::/64");
    assert_eq!(network("192.0.2.1").to_string(), "192.0.2.1");
}

#[test]
fn a_source_that_guesses_is_banned_for_longer_each_time() {
    let (mut guard, source) = (guard(), network("192.0.2.1"));
    let check = |guard: &Guard, now| guard.proof(now, source, "eve@a", || false, true);
    assert_eq!(fail(&mut guard, at(0), source, "a@a", 4), Bans::default());
    assert_eq!(check(&guard, at(0)), Proof::Check);
    let mut now = 0;
    for (ban, minutes) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        let account = format!("{ban}@a");
        let times = if ban == 0 { 1 } else { 5 };
        let bans = fail(&mut guard, at(now), source, &account, times);
        assert_eq!(bans.source, Some(MINUTE * minutes), "ban {ban}");
        now += u64::from(minutes) * 60;
        assert_eq!(check(&guard, at(now - 1)), Proof::Refuse);
        assert_eq!(check(&guard, at(now)), Proof::Check);
    }
    // Whoever does nothing wrong for an hour begins anew.
    now += 3600;
    assert_eq!(fail(&mut guard, at(now), source, "z@a", 5).source, Some(MINUTE));
    // Others never were.
    assert_eq!(guard.proof(at(now), network("192.0.2.2"), "eve@a", || false, true), Proof::Check);
}

#[test]
fn failures_far_apart_are_not_counted_together() {
    let (mut guard, source) = (guard(), network("192.0.2.1"));
    for n in 0..100 {
        assert_eq!(fail(&mut guard, at(n * 300), source, "a@a", 4).source, None, "{n}");
    }
}

#[test]
fn a_flood_from_many_sources_keeps_the_user_in() {
    let mut guard = guard();
    let home = network("198.51.100.7");
    guard.succeeded(at(0), home, "alice@a");
    let mut guarded = false;
    for n in 0..1000_u32 {
        let source = Network::of(IpAddr::V4(n.to_be().into()));
        guarded |= guard.failed(at(1), Some(source), "alice@a", true).account.is_some();
    }
    assert!(guarded);
    let proof = |source, registered, own| guard.proof(at(2), source, "alice@a", || registered, own);
    assert_eq!(proof(home, false, true), Proof::Check);
    // A phone that registered before this process began.
    assert_eq!(proof(network("203.0.113.9"), true, true), Proof::Check);
    assert_eq!(proof(network("203.0.113.9"), false, true), Proof::Refuse);
    // Other accounts are looked at as ever.
    assert_eq!(guard.proof(at(2), network("203.0.113.9"), "bob@a", || false, true), Proof::Check);
    // What was lately is over one day later.
    let next_day = at(86_401);
    let _ = fail(&mut guard, next_day, network("192.0.2.1"), "alice@a", 20);
    assert_eq!(guard.proof(next_day, home, "alice@a", || false, true), Proof::Refuse);
}

#[test]
fn neighbours_behind_one_address_stay_in_and_do_not_guess() {
    let (mut guard, office) = (guard(), network("192.0.2.1"));
    guard.succeeded(at(0), office, "alice@a");
    // A phone with an old password.
    assert!(fail(&mut guard, at(1), office, "bob@a", 5).source.is_some());
    assert_eq!(guard.proof(at(2), office, "alice@a", || false, true), Proof::Check);
    assert_eq!(guard.proof(at(2), office, "bob@a", || false, true), Proof::Refuse);
    // Somebody beside alice guesses her password: no more tries than anybody else has.
    let _ = fail(&mut guard, at(3), office, "alice@a", 4);
    assert_eq!(guard.proof(at(3), office, "alice@a", || false, true), Proof::Check);
    let _ = fail(&mut guard, at(3), office, "alice@a", 1);
    assert_eq!(guard.proof(at(3), office, "alice@a", || false, true), Proof::Refuse);
    // Being registered is no better.
    assert_eq!(guard.proof(at(3), office, "alice@a", || true, true), Proof::Refuse);
}

#[test]
fn borrowed_addresses_do_not_lock_out_who_lives_there() {
    let (mut guard, home) = (guard(), network("198.51.100.7"));
    guard.succeeded(at(0), home, "alice@a");
    // Somebody writes alice's address and has nonces of his own.
    for _ in 0..1000 {
        let _ = guard.failed(at(1), Some(home), "alice@a", false);
    }
    assert_eq!(guard.proof(at(2), home, "alice@a", || true, true), Proof::Check);
    // Her old nonce, from another place, is not looked at while this goes on; a new one is made.
    assert_eq!(guard.proof(at(2), home, "alice@a", || true, false), Proof::Anew);
}

#[test]
fn sources_that_are_not_counted_still_count_for_accounts() {
    let mut guard = guard();
    let bans: Vec<Bans> = (0..20).map(|_| guard.failed(at(0), None, "alice@a", true)).collect();
    assert!(bans.iter().all(|bans| bans.source.is_none()));
    assert_eq!(bans.iter().filter(|bans| bans.account.is_some()).count(), 1);
}

#[test]
fn probing_for_users() {
    let (mut guard, source) = (guard(), network("192.0.2.1"));
    let screen = |guard: &mut Guard, now| guard.screen(now, source, false);
    // The same wrong number again and again is somebody who is lost.
    for n in 0..100 {
        assert_eq!(guard.asked(at(n), source, "nobody", false), None);
        assert_eq!(guard.asked(at(n), source, &format!("somebody {n}"), true), None);
    }
    assert_eq!(screen(&mut guard, at(100)), Screened::Pass);
    let ban = (0..64).find_map(|n| guard.asked(at(100), source, &n.to_string(), false));
    assert_eq!(ban, Some(MINUTE));
    assert_eq!(screen(&mut guard, at(159)), Screened::Probing);
    assert_eq!(screen(&mut guard, at(160)), Screened::Pass);
    // A few each five minutes are not many.
    for n in 0..1000_u64 {
        let now = at(4000 + n * 60);
        assert_eq!(guard.asked(now, source, &n.to_string(), false), None, "{n}");
    }
}

#[test]
fn requests_and_calls_of_a_source() {
    let (mut guard, source) = (guard(), network("192.0.2.1"));
    let mut count = |now, calls, times: u32| {
        let screened = (0..times).map(|_| guard.screen(now, source, calls));
        let screened: Vec<Screened> = screened.collect();
        let of = |what| screened.iter().filter(|one| **one == what).count();
        (of(Screened::Pass), of(Screened::TooMany), of(Screened::Ignore))
    };
    assert_eq!(count(at(10), false, 100), (20, 1, 79), "the burst, one 503, and silence");
    assert_eq!(count(at(11), false, 100), (10, 1, 89), "the rate");
    assert_eq!(count(at(20), true, 10), (3, 1, 6), "calls have less");
    assert_eq!(count(at(21), true, 10), (2, 1, 7));
    assert_eq!(count(at(100), false, 20), (20, 0, 0));
}

#[test]
fn nothing_is_limited_by_zero() {
    let none = StrikeRules { most: 0, ..rules().source_failures };
    let any = Rate { each_second: 0, burst: 0 };
    let mut guard = Guard::new(Rules {
        source_failures: none,
        account_failures: none,
        unknown_names: none,
        requests: any,
        calls: any,
    });
    let source = network("192.0.2.1");
    for n in 0..10_000 {
        assert_eq!(guard.screen(at(0), source, true), Screened::Pass);
        assert_eq!(guard.failed(at(0), Some(source), "a@a", true), Bans::default());
        assert_eq!(guard.asked(at(0), source, &n.to_string(), false), None);
    }
    assert_eq!(guard.proof(at(0), source, "a@a", || false, true), Proof::Check);
}

#[test]
fn memory_is_bounded_and_bans_outlive_a_flood() {
    let mut guard = Guard::with_capacity(rules(), 64);
    let banned = network("192.0.2.1");
    assert!(fail(&mut guard, at(0), banned, "a@a", 5).source.is_some());
    for n in 0..100_000_u32 {
        let source = Network::of(IpAddr::V4(n.to_be().into()));
        assert_ne!(guard.screen(at(30), source, true), Screened::Probing);
        guard.succeeded(at(30), source, &n.to_string());
        let _ = guard.failed(at(30), Some(source), &n.to_string(), true);
    }
    assert!(guard.sources() <= 64 && guard.pairs.len() <= 64 && guard.accounts.len() <= 64);
    assert_eq!(guard.proof(at(31), banned, "b@a", || false, true), Proof::Refuse);
}

fn request(fields: &str, from: &str) -> Message {
    let text = format!(
        "OPTIONS sip:100@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
         From: {from};tag=1\r\nTo: <sip:100@example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n{fields}\r\n"
    );
    Message::parse(text.into(), &Limits::default()).expect("a request")
}

#[test]
fn scanners_by_name() {
    let words = ["friendly-scanner", " PPLSIP ", ""].map(str::to_owned);
    let scanners = Scanners::new(&words);
    let alice = "\"Alice\" <sip:alice@example.com>";
    for (fields, from, known) in [
        ("", alice, false),
        ("User-Agent: \r\n", alice, false),
        ("User-Agent: Phone 1.0\r\n", alice, false),
        ("User-Agent: friendly-scanner\r\n", alice, true),
        ("User-Agent: x Friendly-Scanner/2\r\n", alice, true),
        ("User-Agent: pplsip\r\n", alice, true),
        ("", "\"pplsip\" <sip:100@1.1.1.1>", true),
        ("", "<sip:PPLSIP@1.1.1.1>", true),
        ("", "<sip:applsips@example.com>", false),
    ] {
        assert_eq!(scanners.know(&request(fields, from)), known, "{fields}{from}");
    }
    let nobody = Scanners::default();
    assert!(!nobody.know(&request("User-Agent: friendly-scanner\r\n", alice)));
}

#[test]
fn nonces_tell_for_whom_they_were_made() {
    use crate::digest::NonceKey;
    use crate::digest::nonce::NonceState;
    let key = NonceKey::from_bytes([7; 32]);
    let (one, other) = (network("192.0.2.1").octets(), network("2001:db8::1").octets());
    for seed in [[0; 4], [1, 2, 3, 4], [255; 4]] {
        let nonce = key.make("a", 1_000, key.random_for(&one, seed));
        assert!(key.is_for(&nonce, &one) && !key.is_for(&nonce, &other));
        assert!(!NonceKey::from_bytes([8; 32]).is_for(&nonce, &one));
        assert!(matches!(key.check(&nonce, "a", 1_000, 10), NonceState::Valid { .. }));
    }
    assert!(!key.is_for("", &one) && !key.is_for("zz", &one));
}

#[test]
fn bans_are_listed_and_lifted() {
    let (mut guard, eve) = (guard(), network("192.0.2.1"));
    let listed = |guard: &Guard, after: Option<&Banned>| -> Vec<(Banned, Moment)> {
        guard.bans_after(after).map(|(who, until)| (who.clone(), until)).collect()
    };
    assert_eq!(listed(&guard, None), []);
    for n in 0..20 {
        let from = network(&format!("198.51.100.{n}"));
        guard.failed(at(0), Some(from), "alice@a", true);
    }
    fail(&mut guard, at(0), eve, "bob@a", 5);
    // Names whose hashes fall together count once.
    let mut names = (0..).map(|n| format!("{n}@a"));
    while guard.asked(at(0), eve, &names.next().expect("another"), false).is_none() {}
    let all = listed(&guard, None);
    let [guessing, probing] = [Banned::Guessing(eve), Banned::Probing(eve)];
    let account = Banned::Account("alice@a".to_owned());
    let until = at(60);
    assert_eq!(
        all,
        [(guessing.clone(), until), (probing.clone(), until), (account.clone(), until)]
    );
    assert_eq!(listed(&guard, Some(&guessing)).len(), 2, "behind the first one");
    assert_eq!(guard.screen(at(1), eve, false), Screened::Probing);
    for who in [&guessing, &probing, &account] {
        assert!(guard.lift(at(1), who), "{who}");
        assert!(!guard.lift(at(1), who), "{who} is in already");
    }
    assert_eq!(listed(&guard, None), []);
    assert_eq!(guard.screen(at(1), eve, false), Screened::Pass);
    assert_eq!(guard.proof(at(1), eve, "alice@a", || false, true), Proof::Check);
    assert!(!guard.lift(at(1), &Banned::Guessing(network("192.0.2.99"))), "who was never seen");
}

#[test]
fn the_list_of_bans_forgets_those_that_are_over_and_never_outgrows_its_size() {
    let mut guard = Guard::with_capacity(rules(), 16);
    for n in 0..100 {
        fail(&mut guard, at(n), network(&format!("192.0.2.{n}")), &format!("{n}@a"), 5);
    }
    assert_eq!(guard.bans_after(None).count(), 16, "all last for a minute");
    fail(&mut guard, at(1_000), network("192.0.2.200"), "x@a", 5);
    assert_eq!(guard.bans_after(None).count(), 1, "the others are over");
    let long = "x".repeat(1_000);
    let sources = (0..20).map(|n| network(&format!("198.51.100.{n}")));
    let guarded =
        sources.filter_map(|from| guard.failed(at(1_000), Some(from), &long, true).account);
    assert_eq!(guarded.count(), 1);
    assert_eq!(guard.bans_after(None).count(), 1, "nobody has such a name");
}
