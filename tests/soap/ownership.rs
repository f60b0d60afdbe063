//! Who may see and change what (B9-B19): one table of records against one table of callers, over all ports.

use ngn_tests::fixture::{
    Tenant, account, customer, dns_record, dns_zone, domain, enum_id, enum_number, enum_range,
    range, reseller, subscriber, zone,
};
use ngn_tests::soap::Client;
use ngn_tests::{Value, both, matching, record, sip_id};

/// Everything that a stranger may try on the records of [`world`], with the fault that hides them.
fn attempts() -> Vec<(&'static str, Value, i64)> {
    vec![
        ("Sip.updateDomain", record! { domain: record! { domain: "example.com" } }, 1000),
        ("Sip.deleteDomain", record! { domain: "example.com" }, 1000),
        ("Sip.addAccount", record! { account: subscriber("new@example.com") }, 1000),
        ("Sip.getAccount", record! { sipId: sip_id("alice@example.com") }, 1010),
        ("Sip.updateAccount", record! { account: subscriber("alice@example.com") }, 1010),
        ("Sip.deleteAccount", record! { sipId: sip_id("alice@example.com") }, 1010),
        ("Sip.addToGroup", record! { sipId: sip_id("alice@example.com"), group: "blocked" }, 1010),
        ("Sip.removeFromGroup", record! { sipId: sip_id("alice@example.com"), group: "vip" }, 1010),
        ("Sip.getGroups", record! { sipId: sip_id("alice@example.com") }, 1010),
        (
            "Sip.setCallDiversions",
            record! {
                sipId: sip_id("alice@example.com"),
                diversions: record! { FUNC: "sip:eve@example.com" },
            },
            1010,
        ),
        ("Sip.getCallDiversions", record! { sipId: sip_id("alice@example.com") }, 1010),
        ("Sip.getAcceptRules", record! { sipId: sip_id("alice@example.com") }, 1010),
        ("Sip.getRejectMembers", record! { sipId: sip_id("alice@example.com") }, 1010),
        ("Sip.getBarringPrefixes", record! { sipId: sip_id("alice@example.com") }, 1010),
        ("Sip.getPhonebookEntries", record! { sipId: sip_id("alice@example.com") }, 1010),
        ("Sip.getAlias", record! { id: sip_id("info@example.com") }, 1020),
        ("Sip.deleteAlias", record! { id: sip_id("info@example.com") }, 1020),
        ("Enum.updateRange", record! { range: enum_range("3120") }, 3000),
        ("Enum.deleteRange", record! { range: record! { prefix: "3120", tld: "e164.arpa" } }, 3000),
        ("Enum.addNumber", record! { number: enum_number("31209", "sip:x@example.org") }, 3004),
        ("Enum.getNumber", record! { enumId: enum_id("31201") }, 3002),
        ("Enum.updateNumber", record! { number: enum_number("31201", "sip:x@example.org") }, 3002),
        ("Enum.deleteNumber", record! { enumId: enum_id("31201") }, 3002),
        ("Dns.getZone", record! { zone: "example.net" }, 7000),
        ("Dns.updateZone", record! { zone: dns_zone("example.net") }, 7000),
        ("Dns.deleteZone", record! { zone: "example.net" }, 7000),
        (
            "Dns.addRecord",
            record! { record: dns_record("example.net", "x", "A", "192.0.2.1") },
            7000,
        ),
    ]
}

/// One record of every kind, created by the tenant.
fn world(of: &Tenant) {
    domain(&of.client, "example.com");
    account(&of.client, "alice@example.com");
    of.client.ok("Sip.addToGroup", record! { sipId: sip_id("alice@example.com"), group: "vip" });
    of.client.ok(
        "Sip.addAlias",
        record! { alias: record! {
            id: sip_id("info@example.com"), target: sip_id("alice@example.com"),
        } },
    );
    range(&of.client, "3120");
    of.client
        .ok("Enum.addNumber", record! { number: enum_number("31201", "sip:alice@example.com") });
    zone(&of.client, "example.net");
    of.client.ok(
        "Dns.addRecord",
        record! { record: dns_record("example.net", "www", "A", "192.0.2.1") },
    );
}

/// The lists that would show the records of [`world`].
const LISTS: [&str; 7] = [
    "Sip.getDomains",
    "Sip.getAccounts",
    "Sip.getAliases",
    "Enum.getRanges",
    "Enum.getNumbers",
    "Dns.getZones",
    "Dns.getRecords",
];

