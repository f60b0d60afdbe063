//! Rebuilds the crate when a migration changes, since they are part of it.

#![allow(clippy::print_stdout)]

fn main() {
    println!("cargo:rerun-if-changed=../../schema");
}
