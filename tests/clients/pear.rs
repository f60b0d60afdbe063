//! PEAR SOAP, the library inside of CDRTool: proxies generated from the WSDL, requests as CDRTool writes them, and
//! the WSDL at run time (contract A2-A5, D, E2; B189).
//!
//! No package registry that we use has the library, so these tests are ignored until somebody who has it says where:
//!
//!     NGN_PEAR_DIR=/usr/share/php cargo test -p ngn-tests --test clients -- --ignored pear
//!
//! `tests/bin/verify` runs them when the variable is set. The directory holds `SOAP/Client.php` and what that needs
//! (`HTTP/Request.php`; `PEAR.php` is Debian's php-pear). PHP 8 needs a SOAP without constructors by class name, as
//! CDRTool's copy has become.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use ngn_tests::binaries::root;
use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;
use serde_json::Value;

use crate::lifecycle::{script, told, works};

/// The ways to use the library that are driven; see `pear.php`.
const WAYS: [&str; 3] = ["generated", "raw", "wsdl"];

#[track_caller]
fn pear(arguments: &[&str]) -> Command {
    let directory = std::env::var("NGN_PEAR_DIR").unwrap_or_default();
    let library = Path::new(&directory).join("SOAP/Client.php");
    assert!(library.is_file(), "NGN_PEAR_DIR names no directory with SOAP/Client.php");
    let mut command = script("php", "pear.php");
    command.args(arguments).env("NGN_PEAR_DIR", directory);
    command
}

/// A line per method that the generator is to make of a port, told by the tables of the API (`wsdl/reference.json`),
/// which `crates/soap/tests/wsdl.rs` compares with the list that was typed by hand.
fn methods(query: &str, port: &Value, url: &str) -> String {
    let word = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let class = format!("WebService_NGNPro_{}Port", word(port, "name"));
    let mut lines = format!("{query} {class} at {url}\n");
    for operation in port["operations"].as_array().unwrap() {
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let parameters: Vec<_> = parameters
            .iter()
            // What older clients send besides is accepted and not in the WSDL.
            .filter(|parameter| parameter["legacy"] != true)
            .map(|parameter| {
                let (name, kind) = (word(parameter, "name"), word(parameter, "type"));
                // E2: what has a simple type is handed over as it is, what has one of ours is wrapped in it.
                if kind.starts_with(char::is_uppercase) {
                    format!("{name} {{urn:AGProjects:NGNPro}}{kind}")
                } else {
                    name
                }
            })
            .collect();
        let (name, namespace) = (word(operation, "name"), word(port, "namespace"));
        let parameters = parameters.join(", ");
        writeln!(lines, "{query} {class} {name}({parameters}) {namespace} '' rpc encoded").unwrap();
    }
    lines
}

#[test]
#[ignore = "needs NGN_PEAR_DIR, a directory with PEAR SOAP"]
fn e2_the_generator_makes_the_proxies_of_the_original_client() {
    let p = Platform::start(Backend::Sqlite);
    let url = format!("http://{}/", p.soap_address());
    let mut command = told(pear(&["proxies"]), &url, "", "", "");
    let printed = run(&mut command).unwrap();
    let reference = fs::read(root().join("wsdl/reference.json")).unwrap();
    let reference: Value = serde_json::from_slice(&reference).unwrap();
    let ports = reference["ports"].as_array().unwrap();
    let mut expected: String = ports.iter().map(|port| methods("wsdl", port, &url)).collect();
    for port in ports {
        let query = format!("?wsdl&port={}", port["name"].as_str().unwrap());
        expected += &methods(&query, port, &url);
    }
    assert_eq!(printed, expected);
    assert_eq!(printed.lines().count(), 2 * (7 + 103), "classes and methods, in two documents");
}

fn lifecycle(backend: Backend) {
    for way in WAYS {
        works(backend, || pear(&["lifecycle", way]));
    }
}

#[test]
#[ignore = "needs NGN_PEAR_DIR, a directory with PEAR SOAP"]
fn on_sqlite() {
    lifecycle(Backend::Sqlite);
}

#[test]
#[ignore = "needs NGN_PEAR_DIR, a directory with PEAR SOAP"]
fn on_mariadb() {
    lifecycle(Backend::MariaDb);
}

/// A5: lists are arrays whatever they hold, structs are objects, numbers and booleans have their PHP types, null is an
/// empty string or false; and an empty list arrives as one (W4).
#[test]
#[ignore = "needs NGN_PEAR_DIR, a directory with PEAR SOAP"]
fn a5_values_keep_their_types() {
    let expected = fs::read_to_string(root().join("tests/clients/pear/values.txt")).unwrap();
    for way in WAYS {
        let p = Platform::start(Backend::Sqlite);
        let url = format!("http://{}/", p.soap_address());
        let mut command = told(pear(&["values", way]), &url, &p.password(), "", "");
        assert_eq!(run(&mut command).unwrap(), expected, "{way}");
    }
}
