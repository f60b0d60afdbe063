//! Voicemail, rating, customers, the state of the platform.

use super::sip::{add_account, fresh_address};
use crate::matrix::oracle::{Caller, Level, Record, Rule, that_one};
use crate::matrix::row::{Cell, Row};
use crate::matrix::world::{World, sound};
use ngn_tests::fixture::person;
use ngn_tests::{Value, matching, record, sip_id};

/// The account in question, or the one that was made for the cell.
fn address(c: &Cell) -> Value {
    if c.made == 0 { sip_id(&c.target.account) } else { sip_id(&fresh_address(c)) }
}

fn add_mailbox(world: &World, c: &Cell) -> i64 {
    add_account(world, c);
    let account = record! { sipId: sip_id(&fresh_address(c)), password: "1234" };
    world.admin.ok("Voicemail.addAccount", record! { account: account });
    1
}

pub(super) const VOICEMAIL: &[Row] = &[
    Row::write("addAccount", Rule::Hidden(1010), |c| {
        record! { account: record! { sipId: address(c), password: "1234" } }
    })
    .inside()
    .before(|world, c| add_account(world, c) + 1),
    Row::write("updateAccount", Rule::Hidden(1010), |c| {
        record! { account: record! { sipId: address(c), name: "Ada" } }
    })
    .inside(),
    Row::write("deleteAccount", Rule::Hidden(1010), |c| record! { sipId: address(c) })
        .inside()
        .before(add_mailbox),
    Row::read("getAccount", Rule::Hidden(1010), |c| record! { sipId: address(c) }).inside(),
    Row::write("setAnnouncement", Rule::Hidden(1010), |c| {
        record! { sipId: address(c), message: sound() }
    })
    .inside(),
];

fn subscriber(c: &Cell) -> String {
    match c.made {
        0 => format!("subscriber://{}", c.target.account),
        _ => format!("subscriber://{}", fresh_address(c)),
    }
}

fn domain(c: &Cell) -> String {
    format!("domain://{}", c.target.domain)
}

fn gateway(c: &Cell) -> String {
    format!("gateway://{}-gateway.example", c.target.tag)
}

fn profiles(entity: &str) -> Value {
    record! { profiles: record! { entity: entity, profileWeekday: "week" } }
}

/// Profiles that the cell deletes.
fn put(world: &World, c: &Cell, entity: &str) -> i64 {
    if entity.starts_with("subscriber") {
        add_account(world, c);
    }
    world.admin.ok("Rating.setEntityProfiles", profiles(entity));
    1
}

pub(super) const RATING: &[Row] = &[
    Row::write("setEntityProfiles", Rule::Hidden(1010), |c| profiles(&subscriber(c)))
        .about("subscriber")
        .inside(),
    Row::write("setEntityProfiles", Rule::Hidden(1000), |c| profiles(&domain(c))).about("domain"),
    Row::write("setEntityProfiles", Rule::Free, |c| profiles(&gateway(c)))
        .about("gateway")
        .need(Level::Administrator)
        .at_target(),
    Row::write("deleteEntityProfiles", Rule::Hidden(4001), |c| record! { entity: subscriber(c) })
        .about("subscriber")
        .inside()
        .before(|world, c| put(world, c, &format!("subscriber://{}", fresh_address(c)))),
    Row::write("deleteEntityProfiles", Rule::Hidden(4001), |c| record! { entity: domain(c) })
        .about("domain")
        .before(|world, c| put(world, c, &domain(c))),
    Row::write("deleteEntityProfiles", Rule::Hidden(4001), |c| record! { entity: gateway(c) })
        .about("gateway")
        .need(Level::Administrator)
        .before(|world, c| put(world, c, &gateway(c))),
    Row::read("getEntityProfiles", Rule::Hidden(4001), |c| record! { entity: subscriber(c) })
        .about("subscriber")
        .inside(),
    Row::read("getEntityProfiles", Rule::Hidden(4001), |c| record! { entity: domain(c) })
        .about("domain"),
    Row::read("getEntityProfiles", Rule::Hidden(4001), |c| record! { entity: gateway(c) })
        .about("gateway")
        .need(Level::Administrator),
];

