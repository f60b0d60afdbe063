//! Who is let through when.

use super::*;
use ngn_model::accept_rules::{AcceptRule, Days, TemporaryRule, TimeOfDay};
use ngn_model::call_options::{AddressPattern, Contact};

fn rule(days: i64, start: &str, stop: &str, groups: &[&str]) -> AcceptRule {
    AcceptRule {
        days: Days::new(days).expect("days"),
        start: TimeOfDay::read(start).expect("a time"),
        stop: TimeOfDay::read(stop).expect("a time"),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    }
}

fn options(rules: Vec<AcceptRule>, timezone: &str) -> CallOptions {
    let mut options = CallOptions { timezone: timezone.to_owned(), ..CallOptions::default() };
    options.accept.persistent = rules;
    for (address, group) in [("ann@example.net", "vip"), ("%@family.example", "Family")] {
        let contact = Contact { address: AddressPattern::new(address), group: group.to_owned() };
        options.phonebook.push(contact);
    }
    options
}

fn at(time: &str) -> i64 {
    time.parse::<Timestamp>().expect("a time").as_millisecond()
}

fn takes(options: &CallOptions, caller: &str, now: i64) -> bool {
    forbidden(options, &[caller.to_owned()], now).is_none()
}

const ANN: &str = "sip:ann@example.net";
const BEN: &str = "sip:ben@example.net";
const KID: &str = "sip:kid@family.example";

#[test]
fn b90_rules_hold_in_the_time_zone_of_the_account() {
    // Monday 2026-01-05 is winter time, Monday 2026-07-06 summer time.
    for (timezone, now, expected) in [
        ("Europe/Amsterdam", "2026-01-05T07:30:00Z", false),
        ("Europe/Amsterdam", "2026-01-05T06:30:00Z", true),
        ("Europe/Amsterdam", "2026-07-06T06:30:00Z", false),
        ("Europe/Amsterdam", "2026-07-06T05:30:00Z", true),
        ("Europe/Amsterdam", "2026-07-06T15:59:59Z", false),
        ("Europe/Amsterdam", "2026-07-06T16:00:00Z", true),
        ("Europe/Amsterdam", "2026-07-04T12:00:00Z", true),
        ("America/New_York", "2026-07-06T12:00:00Z", false),
        ("America/New_York", "2026-07-06T11:59:00Z", true),
        ("", "2026-07-06T08:00:00Z", false),
        ("Nowhere/Land", "2026-07-06T07:59:00Z", true),
        ("Nowhere/Land", "2026-07-06T08:00:00Z", false),
        // Monday in Auckland begins on Sunday in UTC.
        ("Pacific/Auckland", "2026-07-05T20:30:00Z", false),
    ] {
        let options = options(vec![rule(31, "08:00", "18:00", &["vip"])], timezone);
        assert_eq!(takes(&options, BEN, at(now)), expected, "{timezone} {now}");
        assert!(takes(&options, ANN, at(now)), "{timezone} {now}");
    }
}

#[test]
fn b91_groups_of_callers() {
    let now = at("2026-01-05T12:00:00Z");
    for (groups, ann, ben, kid) in [
        (&["everybody"][..], true, true, true),
        (&["nobody"], false, false, false),
        (&["vip"], true, false, false),
        (&["family"], false, false, true),
        (&["vip", "family"], true, false, true),
        (&["nobody", "vip"], true, false, false),
        (&["strangers"], false, false, false),
    ] {
        let options = options(vec![rule(127, "00:00", "24:00", groups)], "");
        let found =
            (takes(&options, ANN, now), takes(&options, BEN, now), takes(&options, KID, now));
        assert_eq!(found, (ann, ben, kid), "{groups:?}");
    }
}

#[test]
fn b95_without_a_rule_that_holds_everybody_is_accepted() {
    let now = at("2026-01-05T12:00:00Z");
    assert!(takes(&CallOptions::default(), BEN, now));
    let options = options(vec![rule(127, "13:00", "14:00", &["nobody"])], "");
    assert!(takes(&options, BEN, now));
}

#[test]
fn b90_all_rules_that_hold_count_together() {
    let now = at("2026-01-05T12:00:00Z");
    let rules = vec![rule(127, "08:00", "18:00", &["vip"]), rule(1, "11:00", "13:00", &["family"])];
    let options = options(rules, "");
    assert!(takes(&options, ANN, now) && takes(&options, KID, now) && !takes(&options, BEN, now));
}

#[test]
fn b95_a_temporary_rule_goes_first_while_it_lasts() {
    let now = at("2026-01-05T12:00:00Z");
    for (groups, expires_at, expected) in [
        ("nobody", None, false),
        ("nobody", Some(now + 1), false),
        ("nobody", Some(now), true),
        ("everybody", None, true),
    ] {
        let mut options = options(vec![rule(127, "00:00", "24:00", &["everybody"])], "");
        let groups = vec![groups.to_owned()];
        options.accept.temporary = Some(TemporaryRule { groups, expires_at });
        assert_eq!(takes(&options, BEN, now), expected, "{expires_at:?}");
    }
    let mut options = options(vec![rule(127, "00:00", "24:00", &["nobody"])], "");
    let groups = vec!["everybody".to_owned()];
    options.accept.temporary = Some(TemporaryRule { groups, expires_at: None });
    assert!(takes(&options, BEN, now));
}

#[test]
fn b97_rejected_callers() {
    let reject = ["sip:spam@example.net", "sip:%@spam.example"].map(AddressPattern::new).to_vec();
    let options = CallOptions { reject, ..CallOptions::default() };
    for (callers, expected) in [
        (&["sip:spam@example.net"][..], true),
        (&["sip:any@SPAM.example"], true),
        (&["sip:ann@example.net"], false),
        (&["sip:ann@example.net", "spam@example.net"], true),
    ] {
        let callers: Vec<String> = callers.iter().map(|caller| (*caller).to_owned()).collect();
        assert_eq!(rejected(&options, &callers).is_some(), expected, "{callers:?}");
    }
}
