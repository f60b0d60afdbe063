//! Reading what SIP servers serve: domains, accounts with their groups, aliases, where calls to telephone numbers go;
//! with bindings, the directory.

mod enums;
mod pages;
mod pstn;
mod shared;
mod voicemail;

pub use pages::PagedAccount;

pub use enums::{EnumKey, EnumTargets};

use crate::account_options;
use crate::error::StoreError;
use crate::follower::{Follower, Start};
use crate::location;
use crate::progress::Progress;
use crate::store::Store;
use crate::tx::{Tx, on};
use futures::TryStreamExt;
use ngn_model::{
    Account, Amount, Aor, Binding, Carrier, CustomerId, DomainName, EmergencyMapping, Gateway,
    GatewayRule, Ha1, Ha1Sha256, Ownership, Route, TrustedPeer,
};
use sqlx::QueryBuilder;
use std::collections::HashMap;
use std::fmt;

/// How many keys one statement asks for.
const CHUNK: usize = 100;

/// Everything that calls and registrations depend on per domain and account, at one moment.
#[derive(Debug, Default)]
pub struct Directory {
    /// The SIP domains served.
    pub domains: Vec<SipDomainRow>,
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The aliases: alias, target.
    pub aliases: Vec<(Aor, Aor)>,
    /// The registered contacts that had not ended.
    pub bindings: Vec<Binding>,
    /// The trusted peers, by address.
    pub trusted_peers: Vec<TrustedPeer>,
    /// The carriers, by id.
    pub carriers: Vec<Carrier>,
    /// The gateways, by id.
    pub gateways: Vec<Gateway>,
    /// The gateway rules, by id.
    pub gateway_rules: Vec<GatewayRule>,
    /// The routes, by id.
    pub routes: Vec<Route>,
    /// The emergency mapping, by id.
    pub emergency: Vec<EmergencyMapping>,
    /// What prepaid accounts have.
    pub balances: Vec<(Aor, Amount)>,
    /// The ENUM ranges: prefix and tree.
    pub enum_ranges: Vec<EnumKey>,
    /// The ENUM numbers that have SIP mappings.
    pub enum_numbers: Vec<EnumTargets>,
    /// The voicemail servers of resellers, as they wrote them.
    pub voicemail_servers: Vec<(CustomerId, String)>,
}

/// A SIP domain as a SIP server must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipDomainRow {
    /// Its name.
    pub domain: DomainName,
    /// Customer and reseller, inherited by its accounts and aliases (B15).
    pub ownership: Ownership,
    /// Its TLS server profile.
    pub tls: DomainTls,
}

/// The TLS server profile of a domain.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct DomainTls {
    /// Certificate chain, PEM.
    pub certificate: Option<String>,
    /// Private key, PEM. Never printed.
    pub private_key: Option<String>,
    /// Local addresses the profile is for; `None` for all.
    pub match_ip_address: Option<String>,
    /// The server name the profile is for; `None` for the domain itself.
    pub match_sip_domain: Option<String>,
    /// Whether a client's certificate is checked.
    pub verify_cert: bool,
    /// Whether a client must show a certificate.
    pub require_cert: bool,
}

impl fmt::Debug for DomainTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DomainTls")
            .field("certificate", &self.certificate.is_some())
            .field("private_key", &self.private_key.is_some())
            .field("match_ip_address", &self.match_ip_address)
            .field("match_sip_domain", &self.match_sip_domain)
            .field("verify_cert", &self.verify_cert)
            .field("require_cert", &self.require_cert)
            .finish()
    }
}

impl Store {
    /// Loads the whole directory from one snapshot; the follower gives what was committed after it.
    ///
    /// Rows that cannot be read as what they should be are left out, with a warning in the log.
    pub async fn load_directory(&self) -> Result<(Directory, Follower), StoreError> {
        let (directory, start) = self
            .snapshot(|tx| {
                Box::pin(async move {
                    let start = Start::of_snapshot(tx).await?;
                    let directory = Directory {
                        accounts: load_accounts(tx).await?,
                        aliases: load_aliases(tx).await?,
                        bindings: location::load(tx).await?,
                        enum_numbers: enums::load_numbers(tx).await?,
                        ..pages::without_accounts(tx).await?
                    };
                    Ok::<_, StoreError>((directory, start))
                })
            })
            .await?;
        Ok((directory, start.follow(self)))
    }

