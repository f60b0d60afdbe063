//! The screen of SIP accounts with its bulk actions (client-usage §2.2).

use super::{filled, listed, logins, open, remember, tenants};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::fixture::Tenant;
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, query, record, sip_id};

const READ: &str = "id/username:s id/domain:s firstName:s lastName:s email:s timezone:s callLimit:i? quota:i? \
                    owner:i? reseller:i customer:i prepaid:b changeDate:s";

/// What the client asks for before it shows anything: the domains to choose from.
fn domains(connection: &Connection) -> Vec<String> {
    let all = query(record! { domain: "" }, "domain", "ASC", 0, 750);
    let found = connection.ok("Sip.getDomains", all);
    found.list("domains").iter().map(|domain| domain.text("domain").to_owned()).collect()
}

fn filter(username: &str, domain: &str, group: &str) -> Value {
    record! {
        username: username, domain: domain, firstName: "", lastName: "", email: "",
        owner: 0, customer: 0, reseller: 0, groups: [group],
    }
}

fn list(connection: &Connection, filter: Value) -> Php {
    connection.ok("Sip.getAccounts", query(filter, "changeDate", "DESC", 0, 20))
}

/// The form of a new account.
fn form(username: &str, domain: &str, owner: i64, prepaid: i64) -> Value {
    let groups: Vec<Value> = ["free-pstn"]
        .into_iter()
        .chain((prepaid == 1).then_some("prepaid"))
        .map(Value::from)
        .collect();
    record! { account: record! {
        id: record! { username: username, domain: domain },
        firstName: "Account", lastName: "Unknown", password: "qwertyuiop", timezone: "Europe/Amsterdam",
        email: format!("{username}@{domain}"), owner: owner, rpid: "31201234567", groups: groups,
        prepaid: prepaid, quota: 50,
        acl: vec![record! { ip: "192.0.2.0", mask: 24 }],
        properties: vec![record! { name: "language", value: "nl" }],
        callLimit: 3,
    } }
}

/// The reseller, its customer and a domain of it.
fn with_domain(p: &Platform) -> (Tenant, Tenant) {
    let (acme, child) = tenants(p);
    let domain = record! { domain: "example.com", customer: child.id, reseller: acme.id };
    Connection::admin_as(p, 0).execute("Sip.addDomain", record! { domain: domain });
    (acme, child)
}

/// An action on one account of a bulk: get, modify, update, with the member that no server knows.
#[track_caller]
fn modify(connection: &Connection, address: &str, fields: Vec<(&str, Php)>) {
    let account = connection.ok("Sip.getAccount", record! { sipId: sip_id(address) });
    let quota = if account.at("quota").truthy() { account.int("quota") } else { 0 };
    let mut all = fields;
    if !all.iter().any(|(name, _)| *name == "quota") {
        all.push(("quota", quota.into()));
    }
    all.push(("answerTimeout", Php::Int(0)));
    let updated = filled(account, all);
    assert_eq!(
        connection.execute("Sip.updateAccount", record! { account: updated }),
        Php::Flag(true)
    );
}

