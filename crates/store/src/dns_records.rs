//! `records` as the Dns port shows and changes them: plain records and fancy ones (B125).

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::tx::{Tx, on};
use crate::zone_rows::{NewRecord, RecordOrigin};
use ngn_model::Ownership;
use sqlx::QueryBuilder;

/// A record as it is provisioned. Its customer and reseller are those of its zone (B15).
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct DnsRecordRow {
    /// Its identifier.
    pub id: i64,
    /// The zone's row in `domains`.
    pub domain_id: i64,
    /// The zone's name.
    pub zone: String,
    /// Owner name, fully qualified, without final dot; `user@domain` for mail forwarding.
    pub name: String,
    /// Type mnemonic.
    #[sqlx(rename = "type")]
    pub rtype: String,
    /// Time to live in seconds.
    pub ttl: i64,
    /// Priority of MX and SRV, preference of NAPTR; 0 otherwise.
    pub prio: i64,
    /// The value as the API shows it.
    pub value: String,
    /// The owner attribute (B13).
    pub owner: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
    /// Its zone's customer.
    pub customer: i64,
    /// Its zone's reseller.
    pub reseller: i64,
    /// Whether it is a fancy record.
    pub fancy: bool,
}

/// What stands at a name of a zone, as far as it decides what may be added there.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RecordAtName {
    /// Its identifier.
    pub id: i64,
    /// Owner name, fully qualified, without final dot.
    pub name: String,
    /// Type mnemonic.
    #[sqlx(rename = "type")]
    pub rtype: String,
    /// PowerDNS's content.
    pub content: String,
    /// Time to live in seconds.
    pub ttl: i64,
    /// The digest of what makes a record a duplicate (B119).
    pub record_key: Option<String>,
    /// Whether it is no DNS data (fancy).
    pub disabled: bool,
    /// Priority of MX and SRV, preference of NAPTR; 0 otherwise.
    pub prio: i64,
    /// The code of its [`RecordOrigin`].
    pub origin: i64,
}

const AT_NAME: &str = "SELECT id, name, type, COALESCE(content, '') AS content, COALESCE(ttl, 0) AS ttl, record_key, \
     disabled, COALESCE(prio, 0) AS prio, origin FROM records WHERE domain_id = ";

const COLUMNS: &str = "r.id, r.domain_id, d.name AS zone, r.name, r.type, \
     COALESCE(r.ttl, 0) AS ttl, COALESCE(r.prio, 0) AS prio, COALESCE(r.value, r.content, '') AS value, \
     r.owner, r.change_date, z.customer, z.reseller, r.disabled AS fancy";
const FROM: &str =
    "records r JOIN dns_zones z ON z.domain_id = r.domain_id JOIN domains d ON d.id = r.domain_id";
const ORDER: &[(&str, &str)] =
    &[("changeDate", "r.change_date"), ("type", "r.type"), ("name", "r.name")];

/// Whether the Dns port's plain operations or its fancy ones are meant.
const fn origin(fancy: bool) -> RecordOrigin {
    if fancy { RecordOrigin::Fancy } else { RecordOrigin::Api }
}