    /// Re-reads SIP domains; every name comes back, with `None` when the domain is not served.
    pub async fn sip_domains(
        &self,
        names: &[DomainName],
    ) -> Result<Vec<(DomainName, Option<SipDomainRow>)>, StoreError> {
        let mut found =
            self.read(|tx| Box::pin(async move { domains_named(tx, names).await })).await?;
        Ok(names.iter().map(|name| (name.clone(), found.remove(name))).collect())
    }

    /// Re-reads accounts; every address comes back, with `None` when there is no such account.
    pub async fn accounts(&self, aors: &[Aor]) -> Result<Vec<(Aor, Option<Account>)>, StoreError> {
        let mut found =
            self.read(|tx| Box::pin(async move { accounts_at(tx, aors).await })).await?;
        Ok(aors.iter().map(|aor| (aor.clone(), found.remove(aor))).collect())
    }

    /// Re-reads aliases; every address comes back, with `None` when it is no alias.
    pub async fn aliases(&self, aors: &[Aor]) -> Result<Vec<(Aor, Option<Aor>)>, StoreError> {
        let mut found = self.read(|tx| Box::pin(async move { aliases_at(tx, aors).await })).await?;
        Ok(aors.iter().map(|aor| (aor.clone(), found.remove(aor))).collect())
    }
}

// --- domains ---

const DOMAIN_COLUMNS: &str = "SELECT domain, customer, reseller_id, certificate, private_key, \
                              match_ip_address, match_sip_domain, verify_cert, require_cert FROM domain";

#[derive(sqlx::FromRow)]
struct DomainSql {
    domain: String,
    customer: i64,
    reseller_id: i64,
    certificate: Option<String>,
    private_key: Option<String>,
    match_ip_address: Option<String>,
    match_sip_domain: Option<String>,
    verify_cert: bool,
    require_cert: bool,
}

impl DomainSql {
    fn read(self) -> Option<SipDomainRow> {
        let domain = readable("sip domain", &self.domain, DomainName::new(&self.domain))?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Some(SipDomainRow {
            domain,
            ownership: Ownership { customer: self.customer, reseller: self.reseller_id },
            tls: DomainTls {
                certificate: given(self.certificate),
                private_key: given(self.private_key),
                match_ip_address: given(self.match_ip_address),
                match_sip_domain: given(self.match_sip_domain),
                verify_cert: self.verify_cert,
                require_cert: self.require_cert,
            },
        })
    }
}

async fn load_domains(tx: &mut Tx<'_>) -> Result<Vec<SipDomainRow>, StoreError> {
    let rows: Vec<DomainSql> = on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new(DOMAIN_COLUMNS);
        query.push(" ORDER BY domain");
        query.build_query_as::<DomainSql>().fetch_all(&mut *c).await
    })?;
    Ok(rows.into_iter().filter_map(DomainSql::read).collect())
}

async fn domains_named(
    tx: &mut Tx<'_>,
    names: &[DomainName],
) -> Result<HashMap<DomainName, SipDomainRow>, StoreError> {
    let mut found = HashMap::new();
    for chunk in names.chunks(CHUNK) {
        let rows: Vec<DomainSql> = on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new(DOMAIN_COLUMNS);
            query.push(" WHERE domain IN (");
            let mut list = query.separated(", ");
            for name in chunk {
                list.push_bind(name.as_str());
            }
            query.push(")");
            query.build_query_as::<DomainSql>().fetch_all(&mut *c).await
        })?;
        found.extend(
            rows.into_iter().filter_map(DomainSql::read).map(|row| (row.domain.clone(), row)),
        );
    }
    Ok(found)
}

// --- accounts ---

/// One row for each group of an account, and one for an account without groups.
const ACCOUNT_COLUMNS: &str = "SELECT s.username, s.domain, s.ha1, s.ha1b, s.ha1_sha256, s.rpid, s.timeout, s.region, \
                               s.quickdial_prefix, s.call_limit, s.acl, s.prepaid, d.customer, d.reseller_id, g.grp FROM subscriber s \
                               JOIN domain d ON d.domain = s.domain \
                               LEFT JOIN grp g ON g.username = s.username AND g.domain = s.domain";

