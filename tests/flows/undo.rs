//! `ngn undo` of what belongs to an account, and of what leads calls to the telephone network.

use crate::journal::{last, newest, ok, refused};
use ngn_tests::fixture::{account, carrier, domain, gateway, gateway_rule, route, subscriber};
use ngn_tests::soap::Client;
use ngn_tests::{Value, both, record, sip_id};

const ALICE: &str = "alice@example.com";

fn of_alice() -> Value {
    record! { sipId: sip_id(ALICE) }
}

fn alice(admin: &Client) {
    domain(admin, "example.com");
    account(admin, ALICE);
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| Value::from(*item)).collect())
}

both! {
    fn call_options_come_back(p) {
        let admin = p.admin();
        alice(&admin);
        let divert = |diversions: Value| admin.ok("Sip.setCallDiversions", of_alice().with("diversions", diversions));
        let diversions = || admin.ok("Sip.getCallDiversions", of_alice());
        divert(record! { FBUS: "<voice-mailbox>", RNOA: "sip:bob@example.net" });
        divert(record! { FUNC: "sip:carol@example.net" });
        ok(p, &["undo", &last(p, "diversions", ALICE)]);
        let now = diversions();
        assert_eq!((now.text_at("FBUS"), now.text_at("RNOA")), ("<voice-mailbox>", "sip:bob@example.net"));
        assert!(now.text_at("FUNC").is_empty());

        // B88: what went with the mailbox.
        let mailbox = record! { sipId: sip_id(ALICE), mailbox: "1234", password: "99", name: "Alice" };
        admin.ok("Voicemail.addAccount", record! { account: mailbox });
        admin.ok("Voicemail.deleteAccount", of_alice());
        assert!(diversions().text_at("FBUS").is_empty());
        ok(p, &["undo", &last(p, "diversions", ALICE)]);
        assert_eq!(diversions().text_at("FBUS"), "<voice-mailbox>");
        let position = last(p, "voicemail", ALICE);
        let said = refused(p, &["undo", &position]);
        assert!(said.contains("PIN") && said.contains("--partial"), "{said}");
        ok(p, &["undo", &position, "--partial"]);
        let other = record! { sipId: sip_id(ALICE), name: "Other", password: "98" };
        admin.ok("Voicemail.updateAccount", record! { account: other });
        ok(p, &["undo", &last(p, "voicemail", ALICE), "--partial"]);
        let now = admin.ok("Voicemail.getAccount", of_alice());
        assert_eq!((now.text_at("mailbox"), now.text_at("name")), ("1234", "Alice"));

        for (set, get, member, entity) in [
            ("Sip.setBarringPrefixes", "Sip.getBarringPrefixes", "prefixes", "barring_prefixes"),
            ("Sip.setRejectMembers", "Sip.getRejectMembers", "members", "reject_members"),
        ] {
            let first = if member == "members" { ["sip:x@example.net", "sip:y@example.net"] } else { ["+39900", "+31900"] };
            admin.ok(set, of_alice().with(member, list(&first)));
            let now = || admin.ok(get, of_alice()).children.iter().map(|item| item.text.clone()).collect::<Vec<_>>();
            let before = now();
            assert_eq!(before.len(), 2);
            admin.ok(set, of_alice().with(member, list(&[])));
            assert!(now().is_empty());
            ok(p, &["undo", &last(p, entity, ALICE)]);
            assert_eq!(now(), before);
        }

        let rule = record! { days: 3, start: "08:00", stop: "17:00", groups: list(&["friends"]) };
        let accept = |rules: Value| admin.ok("Sip.setAcceptRules", of_alice().with("rules", rules));
        let rules = || admin.ok("Sip.getAcceptRules", of_alice());
        accept(record! { persistent: vec![rule], temporary: record! { groups: list(&["nobody"]), duration: 0 } });
        accept(record! { persistent: list(&[]) });
        assert!(rules().at("rules/persistent").children.is_empty());
        ok(p, &["undo", &last(p, "accept_rules", ALICE)]);
        assert_eq!(rules().int_at("rules/persistent/item/days"), 3);
        assert_eq!(rules().texts_at("rules/temporary/groups"), ["nobody"]);
    }

    fn phone_books_balances_and_rates_come_back(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        admin.ok("Sip.addAccount", record! { account: subscriber(ALICE).with("prepaid", true) });
        let entry = |name: &str| of_alice().with("entry", record! { uri: "sip:bob@example.net", name: name, group: "friends" });
        let key = format!("{ALICE} sip:bob@example.net");
        let names = || {
            let found = admin.ok("Sip.getPhonebookEntries", of_alice().with("match", record! { name: "%" }));
            let entries = &found.at("entries").children;
            entries.iter().map(|entry| entry.text_at("name").to_owned()).collect::<Vec<_>>()
        };
        admin.ok("Sip.addPhonebookEntry", entry("Bob"));
        admin.ok("Sip.updatePhonebookEntry", entry("Robert"));
        ok(p, &["undo", &last(p, "phonebook_entry", &key)]);
        assert_eq!(names(), ["Bob"]);
        admin.ok("Sip.deletePhonebookEntry", of_alice().with("uri", "sip:bob@example.net"));
        ok(p, &["undo", &last(p, "phonebook_entry", &key)]);
        assert_eq!(names(), ["Bob"]);
        ok(p, &["undo", &last(p, "phonebook_entry", &key)]);
        assert!(names().is_empty());

        admin.ok("Sip.addBalance", of_alice().with("value", 7.25));
        admin.ok("Sip.addBalance", of_alice().with("value", 1.5).with("description", "by mistake"));
        let said = refused(p, &["undo", &format!("{}", last(p, "prepaid", ALICE).parse::<u64>().unwrap() - 1)]);
        assert!(said.contains("changed again since"), "{said}");
        ok(p, &["undo", &last(p, "prepaid", ALICE)]);
        let status = admin.ok("Sip.getPrepaidStatus", record! { sipIds: vec![sip_id(ALICE)] });
        assert_eq!(status.text_at("item/balance"), "7.25");
        let history = admin.ok("Sip.getCreditHistory", of_alice().with("count", 1));
        assert!(history.text_at("entries/item/description").contains("by mistake"));

        let entity = format!("subscriber://{ALICE}");
        let rates = |weekday: &str| admin.ok("Rating.setEntityProfiles", record! { profiles: record! { entity: entity.as_str(), profileWeekday: weekday } });
        let weekday = || admin.ok("Rating.getEntityProfiles", record! { entity: entity.as_str() }).text_at("profileWeekday").to_owned();
        rates("1");
        rates("2");
        let (position, key) = newest(p, "rating_profiles");
        ok(p, &["undo", &position]);
        assert_eq!(weekday(), "1");
        admin.ok("Rating.deleteEntityProfiles", record! { entity: entity.as_str() });
        ok(p, &["undo", &last(p, "rating_profiles", &key)]);
        assert_eq!(weekday(), "1");
    }

    fn trusted_peers_and_routes_come_back(p) {
        let admin = p.admin();
        let peer = |tag: &str| record! { peer: record! { ip: "192.0.2.7", tag: tag, strip: 2, callLimit: 9 } };
        let found = || admin.ok("Sip.getTrustedPeers", record! {});
        admin.ok("Sip.addTrustedPeer", peer("one"));
        admin.ok("Sip.updateTrustedPeer", peer("two"));
        ok(p, &["undo", &last(p, "trusted_peer", "192.0.2.7")]);
        assert_eq!(found().text_at("peers/item/tag"), "one");
        admin.ok("Sip.deleteTrustedPeer", record! { ip: "192.0.2.7" });
        ok(p, &["undo", &last(p, "trusted_peer", "192.0.2.7")]);
        assert_eq!((found().text_at("peers/item/tag"), found().int_at("peers/item/callLimit")), ("one", 9));
        ok(p, &["undo", &last(p, "trusted_peer", "192.0.2.7")]);
        assert_eq!(found().int_at("total"), 0);

        let telco = carrier(&admin, "telco");
        let east = gateway(&admin, telco, "east");
        let rule = gateway_rule(&admin, east, "0031");
        admin.ok("Sip.updateCarrier", record! { carrier: record! { id: telco, name: "other" } });
        ok(p, &["undo", &last(p, "carrier", &telco.to_string())]);
        assert_eq!(admin.ok("Sip.getCarriers", record! {}).text_at("carriers/item/name"), "telco");
        admin.ok("Sip.updateGateway", record! { gateway: record! { id: east, name: "west", carrier_id: telco, ip: "192.0.2.21" } });
        ok(p, &["undo", &last(p, "gateway", &east.to_string())]);
        let gateways = admin.ok("Sip.getGateways", record! {});
        assert_eq!((gateways.text_at("gateways/item/name"), gateways.text_at("gateways/item/ip")), ("east", "192.0.2.20"));
        admin.ok("Sip.deleteGatewayRule", record! { id: rule });
        ok(p, &["undo", &last(p, "gateway_rule", &rule.to_string())]);
        assert_eq!(admin.ok("Sip.getGatewayRules", record! {}).int_at("gateway_rules/item/strip"), 2);

        admin.ok("Sip.addRoutes", record! { routes: vec![route(telco, "0031")] });
        let (_, id) = newest(p, "route");
        let changed = record! { id: id.parse::<i64>().unwrap(), carrier_id: telco, prefix: "0032" };
        admin.ok("Sip.updateRoutes", record! { routes: vec![changed] });
        ok(p, &["undo", &last(p, "route", &id)]);
        assert_eq!(admin.ok("Sip.getRoutes", record! {}).text_at("routes/item/prefix"), "0031");
        admin.ok("Sip.deleteRoutes", record! { routes: vec![record! { id: id.parse::<i64>().unwrap() }] });
        ok(p, &["undo", &last(p, "route", &id)]);
        assert_eq!(admin.ok("Sip.getRoutes", record! {}).text_at("routes/item/prefix"), "0031");
        ok(p, &["undo", &newest(p, "route").0]);
        assert_eq!(admin.ok("Sip.getRoutes", record! {}).int_at("total"), 0);

        // Others named it by its number.
        admin.ok("Sip.deleteGateway", record! { id: east });
        let position = last(p, "gateway", &east.to_string());
        let said = refused(p, &["undo", &position]);
        assert!(said.contains("another number"), "{said}");
        ok(p, &["undo", &position, "--partial"]);
        assert_eq!(admin.ok("Sip.getGateways", record! {}).text_at("gateways/item/name"), "east");
    }
}