impl Tx<'_> {
    /// A plain or fancy record of the Dns port by its identifier.
    pub async fn dns_record(&mut self, id: i64) -> Result<Option<DnsRecordRow>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("r.id", id).among("r.origin", &[origin(false).code(), origin(true).code()]);
        filter.sql("r.type <> ''", Vec::new());
        self.one_dns_record(filter).await
    }

    async fn one_dns_record(&mut self, filter: Filter) -> Result<Option<DnsRecordRow>, StoreError> {
        let (order, range) = (Order::by_key(&["r.id"]), Range::default());
        let listing = Listing { columns: COLUMNS, from: FROM, filter, order, range };
        Ok(listing.fetch(self).await?.rows.pop())
    }

    /// The records of the Dns port with this zone, name and type, in order of their identifiers.
    pub async fn dns_records_like(
        &mut self,
        domain_id: i64,
        name: &str,
        rtype: &str,
        fancy: bool,
    ) -> Result<Vec<DnsRecordRow>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("r.domain_id", domain_id).equals("r.name", name).equals("r.type", rtype);
        filter.equals("r.origin", origin(fancy).code());
        let (order, range) = (Order::by_key(&["r.id"]), Range::default());
        let listing = Listing { columns: COLUMNS, from: FROM, filter, order, range };
        Ok(listing.fetch(self).await?.rows)
    }

    /// A list of plain or of fancy records; columns are those of `records r`, `dns_zones z` and `domains d`.
    pub async fn list_dns_records(
        &mut self,
        mut filter: Filter,
        fancy: bool,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<DnsRecordRow>, StoreError> {
        // Rows without a type are PowerDNS's empty non-terminals.
        filter.equals("r.origin", origin(fancy).code()).sql("r.type <> ''", Vec::new());
        let (attribute, direction) = order.map(|(a, d)| (&**a, &**d)).unzip();
        let order = Order::by(ORDER, attribute, direction, &["r.id"]);
        Listing { columns: COLUMNS, from: FROM, filter, order, range }.fetch(self).await
    }

    /// Everything that stands at a name of a zone, SOA and NS of the zone and fancy records included. Until the end
    /// of this transaction nobody else changes those rows, and whoever asks for the same name waits.
    ///
    /// A name without rows cannot be locked: after adding the first row there, ask again, since another transaction
    /// may have done the same; on MySQL one of the two is then tried again.
    pub async fn lock_records_at(
        &mut self,
        domain_id: i64,
        name: &str,
    ) -> Result<Vec<RecordAtName>, StoreError> {
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(AT_NAME);
            query.push_bind(domain_id).push(" AND name = ").push_bind(name);
            query.push(" AND type <> '' ORDER BY id");
            query.push(<DB as Spelling>::FOR_UPDATE);
            query.build_query_as::<RecordAtName>().fetch_all(&mut *c).await
        })
    }

    /// Like [`Self::lock_records_at`] for all names of a zone.
    pub async fn lock_records(&mut self, domain_id: i64) -> Result<Vec<RecordAtName>, StoreError> {
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(AT_NAME);
            query.push_bind(domain_id).push(" AND type <> '' ORDER BY id");
            query.push(<DB as Spelling>::FOR_UPDATE);
            query.build_query_as::<RecordAtName>().fetch_all(&mut *c).await
        })
    }

    /// Replaces a record whose identifier stays. Fails with [`StoreError::Duplicate`] when its `record_key` is
    /// taken.
    pub async fn update_record(&mut self, id: i64, record: &NewRecord) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE records SET name = ?, type = ?, content = ?, ttl = ?, prio = ?, value = ?, owner = ?, \
                 record_key = ?, change_date = ? WHERE id = ?",
            )
            .bind(record.name.as_str())
            .bind(record.rtype.as_str())
            .bind(record.content.as_str())
            .bind(i64::from(record.ttl))
            .bind(i64::from(record.priority))
            .bind(record.value.as_deref())
            .bind(record.owner)
            .bind(record.record_key.as_deref())
            .bind(now)
            .bind(id)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Gives all records of an RRset one time to live (RFC 2181 section 5.2).
    pub async fn set_rrset_ttl(
        &mut self,
        domain_id: i64,
        name: &str,
        rtype: &str,
        ttl: u32,
    ) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE records SET ttl = ? WHERE domain_id = ? AND name = ? AND type = ? AND disabled = 0",
            )
            .bind(i64::from(ttl))
            .bind(domain_id)
            .bind(name)
            .bind(rtype)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes a record.
    pub async fn delete_record(&mut self, id: i64) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM records WHERE id = ?")
                .bind(id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// How many mail forwardings lie in the zones of a customer, or of a reseller (B36, B37).
    pub async fn count_mail_forwardings(&mut self, owner: Ownership) -> Result<u64, StoreError> {
        let mut filter = Filter::new();
        filter.number("z.customer", Some(owner.customer));
        filter.number("z.reseller", Some(owner.reseller));
        filter.equals("r.type", "MBOXFW").equals("r.origin", RecordOrigin::Fancy.code());
        let (order, range) = (Order::by_key(&["r.id"]), Range::default());
        Listing { columns: "r.id", from: FROM, filter, order, range }.count(self).await
    }
}
