//! Any octets: a message whose every typed value can be asked for and which prints as it came, or one readable
//! refusal; and edits of a forwarded message leave one that can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_sip::header::{
    Allow, Authorization, CallId, Challenge, ContentLength, ContentType, Expires, HeaderName,
    MinExpires, RecordRouteHeader, RetryAfter, RouteHeader, ServiceRouteHeader, Timestamp,
    Transport, Via,
};
use ngn_sip::message::{Limits, Malformed, Message};
use ngn_sip::uri::{Host, Uri};
use std::net::{IpAddr, Ipv4Addr};

fuzz_target!(|data: &[u8]| {
    match Message::parse(data.to_vec().into(), &Limits::default()) {
        Ok(message) => {
            let leading = data.iter().take_while(|b| matches!(**b, b'\r' | b'\n')).count();
            let printed = message.to_bytes();
            assert!(data[leading..].starts_with(&printed), "printed as it came");
            read_all(&message);
            respond(&message);
            forward(message);
        }
        Err(fault) => refuse(&fault),
    }
});

/// Asks for everything that can be asked for; what has been validated must be there.
fn read_all(message: &Message) {
    message.top_via().expect("a Via");
    message.vias().expect("Via values");
    message.from_header().expect("From");
    message.to_header().expect("To");
    message.call_id().expect("Call-ID");
    message.cseq().expect("CSeq");
    message.max_forwards().expect("Max-Forwards");
    message.contacts().expect("contacts");
    message.routes().expect("routes");
    message.record_routes().expect("record routes");
    message.paths().expect("paths");
    message.option_tags(HeaderName::Require).expect("option tags");
    message.option_tags(HeaderName::ProxyRequire).expect("option tags");
    // These are read by whom they concern.
    let _ = message.option_tags(HeaderName::Supported);
    let _ = message.header::<CallId>();
    let _ = message.header::<ContentLength>();
    let _ = message.header::<ContentType>();
    let _ = message.header::<Expires>();
    let _ = message.header::<MinExpires>();
    let _ = message.header::<RetryAfter>();
    let _ = message.header::<Timestamp>();
    let _ = message.list::<Allow>();
    let _ = message.list::<ServiceRouteHeader>();
    for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        for read in message.authorizations(name) {
            if let Ok(Authorization::Digest(credentials)) = read {
                let again = Authorization::parse(&credentials.to_string());
                assert_eq!(again, Ok(Authorization::Digest(credentials)));
            }
        }
    }
    for field in message.fields() {
        if let Some(text) = field.text() {
            let _ = Challenge::parse(text);
        }
        assert!(!field.unfolded().contains('\n'), "a fold is one line");
    }
}

/// A response to a request can be read again.
fn respond(message: &Message) {
    if message.is_request() {
        let response = message.response(404, "Not Found", Some("t"));
        Message::parse(response.to_bytes(), &unlimited()).expect("our own response");
        if message.method().is_some_and(|method| method.as_str() == "INVITE") {
            let cancel = message.cancel().expect("a CANCEL");
            Message::parse(cancel.to_bytes(), &unlimited()).expect("our own CANCEL");
        }
    }
}

/// What a proxy does to a message leaves one that can be read.
fn forward(mut message: Message) {
    let fields = message.fields().count();
    message.record_source(IpAddr::V4(Ipv4Addr::LOCALHOST), 5060).expect("a Via");
    message.decrement_max_forwards().expect("Max-Forwards");
    let uri = Uri::sip(None, &Host::V4(Ipv4Addr::LOCALHOST), None);
    let uri = uri.with_param("lr", None).expect("a URI");
    message.pop_first::<RouteHeader>().expect("routes");
    message.push_route(&RouteHeader::new(uri.clone()));
    message.push_record_route(&RecordRouteHeader::new(uri.clone()));
    message.set_request_uri(&uri);
    let host = Host::V4(Ipv4Addr::LOCALHOST);
    message.push_via(&Via::new(Transport::Udp, host, Some(5060), "z9hG4bKx"));
    let printed = message.to_bytes();
    let again = Message::parse(printed.clone(), &unlimited()).expect("what we forward");
    assert_eq!(again.to_bytes(), printed);
    assert!(again.fields().count() <= fields + 4, "no value adds a field of its own");
}

fn refuse(fault: &Malformed) {
    let text = fault.reason.to_string();
    assert!(!text.is_empty() && text.len() < 300, "{text:?}");
    assert_eq!(fault.response("t").and_then(|response| response.status()), fault.respond);
    if let Some(response) = fault.response("t") {
        let octets = response.to_bytes();
        assert!(octets.starts_with(b"SIP/2.0 "));
    }
}

const fn unlimited() -> Limits {
    Limits { octets: usize::MAX, fields: usize::MAX }
}
