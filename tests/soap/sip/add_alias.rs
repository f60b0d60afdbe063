//! Sip.addAlias.

use ngn_tests::fixture::{account, domain, generous, person, reseller};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, record, sip_id};

fn alias(id: &str, target: &str) -> Value {
    record! { alias: record! { id: sip_id(id), target: sip_id(target) } }
}

both! {
    // B53, B79.
    fn refuses_what_cannot_be(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        domain(&other.client, "other.example");
        account(&acme.client, "alice@example.com");
        account(&other.client, "eve@other.example");
        let client = &acme.client;
        client.ok("Sip.addAlias", alias("info@example.com", "alice@example.com"));
        client.refused(1021, "Sip.addAlias", alias("INFO@example.com", "alice@example.com"));
        client.refused(1022, "Sip.addAlias", alias("alice@example.com", "alice@example.com"));
        client.refused(1010, "Sip.addAlias", alias("x@example.com", "bob@example.com"));
        client.refused(1000, "Sip.addAlias", alias("x@nowhere.example", "alice@example.com"));
        // Neither into nor towards what belongs to another.
        client.refused(1000, "Sip.addAlias", alias("x@other.example", "alice@example.com"));
        client.refused(1010, "Sip.addAlias", alias("x@example.com", "eve@other.example"));
        client.refused(1012, "Sip.addAlias", alias("a b@example.com", "alice@example.com"));
        client.refused(9001, "Sip.addAlias", record! { alias: record! { id: sip_id("x@example.com") } });
    }

    // B15, B16: customer and reseller come from the domain of the alias.
    fn inherits_from_its_domain(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        domain(&acme.client, "alias.example");
        account(&acme.client, "alice@example.com");
        let added = acme.client.ok("Sip.addAlias", record! { alias: record! {
            id: sip_id("Info@Alias.example"), target: sip_id("alice@example.com"), owner: 42, customer: 4711,
        } });
        assert_eq!(added.text_at("id/username"), "info");
        assert_eq!(added.int_at("owner"), 42);
        assert_eq!((added.int_at("customer"), added.int_at("reseller")), (acme.id, acme.id));
    }

    // B37.
    fn counts_credits(p) {
        let Value::List(mut properties) = generous() else { unreachable!() };
        properties[1] = properties[1].clone().with("value", "1");
        p.admin().ok("Customer.addAccount", record! {
            account: person("acme").with("resellerActive", true).with("properties", properties),
        });
        let acme = p.client(Login::customer("acme", "acme-password"));
        domain(&acme, "example.com");
        account(&acme, "alice@example.com");
        acme.ok("Sip.addAlias", alias("a@example.com", "alice@example.com"));
        acme.refused(8002, "Sip.addAlias", alias("b@example.com", "alice@example.com"));
        p.admin().ok("Sip.addAlias", alias("b@example.com", "alice@example.com"));
    }
}
