//! Enum.addRange.

use ngn_tests::fixture::{customer, enum_range, generous, person, range, reseller};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, record};

both! {
    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        range(&acme.client, "3120");
        let add = |client: &ngn_tests::soap::Client, code, range: Value| {
            client.refused(code, "Enum.addRange", record! { range: range });
        };
        add(&other.client, 3001, enum_range("3120"));
        add(&p.admin(), 3001, enum_range("3120"));
        // Other trees are other key spaces.
        p.admin().ok("Enum.addRange", record! { range: record! {
            id: record! { prefix: "3120", tld: "e164.example" },
        } });
        // B101: a bare country code is the administrator's.
        for code in ["1", "31", "420"] {
            assert!(matches!(acme.client.fault("Enum.addRange", record! { range: enum_range(code) }).code, 8001 | 8003));
        }
        range(&p.admin(), "31");
        for bad in ["", "+3120", "31-20", "3120a", "1234567890123456"] {
            let code = acme.client.fault("Enum.addRange", record! { range: enum_range(bad) }).code;
            assert!(matches!(code, 9000 | 9001), "{bad:?}: {code}");
        }
        add(&acme.client, 9001, Value::Null);
    }

    // B9, B103 and the defaults.
    fn fills_in_defaults(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        let added = child.client.ok("Enum.addRange", record! { range: record! {
            id: record! { prefix: "3120", tld: "E164.Arpa." }, info: "test", customer: 4711, serial: 17,
        } });
        assert_eq!((added.text_at("id/prefix"), added.text_at("id/tld")), ("3120", "e164.arpa"));
        assert_eq!((added.int_at("customer"), added.int_at("reseller")), (child.id, acme.id));
        assert_eq!(added.int_at("ttl"), 3600);
        assert_eq!(added.int_at("used"), 0);
        assert_ne!(added.int_at("serial"), 17);
        assert!(!added.at("nameservers").children.is_empty());
        let added = p.admin().ok("Enum.addRange", record! { range: enum_range("3130").with("ttl", 60) });
        assert_eq!((added.int_at("customer"), added.int_at("reseller"), added.int_at("ttl")), (0, 0, 60));
        assert_eq!(added.texts_at("nameservers"), ["ns1.example.net", "ns2.example.net"]);
    }

    fn counts_credits(p) {
        let Value::List(mut properties) = generous() else { unreachable!() };
        properties[2] = properties[2].clone().with("value", "1");
        p.admin().ok("Customer.addAccount", record! {
            account: person("acme").with("resellerActive", true).with("properties", properties),
        });
        let acme = p.client(Login::customer("acme", "acme-password"));
        range(&acme, "3120");
        acme.refused(8002, "Enum.addRange", record! { range: enum_range("3130") });
        acme.refused(3001, "Enum.addRange", record! { range: enum_range("3120") });
    }
}
