//! Queries of every shape about names that are there, nearly there, or not there.

use super::Random;
use super::zones::relative;

/// Types that are asked for; 65,280 and further ones have no name.
const TYPES: [u16; 22] =
    [1, 2, 5, 6, 12, 13, 15, 16, 28, 29, 33, 35, 39, 43, 44, 46, 48, 52, 255, 256, 65_280, 65_281];

/// A query, and how it is sent.
#[derive(Debug, Clone)]
pub(super) struct Query {
    /// As it is written in master files, without final dot.
    pub(super) name: String,
    pub(super) qtype: u16,
    pub(super) qclass: u16,
    /// The octets behind the id.
    pub(super) flags: [u8; 2],
    /// The payload size, the version and DO.
    pub(super) edns: Option<(u16, u8, bool)>,
    pub(super) tcp: bool,
    pub(super) octets: Vec<u8>,
}

impl Query {
    /// A query about one of some names, or about one that is made of it.
    pub(super) fn draw(owners: &[String], id: u16, random: &mut Random) -> Self {
        let owner = random.pick(owners).clone();
        let below = match random.below(10) {
            0..4 => owner,
            4..6 => format!("{}.{owner}", relative(random)),
            6 => owner.split_once('.').map_or(owner.clone(), |(_, above)| above.to_owned()),
            7 => match owner.split_once('.') {
                Some((_, above)) => format!("{}.{above}", relative(random)),
                None => owner,
            },
            8 => format!("{}.odd.example", relative(random)),
            _ => format!("{}.r{}.example", relative(random), random.below(8)),
        };
        let qtype = *random.pick(&TYPES);
        let qclass = if random.below(60) == 0 { *random.pick(&[3, 254, 255, 77]) } else { 1 };
        // RD, AD, CD, and now and then another operation.
        let mut flags = [0, 0];
        if random.below(2) == 0 {
            flags[0] |= 1;
        }
        if random.below(5) == 0 {
            flags[1] |= *random.pick(&[0x10, 0x20, 0x30]);
        }
        if random.below(100) == 0 {
            flags[0] |= *random.pick(&[1, 2, 3, 6, 9, 15]) << 3;
        }
        let edns = (random.below(4) > 0).then(|| {
            let payload = *random.pick(&[0, 512, 700, 1232, 1400, 4096, 65_535]);
            let version = if random.below(60) == 0 { 1 + random.below(200) as u8 } else { 0 };
            (payload, version, random.below(2) == 0)
        });
        let tcp = random.below(20) == 0;
        let mut query = Self { name: below, qtype, qclass, flags, edns, tcp, octets: Vec::new() };
        query.octets = query.encode(id, random);
        query
    }

    /// Letters of the name change their case at random.
    fn encode(&self, id: u16, random: &mut Random) -> Vec<u8> {
        let mut octets = id.to_be_bytes().to_vec();
        octets.extend(self.flags);
        octets.extend([0, 1, 0, 0, 0, 0, 0, u8::from(self.edns.is_some())]);
        let mut name = wire(&self.name);
        if name.len() > 255 {
            name = wire("odd.example");
        }
        if random.below(3) == 0 {
            for octet in &mut name {
                if random.below(2) == 0 {
                    // Lengths are no letters: no label is that long.
                    octet.make_ascii_uppercase();
                }
            }
        }
        octets.extend(name);
        octets.extend(self.qtype.to_be_bytes());
        octets.extend(self.qclass.to_be_bytes());
        if let Some((payload, version, dnssec_ok)) = self.edns {
            octets.extend([0, 0, 41]);
            octets.extend(payload.to_be_bytes());
            octets.extend([0, version, if dnssec_ok { 0x80 } else { 0 }, 0, 0, 0]);
        }
        octets
    }
}

/// A name in wire form.
fn wire(name: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut label = Vec::new();
    let mut characters = name.bytes();
    let end = |label: &mut Vec<u8>, octets: &mut Vec<u8>| {
        octets.push(u8::try_from(label.len()).expect("a label"));
        octets.append(label);
    };
    while let Some(octet) = characters.next() {
        match octet {
            b'.' => end(&mut label, &mut octets),
            b'\\' => {
                let first = characters.next().expect("what is escaped");
                if first.is_ascii_digit() {
                    let digits = [first, characters.next().unwrap(), characters.next().unwrap()];
                    let text = std::str::from_utf8(&digits).expect("digits").to_owned();
                    label.push(text.parse().expect("an octet"));
                } else {
                    label.push(first);
                }
            }
            octet => label.push(octet),
        }
    }
    end(&mut label, &mut octets);
    octets.push(0);
    octets
}

impl Query {
    /// Octets of the question.
    pub(super) fn question_length(&self) -> usize {
        self.octets.len() - 12 - if self.edns.is_some() { 11 } else { 0 }
    }
}

impl std::fmt::Display for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, qtype, qclass, flags, edns, tcp, .. } = self;
        write!(f, "{name} type {qtype} class {qclass} flags {flags:x?} edns {edns:?} tcp {tcp}")
    }
}
