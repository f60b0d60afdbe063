//! Registrations over each transport: what is kept, in which order, for how long, and what is refused.

use std::time::Duration;

use ngn_tests::sip::{Message, Phone, Request};

use crate::fixture::DOMAIN;
use crate::pstn::{call, request_user};
use crate::world::{ALL, Tcp, Tls, Udp, World, Ws, outcome, over, over_in, reply, take, uri_of};

/// The contacts of a 200.
fn contacts(response: &Message) -> Vec<String> {
    assert_eq!(response.status(), 200, "{}", response.start);
    response.all("contact").iter().map(|contact| uri_of(contact)).collect()
}

fn listed(phone: &mut Phone) -> Vec<String> {
    contacts(&phone.register_with(&[]).unwrap())
}

/// Registers a contact as it stands.
fn bind(phone: &mut Phone, contact: &str) -> Message {
    phone.register_with(&[("Contact", contact)]).unwrap()
}

// RFC 3261 section 10.3 steps 7 and 8: several contacts in one request and in one field, listed with what was said of them.
#[test]
fn several_contacts_are_listed() {
    over(ALL, |world, over| {
        let mut alice = world.offline("alice", over);
        let both = "<sip:a@192.0.2.1>;q=0.3, \"Desk\" <sip:b@192.0.2.2>;expires=120";
        let fields = [("Contact", both), ("Contact", "sip:c@192.0.2.3"), ("Expires", "600")];
        let response = alice.register_with(&fields).unwrap();
        assert_eq!(contacts(&response), ["sip:a@192.0.2.1", "sip:b@192.0.2.2", "sip:c@192.0.2.3"]);
        let all = response.all("contact");
        assert!(all[0].contains("q=0.3") && all[0].contains("expires=600"), "{all:?}");
        assert!(all[1].contains("expires=120"), "{all:?}");
        assert!(bind(&mut alice, "<sip:b@192.0.2.2>;expires=0").status() == 200);
        assert_eq!(listed(&mut alice), ["sip:a@192.0.2.1", "sip:c@192.0.2.3"]);
    });
}

// RFC 3261 section 10.2.2, 10.3 step 6: `*` goes with Expires 0 alone, and takes all away.
#[test]
fn star_removes_all() {
    over(ALL, |world, over| {
        let mut alice = world.offline("alice", over);
        bind(&mut alice, "<sip:a@192.0.2.1>, <sip:b@192.0.2.2>");
        for wrong in [
            vec![("Contact", "*")],
            vec![("Contact", "*"), ("Expires", "1")],
            vec![("Contact", "*, <sip:c@192.0.2.3>"), ("Expires", "0")],
        ] {
            assert_eq!(alice.register_with(&wrong).unwrap().status(), 400, "{wrong:?}");
        }
        assert_eq!(listed(&mut alice).len(), 2);
        let response = alice.register_with(&[("Contact", "*"), ("Expires", "0")]).unwrap();
        assert_eq!(contacts(&response), Vec::<String>::new());
        assert_eq!(listed(&mut alice), Vec::<String>::new());
    });
}

// RFC 3261 section 10.3 step 7, 20.23: too short is refused with the least that is granted, too long is cut, none is the default.
#[test]
fn times_are_granted_cut_and_refused() {
    let world =
        World::with("[registrar]\nmin_expires = 60\nmax_expires = 900\ndefault_expires = 300\n");
    over_in(&world, ALL, |world, over| {
        let mut alice = world.offline("alice", over);
        let contact = format!("<{}>", alice.contact());
        let mut ask = |seconds: Option<&str>| {
            let expires = seconds.map(|seconds| ("Expires", seconds));
            let fields: Vec<_> =
                [("Contact", contact.as_str())].into_iter().chain(expires).collect();
            alice.register_with(&fields).unwrap()
        };
        let refused = ask(Some("59"));
        assert_eq!((refused.status(), refused.header("min-expires")), (423, Some("60")));
        for (asked, granted) in [
            (Some("60"), 60),
            (Some("901"), 900),
            (Some("4294967295"), 900),
            (None, 300),
            (Some("soon"), 300),
        ] {
            let granted_is = ask(asked).header("contact").unwrap_or_default().to_owned();
            // A second may pass between.
            let near = [granted, granted - 1].map(|seconds| format!("expires={seconds}"));
            assert!(near.iter().any(|near| granted_is.contains(near)), "{asked:?}: {granted_is}");
        }
        assert_eq!(contacts(&ask(Some("0"))), Vec::<String>::new());
    });
}

