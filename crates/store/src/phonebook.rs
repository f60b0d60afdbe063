//! `phonebook`: the contacts of accounts (B98, B99).

use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::tx::{Tx, on};
use ngn_model::Aor;

/// An entry of an account's phone book.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct PhonebookRow {
    /// The contact's URI in lower case, which may hold `%`: the key.
    pub uri: String,
    /// Display name.
    pub name: Option<String>,
    /// Group; empty for none.
    pub grp: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
}

const COLUMNS: &str = "p.uri, p.name, p.grp, p.first_name, p.last_name";
const FROM: &str = "phonebook p";
const KEY: &[&str] = &["p.uri"];

impl Tx<'_> {
    /// An entry.
    pub async fn phonebook_entry(
        &mut self,
        aor: &Aor,
        uri: &str,
    ) -> Result<Option<PhonebookRow>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("p.uri", uri);
        let one = Range { start: 0, count: Some(1) };
        Ok(self.list_phonebook(aor, filter, one).await?.rows.pop())
    }

    /// The entries of an account by URI; columns are those of `phonebook p`.
    pub async fn list_phonebook(
        &mut self,
        aor: &Aor,
        mut filter: Filter,
        range: Range,
    ) -> Result<Page<PhonebookRow>, StoreError> {
        filter.equals("p.username", aor.username()).equals("p.domain", aor.domain().as_str());
        let order = Order::by_key(KEY);
        Listing { columns: COLUMNS, from: FROM, filter, order, range }.fetch(self).await
    }

    /// The groups that have entries, sorted (B92).
    pub async fn phonebook_groups(&mut self, aor: &Aor) -> Result<Vec<String>, StoreError> {
        on!(self, c => {
            sqlx::query_scalar::<DB, String>(
                "SELECT DISTINCT grp FROM phonebook WHERE username = ? AND domain = ? AND grp <> '' \
                 ORDER BY grp",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .fetch_all(&mut *c)
            .await
        })
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when the URI has one already (B98).
    pub async fn insert_phonebook_entry(
        &mut self,
        aor: &Aor,
        row: &PhonebookRow,
    ) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO phonebook (username, domain, uri, name, grp, first_name, last_name, change_date) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .bind(&row.uri)
            .bind(row.name.as_deref())
            .bind(&row.grp)
            .bind(row.first_name.as_deref())
            .bind(row.last_name.as_deref())
            .bind(now)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Replaces what is stored about a URI.
    pub async fn update_phonebook_entry(
        &mut self,
        aor: &Aor,
        row: &PhonebookRow,
    ) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE phonebook SET name = ?, grp = ?, first_name = ?, last_name = ?, change_date = ? \
                 WHERE username = ? AND domain = ? AND uri = ?",
            )
            .bind(row.name.as_deref())
            .bind(&row.grp)
            .bind(row.first_name.as_deref())
            .bind(row.last_name.as_deref())
            .bind(now)
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .bind(&row.uri)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes an entry.
    pub async fn delete_phonebook_entry(&mut self, aor: &Aor, uri: &str) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM phonebook WHERE username = ? AND domain = ? AND uri = ?")
                .bind(aor.username())
                .bind(aor.domain().as_str())
                .bind(uri)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }
}
