//! What those who look after the server see: queries in the log, counters of zones, and settings that are read again.

use hickory_proto::rr::RecordType::{A, MX};
use ngn_tests::database::Backend;
use ngn_tests::dns::{ask, dig, exchange_tcp, question};
use ngn_tests::fixture::{dns_record, zone};
use ngn_tests::http;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::record;
use serde_json::Value as Json;
use std::fs;

/// The lines of the log about queries.
fn noted(p: &mut Platform) -> Vec<Json> {
    let log = p.program().log();
    let lines = log.lines().filter(|line| line.contains("\"enumd::query\""));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Has the platform read its settings again, with these of enumd.
fn reload(p: &mut Platform, settings: &str) {
    fs::write(p.data().join("enumd.toml"), settings).unwrap();
    let said = |p: &mut Platform| p.program().log().matches("SIGHUP: ").count();
    let before = said(p);
    p.program().signal("HUP").unwrap();
    eventually("the settings to be read again", || (said(p) > before).then_some(()));
}

#[test]
fn one_of_so_many_queries_is_noted() {
    let mut p = Platform::start_with(Backend::Sqlite, &[("enumd", "[query_log]\none_in = 1\n")]);
    let server = p.dns_address();
    zone(&p.admin(), "example.com");
    p.admin().ok(
        "Dns.addRecord",
        record! { record: dns_record("example.com", "www", "A", "192.0.2.1") },
    );
    p.settle();
    ask(server, "Www.example.com", A).unwrap();
    dig(server, &["+dnssec", "nothing.example.com", "TYPE4711"]).unwrap();
    exchange_tcp(server, &question("elsewhere.invalid", MX).to_vec().unwrap()).unwrap();
    eventually("the lines", || (noted(&mut p).len() >= 3).then_some(()));
    let lines = noted(&mut p);
    let text = |key: &str| -> Vec<&str> {
        lines.iter().map(|line| line[key].as_str().unwrap_or_default()).collect()
    };
    assert_eq!(text("client"), ["127.0.0.1"; 3]);
    assert_eq!(text("transport"), ["udp", "udp", "tcp"]);
    assert_eq!(
        text("name").iter().map(|name| name.to_lowercase()).collect::<Vec<_>>(),
        ["www.example.com", "nothing.example.com", "elsewhere.invalid"]
    );
    assert_eq!(text("type"), ["A", "TYPE4711", "MX"]);
    assert_eq!(text("rcode"), ["NOERROR", "NXDOMAIN", "REFUSED"]);
    let wants: Vec<bool> = lines.iter().map(|line| line["dnssec_ok"].as_bool().unwrap()).collect();
    assert_eq!(wants, [false, true, false]);
    for line in &lines {
        assert!(line["octets"].as_u64().unwrap() > 12 && line["microseconds"].is_u64(), "{line}");
    }
    // Off at once, while it serves.
    reload(&mut p, "[query_log]\none_in = 0\n");
    let before = noted(&mut p).len();
    for _ in 0..20 {
        ask(server, "www.example.com", A).unwrap();
    }
    reload(&mut p, "[query_log]\none_in = 1\n");
    ask(server, "last.example.com", A).unwrap();
    eventually("the line", || (noted(&mut p).len() > before).then_some(()));
    let lines = noted(&mut p);
    assert_eq!(lines[before]["name"], "last.example.com", "{lines:?}");
}

#[test]
fn keys_that_hold_after_a_restart_are_named() {
    let mut p =
        Platform::start_with(Backend::Sqlite, &[("enumd", "[limits]\nidle_seconds = 20\n")]);
    reload(&mut p, "[limits]\nidle_seconds = 21\n[rate]\nslip = 3\n[query_log]\nper_second = 7\n");
    let log = p.program().log();
    let line = log.lines().find(|line| line.contains("SIGHUP: ")).unwrap();
    let line: Json = serde_json::from_str(line).unwrap();
    assert_eq!(line["keys"], "rate.slip, limits.idle_seconds", "{line}");
    // What makes no sense changes nothing, and is named.
    reload(&mut p, "[metrics]\nzones = 5000\n");
    assert!(
        p.program().log().contains("metrics.zones: must be at most 1000"),
        "{}",
        p.program().log()
    );
}

#[test]
fn queries_are_counted_by_zone() {
    let settings = "[metrics]\nzones = 2\n";
    let p = Platform::start_with(Backend::Sqlite, &[("enumd", settings)]);
    let server = p.dns_address();
    for apex in ["one.example", "two.example", "three.example", "four.example"] {
        zone(&p.admin(), apex);
    }
    p.settle();
    for (name, times) in [
        ("ONE.example", 3),
        ("x.one.example", 2),
        ("two.example", 1),
        ("three.example", 4),
        ("a.four.example", 5),
        ("elsewhere.invalid", 6),
    ] {
        for _ in 0..times {
            ask(server, name, A).unwrap();
        }
    }
    // Counted within a second or so.
    let expected = [
        (r#"zone="one.example",rcode="NOERROR""#, 3),
        (r#"zone="one.example",rcode="NXDOMAIN""#, 2),
        (r#"zone="two.example",rcode="NOERROR""#, 1),
        (r#"zone="other",rcode="NOERROR""#, 4),
        (r#"zone="other",rcode="NXDOMAIN""#, 5),
    ];
    eventually("the counters", || {
        let text = http::get(p.admin_address(), "/metrics").unwrap().text();
        let all = expected.iter().all(|(labels, times)| {
            text.contains(&format!("enumd_zone_queries_total{{{labels}}} {times}\n"))
        });
        all.then_some(())
    });
}
