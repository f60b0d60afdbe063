//! The calls of tests/routes/*.toml, and which rule has a case there.

#![allow(clippy::expect_used)]

use ngn_routing::cases::Cases;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Rules of the range that nothing in a call shows: they say how settings are read, answered and stored.
const NOT_OF_CALLS: [(&str, &str); 9] = [
    ("B92", "which groups getAcceptRules lists"),
    ("B94", "how setAcceptRules reads a rule without days"),
    ("B136", "which members of results the server fills"),
    ("B138", "lists of routes are changed as a whole"),
    ("B139", "whose carriers, gateways and rules may be changed"),
    ("B146", "what updateTrustedPeer keeps"),
    ("B162", "how a voucher is redeemed"),
    ("B163", "what getCreditHistory answers"),
    ("B164", "what getCreditHistory answers"),
];

fn files() -> Vec<(String, Cases)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/routes");
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    names.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).expect("a file of cases");
        let cases = Cases::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, cases)
    };
    names.iter().map(read).collect()
}

#[test]
fn every_call_becomes_what_its_case_says() {
    let files = files();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, cases) in &files {
        for verdict in cases.run() {
            count += 1;
            if let Some(difference) = verdict.difference {
                let plan = verdict.plan.map(|plan| plan.to_string()).unwrap_or_default();
                wrong.push(format!("{name}: {}:\n{difference}\n{plan}", verdict.case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 100, "only {count} cases: files are missing");
}

#[test]
fn names_of_cases_are_their_own() {
    for (file, cases) in files() {
        let mut seen = BTreeSet::new();
        for case in &cases.cases {
            assert!(seen.insert(&case.name), "{file}: two cases are called `{}`", case.name);
            assert!(!case.rules.is_empty(), "{file}: `{}` shows no rule", case.name);
        }
    }
}

/// Rule by rule, the cases that show it: the table is printed, and no rule about calls is without a case.
#[test]
fn every_rule_about_calls_has_a_case() {
    let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, cases) in files() {
        for case in cases.cases {
            for rule in case.rules {
                table.entry(rule).or_default().push(format!("{file}: {}", case.name));
            }
        }
    }
    for (rule, cases) in &table {
        println!("{rule}: {}", cases.join(" | "));
    }
    let numbers = [66, 77].into_iter().chain(80..=97).chain(130..=139).chain(145..=148);
    let rules = numbers.chain([161, 162, 163, 164, 165]).map(|number| format!("B{number}"));
    let missing: Vec<String> = rules
        .filter(|rule| !table.contains_key(rule))
        .filter(|rule| !NOT_OF_CALLS.iter().any(|(name, _)| name == rule))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
    let both: Vec<&str> = NOT_OF_CALLS
        .iter()
        .map(|(rule, _)| *rule)
        .filter(|rule| table.contains_key(*rule))
        .collect();
    assert!(both.is_empty(), "{both:?} have cases after all");
}
