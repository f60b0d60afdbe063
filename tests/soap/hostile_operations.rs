//! Every operation of every port gets what no honest client sends (contract A4, D3): wrong types, missing and unknown
//! parameters, deep nesting, entities, references that go round. Each gets a fault of the contract's shape on the
//! caller's side, or the answer to a read, and nothing changes.
//!
//! The operations are those of the WSDL, so that a new one is here from its first day.

use std::fs;

use ngn_tests::binaries::root;
use ngn_tests::fixture::{account, domain, range, reseller, zone};
use ngn_tests::platform::Platform;
use ngn_tests::soap::{self, Fault, Style, read_reply};
use ngn_tests::xml::{ENCODING, ENVELOPE, Node, parse};
use ngn_tests::{Value, both, record, sip_id};

/// What a parameter or member holds.
enum Kind {
    Text,
    /// Whole numbers, numbers with fractions, truth values: with something that they are not.
    Scalar(&'static [&'static str]),
    Record(Vec<(String, Kind)>),
    List(Box<Kind>),
}

const WHOLE: &[&str] = &["seven", "99999999999999999999", "1e999", "0x10", "NaN", "1 2", "--1"];
const FRACTION: &[&str] = &["seven", "NaN", "inf", "1,5", "0x10"];
const TRUTH: &[&str] = &["perhaps", "truefalse", "1 0"];

/// An operation with its parameters.
struct Operation {
    port: String,
    name: String,
    parameters: Vec<(String, Kind)>,
}

impl Operation {
    fn is_read(&self) -> bool {
        self.name.starts_with("get")
    }
}

/// All operations of the WSDL.
fn operations() -> Vec<Operation> {
    let wsdl = parse(&fs::read_to_string(root().join("wsdl/ngnpro.wsdl")).unwrap()).unwrap();
    let name = |node: &Node| node.attribute("", "name").unwrap_or_default().to_owned();
    let messages = wsdl.children.iter().filter(|node| node.name == "message");
    let found: Vec<_> = messages
        .filter_map(|message| {
            let title = name(message);
            let (port, rest) = title.split_once('_')?;
            let operation = rest.strip_suffix("Request")?;
            let parameters = message
                .children
                .iter()
                .map(|part| (name(part), kind(&wsdl, part.attribute("", "type").unwrap())))
                .collect();
            Some(Operation { port: port.to_owned(), name: operation.to_owned(), parameters })
        })
        .collect();
    assert_eq!(found.len(), 103, "operations in the WSDL");
    found
}

fn kind(wsdl: &Node, type_name: &str) -> Kind {
    let Some(local) = type_name.strip_prefix("tns:") else {
        return match type_name {
            "xsd:string" | "xsd:base64Binary" => Kind::Text,
            "xsd:double" => Kind::Scalar(FRACTION),
            "xsd:boolean" => Kind::Scalar(TRUTH),
            _ => Kind::Scalar(WHOLE),
        };
    };
    let schema = wsdl.at("types/schema");
    let declared = schema
        .children
        .iter()
        .find(|node| node.name.ends_with("Type") && node.attribute("", "name") == Some(local))
        .unwrap();
    // A simple type is an enumeration of words.
    let Some(sequence) = declared.child("sequence") else { return Kind::Text };
    let member = |node: &Node| {
        let name = node.attribute("", "name").unwrap().to_owned();
        (name, kind(wsdl, node.attribute("", "type").unwrap()))
    };
    let mut members: Vec<_> = sequence.children.iter().map(member).collect();
    if local.ends_with("Array") {
        Kind::List(Box::new(members.remove(0).1))
    } else {
        Kind::Record(members)
    }
}

/// An element that fits, about records that exist where there are some.
fn fitting(name: &str, kind: &Kind) -> String {
    let inside = match kind {
        Kind::Text => match name {
            "username" => "alice".to_owned(),
            "domain" | "zone" => "example.com".to_owned(),
            "number" => "31205550100".to_owned(),
            "tld" => "e164.arpa".to_owned(),
            "prefix" => "3120".to_owned(),
            "entity" => "subscriber://alice@example.com".to_owned(),
            _ => "x".to_owned(),
        },
        Kind::Scalar(_) => "1".to_owned(),
        Kind::Record(members) => members.iter().map(|(name, kind)| fitting(name, kind)).collect(),
        Kind::List(item) => fitting("item", item),
    };
    format!("<{name}>{inside}</{name}>")
}

/// The element once for each wrong thing that its scalars, at any depth, can hold instead; the rest fits.
fn with_one_wrong(name: &str, kind: &Kind) -> Vec<String> {
    let wrap = |inside: String| format!("<{name}>{inside}</{name}>");
    match kind {
        Kind::Text => vec![wrap("<a>1</a>".to_owned())],
        Kind::Scalar(wrong) => {
            let mut all: Vec<_> = wrong.iter().map(|text| wrap((*text).to_owned())).collect();
            all.push(wrap("<a>1</a>".to_owned()));
            all
        }
        Kind::List(item) => with_one_wrong("item", item).into_iter().map(wrap).collect(),
        Kind::Record(members) => {
            let mut all = Vec::new();
            for (n, (member, kind)) in members.iter().enumerate() {
                for wrong in with_one_wrong(member, kind) {
                    let fit = |(other, (name, kind)): (usize, &(String, Kind))| {
                        if other == n { wrong.clone() } else { fitting(name, kind) }
                    };
                    all.push(wrap(members.iter().enumerate().map(fit).collect()));
                }
            }
            all
        }
    }
}

