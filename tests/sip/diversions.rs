//! What is provisioned over SOAP about calls to an account, seen by its callers (B80-B97).

use ngn_tests::fixture::{account, domain};
use ngn_tests::platform::Platform;
use ngn_tests::sip::{Message, Phone, Request, response};
use ngn_tests::{Value, both, record, sip_id};

use crate::fixture::DOMAIN;

fn uri(user: &str) -> String {
    format!("sip:{user}@{DOMAIN}")
}

/// Accounts `p0` to `p2`; phones for those two that are asked for, registered.
fn phones(p: &Platform, online: &[usize]) -> Vec<Phone> {
    domain(&p.admin(), DOMAIN);
    for n in 0..3 {
        account(&p.admin(), &format!("p{n}@{DOMAIN}"));
    }
    p.settle();
    let phone = |n: &usize| {
        let mut phone = Phone::new(p.sip_address(), &format!("p{n}@{DOMAIN}"), "secret");
        assert_eq!(phone.register(300).unwrap().status(), 200);
        phone
    };
    online.iter().map(phone).collect()
}

fn set(p: &Platform, operation: &str, member: &str, value: Value) {
    let request = record! { sipId: sip_id(&format!("p0@{DOMAIN}")) }.with(member, value);
    p.admin().ok(operation, request);
    p.settle();
}

fn divert(p: &Platform, condition: &str, target: &str) {
    set(p, "Sip.setCallDiversions", "diversions", Value::empty().with(condition, target));
}

/// Somebody of another domain calls `p0`.
fn ring(p: &Platform, from: &str) -> Phone {
    let caller = Phone::new(p.sip_address(), from, "");
    let invite = Request::new("INVITE", &uri("p0"), &caller.aor(), &uri("p0"))
        .with("Contact", &format!("<{}>", caller.contact()));
    caller.send(&invite.bytes(&caller)).unwrap();
    caller
}

/// A phone is called, and answers so.
fn answer(phone: &Phone, status: &str) {
    let invite = phone.receive_where(|message| message.method() == "INVITE").unwrap();
    let contact = format!("<{}>", phone.contact());
    phone.send(&response(&invite, status, "callee", &[("Contact", &contact)])).unwrap();
}

fn outcome(caller: &Phone) -> Message {
    caller.receive_where(|message| message.status() >= 200).unwrap()
}

const STRANGER: &str = "stranger@elsewhere.example";

both! {
    fn b81_unconditional(p) {
        let phones = phones(p, &[0, 1]);
        divert(p, "FUNC", &uri("p1"));
        let caller = ring(p, STRANGER);
        answer(&phones[1], "200 OK");
        assert_eq!(outcome(&caller).status(), 200);
    }

    fn b81_not_online(p) {
        let phones = phones(p, &[1]);
        assert_eq!(outcome(&ring(p, STRANGER)).status(), 480);
        divert(p, "FNOL", &uri("p1"));
        let caller = ring(p, STRANGER);
        answer(&phones[0], "200 OK");
        assert_eq!(outcome(&caller).status(), 200);
    }

    fn b81_busy(p) {
        let phones = phones(p, &[0, 1]);
        divert(p, "FBUS", &uri("p1"));
        let caller = ring(p, STRANGER);
        answer(&phones[0], "486 Busy Here");
        answer(&phones[1], "200 OK");
        assert_eq!(outcome(&caller).status(), 200);
    }

    fn b81_no_answer(p) {
        let phones = phones(p, &[0, 1]);
        let account = record! { id: sip_id(&format!("p0@{DOMAIN}")), timeout: 1 };
        p.admin().ok("Sip.updateAccount", record! { account: account });
        divert(p, "FNOA", &uri("p1"));
        let caller = ring(p, STRANGER);
        answer(&phones[0], "180 Ringing");
        answer(&phones[1], "200 OK");
        assert_eq!(outcome(&caller).status(), 200);
    }

    // B80: the caller is told where to go.
    fn b80_redirections(p) {
        let phones = phones(p, &[0]);
        divert(p, "RUNC", "sip:mobile@elsewhere.example");
        let told = outcome(&ring(p, STRANGER));
        assert_eq!((told.status(), told.header("contact")), (302, Some("<sip:mobile@elsewhere.example>")));
        divert(p, "RBUS", "sip:desk@elsewhere.example");
        let caller = ring(p, STRANGER);
        answer(&phones[0], "486 Busy Here");
        let told = outcome(&caller);
        assert_eq!((told.status(), told.header("contact")), (302, Some("<sip:desk@elsewhere.example>")));
    }

    // B80: diversions are of calls; a message comes to the phones of whom it is for, or to nobody.
    fn b80_messages_are_not_diverted(p) {
        let mut phones = phones(p, &[0, 1]);
        set(p, "Sip.setCallDiversions", "diversions", Value::empty().with("FUNC", uri("p1")).with("FNOL", uri("p1")));
        let caller = Phone::new(p.sip_address(), STRANGER, "");
        let message = || Request::new("MESSAGE", &uri("p0"), &caller.aor(), &uri("p0"));
        let first = message();
        caller.send(&first.bytes(&caller)).unwrap();
        let arrived = phones[0].receive_where(|message| message.method() == "MESSAGE").unwrap();
        phones[0].send(&response(&arrived, "200 OK", "callee", &[])).unwrap();
        assert_eq!(outcome(&caller).status(), 200);
        assert_eq!(phones[0].register(0).unwrap().status(), 200);
        assert_eq!(caller.transact(&message()).unwrap().status(), 480);
        let call = ring(p, STRANGER);
        answer(&phones[1], "200 OK");
        assert_eq!(outcome(&call).status(), 200);
    }

    fn b95_do_not_disturb(p) {
        let phones = phones(p, &[0, 1]);
        let nobody = |groups: Value| record! { temporary: record! { groups: groups, duration: 0 } };
        set(p, "Sip.setAcceptRules", "rules", nobody(["nobody"].into()));
        assert_eq!(outcome(&ring(p, STRANGER)).status(), 480);
        divert(p, "FUNV", &uri("p1"));
        let caller = ring(p, STRANGER);
        answer(&phones[1], "200 OK");
        assert_eq!(outcome(&caller).status(), 200);
        // B91: those of a group of the phone book get through.
        set(p, "Sip.setAcceptRules", "rules", nobody(["vip"].into()));
        set(p, "Sip.addPhonebookEntry", "entry", record! { uri: STRANGER, group: "vip" });
        let caller = ring(p, STRANGER);
        answer(&phones[0], "200 OK");
        assert_eq!(outcome(&caller).status(), 200);
    }

    fn b97_rejected_callers(p) {
        let phones = phones(p, &[0]);
        set(p, "Sip.setRejectMembers", "members", ["sip:%@elsewhere.example"].into());
        assert_eq!(outcome(&ring(p, STRANGER)).status(), 603);
        let caller = ring(p, "friend@other.example");
        answer(&phones[0], "200 OK");
        assert_eq!(outcome(&caller).status(), 200);
    }
}
