//! One name of a zone with all its records in one piece of memory.
//!
//! ```text
//!  octet     name length, then the name in wire form
//!  4 octets  how many names exist directly below
//!  RRsets in the order of their types:
//!    2 type, 4 TTL, 2 count, 4 length of what follows, then per record 2 RDLENGTH and the RDATA
//! ```

use super::trie::Keyed;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A record that is not part of a zone yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rr {
    /// Number of its type.
    pub rtype: u16,
    /// Time to live in seconds.
    pub ttl: u32,
    /// RDATA, uncompressed, names in lower case; at most 65,535 octets.
    pub rdata: Vec<u8>,
}

/// A record whose data lies among that of others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// Number of its type.
    pub(crate) rtype: u16,
    /// Time to live in seconds.
    pub(crate) ttl: u32,
    /// Where its data begins and ends.
    pub(crate) from: usize,
    pub(crate) until: usize,
}

impl Held {
    /// Its data.
    pub(crate) fn rdata(self, data: &[u8]) -> &[u8] {
        data.get(self.from..self.until).unwrap_or_default()
    }
}

/// So many records are compared with each other, more are sorted.
const FEW: usize = 16;

/// A name that exists, with its records.
#[derive(Debug, Clone)]
pub(crate) struct Entry(Arc<[u8]>);

impl Keyed for Entry {
    fn key(&self) -> &[u8] {
        self.0.split_first().and_then(|(&n, rest)| rest.get(..usize::from(n))).unwrap_or_default()
    }
}

/// All records of one type at one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RrSet<'z> {
    /// Number of the type.
    pub rtype: u16,
    /// Time to live in seconds.
    pub ttl: u32,
    /// How many records there are, at least one.
    pub count: u16,
    /// Each record's RDLENGTH and RDATA.
    records: &'z [u8],
}

impl<'z> RrSet<'z> {
    /// The RDATA of each record.
    pub fn rdata(&self) -> impl Iterator<Item = &'z [u8]> + use<'z> {
        let mut rest = self.records;
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk()?;
            let (rdata, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            rest = after;
            Some(rdata)
        })
    }

    /// Octets of all RDATA with their lengths.
    pub(crate) const fn size(&self) -> usize {
        self.records.len()
    }
}

impl Entry {
    /// Makes an entry of records in any order. Of records that are equal one stays (RFC 2181 section 5), and each
    /// RRset has the lowest of its records' TTLs (RFC 2181 section 5.2).
    pub(crate) fn new(name: &[u8], children: u32, records: Vec<Rr>) -> Self {
        let mut data = Vec::new();
        let mut held: Vec<Held> = Vec::with_capacity(records.len());
        for Rr { rtype, ttl, rdata } in records {
            let from = data.len();
            data.extend(rdata);
            held.push(Held { rtype, ttl, from, until: data.len() });
        }
        Self::of(name, children, &mut held, &data)
    }

    /// As [`Self::new`], of records whose data is held together.
    pub(crate) fn of(name: &[u8], children: u32, records: &mut [Held], data: &[u8]) -> Self {
        records.sort_by_key(|held| held.rtype);
        let size = records.iter().map(|held| 14 + held.until - held.from).sum::<usize>();
        let mut octets = Vec::with_capacity(name.len() + 5 + size);
        octets.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        octets.extend_from_slice(name);
        octets.extend_from_slice(&children.to_be_bytes());
        for set in records.chunk_by(|a, b| a.rtype == b.rtype) {
            let ttl = set.iter().map(|held| held.ttl).min().unwrap_or(0);
            let rtype = set.first().map_or(0, |held| held.rtype);
            octets.extend_from_slice(&rtype.to_be_bytes());
            octets.extend_from_slice(&ttl.to_be_bytes());
            // Count and length follow when they are known.
            let at = octets.len();
            octets.extend_from_slice(&[0; 6]);
            let (mut many, mut count) = (BTreeSet::new(), 0_u16);
            for (place, held) in set.iter().take(usize::from(u16::MAX)).enumerate() {
                let rdata = held.rdata(data);
                let Ok(length) = u16::try_from(rdata.len()) else { continue };
                let is_new = if set.len() > FEW {
                    many.insert(rdata)
                } else {
                    !set.iter().take(place).any(|before| before.rdata(data) == rdata)
                };
                if is_new {
                    count = count.saturating_add(1);
                    octets.extend_from_slice(&length.to_be_bytes());
                    octets.extend_from_slice(rdata);
                }
            }
            let size = u32::try_from(octets.len() - at - 6).unwrap_or(u32::MAX);
            let known = count.to_be_bytes().into_iter().chain(size.to_be_bytes());
            for (place, octet) in octets.iter_mut().skip(at).zip(known) {
                *place = octet;
            }
        }
        Self(octets.into())
    }

