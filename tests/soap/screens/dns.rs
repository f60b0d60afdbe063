//! The screens of DNS zones, records, mail aliases and redirects (client-usage §2.8, §2.9).

use super::{filled, listed, logins, open, remember, tenants};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::{Value, both, query, record};

const ZONE: &str = "name:s customer:i reseller:i email:s info:s serial:i ttl:i minimum:i retry:i expire:i \
                    nameservers:a changeDate:s";
const RECORD: &str = "id:i zone:s name:s type:s value:s priority:i? ttl:i? owner:i? customer:i reseller:i changeDate:s";
const FANCY: &str = "id:i zone:s name:s type:s value:s owner:i? customer:i reseller:i changeDate:s";

fn zones(connection: &Connection, name: &str) -> Php {
    let filter = record! { name: name, info: "", customer: 0, reseller: 0 };
    connection.ok("Dns.getZones", query(filter, "changeDate", "DESC", 0, 20))
}

/// The form of a new zone.
fn zone(name: &str, customer: i64, reseller: i64, servers: &[&str]) -> Value {
    record! { zone: record! {
        name: name, ttl: 3600, info: "", customer: customer, reseller: reseller, nameservers: servers,
    } }
}

fn filter(id: i64, zone: &str, kind: &str) -> Value {
    record! {
        id: id, zone: zone, name: "", r#type: kind, value: "", owner: 0, customer: 0, reseller: 0,
    }
}

fn records(connection: &Connection, operation: &str, zone: &str, kind: &str) -> Php {
    connection.ok(operation, query(filter(0, zone, kind), "changeDate", "DESC", 0, 20))
}

/// The form of a new record, plain or fancy.
fn new(zone: &str, name: &str, kind: &str, value: &str, priority: i64) -> Value {
    record! { record: record! {
        name: name, zone: zone, r#type: kind, value: value, owner: 0, ttl: 3600, priority: priority,
    } }
}

