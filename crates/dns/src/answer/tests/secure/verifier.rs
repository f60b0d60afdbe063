//! A validator of its own, which shares no code with what it looks at: it reads messages, checks every signature (RFC 4035
//! section 5.3) and says what the records prove (RFC 4035 section 5.4, RFC 5155 section 8).

use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use sha1::{Digest as _, Sha1};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A name as its labels in lower case, the one below the root first.
pub(super) type Labels = Vec<Vec<u8>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// 1 answer, 2 authority, 3 additional.
    pub(super) section: usize,
    pub(super) owner: Labels,
    pub(super) rtype: u16,
    pub(super) ttl: u32,
    /// Names in it are written out.
    pub(super) rdata: Vec<u8>,
}

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) rcode: u8,
    pub(super) truncated: bool,
    pub(super) records: Vec<Record>,
}

fn name(octets: &[u8], at: &mut usize) -> Labels {
    let (mut here, mut jumped, mut labels) = (*at, false, Vec::new());
    loop {
        let length = usize::from(octets[here]);
        if length >= 0xc0 {
            if !jumped {
                *at = here + 2;
            }
            jumped = true;
            here = (length & 0x3f) << 8 | usize::from(octets[here + 1]);
            continue;
        }
        here += 1;
        if length == 0 {
            break;
        }
        labels.push(octets[here..here + length].to_ascii_lowercase());
        here += length;
    }
    if !jumped {
        *at = here;
    }
    labels.reverse();
    labels
}

pub(super) fn wire(labels: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = Vec::new();
    for label in labels.iter().rev() {
        octets.push(u8::try_from(label.len()).unwrap());
        octets.extend_from_slice(label);
    }
    octets.push(0);
    octets
}

fn number(octets: &[u8]) -> usize {
    octets.iter().fold(0, |number, octet| number << 8 | usize::from(*octet))
}

impl Message {
    pub(super) fn read(octets: &[u8]) -> Self {
        let mut at = 12;
        for _ in 0..number(&octets[4..6]) {
            name(octets, &mut at);
            at += 4;
        }
        let mut records = Vec::new();
        for section in 1..4 {
            for _ in 0..number(&octets[4 + 2 * section..6 + 2 * section]) {
                let owner = name(octets, &mut at);
                let rtype = u16::try_from(number(&octets[at..at + 2])).unwrap();
                let ttl = u32::try_from(number(&octets[at + 4..at + 8])).unwrap();
                let end = at + 10 + number(&octets[at + 8..at + 10]);
                at += 10;
                let (before, names) = match rtype {
                    2 | 5 | 12 => (0, 1),
                    6 => (0, 2),
                    15 => (2, 1),
                    _ => (0, 0),
                };
                let mut rdata = octets[at..at + before].to_vec();
                at += before;
                for _ in 0..names {
                    rdata.extend(wire(&name(octets, &mut at)));
                }
                rdata.extend_from_slice(&octets[at..end]);
                at = end;
                if rtype != 41 {
                    records.push(Record { section, owner, rtype, ttl, rdata });
                }
            }
        }
        assert_eq!(at, octets.len());
        Self { rcode: octets[3] & 15, truncated: octets[2] & 2 != 0, records }
    }

    pub(super) fn has(&self, section: usize, owner: &[Vec<u8>], rtype: u16) -> bool {
        self.records.iter().any(|r| r.section == section && r.owner == owner && r.rtype == rtype)
    }
}

/// What is trusted, and when.
pub(super) struct Trust<'t> {
    pub(super) apex: Labels,
    /// RDATA of DNSKEY records.
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) now: u32,
    pub(super) message: &'t Message,
}

struct Nsec {
    owner: Labels,
    next: Labels,
    types: BTreeSet<u16>,
}

struct Nsec3 {
    hash: Vec<u8>,
    next: Vec<u8>,
    types: BTreeSet<u16>,
}

fn types(mut bitmap: &[u8]) -> BTreeSet<u16> {
    let mut found = BTreeSet::new();
    while let [window, length, rest @ ..] = bitmap {
        let length = usize::from(*length);
        assert!((1..=32).contains(&length) && rest[length - 1] != 0, "RFC 4034 section 4.1.2");
        for (at, octet) in rest[..length].iter().enumerate() {
            for bit in (0..8).filter(|bit| octet & (0x80 >> bit) != 0) {
                found.insert(u16::from(*window) * 256 + u16::try_from(at * 8 + bit).unwrap());
            }
        }
        bitmap = &rest[length..];
    }
    assert!(bitmap.is_empty());
    found
}

