//! Octets that are written as a mark and two hexadecimal digits: `%40` in URIs, `=40` in call records.

/// The octets that are meant. A mark without two digits behind it stays as it is.
#[must_use]
pub fn unescape(text: &str, mark: u8) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        match Some(behind).filter(|_| *first == mark).and_then(hex_pair) {
            Some((octet, behind)) => {
                octets.push(octet);
                rest = behind;
            }
            None => {
                octets.push(*first);
                rest = behind;
            }
        }
    }
    octets
}

/// The octet that two hexadecimal digits in front say, and what is behind them.
#[must_use]
pub fn hex_pair(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, behind) = text.split_first_chunk::<2>()?;
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    Some((u8::try_from(high? * 16 + low?).ok()?, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_digits_are_an_octet() {
        for (text, mark, expected) in [
            ("a%40b%2B", b'%', &b"a@b+"[..]),
            ("%4a%4A%ff", b'%', b"JJ\xff"),
            ("%%41%4", b'%', b"%A%4"),
            ("%+1%-1% 1%4g%", b'%', b"%+1%-1% 1%4g%"),
            ("=3D%41", b'=', b"=%41"),
            ("", b'%', b""),
        ] {
            assert_eq!(unescape(text, mark), expected, "{text}");
        }
    }
}
