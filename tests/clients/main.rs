//! SOAP clients of others against the real server (contract A and E, `tests/vectors/soap`).
//!
//! Every client runs one program of its own language, `tests/clients/<client>.*`: it creates a customer as
//! administrator, then, with the customer's own login, a domain, two accounts, an alias, an ENUM range and number, a
//! DNS zone and record; lists a part, updates, runs into faults, and deletes everything again. All programs print the
//! same lines, with values as the client handed them over: numbers calculated with, lists counted, faults told apart by
//! their code.
//!
//! `tests/bin/tools` installs the clients; one that is missing is a failure. Only PEAR SOAP, which CDRTool carries, is in
//! no package registry that we use: its tests (`pear.rs`) are ignored until NGN_PEAR_DIR says where it is. Everywhere
//! else its side is in `soap/`: every test there writes requests as it does, and `soap/wire.rs` sends what it was seen to
//! send.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connection;
mod ext_soap;
mod gsoap;
mod lifecycle;
mod node_soap;
mod pear;
mod suds;
mod zeep;
