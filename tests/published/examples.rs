//! The files of `examples/`.

use std::fs;
use std::process::Command;

use ngn_tests::binaries::{root, target};
use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;
use serde_json::Value;

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

/// The text of a file of the repository.
fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

#[test]
fn the_php_client_needs_no_more_than_php_7_4() {
    let newer = |directory: &str| {
        let mut command = Command::new("php");
        run(command.args(["tests/published/php74.php", directory]).current_dir(root())).unwrap()
    };
    assert_eq!(newer("examples/php"), "");
    assert!(newer("tests/clients/pear").contains("lifecycle.php:"), "which has named arguments");
}

#[test]
fn the_python_client_needs_no_more_than_python_3_9() {
    let program = "import ast, pathlib, sys\n\
        for file in pathlib.Path('examples/python').rglob('*.py'):\n    \
            ast.parse(file.read_text('utf-8'), str(file), feature_version=(3, 9)); print(file.name)";
    let printed = run(Command::new("python3").args(["-c", program]).current_dir(root())).unwrap();
    assert!(printed.contains("client.py\n") && printed.contains("provision.py\n"), "{printed}");
}

#[test]
fn the_packages_say_what_they_are() {
    let composer: Value = serde_json::from_str(&text("examples/php/composer.json")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(composer["version"], version);
    assert_eq!(composer["require"]["php"], ">=7.4");
    let directory = composer["autoload"]["psr-4"]["Ngnpro\\"].as_str().unwrap();
    for class in ["Client", "Connection", "Fault", "Port", "Unreachable"] {
        let source = text(&format!("examples/php/{directory}{class}.php"));
        assert!(source.contains("namespace Ngnpro;") && source.contains(&format!("class {class}")));
    }
    let project = text("examples/python/pyproject.toml");
    assert!(project.contains(&format!("\nversion = \"{version}\"\n")), "{project}");
    assert!(project.contains("\nrequires-python = \">=3.9\"\n"), "{project}");
    let package = text("examples/python/ngnpro/__init__.py");
    assert!(package.contains(&format!("\n__version__ = \"{version}\"\n")), "{package}");
}
