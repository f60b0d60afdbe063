//! Stored digests of SIP passwords.

use std::fmt;

macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Takes the digest's octets.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Reads hexadecimal digits of either case; `None` when they are not exactly the right number.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let text = text.as_bytes();
                if text.len() != 2 * $len {
                    return None;
                }
                let mut bytes = [0; $len];
                for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
                    let [high, low] = pair else { return None };
                    let nibble = |digit: u8| char::from(digit).to_digit(16);
                    *byte = u8::try_from(nibble(*high)? * 16 + nibble(*low)?).ok()?;
                }
                Some(Self(bytes))
            }

            /// The digest's octets.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Lower-case hexadecimal digits, as they enter the response computation of RFC 7616 section 3.4.
            #[must_use]
            pub fn to_hex(&self) -> String {
                use fmt::Write as _;
                let mut text = String::with_capacity(2 * $len);
                for byte in self.0 {
                    let _ = write!(text, "{byte:02x}");
                }
                text
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

digest_type! {
    /// `MD5(username:realm:password)` (B61), the secret of MD5 digest authentication. Never printed.
    Ha1, 16
}

digest_type! {
    /// `SHA-256(username:realm:password)` (RFC 8760), the secret of SHA-256 digest authentication. Never printed.
    Ha1Sha256, 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hex_of_either_case_and_prints_nothing() {
        let ha1 = Ha1::from_hex("00FFee11223344556677889900aabbcc").expect("32 digits");
        assert_eq!(ha1.to_hex(), "00ffee11223344556677889900aabbcc");
        assert_eq!(format!("{ha1:?}"), "Ha1(redacted)");
        assert!(Ha1::from_hex("00").is_none());
        assert!(Ha1::from_hex("zzFFee11223344556677889900aabbcc").is_none());
    }
}
