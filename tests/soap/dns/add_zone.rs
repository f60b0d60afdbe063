//! Dns.addZone.

use ngn_tests::fixture::{customer, dns_zone, generous, person, reseller, zone};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, record};

both! {
    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        zone(&acme.client, "example.com");
        // B115.
        other.client.refused(7001, "Dns.addZone", record! { zone: dns_zone("example.com") });
        p.admin().refused(7001, "Dns.addZone", record! { zone: dns_zone("Example.COM.") });
        for bad in ["", "exa mple.com", "a..b", ".", "-.com/"] {
            let code = acme.client.fault("Dns.addZone", record! { zone: dns_zone(bad) }).code;
            assert!(matches!(code, 9000 | 9001 | 7004), "{bad:?}: {code}");
        }
        acme.client.refused(9001, "Dns.addZone", Value::empty());
        // An ENUM range is a zone as well: one name, one zone.
        zone(&acme.client, "sub.example.com");
    }

    // B115, B9.
    fn fills_in_defaults(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        let added = child.client.ok("Dns.addZone", record! { zone: record! {
            name: "Example.com.", customer: 4711, serial: 17, nameservers: Value::List(vec![]),
        } });
        assert_eq!(added.text_at("name"), "example.com");
        assert_eq!((added.int_at("customer"), added.int_at("reseller")), (child.id, acme.id));
        assert_eq!((added.int_at("ttl"), added.int_at("refresh"), added.int_at("retry")), (3600, 14400, 3600));
        assert_eq!((added.int_at("expire"), added.int_at("minimum")), (604_800, 300));
        assert_eq!(added.text_at("email"), "hostmaster@example.com");
        assert!(added.int_at("serial") > 17);
        // The reseller's property is the default for the mail address.
        acme.client.ok("Customer.setProperties", record! { customer: acme.id, properties: vec![
            record! { name: "dns_admin_email", value: "dns@acme.example", category: "dns", permission: "reseller" },
        ] });
        let added = child.client.ok("Dns.addZone", record! { zone: record! { name: "example.net" } });
        assert_eq!(added.text_at("email"), "dns@acme.example");
    }

    fn stores_every_attribute(p) {
        let admin = p.admin();
        admin.ok("Dns.addZone", record! { zone: dns_zone("example.com")
            .with("ttl", 60).with("email", "first.last@example.org").with("refresh", 61).with("retry", 62)
            .with("expire", 63).with("minimum", 64).with("info", "a <b> & é") });
        let stored = admin.ok("Dns.getZone", record! { zone: "example.com" });
        let number = |name| stored.int_at(name);
        assert_eq!(
            [number("ttl"), number("refresh"), number("retry"), number("expire"), number("minimum")],
            [60, 61, 62, 63, 64]
        );
        assert_eq!(stored.text_at("email"), "first.last@example.org");
        assert_eq!(stored.texts_at("nameservers"), ["ns1.example.net", "ns2.example.net"]);
        assert_eq!(stored.text_at("info"), "a <b> & é");
        assert_eq!((number("customer"), number("reseller")), (0, 0));
    }

    fn counts_credits(p) {
        let Value::List(mut properties) = generous() else { unreachable!() };
        properties[4] = properties[4].clone().with("value", "1");
        p.admin().ok("Customer.addAccount", record! {
            account: person("acme").with("resellerActive", true).with("properties", properties),
        });
        let acme = p.client(Login::customer("acme", "acme-password"));
        zone(&acme, "example.com");
        acme.refused(8002, "Dns.addZone", record! { zone: dns_zone("example.net") });
    }
}
