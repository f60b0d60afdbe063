//! Every operation, tried by everybody on everything: no cell reads, changes or reveals what it should not (B1-B39,
//! contract A6 and D).
//!
//! [`rows`] has the requests and fails the build when an operation has none; [`oracle`] says from the contract what each
//! must come to; [`world`] holds the records. What is to be refused is tried first, all of it, and nothing may have
//! changed after it; then comes what is allowed, on records made for each cell, and nobody else's may have changed.

mod names;
mod oracle;
mod row;
mod rows;
mod run;
mod world;

use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;

#[test]
fn every_cell_on_sqlite() {
    run::matrix(&Platform::start(Backend::Sqlite));
}

#[test]
fn every_cell_on_mariadb() {
    run::matrix(&Platform::start(Backend::MariaDb));
}
