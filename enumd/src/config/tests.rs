use super::*;

/// `sixteen octets!!`
const SECRET: &str = "c2l4dGVlbiBvY3RldHMhIQ==";

fn key(name: &str, algorithm: &str, secret: &str) -> KeySettings {
    KeySettings {
        name: name.to_owned(),
        algorithm: algorithm.to_owned(),
        secret: secret.to_owned(),
        file: PathBuf::new(),
    }
}

fn of(zone: &str, key: &str) -> SecondaryZone {
    let key = (!key.is_empty()).then(|| key.to_owned());
    let masters = vec![SocketAddr::new(LOCALHOST, 53)];
    SecondaryZone { zone: zone.to_owned(), masters, key }
}

#[test]
fn secrets_are_read_from_files_and_shown_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let in_file = KeySettings { file, ..key("b.example", "hmac-sha512", "") };
    let keys = vec![key("a", "hmac-sha256", SECRET), in_file];
    let mut config = Config { keys, ..Config::default() };
    config.transfer.keys = vec!["B.example".to_owned()];
    assert_eq!(config.check(), Ok(()));
    assert!(config.load_keys().unwrap().get(&Name::parse("a").unwrap()).is_some());
    assert!(!format!("{config:?}").contains(SECRET));
}

#[test]
fn the_defaults_make_sense() {
    assert_eq!(Config::default().check(), Ok(()));
}

#[test]
fn the_shipped_file_shows_every_default() {
    let text = include_str!("../../../etc/enumd.toml");
    let shipped: Config = ngn_daemon::config::parse(text, "etc/enumd.toml", "ENUMD", Vec::new())
        .expect("the shipped file is read");
    assert_eq!(shipped, Config::default());
    // `deny_unknown_fields` finds keys that are too many; this finds those that are missing.
    for key in [
        "database",
        "admin",
        "admin_beyond_loopback",
        "log",
        "udp",
        "tcp",
        "file",
        "interval_seconds",
        "keys",
        "allow",
        "differences",
        "zone_octets",
        "all_octets",
        "secondaries",
        "name_servers",
        "responses",
        "nxdomains",
        "errors",
        "slip",
        "exempt",
        "secondary",
        "records",
        "octets",
        "seconds",
        "at_once",
        "least_seconds",
        "udp_octets",
        "udp_threads",
        "udp_processors",
        "receive_buffer",
        "connections",
        "connections_per_address",
        "idle_seconds",
        "https",
        "path",
        "plain",
        "streams",
        "one_in",
        "per_second",
        "zones",
    ] {
        let begins = format!("{key} = ");
        assert!(text.lines().any(|line| line.starts_with(&begins)), "{key} is not shown");
    }
}

#[test]
fn nonsense_is_named() {
    type Spoil = fn(&mut Config);
    let cases: [(Spoil, &str); 25] = [
        (|c| c.metrics.zones = 1_001, "metrics.zones"),
        (|c| c.listen = Listen { udp: vec![], tcp: vec![], ..c.listen.clone() }, "listen"),
        (|c| c.snapshot.interval_seconds = 0, "snapshot.interval_seconds"),
        (|c| c.listen.tls = c.listen.tcp.clone(), "tls.certificate"),
        (|c| c.tls.certificate = PathBuf::from("x"), "tls: `certificate`"),
        (|c| c.listen.https = c.listen.tcp.clone(), "tls.certificate: needed for `listen.https`"),
        (|c| c.https.path = "dns query".to_owned(), "https.path"),
        (|c| c.https.streams = 0, "https.streams"),
        (
            |c| {
                c.https.plain = true;
                c.listen.https = vec!["192.0.2.1:443".parse().unwrap()];
            },
            "https.plain: 192.0.2.1:443",
        ),
        (|c| c.limits.udp_octets = 100, "limits.udp_octets"),
        (|c| c.limits.udp_threads = 1_000, "limits.udp_threads"),
        (|c| c.limits.connections = 0, "limits.connections:"),
        (|c| c.limits.connections_per_address = 0, "limits.connections_per_address"),
        (|c| c.limits.idle_seconds = 0, "limits.idle_seconds"),
        (|c| c.transfer.keys = vec!["none".to_owned()], "transfer.keys"),
        (|c| c.secondary = vec![of("a..b", "")], "secondary: `a..b`: a label is empty"),
        (|c| c.secondary = vec![of("a", ""), of("A.", "")], "secondary: `A.` is there twice"),
        (|c| c.secondary = vec![of("a", "none")], "secondary: `a`: the key `none`"),
        (
            |c| c.secondary = vec![SecondaryZone { masters: vec![], ..of("a", "") }],
            "secondary: `a`: masters",
        ),
        (|c| c.fetching.at_once = 0, "fetching.at_once"),
        (|c| c.fetching.least_seconds = 0, "fetching.least_seconds"),
        (|c| c.keys = vec![key("a", "hmac-md5", SECRET)], "keys: `a`: `hmac-md5`"),
        (|c| c.keys = vec![key("a", "hmac-sha256", "c2hvcnQ=")], "keys: `a`: the secret has 5"),
        (|c| c.keys = vec![key("a", "hmac-sha256", "")], "keys: `a`: needs either"),
        (
            |c| {
                c.keys = vec![key("a", "hmac-sha256", SECRET), key("A", "hmac-sha256", SECRET)];
            },
            "keys: `a` is there twice",
        ),
    ];
    for (spoil, key) in cases {
        let mut config = Config::default();
        spoil(&mut config);
        let error = config.check().expect_err(key);
        assert!(error.starts_with(key), "{error}");
    }
}
