//! `carriers`, `gateways` and `gateway_rules`: where calls to telephone numbers leave (B130-B137).
//!
//! All belong to the reseller of the carrier (B17), which `routes` repeats so that lists of routes need no join; see
//! `routes`.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range, SqlRow};
use crate::journal::InsertId;
use crate::tx::{Tx, on};
use sqlx::QueryBuilder;

/// A carrier as it is provisioned.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct CarrierRow {
    /// Its id; 0 before it is added.
    pub id: i64,
    /// Its name, unique within its reseller.
    pub name: String,
    /// The owning reseller, 0 for the platform.
    pub reseller: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
}

/// A gateway as it is provisioned.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct GatewayRow {
    /// Its id; 0 before it is added.
    pub id: i64,
    /// Its name, unique within its carrier.
    pub name: String,
    /// Its carrier.
    pub carrier_id: i64,
    /// Its carrier's name; read only.
    pub carrier: String,
    /// `udp`, `tcp` or `tls`.
    pub transport: String,
    /// Address or host name.
    pub ip: String,
    /// Port, 1 to 65535.
    pub port: i64,
    /// Its carrier's reseller; read only.
    pub reseller: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
}

/// A gateway rule as it is provisioned.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct GatewayRuleRow {
    /// Its id; 0 before it is added.
    pub id: i64,
    /// Its gateway.
    pub gateway_id: i64,
    /// Its gateway's name; read only.
    pub gateway: String,
    /// The gateway's carrier; read only.
    pub carrier_id: i64,
    /// That carrier's name; read only.
    pub carrier: String,
    /// The digits that a number must begin with.
    pub prefix: String,
    /// How many leading digits are removed.
    pub strip: i64,
    /// What is put in front.
    pub prepend: String,
    /// The fewest digits of a number, 0 for no limit.
    pub min_length: i64,
    /// The most digits of a number, 0 for no limit.
    pub max_length: i64,
    /// The carrier's reseller; read only.
    pub reseller: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
}

/// A kind of row of this file: its table, and how it is read and sorted.
trait Provisioned: SqlRow {
    /// The table whose `id` finds a row.
    const TABLE: &'static str;
    /// That column in [`Provisioned::FROM`].
    const ID: &'static str;
    /// What is selected.
    const COLUMNS: &'static str;
    /// From what.
    const FROM: &'static str;
    /// The columns by which lists are sorted, by the attributes of the API; the first one when none is named.
    const ORDER: &'static [(&'static str, &'static str)];
}

impl Provisioned for CarrierRow {
    const TABLE: &'static str = "carriers";
    const ID: &'static str = "id";
    const COLUMNS: &'static str = "id, name, reseller, change_date";
    const FROM: &'static str = "carriers";
    const ORDER: &'static [(&'static str, &'static str)] =
        &[("changeDate", "change_date"), ("name", "name")];
}

impl Provisioned for GatewayRow {
    const TABLE: &'static str = "gateways";
    const ID: &'static str = "g.id";
    const COLUMNS: &'static str = "g.id, g.name, g.carrier_id, c.name AS carrier, g.transport, g.ip, g.port, c.reseller, \
     g.change_date";
    const FROM: &'static str = "gateways g JOIN carriers c ON c.id = g.carrier_id";
    const ORDER: &'static [(&'static str, &'static str)] = &[
        ("changeDate", "g.change_date"),
        ("name", "g.name"),
        ("carrier_id", "g.carrier_id"),
        ("ip", "g.ip"),
    ];
}

impl Provisioned for GatewayRuleRow {
    const TABLE: &'static str = "gateway_rules";
    const ID: &'static str = "r.id";
    const COLUMNS: &'static str = "r.id, r.gateway_id, g.name AS gateway, g.carrier_id, c.name AS carrier, r.prefix, r.strip, \
     r.prepend, r.min_length, r.max_length, c.reseller, r.change_date";
    const FROM: &'static str = "gateway_rules r JOIN gateways g ON g.id = r.gateway_id \
     JOIN carriers c ON c.id = g.carrier_id";
    const ORDER: &'static [(&'static str, &'static str)] = &[
        ("changeDate", "r.change_date"),
        ("gateway", "g.name"),
        ("carrier", "c.name"),
        ("prefix", "r.prefix"),
    ];
}