both! {
    fn lists_adds_updates_and_deletes_zones(p) {
        let (acme, child) = tenants(p);
        for engine in logins(p, &child) {
            open(p, acme.id, child.id);
            listed(&zones(&engine, ""), "zones", 0);
            engine.execute("Dns.addZone", zone("example.com", child.id, acme.id, &["ns1.example.net", "ns2.example.net"]));
            engine.refused(7001, "Dns.addZone", zone("example.com", child.id, acme.id, &[]));
            // No name servers in the form: an empty list, and the server's own stand in.
            engine.execute("Dns.addZone", zone("example.org", child.id, acme.id, &[]));
            let page = zones(&engine, "");
            for zone in listed(&page, "zones", 2) {
                zone.reads(ZONE);
                assert!(!zone.texts("nameservers").is_empty(), "B115");
                assert_eq!((zone.int("customer"), zone.int("reseller"), zone.int("ttl")), (child.id, acme.id, 3600));
            }
            let one = |name: &str| {
                let found = engine.ok("Dns.getZones", query(record! { name: name }, "changeDate", "DESC", 0, 1));
                found.at("zones/0").clone()
            };
            // The form has no serial, so 0 is sent (§5.4); it rises all the same (B116).
            let before = one("example.com");
            let form = vec![
                ("customer", child.id.into()), ("email", "hostmaster@example.com".into()), ("info", "i".into()),
                ("serial", Php::Int(0)), ("ttl", Php::Int(600)), ("minimum", Php::Int(60)), ("retry", Php::Int(900)),
                ("expire", Php::Int(86_400)),
                ("nameservers", Php::from(&["ns3.example.net", "ns4.example.net"][..])),
            ];
            let changed = filled(before.clone(), form);
            assert_eq!(engine.execute("Dns.updateZone", record! { zone: changed }), Php::Flag(true));
            let now = one("example.com");
            now.reads(ZONE);
            assert_eq!(now.texts("nameservers"), ["ns3.example.net", "ns4.example.net"]);
            assert_eq!((now.int("ttl"), now.int("minimum"), now.text("info")), (600, 60, "i"));
            assert!(now.int("serial") > before.int("serial"));
            // The emptied field of name servers takes the member away: they stay (B127).
            let mut without = now.clone();
            without.unset("nameservers");
            engine.execute("Dns.updateZone", record! { zone: without.echo() });
            assert_eq!(one("example.com").texts("nameservers"), ["ns3.example.net", "ns4.example.net"]);
            // Bulk actions, each from the zone as it is.
            let filter = record! { name: "", info: "", customer: 0, reseller: 0 };
            let keys = engine.ok("Dns.getZones", query(filter, "changeDate", "DESC", 0, 200));
            for key in keys.list("zones") {
                let name = key.text("name");
                let more = Php::from(&["ns1.example.net", "ns9.example.net"][..]);
                for (member, value) in [
                    ("ttl", Php::Int(300)), ("expire", Php::Int(7200)), ("minimum", Php::Int(30)),
                    ("retry", Php::Int(60)), ("info", "bulk".into()), ("nameservers", more),
                ] {
                    let zone = engine.ok("Dns.getZone", record! { zone: name });
                    zone.reads(ZONE);
                    engine.execute("Dns.updateZone", record! { zone: filled(zone, vec![(member, value)]) });
                }
                let now = engine.ok("Dns.getZone", record! { zone: name });
                assert_eq!(["ttl", "expire", "minimum", "retry"].map(|m| now.int(m)), [300, 7200, 30, 60]);
                assert_eq!(now.texts("nameservers"), ["ns1.example.net", "ns9.example.net"]);
                assert_eq!(engine.execute("Dns.deleteZone", record! { zone: name }), Php::Flag(true));
                engine.refused(7000, "Dns.getZone", record! { zone: name });
            }
        }
    }

    fn lists_adds_updates_and_deletes_records(p) {
        let (acme, child) = tenants(p);
        for engine in logins(p, &child) {
            engine.execute("Dns.addZone", zone("example.com", child.id, acme.id, &[]));
            open(p, acme.id, child.id);
            let choice = query(record! { customer: child.id, reseller: acme.id }, "name", "ASC", 0, 50);
            assert_eq!(engine.ok("Dns.getZones", choice).text("zones/0/name"), "example.com");
            listed(&records(&engine, "Dns.getRecords", "example.com", ""), "records", 0);
            remember(&Connection::admin_as(p, acme.id), child.id, &[
                ("dns_records_last_zone", "example.com"), ("dns_records_last_type", "MX"),
            ]);
            let added = engine.execute("Dns.addRecord", new("example.com", "", "MX", "mail.example.com", 10));
            assert!(added.truthy());
            engine.refused(7003, "Dns.addRecord", new("example.com", "", "MX", "mail.example.com", 10));
            // A template: one of its records is there already, which does not stop the rest (B126).
            let mut said = Vec::new();
            for (name, kind, value, priority) in [
                ("", "NAPTR", "10 0 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.com", 20),
                ("_sip._udp", "SRV", "100 5060 sip", 0),
                ("", "MX", "mail.example.com", 10),
                ("sip", "A", "192.0.2.1", 0),
            ] {
                let record = new("example.com", name, kind, value, priority);
                said.push(engine.call("Dns.addRecord", &record).err().map_or(0, |fault| fault.code));
            }
            assert_eq!(said, [0, 0, 7003, 0]);
            let page = records(&engine, "Dns.getRecords", "example.com", "");
            for record in listed(&page, "records", 4) {
                record.reads(RECORD);
                assert_eq!((record.text("zone"), record.int("customer")), ("example.com", child.id));
            }
            let found = records(&engine, "Dns.getRecords", "example.com", "SRV");
            let srv = &listed(&found, "records", 1)[0];
            assert_eq!((srv.text("name"), srv.text("value")), ("_sip._udp.example.com", "100 5060 sip.example.com"));
            // Edit by id alone.
            let id = srv.int("id");
            let found = engine.ok("Dns.getRecords", query(record! { id: id }, "changeDate", "DESC", 0, 1));
            let form = vec![
                ("type", "SRV".into()), ("priority", Php::Int(5)), ("value", "50 5070 sip".into()), ("ttl", Php::Int(60)),
            ];
            let changed = filled(found.at("records/0").clone(), form);
            assert_eq!(engine.execute("Dns.updateRecord", record! { record: changed }), Php::Flag(true));
            let now = engine.ok("Dns.getRecord", record! { recordId: id });
            now.reads(RECORD);
            assert_eq!((now.int("priority"), now.int("ttl"), now.text("value")), (5, 60, "50 5070 sip.example.com"));
            // Bulk over everything: ttl and priority, then values of one type.
            let keys = engine.ok("Dns.getRecords", query(filter(0, "example.com", ""), "changeDate", "DESC", 0, 1000));
            for key in keys.list("records") {
                for (member, value) in [("ttl", Php::Int(120)), ("priority", Php::Int(7))] {
                    let record = engine.ok("Dns.getRecord", record! { recordId: key.int("id") });
                    engine.execute("Dns.updateRecord", record! { record: filled(record, vec![(member, value)]) });
                }
                let now = engine.ok("Dns.getRecord", record! { recordId: key.int("id") });
                assert_eq!(now.int("ttl"), 120);
            }
            let found = records(&engine, "Dns.getRecords", "example.com", "A");
            let record = engine.ok("Dns.getRecord", record! { recordId: found.int("records/0/id") });
            let changed = filled(record, vec![("value", "192.0.2.2".into())]);
            engine.execute("Dns.updateRecord", record! { record: changed });
            // The form deletes by an id that is a text, the bulk action by a number.
            assert_eq!(engine.execute("Dns.deleteRecord", record! { recordId: id.to_string() }), Php::Flag(true));
            engine.refused(7002, "Dns.deleteRecord", record! { recordId: id });
            for key in keys.list("records").iter().filter(|key| key.int("id") != id) {
                engine.execute("Dns.deleteRecord", record! { recordId: key.int("id") });
            }
            listed(&records(&engine, "Dns.getRecords", "example.com", ""), "records", 0);
            engine.execute("Dns.deleteZone", record! { zone: "example.com" });
        }
    }

    fn mail_aliases_and_redirects(p) {
        let (acme, child) = tenants(p);
        for engine in logins(p, &child) {
            engine.execute("Dns.addZone", zone("example.com", child.id, acme.id, &[]));
            for (kind, name, value, other) in [
                ("MBOXFW", "info@example.com", "alice@example.net", "bob@example.net"),
                ("URL", "www.example.com", "https://www.example.net/?a=1&b=2", "https://example.net/"),
            ] {
                listed(&records(&engine, "Dns.getFancyRecords", "", kind), "records", 0);
                engine.execute("Dns.addFancyRecord", new("example.com", name, kind, value, 0));
                engine.refused(7003, "Dns.addFancyRecord", new("example.com", name, kind, value, 0));
                let found = records(&engine, "Dns.getFancyRecords", "", kind);
                let one = &listed(&found, "records", 1)[0];
                one.reads(FANCY);
                assert_eq!((one.text("name"), one.text("value"), one.text("type")), (name, value, kind));
                let id = one.int("id");
                let found = engine.ok("Dns.getFancyRecords", query(record! { id: id }, "changeDate", "DESC", 0, 1));
                let form = vec![
                    ("type", kind.into()), ("priority", Php::Int(0)), ("value", other.into()), ("ttl", Php::Int(60)),
                ];
                let changed = filled(found.at("records/0").clone(), form);
                assert_eq!(engine.execute("Dns.updateFancyRecord", record! { record: changed }), Php::Flag(true));
                let found = records(&engine, "Dns.getFancyRecords", "example.com", kind);
                assert_eq!(listed(&found, "records", 1)[0].text("value"), other);
                // B125: they are no records of the other screen.
                listed(&records(&engine, "Dns.getRecords", "example.com", ""), "records", 0);
                engine.execute("Dns.deleteFancyRecord", record! { recordId: id.to_string() });
                engine.refused(7002, "Dns.deleteFancyRecord", record! { recordId: id });
            }
            engine.execute("Dns.deleteZone", record! { zone: "example.com" });
        }
    }

    // §2.8: the export of zones and its import, over what is there and from nothing.
    fn exports_and_imports(p) {
        let (acme, child) = tenants(p);
        let engine = Connection::admin_as(p, 0);
        engine.execute("Dns.addZone", zone("example.com", child.id, acme.id, &["ns1.example.net"]));
        for (name, kind, value, priority) in
            [("", "MX", "mail", 10), ("mail", "A", "192.0.2.1", 0), ("mail", "A", "192.0.2.2", 0)]
        {
            engine.execute("Dns.addRecord", new("example.com", name, kind, value, priority));
        }
        let export = || {
            let zone = engine.ok("Dns.getZone", record! { zone: "example.com" });
            let all = record! { filter: record! { zone: "example.com" }, range: record! { start: 0, count: 5000 } };
            let records = engine.ok("Dns.getRecords", record! { query: all });
            let customers: Vec<Php> = [acme.id, child.id]
                .map(|id| {
                    let query = record! { query: record! { filter: record! { customer: id } } };
                    engine.ok("Customer.getCustomers", query).at("accounts/0").clone()
                })
                .into();
            (customers, zone, records.list("records").to_vec())
        };
        let import = |(customers, zone, records): &(Vec<Php>, Php, Vec<Php>)| {
            let mut said = Vec::new();
            let mut call = |operation: &str, parameters: Value| {
                let code = engine.call(operation, &parameters).err().map_or(0, |fault| fault.code);
                said.push(code);
                code
            };
            for customer in customers {
                call("Customer.addAccount", record! { account: customer.echo() });
            }
            if call("Dns.addZone", record! { zone: zone.echo() }) == 7001 {
                call("Dns.updateZone", record! { zone: zone.echo() });
            }
            for record in records {
                if call("Dns.addRecord", record! { record: record.echo() }) == 7003 {
                    call("Dns.updateRecord", record! { record: record.echo() });
                }
            }
            said
        };
        let exported = export();
        assert_eq!(import(&exported), [5001, 5001, 7001, 0, 7003, 0, 7003, 0, 7003, 0]);
        engine.execute("Dns.deleteZone", record! { zone: "example.com" });
        for id in [child.id, acme.id] {
            engine.execute("Customer.deleteAccount", record! { id: id });
        }
        assert_eq!(import(&exported), [0; 6]);
        // B118: the ids are now this server's, those of the export another's, and updates find their records.
        assert_eq!(import(&exported), [5001, 5001, 7001, 0, 7003, 0, 7003, 0, 7003, 0]);
        let values = |records: &[Php]| {
            let mut values: Vec<_> = records
                .iter()
                .map(|r| format!("{} {} {} {}", r.text("name"), r.text("type"), r.int("priority"), r.text("value")))
                .collect();
            values.sort();
            values
        };
        let again = export();
        assert_eq!(values(&again.2), values(&exported.2));
        assert_eq!(again.1.texts("nameservers"), ["ns1.example.net"]);
    }
}
