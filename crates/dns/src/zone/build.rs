//! Making a zone of many records as they come, without keeping their text.

use super::entry::{Entry, Held, Rr};
use super::records::{self, BadReason, BadRecord};
use super::{Zone, codes};
use crate::dnssec::Signing;
use crate::name::{Name, NameError};
use crate::rdata::{self, RecordType};
use ngn_model::zone::{RecordRef, ZoneSigning};

/// A zone in the making. Records come one by one in any order; those of one name cost least when they come together.
#[derive(Debug)]
pub struct Builder {
    zone: Zone,
    /// The owner of the records that wait, as it was written, and in wire form or why it is none.
    text: String,
    owner: Result<Vec<u8>, BadReason>,
    /// The records that wait.
    records: Vec<Held>,
    /// Their data.
    data: Vec<u8>,
    /// Whether one of them may stand beside some others only.
    delicate: bool,
    bad: Vec<BadRecord>,
}

impl Builder {
    /// A zone without records so far.
    #[must_use]
    pub fn new(apex: Name, serial: u32) -> Self {
        Self {
            zone: Zone::new(apex, serial),
            text: String::new(),
            owner: Err(NameError::EmptyLabel.into()),
            records: Vec::new(),
            data: Vec::new(),
            delicate: false,
            bad: Vec::new(),
        }
    }

    /// Adds a record. One that makes no sense is left out, and comes back at the end with the reason.
    pub fn add(&mut self, row: RecordRef<'_>) {
        if row.name != self.text {
            self.flush();
            self.text.clear();
            self.text.push_str(row.name);
            self.owner = self.owner(row.name);
        }
        if let Err(reason) = &self.owner {
            self.bad.push(BadRecord::new(row, reason.clone()));
            return;
        }
        let from = self.data.len();
        match rdata::encode_into(row.rtype, row.content, row.priority, &mut self.data) {
            Ok(kind) if !kind.is_data() => {
                self.data.truncate(from);
                self.bad.push(BadRecord::new(row, BadReason::MetaType));
            }
            Ok(RecordType(rtype)) => {
                self.delicate |= matches!(rtype, codes::CNAME | codes::SOA | codes::DNAME);
                let (ttl, until) = (row.ttl.min(records::MAX_TTL), self.data.len());
                self.records.push(Held { rtype, ttl, from, until });
            }
            Err(error) => {
                self.data.truncate(from);
                self.bad.push(BadRecord::new(row, error.into()));
            }
        }
    }

    fn owner(&mut self, text: &str) -> Result<Vec<u8>, BadReason> {
        // The memory of the owner before.
        let mut wire = std::mem::replace(&mut self.owner, Ok(Vec::new())).unwrap_or_default();
        wire.clear();
        Name::parse_into(text, &mut wire)?;
        if self.zone.apex.is_at_or_above(&wire) { Ok(wire) } else { Err(BadReason::OutOfZone) }
    }

    /// Puts the records that wait into the zone.
    fn flush(&mut self) {
        if self.records.is_empty() {
            return;
        }
        if let Ok(owner) = &self.owner {
            let zone = &mut self.zone;
            let old = zone.names.get(owner).cloned();
            let is_there = old.as_ref().is_some_and(|entry| entry.rrsets().next().is_some());
            if is_there || self.delicate {
                // What came before counts first.
                let mut all = zone.records_of(owner);
                all.extend(self.records.iter().map(|held| Rr {
                    rtype: held.rtype,
                    ttl: held.ttl,
                    rdata: held.rdata(&self.data).to_vec(),
                }));
                let at_apex = *owner == zone.apex.as_wire();
                let text = &self.text;
                records::fitting(
                    at_apex,
                    &mut all,
                    |rr| rr.rtype,
                    |rr, reason| {
                        let rtype = RecordType(rr.rtype).to_string();
                        self.bad.push(BadRecord { name: text.clone(), rtype, reason });
                    },
                );
                zone.put(owner, old, |children| Entry::new(owner, children, all));
            } else {
                zone.put(owner, old, |children| {
                    Entry::of(owner, children, &mut self.records, &self.data)
                });
            }
        }
        self.records.clear();
        self.data.clear();
        self.delicate = false;
    }

    /// The zone, not signed, and the records that are left out.
    #[must_use]
    pub fn finish(mut self) -> (Zone, Vec<BadRecord>) {
        self.flush();
        (self.zone, self.bad)
    }

