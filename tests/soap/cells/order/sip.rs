//! The Sip port.

use super::{Order, order};
use crate::cells::stage::Stage;
use ngn_tests::fixture::{account, carrier, domain, gateway, route, subscriber, trusted_peer};
use ngn_tests::soap::Client;
use ngn_tests::{Value, matching, record, sip_id};

/// A customer that does not exist, or nobody.
fn nobody(unknown: bool) -> i64 {
    if unknown { 987_654 } else { 0 }
}

/// A new account of the active reseller.
fn alice(s: &Stage<'_>) -> String {
    domain(&s.acme.client, &s.domain());
    account(&s.acme.client, &s.address("alice"));
    s.address("alice")
}

/// A new domain of the reseller without credit and rights, with an account that the administrator made.
fn poor_domain(s: &Stage<'_>) {
    domain(&s.poor.client, &s.domain());
    account(&s.admin, &s.address("alice"));
}

fn mine<'s>(s: &'s Stage<'_>, both: bool) -> &'s Client {
    if both { &s.other.client } else { &s.acme.client }
}

fn alias(s: &Stage<'_>, target: &str) -> Value {
    record! { alias: record! { id: sip_id(&s.address("info")), target: sip_id(target) } }
}

fn member(address: &str, group: &str) -> Value {
    record! { sipId: sip_id(address), group: group }
}

