//! The published WSDL: generated, committed, and equal to what the API is known to be.

use std::path::PathBuf;

use ngn_soap::Port;
use ngn_soap::wsdl::{Variant, document};

/// As published; the server puts in the address by which the client came.
const LOCATION: &str = "https://ngnpro.example.com/ngnpro/";

#[allow(clippy::disallowed_methods, reason = "tests read and rewrite the published files")]
fn compare(file: &str, variant: Variant) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wsdl").join(file);
    let generated = document(variant, None, LOCATION);
    if std::env::var("UPDATE_WSDL").is_ok_and(|value| value == "1") {
        std::fs::write(&path, &generated).unwrap();
    }
    let published = std::fs::read(&path).unwrap_or_default();
    assert!(
        published == generated.as_bytes(),
        "wsdl/{file} differs from the table; a change of the API is made by running this test with UPDATE_WSDL=1"
    );
}

#[test]
fn the_published_encoded_wsdl_is_current() {
    compare("ngnpro.wsdl", Variant::Encoded);
}

#[test]
fn the_published_literal_wsdl_is_current() {
    compare("ngnpro-literal.wsdl", Variant::Literal);
}
