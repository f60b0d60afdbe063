//! `enum_numbers` and `enum_mappings`: telephone numbers and what they lead to.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::journal::InsertId;
use crate::tx::{Tx, on};
use ngn_model::number::E164;
use ngn_model::{DomainName, Ownership};
use sqlx::QueryBuilder;
use std::collections::HashMap;

/// How many numbers one statement asks for.
const CHUNK: usize = 500;

/// An ENUM number as it is provisioned. Its owners are those of its range (B112).
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct EnumNumberRow {
    /// Its row.
    pub id: i64,
    /// The row of its range.
    pub range_id: i64,
    /// Its digits.
    pub number: String,
    /// The name below which it lies, such as `e164.arpa`.
    pub tld: String,
    /// Free text.
    pub info: Option<String>,
    /// The owner attribute (B13).
    pub owner: i64,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
    /// Its range's customer.
    pub customer: i64,
    /// Its range's reseller.
    pub reseller: i64,
}

impl EnumNumberRow {
    /// The owners that it has from its range.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        Ownership { customer: self.customer, reseller: self.reseller }
    }
}

/// A mapping of a number.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct EnumMappingRow {
    /// Its row; 0 before it is added.
    pub id: i64,
    /// The row of its number.
    pub number_id: i64,
    /// Its type (B105).
    #[sqlx(rename = "type")]
    pub kind: String,
    /// The URI.
    pub mapto: String,
    /// The URI in lower case without its scheme.
    pub mapto_bare: String,
    /// Preference, the lowest first.
    pub priority: i64,
    /// Time to live in seconds.
    pub ttl: i64,
}

const COLUMNS: &str =
    "n.id, n.range_id, n.number, n.tld, n.info, n.owner, n.change_date, r.customer, r.reseller";
const FROM: &str = "enum_numbers n JOIN enum_ranges r ON r.id = n.range_id";
const ORDER: &[(&str, &str)] =
    &[("changeDate", "n.change_date"), ("number", "n.number"), ("tld", "n.tld")];
const KEY: &[&str] = &["n.number", "n.tld"];

impl Filter {
    /// Restricts numbers (`enum_numbers n`) to those with a mapping that has the type and leads to the URI (B47).
    /// `bare` takes the scheme off a URI or pattern; without wildcards the index of bare URIs finds the number.
    pub fn enum_mapping(
        &mut self,
        kind: Option<&str>,
        mapto: Option<&str>,
        bare: impl Fn(&str) -> String,
    ) -> &mut Self {
        let given = |text: Option<&str>| {
            text.filter(|text| !text.bytes().all(|b| b == b'%')).map(|text| text.to_lowercase())
        };
        let pattern = |text: &str| text.replace('|', "||");
        let (kind, mapto) = (given(kind), given(mapto));
        let like = kind.as_deref().map_or_else(|| "%".to_owned(), pattern);
        let Some(mapto) = mapto else {
            if kind.is_some() {
                let sql = "n.id IN (SELECT m.number_id FROM enum_mappings m WHERE m.type LIKE ? ESCAPE '|')";
                self.sql(sql, vec![like.into()]);
            }
            return self;
        };
        // `_` is a wildcard and stands in many user names. Without `%` and `:` a pattern leaves no room for a scheme,
        // so the bare URI decides, by its index.
        if mapto.contains('_') && !mapto.contains(['%', ':']) {
            return self.sql(
                "n.id IN (SELECT m.number_id FROM enum_mappings m WHERE m.type LIKE ? ESCAPE '|' \
                 AND m.mapto_bare LIKE ? ESCAPE '|')",
                vec![like.into(), pattern(&mapto).into()],
            );
        }
        if mapto.contains(['%', '_']) {
            let mapto = pattern(&mapto);
            return self.sql(
                "n.id IN (SELECT m.number_id FROM enum_mappings m WHERE m.type LIKE ? ESCAPE '|' \
                 AND (LOWER(m.mapto) LIKE ? ESCAPE '|' OR m.mapto_bare LIKE ? ESCAPE '|'))",
                vec![like.into(), mapto.as_str().into(), mapto.into()],
            );
        }
        let without = bare(&mapto);
        if without == mapto {
            return self.sql(
                "n.id IN (SELECT m.number_id FROM enum_mappings m WHERE m.type LIKE ? ESCAPE '|' \
                 AND m.mapto_bare = ?)",
                vec![like.into(), without.into()],
            );
        }
        // SQLite folds only ASCII letters: the scheme is compared folded, the rest by the bare URI.
        let scheme = mapto.strip_suffix(without.as_str()).unwrap_or_default().to_owned();
        self.sql(
            "n.id IN (SELECT m.number_id FROM enum_mappings m WHERE m.type LIKE ? ESCAPE '|' \
             AND m.mapto_bare = ? AND LOWER(m.mapto) LIKE ? ESCAPE '|')",
            vec![like.into(), without.into(), format!("{}%", pattern(&scheme)).into()],
        )
    }
}

