//! What the platform answers itself: requests for a domain, and registrations before anybody is asked for a password.

use ngn_tests::sip::{Message, Phone, Request};

use crate::fixture::DOMAIN;
use crate::world::{ALL, World, over, over_in};

/// What comes back to a request for the domain that has these fields, and a body if there is a type for it.
fn ask(phone: &Phone, method: &str, fields: &[(&str, &str)]) -> Message {
    let (uri, aor) = (format!("sip:{DOMAIN}"), phone.aor());
    let to = if method == "REGISTER" { &aor } else { &uri };
    let mut request = Request::new(method, &uri, &aor, to);
    for (name, value) in fields {
        match *name {
            "tag" => request.to_parameters = format!(";tag={value}"),
            name => request = request.with(name, value),
        }
    }
    if fields.iter().any(|(name, _)| name.starts_with("Content-")) {
        request.body = "a body".to_owned();
    }
    phone.transact(&request).unwrap()
}

// RFC 3261 section 8.2: the method is looked at, then extensions, then the body. Section 11.2: what a domain can.
#[test]
fn domains_answer_as_servers() {
    over(ALL, |world, over| {
        let alice = world.offline("alice", over);
        let found = ask(&alice, "OPTIONS", &[("Require", "path"), ("Content-Type", "text/plain")]);
        assert_eq!(found.status(), 200, "{}", found.start);
        for name in ["allow", "accept", "accept-encoding", "accept-language", "supported"] {
            assert!(found.header(name).is_some_and(|value| !value.is_empty()), "{name}");
        }
        for (method, fields, status, name, value) in [
            ("INVITE", &[][..], 405, "allow", Some("OPTIONS, REGISTER")),
            ("MESSAGE", &[("Require", "x-unheard-of")], 405, "allow", Some("OPTIONS, REGISTER")),
            ("BYE", &[("tag", "gone")], 481, "allow", None),
            ("SUBSCRIBE", &[("tag", "gone")], 481, "allow", None),
            (
                "OPTIONS",
                &[("Require", "gruu, x-unheard-of")],
                420,
                "unsupported",
                Some("x-unheard-of"),
            ),
            (
                "OPTIONS",
                &[
                    ("Content-Type", "text/plain"),
                    ("Content-Disposition", "x ; Handling = required"),
                ],
                415,
                "accept",
                Some("application/sdp"),
            ),
            (
                "OPTIONS",
                &[
                    ("Content-Encoding", "gzip"),
                    ("Content-Disposition", "session;handling=required"),
                ],
                415,
                "accept-encoding",
                Some("identity"),
            ),
        ] {
            let answer = ask(&alice, method, fields);
            assert_eq!(
                (answer.status(), answer.header(name)),
                (status, value),
                "{method} {fields:?}"
            );
            if method == "INVITE" {
                assert_eq!(answer.all("proxy-authenticate"), Vec::<&str>::new());
            }
        }
    });
}

// RFC 3261 section 10.3: extensions (step 2) come before the password (step 3), and so does a body that must be understood
// (section 8.2.3). Step 8: the answer says what time it is.
#[test]
fn registrations_are_checked_in_order() {
    over(ALL, |world, over| {
        let mut alice = world.offline("alice", over);
        let refused = ask(&alice, "REGISTER", &[("Require", "x-unheard-of, outbound")]);
        assert_eq!((refused.status(), refused.header("unsupported")), (420, Some("x-unheard-of")));
        let body =
            [("Content-Type", "application/x"), ("Content-Disposition", "x;handling=required")];
        let refused = ask(&alice, "REGISTER", &body);
        assert_eq!((refused.status(), refused.header("accept")), (415, Some("")));
        // Some phones tell others things there.
        assert_eq!(ask(&alice, "REGISTER", &body[..1]).status(), 401);

        let registered = alice.register(300).unwrap();
        assert_eq!(registered.status(), 200, "{}", registered.start);
        let date = registered.header("date").unwrap();
        let words: Vec<_> = date.split([' ', ':']).collect();
        let [day, _, _, year, _, _, _, "GMT"] = words[..] else { panic!("{date}") };
        assert!(day.ends_with(',') && year.parse::<u32>().is_ok_and(|year| year > 2025), "{date}");
    });
}

// RFC 3261 section 10.3 steps 1 and 5: an address is none of another registrar's domain. Phones name this one by its domains,
// by the names and addresses of the proxy that they were told, or as an address translator has them.
#[test]
fn registrars_have_their_own_domains() {
    let world = World::with("[registrar]\nnames = [\"Proxy.provider.example\"]\n");
    over_in(&world, ALL, |world, over| {
        let alice = world.offline("alice", over);
        let own = world.p.sip_address();
        for (uri, status) in [
            (format!("sip:{DOMAIN}"), 200),
            (format!("sip:{}:5070;transport=tcp", DOMAIN.to_uppercase()), 200),
            (format!("sip:proxy.{DOMAIN}"), 200),
            (alice.aor(), 200),
            (format!("sip:{own}"), 200),
            ("sip:192.0.2.1".to_owned(), 200),
            ("sip:localhost".to_owned(), 200),
            ("sip:proxy.provider.example".to_owned(), 200),
            ("sip:elsewhere.example".to_owned(), 404),
            (format!("sip:{DOMAIN}.elsewhere.example"), 404),
            ("tel:+4315550100".to_owned(), 416),
        ] {
            let contact = format!("<{}>", alice.contact());
            let aor = alice.aor();
            let request = Request::new("REGISTER", &uri, &aor, &aor).with("Contact", &contact);
            let mut answer = alice.transact(&request).unwrap();
            if answer.status() == 401 {
                let again = request.answer(&answer, &alice.user, &alice.password).unwrap();
                answer = alice.transact(&again).unwrap();
            }
            assert_eq!(answer.status(), status, "{uri}: {}", answer.start);
        }
    });
}
