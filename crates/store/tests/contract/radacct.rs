//! Call detail records.

use crate::backend::Backend;
use crate::on_both;
use ngn_store::{Cdr, CdrMove, CdrStop};

on_both!(
    calls_are_recorded_once,
    a_call_ends_once,
    a_call_that_is_over_is_recorded_as_if_it_had_lasted,
    calls_of_a_killed_node_are_closed,
    calls_count_while_they_last,
    dialogs_are_kept_while_calls_last,
);

const ANSWERED: i64 = 1_772_323_200_000;

fn cdr(call: &str) -> Cdr {
    Cdr {
        session_id: call.to_owned(),
        from_tag: "f".to_owned(),
        to_tag: "t".to_owned(),
        username: "alice@example.com".to_owned(),
        canonical_uri: "bob@example.com".to_owned(),
        method: "INVITE".to_owned(),
        status: 200,
        started_at: ANSWERED + 500,
        ..Cdr::default()
    }
}

async fn calls_are_recorded_once(backend: &Backend) {
    let failed = Cdr { status: 486, stopped_at: Some(ANSWERED + 700), ..cdr("failed") };
    let huge = Cdr { from_header: "\u{fc}".repeat(2000), ..cdr("huge") };
    let batch: Vec<Cdr> =
        (0..450).map(|i| cdr(&format!("c{i}"))).chain([failed.clone(), huge]).collect();
    backend.store.insert_cdrs(&batch).await.expect("recorded");
    // The same batch again, as after a lost answer.
    let changed: Vec<Cdr> = batch.iter().map(|c| Cdr { status: 500, ..c.clone() }).collect();
    backend.store.insert_cdrs(&changed).await.expect("recorded");
    backend.store.insert_cdrs(&[]).await.expect("nothing to do");
    assert_eq!(backend.number("SELECT COUNT(*) FROM radacct").await, 452);
    assert_eq!(backend.number("SELECT COUNT(*) FROM radacct WHERE SipResponseCode = 500").await, 0);
    let open = backend.number("SELECT COUNT(*) FROM radacct WHERE AcctStopTime IS NULL").await;
    assert_eq!(open, 451);
    let started = backend.number("SELECT start_unix FROM radacct WHERE AcctSessionId = 'failed'");
    assert_eq!(started.await, ANSWERED / 1000);
    let lasted = backend.number(
        "SELECT stop_unix - start_unix + AcctSessionTime FROM radacct WHERE AcctSessionId = 'failed'",
    );
    assert_eq!(lasted.await, 0);
}

async fn a_call_ends_once(backend: &Backend) {
    backend.store.insert_cdrs(&[cdr("one"), cdr("two")]).await.expect("recorded");
    let stop = CdrStop {
        session_id: "one".to_owned(),
        from_tag: "f".to_owned(),
        to_tag: "t".to_owned(),
        stopped_at: ANSWERED + 61_400,
        cause: "User-Request".to_owned(),
        counted: false,
    };
    // Whoever was called may hang up: the tags are the other way round then.
    let other = CdrStop { from_tag: "t".to_owned(), to_tag: "f".to_owned(), ..stop.clone() };
    let unknown = CdrStop { session_id: "three".to_owned(), ..stop.clone() };
    let again = CdrStop { stopped_at: ANSWERED + 99_000, ..stop };
    let stopped = backend.store.stop_cdrs(&[other, again.clone(), unknown]).await;
    assert_eq!(stopped.expect("an answer"), 1);
    assert_eq!(backend.store.stop_cdrs(&[again]).await.expect("an answer"), 0);
    assert_eq!(backend.store.stop_cdrs(&[]).await.expect("an answer"), 0);
    let seconds = backend.number("SELECT AcctSessionTime FROM radacct WHERE AcctSessionId = 'one'");
    assert_eq!(seconds.await, 61);
    let stopped = backend.number("SELECT stop_unix FROM radacct WHERE AcctSessionId = 'one'");
    assert_eq!(stopped.await, ANSWERED / 1000 + 61);
    let open = backend.number("SELECT COUNT(*) FROM radacct WHERE stop_unix IS NULL").await;
    assert_eq!(open, 1);
}

