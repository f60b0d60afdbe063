//! The words of record content (RFC 1035 section 5.1).

use super::{RdataError, RecordType, shown};
use crate::name::Name;
use crate::txt::{TextError, unescape, write_string};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Words of one record's content, read from the left.
pub(super) struct Fields<'a> {
    rest: &'a str,
    kind: RecordType,
    form: &'static str,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(content: &'a str, kind: RecordType, form: &'static str) -> Self {
        Self { rest: content.trim_ascii(), kind, form }
    }

    pub(super) const fn kind(&self) -> RecordType {
        self.kind
    }

    /// Whether a word is left.
    pub(super) const fn more(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The next word without looking at quotes.
    pub(super) fn word(&mut self, what: &'static str) -> Result<&'a str, RdataError> {
        if self.rest.is_empty() {
            return Err(RdataError::Missing { kind: self.kind, missing: what, form: self.form });
        }
        let space = |c: char| c.is_ascii_whitespace();
        let (word, rest) = self.rest.split_once(space).unwrap_or((self.rest, ""));
        self.rest = rest.trim_ascii_start();
        Ok(word)
    }

    /// The next word when there is one.
    pub(super) fn optional(&mut self) -> Option<&'a str> {
        self.word("").ok()
    }

    /// Nothing may be left.
    pub(super) fn end(&mut self) -> Result<(), RdataError> {
        let (kind, form) = (self.kind, self.form);
        match self.optional() {
            None => Ok(()),
            Some(text) => Err(RdataError::LeftOver { kind, text: shown(text), form }),
        }
    }

    pub(super) fn name(&mut self, what: &'static str, out: &mut Vec<u8>) -> Result<(), RdataError> {
        let word = self.word(what)?;
        Name::parse_into(word, out).map_err(|reason| RdataError::Name {
            what,
            text: shown(word),
            reason,
        })
    }

    pub(super) fn number8(
        &mut self,
        what: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<(), RdataError> {
        let text = self.word(what)?;
        let max = u32::from(u8::MAX);
        let number = || RdataError::Number { what, text: shown(text), max };
        out.push(decimal(text).ok_or_else(number)?);
        Ok(())
    }

    /// Octets to the end, one or more; white space may stand between them.
    pub(super) fn hexadecimal(
        &mut self,
        what: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<(), RdataError> {
        octets(self.word(what)?, out)?;
        while let Some(word) = self.optional() {
            octets(word, out)?;
        }
        Ok(())
    }

    pub(super) fn number16(
        &mut self,
        what: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<(), RdataError> {
        let text = self.word(what)?;
        let number: u16 = decimal(text).ok_or_else(|| RdataError::Number {
            what,
            text: shown(text),
            max: u32::from(u16::MAX),
        })?;
        out.extend(number.to_be_bytes());
        Ok(())
    }

    pub(super) fn number32(
        &mut self,
        what: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<(), RdataError> {
        let text = self.word(what)?;
        let number: u32 = decimal(text).ok_or_else(|| RdataError::Number {
            what,
            text: shown(text),
            max: u32::MAX,
        })?;
        out.extend(number.to_be_bytes());
        Ok(())
    }

    /// Base64 to the end, one octet or more; white space may stand in it.
    pub(super) fn base64(
        &mut self,
        what: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<(), RdataError> {
        let mut text = self.word(what)?.to_owned();
        while let Some(word) = self.optional() {
            text.push_str(word);
        }
        out.extend(base64(&text).ok_or(RdataError::Base64(what))?);
        Ok(())
    }

    /// A character string with its length, quoted or one bare word.
    pub(super) fn string(
        &mut self,
        what: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<(), RdataError> {
        write_string(self.quoted(what)?, out)?;
        Ok(())
    }

    /// A text of any length, quoted or one bare word, without its length.
    pub(super) fn text(&mut self, what: &'static str, out: &mut Vec<u8>) -> Result<(), RdataError> {
        unescape(self.quoted(what)?, out)?;
        Ok(())
    }

    /// The next `key` or `key=value`, the value without its quotes and with its escapes; `None` at the end.
    pub(super) fn parameter(&mut self) -> Result<Option<(&'a str, Option<&'a str>)>, RdataError> {
        let ends = |c: char| c == '=' || c.is_ascii_whitespace();
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let Some((key, rest)) = self.rest.split_at_checked(end) else { return Ok(None) };
        if let Some(value) = rest.strip_prefix('=') {
            let empty = value.is_empty() || value.starts_with(|c: char| c.is_ascii_whitespace());
            self.rest = if empty { value.trim_ascii_start() } else { value };
            return Ok(Some((key, Some(if empty { "" } else { self.quoted("value")? }))));
        }
        self.rest = rest.trim_ascii_start();
        Ok((!key.is_empty()).then_some((key, None)))
    }

    /// What stands in quotes, or one bare word, with its escapes.
    fn quoted(&mut self, what: &'static str) -> Result<&'a str, RdataError> {
        if let Some(inner) = self.rest.strip_prefix('"') {
            let end = closing_quote(inner).ok_or(TextError::Unclosed)?;
            let (text, rest) = inner.split_at_checked(end).unwrap_or((inner, ""));
            // Behind the quote.
            self.rest = rest.get(1..).unwrap_or_default().trim_ascii_start();
            return Ok(text);
        }
        let word = self.word(what)?;
        if closing_quote(word).is_some() {
            return Err(TextError::OutsideQuotes.into());
        }
        Ok(word)
    }
}

/// The octets of Base64 with its padding (RFC 4648 section 4); `None` when it is none, or has no octets.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok().filter(|octets| !octets.is_empty())
}

/// Where the quote stands that ends a string; a backslash takes the octet behind it along.
fn closing_quote(inner: &str) -> Option<usize> {
    let mut escaped = false;
    inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// A number of digits only: no sign.
pub(super) fn decimal<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `\# length hexadecimal` (RFC 3597 section 5); white space may stand between the octets.
pub(super) fn generic(content: &str, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let before = out.len();
    let mut words = content.split_ascii_whitespace().skip(1);
    let text = words.next().unwrap_or_default();
    let said: u16 = decimal(text).ok_or_else(|| RdataError::Number {
        what: "the length",
        text: shown(text),
        max: u32::from(u16::MAX),
    })?;
    for word in words {
        octets(word, out)?;
    }
    let found = out.len() - before;
    if found == usize::from(said) {
        Ok(())
    } else {
        Err(RdataError::GenericLength { said: usize::from(said), found })
    }
}

/// The octets of a word of hexadecimal digits.
fn octets(word: &str, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let bytes = word.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return Err(RdataError::Hexadecimal(shown(word)));
    }
    for pair in bytes.chunks_exact(2) {
        let mut octet = 0;
        for digit in pair {
            let digit = char::from(*digit)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
                .ok_or_else(|| RdataError::Hexadecimal(shown(word)))?;
            octet = octet * 16 + digit;
        }
        out.push(octet);
    }
    Ok(())
}
