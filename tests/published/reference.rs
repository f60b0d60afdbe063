//! The reference for integrators: its examples are calls that this test makes, in this order, on an empty platform.
//!
//! `make reference` writes what this test and that of `ngnpro::docs` otherwise compare.

use ngn_tests::binaries::root;
use ngn_tests::database::Backend;
use ngn_tests::fixture::{
    dns_record, dns_zone, enum_id, enum_number, enum_range, generous, person, subscriber,
    trusted_peer,
};
use ngn_tests::platform::Platform;
use ngn_tests::soap::{Client, mask, read_reply};
use ngn_tests::{Value, http, record, sip_id};
use serde_json::json;
use std::fs;

/// The file of examples.
const FILE: &str = "doc/reference/examples.json";

/// One call with its answer.
struct Recorder {
    client: Client,
    examples: Vec<(String, String, String)>,
}

impl Recorder {
    /// Makes a call that must succeed, or says plainly that it is not built yet.
    #[track_caller]
    fn call(&mut self, operation: &str, parameters: Value) {
        let (port, name) = operation.split_once('.').unwrap();
        let request = self.client.envelope(port, name, &parameters);
        let reply = self.client.post(&request).unwrap();
        let outcome = read_reply(&reply, port, name, self.client.style).unwrap();
        if let Err(fault) = outcome {
            let built = !fault.text.contains("not implemented yet");
            assert!(!built, "{operation} was refused: {} {}", fault.code, fault.text);
            return;
        }
        if !self.examples.iter().any(|(known, ..)| known == operation) {
            let password = &self.client.login.as_ref().unwrap().password;
            let request = pretty(&request.replace(password.as_str(), "PASSWORD"));
            self.examples.push((operation.to_owned(), request, pretty(&mask(&reply.text()))));
        }
    }
}

/// An element on each line; those that hold text alone stay whole.
fn pretty(xml: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    let mut rest = xml.trim();
    while let Some(end) = rest.find('>') {
        let (tag, after) = rest.split_at(end + 1);
        let tag = tag.trim();
        if tag.starts_with("</") {
            depth = depth.saturating_sub(1);
        }
        let text = after.split('<').next().unwrap_or_default();
        let opens = !tag.starts_with("</") && !tag.starts_with("<?") && !tag.ends_with("/>");
        out.push_str(&"  ".repeat(depth));
        out.push_str(tag);
        rest = after;
        if opens && after[text.len()..].starts_with("</") {
            let close = after.find('>').map_or(after.len(), |at| at + 1);
            out.push_str(after[..close].trim());
            rest = &after[close..];
        } else if opens {
            depth += 1;
        }
        out.push('\n');
        rest = rest.trim_start();
    }
    out
}

fn scenario(r: &mut Recorder) {
    let alice = || sip_id("alice@example.net");
    let of_alice = || record! { sipId: alice() };
    customers(r);
    r.call(
        "Sip.addDomain",
        record! { domain: record! { domain: "example.net", customer: 2, reseller: 1 } },
    );
    r.call(
        "Sip.updateDomain",
        record! { domain: record! { domain: "example.net", match_sip_domain: "example.net" } },
    );
    r.call(
        "Sip.getDomains",
        record! { query: record! { filter: record! { domain: "example.%" } } },
    );
    r.call(
        "Sip.addAccount",
        record! { account: subscriber("alice@example.net").with("prepaid", true) },
    );
    r.call("Sip.updateAccount", record! { account: subscriber("alice@example.net").with("prepaid", true).with("quota", 50) });
    r.call("Sip.getAccount", of_alice());
    r.call("Sip.getAccounts", record! { query: record! { filter: record! { domain: "example.net" }, range: record! { start: 0, count: 10 } } });
    let alias = record! { id: sip_id("sales@example.net"), target: alice() };
    r.call("Sip.addAlias", record! { alias: alias.clone() });
    r.call("Sip.updateAlias", record! { alias: alias.with("owner", 7) });
    r.call("Sip.getAlias", record! { id: sip_id("sales@example.net") });
    r.call("Sip.getAliasesForAccount", record! { target: alice() });
    r.call(
        "Sip.getAliases",
        record! { query: record! { filter: record! { target_username: "alice" } } },
    );
    r.call("Sip.deleteAlias", record! { id: sip_id("sales@example.net") });
    r.call("Sip.addToGroup", of_alice().with("group", "anonymous"));
    r.call("Sip.getGroups", of_alice());
    r.call("Sip.removeFromGroup", of_alice().with("group", "anonymous"));
    r.call("Sip.addBalance", of_alice().with("value", 12.5).with("description", "Paid in cash"));
    r.call("Sip.getPrepaidStatus", record! { sipIds: vec![alice()] });
    r.call("Sip.getCreditHistory", of_alice().with("count", 10));
    let entry = record! { uri: "bob@example.org", name: "Bob", group: "vip" };
    r.call("Sip.addPhonebookEntry", of_alice().with("entry", entry));
    r.call(
        "Sip.updatePhonebookEntry",
        of_alice()
            .with("uri", "bob@example.org")
            .with("entry", record! { uri: "bob@example.org", name: "Bob", group: "family" }),
    );
    r.call("Sip.getPhonebookEntries", of_alice());
    r.call("Sip.deletePhonebookEntry", of_alice().with("uri", "bob@example.org"));
    r.call("Sip.setRejectMembers", of_alice().with("members", ["sip:spam@example.org"]));
    r.call("Sip.getRejectMembers", of_alice());
    let rule = record! { days: 127, start: "08:00", stop: "18:00", groups: ["everybody"] };
    r.call("Sip.setAcceptRules", of_alice().with("rules", record! { persistent: vec![rule] }));
    r.call("Sip.getAcceptRules", of_alice());
    r.call("Sip.setBarringPrefixes", of_alice().with("prefixes", ["+31900"]));
    r.call("Sip.getBarringPrefixes", of_alice());
    r.call(
        "Sip.setCallDiversions",
        of_alice().with("diversions", record! { FBUS: "sip:bob@example.org" }),
    );
    r.call("Sip.getCallDiversions", of_alice());
    r.call("Sip.getCalls", of_alice().with("query", record! { limit: 10 }));
    r.call("Sip.getCallStatistics", of_alice().with("query", record! {}));
    r.call("Sip.getSipDeviceLocations", record! { sipIds: vec![alice()] });
    routing(r);
    rating_and_voicemail(r);
    numbers(r);
    zones(r);
    r.call("Sip.deleteAccount", of_alice());
    r.call("Sip.deleteDomain", record! { domain: "example.net" });
    r.call("Customer.deleteAccount", record! { id: 2 });
}

