//! A hundred thousand SIP accounts in one domain: every page of them comes from an index.

use crate::backend::{Backend, Raw};
use crate::on_both;
use ngn_store::{AccountQuery, Filter, Range, SipAccountRow, StoreError};
use sqlx::AssertSqlSafe;
use std::time::Instant;

on_both!(pages_of_a_hundred_thousand_accounts);

/// How many accounts the domain has.
const MANY: i64 = 100_000;

async fn fill(backend: &Backend) {
    let mut domains = vec!["('big.example', 11, 5)".to_owned()];
    domains.extend((0..100).map(|i| format!("('d{i}.example', {}, {})", 20 + i, 6 + i % 3)));
    backend
        .sql(format!(
            "INSERT INTO domain (domain, customer, reseller_id) VALUES {}",
            domains.join(", ")
        ))
        .await;
    let address = |i: i64| match i {
        i if i < MANY => (format!("u{:06}", i * 7 % MANY), "big.example".to_owned()),
        i => (format!("u{i}"), format!("d{}.example", i % 100)),
    };
    let all: Vec<i64> = (0..MANY + 2000).collect();
    for chunk in all.chunks(2000) {
        let mut rows = Vec::new();
        let mut members = Vec::new();
        for i in chunk {
            let (user, domain) = address(*i);
            rows.push(format!(
                "('{user}', '{domain}', 'pw', 'First{}', 'Last', 'u{i}@example.com', {}, {i}, {})",
                i % 1000,
                i % 500,
                i / 10
            ));
            if i % 2 == 0 {
                members.push(format!("('{user}', '{domain}', 'free-pstn')"));
            }
            if i % 1000 == 0 {
                members.push(format!("('{user}', '{domain}', 'blocked')"));
            }
        }
        backend
            .sql(format!(
                "INSERT INTO subscriber (username, domain, password, first_name, last_name, email_address, owner, \
                 create_date, change_date) VALUES {}",
                rows.join(", ")
            ))
            .await;
        backend
            .sql(format!("INSERT INTO grp (username, domain, grp) VALUES {}", members.join(", ")))
            .await;
    }
    match &backend.raw {
        Raw::My(_) => backend.sql("ANALYZE TABLE subscriber, grp, domain").await,
        Raw::Lite(pool) => {
            sqlx::raw_sql(AssertSqlSafe("ANALYZE".to_owned()))
                .execute(pool)
                .await
                .expect("ANALYZE");
        }
    }
}

/// What a list is asked for, and whether it is short enough that a database may sort what its index gave.
struct Case {
    what: &'static str,
    accounts: Filter,
    domains: Filter,
    group: Option<&'static str>,
    total: u64,
}

fn cases() -> Vec<Case> {
    let case = |what, total| Case {
        what,
        accounts: Filter::new(),
        domains: Filter::new(),
        group: None,
        total,
    };
    let domain = |what, total| {
        let mut case = case(what, total);
        case.accounts.text_lower("s.domain", Some("Big.example"));
        case
    };
    let many = MANY.unsigned_abs();
    let mut of_reseller = domain("the domain, by its reseller", many);
    of_reseller.domains.equals("d.reseller_id", 5);
    let mut reseller = case("a reseller", many);
    reseller.domains.equals("d.reseller_id", 5);
    let mut customer = case("a customer", many);
    customer.domains.equals("d.customer", 11);
    let mut beginning = domain("a beginning", many / 10);
    beginning.accounts.text_lower("s.username", Some("U09%"));
    let mut part = domain("a part", 280);
    part.accounts.text_lower("s.username", Some("%999%"));
    let mut first_name = domain("a first name", 100);
    first_name.accounts.text("s.first_name", Some("first7"));
    let mut one = domain("one account", 1);
    one.accounts.text_lower("s.username", Some("U000007"));
    let group = |what, group, total| Case { group: Some(group), ..domain(what, total) };
    let mut small = case("a reseller with many small domains", 680);
    small.domains.equals("d.reseller_id", 6);
    let mut owner = case("an owner", 204);
    owner.accounts.number("s.owner", Some(3));
    vec![
        case("the administrator", many + 2000),
        domain("the domain", many),
        of_reseller,
        reseller,
        customer,
        beginning,
        part,
        first_name,
        one,
        group("a large group", "free-pstn", many / 2),
        group("a small group", "blocked", many / 1000),
        Case { group: Some("blocked"), ..case("a group anywhere", 102) },
        small,
        owner,
    ]
}

/// Lists that are shorter may be sorted.
const LONG: u64 = 2000;

// B40-B46: every order that can be asked for, up and down, on page 1 and page 5,000.
async fn pages_of_a_hundred_thousand_accounts(backend: &Backend) {
    fill(backend).await;
    for case in cases() {
        for attribute in ["username", "domain", "changeDate"] {
            let mut ends = Vec::new();
            for (direction, start) in [("ASC", 0), ("DESC", 0), ("ASC", 99_980)] {
                let query = &AccountQuery {
                    accounts: case.accounts.clone(),
                    domains: case.domains.clone(),
                    group: case.group.map(str::to_owned),
                    order: Some((attribute.to_owned(), direction.to_owned())),
                    range: Range { start, count: Some(20) },
                };
                let before = Instant::now();
                let (page, plan) = backend
                    .store
                    .read(|tx| {
                        Box::pin(async move {
                            let page = tx.list_sip_accounts(query).await?;
                            let listing = query.listing(tx).await?.expect("its domain");
                            Ok::<_, StoreError>((page, listing.explain(tx).await?))
                        })
                    })
                    .await
                    .expect("a page");
                let what = format!("{} by {attribute} {direction} from {start}", case.what);
                println!("{what}: {:?}", before.elapsed());
                assert_eq!(page.total, case.total, "{what}");
                let rows = case.total.saturating_sub(start).min(20);
                assert_eq!(page.rows.len() as u64, rows, "{what}");
                ends.push(page.rows);
                let mut bad = vec!["SCAN s\n", "SCAN g\n", "\"access_type\": \"ALL\""];
                // The members of a group are in the order of their addresses, not of their changes.
                let sorts = case.group.is_some() && attribute == "changeDate";
                if case.total > LONG && !sorts {
                    bad.extend(["TEMP B-TREE", "filesort", "temporary_table"]);
                }
                for bad in bad {
                    assert!(!plan.contains(bad), "{what} has {bad}: {plan}");
                }
                // What is passed over is read from the index alone. MariaDB does not always say so.
                let lite = matches!(backend.raw, Raw::Lite(_));
                if lite && case.total > LONG && case.group.is_none() {
                    assert!(plan.contains("COVERING INDEX"), "{what}: {plan}");
                }
            }
            let [first, last, ..] = ends.as_slice() else { panic!("two pages") };
            let key = |row: &SipAccountRow| match attribute {
                "username" => row.username.clone(),
                "domain" => row.domain.clone(),
                _ => format!("{:09}", row.change_date),
            };
            assert!(first.iter().map(key).is_sorted(), "{} by {attribute}", case.what);
            assert!(last.iter().map(key).rev().is_sorted(), "{} by {attribute}", case.what);
        }
    }
}
