//! Voicemail servers: resellers' own and the platform's (B39, B85, B89, B156), and message summaries (B154, RFC 3842).

use std::fs;

use ngn_tests::database::Backend;
use ngn_tests::fixture::{Tenant, account, domain, reseller};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Message, Phone, Request, response};
use ngn_tests::{record, sip_id};

use crate::fixture::DOMAIN;
use crate::pstn::{answer, call, outcome, request_user, uri};

/// A reseller with a domain; Alice, who has mailbox 1000000 and diverts to it, and Bob, who has none.
fn fill(p: &Platform) -> Tenant {
    let acme = reseller(p, "acme");
    domain(&acme.client, DOMAIN);
    let alice = format!("alice@{DOMAIN}");
    account(&acme.client, &alice);
    account(&acme.client, &format!("bob@{DOMAIN}"));
    let mailbox = record! { sipId: sip_id(&alice), password: "4711", name: "Alice", email: "alice@example.com" };
    acme.client.ok("Voicemail.addAccount", record! { account: mailbox });
    let diversions = record! { FBUS: "<voice-mailbox>", FNOL: "<voice-mailbox>" };
    acme.client
        .ok("Sip.setCallDiversions", record! { sipId: sip_id(&alice), diversions: diversions });
    p.settle();
    acme
}

fn phone(p: &Platform, name: &str) -> Phone {
    Phone::new(p.sip_address(), &format!("{name}@{DOMAIN}"), "secret")
}

fn server(p: &Platform) -> Phone {
    Phone::new(p.sip_address(), "asterisk@voicemail.example", "")
}

/// The reseller names its server.
fn name_server(p: &Platform, acme: &Tenant, value: &str) {
    let property = record! { name: "voicemail_server", value: value, permission: "reseller" };
    p.admin()
        .ok("Customer.setProperties", record! { customer: acme.id, properties: vec![property] });
    p.settle();
}

fn on_both(test: impl Fn(&mut Platform)) {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        test(&mut Platform::start(backend));
    }
}

/// Somebody elsewhere calls Alice.
fn ring(p: &Platform) -> Phone {
    let caller = Phone::new(p.sip_address(), "stranger@elsewhere.example", "");
    let contact = format!("<{}>", caller.contact());
    let invite = Request::new("INVITE", &uri("alice"), &caller.aor(), &uri("alice"))
        .with("Contact", &contact);
    caller.send(&invite.bytes(&caller)).unwrap();
    caller
}

// B85, B89, B156: deposits and access go to the server of the account's reseller, else to the platform's.
#[test]
fn b89_messages_go_to_the_server_of_the_reseller() {
    on_both(|p| {
        let acme = fill(p);
        // Nobody has a server: the mailbox leads nowhere.
        assert_eq!(outcome(&ring(p)).status(), 480);

        let platforms = server(p);
        let settings = format!("[proxy]\nvoicemail_server = \"{}\"\n", platforms.local());
        fs::write(p.data().join("sipd.toml"), settings).unwrap();
        p.stop();
        p.launch();
        let caller = ring(p);
        assert_eq!(request_user(&answer(&platforms, "200 OK")), "1000000");
        assert_eq!(outcome(&caller).status(), 200);

        let own = server(p);
        name_server(p, &acme, &format!("sip:{}", own.local()));
        let caller = ring(p);
        assert_eq!(request_user(&answer(&own, "200 OK")), "1000000");
        assert_eq!(outcome(&caller).status(), 200);
        // Busy.
        let mut alice = phone(p, "alice");
        assert_eq!(alice.register(300).unwrap().status(), 200);
        let caller = ring(p);
        answer(&alice, "486 Busy Here");
        assert_eq!(request_user(&answer(&own, "200 OK")), "1000000");
        assert_eq!(outcome(&caller).status(), 200);
        // To listen.
        call(&alice, &uri("*70"), &[]);
        assert_eq!(request_user(&answer(&own, "200 OK")), "*701000000");
        assert_eq!(outcome(&alice).status(), 200);

        // What is no server counts as none: the platform's again.
        for value in ["not a server", ""] {
            name_server(p, &acme, value);
            call(&alice, &uri("*70"), &[]);
            assert_eq!(request_user(&answer(&platforms, "200 OK")), "*701000000");
            assert_eq!(outcome(&alice).status(), 200);
        }
    });
}

fn subscribe(phone: &Phone, user: &str) -> Request {
    let contact = format!("<{}>", phone.contact());
    let request = Request::new("SUBSCRIBE", &uri(user), &phone.aor(), &uri(user))
        .with("Contact", &contact)
        .with("Event", "message-summary")
        .with("Expires", "300")
        .with("Accept", "application/simple-message-summary");
    let challenge = phone.transact(&request).unwrap();
    assert_eq!(challenge.status(), 407);
    request.answer(&challenge, &phone.user, &phone.password).unwrap()
}