// RFC 3261 section 10.3 steps 6 and 7: a request that comes after a newer one of its Call-ID changes nothing.
#[test]
fn requests_count_in_their_order() {
    over(ALL, |world, over| {
        let alice = world.offline("alice", over);
        let uri = format!("sip:{DOMAIN}");
        let first = Request::new("REGISTER", &uri, &alice.aor(), &alice.aor());
        let send = |cseq: u32, fields: &[(&str, &str)]| {
            let mut request = Request { cseq, ..first.clone() };
            request.branch = format!("z9hG4bK{}", ngn_tests::sip::unique("o"));
            for (name, value) in fields {
                request = request.with(name, value);
            }
            let challenge = alice.transact(&request).unwrap();
            let answer = request.answer(&challenge, &alice.user, "secret").unwrap();
            alice.transact(&answer).unwrap()
        };
        let contact = format!("<{}>", alice.contact());
        let bound = [("Contact", contact.as_str()), ("Expires", "600")];
        let gone = [("Contact", contact.as_str()), ("Expires", "0")];
        let all_gone = [("Contact", "*"), ("Expires", "0")];
        // Each goes out twice, by itself and with credentials: the one that counts is one higher.
        assert_eq!(send(10, &bound).status(), 200);
        assert_eq!(send(8, &gone).status(), 500);
        assert_eq!(send(8, &all_gone).status(), 500);
        assert_eq!(contacts(&send(20, &[])).len(), 1);
        assert_eq!(contacts(&send(30, &gone)).len(), 0);
    });
}

// RFC 3261 section 10.2.4: equivalent URIs are one contact, however they are written (19.1.4).
#[test]
fn equivalent_contacts_are_one() {
    over(ALL, |world, over| {
        let mut alice = world.offline("alice", over);
        bind(&mut alice, "<sip:%61lice@PHONE.example:5062;ob>");
        assert_eq!(contacts(&bind(&mut alice, "<sip:alice@phone.example:5062;ob>")).len(), 1);
        assert_eq!(contacts(&bind(&mut alice, "<sip:Alice@phone.example:5062;ob>")).len(), 2);
        assert_eq!(contacts(&bind(&mut alice, "<sip:alice@phone.example;ob>")).len(), 3);
    });
}

// The setting max_contacts: one more takes the place of the one that was refreshed longest ago.
#[test]
fn contacts_are_limited() {
    let world = World::with("[registrar]\nmax_contacts = 2\n");
    over_in(&world, ALL, |world, over| {
        let mut alice = world.offline("alice", over);
        for n in 1..=3 {
            // Of equal age the first one would go, whichever that is.
            std::thread::sleep(Duration::from_millis(2));
            assert_eq!(bind(&mut alice, &format!("<sip:{n}@192.0.2.{n}>")).status(), 200);
        }
        assert_eq!(listed(&mut alice), ["sip:2@192.0.2.2", "sip:3@192.0.2.3"]);
        let three = "<sip:5@192.0.2.5>, <sip:6@192.0.2.6>, <sip:7@192.0.2.7>";
        assert_eq!(bind(&mut alice, three).status(), 403);
        assert_eq!(listed(&mut alice).len(), 2, "nothing was done of it");
    });
}

// RFC 3327 sections 5.3 and 5.4: a call visits the proxies that the registration came through, in their order.
#[test]
fn path_is_kept_and_followed() {
    over(ALL, |world, over| {
        let mut bob = world.offline("bob", over);
        let edge = Phone::new(world.p.sip_address(), "edge@proxy.example", "");
        let path = format!("<sip:{};lr;token=7>", edge.local());
        let fields = [
            ("Contact", "<sip:bob@192.0.2.99>"),
            ("Path", path.as_str()),
            ("Path", "<sip:inner.example;lr>"),
            ("Supported", "path"),
        ];
        let response = bob.register_with(&fields).unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.all("path").join(", "), format!("{path}, <sip:inner.example;lr>"));
        let alice = world.online("alice", over);
        let invite = call(&alice, &bob.aor(), &[]);
        let arrived = take(&edge, "INVITE");
        assert_eq!(arrived.start, "INVITE sip:bob@192.0.2.99 SIP/2.0");
        assert_eq!(arrived.all("route").join(", "), format!("{path}, <sip:inner.example;lr>"));
        reply(&edge, &arrived, "486 Busy Here", "x");
        assert_eq!(outcome(&alice, &invite).status(), 486);
        // Who does not know Path is not shown it.
        let response = bob.register_with(&fields[..3]).unwrap();
        assert_eq!((response.status(), response.all("path").len()), (200, 0));
    });
}

/// A contact of a flow.
fn flow(phone: &Phone, reg_id: u32) -> String {
    let instance = "\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";
    format!("<{};ob>;+sip.instance={instance};reg-id={reg_id};expires=300", phone.contact())
}

