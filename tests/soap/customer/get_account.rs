//! Customer.getAccount.

use ngn_tests::fixture::{customer, reseller};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, record};

both! {
    fn refuses_what_the_caller_may_not_see(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let (child, sibling) = (customer(p, &acme, "child"), customer(p, &acme, "sibling"));
        p.admin().refused(5000, "Customer.getAccount", record! { id: 999 });
        other.client.refused(5000, "Customer.getAccount", record! { id: child.id });
        sibling.client.refused(5000, "Customer.getAccount", record! { id: child.id });
        p.admin().refused(9001, "Customer.getAccount", Value::empty());
    }

    // The client sometimes sends the id as a string.
    fn takes_the_id_as_a_string(p) {
        let acme = reseller(p, "acme");
        let found = p.admin().ok("Customer.getAccount", record! { id: acme.id.to_string() });
        assert_eq!(found.text_at("username"), "acme");
        assert_eq!(found.text_at("resellerActive"), "true");
    }

    // B8: what comes back as password must be accepted as password, and so must the clear text.
    fn returns_a_password_that_works(p) {
        let acme = reseller(p, "acme");
        for client in [p.admin(), acme.client.clone()] {
            let found = client.ok("Customer.getAccount", record! { id: acme.id });
            let password = found.text_at("password").to_owned();
            assert_ne!(password, "");
            let login = p.client(Login::customer("acme", &password));
            assert_eq!(login.ok("Customer.getAccount", record! { id: acme.id }).int_at("id"), acme.id);
        }
        // A changed password ends both forms of the old one.
        let old = p.admin().ok("Customer.getAccount", record! { id: acme.id }).text_at("password").to_owned();
        p.admin().ok("Customer.updateAccount", record! { account: record! {
            id: acme.id, username: "acme", password: "second", resellerActive: true,
        } });
        p.client(Login::customer("acme", &old)).refused(8000, "Customer.getAccount", record! { id: acme.id });
        acme.client.refused(8000, "Customer.getAccount", record! { id: acme.id });
        p.client(Login::customer("acme", "second")).ok("Customer.getAccount", record! { id: acme.id });
    }
}
