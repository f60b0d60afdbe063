//! Carriers, gateways and their rules.

use super::super::Cell;
use super::super::stage::Stage;
use ngn_tests::fixture::{carrier, gateway, gateway_rule};
use ngn_tests::{Value, matching, record};

/// The id of a new carrier of the active reseller.
fn own_carrier(s: &Stage<'_>) -> i64 {
    carrier(&s.acme.client, &s.word("carrier"))
}

/// The id of a new gateway of a new carrier.
fn own_gateway(s: &Stage<'_>) -> i64 {
    let of = own_carrier(s);
    gateway(&s.acme.client, of, &s.word("gateway"))
}

/// The id of a new rule of a new gateway.
fn own_rule(s: &Stage<'_>) -> i64 {
    let of = own_gateway(s);
    gateway_rule(&s.acme.client, of, "0031")
}

fn given_carrier(id: i64, name: &str) -> Value {
    record! { carrier: record! { id: id, name: name } }
}

fn given_gateway(id: i64, carrier_id: i64, name: &str) -> Value {
    let ip = "192.0.2.21";
    record! { gateway: record! { id: id, carrier_id: carrier_id, name: name, ip: ip } }
}

fn given_rule(id: i64, gateway_id: i64, prefix: &str) -> Value {
    record! { rule: record! { id: id, gateway_id: gateway_id, prefix: prefix } }
}

fn numbered(id: i64) -> Value {
    record! { id: id }
}

