//! Rating.getEntityProfiles.

use super::{of, profiles};
use ngn_tests::fixture::{account, customer, domain, reseller};
use ngn_tests::{Value, both, record};

both! {
    // B175: what was set comes back, under the entity's own name.
    fn returns_what_was_set(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        acme.client.ok("Rating.setEntityProfiles", profiles("subscriber://alice@example.com"));
        let seen = acme.client.ok("Rating.getEntityProfiles", of("subscriber://ALICE@example.com"));
        for (member, value) in [
            ("entity", "subscriber://alice@example.com"), ("profileWeekday", "441"), ("profileWeekdayAlt", ""),
            ("profileWeekend", "442"), ("profileWeekendAlt", ""), ("timezone", "Europe/Amsterdam"),
        ] {
            assert_eq!(seen.text_at(member), value, "{member}");
        }
        assert_eq!(seen.int_at("reseller"), acme.id);
    }

    // B175 and client bug 2: empty, missing, unknown and foreign entities have no profiles.
    fn what_has_none_is_4001(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        let alice = "subscriber://alice@example.com";
        acme.client.refused(4001, "Rating.getEntityProfiles", of(alice));
        acme.client.ok("Rating.setEntityProfiles", profiles(alice));
        for entity in ["", "nonsense", "subscriber://bob@example.com", "domain://example.com"] {
            acme.client.refused(4001, "Rating.getEntityProfiles", of(entity));
        }
        acme.client.refused(4001, "Rating.getEntityProfiles", Value::empty());
        acme.client.refused(4001, "Rating.getEntityProfiles", record! { entity: () });
        other.client.refused(4001, "Rating.getEntityProfiles", of(alice));
        child.client.refused(4001, "Rating.getEntityProfiles", of(alice));
        p.admin().ok("Rating.getEntityProfiles", of(alice));
    }

    // B15: the reseller follows the domain.
    fn the_reseller_is_the_domains(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        domain(&acme.client, "example.com");
        acme.client.ok("Rating.setEntityProfiles", profiles("domain://example.com"));
        p.admin().ok("Sip.updateDomain", record! {
            domain: record! { domain: "example.com", customer: other.id, reseller: other.id },
        });
        acme.client.refused(4001, "Rating.getEntityProfiles", of("domain://example.com"));
        let seen = other.client.ok("Rating.getEntityProfiles", of("domain://example.com"));
        assert_eq!(seen.int_at("reseller"), other.id);
    }
}
