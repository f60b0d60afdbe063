//! Every operation and everything that it may answer: a cell for its success and one for each fault that the table
//! of crates/soap names for it, per port, on both databases. What any operation may answer stands in [`common`].

mod common;
mod customer;
mod dns;
mod enum_;
mod network;
mod order;
mod rating;
mod sip;
mod stage;
mod voicemail;

use ngn_soap::Port;
use ngn_soap::fault::COMMON;
use ngn_tests::platform::Platform;
use stage::{Act, Stage};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An operation and one thing that it may answer.
struct Cell {
    /// `Port.operation`.
    operation: &'static str,
    /// The fault; none for success.
    fault: Option<u16>,
    /// Makes what the call needs, and the call.
    act: fn(&Stage<'_>) -> Act,
}

impl Cell {
    /// An operation that does what it is for.
    const fn success(operation: &'static str, act: fn(&Stage<'_>) -> Act) -> Self {
        Self { operation, fault: None, act }
    }

    /// An operation that is refused.
    const fn fault(operation: &'static str, code: u16, act: fn(&Stage<'_>) -> Act) -> Self {
        Self { operation, fault: Some(code), act }
    }

    fn name(&self) -> String {
        name(self.operation, self.fault)
    }
}

fn name(operation: &str, fault: Option<u16>) -> String {
    fault.map_or(format!("{operation} success"), |code| format!("{operation} {code}"))
}

/// The cells of the ports.
const ALL: &[(Port, &[&[Cell]])] = &[
    (Port::Sip, sip::CELLS),
    (Port::Voicemail, &[voicemail::CELLS, voicemail::STANDALONE]),
    (Port::Enum, &[enum_::CELLS]),
    (Port::Dns, &[dns::CELLS]),
    (Port::Rating, &[rating::CELLS]),
    (Port::Customer, &[customer::CELLS]),
    (Port::Network, &[network::SUCCESSES, network::REFUSALS]),
];

/// Plays cells on one platform, each in names of its own, and tells of all that went wrong.
fn play(p: &Platform, cells: &[Cell]) {
    let stage = Stage::new(p);
    let failed: Vec<String> = cells
        .iter()
        .enumerate()
        .filter(|(number, cell)| {
            stage.enter(*number);
            let played = || (cell.act)(&stage).check(p, cell.operation, cell.fault);
            catch_unwind(AssertUnwindSafe(played)).is_err()
        })
        .map(|(_, cell)| cell.name())
        .collect();
    assert!(failed.is_empty(), "{} of {} cells failed: {failed:#?}", failed.len(), cells.len());
}

// The table and the cells say the same: no operation and no fault without a cell, no cell that is not declared.
#[test]
fn every_operation_has_a_cell_for_success_and_for_each_of_its_faults() {
    let mut wanted = BTreeSet::new();
    let mut found = BTreeSet::new();
    let mut twice = Vec::new();
    let ports: BTreeSet<Port> = ALL.iter().map(|(port, _)| *port).collect();
    assert_eq!(ports, Port::ALL.iter().copied().collect(), "each port has its cells");
    for (port, lists) in ALL {
        for row in port.operations() {
            let operation = format!("{}.{}", port.name(), row.name);
            wanted.insert(name(&operation, None));
            wanted.extend(row.faults.iter().map(|code| name(&operation, Some(*code))));
            // Played for all operations in `common::a_database_that_fails`.
            let failure = common::failure(*port);
            if !COMMON.contains(&failure) {
                found.insert(name(&operation, Some(failure)));
            }
        }
        for cell in lists.iter().copied().flatten() {
            if !found.insert(cell.name()) {
                twice.push(cell.name());
            }
        }
    }
    let missing: Vec<&String> = wanted.difference(&found).collect();
    let undeclared: Vec<&String> = found.difference(&wanted).collect();
    assert!(missing.is_empty(), "without a cell: {missing:#?}");
    assert!(undeclared.is_empty(), "cells that the table does not declare: {undeclared:#?}");
    assert!(twice.is_empty(), "cells that stand there twice: {twice:#?}");
}
