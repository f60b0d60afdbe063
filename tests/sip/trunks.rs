//! Trunks (trusted peers, B145 to B148): whom they reach, by which routes, and how much.

use std::time::Duration;

use ngn_tests::fixture::{carrier, enum_number, range, route};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Phone, response};
use ngn_tests::{Value, record, sip_id};

use crate::fixture::DOMAIN;
use crate::pstn::{
    SETTINGS, answer, call_without_password, caller, gateway, last, on_both, request_user, routes,
    stand_in,
};

/// Where trunks call from; phones are elsewhere.
const TRUNK: &str = "127.0.0.2";

fn trunk(p: &Platform) -> Phone {
    Phone::at(TRUNK, p.sip_address(), "+4366412345@trunk.example", "")
}

/// Makes the trunk's address a trusted peer, or changes what it may.
fn trust(p: &Platform, operation: &str, attributes: Value) {
    let Value::Record(mut members) = attributes else { panic!("no record") };
    members.insert(0, ("ip".into(), TRUNK.into()));
    p.admin().ok(operation, record! { peer: Value::Record(members) });
    p.settle();
}

fn number(p: &Platform, number: &str) -> String {
    format!("sip:{number}@{}", p.sip_address())
}

// B145: a peer is known by its host name too, whose addresses are looked up.
#[test]
fn b145_a_trunk_by_host_name() {
    on_both(SETTINGS, |p| {
        let mut bob = caller(p, "bob", &[], "");
        assert_eq!(bob.register(300).unwrap().status(), 200);
        let phone = Phone::new(p.sip_address(), "+4366412345@trunk.example", "");
        let gw = Phone::at(TRUNK, p.sip_address(), "gateway@carrier.example", "");
        let telco = carrier(&p.admin(), "Telco");
        let to = record! { name: "gw", carrier_id: telco, ip: TRUNK, port: i64::from(gw.local().port()) };
        p.admin().ok("Sip.addGateway", record! { gateway: to });
        routes(p, vec![route(telco, "")]);
        let before = call_without_password(&phone, &number(p, "+431234567"));
        assert!(matches!(last(&phone, &before).status(), 403 | 404), "it is nobody yet");
        p.admin().ok("Sip.addTrustedPeer", record! { peer: record! { ip: "localhost" } });
        p.settle();
        // The name is looked up beside everything else.
        let arrived = eventually("the trunk is known", || {
            let call = call_without_password(&phone, &number(p, "+431234567"));
            let arrived = gw.receive_within(Duration::from_millis(300)).ok()?;
            gw.send(&response(&arrived, "486 Busy Here", "gw", &[])).unwrap();
            assert_eq!(last(&phone, &call).status(), 486);
            Some(arrived)
        });
        assert_eq!(request_user(&arrived), "00431234567");
        p.admin().ok("Sip.deleteTrustedPeer", record! { ip: "localhost" });
        p.settle();
        let after = call_without_password(&phone, &number(p, "+431234567"));
        assert!(matches!(last(&phone, &after).status(), 403 | 404), "it is nobody any more");
    });
}

// B147: `enumLookup` says whether numbers that a trunk calls are looked for in ENUM.
#[test]
fn b147_enum_for_trunks() {
    on_both(SETTINGS, |p| {
        let mut bob = caller(p, "bob", &[], "");
        assert_eq!(bob.register(300).unwrap().status(), 200);
        let (trunk, gw) = (trunk(p), stand_in(p));
        let telco = carrier(&p.admin(), "Telco");
        gateway(p, telco, "gw", gw.local());
        routes(p, vec![route(telco, "")]);
        range(&p.admin(), "43720");
        let to_bob = enum_number("43720555", &format!("sip:bob@{DOMAIN}"));
        p.admin().ok("Enum.addNumber", record! { number: to_bob });
        trust(p, "Sip.addTrustedPeer", record! {});
        let call = call_without_password(&trunk, &number(p, "+43720555"));
        assert_eq!(request_user(&answer(&bob, "486 Busy Here")), "bob");
        assert_eq!(last(&trunk, &call).status(), 486);
        // Changed by its record before it is looked for.
        trust(p, "Sip.updateTrustedPeer", record! { strip: 1, prefix: "0043720" });
        let call = call_without_password(&trunk, &number(p, "9555"));
        assert_eq!(request_user(&answer(&bob, "486 Busy Here")), "bob");
        assert_eq!(last(&trunk, &call).status(), 486);
        let without = record! { strip: 0, prefix: "", enumLookup: false };
        trust(p, "Sip.updateTrustedPeer", without);
        let call = call_without_password(&trunk, &number(p, "+43720555"));
        assert_eq!(request_user(&answer(&gw, "486 Busy Here")), "0043720555");
        assert_eq!(last(&trunk, &call).status(), 486);
    });
}

