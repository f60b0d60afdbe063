//! Programs of others: on our database, whose shared tables are the field's (design, contract db-hints), and as
//! secondaries of our DNS server, and its masters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod differential;
mod kamailio;
mod masters;
mod powerdns;
mod secondaries;

use ngn_tests::binaries::root;
use ngn_tests::platform::Platform;

/// A configuration of `tests/peers/`, with its `@NAME@` marks filled in, in the platform's own directory.
fn configuration(p: &Platform, name: &str, marks: &[(&str, &str)]) -> std::path::PathBuf {
    let mut text = std::fs::read_to_string(root().join("tests/peers").join(name)).unwrap();
    for (mark, value) in marks {
        text = text.replace(&format!("@{mark}@"), value);
    }
    assert!(!text.contains(" @"), "a mark is left in {name}");
    let path = p.directory().join(name);
    std::fs::write(&path, text).unwrap();
    path
}
