//! Canonical forms and the canonical order of names (RFC 4034 section 6).

use crate::name::{MAX_NAME, ancestors};
use crate::zone::codes;

/// Names as octet strings that sort in the canonical order of RFC 4034 section 6.1.
#[derive(Debug)]
pub struct Order;

/// Octets by which names sort in canonical order: labels from the root on, each ended by 0; in them 0 is written 1 1 and 1
/// is written 1 2. What lies below a name begins with its octets.
#[must_use]
pub fn ordering_key(name: &[u8]) -> Vec<u8> {
    let labels: Vec<&[u8]> = ancestors(name).filter_map(label).collect();
    let mut key = Vec::with_capacity(name.len());
    for label in labels.iter().rev() {
        for octet in *label {
            match octet {
                0 => key.extend_from_slice(&[1, 1]),
                1 => key.extend_from_slice(&[1, 2]),
                _ => key.push(*octet),
            }
        }
        key.push(0);
    }
    key
}

impl Order {
    /// The name that a key of [`ordering_key`] was made of.
    #[must_use]
    pub fn name(key: &[u8]) -> Vec<u8> {
        let mut labels: Vec<Vec<u8>> = vec![Vec::new()];
        let mut octets = key.iter();
        while let Some(octet) = octets.next() {
            match (octet, labels.last_mut()) {
                (0, _) => labels.push(Vec::new()),
                (1, Some(label)) => label.extend(octets.next().map(|octet| octet - 1)),
                (_, Some(label)) => label.push(*octet),
                (_, None) => {}
            }
        }
        let mut name = Vec::with_capacity(MAX_NAME);
        for label in labels.iter().rev().skip(1) {
            name.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
            name.extend_from_slice(label);
        }
        name.push(0);
        name
    }
}

/// The first label of a name, without its length; `None` for the root.
fn label(name: &[u8]) -> Option<&[u8]> {
    let (&length, rest) = name.split_first().filter(|(length, _)| **length > 0)?;
    rest.get(..usize::from(length))
}

/// How many labels a signature says that an owner has: without the root and without `*` (RFC 4034 section 3.1.3).
pub(crate) fn labels(owner: &[u8]) -> u8 {
    let all = ancestors(owner).count().saturating_sub(1);
    let wildcard = usize::from(owner.starts_with(b"\x01*"));
    u8::try_from(all.saturating_sub(wildcard)).unwrap_or(u8::MAX)
}

/// RDATA in canonical form: names in lower case in the types that RFC 4034 section 6.2 lists (RFC 6840 section 5.1). Most
/// are so in zones anyway; types in the form of RFC 3597 are as they were written.
pub(crate) fn canonical(rtype: u16, rdata: &[u8]) -> Vec<u8> {
    let mut octets = rdata.to_vec();
    let (skipped, mut names) = match rtype {
        codes::NS | codes::CNAME | codes::PTR | codes::DNAME | 3 | 4 | 7..=9 => (0, 1),
        // MINFO, RP.
        codes::SOA | 14 | 17 => (0, 2),
        // AFSDB, RT, KX.
        codes::MX | 18 | 21 | 36 => (2, 1),
        // PX.
        26 => (2, 2),
        codes::SRV => (6, 1),
        _ => (0, 0),
    };
    let mut rest = octets.get_mut(skipped..).unwrap_or_default();
    while names > 0 {
        let Some((&mut length, after)) = rest.split_first_mut() else { break };
        let Some((label, after)) = after.split_at_mut_checked(length.into()) else { break };
        label.make_ascii_lowercase();
        names -= u8::from(length == 0);
        rest = after;
    }
    octets
}

/// The types that exist at a name, for NSEC and NSEC3 (RFC 4034 section 4.1.2).
pub(crate) fn type_bitmap(types: impl Iterator<Item = u16>) -> Vec<u8> {
    let mut types: Vec<[u8; 2]> = types.map(u16::to_be_bytes).collect();
    types.sort_unstable();
    let mut out = Vec::new();
    for window in types.chunk_by(|[a, _], [b, _]| a == b) {
        let mut bits = [0_u8; 32];
        let mut length = 0;
        for [_, low] in window {
            if let Some(octet) = bits.get_mut(usize::from(low >> 3)) {
                *octet |= 0x80 >> (low & 7);
                length = (low >> 3) + 1;
            }
        }
        out.extend(window.first().map(|[window, _]| *window));
        out.push(length);
        out.extend_from_slice(bits.get(..usize::from(length)).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    // RFC 4034 section 6.1.
    #[test]
    fn names_sort_as_in_the_rfc() {
        let sorted = [
            "example",
            "a.example",
            "yljkjljk.a.example",
            "Z.a.example",
            "zABC.a.EXAMPLE",
            "z.example",
            r"\001.z.example",
            "*.z.example",
            r"\200.z.example",
        ];
        let keys: Vec<Vec<u8>> =
            sorted.iter().map(|text| ordering_key(name(text).as_wire())).collect();
        assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
        for (key, text) in keys.iter().zip(sorted) {
            assert_eq!(Order::name(key), name(text).as_wire());
        }
    }

    proptest! {
        #[test]
        fn keys_sort_as_labels_do(
            one in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..4), 0..4),
            two in prop::collection::vec(prop::collection::vec(0_u8..3, 1..3), 0..4),
        ) {
            // The model compares label by label from the root on, as the RFC says.
            let wire = |labels: &[Vec<u8>]| {
                let mut wire = Vec::new();
                for label in labels.iter().rev() {
                    wire.push(u8::try_from(label.len()).unwrap());
                    wire.extend_from_slice(label);
                }
                wire.push(0);
                wire
            };
            let keys = (ordering_key(&wire(&one)), ordering_key(&wire(&two)));
            prop_assert_eq!(keys.0.cmp(&keys.1), one.cmp(&two));
            prop_assert_eq!(Order::name(&keys.0), wire(&one));
            prop_assert_eq!(keys.0.starts_with(&keys.1), one.starts_with(&two));
        }
    }

    #[test]
    fn bitmaps_are_those_of_the_rfc() {
        // RFC 4034 section 4.3: A MX RRSIG NSEC TYPE1234.
        let bitmap = type_bitmap([1234, 47, 1, 46, 15].into_iter());
        let mut expected = b"\x00\x06\x40\x01\x00\x00\x00\x03\x04\x1b".to_vec();
        expected.extend([0; 26]);
        expected.push(0x20);
        assert_eq!(bitmap, expected);
        assert_eq!(type_bitmap([].into_iter()), []);
    }

    #[test]
    fn names_in_rdata_are_lower_case_where_they_count() {
        let afsdb = b"\x00\x01\x02Ab\x00";
        assert_eq!(canonical(18, afsdb), b"\x00\x01\x02ab\x00");
        assert_eq!(canonical(16, b"\x02Ab"), b"\x02Ab");
        assert_eq!(canonical(17, b"\x01A\x00\x01B\x00"), b"\x01a\x00\x01b\x00");
        assert_eq!(canonical(15, b"\x00"), b"\x00");
        assert_eq!((labels(b"\x01*\x01a\x00"), labels(b"\x00"), labels(b"\x01a\x00")), (1, 0, 1));
    }
}
