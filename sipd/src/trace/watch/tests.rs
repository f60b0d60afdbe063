use super::super::Traced;
use super::*;
use ngn_sip::header::Transport;

fn traced(text: &str, remote: &str) -> Traced {
    Traced {
        is_in: true,
        at: 1,
        transport: Transport::Tls,
        local: Some("192.0.2.1:5061".parse().expect("an address")),
        remote: remote.parse().expect("an address"),
        octets: Bytes::copy_from_slice(text.as_bytes()),
    }
}

fn message(first: &str, from: &str, call_id: &str) -> String {
    format!(
        "{first}\r\nFrom: <sip:{from}>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: {call_id}\r\nCSeq: 1 BYE\r\n\
         Authorization: Digest username=\"a\", response=\"0123456789abcdef\"\r\n\r\n"
    )
}

fn gate() -> Gate {
    Gate { shared: Arc::default(), shutdown: CancellationToken::new() }
}

/// Shows messages as the hub does.
fn show(gate: &Gate, text: &str, remote: &str) {
    let traced = traced(text, remote);
    let mut seen = Seen::new(&traced, None);
    let mut watchers = gate.shared.watchers.lock().expect("the lock");
    watchers.iter_mut().for_each(|watcher| watcher.show(&mut seen));
}

fn enter(gate: &Gate, which: &Which) -> Option<Reader> {
    Reader::enter(gate.clone(), Filter::new(which).expect("a filter"), which)
}

/// The next line that is not empty, as JSON.
async fn next(reader: &mut Reader) -> Option<serde_json::Value> {
    loop {
        let line = reader.next().await?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        return Some(serde_json::from_slice(&line).expect("JSON"));
    }
}

#[tokio::test]
async fn messages_are_shown_whole_and_without_secrets() {
    let gate = gate();
    let mut reader = enter(&gate, &Which { count: Some(1), ..Which::default() }).expect("let in");
    show(&gate, &message("BYE sip:x@b.example SIP/2.0", "a@a.example", "c"), "192.0.2.7:1024");
    let line = next(&mut reader).await.expect("a line");
    assert_eq!((&line["direction"], &line["transport"]), (&"in".into(), &"tls".into()));
    assert_eq!(line["source"], "192.0.2.7:1024");
    assert_eq!(line["destination"], "192.0.2.1:5061");
    let text = line["message"].as_str().expect("a text");
    assert!(text.starts_with("BYE ") && text.ends_with("\r\n\r\n") && text.contains("masked"));
    assert!(!text.contains("0123456789abcdef"), "{text}");
    // One was wanted.
    assert_eq!(next(&mut reader).await, None);
}

#[tokio::test]
async fn all_that_a_filter_names_must_hold() {
    let bye = message("BYE sip:x@b.example SIP/2.0", "a@a.example", "c");
    let answer = message("SIP/2.0 200 OK", "z@z.example", "c");
    let some = |text: &str| Some(text.to_owned());
    for (which, held) in [
        (Which::default(), [true, true]),
        // The call of an account, also where it is not named.
        (Which { account: some("A@a.example"), ..Which::default() }, [true, true]),
        (Which { account: some("z@z.example"), ..Which::default() }, [false, true]),
        (Which { method: some("bye"), ..Which::default() }, [true, true]),
        (Which { method: some("INVITE"), ..Which::default() }, [false, false]),
        (Which { call_id: some("d"), ..Which::default() }, [false, false]),
        (Which { address: some("192.0.2.7:1024"), ..Which::default() }, [true, false]),
        (
            Which { address: some("192.0.2.0/24"), method: some("BYE"), ..Which::default() },
            [true, false],
        ),
    ] {
        let mut filter = Filter::new(&which).expect("a filter");
        let (one, other) = (traced(&bye, "192.0.2.7:1024"), traced(&answer, "198.51.100.1:5060"));
        let (mut one, mut other) = (Seen::new(&one, None), Seen::new(&other, None));
        assert_eq!([filter.holds(&mut one), filter.holds(&mut other)], held, "{which:?}");
    }
    for wrong in [
        Which { account: some("alice"), ..Which::default() },
        Which { address: some("nowhere"), ..Which::default() },
    ] {
        assert!(Filter::new(&wrong).is_err());
    }
}

#[tokio::test]
async fn a_slow_reader_loses_messages_and_is_told_how_many() {
    let gate = gate();
    let mut reader = enter(&gate, &Which::default()).expect("let in");
    for n in 0..WAITING + 10 {
        let text = message("BYE sip:x@b.example SIP/2.0", "a@a.example", &n.to_string());
        show(&gate, &text, "192.0.2.7:1024");
    }
    for n in 0..WAITING {
        let line = next(&mut reader).await.expect("a line");
        assert_eq!(line["call_id"], n.to_string());
    }
    let text = message("BYE sip:x@b.example SIP/2.0", "a@a.example", "after");
    show(&gate, &text, "192.0.2.7:1024");
    assert_eq!(next(&mut reader).await.expect("a line")["lost"], 10);
    assert_eq!(next(&mut reader).await.expect("a line")["call_id"], "after");
    // Long ones do not wait in any number either.
    let long = format!("{text}{}", "x".repeat(60_000));
    (0..WAITING).for_each(|_| show(&gate, &long, "192.0.2.7:1024"));
    assert!(reader.waiting.load(Ordering::Relaxed) <= WAITING_OCTETS);
}

#[tokio::test(start_paused = true)]
async fn watching_ends_and_costs_nothing_any_more() {
    let gate = gate();
    let readers: Vec<Reader> =
        (0..WATCHERS).filter_map(|_| enter(&gate, &Which::default())).collect();
    assert_eq!(readers.len(), WATCHERS);
    assert!(enter(&gate, &Which::default()).is_none());
    drop(readers);
    assert_eq!(gate.shared.wanted.load(Ordering::Relaxed), 0);
    assert!(gate.shared.watchers.lock().expect("the lock").is_empty());
    // By the clock of the runtime.
    let which = Which { seconds: Some(7), ..Which::default() };
    let mut reader = enter(&gate, &which).expect("let in");
    let begun = Instant::now();
    assert_eq!(next(&mut reader).await, None);
    assert_eq!(begun.elapsed().as_secs(), 7);
    let mut reader = enter(&gate, &Which::default()).expect("let in");
    gate.shutdown.cancel();
    assert_eq!(next(&mut reader).await, None);
}
