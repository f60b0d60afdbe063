use super::*;

#[test]
fn the_defaults_make_sense() {
    assert_eq!(Config::default().check(), Ok(()));
}

#[test]
fn the_shipped_file_shows_every_default() {
    let text = include_str!("../../../etc/sipd.toml");
    let shipped: Config = ngn_daemon::config::parse(text, "etc/sipd.toml", "SIPD", Vec::new())
        .expect("the shipped file is read");
    assert_eq!(shipped, Config::default());
    // `deny_unknown_fields` finds keys that are too many; this finds those that are missing.
    let keys = ["database", "admin", "admin_beyond_loopback", "log", "udp", "tcp"]
        .into_iter()
        .chain(["# advertised", "algorithms", "nonce_seconds", "allow_without_qop", "uri"])
        .chain(["min_expires", "max_expires", "default_expires", "max_contacts"])
        .chain([
            "answer_timeout",
            "timer_c",
            "largest_datagram",
            "voicemail_server",
            "voicemail_numbers",
            "message_octets",
        ])
        .chain(["transactions", "connections", "connections_per_address", "idle_seconds"])
        .chain(["receive_buffer", "tls", "certificate", "private_key", "authorities"])
        .chain(["client_certificates", "verify_servers", "accept_wildcards", "reuse_connections"])
        .chain(["handshake_seconds", "ws", "wss", "origins", "ping_seconds"])
        .chain(["country_code", "area_code", "national_prefix", "international_prefix"])
        .chain(["calls_per_account", "gateway_order", "failover_codes", "probe_seconds"])
        .chain(["silent_seconds", "address", "session_expires", "min_session_expires"])
        .chain(["probe_interval"])
        .chain(["probe_failures", "trees", "dns_trees", "numbers", "without_password"])
        .chain(["servers", "timeout_milliseconds", "attempts", "cached_answers"])
        .chain(["longest_ttl", "negative_ttl", "back_off"])
        .chain(["exempt", "source_failures", "account_failures", "unknown_names"])
        .chain(["within_seconds", "ban_seconds", "longest_ban_seconds", "scanners"])
        .chain(["requests_per_second", "request_burst", "calls_per_second", "call_burst"])
        .chain(["registrations_milliseconds", "calls_milliseconds", "dialogs_milliseconds"])
        .chain(["retry_after", "drop_unread"])
        .chain(["accounts", "addresses", "messages_per_call", "keep_hours", "keep_messages"]);
    for key in keys {
        let begins = format!("{key} = ");
        assert!(text.lines().any(|line| line.starts_with(&begins)), "{key} is not shown");
    }
}

#[test]
fn nonsense_is_named() {
    type Spoil = fn(&mut Config);
    let cases: [(Spoil, &str); 32] = [
        (|c| c.calls.session_expires = 89, "calls.session_expires"),
        (|c| c.calls.min_session_expires = 0, "calls.min_session_expires"),
        (|c| c.calls.probe_interval = 86_401, "calls.probe_interval"),
        (|c| c.calls.probe_failures = 0, "calls.probe_failures"),
        (|c| c.guard.unknown_names = 41, "guard.unknown_names"),
        (|c| c.guard.within_seconds = 0, "guard"),
        (|c| c.guard.longest_ban_seconds = 1, "guard.longest_ban_seconds"),
        (|c| c.guard.call_burst = 0, "guard.call_burst"),
        (|c| c.overload.calls_milliseconds = 1, "overload"),
        (|c| c.overload.retry_after = [9, 3], "overload.retry_after"),
        (|c| c.cluster.address = "a b".to_owned(), "cluster.address"),
        (|c| c.websocket.origins = vec!["example.com".to_owned()], "websocket.origins"),
        (|c| c.tls.handshake_seconds = 0, "tls.handshake_seconds"),
        (|c| c.tls.certificate = "only.pem".into(), "tls"),
        (|c| c.pstn.country_code = "+43".to_owned(), "pstn"),
        (|c| c.pstn.failover_codes = vec![603], "pstn.failover_codes"),
        (|c| c.pstn.silent_seconds = 0, "pstn.silent_seconds"),
        (|c| c.pstn.probe_failures = 0, "pstn"),
        (|c| c.r#enum.dns_trees = vec!["no tree".to_owned()], "enum.dns_trees"),
        (|c| c.r#enum.timeout_milliseconds = 1, "enum.timeout_milliseconds"),
        (|c| c.emergency.numbers = vec!["one one two".to_owned()], "emergency.numbers"),
        (|c| c.dns.attempts = 99, "dns"),
        (|c| c.trace.accounts = vec!["alice".to_owned()], "trace.accounts"),
        (|c| c.trace.keep_hours = 0, "trace"),
        (|c| c.trace.hep = "collector.example".to_owned(), "trace.hep"),
        (|c| c.listen.udp = vec!["[::]:5060".parse().expect("one")], "listen.advertised"),
        (|c| c.listen = Listen { udp: vec![], tcp: vec![], ..Listen::default() }, "listen"),
        (|c| c.digest.algorithms.clear(), "digest.algorithms"),
        (|c| c.registrar.min_expires = 9_999, "registrar"),
        (|c| c.proxy.timer_c = 180, "proxy.timer_c"),
        (|c| c.proxy.voicemail_server = "vm example".to_owned(), "proxy.voicemail_server"),
        (|c| c.limits.message_octets = 10, "limits.message_octets"),
    ];
    for (spoil, key) in cases {
        let mut config = Config::default();
        spoil(&mut config);
        let error = config.check().expect_err(key);
        assert!(error.starts_with(key), "{error}");
    }
}