fn sees(client: &Client) -> Vec<i64> {
    LISTS.iter().map(|list| client.ok(list, matching(Value::empty())).int_at("total")).collect()
}

both! {
    // B10, D3: for a stranger the records do not exist; nothing that it tries changes them.
    fn strangers_see_and_change_nothing(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let (sibling, foreign) = (customer(p, &acme, "sibling"), customer(p, &other, "foreign"));
        world(&child);
        for stranger in [&other, &sibling, &foreign] {
            for (operation, parameters, code) in attempts() {
                stranger.client.refused(code, operation, parameters);
            }
            assert_eq!(sees(&stranger.client), [0; 7]);
        }
        let alice = child.client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(alice.texts_at("groups"), ["vip"]);
        assert_eq!(sees(&child.client), [1; 7]);
    }

    // B10: the owner, its reseller, one who acts as it, and the administrator can do all of it.
    fn owners_and_those_above_see_and_change_everything(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        let deputy = customer(p, &acme, "deputy");
        acme.client.ok("Customer.updateAccount", record! {
            account: ngn_tests::fixture::person("deputy").with("id", deputy.id).with("impersonate", acme.id),
        });
        for caller in [
            child.client.clone(), acme.client.clone(), deputy.client.clone(), p.admin(),
            p.admin().impersonating(child.id), p.admin().impersonating(acme.id), acme.client.impersonating(child.id),
        ] {
            world(&child);
            assert_eq!(sees(&caller), [1; 7]);
            let order = [
                "Sip.updateDomain", "Sip.getAccount", "Sip.updateAccount", "Sip.addToGroup", "Sip.getGroups",
                "Sip.setCallDiversions", "Sip.getCallDiversions", "Sip.getAcceptRules", "Sip.getRejectMembers",
                "Sip.getBarringPrefixes", "Sip.getPhonebookEntries", "Sip.removeFromGroup", "Sip.getAlias", "Sip.deleteAlias", "Sip.deleteAccount", "Sip.deleteDomain",
                "Enum.updateRange", "Enum.getNumber", "Enum.updateNumber", "Enum.deleteNumber", "Enum.deleteRange",
                "Dns.getZone", "Dns.updateZone", "Dns.addRecord", "Dns.deleteZone",
            ];
            for operation in order {
                let (_, mut parameters, _) = attempts().into_iter().find(|(name, ..)| *name == operation).unwrap();
                if operation == "Sip.removeFromGroup" {
                    // The update before has replaced the groups (B58).
                    parameters = record! { sipId: sip_id("alice@example.com"), group: "blocked" };
                }
                caller.ok(operation, parameters);
            }
            assert_eq!(sees(&caller), [0; 7]);
        }
    }

    // B13: being the owner of a record gives no rights to it.
    fn the_owner_attribute_gives_no_rights(p) {
        let acme = reseller(p, "acme");
        let friend = customer(p, &acme, "friend");
        domain(&acme.client, "example.com");
        acme.client.ok("Sip.addAccount", record! { account: subscriber("alice@example.com").with("owner", friend.id) });
        friend.client.refused(1010, "Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        let found = acme.client.ok("Sip.getAccounts", matching(record! { owner: friend.id }));
        assert_eq!(found.int_at("total"), 1);
        assert_eq!(friend.client.ok("Sip.getAccounts", matching(record! { owner: friend.id })).int_at("total"), 0);
    }

    // B18, B170: ports that are not for plain customers, and those that are for the administrator alone.
    fn some_ports_are_reserved(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        for operation in [
            "Sip.getCarriers", "Sip.getGateways", "Sip.getGatewayRules", "Sip.getRoutes", "Sip.getTrustedPeers",
        ] {
            child.client.refused(8003, operation, matching(Value::empty()));
            assert_eq!(acme.client.ok(operation, matching(Value::empty())).int_at("total"), 0);
            assert_eq!(p.admin().ok(operation, matching(Value::empty())).int_at("total"), 0);
        }
        for operation in ["Network.getStatus", "Network.getStatistics", "Sip.getMediaSummary", "Sip.getMediaSessions"] {
            for client in [&child.client, &acme.client] {
                client.refused(8003, operation, Value::empty());
            }
            // The ports in the answers differ from one platform to the other, so these are not compared.
            let admin = Client { transcript: Default::default(), ..p.admin() };
            admin.ok(operation, Value::empty());
        }
    }
}
