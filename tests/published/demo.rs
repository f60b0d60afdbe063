//! `ngn demo`, which `make demo` runs: its transcript, and that it can be run again on what it left.

use std::process::Command;

use ngn_tests::binaries::program;
use ngn_tests::program::{Program, run};

fn demo(directory: &std::path::Path) -> Command {
    let mut command = Command::new(program("ngn"));
    command.arg("demo").arg("--data").arg(directory.join("demo"));
    for key in ["--soap", "--sip", "--dns", "--admin"] {
        command.args([key, "127.0.0.1:0"]);
    }
    command
}

#[test]
fn tells_the_whole_story_each_time() {
    let directory = tempfile::tempdir().unwrap();
    for already in [false, true] {
        let printed = run(demo(directory.path()).arg("--once")).unwrap();
        for expected in [
            "addDomain   demo.example",
            "sip:alice@demo.example   REGISTER: 401, 200",
            "sip:bob@demo.example     INVITE: 407, 100, 180, 200",
            "sip:desk@demo.example    INVITE: 407, 100, 180, 200",
            "sip:carol@demo.example   INVITE: 407, 100, 486  (is busy)",
            "sip:carol@demo.example   INVITE: 407, 100, 180, 200  (is busy, and now diverts to bob)",
            "sip:nobody@demo.example  INVITE: 407, 404",
            // Nobody who is registered is asked for a password then (B165).
            "sip:112@demo.example     INVITE: 100, 180, 200  (emergency",
            "B165",
            "7.6.5.4.3.2.1.0.2.1.3.e164.demo.example NAPTR 100 ",
            "4.3.2.1.0.2.1.3.e164.demo.example SOA ",
            "Try next:",
        ] {
            assert!(printed.contains(expected), "`{expected}` is missing in:\n{printed}");
        }
        assert_eq!(printed.contains("(there already)"), already, "{printed}");
    }
}

#[test]
fn stays_up_until_it_is_told_to_stop() {
    let directory = tempfile::tempdir().unwrap();
    let mut demo = Program::start("ngn demo", demo(directory.path())).unwrap();
    let addresses = demo.wait_ready().unwrap();
    let ready = ngn_tests::http::get(addresses["admin"], "/ready").unwrap();
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert!(demo.stop().unwrap().success(), "{}", demo.log());
}
