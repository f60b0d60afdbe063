//! Rating.setEntityProfiles.

use super::{of, profiles};
use ngn_tests::fixture::{account, customer, domain, reseller};
use ngn_tests::{both, record};

const ALICE: &str = "subscriber://alice@example.com";

both! {
    // B175, B176: an upsert, into the columns that the rating engine reads.
    fn sets_and_replaces(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        acme.client.ok("Rating.setEntityProfiles", profiles("subscriber://Alice@Example.com"));
        let rows = p.database.sql(
            "SELECT gateway, domain, subscriber, profile_name1, profile_name1_alt, profile_name2, timezone, \
             reseller_id FROM billing_customers",
        );
        assert_eq!(rows.trim_end(), format!("\t\talice@example.com\t441\t\t442\tEurope/Amsterdam\t{}", acme.id));
        acme.client.ok("Rating.setEntityProfiles", record! { profiles: record! {
            entity: ALICE, profileWeekdayAlt: "5", increment: 60, min_duration: 0,
        } });
        let seen = acme.client.ok("Rating.getEntityProfiles", of(ALICE));
        assert_eq!(
            (seen.text_at("profileWeekday"), seen.text_at("profileWeekdayAlt"), seen.text_at("timezone")),
            ("", "5", "")
        );
        assert_eq!((seen.int_at("increment"), seen.int_at("min_duration")), (60, 0));
        assert_eq!(p.database.sql("SELECT count(*) FROM billing_customers").trim(), "1");
    }

    // B175: domains, and gateways for the administrator.
    fn domains_and_gateways(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        acme.client.ok("Rating.setEntityProfiles", profiles("domain://example.com"));
        acme.client.refused(8003, "Rating.setEntityProfiles", profiles("gateway://192.0.2.1"));
        p.admin().ok("Rating.setEntityProfiles", profiles("gateway://192.0.2.1"));
        acme.client.refused(8003, "Rating.getEntityProfiles", of("gateway://192.0.2.1"));
        assert_eq!(
            p.admin().ok("Rating.getEntityProfiles", of("gateway://192.0.2.1")).text_at("profileWeekend"),
            "442"
        );
        let rows = p.database.sql("SELECT gateway, domain, subscriber FROM billing_customers ORDER BY gateway");
        assert_eq!(rows.trim_end_matches('\n'), "\texample.com\t\n192.0.2.1\t\t");
        // A domain's profiles go with it.
        acme.client.ok("Sip.deleteDomain", record! { domain: "example.com" });
        acme.client.refused(4001, "Rating.getEntityProfiles", of("domain://example.com"));
    }

    // B177: who owns the domain.
    fn ownership_decides(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        domain(&acme.client, "example.com");
        domain(&child.client, "child.example.com");
        account(&acme.client, "alice@example.com");
        account(&child.client, "bob@child.example.com");
        let bob = "subscriber://bob@child.example.com";
        other.client.refused(1010, "Rating.setEntityProfiles", profiles(ALICE));
        child.client.refused(1010, "Rating.setEntityProfiles", profiles(ALICE));
        other.client.refused(1000, "Rating.setEntityProfiles", profiles("domain://example.com"));
        child.client.ok("Rating.setEntityProfiles", profiles(bob));
        acme.client.ok("Rating.setEntityProfiles", profiles(bob));
        p.admin().impersonating(child.id).ok("Rating.setEntityProfiles", profiles(bob));
        p.admin().refused(1010, "Rating.setEntityProfiles", profiles("subscriber://nobody@example.com"));
    }

    // B175: an empty entity has no profiles; other nonsense is named.
    fn arguments_are_checked(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        admin.refused(9001, "Rating.setEntityProfiles", record! {});
        admin.refused(4001, "Rating.setEntityProfiles", profiles(""));
        for entity in ["alice@example.com", "trunk://x", "subscriber://alice", "gateway://a b"] {
            let fault = admin.fault("Rating.setEntityProfiles", profiles(entity));
            assert_eq!(fault.code, 9000, "{entity}");
            assert!(fault.text.contains(entity), "{}", fault.text);
        }
        let with = |name: &str, value: ngn_tests::Value| record! {
            profiles: record! { entity: "domain://example.com" }.with(name, value),
        };
        for (name, value) in [
            ("profileWeekday", "p".repeat(65).into()),
            ("timezone", "t".repeat(129).into()),
            ("increment", (-1).into()),
            ("min_duration", (-5).into()),
        ] {
            let fault = admin.fault("Rating.setEntityProfiles", with(name, value));
            assert_eq!(fault.code, 9000, "{name}");
            assert!(fault.text.contains(name), "{}", fault.text);
        }
    }

    // B178: the engine is told after each change, also after it took note of an earlier one.
    fn the_rating_engine_is_told(p) {
        let admin = p.admin();
        let flag = || p.database.sql("SELECT var_value FROM settings WHERE var_name = 'reloadRating'");
        assert_eq!(flag().trim(), "");
        let gateway = "gateway://192.0.2.1";
        admin.ok("Rating.setEntityProfiles", profiles(gateway));
        assert_eq!(flag().trim(), "1");
        _ = p.database.sql("UPDATE settings SET var_value = '0' WHERE var_name = 'reloadRating'");
        admin.ok("Rating.setEntityProfiles", profiles(gateway));
        assert_eq!(flag().trim(), "1");
        _ = p.database.sql("UPDATE settings SET var_value = '0' WHERE var_name = 'reloadRating'");
        admin.ok("Rating.deleteEntityProfiles", of(gateway));
        assert_eq!(flag().trim(), "1");
    }

    // Every change is in the journal, by the entity's URI.
    fn changes_are_journalled(p) {
        p.admin().ok("Rating.setEntityProfiles", profiles("gateway://GW.example.com"));
        p.admin().ok("Rating.deleteEntityProfiles", of("gateway://gw.example.com"));
        let rows = p.database.sql(
            "SELECT operation, entity_key FROM journal WHERE entity = 'rating_profiles' ORDER BY id",
        );
        assert_eq!(
            rows.trim(),
            "Rating:setEntityProfiles\tgateway://gw.example.com\n\
             Rating:deleteEntityProfiles\tgateway://gw.example.com"
        );
    }
}
