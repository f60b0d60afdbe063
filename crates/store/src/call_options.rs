//! `call_diversions`, `accept_rules_persistent`, `accept_rules_temporary`, `reject_members` and `barring_prefixes`:
//! what the owner of an account has set about its calls.

use crate::directory::readable;
use crate::error::StoreError;
use crate::tx::{Tx, on};
use ngn_model::accept_rules::{AcceptRule, Days, TemporaryRule, TimeOfDay};
use ngn_model::{
    AcceptRules, Aor, Diversion, DiversionAction, DiversionCondition, DiversionTarget,
};
use sqlx::QueryBuilder;

/// How many rows one statement inserts.
const ROWS: usize = 100;

/// How a condition and an action are spelled in `call_diversions` (B80).
const SPELLINGS: [(&str, DiversionCondition, DiversionAction); 10] = {
    use DiversionAction::{Forward, Redirect};
    use DiversionCondition::{Busy, NoAnswer, NotOnline, Unavailable, Unconditional};
    [
        ("FUNC", Unconditional, Forward),
        ("FNOL", NotOnline, Forward),
        ("FUNV", Unavailable, Forward),
        ("FNOA", NoAnswer, Forward),
        ("FBUS", Busy, Forward),
        ("RUNC", Unconditional, Redirect),
        ("RNOL", NotOnline, Redirect),
        ("RUNV", Unavailable, Redirect),
        ("RNOA", NoAnswer, Redirect),
        ("RBUS", Busy, Redirect),
    ]
};

/// The spelling of a condition and an action.
fn spelling(diversion: &Diversion) -> &'static str {
    let found =
        SPELLINGS.iter().find(|(_, when, how)| *when == diversion.when && *how == diversion.how);
    found.map_or("", |(text, ..)| text)
}

/// A diversion as it is stored; `None` when it cannot be read.
pub(crate) fn read_diversion(cond: &str, uri: &str) -> Option<Diversion> {
    let found = SPELLINGS.iter().find(|(text, ..)| *text == cond);
    let target = DiversionTarget::read(uri);
    let (Some((_, when, how)), Some(target)) = (found, target) else {
        tracing::warn!(store.cond = cond, "diversion is left out: it cannot be read");
        return None;
    };
    Some(Diversion { when: *when, how: *how, target })
}

/// Adds a diversion to others; of two for one condition the one that forwards is kept (B84).
pub(crate) fn add_diversion(diversions: &mut Vec<Diversion>, new: Diversion) {
    match diversions.iter_mut().find(|old| old.when == new.when) {
        Some(old) if new.how == DiversionAction::Forward => *old = new,
        Some(_) => {}
        None => diversions.push(new),
    }
}

/// Groups as they are stored: a JSON list.
pub(crate) fn read_groups(json: &str) -> Option<Vec<String>> {
    readable("groups of an accept rule", json, serde_json::from_str(json))
}

/// A persistent rule as it is stored.
pub(crate) fn read_rule(days: i64, start: &str, stop: &str, groups: &str) -> Option<AcceptRule> {
    let times = (Days::new(days), TimeOfDay::read(start), TimeOfDay::read(stop));
    let (Some(days), Some(start), Some(stop)) = times else {
        tracing::warn!("accept rule is left out: its days or times cannot be read");
        return None;
    };
    Some(AcceptRule { days, start, stop, groups: read_groups(groups)? })
}

#[derive(sqlx::FromRow)]
struct RuleSql {
    days: i64,
    start: String,
    stop: String,
    group_names: String,
}

fn to_json(groups: &[String]) -> String {
    serde_json::Value::from(groups).to_string()
}

