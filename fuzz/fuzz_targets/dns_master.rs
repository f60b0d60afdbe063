//! Whatever a master file holds is read or refused, and what was read is written and read again as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_dns::master::{content, file, read};
use ngn_dns::name::Name;
use ngn_model::DomainName;
use ngn_model::zone::{RecordRow, ZoneRows};

fuzz_target!(|text: &str| {
    let apex = DomainName::new("example.com").expect("a name");
    let Ok(contents) = read(text, Some(&Name::from(&apex))) else { return };
    let rows = |contents: &ngn_dns::master::Contents| {
        let row = |entry: &ngn_dns::master::Entry| RecordRow {
            name: entry.owner.to_string(),
            rtype: entry.kind.to_string(),
            content: content(entry.kind, &entry.value),
            ttl: entry.ttl,
            priority: entry.priority,
        };
        let records = contents.entries.iter().map(row).collect();
        ZoneRows { apex: apex.clone(), serial: 1, records, signing: None }
    };
    let (first, _) = file(&rows(&contents));
    let again = read(&first, None).expect("what was written is read");
    let (second, bad) = file(&rows(&again));
    assert!(bad.is_empty(), "{bad:?}");
    assert_eq!(first, second);
});
