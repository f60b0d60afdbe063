//! Saving settings, with voicemail and rating profiles; aliases, privacy, directory, deletion.

use super::{ALICE, alice, of_alice, open, with_alice};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::{both, query, record, sip_id};

/// Saves the form: the object that opening the panel got, with the changes, echoed.
#[track_caller]
fn save(connection: &Connection, account: &Php, changes: Vec<(&str, Php)>) {
    let mut account = account.clone();
    for (name, value) in changes {
        account.set(name, value);
    }
    if !account.at("password").truthy() {
        account.unset("password");
    }
    for name in ["owner", "callLimit", "quota", "timeout"] {
        let value = account.at(name);
        let number = if value.truthy() { account.int(name) } else { 0 };
        account.set(name, Php::Int(number));
    }
    // The client takes empty tags out before it sends the list back.
    let mut acl = account.list("acl").to_vec();
    for item in &mut acl {
        if !item.at("tag").truthy() {
            item.unset("tag");
        }
    }
    account.set("acl", Php::List(acl));
    assert_eq!(
        connection.execute("Sip.updateAccount", record! { account: account.echo() }),
        Php::Flag(true)
    );
}

/// Whether there is a mailbox: both codes mean none (contract B2).
#[track_caller]
fn mailbox(connection: &Connection) -> Option<Php> {
    match connection.call("Voicemail.getAccount", &of_alice()) {
        Ok(account) => {
            account.reads("mailbox:s password:s name:s email:s info:s options:o options/delete:b");
            Some(account)
        }
        Err(fault) => {
            assert!(matches!(fault.code, 2000 | 1010), "{}", fault.text);
            None
        }
    }
}

