//! How long answers may be kept (RFC 8484 section 5.1).

use super::*;

fn of(name: &str, kind: RecordType) -> u32 {
    let mut query = Message::new(1, MessageType::Query, OpCode::Query);
    query.add_query(Query::query(Name::from_str(name).unwrap(), kind));
    let mut out = Vec::new();
    answer(&zones(), &query.to_vec().unwrap(), Limits::new(Transport::Tcp), &mut out);
    freshness(&out)
}

#[test]
fn the_smallest_ttl_of_the_answer_holds() {
    assert_eq!(of("www.example.com.", RecordType::A), 60);
    assert_eq!(of("1.0.3.1.3.e164.arpa.", RecordType::NAPTR), 300);
    // The DNAME says 300, the alias that is made of it too, what it leads to 60.
    assert_eq!(of("a.old.example.com.", RecordType::A), 60);
}

#[test]
fn what_does_not_exist_is_kept_as_long_as_the_soa_says() {
    // The SOA's own TTL is 3600, its last field 300.
    for (name, kind) in
        [("nothing.example.com.", RecordType::A), ("www.example.com.", RecordType::MX)]
    {
        assert_eq!(of(name, kind), 300, "{name}");
    }
}

#[test]
fn referrals_are_kept_as_long_as_their_servers_and_errors_are_not() {
    assert_eq!(of("host.sub.example.com.", RecordType::A), 60);
    assert_eq!(of("elsewhere.invalid.", RecordType::A), 0);
    assert_eq!(of("www.broken.example.", RecordType::A), 0);
    for octets in [&[][..], &[0; 11], &[255; 12], &[0, 0, 128, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]] {
        assert_eq!(freshness(octets), 0);
    }
}
