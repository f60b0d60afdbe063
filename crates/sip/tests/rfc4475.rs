//! The 49 torture messages of RFC 4475, through the parser and the stack.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail")]

mod torture;

use ngn_sip::framing::{Frame, Framer};
use ngn_sip::header::{Authorization, Contacts, HeaderName, Transport};
use ngn_sip::message::{Limits, Method};
use ngn_sip::uri::{Scheme, Uri};
use torture::Outcome::{self, Discarded, Forwarded, Refused};
use torture::{Case, check_all, check_octets, run};

macro_rules! cases {
    ($($section:literal $name:ident $expected:expr;)*) => {
        const CASES: &[Case] = &[$(Case {
            name: stringify!($name),
            section: $section,
            octets: $name,
            expected: $expected,
        }),*];
        $(#[allow(non_upper_case_globals, reason = "the names of the RFC")]
        const $name: &[u8] = include_bytes!(concat!(
            "../../../tests/vectors/sip/rfc4475/", stringify!($name), ".dat"
        ));)*
    };
}

// What the RFC says about each. Where it leaves a choice, the stricter one stands here, except that nothing that
// is no business of a proxy may keep a request from being forwarded.
cases! {
    "3.1.1.1" wsinv Forwarded;
    "3.1.1.2" intmeth Forwarded;
    "3.1.1.3" esc01 Forwarded;
    "3.1.1.4" escnull Forwarded;
    "3.1.1.5" esc02 Forwarded;
    "3.1.1.6" lwsdisp Forwarded;
    "3.1.1.7" longreq Forwarded;
    "3.1.1.8" dblreq Forwarded;
    "3.1.1.9" semiuri Forwarded;
    "3.1.1.10" transports Forwarded;
    "3.1.1.11" mpart01 Forwarded;
    "3.1.1.12" unreason Discarded; // well-formed, but answers nothing of ours
    "3.1.1.13" noreason Discarded; // likewise
    "3.1.2.1" badinv01 Refused(400);
    "3.1.2.2" clerr Refused(400);
    "3.1.2.3" ncl Refused(400);
    "3.1.2.4" scalar02 Refused(400);
    "3.1.2.5" scalarlg Discarded;
    "3.1.2.6" quotbal Refused(400);
    "3.1.2.7" ltgtruri Refused(400);
    "3.1.2.8" lwsruri Refused(400);
    "3.1.2.9" lwsstart Refused(400);
    "3.1.2.10" trws Refused(400);
    "3.1.2.11" escruri Refused(400);
    "3.1.2.12" baddate Forwarded; // Date is no business of a proxy
    "3.1.2.13" regbadct Refused(400);
    "3.1.2.14" badaspec Refused(400);
    "3.1.2.15" baddn Refused(400);
    "3.1.2.16" badvers Refused(505);
    "3.1.2.17" mismatch01 Refused(400);
    "3.1.2.18" mismatch02 Refused(400); // or 501, but a proxy knows no unknown methods
    "3.1.2.19" bigcode Discarded;
    "3.2.1" badbranch Forwarded; // matched by the rules of RFC 2543
    "3.3.1" insuf Refused(400);
    "3.3.2" unkscm Refused(416);
    "3.3.3" novelsc Refused(416);
    "3.3.4" unksm2 Forwarded; // a registrar refuses it, a proxy does not look
    "3.3.5" bext01 Refused(420);
    "3.3.6" invut Forwarded; // 415 is for the other end to say
    "3.3.7" regaut01 Forwarded; // as if it had no credentials
    "3.3.8" multi01 Refused(400);
    "3.3.9" mcl01 Refused(400);
    "3.3.10" bcast Discarded;
    "3.3.11" zeromf Refused(483);
    "3.3.12" cparam01 Forwarded;
    "3.3.13" cparam02 Forwarded;
    "3.3.14" regescrt Forwarded;
    "3.3.15" sdp01 Forwarded;
    "3.4.1" inv2543 Forwarded;
}

/// What comes out otherwise than the RFC says, what that is, and why.
const EXPECTED_FAILURES: &[(&str, Outcome, &str)] = &[];