// B147: in transit a trunk reaches domains that are not ours.
#[test]
fn b147_transit() {
    on_both(SETTINGS, |p| {
        caller(p, "bob", &[], "");
        let (trunk, other) = (trunk(p), stand_in(p));
        let outside = format!("sip:carol@{}", other.local());
        trust(p, "Sip.addTrustedPeer", record! {});
        let call = call_without_password(&trunk, &outside);
        assert_eq!(last(&trunk, &call).status(), 403);
        trust(p, "Sip.updateTrustedPeer", record! { transit: true });
        let call = call_without_password(&trunk, &outside);
        assert_eq!(request_user(&answer(&other, "486 Busy Here")), "carol");
        assert_eq!(last(&trunk, &call).status(), 486);
        trust(p, "Sip.updateTrustedPeer", record! { transit: true, blocked: 1 });
        let call = call_without_password(&trunk, &outside);
        assert_eq!(last(&trunk, &call).status(), 403);
    });
}

// B132, B147: a trunk's originator chooses routes, unless it names the carrier itself.
#[test]
fn b132_routes_of_a_trunk() {
    on_both(SETTINGS, |p| {
        let trunk = trunk(p);
        let gateways = [stand_in(p), stand_in(p), stand_in(p)];
        let mut carriers = Vec::new();
        for (n, gw) in gateways.iter().enumerate() {
            let id = carrier(&p.admin(), &format!("Carrier {n}"));
            gateway(p, id, &format!("gw{n}"), gw.local());
            carriers.push(id);
        }
        let for_sales = route(carriers[1], "0043").with("originator", "sales");
        routes(p, vec![route(carriers[0], "0043"), for_sales]);
        let goes_to = |n: usize| {
            let call = call_without_password(&trunk, &number(p, "+431234567"));
            assert_eq!(request_user(&answer(&gateways[n], "486 Busy Here")), "00431234567");
            assert_eq!(last(&trunk, &call).status(), 486);
            call
        };
        trust(p, "Sip.addTrustedPeer", record! {});
        _ = goes_to(0);
        trust(p, "Sip.updateTrustedPeer", record! { originator: "sales" });
        _ = goes_to(1);
        let named = record! { originator: "sales", carrierName: "Carrier 2" };
        trust(p, "Sip.updateTrustedPeer", named);
        _ = goes_to(2);
        // Originators may be written as URIs.
        trust(p, "Sip.updateTrustedPeer", record! { originator: "sip:Sales" });
        let called = goes_to(1);
        // What was called is in the record, though it is in no domain of ours, or in none at all.
        let tel = call_without_password(&trunk, "tel:+431234567");
        assert_eq!(request_user(&answer(&gateways[1], "486 Busy Here")), "00431234567");
        assert_eq!(last(&trunk, &tel).status(), 486);
        let at_our_address = format!("+431234567@{}", p.sip_address().ip());
        for (call, expected) in [(called, &*at_our_address), (tel, "tel:+431234567")] {
            let row = format!(
                "SELECT CanonicalURI FROM radacct WHERE AcctSessionId = '{}'",
                call.call_id
            );
            eventually("the record", || (p.database.sql(&row).trim() == expected).then_some(()));
        }
    });
}

// B145, B147: a call counts until it is over.
#[test]
fn b147_call_limit() {
    on_both(SETTINGS, |p| {
        let mut bob = caller(p, "bob", &[], "");
        assert_eq!(bob.register(300).unwrap().status(), 200);
        let trunk = trunk(p);
        trust(p, "Sip.addTrustedPeer", record! { callLimit: 1 });
        let alias = record! { id: sip_id(&format!("+43720111@{DOMAIN}")), target: sip_id(&format!("bob@{DOMAIN}")) };
        p.admin().ok("Sip.addAlias", record! { alias: alias });
        p.settle();
        let refused = |why: &str| {
            let call = call_without_password(&trunk, &number(p, "+43720111"));
            assert_eq!(last(&trunk, &call).start, "SIP/2.0 403 Call Limit Reached", "{why}");
        };
        let first = call_without_password(&trunk, &number(p, "+43720111"));
        let ringing = bob.receive_where(|m| m.method() == "INVITE").unwrap();
        refused("while it rings");
        let contact = format!("<{}>", bob.contact());
        bob.send(&response(&ringing, "200 OK", "callee", &[("Contact", &contact)])).unwrap();
        let answered = last(&trunk, &first);
        assert_eq!(answered.status(), 200);
        refused("while it lasts");
        let bye = first.bye(&answered);
        trunk.send(&bye.bytes(&trunk)).unwrap();
        let over = bob.receive_where(|m| m.method() == "BYE").unwrap();
        bob.send(&response(&over, "200 OK", "callee", &[])).unwrap();
        trunk.receive_where(|m| m.header("cseq").is_some_and(|c| c.ends_with("BYE"))).unwrap();
        let next = call_without_password(&trunk, &number(p, "+43720111"));
        bob.receive_where(|m| m.method() == "INVITE" && m.header("call-id") == Some(&next.call_id))
            .map(|again| bob.send(&response(&again, "486 Busy Here", "x", &[])).unwrap())
            .unwrap();
        assert_eq!(last(&trunk, &next).status(), 486);
    });
}
