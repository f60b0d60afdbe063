//! The screen of SIP domains with export and import (client-usage §2.1).

use super::{filled, listed, logins, open, tenants};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::fixture::account;
use ngn_tests::{Value, both, query, record, sip_id};

fn list(connection: &Connection, domain: &str) -> Php {
    let filter = record! { domain: domain, customer: 0, reseller: 0 };
    connection.ok("Sip.getDomains", query(filter, "changeDate", "DESC", 0, 20))
}

/// The form's record, or none.
fn one(connection: &Connection, domain: &str) -> Option<Php> {
    let filter = record! { domain: domain };
    let found = connection.ok("Sip.getDomains", query(filter, "changeDate", "DESC", 0, 1));
    found.list("domains").first().cloned()
}

const READ: &str = "domain:s customer:i reseller:i changeDate:s certificate:s private_key:s \
                    match_ip_address:s match_sip_domain:s verify_cert:b require_cert:b";

/// The whole of a customer's world as the export writes it, call by call.
fn export(engine: &Connection, customer: i64) -> Vec<(&'static str, Vec<Php>)> {
    let all = |filter: Value| {
        record! { query: record! { filter: filter, range: record! { start: 0, count: 1000 } } }
    };
    let filter = record! { domain: "", customer: customer, reseller: 0 };
    let domains = engine.ok("Sip.getDomains", all(filter.clone())).list("domains").to_vec();
    let accounts = engine.ok("Sip.getAccounts", all(filter)).list("accounts").to_vec();
    let (mut mailboxes, mut aliases, mut people) = (Vec::new(), Vec::new(), Vec::new());
    for account in &accounts {
        let (username, domain) = (account.text("id/username"), account.text("id/domain"));
        let sip_id = record! { username: username, domain: domain };
        match engine.call("Voicemail.getAccount", &record! { sipId: sip_id }) {
            Ok(mailbox) => mailboxes.push(mailbox),
            // 2000 and 1010: no mailbox, silently.
            Err(fault) => assert!(matches!(fault.code, 2000 | 1010), "{}", fault.text),
        }
        let filter = record! { targetUsername: username, targetDomain: domain };
        let query = record! { filter: filter, range: record! { start: 0, count: 20 } };
        let found = engine.ok("Sip.getAliases", record! { query: query });
        aliases.extend(found.list("aliases").iter().cloned());
    }
    let mut ids: Vec<i64> = domains
        .iter()
        .chain(&accounts)
        .flat_map(|record| [record.int("customer"), record.int("reseller")])
        .chain(accounts.iter().map(|account| account.int("owner")))
        .filter(|id| *id > 0)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        // Neither orderBy nor range.
        let query = record! { query: record! { filter: record! { customer: id } } };
        let found = engine.ok("Customer.getCustomers", query);
        assert_eq!(found.int("total"), 1);
        people.push(found.at("accounts/0").clone());
    }
    vec![
        ("customers", people),
        ("domains", domains),
        ("accounts", accounts),
        ("mailboxes", mailboxes),
        ("aliases", aliases),
    ]
}

