//! What real clients sent, byte for byte: everything decodes, and equal calls of different clients are equal.

use std::fs;
use std::path::PathBuf;

use ngn_soap::types::{Property, SipAccount, SipFilter, SipId, SubscriberACL};
use ngn_soap::{Call, Limits, Request, Style, decode, sip};

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/soap")
}

#[allow(clippy::disallowed_methods, reason = "tests read their vectors")]
fn read(name: &str) -> Vec<u8> {
    fs::read(vectors().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn call(name: &str) -> Call {
    decode(&read(name), Some("UTF-8"), &Limits::default())
        .unwrap_or_else(|rejected| panic!("{name}: {}", rejected.fault))
}

#[test]
fn every_captured_request_decodes_to_the_operation_it_is_named_after() {
    let mut count = 0;
    for entry in fs::read_dir(vectors()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let mut parts = name.split('.');
        let (Some(port), Some(operation), Some("request")) =
            (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let call = call(&name);
        let row = call.request.operation();
        assert_eq!((row.port.name(), row.name), (port, operation), "{name}");
        let auth = call.auth.unwrap();
        assert_eq!(auth.username.as_deref(), Some("admin"), "{name}");
        assert_eq!(auth.password.as_deref(), Some("example-secret"), "{name}");
        assert_eq!(auth.admin, Some(true), "{name}");
        count += 1;
    }
    assert!(count >= 60, "only {count} captures were found");
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn account(name: &str) -> SipAccount {
    match call(name).request {
        Request::Sip(sip::Request::AddAccount(sip::AddAccount { account: Some(account) })) => {
            account
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn cdrtools_account_is_read_member_by_member() {
    let property = |name: &str, value: &str| Property { name: text(name), value: text(value) };
    let acl = |ip: &str, mask| SubscriberACL { ip: text(ip), mask: Some(mask), tag: None };
    assert_eq!(
        account("Sip.addAccount.request.xml"),
        SipAccount {
            id: Some(SipId { username: text("alice"), domain: text("hdemo.example.com") }),
            password: text("example-pass"),
            first_name: text("Alice"),
            last_name: text("Example"),
            email: text("alice@hdemo.example.com"),
            acl: Some(vec![acl("192.0.2.0", 24), acl("198.51.100.1", 32)]),
            groups: Some(vec!["free-pstn".to_owned(), "missed-calls".to_owned()]),
            properties: Some(vec![property("language", "nl"), property("note", "<b>&amp;</b>"),]),
            timezone: text("Europe/Amsterdam"),
            rpid: text("31201234567"),
            quota: Some(50),
            call_limit: Some(3),
            prepaid: Some(false),
            owner: Some(0),
            ..SipAccount::default()
        }
    );
}

#[test]
fn every_client_says_the_same() {
    let common = |username: &str| SipAccount {
        id: Some(SipId { username: text(username), domain: text("wsdl.example.com") }),
        password: text("example-pass"),
        first_name: text("Ann & <Bé>"),
        last_name: text("E"),
        email: text("a@b.c"),
        groups: Some(vec!["free-pstn".to_owned()]),
        properties: Some(vec![Property { name: text("a"), value: text("1") }]),
        timezone: text("UTC"),
        rpid: text(""),
        quota: Some(2),
        prepaid: Some(false),
        owner: Some(1),
        ..SipAccount::default()
    };
    let two_groups = || Some(vec!["free-pstn".to_owned(), "b".to_owned()]);
    for (client, style, expected) in [
        ("node-soap-document", Style::Literal, common("ndoc")),
        ("node-soap-rpc", Style::Literal, common("nlit")),
        ("zeep-encoded", Style::Literal, common("zencseq")),
        ("zeep-literal", Style::Literal, common("zlit")),
        ("suds-encoded", Style::Encoded, common("sencseq")),
        // encodingStyle on the Envelope although the binding is literal; hence untyped empty is null (W5).
        ("suds-literal", Style::Encoded, SipAccount { rpid: None, ..common("slit") }),
        (
            "php-ext-soap-encoded",
            Style::Encoded,
            SipAccount { groups: two_groups(), ..common("wencseq") },
        ),
        (
            "php-ext-soap-literal",
            Style::Literal,
            SipAccount { groups: two_groups(), ..common("wlit") },
        ),
        (
            "gsoap-encoded",
            Style::Encoded,
            SipAccount {
                id: common("gsoapenc").id,
                first_name: text("Ann & <B>"),
                password: text("example-pass"),
                groups: two_groups(),
                ..SipAccount::default()
            },
        ),
        (
            "gsoap-literal",
            Style::Literal,
            SipAccount {
                id: common("gsoaplit").id,
                first_name: text("Ann & <B>"),
                password: text("example-pass"),
                groups: two_groups(),
                ..SipAccount::default()
            },
        ),
    ] {
        let name = format!("Sip.addAccount.request.{client}.xml");
        assert_eq!(account(&name), expected, "{name}");
        assert_eq!(call(&name).style, style, "{name}");
    }
}

#[test]
fn every_clients_query_is_read() {
    for (client, username, groups) in [
        ("node-soap-document", "ndoc", None),
        ("node-soap-rpc", "nlit", None),
        ("php-ext-soap-encoded", "wencseq", Some(vec![])),
        ("php-ext-soap-literal", "wlit", Some(vec![])),
        ("suds-encoded", "sencseq", None),
        ("zeep-encoded", "zencseq", None),
        ("zeep-literal", "zlit", None),
    ] {
        let name = format!("Sip.getAccounts.request.{client}.xml");
        let Request::Sip(sip::Request::GetAccounts(sip::GetAccounts { query: Some(query) })) =
            call(&name).request
        else {
            panic!("{name}");
        };
        let expected = SipFilter {
            username: text(username),
            domain: text(""),
            groups,
            ..SipFilter::default()
        };
        assert_eq!(query.filter, Some(expected), "{name}");
        let order = query.order_by.unwrap();
        assert_eq!((order.attribute, order.direction), (text("username"), text("ASC")), "{name}");
        let range = query.range.unwrap();
        assert_eq!((range.start, range.count), (Some(0), Some(10)), "{name}");
    }
}
