//! Any bytes: a call that means the same when written anew, or one readable refusal.
//!
//! Seeds: `tests/vectors/soap`, which `tests/bin/fuzz` hands over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_soap::{Limits, Style, decode, encode_fault};

const STYLES: [Style; 2] = [Style::Encoded, Style::Literal];

fuzz_target!(|body: &[u8]| {
    for charset in [None, Some("iso-8859-1")] {
        check(body, charset);
    }
});

fn check(body: &[u8], charset: Option<&str>) {
    let limits = Limits::default();
    match decode(body, charset, &limits) {
        Ok(call) => {
            // What was said by reference is written out, so it may have grown.
            let limits = Limits { body: usize::MAX, nodes: usize::MAX, ..limits };
            for style in STYLES {
                let written = call.request.encode(call.auth.as_ref(), style);
                let again = decode(&written, None, &limits).expect("what we write can be read");
                assert_eq!(again.request, call.request);
                assert_eq!(again.auth, call.auth);
                assert_eq!(again.style, style);
            }
        }
        Err(rejected) => {
            let text = &rejected.fault.text;
            assert!(!text.is_empty() && text.len() < 1000, "{text:?}");
            assert!(!text.contains(char::is_control), "{text:?}");
            for style in STYLES {
                assert!(!encode_fault(&rejected.fault, style).is_empty());
            }
        }
    }
}
