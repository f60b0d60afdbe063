//! Recorded messages: written in batches, found by call, pruned by age and number.

use crate::backend::Backend;
use crate::on_both;
use ngn_store::SipTraceRow;

on_both!(messages_are_found_by_call_and_tag, old_and_surplus_messages_go);

fn row(call: &str, time_us: i64, from: &str, to: &str) -> SipTraceRow {
    SipTraceRow {
        time_us,
        callid: call.to_owned(),
        fromtag: from.to_owned(),
        totag: to.to_owned(),
        msg: "OPTIONS sip:é SIP/2.0\r\n\r\n".to_owned(),
        ..SipTraceRow::default()
    }
}

async fn found(backend: &Backend, call: &'static str, tag: &'static str) -> Vec<i64> {
    let rows = backend
        .store
        .read(|tx| Box::pin(async move { tx.sip_trace(call, tag).await }))
        .await
        .expect("read");
    rows.iter().map(|row| row.time_us).collect()
}

async fn messages_are_found_by_call_and_tag(backend: &Backend) {
    let rows =
        [row("c", 3, "b", "a"), row("c", 1, "a", ""), row("c", 2, "x", ""), row("d", 4, "a", "")];
    backend.store.insert_sip_trace(&rows).await.expect("written");
    assert_eq!(found(backend, "c", "").await, [1, 2, 3]);
    // Whichever end sent them.
    assert_eq!(found(backend, "c", "a").await, [1, 3]);
    assert_eq!(found(backend, "e", "").await, [0_i64; 0]);
}

async fn old_and_surplus_messages_go(backend: &Backend) {
    let rows: Vec<SipTraceRow> = (0..1200).map(|at| row("c", at, "a", "")).collect();
    backend.store.insert_sip_trace(&rows).await.expect("written");
    assert_eq!(backend.store.prune_sip_trace(100, 5_000).await.expect("pruned"), 100);
    assert_eq!(backend.store.prune_sip_trace(100, 10).await.expect("pruned"), 1090);
    assert_eq!(found(backend, "c", "").await, (1190..1200).collect::<Vec<_>>());
    assert_eq!(backend.store.prune_sip_trace(100, 10).await.expect("pruned"), 0);
}