    /// Gives it another number of names below.
    pub(crate) fn set_children(&mut self, children: u32) {
        let at = self.key().len() + 1;
        if let Some(field) = Arc::make_mut(&mut self.0).get_mut(at..at + 4) {
            field.copy_from_slice(&children.to_be_bytes());
        }
    }

    /// How many names exist directly below.
    pub(crate) fn children(&self) -> u32 {
        let after = self.0.get(self.key().len() + 1..);
        after.and_then(<[u8]>::first_chunk).map_or(0, |field| u32::from_be_bytes(*field))
    }

    /// The octets, to be kept outside of this process.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Reads what [`Self::octets`] gave; `None` when it is something else.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        let entry = Self(octets.into());
        let name = crate::name::Name::from_wire(entry.key()).ok()?;
        let size = |set: RrSet<'_>| {
            let whole: usize = set.rdata().map(|rdata| rdata.len() + 2).sum();
            (whole == set.size() && set.rdata().count() == usize::from(set.count))
                .then_some(12 + set.size())
        };
        let sets = entry.rrsets().map(size).sum::<Option<usize>>()?;
        (name.as_wire() == entry.key() && 1 + entry.key().len() + 4 + sets == octets.len())
            .then_some(entry)
    }

    /// All RRsets in the order of their types.
    pub(crate) fn rrsets(&self) -> impl Iterator<Item = RrSet<'_>> {
        let mut rest = self.0.get(self.key().len() + 5..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (rtype, after) = rest.split_first_chunk()?;
            let (ttl, after) = after.split_first_chunk()?;
            let (count, after) = after.split_first_chunk()?;
            let (length, after) = after.split_first_chunk()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (records, after) = after.split_at_checked(length)?;
            rest = after;
            Some(RrSet {
                rtype: u16::from_be_bytes(*rtype),
                ttl: u32::from_be_bytes(*ttl),
                count: u16::from_be_bytes(*count),
                records,
            })
        })
    }

    /// The RRset of a type.
    pub(crate) fn rrset(&self, rtype: u16) -> Option<RrSet<'_>> {
        self.rrsets().find(|set| set.rtype == rtype)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rr(rtype: u16, ttl: u32, rdata: &[u8]) -> Rr {
        Rr { rtype, ttl, rdata: rdata.to_vec() }
    }

    #[test]
    fn keeps_rrsets_apart() {
        let records = vec![
            rr(16, 60, b"\x01a"),
            rr(1, 30, b"1234"),
            rr(16, 20, b"\x01b"),
            rr(16, 50, b"\x01a"),
        ];
        let entry = Entry::new(b"\x03www\0", 3, records);
        assert_eq!((entry.key(), entry.children()), (&b"\x03www\0"[..], 3));
        let text = entry.rrset(16).unwrap();
        assert_eq!((text.ttl, text.count), (20, 2));
        assert_eq!(text.rdata().collect::<Vec<_>>(), [b"\x01a", b"\x01b"]);
        assert_eq!(entry.rrsets().map(|set| set.rtype).collect::<Vec<_>>(), [1, 16]);
        assert_eq!(entry.rrset(28), None);
        let mut more = entry.clone();
        more.set_children(4);
        assert_eq!(entry.children(), 3);
        assert_eq!((more.children(), more.rrset(1)), (4, entry.rrset(1)));
    }

    #[test]
    fn reads_only_what_it_wrote() {
        let entry = Entry::new(
            b"\x03www\0",
            3,
            vec![rr(1, 30, b"1234"), rr(1, 30, b"5678"), rr(2, 3, b"\0")],
        );
        let octets = entry.octets();
        assert_eq!(Entry::from_octets(octets).unwrap().octets(), octets);
        for length in 0..octets.len() {
            // Without its last RRset it is an entry too.
            let whole = length == 10 || length == octets.len() - 15;
            assert_eq!(Entry::from_octets(&octets[..length]).is_some(), whole, "{length}");
        }
        let upper = Entry::new(b"\x03WWW\0", 3, vec![]);
        assert!(Entry::from_octets(upper.octets()).is_none());
    }
}
