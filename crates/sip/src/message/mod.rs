//! SIP messages that keep their octets (RFC 3261 section 7).
//!
//! A [`Message`] is one buffer and an index of its header fields. Typed values are read when they are asked
//! for. Edits are entries in the index that point to added text, so everything that is not edited (unknown
//! fields, spelling, folding, order, binary bodies) leaves as it came. A message that exists has passed
//! [`Message::parse`]: its start line and its mandatory fields are well-formed.
//!
//! ```
//! use ngn_sip::message::{Limits, Message, Method};
//! let octets = b"OPTIONS sip:bob@example.com SIP/2.0\r\n\
//!     v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\nt: sip:bob@example.com\r\n\
//!     i: 1@192.0.2.1\r\nCSeq: 7 OPTIONS\r\nl: 0\r\n\r\n";
//! let mut message = Message::parse(octets.to_vec().into(), &Limits::default())?;
//! assert_eq!(message.method(), Some(&Method::Options));
//! assert_eq!(&message.to_bytes()[..], octets);
//! message.append_named("X-Added", "1");
//! assert!(message.to_bytes().ends_with(b"l: 0\r\nX-Added: 1\r\n\r\n"));
//! # Ok::<(), ngn_sip::message::Malformed>(())
//! ```

mod build;
mod edit;
mod fault;
mod head;
mod known;
mod method;
mod parse;
mod read;
mod validate;

pub use build::reason_phrase;
pub use edit::Decremented;
pub use fault::{Malformed, Reason};
pub use head::Field;
pub(crate) use head::SectionReader;
pub use method::Method;
pub use parse::Limits;
pub(crate) use parse::refuse_section as refuse;

use crate::header::scan::push_decimal;
use crate::uri::Uri;
use bytes::Bytes;
use head::Head;
use known::Known;
use std::borrow::Cow;
use std::fmt;

/// A request or response.
#[derive(Clone)]
pub struct Message {
    start: StartLine,
    /// How long the start line was that was received, with its CRLF; 0 once it has been edited.
    start_length: usize,
    head: Head,
    body: Bytes,
    /// How long the whole message was that was received; 0 once anything has been edited.
    whole_length: usize,
    known: Known,
}

/// The first line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartLine {
    /// A request line.
    Request {
        /// The method.
        method: Method,
        /// The Request-URI.
        uri: Uri,
    },
    /// A status line.
    Status {
        /// The status code, 100 to 699.
        code: u16,
        /// The reason phrase; octets that are not UTF-8 are replaced here, but not in what is printed.
        phrase: String,
    },
}

impl Message {
    /// Prints the message. One that was not edited is not even copied.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let whole = self.head.received().slice(..self.whole_length);
        if whole.is_empty() { self.to_vec().into() } else { whole }
    }

    /// How many octets the message has when it is printed, or a few more.
    pub(crate) fn printed_len(&self) -> usize {
        if self.whole_length > 0 {
            return self.whole_length;
        }
        self.first_line().len() + self.head.printed_len() + 2 + self.body.len()
    }

    /// Prints the message into a new vector.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let start = self.first_line();
        // Exactly as long as it will be, since responses are kept for a while.
        let length = start.len() + self.head.printed_len() + 2 + self.body.len();
        let mut out = Vec::with_capacity(length);
        self.print_after(&start, &mut out);
        out
    }

    /// The start line with its CRLF.
    fn first_line(&self) -> Cow<'_, [u8]> {
        match self.head.received().get(..self.start_length) {
            Some(received) if !received.is_empty() => Cow::Borrowed(received),
            _ => Cow::Owned(self.start.to_line().into_bytes()),
        }
    }

    fn print_after(&self, start: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(start);
        self.head.print(out);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
    }

    /// Prints the message after what is in `out`.
    pub fn print(&self, out: &mut Vec<u8>) {
        if self.whole_length > 0 {
            out.extend_from_slice(
                self.head.received().get(..self.whole_length).unwrap_or_default(),
            );
            return;
        }
        self.print_after(&self.first_line(), out);
    }
}

impl StartLine {
    /// As it is printed, with its CRLF.
    fn to_line(&self) -> String {
        let mut line = String::with_capacity(64);
        match self {
            Self::Request { method, uri } => {
                for part in [method.as_str(), " ", uri.as_str(), " SIP/2.0\r\n"] {
                    line.push_str(part);
                }
            }
            Self::Status { code, phrase } => {
                line.push_str("SIP/2.0 ");
                push_decimal(&mut line, (*code).into());
                for part in [" ", phrase, "\r\n"] {
                    line.push_str(part);
                }
            }
        }
        line
    }
}

impl fmt::Display for StartLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { method, uri } => write!(f, "{method} {uri} SIP/2.0"),
            Self::Status { code, phrase } => write!(f, "SIP/2.0 {code} {phrase}"),
        }
    }
}

impl fmt::Debug for Message {
    /// Shows what kind of message it is; addresses and credentials do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.start {
            StartLine::Request { method, .. } => write!(f, "Message({method}")?,
            StartLine::Status { code, .. } => write!(f, "Message({code}")?,
        }
        write!(f, ", {} fields, {} octets of body)", self.head.len(), self.body.len())
    }
}

#[cfg(test)]
mod tests;
