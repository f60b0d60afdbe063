//! SOAP clients of others against the real server (contract A and E, `tests/vectors/soap`).
//!
//! Every client runs one program of its own language, `tests/clients/<client>.*`: it creates a customer as
//! administrator, then, with the customer's own login, a domain, two accounts, an alias, an ENUM range and number, a
//! DNS zone and record; lists a part, updates, runs into faults, and deletes everything again. All programs print the
//! same lines, with values as the client handed them over: numbers calculated with, lists counted, faults told apart by
//! their code.
//!
//! PEAR SOAP, which CDRTool carries, is not among them: neither Debian nor another package registry that we use has it.
//! Its side is in `soap/`: every test there writes requests as it does, and `soap/wire.rs` sends what it was seen to send.
//!
//! `tests/bin/tools` installs the clients; one that is missing is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connection;
mod ext_soap;
mod gsoap;
mod lifecycle;
mod node_soap;
mod suds;
mod zeep;
