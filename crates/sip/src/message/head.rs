//! The header section: where each field stands, and what was put in.
//!
//! A field is five offsets, either into the octets that were received or into the text that edits added.
//! Editing moves, drops and adds such entries; octets that were received are never written to, so a field
//! that nobody edited leaves exactly as it came.

use crate::header::name::HeaderName;
use crate::header::scan::{is_lws, is_token, trim};
use bytes::Bytes;
use memchr::{memchr, memchr2, memchr3};
use std::borrow::Cow;
use std::fmt;

use super::fault::Reason;

/// All fields of a message, in order.
#[derive(Clone, Default)]
pub(crate) struct Head {
    raw: Bytes,
    added: Vec<u8>,
    fields: Vec<Entry>,
}

/// Where one field stands. The line ends with its CRLF.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    name: HeaderName,
    is_added: bool,
    line: u32,
    name_end: u32,
    value: u32,
    value_end: u32,
    line_end: u32,
}

/// One header field of a message.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    head: &'a Head,
    entry: &'a Entry,
}

/// What reading the header section found.
pub(crate) struct Indexed {
    pub(crate) head: Head,
    /// Where the body begins.
    pub(crate) body: usize,
    /// The first fault; reading went on after it, so that a response can be made.
    pub(crate) fault: Option<Reason>,
}

impl Head {
    /// A header section without fields.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// A header section without fields, with room for those of most responses.
    pub(crate) fn with_room() -> Self {
        Self { raw: Bytes::new(), added: Vec::with_capacity(768), fields: Vec::with_capacity(16) }
    }

    /// Reads the header section that begins at `start`.
    pub(crate) fn index(raw: Bytes, start: usize, max_fields: usize) -> Indexed {
        let fields = Vec::with_capacity(24.min(max_fields));
        let mut head = Self { raw, added: Vec::new(), fields };
        let mut fault = None;
        let mut at = start;
        let mut number = 0;
        loop {
            let rest = head.raw.get(at..).unwrap_or_default();
            if rest.starts_with(b"\r\n") {
                return Indexed { head, body: at + 2, fault };
            }
            let Some(FieldLine { length, is_clean }) = field_line(rest) else {
                fault.get_or_insert(Reason::HeadersDoNotEnd);
                return Indexed { body: head.raw.len(), head, fault };
            };
            number += 1;
            if number > max_fields {
                fault.get_or_insert(Reason::TooManyFields(max_fields));
                return Indexed { body: head.raw.len(), head, fault };
            }
            match Entry::read(rest.get(..length).unwrap_or_default(), is_clean, at) {
                Ok(entry) => head.fields.push(entry),
                Err(reason) => {
                    fault.get_or_insert(Reason::HeaderLine { line: number, reason });
                }
            }
            at += length;
        }
    }

    /// All octets that were received: what stands before the header section, and behind it.
    pub(crate) const fn received(&self) -> &Bytes {
        &self.raw
    }

