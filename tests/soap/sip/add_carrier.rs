//! Sip.addCarrier.

use ngn_tests::fixture::{carrier, customer, person, reseller};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, record};

both! {
    // B9, B14, B139: the server numbers carriers; a reseller's are its own.
    fn belongs_to_whoever_adds_it(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let add = |client: &ngn_tests::soap::Client, carrier: Value| {
            client.ok("Sip.addCarrier", record! { carrier: carrier })
        };
        let mine = add(&acme.client, record! { name: " Telco ", reseller: other.id, id: 4711 });
        assert_eq!((mine.text_at("name"), mine.int_at("reseller")), ("Telco", acme.id));
        assert!(mine.int_at("id") > 0 && mine.int_at("id") != 4711);
        assert!(!mine.text_at("changeDate").is_empty());
        assert_eq!(add(&p.admin(), record! { name: "Telco" }).int_at("reseller"), 0);
        assert_eq!(add(&p.admin(), record! { name: "Telco", reseller: other.id }).int_at("reseller"), other.id);
        let impersonating = p.admin().impersonating(other.id);
        assert_eq!(add(&impersonating, record! { name: "Second" }).int_at("reseller"), other.id);
        assert_eq!(p.database.sql("SELECT COUNT(*) FROM journal WHERE entity = 'carrier'").trim(), "4");
    }

    fn refuses_what_cannot_be(p) {
        let acme = reseller(p, "acme");
        carrier(&acme.client, "Telco");
        let name = |name: &str| record! { carrier: record! { name: name } };
        acme.client.refused(1071, "Sip.addCarrier", name("Telco"));
        acme.client.refused(9001, "Sip.addCarrier", name(" "));
        acme.client.refused(9001, "Sip.addCarrier", record! { carrier: Value::Null });
        acme.client.refused(9000, "Sip.addCarrier", name(&"x".repeat(256)));
        p.admin().refused(5000, "Sip.addCarrier", record! { carrier: record! { name: "x", reseller: 4711 } });
        p.client(Login::admin("admin", "wrong")).refused(8000, "Sip.addCarrier", name("x"));
    }

    // B18, B21.
    fn is_not_for_plain_customers(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        child.client.refused(8003, "Sip.addCarrier", record! { carrier: record! { name: "x" } });
        p.admin().ok("Customer.addAccount", record! { account: person("asleep") });
        let asleep = p.client(Login::customer("asleep", "asleep-password"));
        asleep.refused(5003, "Sip.addCarrier", record! { carrier: record! { name: "x" } });
    }
}
