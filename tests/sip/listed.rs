//! The list in `tests/sip/README.md` is what there is: each scenario has its test, and each test its line.

use std::collections::BTreeSet;
use std::fs;

use ngn_tests::binaries::root;

/// A line of the list.
#[derive(Debug)]
struct Row {
    number: usize,
    by: Vec<String>,
    over: Vec<String>,
    proves: String,
    test: String,
}

/// The tools, and what the source of a test says that uses them.
const TOOLS: &[(&str, &[&str])] = &[
    ("own phone", &["Phone", "world.online", "Raw"]),
    ("SIPp", &["Scenario"]),
    ("baresip", &["Baresip", "two_phones"]),
    ("Linphone", &["Linphone"]),
    ("JsSIP", &["jssip"]),
    ("openssl", &["Authority"]),
];

const TRANSPORTS: [&str; 4] = ["UDP", "TCP", "TLS", "WS"];

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("tests/sip/README.md")).unwrap();
    let words = |cell: &str| cell.split(',').map(|word| word.trim().to_owned()).collect();
    text.lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [number, _, by, over, proves, test] = cells[..] else {
                panic!("six cells: {line}")
            };
            Row {
                number: number.parse().unwrap(),
                by: words(by),
                over: words(over),
                proves: proves.to_owned(),
                test: test.trim_matches('`').to_owned(),
            }
        })
        .collect()
}

/// The tests of a file with their texts.
fn tests(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (plain, shared) = source.split_once("\nboth! {").unwrap_or((source, ""));
    for (text, mark) in
        [(plain, "\n#[test]\n"), (plain, "\n#[tokio::test]\n"), (shared, "\n    fn ")]
    {
        for piece in text.split(mark).skip(1) {
            let piece = piece.trim_start_matches("async ").trim_start_matches("fn ");
            let name = piece.split('(').next().unwrap().to_owned();
            let end = if mark.contains('#') { "\n}\n" } else { "\n    }\n" };
            found.push((name, piece.split(end).next().unwrap().to_owned()));
        }
    }
    found
}

fn source(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The file and the name of a test: `module::name` of this directory, or `path.rs::name`.
fn place(test: &str) -> (String, &str) {
    let (module, name) = test.split_once("::").unwrap_or_else(|| panic!("no module: {test}"));
    let path =
        if module.ends_with(".rs") { module.to_owned() } else { format!("tests/sip/{module}.rs") };
    (path, name)
}

/// The transports that a test says it runs over; nothing when it does not say it in that way.
fn says(text: &str) -> BTreeSet<String> {
    let text: String = text.split_whitespace().collect();
    let mut named = BTreeSet::new();
    for call in text.split("over(").chain(text.split("over_in(&world,")).skip(1) {
        if call.starts_with("ALL,") {
            named.extend(TRANSPORTS.map(str::to_owned));
        } else if let Some((list, _)) =
            call.strip_prefix("&[").and_then(|rest| rest.split_once("],"))
        {
            let name = |word: &str| word.rsplit("::").next().unwrap_or_default().to_uppercase();
            named.extend(list.split(',').map(name));
        }
    }
    named
}

#[test]
fn each_scenario_has_its_test() {
    let rows = rows();
    assert!(rows.len() >= 60, "{} scenarios", rows.len());
    for (row, number) in rows.iter().zip(1..) {
        assert_eq!(row.number, number, "{row:?}");
        let cites = ["RFC ", "B"].iter().any(|word| row.proves.contains(word));
        assert!(
            cites && row.proves.contains(|c: char| c.is_ascii_digit()),
            "cites no rule: {row:?}"
        );
        let (path, name) = place(&row.test);
        let source = source(&path);
        let all = tests(&source);
        let test = all.iter().find(|(found, _)| found == name);
        let (_, text) = test.unwrap_or_else(|| panic!("{number}: there is no test {}", row.test));
        for tool in &row.by {
            let known = TOOLS.iter().find(|(name, _)| name == tool);
            let (_, words) = known.unwrap_or_else(|| panic!("{number}: the tool {tool}?"));
            let uses = words.iter().any(|word| source.contains(word));
            assert!(uses, "{number}: {path} does not use {tool}");
        }
        for transport in &row.over {
            assert!(
                TRANSPORTS.contains(&transport.as_str()),
                "{number}: the transport {transport}?"
            );
        }
        let said = says(text);
        let listed: BTreeSet<_> = row.over.iter().cloned().collect();
        assert!(said.is_empty() || said == listed, "{number}: {} runs over {said:?}", row.test);
    }
}

#[test]
fn each_test_is_listed() {
    let listed: BTreeSet<_> = rows().into_iter().map(|row| row.test).collect();
    let mut missing = Vec::new();
    for entry in fs::read_dir(root().join("tests/sip")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "listed") else {
            continue;
        };
        for (test, _) in tests(&source(&format!("tests/sip/{name}"))) {
            let test = format!("{module}::{test}");
            if !listed.contains(&test) {
                missing.push(test);
            }
        }
    }
    missing.sort();
    assert!(missing.is_empty(), "not in tests/sip/README.md: {missing:#?}");
}
