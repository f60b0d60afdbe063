//! Diversions, accept rules, reject members, barring prefixes and phone books: written, read, and served.

use crate::backend::{Backend, actor};
use crate::on_both;
use ngn_model::accept_rules::{AcceptRule, Days, TemporaryRule, TimeOfDay};
use ngn_model::call_options::AddressPattern;
use ngn_model::{
    AcceptRules, Account, Aor, CallOptions, Diversion, DiversionAction, DiversionCondition,
    DiversionTarget,
};
use ngn_store::{Filter, PhonebookRow, Range, StoreError};

on_both!(
    what_is_written_is_read,
    replacing_leaves_nothing,
    phone_books_are_searched,
    accounts_come_with_their_settings,
    wildcards_come_with_what_they_stand_for,
    settings_that_cannot_be_read_are_left_out,
    two_writers_leave_one_set,
);

fn aor(text: &str) -> Aor {
    text.parse().expect("an address")
}

fn alice() -> Aor {
    aor("alice@a.example")
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn diversion(when: DiversionCondition, target: &str) -> Diversion {
    let target = DiversionTarget::read(target).expect("a target");
    Diversion { when, how: DiversionAction::Forward, target }
}

fn rules(expires_at: Option<i64>) -> AcceptRules {
    let time = |text| TimeOfDay::read(text).expect("a time");
    let rule = |days, start, stop, groups: &[&str]| AcceptRule {
        days: Days::new(days).expect("days"),
        start: time(start),
        stop: time(stop),
        groups: strings(groups),
    };
    AcceptRules {
        persistent: vec![
            rule(127, "08:00", "18:00", &["everybody"]),
            rule(96, "22:00", "24:00", &["vip, really", "family \"x\""]),
        ],
        temporary: Some(TemporaryRule { groups: strings(&["nobody"]), expires_at }),
    }
}

async fn fill(backend: &Backend) {
    backend
        .sql(
            "INSERT INTO domain (domain, customer, reseller_id) VALUES ('a.example', 3, 2); \
             INSERT INTO customers (id, reseller, username, username_lower, password, mobile) VALUES (7, 2, 'owner', 'owner', '', '+31611111111'); \
             INSERT INTO subscriber (username, domain, timezone, owner, properties) VALUES \
             ('alice', 'a.example', 'Europe/Amsterdam', 7, NULL), \
             ('bob', 'a.example', '', 7, '[{\"name\":\"mobile_number\",\"value\":\"+31622222222\"}]'), \
             ('carol', 'a.example', '', 0, NULL)",
        )
        .await;
}

/// Sets everything of an account.
async fn set(backend: &Backend, who: &Aor, diversions: &[Diversion], accept: &AcceptRules) {
    let (members, prefixes) =
        (&strings(&["sip:%@spam.example", "sip:b@example.net"]), &strings(&["+31900", "+44"]));
    backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                tx.set_diversions(who, diversions).await?;
                tx.set_accept_rules(who, accept).await?;
                tx.set_reject_members(who, members).await?;
                tx.set_barring_prefixes(who, prefixes).await
            })
        })
        .await
        .expect("settings");
}

async fn stored(backend: &Backend, who: &Aor) -> (Vec<Diversion>, AcceptRules, usize, usize) {
    backend
        .store
        .read(|tx| {
            Box::pin(async move {
                let diversions = tx.diversions(who).await?;
                let accept = tx.accept_rules(who).await?;
                let members = tx.reject_members(who).await?.len();
                Ok::<_, StoreError>((
                    diversions,
                    accept,
                    members,
                    tx.barring_prefixes(who).await?.len(),
                ))
            })
        })
        .await
        .expect("settings")
}

async fn served(backend: &Backend, who: &str) -> Option<Box<CallOptions>> {
    let accounts = backend.store.accounts(&[aor(who)]).await.expect("accounts");
    let [(_, Some(account))] = <[_; 1]>::try_from(accounts).expect("one") else {
        panic!("{who} is there")
    };
    account.options
}

async fn what_is_written_is_read(backend: &Backend) {
    fill(backend).await;
    let diversions = [
        diversion(DiversionCondition::Busy, "<voice-mailbox>"),
        diversion(DiversionCondition::Unconditional, "sip:bob@a.example"),
    ];
    set(backend, &alice(), &diversions, &rules(Some(i64::MAX))).await;
    let (found, accept, members, prefixes) = stored(backend, &alice()).await;
    assert_eq!(found, diversions);
    assert_eq!(accept, rules(Some(i64::MAX)));
    assert_eq!((members, prefixes), (2, 2));
    // Nobody else has any of it.
    let (none, accept, members, prefixes) = stored(backend, &aor("bob@a.example")).await;
    assert!(none.is_empty() && accept.is_empty());
    assert_eq!((members, prefixes), (0, 0));
    // B90: a temporary rule that has ended is none.
    set(backend, &alice(), &diversions, &rules(Some(1))).await;
    assert_eq!(stored(backend, &alice()).await.1.temporary, None);
}

