//! `enum_ranges`: ranges of telephone numbers, each with a zone of its own.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::journal::InsertId;
use crate::tx::{Tx, on};
use crate::zone_rows::RecordOrigin;
use ngn_model::number::E164;
use ngn_model::{DomainName, Ownership};
use sqlx::QueryBuilder;

/// An ENUM range as it is provisioned.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct EnumRangeRow {
    /// Its row; 0 before it is added.
    pub id: i64,
    /// The digits that its numbers begin with.
    pub prefix: String,
    /// The name below which its zone lies, such as `e164.arpa`.
    pub tld: String,
    /// Its zone's row in `domains`.
    pub domain_id: i64,
    /// Its zone's name; read only.
    pub zone: String,
    /// Time to live of SOA and NS in seconds.
    pub ttl: i64,
    /// The fewest digits of a number in all, 0 for any.
    pub min_digits: i64,
    /// The most digits of a number in all, 0 for any.
    pub max_digits: i64,
    /// How many numbers it may hold, 0 for any.
    pub size: i64,
    /// Its zone's name servers, a JSON list.
    pub nameservers: String,
    /// Free text.
    pub info: Option<String>,
    /// The owning customer.
    pub customer: i64,
    /// The owning reseller.
    pub reseller: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
    /// How many numbers it holds, counted as it is read.
    pub used: i64,
}

impl EnumRangeRow {
    /// Its owners, who are also those of its numbers (B112).
    #[must_use]
    pub fn owner(&self) -> Ownership {
        Ownership { customer: self.customer, reseller: self.reseller }
    }
}

/// How a transaction keeps a range from others until it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeHold {
    /// It stays as it is; any number of transactions can hold it so, to add numbers or change them.
    Shared,
    /// Nobody else holds it: to change or remove it, or to count its numbers exactly.
    Exclusive,
}

const COLUMNS: &str = "r.id, r.prefix, r.tld, r.domain_id, d.name AS zone, r.ttl, r.min_digits, r.max_digits, \
     r.size, r.nameservers, r.info, r.customer, r.reseller, r.change_date, \
     (SELECT COUNT(*) FROM enum_numbers n WHERE n.range_id = r.id) AS used";
const FROM: &str = "enum_ranges r JOIN domains d ON d.id = r.domain_id";
const ORDER: &[(&str, &str)] =
    &[("changeDate", "r.change_date"), ("prefix", "r.prefix"), ("tld", "r.tld")];
const KEY: &[&str] = &["r.prefix", "r.tld"];

