//! Telling secondaries that a zone changed (RFC 1996): the message, and whether what comes back acknowledges it; and hearing
//! it from primaries.

use crate::answer::request::{HEADER, Header};
use crate::answer::writer::{Record, Writer};
use crate::answer::{NOTIFY, Outcome, Rcode, Server, answer_notify};
use crate::tsig::Key;
use crate::zone::{Zone, codes};

/// Longest message: it goes into any datagram (RFC 1035 section 2.3.4).
const LIMIT: usize = 512;
/// Opcode NOTIFY, with AA (RFC 1996 section 4.5).
const FLAGS: [u8; 2] = [0x24, 0];

/// Writes a NOTIFY with the zone's SOA as a hint (RFC 1996 section 3.7), when the zone has one that fits; `out` is
/// overwritten.
pub fn write(id: u16, zone: &Zone, out: &mut Vec<u8>) {
    let apex = zone.apex().as_wire();
    let mut writer = Writer::new(out, LIMIT);
    let [t0, t1] = codes::SOA.to_be_bytes();
    writer.plain_question(apex, [t0, t1, 0, 1]);
    if let Some(soa) = zone.soa()
        && let Some(rdata) = soa.rrset.rdata().next()
    {
        let (rtype, ttl, serial) = (codes::SOA, soa.rrset.ttl, zone.serial());
        writer.record(&Record { owner: apex, rtype, ttl, rdata, serial });
    }
    let [[i0, i1], [q0, q1], [a0, a1]] =
        [id, 1, writer.counts().get(1).copied().unwrap_or(0)].map(u16::to_be_bytes);
    let [f0, f1] = FLAGS;
    writer.header(&[i0, i1, f0, f1, q0, q1, a0, a1, 0, 0, 0, 0]);
}

/// The id of a response to a NOTIFY; `None` when the octets are something else.
///
/// Any response ends the asking (RFC 1996 section 3.6), whatever its code says.
#[must_use]
pub fn acknowledged(response: &[u8]) -> Option<u16> {
    let header = Header::read(response)?;
    let [i0, i1, ..] = *response.first_chunk::<HEADER>()?;
    (header.is_response() && header.opcode() == NOTIFY).then_some(u16::from_be_bytes([i0, i1]))
}

/// Whether a message tells of a change.
#[must_use]
pub fn is_one(octets: &[u8]) -> bool {
    Header::read(octets).is_some_and(|header| !header.is_response() && header.opcode() == NOTIFY)
}

/// Answers a message that tells of a change; `out` is overwritten. `code` decides, by the zone's name in wire form and lower case
/// and by the key that the message is signed with. What the message says of the new serial is nothing but a hint (RFC 1996
/// section 3.7), and is not looked at.
pub fn answer(
    octets: &[u8],
    server: &Server<'_>,
    out: &mut Vec<u8>,
    code: impl FnOnce(&[u8], Option<&Key>) -> Rcode,
) -> Outcome {
    answer_notify(octets, server, out, code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::tests::zone;
    use hickory_proto::op::{Message, MessageType, OpCode};
    use hickory_proto::rr::{RData, RecordType};

    #[test]
    fn says_what_changed() {
        let zone = zone("example.com", &[]).with_serial(77);
        let mut out = b"left over".to_vec();
        write(4711, &zone, &mut out);
        let mut message = Message::from_vec(&out).unwrap();
        assert_eq!((message.metadata.id, message.metadata.op_code), (4711, OpCode::Notify));
        assert!(message.metadata.authoritative);
        assert_eq!(message.metadata.message_type, MessageType::Query);
        assert_eq!(message.queries[0].query_type(), RecordType::SOA);
        assert_eq!(message.queries[0].name().to_string(), "example.com.");
        let RData::SOA(soa) = &message.answers[0].data else { panic!("{message:?}") };
        assert_eq!(soa.serial, 77);
        assert_eq!(acknowledged(&out), None, "a NOTIFY is no response to one");
        message.metadata.message_type = MessageType::Response;
        assert_eq!(acknowledged(&message.to_vec().unwrap()), Some(4711));
        message.metadata.op_code = OpCode::Query;
        assert_eq!(acknowledged(&message.to_vec().unwrap()), None);
        assert_eq!(acknowledged(&out[..11]), None);
    }
    /// RFC 1996 section 4.7: the answer has the question, and AA when the change is taken note of.
    #[test]
    fn a_change_that_is_told_is_answered() {
        use crate::answer::{Limits, Transport};
        use crate::tsig::{Algorithm, Keys, Signer};
        let key =
            Key::new(crate::name::Name::parse("a.key").unwrap(), Algorithm::HmacSha256, &[1; 32]);
        let key = key.unwrap();
        let keys: Keys = [key.clone()].into_iter().collect();
        let limits = Limits::new(Transport::Udp);
        let server = Server { limits, keys: &keys, now: 1_000, cookies: None, signer: None };
        let (mut told, mut out) = (Vec::new(), Vec::new());
        write(4711, &zone("Example.com", &[]), &mut told);
        assert!(is_one(&told) && !is_one(&told[..11]));
        for (signed, code) in
            [(false, Rcode::NoError), (true, Rcode::NoError), (false, Rcode::NotAuth)]
        {
            let mut told = told.clone();
            if signed {
                Signer::request(&key).sign(1_000, &mut told);
            }
            let outcome = answer(&told, &server, &mut out, |apex, by| {
                assert_eq!(apex, b"\x07example\x03com\0");
                assert_eq!(by.is_some(), signed);
                code
            });
            assert!(
                matches!(outcome, Outcome::Answered(answered) if answered.rcode == code && answered.proven == signed)
            );
            let message = Message::from_vec(&out).unwrap();
            assert_eq!(u16::from(message.metadata.response_code), code.code());
            assert_eq!((message.metadata.op_code, message.metadata.id), (OpCode::Notify, 4711));
            assert_eq!(message.metadata.authoritative, code == Rcode::NoError);
            assert_eq!((message.queries.len(), message.answers.len()), (1, 0));
            assert_eq!(acknowledged(&out), Some(4711));
            assert!(!is_one(&out));
        }
        // A wrong signature is nobody's word, and other types mean nothing.
        let mut forged = told.clone();
        Signer::request(&key).sign(1_000, &mut forged);
        *forged.last_mut().unwrap() ^= 1;
        forged[30] ^= 0x20;
        let outcome = answer(&forged, &server, &mut out, |_, _| panic!("not to be heard"));
        assert!(matches!(outcome, Outcome::Answered(answered) if answered.rcode != Rcode::NoError));
        let at = 12 + 13 + 1;
        told[at] = 1;
        let outcome = answer(&told, &server, &mut out, |_, _| panic!("not to be heard"));
        assert!(matches!(outcome, Outcome::Answered(answered) if answered.rcode == Rcode::NotImp));
    }
}
