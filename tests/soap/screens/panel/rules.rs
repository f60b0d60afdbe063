//! Diversions, phone book, accept rules, do-not-disturb, rejected callers and barring.

use super::{ALICE, alice, of_alice, open, with_alice};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::{Value, both, query, record};

/// Got, and looked at as the panel does.
#[track_caller]
fn accept_rules(connection: &Connection) -> Php {
    let info = connection.ok("Sip.getAcceptRules", of_alice());
    info.reads(
        "rules:o rules/persistent:a rules/temporary:o rules/temporary/groups:a \
                rules/temporary/duration:i? nonEmptyGroups:a",
    );
    for rule in info.list("rules/persistent") {
        rule.reads("days:i start:s stop:s groups:a");
    }
    info
}

both! {
    fn diversions(p) {
        let (acme, child) = with_alice(p, false);
        let (panel, _) = open(p);
        let engine = Connection::admin_as(p, 0);
        engine.execute("Enum.addRange", record! { range: record! {
            id: record! { prefix: "3120", tld: "e164.arpa" }, ttl: 3600, info: "", minDigits: 0, maxDigits: 0,
            size: 0, customer: child.id, reseller: acme.id,
        } });
        engine.execute("Enum.addNumber", record! { number: record! {
            id: record! { number: "31205550100", tld: "e164.arpa" }, owner: child.id, info: "",
            mappings: vec![record! { r#type: "sip", mapto: format!("sip:{ALICE}"), ttl: 3600, priority: 5 }],
        } });
        // The page wants the numbers that lead here (B47: the address comes without its scheme).
        panel.refused(2000, "Voicemail.getAccount", of_alice());
        let filter = record! { r#type: "sip", mapto: ALICE, owner: child.id };
        let numbers = panel.ok("Enum.getNumbers", query(filter, "changeDate", "ASC", 0, 10));
        assert_eq!(numbers.text("numbers/0/id/number"), "31205550100");
        // Nothing set is an object all the same (R6, §5.10).
        let none = panel.ok("Sip.getCallDiversions", of_alice());
        none.reads("FUNC:s FNOL:s FBUS:s FNOA:s FUNV:s");
        for (condition, target, stored) in [
            ("FUNC", "sip:bob@example.net", "sip:bob@example.net"),
            ("FBUS", "<voice-mailbox>", "<voice-mailbox>"),
            ("FNOA", "sip:+31201234567@example.com", "sip:+31201234567@example.com"),
            ("FNOL", "voice-mailbox", "<voice-mailbox>"),
            ("FUNV", "<mobile-number>", "<mobile-number>"),
        ] {
            let one = Value::Record(vec![(condition.to_owned(), target.into())]);
            assert_eq!(panel.execute("Sip.setCallDiversions", alice("diversions", one)), Php::Flag(true));
            let now = panel.ok("Sip.getCallDiversions", of_alice());
            for other in ["FUNC", "FNOL", "FBUS", "FNOA", "FUNV"] {
                let expected = if other == condition { stored } else { "" };
                assert_eq!(now.text(other), expected, "{other} after {condition} (B83)");
            }
        }
        // What is left of them after one was taken out in the form.
        let rest = record! { FBUS: "<voice-mailbox>", FNOL: "<voice-mailbox>" };
        panel.execute("Sip.setCallDiversions", alice("diversions", rest));
        assert_eq!(panel.ok("Sip.getCallDiversions", of_alice()).text("FNOL"), "<voice-mailbox>");
        // W4: an array without members where a struct belongs clears them too.
        panel.execute("Sip.setCallDiversions", alice("diversions", Vec::<Value>::new()));
        assert_eq!(panel.ok("Sip.getCallDiversions", of_alice()).text("FNOL"), "");
    }

    fn phone_book(p) {
        _ = with_alice(p, false);
        let (panel, _) = open(p);
        let entries = |uri: &str, group: Option<&str>| {
            let pattern = format!("%{uri}%");
            let mut wanted = record! { uri: &pattern, name: &pattern };
            if let Some(group) = group {
                wanted = wanted.with("group", group);
            }
            let range = record! { start: 0, count: 100 };
            panel.ok("Sip.getPhonebookEntries", alice("match", wanted).with("range", range))
        };
        assert_eq!(entries("", None).list("entries").len(), 0);
        for (uri, name, group) in [("xavier@example.net", "Xavier", "vip"), ("yvonne@example.net", "Yvonne", "")] {
            let entry = record! { uri: uri, name: name, group: group };
            assert_eq!(panel.execute("Sip.addPhonebookEntry", alice("entry", entry.clone())), Php::Flag(true));
            panel.refused(1041, "Sip.addPhonebookEntry", alice("entry", entry));
        }
        let all = entries("", None);
        assert_eq!(all.list("entries").len(), 2);
        for entry in all.list("entries") {
            entry.reads("uri:s name:s group:s firstName:s lastName:s");
        }
        // B99: one text for both members, an empty group when "empty" is chosen.
        assert_eq!(entries("xav", None).list("entries").len(), 1);
        assert_eq!(entries("", Some("vip")).text("entries/0/name"), "Xavier");
        assert_eq!(entries("", Some("")).text("entries/0/name"), "Yvonne");
        let changed = record! { name: "Yve", uri: "yvonne@example.net", group: "friends" };
        assert_eq!(panel.execute("Sip.updatePhonebookEntry", alice("entry", changed)), Php::Flag(true));
        assert_eq!(entries("", Some("friends")).text("entries/0/name"), "Yve");
        let groups = accept_rules(&panel);
        assert_eq!(groups.texts("nonEmptyGroups"), ["everybody", "nobody", "friends", "vip"], "B92");
        assert_eq!(panel.execute("Sip.deletePhonebookEntry", alice("uri", "yvonne@example.net")), Php::Flag(true));
        panel.refused(1040, "Sip.deletePhonebookEntry", alice("uri", "yvonne@example.net"));
    }

    fn accept_rules_and_do_not_disturb(p) {
        _ = with_alice(p, false);
        let (panel, _) = open(p);
        let first = accept_rules(&panel);
        assert_eq!(first.list("rules/persistent").len(), 0);
        let rules = record! {
            persistent: vec![
                record! { start: "08:00", stop: "18:00", groups: ["everybody"], days: 31 },
                record! { start: "10:00", stop: "12:00", groups: ["vip", "family"], days: 96 },
            ],
            temporary: record! { groups: Vec::<Value>::new(), duration: 0 },
        };
        assert_eq!(panel.execute("Sip.setAcceptRules", alice("rules", rules)), Php::Flag(true));
        let set = accept_rules(&panel);
        let days = |info: &Php| info.list("rules/persistent").iter().map(|rule| rule.int("days")).collect::<Vec<_>>();
        assert_eq!(days(&set), [31, 96]);
        assert_eq!(set.texts("rules/persistent/1/groups"), ["vip", "family"]);
        // On and off: rules come back without their days and with a member of nobody's (B94, §5.5).
        for (group, duration) in [("nobody", 0), ("everybody", 0), ("nobody", 30)] {
            let info = accept_rules(&panel);
            let persistent: Vec<Value> = info
                .list("rules/persistent")
                .iter()
                .map(|rule| record! { start: rule.text("start"), stop: rule.text("stop"), groups: rule.at("groups").echo() })
                .collect();
            let rules = record! {
                persistent: persistent,
                temporary: record! { groups: [group], duration: duration },
                groups: info.at("nonEmptyGroups").echo(),
            };
            assert_eq!(panel.execute("Sip.setAcceptRules", alice("rules", rules)), Php::Flag(true));
            let now = accept_rules(&panel);
            assert_eq!(days(&now), [31, 96], "{group}");
            let temporary = if group == "nobody" { vec!["nobody"] } else { now.texts("rules/temporary/groups") };
            assert_eq!(now.texts("rules/temporary/groups"), temporary);
        }
        // And without any persistent member: they stay.
        let rules = record! { temporary: record! { groups: ["nobody"], duration: 0 } };
        panel.execute("Sip.setAcceptRules", alice("rules", rules));
        assert_eq!(days(&accept_rules(&panel)), [31, 96]);
    }

    fn rejected_callers_and_barring(p) {
        _ = with_alice(p, false);
        let (panel, _) = open(p);
        for (set, get, parameter, values) in [
            ("Sip.setRejectMembers", "Sip.getRejectMembers", "members", ["sip:spam@example.net", "sip:%@example.org"]),
            ("Sip.setBarringPrefixes", "Sip.getBarringPrefixes", "prefixes", ["+31900", "+44"]),
        ] {
            assert_eq!(panel.ok(get, of_alice()).items().len(), 0);
            assert_eq!(panel.execute(set, alice(parameter, &values[..])), Php::Flag(true));
            let stored = Php::Object(vec![("list".to_owned(), panel.ok(get, of_alice()))]);
            assert_eq!(stored.texts("list"), values);
            assert_eq!(panel.execute(set, alice(parameter, &values[..1])), Php::Flag(true));
            assert_eq!(panel.ok(get, of_alice()).items().len(), 1);
            // The emptied form.
            assert_eq!(panel.execute(set, alice(parameter, Vec::<Value>::new())), Php::Flag(true));
            assert_eq!(panel.ok(get, of_alice()).items().len(), 0);
        }
    }
}
