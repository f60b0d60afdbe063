//! REGISTER (RFC 3261 section 10.3) with digest authentication (RFC 8760), seen from the wire.

use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::sip::{Phone, Request, md5_hex};
use ngn_tests::{both, record, sip_id};

/// A platform with `alice@sip.example`, password `secret`.
fn prepare(p: &Platform) {
    domain(&p.admin(), "sip.example");
    account(&p.admin(), "alice@sip.example");
    p.settle();
}

fn alice(p: &Platform) -> Phone {
    Phone::new(p.sip_address(), "alice@sip.example", "secret")
}

fn bare_register(phone: &Phone) -> Request {
    let aor = phone.aor();
    Request::new("REGISTER", &format!("sip:{}", phone.domain), &aor, &aor)
        .with("Contact", &format!("<{}>", phone.contact()))
}

#[test]
fn offers_sha_256_where_the_settings_say_so() {
    let settings = [("sipd", "[digest]\nalgorithms = [\"SHA-256\", \"MD5\"]\n")];
    let p = Platform::start_with(Backend::Sqlite, &settings);
    prepare(&p);
    let response = alice(&p).transact(&bare_register(&alice(&p))).unwrap();
    let challenges = response.all("www-authenticate");
    assert_eq!(challenges.len(), 2, "{challenges:?}");
    // RFC 8760 section 2.4: in the order of preference.
    assert!(challenges[0].contains("algorithm=SHA-256") && !challenges[1].contains("SHA-256"));
}

// RFC 7616 section 5.8: whoever turns a challenge into a weaker one on its way gets nothing for it.
#[test]
fn takes_no_algorithm_that_was_not_offered() {
    let settings = [("sipd", "[digest]\nalgorithms = [\"SHA-256\"]\n")];
    let p = Platform::start_with(Backend::Sqlite, &settings);
    prepare(&p);
    let phone = alice(&p);
    let request = bare_register(&phone);
    let mut challenge = phone.transact(&request).unwrap();
    for (_, value) in &mut challenge.headers {
        *value = value.replace("SHA-256", "MD5");
    }
    let answer = request.answer(&challenge, "alice", "secret").unwrap();
    let response = phone.transact(&answer).unwrap();
    assert_eq!(response.status(), 401, "{}", response.start);
    let offered = response.all("www-authenticate");
    assert!(offered.len() == 1 && offered[0].contains("algorithm=SHA-256"), "{offered:?}");
}