impl Tx<'_> {
    /// The diversions of an account.
    pub async fn diversions(&mut self, aor: &Aor) -> Result<Vec<Diversion>, StoreError> {
        let rows: Vec<(String, String)> = on!(self, c => {
            sqlx::query_as::<DB, (String, String)>(
                "SELECT cond, uri FROM call_diversions WHERE username = ? AND domain = ? ORDER BY cond",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .fetch_all(&mut *c)
            .await
        })?;
        let mut diversions = Vec::new();
        for new in rows.iter().filter_map(|(cond, uri)| read_diversion(cond, uri)) {
            add_diversion(&mut diversions, new);
        }
        Ok(diversions)
    }

    /// Replaces the diversions of an account (B83); at most one for each condition.
    pub async fn set_diversions(
        &mut self,
        aor: &Aor,
        diversions: &[Diversion],
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.clear(aor, "DELETE FROM call_diversions WHERE username = ? AND domain = ?").await?;
        for diversion in diversions {
            on!(self, c => {
                sqlx::query::<DB>(
                    "INSERT INTO call_diversions (username, domain, cond, uri, change_date) \
                     VALUES (?, ?, ?, ?, ?)",
                )
                .bind(aor.username())
                .bind(aor.domain().as_str())
                .bind(spelling(diversion))
                .bind(diversion.target.to_string())
                .bind(now)
                .execute(&mut *c)
                .await
                .map(drop)
            })?;
        }
        Ok(())
    }

    /// The accept rules of an account; a temporary one that has ended is none.
    pub async fn accept_rules(&mut self, aor: &Aor) -> Result<AcceptRules, StoreError> {
        let now = self.now();
        let persistent: Vec<RuleSql> = on!(self, c => {
            sqlx::query_as::<DB, RuleSql>(
                "SELECT CAST(days AS SIGNED) AS days, start, stop, group_names FROM accept_rules_persistent \
                 WHERE username = ? AND domain = ? ORDER BY position",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .fetch_all(&mut *c)
            .await
        })?;
        let temporary: Option<(String, Option<i64>)> = on!(self, c => {
            sqlx::query_as::<DB, (String, Option<i64>)>(
                "SELECT group_names, expires_at FROM accept_rules_temporary WHERE username = ? AND domain = ?",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .fetch_optional(&mut *c)
            .await
        })?;
        let read = |row: &RuleSql| read_rule(row.days, &row.start, &row.stop, &row.group_names);
        let temporary = temporary.and_then(|(groups, expires_at)| {
            Some(TemporaryRule { groups: read_groups(&groups)?, expires_at })
        });
        Ok(AcceptRules {
            persistent: persistent.iter().filter_map(read).collect(),
            temporary: temporary.filter(|rule| rule.holds(now)),
        })
    }

    /// Replaces the accept rules of an account (B93).
    pub async fn set_accept_rules(
        &mut self,
        aor: &Aor,
        rules: &AcceptRules,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.clear(aor, "DELETE FROM accept_rules_persistent WHERE username = ? AND domain = ?")
            .await?;
        self.clear(aor, "DELETE FROM accept_rules_temporary WHERE username = ? AND domain = ?")
            .await?;
        let numbered: Vec<(i64, &AcceptRule)> = (0..).zip(&rules.persistent).collect();
        for chunk in numbered.chunks(ROWS) {
            on!(self, c => {
                let mut query = QueryBuilder::<DB>::new(
                    "INSERT INTO accept_rules_persistent (username, domain, position, days, start, stop, \
                     group_names) ",
                );
                query.push_values(chunk, |mut row, (position, rule)| {
                    row.push_bind(aor.username()).push_bind(aor.domain().as_str());
                    row.push_bind(*position).push_bind(i64::from(rule.days.mask()));
                    row.push_bind(rule.start.to_string()).push_bind(rule.stop.to_string());
                    row.push_bind(to_json(&rule.groups));
                });
                query.build().execute(&mut *c).await.map(drop)
            })?;
        }
        let Some(temporary) = &rules.temporary else { return Ok(()) };
        on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO accept_rules_temporary (username, domain, group_names, duration, expires_at) \
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .bind(to_json(&temporary.groups))
            .bind(temporary.remaining_minutes(now).min(i64::from(i32::MAX)))
            .bind(temporary.expires_at)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// The callers that an account refuses, as they were given (B97).
    pub async fn reject_members(&mut self, aor: &Aor) -> Result<Vec<String>, StoreError> {
        self.texts(
            aor,
            "SELECT uri FROM reject_members WHERE username = ? AND domain = ? ORDER BY position",
        )
        .await
    }

    /// Replaces the callers that an account refuses.
    pub async fn set_reject_members(
        &mut self,
        aor: &Aor,
        members: &[String],
    ) -> Result<(), StoreError> {
        self.clear(aor, "DELETE FROM reject_members WHERE username = ? AND domain = ?").await?;
        let insert = "INSERT INTO reject_members (username, domain, position, uri) ";
        self.insert_texts(aor, insert, members).await
    }

    /// The prefixes that an account may not call, with `+` (B96).
    pub async fn barring_prefixes(&mut self, aor: &Aor) -> Result<Vec<String>, StoreError> {
        self.texts(
            aor,
            "SELECT prefix FROM barring_prefixes WHERE username = ? AND domain = ? ORDER BY position",
        )
        .await
    }

    /// Replaces the prefixes that an account may not call.
    pub async fn set_barring_prefixes(
        &mut self,
        aor: &Aor,
        prefixes: &[String],
    ) -> Result<(), StoreError> {
        self.clear(aor, "DELETE FROM barring_prefixes WHERE username = ? AND domain = ?").await?;
        let insert = "INSERT INTO barring_prefixes (username, domain, position, prefix) ";
        self.insert_texts(aor, insert, prefixes).await
    }

    async fn clear(&mut self, aor: &Aor, sql: &'static str) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>(sql)
                .bind(aor.username())
                .bind(aor.domain().as_str())
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    async fn texts(&mut self, aor: &Aor, sql: &'static str) -> Result<Vec<String>, StoreError> {
        on!(self, c => {
            sqlx::query_scalar::<DB, String>(sql)
                .bind(aor.username())
                .bind(aor.domain().as_str())
                .fetch_all(&mut *c)
                .await
        })
    }

    async fn insert_texts(
        &mut self,
        aor: &Aor,
        insert: &'static str,
        texts: &[String],
    ) -> Result<(), StoreError> {
        let numbered: Vec<(i64, &String)> = (0..).zip(texts).collect();
        for chunk in numbered.chunks(ROWS) {
            on!(self, c => {
                let mut query = QueryBuilder::<DB>::new(insert);
                query.push_values(chunk, |mut row, (position, text)| {
                    row.push_bind(aor.username()).push_bind(aor.domain().as_str());
                    row.push_bind(*position).push_bind(text.as_str());
                });
                query.build().execute(&mut *c).await.map(drop)
            })?;
        }
        Ok(())
    }
}