#[test]
fn all_49_come_out_as_the_rfc_says() {
    assert_eq!(CASES.len(), 49);
    check_all(CASES, EXPECTED_FAILURES);
}

#[test]
fn what_is_not_edited_leaves_as_it_came() {
    check_octets(CASES);
}

/// In a stream, all whose length can be known are cut apart wherever the octets happen to be divided.
#[test]
fn in_a_stream_they_are_cut_apart() {
    let whole: Vec<&[u8]> = CASES
        .iter()
        .map(|case| case.octets)
        .filter(|octets| {
            let mut framer = Framer::new(Limits::default());
            framer.push(octets);
            framer.next_frame().is_ok_and(|f| f == Some(Frame::Message(octets.to_vec().into())))
        })
        .collect();
    // Not those with a wrong, negative, missing or repeated length, nor the one with octets after it.
    assert_eq!(whole.len(), CASES.len() - 6);
    let stream = whole.concat();
    for piece in [1, 2, 3, 7, 150, 1_000, stream.len()] {
        let mut framer = Framer::new(Limits::default());
        let mut frames = Vec::new();
        for octets in stream.chunks(piece) {
            framer.push(octets);
            while let Some(frame) = framer.next_frame().expect("a frame") {
                frames.push(frame);
            }
        }
        let expected: Vec<_> =
            whole.iter().map(|octets| Frame::Message(octets.to_vec().into())).collect();
        assert_eq!(frames, expected, "{piece}");
    }
}

