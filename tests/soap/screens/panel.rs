//! The subscriber panel (client-usage §3): the page, and behind its JSON API the same calls.

mod calls;
mod credit;
mod rules;
mod settings;

use super::tenants;
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::fixture::Tenant;
use ngn_tests::platform::Platform;
use ngn_tests::{Value, query, record, sip_id};

const ALICE: &str = "alice@example.com";

/// What the panel reads of its account.
const ACCOUNT: &str = "id/username:s id/domain:s password:s ha1:s firstName:s lastName:s rpid:s owner:i? timezone:s \
                       email:s groups:a createDate:s quickdialPrefix:s timeout:i? quota:i? prepaid:b region:s \
                       callLimit:i? acl:a properties:a customer:i reseller:i";

/// A reseller, its customer with example.com, and Alice there, whom the customer owns.
fn with_alice(p: &Platform, prepaid: bool) -> (Tenant, Tenant) {
    let (acme, child) = tenants(p);
    let engine = Connection::admin_as(p, child.id);
    let domain = record! { domain: "example.com", customer: child.id, reseller: acme.id };
    engine.execute("Sip.addDomain", record! { domain: domain });
    engine.execute(
        "Sip.addAccount",
        record! { account: record! {
            id: sip_id(ALICE), firstName: "Alice", lastName: "Example", password: "secret",
            timezone: "Europe/Amsterdam", email: ALICE, owner: child.id, rpid: "31201234567",
            groups: ["free-pstn"], prepaid: i64::from(prepaid), quota: 50,
            acl: vec![record! { ip: "127.0.0.0", mask: 8 }],
            properties: vec![record! { name: "language", value: "nl" }], callLimit: 3,
        } },
    );
    (acme, child)
}

/// Opens the panel of Alice; gives its account and the login of its actions.
#[track_caller]
fn open(p: &Platform) -> (Connection, Php) {
    // The customer is usually not known yet, so nobody is impersonated.
    let first = Connection::admin_as(p, 0);
    let lookups = Connection::admin(p);
    let account = first.ok("Sip.getAccount", of_alice());
    account.reads(ACCOUNT);
    for item in account.list("acl") {
        item.reads("ip:s mask:i tag:s");
    }
    for property in account.list("properties") {
        property.reads("name:s value:s");
    }
    if account.at("owner").truthy() {
        let owner = lookups.ok("Customer.getAccount", record! { id: account.int("owner") });
        owner.reads(
            "mobile:s tel:s enum:s fax:s email:s web:s address:s billingAddress:s city:s state:s country:s \
             postcode:s organization:s",
        );
    }
    let filter = record! { domain: account.text("id/domain") };
    let domains = first.ok("Sip.getDomains", query(filter, "changeDate", "DESC", 0, 1));
    domains.reads("domains/0/reseller:i domains/0/customer:i");
    let reseller = record! { id: domains.int("domains/0/reseller") };
    let reseller = lookups.ok("Customer.getAccount", reseller);
    reseller.reads("properties:a language:s timezone:s");
    let customer = domains.int("domains/0/customer");
    let login = lookups.ok("Customer.getAccount", record! { id: customer });
    login.reads("properties:a impersonate:i?");
    (Connection::admin_as(p, customer), account)
}

fn of_alice() -> Value {
    record! { sipId: sip_id(ALICE) }
}

/// A call on Alice with one more parameter.
fn alice(name: &str, value: impl Into<Value>) -> Value {
    of_alice().with(name, value)
}
