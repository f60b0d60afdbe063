//! Sip.getTrustedPeers.

use ngn_tests::fixture::{customer, reseller};
use ngn_tests::{Value, both, matching, query, record};

both! {
    // B40, B41, B43.
    fn filters(p) {
        let acme = reseller(p, "acme");
        for (i, (tags, teams, blocked)) in [("red,blue", true, 0), ("", false, 0), ("Blue", false, 2)].into_iter().enumerate() {
            p.admin().ok("Sip.addTrustedPeer", record! { peer: record! {
                ip: format!("203.0.113.{i}"), description: format!("Peer {i}"), tags: tags, msteams: teams,
                blocked: blocked, tenant: "Tenant", billingId: format!("b{i}"), reseller: acme.id, owner: acme.id,
                protocol: if i == 1 { "udp" } else { "any" }, tag: format!("T{i}"),
            } });
        }
        let check = |filter: Value, expected: &[&str]| {
            let found = p.admin().ok("Sip.getTrustedPeers", query(filter.clone(), "ip", "ASC", 0, 20));
            assert_eq!(found.column("peers", "ip"), expected, "{filter:?}");
            assert_eq!(found.int_at("total"), i64::try_from(expected.len()).unwrap());
        };
        let all = ["203.0.113.0", "203.0.113.1", "203.0.113.2"];
        check(record! { tags: "%%", owner: 0 }, &all);
        check(record! { tags: "%blue%" }, &[all[0], all[2]]);
        check(record! { msteams: true }, &[all[0]]);
        check(record! { msteams: false }, &[all[1], all[2]]);
        check(record! { blocked: 0 }, &[all[0], all[1]]);
        check(record! { blocked: 2 }, &[all[2]]);
        check(record! { ip: "203.0.113.%", description: "peer _" }, &all);
        check(record! { ip: "203.0.113.1" }, &[all[1]]);
        check(record! { description: "peer" }, &[]);
        check(record! { tenant: "TENANT", billingId: "B2" }, &[all[2]]);
        check(record! { protocol: "udp" }, &[all[1]]);
        check(record! { tag: "t0" }, &[all[0]]);
        check(record! { owner: acme.id, reseller: acme.id }, &all);
        check(record! { customer: 4711 }, &[]);
    }

    // B44-B46: order and pages.
    fn sorts_and_pages(p) {
        for (ip, description) in [("203.0.113.3", "a"), ("203.0.113.1", "b"), ("203.0.113.2", "a")] {
            p.admin().ok("Sip.addTrustedPeer", record! { peer: record! { ip: ip, description: description } });
        }
        let page = |order: &str, direction: &str, start, count| {
            let found = p.admin().ok("Sip.getTrustedPeers", query(Value::empty(), order, direction, start, count));
            assert_eq!(found.int_at("total"), 3);
            found.column("peers", "ip").into_iter().map(|ip| ip[10..].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(page("description", "ASC", 0, 20), ["2", "3", "1"]);
        assert_eq!(page("description", "DESC", 0, 2), ["1", "3"]);
        assert_eq!(page("description", "ASC", 2, 2), ["1"]);
        assert_eq!(page("ip", "DESC", 0, 20), ["3", "2", "1"]);
        assert_eq!(page("changeDate", "ASC", 5, 20), Vec::<String>::new());
    }

    // B11, B12, B18, B148.
    fn shows_what_may_be_seen(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        for (i, reseller) in [acme.id, other.id, 0].into_iter().enumerate() {
            p.admin().ok("Sip.addTrustedPeer", record! { peer: record! {
                ip: format!("203.0.113.{i}"), reseller: reseller,
            } });
        }
        let seen = acme.client.ok("Sip.getTrustedPeers", matching(Value::empty()));
        assert_eq!((seen.column("peers", "ip"), seen.int_at("total")), (vec!["203.0.113.0"], 1));
        let none = acme.client.ok("Sip.getTrustedPeers", matching(record! { reseller: other.id }));
        assert_eq!(none.int_at("total"), 0);
        let narrowed = p.admin().ok("Sip.getTrustedPeers", matching(record! { reseller: other.id }));
        assert_eq!(narrowed.column("peers", "ip"), ["203.0.113.1"]);
        child.client.refused(8003, "Sip.getTrustedPeers", matching(Value::empty()));
        let as_acme = p.admin().impersonating(acme.id).ok("Sip.getTrustedPeers", matching(Value::empty()));
        assert_eq!(as_acme.int_at("total"), 1);
    }
}
