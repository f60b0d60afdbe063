//! Running a client's program and judging what it did.

use std::process::Command;

use ngn_tests::binaries::{root, target};
use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;
use ngn_tests::{matching, record};

/// What every program prints.
fn expected(name: &str, prefix: &str) -> String {
    format!(
        "customer {name} true 5\naccount alice Ørsted & <Zoë>\naccount bob Ørsted & <Zoë>\nalias office alice\n\
         range {prefix} 1000\nnumber {prefix}567 1 sip:alice@{name}.example.com\n\
         zone {name}.example.org ns1.example.net ns2.example.net\nrecord www.{name}.example.org A 192.0.2.1\n\
         listed bob of 2\nnone 0 of 0\nupdated Alicia 25 blocked\n\
         fault 1011\nfault 5000\nfault 1010\nfault 8000\n"
    )
}

/// A program of this directory, to be run by an interpreter.
pub(crate) fn script(interpreter: &str, file: &str) -> Command {
    let mut command = Command::new(interpreter);
    command.arg(format!("tests/clients/{file}")).current_dir(root());
    command
}

/// The Python of `tests/bin/tools`.
#[track_caller]
pub(crate) fn python() -> String {
    let python = target().join("python/bin/python");
    assert!(python.is_file(), "{} is missing; tests/bin/tools install makes it", python.display());
    python.to_str().unwrap().to_owned()
}

/// Tells a program where the server is and what to name its customer, range and so on after.
pub(crate) fn told(
    mut command: Command,
    url: &str,
    password: &str,
    name: &str,
    prefix: &str,
) -> Command {
    command.env("NGN_URL", url).env("NGN_PASSWORD", password);
    command.env("NGN_NAME", name).env("NGN_PREFIX", prefix);
    // Texts of all languages are printed, whatever the locale of who runs the tests.
    command.env("PYTHONUTF8", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs a client's program on a new platform, twice under one name: the first run leaves nothing in the way of the
/// second, and the second nothing at all.
#[track_caller]
pub(crate) fn works(backend: Backend, program: impl Fn() -> Command) {
    let p = Platform::start(backend);
    let url = format!("http://{}/", p.soap_address());
    let (name, prefix) = ("foreign", "3120123");
    for _ in 0..2 {
        let printed = run(&mut told(program(), &url, &p.password(), name, prefix)).unwrap();
        assert_eq!(printed, expected(name, prefix), "on {backend}");
    }
    for operation in [
        "Customer.getCustomers",
        "Sip.getDomains",
        "Sip.getAccounts",
        "Sip.getAliases",
        "Enum.getRanges",
        "Enum.getNumbers",
        "Dns.getZones",
        "Dns.getRecords",
    ] {
        let left = p.admin().ok(operation, matching(record! {}));
        assert_eq!(left.int_at("total"), 0, "{operation} on {backend}: {}", left.describe());
    }
}