#[derive(sqlx::FromRow)]
struct AccountSql {
    username: String,
    domain: String,
    ha1: String,
    ha1b: String,
    ha1_sha256: String,
    rpid: Option<String>,
    timeout: Option<i64>,
    region: Option<String>,
    quickdial_prefix: Option<String>,
    call_limit: Option<i64>,
    acl: Option<String>,
    prepaid: bool,
    customer: i64,
    reseller_id: i64,
    grp: Option<String>,
}

/// Puts the rows of one account together; they follow one another.
#[derive(Default)]
struct AccountRows {
    accounts: Vec<Account>,
}

impl AccountRows {
    fn add(&mut self, row: AccountSql) {
        if let Some(last) = self.accounts.last_mut()
            && last.aor.username() == row.username
            && last.aor.domain().as_str() == row.domain
        {
            last.groups.extend(row.grp);
            return;
        }
        self.accounts.extend(row.read());
    }

    fn finish(mut self) -> Vec<Account> {
        for account in &mut self.accounts {
            account.groups.sort_unstable();
            account.groups.dedup();
            account.groups.shrink_to_fit();
        }
        self.accounts
    }
}

impl AccountSql {
    fn read(self) -> Option<Account> {
        let aor = readable("account", &self.username, Aor::new(&self.username, &self.domain))?;
        let acl = match self.acl.as_deref().filter(|acl| !acl.is_empty()) {
            Some(text) => networks(text).or_else(|| {
                tracing::warn!(sip.aor = %aor, "account is left out: its access list cannot be read");
                None
            })?,
            None => Vec::new(),
        };
        let mut groups: Vec<String> = self.grp.into_iter().collect();
        if self.prepaid {
            // The membership mirrors the flag (B67), whoever wrote the rows.
            groups.push("prepaid".to_owned());
        }
        Some(Account {
            aor,
            ha1: Ha1::from_hex(&self.ha1),
            ha1b: Ha1::from_hex(&self.ha1b),
            ha1_sha256: Ha1Sha256::from_hex(&self.ha1_sha256),
            ownership: Ownership { customer: self.customer, reseller: self.reseller_id },
            groups,
            rpid: self.rpid.filter(|rpid| !rpid.is_empty()),
            answer_timeout: self.timeout.and_then(|t| u32::try_from(t).ok()).filter(|t| *t > 0),
            region: self.region.filter(|region| !region.is_empty()),
            quickdial_prefix: self.quickdial_prefix.filter(|prefix| !prefix.is_empty()),
            call_limit: self.call_limit.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
            acl,
            options: None,
        })
    }
}

/// Reads an access list, stored as `[{"ip": ..., "mask": ..., "tag": ...}]`, as `address/mask`.
fn networks(json: &str) -> Option<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Entry {
        ip: String,
        mask: Option<u8>,
    }
    let entries: Vec<Entry> = serde_json::from_str(json).ok()?;
    let network = |entry: Entry| match entry.mask {
        Some(mask) => format!("{}/{mask}", entry.ip),
        None => entry.ip,
    };
    Some(entries.into_iter().map(network).collect())
}

async fn load_accounts(tx: &mut Tx<'_>) -> Result<Vec<Account>, StoreError> {
    let mut loaded = AccountRows::default();
    let mut progress = Progress::of("accounts and groups");
    on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new(ACCOUNT_COLUMNS);
        query.push(" ORDER BY s.id");
        let mut rows = query.build_query_as::<AccountSql>().fetch(&mut *c);
        while let Some(row) = rows.try_next().await? {
            progress.row();
            loaded.add(row);
        }
        Ok(())
    })?;
    let mut accounts = loaded.finish();
    account_options::load_all(tx, &mut accounts).await?;
    Ok(accounts)
}

