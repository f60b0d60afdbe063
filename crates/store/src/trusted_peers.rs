//! `trusted_peers`: addresses whose calls need no credentials.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::tx::{Tx, on};
use ngn_model::Ownership;
use sqlx::QueryBuilder;
use std::fmt;

/// A trusted peer as it is provisioned.
#[derive(Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct TrustedPeerRow {
    /// Its key: an address or a host name.
    pub ip: String,
    /// `any`, `udp`, `tcp` or `tls`.
    pub protocol: String,
    /// A label.
    pub tag: Option<String>,
    /// Free text.
    pub description: String,
    /// Simultaneous calls, 0 for no limit.
    pub call_limit: i64,
    /// Whether it is a Microsoft Teams peer.
    pub msteams: bool,
    /// Teams tenant.
    pub tenant: Option<String>,
    /// Teams authentication token; a secret.
    pub auth_token: Option<String>,
    /// Whether its calls are paid in advance.
    pub prepaid: bool,
    /// 0 when it may call.
    pub blocked: i64,
    /// Whether its calls are looked up in ENUM.
    pub enum_lookup: bool,
    /// Whether it may reach foreign domains.
    pub transit: bool,
    /// The carrier to use.
    pub carrier_name: Option<String>,
    /// The originator by which routes are chosen.
    pub originator: Option<String>,
    /// Whom its calls are billed to.
    pub billing_id: Option<String>,
    /// Labels.
    pub tags: Option<String>,
    /// How many leading digits are removed.
    pub strip: i64,
    /// What is put in front.
    pub prefix: Option<String>,
    /// A customer that it is grouped under; gives no rights.
    pub owner: i64,
    /// The owning customer.
    pub customer: i64,
    /// The owning reseller.
    pub reseller_id: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
}

impl fmt::Debug for TrustedPeerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedPeerRow").field("ip", &self.ip).finish_non_exhaustive()
    }
}

impl TrustedPeerRow {
    /// Its owners.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        Ownership { customer: self.customer, reseller: self.reseller_id }
    }
}

const COLUMNS: &str = "ip, protocol, tag, description, call_limit, msteams, tenant, auth_token, prepaid, blocked, \
     enum_lookup, transit, carrier_name, originator, billing_id, tags, strip, prefix, owner, customer, \
     reseller_id, change_date";
const ORDER: &[(&str, &str)] =
    &[("changeDate", "change_date"), ("description", "description"), ("ip", "ip")];

impl Tx<'_> {
    /// A trusted peer.
    pub async fn trusted_peer(&mut self, ip: &str) -> Result<Option<TrustedPeerRow>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("ip", ip);
        let one = Range { start: 0, count: Some(1) };
        Ok(self.list_trusted_peers(filter, None, one).await?.rows.pop())
    }

    /// A trusted peer, kept from others until this transaction ends.
    pub async fn lock_trusted_peer(
        &mut self,
        ip: &str,
    ) -> Result<Option<TrustedPeerRow>, StoreError> {
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT ");
            query.push(COLUMNS).push(" FROM trusted_peers WHERE ip = ").push_bind(ip.to_owned());
            query.push(<DB as Spelling>::FOR_UPDATE);
            query.build_query_as::<TrustedPeerRow>().fetch_optional(&mut *c).await
        })
    }

    /// A list of trusted peers; columns are those of the table.
    pub async fn list_trusted_peers(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<TrustedPeerRow>, StoreError> {
        let (attribute, direction) = order.map(|(a, d)| (&**a, &**d)).unzip();
        let order = Order::by(ORDER, attribute, direction, &["ip"]);
        Listing { columns: COLUMNS, from: "trusted_peers", filter, order, range }.fetch(self).await
    }

    /// Adds a trusted peer.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when its address is there already.
    pub async fn insert_trusted_peer(&mut self, row: &TrustedPeerRow) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("INSERT INTO trusted_peers (ip) VALUES (?)")
                .bind(&row.ip)
                .execute(&mut *c)
                .await
                .map(drop)
        })?;
        self.update_trusted_peer(row).await
    }

    /// Replaces all columns of a trusted peer; its change date becomes now.
    pub async fn update_trusted_peer(&mut self, row: &TrustedPeerRow) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE trusted_peers SET protocol = ?, tag = ?, description = ?, call_limit = ?, msteams = ?, \
                 tenant = ?, auth_token = ?, prepaid = ?, blocked = ?, enum_lookup = ?, transit = ?, \
                 carrier_name = ?, originator = ?, billing_id = ?, tags = ?, strip = ?, prefix = ?, owner = ?, \
                 customer = ?, reseller_id = ?, change_date = ? WHERE ip = ?",
            )
            .bind(&row.protocol)
            .bind(row.tag.as_deref())
            .bind(&row.description)
            .bind(row.call_limit)
            .bind(row.msteams)
            .bind(row.tenant.as_deref())
            .bind(row.auth_token.as_deref())
            .bind(row.prepaid)
            .bind(row.blocked)
            .bind(row.enum_lookup)
            .bind(row.transit)
            .bind(row.carrier_name.as_deref())
            .bind(row.originator.as_deref())
            .bind(row.billing_id.as_deref())
            .bind(row.tags.as_deref())
            .bind(row.strip)
            .bind(row.prefix.as_deref())
            .bind(row.owner)
            .bind(row.customer)
            .bind(row.reseller_id)
            .bind(now)
            .bind(&row.ip)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes a trusted peer.
    pub async fn delete_trusted_peer(&mut self, ip: &str) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM trusted_peers WHERE ip = ?")
                .bind(ip)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }
}
