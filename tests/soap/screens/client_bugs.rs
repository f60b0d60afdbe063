//! Known bugs of the client that the server must survive (client-usage §5), by their numbers there.
//!
//! The eighth compares a property with itself and sends nothing; there is nothing to survive.

use super::{filled, tenants};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::fixture::{Tenant, account, domain, zone};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, query, record, sip_id};

fn with_alice(p: &Platform) -> (Connection, Tenant) {
    let (_, child) = tenants(p);
    domain(&child.client, "example.com");
    account(&child.client, "alice@example.com");
    (Connection::admin_as(p, child.id), child)
}

fn alice() -> Value {
    record! { sipId: sip_id("alice@example.com") }
}

both! {
    fn bug_1_addbalance_has_no_description(p) {
        let (engine, _) = with_alice(p);
        let found = engine.ok("Sip.getAccount", alice());
        let prepaid = filled(found, vec![("prepaid", Php::Int(1))]);
        engine.execute("Sip.updateAccount", record! { account: prepaid });
        let changed = engine.execute("Sip.addBalance", alice().with("value", "2.5"));
        assert_eq!(changed.float("new_balance"), 2.5);
        let history = engine.ok("Sip.getCreditHistory", alice().with("count", 1));
        assert_eq!(history.text("entries/0/description"), "Manual update", "B163");
    }

    fn bug_2_profiles_of_nobody(p) {
        let (engine, _) = with_alice(p);
        engine.refused(4001, "Rating.getEntityProfiles", record! { entity: "" });
        engine.refused(4001, "Rating.getEntityProfiles", record! { entity: () });
    }

    // As versions for PHP 5 and 7 wrote it, and as a careful one would.
    fn bug_3_the_header_has_no_namespace_and_a_strange_actor(p) {
        let (engine, _) = with_alice(p);
        for header in [
            "<auth SOAP-ENV:actor=\"0\" SOAP-ENV:mustUnderstand=\"0\">",
            "<auth SOAP-ENV:mustUnderstand=\"0\" SOAP-ENV:actor=\"0\">",
            "<auth SOAP-ENV:actor=\"http://schemas.xmlsoap.org/soap/actor/next\" SOAP-ENV:mustUnderstand=\"1\">",
            "<auth xmlns=\"\">",
        ] {
            let found = engine.call_edited("Sip.getAccount", &alice(), |request| {
                assert!(request.contains("<auth>"));
                request.replace("<auth>", header)
            });
            assert_eq!(found.unwrap().text("id/username"), "alice", "{header}");
        }
        let qualified = engine.call_edited("Sip.getAccount", &alice(), |request| {
            request.replace("<auth>", "<ns4:auth>").replace("</auth>", "</ns4:auth>")
        });
        assert!(qualified.is_ok());
    }

    fn bug_4_members_that_nobody_knows_and_serials_of_0(p) {
        let (engine, child) = with_alice(p);
        let mut found = engine.ok("Sip.getAccount", alice());
        found.set("timeout", Php::Int(20));
        let changed = filled(found, vec![("answerTimeout", Php::Int(0)), ("quota", Php::Int(5))]);
        engine.execute("Sip.updateAccount", record! { account: changed });
        let now = engine.ok("Sip.getAccount", alice());
        assert_eq!((now.int("timeout"), now.int("quota")), (20, 5));
        zone(&child.client, "example.com");
        let found = engine.ok("Dns.getZone", record! { zone: "example.com" });
        let serial = found.int("serial");
        let changed = filled(found, vec![("serial", Php::Int(0)), ("info", "x".into())]);
        engine.execute("Dns.updateZone", record! { zone: changed });
        let now = engine.ok("Dns.getZone", record! { zone: "example.com" });
        assert!(now.int("serial") > serial && now.text("info") == "x");
        engine.execute("Enum.addRange", record! { range: record! {
            id: record! { prefix: "3120", tld: "e164.arpa" }, customer: child.id,
        } });
        let range = || {
            let filter = record! { prefix: "3120", tld: "e164.arpa" };
            engine.ok("Enum.getRanges", query(filter, "changeDate", "DESC", 0, 1)).at("ranges/0").clone()
        };
        let serial = range().int("serial");
        let changed = filled(range(), vec![("serial", Php::Int(0)), ("info", "y".into())]);
        engine.execute("Enum.updateRange", record! { range: changed });
        assert!(range().int("serial") > serial && range().text("info") == "y");
    }

    fn bug_5_accept_rules_without_days(p) {
        let (engine, _) = with_alice(p);
        let rules = |rules: Value| alice().with("rules", rules);
        let known = record! { start: "08:00", stop: "18:00", groups: ["everybody"], days: 31 };
        engine.execute("Sip.setAcceptRules", rules(record! {
            persistent: vec![known], temporary: record! { groups: Vec::<Value>::new(), duration: 0 },
        }));
        // What is known gets its days back; what is not cannot be guessed and is dropped (B94).
        let known = record! { start: "08:00", stop: "18:00", groups: ["everybody"] };
        let unknown = record! { start: "19:00", stop: "20:00", groups: ["everybody"] };
        engine.execute("Sip.setAcceptRules", rules(record! {
            persistent: vec![known, unknown], temporary: record! { groups: ["nobody"], duration: 0 },
            groups: ["everybody", "nobody"],
        }));
        let now = engine.ok("Sip.getAcceptRules", alice());
        assert_eq!(now.list("rules/persistent").len(), 1);
        assert_eq!((now.int("rules/persistent/0/days"), now.text("rules/persistent/0/start")), (31, "08:00"));
        assert_eq!(now.texts("rules/temporary/groups"), ["nobody"]);
    }

    // The client dies before it sends anything; who sends it hears that there is no such operation. The import
    // screens go on after 5001 without having changed anything.
    fn bug_6_updatecustomer_does_not_exist(p) {
        let (engine, child) = with_alice(p);
        let text = engine.refused(9002, "Customer.updateCustomer", record! {
            account: record! { id: child.id, city: "Leiden" },
        });
        assert!(text.contains("updateCustomer"), "{text}");
        let now = Connection::admin(p).ok("Customer.getAccount", record! { id: child.id });
        assert!(!now.at("city").truthy());
    }

    fn bug_7_ids_and_dates_of_another_server(p) {
        let (_, child) = with_alice(p);
        let engine = Connection::admin(p);
        zone(&child.client, "example.com");
        zone(&child.client, "example.org");
        let record = |id: i64, zone: &str, value: &str| record! { record: record! {
            id: id, zone: zone, name: format!("www.{zone}"), r#type: "A", value: value, ttl: 60, priority: 0,
            owner: 0, customer: 4711, reseller: 4711, changeDate: "1999-12-31 23:59:59",
        } };
        let first = engine.execute("Dns.addRecord", record(1, "example.com", "192.0.2.1")).int("id");
        let second = engine.execute("Dns.addRecord", record(first, "example.org", "192.0.2.1")).int("id");
        assert_ne!(first, second, "ids are this server's");
        engine.refused(7003, "Dns.addRecord", record(99, "example.org", "192.0.2.1"));
        // B118: the id is another record's, or nobody's; zone and name say which one is meant.
        for id in [first, 999_999] {
            engine.execute("Dns.updateRecord", record(id, "example.org", "192.0.2.1"));
            let untouched = engine.ok("Dns.getRecord", record! { recordId: first });
            assert_eq!((untouched.text("zone"), untouched.text("value")), ("example.com", "192.0.2.1"));
        }
        let now = engine.ok("Dns.getRecord", record! { recordId: second });
        assert_eq!((now.int("customer"), now.int("ttl")), (child.id, 60));
        assert!(now.text("changeDate") > "2000", "{}", now.text("changeDate"));
        let account = engine.ok("Sip.getAccount", alice());
        let dated = filled(account.clone(), vec![
            ("createDate", "1999-12-31 23:59:59".into()), ("changeDate", "1999-12-31 23:59:59".into()),
            ("customer", Php::Int(4711)), ("reseller", Php::Int(4711)),
        ]);
        engine.execute("Sip.updateAccount", record! { account: dated });
        let now = engine.ok("Sip.getAccount", alice());
        assert_eq!(now.text("createDate"), account.text("createDate"));
        assert!(now.text("changeDate") > "2000");
        assert_eq!(now.int("customer"), child.id);
    }

    fn bug_9_fancy_ids_in_plain_operations(p) {
        let (engine, child) = with_alice(p);
        zone(&child.client, "example.com");
        let add = |operation: &str, kind: &str, name: &str, value: &str| {
            engine
                .execute(operation, record! { record: record! {
                    name: name, zone: "example.com", r#type: kind, value: value, owner: 0, ttl: 3600, priority: 0,
                } })
                .int("id")
        };
        let plain = add("Dns.addRecord", "A", "www", "192.0.2.1");
        let url = add("Dns.addFancyRecord", "URL", "go.example.com", "https://example.net/");
        let mail = add("Dns.addFancyRecord", "MBOXFW", "info@example.com", "alice@example.net");
        assert!(plain != url && url != mail && plain != mail, "unique over both kinds");
        // The keys of a fancy screen's bulk action come from the plain operation: there are none of that type.
        for kind in ["URL", "MBOXFW"] {
            let filter = record! {
                id: 0, zone: "", name: "", r#type: kind, value: "", owner: 0, customer: 0, reseller: 0,
            };
            let keys = engine.ok("Dns.getRecords", query(filter, "changeDate", "DESC", 0, 1000));
            assert_eq!((keys.int("total"), keys.list("records").len()), (0, 0));
        }
        engine.refused(7002, "Dns.getRecord", record! { recordId: url });
        engine.execute("Dns.deleteRecord", record! { recordId: url });
        engine.refused(7002, "Dns.deleteFancyRecord", record! { recordId: url });
        let left = engine.ok("Dns.getFancyRecord", record! { recordId: mail });
        assert_eq!(left.text("name"), "info@example.com");
        engine.ok("Dns.getRecord", record! { recordId: plain });
    }

    // R6: whatever is empty is an object with members, never nothing.
    fn bug_10_empty_objects(p) {
        let (engine, _) = with_alice(p);
        let diversions = engine.ok("Sip.getCallDiversions", alice());
        for condition in ["FUNC", "FNOL", "FUNV", "FNOA", "FBUS", "RUNC", "RNOL", "RUNV", "RNOA", "RBUS"] {
            assert_eq!(diversions.text(condition), "");
        }
        let rules = engine.ok("Sip.getAcceptRules", alice());
        rules.reads("rules:o rules/persistent:a rules/temporary:o rules/temporary/groups:a nonEmptyGroups:a");
        engine.ok("Sip.getCreditHistory", alice().with("count", 200)).reads("entries:a");
        let calls = engine.ok("Sip.getCalls", alice().with("query", record! { placed: record! { limit: 50 } }));
        calls.reads("placed:a received:a");
        let sums = record! { placed: record! { limit: 1 } };
        engine.ok("Sip.getCallStatistics", alice().with("query", sums)).reads("placed:o placed/calls:i placed/price:f");
        let range = record! { start: 0, count: 100 };
        let wanted = record! { uri: "%%", name: "%%" };
        let book = engine.ok("Sip.getPhonebookEntries", alice().with("match", wanted).with("range", range));
        book.reads("entries:a total:i");
        for operation in ["Sip.getRejectMembers", "Sip.getBarringPrefixes", "Sip.getGroups"] {
            assert_eq!(engine.ok(operation, alice()).items().len(), 0, "{operation}");
        }
    }
}
