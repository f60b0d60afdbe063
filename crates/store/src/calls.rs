//! Calls as the API lists and sums them: `radacct`, and the monthly tables `radacctYYYYMM` where there are any.
//!
//! Monthly tables are made by other programs and need not have columns that are ours; their names are looked up in
//! the database, so that nothing has to be configured.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::time::{parse_utc, utc};
use crate::tx::{Tx, on};
use ngn_model::{Amount, Aor};
use sqlx::QueryBuilder;

/// The single table.
const SINGLE: &str = "radacct";

/// Which calls of an account are meant (B166).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallSide {
    /// Those that it made or pays.
    Placed,
    /// Those that reached it, answered or not.
    Received,
    /// Those that reached it and were not answered.
    Missed,
}

/// When calls began: both ends belong to it, `None` is open. Seconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallWindow {
    /// The first second.
    pub from: Option<i64>,
    /// The last second.
    pub to: Option<i64>,
}

/// One call. Texts are quoted-printable, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// Call-ID.
    pub session_id: String,
    /// Tag of the From header.
    pub from_tag: String,
    /// Tag of the To header.
    pub to_tag: String,
    /// Who called.
    pub from_uri: String,
    /// Who was called.
    pub to_uri: String,
    /// The whole From header.
    pub from_header: String,
    /// Media, such as `audio`.
    pub application: String,
    /// Address of the proxy that served the call.
    pub proxy_ip: String,
    /// When it began, in seconds since 1970 UTC.
    pub start: i64,
    /// When it ended; `None` while it lasts.
    pub stop: Option<i64>,
    /// Seconds.
    pub duration: i64,
    /// Final SIP response code.
    pub status: i64,
    /// What the account pays for it; `None` when another pays or it has no price yet.
    pub price: Option<Amount>,
}

/// Sums over calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallSums {
    /// How many.
    pub calls: i64,
    /// Their seconds.
    pub duration: i64,
    /// What the account pays for them.
    pub price: Amount,
}

/// A table of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    /// Its name: [`SINGLE`], or that with six digits.
    name: String,
    /// Whether it has the column BillingPartyId.
    has_payer: bool,
}

/// How an account is found in a table.
#[derive(Debug, Clone, Copy)]
enum By {
    Caller,
    Payer,
    Callee,
    MissingCallee,
}

impl By {
    fn of(side: CallSide, table: &Table) -> &'static [Self] {
        match side {
            CallSide::Placed if table.has_payer => &[Self::Caller, Self::Payer],
            CallSide::Placed => &[Self::Caller],
            CallSide::Received => &[Self::Callee],
            CallSide::Missed => &[Self::MissingCallee],
        }
    }
}

/// Appends the condition for the calls of an account in a window.
macro_rules! matching {
    ($query:expr, $by:expr, $account:expr, $window:expr) => {{
        let whole = $account.to_string();
        match $by {
            By::Caller => {
                $query.push(" WHERE UserName = ").push_bind(whole);
            }
            By::Payer => {
                $query.push(" WHERE BillingPartyId = ").push_bind(whole.clone());
                $query.push(" AND UserName <> ").push_bind(whole);
            }
            By::Callee | By::MissingCallee => {
                let quoted = quoted(&whole);
                $query.push(" WHERE CanonicalURI IN (").push_bind(quoted.clone()).push(", ");
                $query.push_bind(format!("sip:{quoted}")).push(")");
            }
        }
        if matches!($by, By::MissingCallee) {
            $query.push(" AND SipResponseCode NOT BETWEEN 200 AND 299");
        }
        if let Some(from) = $window.from {
            $query.push(" AND AcctStartTime >= ").push_bind(time(from));
        }
        if let Some(to) = $window.to {
            $query.push(" AND AcctStartTime <= ").push_bind(time(to));
        }
    }};
}

