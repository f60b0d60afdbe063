use super::*;
use crate::header::{FromHeader, Header, HeaderName, ToHeader, Via};

const INVITE: &str = "INVITE sip:bob@biloxi.example SIP/2.0\r\n\
    Via: SIP/2.0/UDP bigbox3.site3.example;branch=z9hG4bK77ef4c2312983.1, SIP/2.0/UDP pc33;branch=z9hG4bKn\r\n\
    v :SIP/2.0/TCP third;branch=z9hG4bK3\r\n\
    Max-Forwards:  69\r\n\
    X-Odd  :  a;;,\r\n \t folded  \r\n\
    t: Bob <sip:bob@biloxi.example>\r\n\
    From: Alice <sip:alice@atlanta.example>;tag=1928301774\r\n\
    Call-ID: a84b4c76e66710\r\n\
    CSeq: 314159 INVITE\r\n\
    Route: <sip:p1;lr>\r\n\
    Timestamp: 54\r\n\
    Contact: <sip:alice@pc33.atlanta.example>\r\n\
    Content-Type: application/octet-stream\r\n\
    Content-Length: 4\r\n\r\n";

fn octets() -> Vec<u8> {
    [INVITE.as_bytes(), b"\x00\xff\r\n"].concat()
}

fn invite() -> Message {
    parse(&octets())
}

fn parse(octets: &[u8]) -> Message {
    Message::parse(octets.to_vec().into(), &Limits::default()).expect("a message")
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.to_bytes()).into_owned()
}

#[test]
fn untouched_messages_print_as_they_came() {
    let message = invite();
    assert_eq!(message.to_bytes(), octets());
    assert_eq!(message.to_vec(), octets());
    assert_eq!(message.body().as_ref(), b"\x00\xff\r\n");
}
