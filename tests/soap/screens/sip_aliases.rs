//! The screen of SIP aliases (client-usage §2.3).

use super::{listed, logins, open, tenants};
use ngn_tests::cdrtool::Php;
use ngn_tests::fixture::{account, domain};
use ngn_tests::{Value, both, query, record, sip_id};

fn filter(alias: &str, target: &str) -> Value {
    record! {
        aliasUsername: alias, aliasDomain: "", targetUsername: target, targetDomain: "",
        owner: 0, customer: 0, reseller: 0,
    }
}

both! {
    fn lists_adds_and_deletes(p) {
        let (acme, child) = tenants(p);
        domain(&child.client, "example.com");
        account(&child.client, "alice@example.com");
        for engine in logins(p, &child) {
            open(p, acme.id, child.id);
            let domains = engine.ok("Sip.getDomains", query(record! { domain: "" }, "domain", "ASC", 0, 500));
            assert_eq!(domains.text("domains/0/domain"), "example.com");
            let list = |alias: &str, target: &str| {
                engine.ok("Sip.getAliases", query(filter(alias, target), "changeDate", "DESC", 0, 20))
            };
            listed(&list("", ""), "aliases", 0);
            for n in 0..3 {
                let id = sip_id(&format!("al{n}@example.com"));
                let alias = record! { id: id, target: sip_id("alice@example.com"), owner: child.id };
                engine.execute("Sip.addAlias", record! { alias: alias });
            }
            let again = record! { id: sip_id("al0@example.com"), target: sip_id("alice@example.com"), owner: 0 };
            engine.refused(1021, "Sip.addAlias", record! { alias: again });
            let found = list("", "alice");
            for alias in listed(&found, "aliases", 3) {
                alias.reads("id/username:s id/domain:s target/username:s target/domain:s owner:i changeDate:s customer:i");
                assert_eq!((alias.int("owner"), alias.int("customer")), (child.id, child.id));
                assert_eq!(alias.text("target/username"), "alice");
            }
            let found = list("al1", "");
            assert_eq!(listed(&found, "aliases", 1)[0].text("id/username"), "al1");
            let key = record! { id: sip_id("al1@example.com") };
            assert_eq!(engine.execute("Sip.deleteAlias", key.clone()), Php::Flag(true));
            engine.refused(1020, "Sip.deleteAlias", key);
            // The keys of a bulk action, and the action.
            let keys = engine.ok("Sip.getAliases", query(filter("", ""), "aliasUsername", "DESC", 0, 500));
            let names: Vec<_> = keys.list("aliases").iter().map(|alias| alias.text("id/username")).collect();
            assert_eq!(names, ["al2", "al0"]);
            for name in names {
                engine.execute("Sip.deleteAlias", record! { id: sip_id(&format!("{name}@example.com")) });
            }
            listed(&list("", ""), "aliases", 0);
        }
    }
}