fn listed(id: i64) -> Value {
    matching(record! { id: id })
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Sip.addCarrier", |s| {
        let name = s.word("carrier");
        s.act(&s.acme.client, given_carrier(0, &name)).names(&name).then(
            "Sip.getCarriers",
            matching(record! { name: &name }),
            s.acme.id,
        )
    }),
    Cell::fault("Sip.addCarrier", 5000, |s| {
        let given = record! { name: s.word("carrier"), reseller: 987_654 };
        s.act(&s.admin, record! { carrier: given }).names("987654")
    }),
    Cell::fault("Sip.addCarrier", 5003, |s| {
        s.act(&s.idle.client, given_carrier(0, "a")).names(s.idle.id)
    }),
    Cell::fault("Sip.addCarrier", 8003, |s| {
        s.act(&s.child.client, given_carrier(0, "a")).names("reseller rights")
    }),
    Cell::fault("Sip.addCarrier", 9001, |s| {
        s.act(&s.acme.client, record! { carrier: record! { reseller: 0 } }).names("carrier.name")
    }),
    Cell::success("Sip.updateCarrier", |s| {
        let id = own_carrier(s);
        let name = s.word("renamed");
        s.act(&s.acme.client, given_carrier(id, &name)).then("Sip.getCarriers", listed(id), name)
    }),
    Cell::fault("Sip.updateCarrier", 1070, |s| {
        s.act(&s.acme.client, given_carrier(987_654, "a")).names("987654")
    }),
    Cell::fault("Sip.updateCarrier", 1071, |s| {
        let id = own_carrier(s);
        let taken = s.word("taken");
        carrier(&s.acme.client, &taken);
        s.act(&s.acme.client, given_carrier(id, &taken)).names(taken).then(
            "Sip.getCarriers",
            listed(id),
            s.word("carrier"),
        )
    }),
    Cell::fault("Sip.updateCarrier", 5000, |s| {
        let given = record! { id: own_carrier(s), name: "a", reseller: 987_654 };
        s.act(&s.admin, record! { carrier: given }).names("987654")
    }),
    Cell::fault("Sip.updateCarrier", 8001, |s| {
        let id = own_carrier(s);
        s.act(&s.other.client, given_carrier(id, "a")).names(id).then(
            "Sip.getCarriers",
            listed(id),
            s.word("carrier"),
        )
    }),
    Cell::fault("Sip.updateCarrier", 8003, |s| {
        s.act(&s.child.client, given_carrier(1, "a")).names("reseller rights")
    }),
    Cell::fault("Sip.updateCarrier", 9001, |s| {
        s.act(&s.acme.client, record! { carrier: record! { name: "a" } }).names("carrier.id")
    }),
    Cell::success("Sip.deleteCarrier", |s| {
        let id = own_carrier(s);
        s.act(&s.acme.client, numbered(id)).without(
            "Sip.getCarriers",
            listed(id),
            s.word("carrier"),
        )
    }),
    Cell::fault("Sip.deleteCarrier", 1070, |s| {
        s.act(&s.acme.client, numbered(987_654)).names("987654")
    }),
    Cell::fault("Sip.deleteCarrier", 1072, |s| {
        let id = own_carrier(s);
        gateway(&s.acme.client, id, &s.word("gateway"));
        s.act(&s.acme.client, numbered(id)).names(s.word("carrier")).then(
            "Sip.getCarriers",
            listed(id),
            s.word("carrier"),
        )
    }),
    Cell::fault("Sip.deleteCarrier", 8001, |s| {
        let id = own_carrier(s);
        s.act(&s.other.client, numbered(id)).names(id).then(
            "Sip.getCarriers",
            listed(id),
            s.word("carrier"),
        )
    }),
    Cell::fault("Sip.deleteCarrier", 8003, |s| {
        s.act(&s.child.client, numbered(1)).names("reseller rights")
    }),
    Cell::fault("Sip.deleteCarrier", 9001, |s| s.act(&s.acme.client, Value::empty()).names("id")),
    Cell::success("Sip.getCarriers", |s| {
        let id = own_carrier(s);
        s.act(&s.acme.client, listed(id)).names(s.word("carrier"))
    }),
    Cell::fault("Sip.getCarriers", 8003, |s| {
        s.act(&s.child.client, Value::empty()).names("reseller rights")
    }),
    Cell::success("Sip.addGateway", |s| {
        let of = own_carrier(s);
        let name = s.word("gateway");
        s.act(&s.acme.client, given_gateway(0, of, &name)).names(s.word("carrier")).then(
            "Sip.getGateways",
            matching(record! { name: &name }),
            of,
        )
    }),
    Cell::fault("Sip.addGateway", 1070, |s| {
        let of = own_carrier(s);
        s.act(&s.other.client, given_gateway(0, of, "g")).names(of)
    }),
    Cell::fault("Sip.addGateway", 5003, |s| {
        s.act(&s.idle.client, given_gateway(0, 1, "g")).names(s.idle.id)
    }),
    Cell::fault("Sip.addGateway", 8003, |s| {
        s.act(&s.child.client, given_gateway(0, 1, "g")).names("reseller rights")
    }),
    Cell::fault("Sip.addGateway", 9001, |s| {
        let given = record! { name: "g", ip: "192.0.2.1" };
        s.act(&s.acme.client, record! { gateway: given }).names("gateway.carrier_id")
    }),
    Cell::success("Sip.updateGateway", |s| {
        let id = own_gateway(s);
        s.act(&s.acme.client, given_gateway(id, 0, &s.word("renamed")))
            .then("Sip.getGateways", listed(id), s.word("renamed"))
            .then("Sip.getGateways", listed(id), "192.0.2.21")
    }),
    Cell::fault("Sip.updateGateway", 1070, |s| {
        let id = own_gateway(s);
        s.act(&s.acme.client, given_gateway(id, 987_654, "g")).names("987654").then(
            "Sip.getGateways",
            listed(id),
            s.word("gateway"),
        )
    }),
    Cell::fault("Sip.updateGateway", 1073, |s| {
        s.act(&s.acme.client, given_gateway(987_654, 0, "g")).names("987654")
    }),
    Cell::fault("Sip.updateGateway", 1074, |s| {
        let of = own_carrier(s);
        let id = gateway(&s.acme.client, of, &s.word("gateway"));
        gateway(&s.acme.client, of, &s.word("taken"));
        s.act(&s.acme.client, given_gateway(id, 0, &s.word("taken"))).names(s.word("taken")).then(
            "Sip.getGateways",
            listed(id),
            s.word("gateway"),
        )
    }),
    Cell::fault("Sip.updateGateway", 8001, |s| {
        let id = own_gateway(s);
        s.act(&s.other.client, given_gateway(id, 0, "g")).names(id).then(
            "Sip.getGateways",
            listed(id),
            s.word("gateway"),
        )
    }),
    Cell::fault("Sip.updateGateway", 8003, |s| {
        s.act(&s.child.client, given_gateway(1, 0, "g")).names("reseller rights")
    }),
    Cell::fault("Sip.updateGateway", 9001, |s| {
        s.act(&s.acme.client, given_gateway(0, 0, "g")).names("gateway.id")
    }),
    Cell::success("Sip.deleteGateway", |s| {
        let id = own_gateway(s);
        s.act(&s.acme.client, numbered(id)).without(
            "Sip.getGateways",
            listed(id),
            s.word("gateway"),
        )
    }),
    Cell::fault("Sip.deleteGateway", 1073, |s| {
        s.act(&s.acme.client, numbered(987_654)).names("987654")
    }),
    Cell::fault("Sip.deleteGateway", 8001, |s| {
        let id = own_gateway(s);
        s.act(&s.other.client, numbered(id)).names(id).then(
            "Sip.getGateways",
            listed(id),
            s.word("gateway"),
        )
    }),
    Cell::fault("Sip.deleteGateway", 8003, |s| {
        s.act(&s.child.client, numbered(1)).names("reseller rights")
    }),
    Cell::fault("Sip.deleteGateway", 9001, |s| s.act(&s.acme.client, Value::empty()).names("id")),
    Cell::success("Sip.getGateways", |s| {
        let id = own_gateway(s);
        s.act(&s.acme.client, listed(id)).names(s.word("gateway"))
    }),
    Cell::fault("Sip.getGateways", 8003, |s| {
        s.act(&s.child.client, Value::empty()).names("reseller rights")
    }),
    Cell::success("Sip.addGatewayRule", |s| {
        let of = own_gateway(s);
        let rules = matching(record! { gateway_id: of });
        s.act(&s.acme.client, given_rule(0, of, "0031")).names(s.word("gateway")).then(
            "Sip.getGatewayRules",
            rules,
            "0031",
        )
    }),
    Cell::fault("Sip.addGatewayRule", 1073, |s| {
        let of = own_gateway(s);
        s.act(&s.other.client, given_rule(0, of, "0031")).names(of)
    }),
    Cell::fault("Sip.addGatewayRule", 5003, |s| {
        s.act(&s.idle.client, given_rule(0, 1, "0031")).names(s.idle.id)
    }),
    Cell::fault("Sip.addGatewayRule", 8003, |s| {
        s.act(&s.child.client, given_rule(0, 1, "0031")).names("reseller rights")
    }),
    Cell::fault("Sip.addGatewayRule", 9001, |s| {
        s.act(&s.acme.client, given_rule(0, 0, "0031")).names("rule.gateway_id")
    }),
    Cell::success("Sip.updateGatewayRule", |s| {
        let id = own_rule(s);
        s.act(&s.acme.client, given_rule(id, 0, "0032")).then(
            "Sip.getGatewayRules",
            listed(id),
            "0032",
        )
    }),
    Cell::fault("Sip.updateGatewayRule", 1073, |s| {
        let id = own_rule(s);
        s.act(&s.acme.client, given_rule(id, 987_654, "0032")).names("987654").then(
            "Sip.getGatewayRules",
            listed(id),
            "0031",
        )
    }),
    Cell::fault("Sip.updateGatewayRule", 1076, |s| {
        s.act(&s.acme.client, given_rule(987_654, 0, "0032")).names("987654")
    }),
    Cell::fault("Sip.updateGatewayRule", 1077, |s| {
        let of = own_gateway(s);
        let id = gateway_rule(&s.acme.client, of, "0031");
        let taken = record! { gateway_id: of, prefix: "0032" };
        s.acme.client.ok("Sip.addGatewayRule", record! { rule: taken });
        s.act(&s.acme.client, given_rule(id, 0, "0032")).names("0032").then(
            "Sip.getGatewayRules",
            listed(id),
            "0031",
        )
    }),
    Cell::fault("Sip.updateGatewayRule", 8001, |s| {
        let id = own_rule(s);
        s.act(&s.other.client, given_rule(id, 0, "0032")).names(id).then(
            "Sip.getGatewayRules",
            listed(id),
            "0031",
        )
    }),
    Cell::fault("Sip.updateGatewayRule", 8003, |s| {
        s.act(&s.child.client, given_rule(1, 0, "0032")).names("reseller rights")
    }),
    Cell::fault("Sip.updateGatewayRule", 9001, |s| {
        s.act(&s.acme.client, given_rule(0, 0, "0032")).names("rule.id")
    }),
    Cell::success("Sip.deleteGatewayRule", |s| {
        let id = own_rule(s);
        s.act(&s.acme.client, numbered(id)).without("Sip.getGatewayRules", listed(id), "0031")
    }),
    Cell::fault("Sip.deleteGatewayRule", 1076, |s| {
        s.act(&s.acme.client, numbered(987_654)).names("987654")
    }),
    Cell::fault("Sip.deleteGatewayRule", 8001, |s| {
        let id = own_rule(s);
        s.act(&s.other.client, numbered(id)).names(id).then(
            "Sip.getGatewayRules",
            listed(id),
            "0031",
        )
    }),
    Cell::fault("Sip.deleteGatewayRule", 8003, |s| {
        s.act(&s.child.client, numbered(1)).names("reseller rights")
    }),
    Cell::fault("Sip.deleteGatewayRule", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("id")
    }),
    Cell::success("Sip.getGatewayRules", |s| {
        let id = own_rule(s);
        s.act(&s.acme.client, listed(id)).names("0031")
    }),
    Cell::fault("Sip.getGatewayRules", 8003, |s| {
        s.act(&s.child.client, Value::empty()).names("reseller rights")
    }),
    // The last ones, in this order: what is there already costs MariaDB an id, so that later ones differ.
    Cell::fault("Sip.addGatewayRule", 1077, |s| {
        let of = own_gateway(s);
        s.acme.client.ok("Sip.addGatewayRule", given_rule(0, of, "0031"));
        s.act(&s.acme.client, given_rule(0, of, "0031")).names("0031")
    }),
    Cell::fault("Sip.addGateway", 1074, |s| {
        let of = own_carrier(s);
        gateway(&s.acme.client, of, &s.word("gateway"));
        s.act(&s.acme.client, given_gateway(0, of, &s.word("gateway"))).names(s.word("gateway"))
    }),
    Cell::fault("Sip.addCarrier", 1071, |s| {
        own_carrier(s);
        s.act(&s.acme.client, given_carrier(0, &s.word("carrier"))).names(s.word("carrier"))
    }),
];