async fn a_call_that_is_over_is_recorded_as_if_it_had_lasted(backend: &Backend) {
    let (stopped_at, cause) = (ANSWERED + 9_100, "User-Request".to_owned());
    let over = Cdr { stopped_at: Some(stopped_at), cause: cause.clone(), ..cdr("over") };
    backend.store.insert_cdrs(&[over, cdr("lasts")]).await.expect("recorded");
    let stop = CdrStop {
        session_id: "lasts".to_owned(),
        from_tag: "f".to_owned(),
        to_tag: "t".to_owned(),
        stopped_at,
        cause,
        counted: false,
    };
    assert_eq!(backend.store.stop_cdrs(&[stop]).await.expect("an answer"), 1);
    let kinds = "SELECT COUNT(*) FROM (SELECT DISTINCT AcctStopTime, AcctSessionTime, \
                 ConnectInfo_start, ConnectInfo_stop, AcctTerminateCause, Normalized, stop_unix \
                 FROM radacct) AS kinds";
    assert_eq!(backend.number(kinds).await, 1);
    let cause = "SELECT COUNT(*) FROM radacct WHERE AcctTerminateCause = 'User-Request' \
                 AND AcctSessionTime = 9";
    assert_eq!(backend.number(cause).await, 2);
}

async fn calls_of_a_killed_node_are_closed(backend: &Backend) {
    let of =
        |call: &str, node: &str, started_at| Cdr { node: node.to_owned(), started_at, ..cdr(call) };
    let (alive, back) = (ANSWERED + 60_000, ANSWERED + 600_000);
    backend
        .store
        .insert_cdrs(&[
            of("long", "n1", ANSWERED),
            of("just begun", "n1", alive + 5_000),
            of("elsewhere", "n2", ANSWERED),
            Cdr { stopped_at: Some(ANSWERED + 1_000), ..of("over", "n1", ANSWERED) },
            of("new", "n1", back + 1_000),
        ])
        .await
        .expect("recorded");
    let store = &backend.store;
    assert_eq!(store.sip_node_is_alive("n1", alive).await.expect("noted"), None);
    assert_eq!(store.sip_node_is_alive("n1", back).await.expect("noted"), Some(alive));
    assert_eq!(store.close_interrupted_cdrs("n1", alive, back).await.expect("closed"), 2);
    assert_eq!(store.close_interrupted_cdrs("n1", alive, back).await.expect("closed"), 0);
    assert_eq!(store.sip_node_is_alive("gone", 5).await.expect("noted"), None);
    let silent = store.silent_sip_nodes(back).await.expect("nodes");
    assert_eq!(silent, [("gone".to_owned(), 5)]);
    store.forget_sip_node("gone", 4).await.expect("nothing to forget");
    assert_eq!(store.silent_sip_nodes(back).await.expect("nodes").len(), 1);
    store.forget_sip_node("gone", 5).await.expect("forgotten");
    assert_eq!(store.silent_sip_nodes(back).await.expect("nodes"), []);
    let long = "SELECT AcctSessionTime FROM radacct WHERE AcctSessionId = 'long' \
                AND AcctTerminateCause = 'NAS-Reboot'";
    assert_eq!(backend.number(long).await, 60);
    let short = "SELECT AcctSessionTime FROM radacct WHERE AcctSessionId = 'just begun' \
                 AND AcctTerminateCause = 'NAS-Reboot'";
    assert_eq!(backend.number(short).await, 0);
    let open = backend.number("SELECT COUNT(*) FROM radacct WHERE stop_unix IS NULL").await;
    assert_eq!(open, 2, "that of the other node, and the new one");
    // The phones went on talking: the real end replaces the assumed one, once.
    let stop = CdrStop {
        session_id: "long".to_owned(),
        from_tag: "f".to_owned(),
        to_tag: "t".to_owned(),
        stopped_at: ANSWERED + 900_000,
        cause: "User-Request".to_owned(),
        counted: false,
    };
    assert_eq!(store.stop_cdrs(std::slice::from_ref(&stop)).await.expect("an answer"), 0);
    let later = CdrStop { stopped_at: ANSWERED + 990_000, ..stop };
    assert_eq!(store.stop_cdrs(&[later]).await.expect("an answer"), 0);
    let corrected = "SELECT AcctSessionTime FROM radacct WHERE AcctSessionId = 'long' \
                     AND AcctTerminateCause = 'User-Request'";
    assert_eq!(backend.number(corrected).await, 900);
}

