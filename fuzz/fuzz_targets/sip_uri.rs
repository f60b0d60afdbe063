//! Any text: a URI that prints as it was read and whose parts can be asked for, or an error. A pair of texts,
//! divided by a line feed, is compared in both directions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_sip::uri::Uri;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let first = check(first);
    let second = check(second);
    if let (Some(a), Some(b)) = (first, second) {
        assert_eq!(a.is_equivalent(&b), b.is_equivalent(&a), "{a} {b}");
    }
});

fn check(text: &str) -> Option<Uri> {
    let uri = Uri::parse(text).ok()?;
    assert_eq!(uri.as_str(), text);
    assert!(!text.contains(|c: char| c.is_ascii_control() || c == ' ' || c == '<' || c == '>'));
    assert!(uri.is_equivalent(&uri), "{uri}");
    let params = uri.params().count();
    for (name, _) in uri.params() {
        assert!(uri.has_param(name));
    }
    for (name, value) in uri.headers() {
        assert!(!name.is_empty() && value.is_some());
    }
    let _ = (uri.user_unescaped(), uri.password(), uri.aor());
    if let Some(number) = uri.telephone_number() {
        assert!(number.bytes().all(|b| b.is_ascii_digit() || b"+*#".contains(&b)), "{number}");
    }
    if uri.is_sip() {
        assert!(uri.host().is_some(), "{uri}");
        let with = uri.with_param("x-fuzz", Some("1")).expect("a parameter fits");
        assert_eq!(with.param("x-fuzz"), Some("1"));
        assert!(!with.without_param("x-fuzz").has_param("x-fuzz"));
        assert!(with.params().count() >= params);
        let plain = uri.without_headers();
        assert!(plain.headers_text().is_none());
        assert_eq!(plain.host_text(), uri.host_text());
        assert_eq!(plain.user(), uri.user());
        assert_eq!(plain.port(), uri.port());
    }
    Some(uri)
}
