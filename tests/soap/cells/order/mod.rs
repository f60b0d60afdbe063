//! What a caller reads when several faults apply to one call (contract D3, "order of checks"): logins, rights,
//! arguments, what is not found, what may not be changed, what exists, rights to give, credit.

mod customers;
mod numbering;
mod sip;

use super::stage::{Act, Stage};
use ngn_tests::both;
use ngn_tests::platform::Platform;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Two faults of one call.
struct Order {
    operation: &'static str,
    /// What the caller reads when both apply.
    first: u16,
    /// What it reads when the first does not apply.
    second: u16,
    /// Makes the call: with both when told so, else with the second alone.
    act: fn(&Stage<'_>, bool) -> Act,
}

const fn order(
    operation: &'static str,
    first: u16,
    second: u16,
    act: fn(&Stage<'_>, bool) -> Act,
) -> Order {
    Order { operation, first, second, act }
}

fn play(p: &Platform, orders: &[Order]) {
    let stage = Stage::new(p);
    let mut failed = Vec::new();
    let mut number = 0;
    for order in orders {
        for (both, code) in [(true, order.first), (false, order.second)] {
            stage.enter(number);
            number += 1;
            let call = || (order.act)(&stage, both).names("").check(p, order.operation, Some(code));
            if catch_unwind(AssertUnwindSafe(call)).is_err() {
                let what = format!("{} {} before {}", order.operation, order.first, order.second);
                failed.push(format!("{what}, {}", if both { "both" } else { "the second alone" }));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

both! {
    fn of_customers_and_what_they_are_charged(p) {
        play(p, customers::ORDERS);
    }

    fn of_zones_and_ranges(p) {
        play(p, numbering::ORDERS);
    }

    fn of_the_sip_port(p) {
        play(p, sip::ORDERS);
    }
}
