//! List queries: filters, order and pages as the API asks for them (B40 to B46).
//!
//! A table's file says which columns stand behind the API's names; everything else is here:
//!
//! ```ignore
//! let mut filter = Filter::new();
//! filter.text_lower("s.username", query.username.as_deref())
//!     .text("s.first_name", query.first_name.as_deref())
//!     .number("d.customer", query.customer);
//! let order = Order::by(ORDER, query.attribute.as_deref(), query.direction.as_deref(), KEY);
//! let listing = Listing { columns: "s.username, s.domain", from: "subscriber s JOIN ...", filter, order, range };
//! let page: Page<Row> = listing.fetch(tx).await?;
//! ```

use crate::dialect::{Dialect, Spelling};
use crate::error::StoreError;
use crate::tx::{Conn, Tx, on};
use sqlx::mysql::MySqlRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Encode, FromRow, MySql, QueryBuilder, Sqlite, Type};

/// A row that can be read from either database; derive [`sqlx::FromRow`] to get it.
pub trait SqlRow:
    for<'r> FromRow<'r, MySqlRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{
}

impl<R> SqlRow for R where
    R: for<'r> FromRow<'r, MySqlRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{
}

/// Conditions that a row must all fulfil.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
enum Condition {
    /// `column = value`.
    Equal(&'static str, Bind),
    /// The column matches a pattern, whatever the case of letters.
    Like(&'static str, Pattern),
    /// The column is not before the first and not after the second text.
    Between(&'static str, String, String),
    /// The column is one of the numbers; none when there are none.
    Among(&'static str, Vec<i64>),
    /// The column is one of the texts; none when there are none.
    AmongTexts(&'static str, Vec<String>),
    /// The column is the second column of some row of a table that the filter lets through.
    Within(&'static str, &'static str, &'static str, Filter),
    /// SQL with a `?` for each value.
    Raw(&'static str, Vec<Bind>),
    /// At least one of the filters holds; none when there are none.
    AnyOf(Vec<Filter>),
}

/// A value in a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    /// Text.
    Text(String),
    /// A number or a time.
    Number(i64),
    /// A flag.
    Flag(bool),
}

impl From<&str> for Bind {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Bind {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Bind {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Bind {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl Filter {
    /// A filter that lets everything through.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Restricts a text column (B41): `%` any run, `_` any character, no wildcard the whole value; letters
    /// match in either case. Nothing, an empty text and a text of `%` alone do not restrict (B40, B43).
    pub fn text(&mut self, column: &'static str, wanted: Option<&str>) -> &mut Self {
        if let Some(pattern) = wanted.and_then(Pattern::new) {
            self.conditions.push(Condition::Like(column, pattern));
        }
        self
    }

    /// Like [`Self::text`] for a column that only ever holds lower case: the column's index then finds a value
    /// without wildcards, and the rows among which one that begins without wildcard can be.
    pub fn text_lower(&mut self, column: &'static str, wanted: Option<&str>) -> &mut Self {
        let Some(pattern) = wanted.and_then(Pattern::new) else { return self };
        if !pattern.has_wildcard() {
            self.conditions.push(Condition::Equal(column, Bind::Text(pattern.0.to_lowercase())));
            return self;
        }
        let head = pattern.0.split(['%', '_']).next().unwrap_or_default();
        let any_tail = pattern.0[head.len()..].bytes().all(|b| b == b'%');
        if !head.is_empty() {
            let head = head.to_lowercase();
            // No character comes after this one, which stands for none.
            let end = format!("{head}\u{10FFFF}");
            self.conditions.push(Condition::Between(column, head, end));
        }
        if !any_tail {
            self.conditions.push(Condition::Like(column, pattern));
        }
        self
    }

    /// Like [`Self::text`] for a column that only ever holds digits: the index finds a value without wildcards, and
    /// the rows among which one that begins with digits can be.
    pub fn text_digits(&mut self, column: &'static str, wanted: Option<&str>) -> &mut Self {
        let Some(pattern) = wanted.and_then(Pattern::new) else { return self };
        if !pattern.has_wildcard() {
            self.conditions.push(Condition::Equal(column, Bind::Text(pattern.0)));
            return self;
        }
        let head: String = pattern.0.chars().take_while(char::is_ascii_digit).collect();
        if !head.is_empty() {
            // No digit comes after the colon.
            let end = format!("{head}:");
            self.conditions.push(Condition::Between(column, head, end));
        }
        self.conditions.push(Condition::Like(column, pattern));
        self
    }

    /// Restricts a number column; nothing and 0 do not restrict (B40).
    pub fn number(&mut self, column: &'static str, wanted: Option<i64>) -> &mut Self {
        if let Some(number) = wanted.filter(|number| *number != 0) {
            self.conditions.push(Condition::Equal(column, Bind::Number(number)));
        }
        self
    }

    /// Restricts a column to exactly this value, also when it is empty or 0.
    pub fn equals(&mut self, column: &'static str, value: impl Into<Bind>) -> &mut Self {
        self.conditions.push(Condition::Equal(column, value.into()));
        self
    }

    /// Restricts a number column to some numbers; no numbers, no rows.
    pub fn among(&mut self, column: &'static str, numbers: &[i64]) -> &mut Self {
        self.conditions.push(Condition::Among(column, numbers.to_vec()));
        self
    }

    /// Restricts a text column to some texts; no texts, no rows.
    pub fn among_texts(&mut self, column: &'static str, texts: &[String]) -> &mut Self {
        self.conditions.push(Condition::AmongTexts(column, texts.to_vec()));
        self
    }

    /// Restricts a column to what another one holds in those rows of a table that a filter lets through.
    pub fn within(
        &mut self,
        column: &'static str,
        other: &'static str,
        table: &'static str,
        rows: Self,
    ) -> &mut Self {
        self.conditions.push(Condition::Within(column, other, table, rows));
        self
    }

    /// Adds a condition in SQL with a `?` for each value; a `?` may stand for nothing else. With another
    /// number of values than `?` nothing matches.
    pub fn sql(&mut self, condition: &'static str, values: Vec<Bind>) -> &mut Self {
        self.conditions.push(Condition::Raw(condition, values));
        self
    }

    /// Adds alternatives of which at least one must hold; an alternative without conditions lets everything
    /// through.
    pub fn any_of(&mut self, alternatives: Vec<Self>) -> &mut Self {
        self.conditions.push(Condition::AnyOf(alternatives));
        self
    }

    /// What a text column must be equal to in every row, if anything.
    pub(crate) fn text_of(&self, column: &str) -> Option<&str> {
        self.conditions.iter().find_map(|condition| match condition {
            Condition::Equal(other, Bind::Text(text)) if *other == column => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether a column is the same in every row.
    fn fixes(&self, column: &str) -> bool {
        self.conditions.iter().any(|c| matches!(c, Condition::Equal(other, _) if *other == column))
    }

    /// Whether the filter lets everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Appends the conditions, joined by AND; `1 = 1` when there are none.
    pub(crate) fn push<DB>(&self, query: &mut QueryBuilder<DB>)
    where
        DB: Spelling,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        bool: for<'q> Encode<'q, DB> + Type<DB>,
    {
        if self.conditions.is_empty() {
            query.push("1 = 1");
        }
        for (i, condition) in self.conditions.iter().enumerate() {
            if i > 0 {
                query.push(" AND ");
            }
            condition.push(query);
        }
    }
}

impl Condition {
    fn push<DB>(&self, query: &mut QueryBuilder<DB>)
    where
        DB: Spelling,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        bool: for<'q> Encode<'q, DB> + Type<DB>,
    {
        match self {
            Self::Equal(column, value) => {
                query.push(*column).push(" = ");
                value.push(query);
            }
            Self::Like(column, pattern) => pattern.push(column, query),
            Self::Between(column, first, last) => {
                query.push(*column).push(" BETWEEN ").push_bind(first.clone());
                query.push(" AND ").push_bind(last.clone());
            }
            Self::Among(column, numbers) => push_among(query, column, numbers),
            Self::AmongTexts(column, texts) => push_among(query, column, texts),
            Self::Within(column, other, table, rows) => {
                query.push(*column).push(" IN (SELECT ").push(*other);
                query.push(" FROM ").push(*table).push(" WHERE ");
                rows.push(query);
                query.push(")");
            }
            // The driver would wait for ever for an answer to a statement with a value too few.
            Self::Raw(sql, values) if sql.matches('?').count() != values.len() => {
                debug_assert!(false, "`{sql}` does not take {} values", values.len());
                query.push("1 = 0");
            }
            Self::Raw(sql, values) => {
                query.push("(");
                let mut values = values.iter();
                for (i, piece) in sql.split('?').enumerate() {
                    if i > 0
                        && let Some(value) = values.next()
                    {
                        value.push(query);
                    }
                    query.push(piece);
                }
                query.push(")");
            }
            Self::AnyOf(alternatives) if alternatives.is_empty() => {
                query.push("1 = 0");
            }
            Self::AnyOf(alternatives) => {
                query.push("(");
                for (i, alternative) in alternatives.iter().enumerate() {
                    query.push(if i == 0 { "(" } else { " OR (" });
                    alternative.push(query);
                    query.push(")");
                }
                query.push(")");
            }
        }
    }
}

fn push_among<DB, T>(query: &mut QueryBuilder<DB>, column: &'static str, values: &[T])
where
    DB: Spelling,
    T: for<'q> Encode<'q, DB> + Type<DB> + Clone + Send + 'static,
{
    if values.is_empty() {
        query.push("1 = 0");
        return;
    }
    query.push(column).push(" IN (");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value.clone());
    }
    query.push(")");
}

impl Bind {
    fn push<DB>(&self, query: &mut QueryBuilder<DB>)
    where
        DB: Spelling,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        bool: for<'q> Encode<'q, DB> + Type<DB>,
    {
        match self {
            Self::Text(text) => query.push_bind(text.clone()),
            Self::Number(number) => query.push_bind(*number),
            Self::Flag(flag) => query.push_bind(*flag),
        };
    }
}

/// A pattern with SQL's wildcards.
#[derive(Debug, Clone)]
struct Pattern(String);

impl Pattern {
    /// `None` when the pattern restricts nothing.
    fn new(text: &str) -> Option<Self> {
        let all = text.bytes().all(|b| b == b'%');
        (!all).then(|| Self(text.to_owned()))
    }

    fn has_wildcard(&self) -> bool {
        self.0.contains(['%', '_'])
    }

    fn push<DB>(&self, column: &'static str, query: &mut QueryBuilder<DB>)
    where
        DB: Spelling,
        String: for<'q> Encode<'q, DB> + Type<DB>,
    {
        // SQLite folds only ASCII in LIKE; GLOB takes both cases of every letter.
        if DB::DIALECT == Dialect::Sqlite && !self.0.is_ascii() {
            query.push(column).push(" GLOB ").push_bind(self.glob());
            return;
        }
        query.push(DB::FOLD_OPEN).push(column).push(DB::FOLD_CLOSE).push(" LIKE ");
        query.push(DB::FOLD_OPEN).push_bind(self.like()).push(DB::FOLD_CLOSE);
        query.push(" ESCAPE '|'");
    }

    /// For LIKE: the escape character itself is the only thing to escape, `\` stands for itself.
    fn like(&self) -> String {
        self.0.replace('|', "||")
    }

    fn glob(&self) -> String {
        let mut glob = String::with_capacity(self.0.len() * 4);
        for c in self.0.chars() {
            match c {
                '%' => glob.push('*'),
                '_' => glob.push('?'),
                '*' | '?' | '[' => glob.extend(['[', c, ']']),
                c if c.is_alphabetic() => {
                    glob.push('[');
                    glob.push(c);
                    // One to many (`ß` to `SS`) is no other case of the same letter.
                    let mut upper = c.to_uppercase();
                    let mut lower = c.to_lowercase();
                    glob.extend(upper.next().filter(|_| upper.next().is_none()));
                    glob.extend(lower.next().filter(|_| lower.next().is_none()));
                    glob.push(']');
                }
                c => glob.push(c),
            }
        }
        glob
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    column: Option<&'static str>,
    descending: bool,
    key: &'static [&'static str],
}

impl Order {
    /// By key (B46).
    #[must_use]
    pub fn by_key(key: &'static [&'static str]) -> Self {
        Self { column: None, descending: false, key }
    }

    /// By one of the allowed attributes, ties broken by key (B46). An unknown or empty attribute means the
    /// first of the allowed ones, and any direction but DESC means ascending (B44). `attribute` is `None`
    /// when the request had no order at all.
    #[must_use]
    pub fn by(
        allowed: &[(&str, &'static str)],
        attribute: Option<&str>,
        direction: Option<&str>,
        key: &'static [&'static str],
    ) -> Self {
        let Some(attribute) = attribute else { return Self::by_key(key) };
        let named = allowed.iter().find(|(name, _)| *name == attribute).or(allowed.first());
        Self {
            column: named.map(|(_, column)| *column),
            descending: direction.is_some_and(|d| d.trim().eq_ignore_ascii_case("DESC")),
            key,
        }
    }

    /// Columns that the filter fixes order nothing; MariaDB, which compares texts by collations, does not see that
    /// and would sort instead of following an index.
    fn push<DB: sqlx::Database>(self, filter: &Filter, query: &mut QueryBuilder<DB>) {
        let direction = if self.descending { " DESC" } else { "" };
        let tie_breakers = self.key.iter().copied().filter(|key| Some(*key) != self.column);
        let columns = self.column.into_iter().chain(tie_breakers);
        for (i, column) in columns.filter(|column| !filter.fixes(column)).enumerate() {
            query.push(if i == 0 { " ORDER BY " } else { ", " }).push(column).push(direction);
        }
    }
}

/// A part of a list (B45).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// How many rows are passed over.
    pub start: u64,
    /// How many rows are wanted at most; `None` for all.
    pub count: Option<u64>,
}

/// A part of a list and the number of all rows that match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<R> {
    /// The rows of this part.
    pub rows: Vec<R>,
    /// How many rows match.
    pub total: u64,
}

impl<R> Page<R> {
    /// Changes each row.
    pub fn map<S>(self, change: impl FnMut(R) -> S) -> Page<S> {
        Page { rows: self.rows.into_iter().map(change).collect(), total: self.total }
    }
}

/// A list query.
#[derive(Debug, Clone)]
pub struct Listing {
    /// What is selected, without SELECT.
    pub columns: &'static str,
    /// The table and its joins, without FROM; joins must not multiply rows.
    pub from: &'static str,
    /// Which rows.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// Which part.
    pub range: Range,
}

impl Listing {
    /// Reads the part and counts all.
    pub async fn fetch<R: SqlRow>(&self, tx: &mut Tx<'_>) -> Result<Page<R>, StoreError> {
        let rows: Vec<R> = self.rows(tx).await?;
        // A part that ends before it is full shows where the list ends.
        let read = rows.len() as u64;
        let ended = self.range.count.is_none_or(|count| read < count);
        let known = ended && (read > 0 || self.range.start == 0);
        let total = if known { self.range.start + read } else { self.count(tx).await? };
        Ok(Page { rows, total })
    }

    /// Reads the part alone.
    pub(crate) async fn rows<R: SqlRow>(&self, tx: &mut Tx<'_>) -> Result<Vec<R>, StoreError> {
        on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT ");
            self.push(&mut query);
            query.build_query_as::<R>().fetch_all(&mut *c).await
        })
    }

    /// Appends the statement without its SELECT.
    fn push<DB>(&self, query: &mut QueryBuilder<DB>)
    where
        DB: Spelling,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        bool: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let limit = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        query.push(self.columns).push(" FROM ").push(self.from).push(" WHERE ");
        self.filter.push(query);
        self.order.push(&self.filter, query);
        if self.range != Range::default() {
            query.push(" LIMIT ").push_bind(self.range.count.map_or(i64::MAX, limit));
            query.push(" OFFSET ").push_bind(limit(self.range.start));
        }
    }

    /// How the database would read the part, in its own words: shows whether it uses an index.
    pub async fn explain(&self, tx: &mut Tx<'_>) -> Result<String, StoreError> {
        let plan = match &mut tx.conn {
            Conn::My(connection) => {
                let mut query = QueryBuilder::<MySql>::new("EXPLAIN FORMAT=JSON SELECT ");
                self.push(&mut query);
                query.build_query_scalar::<String>().fetch_one(&mut **connection).await
            }
            Conn::Lite(connection) => {
                let mut query = QueryBuilder::<Sqlite>::new("EXPLAIN QUERY PLAN SELECT ");
                self.push(&mut query);
                let steps = query.build_query_as::<(i64, i64, i64, String)>();
                let steps = steps.fetch_all(&mut **connection).await;
                steps.map(|steps| steps.into_iter().map(|step| step.3 + "\n").collect())
            }
        };
        tx.check(plan)
    }

    /// Counts the rows that match.
    pub async fn count(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let total: i64 = on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT COUNT(*) FROM ");
            query.push(self.from).push(" WHERE ");
            self.filter.push(&mut query);
            query.build_query_scalar::<i64>().fetch_one(&mut *c).await
        })?;
        Ok(u64::try_from(total).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(filter: &Filter) -> (String, String) {
        let mut my = QueryBuilder::<MySql>::new("");
        filter.push(&mut my);
        let mut lite = QueryBuilder::<Sqlite>::new("");
        filter.push(&mut lite);
        (my.into_string(), lite.into_string())
    }

    #[test]
    fn b40_empty_values_do_not_restrict() {
        let mut filter = Filter::new();
        filter.text("a", None).text("a", Some("")).text_lower("a", Some("")).number("b", Some(0));
        filter.number("b", None).text("tags", Some("%%"));
        assert!(filter.is_empty());
        assert_eq!(both(&filter).0, "1 = 1");
    }

    #[test]
    fn b41_patterns_ignore_case() {
        let mut filter = Filter::new();
        filter.text("name", Some("A%")).text_lower("username", Some("Alice"));
        let (my, lite) = both(&filter);
        assert_eq!(my, "LOWER(name) LIKE LOWER(?) ESCAPE '|' AND username = ?");
        assert_eq!(lite, "name LIKE ? ESCAPE '|' AND username = ?");
        let mut filter = Filter::new();
        filter.text("name", Some("m\u{fc}l%"));
        assert_eq!(both(&filter).1, "name GLOB ?");
        let pattern = Pattern("m\u{fc}_*%".to_owned());
        assert_eq!(pattern.glob(), "[mMm][\u{fc}\u{dc}\u{fc}]?[*]*");
    }

    #[test]
    fn alternatives_and_lists_may_be_empty() {
        let mut filter = Filter::new();
        filter.among("id", &[]).among("id", &[1, 2]).any_of(vec![]);
        let mut name = Filter::new();
        name.equals("name", "x");
        filter.any_of(vec![name, Filter::new()]).sql("a < ? OR b > ?", vec![1.into(), true.into()]);
        assert_eq!(
            both(&filter).0,
            "1 = 0 AND id IN (?, ?) AND 1 = 0 AND ((name = ?) OR (1 = 1)) AND (a < ? OR b > ?)"
        );
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "does not take 1 values"))]
    fn a_value_too_few_matches_nothing() {
        let mut filter = Filter::new();
        filter.sql("a = ? AND b = ?", vec![1.into()]);
        assert_eq!(both(&filter).0, "1 = 0");
    }

    #[test]
    fn b44_b46_order() {
        const ALLOWED: &[(&str, &str)] = &[("changeDate", "t.change_date"), ("name", "t.name")];
        const KEY: &[&str] = &["t.name", "t.id"];
        for (attribute, direction, sql) in [
            (None, Some("DESC"), " ORDER BY t.name, t.id"),
            (Some("name"), None, " ORDER BY t.name, t.id"),
            (Some("name"), Some("desc"), " ORDER BY t.name DESC, t.id DESC"),
            (Some("prefix"), Some("up"), " ORDER BY t.change_date, t.name, t.id"),
            (Some(""), Some("DESC"), " ORDER BY t.change_date DESC, t.name DESC, t.id DESC"),
        ] {
            let mut query = QueryBuilder::<MySql>::new("");
            Order::by(ALLOWED, attribute, direction, KEY).push(&Filter::new(), &mut query);
            assert_eq!(query.into_string(), sql);
        }
    }
}
