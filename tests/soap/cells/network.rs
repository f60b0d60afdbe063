//! The cells of the Network port; those of a database that fails stand in `common`.

use super::{Cell, play};
use ngn_tests::platform::eventually;
use ngn_tests::soap::Client;
use ngn_tests::{Value, both};

both! {
    fn cells_of_the_port(p) {
        play(p, REFUSALS);
    }

    // The answers hold ports and times, which differ from run to run: they are not noted.
    fn successes_of_the_port(p) {
        _ = p.admin().ok("Customer.getCustomers", Value::empty());
        let unnoted = Client::new(p.soap_address(), p.admin().login);
        for cell in SUCCESSES {
            let node = p.sip_address().ip().to_string();
            eventually(cell.operation, || {
                unnoted.ok(cell.operation, Value::empty()).text.contains(&node).then_some(())
            });
        }
    }
}

pub(super) const SUCCESSES: &[Cell] = &[
    Cell::success("Network.getStatistics", |s| s.act(&s.admin, Value::empty())),
    Cell::success("Network.getStatus", |s| s.act(&s.admin, Value::empty())),
];

pub(super) const REFUSALS: &[Cell] = &[
    Cell::fault("Network.getStatistics", 8003, |s| {
        s.act(&s.acme.client, Value::empty()).names("administrator")
    }),
    Cell::fault("Network.getStatus", 8003, |s| {
        s.act(&s.child.client, Value::empty()).names("administrator")
    }),
];
