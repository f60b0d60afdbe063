//! What the operations leave in the tables of zones (B108, B110, B114, B129a).

use ngn_tests::fixture::{
    dns_record, dns_zone, enum_id, enum_number, enum_range, range, reseller, zone,
};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, matching, record};

/// The records of a zone but its SOA: `name type ttl content`, sorted.
fn records(p: &Platform, zone: &str) -> Vec<String> {
    let found = p.database.sql(&format!(
        "SELECT r.name, r.type, r.ttl, r.content FROM records r \
         JOIN domains d ON d.id = r.domain_id WHERE d.name = '{zone}' AND r.type <> 'SOA'"
    ));
    let mut lines: Vec<String> = found.lines().map(|line| line.replace('\t', " ")).collect();
    lines.sort();
    lines
}

/// The newest rows of the journal: `entity key zone`, in their order.
fn journal(p: &Platform, count: usize) -> Vec<String> {
    let sql = "SELECT entity, entity_key, COALESCE(zone, '-') FROM journal ORDER BY id";
    let found = p.database.sql(sql);
    let lines: Vec<String> = found.lines().map(|line| line.replace('\t', " ")).collect();
    lines[lines.len() - count..].to_vec()
}

const ZONE: &str = "0.2.1.3.e164.arpa";

both! {
    fn a_range_is_a_zone(p) {
        let acme = reseller(p, "acme");
        acme.client.ok("Enum.addRange", record! { range: enum_range("3120").with("ttl", 600) });
        assert_eq!(journal(p, 2), ["enum_range 3120@e164.arpa -".to_owned(), format!("zone {ZONE} {ZONE}")]);
        assert_eq!(records(p, ZONE), [
            format!("{ZONE} NS 600 ns1.example.net"), format!("{ZONE} NS 600 ns2.example.net"),
        ]);
        let soa = || p.database.sql(&format!("SELECT content FROM records WHERE name = '{ZONE}' AND type = 'SOA'"));
        let first = soa();
        assert!(first.starts_with(&format!("ns1.example.net hostmaster.{ZONE} 20")), "{first}");
        assert!(first.trim().ends_with(" 14400 3600 604800 300"), "{first}");
        // B115: the reseller's property is the mail address; the dot before its @ is escaped.
        acme.client.ok("Customer.setProperties", record! { customer: acme.id, properties: vec![
            record! { name: "dns_admin_email", value: "dns.desk@acme.example", category: "dns", permission: "reseller" },
        ] });
        acme.client.ok("Enum.updateRange", record! { range: record! {
            id: record! { prefix: "3120", tld: "e164.arpa" }, nameservers: ["ns3.example.net"],
        } });
        assert_eq!(journal(p, 2), ["enum_range 3120@e164.arpa -".to_owned(), format!("rrset {ZONE} {ZONE} {ZONE}")]);
        assert_eq!(records(p, ZONE), [format!("{ZONE} NS 3600 ns3.example.net")]);
        assert!(soa().starts_with(r"ns3.example.net dns\.desk.acme.example "), "{}", soa());
        // Missing name servers stay, as the screen leaves them out.
        acme.client.ok("Enum.updateRange", record! { range: record! {
            id: record! { prefix: "3120", tld: "e164.arpa" },
        } });
        assert_eq!(records(p, ZONE), [format!("{ZONE} NS 3600 ns3.example.net")]);
        acme.client.ok("Enum.deleteRange", record! { range: record! { prefix: "3120", tld: "e164.arpa" } });
        assert_eq!(journal(p, 2), ["enum_range 3120@e164.arpa -".to_owned(), format!("zone {ZONE} {ZONE}")]);
        assert_eq!(p.database.sql("SELECT COUNT(*) FROM domains").trim(), "0");
        // B110: the serial goes on when the range comes back.
        let serial = |soa: &str| soa.split_whitespace().nth(2).unwrap().parse::<u32>().unwrap();
        range(&acme.client, "3120");
        assert!(serial(&soa()) > serial(&first));
    }

    // One name, one zone, whichever port made it; the Dns port has no hand in the zones of ranges.
    fn a_zone_belongs_to_one_port(p) {
        let acme = reseller(p, "acme");
        range(&acme.client, "3120");
        acme.client.refused(7001, "Dns.addZone", record! { zone: dns_zone(ZONE) });
        acme.client.refused(7000, "Dns.addRecord", record! { record: dns_record(ZONE, "x", "A", "192.0.2.1") });
        acme.client.refused(7000, "Dns.deleteZone", record! { zone: ZONE });
        assert_eq!(acme.client.ok("Dns.getZones", matching(Value::empty())).int_at("total"), 0);
        zone(&acme.client, &ZONE.replacen('0', "1", 1));
        acme.client.refused(3001, "Enum.addRange", record! { range: enum_range("3121") });
        acme.client.refused(3000, "Enum.deleteRange", record! { range: record! { prefix: "3121", tld: "e164.arpa" } });
    }

    // B129b: one RRset, one time to live.
    fn a_number_is_an_rrset(p) {
        let admin = p.admin();
        range(&admin, "3120");
        let number = |mappings: Vec<Value>| record! { number: record! { id: enum_id("31201"), mappings: mappings } };
        admin.ok("Enum.addNumber", number(vec![
            record! { r#type: "sip", mapto: "alice@example.com", ttl: 600, priority: 10 },
            record! { r#type: "npd:tel", mapto: "tel:+31201;npdi", ttl: 300 },
        ]));
        let owner = format!("1.{ZONE}");
        assert_eq!(journal(p, 2), [format!("rrset {ZONE} {owner} {ZONE}"), "enum_number 31201@e164.arpa -".to_owned()]);
        let naptr = || {
            let mut found = records(p, ZONE);
            found.retain(|line| line.contains(" NAPTR "));
            found
        };
        assert_eq!(naptr(), [
            format!(r#"{owner} NAPTR 300 100 10 "u" "E2U+sip" "!^.*$!sip:alice@example.com!" ."#),
            format!(r#"{owner} NAPTR 300 100 5 "u" "E2U+npd+tel" "!^.*$!tel:+31201;npdi!" ."#),
        ]);
        admin.ok("Enum.updateNumber", number(vec![record! { r#type: "sip", mapto: "bob@example.com" }]));
        assert_eq!(journal(p, 2), [format!("rrset {ZONE} {owner} {ZONE}"), "enum_number 31201@e164.arpa -".to_owned()]);
        assert_eq!(naptr(), [format!(r#"{owner} NAPTR 3600 100 5 "u" "E2U+sip" "!^.*$!sip:bob@example.com!" ."#)]);
        admin.ok("Enum.updateNumber", number(vec![]));
        assert!(naptr().is_empty());
        admin.ok("Enum.updateNumber", number(vec![record! { r#type: "tel", mapto: "+31201" }]));
        admin.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
        assert!(naptr().is_empty());
        // The number that is its range's prefix stands at the apex, beside SOA and NS.
        admin.ok("Enum.addNumber", record! { number: enum_number("3120", "sip:a@example.com") });
        assert_eq!(naptr().len(), 1);
        admin.ok("Enum.deleteNumber", record! { enumId: enum_id("3120") });
        assert_eq!(records(p, ZONE).len(), 2);
    }

    // B114: with a longer range its numbers move to its zone and its owner, unless they are somebody else's.
    fn a_longer_range_takes_its_numbers(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        range(&acme.client, "3120");
        for number in ["3120001", "3120101", "3120102"] {
            acme.client.ok("Enum.addNumber", record! { number: enum_number(number, "sip:a@example.com") });
        }
        other.client.refused(8001, "Enum.addRange", record! { range: enum_range("31201") });
        // Where nobody has a number, anybody may add a range.
        range(&other.client, "31205");
        let child = ngn_tests::fixture::customer(p, &acme, "child");
        let added = acme.client.ok("Enum.addRange", record! { range: enum_range("31201").with("customer", child.id) });
        assert_eq!(added.int_at("used"), 2);
        assert_eq!(journal(p, 3)[1..], [format!("zone 1.{ZONE} 1.{ZONE}"), format!("zone {ZONE} {ZONE}")]);
        let listed = child.client.ok("Enum.getNumbers", matching(record! {}));
        assert_eq!(listed.column("numbers", "id/number"), ["3120101", "3120102"]);
        let used = acme.client.ok("Enum.getRanges", matching(record! {}));
        assert_eq!(used.column("ranges", "used"), ["1", "2"]);
        assert_eq!(records(p, &format!("1.{ZONE}")).iter().filter(|line| line.contains(" NAPTR ")).count(), 2);
        acme.client.ok("Enum.deleteNumber", record! { enumId: enum_id("3120101") });
        assert_eq!(records(p, &format!("1.{ZONE}")).iter().filter(|line| line.contains(" NAPTR ")).count(), 1);
    }
}
