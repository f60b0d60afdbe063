//! Who may call at all, and as whom (B1-B8).

use ngn_tests::fixture::{account, customer, domain, reseller};
use ngn_tests::platform::ADMIN;
use ngn_tests::soap::{Client, Login};
use ngn_tests::{Value, both, record, sip_id};

fn whole_list() -> Value {
    record! { query: Value::empty() }
}

both! {
    // B1: on every port alike, before anything is said about the arguments.
    fn every_call_needs_a_valid_login(p) {
        let nobody = Client { login: None, ..p.admin() };
        let wrong = p.client(Login::admin(ADMIN, "wrong"));
        let unknown = p.client(Login::customer("nobody", "x"));
        let empty = p.client(Login::admin(ADMIN, ""));
        for operation in [
            "Sip.getAccounts", "Voicemail.getAccount", "Enum.getNumbers", "Dns.getZones", "Customer.getCustomers",
            "Rating.getEntityProfiles", "Network.getStatus",
        ] {
            for client in [&nobody, &wrong, &unknown, &empty] {
                let fault = client.fault(operation, Value::empty());
                assert_eq!((fault.code, fault.side.as_str()), (8000, "Client"), "{operation}");
            }
        }
        // The text does not tell an unknown login from a wrong password.
        let text = |client: &Client| client.fault("Customer.getCustomers", whole_list()).text;
        let reseller = reseller(p, "acme");
        let bad_password = p.client(Login::customer(&reseller.username, "wrong"));
        assert_eq!(text(&bad_password).replace("acme", "*"), text(&unknown).replace("nobody", "*"));
    }

    // B4: which table is checked.
    fn the_admin_member_chooses_the_table(p) {
        let acme = reseller(p, "acme");
        let password = p.password();
        let login = |username: &str, password: &str, admin| {
            p.client(Login { username: username.into(), password: password.into(), admin, impersonate: None })
        };
        login(ADMIN, &password, Some(false)).refused(8000, "Customer.getCustomers", whole_list());
        login("acme", "acme-password", Some(true)).refused(8000, "Customer.getCustomers", whole_list());
        assert_eq!(login(ADMIN, &password, None).ok("Customer.getCustomers", whole_list()).int_at("total"), 1);
        let seen = login("acme", "acme-password", None).ok("Customer.getCustomers", whole_list());
        assert_eq!(seen.int_at("accounts/0/id"), acme.id);
    }

    // W1, W12: the header with and without a namespace, in both styles.
    fn the_header_may_be_qualified(p) {
        for qualified_header in [false, true] {
            let client = Client { qualified_header, ..p.admin() };
            client.ok("Customer.getCustomers", whole_list());
            client.literal().ok("Customer.getCustomers", whole_list());
        }
    }

    // B5, B6: impersonating is being that customer, stamps and limits included.
    fn the_administrator_impersonates(p) {
        let acme = reseller(p, "acme");
        let child = customer(p, &acme, "child");
        p.admin().impersonating(999).refused(8004, "Customer.getCustomers", whole_list());
        let as_child = p.admin().impersonating(child.id);
        as_child.refused(8003, "Customer.addAccount", record! { account: ngn_tests::fixture::person("x") });
        let added = as_child.ok("Sip.addDomain", record! { domain: record! { domain: "example.com" } });
        assert_eq!((added.int_at("customer"), added.int_at("reseller")), (child.id, acme.id));
        let everything = p.admin().impersonating(0).ok("Customer.getCustomers", whole_list());
        assert_eq!(everything.int_at("total"), 2);
        let of_reseller = p.admin().impersonating(acme.id).ok("Customer.getCustomers", whole_list());
        assert_eq!(of_reseller.int_at("total"), 2);
    }

    // B7: a customer's `impersonate` counts only for an active reseller and its own child.
    fn a_reseller_impersonates_its_children(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let (child, foreign) = (customer(p, &acme, "child"), customer(p, &other, "foreign"));
        let seen = |client: &Client| client.ok("Customer.getCustomers", whole_list()).column("accounts", "username").join(" ");
        assert_eq!(seen(&acme.client.impersonating(child.id)), "child");
        assert_eq!(seen(&acme.client.impersonating(foreign.id)), "acme child");
        assert_eq!(seen(&child.client.impersonating(acme.id)), "child");
        assert_eq!(seen(&child.client.impersonating(foreign.id)), "child");
        let added = acme.client.impersonating(child.id)
            .ok("Sip.addDomain", record! { domain: record! { domain: "example.com" } });
        assert_eq!(added.int_at("customer"), child.id);
    }

    // B8, design of the first start: the password lies in a file that only its owner can read.
    fn the_first_password_is_kept_private(p) {
        use std::os::unix::fs::PermissionsExt;
        let path = p.data().join("admin-password");
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(p.password().len() >= 16);
        p.admin().ok("Customer.getCustomers", whole_list());
        let mut log = p.program().log();
        log.push_str(&p.database.url);
        assert!(!log.contains("acme-password"));
    }

    // Secrets stay out of the log, at every level of detail that is on by default.
    fn secrets_are_not_logged(p) {
        let acme = reseller(p, "acme");
        domain(&acme.client, "example.com");
        account(&acme.client, "alice@example.com");
        acme.client.ok("Sip.updateAccount", record! {
            account: record! { id: sip_id("alice@example.com"), password: "very-secret-word" },
        });
        p.client(Login::customer("acme", "wrong-but-secret")).refused(8000, "Customer.getCustomers", whole_list());
        let log = p.program().log();
        for secret in ["acme-password", "very-secret-word", "wrong-but-secret"] {
            assert!(!log.contains(secret), "the log holds {secret}:\n{log}");
        }
    }
}