fn common(a: &[Vec<u8>], b: &[Vec<u8>]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Whether something strictly between two ends lies on the circle.
fn between<T: Ord + ?Sized>(from: &T, what: &T, to: &T) -> bool {
    match from.cmp(to) {
        Ordering::Less => from < what && what < to,
        Ordering::Greater | Ordering::Equal => what > from || what < to,
    }
}

fn below(name: &[Vec<u8>], wildcard: bool) -> Labels {
    let mut name = name.to_vec();
    name.extend(wildcard.then(|| b"*".to_vec()));
    name
}

impl Trust<'_> {
    /// Checks all signatures. Gives the names that a wildcard stands for, each with how many labels that one has.
    pub(super) fn signatures(&self) -> Result<BTreeMap<Labels, usize>, String> {
        let mut expanded = BTreeMap::new();
        let mut sets: BTreeMap<(usize, &Labels, u16), Vec<&Record>> = BTreeMap::new();
        for record in self.message.records.iter().filter(|record| record.rtype != 46) {
            sets.entry((record.section, &record.owner, record.rtype)).or_default().push(record);
        }
        for ((section, owner, rtype), set) in &sets {
            let rrsigs: Vec<&Record> = self
                .message
                .records
                .iter()
                .filter(|r| r.rtype == 46 && r.section == *section && r.owner == **owner)
                .filter(|r| number(&r.rdata[..2]) == usize::from(*rtype))
                .collect();
            let delegation = *section == 2 && *rtype == 2 && **owner != self.apex;
            let made = *rtype == 5
                && self.message.records.iter().any(|r| {
                    r.rtype == 39 && r.owner.len() < owner.len() && owner.starts_with(&r.owner)
                });
            if rrsigs.is_empty() && (delegation || made || *section == 3) {
                continue;
            }
            if rrsigs.is_empty() || delegation {
                return Err(format!("signatures of {owner:?} {rtype}: {}", rrsigs.len()));
            }
            for rrsig in rrsigs {
                if rrsig.ttl != set[0].ttl {
                    return Err("the TTL of a signature".to_owned());
                }
                if let Some(labels) = self.signature(owner, *rtype, set, &rrsig.rdata)? {
                    expanded.insert((*owner).clone(), labels);
                }
            }
        }
        Ok(expanded)
    }

    fn signature(
        &self,
        owner: &Labels,
        rtype: u16,
        set: &[&Record],
        rrsig: &[u8],
    ) -> Result<Option<usize>, String> {
        let (algorithm, labels) = (rrsig[2], usize::from(rrsig[3]));
        let (expiration, inception) = (number(&rrsig[8..12]), number(&rrsig[12..16]));
        let now = usize::try_from(self.now).unwrap();
        let mut end = 18;
        let signer = name(rrsig, &mut end);
        if algorithm != 13 || signer != self.apex || !(inception..=expiration).contains(&now) {
            return Err(format!("{algorithm} {signer:?} {inception} {expiration}"));
        }
        let stars = owner.last().is_some_and(|label| label == b"*");
        let count = owner.len() - usize::from(stars);
        if labels > count {
            return Err(format!("{labels} labels"));
        }
        let wildcard = labels < count || stars;
        let source = wire(&below(&owner[..labels], wildcard));
        let mut rdata: Vec<&Vec<u8>> = set.iter().map(|record| &record.rdata).collect();
        rdata.sort();
        let mut data = rrsig[..end].to_vec();
        for rdata in rdata {
            data.extend_from_slice(&source);
            data.extend_from_slice(&rtype.to_be_bytes());
            data.extend_from_slice(&[0, 1]);
            data.extend_from_slice(&rrsig[4..8]);
            data.extend_from_slice(&u16::try_from(rdata.len()).unwrap().to_be_bytes());
            data.extend_from_slice(rdata);
        }
        let valid = self.keys.iter().any(|key| {
            let point = [&[4], &key[4..]].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            key.verify(&data, &rrsig[end..]).is_ok()
        });
        match valid {
            true if labels < count => Ok(Some(labels)),
            true => Ok(None),
            false => Err(format!("the signature of {owner:?} {rtype} is not valid")),
        }
    }

    fn nsecs(&self) -> Vec<Nsec> {
        let nsec = |record: &Record| {
            let mut at = 0;
            let next = name(&record.rdata, &mut at);
            Nsec { owner: record.owner.clone(), next, types: types(&record.rdata[at..]) }
        };
        self.message.records.iter().filter(|r| r.rtype == 47 && r.section == 2).map(nsec).collect()
    }

    fn nsec3s(&self) -> Vec<Nsec3> {
        let nsec3 = |record: &Record| {
            assert_eq!(record.rdata[..5], [1, 0, 0, 0, 0], "RFC 9276");
            assert_eq!(record.rdata[5], 20);
            let digit = |d: &u8| match d {
                b'0'..=b'9' => d - b'0',
                _ => d - b'a' + 10,
            };
            let bits: Vec<u8> = record.owner.last().unwrap().iter().map(digit).collect();
            let hash = bits
                .chunks(8)
                .flat_map(|eight| {
                    let whole =
                        eight.iter().fold(0_u64, |whole, five| whole << 5 | u64::from(*five));
                    whole.to_be_bytes()[3..].to_vec()
                })
                .collect();
            assert_eq!(record.owner[..record.owner.len() - 1], self.apex);
            Nsec3 { hash, next: record.rdata[6..26].to_vec(), types: types(&record.rdata[26..]) }
        };
        self.message.records.iter().filter(|r| r.rtype == 50 && r.section == 2).map(nsec3).collect()
    }

    /// Whether it is proven that a name has no records of a type, or stands for another one.
    fn lacks(types: &BTreeSet<u16>, rtype: u16) -> bool {
        let parent_side = types.contains(&2) && !types.contains(&6);
        !types.contains(&rtype) && !types.contains(&5) && (rtype == 43) >= parent_side
    }

    fn hash(name: &[Vec<u8>]) -> Vec<u8> {
        Sha1::digest(wire(name)).to_vec()
    }

    fn matching(&self, name: &[Vec<u8>]) -> Option<BTreeSet<u16>> {
        let hash = Self::hash(name);
        self.nsec3s().into_iter().find(|n| n.hash == hash).map(|n| n.types)
    }

    fn covered(&self, name: &[Vec<u8>]) -> bool {
        let hash = Self::hash(name);
        self.nsec3s().iter().any(|n| between(&n.hash, &hash, &n.next))
    }

    /// How many labels the closest encloser has (RFC 5155 section 8.3); the name itself is known not to exist.
    fn encloser(&self, name: &[Vec<u8>]) -> Option<usize> {
        let length =
            (0..name.len()).rev().find(|length| self.matching(&name[..*length]).is_some())?;
        let types = self.matching(&name[..length])?;
        let given_away = types.contains(&39) || (types.contains(&2) && !types.contains(&6));
        (!given_away && self.covered(&name[..=length])).then_some(length)
    }

    /// The NSEC record that a name lies in, and how many labels of the name exist.
    fn gap(&self, name: &[Vec<u8>]) -> Option<(Nsec, usize)> {
        let name = name.to_vec();
        let nsec = self.nsecs().into_iter().find(|n| between(&n.owner, &name, &n.next))?;
        let given_away =
            nsec.types.contains(&39) || (nsec.types.contains(&2) && !nsec.types.contains(&6));
        if given_away && name.starts_with(&nsec.owner) {
            return None;
        }
        let exists = common(&name, &nsec.owner).max(common(&name, &nsec.next));
        Some((nsec, exists))
    }

    pub(super) fn no_data(&self, name: &Labels, rtype: u16) -> bool {
        if self.nsec3s().is_empty() {
            let here = self.nsecs().into_iter().find(|nsec| nsec.owner == *name);
            return match (here, self.gap(name)) {
                (Some(nsec), _) => Self::lacks(&nsec.types, rtype),
                // An empty non-terminal (RFC 4035 section 5.4 and RFC 4592 section 2.2.2).
                (None, Some((nsec, _))) if nsec.next.starts_with(name) => true,
                (None, Some((_, exists))) => {
                    let wildcard = below(&name[..exists], true);
                    self.nsecs().iter().any(|n| n.owner == wildcard && Self::lacks(&n.types, rtype))
                        || self.gap(&wildcard).is_some_and(|(n, _)| n.next.starts_with(&wildcard))
                }
                (None, None) => false,
            };
        }
        if let Some(types) = self.matching(name) {
            return Self::lacks(&types, rtype);
        }
        let encloser = self.encloser(name).map(|length| below(&name[..length], true));
        encloser
            .and_then(|wildcard| self.matching(&wildcard))
            .is_some_and(|t| Self::lacks(&t, rtype))
    }

    pub(super) fn no_name(&self, name: &Labels) -> bool {
        if self.nsec3s().is_empty() {
            let Some((nsec, exists)) = self.gap(name) else { return false };
            return !nsec.next.starts_with(name)
                && self.gap(&below(&name[..exists], true)).is_some_and(|(nsec, _)| {
                    !nsec.next.starts_with(&below(&name[..exists], true))
                });
        }
        self.encloser(name).is_some_and(|length| self.covered(&below(&name[..length], true)))
    }

    /// Whether nothing is closer to a name than a wildcard below as many of its labels.
    pub(super) fn only_by_wildcard(&self, name: &Labels, labels: usize) -> bool {
        if self.nsec3s().is_empty() {
            return self
                .gap(name)
                .is_some_and(|(nsec, exists)| exists == labels && !nsec.next.starts_with(name));
        }
        self.covered(&name[..=labels])
    }
}