both! {
    // Nothing changed: what was got is sent back, and stays.
    fn opens_and_saves(p) {
        _ = with_alice(p, false);
        let (panel, account) = open(p);
        save(&panel, &account, Vec::new());
        let (_, again) = open(p);
        for member in ["firstName", "rpid", "owner", "groups", "acl", "properties", "quota", "password", "callLimit"] {
            assert_eq!(again.at(member), account.at(member), "{member}");
        }
        // The field of extra groups yields an empty text (B68); an empty password keeps the old one (B59).
        save(&panel, &again, vec![
            ("groups", Php::from(&["free-pstn", "missed-calls", ""][..])), ("password", "".into()),
            ("quickdialPrefix", "3120".into()), ("timeout", Php::Int(35)), ("lastName", "Ångström".into()),
            ("timezone", "Europe/Berlin".into()), ("region", "Haarlem".into()),
        ]);
        let (_, now) = open(p);
        assert_eq!(now.texts("groups"), ["free-pstn", "missed-calls"]);
        assert_eq!((now.text("password"), now.text("lastName")), ("secret", "Ångström"));
        assert_eq!((now.int("timeout"), now.text("quickdialPrefix"), now.text("region")), (35, "3120", "Haarlem"));
        assert_eq!(now.text("createDate").len(), 19);
        // Quota: out of the group when it was in, silently.
        panel.execute("Sip.addToGroup", alice("group", "quota"));
        assert_eq!(panel.execute("Sip.removeFromGroup", alice("group", "quota")), Php::Flag(true));
        save(&panel, &now, vec![("quota", Php::Int(75))]);
        assert_eq!(open(p).1.int("quota"), 75);
    }

    fn switches_voicemail_on_and_off(p) {
        _ = with_alice(p, false);
        let (panel, _) = open(p);
        assert_eq!(mailbox(&panel), None);
        let added = panel.execute("Voicemail.addAccount", record! { account: record! {
            sipId: sip_id(ALICE), name: "Alice Example", password: "236651", email: ALICE,
            options: record! { delete: 1 },
        } });
        assert!(added.truthy());
        let divert = record! { FBUS: "<voice-mailbox>", FNOA: "<voice-mailbox>", FNOL: "<voice-mailbox>" };
        assert_eq!(panel.execute("Sip.setCallDiversions", alice("diversions", divert)), Php::Flag(true));
        let account = mailbox(&panel).unwrap();
        assert!(account.flag("options/delete") && account.at("mailbox").truthy());
        assert_eq!((account.text("password"), account.text("name")), ("236651", "Alice Example"));
        // Saved again: no mailbox and no info in the form; options come as an object or as the tick box's number.
        for (options, deletes) in [
            (record! { delete: 0 }, false), (record! { delete: true }, true), (account.at("options").echo(), true),
        ] {
            let form = record! { account: record! {
                sipId: sip_id(ALICE), email: "box@example.com", name: "Alice", password: "4711", options: options,
            } };
            assert_eq!(panel.execute("Voicemail.updateAccount", form), Php::Flag(true));
            let now = mailbox(&panel).unwrap();
            assert_eq!(now.flag("options/delete"), deletes);
            assert_eq!(now.text("mailbox"), account.text("mailbox"), "B153");
            assert_eq!((now.text("password"), now.text("email")), ("4711", "box@example.com"));
        }
        // Off: the account, then its diversions, then nothing is left of them, which the client says so.
        assert_eq!(panel.execute("Voicemail.deleteAccount", of_alice()), Php::Flag(true));
        assert_eq!(mailbox(&panel), None);
        let left = panel.ok("Sip.getCallDiversions", of_alice());
        left.reads("FUNC:s FNOL:s FBUS:s FNOA:s FUNV:s");
        let none = record! { nocondition: "empty" };
        assert_eq!(panel.execute("Sip.setCallDiversions", alice("diversions", none)), Php::Flag(true));
        let now = panel.ok("Sip.getCallDiversions", of_alice());
        for condition in ["FUNC", "FNOL", "FBUS", "FNOA", "FUNV"] {
            assert!(!now.at(condition).truthy(), "{condition}");
        }
    }

    fn keeps_rating_profiles(p) {
        _ = with_alice(p, false);
        let (panel, _) = open(p);
        let entity = || record! { entity: format!("subscriber://{ALICE}") };
        panel.refused(4001, "Rating.getEntityProfiles", entity());
        panel.refused(4001, "Rating.deleteEntityProfiles", entity());
        let profiles = record! { profiles: record! {
            entity: format!("subscriber://{ALICE}"), profileWeekday: "441", profileWeekdayAlt: "",
            profileWeekend: "442", profileWeekendAlt: "", timezone: "Europe/Amsterdam",
        } };
        for _ in 0..2 {
            // B176: again is fine.
            assert_eq!(panel.execute("Rating.setEntityProfiles", profiles.clone()), Php::Flag(true));
        }
        let stored = panel.ok("Rating.getEntityProfiles", entity());
        stored.reads(
            "entity:s profileWeekday:s profileWeekdayAlt:s profileWeekend:s profileWeekendAlt:s timezone:s",
        );
        assert_eq!((stored.text("profileWeekday"), stored.text("timezone")), ("441", "Europe/Amsterdam"));
        assert_eq!(panel.execute("Rating.deleteEntityProfiles", entity()), Php::Flag(true));
        panel.refused(4001, "Rating.getEntityProfiles", entity());
    }

    fn aliases_privacy_directory_and_deletion(p) {
        let (_, child) = with_alice(p, false);
        let (panel, _) = open(p);
        let filter = || record! { targetUsername: "alice", targetDomain: "example.com" };
        let aliases = || panel.ok("Sip.getAliases", query(filter(), "aliasUsername", "ASC", 0, 20));
        assert_eq!(aliases().list("aliases").len(), 0);
        for name in ["b", "a"] {
            panel.execute("Sip.addAlias", record! { alias: record! {
                id: sip_id(&format!("{name}@example.com")), owner: child.id, target: sip_id(ALICE),
            } });
        }
        let found = aliases();
        let names: Vec<_> = found.list("aliases").iter().map(|alias| alias.text("id/username")).collect();
        assert_eq!(names, ["a", "b"]);
        panel.execute("Sip.deleteAlias", record! { id: sip_id("a@example.com") });
        assert_eq!(aliases().list("aliases").len(), 1);
        // Privacy: off twice is off (1031).
        assert_eq!(panel.execute("Sip.addToGroup", alice("group", "anonymous")), Php::Flag(true));
        assert!(open(p).1.texts("groups").contains(&"anonymous"));
        assert_eq!(panel.execute("Sip.removeFromGroup", alice("group", "anonymous")), Php::Flag(true));
        panel.refused(1031, "Sip.removeFromGroup", alice("group", "anonymous"));
        // The directory looks over everything, as plain administrator.
        let full = Connection::admin(p);
        let filter = record! { firstName: "ali%", lastName: "" };
        let found = full.ok("Sip.getAccounts", query(filter, "changeDate", "DESC", 0, 20));
        assert_eq!(found.int("total"), 1);
        found.at("accounts/0").reads("id/username:s id/domain:s firstName:s lastName:s timezone:s");
        // B187: a request for deletion stands in the properties, then the account goes.
        let (_, mut account) = open(p);
        let mut properties = account.list("properties").to_vec();
        properties.push(Php::Object(vec![
            ("name".to_owned(), "account_delete_request".into()), ("value".to_owned(), "1".into()),
        ]));
        account.set("properties", Php::List(properties));
        save(&panel, &account, Vec::new());
        assert_eq!(open(p).1.list("properties").len(), 2);
        assert_eq!(panel.execute("Sip.deleteAccount", of_alice()), Php::Flag(true));
        panel.refused(1010, "Sip.getAccount", of_alice());
        assert_eq!(aliases().list("aliases").len(), 0, "B57");
    }
}
