//! Python's zeep: document/literal, one WSDL per port, through the client of `examples/python`.

use ngn_tests::database::Backend;

use crate::lifecycle::{python, script, works};

#[test]
fn on_sqlite() {
    works(Backend::Sqlite, || script(&python(), "zeep.py"));
}

#[test]
fn on_mariadb() {
    works(Backend::MariaDb, || script(&python(), "zeep.py"));
}