both! {
    fn lists_adds_and_deletes(p) {
        let (acme, child) = with_domain(p);
        let engine = Connection::admin_as(p, child.id);
        open(p, acme.id, child.id);
        assert_eq!(domains(&engine), ["example.com"]);
        listed(&list(&engine, filter("", "", "")), "accounts", 0);
        // The form of a new account: does the reseller store clear passwords?
        let found = engine.ok("Sip.getDomains", query(record! { domain: "example.com" }, "changeDate", "DESC", 0, 1));
        assert_eq!(found.int("domains/0/reseller"), acme.id);
        let properties = Connection::admin_as(p, acme.id);
        let properties = properties.ok("Customer.getProperties", record! { customer: acme.id });
        properties.items().iter().for_each(|property| property.reads("name:s value:s"));
        remember(&Connection::admin_as(p, acme.id), child.id, &[
            ("sip_accounts_last_domain", "example.com"), ("sip_accounts_last_username", "alice"),
            ("sip_accounts_last_timezone", "Europe/Amsterdam"), ("sip_accounts_last_quota", "50"),
            ("sip_accounts_last_pstn", "1"), ("sip_accounts_last_prepaid", ""),
        ]);
        let added = engine.execute("Sip.addAccount", form("alice", "example.com", child.id, 0));
        added.reads("id/username:s id/domain:s email:s");
        assert_eq!((added.text("id/username"), added.text("email")), ("alice", "alice@example.com"));
        engine.refused(1011, "Sip.addAccount", form("alice", "example.com", child.id, 0));
        engine.refused(1000, "Sip.addAccount", form("alice", "example.net", child.id, 0));
        // The server gives the number (B54), and the client shows the one it got.
        engine.execute("Sip.addAccount", form("3120", "example.com", child.id, 1));
        let next = engine.execute("Sip.addAccount", form("<autoincrement>", "example.com", child.id, 1));
        assert_eq!((next.text("id/username"), next.text("id/domain")), ("3121", "example.com"));
        let page = list(&engine, filter("", "", ""));
        let accounts = listed(&page, "accounts", 3);
        for account in accounts {
            account.reads(READ);
            assert_eq!((account.int("customer"), account.int("reseller")), (child.id, acme.id));
            assert_eq!((account.int("owner"), account.int("quota"), account.int("callLimit")), (child.id, 50, 3));
        }
        // Balances of the prepaid accounts of the page, in its order.
        let prepaid: Vec<Value> = accounts
            .iter()
            .filter(|account| account.flag("prepaid"))
            .map(|account| record! { username: account.text("id/username"), domain: account.text("id/domain") })
            .collect();
        assert_eq!(prepaid.len(), 2);
        let status = engine.ok("Sip.getPrepaidStatus", record! { sipIds: prepaid });
        assert_eq!(status.items().len(), 2);
        for one in status.items() {
            assert_eq!(one.float("balance"), 0.0);
        }
        // The search forms: an address is split, groups are asked for by name.
        let found = list(&engine, filter("alice", "example.com", ""));
        assert_eq!(listed(&found, "accounts", 1)[0].text("id/username"), "alice");
        listed(&list(&engine, filter("", "", "free-pstn")), "accounts", 3);
        listed(&list(&engine, filter("", "", "prepaid")), "accounts", 2);
        listed(&list(&engine, filter("", "", "blocked")), "accounts", 0);
        for order in ["username", "domain"] {
            let found = engine.ok("Sip.getAccounts", query(filter("", "", ""), order, "ASC", 0, 20));
            assert_eq!(found.text("accounts/0/id/username"), "3120", "{order}");
        }
        let key = record! { sipId: sip_id("alice@example.com") };
        assert_eq!(engine.execute("Sip.deleteAccount", key.clone()), Php::Flag(true));
        engine.refused(1010, "Sip.deleteAccount", key.clone());
        engine.refused(1010, "Sip.getAccount", key);
    }

    fn bulk_actions(p) {
        let (_, child) = with_domain(p);
        for engine in logins(p, &child) {
            for username in ["alice", "bob", "3120"] {
                engine.execute("Sip.addAccount", form(username, "example.com", child.id, 0));
            }
            let found = engine.ok("Sip.getAccounts", query(filter("", "example.com", ""), "username", "ASC", 0, 500));
            let keys: Vec<String> = found
                .list("accounts")
                .iter()
                .map(|account| format!("{}@{}", account.text("id/username"), account.text("id/domain")))
                .collect();
            assert_eq!(keys, ["3120@example.com", "alice@example.com", "bob@example.com"]);
            let group = |operation: &str, address: &str, group: &str| {
                let parameters = record! { sipId: sip_id(address), group: group };
                engine.call(operation, &parameters).map(|result| result.truthy()).map_err(|fault| fault.code)
            };
            for (on, off, name, is_member) in [
                ("block", "deblock", "blocked", false),
                ("enable_pstn", "disable_pstn", "free-pstn", true),
                ("addtogroup", "removefromgroup", "trunking", false),
            ] {
                for address in &keys {
                    let first = group("Sip.addToGroup", address, name);
                    assert_eq!(first.is_err(), is_member, "{on} {address}: {first:?}");
                    assert_eq!(group("Sip.addToGroup", address, name), Err(1030), "{on} again");
                    assert!(group("Sip.removeFromGroup", address, name).is_ok(), "{off}");
                    assert_eq!(group("Sip.removeFromGroup", address, name), Err(1031), "{off} again");
                }
            }
            for address in &keys {
                assert_eq!(group("Sip.removeFromGroup", address, "quota"), Err(1031));
                modify(&engine, address, vec![("quota", Php::Int(75))]);
                modify(&engine, address, vec![("rpid", "31207654321".into())]);
                modify(&engine, address, vec![("owner", Php::Int(0))]);
                // B15: a customer that is set here is the domain's, whatever is sent.
                modify(&engine, address, vec![("customer", Php::Int(4711))]);
                modify(&engine, address, vec![("firstName", "First".into())]);
                modify(&engine, address, vec![("lastName", "Last".into())]);
                modify(&engine, address, vec![("password", "another-one".into())]);
                modify(&engine, address, vec![("prepaid", Php::Int(1))]);
                let now = engine.ok("Sip.getAccount", record! { sipId: sip_id(address) });
                now.reads(READ);
                let texts = ["firstName", "lastName", "rpid", "password"];
                assert_eq!(texts.map(|name| now.text(name)), ["First", "Last", "31207654321", "another-one"]);
                assert_eq!((now.int("quota"), now.int("customer")), (75, child.id));
                assert!(now.flag("prepaid") && !now.at("owner").truthy());
                // What no action touched came back with each update.
                assert_eq!((now.text("acl/0/ip"), now.int("acl/0/mask")), ("192.0.2.0", 24));
                assert_eq!((now.text("properties/0/name"), now.int("callLimit")), ("language", 3));
                // addbalance: the flag is read first; the value is a text, and old clients send no description.
                let changed = engine.execute("Sip.addBalance", record! { sipId: sip_id(address), value: "10" });
                assert!(changed.truthy());
                assert_eq!((changed.float("old_balance"), changed.float("new_balance")), (0.0, 10.0));
                modify(&engine, address, vec![("prepaid", Php::Int(0))]);
                engine.refused(1080, "Sip.addBalance", record! { sipId: sip_id(address), value: "10" });
            }
            for address in &keys {
                engine.execute("Sip.deleteAccount", record! { sipId: sip_id(address) });
            }
            listed(&list(&engine, filter("", "", "")), "accounts", 0);
        }
    }

    // B185: who forgot a password is found by address or by electronic mail.
    fn reminds_of_passwords(p) {
        let (_, child) = with_domain(p);
        let engine = Connection::admin_as(p, 0);
        engine.execute("Sip.addAccount", form("alice", "example.com", child.id, 0));
        for filter in [
            record! { username: "alice", domain: "example.com", email: "alice@example.com" },
            record! { email: "alice@example.com" },
            record! { username: "alice", domain: "example.com" },
        ] {
            let found = engine.ok("Sip.getAccounts", query(filter, "changeDate", "DESC", 0, 5));
            let mut account = listed(&found, "accounts", 1)[0].clone();
            account.reads("email:s password:s properties:a id/username:s id/domain:s timezone:s");
            account.set("password", "reminded".into());
            account.set("properties", Php::List(vec![Php::Object(vec![
                ("name".to_owned(), "web_password".into()), ("value".to_owned(), "w".into()),
            ])]));
            engine.execute("Sip.updateAccount", record! { account: account.echo() });
        }
        let now = engine.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(now.text("password"), "reminded");
        assert_eq!(now.text("properties/0/name"), "web_password");
        assert_eq!(now.texts("groups"), ["free-pstn"]);
    }
}
