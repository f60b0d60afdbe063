//! Call detail records.

use crate::backend::Backend;
use crate::on_both;
use ngn_store::{Cdr, CdrStop};

on_both!(calls_are_recorded_once, a_call_ends_once);

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
    };
    assert!(backend.store.stop_cdr(&stop).await.expect("an answer"));
    let again = CdrStop { stopped_at: ANSWERED + 99_000, ..stop.clone() };
    assert!(!backend.store.stop_cdr(&again).await.expect("an answer"));
    let unknown = CdrStop { session_id: "three".to_owned(), ..stop };
    assert!(!backend.store.stop_cdr(&unknown).await.expect("an answer"));
    let seconds = backend.number("SELECT AcctSessionTime FROM radacct WHERE AcctSessionId = 'one'");
    assert_eq!(seconds.await, 61);
    let stopped = backend.number("SELECT stop_unix FROM radacct WHERE AcctSessionId = 'one'");
    assert_eq!(stopped.await, ANSWERED / 1000 + 61);
    let open = backend.number("SELECT COUNT(*) FROM radacct WHERE stop_unix IS NULL").await;
    assert_eq!(open, 1);
}
