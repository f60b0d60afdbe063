//! Character strings of RFC 1035 section 5.1, and TXT values (B129b).

use std::fmt::Write as _;

/// Longest character string (RFC 1035 section 3.3).
pub const MAX_STRING: usize = 255;

/// Why a TXT value or a list of quoted strings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A string begins with a quote and does not end with one.
    #[error("a quoted string has no closing quote")]
    Unclosed,
    /// `\` is followed by nothing, or by digits that are no octet.
    #[error("a backslash is not followed by a character or by three digits up to 255")]
    BadEscape,
    /// Something stands outside the quotes.
    #[error("text stands outside the quotes")]
    OutsideQuotes,
    /// A string is longer than 255 octets.
    #[error("a character string has {0} octets, more than 255")]
    StringTooLong(usize),
    /// All strings together do not fit in RDATA.
    #[error("the text has {0} octets, more than a record can hold")]
    TooLong(usize),
}

/// One character string in quotes; `"` and `\` escaped, other than printable ASCII as `\DDD`.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\{byte:03}");
            }
        }
    }
    out.push('"');
    out
}

/// Reads a list of quoted strings separated by white space (RFC 1035 section 5.1).
pub fn quoted_strings(text: &str) -> Result<Vec<Vec<u8>>, TextError> {
    let mut strings = Vec::new();
    let mut bytes = text.bytes();
    let mut total = 0;
    loop {
        match bytes.next() {
            None => return Ok(strings),
            Some(b' ' | b'\t') => {}
            Some(b'"') => {
                let string = rest_of_string(&mut bytes)?;
                if string.len() > MAX_STRING {
                    return Err(TextError::StringTooLong(string.len()));
                }
                total += string.len() + 1;
                if total > usize::from(u16::MAX) {
                    return Err(TextError::TooLong(total));
                }
                strings.push(string);
            }
            Some(_) => return Err(TextError::OutsideQuotes),
        }
    }
}

fn rest_of_string(bytes: &mut std::str::Bytes<'_>) -> Result<Vec<u8>, TextError> {
    let mut string = Vec::new();
    loop {
        match bytes.next().ok_or(TextError::Unclosed)? {
            b'"' => return Ok(string),
            b'\\' => string.push(escaped(bytes)?),
            byte => string.push(byte),
        }
    }
}

/// Appends a character string, its length first (RFC 1035 section 3.3), of text without the quotes around it.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) -> Result<(), TextError> {
    let start = out.len();
    out.push(0);
    unescape(text, out)?;
    let found = out.len() - start - 1;
    let length = u8::try_from(found).map_err(|_| TextError::StringTooLong(found))?;
    if let Some(place) = out.get_mut(start) {
        *place = length;
    }
    Ok(())
}

/// Appends text without its escapes.
pub(crate) fn unescape(text: &str, out: &mut Vec<u8>) -> Result<(), TextError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'\\' { escaped(&mut bytes)? } else { byte });
    }
    Ok(())
}

/// What follows a backslash.
fn escaped(bytes: &mut std::str::Bytes<'_>) -> Result<u8, TextError> {
    let first = bytes.next().ok_or(TextError::BadEscape)?;
    if first.is_ascii_digit() { octet(first, bytes) } else { Ok(first) }
}

fn octet(first: u8, bytes: &mut std::str::Bytes<'_>) -> Result<u8, TextError> {
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit).ok_or(TextError::BadEscape)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).map_err(|_| TextError::BadEscape)
}

/// The strings of a TXT value as the API carries it: a value that begins with a quote is a list of quoted
/// strings, any other is one text cut into strings of 255 octets (B129b).
pub fn strings(value: &str) -> Result<Vec<Vec<u8>>, TextError> {
    if value.starts_with('"') {
        return quoted_strings(value);
    }
    if value.is_empty() {
        return Ok(vec![Vec::new()]);
    }
    let total = value.len() + value.len().div_ceil(MAX_STRING);
    if total > usize::from(u16::MAX) {
        return Err(TextError::TooLong(total));
    }
    Ok(value.as_bytes().chunks(MAX_STRING).map(<[u8]>::to_vec).collect())
}

/// The record content of a TXT value: always quoted strings (B129b).
pub fn content(value: &str) -> Result<String, TextError> {
    let quoted: Vec<String> = strings(value)?.iter().map(|string| quote(string)).collect();
    Ok(quoted.join(" "))
}

/// The TXT value of a record content: bare text where that gives the same strings back, else the content.
pub fn value(content: &str) -> Result<String, TextError> {
    let parts = quoted_strings(content)?;
    let bare = String::from_utf8(parts.concat()).ok();
    Ok(bare
        .filter(|text| strings(text).as_ref() == Ok(&parts))
        .unwrap_or_else(|| content.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn b129b_bare_text_is_cut_at_255_octets() {
        let long = "a".repeat(256);
        let expected = format!("\"{}\" \"a\"", "a".repeat(255));
        assert_eq!(content(&long), Ok(expected.clone()));
        assert_eq!(value(&expected), Ok(long));
        assert_eq!(content("").as_deref(), Ok("\"\""));
        assert_eq!(content("a \"b\" \\ é").as_deref(), Ok(r#""a \"b\" \\ \195\169""#));
    }

    #[test]
    fn b129b_a_leading_quote_begins_a_list() {
        assert_eq!(strings(r#""a b" "\067\"" "#), Ok(vec![b"a b".to_vec(), b"C\"".to_vec()]));
        assert_eq!(value(r#""a" "b""#).as_deref(), Ok(r#""a" "b""#));
    }

    #[test]
    fn refuses_broken_lists() {
        let long = format!("\"{}\"", "a".repeat(256));
        for (text, error) in [
            ("\"a", TextError::Unclosed),
            ("\"a\" b", TextError::OutsideQuotes),
            (r#""\256""#, TextError::BadEscape),
            (r#""\1""#, TextError::BadEscape),
            (long.as_str(), TextError::StringTooLong(256)),
        ] {
            assert_eq!(content(text), Err(error), "{text}");
        }
        assert_eq!(content(&"a".repeat(65_535)), Err(TextError::TooLong(65_792)));
    }

    proptest! {
        #[test]
        fn every_bare_text_comes_back(text in "[^\"].{0,600}") {
            prop_assert_eq!(value(&content(&text).unwrap()), Ok(text));
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = value(&text);
            let _ = content(&text);
        }
    }
}
