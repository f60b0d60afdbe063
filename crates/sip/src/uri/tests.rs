use super::*;

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn reads_the_parts_of_a_sip_uri() {
    let u = uri("sip:j%40s.d;day=tue:pw@example.com:5061;lr;transport=TCP?Subject=a%20b&x=");
    assert_eq!(u.scheme(), Scheme::Sip);
    assert_eq!(u.user(), Some("j%40s.d;day=tue"));
    assert_eq!(u.user_unescaped().as_deref(), Some("j@s.d;day=tue"));
    assert_eq!(u.password(), Some("pw"));
    assert_eq!(u.host_text(), "example.com");
    assert_eq!(u.port(), Some(5061));
    assert_eq!(u.params().collect::<Vec<_>>(), [("lr", None), ("transport", Some("TCP"))]);
    assert_eq!(u.headers().collect::<Vec<_>>(), [("Subject", Some("a%20b")), ("x", Some(""))]);
    assert!(u.is_loose());
}

#[test]
fn prints_what_it_read() {
    for text in [
        "sip:atlanta.com",
        "SIPS:Bob%61@[2001:db8::10]:5070;maddr=[2001:db8::1]",
        "sip:a%20b@c",
        "sip:a@b;lr?h=v",
        "tel:+1-201-555-0123",
        "tel:7042;phone-context=example.com",
        "tel:*31#",
        "urn:service:sos",
        "http://example.com/a?b#c",
        "soap.beep://192.0.2.103:3002",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sip:*98@example.com",
        "sip:#31#0612345678@example.com",
    ] {
        assert_eq!(uri(text).to_string(), text);
    }
}

#[test]
fn refuses_what_is_no_uri() {
    for (text, error) in [
        ("", UriError::Scheme),
        ("example.com", UriError::Scheme),
        (":a", UriError::Scheme),
        ("1sip:a", UriError::Scheme),
        ("sip:", UriError::Host),
        ("sip:@example.com", UriError::User),
        ("sip:a@", UriError::Host),
        ("sip:a@b@c", UriError::Host),
        ("sip:a b@c", UriError::Character),
        ("sip:a%4@c", UriError::Character),
        ("sip:a<b@c", UriError::Character),
        ("sip:a@b:", UriError::Port),
        ("sip:a@b:65536", UriError::Port),
        ("sip:a@b:5060x", UriError::Port),
        ("sip:a@[2001:db8::1", UriError::Host),
        ("sip:a@2001:db8::1", UriError::Host),
        ("sip:a@b;", UriError::Parameter),
        ("sip:a@b;;lr", UriError::Parameter),
        ("sip:a@b; lr", UriError::Parameter),
        ("sip:a@b;x=\"y\"", UriError::Parameter),
        ("sip:a@b?", UriError::Header),
        ("sip:a@b?x", UriError::Header),
        ("tel:", UriError::Number),
        ("tel:+", UriError::Number),
        ("tel:+12ab", UriError::Number),
        ("tel:alice", UriError::Number),
        ("urn:", UriError::Character),
        ("urn:a b", UriError::Character),
        ("sip:a@b\r\nX: y", UriError::Host),
    ] {
        assert_eq!(Uri::parse(text).err(), Some(error), "{text}");
    }
}

/// The examples of RFC 3261 section 19.1.4, and escapes.
#[test]
fn rfc3261_19_1_4_equivalence() {
    for (a, b) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:0DB8:0:0::1]"),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
        ("tel:7042;phone-context=Example.com", "tel:7042;Phone-Context=example.com"),
        ("urn:service:sos", "URN:service:sos"),
    ] {
        assert!(uri(a).is_equivalent(&uri(b)), "{a} and {b}");
        assert!(uri(b).is_equivalent(&uri(a)), "{b} and {a}");
    }
    for (a, b) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "sip:a@b;maddr=192.0.2.1"),
        ("sip:a@b", "sip:a@b;user=ip"),
        ("sip:b", "sip:a@b"),
        ("sip:a:@b", "sip:a@b"),
        ("sip:a%3Bb@c", "sip:a;b@c"),
        ("sip:a%2540@c", "sip:a%40@c"),
        ("tel:+12015550123", "tel:12015550123"),
        ("urn:service:sos", "urn:service:sos.fire"),
    ] {
        assert!(!uri(a).is_equivalent(&uri(b)), "{a} and {b}");
        assert!(!uri(b).is_equivalent(&uri(a)), "{b} and {a}");
    }
}

