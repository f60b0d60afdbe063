//! The WSDL at every address where clients look for it (contract A1, E1-E3).

use std::process::Command;

use ngn_tests::database::Backend;
use ngn_tests::http;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;
use ngn_tests::xml::{Node, parse};

const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
const PORTS: [&str; 7] = [
    "SipPort",
    "VoicemailPort",
    "EnumPort",
    "DnsPort",
    "RatingPort",
    "CustomerPort",
    "NetworkPort",
];

fn fetch(p: &Platform, target: &str) -> Node {
    let reply = http::get(p.soap_address(), target).unwrap();
    assert_eq!(reply.status, 200, "{target}: {}", reply.text());
    let kind = reply.header("content-type").unwrap_or_default().to_owned();
    assert!(kind.starts_with("text/xml"), "{target}: {kind}");
    let node = parse(&reply.text()).unwrap_or_else(|error| panic!("{target}: {error:#}"));
    assert_eq!((node.namespace.as_str(), node.name.as_str()), (WSDL, "definitions"), "{target}");
    node
}

/// The addresses in a document, by port.
fn locations(document: &Node) -> Vec<(String, String)> {
    let service = document.child("service").unwrap();
    service
        .children
        .iter()
        .filter(|c| c.name == "port")
        .map(|port| {
            let address = port.child("address").unwrap();
            (
                port.attribute("", "name").unwrap().to_owned(),
                address.attribute("", "location").unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn is_served_at_every_address() {
    let p = Platform::start(Backend::Sqlite);
    let host = p.soap_address();
    for (target, base) in [
        ("/wsdl", "/"),
        ("/?wsdl", "/"),
        ("/ngnpro/wsdl", "/ngnpro/"),
        ("/ngnpro?wsdl", "/ngnpro"),
        ("/ngnpro/?wsdl", "/ngnpro/"),
        ("/voicemail/wsdl", "/voicemail/"),
        ("/ngnpro/voicemail/wsdl", "/ngnpro/voicemail/"),
    ] {
        let document = fetch(&p, target);
        let found = locations(&document);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, PORTS, "{target}");
        for (port, location) in &found {
            // A1: the URL by which the client came, and never one that ends in "wsdl".
            assert!(
                location.starts_with(&format!("http://{host}/")),
                "{target}: {port} at {location}"
            );
            assert!(!location.ends_with("wsdl"), "{target}: {port} at {location}");
            let path = location.strip_prefix(&format!("http://{host}")).unwrap();
            assert_eq!(path.trim_end_matches('/'), base.trim_end_matches('/'), "{target}: {port}");
        }
    }
}

#[test]
fn names_the_host_that_the_client_used() {
    let p = Platform::start(Backend::Sqlite);
    let reply = http::get_as(p.soap_address(), "/ngnpro/wsdl", "ngnpro.example.com").unwrap();
    let document = parse(&reply.text()).unwrap();
    for (_, location) in locations(&document) {
        assert!(location.starts_with("http://ngnpro.example.com/ngnpro"), "{location}");
    }
    // A Host that is no host must not end up in the document.
    for host in ["a\"><x", "a b", "exa<mple"] {
        let reply = http::get_as(p.soap_address(), "/wsdl", host).unwrap();
        assert!(reply.status == 400 || !reply.text().contains(host), "{host}: {}", reply.status);
        if reply.status == 200 {
            parse(&reply.text()).unwrap();
        }
    }
}

#[test]
fn comes_per_port_and_in_two_styles() {
    let p = Platform::start(Backend::Sqlite);
    for port in PORTS {
        let name = port.trim_end_matches("Port");
        for target in [format!("/wsdl?port={name}"), format!("/?wsdl&port={name}&style=literal")] {
            let document = fetch(&p, &target);
            let found = locations(&document);
            assert_eq!(found.len(), 1, "{target}");
            assert_eq!(found[0].0, port, "{target}");
        }
    }
    let encoded = http::get(p.soap_address(), "/wsdl").unwrap().text();
    let literal = http::get(p.soap_address(), "/wsdl?style=literal").unwrap().text();
    assert!(encoded.contains("style=\"rpc\"") && encoded.contains("use=\"encoded\""));
    assert!(literal.contains("style=\"document\"") && !literal.contains("use=\"encoded\""));
    assert_eq!(http::get(p.soap_address(), "/wsdl?port=NoSuchPort").unwrap().status, 404);
}

#[test]
fn is_the_published_one_and_valid() {
    let p = Platform::start(Backend::Sqlite);
    let published =
        std::fs::read_to_string(ngn_tests::binaries::root().join("wsdl/ngnpro.wsdl")).unwrap();
    let served = http::get(p.soap_address(), "/ngnpro/wsdl").unwrap().text();
    let neutral = |text: &str| {
        text.lines()
            .map(|line| if line.contains("location=") { "" } else { line })
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(neutral(&served), neutral(&published));
    let path = p.directory().join("served.wsdl");
    std::fs::write(&path, &served).unwrap();
    run(Command::new("xmllint").args(["--noout", "--nonet"]).arg(&path)).unwrap();
}

/// E3: ports and operations in the order of the original.
#[test]
fn keeps_the_order_of_operations() {
    let p = Platform::start(Backend::Sqlite);
    let document = fetch(&p, "/wsdl");
    let operations = |port: &str| -> Vec<String> {
        let port_type = document
            .children
            .iter()
            .find(|c| c.name == "portType" && c.attribute("", "name") == Some(port))
            .unwrap_or_else(|| panic!("no {port}"));
        port_type
            .children
            .iter()
            .filter(|c| c.name == "operation")
            .map(|c| c.attribute("", "name").unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        operations("CustomerPort"),
        [
            "addAccount",
            "updateAccount",
            "deleteAccount",
            "getAccount",
            "getCustomers",
            "getResellers",
            "setProperties",
            "getProperties"
        ]
    );
    assert_eq!(
        operations("EnumPort"),
        [
            "addRange",
            "updateRange",
            "deleteRange",
            "getRanges",
            "addNumber",
            "updateNumber",
            "deleteNumber",
            "getNumber",
            "getNumbers"
        ]
    );
    assert_eq!(operations("SipPort").len(), 61);
    assert_eq!(operations("DnsPort").len(), 15);
    assert_eq!(operations("VoicemailPort").len(), 5);
    assert_eq!(operations("RatingPort").len(), 3);
    assert_eq!(operations("NetworkPort").len(), 2);
}
