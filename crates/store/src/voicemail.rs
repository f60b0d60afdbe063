//! `voicemail_users` as Asterisk realtime reads it, with `voicemail_accounts` and `voicemail_announcements` beside it.

use crate::dialect::{Spelling, push_upsert};
use crate::error::StoreError;
use crate::journal::InsertId as _;
use crate::tx::{Tx, on};
use ngn_model::{Aor, Ownership};
use sqlx::QueryBuilder;
use std::fmt;

/// The diversion that leads to an account's mailbox (B85).
const TO_MAILBOX: &str = "<voice-mailbox>";
/// The longest number that counts when the next one is chosen: below what 64 bits hold.
const DIGITS: usize = 18;

/// A voicemail account.
#[derive(Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct VoicemailRow {
    /// User name of the SIP account.
    pub username: String,
    /// Its domain.
    pub domain: String,
    /// The row of `voicemail_users`.
    pub uniqueid: i64,
    /// The mailbox's number.
    pub mailbox: String,
    /// The PIN.
    pub password: String,
    /// Name of the owner.
    pub fullname: String,
    /// Where messages are mailed to.
    pub email: String,
    /// Whether messages are mailed only and not kept on the server (B154).
    pub delete_mailed: bool,
    /// Free text.
    pub info: Option<String>,
    /// The owner attribute.
    pub owner: i64,
    /// Its customer, where no SIP domain says whose it is (B157).
    pub customer: i64,
    /// Its reseller, likewise.
    pub reseller: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
}

impl fmt::Debug for VoicemailRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VoicemailRow").field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}

/// The announcement of a mailbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The SIP account of the mailbox.
    pub aor: Aor,
    /// The owners noted with the voicemail account.
    pub noted: Ownership,
    /// The owners of the account's SIP domain; `None` when the database has no such domain.
    pub domain: Option<Ownership>,
    /// The WAV file.
    pub message: Vec<u8>,
    /// When it was set, in milliseconds since 1970 UTC.
    pub change_date: i64,
}

impl fmt::Debug for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcement").field("octets", &self.message.len()).finish_non_exhaustive()
    }
}

const SELECT: &str = "SELECT v.username, v.domain, CAST(v.uniqueid AS SIGNED INTEGER) uniqueid, v.mailbox, \
     u.password, u.fullname, u.email, u.`delete` = 'yes' delete_mailed, v.info, v.owner, v.customer, v.reseller, \
     v.change_date FROM voicemail_accounts v JOIN voicemail_users u ON u.uniqueid = v.uniqueid \
     WHERE v.username = ? AND v.domain = ?";