async fn accounts_at(tx: &mut Tx<'_>, aors: &[Aor]) -> Result<HashMap<Aor, Account>, StoreError> {
    let mut loaded = AccountRows::default();
    for chunk in aors.chunks(CHUNK) {
        let rows: Vec<AccountSql> = on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new(ACCOUNT_COLUMNS);
            push_addresses(&mut query, "s.username", "s.domain", chunk);
            query.push(" ORDER BY s.id");
            query.build_query_as::<AccountSql>().fetch_all(&mut *c).await
        })?;
        rows.into_iter().for_each(|row| loaded.add(row));
    }
    let by_address = |account: Account| (account.aor.clone(), account);
    let mut accounts = loaded.finish().into_iter().map(by_address).collect();
    for chunk in aors.chunks(CHUNK) {
        account_options::load_some(tx, chunk, &mut accounts).await?;
    }
    Ok(accounts)
}

// --- aliases ---

const ALIAS_COLUMNS: &str = "SELECT alias_username, alias_domain, username, domain FROM dbaliases";

#[derive(sqlx::FromRow)]
struct AliasSql {
    alias_username: String,
    alias_domain: String,
    username: String,
    domain: String,
}

impl AliasSql {
    fn read(self) -> Option<(Aor, Aor)> {
        let alias = Aor::new(&self.alias_username, &self.alias_domain);
        let target = Aor::new(&self.username, &self.domain);
        Some((
            readable("alias", &self.alias_username, alias)?,
            readable("alias target", &self.username, target)?,
        ))
    }
}

async fn load_aliases(tx: &mut Tx<'_>) -> Result<Vec<(Aor, Aor)>, StoreError> {
    let mut aliases = Vec::new();
    let mut progress = Progress::of("aliases");
    on!(tx, c => {
        let mut rows = sqlx::query_as::<DB, AliasSql>(ALIAS_COLUMNS).fetch(&mut *c);
        while let Some(row) = rows.try_next().await? {
            progress.row();
            aliases.extend(row.read());
        }
        Ok(())
    })?;
    Ok(aliases)
}

async fn aliases_at(tx: &mut Tx<'_>, aors: &[Aor]) -> Result<HashMap<Aor, Aor>, StoreError> {
    let mut found = HashMap::new();
    for chunk in aors.chunks(CHUNK) {
        let rows: Vec<AliasSql> = on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new(ALIAS_COLUMNS);
            push_addresses(&mut query, "alias_username", "alias_domain", chunk);
            query.build_query_as::<AliasSql>().fetch_all(&mut *c).await
        })?;
        found.extend(rows.into_iter().filter_map(AliasSql::read));
    }
    Ok(found)
}

// --- shared ---

/// Appends WHERE for a list of addresses, in a form for which both databases use the index.
pub(crate) fn push_addresses<DB>(
    query: &mut QueryBuilder<DB>,
    username: &'static str,
    domain: &'static str,
    aors: &[Aor],
) where
    DB: sqlx::Database,
    String: for<'q> sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    for (i, aor) in aors.iter().enumerate() {
        query.push(if i == 0 { " WHERE (" } else { " OR (" });
        query.push(username).push(" = ").push_bind(aor.username().to_owned()).push(" AND ");
        query.push(domain).push(" = ").push_bind(aor.domain().as_str().to_owned()).push(")");
    }
}

/// Leaves out what cannot be read, so that one bad row written by somebody else stops nothing.
pub(crate) fn readable<T, E: fmt::Display>(
    what: &'static str,
    key: &str,
    read: Result<T, E>,
) -> Option<T> {
    read.map_err(|error| {
        tracing::warn!(store.what = what, error = %error, "row is left out");
        tracing::debug!(store.what = what, store.key = key, "row that is left out");
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_lists_are_read() {
        let text = r#"[{"ip":"192.0.2.0","mask":24,"tag":null},{"ip":"2001:db8::1"}]"#;
        let expected = vec!["192.0.2.0/24".to_owned(), "2001:db8::1".to_owned()];
        assert_eq!(networks(text), Some(expected));
        assert_eq!(networks("[]"), Some(vec![]));
        assert_eq!(networks("192.0.2.0/24"), None);
    }

    #[test]
    fn keys_are_never_printed() {
        let tls = DomainTls { private_key: Some("PEM".to_owned()), ..DomainTls::default() };
        assert!(!format!("{tls:?}").contains("PEM"));
    }
}
