//! DNS over the real program: what SOAP stored is what resolvers see.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod check;
mod dnssec;
mod edns;
mod enum_numbers;
mod fancy;
mod forms;
mod import;
mod malformed;
mod master;
mod protocol;
mod rate;
mod watch;
mod zones;
