//! SIP registrar and proxy.

pub mod config;
pub mod directory;
