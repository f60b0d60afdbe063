//! What the owners of accounts have set about their calls, as SIP servers read it: with the accounts.
//!
//! Only accounts with such settings cost anything: each query reads the rows that there are, and what diversions
//! and accept rules refer to (mailbox, mobile number, phone book, time zone) comes along with them.

use crate::call_options::{add_diversion, read_diversion, read_groups, read_rule};
use crate::directory::{push_addresses, readable};
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::{Tx, on};
use futures::TryStreamExt;
use ngn_model::accept_rules::TemporaryRule;
use ngn_model::call_options::{AddressPattern, Contact};
use ngn_model::{Account, Aor, CallOptions, CustomerId};
use sqlx::QueryBuilder;
use std::collections::HashMap;

/// With what the wildcard for the mobile number stands for (B86).
const DIVERSIONS: &str = "SELECT c.username, c.domain, c.cond, c.uri, k.mobile, \
     CASE WHEN c.uri = '<mobile-number>' THEN s.properties END AS properties \
     FROM call_diversions c JOIN subscriber s ON s.username = c.username AND s.domain = c.domain \
     LEFT JOIN customers k ON c.uri = '<mobile-number>' AND k.id = s.owner";

#[derive(sqlx::FromRow)]
struct DiversionSql {
    username: String,
    domain: String,
    cond: String,
    uri: String,
    mobile: Option<String>,
    properties: Option<String>,
}

impl DiversionSql {
    fn add_to(self, options: &mut CallOptions) {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        // B86: the account's own property goes before its owner's number.
        let mobile = self.properties.as_deref().and_then(mobile_property);
        options.mobile = mobile.or(given(self.mobile)).or(options.mobile.take());
        if let Some(new) = read_diversion(&self.cond, &self.uri) {
            add_diversion(&mut options.diversions, new);
        }
    }
}

/// The property `mobile_number`, out of `[{"name": ..., "value": ...}]`.
fn mobile_property(json: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Entry {
        name: Option<String>,
        value: Option<String>,
    }
    let entries: Vec<Entry> = serde_json::from_str(json).ok()?;
    let named = entries.into_iter().find(|e| e.name.as_deref() == Some("mobile_number"));
    named?.value.filter(|value| !value.trim().is_empty())
}

const RULES: &str = "SELECT a.username, a.domain, CAST(a.days AS SIGNED) AS days, a.start, a.stop, \
     a.group_names, s.timezone FROM accept_rules_persistent a \
     JOIN subscriber s ON s.username = a.username AND s.domain = a.domain";

#[derive(sqlx::FromRow)]
struct RuleSql {
    username: String,
    domain: String,
    days: i64,
    start: String,
    stop: String,
    group_names: String,
    timezone: String,
}

impl RuleSql {
    fn add_to(self, options: &mut CallOptions) {
        options.accept.persistent.extend(read_rule(
            self.days,
            &self.start,
            &self.stop,
            &self.group_names,
        ));
        options.timezone = self.timezone;
    }
}

const TEMPORARY: &str =
    "SELECT a.username, a.domain, a.group_names, a.expires_at FROM accept_rules_temporary a";

#[derive(sqlx::FromRow)]
struct TemporarySql {
    username: String,
    domain: String,
    group_names: String,
    expires_at: Option<i64>,
}

impl TemporarySql {
    fn add_to(self, options: &mut CallOptions) {
        options.accept.temporary = read_groups(&self.group_names)
            .map(|groups| TemporaryRule { groups, expires_at: self.expires_at });
    }
}

/// Only where accept rules may ask for a caller's group (B91).
const CONTACTS: &str = "SELECT p.username, p.domain, p.uri, p.grp FROM phonebook p JOIN \
     (SELECT username, domain FROM accept_rules_persistent UNION \
      SELECT username, domain FROM accept_rules_temporary) a \
     ON a.username = p.username AND a.domain = p.domain AND p.grp <> ''";

#[derive(sqlx::FromRow)]
struct ContactSql {
    username: String,
    domain: String,
    uri: String,
    grp: String,
}

impl ContactSql {
    fn add_to(self, options: &mut CallOptions) {
        let contact = Contact { address: AddressPattern::new(&self.uri), group: self.grp };
        options.phonebook.push(contact);
    }
}

const REJECT: &str = "SELECT r.username, r.domain, r.uri AS text FROM reject_members r";
/// For diversions to them (B85), and for whoever wants to listen to the messages (B156).
const MAILBOXES: &str = "SELECT v.username, v.domain, v.mailbox AS text FROM voicemail_accounts v";
const BARRED: &str = "SELECT b.username, b.domain, b.prefix AS text FROM barring_prefixes b";

