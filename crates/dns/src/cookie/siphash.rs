//! SipHash-2-4 (Aumasson and Bernstein, 2012), the keyed hash of RFC 9018.

/// The hash of some octets.
pub(crate) fn siphash24(key: &[u8; 16], octets: &[u8]) -> u64 {
    let word =
        |octets: &[u8]| octets.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet));
    let (low, high) = key.split_at(8);
    let (k0, k1) = (word(low), word(high));
    let mut state = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let whole = octets.chunks_exact(8);
    let length = u64::try_from(octets.len()).unwrap_or(0) & 0xff;
    let last = word(whole.remainder()) | length << 56;
    for block in whole.map(word).chain([last]) {
        let [v0, v1, v2, v3] = state;
        let [v0, v1, v2, v3] = rounds(2, [v0, v1, v2, v3 ^ block]);
        state = [v0 ^ block, v1, v2, v3];
    }
    let [v0, v1, v2, v3] = state;
    rounds(4, [v0, v1, v2 ^ 0xff, v3]).into_iter().fold(0, |hash, word| hash ^ word)
}

fn rounds(count: usize, state: [u64; 4]) -> [u64; 4] {
    (0..count).fold(state, |[v0, v1, v2, v3], _| {
        let (v0, v2) = (v0.wrapping_add(v1), v2.wrapping_add(v3));
        let (v1, v3) = (v1.rotate_left(13) ^ v0, v3.rotate_left(16) ^ v2);
        let (v0, v2) = (v0.rotate_left(32).wrapping_add(v3), v2.wrapping_add(v1));
        let (v1, v3) = (v1.rotate_left(17) ^ v2, v3.rotate_left(21) ^ v0);
        [v0, v1, v2.rotate_left(32), v3]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the paper's appendix A: key and message count up.
    #[test]
    fn hashes_as_the_paper_does() {
        let key: [u8; 16] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let message: Vec<u8> = (0..15).collect();
        assert_eq!(siphash24(&key, &message), 0xa129_ca61_49be_45e5);
        assert_eq!(siphash24(&key, &[]), 0x726f_db47_dd0e_0e31);
    }
}
