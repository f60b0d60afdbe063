//! `tests/transactions.md` is what the four transaction machines do: each line is played, and nothing else does anything.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use ngn_sip::transaction::{
    Action, InviteClient, InviteServer, Machine, Moment, NonInviteClient, NonInviteServer, Timer,
    TimerSettings, invite_client, invite_server, non_invite_client, non_invite_server,
};
use std::collections::BTreeSet;
use std::path::Path;

const NOW: Moment = Moment::ZERO;

/// What a machine does with an event in a state: the new state and its actions.
type Does = (String, String);

/// The machines with their states, the statuses of responses and what else can happen to them.
const MACHINES: [(&str, &[&str], &[&str]); 4] = [
    (
        "INVITE client",
        &["Calling", "Proceeding", "Completed", "Accepted", "Terminated"],
        &["1xx", "2xx", "300-699", "Timer A", "Timer B", "Timer D", "Timer M", "transport error"],
    ),
    (
        "non-INVITE client",
        &["Trying", "Proceeding", "Completed", "Terminated"],
        &["1xx", "2xx", "300-699", "Timer E", "Timer F", "Timer K", "transport error"],
    ),
    (
        "INVITE server",
        &["Proceeding", "Completed", "Confirmed", "Accepted", "Terminated"],
        &[
            "INVITE",
            "ACK",
            "1xx",
            "2xx",
            "300-699",
            "Timer G",
            "Timer H",
            "Timer I",
            "Timer L",
            "transport error",
        ],
    ),
    (
        "non-INVITE server",
        &["Trying", "Proceeding", "Completed", "Terminated"],
        &["request", "1xx", "2xx", "300-699", "Timer J", "transport error"],
    ),
];

fn statuses(event: &str) -> Vec<u16> {
    match event {
        "1xx" => vec![100, 180, 199],
        "2xx" => vec![200, 299],
        "300-699" => vec![300, 404, 503, 699],
        _ => Vec::new(),
    }
}

fn timer(event: &str) -> Option<Timer> {
    Some(match event.strip_prefix("Timer ")? {
        "A" => Timer::A,
        "B" => Timer::B,
        "D" => Timer::D,
        "E" => Timer::E,
        "F" => Timer::F,
        "G" => Timer::G,
        "H" => Timer::H,
        "I" => Timer::I,
        "J" => Timer::J,
        "K" => Timer::K,
        "L" => Timer::L,
        "M" => Timer::M,
        other => panic!("{other}?"),
    })
}

/// A machine that is brought to a state by what can happen to it, and then gets these inputs one by one, each anew.
macro_rules! play {
    ($new:expr, $module:ident, $way:expr, $inputs:expr) => {{
        let settings = TimerSettings::default();
        let done: BTreeSet<Does> = $inputs
            .into_iter()
            .map(|input| {
                let mut machine = $new;
                for step in $way {
                    let _ = machine.handle(step, NOW, &settings);
                }
                let actions: Vec<String> = machine
                    .handle(input, NOW, &settings)
                    .into_iter()
                    .map(|action: Action| format!("{action:?}"))
                    .collect();
                assert_eq!(machine.is_terminated(), machine.state() == $module::State::Terminated);
                (format!("{:?}", machine.state()), actions.join(", "))
            })
            .collect();
        assert_eq!(done.len(), 1, "all of one kind do the same: {done:?}");
        done.into_iter().next().expect("it")
    }};
}

