//! Trusted peers, carriers, gateways, rules and routes: for those with a reseller's rights (B18).

use crate::matrix::oracle::{Caller, Level, Record, Rule, all_of_each, that_one};
use crate::matrix::row::{Cell, Row};
use crate::matrix::world::{Names, World};
use ngn_tests::{Value, matching, record};

fn fresh_ip(c: &Cell) -> String {
    format!("10.1.{}.{}", c.fresh / 250, c.fresh % 250 + 1)
}

fn fresh_name(c: &Cell) -> String {
    format!("fresh-{}", c.fresh)
}

fn fresh_prefix(c: &Cell) -> String {
    format!("0099{}", c.fresh)
}

fn add_peer(world: &World, c: &Cell) -> i64 {
    let peer = record! { ip: fresh_ip(c), customer: c.target.customer };
    world.reseller_of(c.target).ok("Sip.addTrustedPeer", record! { peer: peer });
    1
}

/// A trusted peer of the caller's.
fn add_peer_at_home(world: &World, c: &Cell) -> i64 {
    add_peer(world, &Cell { target: c.home, ..*c })
}

fn add_carrier(world: &World, c: &Cell) -> i64 {
    let carrier = record! { carrier: record! { name: fresh_name(c) } };
    world.reseller_of(c.target).ok("Sip.addCarrier", carrier).int_at("id")
}

fn gateway_of(world: &World, c: &Cell, names: &Names) -> i64 {
    let gateway = record! { name: fresh_name(c), carrier_id: names.carrier, ip: "192.0.2.20" };
    world.admin.ok("Sip.addGateway", record! { gateway: gateway }).int_at("id")
}

fn rule_of(world: &World, c: &Cell, names: &Names) -> i64 {
    let rule = record! { gateway_id: names.gateway, prefix: fresh_prefix(c) };
    world.admin.ok("Sip.addGatewayRule", record! { rule: rule }).int_at("id")
}

fn route_of(world: &World, c: &Cell, names: &Names) -> i64 {
    let route = record! { carrier_id: names.carrier, prefix: fresh_prefix(c) };
    world.admin.ok("Sip.addRoutes", record! { routes: vec![route] });
    let routes = world.admin.ok("Sip.getRoutes", matching(record! { prefix: fresh_prefix(c) }));
    routes.int_at("routes/0/id")
}

/// The id that a row deletes or changes: the record's own, or that of what was made for it.
fn or_made(c: &Cell, own: i64) -> i64 {
    if c.made == 0 { own } else { c.made }
}

/// The customer that a peer belongs to, as the administrator sees it.
fn owner_of_peer(world: &World, c: &Cell) -> (Option<i64>, i64) {
    let found = world.admin.ok("Sip.getTrustedPeers", matching(record! { ip: fresh_ip(c) }));
    (Some(found.int_at("peers/0/customer")), found.int_at("peers/0/reseller"))
}

/// Carriers and what belongs to them have no customer, so that the filter for one restricts nothing.
fn of_reseller(c: &Cell) -> Value {
    matching(record! { reseller: c.target.reseller })
}

/// An operation on what a reseller has.
const fn write(operation: &'static str, rule: Rule, request: fn(&Cell) -> Value) -> Row {
    Row::write(operation, rule, request).need(Level::Reseller)
}

const fn list(
    operation: &'static str,
    list: &'static str,
    count: fn(Caller, Record) -> i64,
    request: fn(&Cell) -> Value,
) -> Row {
    Row::list(operation, list, count, request).need(Level::Reseller)
}

fn everything(_: &Cell) -> Value {
    matching(Value::empty())
}

