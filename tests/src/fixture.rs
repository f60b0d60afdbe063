//! Records that many tests start from.

use crate::platform::Platform;
use crate::record;
use crate::soap::{Client, Login};
use crate::value::{Value, sip_id};

/// A customer or reseller with its login.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its id.
    pub id: i64,
    /// The id of its reseller; its own for a reseller.
    pub reseller: i64,
    /// Its login.
    pub username: String,
    /// A client that calls as it.
    pub client: Client,
}

/// Properties that let a tenant create anything (B36-B38, B72).
#[must_use]
pub fn generous() -> Value {
    let property = |name: &str, value: &str| {
        record! { name: name, value: value, category: "credit", permission: "admin" }
    };
    Value::List(vec![
        property("sip_credit", "1000"),
        property("sip_alias_credit", "1000"),
        property("enum_range_credit", "1000"),
        property("enum_number_credit", "1000"),
        property("dns_zone_credit", "1000"),
        property("email_credit", "1000"),
        property("pstn_access", "1"),
        property("prepaid_changes", "1"),
    ])
}

/// A customer record as `addAccount` takes it.
#[must_use]
pub fn person(username: &str) -> Value {
    record! {
        username: username,
        password: format!("{username}-password"),
        firstName: "Ada",
        lastName: "Example",
        email: format!("{username}@example.com"),
    }
}

fn tenant(p: &Platform, account: Value, username: &str) -> Tenant {
    let added = p.admin().ok("Customer.addAccount", record! { account: account });
    Tenant {
        id: added.int_at("id"),
        reseller: added.int_at("reseller"),
        username: username.to_owned(),
        client: p.client(Login::customer(username, &format!("{username}-password"))),
    }
}

/// An active reseller that may create anything.
#[must_use]
pub fn reseller(p: &Platform, username: &str) -> Tenant {
    let account = person(username).with("resellerActive", true).with("properties", generous());
    let made = tenant(p, account, username);
    assert_eq!(made.id, made.reseller, "a customer without reseller is its own (B20)");
    made
}

/// A customer of a reseller that may create anything.
#[must_use]
pub fn customer(p: &Platform, of: &Tenant, username: &str) -> Tenant {
    let account = person(username).with("reseller", of.id).with("properties", generous());
    tenant(p, account, username)
}

/// A SIP domain, created by whoever calls.
pub fn domain(client: &Client, name: &str) {
    client.ok("Sip.addDomain", record! { domain: record! { domain: name } });
}

/// A SIP account record as `addAccount` takes it, with the password `secret`.
#[must_use]
pub fn subscriber(address: &str) -> Value {
    record! {
        id: sip_id(address),
        password: "secret",
        firstName: "Ada",
        lastName: "Example",
        email: address,
    }
}

/// A SIP account with the password `secret`, created by whoever calls; its domain must exist.
pub fn account(client: &Client, address: &str) {
    client.ok("Sip.addAccount", record! { account: subscriber(address) });
}

/// An ENUM range without limits on its numbers' lengths.
pub fn range(client: &Client, prefix: &str) {
    client.ok("Enum.addRange", record! { range: enum_range(prefix) });
}

/// An ENUM range record as `addRange` takes it.
#[must_use]
pub fn enum_range(prefix: &str) -> Value {
    record! {
        id: record! { prefix: prefix, tld: "e164.arpa" },
        nameservers: ["ns1.example.net", "ns2.example.net"],
    }
}

/// The id of an ENUM number.
#[must_use]
pub fn enum_id(number: &str) -> Value {
    record! { number: number, tld: "e164.arpa" }
}

/// An ENUM number record with one SIP mapping.
#[must_use]
pub fn enum_number(number: &str, target: &str) -> Value {
    record! {
        id: enum_id(number),
        mappings: vec![record! { r#type: "sip", mapto: target }],
    }
}

/// A DNS zone, created by whoever calls.
pub fn zone(client: &Client, name: &str) {
    client.ok("Dns.addZone", record! { zone: dns_zone(name) });
}

/// A DNS zone record as `addZone` takes it.
#[must_use]
pub fn dns_zone(name: &str) -> Value {
    record! { name: name, nameservers: ["ns1.example.net", "ns2.example.net"] }
}

/// A DNS record as `addRecord` takes it.
#[must_use]
pub fn dns_record(zone: &str, name: &str, kind: &str, value: &str) -> Value {
    record! { zone: zone, name: name, r#type: kind, value: value }
}

/// The parameter of `addTrustedPeer` for an address.
#[must_use]
pub fn trusted_peer(ip: &str) -> Value {
    record! { peer: record! { ip: ip } }
}

/// A carrier, added by whoever calls; gives its id.
pub fn carrier(client: &Client, name: &str) -> i64 {
    let carrier = record! { name: name };
    client.ok("Sip.addCarrier", record! { carrier: carrier }).int_at("id")
}

/// A gateway of a carrier, added by whoever calls; gives its id.
pub fn gateway(client: &Client, carrier_id: i64, name: &str) -> i64 {
    let gateway = record! { name: name, carrier_id: carrier_id, ip: "192.0.2.20" };
    client.ok("Sip.addGateway", record! { gateway: gateway }).int_at("id")
}

/// A gateway rule, added by whoever calls; gives its id.
pub fn gateway_rule(client: &Client, gateway_id: i64, prefix: &str) -> i64 {
    let rule = record! { gateway_id: gateway_id, prefix: prefix, strip: 2 };
    client.ok("Sip.addGatewayRule", record! { rule: rule }).int_at("id")
}

/// A route of a carrier as `addRoutes` takes it in its list.
#[must_use]
pub fn route(carrier_id: i64, prefix: &str) -> Value {
    record! { carrier_id: carrier_id, prefix: prefix }
}
