use super::*;

const INVITE: &str = "INVITE sip:Bob@Example.com:5060;user=phone SIP/2.0\r\n\
     Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n\
     f: \"Alice\" <sip:alice:pw@example.net>;x=1;tag=from-1\r\n\
     To: <sips:bob@example.com>\r\n\
     i: call-1\r\n\
     CSeq: 7 INVITE\r\n\
     proxy-authorization: Digest username=\"alice\", realm=\"a, b\",\r\n\
     \tnonce=\"n\", response=\"6629fae49393a05397450978507c4ef1\" , cnonce=\"c1c2\"\r\n\
     Authorization: Basic c2VjcmV0\r\n\
     \r\n\
     v=0\r\nk=clear:k3y\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n";

fn settings() -> Settings {
    Settings { accounts: vec!["ALICE@example.net".to_owned()], ..Settings::default() }
}

fn traced(text: &str, remote: &str) -> Traced {
    Traced {
        is_in: true,
        at: 1_500_000,
        transport: Transport::Udp,
        local: None,
        remote: remote.parse().expect("an address"),
        octets: Bytes::copy_from_slice(text.as_bytes()),
    }
}

fn answer(call_id: &str) -> String {
    format!(
        "SIP/2.0 486 Busy Here\r\nFrom: <sip:x@a.example>;tag=1\r\nTo: sip:y@b.example;tag=2\r\n\
         Call-ID: {call_id}\r\nCSeq: 7 BYE\r\n\r\n"
    )
}

#[test]
fn credentials_and_keys_are_masked_and_nothing_else() {
    let text = message::masked(INVITE, 10_000);
    for secret in ["6629fae4", "c1c2", "c2VjcmV0", "k3y", "d0Rmdmcm"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    for kept in [
        "proxy-authorization: Digest username=\"alice\", realm=\"a, b\", nonce=\"n\", response=\"masked\", \
         cnonce=\"masked\"\r\n",
        "Authorization: Basic \"masked\"\r\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:masked\r\n",
        "i: call-1\r\n",
        "\r\n\r\nv=0\r\nk=masked\r\n",
    ] {
        assert!(text.contains(kept), "{kept} not in {text}");
    }
    let plain = answer("c");
    assert_eq!(message::masked(&plain, 10_000), plain);
    assert_eq!(message::masked("SIP é", 5).len(), 4);
}

#[test]
fn a_message_is_read_in_short_and_long_forms() {
    let parts = Parts::read(INVITE).expect("a message");
    assert_eq!((&*parts.call_id, &*parts.method, &*parts.status), ("call-1", "INVITE", ""));
    assert_eq!((&*parts.from_tag, &*parts.to_tag), ("from-1", ""));
    assert_eq!(parts.addresses, ["bob@example.com", "alice@example.net", "bob@example.com"]);
    assert_eq!(parts.domains(), "example.com example.net");
    let answer = answer("c");
    let parts = Parts::read(&answer).expect("a message");
    assert_eq!((&*parts.method, &*parts.status, &*parts.to_tag), ("BYE", "486", "2"));
    for nothing in ["", "\r\n", "INVITE", "x: y\r\n", "INVITE sip:a SIP/2.0\r\nCall-ID:\r\n\r\n"] {
        assert_eq!(Parts::read(nothing), None, "{nothing}");
    }
}

#[test]
fn calls_of_named_accounts_and_addresses_are_kept_whole() {
    let mut chosen = Chosen::new(&settings(), Some("192.0.2.1:5060".parse().expect("ours")));
    let far = "198.51.100.1:5060";
    // Before the call is known nothing of its other leg is kept.
    assert_eq!(chosen.choose(&traced(&answer("call-1"), far)), None);
    let row = chosen.choose(&traced(INVITE, far)).expect("alice's call");
    assert_eq!(
        (&*row.from_ip, row.from_port, &*row.to_ip, row.to_port),
        ("198.51.100.1", 5060, "192.0.2.1", 5060)
    );
    assert_eq!((&*row.direction, &*row.to_proto, row.time_us), ("in", "udp", 1_500_000));
    assert!(chosen.choose(&traced(&answer("call-1"), far)).is_some());
    assert_eq!(chosen.choose(&traced(&answer("call-2"), far)), None);
    let by_address =
        Settings { addresses: vec!["198.51.100.1".parse().expect("one")], ..Settings::default() };
    let mut chosen = Chosen::new(&by_address, None);
    assert!(chosen.choose(&traced(&answer("call-3"), far)).is_some());
    assert_eq!(chosen.choose(&traced(&answer("call-4"), "198.51.100.2:5060")), None);
}

#[test]
fn a_call_is_kept_up_to_its_limit() {
    let mut chosen = Chosen::new(&Settings { messages_per_call: 3, ..settings() }, None);
    let kept = (0..9).filter(|_| chosen.choose(&traced(INVITE, "192.0.2.9:1")).is_some()).count();
    assert_eq!(kept, 3);
}

#[tokio::test]
async fn nothing_is_queued_when_nobody_wants_it_and_a_full_queue_drops() {
    let (queue, mut messages) = mpsc::channel(2);
    let tracer = Tracer { queue, shared: Arc::default() };
    let remote = "192.0.2.9:1".parse().expect("an address");
    let note = || tracer.came(&Transport::Udp, remote, remote, &Bytes::from_static(b"x"));
    note();
    assert!(messages.try_recv().is_err());
    tracer.shared.wanted.store(1, Ordering::Relaxed);
    (0..5).for_each(|_| note());
    assert!(messages.try_recv().is_ok() && messages.try_recv().is_ok());
    assert!(messages.try_recv().is_err());
    assert_eq!(tracer.shared.lost.load(Ordering::Relaxed), 3);
}
