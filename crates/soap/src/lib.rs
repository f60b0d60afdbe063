//! The SOAP 1.1 codec of the API: bytes to a typed request, and a typed reply to bytes; pure.
//!
//! ```text
//! body ── xml ──▶ tree ── envelope ──▶ operation, style ── codec, by the table ──▶ Call
//! reply ── writer, by the table, in the style of the request ──▶ body
//! ```
//!
//! `types` and `ports` hold the table: every type and operation is written down once. From it come the
//! structs, the codec, the WSDL (`wsdl`) and the reference (`reference`).
//! Decoding is lenient (contract W1-W13), encoding strict (R1-R14).

mod codec;
mod cut;
mod envelope;
pub mod fault;
pub mod ports;
pub mod reference;
mod reply;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod sample;
pub mod schema;
mod suggest;
mod table;
mod type_set;
pub mod types;
mod writer;
pub mod wsdl;
pub mod xml;

pub use envelope::{Call, Rejected, Style, decode};
pub use fault::{Fault, Side};
pub use ports::{Operation, Port, Request, customer, dns, enum_, network, rating, sip, voicemail};
pub use reply::{Encode, decode_reply, encode_call, encode_fault, encode_reply};
pub use types::Auth;
pub use xml::Limits;