#[derive(sqlx::FromRow)]
struct TextSql {
    username: String,
    domain: String,
    text: String,
}

/// Adds the rows of a query, or only those of some accounts, to their accounts' settings.
macro_rules! gather {
    ($tx:expr, $found:expr, $aors:expr, $row:ty, $sql:expr, $alias:literal, $order:literal, $add:expr) => {{
        let (aors, found, add): (Option<&[Aor]>, _, fn($row, &mut CallOptions)) =
            ($aors, &mut $found, $add);
        on!($tx, c => {
            let mut query = QueryBuilder::<DB>::new($sql);
            if let Some(aors) = aors {
                push_addresses(&mut query, concat!($alias, ".username"), concat!($alias, ".domain"), aors);
            }
            query.push(concat!(" ORDER BY ", $alias, ".username, ", $alias, ".domain, ", $order));
            let mut rows = query.build_query_as::<$row>().fetch(&mut *c);
            while let Some(row) = rows.try_next().await? {
                if let Some(aor) = readable("call settings", &row.username, Aor::new(&row.username, &row.domain)) {
                    add(row, found.entry(aor).or_default());
                }
            }
            Ok(())
        })?;
    }};
}

/// Reads the settings of all accounts, or of some.
async fn read(
    tx: &mut Tx<'_>,
    aors: Option<&[Aor]>,
) -> Result<HashMap<Aor, CallOptions>, StoreError> {
    let mut found: HashMap<Aor, CallOptions> = HashMap::new();
    gather!(tx, found, aors, DiversionSql, DIVERSIONS, "c", "c.cond", DiversionSql::add_to);
    gather!(tx, found, aors, RuleSql, RULES, "a", "a.position", RuleSql::add_to);
    gather!(tx, found, aors, TemporarySql, TEMPORARY, "a", "a.expires_at", TemporarySql::add_to);
    gather!(tx, found, aors, ContactSql, CONTACTS, "p", "p.uri", ContactSql::add_to);
    gather!(tx, found, aors, TextSql, REJECT, "r", "r.position", |row, options| {
        options.reject.push(AddressPattern::new(&row.text));
    });
    gather!(tx, found, aors, TextSql, BARRED, "b", "b.position", |row, options| {
        options.barred.push(row.text.trim_start_matches('+').to_owned());
    });
    gather!(tx, found, aors, TextSql, MAILBOXES, "v", "v.mailbox", |row, options| {
        options.mailbox = Some(row.text).filter(|mailbox| !mailbox.trim().is_empty());
    });
    Ok(found)
}

/// Puts the settings of all accounts into accounts just loaded.
pub(crate) async fn load_all(tx: &mut Tx<'_>, accounts: &mut [Account]) -> Result<(), StoreError> {
    let mut found = read(tx, None).await?;
    for account in accounts {
        account.options = found.remove(&account.aor).map(Box::new);
    }
    Ok(())
}

/// Puts the settings of some accounts into them; `chunk` names no more than one statement may ask for.
pub(crate) async fn load_some(
    tx: &mut Tx<'_>,
    chunk: &[Aor],
    accounts: &mut HashMap<Aor, Account>,
) -> Result<(), StoreError> {
    for (aor, options) in read(tx, Some(chunk)).await? {
        if let Some(account) = accounts.get_mut(&aor) {
            account.options = Some(Box::new(options));
        }
    }
    Ok(())
}

impl Store {
    /// The accounts whose diversions lead to the mobile number of one of these customers (B86): to be read again
    /// when that customer changes.
    pub async fn accounts_diverted_to_mobiles_of(
        &self,
        customers: &[CustomerId],
    ) -> Result<Vec<Aor>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                let mut aors = Vec::new();
                for customer in customers {
                    let rows: Vec<(String, String)> = on!(tx, c => {
                        sqlx::query_as::<DB, (String, String)>(
                            "SELECT DISTINCT s.username, s.domain FROM subscriber s JOIN call_diversions c \
                             ON c.username = s.username AND c.domain = s.domain AND c.uri = '<mobile-number>' \
                             WHERE s.owner = ?",
                        )
                        .bind(*customer)
                        .fetch_all(&mut *c)
                        .await
                    })?;
                    let read = |(username, domain): &(String, String)| {
                        readable("account", username, Aor::new(username, domain))
                    };
                    aors.extend(rows.iter().filter_map(read));
                }
                Ok(aors)
            })
        })
        .await
    }
}
