//! Sip.getAliases and getAliasesForAccount.

use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::{Value, both, query, record, sip_id};

both! {
    // B79: both ways to list an account's aliases.
    fn lists_and_filters(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        for (client, name) in [(&acme.client, "example.com"), (&acme.client, "alias.example"), (&other.client, "other.example")] {
            domain(client, name);
        }
        account(&acme.client, "alice@example.com");
        account(&acme.client, "bob@example.com");
        account(&other.client, "eve@other.example");
        for (client, id, target) in [
            (&acme.client, "b@example.com", "alice@example.com"),
            (&acme.client, "a@alias.example", "alice@example.com"),
            (&acme.client, "c@example.com", "bob@example.com"),
            (&other.client, "d@other.example", "eve@other.example"),
        ] {
            client.ok("Sip.addAlias", record! { alias: record! { id: sip_id(id), target: sip_id(target) } });
        }
        let list = |client: &ngn_tests::soap::Client, filter: Value| {
            let found = client.ok("Sip.getAliases", query(filter, "aliasUsername", "ASC", 0, 20));
            let names = found.column("aliases", "id/username");
            assert_eq!(found.int_at("total"), i64::try_from(names.len()).unwrap());
            names.concat()
        };
        let all = record! { aliasUsername: "", aliasDomain: "", targetUsername: "", targetDomain: "", owner: 0, customer: 0, reseller: 0 };
        assert_eq!(list(&p.admin(), all.clone()), "abcd");
        assert_eq!(list(&acme.client, all), "abc");
        assert_eq!(list(&acme.client, record! { targetUsername: "alice", targetDomain: "example.com" }), "ab");
        assert_eq!(list(&acme.client, record! { aliasDomain: "alias%" }), "a");
        assert_eq!(list(&p.admin(), record! { reseller: other.id }), "d");
        assert_eq!(list(&acme.client, record! { aliasUsername: "d" }), "");
        let found = acme.client.ok("Sip.getAliasesForAccount", record! { target: sip_id("alice@example.com") });
        let mut names: Vec<&str> = found.children.iter().map(|c| c.text_at("id/username")).collect();
        names.sort_unstable();
        assert_eq!(names.concat(), "ab");
        other.client.refused(1010, "Sip.getAliasesForAccount", record! { target: sip_id("alice@example.com") });
    }
}