/// The administrator's envelope, encoded or not, around a body; `prologue` stands before it.
fn envelope(password: &str, encoded: bool, prologue: &str, body: &str) -> String {
    let style = if encoded { format!(" e:encodingStyle=\"{ENCODING}\"") } else { String::new() };
    format!(
        "{prologue}<e:Envelope xmlns:e=\"{ENVELOPE}\"{style}><e:Header><auth><username>admin</username>\
         <password>{password}</password><admin>true</admin></auth></e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
}

/// A platform with records that changes could hit, and the administrator at its door.
struct Target<'a> {
    platform: &'a Platform,
    password: String,
    encoded: std::cell::Cell<bool>,
}

impl<'a> Target<'a> {
    fn new(p: &'a Platform) -> Self {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        zone(&acme.client, "example.com");
        range(&acme.client, "3120");
        let alice = |name: &str, value: Value| {
            record! { sipId: sip_id("alice@example.com") }.with(name, value)
        };
        acme.client.ok(
            "Sip.setCallDiversions",
            alice("diversions", record! { FUNC: "sip:bob@example.net" }),
        );
        acme.client.ok("Sip.setRejectMembers", alice("members", ["sip:spam@example.net"].into()));
        acme.client.ok("Sip.setBarringPrefixes", alice("prefixes", ["+31900"].into()));
        let rule = record! { days: 31, start: "08:00", stop: "18:00", groups: ["everybody"] };
        let temporary = record! { groups: ["nobody"], duration: 0 };
        acme.client.ok(
            "Sip.setAcceptRules",
            alice("rules", record! { persistent: vec![rule], temporary: temporary }),
        );
        Self { platform: p, password: p.password(), encoded: false.into() }
    }

    fn journal(&self) -> String {
        self.platform.database.sql("select count(*), max(id) from journal")
    }

    /// Calls an operation with these parameters as they stand; every second call is encoded.
    #[track_caller]
    fn call(
        &self,
        operation: &Operation,
        prologue: &str,
        inside: &str,
        after: &str,
    ) -> Result<(), Fault> {
        self.encoded.set(!self.encoded.get());
        let Operation { port, name, .. } = operation;
        let body = format!(
            "<p:{name} xmlns:p=\"urn:AGProjects:NGNPro:{port}\">{inside}</p:{name}>{after}"
        );
        let text = envelope(&self.password, self.encoded.get(), prologue, &body);
        let shown = &text[..text.len().min(2000)];
        let reply =
            soap::post(self.platform.soap_address(), "/", text.as_bytes()).expect("a reply");
        let answer = reply.text();
        // What nodes count of themselves differs from run to run.
        if port != "Network" {
            self.platform.admin().note(&format!("{port}.{name}"), reply.status, &answer, None);
        }
        // What cannot be read has no style; the answer has the one that every client digests.
        let style = if answer.contains("encodingStyle") { Style::Encoded } else { Style::Literal };
        let outcome = read_reply(&reply, port, name, style).unwrap_or_else(|error| {
            panic!("{port}.{name}: {error:#}\n{} {answer}\n{shown}", reply.status)
        });
        if let Err(fault) = &outcome {
            assert_eq!(fault.side, "Client", "{port}.{name}: {}\n{shown}", fault.text);
        }
        outcome.map(|_| ())
    }

    /// Runs one kind of hostility over all operations; nothing may change.
    #[track_caller]
    fn all(&self, each: impl Fn(&Operation)) {
        let before = self.journal();
        for operation in operations() {
            each(&operation);
            if !operation.is_read() {
                assert_eq!(
                    self.journal(),
                    before,
                    "{}.{} changed something",
                    operation.port,
                    operation.name
                );
            }
        }
        assert_eq!(self.journal(), before);
        self.platform.admin().ok("Customer.getCustomers", record! {});
    }
}

