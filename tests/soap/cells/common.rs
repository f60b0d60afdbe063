//! What any operation may answer ([`ngn_soap::fault::COMMON`]): each operation of the table is called in each of
//! these ways.

use super::{ALL, Cell, Stage};
use ngn_soap::Port;
use ngn_soap::fault::{COMMON, code};
use ngn_soap::schema::{Kind, OperationRow};
use ngn_tests::database::Backend;
use ngn_tests::platform::{ADMIN, Platform};
use ngn_tests::soap::{Client, Fault, Login, read_reply};
use ngn_tests::{Value, both, record};

/// The code of a database that fails (contract D3).
pub(super) fn failure(port: Port) -> u16 {
    match port {
        Port::Rating => code::RATING_UNAVAILABLE,
        Port::Network => code::STATUS_UNAVAILABLE,
        _ => code::BACKEND_FAILURE,
    }
}

fn operations() -> impl Iterator<Item = (String, &'static OperationRow)> {
    let rows = Port::ALL.iter().flat_map(|port| port.operations()).copied();
    rows.map(|row| (format!("{}.{}", row.port.name(), row.name), row))
}

fn expect(operation: &str, fault: &Fault, code: u16, names: &str) {
    assert_eq!(fault.code, i64::from(code), "{operation}: {}", fault.text);
    assert!(!fault.text.trim().is_empty(), "{operation} {code}: no errorstring (D1)");
    assert!(fault.text.contains(names), "{operation} {code}: no {names} in `{}`", fault.text);
}

/// What cannot be read as a kind.
fn unreadable(kind: &Kind) -> Value {
    match kind {
        Kind::String => record! { inner: "x-ray" },
        _ => "x-ray".into(),
    }
}

/// Posts what is no SOAP; gives the fault.
fn posted(client: &Client, envelope: &str, row: &OperationRow) -> Fault {
    let reply = client.post(envelope).expect("an answer");
    match read_reply(&reply, row.port.name(), row.name, client.style) {
        Ok(Err(fault)) => fault,
        other => panic!("{}: {other:?}", row.name),
    }
}

both! {
    // B1, B2, B4; contract D3: what is wrong with a login comes before what is wrong with the arguments.
    fn logins_that_fail(p) {
        let admin = p.admin();
        let nobody = Client { login: None, ..admin.clone() };
        let mistaken = p.client(Login::admin(ADMIN, "mistaken"));
        let stranger = p.client(Login::customer("stranger", "mistaken"));
        for (operation, row) in operations() {
            for client in [&nobody, &mistaken, &stranger] {
                let mut given = Value::empty();
                for parameter in row.parameters {
                    given = given.with(parameter.name, unreadable(&parameter.kind));
                }
                let fault = client.fault(&operation, given);
                expect(&operation, &fault, code::AUTHENTICATION_FAILED, "authentication failed");
            }
        }
    }

    // B5.
    fn nobody_to_impersonate(p) {
        let client = p.admin().impersonating(987_654);
        for (operation, _) in operations() {
            let fault = client.fault(&operation, Value::empty());
            expect(&operation, &fault, code::IMPERSONATED_NOT_FOUND, "987654");
        }
    }

    // W6: every parameter of every operation.
    fn arguments_that_cannot_be_read(p) {
        let admin = p.admin();
        for (operation, row) in operations() {
            for parameter in row.parameters {
                let given = Value::empty().with(parameter.name, unreadable(&parameter.kind));
                let fault = admin.fault(&operation, given);
                expect(&operation, &fault, code::INVALID_ARGUMENT, parameter.name);
            }
        }
    }

    // An operation that there is not, and one of another port.
    fn operations_that_are_none(p) {
        let admin = p.admin();
        for (operation, row) in operations() {
            let fault = admin.fault(&format!("{operation}Twice"), Value::empty());
            expect(&operation, &fault, code::UNKNOWN_OPERATION, &format!("{}Twice", row.name));
            let others = Port::ALL.iter().filter(|port| {
                port.operations().iter().all(|other| other.name != row.name)
            });
            for port in others {
                let fault = admin.fault(&format!("{}.{}", port.name(), row.name), Value::empty());
                expect(&operation, &fault, code::UNKNOWN_OPERATION, row.name);
            }
        }
    }
}

#[test]
fn messages_that_end_early() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start(backend);
        let admin = p.admin();
        for (operation, row) in operations() {
            let whole = admin.envelope(row.port.name(), row.name, &Value::empty());
            let (half, _) = whole.split_once(&format!("</ns5:{}>", row.name)).expect("its end");
            let fault = posted(&admin, half, row);
            expect(&operation, &fault, code::MALFORMED, row.name);
        }
    }
}

/// The tables of a platform, each under another name.
fn hide_tables(p: &Platform) {
    let tables = match p.backend {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        Backend::MariaDb => "SHOW TABLES",
    };
    for table in p.database.sql(tables).lines() {
        _ = p.database.sql(&format!("ALTER TABLE `{table}` RENAME TO `hidden_{table}`"));
    }
}

// Contract D3: a database without its tables. Every call would have succeeded a moment before.
#[test]
fn a_database_that_fails() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start(backend);
        let stage = Stage::new(&p);
        let successes = || {
            let cells = ALL.iter().flat_map(|(port, lists)| {
                lists.iter().copied().flatten().map(move |cell| (*port, cell))
            });
            cells.filter(|(_, cell)| cell.fault.is_none())
        };
        let calls: Vec<(Port, &Cell, Value)> = successes()
            .enumerate()
            .map(|(number, (port, cell))| {
                stage.enter(number);
                (port, cell, (cell.act)(&stage).into_parameters())
            })
            .collect();
        hide_tables(&p);
        for (port, cell, parameters) in calls {
            let fault = stage.admin.fault(cell.operation, parameters);
            expect(cell.operation, &fault, failure(port), "database");
            assert_eq!(fault.side, "Server", "{}", cell.operation);
            assert!(!fault.text.contains("hidden"), "{}: {}", cell.operation, fault.text);
        }
    }
}

// The cells above are those of the common list, and of what the table says of Rating and Network.
#[test]
fn each_common_code_is_tested() {
    assert_eq!(
        COMMON,
        [
            code::AUTHENTICATION_FAILED,
            code::IMPERSONATED_NOT_FOUND,
            code::INVALID_ARGUMENT,
            code::UNKNOWN_OPERATION,
            code::BACKEND_FAILURE,
            code::MALFORMED,
        ]
    );
}
