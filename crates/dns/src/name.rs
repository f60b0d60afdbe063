//! Domain names in wire form (RFC 1035 section 3.1), lower-cased.
//!
//! A suffix of the octets that begins at a label is the wire form of an ancestor, so that look-ups by ancestor need
//! no copy.

use ngn_model::DomainName;
use std::borrow::Borrow;
use std::fmt;

/// Longest name in octets, length octets and root included (RFC 1035 section 2.3.4).
pub const MAX_NAME: usize = 255;
/// Longest label in octets.
pub const MAX_LABEL: usize = 63;

/// Why text or octets are no domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A label without octets between two dots, or at the beginning.
    #[error("a label is empty")]
    EmptyLabel,
    /// A label is longer than 63 octets.
    #[error("a label has more than 63 octets")]
    LabelTooLong,
    /// The name is longer than 255 octets.
    #[error("the name has more than 255 octets")]
    TooLong,
    /// `\` is followed by nothing, or by digits that are no octet.
    #[error("a backslash is not followed by a character or by three digits up to 255")]
    BadEscape,
    /// The octets end before the root label.
    #[error("the name ends before its root label")]
    Truncated,
    /// A length octet has its upper bits set: a compression pointer where none may stand, or a reserved type.
    #[error("a label has a type that is not allowed here")]
    LabelType,
}

/// A domain name in uncompressed wire form, lower case (ASCII).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<[u8]>);

impl Name {
    /// The root.
    #[must_use]
    pub fn root() -> Self {
        Self(Box::new([0]))
    }

    /// Reads presentation form (RFC 1035 section 5.1: `\.` and `\DDD`), fully qualified with or without the final dot.
    ///
    /// # Errors
    ///
    /// Names and labels that are too long, empty labels and bad escapes.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut wire = Vec::with_capacity(text.len() + 2);
        Self::parse_into(text, &mut wire)?;
        Ok(Self(wire.into()))
    }

    /// As [`Self::parse`], and appends the octets; what it appended before an error is to be thrown away.
    pub(crate) fn parse_into(text: &str, wire: &mut Vec<u8>) -> Result<(), NameError> {
        let start = wire.len();
        if text != "." {
            let mut bytes = text.bytes();
            let mut finished = false;
            // Where the length of the label stands that is being read.
            let mut label = wire.len();
            wire.push(0);
            while let Some(byte) = bytes.next() {
                finished = byte == b'.';
                match byte {
                    b'.' => {
                        end_label(wire, label)?;
                        label = wire.len();
                        wire.push(0);
                    }
                    b'\\' => wire.push(escaped(&mut bytes)?),
                    _ => wire.push(byte.to_ascii_lowercase()),
                }
            }
            if finished {
                // The root's label is there already.
                wire.pop();
            } else {
                end_label(wire, label)?;
            }
        }
        wire.push(0);
        if wire.len() - start > MAX_NAME { Err(NameError::TooLong) } else { Ok(()) }
    }

    /// Reads an uncompressed name that fills `wire` up to its first root label; what follows is left alone.
    ///
    /// # Errors
    ///
    /// Truncated names, compression pointers, names that are too long.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        let mut at = 0;
        loop {
            let length = *wire.get(at).ok_or(NameError::Truncated)?;
            if length > 63 {
                return Err(NameError::LabelType);
            }
            at += 1 + usize::from(length);
            if at > MAX_NAME {
                return Err(NameError::TooLong);
            }
            if length == 0 {
                break;
            }
        }
        Ok(Self(wire.get(..at).ok_or(NameError::Truncated)?.to_ascii_lowercase().into()))
    }

    /// The octets, length octets and root included.
    #[must_use]
    pub const fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is `ancestor` or below it.
    #[must_use]
    pub fn is_within(&self, ancestor: &Self) -> bool {
        ancestor.is_at_or_above(&self.0)
    }

    /// Whether a name in wire form is this one or below it.
    pub(crate) fn is_at_or_above(&self, name: &[u8]) -> bool {
        ancestors(name).find(|suffix| suffix.len() <= self.0.len()).is_some_and(|s| *s == *self.0)
    }

    /// The name without its first label; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        ancestors(&self.0).nth(1).map(|suffix| Self(suffix.into()))
    }

    /// How many labels it has, the root not counted.
    #[must_use]
    pub fn label_count(&self) -> usize {
        ancestors(&self.0).count() - 1
    }
}