/// What a machine does; over UDP unless `is_reliable`, which Completed (Confirmed) does not outlast.
fn does(machine: &str, state: &str, event: &str, is_reliable: bool) -> Does {
    let settings = TimerSettings::default();
    let s = &settings;
    match machine {
        "INVITE client" => {
            use invite_client::Input::{Fired, Response, TransportError};
            let inputs = || -> Vec<_> {
                let responses = statuses(event).into_iter().map(Response);
                let others = (event == "transport error").then_some(TransportError);
                responses.chain(timer(event).map(Fired)).chain(others).collect()
            };
            let way = || match state {
                "Calling" => vec![],
                "Proceeding" => vec![Response(180)],
                "Completed" => vec![Response(486)],
                "Accepted" => vec![Response(200)],
                _ => vec![TransportError],
            };
            play!(InviteClient::new(is_reliable, NOW, s), invite_client, way(), inputs())
        }
        "non-INVITE client" => {
            use non_invite_client::Input::{Fired, Response, TransportError};
            let inputs = || -> Vec<_> {
                let responses = statuses(event).into_iter().map(Response);
                let others = (event == "transport error").then_some(TransportError);
                responses.chain(timer(event).map(Fired)).chain(others).collect()
            };
            let way = || match state {
                "Trying" => vec![],
                "Proceeding" => vec![Response(100)],
                "Completed" => vec![Response(200)],
                _ => vec![TransportError],
            };
            play!(NonInviteClient::new(is_reliable, NOW, s), non_invite_client, way(), inputs())
        }
        "INVITE server" => {
            use invite_server::Input::{Ack, Fired, Invite, Respond, TransportError};
            let inputs = || -> Vec<_> {
                let responses = statuses(event).into_iter().map(Respond);
                let others = match event {
                    "INVITE" => Some(Invite),
                    "ACK" => Some(Ack),
                    "transport error" => Some(TransportError),
                    _ => None,
                };
                responses.chain(timer(event).map(Fired)).chain(others).collect()
            };
            let way = || match state {
                "Proceeding" => vec![],
                "Completed" => vec![Respond(486)],
                "Confirmed" => vec![Respond(486), Ack],
                "Accepted" => vec![Respond(200)],
                _ => vec![Respond(200), Fired(Timer::L)],
            };
            play!(InviteServer::new(is_reliable, s), invite_server, way(), inputs())
        }
        "non-INVITE server" => {
            use non_invite_server::Input::{Fired, Request, Respond, TransportError};
            let inputs = || -> Vec<_> {
                let responses = statuses(event).into_iter().map(Respond);
                let others = match event {
                    "request" => Some(Request),
                    "transport error" => Some(TransportError),
                    _ => None,
                };
                responses.chain(timer(event).map(Fired)).chain(others).collect()
            };
            let way = || match state {
                "Trying" => vec![],
                "Proceeding" => vec![Respond(100)],
                "Completed" => vec![Respond(200)],
                _ => vec![Respond(100), TransportError],
            };
            play!(NonInviteServer::new(is_reliable), non_invite_server, way(), inputs())
        }
        other => panic!("no machine {other}"),
    }
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    machine: String,
    state: String,
    event: String,
    next: String,
    actions: String,
    test: String,
}

fn rows() -> Vec<Row> {
    let text = include_str!("transactions.md");
    let lines = text
        .lines()
        .filter(|line| MACHINES.iter().any(|(m, ..)| line.starts_with(&format!("| {m} |"))));
    let row = |line: &str| {
        let cells: Vec<_> =
            line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect();
        let [machine, _, state, event, next, actions, test] =
            <[String; 7]>::try_from(cells).unwrap_or_else(|_| panic!("seven cells: {line}"));
        let actions = if actions == "-" { String::new() } else { actions };
        Row { machine, state, event, next, actions, test: test.trim_matches('`').to_owned() }
    };
    lines.map(row).collect()
}

#[test]
fn each_line_is_what_the_machine_does() {
    let rows = rows();
    assert!(rows.len() > 45, "{} lines", rows.len());
    for row in &rows {
        let (next, actions) = does(&row.machine, &row.state, &row.event, false);
        assert_eq!((&next, &actions), (&row.next, &row.actions), "{row:?}");
    }
}

#[test]
fn what_does_anything_has_its_line() {
    let listed: BTreeSet<_> =
        rows().into_iter().map(|row| (row.machine, row.state, row.event)).collect();
    assert_eq!(listed.len(), rows().len(), "no line stands twice");
    for (machine, states, events) in MACHINES {
        for state in states {
            for event in events {
                let key = (machine.to_owned(), (*state).to_owned(), (*event).to_owned());
                let (next, actions) = does(machine, state, event, false);
                let does_something = next != *state || !actions.is_empty();
                assert_eq!(listed.contains(&key), does_something, "{key:?}: {next}, {actions}");
            }
        }
    }
}

/// RFC 3261 sections 17.1.1.2, 17.1.2.2, 17.2.1 and 17.2.2: nothing is waited for that cannot come again.
#[test]
fn over_reliable_transports_nothing_is_waited_for() {
    for row in rows() {
        let outlasted = match &*row.machine {
            "INVITE server" => "Confirmed",
            _ => "Completed",
        };
        if row.state == "Completed" || row.state == "Confirmed" {
            continue;
        }
        let is_refused = row.machine != "INVITE server" && row.next == outlasted;
        let (next, actions) = does(&row.machine, &row.state, &row.event, true);
        let expected = if is_refused { "Terminated" } else { &row.next };
        assert_eq!((&*next, &actions), (expected, &row.actions), "{row:?}");
    }
    assert_eq!(
        does("INVITE server", "Completed", "ACK", true),
        ("Terminated".into(), String::new())
    );
}

#[test]
fn each_line_names_the_test_that_proves_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for row in rows() {
        let (file, name) = row.test.split_once("::").expect("module::test");
        let path = root.join(format!("src/transaction/{file}.rs"));
        let source =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {row:?}"));
        assert!(
            source.contains(&format!("#[test]\n    fn {name}()")),
            "there is no such test: {row:?}"
        );
        assert_eq!(file, row.machine.to_ascii_lowercase().replace(['-', ' '], "_"));
    }
}
