//! Octets to message.

use super::fault::{Malformed, Reason};
use super::head::{Head, Indexed, find_lf};
use super::known::Known;
use super::{Message, Method, StartLine};
use crate::header::scan::{find, is_token};
use crate::header::{ContentLength, Header, HeaderError, HeaderName};
use crate::uri::Uri;
use bytes::{Buf as _, Bytes};

/// How much a message may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the whole message.
    pub octets: usize,
    /// Header fields.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { octets: 65_535, fields: 512 }
    }
}

impl Message {
    /// Reads a message from a datagram, or from what [`Framer`](crate::framing::Framer) cut out of a stream.
    ///
    /// Line ends before the message are skipped (RFC 3261 section 7.5), octets after the body are dropped
    /// (section 18.3). What is returned can be processed: the start line, the mandatory header fields and
    /// the fields that decide about routing are well-formed. Line ends are CRLF only: an element that took a
    /// bare LF for one would see other header fields than the next hop does.
    pub fn parse(mut octets: Bytes, limits: &Limits) -> Result<Self, Malformed> {
        let leading = octets.iter().take_while(|b| matches!(**b, b'\r' | b'\n')).count();
        octets.advance(leading);
        if octets.is_empty() {
            return Err(Malformed::dropped(Reason::Empty));
        }
        let Some(line_length) = find_lf(&octets).map(|at| at + 1) else {
            return Err(Malformed::dropped(Reason::NotSip));
        };
        let line = octets.get(..line_length).unwrap_or_default();
        let start = read_start_line(line.strip_suffix(b"\r\n").unwrap_or(line));
        let start = match start {
            Start::NotSip => return Err(Malformed::dropped(Reason::NotSip)),
            start if line.ends_with(b"\r\n") => start,
            Start::Request { ack, .. } | Start::BrokenRequest { ack, .. } => {
                Start::BrokenRequest { ack, reason: Reason::StartLine("it does not end with CRLF") }
            }
            Start::Status { .. } | Start::BrokenStatus(_) => {
                return Err(Malformed::dropped(Reason::StartLine("it does not end with CRLF")));
            }
        };
        let too_large = (octets.len() > limits.octets).then_some(Reason::TooLarge(limits.octets));
        let length = octets.len();
        octets.truncate(limits.octets);
        let Indexed { head, body, fault } = Head::index(octets, line_length, limits.fields);
        let fault = too_large.or(fault);
        let (line, fault) = match start {
            Start::NotSip => return Err(Malformed::dropped(Reason::NotSip)),
            Start::BrokenStatus(reason) => return Err(Malformed::dropped(reason)),
            Start::BrokenRequest { ack, reason } => return Err(refuse(reason, head, ack)),
            Start::Status { line } => (line, fault),
            Start::Request { line, .. } => (line, fault),
        };
        let is_ack = matches!(&line, StartLine::Request { method: Method::Ack, .. });
        let is_request = matches!(line, StartLine::Request { .. });
        let fail = |reason, head| {
            if is_request { refuse(reason, head, is_ack) } else { Malformed::dropped(reason) }
        };
        if let Some(reason) = fault {
            return Err(fail(reason, head));
        }
        let end = match body_end(&head, body, length) {
            Ok(end) => end,
            Err(reason) => return Err(fail(reason, head)),
        };
        let mut message = Self {
            start: line,
            start_length: line_length,
            body: head.received().slice(body..end),
            whole_length: end,
            head,
            known: Known::default(),
        };
        match message.validate() {
            Ok(known) => {
                message.known = known;
                Ok(message)
            }
            Err(reason) => Err(fail(reason, message.head)),
        }
    }
}

/// Says what may be answered to octets that cannot be cut into a message.
pub(crate) fn refuse_section(reason: Reason, octets: Bytes, limits: &Limits) -> Malformed {
    let visible = octets.slice(..octets.len().min(limits.octets));
    let line_length = find_lf(&visible).map_or(0, |at| at + 1);
    let line = visible.get(..line_length).unwrap_or_default();
    match read_start_line(line.strip_suffix(b"\r\n").unwrap_or(line)) {
        Start::Request { ack, .. } | Start::BrokenRequest { ack, .. } => {
            let head = Head::index(visible, line_length, limits.fields).head;
            refuse(reason, head, ack)
        }
        Start::Status { .. } | Start::BrokenStatus(_) | Start::NotSip => Malformed::dropped(reason),
    }
}

/// The status or silence that answers a malformed request; nothing answers an ACK (section 17.1.1.3).
fn refuse(reason: Reason, head: Head, is_ack: bool) -> Malformed {
    if is_ack { Malformed::dropped(reason) } else { Malformed::request(reason, head) }
}

