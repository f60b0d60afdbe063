//! Any octets as the messages of a transfer, to somebody who holds the zone and to somebody who does not: a zone within the
//! limits, or a refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_dns::name::Name;
use ngn_dns::secondary::{Asking, Limits, Outcome, Times, ask};
use ngn_dns::zone::Zone;
use ngn_model::DomainName;
use ngn_model::zone::{RecordRow, ZoneRows};
use std::sync::{Arc, LazyLock};

const RECORDS: usize = 50;

static HELD: LazyLock<Arc<Zone>> = LazyLock::new(|| {
    let record = |(name, rtype, content): (&str, &str, &str)| RecordRow {
        name: name.to_owned(),
        rtype: rtype.to_owned(),
        content: content.to_owned(),
        ttl: 60,
        priority: 1,
    };
    let lines = [("a", "SOA", "ns.a h.a 1 2 3 4 5"), ("a", "NS", "ns.a"), ("ns.a", "A", "192.0.2.1")];
    let records = lines.into_iter().map(record).collect();
    let apex = DomainName::new("a").expect("a name");
    Arc::new(Zone::build(&ZoneRows { apex, serial: 1, records, signing: None }).0)
});

fuzz_target!(|input: (Vec<Vec<u8>>, bool)| {
    let (messages, whole) = input;
    let apex = Name::parse("a").expect("a name");
    let held = (!whole).then(|| &*HELD);
    let limits = Limits { records: RECORDS, octets: 10_000 };
    let asking = Asking { apex: &apex, held, incremental: true, key: None, limits };
    let (request, mut incoming) = ask(&asking, 0, 0);
    for rest in messages {
        // A header and a question that fit lead further.
        let answers = rest.first().copied().unwrap_or(0);
        let question = request.get(12..19).unwrap_or_default();
        let header = [0, 0, 0x84, 0, 0, 1, 0, answers, 0, 0, 0, 0];
        let message = [&header[..], question, rest.get(1..).unwrap_or_default()].concat();
        match incoming.take(&message, 0) {
            Ok(None) => {}
            Ok(Some(Outcome::Whole(zone) | Outcome::Changed { zone, .. })) => {
                assert!(zone.record_count() <= RECORDS && zone.soa().is_some());
                assert!(zone.nodes().all(|node| node.name().ends_with(b"\x01a\0")));
                assert!(Times::of(&zone, 1).is_some());
                break;
            }
            Ok(Some(Outcome::Current { .. })) | Err(_) => break,
        }
    }
});
