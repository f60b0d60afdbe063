//! Typed header fields: one file each, with what it reads, what it prints and its tests.
//!
//! A type here is made from the text of one header value, which may be folded. Values that are not edited
//! never pass through these types on their way out: the message keeps its octets.

pub(crate) mod name;
pub(crate) mod params;
pub(crate) mod scan;

mod authorization;
mod call_id;
mod challenge;
mod contact;
mod content;
mod cseq;
mod expires;
mod max_forwards;
mod name_addr;
mod option_tag;
mod retry_after;
mod route;
mod session;
mod timestamp;
mod via;

pub use authorization::{Algorithm, Authorization, Credentials};
pub use call_id::CallId;
pub(crate) use call_id::check as call_id_check;
pub use challenge::Challenge;
pub use contact::{Contact, Contacts};
pub use content::{ContentLength, ContentType};
pub use cseq::CSeq;
pub use expires::{Expires, MinExpires};
pub use max_forwards::MaxForwards;
pub use name::HeaderName;
pub use name_addr::{FromHeader, NameAddr, ToHeader};
pub use option_tag::{Allow, OptionTags};
pub use params::Params;
pub use retry_after::RetryAfter;
pub use route::{PathHeader, RecordRouteHeader, RouteHeader, ServiceRouteHeader};
pub use scan::{ListParts, split_list};
pub use session::{MinSe, SessionExpires};
pub use timestamp::Timestamp;
pub use via::{Transport, Via};

/// Why a header field cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct HeaderError {
    /// Which field.
    pub name: HeaderName,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl HeaderError {
    /// The field is not there.
    pub const MISSING: &'static str = "the header field is missing";
    /// The field may stand only once.
    pub const REPEATED: &'static str = "the header field is repeated";
    /// The field's value is not UTF-8.
    pub const NOT_UTF8: &'static str = "the value is not UTF-8";

    /// Makes an error.
    #[must_use]
    pub const fn new(name: HeaderName, reason: &'static str) -> Self {
        Self { name, reason }
    }
}

/// A header field that stands at most once in a message.
pub trait Header: Sized {
    /// Its name.
    const NAME: HeaderName;

    /// Reads the value of the field.
    fn parse(value: &str) -> Result<Self, HeaderError>;
}

/// A header field whose values may be separated by commas or stand in fields of their own.
pub trait ListHeader: Sized {
    /// Its name.
    const NAME: HeaderName;

    /// Reads one value of the list.
    fn parse_one(value: &str) -> Result<Self, HeaderError>;

    /// Reads all values of one field.
    fn parse_list(value: &str) -> Result<Vec<Self>, HeaderError> {
        scan::split_list(value).map(Self::parse_one).collect()
    }
}
