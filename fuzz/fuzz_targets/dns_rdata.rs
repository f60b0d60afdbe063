//! Any text as content of any type: data that fits in a record, or an error of a few lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_dns::rdata::{MAX_RDATA, RecordType, encode, set_serial, target, text};

fuzz_target!(|input: (&str, &str, u16)| {
    let (rtype, content, priority) = input;
    match encode(rtype, content, priority) {
        Ok((kind, mut wire)) => {
            assert!(wire.len() <= MAX_RDATA);
            assert_eq!(RecordType::parse(&kind.to_string()), Some(kind));
            let _ = target(kind, &wire);
            let _ = text(kind, &wire, content);
            assert!(set_serial(&mut wire, 7).is_ok() || kind != RecordType::SOA);
        }
        Err(error) => assert!(error.to_string().len() < 2_000),
    }
    // The same octets as data that came from elsewhere.
    let mut wire = content.as_bytes().to_vec();
    let _ = target(RecordType(priority), &wire);
    // A text stands for the same data, but for names in capitals.
    let kind = RecordType(priority);
    if kind.is_data()
        && !matches!(kind, RecordType::MX | RecordType::SRV | RecordType::LOC)
        && let Some(shown) = text(kind, &wire, "")
    {
        let (_, again) = encode(&kind.to_string(), &shown, 0).expect("its own text");
        assert!(again.eq_ignore_ascii_case(&wire));
    }
    let _ = set_serial(&mut wire, 7);
});
