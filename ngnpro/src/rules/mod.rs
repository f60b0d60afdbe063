//! What the behaviour rules say of single values, as plain functions.
//!
//! An operation gathers its facts, asks these functions, and acts. Nothing here knows of storage or of who calls.

pub mod call_options;
pub mod calls;
pub mod dns_record;
pub mod dns_zone;
pub mod enum_;
pub mod groups;
pub mod password;
pub mod properties;
pub mod pstn;
pub mod rating;
pub mod sip_account;
pub mod voicemail;