impl Tx<'_> {
    /// The voicemail account of a SIP account.
    pub async fn voicemail(&mut self, aor: &Aor) -> Result<Option<VoicemailRow>, StoreError> {
        on!(self, c => {
            sqlx::query_as::<DB, VoicemailRow>(SELECT)
                .bind(aor.username())
                .bind(aor.domain().as_str())
                .fetch_optional(&mut *c)
                .await
        })
    }

    /// The last mailbox number that was given out; nobody else gives one out until the end of this transaction.
    async fn lock_mailbox_numbers(&mut self) -> Result<i64, StoreError> {
        on!(self, c => {
            let mut query =
                QueryBuilder::<DB>::new("SELECT last FROM mailbox_numbers WHERE id = 1");
            query.push(<DB as Spelling>::FOR_UPDATE);
            query.build_query_scalar::<i64>().fetch_one(&mut *c).await
        })
    }

    /// Takes the next mailbox number: one more than the highest there ever was, and not below `first` (B152).
    pub async fn next_mailbox(&mut self, first: i64) -> Result<String, StoreError> {
        let last = self.lock_mailbox_numbers().await?;
        let mut next = last.saturating_add(1).max(first);
        // Others may have filled the table, before us or beside us.
        if last == 0 || self.mailbox_taken(&next.to_string()).await? {
            next = next.max(self.highest_mailbox().await?.saturating_add(1));
        }
        self.note_mailbox(next).await?;
        Ok(next.to_string())
    }

    /// Takes a mailbox number of the caller's choice; whether it was free.
    pub async fn take_mailbox(&mut self, mailbox: &str) -> Result<bool, StoreError> {
        let last = self.lock_mailbox_numbers().await?;
        if self.mailbox_taken(mailbox).await? {
            return Ok(false);
        }
        let number = mailbox.parse::<i64>().ok().filter(|_| mailbox.len() <= DIGITS);
        if let Some(number) = number.filter(|number| *number > last) {
            // The first number to be generated still looks for what others have put there.
            let known = if last == 0 { self.highest_mailbox().await? } else { last };
            self.note_mailbox(number.max(known)).await?;
        }
        Ok(true)
    }

    async fn note_mailbox(&mut self, number: i64) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("UPDATE mailbox_numbers SET last = ? WHERE id = 1")
                .bind(number)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    async fn mailbox_taken(&mut self, mailbox: &str) -> Result<bool, StoreError> {
        let found: Option<String> = on!(self, c => {
            sqlx::query_scalar::<DB, String>(
                "SELECT mailbox FROM voicemail_users WHERE mailbox = ? LIMIT 1",
            )
            .bind(mailbox)
            .fetch_optional(&mut *c)
            .await
        })?;
        Ok(found.is_some())
    }

    /// The highest mailbox that is a number of ours; 0 without any. Looks at all of them.
    async fn highest_mailbox(&mut self) -> Result<i64, StoreError> {
        let names: Vec<String> = on!(self, c => {
            sqlx::query_scalar::<DB, String>("SELECT mailbox FROM voicemail_users")
                .fetch_all(&mut *c)
                .await
        })?;
        let number = |name: &String| {
            let digits = name.len() <= DIGITS && name.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| name.parse::<i64>().ok()).flatten()
        };
        Ok(names.iter().filter_map(number).max().unwrap_or(0))
    }

    /// Adds a voicemail account whose mailbox was taken.
    pub async fn insert_voicemail(&mut self, row: &VoicemailRow) -> Result<(), StoreError> {
        let id = on!(self, c => {
            sqlx::query::<DB>("INSERT INTO voicemail_users (customer_id, mailbox) VALUES (?, ?)")
                .bind(row.customer.to_string())
                .bind(&row.mailbox)
                .execute(&mut *c)
                .await
                .map(|done| done.insert_id())
        })?;
        let uniqueid = i64::try_from(id).unwrap_or(i64::MAX);
        on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO voicemail_accounts (username, domain, uniqueid, mailbox, customer, reseller) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(&row.username)
            .bind(&row.domain)
            .bind(uniqueid)
            .bind(&row.mailbox)
            .bind(row.customer)
            .bind(row.reseller)
            .execute(&mut *c)
            .await
            .map(drop)
        })?;
        self.update_voicemail(&VoicemailRow { uniqueid, ..row.clone() }).await
    }

    /// Replaces what can change of a voicemail account, the mailbox included; its change date becomes now.
    pub async fn update_voicemail(&mut self, row: &VoicemailRow) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE voicemail_users SET mailbox = ?, password = ?, fullname = ?, email = ?, `delete` = ? \
                 WHERE uniqueid = ?",
            )
            .bind(&row.mailbox)
            .bind(&row.password)
            .bind(&row.fullname)
            .bind(&row.email)
            .bind(if row.delete_mailed { "yes" } else { "no" })
            .bind(row.uniqueid)
            .execute(&mut *c)
            .await
            .map(drop)
        })?;
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE voicemail_accounts SET mailbox = ?, info = ?, owner = ?, change_date = ? \
                 WHERE uniqueid = ?",
            )
            .bind(&row.mailbox)
            .bind(row.info.as_deref())
            .bind(row.owner)
            .bind(now)
            .bind(row.uniqueid)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes a voicemail account with its announcement (B159).
    pub async fn delete_voicemail(&mut self, row: &VoicemailRow) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM voicemail_announcements WHERE username = ? AND domain = ?",
            "DELETE FROM voicemail_accounts WHERE username = ? AND domain = ?",
        ] {
            on!(self, c => {
                sqlx::query::<DB>(sql)
                    .bind(&row.username)
                    .bind(&row.domain)
                    .execute(&mut *c)
                    .await
                    .map(drop)
            })?;
        }
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM voicemail_users WHERE uniqueid = ?")
                .bind(row.uniqueid)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// Removes the diversions of an account that lead to its mailbox (B88); tells whether there were any.
    pub async fn delete_mailbox_diversions(&mut self, aor: &Aor) -> Result<bool, StoreError> {
        let removed = on!(self, c => {
            sqlx::query::<DB>(
                "DELETE FROM call_diversions WHERE username = ? AND domain = ? AND uri = ?",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .bind(TO_MAILBOX)
            .execute(&mut *c)
            .await
            .map(|done| done.rows_affected())
        })?;
        Ok(removed > 0)
    }

    /// Sets the announcement of an account's mailbox.
    pub async fn put_announcement(&mut self, aor: &Aor, message: &[u8]) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "INSERT INTO voicemail_announcements (username, domain, message, change_date) VALUES (",
            );
            query.push_bind(aor.username()).push(", ").push_bind(aor.domain().as_str()).push(", ");
            query.push_bind(message).push(", ").push_bind(now).push(")");
            push_upsert(&mut query, "username, domain", &["message", "change_date"]);
            query.build().execute(&mut *c).await.map(drop)
        })
    }

    /// Removes the announcement of an account's mailbox.
    pub async fn delete_announcement(&mut self, aor: &Aor) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM voicemail_announcements WHERE username = ? AND domain = ?")
                .bind(aor.username())
                .bind(aor.domain().as_str())
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// The announcement of a mailbox.
    pub async fn announcement(
        &mut self,
        mailbox: &str,
    ) -> Result<Option<Announcement>, StoreError> {
        type Row = (String, String, i64, i64, Option<i64>, Option<i64>, Vec<u8>, i64);
        let row: Option<Row> = on!(self, c => {
            sqlx::query_as::<DB, Row>(
                "SELECT v.username, v.domain, v.customer, v.reseller, d.customer, d.reseller_id, a.message, \
                 a.change_date FROM voicemail_accounts v \
                 JOIN voicemail_announcements a ON a.username = v.username AND a.domain = v.domain \
                 LEFT JOIN domain d ON d.domain = v.domain WHERE v.mailbox = ?",
            )
            .bind(mailbox)
            .fetch_optional(&mut *c)
            .await
        })?;
        let Some((username, domain, customer, reseller, of, by, message, change_date)) = row else {
            return Ok(None);
        };
        let aor = Aor::new(&username, &domain)
            .map_err(|error| StoreError::corrupt("address of a voicemail account", error))?;
        let owners = of.zip(by).map(|(customer, reseller)| Ownership { customer, reseller });
        let noted = Ownership { customer, reseller };
        Ok(Some(Announcement { aor, noted, domain: owners, message, change_date }))
    }
}
