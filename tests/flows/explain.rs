//! `ngn explain` beside a running platform.

use ngn_tests::binaries::program;
use ngn_tests::fixture::{account, carrier, domain, gateway, route, subscriber, trusted_peer};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, record, sip_id};
use std::process::Command;

fn explain(p: &Platform, arguments: &[&str]) -> String {
    let mut command = Command::new(program("ngn"));
    // The admin port by the environment: the usual ones may be somebody else's.
    command.arg("explain").args(arguments).env("NGN_ADMIN", p.admin_address().to_string());
    let output = command.env("TZ", "Asia/Tokyo").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ngn explain {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

both! {
    // B90: rules hold in the account's time zone, whatever the operator's is.
    fn a_call_at_another_time(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        let alice = subscriber("alice@example.com").with("timezone", "Europe/Vienna");
        admin.ok("Sip.addAccount", record! { account: alice });
        account(&admin, "bob@example.com");
        let rule = record! { days: 31, start: "08:00", stop: "18:00", groups: Value::List(vec!["nobody".into()]) };
        let rules = record! { persistent: vec![rule] };
        admin.ok("Sip.setAcceptRules", record! { sipId: sip_id("alice@example.com"), rules: rules });
        p.settle();

        // Monday, 23 November 2026: 09:00 in Vienna is 17:00 in Tokyo.
        let call = ["--from", "bob@example.com", "--to", "alice@example.com"];
        for (time, begins, takes_no_calls) in [
            (&["--at", "2026-11-23T09:00", "--timezone", "Europe/Vienna"][..], "at 2026-11-23T09:00:00+01:00[Europe/Vienna]", true),
            (&["--at", "2026-11-23T07:00", "--timezone", "Europe/Vienna"], "at 2026-11-23T07:00:00+01:00[Europe/Vienna]", false),
            (&["--at", "2026-11-23T17:00"], "at 2026-11-23T17:00:00+09:00[Asia/Tokyo]", true),
            (&["--at", "2026-11-23T08:00:00Z"], "at 2026-11-23T17:00:00+09:00[Asia/Tokyo]", true),
            (&["--at", "1795420800"], "at 2026-11-23T17:00:00+09:00[Asia/Tokyo]", true),
            (&["--at", "2026-11-22T17:00"], "at 2026-11-22T17:00:00+09:00[Asia/Tokyo]", false),
        ] {
            let told = explain(p, &[&call[..], time].concat());
            assert!(told.starts_with(begins), "{time:?}: {told}");
            assert_eq!(told.contains("B90"), takes_no_calls, "{time:?}: {told}");
        }
    }

    // B145: who calls from a trunk's address is the trunk.
    fn a_call_from_a_trunk(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        admin.ok("Sip.addTrustedPeer", trusted_peer("192.0.2.80"));
        let id = carrier(&admin, "Far");
        gateway(&admin, id, "far");
        admin.ok("Sip.addRoutes", record! { routes: vec![route(id, "")] });
        p.settle();
        let call = ["--from", "sip:+31201234567@192.0.2.80", "--to", "sip:0044201234567@example.com"];
        let told = explain(p, &[&call[..], &["--source", "192.0.2.80"]].concat());
        assert!(told.contains("gateway far of Far"), "{told}");
        let told = explain(p, &call);
        assert!(told.starts_with("refused: 404"), "{told}");
    }
}
