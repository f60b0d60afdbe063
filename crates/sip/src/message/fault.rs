//! What can be wrong with a message, and what may be answered.

use super::head::Head;
use super::{Message, build};
use crate::header::{HeaderError, HeaderName};
use crate::uri::UriError;
use std::fmt;

/// Why octets are not a message that can be processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// There is nothing but line ends.
    #[error("the message is empty")]
    Empty,
    /// The first line is neither a request line nor a status line of any SIP version.
    #[error("this is not a SIP message")]
    NotSip,
    /// More octets than the limit.
    #[error("the message is longer than {0} octets")]
    TooLarge(usize),
    /// More header fields than the limit.
    #[error("the message has more than {0} header fields")]
    TooManyFields(usize),
    /// The request line or status line is malformed.
    #[error("start line: {0}")]
    StartLine(&'static str),
    /// The SIP version is not 2.0.
    #[error("the SIP version is not supported")]
    Version,
    /// The Request-URI is malformed.
    #[error("Request-URI: {0}")]
    RequestUri(UriError),
    /// A header line is malformed.
    #[error("header line {line}: {reason}")]
    HeaderLine {
        /// Which one, counted from 1 after the start line.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The header section does not end.
    #[error("the header section does not end with an empty line")]
    HeadersDoNotEnd,
    /// A header field is malformed, missing or repeated.
    #[error("{0}")]
    Header(#[from] HeaderError),
    /// The method in CSeq differs from the one in the request line.
    #[error("the methods of the request line and of CSeq differ")]
    MethodMismatch,
    /// The body is shorter than Content-Length.
    #[error("the body is shorter than Content-Length")]
    BodyTooShort,
}

impl Reason {
    /// The status of the response that says so to the sender of a request.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Version => 505,
            Self::TooLarge(_) | Self::TooManyFields(_) => 513,
            _ => 400,
        }
    }

    /// A reason phrase for that response; it tells the sender's engineers what to look for.
    #[must_use]
    pub fn phrase(&self) -> String {
        match self {
            Self::Version => "Version Not Supported".to_owned(),
            Self::TooLarge(_) | Self::TooManyFields(_) => "Message Too Large".to_owned(),
            reason => format!("Bad Request ({reason})"),
        }
    }
}

/// A message that cannot be processed.
#[derive(Clone)]
pub struct Malformed {
    /// What is wrong.
    pub reason: Reason,
    /// The status to answer with; `None` when the message must be dropped: it is a response, an ACK, or not
    /// enough of a request to answer it.
    pub respond: Option<u16>,
    /// The header fields as far as they could be told apart.
    partial: Option<Box<Head>>,
}

impl Malformed {
    /// A message that is dropped.
    pub(crate) const fn dropped(reason: Reason) -> Self {
        Self { reason, respond: None, partial: None }
    }

    /// A request that is answered when it has a Via to send the response by.
    pub(crate) fn request(reason: Reason, head: Head) -> Self {
        if head.first(HeaderName::Via).is_none() {
            return Self::dropped(reason);
        }
        Self { reason, respond: Some(reason.status()), partial: Some(Box::new(head)) }
    }

    /// The response, when one may be sent. It repeats Via, From, To, Call-ID and CSeq as they came, so the
    /// topmost Via may itself be the malformed part: then the response goes where the request came from.
    #[must_use]
    pub fn response(&self, to_tag: &str) -> Option<Message> {
        let head = self.partial.as_deref()?;
        Some(build::response(head, None, self.respond?, &self.reason.phrase(), Some(to_tag)))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl fmt::Debug for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Malformed")
            .field("reason", &self.reason)
            .field("respond", &self.respond)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Malformed {}