pub(super) const ORDERS: &[Order] = &[
    order("Sip.addDomain", 5000, 1001, |s, both| {
        domain(&s.acme.client, &s.domain());
        let given = record! { domain: s.domain(), customer: nobody(both) };
        s.act(&s.admin, record! { domain: given })
    }),
    order("Sip.deleteDomain", 1000, 1002, |s, both| {
        alice(s);
        s.act(mine(s, both), record! { domain: s.domain() })
    }),
    order("Sip.addAccount", 9000, 1000, |s, both| {
        let quota = if both { -1 } else { 1 };
        s.act(&s.acme.client, record! { account: subscriber(&s.address("a")).with("quota", quota) })
    }),
    order("Sip.addAccount", 1000, 1011, |s, both| {
        let address = alice(s);
        s.act(mine(s, both), record! { account: subscriber(&address) })
    }),
    order("Sip.addAccount", 1011, 8005, |s, both| {
        poor_domain(s);
        let name = if both { "alice" } else { "bob" };
        let given = subscriber(&s.address(name)).with("groups", ["free-pstn"]);
        s.act(&s.poor.client, record! { account: given })
    }),
    order("Sip.addAccount", 8005, 8002, |s, both| {
        poor_domain(s);
        let group = if both { "free-pstn" } else { "quota" };
        let given = subscriber(&s.address("bob")).with("groups", [group]);
        s.act(&s.poor.client, record! { account: given })
    }),
    order("Sip.updateAccount", 9000, 1010, |s, both| {
        let quota = if both { -1 } else { 1 };
        s.act(&s.acme.client, record! { account: subscriber(&s.address("a")).with("quota", quota) })
    }),
    order("Sip.updateAccount", 1010, 8005, |s, both| {
        poor_domain(s);
        let who = if both { &s.acme } else { &s.poor };
        let given = subscriber(&s.address("alice")).with("groups", ["free-pstn"]);
        s.act(&who.client, record! { account: given })
    }),
    order("Sip.addAlias", 1010, 1021, |s, both| {
        let address = alice(s);
        s.acme.client.ok("Sip.addAlias", alias(s, &address));
        let target = if both { s.address("nobody") } else { address };
        s.act(&s.acme.client, alias(s, &target))
    }),
    order("Sip.addAlias", 1021, 8002, |s, both| {
        poor_domain(s);
        if both {
            s.admin.ok("Sip.addAlias", alias(s, &s.address("alice")));
        }
        s.act(&s.poor.client, alias(s, &s.address("alice")))
    }),
    order("Sip.updateAlias", 9001, 1020, |s, both| {
        let target = if both { "" } else { "alice@example.com" };
        s.act(&s.acme.client, alias(s, target))
    }),
    order("Sip.addToGroup", 9001, 1010, |s, both| {
        let given = member(&s.address("a"), "vip");
        let given = if both { given.with("group", Value::Null) } else { given };
        s.act(&s.acme.client, given)
    }),
    order("Sip.addToGroup", 1010, 1030, |s, both| {
        let given = member(&alice(s), "vip");
        s.acme.client.ok("Sip.addToGroup", given.clone());
        s.act(mine(s, both), given)
    }),
    order("Sip.addToGroup", 1010, 8005, |s, both| {
        poor_domain(s);
        let who = if both { &s.acme } else { &s.poor };
        s.act(&who.client, member(&s.address("alice"), "free-pstn"))
    }),
    order("Sip.removeFromGroup", 1010, 1031, |s, both| {
        let given = member(&alice(s), "vip");
        s.act(mine(s, both), given)
    }),
    order("Sip.addBalance", 9001, 1010, |s, both| {
        let given = record! { sipId: sip_id(&s.address("a")) };
        s.act(&s.acme.client, if both { given } else { given.with("value", 1.5) })
    }),
    order("Sip.addBalance", 1010, 1080, |s, both| {
        let given = record! { sipId: sip_id(&alice(s)), value: 1.5 };
        s.act(mine(s, both), given)
    }),
    order("Sip.addBalanceFromVoucher", 1080, 1081, |s, both| {
        let address = alice(s);
        if !both {
            let prepaid = subscriber(&address).with("prepaid", true);
            s.admin.ok("Sip.updateAccount", record! { account: prepaid });
        }
        let card = record! { id: 987_654, number: "1" };
        s.act(&s.acme.client, record! { sipId: sip_id(&address), card: card })
    }),
    order("Sip.updatePhonebookEntry", 1010, 1040, |s, both| {
        let entry = record! { uri: "sip:bob@example.com", name: "Bob" };
        let given = record! { sipId: sip_id(&alice(s)), entry: entry };
        s.act(mine(s, both), given)
    }),
    order("Sip.setBarringPrefixes", 9000, 1010, |s, both| {
        let prefix = if both { "31" } else { "+31" };
        let given = record! { sipId: sip_id(&s.address("a")), prefixes: [prefix] };
        s.act(&s.acme.client, given)
    }),
    order("Sip.setCallDiversions", 9001, 1010, |s, both| {
        let given = record! { sipId: sip_id(&s.address("a")) };
        let diversions = record! { FUNC: "sip:bob@example.com" };
        s.act(&s.acme.client, if both { given } else { given.with("diversions", diversions) })
    }),
    order("Sip.getSipTrace", 8003, 9001, |s, both| {
        let who = if both { &s.child } else { &s.acme };
        s.act(&who.client, Value::empty())
    }),
    order("Sip.addTrustedPeer", 8003, 9001, |s, both| {
        let who = if both { &s.child } else { &s.acme };
        s.act(&who.client, Value::empty())
    }),
    order("Sip.addTrustedPeer", 5000, 1051, |s, both| {
        let ip = format!("{}.example.net", s.word("peer"));
        s.acme.client.ok("Sip.addTrustedPeer", trusted_peer(&ip));
        let peer = record! { ip: ip, customer: nobody(both) };
        s.act(&s.admin, record! { peer: peer })
    }),
    order("Sip.updateTrustedPeer", 9000, 1050, |s, both| {
        let strip = if both { -1 } else { 1 };
        s.act(&s.acme.client, record! { peer: record! { ip: "192.0.2.9", strip: strip } })
    }),
    order("Sip.addGateway", 9000, 1070, |s, both| {
        let port = if both { 99_999 } else { 5060 };
        let given = record! { name: "g", carrier_id: 987_654, ip: "192.0.2.1", port: port };
        s.act(&s.acme.client, record! { gateway: given })
    }),
    order("Sip.deleteCarrier", 8001, 1072, |s, both| {
        let id = carrier(&s.acme.client, &s.word("carrier"));
        gateway(&s.acme.client, id, &s.word("gateway"));
        s.act(mine(s, both), record! { id: id })
    }),
    order("Sip.updateCarrier", 9001, 1070, |s, both| {
        let name = if both { "" } else { "new" };
        s.act(&s.acme.client, record! { carrier: record! { id: 987_654, name: name } })
    }),
    order("Sip.addRoutes", 1070, 1079, |s, both| {
        let id = carrier(&s.acme.client, &s.word("carrier"));
        s.acme.client.ok("Sip.addRoutes", record! { routes: vec![route(id, "0031")] });
        let second = route(if both { 987_654 } else { id }, "0032");
        s.act(&s.acme.client, record! { routes: vec![route(id, "0031"), second] })
    }),
    order("Sip.deleteRoutes", 1078, 8001, |s, both| {
        let of = carrier(&s.other.client, &s.word("carrier"));
        s.other.client.ok("Sip.addRoutes", record! { routes: vec![route(of, "0031")] });
        let filter = matching(record! { carrier_id: of });
        let id = s.admin.ok("Sip.getRoutes", filter).int_at("routes/0/id");
        let mut items = vec![record! { id: id }];
        if both {
            items.push(record! { id: 987_654 });
        }
        s.act(&s.acme.client, record! { routes: items })
    }),
    // The last ones: a name that is taken costs MariaDB a number, so that ids differ afterwards.
    order("Sip.addCarrier", 5000, 1071, |s, both| {
        let name = s.word("carrier");
        s.admin.ok("Sip.addCarrier", record! { carrier: record! { name: &name } });
        let reseller = nobody(both);
        s.act(&s.admin, record! { carrier: record! { name: &name, reseller: reseller } })
    }),
];