fn fresh_login(c: &Cell) -> String {
    format!("fresh-{}", c.fresh)
}

fn add_customer(world: &World, c: &Cell) -> i64 {
    let account = person(&fresh_login(c)).with("reseller", c.target.reseller);
    world.admin.ok("Customer.addAccount", record! { account: account }).int_at("id")
}

fn customer(c: &Cell) -> i64 {
    if c.made == 0 { c.target.customer } else { c.made }
}

fn property(permission: &str) -> Value {
    let property =
        record! { name: "colour", value: "blue", category: "web", permission: permission };
    vec![property].into()
}

/// Two resellers, their customers, and the sibling of one of them.
fn all_customers(caller: Caller, _: Record) -> i64 {
    match caller {
        Caller::Admin => 5,
        Caller::AsReseller | Caller::OwnReseller => 3,
        Caller::ForeignReseller => 2,
        _ => 1,
    }
}

fn all_resellers(caller: Caller, _: Record) -> i64 {
    match caller {
        Caller::Admin => 2,
        Caller::AsReseller | Caller::OwnReseller | Caller::ForeignReseller => 1,
        _ => 0,
    }
}

fn everything(_: &Cell) -> Value {
    matching(Value::empty())
}

pub(super) const CUSTOMER: &[Row] = &[
    Row::write("addAccount", Rule::Name(5001), |c| {
        let login = if c.target.tag == "absent" { fresh_login(c) } else { c.target.username.clone() };
        record! { account: person(&login) }
    })
    .about("username")
    .need(Level::Reseller),
    Row::write("addAccount", Rule::Owner(5003), |c| {
        record! { account: person(&fresh_login(c)).with("reseller", c.target.reseller) }
    })
    .about("reseller")
    .need(Level::Reseller)
    .owner(|_, _, answer| (None, answer.int_at("reseller"))),
    Row::write("updateAccount", Rule::Hidden(5000), |c| {
        record! { account: record! { id: customer(c), firstName: "Ada" } }
    }),
    // B20, B26: only the administrator gives a customer to another reseller.
    Row::write("updateAccount", Rule::Owner(5003), |c| {
        record! { account: record! { id: c.made.max(c.home.customer), reseller: c.target.reseller } }
    })
    .about("reseller")
    .callers(|caller| {
        matches!(caller, Caller::Admin | Caller::AsReseller | Caller::OwnReseller | Caller::ForeignReseller)
    })
    .before(|world, c| add_customer(world, &Cell { target: c.home, ..*c }))
    .owner(|world, c, _| {
        let found = world.admin.ok("Customer.getAccount", record! { id: c.made });
        (None, found.int_at("reseller"))
    }),
    Row::write("deleteAccount", Rule::NotByItself(5000), |c| record! { id: customer(c) })
        .before(add_customer),
    Row::read("getAccount", Rule::Hidden(5000), |c| record! { id: customer(c) }),
    Row::list("getCustomers", "accounts", all_customers, everything),
    Row::list("getCustomers", "accounts", that_one, |c| {
        matching(record! { customer: c.target.customer, reseller: c.target.reseller })
    })
    .about("customer"),
    Row::list("getCustomers", "accounts", that_one, |c| {
        matching(record! { username: &c.target.username })
    })
    .about("username"),
    Row::list("getResellers", "accounts", all_resellers, everything),
    // B24: with an id it gives that customer, if it may be seen.
    Row::list("getResellers", "accounts", that_one, |c| {
        matching(record! { customer: c.target.customer })
    })
    .about("customer"),
    Row::write("setProperties", Rule::Hidden(5000), |c| {
        record! { customer: customer(c), properties: property("customer") }
    }),
    Row::read("getProperties", Rule::Hidden(5000), |c| record! { customer: customer(c) }),
];

pub(super) const NETWORK: &[Row] = &[
    Row::read("getStatistics", Rule::None, |_| Value::empty()).need(Level::Administrator),
    Row::read("getStatus", Rule::None, |_| Value::empty()).need(Level::Administrator),
];
