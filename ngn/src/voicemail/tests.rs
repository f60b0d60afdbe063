use super::{TEMPLATES, escape, run, templates};
use crate::voicemail::Options;
use clap::Parser;
use std::fs;
use std::path::Path;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    options: Options,
}

fn asterisk(out: &Path, more: &[&str]) -> anyhow::Result<()> {
    let out = out.to_str().expect("a path");
    let database = ["--database", "mysql://ngn:p%3Bw@db.example/ngn"];
    let all = [&["voicemail", "asterisk", "--out", out], &database[..], more].concat();
    run(&Command::try_parse_from(all)?.options)
}

#[test]
fn values_end_no_line_and_begin_no_comment() {
    let mut written = Vec::new();
    escape("a;b\r\n[general]\u{85}c", &mut written).expect("written");
    assert_eq!(String::from_utf8(written).expect("text"), "a\\;b[general]c");

    let directory = tempfile::tempdir().expect("a directory");
    asterisk(directory.path(), &["--company", "A;B\nmaxmsg = 9999"]).expect("files");
    let text = fs::read_to_string(directory.path().join("voicemail.conf")).expect("a file");
    assert!(text.contains("\nfromstring = A\\;Bmaxmsg = 9999\n"), "{text}");
    let text = fs::read_to_string(directory.path().join("res_config_mysql.conf")).expect("a file");
    assert!(text.contains("\ndbpass = p\\;w\n"), "{text}");
}

#[test]
fn templates_of_ones_own_are_taken() {
    let directory = tempfile::tempdir().expect("a directory");
    let (own, out) = (directory.path().join("own"), directory.path().join("out"));
    asterisk(&own, &["--write-templates"]).expect("templates");
    for (name, text) in TEMPLATES {
        assert_eq!(fs::read_to_string(own.join(name)).expect("a template"), text, "{name}");
    }
    let file = own.join("voicemail.conf");
    let changed =
        fs::read_to_string(&file).expect("a template").replace("Dear ${VM_NAME}", "Dag ${VM_NAME}");
    fs::write(&file, changed).expect("changed");
    let own = own.to_str().expect("a path");
    asterisk(&out, &["--templates", own]).expect("files");
    let text = fs::read_to_string(out.join("voicemail.conf")).expect("a file");
    assert!(text.contains("emailbody = Dag ${VM_NAME},") && !text.contains("{{"), "{text}");

    // A name that does not exist is told, and nothing is written half.
    fs::write(&file, "{{ compny }}").expect("changed");
    let error = asterisk(&out, &["--templates", own, "--replace"]).expect_err("an error");
    let error = format!("{error:#}");
    assert!(error.contains("voicemail.conf") && error.contains("compny"), "{error}");
    assert_eq!(fs::read_to_string(out.join("voicemail.conf")).expect("a file"), text);
    fs::write(Path::new(own).join("voicemial.conf"), "").expect("another");
    let error = asterisk(&out, &["--templates", own]).expect_err("an error").to_string();
    assert!(error.contains("voicemial.conf") && error.contains("extconfig.conf"), "{error}");
}

#[test]
fn files_are_not_overwritten_unasked() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("voicemail.conf");
    fs::write(&file, "mine").expect("a file");
    let error = asterisk(directory.path(), &[]).expect_err("refused").to_string();
    assert!(
        error.contains("voicemail.conf is there already") && error.contains("--replace"),
        "{error}"
    );
    assert!(!directory.path().join("extconfig.conf").exists(), "nothing is written then");
    asterisk(directory.path(), &["--replace"]).expect("files");
    asterisk(directory.path(), &[]).expect("the same again");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    for (more, expected) in [
        (&["--timezone", "Mars/Olympus"][..], "Mars/Olympus"),
        (&["--database-user", "asterisk"], "database-password-file"),
        (&["--templates", "/nonexistent/templates"], "--templates"),
    ] {
        let error = asterisk(directory.path(), more).expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(templates(None).is_ok());
}
