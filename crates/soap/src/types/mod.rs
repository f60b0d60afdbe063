//! The complex types of the API (contract C1-C7), one file per subject.
//!
//! Every member is optional, since clients leave members out freely; what an operation needs, its handler
//! asks for. `None` is absent or null.

mod common;
mod customer;
mod dns;
mod enum_;
mod query;
mod rating;
mod sip;
mod sip_calls;
mod sip_routing;
mod voicemail;

pub use common::*;
pub use customer::*;
pub use dns::*;
pub use enum_::*;
pub use query::*;
pub use rating::*;
pub use sip::*;
pub use sip_calls::*;
pub use sip_routing::*;
pub use voicemail::*;

#[cfg(test)]
pub(crate) fn round_trips() -> impl Iterator<Item = &'static crate::sample::RoundTrip> {
    [
        common::ROUND_TRIPS,
        customer::ROUND_TRIPS,
        dns::ROUND_TRIPS,
        enum_::ROUND_TRIPS,
        query::ROUND_TRIPS,
        rating::ROUND_TRIPS,
        sip::ROUND_TRIPS,
        sip_calls::ROUND_TRIPS,
        sip_routing::ROUND_TRIPS,
        voicemail::ROUND_TRIPS,
    ]
    .into_iter()
    .flatten()
}
