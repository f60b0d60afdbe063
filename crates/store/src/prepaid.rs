//! `prepaid`, `prepaid_history` and `prepaid_cards`: CDRTool's tables, which its rating engine changes too.
//!
//! Amounts are computed in whole ten-thousandths and written as decimal text. SQLite keeps them as NUMERIC; a
//! balance has at most ten digits there, so what is read back is rounded to exactly what was written.

use crate::dialect::Spelling;
use crate::directory::push_addresses;
use crate::error::StoreError;
use crate::time::{parse_utc, utc};
use crate::tx::{Tx, on};
use ngn_model::{Amount, Aor, Ownership};
use sqlx::QueryBuilder;

/// Addresses of one SELECT.
const ADDRESSES: usize = 100;

/// The balance of an account as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepaidRow {
    /// The account.
    pub aor: Aor,
    /// The owners of its domain (B15).
    pub owner: Ownership,
    /// What it has.
    pub balance: Amount,
}

/// A change of a balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepaidHistoryRow {
    /// What happened, such as `Set balance` (B163).
    pub action: String,
    /// Whatever the one who changed it says about it, at most 255 characters.
    pub description: String,
    /// By how much.
    pub value: Amount,
    /// The balance afterwards.
    pub balance: Amount,
    /// When, in milliseconds since 1970 UTC.
    pub date: i64,
}

/// A voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepaidCardRow {
    /// Whose it is; 0 for the platform's.
    pub reseller: i64,
    /// What it is worth; nothing once it was used (B162).
    pub value: Amount,
    /// Whether it was taken out of use.
    pub blocked: bool,
    /// The start of the first day on which it can be used, in milliseconds since 1970 UTC; `None` when it always
    /// can.
    pub active_from: Option<i64>,
}

/// A column of money in ten-thousandths.
macro_rules! steps {
    ($column:literal) => {
        concat!("CAST(ROUND(COALESCE(", $column, ", 0) * 10000) AS SIGNED INTEGER)")
    };
}
pub(crate) use steps;

