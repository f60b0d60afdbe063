//! The cells of the Sip port.

mod accounts;
mod aliases;
mod calls;
mod options;
mod pstn;
mod routes;
mod trusted_peers;

use super::stage::Stage;
use super::{Cell, play};
use ngn_tests::fixture::{account, domain, subscriber};
use ngn_tests::{Value, both, record, sip_id};

/// All of them.
pub(super) const CELLS: &[&[Cell]] = &[
    accounts::CELLS,
    aliases::CELLS,
    calls::CELLS,
    options::CELLS,
    pstn::CELLS,
    routes::CELLS,
    trusted_peers::CELLS,
];

both! {
    fn cells_of_domains_and_accounts(p) {
        play(p, accounts::CELLS);
    }

    fn cells_of_aliases_and_groups(p) {
        play(p, aliases::CELLS);
    }

    fn cells_of_calls_and_balances(p) {
        play(p, calls::CELLS);
    }

    fn cells_of_call_options(p) {
        play(p, options::CELLS);
    }

    fn cells_of_carriers_and_gateways(p) {
        play(p, pstn::CELLS);
    }

    fn cells_of_routes(p) {
        play(p, routes::CELLS);
    }

    fn cells_of_trusted_peers(p) {
        play(p, trusted_peers::CELLS);
    }
}

fn id(address: &str) -> Value {
    record! { sipId: sip_id(address) }
}

/// A user name that cannot be one.
const NO_NAME: &str = "no body@c.example";

/// The domain of this cell, the active reseller's.
fn own_domain(s: &Stage<'_>) -> String {
    domain(&s.acme.client, &s.domain());
    s.domain()
}

/// An account in the domain of this cell, both new.
fn alice(s: &Stage<'_>) -> String {
    own_domain(s);
    account(&s.acme.client, &s.address("alice"));
    s.address("alice")
}

/// The same, prepaid.
fn prepaid(s: &Stage<'_>) -> String {
    own_domain(s);
    let given = subscriber(&s.address("alice")).with("prepaid", true);
    s.admin.ok("Sip.addAccount", record! { account: given });
    s.address("alice")
}

/// The domain of this cell, owned by the reseller without credit and rights, with an account.
fn poor_alice(s: &Stage<'_>) -> String {
    domain(&s.poor.client, &s.domain());
    account(&s.admin, &s.address("alice"));
    s.address("alice")
}