fn customers(r: &mut Recorder) {
    let acme = person("acme").with("resellerActive", true).with("properties", generous());
    r.call("Customer.addAccount", record! { account: acme });
    r.call("Customer.addAccount", record! { account: person("shop").with("reseller", 1) });
    let moved = person("shop").with("id", 2).with("password", Value::Null).with("city", "Delft");
    r.call("Customer.updateAccount", record! { account: moved });
    r.call("Customer.getAccount", record! { id: 2 });
    r.call("Customer.getCustomers", record! { query: record! { filter: record! { reseller: 1 } } });
    r.call("Customer.getResellers", record! {});
    let property = record! { name: "language", value: "nl" };
    r.call("Customer.setProperties", record! { customer: 2, properties: vec![property] });
    r.call("Customer.getProperties", record! { customer: 2 });
}

fn routing(r: &mut Recorder) {
    r.call("Sip.addTrustedPeer", trusted_peer("203.0.113.7"));
    r.call(
        "Sip.updateTrustedPeer",
        record! { peer: record! { ip: "203.0.113.7", prefix: "0031" } },
    );
    r.call("Sip.getTrustedPeers", record! {});
    r.call("Sip.deleteTrustedPeer", record! { ip: "203.0.113.7" });
    r.call("Sip.addCarrier", record! { carrier: record! { name: "Telco", reseller: 1 } });
    r.call(
        "Sip.updateCarrier",
        record! { carrier: record! { id: 1, name: "Telco North", reseller: 1 } },
    );
    r.call("Sip.getCarriers", record! {});
    let gateway = record! { name: "gw1", carrier_id: 1, ip: "192.0.2.20" };
    r.call("Sip.addGateway", record! { gateway: gateway.clone() });
    r.call("Sip.updateGateway", record! { gateway: gateway.with("id", 1).with("port", 5070) });
    r.call("Sip.getGateways", record! {});
    let rule = record! { gateway_id: 1, prefix: "0031", strip: 2, prepend: "+" };
    r.call("Sip.addGatewayRule", record! { rule: rule.clone() });
    r.call("Sip.updateGatewayRule", record! { rule: rule.with("id", 1).with("maxLength", 15) });
    r.call("Sip.getGatewayRules", record! {});
    let route = record! { carrier_id: 1, prefix: "0031", priority: 1 };
    r.call("Sip.addRoutes", record! { routes: vec![route.clone()] });
    r.call("Sip.updateRoutes", record! { routes: vec![record! { id: 1, priority: 2 }] });
    r.call("Sip.getRoutes", record! {});
    r.call(
        "Sip.deleteRoutes",
        record! { routes: vec![record! { id: 1, carrier_id: 1, prefix: "0031" }] },
    );
    r.call("Sip.deleteGatewayRule", record! { id: 1 });
    r.call("Sip.deleteGateway", record! { id: 1 });
    r.call("Sip.deleteCarrier", record! { id: 1 });
}

