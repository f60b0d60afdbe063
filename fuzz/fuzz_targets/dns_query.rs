//! Any octets as a query: an answer within its limit, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_dns::answer::{Limits, Outcome, Server, Transport, answer, answer_for};
use ngn_dns::dnssec::{Key, Signer, Signing};
use ngn_dns::tsig::Keys;
use ngn_dns::transfer::{Messages, Query};
use ngn_dns::zone::{Zone, Zones};
use ngn_model::DomainName;
use ngn_model::zone::{RecordRow, ZoneKey, ZoneRows, ZoneSigning};
use std::sync::LazyLock;

const LINES: &[(&str, &str, &str)] = &[
    ("a", "SOA", "ns.a h.a 1 2 3 4 5"),
    ("a", "NS", "ns.a"),
    ("a", "MX", "ns.a"),
    ("ns.a", "A", "192.0.2.1"),
    ("b.a", "CNAME", "c.a"),
    ("c.a", "CNAME", "b.a"),
    ("*.d.a", "TXT", "\"wild\""),
    ("e.a", "NS", "ns.e.a"),
    ("ns.e.a", "AAAA", "2001:db8::1"),
    ("f.a", "NAPTR", "100 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.a"),
    ("_sip._udp.a", "SRV", "1 5060 ns.a"),
];

static ZONES: LazyLock<Zones> = LazyLock::new(|| {
    let record = |(name, rtype, content): &(&str, &str, &str)| RecordRow {
        name: (*name).to_owned(),
        rtype: (*rtype).to_owned(),
        content: (*content).to_owned(),
        ttl: 60,
        priority: 1,
    };
    let apex = DomainName::new("a").expect("a name");
    let rows = ZoneRows { apex, serial: 1, records: LINES.iter().map(record).collect(), signing: None };
    let (zone, bad) = Zone::build(&rows);
    assert!(bad.is_empty(), "{bad:?}");
    [zone].into_iter().collect()
});

/// The same zone signed: with NSEC, and with NSEC3.
static SIGNED: LazyLock<[Zones; 2]> = LazyLock::new(|| {
    let signed = |nsec3| {
        let key = |id, ksk| ZoneKey {
            id,
            ksk,
            public: vec![7; 64],
            secret: String::new(),
            publish_at: 0,
            active_at: 0,
            retire_at: None,
            remove_at: None,
        };
        let keys = vec![key(1, true), key(2, false)];
        let signing = Signing::new(&ZoneSigning { nsec3, withdrawn: false, renewed: 0, keys });
        let zones = ZONES.iter().map(|zone| zone.with_signing(Some(signing.clone()), 1));
        zones.collect()
    };
    [signed(false), signed(true)]
});

/// Signs nothing really.
#[derive(Debug)]
struct Stamp;

impl Signer for Stamp {
    fn sign(&self, _: &Key, data: &[u8], _: bool) -> Option<[u8; 64]> {
        Some([data.last().copied().unwrap_or(0); 64])
    }
}

fuzz_target!(|query: &[u8]| {
    for zones in &*SIGNED {
        for (transport, limit) in [(Transport::Udp, 1232), (Transport::Tcp, 65_535)] {
            let keys = Keys::none();
            let (limits, signer) = (Limits::new(transport), Some(&Stamp as &dyn Signer));
            let server = Server { limits, keys: &keys, now: 1, cookies: None, signer };
            let mut out = Vec::new();
            if let Outcome::Answered(_) = answer_for(zones, query, &server, &mut out) {
                assert!((12..=limit).contains(&out.len()));
            }
        }
    }
    for (transport, limit) in [(Transport::Udp, 1232), (Transport::Tcp, 65_535)] {
        let mut out = Vec::new();
        match answer(&ZONES, query, Limits::new(transport), &mut out) {
            Outcome::Dropped => assert!(query.len() < 12 || query[2] & 0x80 != 0),
            Outcome::Answered(_) => {
                assert!((12..=limit).contains(&out.len()));
                assert_eq!(out[..2], query[..2]);
                assert!(out[2] & 0x80 != 0);
            }
        }
    }
    if let Some(asked) = Query::read(query)
        && let Some(zone) = ZONES.iter().next()
    {
        let limits = Limits::new(Transport::Tcp);
        let mut messages = Messages::axfr(asked, zone, limits, 0, None).expect("a zone with an SOA");
        let mut out = Vec::new();
        while messages.next(&mut out).expect("short records") {
            assert_eq!(out[..2], query[..2]);
        }
    }
});
