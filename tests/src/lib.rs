//! The harness of the black-box tests: it starts the real programs on loopback, with ports, data and a database of
//! their own, and speaks SOAP, SIP and DNS to them with code that the product does not share.
//!
//! A test file is about one operation or one section of an RFC. `both! { fn name(p) { … } }` runs a test on SQLite
//! and on MariaDB and compares every SOAP answer. Nothing here sleeps for a fixed time to let something happen:
//! tests wait for the thing itself ([`platform::eventually`], [`platform::Platform::wait_position`]).

// A harness fails by panicking, with everything that helps to see why.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)]

pub mod baresip;
pub mod binaries;
pub mod bystanders;
pub mod cdrtool;
pub mod certificates;
pub mod database;
pub mod dns;
pub mod endurance;
pub mod fixture;
pub mod gate;
pub mod hep;
pub mod http;
pub mod linphone;
pub mod load;
pub mod name_servers;
pub mod net;
pub mod numbers;
pub mod platform;
pub mod program;
pub mod rules;
pub mod sip;
pub mod sipp;
pub mod soap;
pub mod usage;
pub mod value;
pub mod wire;
pub mod xml;
pub mod zone_data;

pub use platform::{Platform, eventually};
pub use value::{Value, matching, query, sip_id};