async fn replacing_leaves_nothing(backend: &Backend) {
    fill(backend).await;
    let all: Vec<Diversion> =
        DiversionCondition::ALL.iter().map(|when| diversion(*when, "sip:x@a.example")).collect();
    set(backend, &alice(), &all, &rules(None)).await;
    assert_eq!(stored(backend, &alice()).await.0.len(), 5);
    let mut one = diversion(DiversionCondition::NoAnswer, "<mobile-number>");
    one.how = DiversionAction::Redirect;
    set(backend, &alice(), std::slice::from_ref(&one), &AcceptRules::default()).await;
    let (found, accept, ..) = stored(backend, &alice()).await;
    assert_eq!(found, [one]);
    assert!(accept.is_empty());
}

async fn phone_books_are_searched(backend: &Backend) {
    fill(backend).await;
    let (who, other) = (&alice(), &aor("bob@a.example"));
    let row = |uri: &str, name: &str, grp: &str| PhonebookRow {
        uri: uri.to_owned(),
        name: Some(name.to_owned()),
        grp: grp.to_owned(),
        ..PhonebookRow::default()
    };
    let (ann, ben) = (&row("ann@x.example", "Ann", "vip"), &row("ben@x.example", "Ben", ""));
    let added = backend.store.write(actor(), |tx| {
        Box::pin(async move {
            tx.insert_phonebook_entry(who, ann).await?;
            tx.insert_phonebook_entry(who, ben).await?;
            tx.insert_phonebook_entry(other, ann).await?;
            tx.update_phonebook_entry(
                who,
                &PhonebookRow { grp: "family".to_owned(), ..ben.clone() },
            )
            .await
        })
    });
    added.await.expect("entries");
    let again = backend
        .store
        .write(actor(), |tx| Box::pin(async move { tx.insert_phonebook_entry(who, ann).await }))
        .await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })), "{again:?}");
    let (page, groups, one) = backend
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_phonebook(who, Filter::new(), Range::default()).await?;
                let groups = tx.phonebook_groups(who).await?;
                Ok::<_, StoreError>((page, groups, tx.phonebook_entry(who, &ben.uri).await?))
            })
        })
        .await
        .expect("the book");
    assert_eq!((page.total, groups), (2, strings(&["family", "vip"])));
    assert_eq!(page.rows[0], *ann);
    assert_eq!(one.map(|row| row.grp).as_deref(), Some("family"));
    let deleted = backend.store.write(actor(), |tx| {
        Box::pin(async move { tx.delete_phonebook_entry(who, &ann.uri).await })
    });
    deleted.await.expect("gone");
    for (book, left) in [(who, 1), (other, 1)] {
        let page = backend
            .store
            .read(|tx| Box::pin(tx.list_phonebook(book, Filter::new(), Range::default())))
            .await
            .expect("the book");
        assert_eq!(page.total, left);
    }
}

async fn accounts_come_with_their_settings(backend: &Backend) {
    fill(backend).await;
    backend
        .sql(
            "INSERT INTO phonebook (username, domain, uri, grp) VALUES ('alice', 'a.example', 'ann@x.example', 'vip'), \
             ('alice', 'a.example', 'ben@x.example', ''), ('bob', 'a.example', 'ann@x.example', 'vip')",
        )
        .await;
    let diversions = [diversion(DiversionCondition::NotOnline, "sip:bob@a.example")];
    set(backend, &alice(), &diversions, &rules(Some(5))).await;
    let (directory, _) = backend.store.load_directory().await.expect("the directory");
    let find = |who: &str| -> &Account {
        directory.accounts.iter().find(|a| a.aor == aor(who)).expect("the account")
    };
    // Bob has a phone book and nothing that would ask it.
    assert_eq!(find("bob@a.example").options, None);
    assert_eq!(find("carol@a.example").options, None);
    let options = find("alice@a.example").options.clone().expect("settings");
    assert_eq!(options.diversions, diversions);
    assert_eq!(options.accept, rules(Some(5)));
    assert_eq!(options.timezone, "Europe/Amsterdam");
    let groups: Vec<&str> = options.phonebook.iter().map(|c| c.group.as_str()).collect();
    assert_eq!(groups, ["vip"]);
    assert!(options.phonebook[0].address.matches("sip:ann@x.example"));
    let reject = ["sip:%@spam.example", "sip:b@example.net"].map(AddressPattern::new);
    assert_eq!(options.reject, reject);
    assert_eq!(options.barred, ["31900", "44"]);
    // By key comes the same as with all.
    assert_eq!(served(backend, "alice@a.example").await, Some(options));
    assert_eq!(served(backend, "bob@a.example").await, None);
    set(backend, &alice(), &[], &AcceptRules::default()).await;
    let left = served(backend, "alice@a.example").await.expect("lists");
    assert!(left.diversions.is_empty() && left.accept.is_empty() && left.phonebook.is_empty());
}

