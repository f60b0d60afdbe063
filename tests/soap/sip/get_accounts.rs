//! Sip.getAccounts.

use ngn_tests::fixture::{account, customer, domain, reseller, subscriber};
use ngn_tests::soap::Client;
use ngn_tests::{Value, both, matching, query, record};

fn list(client: &Client, filter: Value) -> String {
    let found = client.ok("Sip.getAccounts", query(filter, "username", "ASC", 0, 20));
    let names = found.column("accounts", "id/username");
    assert_eq!(found.int_at("total"), i64::try_from(names.len()).unwrap());
    names.join(" ")
}

both! {
    fn filters(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        domain(&acme.client, "example.net");
        let add = |address: &str, more: &dyn Fn(Value) -> Value| {
            acme.client.ok("Sip.addAccount", record! { account: more(subscriber(address)) });
        };
        add("alice@example.com", &|a| a.with("groups", ["vip", "free-pstn"]).with("firstName", "Alice"));
        add("bob@example.com", &|a| a.with("groups", ["free-pstn"]).with("prepaid", true).with("owner", acme.id));
        add("carol@example.net", &|a| a.with("lastName", "Jansen").with("email", "c@mail.example"));
        let by = |filter| list(&acme.client, filter);
        // As the screen sends it: every member, empty ones restrict nothing, groups a list of one empty string.
        let all = record! {
            username: "", domain: "", firstName: "", lastName: "", email: "", owner: 0, customer: 0, reseller: 0,
            groups: [""],
        };
        assert_eq!(by(all), "alice bob carol");
        assert_eq!(by(record! { username: "%o%" }), "bob carol");
        assert_eq!(by(record! { username: "ALICE" }), "alice");
        assert_eq!(by(record! { domain: "example.net" }), "carol");
        assert_eq!(by(record! { firstName: "ali%", domain: "%.com" }), "alice");
        assert_eq!(by(record! { lastName: "jansen" }), "carol");
        assert_eq!(by(record! { email: "%mail.example" }), "carol");
        assert_eq!(by(record! { owner: acme.id }), "bob");
        // B42: all of the groups; prepaid is one without being stored.
        assert_eq!(by(record! { groups: ["free-pstn"] }), "alice bob");
        assert_eq!(by(record! { groups: ["free-pstn", "vip"] }), "alice");
        assert_eq!(by(record! { groups: ["prepaid"] }), "bob");
        assert_eq!(by(record! { groups: ["free-pstn", "", "prepaid"] }), "bob");
        assert_eq!(by(record! { groups: ["blocked"] }), "");
        assert_eq!(by(record! { groups: ["voicemail"] }), "");
    }

    fn shows_only_visible_accounts(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        domain(&child.client, "child.example");
        domain(&acme.client, "acme.example");
        domain(&other.client, "other.example");
        account(&child.client, "a@child.example");
        account(&acme.client, "b@acme.example");
        account(&other.client, "c@other.example");
        let all = Value::empty;
        assert_eq!(list(&p.admin(), all()), "a b c");
        assert_eq!(list(&acme.client, all()), "a b");
        assert_eq!(list(&child.client, all()), "a");
        assert_eq!(list(&p.admin(), record! { reseller: acme.id }), "a b");
        assert_eq!(list(&p.admin(), record! { customer: child.id }), "a");
        assert_eq!(list(&acme.client, record! { reseller: other.id }), "");
        assert_eq!(list(&p.admin(), record! { username: "a", domain: "child.example" }), "a");
    }

    // B45, B46, and pages of the size that bulk actions ask for.
    fn pages_through_many(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        for n in 0..45 {
            account(&admin, &format!("u{n:02}@example.com"));
        }
        let mut seen = Vec::new();
        for start in [0, 20, 40, 60] {
            let found = admin.ok("Sip.getAccounts", query(Value::empty(), "email", "DESC", start, 20));
            assert_eq!(found.int_at("total"), 45);
            seen.extend(found.column("accounts", "id/username").into_iter().map(str::to_owned));
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((count, seen.len()), (45, 45));
        let found = admin.ok("Sip.getAccounts", query(Value::empty(), "username", "DESC", 0, 500));
        assert_eq!(found.column("accounts", "id/username")[..2], ["u44", "u43"]);
        let found = admin.ok("Sip.getAccounts", matching(Value::empty()));
        assert_eq!(found.at("accounts").children.len(), 45);
        let found = admin.ok("Sip.getAccounts", query(Value::empty(), "username", "ASC", 0, 0));
        assert_eq!(found.int_at("total"), 45);
    }
}