both! {
    fn challenges_with_what_every_phone_reads(p) {
        prepare(p);
        let phone = alice(p);
        let response = phone.transact(&bare_register(&phone)).unwrap();
        assert_eq!(response.status(), 401);
        let challenges = response.all("www-authenticate");
        // Phones of before RFC 8760 fail when another algorithm is offered beside MD5, even behind it.
        assert_eq!(challenges.len(), 1, "{challenges:?}");
        for challenge in &challenges {
            assert!(challenge.starts_with("Digest ") && challenge.contains("realm=\"sip.example\""), "{challenge}");
            assert!(challenge.contains("qop=\"auth\"") && !challenge.contains("SHA-256"), "{challenge}");
        }
    }

    // B61: phones may give their whole address as the user name of their credentials; HA1B is its digest.
    fn b61_user_names_with_their_domain(p) {
        prepare(p);
        let phone = alice(p);
        let registers = |username: &str, password: &str| {
            let request = bare_register(&phone);
            let challenge = phone.transact(&request).unwrap();
            let again = request.answer(&challenge, username, password).unwrap();
            phone.transact(&again).unwrap().status()
        };
        assert_eq!(registers("alice@sip.example", "secret"), 200);
        assert_eq!(registers("alice@elsewhere.example", "secret"), 401);
        assert_eq!(registers("alice@sip.example", "wrong"), 401);
        // B60: also when both digests are all that was provisioned.
        let (ha1, ha1b) = (md5_hex("alice:sip.example:new"), md5_hex("alice@sip.example:sip.example:new"));
        let account = subscriber("alice@sip.example").with("password", format!("{ha1}:{ha1b}").as_str());
        p.admin().ok("Sip.updateAccount", record! { account: account });
        p.settle();
        assert_eq!(["alice", "alice@sip.example"].map(|name| registers(name, "new")), [200, 200]);
        assert_eq!(registers("alice@sip.example", "secret"), 401);
    }

    // Section 10.3 step 8: the response lists the bindings with the seconds they have left.
    fn binds_and_unbinds(p) {
        prepare(p);
        let mut phone = alice(p);
        let response = phone.register(300).unwrap();
        assert_eq!(response.status(), 200, "{}", response.start);
        let contact = response.all("contact").join(",");
        assert!(contact.contains(&phone.contact()), "{contact}");
        let expires: u32 = contact.split("expires=").nth(1).unwrap()
            .split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        assert!((290..=300).contains(&expires), "{contact}");
        assert!(response.header("to").unwrap().contains("tag="));
        // A query changes nothing.
        let response = phone.register_with(&[]).unwrap();
        assert_eq!(response.all("contact").len(), 1);
        // A second phone of the same account.
        let mut second = alice(p);
        let response = second.register(300).unwrap();
        assert_eq!(response.all("contact").join(",").matches("sip:alice@127.0.0.1").count(), 2);
        let response = phone.register(0).unwrap();
        assert_eq!(response.all("contact").join(",").matches("sip:alice@127.0.0.1").count(), 1);
        // Section 10.2.2: all at once.
        let response = second.register_with(&[("Contact", "*"), ("Expires", "0")]).unwrap();
        assert_eq!((response.status(), response.all("contact").len()), (200, 0));
        let response = second.register_with(&[("Contact", "*"), ("Expires", "60")]).unwrap();
        assert_eq!(response.status(), 400);
    }

    // Wrong passwords and unknown accounts are answered alike.
    fn refuses_wrong_credentials(p) {
        prepare(p);
        let mut wrong = Phone::new(p.sip_address(), "alice@sip.example", "wrong");
        let mut unknown = Phone::new(p.sip_address(), "nobody@sip.example", "secret");
        let (a, b) = (wrong.register(60).unwrap(), unknown.register(60).unwrap());
        assert!(matches!(a.status(), 401 | 403), "{}", a.start);
        assert_eq!(a.start, b.start);
        // A domain that is not served here.
        let mut foreign = Phone::new(p.sip_address(), "alice@elsewhere.example", "secret");
        let status = foreign.register(60).unwrap().status();
        assert!(matches!(status, 403 | 404), "{status}");
    }

    // Nobody registers for somebody else.
    fn refuses_to_register_for_others(p) {
        prepare(p);
        account(&p.admin(), "bob@sip.example");
        p.settle();
        let phone = alice(p);
        let mut request = bare_register(&phone);
        request.to = "sip:bob@sip.example".into();
        let challenge = phone.transact(&request).unwrap();
        let response = phone.transact(&request.answer(&challenge, "alice", "secret").unwrap()).unwrap();
        assert_eq!(response.status(), 403, "{}", response.start);
    }

    // B60: the digests alone are enough to log in; a new password ends the old one at once.
    fn follows_the_password(p) {
        prepare(p);
        let digests = format!("{}:{}", md5_hex("alice:sip.example:new"), md5_hex("alice@sip.example:sip.example:new"));
        p.admin().ok("Sip.updateAccount", record! {
            account: subscriber("alice@sip.example").with("password", digests),
        });
        p.settle();
        assert_ne!(alice(p).register(60).unwrap().status(), 200);
        assert_eq!(Phone::new(p.sip_address(), "alice@sip.example", "new").register(60).unwrap().status(), 200);
    }

    // A deleted account loses its bindings, and does not get them back with a new account of that name (B57).
    fn forgets_deleted_accounts(p) {
        prepare(p);
        let mut phone = alice(p);
        assert_eq!(phone.register(300).unwrap().status(), 200);
        p.admin().ok("Sip.deleteAccount", record! { sipId: sip_id("alice@sip.example") });
        p.settle();
        assert_ne!(phone.register(300).unwrap().status(), 200);
        account(&p.admin(), "alice@sip.example");
        p.settle();
        let response = phone.register_with(&[]).unwrap();
        assert_eq!((response.status(), response.all("contact").len()), (200, 0));
    }

    // What was acknowledged is there after a power cut (design: a 200 is sent after the commit).
    fn survives_a_power_cut(p) {
        prepare(p);
        let mut phone = alice(p);
        assert_eq!(phone.register(300).unwrap().status(), 200);
        p.kill();
        p.launch();
        let mut query = alice(p);
        let response = query.register_with(&[]).unwrap();
        assert!(response.all("contact").join(",").contains(&phone.contact()));
    }
}
