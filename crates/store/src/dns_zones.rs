//! `dns_zones`: the attributes of zones made by the Dns port. Their rows in `domains` are those of `zone_rows`.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::tx::{Tx, on};
use ngn_model::{DomainName, Ownership};
use sqlx::QueryBuilder;

/// A zone as it is provisioned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DnsZoneRow {
    /// Its row in `domains`.
    pub domain_id: i64,
    /// Its name, lower case, without final dot.
    pub name: String,
    /// The owning customer, 0 for nobody.
    pub customer: i64,
    /// The owning reseller, 0 for nobody.
    pub reseller: i64,
    /// Time to live of its SOA and NS records, in seconds.
    pub ttl: u32,
    /// Mail address of the one in charge.
    pub email: String,
    /// Its name servers, without final dots, the first one is the SOA's.
    pub nameservers: Vec<String>,
    /// Seconds between a secondary's checks.
    pub refresh: u32,
    /// Seconds until a secondary tries a failed check again.
    pub retry: u32,
    /// Seconds after which a secondary stops answering.
    pub expire: u32,
    /// Seconds that the absence of a name may be remembered.
    pub minimum: u32,
    /// Free text.
    pub info: Option<String>,
    /// When it last changed, in milliseconds since 1970 UTC. Writing sets it.
    pub change_date: i64,
}

#[derive(sqlx::FromRow)]
struct ZoneSql {
    domain_id: i64,
    name: String,
    customer: i64,
    reseller: i64,
    ttl: i64,
    email: String,
    nameservers: String,
    refresh: i64,
    retry: i64,
    expire: i64,
    minimum: i64,
    info: Option<String>,
    change_date: i64,
}

impl From<ZoneSql> for DnsZoneRow {
    fn from(row: ZoneSql) -> Self {
        let seconds = |number: i64| u32::try_from(number).unwrap_or(0);
        // Written as a list by this file only; what somebody else put there counts as none.
        let nameservers = serde_json::from_str(&row.nameservers).unwrap_or_else(|error| {
            tracing::warn!(dns.zone = row.name, error = %error, "name servers cannot be read");
            Vec::new()
        });
        Self {
            domain_id: row.domain_id,
            name: row.name,
            customer: row.customer,
            reseller: row.reseller,
            ttl: seconds(row.ttl),
            email: row.email,
            nameservers,
            refresh: seconds(row.refresh),
            retry: seconds(row.retry),
            expire: seconds(row.expire),
            minimum: seconds(row.minimum),
            info: row.info,
            change_date: row.change_date,
        }
    }
}

const COLUMNS: &str = "z.domain_id, d.name, z.customer, z.reseller, z.ttl, z.email, z.nameservers, z.refresh, \
     z.retry, z.expire, z.minimum, z.info, z.change_date";
const FROM: &str = "dns_zones z JOIN domains d ON d.id = z.domain_id";
const ORDER: &[(&str, &str)] = &[("changeDate", "z.change_date"), ("name", "d.name")];

impl Tx<'_> {
    /// A zone of the Dns port by name.
    pub async fn dns_zone(&mut self, name: &DomainName) -> Result<Option<DnsZoneRow>, StoreError> {
        self.dns_zone_locked(name, None).await
    }

    /// Like [`Self::dns_zone`]; until the end of this transaction the zone cannot be changed or removed. For
    /// writing its records: any number of transactions can hold a zone so.
    pub async fn hold_dns_zone(
        &mut self,
        name: &DomainName,
    ) -> Result<Option<DnsZoneRow>, StoreError> {
        self.dns_zone_locked(name, Some(false)).await
    }

    /// Like [`Self::dns_zone`] for a zone that this transaction changes or removes: waits for those that hold it.
    pub async fn lock_dns_zone(
        &mut self,
        name: &DomainName,
    ) -> Result<Option<DnsZoneRow>, StoreError> {
        self.dns_zone_locked(name, Some(true)).await
    }

    async fn dns_zone_locked(
        &mut self,
        name: &DomainName,
        exclusive: Option<bool>,
    ) -> Result<Option<DnsZoneRow>, StoreError> {
        let row: Option<ZoneSql> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT ");
            query.push(COLUMNS).push(" FROM ").push(FROM).push(" WHERE d.name = ");
            query.push_bind(name.as_str());
            query.push(match exclusive {
                None => "",
                Some(false) => <DB as Spelling>::FOR_SHARE,
                Some(true) => <DB as Spelling>::FOR_UPDATE,
            });
            query.build_query_as::<ZoneSql>().fetch_optional(&mut *c).await
        })?;
        Ok(row.map(DnsZoneRow::from))
    }

    /// A list of zones; columns are those of `dns_zones z` and `domains d`.
    pub async fn list_dns_zones(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<DnsZoneRow>, StoreError> {
        let (attribute, direction) = order.map(|(a, d)| (&**a, &**d)).unzip();
        let order = Order::by(ORDER, attribute, direction, &["d.name"]);
        let listing = Listing { columns: COLUMNS, from: FROM, filter, order, range };
        Ok(listing.fetch::<ZoneSql>(self).await?.map(DnsZoneRow::from))
    }

    /// Adds the attributes of a zone that [`Self::insert_zone`] made; `domain_id` says which.
    pub async fn insert_dns_zone(&mut self, zone: &DnsZoneRow) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO dns_zones (domain_id, nameservers, create_date) VALUES (?, '[]', ?)",
            )
            .bind(zone.domain_id)
            .bind(now)
            .execute(&mut *c)
            .await
            .map(drop)
        })?;
        self.update_dns_zone(zone).await
    }

    /// Replaces the attributes of a zone; its change date becomes now.
    pub async fn update_dns_zone(&mut self, zone: &DnsZoneRow) -> Result<(), StoreError> {
        let now = self.now();
        let nameservers = serde_json::Value::from(zone.nameservers.clone()).to_string();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE dns_zones SET customer = ?, reseller = ?, ttl = ?, email = ?, nameservers = ?, \
                 refresh = ?, retry = ?, expire = ?, minimum = ?, info = ?, change_date = ? \
                 WHERE domain_id = ?",
            )
            .bind(zone.customer)
            .bind(zone.reseller)
            .bind(i64::from(zone.ttl))
            .bind(zone.email.as_str())
            .bind(nameservers.as_str())
            .bind(i64::from(zone.refresh))
            .bind(i64::from(zone.retry))
            .bind(i64::from(zone.expire))
            .bind(i64::from(zone.minimum))
            .bind(zone.info.as_deref())
            .bind(now)
            .bind(zone.domain_id)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// How many zones a customer, or a reseller, has (B36).
    pub async fn count_dns_zones(&mut self, owner: Ownership) -> Result<u64, StoreError> {
        let mut filter = Filter::new();
        filter.number("z.customer", Some(owner.customer));
        filter.number("z.reseller", Some(owner.reseller));
        let order = Order::by_key(&["d.name"]);
        let range = Range::default();
        Listing { columns: "z.domain_id", from: FROM, filter, order, range }.count(self).await
    }
}
