//! PHP's ext-soap: rpc/encoded, one WSDL per port, through the client of `examples/php`.

use ngn_tests::database::Backend;

use crate::lifecycle::{script, works};

#[test]
fn on_sqlite() {
    works(Backend::Sqlite, || script("php", "ext_soap.php"));
}

#[test]
fn on_mariadb() {
    works(Backend::MariaDb, || script("php", "ext_soap.php"));
}
