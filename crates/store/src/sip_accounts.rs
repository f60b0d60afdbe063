//! `subscriber` and `grp`: SIP accounts as they are provisioned.

use crate::directory::push_addresses;
use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Range};
use crate::journal::InsertId as _;
use crate::sealed_passwords::Owner;
use crate::tx::{Tx, on};
use ngn_model::{Aor, DomainName, Ownership};
use sqlx::QueryBuilder;
use std::collections::BTreeSet;
use std::fmt;

/// An account as it is provisioned. Its owners are those of its domain (B15).
#[derive(Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct SipAccountRow {
    /// User name.
    pub username: String,
    /// Domain.
    pub domain: String,
    /// Password in clear text, empty when it is not stored.
    pub password: String,
    /// MD5 digest in hexadecimal digits.
    pub ha1: String,
    /// MD5 digest with the domain in the user name.
    pub ha1b: String,
    /// SHA-256 digest, empty when only MD5 digests were given.
    pub ha1_sha256: String,
    /// E-mail address.
    pub email_address: String,
    /// Caller id towards the PSTN.
    pub rpid: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Time zone.
    pub timezone: String,
    /// Monthly limit, 0 for none.
    pub quota: i64,
    /// Whether calls are paid in advance.
    pub prepaid: bool,
    /// Quick-dial prefix.
    pub quickdial_prefix: Option<String>,
    /// Emergency region.
    pub region: Option<String>,
    /// No-answer timeout in seconds.
    pub timeout: Option<i64>,
    /// Simultaneous PSTN calls.
    pub call_limit: Option<i64>,
    /// Networks, as JSON.
    pub acl: Option<String>,
    /// Properties, as JSON.
    pub properties: Option<String>,
    /// The owner attribute (B13).
    pub owner: i64,
    /// When it was made, in milliseconds since 1970 UTC.
    pub create_date: i64,
    /// When it last changed.
    pub change_date: i64,
    /// Its domain's customer.
    pub customer: i64,
    /// Its domain's reseller.
    pub reseller_id: i64,
}

impl fmt::Debug for SipAccountRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipAccountRow")
            .field("username", &self.username)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// An account to be added.
#[derive(Debug, Clone)]
pub struct NewSipAccount {
    /// Its columns.
    pub row: SipAccountRow,
    /// The groups it is a member of.
    pub groups: BTreeSet<String>,
}

/// Members of groups in one statement.
const MEMBERS: usize = 500;
/// User names that are looked at first for the highest number among them.
const CANDIDATES: i64 = 64;

/// What is read of an account.
pub(crate) const COLUMNS: &str = "s.username, s.domain, s.password, s.ha1, s.ha1b, s.ha1_sha256, s.email_address, \
     s.rpid, s.first_name, s.last_name, s.timezone, s.quota, s.prepaid, s.quickdial_prefix, s.region, s.timeout, \
     s.call_limit, s.acl, s.properties, s.owner, s.create_date, s.change_date, d.customer, d.reseller_id, \
     CAST(s.id AS SIGNED) AS row_id, p.sealed";
/// From where.
pub(crate) const FROM: &str = "subscriber s JOIN domain d ON d.domain = s.domain \
     LEFT JOIN sealed_passwords p ON p.kind = 2 AND p.record = s.id";

/// An account as the tables hold it.
#[derive(sqlx::FromRow)]
pub(crate) struct Stored {
    #[sqlx(flatten)]
    account: SipAccountRow,
    pub(crate) row_id: i64,
    sealed: Option<String>,
}