    /// All fields.
    pub(crate) fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.fields.iter().map(|entry| Field { head: self, entry })
    }

    /// The fields of one name.
    pub(crate) fn named(&self, name: HeaderName) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.fields().filter(move |field| field.name() == name)
    }

    /// The first field of one name.
    pub(crate) fn first(&self, name: HeaderName) -> Option<Field<'_>> {
        self.named(name).next()
    }

    /// Where the first field of one name stands in the list.
    pub(crate) fn position(&self, name: HeaderName) -> Option<usize> {
        self.fields.iter().position(|entry| entry.name == name)
    }

    /// Where the list continues after the last field of one name.
    pub(crate) fn position_after(&self, name: HeaderName) -> Option<usize> {
        self.fields.iter().rposition(|entry| entry.name == name).map(|at| at + 1)
    }

    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Puts a new field at a place in the list.
    pub(crate) fn insert(&mut self, at: usize, name: HeaderName, value: &str) {
        let entry = self.write(name, name.as_str(), &[trim(value).as_bytes()]);
        self.fields.insert(at.min(self.fields.len()), entry);
    }

    /// Puts a new field at the end whose value need not be text, given in parts.
    pub(crate) fn push_octets(&mut self, name: HeaderName, value: &[&[u8]]) {
        let entry = self.write(name, name.as_str(), value);
        self.fields.push(entry);
    }

    /// Puts a new field at the end.
    pub(crate) fn push(&mut self, name: HeaderName, value: &str) {
        self.push_octets(name, &[trim(value).as_bytes()]);
    }

    /// Puts a new field at the end, of a name that need not be known to this crate.
    pub(crate) fn push_named(&mut self, name: &str, value: &str) {
        let name: String = name.chars().filter(|c| u8::try_from(*c).is_ok_and(is_token)).collect();
        let known = HeaderName::of(name.as_bytes());
        let entry = self.write(known, &name, &[trim(value).as_bytes()]);
        self.fields.push(entry);
    }

    /// Writes a field again with another value, under the name that it had.
    pub(crate) fn rewrite(&mut self, at: usize, value: &str) {
        let Some(entry) = self.fields.get(at) else { return };
        let (known, name) = (entry.name, Field { head: self, entry }.name_text().into_owned());
        if entry.is_added && entry.line_end == to_u32(self.added.len()) {
            // What was written last is written over, or taking a long list off value by value would add up.
            self.added.truncate(entry.line as usize);
        }
        let entry = self.write(known, &name, &[trim(value).as_bytes()]);
        if let Some(place) = self.fields.get_mut(at) {
            *place = entry;
        }
    }

    /// Takes a field out.
    pub(crate) fn remove(&mut self, at: usize) {
        if at < self.fields.len() {
            self.fields.remove(at);
        }
    }

    /// Keeps the fields that pass; how many did not.
    pub(crate) fn retain(&mut self, keep: impl Fn(Field<'_>) -> bool) -> usize {
        let before = self.fields.len();
        let mut entries = std::mem::take(&mut self.fields);
        entries.retain(|entry| keep(Field { head: self, entry }));
        self.fields = entries;
        before - self.fields.len()
    }

    /// Puts copies of another message's fields at the end, octet by octet.
    pub(crate) fn copy_from<'a>(&mut self, fields: impl Iterator<Item = Field<'a>>) {
        for field in fields {
            let entry = field.entry;
            let shift = |offset: u32| -> u32 { to_u32(self.added.len()) + (offset - entry.line) };
            let copy = Entry {
                name: entry.name,
                is_added: true,
                line: shift(entry.line),
                name_end: shift(entry.name_end),
                value: shift(entry.value),
                value_end: shift(entry.value_end),
                line_end: shift(entry.line_end),
            };
            self.added.extend_from_slice(field.line());
            self.fields.push(copy);
        }
    }

    /// Prints the fields, without the empty line after them.
    pub(crate) fn print(&self, out: &mut Vec<u8>) {
        let follows = |a: &Entry, b: &Entry| a.is_added == b.is_added && a.line_end == b.line;
        // Those that lie one behind the other are copied together.
        for some in self.fields.chunk_by(follows) {
            if let (Some(first), Some(last)) = (some.first(), some.last()) {
                out.extend_from_slice(self.octets(first.is_added, first.line, last.line_end));
            }
        }
    }

    fn octets(&self, is_added: bool, start: u32, end: u32) -> &[u8] {
        let source: &[u8] = if is_added { &self.added } else { &self.raw };
        source.get(start as usize..end as usize).unwrap_or_default()
    }

    /// How many octets `print` writes.
    pub(crate) fn printed_len(&self) -> usize {
        self.fields.iter().map(|entry| (entry.line_end - entry.line) as usize).sum()
    }

    /// Appends a field to the added text: a name, which is a token, and a value in parts. A line break in the value becomes
    /// a space, so that no value can add a field of its own.
    fn write(&mut self, known: HeaderName, name: &str, value: &[&[u8]]) -> Entry {
        let line = to_u32(self.added.len());
        self.added.reserve(name.len() + value.iter().map(|part| part.len()).sum::<usize>() + 4);
        self.added.extend_from_slice(name.as_bytes());
        let name_end = to_u32(self.added.len());
        self.added.extend_from_slice(b": ");
        let value_start = to_u32(self.added.len());
        for part in value {
            self.added.extend_from_slice(part);
        }
        let written = self.added.get_mut(value_start as usize..).unwrap_or_default();
        if memchr3(b'\r', b'\n', b'\0', written).is_some() {
            let breaks = written.iter_mut().filter(|b| matches!(**b, b'\r' | b'\n' | b'\0'));
            breaks.for_each(|b| *b = b' ');
        }
        let value_end = to_u32(self.added.len());
        self.added.extend_from_slice(b"\r\n");
        Entry {
            name: known,
            is_added: true,
            line,
            name_end,
            value: value_start,
            value_end,
            line_end: to_u32(self.added.len()),
        }
    }
}