impl Tx<'_> {
    /// A row, kept until this transaction ends: against others' changes, or (shared) against its removal only.
    async fn kept<R: Provisioned>(
        &mut self,
        id: i64,
        shared: bool,
    ) -> Result<Option<R>, StoreError> {
        let found: Option<i64> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT id FROM ");
            query.push(R::TABLE).push(" WHERE id = ").push_bind(id);
            query.push(if shared {
                <DB as Spelling>::FOR_SHARE
            } else {
                <DB as Spelling>::FOR_UPDATE
            });
            query.build_query_scalar::<i64>().fetch_optional(&mut *c).await
        })?;
        if found.is_none() {
            return Ok(None);
        }
        let mut filter = Filter::new();
        filter.equals(R::ID, id);
        Ok(self.page::<R>(filter, None, Range::default()).await?.rows.pop())
    }

    async fn page<R: Provisioned>(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<R>, StoreError> {
        let (attribute, direction) = order.map(|(a, d)| (&**a, &**d)).unzip();
        let order = Order::by(R::ORDER, attribute, direction, &[R::ID]);
        Listing { columns: R::COLUMNS, from: R::FROM, filter, order, range }.fetch(self).await
    }

    async fn delete_by_id(&mut self, sql: &'static str, id: i64) -> Result<(), StoreError> {
        on!(self, c => sqlx::query::<DB>(sql).bind(id).execute(&mut *c).await.map(drop))
    }

    // --- carriers ---

    /// A carrier that neither changes nor goes before this transaction ends.
    pub async fn hold_carrier(&mut self, id: i64) -> Result<Option<CarrierRow>, StoreError> {
        self.kept(id, true).await
    }

    /// A carrier that this transaction is about to change.
    pub async fn lock_carrier(&mut self, id: i64) -> Result<Option<CarrierRow>, StoreError> {
        self.kept(id, false).await
    }

    /// A list of carriers; columns are those of the table.
    pub async fn list_carriers(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<CarrierRow>, StoreError> {
        self.page(filter, order, range).await
    }

    /// Adds a carrier and gives its id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when its reseller has one of that name.
    pub async fn insert_carrier(&mut self, row: &CarrierRow) -> Result<i64, StoreError> {
        let now = self.now();
        let id = on!(self, c => {
            sqlx::query::<DB>("INSERT INTO carriers (name, reseller, change_date) VALUES (?, ?, ?)")
                .bind(&row.name)
                .bind(row.reseller)
                .bind(now)
                .execute(&mut *c)
                .await
                .map(|done| InsertId::insert_id(&done))
        })?;
        Ok(id.cast_signed())
    }

    /// Changes a carrier, and with its reseller that of its routes; its change date becomes now.
    ///
    /// # Errors
    ///
    /// As [`Self::insert_carrier`].
    pub async fn update_carrier(&mut self, row: &CarrierRow) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>("UPDATE carriers SET name = ?, reseller = ?, change_date = ? WHERE id = ?")
                .bind(&row.name)
                .bind(row.reseller)
                .bind(now)
                .bind(row.id)
                .execute(&mut *c)
                .await?;
            sqlx::query::<DB>("UPDATE routes SET reseller = ? WHERE carrier_id = ? AND reseller <> ?")
                .bind(row.reseller)
                .bind(row.id)
                .bind(row.reseller)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// What a carrier still has, in words; `None` when it has nothing (B137).
    pub async fn carrier_in_use(&mut self, id: i64) -> Result<Option<&'static str>, StoreError> {
        for (what, sql) in [
            ("gateways", "SELECT id FROM gateways WHERE carrier_id = ? LIMIT 1"),
            ("routes", "SELECT id FROM routes WHERE carrier_id = ? LIMIT 1"),
        ] {
            let found: Option<i64> = on!(self, c => {
                sqlx::query_scalar::<DB, i64>(sql).bind(id).fetch_optional(&mut *c).await
            })?;
            if found.is_some() {
                return Ok(Some(what));
            }
        }
        Ok(None)
    }

    /// Removes a carrier.
    ///
    /// # Errors
    ///
    /// [`StoreError::Reference`] when it has gateways or routes.
    pub async fn delete_carrier(&mut self, id: i64) -> Result<(), StoreError> {
        self.delete_by_id("DELETE FROM carriers WHERE id = ?", id).await
    }

    // --- gateways ---

    /// A gateway that neither changes nor goes before this transaction ends.
    pub async fn hold_gateway(&mut self, id: i64) -> Result<Option<GatewayRow>, StoreError> {
        self.kept(id, true).await
    }

    /// A gateway that this transaction is about to change.
    pub async fn lock_gateway(&mut self, id: i64) -> Result<Option<GatewayRow>, StoreError> {
        self.kept(id, false).await
    }

    /// A list of gateways; columns are those of `gateways g` and `carriers c`.
    pub async fn list_gateways(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<GatewayRow>, StoreError> {
        self.page(filter, order, range).await
    }

    /// Adds a gateway and gives its id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when its carrier has one of that name.
    pub async fn insert_gateway(&mut self, row: &GatewayRow) -> Result<i64, StoreError> {
        let now = self.now();
        let id = on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO gateways (carrier_id, name, transport, ip, port, change_date) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(row.carrier_id)
            .bind(&row.name)
            .bind(&row.transport)
            .bind(&row.ip)
            .bind(row.port)
            .bind(now)
            .execute(&mut *c)
            .await
            .map(|done| InsertId::insert_id(&done))
        })?;
        Ok(id.cast_signed())
    }

    /// Replaces the attributes of a gateway; its change date becomes now.
    ///
    /// # Errors
    ///
    /// As [`Self::insert_gateway`].
    pub async fn update_gateway(&mut self, row: &GatewayRow) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE gateways SET carrier_id = ?, name = ?, transport = ?, ip = ?, port = ?, change_date = ? \
                 WHERE id = ?",
            )
            .bind(row.carrier_id)
            .bind(&row.name)
            .bind(&row.transport)
            .bind(&row.ip)
            .bind(row.port)
            .bind(now)
            .bind(row.id)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes a gateway with its rules (B137).
    pub async fn delete_gateway(&mut self, id: i64) -> Result<(), StoreError> {
        self.delete_by_id("DELETE FROM gateway_rules WHERE gateway_id = ?", id).await?;
        self.delete_by_id("DELETE FROM gateways WHERE id = ?", id).await
    }

    // --- gateway rules ---

    /// A gateway rule that this transaction is about to change.
    pub async fn lock_gateway_rule(
        &mut self,
        id: i64,
    ) -> Result<Option<GatewayRuleRow>, StoreError> {
        self.kept(id, false).await
    }

    /// A list of gateway rules; columns are those of `gateway_rules r`, `gateways g` and `carriers c`.
    pub async fn list_gateway_rules(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<GatewayRuleRow>, StoreError> {
        self.page(filter, order, range).await
    }

    /// Adds a gateway rule and gives its id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when its gateway has one for the same numbers.
    pub async fn insert_gateway_rule(&mut self, row: &GatewayRuleRow) -> Result<i64, StoreError> {
        let now = self.now();
        let id = on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO gateway_rules (gateway_id, prefix, strip, prepend, min_length, max_length, \
                 change_date) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(row.gateway_id)
            .bind(&row.prefix)
            .bind(row.strip)
            .bind(&row.prepend)
            .bind(row.min_length)
            .bind(row.max_length)
            .bind(now)
            .execute(&mut *c)
            .await
            .map(|done| InsertId::insert_id(&done))
        })?;
        Ok(id.cast_signed())
    }

    /// Replaces the attributes of a gateway rule; its change date becomes now.
    ///
    /// # Errors
    ///
    /// As [`Self::insert_gateway_rule`].
    pub async fn update_gateway_rule(&mut self, row: &GatewayRuleRow) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE gateway_rules SET gateway_id = ?, prefix = ?, strip = ?, prepend = ?, min_length = ?, \
                 max_length = ?, change_date = ? WHERE id = ?",
            )
            .bind(row.gateway_id)
            .bind(&row.prefix)
            .bind(row.strip)
            .bind(&row.prepend)
            .bind(row.min_length)
            .bind(row.max_length)
            .bind(now)
            .bind(row.id)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes a gateway rule.
    pub async fn delete_gateway_rule(&mut self, id: i64) -> Result<(), StoreError> {
        self.delete_by_id("DELETE FROM gateway_rules WHERE id = ?", id).await
    }
}
