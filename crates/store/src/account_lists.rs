//! Lists of SIP accounts (B40-B46), also of a hundred thousand in one domain.
//!
//! A page is found in three steps, each along an index: the domains of the owners that are asked for, the keys of the
//! page in its order, and the rows of these keys. Nothing that is passed over or counted is read beyond its index.

use crate::dialect::Dialect;
use crate::directory::push_addresses;
use crate::error::StoreError;
use crate::filter::{Bind, Filter, Listing, Order, Page, Range};
use crate::sip_accounts::{COLUMNS, FROM, SipAccountRow, Stored};
use crate::tx::{Tx, on};
use ngn_model::Aor;
use sqlx::QueryBuilder;
use std::collections::HashMap;

/// Which accounts a list shows.
#[derive(Debug, Clone, Default)]
pub struct AccountQuery {
    /// Conditions on `subscriber s`.
    pub accounts: Filter,
    /// Conditions on `domain d`, from which accounts inherit their owners (B15).
    pub domains: Filter,
    /// Only members of this group; found by the group's own index.
    pub group: Option<String>,
    /// Order as the API names it: attribute and direction.
    pub order: Option<(String, String)>,
    /// Which part.
    pub range: Range,
}

/// The attributes by which accounts may be ordered, the first by default (B44), and the key.
const ORDER: &[(&str, &str)] =
    &[("changeDate", "s.change_date"), ("username", "s.username"), ("domain", "s.domain")];
const KEY: &[&str] = &["s.username", "s.domain"];
/// The same for the members of a group.
const GROUP_ORDER: &[(&str, &str)] =
    &[("changeDate", "s.change_date"), ("username", "g.username"), ("domain", "g.domain")];
const GROUP_KEY: &[&str] = &["g.username", "g.domain"];
/// All accounts along the index of an order, in MySQL's words.
fn in_order(attribute: Option<&str>) -> &'static str {
    match attribute {
        None | Some("username") => "subscriber s FORCE INDEX (account_idx)",
        Some("domain") => "subscriber s FORCE INDEX (subscriber_domain_idx)",
        Some(_) => "subscriber s FORCE INDEX (subscriber_change_key_idx)",
    }
}

/// Owners with more domains than this are looked up by a subquery.
const DOMAINS: u64 = 500;
/// Rows that one statement reads by their keys.
const ROWS: usize = 500;
/// Addresses of one SELECT.
const ADDRESSES: usize = 100;

impl AccountQuery {
    /// The query for the keys of the page and for the number of all accounts; `None` when no domain has these owners.
    pub async fn listing(&self, tx: &mut Tx<'_>) -> Result<Option<Listing>, StoreError> {
        let mut filter = self.accounts.clone();
        if !self.domains.is_empty() {
            let names = tx.domain_names(&self.domains).await?;
            match names.as_slice() {
                [] => return Ok(None),
                [one] => _ = filter.equals("s.domain", one.as_str()),
                some if some.len() as u64 <= DOMAINS => _ = filter.among_texts("s.domain", some),
                _ => _ = filter.within("s.domain", "d.domain", "domain d", self.domains.clone()),
            }
        }
        let attribute = self.order.as_ref().map(|(attribute, _)| attribute.as_str());
        let (from, allowed, key) = match &self.group {
            // MariaDB would rather sort all accounts for a page far behind.
            None if filter.is_empty() && tx.dialect() == Dialect::MySql => {
                (in_order(attribute), ORDER, KEY)
            }
            None => ("subscriber s", ORDER, KEY),
            Some(group) => {
                let domain = filter.text_of("s.domain").map(str::to_owned);
                filter.equals("g.grp", group.as_str());
                domain.map(|domain| filter.equals("g.domain", domain));
                // SQLite keeps the tables of a CROSS JOIN in their order, MariaDB finds it by itself.
                let from = "grp g CROSS JOIN subscriber s ON s.username = g.username AND s.domain = g.domain";
                (from, GROUP_ORDER, GROUP_KEY)
            }
        };
        let direction = self.order.as_ref().map(|(_, direction)| direction.as_str());
        let order = Order::by(allowed, attribute, direction, key);
        let columns = "CAST(s.id AS SIGNED)";
        Ok(Some(Listing { columns, from, filter, order, range: self.range }))
    }
}

impl Tx<'_> {
    /// A list of accounts.
    pub async fn list_sip_accounts(
        &mut self,
        wanted: &AccountQuery,
    ) -> Result<Page<SipAccountRow>, StoreError> {
        let Some(listing) = wanted.listing(self).await? else {
            return Ok(Page { rows: Vec::new(), total: 0 });
        };
        let Page { rows: keys, total } = listing.fetch::<(i64,)>(self).await?;
        let mut rows = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(ROWS) {
            let found: Vec<Stored> = on!(self, c => {
                let mut query = QueryBuilder::<DB>::new("SELECT ");
                query.push(COLUMNS).push(" FROM ").push(FROM).push(" WHERE s.id IN (");
                let mut list = query.separated(", ");
                for (id,) in chunk {
                    list.push_bind(*id);
                }
                query.push(")");
                query.build_query_as::<Stored>().fetch_all(&mut *c).await
            })?;
            let mut found: HashMap<i64, Stored> =
                found.into_iter().map(|stored| (stored.row_id, stored)).collect();
            for stored in chunk.iter().filter_map(|(id,)| found.remove(id)) {
                rows.push(self.opened(stored)?);
            }
        }
        Ok(Page { rows, total })
    }

    async fn domain_names(&mut self, domains: &Filter) -> Result<Vec<String>, StoreError> {
        let listing = Listing {
            columns: "d.domain",
            from: "domain d",
            filter: domains.clone(),
            order: Order::by_key(&["d.domain"]),
            range: Range { start: 0, count: Some(DOMAINS + 1) },
        };
        let names: Vec<(String,)> = listing.rows(self).await?;
        Ok(names.into_iter().map(|(name,)| name).collect())
    }

    /// The groups of some accounts, each list sorted; who is in none is left out.
    pub async fn sip_groups_of(
        &mut self,
        aors: &[Aor],
    ) -> Result<HashMap<Aor, Vec<String>>, StoreError> {
        let mut groups: HashMap<Aor, Vec<String>> = HashMap::new();
        for chunk in aors.chunks(ADDRESSES) {
            let rows: Vec<(String, String, String)> = on!(self, c => {
                let mut query = QueryBuilder::<DB>::new("SELECT username, domain, grp FROM grp");
                push_addresses(&mut query, "username", "domain", chunk);
                query.push(" ORDER BY grp");
                query.build_query_as().fetch_all(&mut *c).await
            })?;
            for (username, domain, group) in rows {
                let aor = Aor::new(&username, &domain)
                    .map_err(|error| StoreError::corrupt("address of a group's member", error))?;
                groups.entry(aor).or_default().push(group);
            }
        }
        Ok(groups)
    }
}

impl Filter {
    /// Restricts accounts to the members of a group.
    pub fn in_group(&mut self, group: &str) -> &mut Self {
        self.sql(
            "EXISTS (SELECT 1 FROM grp g WHERE g.username = s.username AND g.domain = s.domain AND g.grp = ?)",
            vec![Bind::from(group)],
        )
    }
}