async fn wildcards_come_with_what_they_stand_for(backend: &Backend) {
    fill(backend).await;
    backend
        .sql(
            "INSERT INTO voicemail_users (uniqueid, mailbox, password) VALUES (1, '1000000', '1'); \
             INSERT INTO voicemail_accounts (username, domain, uniqueid, mailbox) \
             VALUES ('alice', 'a.example', 1, '1000000')",
        )
        .await;
    let mobile = [diversion(DiversionCondition::NoAnswer, "<mobile-number>")];
    let mailbox = [diversion(DiversionCondition::Busy, "<voice-mailbox>")];
    for who in ["alice@a.example", "bob@a.example", "carol@a.example"] {
        set(backend, &aor(who), &mobile, &AcceptRules::default()).await;
    }
    // B86: the owner's number, the account's own before it, or none.
    let number = async |who| served(backend, who).await.and_then(|options| options.mobile);
    assert_eq!(number("alice@a.example").await.as_deref(), Some("+31611111111"));
    assert_eq!(number("bob@a.example").await.as_deref(), Some("+31622222222"));
    assert_eq!(number("carol@a.example").await, None);
    let mut diverted = backend.store.accounts_diverted_to_mobiles_of(&[7, 8]).await.expect("some");
    diverted.sort();
    assert_eq!(diverted, ["alice@a.example", "bob@a.example"].map(aor));
    // B85.
    set(backend, &alice(), &mailbox, &AcceptRules::default()).await;
    let options = served(backend, "alice@a.example").await.expect("settings");
    assert_eq!((options.mailbox.as_deref(), options.mobile), (Some("1000000"), None));
    // B156: whatever is diverted.
    set(backend, &alice(), &[], &AcceptRules::default()).await;
    let options = served(backend, "alice@a.example").await.expect("settings");
    assert_eq!(options.mailbox.as_deref(), Some("1000000"));
}

async fn settings_that_cannot_be_read_are_left_out(backend: &Backend) {
    fill(backend).await;
    backend
        .sql(
            "INSERT INTO call_diversions (username, domain, cond, uri) VALUES ('alice', 'a.example', 'XXXX', 'sip:a@b.c'), \
             ('alice', 'a.example', 'FBUS', ''), ('alice', 'a.example', 'RUNC', 'sip:r@a.example'), \
             ('alice', 'a.example', 'FUNC', 'sip:f@a.example'); \
             INSERT INTO accept_rules_persistent (username, domain, position, days, start, stop, group_names) VALUES \
             ('alice', 'a.example', 0, 500, '08:00', '09:00', '[\"vip\"]'), \
             ('alice', 'a.example', 1, 1, 'noon', '09:00', '[\"vip\"]'), \
             ('alice', 'a.example', 2, 1, '08:00', '09:00', 'vip'), \
             ('alice', 'a.example', 3, 1, '08:00', '09:00', '[\"vip\"]')",
        )
        .await;
    let options = served(backend, "alice@a.example").await.expect("settings");
    // B84.
    assert_eq!(
        options.diversions,
        [diversion(DiversionCondition::Unconditional, "sip:f@a.example")]
    );
    assert_eq!(options.accept.persistent.len(), 1);
    assert_eq!(stored(backend, &alice()).await.0, options.diversions);
}

async fn two_writers_leave_one_set(backend: &Backend) {
    fill(backend).await;
    let one = async |name: &str| {
        let (who, target) = (&alice(), format!("sip:{name}@a.example"));
        let diversions: &[Diversion] = &[
            diversion(DiversionCondition::Busy, &target),
            diversion(DiversionCondition::NoAnswer, &target),
        ];
        for _ in 0..10 {
            let written = backend.store.write(actor(), |tx| {
                Box::pin(async move {
                    tx.lock_sip_account(who).await?;
                    tx.set_diversions(who, diversions).await
                })
            });
            written.await.expect("diversions");
        }
    };
    futures::join!(one("x"), one("y"));
    let (found, ..) = stored(backend, &alice()).await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].target, found[1].target);
}