impl Entry {
    /// Reads one field, given with its final CRLF; `is_clean` as [`FieldLine`] says, `at` is where it stands.
    fn read(line: &[u8], is_clean: bool, at: usize) -> Result<Self, &'static str> {
        if line.first().is_some_and(|b| is_lws(*b)) {
            return Err("the line continues nothing");
        }
        if !is_clean {
            return Err("a CR or LF stands alone");
        }
        let name_length = line.iter().take_while(|b| is_token(**b)).count();
        let after = line.get(name_length..).unwrap_or_default();
        let blanks = after.iter().take_while(|b| matches!(**b, b' ' | b'\t')).count();
        if name_length == 0 || after.get(blanks) != Some(&b':') {
            return Err("there is no name followed by `:`");
        }
        let value = name_length + blanks + 1;
        let text = line.get(value..).unwrap_or_default();
        let leading = text.iter().take_while(|b| is_lws(**b)).count();
        let trailing = text.iter().rev().take_while(|b| is_lws(**b)).count();
        let value = value + leading;
        let value_end = (line.len() - trailing).max(value);
        Ok(Self {
            name: HeaderName::of(line.get(..name_length).unwrap_or_default()),
            is_added: false,
            line: to_u32(at),
            name_end: to_u32(at + name_length),
            value: to_u32(at + value),
            value_end: to_u32(at + value_end),
            line_end: to_u32(at + line.len()),
        })
    }
}

impl<'a> Field<'a> {
    /// The name; `Other` when this crate does not know it.
    #[must_use]
    pub const fn name(&self) -> HeaderName {
        self.entry.name
    }

    /// The name as written.
    #[must_use]
    pub fn name_text(&self) -> Cow<'a, str> {
        lossy(self.slice(self.entry.line, self.entry.name_end))
    }

    /// Whether the field has this name, in whatever form it is written.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.has_name(HeaderName::of(name.as_bytes()), name)
    }

    /// As [`is`](Self::is), for a name that was recognised already.
    pub(crate) fn has_name(&self, known: HeaderName, name: &str) -> bool {
        let written = || self.slice(self.entry.line, self.entry.name_end);
        self.name() == known
            && (known != HeaderName::Other || written().eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The value as it stands in the message, perhaps folded, without white space around it.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.slice(self.entry.value, self.entry.value_end)
    }

    /// The value as text; `None` when it is not UTF-8 (RFC 3261 section 7).
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.value()).ok()
    }

    /// The value of a field that holds addresses as text: octets that are not UTF-8 become U+FFFD, which
    /// [`NameAddr`](crate::header::NameAddr) takes in a display name and nowhere else.
    ///
    /// RFC 3261 section 25.1 wants UTF-8 there, but phones of before send their owner's name in Latin-1. Nothing
    /// depends on a display name, and what is forwarded stays as it came.
    pub(crate) fn address_text(&self) -> Cow<'a, str> {
        lossy(self.value())
    }

    /// The value as text on one line: folds become a space, octets that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn unfolded(&self) -> Cow<'a, str> {
        let text = lossy(self.value());
        if !text.contains(['\r', '\n']) {
            return text;
        }
        let lines = text.split("\r\n").map(|line| line.trim_matches([' ', '\t']));
        Cow::Owned(lines.collect::<Vec<_>>().join(" "))
    }

    /// The whole line or lines, with the final CRLF.
    pub(crate) fn line(&self) -> &'a [u8] {
        self.slice(self.entry.line, self.entry.line_end)
    }

    fn slice(&self, start: u32, end: u32) -> &'a [u8] {
        self.head.octets(self.entry.is_added, start, end)
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.name_text())
    }
}

