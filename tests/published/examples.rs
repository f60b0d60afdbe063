//! The files of `examples/`.

use std::process::Command;

use ngn_tests::binaries::{root, target};
use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;

/// Runs an example against a platform; gives what it printed.
fn example(
    p: &Platform,
    program: &str,
    arguments: &[&str],
    name: &str,
    prefix: &str,
) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(root())
        .env("NGN_URL", format!("http://{}/", p.soap_address()))
        .env("NGN_PASSWORD", p.password())
        .env("NGN_NAME", name)
        .env("NGN_PREFIX", prefix)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    run(&mut command)
}

/// What every example prints.
fn expected(name: &str, prefix: &str) -> String {
    format!(
        "customer {name}\naccount alice@{name}.example.com\naccount bob@{name}.example.com\nnumber {prefix}567\n\
         listed alice@{name}.example.com Alice Example\nlisted bob@{name}.example.com Bob Example\ntotal 2\n\
         listed +{prefix}567 sip sip:alice@{name}.example.com\n"
    )
}

/// Runs an example on a new platform, and once more, which must be refused with a readable reason.
fn works(program: &str, arguments: &[&str]) {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start(backend);
        for (name, prefix) in [("example", "31201234"), ("second", "31301234")] {
            let printed = example(&p, program, arguments, name, prefix).unwrap();
            assert_eq!(printed, expected(name, prefix), "on {backend}");
        }
        let refused =
            example(&p, program, arguments, "example", "31201234").unwrap_err().to_string();
        assert!(refused.contains("refused: 5001 ") && refused.contains("example"), "{refused}");
    }
}

#[test]
fn php_ext_soap() {
    works("php", &["examples/php/provision.php"]);
}

#[test]
fn python_zeep() {
    let python = target().join("python/bin/python");
    assert!(python.is_file(), "{} is missing; tests/bin/tools install makes it", python.display());
    works(python.to_str().unwrap(), &["examples/python/provision.py"]);
}

#[test]
fn curl() {
    works("sh", &["examples/curl/provision.sh"]);
}
