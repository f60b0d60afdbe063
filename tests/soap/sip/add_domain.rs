//! Sip.addDomain.

use ngn_tests::fixture::{customer, reseller};
use ngn_tests::{Value, both, matching, record};

both! {
    // 1001 is told even when the domain is somebody else's: the key space is global (D3).
    fn refuses_a_taken_name(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        acme.client.ok("Sip.addDomain", record! { domain: record! { domain: "example.com" } });
        other.client.refused(1001, "Sip.addDomain", record! { domain: record! { domain: "example.com" } });
        p.admin().refused(1001, "Sip.addDomain", record! { domain: record! { domain: "EXAMPLE.com" } });
    }

    // B51.
    fn refuses_bad_names(p) {
        let admin = p.admin();
        for bad in ["exa mple.com", "example.com/", "-", "a..b", "ex_ample.com%", "example.c\u{fc}m\u{0}"] {
            let fault = match admin.try_call("Sip.addDomain", &record! { domain: record! { domain: bad } }) {
                Ok(answer) => answer.outcome.unwrap_err(),
                Err(error) => panic!("{bad:?}: {error:#}"),
            };
            assert!(matches!(fault.code, 1012 | 9004), "{bad:?}: {} {}", fault.code, fault.text);
        }
        admin.refused(9001, "Sip.addDomain", Value::empty());
        admin.refused(9001, "Sip.addDomain", record! { domain: record! { customer: 1 } });
        assert_eq!(admin.ok("Sip.getDomains", matching(Value::empty())).int_at("total"), 0);
    }

    // B50: lower case; B9, B14: whose it is.
    fn stamps_the_owner(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let owner = |added: &ngn_tests::xml::Node| (added.int_at("customer"), added.int_at("reseller"));
        let add = |client: &ngn_tests::soap::Client, name: &str, customer: i64, reseller: i64| {
            let added = client.ok("Sip.addDomain", record! { domain: record! {
                domain: name, customer: customer, reseller: reseller,
            } });
            owner(&added)
        };
        let added = p.admin().ok("Sip.addDomain", record! { domain: record! { domain: "Example.COM" } });
        assert_eq!(added.text_at("domain"), "example.com");
        assert_eq!(owner(&added), (0, 0));
        assert_eq!(add(&p.admin(), "b.example", child.id, acme.id), (child.id, acme.id));
        assert_eq!(add(&child.client, "c.example", other.id, other.id), (child.id, acme.id));
        assert_eq!(add(&acme.client, "d.example", child.id, other.id), (child.id, acme.id));
        assert_eq!(add(&acme.client, "e.example", other.id, other.id), (acme.id, acme.id));
        assert_eq!(add(&p.admin().impersonating(child.id), "f.example", 0, 0), (child.id, acme.id));
    }

    // B21: an inactive reseller creates nothing, nor do its children.
    fn refuses_inactive_resellers(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        p.admin().ok("Customer.updateAccount", record! { account: ngn_tests::fixture::person("acme")
            .with("id", acme.id).with("reseller", acme.id).with("resellerActive", false) });
        for client in [&acme.client, &child.client] {
            client.refused(5003, "Sip.addDomain", record! { domain: record! { domain: "example.com" } });
        }
    }

    // The attributes of the TLS profile come back; booleans are never nil (R13).
    fn stores_every_attribute(p) {
        p.admin().ok("Sip.addDomain", record! { domain: record! {
            domain: "tls.example", certificate: "-----BEGIN <x>\nÄ", private_key: "key",
            match_ip_address: "192.0.2.1", match_sip_domain: "tls.example", verify_cert: 1, require_cert: "0",
        } });
        p.admin().ok("Sip.addDomain", record! { domain: record! { domain: "plain.example" } });
        let found = p.admin().ok("Sip.getDomains", ngn_tests::query(Value::empty(), "domain", "DESC", 0, 9));
        assert_eq!(found.column("domains", "domain"), ["tls.example", "plain.example"]);
        let tls = found.at("domains/0");
        assert_eq!(tls.text_at("certificate"), "-----BEGIN <x>\nÄ");
        assert_eq!(tls.text_at("private_key"), "key");
        assert_eq!((tls.text_at("verify_cert"), tls.text_at("require_cert")), ("true", "false"));
        assert_eq!(found.text_at("domains/1/verify_cert"), "false");
    }
}