both! {
    // W9: nothing at all, then each parameter alone missing, empty or nil.
    fn missing_parameters(p) {
        let target = Target::new(p);
        target.all(|operation| {
            let all: Vec<_> = operation.parameters.iter().map(|(name, kind)| fitting(name, kind)).collect();
            for missing in std::iter::once(None).chain((0..all.len()).map(Some)) {
                let name = missing.map(|n| &operation.parameters[n].0);
                let replaced = name.map_or(vec![String::new()], |name| {
                    vec![
                        String::new(), format!("<{name}/>"),
                        format!("<{name} xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"/>"),
                    ]
                });
                for replacement in replaced {
                    let inside: String = match missing {
                        None => String::new(),
                        Some(n) => {
                            let other = |(i, text): (usize, &String)| if i == n { replacement.clone() } else { text.clone() };
                            all.iter().enumerate().map(other).collect()
                        }
                    };
                    // An empty list or set of rules is a value, which takes away what is there.
                    let is_key = missing.is_none_or(|n| n == 0);
                    if operation.name.starts_with("set") && !is_key && replacement.ends_with("/>") && !replacement.contains("nil") {
                        continue;
                    }
                    let outcome = target.call(operation, "", &inside, "");
                    assert!(
                        outcome.is_err() || operation.is_read(),
                        "{}.{} took {inside}", operation.port, operation.name
                    );
                }
            }
        });
    }

    // W6: one wrong thing among many right ones.
    fn wrong_types(p) {
        let target = Target::new(p);
        target.all(|operation| {
            for (n, (name, kind)) in operation.parameters.iter().enumerate() {
                let mut wrong = with_one_wrong(name, kind);
                if !matches!(kind, Kind::Text | Kind::Scalar(_)) {
                    wrong.push(format!("<{name}>text</{name}>"));
                }
                for one in wrong {
                    let other = |(i, (name, kind)): (usize, &(String, Kind))| {
                        if i == n { one.clone() } else { fitting(name, kind) }
                    };
                    let inside: String = operation.parameters.iter().enumerate().map(other).collect();
                    match target.call(operation, "", &inside, "") {
                        Err(fault) => assert_eq!(
                            fault.code, 9000, "{}.{}: {}\n{one}", operation.port, operation.name, fault.text
                        ),
                        Ok(()) => panic!("{}.{} took {one}", operation.port, operation.name),
                    }
                }
            }
        });
    }

    // W8: members and parameters that nobody knows are nothing at all, also beside attributes and other namespaces.
    fn unknown_members(p) {
        let target = Target::new(p);
        target.all(|operation| {
            let inside: String = operation
                .parameters
                .iter()
                .map(|(name, _)| format!("<x:{name} xmlns:x=\"urn:x\" a=\"b\"><nobody><c>1</c></nobody></x:{name}>"))
                .collect();
            let unknown = "<nobody>x</nobody><admin>true</admin><return>1</return>";
            for inside in [unknown.to_owned(), format!("{unknown}{inside}")] {
                if operation.name.starts_with("set") {
                    // The record that they are about is not named, which is enough.
                    assert!(target.call(operation, "", unknown, "").is_err());
                    continue;
                }
                let outcome = target.call(operation, "", &inside, "");
                assert!(
                    outcome.is_err() || operation.is_read(),
                    "{}.{} took {inside}", operation.port, operation.name
                );
            }
        });
    }

    // 9004 before anything else is looked at.
    fn unreadable_documents(p) {
        let target = Target::new(p);
        let deep = format!("{}{}", "<a>".repeat(2_000), "</a>".repeat(2_000));
        target.all(|operation| {
            let parameter = operation.parameters.first().map_or("query", |(name, _)| name.as_str());
            for (prologue, inside) in [
                ("", format!("<{parameter}>{deep}</{parameter}>")),
                ("<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>", format!("<{parameter}>&f;</{parameter}>")),
                ("<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>", format!("<{parameter}>&b;</{parameter}>")),
                ("", format!("<{parameter}>&f;</{parameter}>")),
                ("", format!("<{parameter}>&#0;</{parameter}>")),
                ("", format!("<{parameter}>\u{1}</{parameter}>")),
                ("", format!("<{parameter}>")),
                ("", format!("<{parameter} a='1' a='2'/>")),
            ] {
                let fault = target.call(operation, prologue, &inside, "").expect_err("a fault");
                assert_eq!(fault.code, 9004, "{}.{}: {}", operation.port, operation.name, fault.text);
            }
        });
    }

    // W12: references are followed, but not for ever and not to everywhere.
    fn references_that_go_round_or_grow(p) {
        let target = Target::new(p);
        let growing: String = (0..40)
            .map(|n| format!("<m id=\"a{n}\"><x href=\"#a{m}\"/><y href=\"#a{m}\"/></m>", m = n + 1))
            .collect();
        target.all(|operation| {
            let all = |href: &str| -> String {
                operation.parameters.iter().map(|(name, _)| format!("<{name} href=\"{href}\"/>")).collect()
            };
            for (href, after) in [
                ("#a", "<m id=\"a\"><x href=\"#a\"/><filter href=\"#a\"/><id href=\"#a\"/></m>"),
                ("#a", "<m id=\"a\" href=\"#b\"/><m id=\"b\" href=\"#a\"/>"),
                ("#a0", growing.as_str()),
                ("#nowhere", ""),
                ("http://127.0.0.1:1/x", ""),
                ("#a", "<m id=\"a\"><nobody/></m><m id=\"a\"><nobody/></m>"),
            ] {
                let outcome = target.call(operation, "", &all(href), after);
                assert!(
                    outcome.is_err() || operation.is_read() || operation.parameters.is_empty(),
                    "{}.{} followed {href} {}", operation.port, operation.name, &after[..after.len().min(80)]
                );
            }
        });
    }
}
