//! List queries (B40 to B46), on a table whose rows each database compares in its own way.

use crate::backend::Backend;
use crate::on_both;
use ngn_store::{Filter, Listing, Order, Page, Range, StoreError};

on_both!(patterns_match_alike, pages_are_stable, other_conditions);

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
}

const ALLOWED: &[(&str, &str)] = &[("changeDate", "change_date"), ("name", "name")];
const KEY: &[&str] = &["reseller", "name"];

async fn fill(backend: &Backend, names: &[&str]) {
    for (i, name) in names.iter().enumerate() {
        let name = name.replace('\'', "''").replace('\\', escape(backend));
        backend
            .sql(format!(
                "INSERT INTO carriers (name, reseller, change_date) VALUES ('{name}', {}, {})",
                i % 3,
                i / 4
            ))
            .await;
    }
}

fn escape(backend: &Backend) -> &'static str {
    match backend.store.dialect() {
        ngn_store::Dialect::MySql => "\\\\",
        ngn_store::Dialect::Sqlite => "\\",
    }
}

async fn list(backend: &Backend, filter: Filter, order: Order, range: Range) -> Page<Row> {
    let listing = &Listing { columns: "id, name", from: "carriers", filter, order, range };
    backend
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = listing.fetch::<Row>(tx).await?;
                assert_eq!(listing.count(tx).await?, page.total);
                Ok::<_, StoreError>(page)
            })
        })
        .await
        .expect("a page")
}

async fn names(backend: &Backend, filter: Filter) -> Vec<String> {
    let order = Order::by(ALLOWED, Some("name"), None, KEY);
    let page = list(backend, filter, order, Range::default()).await;
    page.rows.into_iter().map(|row| row.name).collect()
}

/// B41, the same on both databases.
async fn patterns_match_alike(backend: &Backend) {
    fill(
        backend,
        &[
            "Alpha",
            "alpha",
            "ALP|HA",
            "al%pha",
            "al_pha",
            "b\\b",
            "M\u{dc}LLER",
            "m\u{fc}ller",
            "m*ller",
            "[x]",
            "",
        ],
    )
    .await;
    for (pattern, expected) in [
        ("alpha", vec!["Alpha", "alpha"]),
        ("ALPHA", vec!["Alpha", "alpha"]),
        ("alp", vec![]),
        ("alp%", vec!["ALP|HA", "Alpha", "alpha"]),
        ("alp|ha", vec!["ALP|HA"]),
        ("a%a", vec!["ALP|HA", "Alpha", "al%pha", "al_pha", "alpha"]),
        ("al_pha", vec!["al%pha", "al_pha"]),
        ("%\\%", vec!["b\\b"]),
        ("m\u{fc}ller", vec!["M\u{dc}LLER", "m\u{fc}ller"]),
        ("M\u{dc}%", vec!["M\u{dc}LLER", "m\u{fc}ller"]),
        ("m_ller", vec!["M\u{dc}LLER", "m*ller", "m\u{fc}ller"]),
        ("m*l%", vec!["m*ller"]),
        ("[x]", vec!["[x]"]),
        ("\u{fc}", vec![]),
        ("%'; DROP TABLE carriers; --", vec![]),
    ] {
        let mut filter = Filter::new();
        filter.text("name", Some(pattern));
        assert_eq!(names(backend, filter).await, expected, "{pattern}");
    }
    for nothing in [None, Some(""), Some("%"), Some("%%%")] {
        let mut filter = Filter::new();
        filter.text("name", nothing).text_lower("name", nothing);
        assert_eq!(names(backend, filter).await.len(), 11);
    }
    let mut filter = Filter::new();
    filter.text_lower("name", Some("ALPHA"));
    assert_eq!(names(backend, filter).await, ["alpha"]);
    let mut filter = Filter::new();
    filter.text_lower("name", Some("ALPH%"));
    assert_eq!(names(backend, filter).await, ["alpha"]);
    let mut filter = Filter::new();
    filter.text_lower("name", Some("AL_H%"));
    assert!(names(backend, filter).await.contains(&"alpha".to_owned()));
}

/// B45 and B46: no row is shown twice or never, whatever the order.
async fn pages_are_stable(backend: &Backend) {
    let all: Vec<String> = (0..47).map(|i| format!("c{:02}", (i * 31) % 47)).collect();
    fill(backend, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for (attribute, direction) in [
        (None, None),
        (Some("changeDate"), Some("DESC")),
        (Some("bogus"), None),
        (Some("name"), Some("DESC")),
    ] {
        let order = Order::by(ALLOWED, attribute, direction, KEY);
        let whole = list(backend, Filter::new(), order, Range::default()).await;
        assert_eq!((whole.rows.len(), whole.total), (47, 47));
        let mut joined = Vec::new();
        for start in (0..60).step_by(10) {
            let page = list(backend, Filter::new(), order, Range { start, count: Some(10) }).await;
            assert_eq!(page.total, 47, "from {start}");
            joined.extend(page.rows);
        }
        assert_eq!(joined, whole.rows, "{attribute:?}");
        let rest = list(backend, Filter::new(), order, Range { start: 40, count: None }).await;
        assert_eq!(rest.rows, whole.rows[40..]);
        let none = list(backend, Filter::new(), order, Range { start: 0, count: Some(0) }).await;
        assert_eq!((none.rows.len(), none.total), (0, 47));
    }
    let order = Order::by(ALLOWED, Some("name"), Some("DESC"), KEY);
    let page = list(backend, Filter::new(), order, Range { start: 0, count: Some(2) }).await;
    let names: Vec<&str> = page.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["c46", "c45"]);
}

async fn other_conditions(backend: &Backend) {
    fill(backend, &["a", "b", "c", "d"]).await;
    let check = async |filter: &Filter, expected: &[&str]| {
        assert_eq!(names(backend, filter.clone()).await, expected, "{filter:?}");
    };
    check(Filter::new().number("reseller", Some(1)), &["b"]).await;
    check(Filter::new().number("reseller", Some(0)), &["a", "b", "c", "d"]).await;
    check(Filter::new().equals("reseller", 0), &["a", "d"]).await;
    check(Filter::new().equals("name", "A"), &[]).await;
    check(Filter::new().among("reseller", &[1, 2]), &["b", "c"]).await;
    check(Filter::new().among("reseller", &[]), &[]).await;
    let (mut one, mut other) = (Filter::new(), Filter::new());
    one.equals("name", "d");
    other.number("reseller", Some(2));
    check(Filter::new().any_of(vec![one, other]), &["c", "d"]).await;
    check(Filter::new().sql("id > ? AND name <> ?", vec![1.into(), "c".into()]), &["b", "d"]).await;
}