impl Tx<'_> {
    /// The newest calls of an account, newest first, at most `limit`.
    pub async fn calls(
        &mut self,
        account: &Aor,
        side: CallSide,
        window: CallWindow,
        limit: u64,
    ) -> Result<Vec<CallRow>, StoreError> {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut found, mut monthly) = (Vec::new(), 0);
        for table in self.call_tables(window).await? {
            // Months come from the newest to the oldest: once there are enough of them the rest is older.
            if monthly >= wanted {
                break;
            }
            for by in By::of(side, &table) {
                let rows = self.rows(&table, *by, account, window, limit).await?;
                monthly += if table.name == SINGLE { 0 } else { rows.len() };
                found.extend(rows);
            }
        }
        found.sort_by_key(|call: &CallRow| std::cmp::Reverse(call.start));
        found.truncate(wanted);
        Ok(found)
    }

    /// Sums over all calls of an account in a window.
    pub async fn call_sums(
        &mut self,
        account: &Aor,
        side: CallSide,
        window: CallWindow,
    ) -> Result<CallSums, StoreError> {
        let mut sums = CallSums::default();
        for table in self.call_tables(window).await? {
            for by in By::of(side, &table) {
                let part = self.sum(&table, *by, account, window).await?;
                sums.calls = sums.calls.saturating_add(part.calls);
                sums.duration = sums.duration.saturating_add(part.duration);
                sums.price = Amount(sums.price.0.saturating_add(part.price.0));
            }
        }
        Ok(sums)
    }

    /// The tables in which calls of a window stand: the single one, then the months from new to old.
    async fn call_tables(&mut self, window: CallWindow) -> Result<Vec<Table>, StoreError> {
        let sql = match self.dialect() {
            Dialect::Sqlite => {
                "SELECT m.name, EXISTS (SELECT 1 FROM pragma_table_info(m.name) c \
                 WHERE c.name = 'BillingPartyId') FROM sqlite_master m \
                 WHERE m.type = 'table' AND m.name LIKE 'radacct%'"
            }
            Dialect::MySql => {
                "SELECT CAST(t.table_name AS CHAR), CAST(EXISTS (SELECT 1 FROM information_schema.columns c \
                 WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name AND \
                 c.column_name = 'BillingPartyId') AS SIGNED) FROM information_schema.tables t \
                 WHERE t.table_schema = DATABASE() AND t.table_name LIKE 'radacct%'"
            }
        };
        let rows: Vec<(String, i64)> =
            on!(self, c => sqlx::query_as::<DB, (String, i64)>(sql).fetch_all(&mut *c).await)?;
        let (first, last) = (window.from.map(month), window.to.map(month));
        let mut tables: Vec<Table> = rows
            .into_iter()
            .filter(|(name, _)| match name.strip_prefix(SINGLE) {
                Some("") => true,
                Some(digits) => {
                    digits.len() == 6
                        && digits.bytes().all(|b| b.is_ascii_digit())
                        && first.as_deref().is_none_or(|first| digits >= first)
                        && last.as_deref().is_none_or(|last| digits <= last)
                }
                None => false,
            })
            .map(|(name, has_payer)| Table { name, has_payer: has_payer != 0 })
            .collect();
        tables.sort_by(|a, b| (a.name != SINGLE, &b.name).cmp(&(b.name != SINGLE, &a.name)));
        Ok(tables)
    }

    async fn rows(
        &mut self,
        table: &Table,
        by: By,
        account: &Aor,
        window: CallWindow,
        limit: u64,
    ) -> Result<Vec<CallRow>, StoreError> {
        let payer = if table.has_payer { "BillingPartyId" } else { "''" };
        let rows: Vec<CallSql> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "SELECT COALESCE(AcctSessionId, '') session_id, COALESCE(SipFromTag, '') from_tag, \
                 COALESCE(SipToTag, '') to_tag, COALESCE(CallingStationId, '') calling, \
                 COALESCE(UserName, '') user_name, COALESCE(CanonicalURI, '') canonical, \
                 COALESCE(SipTranslatedRequestURI, '') translated, COALESCE(CalledStationId, '') called, \
                 COALESCE(FromHeader, '') from_header, COALESCE(SipApplicationType, '') application, \
                 COALESCE(NASIPAddress, '') proxy_ip, CAST(AcctStartTime AS CHAR) start_time, \
                 CAST(AcctStopTime AS CHAR) stop_time, \
                 CAST(COALESCE(AcctSessionTime, 0) AS SIGNED INTEGER) duration, \
                 CAST(COALESCE(SipResponseCode, 0) AS SIGNED INTEGER) status, \
                 CAST(ROUND(Price * 10000) AS SIGNED INTEGER) price, ",
            );
            query.push(payer).push(" payer FROM ").push(&table.name);
            matching!(query, by, account, window);
            query.push(" ORDER BY AcctStartTime DESC, RadAcctId DESC LIMIT ");
            query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
            query.build_query_as::<CallSql>().fetch_all(&mut *c).await
        })?;
        Ok(rows.into_iter().map(|row| row.read(by, account)).collect())
    }

    async fn sum(
        &mut self,
        table: &Table,
        by: By,
        account: &Aor,
        window: CallWindow,
    ) -> Result<CallSums, StoreError> {
        let whole = account.to_string();
        let (calls, duration, price): (i64, i64, i64) = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "SELECT COUNT(*), CAST(COALESCE(SUM(AcctSessionTime), 0) AS SIGNED INTEGER), \
                 CAST(COALESCE(SUM(",
            );
            match by {
                By::Caller | By::Payer => {
                    if table.has_payer {
                        query.push("CASE WHEN BillingPartyId IN ('', ").push_bind(&whole).push(") THEN ");
                    }
                    query.push("CAST(ROUND(Price * 10000) AS SIGNED INTEGER)");
                    if table.has_payer {
                        query.push(" ELSE 0 END");
                    }
                }
                By::Callee | By::MissingCallee => {
                    query.push("0");
                }
            }
            query.push("), 0) AS SIGNED INTEGER) FROM ").push(&table.name);
            matching!(query, by, account, window);
            query.build_query_as::<(i64, i64, i64)>().fetch_one(&mut *c).await
        })?;
        Ok(CallSums { calls, duration, price: Amount(price) })
    }
}

