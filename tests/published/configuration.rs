//! The files of `etc/`: each daemon reads its own with `--check-config`, and starts with it.

use std::fs;
use std::process::Command;

use ngn_tests::binaries::{program, root};
use ngn_tests::program::run;

const DAEMONS: [&str; 3] = ["ngnpro", "sipd", "enumd"];

#[test]
fn every_file_is_accepted() {
    for daemon in DAEMONS {
        let file = root().join(format!("etc/{daemon}.toml"));
        run(Command::new(program(daemon)).arg("--config").arg(&file).arg("--check-config"))
            .unwrap();
    }
}

#[test]
fn unknown_keys_are_refused_with_the_line() {
    let directory = tempfile::tempdir().unwrap();
    for daemon in DAEMONS {
        let good = fs::read_to_string(root().join(format!("etc/{daemon}.toml"))).unwrap();
        let file = directory.path().join("bad.toml");
        fs::write(&file, format!("no_such_key = 1\n{good}")).unwrap();
        let error =
            run(Command::new(program(daemon)).arg("--config").arg(&file).arg("--check-config"))
                .unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("no_such_key") && text.contains("line 1"), "{daemon}: {text}");
    }
}