    /// The zone, signed if that is given, with the keys that are published at `now`, in seconds since 1970 UTC; and the
    /// records that are left out.
    #[must_use]
    pub fn finish_signed(self, signing: Option<&ZoneSigning>, now: i64) -> (Zone, Vec<BadRecord>) {
        let (zone, bad) = self.finish();
        match signing {
            Some(signing) => (zone.with_signing(Some(Signing::new(signing)), now), bad),
            None => (zone, bad),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{row, rows};
    use super::*;
    use ngn_model::zone::RecordRow;
    use proptest::prelude::*;

    /// Type, TTL and data.
    type Set = (u16, u32, Vec<Vec<u8>>);

    /// All names with what they have; RRsets in any order of their records.
    fn content(zone: &Zone) -> Vec<(Vec<u8>, Vec<Set>)> {
        let mut all: Vec<_> = zone
            .nodes()
            .map(|node| {
                let sets = node.rrsets().map(|set| {
                    let mut data: Vec<Vec<u8>> = set.rdata().map(<[u8]>::to_vec).collect();
                    data.sort();
                    (set.rtype, set.ttl, data)
                });
                (node.name().to_vec(), sets.collect())
            })
            .collect();
        all.sort();
        all
    }

    fn built(records: &[RecordRow]) -> (Zone, Vec<BadRecord>) {
        let mut builder = Builder::new(Name::parse("example.com").unwrap(), 1);
        records.iter().for_each(|row| builder.add(row.into()));
        builder.finish()
    }

    fn record() -> impl Strategy<Value = RecordRow> {
        let owners = ["www", "a.b.www", "*", "x.*", "WWW", "mail", "a"];
        let data = [
            ("A", "192.0.2.1"),
            ("A", "192.0.2.2"),
            ("A", "192.0.2.256"),
            ("CNAME", "www.example.com"),
            ("NS", "ns.example.net"),
            ("DNAME", "example.net"),
            ("NAPTR", r#"100 5 "u" "E2U+sip" "!^.*$!sip:a@example.com!" ."#),
            ("SOA", "ns1.example.com hostmaster.example.com 1 1 1 1 1"),
            ("ANY", "x"),
        ];
        (0..owners.len(), 0..data.len(), 1_u32..4).prop_map(move |(owner, at, ttl)| {
            let (rtype, text) = data[at];
            // Of two aliases the first one stays.
            let ttl = if matches!(rtype, "CNAME" | "DNAME") { 1 } else { ttl };
            row(&format!("{}.example.com", owners[owner]), rtype, ttl, text)
        })
    }

    proptest! {
        // RFC 1034 section 3.6.2, RFC 2181 section 5: what a zone holds does not depend on the order of its rows.
        #[test]
        fn any_order_of_records_gives_the_same_zone(
            (records, shuffled) in prop::collection::vec(record(), 0..40)
                .prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
        ) {
            let ((one, bad), (other, other_bad)) = (built(&records), built(&shuffled));
            prop_assert_eq!(content(&one), content(&other));
            prop_assert_eq!(bad.len(), other_bad.len());
            let counts = |zone: &Zone| (zone.records, zone.cuts, zone.dnames, zone.names.len());
            prop_assert_eq!(counts(&one), counts(&other));
            // The names one by one, as changes of the journal come.
            let mut apart = Zone::new(Name::parse("example.com").unwrap(), 1);
            for record in &records {
                let owner = Name::parse(&record.name).unwrap();
                let same = |row: &&RecordRow| Name::parse(&row.name).unwrap() == owner;
                let here: Vec<RecordRow> = records.iter().filter(same).cloned().collect();
                apart = apart.with(&owner, &here).0;
            }
            prop_assert_eq!(content(&apart), content(&one));
        }
    }

    #[test]
    fn what_makes_no_sense_comes_back() {
        let mut records = rows("example.com", &[]).records;
        records.extend([
            row("www.example.net", "A", 60, "192.0.2.1"),
            row("a..example.com", "A", 60, "192.0.2.1"),
            row("www.example.com", "A", 60, "192.0.2.1"),
            row("mail.example.com", "A", 60, "192.0.2.2"),
            row("www.example.com", "CNAME", 60, "mail.example.com"),
            row("notexample.com", "A", 60, "192.0.2.1"),
        ]);
        let (zone, bad) = built(&records);
        assert_eq!((zone.record_count(), zone.name_count()), (4, 3));
        let reasons: Vec<&BadReason> = bad.iter().map(|bad| &bad.reason).collect();
        assert_eq!(
            reasons,
            [
                &BadReason::OutOfZone,
                &BadReason::Owner(NameError::EmptyLabel),
                &BadReason::CnameNotAlone,
                &BadReason::OutOfZone
            ]
        );
        assert_eq!((bad[2].name.as_str(), bad[2].rtype.as_str()), ("www.example.com", "CNAME"));
    }
}