// B76, B147: calls count for accounts and trunks while they last, whoever hangs up, at other nodes too.
async fn calls_count_while_they_last(backend: &Backend) {
    let store = &backend.store;
    let call = |session: &str, node: &str, payers: &[&str]| Cdr {
        node: node.to_owned(),
        counts_for: payers.iter().map(|payer| (*payer).to_owned()).collect(),
        from_uri: "alice@example.com".to_owned(),
        to_uri: "bob@example.net".to_owned(),
        translated_uri: "sip:bob@192.0.2.7".to_owned(),
        ..cdr(session)
    };
    let failed = Cdr { stopped_at: Some(ANSWERED), ..call("failed", "here", &["a@example.com"]) };
    let batch = [
        call("one", "here", &["a@example.com", "192.0.2.1"]),
        call("two", "here", &["a@example.com"]),
        call("free", "here", &[]),
        call("three", "there", &["a@example.com"]),
        failed,
    ];
    store.insert_cdrs(&batch).await.expect("recorded");
    // The same batch again, as after a lost answer.
    store.insert_cdrs(&batch).await.expect("recorded");
    let texts = |calls: Vec<ngn_store::LastingCall>| -> Vec<String> {
        calls.iter().map(|call| format!("{} {}", call.session_id, call.payer)).collect()
    };
    let found = texts(store.lasting_calls("here", ANSWERED).await.expect("calls"));
    assert_eq!(found, ["one a@example.com", "one 192.0.2.1", "two a@example.com"]);
    // What is shown of them stands in their records.
    let shown = store.lasting_calls("here", ANSWERED).await.expect("calls");
    assert!(shown.iter().all(|call| call.caller == "alice@example.com"));
    assert!(shown.iter().all(|call| call.callee == "bob@example.net"));
    assert!(shown.iter().all(|call| call.canonical == "bob@example.com"));
    assert!(shown.iter().all(|call| call.target == "sip:bob@192.0.2.7"));
    for node in ["here", "there"] {
        store.sip_node_is_alive(node, ANSWERED).await.expect("noted");
    }
    let elsewhere = |node: &'static str, since, alive| async move {
        let found = store.lasting_calls_elsewhere(node, since, alive).await.expect("counts");
        found.into_iter().map(|(payer, calls)| format!("{payer} {calls}")).collect::<Vec<_>>()
    };
    assert_eq!(elsewhere("here", ANSWERED, ANSWERED).await, ["a@example.com 1"]);
    assert_eq!(elsewhere("there", ANSWERED, ANSWERED).await, ["192.0.2.1 1", "a@example.com 2"]);
    assert!(elsewhere("here", ANSWERED, ANSWERED + 1).await.is_empty(), "the node is gone");
    assert!(elsewhere("here", ANSWERED + 501, ANSWERED).await.is_empty(), "too long ago");

    let stop = |session: &str, from: &str, to: &str, counted| CdrStop {
        session_id: session.to_owned(),
        from_tag: from.to_owned(),
        to_tag: to.to_owned(),
        stopped_at: ANSWERED + 1_000,
        cause: "User-Request".to_owned(),
        counted,
    };
    let stops =
        [stop("one", "t", "f", true), stop("free", "f", "t", false), stop("two", "x", "t", true)];
    store.stop_cdrs(&stops).await.expect("stopped");
    let found = texts(store.lasting_calls("here", ANSWERED).await.expect("calls"));
    assert_eq!(found, ["two a@example.com"]);
    assert!(store.lasting_calls("here", ANSWERED + 501).await.expect("calls").is_empty());
    assert_eq!(
        backend.number("SELECT COUNT(*) FROM lasting_calls").await,
        1,
        "those of others stay"
    );
}

