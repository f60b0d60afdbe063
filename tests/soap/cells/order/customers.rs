//! The Customer, Rating and Voicemail ports.

use super::{Order, order};
use crate::cells::stage::Stage;
use ngn_tests::fixture::{account, domain, person};
use ngn_tests::{Value, record, sip_id};

/// A new customer of the active reseller.
fn made(s: &Stage<'_>) -> i64 {
    let account = record! { account: person(&s.word("user")) };
    s.acme.client.ok("Customer.addAccount", account).int_at("id")
}

/// A new SIP account of the active reseller.
fn alice(s: &Stage<'_>) -> String {
    domain(&s.acme.client, &s.domain());
    account(&s.acme.client, &s.address("alice"));
    s.address("alice")
}

/// A mailbox as the Voicemail port takes it.
fn mailbox(address: &str, pin: &str) -> Value {
    record! { account: record! { sipId: sip_id(address), password: pin } }
}

fn profiles(entity: &str, increment: i64) -> Value {
    record! { profiles: record! { entity: entity, increment: increment } }
}

pub(super) const ORDERS: &[Order] = &[
    order("Customer.addAccount", 8003, 9001, |s, both| {
        let who = if both { &s.child } else { &s.acme };
        s.act(&who.client, Value::empty())
    }),
    // B21, B22: a customer may not whether its reseller is active or not.
    order("Customer.addAccount", 8003, 5003, |s, both| {
        let given = person(&s.word("user")).with("reseller", s.idle.id);
        let id = s.admin.ok("Customer.addAccount", record! { account: given }).int_at("id");
        let who = if both { id } else { s.idle.id };
        s.act(&s.admin.impersonating(who), record! { account: person(&s.word("other")) })
    }),
    order("Customer.addAccount", 5003, 5001, |s, both| {
        made(s);
        let reseller = if both { s.child.id } else { s.acme.id };
        s.act(&s.admin, record! { account: person(&s.word("user")).with("reseller", reseller) })
    }),
    order("Customer.updateAccount", 9000, 5000, |s, both| {
        let name = if both { "u".repeat(256) } else { s.word("user") };
        s.act(&s.acme.client, record! { account: person(&name).with("id", 987_654) })
    }),
    order("Customer.updateAccount", 5003, 5001, |s, both| {
        let reseller = if both { s.child.id } else { s.acme.id };
        let given = person("other").with("id", made(s)).with("reseller", reseller);
        s.act(&s.admin, record! { account: given })
    }),
    order("Customer.deleteAccount", 8001, 5002, |s, both| {
        let id = made(s);
        let itself = s.admin.impersonating(id);
        domain(&itself, &s.domain());
        s.act(if both { &itself } else { &s.acme.client }, record! { id: id })
    }),
    order("Customer.setProperties", 9001, 5000, |s, both| {
        let name = if both { "" } else { "language" };
        let properties = Value::from([record! { name: name, value: "fr" }]);
        s.act(&s.acme.client, record! { customer: 987_654, properties: properties })
    }),
    order("Customer.setProperties", 5000, 5004, |s, both| {
        let itself = s.admin.impersonating(made(s));
        let id = if both { s.other.id } else { s.child.id };
        let who = if both { &itself } else { &s.child.client };
        let properties = Value::from([record! { name: "pstn_access", value: "1" }]);
        s.act(who, record! { customer: id, properties: properties })
    }),
    order("Rating.setEntityProfiles", 8003, 9000, |s, both| {
        let who = if both { &s.acme.client } else { &s.admin };
        s.act(who, profiles("gateway://192.0.2.1", -1))
    }),
    order("Rating.setEntityProfiles", 9000, 1010, |s, both| {
        let increment = if both { -1 } else { 1 };
        s.act(&s.acme.client, profiles(&format!("subscriber://{}", s.address("alice")), increment))
    }),
    order("Rating.deleteEntityProfiles", 8003, 4001, |s, both| {
        let who = if both { &s.acme.client } else { &s.admin };
        s.act(who, record! { entity: "gateway://192.0.2.1" })
    }),
    order("Voicemail.addAccount", 9000, 1010, |s, both| {
        let pin = if both { "secret" } else { "1234" };
        s.act(&s.acme.client, mailbox(&s.address("alice"), pin))
    }),
    order("Voicemail.addAccount", 1010, 2001, |s, both| {
        let address = alice(s);
        s.acme.client.ok("Voicemail.addAccount", mailbox(&address, "1234"));
        let who = if both { &s.other } else { &s.acme };
        s.act(&who.client, mailbox(&address, "1234"))
    }),
    order("Voicemail.updateAccount", 9000, 2000, |s, both| {
        let pin = if both { "secret" } else { "1234" };
        s.act(&s.acme.client, mailbox(&alice(s), pin))
    }),
    order("Voicemail.setAnnouncement", 9000, 1010, |s, both| {
        // Base64 of `sound`, and of nothing.
        let message = if both { "c291bmQ=" } else { "" };
        let given = record! { sipId: sip_id(&s.address("alice")), message: message };
        s.act(&s.acme.client, given)
    }),
];