impl Tx<'_> {
    /// Keeps an account as it is until the end of this transaction; whether it exists. Who changes what hangs on
    /// an account and no other table guards does this first.
    pub async fn lock_sip_account(&mut self, aor: &Aor) -> Result<bool, StoreError> {
        let found: Option<String> = on!(self, c => {
            let mut query =
                QueryBuilder::<DB>::new("SELECT username FROM subscriber WHERE username = ");
            query.push_bind(aor.username()).push(" AND domain = ").push_bind(aor.domain().as_str());
            query.push(<DB as Spelling>::FOR_UPDATE);
            query.build_query_scalar::<String>().fetch_optional(&mut *c).await
        })?;
        Ok(found.is_some())
    }

    /// The balance of an account, which nobody else changes until the end of this transaction. An account without
    /// a record gets one with nothing in it.
    pub async fn lock_prepaid(&mut self, aor: &Aor, reseller: i64) -> Result<Amount, StoreError> {
        if let Some(balance) = self.locked_balance(aor).await? {
            return Ok(balance);
        }
        let account = aor.to_string();
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "INSERT INTO prepaid (reseller_id, account, balance) VALUES (",
            );
            query.push_bind(reseller).push(", ").push_bind(&account).push(", 0)");
            query.push(<DB as Spelling>::keep_existing("account"));
            query.build().execute(&mut *c).await.map(drop)
        })?;
        Ok(self.locked_balance(aor).await?.unwrap_or_default())
    }

    async fn locked_balance(&mut self, aor: &Aor) -> Result<Option<Amount>, StoreError> {
        let account = aor.to_string();
        let balance: Option<i64> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(concat!(
                "SELECT ",
                steps!("balance"),
                " FROM prepaid WHERE account = "
            ));
            query.push_bind(&account).push(<DB as Spelling>::FOR_UPDATE);
            query.build_query_scalar::<i64>().fetch_optional(&mut *c).await
        })?;
        Ok(balance.map(Amount))
    }

    /// Gives an account, whose balance this transaction has locked, a new one and notes the change in its history.
    pub async fn change_prepaid(
        &mut self,
        aor: &Aor,
        reseller: i64,
        change: &PrepaidHistoryRow,
    ) -> Result<(), StoreError> {
        let account = aor.to_string();
        on!(self, c => {
            sqlx::query::<DB>("UPDATE prepaid SET balance = ?, change_date = ? WHERE account = ?")
                .bind(change.balance.to_string())
                .bind(utc(change.date))
                .bind(&account)
                .execute(&mut *c)
                .await
                .map(drop)
        })?;
        on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO prepaid_history (reseller_id, username, domain, action, description, value, \
                 balance, date) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(reseller)
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .bind(&change.action)
            .bind(&change.description)
            .bind(change.value.to_string())
            .bind(change.balance.to_string())
            .bind(utc(change.date))
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// The newest changes of an account's balance, newest first, at most `limit` (B163).
    pub async fn prepaid_history(
        &mut self,
        aor: &Aor,
        limit: u64,
    ) -> Result<Vec<PrepaidHistoryRow>, StoreError> {
        type Row = (String, String, i64, i64, String);
        let rows: Vec<Row> = on!(self, c => {
            sqlx::query_as::<DB, Row>(concat!(
                "SELECT action, description, ",
                steps!("value"),
                ", ",
                steps!("balance"),
                ", CAST(date AS CHAR) FROM prepaid_history WHERE username = ? AND domain = ? \
                 ORDER BY id DESC LIMIT ?"
            ))
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *c)
            .await
        })?;
        let read = |(action, description, value, balance, date): Row| PrepaidHistoryRow {
            action,
            description,
            value: Amount(value),
            balance: Amount(balance),
            date: parse_utc(&date).unwrap_or(0),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// The balances of those of some addresses that are prepaid accounts, in no order.
    pub async fn prepaid_balances(&mut self, aors: &[Aor]) -> Result<Vec<PrepaidRow>, StoreError> {
        type Row = (String, String, bool, i64, i64, i64);
        let mut found = Vec::new();
        for chunk in aors.chunks(ADDRESSES) {
            let rows: Vec<Row> = on!(self, c => {
                let mut query = QueryBuilder::<DB>::new(concat!(
                    "SELECT s.username, s.domain, s.prepaid, d.customer, d.reseller_id, ",
                    steps!("p.balance"),
                    " FROM subscriber s JOIN domain d ON d.domain = s.domain \
                     LEFT JOIN prepaid p ON p.account = s.username || '@' || s.domain"
                ));
                push_addresses(&mut query, "s.username", "s.domain", chunk);
                query.build_query_as::<Row>().fetch_all(&mut *c).await
            })?;
            for (username, domain, _, customer, reseller, balance) in
                rows.into_iter().filter(|row| row.2)
            {
                let aor = Aor::new(&username, &domain)
                    .map_err(|error| StoreError::corrupt("address of an account", error))?;
                let owner = Ownership { customer, reseller };
                found.push(PrepaidRow { aor, owner, balance: Amount(balance) });
            }
        }
        Ok(found)
    }

    /// The voucher with this id and number, which nobody else uses until the end of this transaction (B162).
    pub async fn lock_prepaid_card(
        &mut self,
        id: i64,
        number: &str,
    ) -> Result<Option<PrepaidCardRow>, StoreError> {
        type Row = (i64, i64, i64, Option<String>);
        let row: Option<Row> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(concat!(
                "SELECT reseller_id, ",
                steps!("value"),
                ", CAST(blocked AS SIGNED INTEGER), CAST(date_active AS CHAR) FROM prepaid_cards WHERE id = "
            ));
            query.push_bind(id).push(" AND number = ").push_bind(number);
            query.push(<DB as Spelling>::FOR_UPDATE);
            query.build_query_as::<Row>().fetch_optional(&mut *c).await
        })?;
        Ok(row.map(|(reseller, value, blocked, active)| PrepaidCardRow {
            reseller,
            value: Amount(value),
            blocked: blocked != 0,
            active_from: active.as_deref().and_then(parse_utc),
        }))
    }

    /// Marks a voucher, which this transaction has locked, as used: its value becomes nothing.
    pub async fn use_prepaid_card(&mut self, id: i64) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("UPDATE prepaid_cards SET value = 0 WHERE id = ?")
                .bind(id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }
}
