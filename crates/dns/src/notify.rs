//! Telling secondaries that a zone changed (RFC 1996): the message, and whether what comes back acknowledges it.

use crate::answer::request::{HEADER, Header};
use crate::answer::writer::{Record, Writer};
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
    (header.is_response() && header.opcode() == 4).then_some(u16::from_be_bytes([i0, i1]))
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
}
