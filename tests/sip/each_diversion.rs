//! Each of the ten diversions, to phones and to numbers, seen by who calls (B80-B82).

use ngn_tests::fixture::{account, carrier, domain, route, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::sip::{Phone, Request, response};
use ngn_tests::{Value, record, sip_id};

use crate::fixture::DOMAIN;
use crate::pstn::{
    SETTINGS, answer, gateway, on_both, outcome, request_user, routes, stand_in, uri,
};

/// What makes a condition hold for the account that is called.
const CONDITIONS: [&str; 5] = ["UNV", "UNC", "NOL", "BUS", "NOA"];

fn set(p: &Platform, user: &str, operation: &str, member: &str, value: Value) {
    let request = record! { sipId: sip_id(&format!("{user}@{DOMAIN}")) }.with(member, value);
    p.admin().ok(operation, request);
    p.settle();
}

/// An account for a condition, and its phone, which is not registered where that is the condition.
fn callee(p: &Platform, condition: &str) -> Phone {
    let user = condition.to_ascii_lowercase();
    let address = format!("{user}@{DOMAIN}");
    let account = subscriber(&address).with("timeout", 1).with("groups", ["free-pstn"]);
    p.admin().ok("Sip.addAccount", record! { account: account });
    p.settle();
    let mut phone = Phone::new(p.sip_address(), &address, "secret");
    if condition != "NOL" {
        assert_eq!(phone.register(300).unwrap().status(), 200);
    }
    if condition == "UNV" {
        let nobody = record! { temporary: record! { groups: ["nobody"], duration: 0 } };
        set(p, &user, "Sip.setAcceptRules", "rules", nobody);
    }
    phone
}

/// Somebody of another domain calls.
fn ring(p: &Platform, user: &str) -> Phone {
    let caller = Phone::new(p.sip_address(), "stranger@elsewhere.example", "");
    let invite = Request::new("INVITE", &uri(user), &caller.aor(), &uri(user))
        .with("Contact", &format!("<{}>", caller.contact()));
    caller.send(&invite.bytes(&caller)).unwrap();
    caller
}

/// Lets the condition come true that only shows when the phone is called.
fn let_fail(phone: &Phone, condition: &str) {
    match condition {
        "BUS" => drop(answer(phone, "486 Busy Here")),
        "NOA" => {
            let invite = answer(phone, "180 Ringing");
            let cancel = phone.receive_where(|message| message.method() == "CANCEL").unwrap();
            phone.send(&response(&cancel, "200 OK", "callee", &[])).unwrap();
            phone.send(&response(&invite, "487 Request Terminated", "callee", &[])).unwrap();
        }
        _ => {}
    }
}

#[test]
fn b80_each_condition_forwards_and_redirects() {
    on_both(SETTINGS, |p| {
        domain(&p.admin(), DOMAIN);
        account(&p.admin(), &format!("target@{DOMAIN}"));
        let telco = stand_in(p);
        let carrier = carrier(&p.admin(), "Telco");
        gateway(p, carrier, "gw", telco.local());
        routes(p, vec![route(carrier, "")]);
        let mut target = Phone::new(p.sip_address(), &format!("target@{DOMAIN}"), "secret");
        assert_eq!(target.register(300).unwrap().status(), 200);
        for condition in CONDITIONS {
            let phone = callee(p, condition);
            let user = condition.to_ascii_lowercase();
            let divert = |kind: char, to: &str| {
                let member = format!("{kind}{condition}");
                let diversions = Value::empty().with(&member, to);
                set(p, &user, "Sip.setCallDiversions", "diversions", diversions);
            };
            // B80: F goes through the proxy.
            divert('F', &uri("target"));
            let caller = ring(p, &user);
            let_fail(&phone, condition);
            answer(&target, "200 OK");
            assert_eq!(outcome(&caller).status(), 200, "F{condition} on {}", p.backend);
            // B87: also to a telephone number, by the right of who diverts.
            divert('F', &uri("+431234567"));
            let caller = ring(p, &user);
            let_fail(&phone, condition);
            assert_eq!(request_user(&answer(&telco, "200 OK")), "00431234567", "F{condition}");
            assert_eq!(outcome(&caller).status(), 200, "F{condition} on {}", p.backend);
            // R tells the caller where to go.
            divert('R', "sip:mobile@elsewhere.example");
            let caller = ring(p, &user);
            let_fail(&phone, condition);
            let told = outcome(&caller);
            assert_eq!(told.status(), 302, "R{condition} on {}", p.backend);
            assert_eq!(told.header("contact"), Some("<sip:mobile@elsewhere.example>"));
            // Gone with the next set (B83).
            let nothing = Value::empty().with("nocondition", "empty");
            set(p, &user, "Sip.setCallDiversions", "diversions", nothing);
            let caller = ring(p, &user);
            let_fail(&phone, condition);
            if condition == "UNC" {
                answer(&phone, "200 OK");
            }
            let expected = match condition {
                "UNC" => 200,
                "BUS" => 486,
                "NOA" => 408,
                _ => 480,
            };
            assert_eq!(outcome(&caller).status(), expected, "{condition} on {}", p.backend);
        }
    });
}