// RFC 3261 section 12.2.1.1: what is needed to ask the sides of a call is there while it lasts, over a restart.
async fn dialogs_are_kept_while_calls_last(backend: &Backend) {
    let store = &backend.store;
    let call = |session: &str, node: &str, started_at, dialog: Option<&str>| Cdr {
        node: node.to_owned(),
        started_at,
        dialog: dialog.map(str::to_owned),
        to_uri: "bob@example.net".to_owned(),
        ..cdr(session)
    };
    let failed = Cdr { stopped_at: Some(ANSWERED), ..call("failed", "here", ANSWERED, Some("x")) };
    let batch = [
        call("one", "here", ANSWERED, Some("1")),
        call("two", "here", ANSWERED, Some("2")),
        call("mute", "here", ANSWERED, None),
        call("old", "here", ANSWERED - 3_600_000, Some("o")),
        call("three", "there", ANSWERED, Some("3")),
        failed,
    ];
    store.insert_cdrs(&batch).await.expect("recorded");
    let moved = |session: &str, from: &str, to: &str, dialog: &str| CdrMove {
        session_id: session.to_owned(),
        from_tag: from.to_owned(),
        to_tag: to.to_owned(),
        dialog: dialog.to_owned(),
    };
    let moves = [
        moved("one", "f", "t", "1a"),
        moved("one", "t", "f", "1b"),
        moved("two", "f", "x", "2a"),
        moved("failed", "f", "t", "f"),
    ];
    store.move_cdrs(&moves).await.expect("moved");
    store.move_cdrs(&[]).await.expect("nothing to do");
    let now = ANSWERED + 9_000;
    let texts = async |node, since| -> Vec<String> {
        let found = store.interrupted_calls(node, since, now).await.expect("calls");
        assert!(found.iter().all(|call| call.payer.is_empty() && call.callee == "bob@example.net"));
        assert!(found.iter().all(|call| (since..=ANSWERED).contains(&call.started_at)));
        found.iter().map(|c| format!("{} {}", c.session_id, c.dialog.clone().unwrap())).collect()
    };
    let since = ANSWERED - 1_800_000;
    assert!(texts("here", since).await.is_empty(), "none was interrupted");
    for node in ["here", "there"] {
        store.close_interrupted_cdrs(node, ANSWERED + 5_000, now).await.expect("closed");
    }
    assert_eq!(texts("here", since).await, ["one 1b", "two 2"]);
    let stop = CdrStop {
        session_id: "two".to_owned(),
        from_tag: "t".to_owned(),
        to_tag: "f".to_owned(),
        stopped_at: now,
        cause: "User-Request".to_owned(),
        counted: false,
    };
    store.stop_cdrs(&[stop]).await.expect("stopped");
    store.move_cdrs(&[moved("two", "f", "t", "2b")]).await.expect("too late");
    assert_eq!(texts("here", since).await, ["one 1b"]);
    // After a long absence none is taken for lasting; what was too old is forgotten.
    assert!(texts("here", i64::MAX).await.is_empty());
    let left = "SELECT COUNT(*) FROM radacct WHERE dialog IS NOT NULL";
    assert_eq!(backend.number(left).await, 1);
    assert_eq!(texts("there", since).await, ["three 3"], "those of others stay");
}
