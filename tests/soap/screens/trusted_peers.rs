//! The screen of trusted peers (client-usage §2.4).

use super::{listed, open, tenants};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::{Value, both, query, record};

const READ: &str = "ip:s description:s tags:s billingId:s blocked:i prepaid:b enumLookup:b transit:b callLimit:i \
                    tenant:s carrierName:s originator:s strip:i prefix:s authToken:s msteams:b reseller:i \
                    changeDate:s";

fn list(connection: &Connection, ip: &str, teams: bool) -> Php {
    let filter = record! {
        ip: ip, description: "", tenant: "", tags: "%%", billingId: "", msteams: teams,
    };
    connection.ok("Sip.getTrustedPeers", query(filter, "description", "ASC", 0, 20))
}

/// The form of a new peer; `msteams` is what the tick box gives.
fn added(ip: &str, teams: bool, customer: i64, reseller: i64) -> Value {
    record! { peer: record! {
        ip: ip, description: "trunk", callLimit: 5, msteams: teams, tenant: "", carrierName: "",
        originator: "", prefix: "", strip: 0, blocked: 0, enumLookup: 1, transit: 0, owner: 0,
        customer: customer, reseller: reseller,
    } }
}

both! {
    fn lists_adds_updates_and_deletes_for_the_administrator(p) {
        let (acme, child) = tenants(p);
        let engine = Connection::admin_as(p, 0);
        open(p, acme.id, child.id);
        listed(&list(&engine, "", false), "peers", 0);
        engine.execute("Sip.addTrustedPeer", added("203.0.113.7", false, child.id, acme.id));
        engine.execute("Sip.addTrustedPeer", added("teams.example.com", true, child.id, acme.id));
        engine.refused(1051, "Sip.addTrustedPeer", added("203.0.113.7", false, child.id, acme.id));
        // B43: the tick box is always sent, so each list holds its own kind.
        let teams = list(&engine, "", true);
        assert_eq!(listed(&teams, "peers", 1)[0].text("ip"), "teams.example.com");
        let others = list(&engine, "", false);
        let peer = &listed(&others, "peers", 1)[0];
        peer.reads(READ);
        assert_eq!((peer.int("callLimit"), peer.int("blocked"), peer.int("strip")), (5, 0, 0));
        assert!(peer.flag("enumLookup") && !peer.flag("transit") && !peer.flag("prepaid"));
        // The edit form, whole.
        let edited = record! { peer: record! {
            ip: "203.0.113.7", description: "trunk 2", authToken: "token", tenant: "t", carrierName: "c",
            originator: "o", tags: "red,blue", billingId: "b1", prefix: "0031", strip: 2, callLimit: 7,
            prepaid: true, blocked: 1, enumLookup: false, transit: true, msteams: false,
            customer: child.id, reseller: acme.id,
        } };
        assert_eq!(engine.execute("Sip.updateTrustedPeer", edited), Php::Flag(true));
        let found = list(&engine, "203.0.113.7", false);
        let peer = &listed(&found, "peers", 1)[0];
        peer.reads(READ);
        assert_eq!((peer.text("tags"), peer.text("authToken")), ("red,blue", "token"));
        assert_eq!((peer.int("blocked"), peer.int("callLimit"), peer.int("strip")), (1, 7, 2));
        assert!(peer.flag("prepaid") && !peer.flag("enumLookup") && peer.flag("transit"));
        // The search for blocked ones, by tag.
        let filter = record! {
            ip: "", description: "", tenant: "", tags: "%blue%", billingId: "", msteams: false, blocked: 1,
        };
        let found = engine.ok("Sip.getTrustedPeers", query(filter, "description", "ASC", 0, 20));
        listed(&found, "peers", 1);
        assert_eq!(engine.execute("Sip.deleteTrustedPeer", record! { ip: "203.0.113.7" }), Php::Flag(true));
        engine.refused(1050, "Sip.deleteTrustedPeer", record! { ip: "203.0.113.7" });
    }

    // Who is no administrator has a form without most fields; what is not in it arrives null, false or 0.
    fn keeps_what_a_resellers_form_does_not_hold(p) {
        let (acme, child) = tenants(p);
        let engine = Connection::admin_as(p, 0);
        engine.execute("Sip.addTrustedPeer", record! { peer: record! {
            ip: "203.0.113.7", description: "trunk", callLimit: 5, msteams: true, tenant: "t",
            carrierName: "c", originator: "o", prefix: "", strip: 0, blocked: 0, enumLookup: 1, transit: 1,
            owner: 0, customer: child.id, reseller: acme.id,
        } });
        let login = Connection::customer(p, "acme", "acme-password");
        let form = record! { peer: record! {
            ip: "203.0.113.7", description: (), authToken: "mine", tenant: (), carrierName: (),
            originator: (), tags: (), billingId: (), prefix: "00", strip: 1, callLimit: 0, prepaid: false,
            blocked: 0, enumLookup: false, transit: false, msteams: false, customer: child.id,
            reseller: acme.id,
        } };
        assert_eq!(login.execute("Sip.updateTrustedPeer", form), Php::Flag(true));
        let found = list(&login, "", true);
        let peer = &listed(&found, "peers", 1)[0];
        peer.reads(READ);
        let texts = ["description", "tenant", "carrierName", "originator", "authToken", "prefix"];
        assert_eq!(texts.map(|name| peer.text(name)), ["trunk", "t", "c", "o", "mine", "00"]);
        assert_eq!((peer.int("callLimit"), peer.int("strip")), (5, 1));
        assert!(peer.flag("enumLookup") && peer.flag("transit") && peer.flag("msteams"));
    }
}
