//! A row of the matrix: an operation and the request by which it is tried on a record.

use super::oracle::{Caller, Level, Record, Rule};
use super::world::{Names, World};
use ngn_soap::schema::OperationRow;
use ngn_tests::Value;
use ngn_tests::xml::Node;

/// What a request is made from.
pub(super) struct Cell<'a> {
    /// The record in question.
    pub(super) target: &'a Names,
    /// The caller's own records.
    pub(super) home: &'a Names,
    /// Different in every cell, for names of what is added.
    pub(super) fresh: u32,
    /// The id of what [`Row::before`] made.
    pub(super) made: i64,
}

/// What a list must show.
#[derive(Clone, Copy)]
pub(super) struct Shows {
    /// The member with the list.
    pub(super) list: &'static str,
    /// How many records are in it, which is also the total.
    pub(super) count: fn(Caller, Record) -> i64,
}

/// Reads whose a result is: the customer, if the kind has one, and the reseller.
pub(super) type Owner = fn(&World, &Cell, &Node) -> (Option<i64>, i64);

/// One way to try an operation.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Its name, without the port.
    pub(super) operation: &'static str,
    /// Which part of the request is varied.
    pub(super) about: &'static str,
    /// Whose operation it is.
    pub(super) need: Level,
    /// How the contract treats the record.
    pub(super) rule: Rule,
    /// Whether it changes anything when it succeeds.
    pub(super) writes: bool,
    /// Whether the record lies in another one, so that it can be absent there.
    pub(super) inside: bool,
    /// Whether it changes the caller's own records rather than the one in question.
    pub(super) at_home: bool,
    /// The request.
    pub(super) request: fn(&Cell) -> Value,
    /// Makes what the cell alone uses up; gives its id.
    pub(super) before: Option<fn(&World, &Cell) -> i64>,
    /// What a list shows.
    pub(super) shows: Option<Shows>,
    /// Whose the result is: the customer, if the kind has one, and the reseller (B9).
    pub(super) owner: Option<Owner>,
    /// Whom the row is for.
    pub(super) callers: fn(Caller) -> bool,
}

impl Row {
    /// An operation that reads.
    pub(super) const fn read(
        operation: &'static str,
        rule: Rule,
        request: fn(&Cell) -> Value,
    ) -> Self {
        Self {
            operation,
            about: "",
            need: Level::Customer,
            rule,
            writes: false,
            inside: false,
            at_home: false,
            request,
            before: None,
            shows: None,
            owner: None,
            callers: |_| true,
        }
    }

    /// An operation that changes something.
    pub(super) const fn write(
        operation: &'static str,
        rule: Rule,
        request: fn(&Cell) -> Value,
    ) -> Self {
        let at_home = matches!(rule, Rule::Name(_) | Rule::Owner(_) | Rule::Free);
        Self { writes: true, at_home, ..Self::read(operation, rule, request) }
    }

    /// An operation that lists.
    pub(super) const fn list(
        operation: &'static str,
        list: &'static str,
        count: fn(Caller, Record) -> i64,
        request: fn(&Cell) -> Value,
    ) -> Self {
        let shows = Some(Shows { list, count });
        Self { shows, ..Self::read(operation, Rule::Free, request) }
    }

    /// Says what the row varies.
    pub(super) const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// Only for those with such rights.
    pub(super) const fn need(self, need: Level) -> Self {
        Self { need, ..self }
    }

    /// The record lies in another one.
    pub(super) const fn inside(self) -> Self {
        Self { inside: true, ..self }
    }

    /// It changes the caller's own records.
    pub(super) const fn at_home(self) -> Self {
        Self { at_home: true, ..self }
    }

    /// It changes the record in question.
    pub(super) const fn at_target(self) -> Self {
        Self { at_home: false, ..self }
    }

    /// What is made for each cell.
    pub(super) const fn before(self, before: fn(&World, &Cell) -> i64) -> Self {
        Self { before: Some(before), ..self }
    }

    /// Whose the result must be.
    pub(super) const fn owner(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// Only for some callers.
    pub(super) const fn callers(self, callers: fn(Caller) -> bool) -> Self {
        Self { callers, ..self }
    }

    /// Only for callers who have records of their own, since the request names one beside the record in question.
    pub(super) const fn with_own_records(self) -> Self {
        self.callers(|caller| caller != Caller::Sibling)
    }
}

/// Fails the build when an operation has no row, or a row no operation.
pub(super) const fn complete(operations: &[&OperationRow], rows: &[&[Row]]) {
    let mut i = 0;
    while i < operations.len() {
        assert!(
            has_row(operations[i].name, rows),
            "an operation has no row in tests/soap/matrix/rows"
        );
        i += 1;
    }
    let mut i = 0;
    while i < rows.len() {
        let mut j = 0;
        while j < rows[i].len() {
            assert!(is_operation(rows[i][j].operation, operations), "a row of no operation");
            j += 1;
        }
        i += 1;
    }
}

const fn has_row(name: &str, rows: &[&[Row]]) -> bool {
    let mut i = 0;
    while i < rows.len() {
        let mut j = 0;
        while j < rows[i].len() {
            if same(rows[i][j].operation, name) {
                return true;
            }
            j += 1;
        }
        i += 1;
    }
    false
}

const fn is_operation(name: &str, operations: &[&OperationRow]) -> bool {
    let mut i = 0;
    while i < operations.len() {
        if same(operations[i].name, name) {
            return true;
        }
        i += 1;
    }
    false
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
