//! `ngn journal` and `ngn undo` beside a running platform.

use ngn_tests::binaries::program;
use ngn_tests::fixture::{
    account, customer, dns_record, domain, enum_id, enum_number, enum_range, generous, person,
    range, reseller, subscriber, zone,
};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, record, sip_id};
use serde_json::Value as Json;
use std::process::{Command, Output};

fn ngn(p: &Platform, arguments: &[&str]) -> Output {
    let mut command = Command::new(program("ngn"));
    command.args(arguments).env("NGN_DATABASE", &p.database.url).env("USER", "operator");
    command.args(["--data", p.data().to_str().unwrap()]);
    command.output().unwrap()
}

#[track_caller]
pub(super) fn ok(p: &Platform, arguments: &[&str]) -> String {
    let output = ngn(p, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ngn {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
pub(super) fn refused(p: &Platform, arguments: &[&str]) -> String {
    let output = ngn(p, arguments);
    assert!(!output.status.success(), "ngn {arguments:?} was not refused");
    String::from_utf8(output.stderr).unwrap()
}

fn rows(p: &Platform, arguments: &[&str]) -> Vec<Json> {
    let text = ok(p, &[&["journal", "--json"], arguments].concat());
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The position of the newest change of a record.
#[track_caller]
pub(super) fn last(p: &Platform, entity: &str, key: &str) -> String {
    let rows = rows(p, &["--entity", entity, "--key", key, "--limit", "1"]);
    rows.first().unwrap_or_else(|| panic!("{entity} {key} has no change"))["position"].to_string()
}

/// The newest change of a kind of record.
pub(super) fn newest(p: &Platform, entity: &str) -> (String, String) {
    let row = rows(p, &["--entity", entity, "--limit", "1"]).remove(0);
    (row["position"].to_string(), row["key"].as_str().unwrap().to_owned())
}

both! {
    fn the_journal_says_who_changed_what(p) {
        let acme = reseller(p, "acme");
        let one = customer(p, &acme, "one");
        domain(&one.client, "one.example");
        domain(&p.admin().impersonating(one.id), "two.example");
        account(&one.client, "alice@one.example");
        let changed = subscriber("alice@one.example").with("quota", 7).with("password", "another");
        one.client.ok("Sip.updateAccount", record! { account: changed });

        let all = rows(p, &[]);
        let positions: Vec<u64> = all.iter().map(|row| row["position"].as_u64().unwrap()).collect();
        assert!(positions.is_sorted_by(|a, b| a > b), "newest first: {positions:?}");
        assert_eq!(all[0]["entity"], "sip_account");
        assert_eq!((&all[0]["login"], &all[0]["operation"]), (&"one".into(), &"Sip:updateAccount".into()));
        assert_eq!((&all[0]["before"]["quota"], &all[0]["after"]["quota"]), (&0.into(), &7.into()));
        // Whether a secret changed is there, what it was or is not.
        assert_eq!(all[0]["after"]["ha1"], "changed");
        let text = ok(p, &["journal", "--limit", "0", "--all", "--json"]);
        assert!(!text.contains("another") && !text.contains("\"secret\""), "{text}");

        let count = |arguments: &[&str]| rows(p, arguments).len();
        assert_eq!(count(&["--key", "alice@one.example"]), 2);
        assert_eq!(count(&["--entity", "sip_domain"]), 2);
        assert_eq!(count(&["--entity", "sip_domain", "--key", "two.example"]), 1);
        assert_eq!(count(&["--login", "one"]), 3);
        assert_eq!(count(&["--operation", "Sip:addDomain"]), 2);
        // Its own record, what it did, and what was done in its name (B5).
        assert_eq!(count(&["--customer", &one.id.to_string()]), 5);
        let id = acme.id.to_string();
        assert!(rows(p, &["--customer", &id]).iter().all(|row| row["login"] != "one"));
        assert_eq!(count(&["--since", "1h"]), all.len());
        assert_eq!(count(&["--until", "1h"]), 0);
        assert_eq!(count(&["--since", "2001-01-01", "--until", "2001-12-31T23:59:59Z"]), 0);
        // Pages: the next one begins before the last line.
        let (first, second) = (positions[1].to_string(), positions[2].to_string());
        let page = rows(p, &["--before", &first, "--limit", "1"]);
        assert_eq!(page.len(), 1);
        assert_eq!(page[0]["position"].to_string(), second);
        assert_eq!(count(&["--after", &first]), 1);

        let table = ok(p, &["journal", "--limit", "3"]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4, "{table}");
        assert!(lines[0].contains("position") && lines[0].contains("login"), "{table}");
        assert!(lines[1].contains("quota: 0 → 7") && lines[1].contains("password: changed")
            || lines[1].contains("ha1: changed"), "{table}");
        assert!(table.contains("sip_account alice@one.example") && table.contains("added"), "{table}");
        let full = ok(p, &["journal", &positions[0].to_string()]);
        assert!(full.contains("before        quota: 0") && full.contains("after         quota: 7"), "{full}");
        let impersonated = ok(p, &["journal", "--key", "two.example"]);
        assert!(impersonated.contains(&format!("admin as {}", one.id)), "{impersonated}");

        assert!(refused(p, &["journal", "--entity", "nothing"]).contains("sip_alias"));
        assert!(refused(p, &["journal", "--since", "yesterday"]).contains("2026-05-17"));
        assert!(refused(p, &["journal", "999999999"]).contains("999999999"));
        // What only tells servers is left out unless it is asked for.
        zone(&p.admin(), "example.com");
        assert_eq!(count(&["--limit", "0"]) + 1, count(&["--limit", "0", "--all"]));
    }

    fn aliases_and_domains_come_back(p) {
        let admin = p.admin();
        domain(&admin, "example.net");
        for name in ["alice@example.net", "bob@example.net"] {
            account(&admin, name);
        }
        let alias = |target: &str| record! { alias: record! { id: sip_id("al@example.net"), target: sip_id(target) } };
        let target = || admin.ok("Sip.getAlias", record! { id: sip_id("al@example.net") }).text_at("target/username").to_owned();
        admin.ok("Sip.addAlias", alias("alice@example.net"));
        let added = last(p, "sip_alias", "al@example.net");
        admin.ok("Sip.updateAlias", alias("bob@example.net"));
        let updated = last(p, "sip_alias", "al@example.net");

        // What was changed again since is not touched.
        let said = refused(p, &["undo", &added]);
        assert!(said.contains("nothing was changed") && said.contains(&updated) && said.contains("Sip:updateAlias"), "{said}");
        assert_eq!(target(), "bob");
        // A dry run changes nothing either.
        assert!(ok(p, &["undo", &updated, "--dry-run"]).contains("would take back"));
        assert_eq!(target(), "bob");
        assert!(ok(p, &["undo", &updated]).contains("as change"));
        assert_eq!(target(), "alice");
        // It is a change like any other, and can be taken back itself.
        let undone = rows(p, &["--entity", "sip_alias", "--limit", "1"]).remove(0);
        assert_eq!((undone["login"].as_str(), undone["operation"].as_str()), (Some("operator"), Some(format!("undo:{updated}").as_str())));
        ok(p, &["undo", &undone["position"].to_string()]);
        assert_eq!(target(), "bob");
        admin.ok("Sip.deleteAlias", record! { id: sip_id("al@example.net") });
        ok(p, &["undo", &last(p, "sip_alias", "al@example.net")]);
        assert_eq!(target(), "bob");

        domain(&admin, "gone.example");
        ok(p, &["undo", &last(p, "sip_domain", "gone.example")]);
        assert_eq!(admin.ok("Sip.getDomains", record! {}).int_at("total"), 1);
        ok(p, &["undo", &last(p, "sip_domain", "gone.example")]);
        assert_eq!(admin.ok("Sip.getDomains", record! {}).int_at("total"), 2);
        // The rules hold for it as for anybody: the domain has accounts (B52).
        let said = refused(p, &["undo", &last(p, "sip_domain", "example.net")]);
        assert!(said.contains("rules") && said.contains("1002"), "{said}");
    }

    fn accounts_come_back_without_secrets(p) {
        let admin = p.admin();
        domain(&admin, "example.net");
        account(&admin, "alice@example.net");
        let get = || admin.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.net") });
        let group = |group: &str| record! { sipId: sip_id("alice@example.net"), group: group };
        let acl = record! { ip: "10.0.0.0", mask: 8, tag: "lan" };
        let full = subscriber("alice@example.net").with("quota", 5).with("acl", vec![acl]).with("groups", ["anonymous"]);
        admin.ok("Sip.updateAccount", record! { account: full });
        admin.ok("Sip.updateAccount", record! { account: record! { id: sip_id("alice@example.net") } });
        assert_eq!(get().int_at("quota"), 0);
        ok(p, &["undo", &last(p, "sip_account", "alice@example.net")]);
        assert_eq!((get().int_at("quota"), get().text_at("firstName")), (5, "Ada"));
        assert_eq!(get().texts_at("groups"), ["anonymous"]);
        assert_eq!(get().at("acl").children.len(), 1);
        // Groups, also one that no update gives (B67).
        admin.ok("Sip.addToGroup", group("intercept"));
        ok(p, &["undo", &last(p, "sip_account", "alice@example.net")]);
        ok(p, &["undo", &last(p, "sip_account", "alice@example.net")]);
        assert!(get().texts_at("groups").contains(&"intercept"));
        ok(p, &["undo", &last(p, "sip_account", "alice@example.net")]);

        // A secret is not in the journal: said before anything happens.
        admin.ok("Sip.updateAccount", record! { account: subscriber("alice@example.net").with("password", "new").with("quota", 9) });
        let position = last(p, "sip_account", "alice@example.net");
        let said = refused(p, &["undo", &position]);
        assert!(said.contains("nothing was changed") && said.contains("password") && said.contains("--partial"), "{said}");
        assert_eq!(get().int_at("quota"), 9);
        assert!(ok(p, &["undo", &position, "--partial"]).contains("not as before: the journal does not hold the password"));
        assert_eq!(get().int_at("quota"), 5);

        // With its alias gone in the same request, each is taken back by its own position.
        admin.ok("Sip.addAlias", record! { alias: record! { id: sip_id("al@example.net"), target: sip_id("alice@example.net") } });
        let added = last(p, "sip_alias", "al@example.net");
        admin.ok("Sip.deleteAccount", record! { sipId: sip_id("alice@example.net") });
        let position = last(p, "sip_account", "alice@example.net");
        assert!(refused(p, &["undo", &position]).contains("log in"));
        let said = ok(p, &["undo", &position, "--partial"]);
        let alias = last(p, "sip_alias", "al@example.net");
        assert!(said.contains(&format!("ngn undo {alias}")), "{said}");
        assert_eq!(get().int_at("quota"), 5);
        ok(p, &["undo", &alias]);
        admin.ok("Sip.getAlias", record! { id: sip_id("al@example.net") });
        // Taking back its creation would take the alias with it.
        let said = refused(p, &["undo", &last(p, "sip_account", "alice@example.net")]);
        assert!(said.contains("sip_alias al@example.net"), "{said}");
        assert!(refused(p, &["undo", &added]).contains("changed again since"));
    }

    fn customers_come_back(p) {
        let admin = p.admin();
        let acme = reseller(p, "acme");
        let get = |id: i64| admin.ok("Customer.getAccount", record! { id: id });
        let account = person("acme").with("id", acme.id).with("password", Value::Null).with("city", "Delft")
            .with("resellerActive", true).with("properties", generous());
        admin.ok("Customer.updateAccount", record! { account: account });
        assert_eq!(get(acme.id).text_at("city"), "Delft");
        ok(p, &["undo", &last(p, "customer", &acme.id.to_string())]);
        assert!(get(acme.id).text_at("city").is_empty());
        assert_eq!(get(acme.id).at("properties").children.len(), 8);
        let language = vec![record! { name: "language", value: "nl" }];
        admin.ok("Customer.setProperties", record! { customer: acme.id, properties: language });
        assert_eq!(get(acme.id).at("properties").children.len(), 9);
        ok(p, &["undo", &last(p, "customer", &acme.id.to_string())]);
        assert_eq!(get(acme.id).at("properties").children.len(), 8);
        let one = customer(p, &acme, "one");
        admin.ok("Customer.deleteAccount", record! { id: one.id });
        let position = last(p, "customer", &one.id.to_string());
        assert!(refused(p, &["undo", &position]).contains("another number"));
        ok(p, &["undo", &position, "--partial"]);
        let (added, id) = newest(p, "customer");
        let back = get(id.parse().unwrap());
        assert_eq!((back.text_at("username"), back.int_at("reseller")), ("one", acme.id));
        ok(p, &["undo", &added]);
        admin.refused(5000, "Customer.getAccount", record! { id: id });
    }

    fn ranges_and_numbers_come_back(p) {
        let admin = p.admin();
        range(&admin, "3120");
        let key = "3120@e164.arpa";
        let ttl = || admin.ok("Enum.getRanges", record! {}).int_at("ranges/item/ttl");
        admin.ok("Enum.updateRange", record! { range: enum_range("3120").with("ttl", 60) });
        assert_eq!(ttl(), 60);
        ok(p, &["undo", &last(p, "enum_range", key)]);
        assert_eq!(ttl(), 3600);
        admin.ok("Enum.deleteRange", record! { range: record! { prefix: "3120", tld: "e164.arpa" } });
        ok(p, &["undo", &last(p, "enum_range", key)]);
        assert_eq!(ttl(), 3600);
        admin.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:a@example.net") });
        let mapto = || admin.ok("Enum.getNumber", record! { enumId: enum_id("31201") }).text_at("mappings/item/mapto").to_owned();
        admin.ok("Enum.updateNumber", record! { number: enum_number("31201", "sip:b@example.net") });
        assert_eq!(mapto(), "sip:b@example.net");
        ok(p, &["undo", &last(p, "enum_number", "31201@e164.arpa")]);
        assert_eq!(mapto(), "sip:a@example.net");
        let said = refused(p, &["undo", &last(p, "enum_range", key)]);
        assert!(said.contains("numbers of the range"), "{said}");
        admin.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
        ok(p, &["undo", &last(p, "enum_number", "31201@e164.arpa")]);
        assert_eq!(mapto(), "sip:a@example.net");
        ok(p, &["undo", &last(p, "enum_number", "31201@e164.arpa")]);
        ok(p, &["undo", &last(p, "enum_range", key)]);
        assert_eq!(admin.ok("Enum.getRanges", record! {}).int_at("total"), 0);
        // What only tells servers leads to the change itself.
        let told = rows(p, &["--entity", "zone", "--limit", "1"]).remove(0)["position"].to_string();
        let said = refused(p, &["undo", &told]);
        assert!(said.contains("only tells servers") && said.contains("enum_range"), "{said}");
        assert!(refused(p, &["undo", "999999999"]).contains("no position"));
    }

    fn zones_and_records_come_back(p) {
        let admin = p.admin();
        zone(&admin, "example.com");
        let a = |value: &str| dns_record("example.com", "www.example.com", "A", value);
        let added = admin.ok("Dns.addRecord", record! { record: a("192.0.2.1") });
        let key = added.text_at("id").to_owned();
        admin.ok("Dns.updateRecord", record! { record: a("192.0.2.2").with("id", added.int_at("id")) });
        ok(p, &["undo", &last(p, "dns_record", &key)]);
        let value = |id: i64| admin.ok("Dns.getRecord", record! { recordId: id }).text_at("value").to_owned();
        assert_eq!(value(added.int_at("id")), "192.0.2.1");
        admin.ok("Dns.deleteRecord", record! { recordId: added.int_at("id") });
        ok(p, &["undo", &last(p, "dns_record", &key)]);
        let (position, id) = newest(p, "dns_record");
        assert_eq!(value(id.parse().unwrap()), "192.0.2.1");
        let said = refused(p, &["undo", &last(p, "dns_zone", "example.com")]);
        assert!(said.contains("records of the zone"), "{said}");
        ok(p, &["undo", &position]);
        let redirect = dns_record("example.com", "old.example.com", "URL", "http://example.net/");
        admin.ok("Dns.addFancyRecord", record! { record: redirect });
        let (position, id) = newest(p, "dns_record");
        admin.ok("Dns.deleteFancyRecord", record! { recordId: id.parse::<i64>().unwrap() });
        assert!(refused(p, &["undo", &position]).contains("changed again"));
        ok(p, &["undo", &newest(p, "dns_record").0]);
        assert_eq!(admin.ok("Dns.getFancyRecords", record! {}).int_at("total"), 1);

        let longer = record! { name: "example.com", nameservers: ["ns1.example.net"], refresh: 7777, info: "x" };
        admin.ok("Dns.updateZone", record! { zone: longer });
        ok(p, &["undo", &last(p, "dns_zone", "example.com")]);
        let now = admin.ok("Dns.getZone", record! { zone: "example.com" });
        assert_eq!(now.texts_at("nameservers"), ["ns1.example.net", "ns2.example.net"]);
        assert_ne!(now.int_at("refresh"), 7777);
        admin.ok("Dns.deleteZone", record! { zone: "example.com" });
        let position = last(p, "dns_zone", "example.com");
        let said = refused(p, &["undo", &position]);
        assert!(said.contains("removed the zone's records"), "{said}");
        admin.refused(7000, "Dns.getZone", record! { zone: "example.com" });
        ok(p, &["undo", &position, "--partial"]);
        admin.ok("Dns.getZone", record! { zone: "example.com" });
    }
}
