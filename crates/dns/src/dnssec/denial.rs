//! Hashed names (RFC 5155 section 5): SHA-1, no iterations, no salt, as RFC 9276 section 3.1 asks for.

use sha1::{Digest as _, Sha1};

/// Octets of a hashed name.
pub(crate) const HASH: usize = 20;
/// RDATA of NSEC3PARAM: SHA-1, no flags, no iterations, no salt.
pub(crate) const PARAMETERS: [u8; 5] = [1, 0, 0, 0, 0];

/// The hash of a name in wire form and lower case.
#[must_use]
pub fn nsec3_hash(name: &[u8]) -> [u8; HASH] {
    Sha1::digest(name).into()
}

/// A hash as it stands in a label (RFC 4648 section 7, without padding, lower case).
#[must_use]
pub fn base32hex(hash: &[u8; HASH]) -> [u8; 32] {
    let mut out = [0; 32];
    for (group, five) in out.chunks_mut(8).zip(hash.chunks(5)) {
        let bits = five.iter().fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
        for (place, shift) in group.iter_mut().zip((0..8_u32).rev()) {
            let digit = u8::try_from(bits >> (shift * 5) & 31).unwrap_or(0);
            *place = if digit < 10 { b'0' + digit } else { b'a' - 10 + digit };
        }
    }
    out
}

/// The owner of the NSEC3 record of a hash.
pub(crate) fn owner(hash: &[u8; HASH], apex: &[u8]) -> Vec<u8> {
    [&[32], base32hex(hash).as_slice(), apex].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    // RFC 5155 appendix A has iterations and a salt; without them, these are what BIND's `nsec3hash - 1 0 NAME` says.
    #[test]
    fn hashes_are_those_of_others() {
        for (name, hash) in [
            ("example.com", "onib9mgub9h0rml3cdf5bgrj59dkjhvk"),
            ("a.example.com", "h64kfa4p1acer2ebps9qsdk6dnp8b3jq"),
            ("*.example.com", "4f3cnt8cu22tngec382jj4gde4rb47ub"),
        ] {
            let found = base32hex(&nsec3_hash(Name::parse(name).unwrap().as_wire()));
            assert_eq!(std::str::from_utf8(&found).unwrap(), hash, "{name}");
        }
    }
}