fn take(phone: &Phone, method: &str) -> Message {
    phone.receive_where(|message| message.method() == method).unwrap()
}

const SUMMARY: &str = "Messages-Waiting: yes\r\nVoice-Message: 1/0 (0/0)\r\n";

fn notify(to: &str, from: &str) -> Request {
    let mut notify = Request::new("NOTIFY", to, from, to)
        .with("Event", "message-summary")
        .with("Subscription-State", "active")
        .with("Content-Type", "application/simple-message-summary");
    notify.body = SUMMARY.to_owned();
    notify
}

// RFC 3842 section 4, RFC 6665: a phone subscribes at its mailbox, and is told within that subscription.
#[test]
fn b154_an_account_watches_its_mailbox() {
    on_both(|p| {
        let acme = fill(p);
        let (alice, bob, own) = (phone(p, "alice"), phone(p, "bob"), server(p));
        // Without a server, and by somebody else.
        assert_eq!(alice.transact(&subscribe(&alice, "alice")).unwrap().status(), 404);
        name_server(p, &acme, &own.local().to_string());
        assert_eq!(bob.transact(&subscribe(&bob, "alice")).unwrap().status(), 403);
        assert_eq!(bob.transact(&subscribe(&bob, "bob")).unwrap().status(), 404, "no mailbox");

        let asked = subscribe(&alice, "alice");
        alice.send(&asked.bytes(&alice)).unwrap();
        let arrived = take(&own, "SUBSCRIBE");
        assert_eq!(request_user(&arrived), "1000000");
        assert_eq!(arrived.header("event"), Some("message-summary"));
        assert!(arrived.header("proxy-authorization").is_none(), "RFC 3261 section 22.3");
        let contact = format!("<{}>", own.contact());
        own.send(&response(&arrived, "200 OK", "vm", &[("Contact", &contact), ("Expires", "300")]))
            .unwrap();
        let answered = alice.receive_where(|message| message.status() >= 200).unwrap();
        assert_eq!(answered.status(), 200);

        // By the routes that the request recorded.
        let mut told = notify(&alice.contact(), &uri("alice"));
        told.to = alice.aor();
        told.from_tag = "vm".to_owned();
        told.to_parameters = format!(";tag={}", asked.from_tag);
        told.call_id = asked.call_id.clone();
        for route in arrived.all("record-route") {
            told = told.with("Route", route);
        }
        own.send(&told.bytes(&own)).unwrap();
        let summary = take(&alice, "NOTIFY");
        assert_eq!(summary.body, SUMMARY);
        alice.send(&response(&summary, "200 OK", &asked.from_tag, &[])).unwrap();
        assert_eq!(own.receive_where(|m| m.status() > 0).unwrap().status(), 200);
    });
}

// RFC 3842 section 4.1: a server tells without being asked; all phones hear it, whatever the rules for calls are.
#[test]
fn b154_a_voicemail_server_tells_the_phones() {
    on_both(|p| {
        let acme = fill(p);
        let own = server(p);
        let tell = |own: &Phone| own.transact(&notify(&uri("alice"), &own.aor())).unwrap().status();
        // It is nobody yet.
        assert_eq!(tell(&own), 403);
        name_server(p, &acme, &own.local().to_string());
        // Its address is looked up meanwhile; and nobody is registered.
        eventually("the server is known", || (tell(&own) == 480).then_some(()));

        let phones = [phone(p, "alice"), phone(p, "alice")].map(|mut phone| {
            assert_eq!(phone.register(300).unwrap().status(), 200);
            phone
        });
        let diversions = record! { FUNC: uri("bob").as_str() };
        let id = sip_id(&format!("alice@{DOMAIN}"));
        acme.client.ok("Sip.setCallDiversions", record! { sipId: id, diversions: diversions });
        p.settle();
        let told = notify(&uri("alice"), &own.aor());
        own.send(&told.bytes(&own)).unwrap();
        for phone in &phones {
            let summary = take(phone, "NOTIFY");
            assert_eq!(
                (summary.body.as_str(), request_user(&summary).as_str()),
                (SUMMARY, "alice")
            );
            phone.send(&response(&summary, "200 OK", "phone", &[])).unwrap();
        }
        assert_eq!(own.receive_where(|m| m.status() >= 200).unwrap().status(), 200);
        assert_eq!(own.transact(&notify(&uri("nobody"), &own.aor())).unwrap().status(), 404);

        // That is all that its address is good for: who calls in the name of an account is asked for its password.
        let invite = Request::new("INVITE", &uri("bob"), &uri("alice"), &uri("bob"))
            .with("Contact", &format!("<{}>", own.contact()));
        assert_eq!(own.transact(&invite).unwrap().status(), 407);
    });
}
