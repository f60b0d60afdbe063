//! SIP domains, accounts, aliases and groups.

use crate::matrix::oracle::{Rule, all_of_each, that_one};
use crate::matrix::row::{Cell, Row};
use crate::matrix::world::World;
use ngn_tests::xml::Node;
use ngn_tests::{Value, matching, record, sip_id};

/// A domain that only this cell names.
fn fresh_domain(c: &Cell) -> String {
    format!("fresh-{}.example", c.fresh)
}

/// An address in the target's domain that only this cell names.
pub(super) fn fresh_address(c: &Cell) -> String {
    format!("fresh-{}@{}", c.fresh, c.target.domain)
}

fn add_domain(world: &World, c: &Cell) -> i64 {
    let domain = record! { domain: fresh_domain(c), customer: c.home.customer };
    world.reseller_of(c.home).ok("Sip.addDomain", record! { domain: domain });
    1
}

/// A new account in the target's domain.
pub(super) fn add_account(world: &World, c: &Cell) -> i64 {
    let account = record! { id: sip_id(&fresh_address(c)), password: "secret" };
    world.admin.ok("Sip.addAccount", record! { account: account });
    0
}

fn add_alias(world: &World, c: &Cell) -> i64 {
    let alias = record! { id: sip_id(&fresh_address(c)), target: sip_id(&c.target.account) };
    world.admin.ok("Sip.addAlias", record! { alias: alias });
    0
}

fn join(world: &World, c: &Cell) -> i64 {
    let group = record! { sipId: sip_id(&c.target.account), group: format!("fresh-{}", c.fresh) };
    world.admin.ok("Sip.addToGroup", group);
    0
}

/// The address that a row deletes: the record's own, or that of what was made to be deleted.
fn deleted(c: &Cell, own: &str) -> Value {
    if c.made == 0 { sip_id(own) } else { sip_id(&fresh_address(c)) }
}

fn owner_of_domain(world: &World, c: &Cell, _: &Node) -> (Option<i64>, i64) {
    let found = world.admin.ok("Sip.getDomains", matching(record! { domain: fresh_domain(c) }));
    (Some(found.int_at("domains/0/customer")), found.int_at("domains/0/reseller"))
}

