//! The Makefile and what it calls.

use std::fs;
use std::process::Command;

use ngn_tests::binaries::root;
use ngn_tests::program::run;

#[test]
fn make_alone_lists_every_target() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let phony = makefile.lines().find_map(|line| line.strip_prefix(".PHONY: ")).unwrap();
    let listed = run(Command::new("make").current_dir(root()).env_remove("MAKEFLAGS")).unwrap();
    for target in phony.split(' ') {
        assert!(
            listed.lines().any(|line| line.split_whitespace().next() == Some(target)),
            "{target} is not listed"
        );
    }
    for target in ["build", "test", "fmt", "fmt-check", "clippy", "doc", "fuzz", "demo", "verify"] {
        assert!(phony.split(' ').any(|t| t == target), "no target {target}");
    }
}

#[test]
fn continuous_integration_is_make_verify() {
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    let commands: Vec<&str> =
        script.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(commands, [r#"cd "$(dirname "$0")/.." && exec make verify"#]);
}

#[test]
fn scenarios_are_well_formed() {
    for entry in fs::read_dir(root().join("tests/sip")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "xml") {
            run(Command::new("xmllint").args(["--noout", "--nonet"]).arg(path)).unwrap();
        }
    }
}