impl From<&DomainName> for Name {
    fn from(name: &DomainName) -> Self {
        // A domain name has labels of 1 to 63 octets, at most 253 in all, so this cannot fail.
        Self::parse(name.as_str()).unwrap_or_else(|_| Self::root())
    }
}

impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The wire forms of a name and of its ancestors up to the root, the longest first. `wire` is a valid uncompressed name.
pub fn ancestors(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(wire);
    std::iter::from_fn(move || {
        let here = rest?;
        let (&length, _) = here.split_first()?;
        rest = if length == 0 { None } else { here.get(1 + usize::from(length)..) };
        Some(here)
    })
}

/// Writes how long the label is that begins at `label` and ends the octets.
fn end_label(wire: &mut [u8], label: usize) -> Result<(), NameError> {
    let length = wire.len().saturating_sub(label + 1);
    if length == 0 {
        return Err(NameError::EmptyLabel);
    }
    if length > MAX_LABEL {
        return Err(NameError::LabelTooLong);
    }
    if let (Some(place), Ok(length)) = (wire.get_mut(label), u8::try_from(length)) {
        *place = length;
    }
    Ok(())
}

fn escaped(bytes: &mut std::str::Bytes<'_>) -> Result<u8, NameError> {
    let first = bytes.next().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        return Ok(first.to_ascii_lowercase());
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit).ok_or(NameError::BadEscape)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).map(|octet| octet.to_ascii_lowercase()).map_err(|_| NameError::BadEscape)
}

/// Presentation form without the final dot (the root is `.`).
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() == 1 {
            return f.write_str(".");
        }
        for (i, suffix) in ancestors(&self.0).take(self.label_count()).enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            let length = suffix.first().copied().map_or(0, usize::from);
            for &octet in suffix.get(1..=length).unwrap_or_default() {
                match octet {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(octet))?,
                    b'!'..=b'~' => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn reads_presentation_form() {
        assert_eq!(name("Www.Example.").as_wire(), b"\x03www\x07example\x00");
        assert_eq!(name("www.example"), name("WWW.EXAMPLE."));
        assert_eq!(name("."), Name::root());
        assert_eq!(name(r"a\.b.c\065").as_wire(), b"\x03a.b\x02ca\x00");
        assert_eq!(name(r"a\.b.\000").to_string(), r"a\.b.\000");
    }

    #[test]
    fn refuses_what_is_no_name() {
        let long = "a".repeat(64);
        let many = format!("{0}.{0}.{0}.{0}", "a".repeat(63));
        for (text, error) in [
            ("", NameError::EmptyLabel),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            (long.as_str(), NameError::LabelTooLong),
            (many.as_str(), NameError::TooLong),
            (r"a\", NameError::BadEscape),
            (r"a\25", NameError::BadEscape),
            (r"a\256", NameError::BadEscape),
        ] {
            assert_eq!(Name::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn reads_wire_form() {
        assert_eq!(Name::from_wire(b"\x01A\x00rest"), Ok(name("a")));
        assert_eq!(Name::from_wire(b"\x01A"), Err(NameError::Truncated));
        assert_eq!(Name::from_wire(b""), Err(NameError::Truncated));
        assert_eq!(Name::from_wire(b"\xc0\x0c"), Err(NameError::LabelType));
        assert_eq!(Name::from_wire(&[1; 300]), Err(NameError::TooLong));
    }

    #[test]
    fn knows_its_ancestors() {
        let www = name("www.example.org");
        assert_eq!(www.parent(), Some(name("example.org")));
        assert_eq!(Name::root().parent(), None);
        assert_eq!((www.label_count(), Name::root().label_count()), (3, 0));
        assert!(www.is_within(&name("org")) && www.is_within(&www) && www.is_within(&Name::root()));
        assert!(!www.is_within(&name("ample.org")) && !name("org").is_within(&www));
    }
}
