//! The life of a subscriber: sold over SOAP, found in DNS, reached over SIP, and gone again.

use std::thread;
use std::time::Duration;

use hickory_proto::rr::RecordType::NAPTR;
use ngn_tests::dns::{answers, code};
use ngn_tests::fixture::{account, customer, domain, enum_id, enum_number, range, reseller};
use ngn_tests::sip::{Message, Phone, Request, response};
use ngn_tests::{both, record, sip_id};

/// Calls an address; answers the challenge; gives the final response.
fn call(phone: &Phone, target: &str) -> Message {
    let invite = Request::new("INVITE", target, &phone.aor(), target)
        .with("Contact", &format!("<{}>", phone.contact()));
    let challenge = phone.transact(&invite).unwrap();
    if challenge.status() != 407 {
        return challenge;
    }
    phone.send(&invite.ack(&challenge).bytes(phone)).unwrap();
    let invite = invite.answer(&challenge, &phone.user, &phone.password).unwrap();
    let last = phone.transact(&invite).unwrap();
    if last.status() >= 300 {
        phone.send(&invite.ack(&last).bytes(phone)).unwrap();
    }
    last
}

/// Waits for an INVITE and answers it with 200; gives the INVITE.
fn take_call(phone: &Phone) -> Message {
    let invite = phone.receive_where(|m| m.method() == "INVITE").unwrap();
    let contact = format!("<{}>", phone.contact());
    phone.send(&response(&invite, "200 OK", "callee", &[("Contact", &contact)])).unwrap();
    phone.receive_where(|m| m.method() == "ACK" || m.method() == "INVITE").ok();
    invite
}

both! {
    fn a_subscriber_comes_and_goes(p) {
        let acme = reseller(p, "acme");
        let shop = customer(p, &acme, "shop");
        domain(&shop.client, "shop.example");
        account(&shop.client, "alice@shop.example");
        account(&shop.client, "bob@shop.example");
        shop.client.ok("Sip.addAlias", record! { alias: record! {
            id: sip_id("sales@shop.example"), target: sip_id("bob@shop.example"),
        } });
        range(&shop.client, "3120");
        shop.client.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:bob@shop.example") });
        p.settle();
        assert!(answers(p.dns_address(), "1.0.2.1.3.e164.arpa", NAPTR)[0].contains("sip:bob@shop.example"));

        let mut alice = Phone::new(p.sip_address(), "alice@shop.example", "secret");
        let mut bob = Phone::new(p.sip_address(), "bob@shop.example", "secret");
        assert_eq!(alice.register(300).unwrap().status(), 200);
        assert_eq!(call(&alice, "sip:bob@shop.example").status(), 480, "bob is offline");
        assert_eq!(bob.register(300).unwrap().status(), 200);
        assert_eq!(call(&alice, "sip:nobody@shop.example").status(), 404);

        // By address and by alias; the callee sees the way back through us (RFC 3261 section 16.6 step 4).
        for target in ["sip:bob@shop.example", "sip:sales@shop.example"] {
            thread::scope(|scope| {
                let taken = scope.spawn(|| take_call(&bob));
                assert_eq!(call(&alice, target).status(), 200, "{target}");
                let invite = taken.join().unwrap();
                assert!(invite.header("record-route").is_some_and(|r| r.contains(";lr")), "{invite:?}");
                assert_eq!(invite.all("via").join(",").matches("SIP/2.0/").count(), 2);
                assert!(invite.header("proxy-authorization").is_none(), "credentials were passed on");
            });
        }

        shop.client.ok("Sip.addToGroup", record! { sipId: sip_id("alice@shop.example"), group: "blocked" });
        p.settle();
        assert_eq!(call(&alice, "sip:bob@shop.example").status(), 403);
        shop.client.ok("Sip.removeFromGroup", record! { sipId: sip_id("alice@shop.example"), group: "blocked" });
        shop.client.ok("Sip.deleteAlias", record! { id: sip_id("sales@shop.example") });
        p.settle();
        assert_eq!(call(&alice, "sip:sales@shop.example").status(), 404);

        shop.client.ok("Sip.deleteAccount", record! { sipId: sip_id("bob@shop.example") });
        shop.client.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
        p.settle();
        assert_eq!(call(&alice, "sip:bob@shop.example").status(), 404);
        assert!(bob.receive_within(Duration::from_millis(300)).is_err(), "a deleted account was called");
        assert_eq!(code(p.dns_address(), "1.0.2.1.3.e164.arpa", NAPTR), hickory_proto::op::ResponseCode::NXDomain);
        shop.client.ok("Sip.deleteAccount", record! { sipId: sip_id("alice@shop.example") });
        shop.client.ok("Sip.deleteDomain", record! { domain: "shop.example" });
        shop.client.ok("Enum.deleteRange", record! { range: record! { prefix: "3120", tld: "e164.arpa" } });
        acme.client.ok("Customer.deleteAccount", record! { id: shop.id });
    }
}
