//! Rating.deleteEntityProfiles.

use super::{of, profiles};
use ngn_tests::fixture::{account, domain, reseller};
use ngn_tests::{both, record, sip_id};

both! {
    // B176.
    fn deletes_once(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let alice = "subscriber://alice@example.com";
        acme.client.refused(4001, "Rating.deleteEntityProfiles", of(alice));
        acme.client.ok("Rating.setEntityProfiles", profiles(alice));
        other.client.refused(4001, "Rating.deleteEntityProfiles", of(alice));
        acme.client.refused(4001, "Rating.deleteEntityProfiles", of(""));
        acme.client.refused(8003, "Rating.deleteEntityProfiles", of("gateway://192.0.2.1"));
        acme.client.ok("Rating.deleteEntityProfiles", of(alice));
        acme.client.refused(4001, "Rating.deleteEntityProfiles", of(alice));
        assert_eq!(p.database.sql("SELECT count(*) FROM billing_customers").trim(), "0");
    }

    // B57: they go with their account, and do not come back with a new one of that name.
    fn profiles_go_with_their_account(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let alice = "subscriber://alice@example.com";
        acme.client.ok("Rating.setEntityProfiles", profiles(alice));
        acme.client.ok("Sip.deleteAccount", record! { sipId: sip_id("alice@example.com") });
        account(&acme.client, "alice@example.com");
        acme.client.refused(4001, "Rating.getEntityProfiles", of(alice));
    }
}