/// Section 19.1.1 forbids to repeat a parameter; a URI that does it must still be equivalent to itself, or a contact
/// would never replace its own binding.
#[test]
fn repeated_parameters_compare_by_all_their_values() {
    let a = uri("sip:a@b;x=1;y;x=2;x=1");
    assert!(a.is_equivalent(&a));
    assert!(a.is_equivalent(&uri("sip:a@b;X=2;x=1")) && uri("sip:a@b;X=2;x=1").is_equivalent(&a));
    assert!(!a.is_equivalent(&uri("sip:a@b;x=1")) && !uri("sip:a@b;x=1").is_equivalent(&a));
    let headers = uri("sip:a@b?x=1&x=1&x=2");
    assert!(headers.is_equivalent(&headers));
    assert!(!headers.is_equivalent(&uri("sip:a@b?x=1&x=2&x=2")));
    // As long as a datagram can be; comparing each with each would take minutes.
    let long = |name: &str| {
        uri(&("sip:a@b".to_owned()
            + &(0..9_000).map(|n| format!(";{name}{n}")).collect::<String>()))
    };
    assert!(long("x").is_equivalent(&long("x")));
    assert!(long("x").is_equivalent(&long("y")));
}

#[test]
fn names_addresses_of_record() {
    for (text, aor) in [
        ("sip:%61lice@Example.COM:5060;transport=tcp", Some("alice@example.com")),
        ("sips:Alice@example.com", Some("alice@example.com")),
        (
            "sip:+31208005169;phone-context=x@example.com;user=phone",
            Some("+31208005169@example.com"),
        ),
        ("sip:example.com", None),
        ("tel:+31208005169", None),
        ("sip:null-%00-null@example.com", None),
        ("sip:%ff@example.com", None),
    ] {
        assert_eq!(uri(text).aor().map(|a| a.to_string()).as_deref(), aor, "{text}");
    }
}

#[test]
fn names_telephone_numbers() {
    for (text, number) in [
        ("tel:+31-20-800(51)69", Some("+31208005169")),
        ("sip:+31208005169@example.com;user=phone", Some("+31208005169")),
        ("sip:00312080@example.com", Some("00312080")),
        ("sip:*98@example.com", Some("*98")),
        ("sip:%2B312080@example.com", Some("+312080")),
        ("sip:alice@example.com", None),
        ("sip:+@example.com", None),
        ("sip:example.com", None),
    ] {
        assert_eq!(uri(text).telephone_number().as_deref(), number, "{text}");
    }
}

#[test]
fn makes_and_edits() {
    let host = Host::parse("[2001:db8::1]").expect("a host");
    let made = Uri::sip(Some("a b\r\n@c"), &host, Some(5060));
    assert_eq!(made.to_string(), "sip:a%20b%0D%0A%40c@[2001:db8::1]:5060");
    assert_eq!(made, uri(made.as_str()));
    assert_eq!(Uri::sip(None, &host, None), uri("sip:[2001:db8::1]"));
    let u = uri("sip:a@b;x=1;LR;y?h=v");
    assert_eq!(u.with_param("lr", None).map(|u| u.to_string()), Ok("sip:a@b;x=1;lr;y?h=v".into()));
    assert_eq!(
        u.with_param("z", Some("2")).map(|u| u.to_string()),
        Ok("sip:a@b;x=1;LR;y;z=2?h=v".into())
    );
    assert_eq!(u.with_param("z", Some(">\r\n")), Err(UriError::Parameter));
    assert_eq!(u.without_param("X").to_string(), "sip:a@b;LR;y?h=v");
    assert_eq!(u.without_headers().to_string(), "sip:a@b;x=1;LR;y");
}