/// Where the body ends: by Content-Length, or with the datagram (section 18.3).
fn body_end(head: &Head, body: usize, available: usize) -> Result<usize, Reason> {
    let mut fields = head.named(HeaderName::ContentLength);
    let Some(field) = fields.next() else { return Ok(available) };
    let wrong = |reason| HeaderError::new(HeaderName::ContentLength, reason);
    if fields.next().is_some() {
        return Err(wrong(HeaderError::REPEATED).into());
    }
    let text = field.text().ok_or(wrong(HeaderError::NOT_UTF8))?;
    let length = ContentLength::parse(text)?.0;
    let end = body.checked_add(length).filter(|end| *end <= available);
    end.ok_or(Reason::BodyTooShort)
}

/// What the first line turned out to be.
enum Start {
    Request { line: StartLine, ack: bool },
    Status { line: StartLine },
    BrokenRequest { ack: bool, reason: Reason },
    BrokenStatus(Reason),
    NotSip,
}

/// Reads the first line, given without its line end.
fn read_start_line(line: &[u8]) -> Start {
    if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
        return match read_status_line(line) {
            Ok(line) => Start::Status { line },
            Err(reason) => Start::BrokenStatus(reason),
        };
    }
    // Whatever is wrong with it, a line that begins with a token and ends with a SIP version is meant as a
    // request line and its sender can be told.
    let method_length = line.iter().take_while(|b| is_token(**b)).count();
    let trimmed = line.trim_ascii_end();
    let version_start =
        trimmed.iter().rposition(|b| matches!(b, b' ' | b'\t')).map_or(0, |at| at + 1);
    let version = trimmed.get(version_start..).unwrap_or_default();
    let is_version = version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"));
    if method_length == 0 || !is_version {
        return Start::NotSip;
    }
    let method = line.get(..method_length).unwrap_or_default();
    let ack = method == b"ACK";
    match read_request_line(line) {
        Ok(line) => Start::Request { line, ack },
        Err(reason) => Start::BrokenRequest { ack, reason },
    }
}

/// `Method SP Request-URI SP SIP-Version` (section 7.1)
fn read_request_line(line: &[u8]) -> Result<StartLine, Reason> {
    let line = std::str::from_utf8(line).map_err(|_| Reason::StartLine("it is not UTF-8"))?;
    let parts = split_at_blank(line).and_then(|(method, rest)| {
        let (uri, version) = split_at_blank(rest)?;
        find(version, b' ').is_none().then_some((method, uri, version))
    });
    let Some((method, uri, version)) = parts else {
        return Err(Reason::StartLine("it is not three parts with one space between them"));
    };
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(if is_version(version) {
            Reason::Version
        } else {
            Reason::StartLine("the version is malformed")
        });
    }
    let method = Method::parse(method).ok_or(Reason::StartLine("the method is not a token"))?;
    let uri = Uri::parse(uri).map_err(Reason::RequestUri)?;
    if uri.headers_text().is_some() {
        // Table 1 of section 19.1.1: no header components in a Request-URI.
        return Err(Reason::StartLine("the Request-URI holds headers"));
    }
    Ok(StartLine::Request { method, uri })
}

/// What stands before the first blank, and after it.
fn split_at_blank(text: &str) -> Option<(&str, &str)> {
    let at = find(text, b' ')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// `SIP-Version SP Status-Code SP Reason-Phrase` (section 7.2). The second space may be missing.
fn read_status_line(line: &[u8]) -> Result<StartLine, Reason> {
    let wrong = Reason::StartLine("it is not a status line");
    let rest = line.get(4..).ok_or(wrong)?;
    let blank = rest.iter().position(|b| *b == b' ').ok_or(wrong)?;
    let (version, rest) = rest.split_at_checked(blank).ok_or(wrong)?;
    if version != b"2.0" {
        return Err(Reason::Version);
    }
    let rest = rest.get(1..).unwrap_or_default();
    let (code, phrase) = rest.split_at_checked(3).ok_or(wrong)?;
    let phrase = match phrase.split_first() {
        None => phrase,
        Some((b' ', phrase)) => phrase,
        Some(_) => return Err(Reason::StartLine("the status code is not three digits")),
    };
    let code =
        std::str::from_utf8(code).ok().filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
    let code: u16 = code.and_then(|code| code.parse().ok()).ok_or(wrong)?;
    if phrase.contains(&b'\r') {
        return Err(Reason::StartLine("a CR stands alone"));
    }
    if !(100..=699).contains(&code) {
        return Err(Reason::StartLine("the status code is not between 100 and 699"));
    }
    Ok(StartLine::Status { code, phrase: String::from_utf8_lossy(phrase).into_owned() })
}

/// `"SIP" "/" 1*DIGIT "." 1*DIGIT`
fn is_version(text: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let numbers = text.get(4..).and_then(|numbers| numbers.split_once('.'));
    numbers.is_some_and(|(major, minor)| digits(major) && digits(minor))
}
