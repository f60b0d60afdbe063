//! Any messages in any order, with time going on between them: nothing panics, nothing is left.
//!
//! The input is messages with an octet before each that says how much time passes, separated by `\xff`; the
//! application forwards or answers what comes up. Seeds are any SIP messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_sip::header::Transport;
use ngn_sip::message::{Limits, Message};
use ngn_sip::stack::{
    Config, Destination, ForwardPlan, ForwardTarget, Interface, Moment, Output, Secret, Source,
    Stack,
};
use ngn_sip::uri::{Host, Uri};
use std::net::SocketAddr;
use std::time::Duration;

const LOCAL: ([u8; 4], u16) = ([192, 0, 2, 10], 5060);

fuzz_target!(|data: &[u8]| {
    let local = SocketAddr::from(LOCAL);
    let host = Host::from(local.ip());
    let interface = Interface { transport: Transport::Udp, local, host, port: 5060 };
    let config = Config::new(Secret::from_bytes([1; 32]), vec![interface]);
    let mut stack = Stack::new(config, [2; 32]);
    let remote = SocketAddr::from(([203, 0, 113, 5], 5060));
    let source = Source { transport: Transport::Udp, local, remote, flow: None };
    let mut now = Moment::ZERO;
    for part in data.split(|octet| *octet == 0xff).take(64) {
        let Some((pause, octets)) = part.split_first() else { continue };
        now = now + Duration::from_millis(u64::from(*pause) * 20);
        stack.timeout(now);
        match Message::parse(octets.to_vec().into(), &Limits::default()) {
            Ok(message) => stack.receive(now, source.clone(), message),
            Err(fault) => stack.receive_malformed(&source, &fault),
        }
        drain(&mut stack, now);
    }
    while let Some(at) = stack.next_deadline() {
        now = now.max(at);
        stack.timeout(now);
        drain(&mut stack, now);
    }
    assert!(stack.usage().is_empty(), "{:?}", stack.usage());
});

fn drain(stack: &mut Stack, now: Moment) {
    while let Some(output) = stack.poll_output() {
        match output {
            Output::Send { octets, .. } => {
                Message::parse(octets, &Limits { octets: usize::MAX, fields: usize::MAX }).ok();
            }
            Output::Request(request) => {
                let Some(uri) = request.request.request_uri().cloned() else { continue };
                if uri.as_str().len() % 3 == 0 {
                    stack.reply(now, request.id, 404, None, &[]);
                } else {
                    stack.forward(now, request.id, ForwardPlan::to(target(uri)));
                }
            }
            Output::Relay { incoming, to } => {
                let Some(uri) = incoming.request.request_uri().cloned() else { continue };
                stack.relay(now, incoming.id, ForwardTarget::at(uri, to));
            }
            Output::Resolve { id, .. } => stack.resolved(now, id, vec![]),
            Output::Redirected { id, .. } => stack.redirected(now, id, vec![]),
            Output::Cancelled(_)
            | Output::Answer { .. }
            | Output::Call(_)
            | Output::Dialog(_)
            | Output::Tried(_) => {}
        }
    }
}

fn target(uri: Uri) -> ForwardTarget {
    let to = Destination::new(Transport::Udp, SocketAddr::from(([203, 0, 113, 9], 5060)));
    ForwardTarget::at(uri, to)
}
