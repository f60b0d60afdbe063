//! The Fancy operations: URL and MBOXFW records (B125).

use ngn_tests::fixture::{dns_record, generous, person, reseller, zone};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, query, record};

both! {
    fn keeps_fancy_records_apart(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        zone(&acme.client, "example.com");
        let client = &acme.client;
        let url = client.ok("Dns.addFancyRecord", record! {
            record: dns_record("example.com", "old", "URL", "https://example.com/new?a=1&b=2").with("ttl", 0).with("priority", 0),
        });
        assert_eq!((url.text_at("name"), url.text_at("value")), ("old.example.com", "https://example.com/new?a=1&b=2"));
        let mailbox = client.ok("Dns.addFancyRecord", record! {
            record: dns_record("example.com", "info@example.com", "MBOXFW", "me@example.org"),
        });
        assert_eq!(mailbox.text_at("name"), "info@example.com");
        client.refused(7003, "Dns.addFancyRecord", record! {
            record: dns_record("example.com", "info@example.com", "MBOXFW", "me@example.org"),
        });
        other.client.refused(7000, "Dns.addFancyRecord", record! {
            record: dns_record("example.com", "x", "URL", "https://example.org/"),
        });
        let code = client.fault("Dns.addFancyRecord", record! { record: dns_record("example.com", "x", "A", "192.0.2.1") }).code;
        assert!(matches!(code, 7004 | 9000), "{code}");
        let list = |filter: Value| {
            let found = client.ok("Dns.getFancyRecords", query(filter, "name", "ASC", 0, 20));
            found.column("records", "name").join(" ")
        };
        assert_eq!(list(record! { r#type: "URL" }), "old.example.com");
        assert_eq!(list(record! { zone: "example.com" }), "info@example.com old.example.com");
        let found = client.ok("Dns.getFancyRecord", record! { recordId: url.int_at("id") });
        assert_eq!(found.text_at("type"), "URL");
        other.client.refused(7002, "Dns.getFancyRecord", record! { recordId: url.int_at("id") });
        client.ok("Dns.updateFancyRecord", record! {
            record: dns_record("example.com", "old", "URL", "https://example.org/").with("id", url.int_at("id")),
        });
        client.refused(7002, "Dns.updateFancyRecord", record! {
            record: dns_record("example.com", "nothing", "URL", "https://example.org/").with("id", 999),
        });
        assert_eq!(
            client.ok("Dns.getFancyRecord", record! { recordId: url.int_at("id") }).text_at("value"),
            "https://example.org/"
        );
        client.ok("Dns.deleteFancyRecord", record! { recordId: mailbox.int_at("id") });
        client.refused(7002, "Dns.deleteFancyRecord", record! { recordId: mailbox.int_at("id") });
        // Bulk actions of the client delete fancy records by the plain operation (client-usage 5.9).
        client.ok("Dns.deleteRecord", record! { recordId: url.int_at("id") });
        assert_eq!(list(Value::empty()), "");
    }

    // Client-usage 5.9: one sequence of ids for both kinds.
    fn shares_ids_with_plain_records(p) {
        let admin = p.admin();
        zone(&admin, "example.com");
        let mut ids = Vec::new();
        for n in 0..3 {
            let name = format!("h{n}");
            ids.push(admin.ok("Dns.addRecord", record! { record: dns_record("example.com", &name, "A", "192.0.2.1") }).int_at("id"));
            ids.push(admin.ok("Dns.addFancyRecord", record! {
                record: dns_record("example.com", &format!("u{n}"), "URL", "https://example.org/"),
            }).int_at("id"));
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    // B37: e-mail aliases have a credit, redirects have none.
    fn counts_mail_credits(p) {
        let Value::List(mut properties) = generous() else { unreachable!() };
        properties[5] = properties[5].clone().with("value", "1");
        p.admin().ok("Customer.addAccount", record! {
            account: person("acme").with("resellerActive", true).with("properties", properties),
        });
        let acme = p.client(Login::customer("acme", "acme-password"));
        zone(&acme, "example.com");
        let mailbox = |name: &str| record! { record: dns_record("example.com", name, "MBOXFW", "me@example.org") };
        acme.ok("Dns.addFancyRecord", mailbox("a@example.com"));
        acme.refused(8002, "Dns.addFancyRecord", mailbox("b@example.com"));
        acme.ok("Dns.addFancyRecord", record! { record: dns_record("example.com", "x", "URL", "https://example.org/") });
    }
}