#[test]
fn s3_1_1_1_a_short_tortuous_invite() {
    let run = run(wsinv);
    let m = run.message();
    assert_eq!(m.request_uri().map(Uri::params_text), Some(";unknownparam"));
    assert_eq!(m.to_header().expect("To").tag(), Some("1918181833n"));
    let from = m.from_header().expect("From");
    assert_eq!(from.display_name().as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(from.tag(), Some("98asjd8"));
    assert_eq!(m.max_forwards().expect("Max-Forwards").map(|m| m.0), Some(68));
    assert_eq!(m.cseq().expect("CSeq").number, 9);
    let vias = m.vias().expect("Via");
    let seen: Vec<_> =
        vias.iter().map(|v| (v.transport().as_str(), v.host().to_string(), v.branch())).collect();
    assert_eq!(
        seen,
        [
            ("UDP", "192.0.2.2".to_owned(), Some("390skdjuw")),
            ("TCP", "spindle.example.com".to_owned(), Some("z9hG4bK9ikj8")),
            ("UDP", "192.168.255.111".to_owned(), Some("z9hG4bK30239")),
        ]
    );
    assert_eq!(m.field_named("Subject").expect("Subject").value(), b"");
    assert_eq!(
        m.field_named("NewFangledHeader").expect("a field").unfolded(),
        "newfangled value continued newfangled value"
    );
    let odd = m.field_named("UnknownHeaderWithUnusualValue").expect("a field");
    assert_eq!(odd.value(), b";;,,;;,;");
    let routes = m.routes().expect("Route");
    assert_eq!(
        routes[0].uri().as_str(),
        "sip:services.example.com;lr;unknownwith=value;unknown-no-value"
    );
    let Contacts::List(contacts) = m.contacts().expect("Contact") else { panic!("a list") };
    assert_eq!(contacts[0].0.display_name().as_deref(), Some("Quoted string \"\""));
    assert_eq!(contacts[0].0.params.value("newparam"), Some("newvalue"));
    assert_eq!(contacts[0].q(), Some(330));
    assert_eq!(m.body().len(), 150);
    // It is forwarded with its odd fields as they were.
    let sent = run.sent().to_bytes();
    for kept in [
        &b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"[..],
        b"\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\n",
        b"\r\nUnknownHeaderWithUnusualValue: ;;,,;;,;\r\n",
        b"\r\ns :\r\n",
        b"\r\nContent-Length   : 150\r\ncseq: 0009\r\n  INVITE\r\n",
        b"\r\nMaX-fOrWaRdS: 67\r\n",
    ] {
        assert!(
            sent.windows(kept.len()).any(|w| w == kept),
            "{}\n{}",
            String::from_utf8_lossy(kept),
            String::from_utf8_lossy(&sent)
        );
    }
}

#[test]
fn s3_1_1_2_a_wide_range_of_valid_characters() {
    let run = run(intmeth);
    let m = run.message();
    assert_eq!(m.method().map(Method::as_str), Some("!interesting-Method0123456789_*+`.%indeed'~"));
    let uri = m.request_uri().expect("a URI");
    assert_eq!(uri.user(), Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
    assert_eq!(uri.password(), Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
    assert_eq!(uri.host_text(), "example.com");
    let to = m.to_header().expect("To");
    assert_eq!(to.display_name().as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    let from = m.from_header().expect("From");
    assert_eq!(from.display_name().as_deref(), Some("token1~` token2'+_ token3*%!.-"));
    assert_eq!(
        from.params.unquoted("fromParam''~+*_!.-%").as_deref(),
        Some("\u{440}\u{430}\u{431}\u{43e}\u{442}\u{430}\u{44e}\u{449}\u{438}\u{439}")
    );
    assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(m.call_id(), Ok("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"));
    assert_eq!(m.top_via().expect("Via").branch(), Some("z9hG4bK-.!%66*_+`'~"));
    assert_eq!(
        m.field_named("extensionHeader-!.%*+_`'~").expect("a field").text(),
        Some("\u{feff}\u{5927}\u{505c}\u{96fb}")
    );
}

#[test]
fn s3_1_1_3_and_4_escapes_in_uris() {
    let m = run(esc01);
    let m = m.message();
    let uri = m.request_uri().expect("a URI");
    assert_eq!(uri.user_unescaped().as_deref(), Some("sips:user@example.com"));
    assert_eq!(uri.host_text(), "example.net");
    assert_eq!(m.to_header().expect("To").uri().user_unescaped().as_deref(), Some("user"));
    let user = "sip:user@example.com".parse::<Uri>().expect("a URI");
    assert!(m.to_header().expect("To").uri().is_equivalent(&user));
    let Contacts::List(contacts) = m.contacts().expect("Contact") else { panic!("a list") };
    assert_eq!(contacts[0].uri().param("n%61me"), Some("v%61lue%25%34%31"));
    let m = run(escnull);
    let Contacts::List(contacts) = m.message().contacts().expect("Contact") else {
        panic!("a list")
    };
    let users: Vec<_> = contacts.iter().map(|c| c.uri().user_unescaped()).collect();
    assert_eq!(users, [Some("\0".into()), Some("\0\0".into())]);
    assert!(!contacts[0].uri().is_equivalent(contacts[1].uri()), "two bindings");
}

#[test]
fn s3_1_1_5_percent_that_escapes_nothing() {
    let run = run(esc02);
    let m = run.message();
    assert_eq!(m.method().map(Method::as_str), Some("RE%47IST%45R"));
    assert_ne!(m.method(), Some(&Method::Register));
    assert_eq!(m.to_header().expect("To").display_name().as_deref(), Some("%Z%45"));
    assert_eq!(m.top_via().expect("Via").branch(), Some("z9hG4bK209%fzsnel234"));
    let Contacts::List(contacts) = m.contacts().expect("Contact") else { panic!("a list") };
    assert_eq!(contacts.len(), 2, "C%6Fntact is an unknown field");
}

#[test]
fn s3_1_1_6_to_10_fields() {
    let m = run(lwsdisp);
    let from = m.message().from_header().expect("From");
    assert_eq!(from.display_name().as_deref(), Some("caller"));
    let m = run(longreq);
    assert_eq!(m.message().vias().expect("Via").len(), 34);
    assert_eq!(m.message().to_header().expect("To").uri().port(), Some(6000));
    let m = run(dblreq);
    assert_eq!(m.message().method(), Some(&Method::Register));
    assert!(m.message().body().is_empty(), "what follows the body is dropped");
    assert!(!m.sent().to_bytes().windows(6).any(|w| w == b"INVITE"));
    let m = run(semiuri);
    let uri = m.message().request_uri().expect("a URI");
    assert_eq!(uri.user_unescaped().as_deref(), Some("user;par=u@example.net"));
    assert_eq!(uri.params_text(), "");
    let m = run(transports);
    let all: Vec<_> =
        m.message().vias().expect("Via").iter().map(|v| v.transport().clone()).collect();
    assert_eq!(all[0], Transport::Udp);
    assert_eq!(all[3].as_str(), "UNKNOWN");
}

#[test]
fn s3_1_1_11_a_binary_body() {
    let run = run(mpart01);
    assert_eq!(run.message().body().len(), 553);
    assert!(run.message().body().contains(&0));
    assert_eq!(run.sent().body(), run.message().body());
}

#[test]
fn s3_1_1_12_and_13_reason_phrases() {
    let m = run(unreason);
    let phrase = "= 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e} \
        \u{434}\u{435}\u{432}\u{44f}\u{43d}\u{43e}\u{441}\u{442}\u{43e} \
        \u{434}\u{435}\u{432}\u{44f}\u{442}\u{44c} - \
        \u{43f}\u{440}\u{43e}\u{441}\u{442}\u{43e}\u{435}";
    assert_eq!(m.message().phrase(), Some(phrase));
    let m = run(noreason);
    assert_eq!((m.message().status(), m.message().phrase()), (Some(100), Some("")));
    // The broadcast answer is well-formed too; it is discarded since its Via is not ours (3.3.10).
    assert_eq!(run(bcast).message().vias().expect("Via").len(), 2);
}

/// What is refused says why, and repeats what the client needs to match the response.
#[test]
fn s3_1_2_refusals_can_be_matched() {
    let mut unreadable = Vec::new();
    for case in CASES.iter().filter(|case| matches!(case.expected, Refused(_))) {
        let run = run(case.octets);
        let Some(sent) = &run.sent else {
            unreadable.push(case.name);
            continue;
        };
        assert!(!sent.phrase().unwrap_or("").is_empty(), "{}", case.name);
        assert!(sent.to_header().expect("To").tag().is_some(), "{}", case.name);
    }
    // The response repeats what is malformed in these, so nothing but its status line can be read.
    assert_eq!(
        unreadable,
        ["badinv01", "scalar02", "quotbal", "badaspec", "baddn", "badvers", "insuf", "multi01"]
    );
}

#[test]
fn s3_3_5_names_what_is_not_supported() {
    let run = run(bext01);
    let unsupported = run.sent().option_tags(HeaderName::Unsupported).expect("Unsupported");
    assert_eq!(unsupported.to_string(), "noProxiesSupportThis, norDoAnyProxiesSupportThis");
}

#[test]
fn s3_3_application_layer() {
    let m = run(unksm2);
    assert_eq!(m.message().to_header().expect("To").uri().scheme(), Scheme::Other);
    let m = run(regaut01);
    let read: Vec<_> = m.message().authorizations(HeaderName::Authorization).collect();
    assert_eq!(read, [Ok(Authorization::Other("NoOneKnowsThisScheme".to_owned()))]);
    let contact = |octets| {
        let m = run(octets);
        let Contacts::List(mut contacts) = m.message().contacts().expect("Contact") else {
            panic!("a list")
        };
        assert_eq!(contacts.len(), 1);
        contacts.remove(0)
    };
    let one = contact(cparam01);
    assert!(one.0.params.has("unknownparam") && !one.uri().has_param("unknownparam"));
    let two = contact(cparam02);
    assert!(!two.0.params.has("unknownparam") && two.uri().has_param("unknownparam"));
    let escaped = contact(regescrt);
    let headers: Vec<_> = escaped.uri().headers().collect();
    assert_eq!(headers, [("Route", Some("%3Csip:sip.example.com%3E"))]);
    // A transaction of RFC 2543 has no branch, no tag and no Max-Forwards; it gets what it needs on the way out.
    let old = run(inv2543);
    assert_eq!(
        old.message().body().len(),
        105,
        "without Content-Length the datagram ends the body"
    );
    assert_eq!(old.sent().max_forwards().expect("Max-Forwards").map(|m| m.0), Some(70));
}
