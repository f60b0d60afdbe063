//! Python's suds-community: rpc/encoded, one WSDL for all ports.

use ngn_tests::database::Backend;

use crate::lifecycle::{python, script, works};

#[test]
fn on_sqlite() {
    works(Backend::Sqlite, || script(&python(), "suds.py"));
}