pub(super) const ROWS: &[Row] = &[
    Row::write("addDomain", Rule::Name(1001), |c| {
        let name = if c.target.tag == "absent" { fresh_domain(c) } else { c.target.domain.clone() };
        record! { domain: record! { domain: name } }
    })
    .about("name"),
    Row::write("addDomain", Rule::Owner(5000), |c| {
        record! { domain: record! { domain: fresh_domain(c), customer: c.target.customer } }
    })
    .about("customer")
    .owner(|_, _, answer| (Some(answer.int_at("customer")), answer.int_at("reseller"))),
    Row::write("updateDomain", Rule::Hidden(1000), |c| {
        record! { domain: record! { domain: &c.target.domain, match_ip_address: "192.0.2.1" } }
    }),
    Row::write("updateDomain", Rule::Owner(5000), |c| {
        let name = if c.made == 0 { c.home.domain.clone() } else { fresh_domain(c) };
        record! { domain: record! { domain: name, customer: c.target.customer } }
    })
    .about("customer")
    .before(add_domain)
    .owner(owner_of_domain)
    .with_own_records(),
    Row::write("deleteDomain", Rule::Hidden(1000), |c| {
        let name = if c.made == 0 { c.target.domain.clone() } else { fresh_domain(c) };
        record! { domain: name }
    })
    .before(|world, c| add_domain(world, &Cell { home: c.target, ..*c })),
    Row::list("getDomains", "domains", all_of_each, |_| matching(Value::empty())),
    Row::list("getDomains", "domains", that_one, |c| matching(record! { domain: &c.target.domain }))
        .about("domain"),
    Row::list("getDomains", "domains", that_one, |c| {
        matching(record! { customer: c.target.customer, reseller: c.target.reseller })
    })
    .about("customer"),
    Row::write("addAccount", Rule::Hidden(1000), |c| {
        record! { account: record! { id: sip_id(&fresh_address(c)), password: "secret" } }
    }),
    Row::write("addAccount", Rule::Free, |c| {
        let id = sip_id(&format!("fresh-{}@{}", c.fresh, c.home.domain));
        record! { account: record! { id: id, password: "secret", customer: c.target.customer, owner: c.target.customer } }
    })
    .about("owner")
    .with_own_records(),
    Row::write("updateAccount", Rule::Hidden(1010), |c| {
        record! { account: record! { id: sip_id(&c.target.account), firstName: "Ada", prepaid: true } }
    })
    .inside(),
    Row::write("deleteAccount", Rule::Hidden(1010), |c| {
        record! { sipId: deleted(c, &c.target.account) }
    })
    .inside()
    .before(|world, c| add_account(world, c) + 1),
    Row::read("getAccount", Rule::Hidden(1010), |c| record! { sipId: sip_id(&c.target.account) })
        .inside(),
    Row::list("getAccounts", "accounts", all_of_each, |_| matching(Value::empty())),
    Row::list("getAccounts", "accounts", that_one, |c| {
        let (username, domain) = c.target.account.split_once('@').unwrap_or_default();
        matching(record! { username: username, domain: domain })
    })
    .about("address")
    .inside(),
    Row::list("getAccounts", "accounts", that_one, |c| {
        matching(record! { groups: [format!("hush-{}-group", c.target.tag)].map(Value::from) })
    })
    .about("groups"),
    Row::list("getAccounts", "accounts", that_one, |c| {
        matching(record! { customer: c.target.customer, reseller: c.target.reseller })
    })
    .about("customer"),
    Row::write("addAlias", Rule::Hidden(1000), |c| {
        let alias = record! { id: sip_id(&fresh_address(c)), target: sip_id(&c.home.account) };
        record! { alias: alias }
    })
    .about("domain"),
    Row::write("addAlias", Rule::Hidden(1010), |c| {
        let id = sip_id(&format!("fresh-{}@{}", c.fresh, c.home.domain));
        record! { alias: record! { id: id, target: sip_id(&c.target.account) } }
    })
    .about("target")
    .inside()
    .at_home()
    .with_own_records(),
    Row::write("updateAlias", Rule::Hidden(1020), |c| {
        let alias = record! { id: sip_id(&c.target.alias), target: sip_id(&c.home.account) };
        record! { alias: alias }
    })
    .inside(),
    Row::write("updateAlias", Rule::Hidden(1010), |c| {
        let alias = record! { id: sip_id(&c.home.alias), target: sip_id(&c.target.account) };
        record! { alias: alias }
    })
    .about("target")
    .inside()
    .at_home()
    .with_own_records(),
    Row::write("deleteAlias", Rule::Hidden(1020), |c| record! { id: deleted(c, &c.target.alias) })
        .inside()
        .before(|world, c| add_alias(world, c) + 1),
    Row::read("getAlias", Rule::Hidden(1020), |c| record! { id: sip_id(&c.target.alias) }).inside(),
    Row::read("getAliasesForAccount", Rule::Hidden(1010), |c| {
        record! { target: sip_id(&c.target.account) }
    })
    .inside(),
    Row::list("getAliases", "aliases", all_of_each, |_| matching(Value::empty())),
    Row::list("getAliases", "aliases", that_one, |c| {
        let (username, domain) = c.target.account.split_once('@').unwrap_or_default();
        matching(record! { targetUsername: username, targetDomain: domain })
    })
    .about("target")
    .inside(),
    Row::write("addToGroup", Rule::Hidden(1010), |c| {
        record! { sipId: sip_id(&c.target.account), group: format!("fresh-{}", c.fresh) }
    })
    .inside(),
    Row::write("removeFromGroup", Rule::Hidden(1010), |c| {
        record! { sipId: sip_id(&c.target.account), group: format!("fresh-{}", c.fresh) }
    })
    .inside()
    .before(join),
    Row::read("getGroups", Rule::Hidden(1010), |c| record! { sipId: sip_id(&c.target.account) })
        .inside(),
];
