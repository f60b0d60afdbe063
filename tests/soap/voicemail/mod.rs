//! The Voicemail port (B151-B159).

mod add_account;
mod delete_account;
mod get_account;
mod set_announcement;
mod standalone;
mod update_account;

use ngn_tests::fixture::{Tenant, account, domain, reseller};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, record, sip_id};

/// A voicemail account as CDRTool's panel sends it.
fn mailbox(address: &str) -> Value {
    record! {
        sipId: sip_id(address),
        name: "Alice Example",
        password: "236651",
        email: "alice@example.com",
        options: record! { delete: 1 },
    }
}

fn id(address: &str) -> Value {
    record! { sipId: sip_id(address) }
}

/// A reseller with the accounts alice@example.com and bob@example.com; Alice has a mailbox.
fn with_alice(p: &Platform) -> Tenant {
    let acme = reseller(p, "acme");
    domain(&acme.client, "example.com");
    account(&acme.client, "alice@example.com");
    account(&acme.client, "bob@example.com");
    acme.client.ok("Voicemail.addAccount", record! { account: mailbox("alice@example.com") });
    acme
}