#[derive(sqlx::FromRow)]
struct CallSql {
    session_id: String,
    from_tag: String,
    to_tag: String,
    calling: String,
    user_name: String,
    canonical: String,
    translated: String,
    called: String,
    from_header: String,
    application: String,
    proxy_ip: String,
    start_time: Option<String>,
    stop_time: Option<String>,
    duration: i64,
    status: i64,
    price: Option<i64>,
    payer: String,
}

impl CallSql {
    fn read(self, by: By, account: &Aor) -> CallRow {
        let pays = matches!(by, By::Caller | By::Payer)
            && (self.payer.is_empty() || self.payer == account.to_string());
        let seconds =
            |text: Option<String>| parse_utc(&text?).map(|millis| millis.div_euclid(1000));
        let first =
            |texts: [String; 3]| texts.into_iter().find(|t| !t.is_empty()).unwrap_or_default();
        CallRow {
            session_id: self.session_id,
            from_tag: self.from_tag,
            to_tag: self.to_tag,
            from_uri: first([self.calling, quoted(&self.user_name), String::new()]),
            to_uri: first([self.canonical, self.translated, self.called]),
            from_header: self.from_header,
            application: self.application,
            proxy_ip: self.proxy_ip,
            start: seconds(self.start_time).unwrap_or(0),
            stop: seconds(self.stop_time).filter(|stop| *stop > 0),
            duration: self.duration.max(0),
            status: self.status,
            price: self.price.filter(|_| pays).map(Amount),
        }
    }
}

/// An address as RADIUS accounting spells it: `=` is the only character of one that quoted-printable changes.
fn quoted(address: &str) -> String {
    address.replace('=', "=3D")
}

/// Seconds since 1970 as the columns hold them, within the years that a DATETIME knows.
fn time(seconds: i64) -> String {
    utc(seconds.clamp(0, 253_402_300_799).saturating_mul(1000))
}

/// `YYYYMM` of a time in seconds since 1970.
fn month(seconds: i64) -> String {
    time(seconds).chars().filter(char::is_ascii_digit).take(6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_quoting() {
        assert_eq!(month(1_772_323_200), "202603");
        assert_eq!(month(1_772_323_199), "202602");
        assert_eq!(month(i64::MAX), "999912");
        assert_eq!(month(-1), "197001");
        assert_eq!(quoted("a=b@example.com"), "a=3Db@example.com");
    }
}
