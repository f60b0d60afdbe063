//! The screens of ENUM ranges and numbers, and the generator (client-usage §2.6, §2.7, §2.11).

use super::{filled, listed, logins, open, remember, tenants};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::fixture::{domain, enum_id};
use ngn_tests::{Value, both, query, record};

const RANGE: &str = "id/prefix:s id/tld:s serial:i ttl:i info:s minDigits:i? maxDigits:i? size:i? used:i \
                     nameservers:a customer:i reseller:i changeDate:s";
const NUMBER: &str =
    "id/number:s id/tld:s info:s owner:i? customer:i reseller:i changeDate:s mappings:a";
const MAPPING: &str = "id:i type:s mapto:s ttl:i priority:i";

fn range_id(prefix: &str) -> Value {
    record! { prefix: prefix, tld: "e164.arpa" }
}

/// The form of a new range.
fn range(prefix: &str, customer: i64, reseller: i64) -> Value {
    record! { range: record! {
        id: range_id(prefix), ttl: 3600, info: "i", minDigits: 11, maxDigits: 15, size: 100,
        customer: customer, reseller: reseller,
    } }
}

fn numbers(connection: &Connection, number: &str) -> Php {
    let filter = record! {
        number: number, tld: "", r#type: "", mapto: "", owner: 0, customer: 0, reseller: 0,
    };
    connection.ok("Enum.getNumbers", query(filter, "changeDate", "DESC", 0, 20))
}