impl Tx<'_> {
    /// An ENUM range.
    pub async fn enum_range(
        &mut self,
        prefix: &E164,
        tld: &DomainName,
    ) -> Result<Option<EnumRangeRow>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("r.prefix", prefix.digits()).equals("r.tld", tld.as_str());
        let one = Range { start: 0, count: Some(1) };
        Ok(self.list_enum_ranges(filter, None, one).await?.rows.pop())
    }

    /// A list of ranges; columns are those of `enum_ranges r`.
    pub async fn list_enum_ranges(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<EnumRangeRow>, StoreError> {
        let (attribute, direction) = order.map(|(a, d)| (&**a, &**d)).unzip();
        let order = Order::by(ORDER, attribute, direction, KEY);
        Listing { columns: COLUMNS, from: FROM, filter, order, range }.fetch(self).await
    }

    /// The rows of the ranges whose prefix a number begins with, the longest prefix first (B100).
    pub async fn enum_ranges_around(
        &mut self,
        number: &E164,
        tld: &DomainName,
    ) -> Result<Vec<i64>, StoreError> {
        let digits = number.digits();
        let mut found: Vec<(i64, String)> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT id, prefix FROM enum_ranges WHERE tld = ");
            query.push_bind(tld.as_str()).push(" AND prefix IN (");
            let mut list = query.separated(", ");
            for end in 1..=digits.len() {
                list.push_bind(digits.get(..end).unwrap_or(digits));
            }
            query.push(")");
            query.build_query_as::<(i64, String)>().fetch_all(&mut *c).await
        })?;
        found.sort_by_key(|(_, prefix)| std::cmp::Reverse(prefix.len()));
        Ok(found.into_iter().map(|(id, _)| id).collect())
    }

    /// Keeps a range from others until this transaction ends, and reads it as it is then; `None` when it is gone.
    /// Its numbers are not counted (`used` is 0).
    pub async fn hold_enum_range(
        &mut self,
        id: i64,
        hold: RangeHold,
    ) -> Result<Option<EnumRangeRow>, StoreError> {
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new(
                "SELECT r.id, r.prefix, r.tld, r.domain_id, \
                 (SELECT d.name FROM domains d WHERE d.id = r.domain_id) AS zone, r.ttl, r.min_digits, \
                 r.max_digits, r.size, r.nameservers, r.info, r.customer, r.reseller, r.change_date, \
                 0 AS used FROM enum_ranges r WHERE r.id = ",
            );
            query.push_bind(id);
            query.push(match hold {
                RangeHold::Shared => <DB as Spelling>::FOR_SHARE,
                RangeHold::Exclusive => <DB as Spelling>::FOR_UPDATE,
            });
            query.build_query_as::<EnumRangeRow>().fetch_optional(&mut *c).await
        })
    }

    /// How many numbers a range holds.
    pub async fn count_in_enum_range(&mut self, id: i64) -> Result<u64, StoreError> {
        let used: i64 = on!(self, c => {
            sqlx::query_scalar::<DB, i64>("SELECT COUNT(*) FROM enum_numbers WHERE range_id = ?")
                .bind(id)
                .fetch_one(&mut *c)
                .await
        })?;
        Ok(used.unsigned_abs())
    }

    /// How many more numbers a range can take at this moment; `None` when it has no size (B102), or is gone.
    pub async fn room_in_enum_range(&mut self, id: i64) -> Result<Option<u64>, StoreError> {
        let size: Option<i64> = on!(self, c => {
            let sql = "SELECT CAST(size AS SIGNED) FROM enum_ranges WHERE id = ? AND size > 0";
            sqlx::query_scalar::<DB, i64>(sql).bind(id).fetch_optional(&mut *c).await
        })?;
        let Some(size) = size else { return Ok(None) };
        let used = self.count_in_enum_range(id).await?;
        Ok(Some(size.unsigned_abs().saturating_sub(used)))
    }

    /// Whether a range holds a number.
    pub async fn enum_range_in_use(&mut self, id: i64) -> Result<bool, StoreError> {
        let found: Option<i64> = on!(self, c => {
            sqlx::query_scalar::<DB, i64>("SELECT id FROM enum_numbers WHERE range_id = ? LIMIT 1")
                .bind(id)
                .fetch_optional(&mut *c)
                .await
        })?;
        Ok(found.is_some())
    }

    /// Adds a range whose zone stands in `domains` already, and gives its row.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when it exists.
    pub async fn insert_enum_range(&mut self, row: &EnumRangeRow) -> Result<i64, StoreError> {
        let now = self.now();
        let id = on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO enum_ranges (prefix, tld, domain_id, nameservers, create_date) \
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(&row.prefix)
            .bind(&row.tld)
            .bind(row.domain_id)
            .bind(&row.nameservers)
            .bind(now)
            .execute(&mut *c)
            .await
            .map(|done| InsertId::insert_id(&done))
        })?;
        let id = id.cast_signed();
        self.update_enum_range(&EnumRangeRow { id, ..row.clone() }).await?;
        Ok(id)
    }

    /// Replaces the attributes of a range; its change date becomes now.
    pub async fn update_enum_range(&mut self, row: &EnumRangeRow) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE enum_ranges SET ttl = ?, min_digits = ?, max_digits = ?, size = ?, nameservers = ?, \
                 info = ?, customer = ?, reseller = ?, change_date = ? WHERE id = ?",
            )
            .bind(row.ttl)
            .bind(row.min_digits)
            .bind(row.max_digits)
            .bind(row.size)
            .bind(&row.nameservers)
            .bind(row.info.as_deref())
            .bind(row.customer)
            .bind(row.reseller)
            .bind(now)
            .bind(row.id)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes a range that holds no numbers, but not its zone.
    ///
    /// # Errors
    ///
    /// [`StoreError::Reference`] when it holds numbers.
    pub async fn delete_enum_range(&mut self, id: i64) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM enum_ranges WHERE id = ?")
                .bind(id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// Whether a range holds a number that begins with a prefix.
    pub async fn enum_range_reaches(&mut self, id: i64, prefix: &E164) -> Result<bool, StoreError> {
        let found: Option<i64> = on!(self, c => {
            sqlx::query_scalar::<DB, i64>(
                "SELECT id FROM enum_numbers WHERE range_id = ? AND number LIKE ? LIMIT 1",
            )
            .bind(id)
            .bind(format!("{}%", prefix.digits()))
            .fetch_optional(&mut *c)
            .await
        })?;
        Ok(found.is_some())
    }

    /// Hands the numbers of one range that begin with the prefix of another to that other one, with their
    /// records (B114); tells how many there were. Both are held exclusively.
    pub async fn move_enum_numbers(
        &mut self,
        from: &EnumRangeRow,
        to: &EnumRangeRow,
    ) -> Result<u64, StoreError> {
        let moved = on!(self, c => {
            sqlx::query::<DB>("UPDATE enum_numbers SET range_id = ? WHERE range_id = ? AND number LIKE ?")
                .bind(to.id)
                .bind(from.id)
                .bind(format!("{}%", to.prefix))
                .execute(&mut *c)
                .await
                .map(|done| done.rows_affected())
        })?;
        on!(self, c => {
            // A name that ends in the new apex after a dot, or is the new apex itself.
            sqlx::query::<DB>(
                "UPDATE records SET domain_id = ? WHERE domain_id = ? AND origin = ? \
                 AND (name = ? OR name LIKE ?)",
            )
            .bind(to.domain_id)
            .bind(from.domain_id)
            .bind(RecordOrigin::Enum.code())
            .bind(&to.zone)
            .bind(format!("%.{}", to.zone))
            .execute(&mut *c)
            .await
            .map(drop)
        })?;
        Ok(moved)
    }

    /// How many ranges a customer, or the customers of a reseller, have (B36).
    pub async fn count_enum_ranges(&mut self, owner: Ownership) -> Result<u64, StoreError> {
        let mut filter = Filter::new();
        filter.number("r.customer", Some(owner.customer));
        filter.number("r.reseller", Some(owner.reseller));
        let order = Order::by_key(KEY);
        let range = Range::default();
        Listing { columns: "r.id", from: "enum_ranges r", filter, order, range }.count(self).await
    }
}
