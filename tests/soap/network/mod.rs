//! Status and statistics of the running daemons (contract B7, B169, B170).

mod get_statistics;
mod get_status;

use ngn_tests::Value;
use ngn_tests::platform::{ADMIN, Platform};
use ngn_tests::soap::{Client, Login};
use serde_json::Value as Json;

/// What an operation returns, parsed as the client does; not noted, since ports and times differ from run to run.
fn ask(p: &Platform, operation: &str) -> Json {
    let client = Client::new(p.soap_address(), Some(Login::admin(ADMIN, &p.password())));
    let text = client.ok(operation, Value::empty());
    serde_json::from_str(&text.text).expect("JSON")
}
