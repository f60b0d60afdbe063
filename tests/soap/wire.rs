//! Requests captured from real clients, sent again byte for byte (`tests/vectors/soap`).
//!
//! The captures carry logins of their own; the platform gets those customers, so that the bytes stay as they are.

use std::collections::BTreeMap;
use std::fs;

use ngn_tests::binaries::root;
use ngn_tests::platform::on_both;
use ngn_tests::soap::{self, Style};
use ngn_tests::xml;

/// All request files by name.
fn captures() -> BTreeMap<String, String> {
    let directory = root().join("tests/vectors/soap");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains(".request.") && name.ends_with(".xml") {
            found.insert(name, String::from_utf8(fs::read(&path).unwrap()).unwrap());
        }
    }
    assert!(found.len() >= 60, "only {} captures", found.len());
    found
}

/// The text of the first element of that local name inside the auth header.
fn header_member(request: &str, name: &str) -> Option<String> {
    let header = request.split_once("auth").map(|(_, rest)| rest)?;
    // An opening tag with or without prefix: a closing one has its slash before name or prefix.
    let start = header.match_indices('<').map(|(at, _)| at + 1).find(|at| {
        let tag = header[*at..].split(['>', ' ']).next().unwrap_or_default();
        tag.rsplit(':').next() == Some(name) && !tag.starts_with('/')
    })?;
    let rest = header.get(start..)?;
    let open = rest.find('>')? + 1;
    let close = rest.find('<')?;
    rest.get(open..close).map(str::to_owned)
}

#[test]
fn every_capture_is_understood() {
    on_both(|p| {
        for (name, request) in captures() {
            let (port, rest) = name.split_once('.').unwrap();
            let (operation, _) = rest.split_once('.').unwrap();
            // The capture's own login does not exist here; its form must still be read.
            let reply = soap::post(p.soap_address(), "/", request.as_bytes()).unwrap();
            let style = style_of(&request);
            let outcome = soap::read_reply(&reply, port, operation, style)
                .unwrap_or_else(|error| panic!("{name}: {error:#}\n{}", reply.text()));
            assert_eq!(outcome.unwrap_err().code, 8000, "{name}");
            // With our login in its place every call reaches its operation.
            let ours = with_login(&request, &p.password());
            let reply = soap::post(p.soap_address(), "/", ours.as_bytes()).unwrap();
            let outcome = soap::read_reply(&reply, port, operation, style)
                .unwrap_or_else(|error| panic!("{name}: {error:#}\n{}", reply.text()));
            if let Err(fault) = outcome {
                assert!(
                    !matches!(fault.code, 8000 | 8004 | 9000..=9999),
                    "{name}: {} {}",
                    fault.code,
                    fault.text
                );
            }
        }
        // Something for the comparison of both databases.
        p.admin().ok("Sip.getDomains", ngn_tests::matching(ngn_tests::Value::empty()));
    });
}

/// The style that a reply must have: encoded when the request has an encodingStyle on Envelope or Body, or any
/// xsi:type in the Body.
fn style_of(request: &str) -> Style {
    let envelope = xml::parse(request).unwrap();
    let body = envelope.child("Body").unwrap();
    let styled = |node: &xml::Node| node.attribute(xml::ENVELOPE, "encodingStyle").is_some();
    let typed = body.walk().any(|node| node.attribute(xml::XSI, "type").is_some());
    if styled(&envelope) || styled(body) || typed { Style::Encoded } else { Style::Literal }
}

/// The request with the administrator's login in place of its own, impersonating nobody.
fn with_login(request: &str, password: &str) -> String {
    let replace = |text: String, name: &str, value: &str| {
        let old = header_member(&text, name).unwrap_or_else(|| panic!("no {name} in {text}"));
        let header = text.find("auth").unwrap();
        let at = header + text[header..].find(&format!(">{old}<")).unwrap() + 1;
        format!("{}{value}{}", &text[..at], &text[at + old.len()..])
    };
    let mut text = replace(request.to_owned(), "username", "admin");
    text = replace(text, "password", password);
    if header_member(&text, "impersonate").is_some_and(|id| !id.is_empty()) {
        text = replace(text, "impersonate", "0");
    }
    if header_member(&text, "admin").is_some_and(|flag| !flag.is_empty()) {
        text = replace(text, "admin", "true");
    }
    text
}