// RFC 5626 sections 4.2, 5.3 and 6: two flows of one phone; the second is used when the first is gone, and only one rings.
#[test]
fn flows_back_each_other() {
    over(&[Tcp, Tls, Ws], |world, over| {
        let user = world.account("bob");
        let mut phones = [world.phone(&user, over), world.phone(&user, over)];
        for (phone, reg_id) in phones.iter_mut().zip([1, 2]) {
            let fields =
                [("Contact", flow(phone, reg_id)), ("Supported", "path, outbound".to_owned())];
            let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let response = phone.register_with(&fields).unwrap();
            assert_eq!(response.status(), 200, "{}", response.start);
            assert!(response.all("require").join(",").contains("outbound"), "section 6");
        }
        let [mut first, mut second] = phones;
        assert_eq!(listed(&mut first).len(), 2);
        // Either flow leads to the phone, but only one at a time: the newest one.
        let alice = world.online("alice", over);
        let invite = call(&alice, &second.aor(), &[]);
        let arrived = take(&second, "INVITE");
        assert!(first.receive_within(Duration::from_millis(300)).is_err(), "section 7");
        reply(&second, &arrived, "180 Ringing", "x");
        reply(&second, &arrived, "486 Busy Here", "x");
        assert_eq!(outcome(&alice, &invite).status(), 486);
        assert!(first.receive_within(Duration::from_millis(300)).is_err(), "it was busy");
        // When it is refreshed, the other one is the newest.
        let fields = [("Contact", flow(&first, 1)), ("Supported", "path, outbound".to_owned())];
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        assert_eq!(first.register_with(&fields).unwrap().status(), 200);
        let invite = call(&alice, &second.aor(), &[]);
        let arrived = take(&first, "INVITE");
        reply(&first, &arrived, "486 Busy Here", "x");
        assert_eq!(outcome(&alice, &invite).status(), 486);
        // And when that one is gone, the call comes by the one that is left, and nobody hears of it.
        drop(first);
        second.register_with(&[]).unwrap();
        let invite = call(&alice, &second.aor(), &[]);
        let arrived = take(&second, "INVITE");
        reply(&second, &arrived, "200 OK", "x");
        assert_eq!(outcome(&alice, &invite).status(), 200);
    });
}

// RFC 5626 section 6: a new registration of a flow replaces the old one, wherever the phone is now.
#[test]
fn a_flow_that_is_made_anew_replaces_the_old_one() {
    over(ALL, |world, over| {
        let user = world.account("bob");
        let mut phones = [world.phone(&user, over), world.phone(&user, over)];
        for phone in &mut phones {
            let contact = flow(phone, 1);
            let response = bind(phone, &contact);
            assert_eq!(contacts(&response).len(), 1, "{:?}", response.all("contact"));
        }
        let alice = world.online("alice", over);
        let invite = call(&alice, &phones[1].aor(), &[]);
        let arrived = take(&phones[1], "INVITE");
        reply(&phones[1], &arrived, "486 Busy Here", "x");
        assert_eq!(outcome(&alice, &invite).status(), 486);
        let old = phones[0].receive_within(Duration::from_millis(300));
        assert!(old.is_err(), "{old:?}");
    });
}

// RFC 5626 sections 6 and 11.6: behind a first proxy that does not know flows, a phone that asks for one is told.
#[test]
fn flows_need_an_edge_proxy_that_knows_them() {
    over(ALL, |world, over| {
        let mut bob = world.offline("bob", over);
        let contact = flow(&bob, 1);
        let with = |path: &'static str| {
            [
                ("Contact", contact.clone()),
                ("Supported", "path, outbound".into()),
                ("Path", path.into()),
            ]
        };
        let mut ask = |path| {
            let fields = with(path);
            let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            bob.register_with(&fields).unwrap()
        };
        assert_eq!(ask("<sip:192.0.2.9;lr>").status(), 439);
        assert_eq!(ask("<sip:192.0.2.9;lr;ob>").status(), 200);
    });
}

// RFC 3261 section 10.3 step 2, 8.2.2.3: an extension that the registrar does not have; a phone that only supports it
// does without.
#[test]
fn extensions_that_are_required() {
    over(ALL, |world, over| {
        let mut alice = world.offline("alice", over);
        let contact = flow(&alice, 1);
        let ask = |phone: &mut Phone, name| {
            phone.register_with(&[("Contact", &contact), (name, "path, x-unheard-of")]).unwrap()
        };
        let response = ask(&mut alice, "Require");
        assert_eq!(
            (response.status(), response.header("unsupported")),
            (420, Some("x-unheard-of"))
        );
        assert_eq!(listed(&mut alice), Vec::<String>::new());
        let response = ask(&mut alice, "Supported");
        assert_eq!(contacts(&response).len(), 1);
    });
}

