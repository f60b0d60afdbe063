//! Sip.addBalance.

use ngn_tests::database::Backend;
use ngn_tests::fixture::{Tenant, account, customer, domain, reseller, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::soap::Client;
use ngn_tests::{Value, both, record, sip_id};

/// A prepaid account in a domain that exists.
pub(super) fn prepaid(client: &Client, address: &str) {
    client.ok("Sip.addAccount", record! { account: subscriber(address).with("prepaid", true) });
}

/// A reseller with the prepaid account alice@example.com.
pub(super) fn with_alice(p: &Platform) -> Tenant {
    let acme = reseller(p, "acme");
    domain(&acme.client, "example.com");
    prepaid(&acme.client, "alice@example.com");
    acme
}

fn add(value: impl Into<Value>) -> Value {
    record! { sipId: sip_id("alice@example.com"), description: "CC transaction 7" }
        .with("value", value)
}

/// The newest change in the journal: its attributes before and after.
fn last_change(p: &Platform) -> String {
    p.database
        .sql("SELECT entity, entity_key, `before`, `after` FROM journal ORDER BY id DESC LIMIT 1")
}

both! {
    // B161: old and new balance; what is taken may be more than what is there.
    fn b161_adds_and_takes(p) {
        let acme = with_alice(p);
        let changed = acme.client.ok("Sip.addBalance", add(7.25));
        assert_eq!((changed.text_at("old_balance"), changed.text_at("new_balance")), ("0", "7.25"));
        let changed = acme.client.ok("Sip.addBalance", add("-10"));
        assert_eq!((changed.text_at("old_balance"), changed.text_at("new_balance")), ("7.25", "-2.75"));
        let change = last_change(p);
        assert!(change.starts_with("prepaid\talice@example.com\t"), "{change}");
        assert!(change.contains("\"7.2500\"") && change.contains("\"-2.7500\""), "{change}");
        assert!(change.contains("CC transaction 7"), "{change}");
    }

    // Ten times a tenth is one, and what arithmetic of clients leaves behind the fourth decimal is rounded.
    fn b161_money_is_exact(p) {
        let acme = with_alice(p);
        for _ in 0..10 {
            acme.client.ok("Sip.addBalance", add(0.1));
        }
        let changed = acme.client.ok("Sip.addBalance", add(0.1 + 0.2));
        assert_eq!((changed.text_at("old_balance"), changed.text_at("new_balance")), ("1", "1.3"));
        let changed = acme.client.ok("Sip.addBalance", add("999998.6999"));
        assert_eq!(changed.text_at("new_balance"), "999999.9999");
        // The column has no room for more, and nothing is lost silently.
        acme.client.refused(9000, "Sip.addBalance", add("0.0001"));
        acme.client.refused(9000, "Sip.addBalance", add("1e12"));
        let changed = acme.client.ok("Sip.addBalance", add("-0.0001"));
        assert_eq!(changed.text_at("new_balance"), "999999.9998");
    }

    // client-usage: the bulk action sends no description; B163 has the default.
    fn b163_the_description_may_be_missing(p) {
        let acme = with_alice(p);
        let without = record! { sipId: sip_id("alice@example.com"), value: "5" };
        acme.client.ok("Sip.addBalance", without.clone());
        acme.client.ok("Sip.addBalance", without.clone().with("description", ""));
        acme.client.refused(9000, "Sip.addBalance", without.with("description", "x".repeat(256)));
        let asked = record! { sipId: sip_id("alice@example.com"), count: 10 };
        let history = acme.client.ok("Sip.getCreditHistory", asked);
        assert_eq!(history.at("entries").children.len(), 2);
        assert_eq!(history.text_at("entries/0/description"), "Manual update");
        assert_eq!(history.text_at("entries/1/description"), "Manual update");
    }

    // Contract D3, 1080.
    fn refuses_accounts_that_are_not_prepaid(p) {
        let acme = with_alice(p);
        account(&acme.client, "bob@example.com");
        let bob = record! { sipId: sip_id("bob@example.com"), value: 1 };
        acme.client.refused(1080, "Sip.addBalance", bob);
    }

    fn refuses_unknown_and_foreign_accounts(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        let carol = customer(p, &acme, "carol");
        other.client.refused(1010, "Sip.addBalance", add(1));
        carol.client.refused(1010, "Sip.addBalance", add(1));
        p.admin().impersonating(other.id).refused(1010, "Sip.addBalance", add(1));
        let nobody = record! { sipId: sip_id("nobody@example.com"), value: 1 };
        acme.client.refused(1010, "Sip.addBalance", nobody);
        acme.client.refused(9001, "Sip.addBalance", record! { sipId: sip_id("alice@example.com") });
        acme.client.refused(9001, "Sip.addBalance", record! { value: 1 });
        acme.client.refused(9000, "Sip.addBalance", add("much"));
        p.admin().impersonating(acme.id).ok("Sip.addBalance", add(1));
        p.admin().ok("Sip.addBalance", add(1));
    }

    // B73: whoever may not change prepaid gives itself no money; B192: payments of a panel, which calls as the
    // administrator in the customer's name, go through.
    fn b73_b192_nobody_gives_itself_money(p) {
        let acme = with_alice(p);
        let child = customer(p, &acme, "child");
        acme.client.ok("Sip.updateDomain", record! {
            domain: record! { domain: "example.com", customer: child.id },
        });
        let set = |id, value: &str| p.admin().ok("Customer.setProperties", record! {
            customer: id, properties: vec![record! { name: "prepaid_changes", value: value }],
        });
        child.client.ok("Sip.addBalance", add(1));
        set(child.id, "0");
        child.client.refused(8005, "Sip.addBalance", add(1));
        acme.client.ok("Sip.addBalance", add(1));
        p.admin().impersonating(child.id).ok("Sip.addBalance", add(1));
        set(child.id, "1");
        set(acme.id, "0");
        child.client.refused(8005, "Sip.addBalance", add(1));
        acme.client.refused(8005, "Sip.addBalance", add(1));
        assert_eq!(p.admin().ok("Sip.addBalance", add(1)).text_at("new_balance"), "4");
    }

    // B71: the record stays while the flag is off. B57: it goes with the account.
    fn b57_b71_the_balance_belongs_to_the_account(p) {
        let acme = with_alice(p);
        acme.client.ok("Sip.addBalance", add(3));
        let alice = subscriber("alice@example.com");
        acme.client.ok("Sip.updateAccount", record! { account: alice.clone() });
        acme.client.refused(1080, "Sip.addBalance", add(1));
        acme.client.ok("Sip.updateAccount", record! { account: alice.with("prepaid", true) });
        assert_eq!(acme.client.ok("Sip.addBalance", add(1)).text_at("new_balance"), "4");
        acme.client.ok("Sip.deleteAccount", record! { sipId: sip_id("alice@example.com") });
        prepaid(&acme.client, "alice@example.com");
        let asked = record! { sipId: sip_id("alice@example.com"), count: 10 };
        let history = acme.client.ok("Sip.getCreditHistory", asked);
        assert_eq!(history.at("entries").children.len(), 0);
        assert_eq!(acme.client.ok("Sip.addBalance", add(1)).text_at("old_balance"), "0");
    }
}

// B161: 32 clients at one balance lose nothing, and each change is in the history with the balance after it.
#[test]
fn b161_parallel_changes_add_up() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start(backend);
        let acme = with_alice(&p);
        std::thread::scope(|scope| {
            for n in 0..32 {
                let client = &acme.client;
                scope.spawn(move || {
                    for _ in 0..3 {
                        client.ok("Sip.addBalance", add(if n % 2 == 0 { "0.3" } else { "-0.1" }));
                    }
                });
            }
        });
        let asked = record! { sipId: sip_id("alice@example.com"), count: 200 };
        let history = acme.client.ok("Sip.getCreditHistory", asked);
        assert_eq!(history.at("entries").children.len(), 96, "{backend}");
        assert_eq!(history.text_at("entries/0/balance"), "9.6", "{backend}");
        let status = record! { sipIds: vec![sip_id("alice@example.com")] };
        let status = acme.client.ok("Sip.getPrepaidStatus", status);
        assert_eq!(status.text_at("0/balance"), "9.6", "{backend}");
    }
}
