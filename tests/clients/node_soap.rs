//! JavaScript's node-soap: document/literal, one WSDL per port.

use ngn_tests::binaries::target;
use ngn_tests::database::Backend;

use crate::lifecycle::{script, works};

#[test]
fn on_sqlite() {
    let library = target().join("node/node_modules/soap");
    assert!(library.is_dir(), "{} is missing; tests/bin/tools install makes it", library.display());
    works(Backend::Sqlite, || {
        let mut command = script("node", "node_soap.js");
        command.env("NODE_SOAP", &library);
        command
    });
}
