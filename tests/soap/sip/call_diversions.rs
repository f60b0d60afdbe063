//! Sip.setCallDiversions and getCallDiversions.

use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::soap::Client;
use ngn_tests::xml::Node;
use ngn_tests::{Value, both, record, sip_id};

const MEMBERS: [&str; 10] =
    ["FUNC", "FNOL", "FUNV", "FNOA", "FBUS", "RUNC", "RNOL", "RUNV", "RNOA", "RBUS"];

fn set(diversions: Value) -> Value {
    record! { sipId: sip_id("alice@example.com"), diversions: diversions }
}

fn get(client: &Client) -> Node {
    client.ok("Sip.getCallDiversions", record! { sipId: sip_id("alice@example.com") })
}

/// The members that hold something.
fn given(found: &Node) -> Vec<(&'static str, String)> {
    let filled = MEMBERS.into_iter().filter(|name| !found.is_nil_at(name));
    filled.map(|name| (name, found.text_at(name).to_owned())).collect()
}

both! {
    // R6: the client fails on a result without members.
    fn carries_all_members_when_nothing_is_set(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let found = get(&acme.client);
        let names: Vec<&str> = found.children.iter().map(|child| child.name.as_str()).collect();
        assert_eq!(names, MEMBERS);
        assert!(MEMBERS.iter().all(|name| found.is_nil_at(name)));
    }

    // B83: what is missing, nil or empty is removed; unknown members alone clear all.
    fn replaces_the_complete_set(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        client.ok("Sip.setCallDiversions", set(record! {
            FUNC: "sip:bob@example.com", FBUS: "<voice-mailbox>", FNOA: "sip:+31201234567@example.com",
        }));
        assert_eq!(given(&get(client)), [
            ("FUNC", "sip:bob@example.com".to_owned()),
            ("FNOA", "sip:+31201234567@example.com".to_owned()),
            ("FBUS", "<voice-mailbox>".to_owned()),
        ]);
        client.ok("Sip.setCallDiversions", set(record! { FNOL: "sip:carol@example.com", FUNC: "" }));
        assert_eq!(given(&get(client)), [("FNOL", "sip:carol@example.com".to_owned())]);
        client.ok("Sip.setCallDiversions", set(record! { nocondition: "empty" }));
        assert_eq!(given(&get(client)), []);
    }

    // B84 to B87.
    fn completes_and_keeps_targets(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        client.ok("Sip.setCallDiversions", set(record! {
            FUNC: "+31201234567", RUNC: "sip:never@example.com", RNOA: "bob@Example.org",
            FBUS: "voice-mailbox", FNOL: "<mobile-number>",
        }));
        assert_eq!(given(&get(client)), [
            ("FUNC", "sip:+31201234567@example.com".to_owned()),
            ("FNOL", "<mobile-number>".to_owned()),
            ("FBUS", "<voice-mailbox>".to_owned()),
            ("RNOA", "sip:bob@Example.org".to_owned()),
        ]);
    }

    fn refuses_what_is_no_target(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        client.ok("Sip.setCallDiversions", set(record! { FBUS: "sip:bob@example.com" }));
        let fault = client.fault("Sip.setCallDiversions", set(record! { FUNC: "mailto:bob@example.com" }));
        assert_eq!(fault.code, 9000);
        assert!(fault.text.contains("diversions.FUNC") && fault.text.contains("mailto:bob@example.com"), "{fault:?}");
        client.refused(9000, "Sip.setCallDiversions", set(record! { RBUS: "bob" }));
        client.refused(9001, "Sip.setCallDiversions", record! { sipId: sip_id("alice@example.com") });
        client.refused(9001, "Sip.setCallDiversions", record! { diversions: record! { FUNC: "sip:bob@example.com" } });
        client.refused(9001, "Sip.getCallDiversions", Value::empty());
        client.refused(1012, "Sip.getCallDiversions", record! { sipId: sip_id("a b@example.com") });
        // An argument is looked at before the account (D3).
        let stranger = record! { sipId: sip_id("zoe@example.com"), diversions: record! { FUNC: "bob" } };
        client.refused(9000, "Sip.setCallDiversions", stranger);
        client.refused(1010, "Sip.setCallDiversions", record! {
            sipId: sip_id("zoe@example.com"), diversions: record! { FUNC: "sip:bob@example.com" },
        });
        client.refused(1010, "Sip.getCallDiversions", record! { sipId: sip_id("zoe@example.com") });
        other.client.refused(1010, "Sip.setCallDiversions", set(record! { FUNC: "sip:eve@example.com" }));
        other.client.refused(1010, "Sip.getCallDiversions", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(given(&get(client)), [("FBUS", "sip:bob@example.com".to_owned())]);
    }

    // B57: an account made again begins without.
    fn go_with_their_account(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let client = &acme.client;
        client.ok("Sip.setCallDiversions", set(record! { FBUS: "sip:bob@example.com" }));
        client.ok("Sip.deleteAccount", record! { sipId: sip_id("alice@example.com") });
        account(client, "alice@example.com");
        assert_eq!(given(&get(client)), []);
    }
}
