//! Prepaid balances, vouchers, calls and mailboxes.

use crate::backend::{Backend, actor};
use crate::on_both;
use ngn_model::{Amount, Aor};
use std::time::Duration;

use ngn_store::{CallSide, CallWindow, PrepaidHistoryRow, StoreError, VoicemailRow};

on_both!(
    balances_are_exact,
    debits_of_others_are_seen,
    balances_that_others_set_are_seen,
    groups_that_others_set_are_seen,
    vouchers_are_used_once,
    calls_are_found_and_summed,
    mailboxes_are_numbered
);

fn alice() -> Aor {
    Aor::new("alice", "example.com").expect("an address")
}

/// What a rating engine writes: the history tells whose balance changed.
async fn debits_of_others_are_seen(backend: &Backend) {
    let store = &backend.store;
    assert_eq!(store.charged_since(None).await.expect("read"), (0, Vec::new()));
    change(backend, 500).await;
    let (newest, accounts) = store.charged_since(Some(0)).await.expect("read");
    assert_eq!((newest > 0, accounts), (true, vec![alice()]));
    let again = store.charged_since(Some(newest)).await.expect("read");
    assert_eq!(again, (newest, Vec::new()));
    change(backend, -100).await;
    let (later, accounts) = store.charged_since(Some(newest)).await.expect("read");
    assert_eq!((later > newest, accounts), (true, vec![alice()]));
    let (last, accounts) = store.charged_since(None).await.expect("read");
    assert_eq!((last, accounts), (later, vec![alice()]));
}

/// B71: a balance that is set by SQL alone.
async fn balances_that_others_set_are_seen(backend: &Backend) {
    let (store, soon) = (&backend.store, Duration::from_secs(2));
    assert_eq!(store.balances_changed(soon).await.expect("read"), []);
    backend.sql("INSERT INTO prepaid (account, balance) VALUES ('alice@example.com', 1.5)").await;
    backend
        .sql(
            "INSERT INTO prepaid (account, balance, change_date) \
             VALUES ('bob@example.com', 3, '2020-01-01 00:00:00'), ('nobody', 1, '2020-01-01 00:00:00')",
        )
        .await;
    let seen = store.balances_changed(soon).await.expect("read");
    assert_eq!(seen, [(alice(), Amount(15_000))]);
    backend.sql("UPDATE prepaid SET balance = 0 WHERE account = 'bob@example.com'").await;
    backend.sql("UPDATE prepaid SET balance = 2 WHERE account = 'nobody'").await;
    let seen = store.balances_changed(soon).await.expect("read");
    let bob = Aor::new("bob", "example.com").expect("an address");
    assert_eq!(seen.len(), 2, "what is no account is left out");
    assert!(seen.contains(&(bob, Amount(0))));
    // What we write ourselves is written in the same way.
    backend.sql("UPDATE prepaid SET change_date = '2020-01-01 00:00:00'").await;
    assert_eq!(store.balances_changed(soon).await.expect("read"), []);
    let now = change(backend, 1).await;
    assert_eq!(store.balances_changed(soon).await.expect("read"), [(alice(), now)]);
}

/// B66, B180: members of groups that are set and cleared by SQL.
async fn groups_that_others_set_are_seen(backend: &Backend) {
    let store = &backend.store;
    let none = store.restricted_mark().await.expect("read");
    assert_eq!((none, store.restricted().await.expect("read").len()), ((0, 0), 0));
    let insert = "INSERT INTO grp (username, domain, grp) VALUES";
    backend.sql(format!("{insert} ('alice', 'example.com', 'free-pstn')")).await;
    assert_eq!(store.restricted_mark().await.expect("read"), none);
    backend.sql(format!("{insert} ('alice', 'example.com', 'quota')")).await;
    let one = store.restricted_mark().await.expect("read");
    let members = store.restricted().await.expect("read");
    assert_eq!(members.into_iter().collect::<Vec<_>>(), [(alice(), "quota".to_owned())]);
    backend.sql("DELETE FROM grp WHERE grp = 'quota'").await;
    backend.sql(format!("{insert} ('bob', 'example.com', 'blocked')")).await;
    let other = store.restricted_mark().await.expect("read");
    assert!(one != other && one != none && other != none);
}

async fn change(backend: &Backend, steps: i64) -> Amount {
    let aor = &alice();
    let (balance, _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let balance = tx.lock_prepaid(aor, 7).await?.checked_add(Amount(steps));
                let balance = balance.unwrap_or_default();
                let row = PrepaidHistoryRow {
                    action: "Set balance".to_owned(),
                    description: String::new(),
                    value: Amount(steps),
                    balance,
                    date: tx.now(),
                };
                tx.change_prepaid(aor, 7, &row).await?;
                Ok::<_, StoreError>(balance)
            })
        })
        .await
        .expect("changed");
    balance
}

