//! `ngn test-routes`: the example, what the page about it shows, and mistakes.

use std::fs;
use std::process::Command;

use ngn_tests::binaries::{program, root};

/// Runs it in a directory: exit code, output, complaints.
fn run(directory: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(program("ngn"));
    let output =
        command.arg("test-routes").args(arguments).current_dir(directory).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn file(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("cases.toml"), text).unwrap();
    directory
}

/// The file that the page shows.
fn small() -> String {
    let page = fs::read_to_string(root().join("doc/routing-cases.md")).unwrap();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_example_and_the_page_are_true() {
    let (code, said, complaint) = run(&root(), &["examples/routes/office.toml"]);
    assert_eq!((code, complaint.as_str()), (0, ""), "{said}");
    let example = fs::read_to_string(root().join("examples/routes/office.toml")).unwrap();
    let cases = example.matches("[[case]]").count();
    assert!(cases > 5 && said.ends_with(&format!("{cases} passed, 0 failed\n")), "{said}");

    let directory = file(&small());
    let (code, said, _) = run(directory.path(), &["cases.toml"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "ok    cases.toml: a national number\n1 passed, 0 failed\n")
    );
}

#[test]
fn the_page_names_every_key() {
    let page = fs::read_to_string(root().join("doc/routing-cases.md")).unwrap();
    let source = fs::read_to_string(root().join("crates/routing/src/cases/file.rs")).unwrap();
    let keys = source.lines().filter_map(|line| line.trim().strip_prefix("pub(super) "));
    let keys = keys.filter_map(|line| line.split_once(':').map(|(key, _)| key));
    let mut count = 0;
    for key in keys.filter(|key| *key != "enum_uris" && !key.contains(' ')) {
        count += 1;
        assert!(
            [
                format!("`{key}`"),
                format!("`{key} "),
                format!(" {key},"),
                format!(" {key} "),
                format!("[{key}]"),
                format!("{{ {key}")
            ]
            .iter()
            .any(|form| page.contains(form.as_str())),
            "{key} is not named"
        );
    }
    assert!(count > 60, "{count} keys");
}

#[test]
fn a_case_that_fails_shows_what_differs_and_why() {
    let text = small().replace("as +31201234500", "as +31201234599") + "says = [\"B131\"]\n";
    let directory = file(&text);
    let (code, said, complaint) = run(directory.path(), &["--quiet", "cases.toml"]);
    assert_eq!((code, complaint.as_str()), (1, ""));
    for expected in [
        "FAIL  cases.toml: a national number\n      alice@example.com calls 020 765 43 21\n",
        "\n      - first 0: gateway gw1 +31207654321 as +31201234599\n      + first 0: gateway gw1 +31207654321 as +31201234500\n",
        "B135: a rule of the gateway makes the number",
        "\n0 passed, 1 failed\n",
    ] {
        assert!(said.contains(expected), "no {expected:?} in\n{said}");
    }
    let directory = file(&(small() + "says = [\"B96\"]\n"));
    let (code, said, _) = run(directory.path(), &["cases.toml"]);
    assert!(code == 1 && said.contains("no reason names B96"), "{said}");
}

#[test]
fn a_mistake_is_told_with_its_line_and_what_may_have_been_meant() {
    for (wrong, right, expected) in [
        ("contry", "country", "cases.toml, line 3: unknown key `contry`, did you mean `country`?"),
        (
            "carrier = \"telko\"",
            "carrier = \"telco\"",
            "cases.toml, line 17: there is no carrier `telko`, did you mean `telco`?",
        ),
        (
            "from = \"alise@example.com\"",
            "from = \"alice@example.com\"",
            "line 21: there is no caller `alise@example.com`, did you mean `alice@example.com`?",
        ),
        (
            "from = \"trunk 1.2.3.4\"",
            "from = \"alice@example.com\"",
            "line 21: there is no caller `trunk 1.2.3.4`; there are none",
        ),
        ("aor = 5", "aor = \"alice@example.com\"", "cases.toml, line 6: invalid type"),
        ("aor = \"alice", "aor = \"alice@example.com\"", "cases.toml, line 6: "),
    ] {
        let text = small();
        assert!(text.contains(right), "{right}");
        let directory = file(&text.replace(right, wrong));
        let (code, said, complaint) = run(directory.path(), &["cases.toml"]);
        assert_eq!((code, said.as_str()), (2, "0 passed, 0 failed, 1 file cannot be read\n"));
        assert!(complaint.contains(expected), "{complaint}");
    }
    let directory = file("[settings]\n");
    let (code, said, complaint) = run(directory.path(), &["cases.toml", "missing.toml"]);
    assert_eq!(code, 2, "{said}");
    assert!(complaint.contains("cases.toml has no [[case]]"), "{complaint}");
    assert!(complaint.contains("cannot read missing.toml"), "{complaint}");
}

#[test]
fn cases_are_chosen_by_their_names() {
    let (code, said, _) =
        run(&root(), &["--only", "emergency", "--why", "examples/routes/office.toml"]);
    assert!(code == 0 && said.ends_with("2 passed, 0 failed\n"), "{said}");
    assert!(said.contains("B165: the emergency mapping has a target"), "{said}");
    let (code, _, complaint) =
        run(&root(), &["--only", "nothing of it", "examples/routes/office.toml"]);
    assert_eq!((code, complaint.as_str()), (1, "ngn: no case has `nothing of it` in its name\n"));
}