/// What the import said to each record, by the code of its fault.
fn import(engine: &Connection, exported: &[(&'static str, Vec<Php>)]) -> Vec<(&'static str, i64)> {
    let mut said = Vec::new();
    let of = |kind: &str| exported.iter().find(|(name, _)| *name == kind).unwrap().1.clone();
    let mut call = |kind, operation: &str, parameters: Value| {
        let code = engine.call(operation, &parameters).err().map_or(0, |fault| fault.code);
        said.push((kind, code));
        code
    };
    for customer in of("customers") {
        call("customer", "Customer.addAccount", record! { account: customer.echo() });
    }
    for domain in of("domains") {
        if call("domain", "Sip.addDomain", record! { domain: domain.echo() }) == 1001 {
            call("domain again", "Sip.updateDomain", record! { domain: domain.echo() });
        }
    }
    for account in of("accounts") {
        let number = |name: &str| match account.at(name) {
            Php::Text(text) => text.parse().unwrap_or(0),
            Php::Flag(truth) => i64::from(*truth),
            Php::Int(number) => *number,
            other => panic!("{name} is {other:?}"),
        };
        let fields = ["callLimit", "prepaid", "quota", "owner", "timeout"]
            .map(|name| (name, Php::Int(number(name))));
        let account = filled(account.clone(), fields.to_vec());
        if call("account", "Sip.addAccount", record! { account: account.clone() }) == 1011 {
            call("account again", "Sip.updateAccount", record! { account: account });
        }
    }
    for alias in of("aliases") {
        call("alias", "Sip.addAlias", record! { alias: alias.echo() });
    }
    said
}

both! {
    fn lists_adds_updates_and_deletes(p) {
        let (acme, child) = tenants(p);
        for engine in logins(p, &child) {
            open(p, acme.id, child.id);
            listed(&list(&engine, ""), "domains", 0);
            assert_eq!(one(&engine, "example.com"), None);
            let new = record! { domain: "example.com", customer: child.id, reseller: acme.id };
            engine.execute("Sip.addDomain", record! { domain: new.clone() });
            // 1001: it exists.
            let text = engine.refused(1001, "Sip.addDomain", record! { domain: new });
            assert!(text.contains("example.com"), "{text}");
            let found = list(&engine, "");
            let listed = listed(&found, "domains", 1);
            listed[0].reads(READ);
            assert_eq!(listed[0].text("domain"), "example.com");
            assert_eq!((listed[0].int("customer"), listed[0].int("reseller")), (child.id, acme.id));
            assert_eq!(listed[0].text("changeDate").len(), 19);
            // Untouched flags read as false (R13).
            assert!(!listed[0].flag("verify_cert") && !listed[0].flag("require_cert"));
            // The form of the one domain: customer as a number, flags as 0 and 1 (W7).
            let form = vec![
                ("customer", child.id.into()),
                ("certificate", "PEM".into()),
                ("private_key", "KEY".into()),
                ("match_ip_address", "192.0.2.1".into()),
                ("match_sip_domain", "example.com".into()),
                ("verify_cert", Php::Int(1)),
                ("require_cert", Php::Int(0)),
                ("reseller", acme.id.into()),
            ];
            let domain = filled(one(&engine, "example.com").unwrap(), form);
            assert_eq!(engine.execute("Sip.updateDomain", record! { domain: domain }), Php::Flag(true));
            let now = one(&engine, "example.com").unwrap();
            now.reads(READ);
            assert_eq!(now.text("certificate"), "PEM");
            assert_eq!(now.text("match_ip_address"), "192.0.2.1");
            assert!(now.flag("verify_cert") && !now.flag("require_cert"));
            assert_eq!(engine.execute("Sip.deleteDomain", record! { domain: "example.com" }), Php::Flag(true));
            assert_eq!(one(&engine, "example.com"), None);
            engine.refused(1000, "Sip.deleteDomain", record! { domain: "example.com" });
        }
    }

    fn exports_and_imports(p) {
        let (acme, child) = tenants(p);
        let engine = Connection::admin_as(p, 0);
        for name in ["example.com", "example.net"] {
            let domain = record! { domain: name, customer: child.id, reseller: acme.id };
            engine.execute("Sip.addDomain", record! { domain: domain });
        }
        for address in ["alice@example.com", "bob@example.net"] {
            account(&p.admin(), address);
        }
        let mut alice = engine.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        for (name, value) in [("owner", Php::Int(child.id)), ("quota", Php::Int(50)), ("callLimit", Php::Int(3))] {
            alice.set(name, value);
        }
        alice.set("groups", Php::from(&["free-pstn", "missed-calls"][..]));
        engine.execute("Sip.updateAccount", record! { account: alice.echo() });
        engine.execute("Sip.addAlias", record! { alias: record! {
            id: sip_id("al@example.net"), target: sip_id("alice@example.com"), owner: child.id,
        } });
        engine.execute("Voicemail.addAccount", record! { account: record! {
            sipId: sip_id("alice@example.com"), name: "Alice", password: "1234",
            email: "alice@example.com", options: record! { delete: 1 },
        } });
        let exported = export(&engine, child.id);
        let sizes: Vec<_> = exported.iter().map(|(kind, records)| (*kind, records.len())).collect();
        let expected =
            [("customers", 2), ("domains", 2), ("accounts", 2), ("mailboxes", 1), ("aliases", 1)];
        assert_eq!(sizes, expected);
        // Everything is still there: each kind says so with its own code, and is updated where the client does that.
        assert_eq!(import(&engine, &exported), [
            ("customer", 5001), ("customer", 5001),
            ("domain", 1001), ("domain again", 0), ("domain", 1001), ("domain again", 0),
            ("account", 1011), ("account again", 0), ("account", 1011), ("account again", 0),
            ("alias", 1021),
        ]);
        let unchanged = |what: &[(&'static str, Vec<Php>)]| {
            what.iter().map(|(kind, records)| (*kind, without_dates(records))).collect::<Vec<_>>()
        };
        assert_eq!(unchanged(&export(&engine, child.id)), unchanged(&exported));
        // Nothing is there: the same records come back, ids included (B190).
        for address in ["alice@example.com", "bob@example.net"] {
            engine.execute("Sip.deleteAccount", record! { sipId: sip_id(address) });
        }
        for name in ["example.com", "example.net"] {
            engine.execute("Sip.deleteDomain", record! { domain: name });
        }
        for id in [child.id, acme.id] {
            engine.execute("Customer.deleteAccount", record! { id: id });
        }
        let said = import(&engine, &exported);
        assert!(said.iter().all(|(_, code)| *code == 0), "{said:?}");
        let again = export(&engine, child.id);
        let mut expected = unchanged(&exported);
        // The import leaves voicemail out.
        expected[3].1.clear();
        assert_eq!(unchanged(&again), expected);
    }
}

/// Records without the dates that every write sets anew.
fn without_dates(records: &[Php]) -> Vec<Php> {
    let mut records = records.to_vec();
    for record in &mut records {
        for date in ["changeDate", "createDate"] {
            record.unset(date);
        }
    }
    records
}