async fn balances_are_exact(backend: &Backend) {
    // Each digit of the column, and back; what CDRTool reads is the same number.
    for steps in [9_999_999_999, -9_999_999_998, -1, -9_999_999_999, 9_999_999_999] {
        change(backend, steps).await;
    }
    assert_eq!(change(backend, 0).await, Amount(0));
    change(backend, 123_456_789).await;
    let read = backend.text("SELECT CAST(balance AS CHAR) FROM prepaid").await;
    assert_eq!(read, "12345.6789");
    let aor = &alice();
    let history = backend
        .store
        .read(|tx| Box::pin(async move { tx.prepaid_history(aor, 3).await }))
        .await
        .expect("read");
    let values: Vec<i64> = history.iter().map(|row| row.value.0).collect();
    assert_eq!(values, [123_456_789, 0, 9_999_999_999]);
    // Engines that change the balance between two of ours are not overwritten.
    backend.sql("UPDATE prepaid SET balance = balance - 0.0001").await;
    assert_eq!(change(backend, 0).await, Amount(123_456_788));
}

async fn vouchers_are_used_once(backend: &Backend) {
    backend.sql("INSERT INTO prepaid_cards (id, number, value) VALUES (1, '9001', 0.3)").await;
    let found = |id: i64, number: &'static str| {
        backend.store.write(actor(), move |tx| {
            Box::pin(async move {
                let card = tx.lock_prepaid_card(id, number).await?;
                if card.is_some() {
                    tx.use_prepaid_card(id).await?;
                }
                Ok::<_, StoreError>(card.map(|card| card.value))
            })
        })
    };
    assert_eq!(found(1, "9002").await.expect("read").0, None);
    assert_eq!(found(2, "9001").await.expect("read").0, None);
    assert_eq!(found(1, "9001").await.expect("read").0, Some(Amount(3_000)));
    assert_eq!(found(1, "9001").await.expect("read").0, Some(Amount::ZERO));
}

async fn calls_are_found_and_summed(backend: &Backend) {
    for (id, user, callee, start, price) in [
        ("a", "alice@example.com", "bob@example.com", "2026-03-01 00:00:00", "0.1"),
        ("b", "alice@example.com", "x=3Dy@example.com", "2026-03-01 00:00:01", "0.2"),
        ("c", "alice@example.com", "bob@example.com", "2026-02-28 23:59:59", "NULL"),
    ] {
        backend
            .sql(format!(
                "INSERT INTO radacct (AcctSessionId, UserName, CanonicalURI, AcctStartTime, AcctSessionTime, \
                 Price) VALUES ('{id}', '{user}', '{callee}', '{start}', 5, {price})"
            ))
            .await;
    }
    let march = CallWindow { from: Some(1_772_323_200), to: None };
    let (aor, odd) = (&alice(), &Aor::new("x=y", "example.com").expect("an address"));
    let (calls, sums, received) = backend
        .store
        .read(|tx| {
            Box::pin(async move {
                let calls = tx.calls(aor, CallSide::Placed, march, 9).await?;
                let sums = tx.call_sums(aor, CallSide::Placed, march).await?;
                let received = tx.calls(odd, CallSide::Received, CallWindow::default(), 9).await?;
                Ok::<_, StoreError>((calls, sums, received))
            })
        })
        .await
        .expect("read");
    let ids: Vec<&str> = calls.iter().map(|call| call.session_id.as_str()).collect();
    assert_eq!(ids, ["b", "a"]);
    assert_eq!((sums.calls, sums.duration, sums.price), (2, 10, Amount(3_000)));
    // The address stands quoted-printable in the table.
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].start, received[0].stop), (1_772_323_201, None));
}

async fn mailboxes_are_numbered(backend: &Backend) {
    let add = |user: &'static str, wanted: Option<&'static str>| {
        backend.store.write(actor(), move |tx| {
            Box::pin(async move {
                let mailbox = match wanted {
                    Some(wanted) if !tx.take_mailbox(wanted).await? => return Ok(None),
                    Some(wanted) => wanted.to_owned(),
                    None => tx.next_mailbox(100).await?,
                };
                let row = VoicemailRow {
                    username: user.to_owned(),
                    domain: "example.com".to_owned(),
                    mailbox: mailbox.clone(),
                    ..VoicemailRow::default()
                };
                tx.insert_voicemail(&row).await?;
                Ok::<_, StoreError>(Some(mailbox))
            })
        })
    };
    assert_eq!(add("a", Some("7")).await.expect("added").0.as_deref(), Some("7"));
    assert_eq!(add("b", None).await.expect("added").0.as_deref(), Some("100"));
    assert_eq!(add("c", Some("100")).await.expect("refused").0, None);
    // Another program put one where ours would come next.
    backend.sql("INSERT INTO voicemail_users (mailbox) VALUES ('101'), ('5000')").await;
    assert_eq!(add("d", None).await.expect("added").0.as_deref(), Some("5001"));
    assert!(add("d", None).await.is_err_and(|error| error.is_duplicate()));
    assert_eq!(backend.number("SELECT COUNT(*) FROM voicemail_users").await, 5);
}
