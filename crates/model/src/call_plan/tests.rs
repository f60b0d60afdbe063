use super::*;

fn gateway(number: &str, host: &str, transport: GatewayTransport) -> GatewayTarget {
    GatewayTarget {
        id: 1,
        name: "g".into(),
        carrier_id: 1,
        carrier: "c".into(),
        host: host.into(),
        port: 5060,
        transport,
        called: "0031".into(),
        number: number.to_owned(),
        caller: CallerId::default().into(),
        edits: [].into(),
        failover: FailoverCodes::default(),
        payer: Payer::Peer("192.0.2.1".to_owned()).into(),
    }
}

#[test]
fn request_uris_of_gateways() {
    use GatewayTransport::{Tcp, Udp};
    for (number, host, transport, expected) in [
        ("0031201", "gw.example", Udp, "sip:0031201@gw.example:5060"),
        ("+31201", "192.0.2.1", Tcp, "sip:+31201@192.0.2.1:5060;transport=tcp"),
        ("11#31201", "2001:db8::1", Udp, "sip:11%2331201@[2001:db8::1]:5060"),
        ("1@x", "gw.example", Udp, "sip:1%40x@gw.example:5060"),
    ] {
        assert_eq!(gateway(number, host, transport).request_uri(), expected);
    }
}

#[test]
fn codes_after_which_another_gateway_is_tried() {
    let codes = FailoverCodes::and(vec![404, 403, 404]);
    for (status, usual, with) in [
        (408, true, true),
        (500, true, true),
        (503, true, true),
        (403, false, true),
        (404, false, true),
        (486, false, false),
        (603, false, false),
    ] {
        assert_eq!(FailoverCodes::default().holds(status), usual, "{status}");
        assert_eq!(codes.holds(status), with, "{status}");
    }
}

#[test]
fn reasons_are_printed_with_what_matched() {
    let why = Why::new("B131", "the longest prefix").with("prefix", "0031").with("route", "7");
    assert_eq!(why.to_string(), "B131: the longest prefix (prefix 0031, route 7)");
    assert_eq!(Why::new("B66", "blocked").to_string(), "B66: blocked");
    let reject = Reject::new(403, "Forbidden", why);
    let text = Plan::Reject(reject).to_string();
    assert_eq!(
        text,
        "refused: 403 Forbidden\n   B131: the longest prefix (prefix 0031, route 7)\n"
    );
}