pub(super) const ROWS: &[Row] = &[
    write("addTrustedPeer", Rule::Name(1051), |c| {
        let ip = if c.target.tag == "absent" { fresh_ip(c) } else { c.target.peer.clone() };
        record! { peer: record! { ip: ip } }
    })
    .about("ip"),
    write("addTrustedPeer", Rule::Owner(5000), |c| {
        record! { peer: record! { ip: fresh_ip(c), customer: c.target.customer } }
    })
    .about("customer")
    .owner(|world, c, _| owner_of_peer(world, c)),
    write("updateTrustedPeer", Rule::Hidden(1050), |c| {
        record! { peer: record! { ip: &c.target.peer, strip: 1 } }
    }),
    write("updateTrustedPeer", Rule::Owner(5000), |c| {
        let ip = if c.made == 0 { c.home.peer.clone() } else { fresh_ip(c) };
        record! { peer: record! { ip: ip, customer: c.target.customer } }
    })
    .about("customer")
    .before(add_peer_at_home)
    .owner(|world, c, _| owner_of_peer(world, c)),
    write("deleteTrustedPeer", Rule::Hidden(1050), |c| {
        record! { ip: if c.made == 0 { c.target.peer.clone() } else { fresh_ip(c) } }
    })
    .before(add_peer),
    list("getTrustedPeers", "peers", all_of_each, everything),
    list("getTrustedPeers", "peers", that_one, |c| matching(record! { ip: &c.target.peer }))
        .about("ip"),
    list("getTrustedPeers", "peers", that_one, |c| {
        matching(record! { customer: c.target.customer, reseller: c.target.reseller })
    })
    .about("customer"),
    write("addCarrier", Rule::Free, |c| {
        record! { carrier: record! { name: fresh_name(c) } }
    }),
    write("addCarrier", Rule::Owner(5000), |c| {
        record! { carrier: record! { name: fresh_name(c), reseller: c.target.reseller } }
    })
    .about("reseller")
    .owner(|_, _, answer| (None, answer.int_at("reseller"))),
    write("updateCarrier", Rule::Numbered(1070), |c| {
        record! { carrier: record! { id: c.target.carrier, name: &c.target.carrier_name } }
    }),
    write("deleteCarrier", Rule::Numbered(1070), |c| record! { id: or_made(c, c.target.carrier) })
        .before(add_carrier),
    write("deleteCarrier", Rule::Hidden(1070), |c| {
        record! { name: if c.made == 0 { c.target.carrier_name.clone() } else { fresh_name(c) } }
    })
    .about("name")
    .before(add_carrier),
    list("getCarriers", "carriers", all_of_each, everything),
    list("getCarriers", "carriers", that_one, |c| matching(record! { id: c.target.carrier })).about("id"),
    list("getCarriers", "carriers", that_one, of_reseller).about("reseller"),
    write("addGateway", Rule::Hidden(1070), |c| {
        let gateway = record! { name: fresh_name(c), carrier_id: c.target.carrier, ip: "192.0.2.9" };
        record! { gateway: gateway }
    }),
    write("updateGateway", Rule::Numbered(1073), |c| {
        let names = c.target;
        record! { gateway: record! { id: names.gateway, name: &names.gateway_name, ip: "192.0.2.9" } }
    })
    .inside(),
    write("updateGateway", Rule::Hidden(1070), |c| {
        let gateway = record! {
            id: or_made(c, c.home.gateway), name: fresh_name(c), ip: "192.0.2.9", carrier_id: c.target.carrier,
        };
        record! { gateway: gateway }
    })
    .about("carrier")
    .at_home()
    .before(|world, c| gateway_of(world, c, c.home)),
    write("deleteGateway", Rule::Numbered(1073), |c| record! { id: or_made(c, c.target.gateway) })
        .inside()
        .before(|world, c| gateway_of(world, c, c.target)),
    write("deleteGateway", Rule::Hidden(1073), |c| {
        record! { name: if c.made == 0 { c.target.gateway_name.clone() } else { fresh_name(c) } }
    })
    .about("name")
    .before(|world, c| gateway_of(world, c, c.target)),
    list("getGateways", "gateways", all_of_each, everything),
    list("getGateways", "gateways", that_one, |c| matching(record! { carrier_id: c.target.carrier }))
        .about("carrier"),
    list("getGateways", "gateways", that_one, of_reseller).about("reseller"),
    write("addGatewayRule", Rule::Hidden(1073), |c| {
        record! { rule: record! { gateway_id: c.target.gateway, prefix: fresh_prefix(c) } }
    })
    .inside(),
    write("updateGatewayRule", Rule::Numbered(1076), |c| {
        record! { rule: record! { id: c.target.rule, strip: 1 } }
    })
    .inside(),
    write("updateGatewayRule", Rule::Hidden(1073), |c| {
        let rule = record! { id: or_made(c, c.home.rule), gateway_id: c.target.gateway };
        record! { rule: rule }
    })
    .about("gateway")
    .inside()
    .at_home()
    .before(|world, c| rule_of(world, c, c.home)),
    write("deleteGatewayRule", Rule::Numbered(1076), |c| record! { id: or_made(c, c.target.rule) })
        .inside()
        .before(|world, c| rule_of(world, c, c.target)),
    list("getGatewayRules", "gateway_rules", all_of_each, everything),
    list("getGatewayRules", "gateway_rules", that_one, |c| {
        matching(record! { gateway_id: c.target.gateway })
    })
    .about("gateway")
    .inside(),
    list("getGatewayRules", "gateway_rules", that_one, of_reseller).about("reseller"),
    write("addRoutes", Rule::Hidden(1070), |c| {
        let route = |carrier: i64, more: &str| {
            record! { carrier_id: carrier, prefix: format!("{}{more}", fresh_prefix(c)) }
        };
        record! { routes: vec![route(c.home.carrier, "1"), route(c.target.carrier, "2")] }
    }),
    write("updateRoutes", Rule::Numbered(1078), |c| {
        record! { routes: vec![record! { id: c.target.route, priority: 5 }] }
    })
    .inside(),
    // B138: all or nothing, so that not even the caller's own changes beside what it may not change.
    write("updateRoutes", Rule::Numbered(1078), |c| {
        let route = |id: i64| record! { id: id, priority: 5 };
        let mut routes = vec![route(c.home.route)];
        if c.target.route != c.home.route {
            routes.push(route(c.target.route));
        }
        record! { routes: routes }
    })
    .about("beside own")
    .inside()
    .callers(|caller| caller != Caller::Admin),
    write("updateRoutes", Rule::Hidden(1070), |c| {
        let route = record! { id: or_made(c, c.home.route), carrier_id: c.target.carrier };
        record! { routes: vec![route] }
    })
    .about("carrier")
    .at_home()
    .before(|world, c| route_of(world, c, c.home)),
    write("deleteRoutes", Rule::Numbered(1078), |c| {
        record! { routes: vec![record! { id: or_made(c, c.target.route) }] }
    })
    .inside()
    .before(|world, c| route_of(world, c, c.target)),
    write("deleteRoutes", Rule::Hidden(1078), |c| {
        let mut route = record! { carrier_id: c.target.carrier };
        route = match c.made {
            0 => route.with("prefix", &c.target.dialled).with("originator", &c.target.domain),
            _ => route.with("prefix", fresh_prefix(c)),
        };
        record! { routes: vec![route] }
    })
    .about("key")
    .inside()
    .before(|world, c| route_of(world, c, c.target)),
    list("getRoutes", "routes", all_of_each, everything),
    list("getRoutes", "routes", that_one, |c| matching(record! { prefix: &c.target.dialled }))
        .about("prefix")
        .inside(),
    list("getRoutes", "routes", that_one, of_reseller).about("reseller"),
];