/// Saves a mapping as the screen does: 3002 makes it add the number, otherwise it adds to what is there.
#[track_caller]
fn save(
    connection: &Connection,
    number: &str,
    owner: i64,
    kind: &str,
    mapto: &str,
) -> &'static str {
    let id = enum_id(number);
    let mut found =
        match connection.call("Enum.getNumber", &record! { enumId: id.clone() }) {
            Err(fault) => {
                assert_eq!(fault.code, 3002, "{}", fault.text);
                let added = connection.execute("Enum.addNumber", record! { number: record! {
                id: id, owner: owner, info: "x",
                mappings: vec![record! { r#type: kind, mapto: mapto, ttl: 3600, priority: 5 }],
            } });
                assert!(added.truthy());
                return "added";
            }
            Ok(found) => found,
        };
    found.reads(NUMBER);
    if found.list("mappings").iter().any(|mapping| mapping.text("mapto") == mapto) {
        return "there";
    }
    let mut mappings = rebuilt(found.list("mappings"), &["type", "mapto", "ttl", "priority", "id"]);
    mappings.push(Php::Object(vec![
        ("type".to_owned(), kind.into()),
        ("mapto".to_owned(), mapto.into()),
        ("ttl".to_owned(), Php::Int(0)),
        ("priority".to_owned(), Php::Int(0)),
    ]));
    found.set("mappings", Php::List(mappings));
    let number = record! { number: found.echo() };
    assert_eq!(connection.execute("Enum.updateNumber", number), Php::Flag(true));
    "updated"
}

/// Mappings as the screens rebuild them, member by member.
fn rebuilt(mappings: &[Php], members: &[&str]) -> Vec<Php> {
    mappings
        .iter()
        .map(|mapping| {
            mapping.reads(MAPPING);
            let member = |name: &&str| ((*name).to_owned(), mapping.at(name).clone());
            Php::Object(members.iter().map(member).collect())
        })
        .collect()
}

/// Takes a mapping away: the last one takes the number with it.
#[track_caller]
fn delete(connection: &Connection, number: &str, mapto: &str) {
    let id = record! { enumId: enum_id(number) };
    let mut found = connection.ok("Enum.getNumber", id.clone());
    if found.list("mappings").len() > 1 {
        let mut left = rebuilt(found.list("mappings"), &["type", "mapto", "ttl", "priority", "id"]);
        left.retain(|mapping| mapping.text("mapto") != mapto);
        found.set("mappings", Php::List(left));
        connection.execute("Enum.updateNumber", record! { number: found.echo() });
    } else {
        connection.execute("Enum.deleteNumber", id);
    }
}

both! {
    fn ranges(p) {
        let (acme, child) = tenants(p);
        for engine in logins(p, &child) {
            open(p, acme.id, child.id);
            let before = || engine.ok("Enum.getRanges", query(record! { prefix: "" }, "changeDate", "DESC", 0, 500));
            let list = || {
                let filter = record! { prefix: "", tld: "", info: "", customer: 0, reseller: 0 };
                engine.ok("Enum.getRanges", query(filter, "changeDate", "DESC", 0, 20))
            };
            assert_eq!(before().list("ranges").len(), 0);
            listed(&list(), "ranges", 0);
            remember(&Connection::admin_as(p, acme.id), child.id, &[("enum_ranges_last_tld", "e164.arpa")]);
            engine.execute("Enum.addRange", range("3199546", child.id, acme.id));
            engine.refused(3001, "Enum.addRange", range("3199546", child.id, acme.id));
            before().at("ranges/0").reads("id/prefix:s id/tld:s minDigits:i maxDigits:i");
            let found = list();
            let one = &listed(&found, "ranges", 1)[0];
            one.reads(RANGE);
            assert_eq!((one.text("id/prefix"), one.int("minDigits"), one.int("used")), ("3199546", 11, 0));
            assert!(!one.list("nameservers").is_empty(), "B115: the server's own");
            let serial = one.int("serial");
            // The serial is not in the form, so it becomes 0; it rises all the same (B110).
            let found = engine.ok("Enum.getRanges", query(range_id("3199546"), "changeDate", "DESC", 0, 1));
            let form = vec![
                ("customer", child.id.into()), ("serial", Php::Int(0)), ("ttl", Php::Int(600)), ("info", "j".into()),
                ("size", Php::Int(200)), ("minDigits", Php::Int(10)), ("maxDigits", Php::Int(14)),
            ];
            let changed = filled(found.at("ranges/0").clone(), form);
            assert_eq!(engine.execute("Enum.updateRange", record! { range: changed }), Php::Flag(true));
            let found = list();
            let one = &listed(&found, "ranges", 1)[0];
            one.reads(RANGE);
            assert_eq!((one.int("ttl"), one.text("info"), one.int("size")), (600, "j", 200));
            assert!(one.int("serial") > serial, "{} after {serial}", one.int("serial"));
            assert_eq!(engine.execute("Enum.deleteRange", record! { range: range_id("3199546") }), Php::Flag(true));
            engine.refused(3000, "Enum.deleteRange", record! { range: range_id("3199546") });
        }
    }

    fn numbers_with_mappings(p) {
        let (acme, child) = tenants(p);
        for engine in logins(p, &child) {
            engine.execute("Enum.addRange", range("3199546", child.id, acme.id));
            open(p, acme.id, child.id);
            let filter = record! { prefix: "", customer: child.id, reseller: acme.id };
            let ranges = engine.ok("Enum.getRanges", query(filter, "prefix", "ASC", 0, 200));
            assert_eq!(ranges.text("ranges/0/id/prefix"), "3199546");
            listed(&numbers(&engine, ""), "numbers", 0);
            // No value given: the newest number is looked for; there is none.
            let newest = engine.ok("Enum.getNumbers", query(record! { number: "" }, "changeDate", "DESC", 0, 1));
            assert_eq!((newest.int("total"), newest.list("numbers").len()), (0, 0));
            let number = "319954660601";
            assert_eq!(save(&engine, number, child.id, "sip", "sip:alice@example.com"), "added");
            assert_eq!(save(&engine, number, child.id, "sip", "sip:alice@example.com"), "there");
            assert_eq!(save(&engine, number, child.id, "tel", "tel:+31205550100"), "updated");
            let found = numbers(&engine, "3199546%");
            let one = &listed(&found, "numbers", 1)[0];
            one.reads(NUMBER);
            let mappings = one.list("mappings");
            mappings.iter().for_each(|mapping| mapping.reads(MAPPING));
            // B103: what came as 0 reads as its default.
            assert_eq!((mappings[1].int("ttl"), mappings[1].int("priority")), (3600, 5));
            assert!(mappings.iter().all(|mapping| mapping.int("id") > 0));
            assert_eq!((one.int("owner"), one.int("customer"), one.text("info")), (child.id, child.id, "x"));
            // B106: ids of mappings that stay do not change; the edit form sends them in its own order of members.
            let id = mappings[0].int("id");
            let mut edited = engine.ok("Enum.getNumber", record! { enumId: enum_id(number) });
            let mut all = rebuilt(edited.list("mappings"), &["type", "ttl", "id", "mapto", "priority"]);
            all[0].set("ttl", Php::Int(600));
            for (name, value) in [("mappings", Php::List(all)), ("owner", Php::Int(0)), ("info", "edited".into())] {
                edited.set(name, value);
            }
            engine.execute("Enum.updateNumber", record! { number: edited.echo() });
            let now = engine.ok("Enum.getNumber", record! { enumId: enum_id(number) });
            assert_eq!((now.text("info"), now.int("mappings/0/ttl"), now.int("mappings/0/id")), ("edited", 600, id));
            // Bulk: each number is got and updated.
            save(&engine, "319954660602", child.id, "sip", "sip:bob@example.com");
            let filter = record! {
                number: "3199546%", tld: "", r#type: "", mapto: "", owner: 0, customer: 0, reseller: 0,
            };
            let keys = engine.ok("Enum.getNumbers", query(filter, "changeDate", "DESC", 0, 1000));
            assert_eq!(keys.list("numbers").len(), 2);
            for key in keys.list("numbers") {
                let id = record! { enumId: enum_id(key.text("id/number")) };
                for (name, value) in [("owner", Php::Int(child.id)), ("info", "bulk".into())] {
                    let found = engine.ok("Enum.getNumber", id.clone());
                    engine.execute("Enum.updateNumber", record! { number: filled(found, vec![(name, value)]) });
                }
                let mut found = engine.ok("Enum.getNumber", id.clone());
                let mut mappings = rebuilt(found.list("mappings"), &["type", "mapto", "ttl", "priority", "id"]);
                mappings.iter_mut().for_each(|mapping| mapping.set("ttl", Php::Int(120)));
                found.set("mappings", Php::List(mappings));
                engine.execute("Enum.updateNumber", record! { number: found.echo() });
                let now = engine.ok("Enum.getNumber", id);
                assert_eq!((now.text("info"), now.int("owner")), ("bulk", child.id));
                assert!(now.list("mappings").iter().all(|mapping| mapping.int("ttl") == 120));
            }
            // A range with numbers stays; mappings go one by one.
            engine.refused(3005, "Enum.deleteRange", record! { range: range_id("3199546") });
            delete(&engine, number, "sip:alice@example.com");
            let left = engine.ok("Enum.getNumber", record! { enumId: enum_id(number) });
            assert_eq!((left.list("mappings").len(), left.text("mappings/0/type")), (1, "tel"));
            delete(&engine, number, "tel:+31205550100");
            engine.refused(3002, "Enum.getNumber", record! { enumId: enum_id(number) });
            delete(&engine, "319954660602", "sip:bob@example.com");
            engine.execute("Enum.deleteRange", record! { range: range_id("3199546") });
        }
    }

    // §2.11, B183: numbers of a range with their accounts, one after the other.
    fn generates_numbers_and_accounts(p) {
        let (acme, child) = tenants(p);
        domain(&child.client, "example.com");
        let engine = Connection::admin_as(p, child.id);
        engine.execute("Enum.addRange", range("3199546", child.id, acme.id));
        remember(&Connection::admin_as(p, acme.id), child.id, &[
            ("enum_generator_sip_domain", "example.com"), ("enum_generator_range", "3199546@e164.arpa"),
            ("enum_generator_strip_digits", "2"), ("enum_generator_number_length", "11"),
            ("enum_generator_add_prefix", ""), ("enum_generator_rpid_strip_digits", "0"),
            ("enum_generator_call_limit", "2"), ("enum_generator_ip_access_list", "192.0.2.0/24"),
        ]);
        let owner = Connection::admin_as(p, acme.id).ok("Customer.getAccount", record! { id: child.id });
        owner.reads("id:i timezone:s firstName:s lastName:s email:s");
        let generate = || -> Vec<(&'static str, i64)> {
            (0..5)
                .map(|n| {
                    let number = format!("3199546{n:04}");
                    let username = number.strip_prefix("31").unwrap();
                    let saved = save(&engine, &number, child.id, "sip", &format!("sip:{username}@example.com"));
                    let account = record! { account: record! {
                        id: record! { username: username, domain: "example.com" },
                        firstName: "Account", lastName: username, password: format!("pw{n}pw"),
                        timezone: "Europe/Amsterdam", email: format!("{username}@example.com"), owner: child.id,
                        rpid: &number, groups: ["free-pstn"], prepaid: 0, quota: 10,
                        acl: vec![record! { ip: "192.0.2.0", mask: 24 }], properties: Vec::<Value>::new(),
                        callLimit: 2,
                    } };
                    let code = engine.call("Sip.addAccount", &account).err().map_or(0, |fault| fault.code);
                    (saved, code)
                })
                .collect()
        };
        assert_eq!(generate(), [("added", 0); 5]);
        // Again: everything is there, and nothing is done twice.
        assert_eq!(generate(), [("there", 1011); 5]);
        assert_eq!(numbers(&engine, "3199546%").int("total"), 5);
        let found = engine.ok("Enum.getRanges", query(range_id("3199546"), "changeDate", "DESC", 0, 1));
        assert_eq!(found.int("ranges/0/used"), 5);
    }
}
