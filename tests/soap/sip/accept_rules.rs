//! Sip.setAcceptRules and getAcceptRules.

use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::soap::Client;
use ngn_tests::xml::Node;
use ngn_tests::{Value, both, record, sip_id};

fn set(rules: Value) -> Value {
    record! { sipId: sip_id("alice@example.com"), rules: rules }
}

fn get(client: &Client) -> Node {
    client.ok("Sip.getAcceptRules", record! { sipId: sip_id("alice@example.com") })
}

fn rule(start: &str, stop: &str, groups: Value) -> Value {
    record! { start: start, stop: stop, groups: groups }
}

fn temporary(groups: Value, duration: i64) -> Value {
    record! { groups: groups, duration: duration }
}

fn names(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| Value::from(*item)).collect())
}

/// Each persistent rule as `days start-stop groups`.
fn persistent(found: &Node) -> Vec<String> {
    let line = |rule: &Node| {
        let groups = rule.texts_at("groups").join(",");
        format!(
            "{} {}-{} {groups}",
            rule.int_at("days"),
            rule.text_at("start"),
            rule.text_at("stop")
        )
    };
    found.at("rules/persistent").children.iter().map(line).collect()
}

both! {
    fn nothing_is_a_list_and_an_empty_rule(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let found = get(&acme.client);
        assert!(persistent(&found).is_empty());
        assert!(found.texts_at("rules/temporary/groups").is_empty());
        assert_eq!(found.int_at("rules/temporary/duration"), 0);
        assert_eq!(found.texts_at("nonEmptyGroups"), ["everybody", "nobody"]);
    }

    // B90, B93.
    fn keeps_both_parts_and_replaces_them(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        client.ok("Sip.setAcceptRules", set(record! {
            persistent: vec![
                rule("08:00", "18:00", names(&["everybody"])).with("days", 127),
                rule("10:00", "12:00", names(&["vip", "", "family", "vip"])).with("days", 96),
                rule("10:00", "12:00", names(&[])).with("days", 1),
            ],
            temporary: temporary(names(&["nobody"]), 30),
        }));
        let found = get(client);
        assert_eq!(persistent(&found), ["127 08:00-18:00 everybody", "96 10:00-12:00 vip,family"]);
        assert_eq!(found.texts_at("rules/temporary/groups"), ["nobody"]);
        assert_eq!(found.int_at("rules/temporary/duration"), 30);
        client.ok("Sip.setAcceptRules", set(record! {
            persistent: vec![rule("00:00", "24:00", names(&["vip"])).with("days", 31)],
            temporary: temporary(names(&[]), 30),
        }));
        let found = get(client);
        assert_eq!(persistent(&found), ["31 00:00-24:00 vip"]);
        assert!(found.texts_at("rules/temporary/groups").is_empty());
    }

    // B94: the panel's do-not-disturb sends the persistent rules back without their days, or not at all.
    fn do_not_disturb_keeps_the_days(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        client.ok("Sip.setAcceptRules", set(record! {
            persistent: vec![rule("08:00", "18:00", names(&["vip"])).with("days", 31)],
        }));
        client.ok("Sip.setAcceptRules", set(record! {
            persistent: vec![rule("08:00", "18:00", names(&["vip"])), rule("09:00", "10:00", names(&["vip"]))],
            temporary: temporary(names(&["nobody"]), 0),
            groups: names(&["nobody"]),
        }));
        let found = get(client);
        assert_eq!(persistent(&found), ["31 08:00-18:00 vip"]);
        assert_eq!(found.texts_at("rules/temporary/groups"), ["nobody"]);
        assert_eq!(found.int_at("rules/temporary/duration"), 0);
        client.ok("Sip.setAcceptRules", set(record! { temporary: temporary(names(&["everybody"]), 0) }));
        let found = get(client);
        assert_eq!(persistent(&found), ["31 08:00-18:00 vip"]);
        assert_eq!(found.texts_at("rules/temporary/groups"), ["everybody"]);
        client.ok("Sip.setAcceptRules", set(record! { persistent: names(&[]) }));
        assert!(persistent(&get(client)).is_empty());
    }

    // B92.
    fn names_the_groups_that_have_entries(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        account(&acme.client, "bob@example.com");
        for (who, uri, group) in [
            ("alice", "a@example.net", "vip"), ("alice", "b@example.net", "vip"), ("alice", "c@example.net", ""),
            ("alice", "d@example.net", "family"), ("bob", "e@example.net", "friends"),
        ] {
            acme.client.ok("Sip.addPhonebookEntry", record! {
                sipId: sip_id(&format!("{who}@example.com")), entry: record! { uri: uri, group: group },
            });
        }
        assert_eq!(get(&acme.client).texts_at("nonEmptyGroups"), ["everybody", "nobody", "family", "vip"]);
    }

    fn refuses_what_is_no_rule(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        let one = |rule: Value| set(record! { persistent: vec![rule] });
        let groups = || names(&["vip"]);
        for (code, bad) in [
            (9000, rule("08:00", "18:00", groups()).with("days", 128)),
            (9000, rule("08:00", "18:00", groups()).with("days", -1)),
            (9000, rule("8", "18:00", groups()).with("days", 1)),
            (9000, rule("08:00", "24:01", groups()).with("days", 1)),
            (9001, record! { days: 1, stop: "18:00", groups: groups() }),
            (9000, rule("08:00", "18:00", names(&[&"x".repeat(65)])).with("days", 1)),
        ] {
            client.refused(code, "Sip.setAcceptRules", one(bad));
        }
        client.refused(9000, "Sip.setAcceptRules", set(record! { temporary: temporary(groups(), -1) }));
        client.refused(9001, "Sip.setAcceptRules", record! { sipId: sip_id("alice@example.com") });
        client.refused(9001, "Sip.getAcceptRules", Value::empty());
        client.refused(1010, "Sip.getAcceptRules", record! { sipId: sip_id("zoe@example.com") });
        let vip = rule("08:00", "18:00", groups()).with("days", 1);
        other.client.refused(1010, "Sip.setAcceptRules", one(vip));
        other.client.refused(1010, "Sip.getAcceptRules", record! { sipId: sip_id("alice@example.com") });
        assert!(persistent(&get(client)).is_empty());
    }
}