// RFC 3261 section 22, RFC 7616 section 3.3: a nonce that ended is told from a wrong password, so that the phone tries again
// by itself; a wrong response is not.
#[test]
fn stale_nonces_and_wrong_responses() {
    let world = World::with("[digest]\nnonce_seconds = 10\n");
    over_in(&world, ALL, |world, over| {
        let alice = world.offline("alice", over);
        let uri = format!("sip:{DOMAIN}");
        let request = Request::new("REGISTER", &uri, &alice.aor(), &alice.aor());
        let challenge = alice.transact(&request).unwrap();
        assert_eq!(challenge.status(), 401);
        assert!(!challenge.all("www-authenticate").join("").contains("stale=true"));

        let wrong = request.answer(&challenge, &alice.user, "wrong").unwrap();
        let refused = alice.transact(&wrong).unwrap();
        assert_eq!(refused.status(), 401);
        assert!(
            !refused.all("www-authenticate").join("").to_ascii_lowercase().contains("stale=true")
        );

        // Made up, but of the right form: the response fits the password.
        let mut made_up = challenge.clone();
        for (name, value) in &mut made_up.headers {
            if name == "www-authenticate" {
                let (before, rest) = value.split_once("nonce=\"").unwrap();
                let (_, after) = rest.split_once('"').unwrap();
                *value = format!("{before}nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"{after}");
            }
        }
        let answer = request.answer(&made_up, &alice.user, "secret").unwrap();
        let refused = alice.transact(&answer).unwrap();
        assert_eq!(refused.status(), 401);
        assert!(
            refused.all("www-authenticate").join("").to_ascii_lowercase().contains("stale=true")
        );
        let mut again = request.answer(&refused, &alice.user, "secret").unwrap();
        again.cseq = 9;
        assert_eq!(alice.transact(&again).unwrap().status(), 200);
    });
}

// B79, RFC 3261 section 10.3 step 3: a phone registers for its own address and for none else.
#[test]
fn nobody_registers_somebody_else() {
    over(ALL, |world, over| {
        let alice = world.offline("alice", over);
        let bob = world.account("bob");
        let to = format!("sip:{bob}@{DOMAIN}");
        let request = Request::new("REGISTER", &format!("sip:{DOMAIN}"), &to, &to)
            .with("Contact", &format!("<{}>", alice.contact()));
        let challenge = alice.transact(&request).unwrap();
        let answer = request.answer(&challenge, &alice.user, "secret").unwrap();
        assert!(matches!(alice.transact(&answer).unwrap().status(), 401 | 403));
        let mut phone = world.phone(&bob, over);
        assert_eq!(listed(&mut phone), Vec::<String>::new());
        // Nobody has such a domain, or such a name.
        let mut elsewhere = Phone::over(world.wire(over), "alice@elsewhere.example", "secret");
        assert_eq!(elsewhere.register(300).unwrap().status(), 404);
    });
}

// RFC 3261 section 16.5, 10.2.1.2: contacts ring by their q, equal ones together; a contact of another phone is the same.
#[test]
fn contacts_ring_by_preference() {
    over(ALL, |world, over| {
        let user = world.account("bob");
        let mut phones: Vec<_> = (0..3).map(|_| world.phone(&user, over)).collect();
        for (phone, q) in phones.iter_mut().zip(["0.2", "0.9", "0.9"]) {
            let contact = format!("<{}>;q={q}", phone.contact());
            assert_eq!(bind(phone, &contact).status(), 200);
        }
        let alice = world.online("alice", over);
        let invite = call(&alice, &phones[0].aor(), &[]);
        for phone in &phones[1..] {
            let arrived = take(phone, "INVITE");
            assert_eq!(request_user(&arrived), user);
            reply(phone, &arrived, "480 Temporarily Unavailable", "x");
            take(phone, "ACK");
        }
        let arrived = take(&phones[0], "INVITE");
        reply(&phones[0], &arrived, "200 OK", "y");
        assert_eq!(outcome(&alice, &invite).status(), 200);
    });
}

// RFC 3261 section 10.2: without a contact nothing changes; a registration of UDP alone is not seen by others.
#[test]
fn a_query_changes_nothing() {
    let world = World::new();
    let mut by_udp = world.online("alice", Udp);
    let mut by_ws = world.phone(&by_udp.user, Ws);
    for _ in 0..2 {
        assert_eq!(listed(&mut by_ws), [by_udp.contact()]);
    }
    assert_eq!(listed(&mut by_udp), [by_udp.contact()]);
}