/// The tables in which something hangs on an account (B57).
const HANGING: &[&str] = &[
    "DELETE FROM grp WHERE username = ? AND domain = ?",
    "DELETE FROM call_diversions WHERE username = ? AND domain = ?",
    "DELETE FROM accept_rules_persistent WHERE username = ? AND domain = ?",
    "DELETE FROM accept_rules_temporary WHERE username = ? AND domain = ?",
    "DELETE FROM reject_members WHERE username = ? AND domain = ?",
    "DELETE FROM barring_prefixes WHERE username = ? AND domain = ?",
    "DELETE FROM phonebook WHERE username = ? AND domain = ?",
    "DELETE FROM location WHERE username = ? AND domain = ?",
    // Whoever gets the address next is not shown what another one paid; the journal keeps it.
    "DELETE FROM prepaid_history WHERE username = ? AND domain = ?",
    "DELETE FROM addresses WHERE username = ? AND domain = ?",
    "DELETE FROM subscriber WHERE username = ? AND domain = ?",
];

/// Those that hold the address in one column.
const HANGING_WHOLE: &[&str] = &[
    "DELETE FROM prepaid WHERE account = ?",
    "DELETE FROM billing_customers WHERE gateway = '' AND domain = '' AND subscriber = ?",
];

impl Tx<'_> {
    /// An account.
    pub async fn sip_account(&mut self, aor: &Aor) -> Result<Option<SipAccountRow>, StoreError> {
        let stored: Option<Stored> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT ");
            query.push(COLUMNS).push(" FROM ").push(FROM).push(" WHERE s.username = ");
            query.push_bind(aor.username()).push(" AND s.domain = ").push_bind(aor.domain().as_str());
            query.build_query_as::<Stored>().fetch_optional(&mut *c).await
        })?;
        stored.map(|stored| self.opened(stored)).transpose()
    }

    /// An account with its password as it was set.
    pub(crate) fn opened(&self, stored: Stored) -> Result<SipAccountRow, StoreError> {
        let Stored { mut account, row_id, sealed } = stored;
        let owner = Owner::Account(row_id);
        let password = self.read_password(owner, Some(account.password), sealed)?;
        account.password = password.unwrap_or_default();
        Ok(account)
    }

    /// The highest purely numeric user name of a domain (B54). Names of more than 18 digits do not count.
    pub async fn highest_numeric_username(
        &mut self,
        domain: &DomainName,
    ) -> Result<Option<u64>, StoreError> {
        let numeric = |name: &&String| name.len() <= 18 && name.bytes().all(|b| b.is_ascii_digit());
        // Hardly ever is one of the first ones no number, and then all are looked at.
        for most in [CANDIDATES, i64::MAX] {
            // Numbers of equal length sort as text; the longest of them come first.
            let names: Vec<String> = on!(self, c => {
                sqlx::query_scalar::<DB, String>(
                    "SELECT username FROM addresses WHERE domain = ? AND username >= '0' AND username < ':' \
                     ORDER BY LENGTH(username) DESC, username DESC LIMIT ?",
                )
                .bind(domain.as_str())
                .bind(most)
                .fetch_all(&mut *c)
                .await
            })?;
            let all = i64::try_from(names.len()).unwrap_or(i64::MAX) < most;
            let highest = names.iter().filter(numeric).find_map(|name| name.parse().ok());
            if all || highest.is_some() {
                return Ok(highest);
            }
        }
        Ok(None)
    }

    /// Adds an account whose address was claimed, with its password and dates as they are in the row.
    pub async fn insert_sip_account(&mut self, row: &SipAccountRow) -> Result<(), StoreError> {
        self.insert_sip_accounts(&[NewSipAccount { row: row.clone(), groups: BTreeSet::new() }])
            .await
    }

    /// Adds accounts whose addresses were claimed, and makes them members of their groups. Both dates of a row that has
    /// none become now.
    pub async fn insert_sip_accounts(&mut self, new: &[NewSipAccount]) -> Result<(), StoreError> {
        if new.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let sealing = self.keys.as_ref().is_some_and(|keys| keys.seals());
        let inserted = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "INSERT INTO subscriber (username, domain, password, ha1, ha1b, ha1_sha256, email_address, rpid, \
                 first_name, last_name, timezone, quota, prepaid, quickdial_prefix, region, timeout, call_limit, \
                 acl, properties, owner, create_date, change_date) ",
            );
            query.push_values(new, |mut tuple, NewSipAccount { row, .. }| {
                let dated = |date: i64| if date == 0 { now } else { date };
                tuple
                    .push_bind(&row.username)
                    .push_bind(&row.domain)
                    .push_bind(if sealing { "" } else { row.password.as_str() })
                    .push_bind(&row.ha1)
                    .push_bind(&row.ha1b)
                    .push_bind(&row.ha1_sha256)
                    .push_bind(&row.email_address)
                    .push_bind(row.rpid.as_deref())
                    .push_bind(&row.first_name)
                    .push_bind(&row.last_name)
                    .push_bind(&row.timezone)
                    .push_bind(row.quota)
                    .push_bind(row.prepaid)
                    .push_bind(row.quickdial_prefix.as_deref())
                    .push_bind(row.region.as_deref())
                    .push_bind(row.timeout)
                    .push_bind(row.call_limit)
                    .push_bind(row.acl.as_deref())
                    .push_bind(row.properties.as_deref())
                    .push_bind(row.owner)
                    .push_bind(dated(row.create_date))
                    .push_bind(dated(row.change_date));
            });
            query.build().execute(&mut *c).await.map(|done| done.insert_id())
        })?;
        let (first, step) = self.numbers(inserted, new.len()).await?;
        let mut ids = Vec::with_capacity(new.len());
        for n in (0..).take(new.len()) {
            let id = i64::try_from(first + n * step);
            ids.push(id.map_err(|_| StoreError::corrupt("id of an account", "too large"))?);
        }
        if sealing {
            let passwords = ids.iter().zip(new);
            let passwords =
                passwords.map(|(id, new)| (Owner::Account(*id), new.row.password.as_str()));
            self.seal_new_passwords(passwords).await?;
        }
        let members: Vec<(&SipAccountRow, &str, i64)> = new
            .iter()
            .zip(&ids)
            .flat_map(|(new, id)| new.groups.iter().map(|group| (&new.row, group.as_str(), *id)))
            .collect();
        for members in members.chunks(MEMBERS) {
            on!(self, c => {
                let mut query =
                    QueryBuilder::<DB>::new("INSERT INTO grp (username, domain, grp, subscriber_id) ");
                query.push_values(members, |mut tuple, (row, group, id)| {
                    tuple
                        .push_bind(&row.username)
                        .push_bind(&row.domain)
                        .push_bind(*group)
                        .push_bind(*id);
                });
                query.build().execute(&mut *c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Replaces all columns of an account; its change date becomes now.
    pub async fn update_sip_account(&mut self, row: &SipAccountRow) -> Result<(), StoreError> {
        let now = self.now();
        let aor = Aor::new(&row.username, &row.domain)
            .map_err(|error| StoreError::corrupt("address of an account", error))?;
        let Some(id) = self.subscriber_row(&aor).await? else { return Ok(()) };
        let password = self.store_password(Owner::Account(id), Some(&row.password)).await?;
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE subscriber SET password = ?, ha1 = ?, ha1b = ?, ha1_sha256 = ?, email_address = ?, \
                 rpid = ?, first_name = ?, last_name = ?, timezone = ?, quota = ?, prepaid = ?, \
                 quickdial_prefix = ?, region = ?, timeout = ?, call_limit = ?, acl = ?, properties = ?, \
                 owner = ?, change_date = ? WHERE username = ? AND domain = ?",
            )
            .bind(password.unwrap_or_default())
            .bind(&row.ha1)
            .bind(&row.ha1b)
            .bind(&row.ha1_sha256)
            .bind(&row.email_address)
            .bind(row.rpid.as_deref())
            .bind(&row.first_name)
            .bind(&row.last_name)
            .bind(&row.timezone)
            .bind(row.quota)
            .bind(row.prepaid)
            .bind(row.quickdial_prefix.as_deref())
            .bind(row.region.as_deref())
            .bind(row.timeout)
            .bind(row.call_limit)
            .bind(row.acl.as_deref())
            .bind(row.properties.as_deref())
            .bind(row.owner)
            .bind(now)
            .bind(&row.username)
            .bind(&row.domain)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Sets an account's change date to now.
    pub async fn touch_sip_account(&mut self, aor: &Aor) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE subscriber SET change_date = ? WHERE username = ? AND domain = ?",
            )
            .bind(now)
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Deletes an account and what hangs on it but its aliases (B57).
    pub async fn delete_sip_account(&mut self, aor: &Aor) -> Result<(), StoreError> {
        if let Some(id) = self.subscriber_row(aor).await? {
            self.delete_sealed_password(Owner::Account(id)).await?;
        }
        for sql in HANGING {
            on!(self, c => {
                sqlx::query::<DB>(*sql)
                    .bind(aor.username())
                    .bind(aor.domain().as_str())
                    .execute(&mut *c)
                    .await
                    .map(drop)
            })?;
        }
        let whole = aor.to_string();
        for sql in HANGING_WHOLE {
            on!(self, c => sqlx::query::<DB>(*sql).bind(&whole).execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }

    /// The owners of those of some addresses that are accounts, in no order.
    pub async fn sip_account_owners(
        &mut self,
        aors: &[Aor],
    ) -> Result<Vec<(Aor, Ownership)>, StoreError> {
        type Row = (String, String, i64, i64);
        let mut found = Vec::new();
        for chunk in aors.chunks(100) {
            let rows: Vec<Row> = on!(self, c => {
                let mut query = QueryBuilder::<DB>::new(
                    "SELECT s.username, s.domain, d.customer, d.reseller_id \
                     FROM subscriber s JOIN domain d ON d.domain = s.domain",
                );
                push_addresses(&mut query, "s.username", "s.domain", chunk);
                query.build_query_as::<Row>().fetch_all(&mut *c).await
            })?;
            for (username, domain, customer, reseller) in rows {
                let aor = Aor::new(&username, &domain)
                    .map_err(|error| StoreError::corrupt("address of an account", error))?;
                found.push((aor, Ownership { customer, reseller }));
            }
        }
        Ok(found)
    }

    /// The groups of an account, sorted.
    pub async fn sip_groups(&mut self, aor: &Aor) -> Result<Vec<String>, StoreError> {
        on!(self, c => {
            sqlx::query_scalar::<DB, String>(
                "SELECT grp FROM grp WHERE username = ? AND domain = ? ORDER BY grp",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .fetch_all(&mut *c)
            .await
        })
    }

    /// Puts an account into a group.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when it is there already (B69).
    pub async fn add_sip_group(&mut self, aor: &Aor, group: &str) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO grp (username, domain, grp, subscriber_id) VALUES (?, ?, ?, \
                 (SELECT id FROM subscriber WHERE username = ? AND domain = ?))",
            )
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .bind(group)
            .bind(aor.username())
            .bind(aor.domain().as_str())
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Takes an account out of a group; whether it was in it.
    pub async fn remove_sip_group(&mut self, aor: &Aor, group: &str) -> Result<bool, StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM grp WHERE username = ? AND domain = ? AND grp = ?")
                .bind(aor.username())
                .bind(aor.domain().as_str())
                .bind(group)
                .execute(&mut *c)
                .await
                .map(|done| done.rows_affected() > 0)
        })
    }

    /// How many accounts lie in the domains of a customer, or of a reseller (B36).
    pub async fn count_sip_accounts(&mut self, owner: Ownership) -> Result<u64, StoreError> {
        let mut filter = Filter::new();
        filter.number("d.customer", Some(owner.customer));
        filter.number("d.reseller_id", Some(owner.reseller));
        let (columns, from) = ("s.id", "subscriber s JOIN domain d ON d.domain = s.domain");
        let (order, range) = (Order::by_key(&["s.id"]), Range::default());
        Listing { columns, from, filter, order, range }.count(self).await
    }

    /// Makes a prepaid record for an account that has none (B71).
    pub async fn ensure_prepaid(&mut self, aor: &Aor, reseller: i64) -> Result<(), StoreError> {
        self.lock_prepaid(aor, reseller).await.map(drop)
    }
}
