//! Accounts in number.

use std::thread;

use ngn_tests::fixture::{domain, subscriber};
use ngn_tests::{Platform, record};

/// The domain of all accounts here.
pub(crate) const DOMAIN: &str = "sip.example";

/// Adds `example.test` and accounts `PREFIX0`… in it, password `secret`, by four clients at once.
pub(crate) fn accounts(p: &Platform, prefix: &str, count: usize) {
    let admin = p.admin();
    let known = ngn_tests::query(record! { domain: DOMAIN }, "domain", "ASC", 0, 1);
    if admin.ok("Sip.getDomains", known).int_at("total") == 0 {
        domain(&admin, DOMAIN);
    }
    thread::scope(|scope| {
        for worker in 0..4 {
            let admin = &admin;
            scope.spawn(move || {
                for n in (worker..count).step_by(4) {
                    let account = subscriber(&format!("{prefix}{n}@{DOMAIN}"));
                    admin.ok("Sip.addAccount", record! { account: account });
                }
            });
        }
    });
    p.settle();
}

/// SIPp's line of fields for a registration.
pub(crate) fn registration(user: &str) -> String {
    format!("{user};[authentication username={user} password=secret]")
}

/// SIPp's line of fields for a call.
pub(crate) fn call(caller: &str, callee: &str) -> String {
    format!("{caller};[authentication username={caller} password=secret];{callee}")
}
