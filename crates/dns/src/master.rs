//! Master files (RFC 1035 section 5): zones as text that every name server reads.

mod data;
mod parts;
mod read;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub use data::content;
pub use read::{Contents, Entry, MOST_MISTAKES, MOST_RECORDS, read};
pub use words::{Mistake, Place};
pub use write::{file, name_text};
