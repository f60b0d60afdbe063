//! doc/metrics.md names every metric of a running platform with its kind and labels, and none that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use ngn_tests::binaries::root;
use ngn_tests::certificates::Authority;
use ngn_tests::database::Backend;
use ngn_tests::fixture::{carrier, domain, gateway, zone};
use ngn_tests::http;
use ngn_tests::net::free_port;
use ngn_tests::platform::{Platform, eventually};

/// Kind and labels.
type Metric = (String, BTreeSet<String>);

/// The rows of the tables: name, what it is, and whether it is there from the start.
fn documented() -> BTreeMap<String, (Metric, bool)> {
    let text = fs::read_to_string(root().join("doc/metrics.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let mut found = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" |").map(str::trim).collect();
        let [name, kind, labels, shown, _meaning] = cells[..] else { panic!("{row}") };
        let labels = labels.split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        assert!(matches!(shown, "always" | "used"), "{row}");
        let name = name.trim_matches('`').to_owned();
        let before = found.insert(name, ((kind.to_owned(), labels), shown == "always"));
        assert!(before.is_none(), "twice: {row}");
    }
    found
}

/// What `/metrics` shows; the labels of a metric are those of its first sample.
fn shown(text: &str) -> BTreeMap<String, Metric> {
    let mut found: BTreeMap<String, Metric> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            last = name.to_owned();
            found.insert(last.clone(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&last), "{line} after {last}");
            let labels = line.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}'));
            let labels = labels.map_or("", |(labels, _)| labels);
            let names = labels.split("\",").filter_map(|label| label.split_once('='));
            let names = names.map(|(name, _)| name.to_owned()).filter(|name| name != "le");
            found.get_mut(&last).unwrap().1.extend(names);
        }
    }
    found
}

#[test]
fn metrics_are_documented() {
    let authority = Authority::new().unwrap();
    let own = authority.issue("own", "DNS:own.example").unwrap();
    let settings = format!(
        "[listen]\ntls = [\"127.0.0.1:{}\"]\n[tls]\ncertificate = {:?}\nprivate_key = {:?}\nauthorities = {:?}\n",
        free_port(),
        own.certificate,
        own.key,
        authority.file()
    );
    let p = Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
    domain(&p.admin(), "sip.example");
    zone(&p.admin(), "zone.example");
    let id = carrier(&p.admin(), "Telco");
    gateway(&p.admin(), id, "gw");
    p.settle();
    let documented = documented();
    for daemon in ["ngnpro_", "sipd_", "enumd_"] {
        assert!(documented.keys().any(|name| name.starts_with(daemon)), "{daemon}");
    }
    let all = ["sipd_gateway_up", "sipd_certificate_remaining_seconds"];
    let shown = eventually("all kinds of metrics", || {
        let shown = shown(&http::get(p.admin_address(), "/metrics").unwrap().text());
        all.iter().all(|name| shown.contains_key(*name)).then_some(shown)
    });
    for (name, metric) in &shown {
        let (known, _) =
            documented.get(name).unwrap_or_else(|| panic!("doc/metrics.md lacks {name}"));
        assert_eq!(metric, known, "{name} (left: as it is, right: doc/metrics.md)");
        // Prometheus' rules of names: base units in full, and what is counted by counters alone has the suffix.
        assert!(
            !["_ms", "_milliseconds", "_kb", "_total"].iter().any(|end| name.ends_with(end)),
            "{name}"
        );
    }
    for (name, (_, always)) in &documented {
        assert!(!always || shown.contains_key(name), "{name} is not there");
    }
}