fn rating_and_voicemail(r: &mut Recorder) {
    let entity = "subscriber://alice@example.net";
    let profiles = record! {
        entity: entity, profileWeekday: "441", profileWeekend: "442", timezone: "Europe/Amsterdam",
    };
    r.call("Rating.setEntityProfiles", record! { profiles: profiles });
    r.call("Rating.getEntityProfiles", record! { entity: entity });
    r.call("Rating.deleteEntityProfiles", record! { entity: entity });
    let mailbox = record! { sipId: sip_id("alice@example.net") };
    let account = mailbox
        .clone()
        .with("name", "Ada Example")
        .with("email", "alice@example.net")
        .with("password", "4711");
    r.call("Voicemail.addAccount", record! { account: account.clone() });
    r.call("Voicemail.updateAccount", record! { account: account });
    r.call("Voicemail.getAccount", mailbox.clone());
    r.call("Voicemail.deleteAccount", mailbox);
}

fn numbers(r: &mut Recorder) {
    let id = || record! { prefix: "3120", tld: "e164.arpa" };
    r.call("Enum.addRange", record! { range: enum_range("3120") });
    r.call("Enum.updateRange", record! { range: enum_range("3120").with("ttl", 600) });
    r.call("Enum.getRanges", record! { query: record! { filter: record! { prefix: "31%" } } });
    r.call("Enum.addNumber", record! { number: enum_number("31201", "sip:alice@example.net") });
    r.call("Enum.updateNumber", record! { number: enum_number("31201", "sip:bob@example.net") });
    r.call("Enum.getNumber", record! { enumId: enum_id("31201") });
    r.call("Enum.getNumbers", record! { query: record! { filter: record! { number: "3120%" } } });
    r.call("Enum.deleteNumber", record! { enumId: enum_id("31201") });
    r.call("Enum.deleteRange", record! { range: id() });
}

fn zones(r: &mut Recorder) {
    r.call("Dns.addZone", record! { zone: dns_zone("example.com") });
    r.call("Dns.updateZone", record! { zone: dns_zone("example.com").with("info", "the shop's") });
    r.call("Dns.getZone", record! { zone: "example.com" });
    r.call("Dns.getZones", record! {});
    let www = dns_record("example.com", "www.example.com", "A", "192.0.2.1");
    let added = r.client.ok(
        "Dns.addRecord",
        record! { record: dns_record("example.com", "a.example.com", "A", "192.0.2.2") },
    );
    r.call("Dns.addRecord", record! { record: www.clone() });
    let id = added.int_at("id") + 1;
    r.call("Dns.updateRecord", record! { record: www.with("id", id).with("ttl", 60) });
    r.call("Dns.getRecord", record! { recordId: id });
    r.call(
        "Dns.getRecords",
        record! { query: record! { filter: record! { zone: "example.com" } } },
    );
    r.call("Dns.deleteRecord", record! { recordId: id });
    let old = dns_record("example.com", "old.example.com", "URL", "http://www.example.com/");
    r.call("Dns.addFancyRecord", record! { record: old.clone() });
    let id = id + 1;
    r.call(
        "Dns.updateFancyRecord",
        record! { record: old.with("id", id).with("value", "http://shop.example.com/") },
    );
    r.call("Dns.getFancyRecord", record! { recordId: id });
    r.call("Dns.getFancyRecords", record! {});
    r.call("Dns.deleteFancyRecord", record! { recordId: id });
    r.call("Dns.deleteZone", record! { zone: "example.com" });
}

#[test]
fn examples_are_what_the_server_answers() {
    let p = Platform::start(Backend::Sqlite);
    let mut recorder = Recorder { client: p.admin(), examples: Vec::new() };
    scenario(&mut recorder);
    let examples: Vec<_> = recorder
        .examples
        .iter()
        .map(|(operation, request, response)| {
            json!({ "operation": operation, "request": request, "response": response })
        })
        .collect();
    let text = serde_json::to_string_pretty(&examples).unwrap() + "\n";
    let file = root().join(FILE);
    if std::env::var_os("NGN_WRITE_REFERENCE").is_some() {
        fs::write(&file, text).unwrap();
        return;
    }
    let committed = fs::read_to_string(&file).unwrap();
    assert!(
        committed == text,
        "{FILE} is not what the server answers; run `make reference` and look at the change"
    );
}

// The same pages as in doc/reference, for who has only the server.
#[test]
fn the_server_shows_its_reference() {
    let p = Platform::start(Backend::Sqlite);
    let page = http::get(p.soap_address(), "/docs").unwrap();
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let text = page.text();
    for expected in [
        "addAccount",
        "SipDomain",
        "1002",
        "Idempotency-Key",
        "deleteZone",
        "id=\"Enum.addNumber\"",
    ] {
        assert!(text.contains(expected), "{expected} is missing");
    }
    // Whoever writes a value into the table cannot write markup into the page.
    assert!(text.contains("&lt;autoincrement&gt;") && !text.contains("<autoincrement>"));
    assert!(http::get(p.soap_address(), "/").unwrap().text().contains("/docs"));
    assert_eq!(http::get(p.soap_address(), "/docs/nothing").unwrap().status, 404);
}