impl Tx<'_> {
    /// An ENUM number.
    pub async fn enum_number(
        &mut self,
        number: &E164,
        tld: &DomainName,
    ) -> Result<Option<EnumNumberRow>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("n.number", number.digits()).equals("n.tld", tld.as_str());
        let one = Range { start: 0, count: Some(1) };
        Ok(self.list_enum_numbers(filter, None, one).await?.rows.pop())
    }

    /// The range of a number, which this transaction is about to change: others wait.
    pub async fn lock_enum_number(&mut self, id: i64) -> Result<Option<i64>, StoreError> {
        on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT range_id FROM enum_numbers WHERE id = ");
            query.push_bind(id).push(<DB as Spelling>::FOR_UPDATE);
            query.build_query_scalar::<i64>().fetch_optional(&mut *c).await
        })
    }

    /// A list of numbers; columns are those of `enum_numbers n` and `enum_ranges r`.
    pub async fn list_enum_numbers(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<EnumNumberRow>, StoreError> {
        let (attribute, direction) = order.map(|(a, d)| (&**a, &**d)).unzip();
        let order = Order::by(ORDER, attribute, direction, KEY);
        Listing { columns: COLUMNS, from: FROM, filter, order, range }.fetch(self).await
    }

    /// Adds a number without mappings and gives its row. Its range is held.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when it exists.
    pub async fn insert_enum_number(&mut self, row: &EnumNumberRow) -> Result<i64, StoreError> {
        let now = self.now();
        let id = on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO enum_numbers (range_id, number, tld, info, owner, create_date, change_date) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(row.range_id)
            .bind(&row.number)
            .bind(&row.tld)
            .bind(row.info.as_deref())
            .bind(row.owner)
            .bind(now)
            .bind(now)
            .execute(&mut *c)
            .await
            .map(|done| InsertId::insert_id(&done))
        })?;
        Ok(id.cast_signed())
    }

    /// Replaces the attributes of a number; its change date becomes now.
    pub async fn update_enum_number(&mut self, row: &EnumNumberRow) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>("UPDATE enum_numbers SET info = ?, owner = ?, change_date = ? WHERE id = ?")
                .bind(row.info.as_deref())
                .bind(row.owner)
                .bind(now)
                .bind(row.id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// Removes a number with its mappings, but not their records.
    pub async fn delete_enum_number(&mut self, id: i64) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM enum_numbers WHERE id = ?")
                .bind(id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// The mappings of some numbers by the number's row, each list by priority and then by id (B106).
    pub async fn enum_mappings(
        &mut self,
        numbers: &[i64],
    ) -> Result<HashMap<i64, Vec<EnumMappingRow>>, StoreError> {
        let mut found: HashMap<i64, Vec<EnumMappingRow>> = HashMap::new();
        for chunk in numbers.chunks(CHUNK) {
            let rows: Vec<EnumMappingRow> = on!(self, c => {
                let mut query = QueryBuilder::<DB>::new(
                    "SELECT id, number_id, type, mapto, mapto_bare, priority, ttl FROM enum_mappings \
                     WHERE number_id IN (",
                );
                let mut list = query.separated(", ");
                for number in chunk {
                    list.push_bind(*number);
                }
                query.push(") ORDER BY priority, id");
                query.build_query_as::<EnumMappingRow>().fetch_all(&mut *c).await
            })?;
            for row in rows {
                found.entry(row.number_id).or_default().push(row);
            }
        }
        Ok(found)
    }

    /// Adds a mapping and gives its row.
    pub async fn insert_enum_mapping(&mut self, row: &EnumMappingRow) -> Result<i64, StoreError> {
        let id = on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO enum_mappings (number_id, type, mapto, mapto_bare, priority, ttl) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(row.number_id)
            .bind(&row.kind)
            .bind(&row.mapto)
            .bind(&row.mapto_bare)
            .bind(row.priority)
            .bind(row.ttl)
            .execute(&mut *c)
            .await
            .map(|done| InsertId::insert_id(&done))
        })?;
        Ok(id.cast_signed())
    }

    /// Replaces all columns of a mapping.
    pub async fn update_enum_mapping(&mut self, row: &EnumMappingRow) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE enum_mappings SET type = ?, mapto = ?, mapto_bare = ?, priority = ?, ttl = ? \
                 WHERE id = ? AND number_id = ?",
            )
            .bind(&row.kind)
            .bind(&row.mapto)
            .bind(&row.mapto_bare)
            .bind(row.priority)
            .bind(row.ttl)
            .bind(row.id)
            .bind(row.number_id)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes a mapping.
    pub async fn delete_enum_mapping(&mut self, id: i64) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM enum_mappings WHERE id = ?")
                .bind(id)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// How many numbers lie in the ranges of a customer, or of a reseller (B36).
    pub async fn count_enum_numbers(&mut self, owner: Ownership) -> Result<u64, StoreError> {
        let mut filter = Filter::new();
        filter.number("r.customer", Some(owner.customer));
        filter.number("r.reseller", Some(owner.reseller));
        let order = Order::by_key(KEY);
        let range = Range::default();
        Listing { columns: "n.id", from: FROM, filter, order, range }.count(self).await
    }
}
