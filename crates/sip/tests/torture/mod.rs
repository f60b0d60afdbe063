//! Takes a message through the parser and the stack as it would come from a socket, and says what became of it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses what it needs")]

use ngn_sip::header::Transport;
use ngn_sip::message::{Limits, Message};
use ngn_sip::stack::{
    Config, Destination, ForwardPlan, ForwardTarget, Interface, Moment, Output, Secret, Source,
    Stack,
};
use ngn_sip::uri::Host;
use std::net::SocketAddr;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is well-formed, and forwarded when the application says so.
    Forwarded,
    /// It is answered with this final status.
    Refused(u16),
    /// It is discarded without a word, by the parser or since it belongs to nothing.
    Discarded,
}

/// A message and what its RFC wants to become of it.
pub struct Case {
    pub name: &'static str,
    pub section: &'static str,
    pub octets: &'static [u8],
    pub expected: Outcome,
}

/// What became of a message, with what was sent and the message as the parser read it.
pub struct Run {
    pub outcome: Outcome,
    /// Whatever left, provisional responses excepted.
    pub sent: Option<Message>,
    pub parsed: Option<Message>,
}

impl Run {
    pub fn message(&self) -> &Message {
        self.parsed.as_ref().expect("a message")
    }

    pub fn sent(&self) -> &Message {
        self.sent.as_ref().expect("something was sent")
    }
}

fn stack() -> Stack {
    let local = SocketAddr::from(([198, 51, 100, 10], 5060));
    let host = Host::from(local.ip());
    let interface = Interface { transport: Transport::Udp, local, host, port: 5060 };
    Stack::new(Config::new(Secret::from_bytes([1; 32]), vec![interface]), [2; 32])
}

/// Receives a datagram.
pub fn run(octets: &[u8]) -> Run {
    let now = Moment::ZERO;
    let local = SocketAddr::from(([198, 51, 100, 10], 5060));
    let remote = SocketAddr::from(([203, 0, 113, 5], 5060));
    let source = Source { transport: Transport::Udp, local, remote, flow: None };
    let next = Destination::new(Transport::Udp, SocketAddr::from(([203, 0, 113, 9], 5060)));
    let mut stack = stack();
    let parsed = Message::parse(octets.to_vec().into(), &Limits::default());
    match &parsed {
        Ok(message) => stack.receive(now, source, message.clone()),
        Err(fault) => stack.receive_malformed(&source, fault),
    }
    let mut sent = None;
    while let Some(output) = stack.poll_output() {
        match output {
            Output::Request(request) => {
                let uri = request.request.request_uri().cloned().expect("a request");
                let target = ForwardTarget::new(uri);
                assert!(stack.forward(now, request.id, ForwardPlan::to(target)));
            }
            Output::Resolve { id, .. } => stack.resolved(now, id, vec![next.clone()]),
            Output::Send { octets, .. } => {
                assert!(octets.len() <= 66_000, "what leaves does not outgrow what came");
                let unlimited = Limits { octets: usize::MAX, fields: usize::MAX };
                let message = Message::parse(octets, &unlimited).ok();
                if message.as_ref().is_none_or(|m| m.status() != Some(100)) {
                    assert!(sent.is_none(), "one thing is sent");
                    sent = Some(message);
                }
            }
            _ => {}
        }
    }
    let status = |message: &Option<Message>| message.as_ref().and_then(Message::status);
    let outcome = match (&sent, &parsed) {
        (None, _) => Outcome::Discarded,
        (Some(message), _) if status(message).is_some() => {
            Outcome::Refused(status(message).unwrap_or_default())
        }
        // What answers a malformed request repeats its header fields, so it may be as malformed.
        (Some(None), Err(fault)) => Outcome::Refused(fault.respond.expect("a response was sent")),
        (Some(_), _) => Outcome::Forwarded,
    };
    Run { outcome, sent: sent.flatten(), parsed: parsed.ok() }
}

/// Runs all and compares; `failures` names those that come out otherwise, with the reason.
pub fn check_all(cases: &[Case], failures: &[(&str, Outcome, &str)]) {
    let mut wrong = Vec::new();
    for case in cases {
        let outcome = run(case.octets).outcome;
        let excused = failures.iter().find(|(name, ..)| *name == case.name);
        let expected = excused.map_or(case.expected, |(_, outcome, _)| *outcome);
        if outcome != expected {
            wrong.push(format!(
                "{} (section {}): {outcome:?}, not {expected:?}",
                case.name, case.section
            ));
        }
        if let Some((_, outcome, reason)) = excused {
            assert_ne!(*outcome, case.expected, "{}: this exception is none", case.name);
            assert!(!reason.is_empty());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (name, ..) in failures {
        assert!(cases.iter().any(|case| case.name == *name), "{name} is no message");
    }
}

/// What is not edited leaves as it came.
pub fn check_octets(cases: &[Case]) {
    for case in cases {
        let Ok(message) = Message::parse(case.octets.to_vec().into(), &Limits::default()) else {
            continue;
        };
        let printed = message.to_bytes();
        assert!(case.octets.starts_with(&printed), "{}", case.name);
        assert_eq!(message.to_vec(), printed, "{}", case.name);
    }
}
