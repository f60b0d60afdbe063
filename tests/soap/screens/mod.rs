//! What the original client does, screen by screen (client-usage): the same calls in the same order with the same
//! bytes, each result decoded as its parser decodes, and every member looked at that its code reads.
//!
//! Each test cites the section that it replays; its forms hold what the client's forms hold. The names of logins are
//! those of client-usage §1.1.

mod background;
mod client_bugs;
mod common;
mod customers;
mod dns;
mod enum_;
mod itself;
mod panel;
mod pstn;
mod sip_accounts;
mod sip_aliases;
mod sip_domains;
mod trusted_peers;

use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::fixture::{Tenant, customer, reseller};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, query, record};

/// A reseller and a customer of it, with the right to everything.
fn tenants(p: &Platform) -> (Tenant, Tenant) {
    let acme = reseller(p, "acme");
    let child = customer(p, &acme, "child");
    (acme, child)
}

/// The two ways in which screens call for a customer or reseller (§1.1): the administrator in its name, and its own
/// login. What one does, the other finds undone again.
fn logins(p: &Platform, tenant: &Tenant) -> [Connection; 2] {
    let password = format!("{}-password", tenant.username);
    [Connection::admin_as(p, tenant.id), Connection::customer(p, &tenant.username, &password)]
}

/// Opening any screen when reseller and customer are known (§1.3): the lists above the search form. The data of who
/// is logged in comes over SoapAuthCustomers, which impersonates the reseller.
#[track_caller]
fn open(p: &Platform, reseller: i64, customer: i64) {
    let connection = Connection::admin_as(p, reseller);
    let filter = record! { reseller: reseller };
    let found = connection.ok("Customer.getCustomers", query(filter, "customer", "ASC", 0, 100));
    assert_eq!(usize::try_from(found.int("total")).unwrap(), found.list("accounts").len());
    for account in found.list("accounts") {
        account.reads("id:i firstName:s lastName:s");
    }
    let login = |id: i64| {
        let filter = record! { customer: id };
        let found = connection.ok("Customer.getResellers", query(filter, "customer", "ASC", 0, 1));
        assert_eq!(found.list("accounts").len(), 1, "B24: exactly the one asked for");
        let account = found.at("accounts/0").clone();
        account.reads("id:i reseller:i impersonate:i? resellerActive:b properties:a");
        for property in account.list("properties") {
            property.reads("name:s value:s");
        }
        assert_eq!(account.int("id"), id);
        account
    };
    let own = login(customer);
    if own.int("reseller") != customer {
        assert_eq!(own.int("reseller"), reseller);
        login(own.int("reseller"));
    }
}

/// The last-used values that a screen keeps (§1.3): always texts, always of the category `web`.
#[track_caller]
fn remember(connection: &Connection, customer: i64, values: &[(&str, &str)]) {
    let properties: Vec<Value> = values
        .iter()
        .map(|&(name, value)| {
            record! { name: name, category: "web", value: value, permission: "customer" }
        })
        .collect();
    let parameters = record! { customer: customer, properties: properties };
    assert_eq!(connection.execute("Customer.setProperties", parameters), Php::Flag(true));
}

/// The `total` of a list and the one array beside it, which holds that many items or a page of them.
#[track_caller]
fn listed<'a>(result: &'a Php, array: &str, total: i64) -> &'a [Php] {
    assert_eq!(result.int("total"), total);
    let items = result.list(array);
    assert_eq!(items.len(), usize::try_from(total.min(20)).unwrap(), "arrays are dense (§1.5)");
    items
}

/// A form's fields written over the object that was got before.
fn filled(mut object: Php, fields: Vec<(&str, Php)>) -> Value {
    for (name, value) in fields {
        object.set(name, value);
    }
    object.echo()
}