/// Reads the header section of a message that is still arriving, line by line, by the same rules as
/// [`Head::index`].
pub(crate) struct SectionReader<'a>(&'a [u8]);

impl<'a> SectionReader<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// Whether a method or `SIP/` can begin with this octet.
    pub(crate) fn may_begin_message(byte: u8) -> bool {
        is_token(byte) || byte == b'\r'
    }

    /// Whether the empty line that ends the section begins here.
    pub(crate) fn is_empty_line(&self, at: usize) -> bool {
        self.0.get(at..).is_some_and(|rest| rest.starts_with(b"\r\n"))
    }

    /// Where the line ends that begins at `line`; there is no LF in it before `searched`.
    pub(crate) fn line_end(&self, line: usize, searched: usize) -> Option<usize> {
        let from = searched.max(line);
        find_lf(self.0.get(from..)?).map(|at| from + at + 1)
    }

    /// Hands over the Content-Length fields of the section that ends at `end`.
    pub(crate) fn content_lengths(&self, end: usize, max_fields: usize) -> Vec<Option<String>> {
        let mut found = Vec::new();
        let section = self.0.get(..end).unwrap_or_default();
        let mut at = find_lf(section).map_or(end, |lf| lf + 1);
        for _ in 0..max_fields {
            let rest = section.get(at..).unwrap_or_default();
            if rest.starts_with(b"\r\n") {
                break;
            }
            let Some(FieldLine { length, is_clean }) = field_line(rest) else { break };
            let line = rest.get(..length).unwrap_or_default();
            if line.first().is_some_and(|b| matches!(b, b'c' | b'C' | b'l' | b'L'))
                && let Ok(entry) = Entry::read(line, is_clean, 0)
                && entry.name == HeaderName::ContentLength
            {
                let value = line.get(entry.value as usize..entry.value_end as usize);
                let text = value.and_then(|value| std::str::from_utf8(value).ok());
                found.push(text.map(ToOwned::to_owned));
            }
            at += length;
        }
        found
    }
}

/// A field with the lines that continue it.
struct FieldLine {
    /// Its octets, up to the LF that no white space follows.
    length: usize,
    /// Each CR has its LF and each LF its CR.
    is_clean: bool,
}

/// The field at the start of `rest`; `None` when it does not end.
fn field_line(rest: &[u8]) -> Option<FieldLine> {
    let (mut at, mut is_clean) = (0, true);
    loop {
        at += memchr2(b'\r', b'\n', rest.get(at..)?)?;
        match rest.get(at..) {
            Some([b'\r', b'\n', ..]) => at += 2,
            Some([b'\n', ..]) => {
                at += 1;
                is_clean = false;
            }
            _ => {
                at += 1;
                is_clean = false;
                continue;
            }
        }
        if !matches!(rest.get(at), Some(b' ' | b'\t')) {
            return Some(FieldLine { length: at, is_clean });
        }
    }
}

/// Where the first LF is.
pub(crate) fn find_lf(bytes: &[u8]) -> Option<usize> {
    memchr(b'\n', bytes)
}

/// Octets as text; those that are not UTF-8 become U+FFFD. Nearly all are, which is seen sooner than what is not.
fn lossy(octets: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(octets).map_or_else(|_| String::from_utf8_lossy(octets), Cow::Borrowed)
}

/// Offsets fit: messages are limited to far less than 4 GiB.
fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
