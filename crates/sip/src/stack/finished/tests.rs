//! What rests does all that its state machine does, and is as good as what it was before.

use super::*;
use crate::header::{HeaderName, Transport};
use crate::message::{Limits, Message};
use crate::stack::{
    AnswerResult, Config, Destination, FlowId, ForwardPlan, ForwardStep, ForwardTarget, Interface,
    Output, Secret, SendId, ServerTransactionId, Source, Stack,
};
use crate::uri::{Host, Uri};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

const START: Moment = Moment::from_millis(1000);

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn stack() -> Stack {
    let interface = |transport: Transport, local: &str| {
        let local = address(local);
        let host = Host::parse(&local.ip().to_string()).or_else(|| Host::parse("sip.example.com"));
        Interface { transport, local, host: host.expect("a host"), port: local.port() }
    };
    let interfaces = vec![
        interface(Transport::Udp, "192.0.2.10:5060"),
        interface(Transport::Udp, "[2001:db8::10]:5060"),
        interface(Transport::Tls, "192.0.2.10:5061"),
    ];
    Stack::new(Config::new(Secret::from_bytes([1; 32]), interfaces), [2; 32])
}

fn udp() -> Source {
    let (local, remote) = (address("192.0.2.10:5060"), address("203.0.113.5:5060"));
    Source { transport: Transport::Udp, local, remote, flow: None }
}

fn parse(text: &str) -> Message {
    let text = text.replace('\n', "\r\n");
    Message::parse(text.into(), &Limits::default()).expect("a message")
}

fn request(method: &str, branch: &str, to_tag: &str) -> Message {
    parse(&format!(
        "{method} sip:b@example.com SIP/2.0\nVia: SIP/2.0/UDP 203.0.113.5;branch={branch}\n\
         From: <sip:a@example.net>;tag=f1\nTo: <sip:b@example.com>{to_tag}\nCall-ID: c1\n\
         CSeq: 1 {method}\nContact: <sip:a@203.0.113.5>\nContent-Length: 0\n\n"
    ))
}

fn outputs(stack: &mut Stack) -> Vec<Output> {
    std::iter::from_fn(|| stack.poll_output()).collect()
}

/// What is sent, where to and for whom.
fn sends(outputs: Vec<Output>) -> Vec<(Destination, Bytes, Option<SendId>)> {
    let sent = outputs.into_iter().filter_map(|output| match output {
        Output::Send { to, octets, id } => Some((to, octets, id)),
        _ => None,
    });
    sent.collect()
}

fn came_up(stack: &mut Stack) -> ServerTransactionId {
    let id = outputs(stack).into_iter().find_map(|output| match output {
        Output::Request(incoming) => Some(incoming.id),
        _ => None,
    });
    id.expect("a request that is new")
}

fn statuses(event: &str) -> &'static [u16] {
    match event {
        "1xx" => &[100, 180, 199],
        "2xx" => &[200, 299],
        "300-699" => &[300, 404, 503, 699],
        other => panic!("{other}?"),
    }
}

/// One that rests, and what it did last.
struct Resting {
    stack: Stack,
    server: Option<ServerTransactionId>,
    request: Message,
    sent: SendId,
}

fn server(method: &str, state: &str) -> Resting {
    let mut stack = stack();
    let request = request(method, "z9hG4bK1", "");
    stack.receive(START, udp(), request.clone());
    let id = came_up(&mut stack);
    let status = if state == "Confirmed" { 486 } else { 200 };
    assert!(stack.reply(START, id, status, None, &[]));
    let [(.., Some(sent))] = sends(outputs(&mut stack))[..] else { panic!("the response") };
    if state == "Confirmed" {
        stack.receive(START, udp(), self::request("ACK", "z9hG4bK1", ";tag=t"));
        assert!(outputs(&mut stack).is_empty());
    }
    assert_eq!((stack.servers.len(), stack.servers.live()), (1, 0), "it rests");
    Resting { stack, server: Some(id), request, sent }
}

fn client(method: &str, state: &str) -> Resting {
    let mut stack = stack();
    let mut request = request(method, "z9hG4bK1", "");
    request.pop_via().expect("a Via");
    let to = Destination::new(Transport::Udp, address("203.0.113.9:5060"));
    stack.send(START, request, to).expect("a transaction");
    let [(_, octets, Some(sent))] = &sends(outputs(&mut stack))[..] else { panic!("the request") };
    let request = Message::parse(octets.clone(), &Limits::default()).expect("a request");
    let status = if (method, state) == ("INVITE", "Completed") { 486 } else { 200 };
    stack.receive(START, udp(), request.response(status, "Whatever", Some("t")));
    assert_eq!(outputs(&mut stack).len(), 1 + usize::from(status == 486), "{method} {state}");
    assert_eq!((stack.clients.len(), stack.clients.live()), (1, 0), "it rests");
    Resting { stack, server: None, request, sent: *sent }
}

/// What it does, and whether it is still there.
fn does(resting: Resting, event: &str, status: u16, wait: Duration) -> (String, bool) {
    let Resting { mut stack, server, request, sent } = resting;
    let before = *stack.counters();
    let mut done = Vec::new();
    match event {
        "INVITE" | "request" => stack.receive(START, udp(), request),
        "ACK" => stack.receive(START, udp(), self::request("ACK", "z9hG4bK1", ";tag=t")),
        "transport error" => stack.send_failed(START, sent),
        timer if timer.starts_with("Timer ") => {
            let just_before = Moment::from_micros((START + wait).as_micros() - 1);
            stack.timeout(just_before);
            assert_eq!(stack.usage().servers + stack.usage().clients, 1, "{timer}");
            assert_eq!(stack.next_deadline(), Some(START + wait));
            stack.timeout(START + wait);
        }
        _ => {
            let response = request.response(status, "Whatever", Some("t"));
            match server {
                Some(id) => {
                    let took = stack.respond(START, id, response);
                    assert_eq!(took, !stack.outputs.is_empty());
                }
                None => stack.receive(START, udp(), response),
            }
        }
    }
    for output in outputs(&mut stack) {
        done.push(match output {
            Output::Send { octets, .. } if octets.starts_with(b"ACK ") => "Acknowledge",
            Output::Send { .. } => "Transmit",
            Output::Answer { result: AnswerResult::Response(_), .. } => "PassUp",
            Output::Answer { result: AnswerResult::TransportFailed, .. } => "TransportFailed",
            Output::Answer { result: AnswerResult::TimedOut, .. } => "TimedOut",
            other => panic!("{other:?}"),
        });
    }
    let after = *stack.counters();
    // An ACK that travels on finds no Route here.
    done.extend((after.dropped > before.dropped).then_some("PassUp"));
    if server.is_some() {
        let has_failed = after.transport_failures > before.transport_failures;
        done.extend(has_failed.then_some("TransportFailed"));
    }
    let is_there = stack.usage().servers + stack.usage().clients == 1;
    assert!(is_there || stack.usage().is_empty(), "nothing is left of it");
    (done.join(", "), is_there)
}

/// RFC 3261 figures 5 to 8 and RFC 6026: each line of the table whose state is one of rest, and nothing where there is none.
#[test]
fn what_rests_does_what_the_table_says() {
    let table = include_str!("../../../tests/transactions.md");
    let line = |machine: &str, state: &str, event: &str| {
        let is_it = |line: &&str| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            matches!(cells[..], [m, _, s, e, ..] if (m, s, e) == (machine, state, event))
        };
        let line = table.lines().find(is_it)?;
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        Some((cells[4] != "Terminated", cells[5].replace('-', "")))
    };
    let timeout = Duration::from_secs(32);
    let t4 = Duration::from_secs(5);
    let responses = ["1xx", "2xx", "300-699"];
    let all: [(&str, &str, &[&str], Duration); 6] = [
        ("INVITE server", "Accepted", &["INVITE", "ACK", "Timer L"], timeout),
        ("INVITE server", "Confirmed", &["INVITE", "ACK", "Timer I"], t4),
        ("non-INVITE server", "Completed", &["request", "Timer J"], timeout),
        ("INVITE client", "Accepted", &["Timer M"], timeout),
        ("INVITE client", "Completed", &["Timer D"], timeout),
        ("non-INVITE client", "Completed", &["Timer K"], t4),
    ];
    let mut lines = 0;
    for (machine, state, events, wait) in all {
        let method = if machine.starts_with("INVITE") { "INVITE" } else { "OPTIONS" };
        let make = || match machine.ends_with("server") {
            true => server(method, state),
            false => client(method, state),
        };
        for event in events.iter().chain(&responses).chain(&["transport error"]) {
            let found = line(machine, state, event);
            lines += usize::from(found.is_some());
            let (is_there, actions) = found.unwrap_or((true, String::new()));
            let each = if responses.contains(event) { statuses(event) } else { &[0] };
            for status in each {
                let did = does(make(), event, *status, wait);
                assert_eq!(did, (actions.clone(), is_there), "{machine} {state} {event} {status}");
            }
        }
    }
    assert_eq!(lines, 14, "as many as the table has of these states");
}

/// RFC 3261 section 17.2.2: the very response goes out again, to the very place (section 18.2.2).
#[test]
fn what_goes_out_again_is_what_went_out() {
    let tls = Source {
        transport: Transport::Tls,
        local: address("192.0.2.10:5061"),
        remote: address("203.0.113.5:40000"),
        flow: Some(FlowId(77)),
    };
    let v6 = Source {
        local: address("[2001:db8::10]:5060"),
        remote: address("[2001:db8::5]:5070"),
        ..udp()
    };
    for source in [udp(), v6] {
        let mut stack = stack();
        let options = request("OPTIONS", "z9hG4bK1", "");
        stack.receive(START, source.clone(), options.clone());
        let id = came_up(&mut stack);
        let fields = [(HeaderName::Allow, "INVITE, ACK".to_owned())];
        assert!(stack.reply(START, id, 200, Some("So be it"), &fields));
        let first = sends(outputs(&mut stack));
        for _ in 0..3 {
            stack.receive(START, source.clone(), options.clone());
            assert_eq!(sends(outputs(&mut stack)), first);
        }
        assert_eq!(first.len(), 1);
    }
    // RFC 6026 section 8.5: another 2xx takes the same way back, over TLS with its name and connection.
    let mut stack = stack();
    let invite = request("INVITE", "z9hG4bK1", "");
    stack.receive(START, tls, invite.clone());
    let id = came_up(&mut stack);
    assert!(stack.reply(START, id, 200, None, &[]));
    let first = sends(outputs(&mut stack));
    assert!(stack.respond(START, id, invite.response(202, "Again", Some("t"))));
    let again = sends(outputs(&mut stack));
    let ([(to, _, sent)], [(to_again, octets, sent_again)]) = (&first[..], &again[..]) else {
        panic!("one each")
    };
    assert_eq!((to, sent), (to_again, sent_again));
    assert_eq!(to.server_name.as_deref(), Some("203.0.113.5"));
    assert_eq!(to.flow, Some(FlowId(77)));
    assert!(octets.starts_with(b"SIP/2.0 202 Again\r\n"));
}

/// Section 9.2: the 200 to a CANCEL has the To tag of the answer that it comes too late for.
#[test]
fn a_late_cancel_gets_the_tag_of_the_answer() {
    for state in ["Accepted", "Confirmed"] {
        let Resting { mut stack, server, .. } = server("INVITE", state);
        let tag = stack.to_tag(server.expect("a server")).expect("a tag");
        stack.receive(START, udp(), request("CANCEL", "z9hG4bK1", ""));
        let [(_, octets, _)] = &sends(outputs(&mut stack))[..] else { panic!("a 200") };
        let answer = Message::parse(octets.clone(), &Limits::default()).expect("a response");
        assert_eq!(answer.status(), Some(200));
        assert_eq!(answer.to_header().expect("To").tag(), Some(&*tag));
    }
}

/// Section 16.7 step 5: a call is answered once by whoever forwards it, and each 2xx goes back (step 5, RFC 6026).
#[test]
fn a_forwarded_call_is_answered_while_other_branches_are_cancelled() {
    let mut stack = stack();
    let invite = request("INVITE", "z9hG4bK1", "");
    stack.receive(START, udp(), invite.clone());
    let id = came_up(&mut stack);
    let targets = ["sip:b@203.0.113.8", "sip:b@203.0.113.9"];
    let target = |uri: &&str| ForwardTarget::new(Uri::parse(uri).expect("a URI"));
    let step = ForwardStep {
        targets: targets.iter().map(target).collect(),
        ..ForwardPlan::to(target(&targets[0])).steps.remove(0)
    };
    stack.forward(START, id, ForwardPlan { steps: vec![step], ..ForwardPlan::default() });
    let sent = sends(outputs(&mut stack));
    let to_phones: Vec<Message> = sent
        .iter()
        .filter(|(_, octets, _)| octets.starts_with(b"INVITE"))
        .map(|(_, octets, _)| Message::parse(octets.clone(), &Limits::default()).expect("it"))
        .collect();
    let [one, other] = &to_phones[..] else { panic!("two branches: {sent:?}") };
    for phone in [one, other] {
        stack.receive(START, udp(), phone.response(180, "Ringing", Some("t")));
    }
    stack.receive(START, udp(), one.response(200, "OK", Some("t1")));
    let answers = |stack: &mut Stack| {
        let sent = sends(outputs(stack));
        sent.iter().filter(|(_, octets, _)| octets.starts_with(b"SIP/2.0 2")).count()
    };
    assert_eq!(answers(&mut stack), 1);
    assert_eq!((stack.servers.live(), stack.contexts.len()), (0, 1), "one branch is left");
    assert!(!stack.respond(START, id, invite.response(200, "OK", Some("x"))));
    assert!(
        !stack.reply(START, id, 500, None, &[])
            && !stack.forward(START, id, ForwardPlan::default())
    );
    assert!(outputs(&mut stack).is_empty());
    // The other picked up too before the CANCEL came.
    stack.receive(START, udp(), other.response(200, "OK", Some("t2")));
    assert_eq!(answers(&mut stack), 1);
    assert_eq!(stack.contexts.len(), 0);
    // Both say so again, which their caller has to know of (RFC 6026 section 7.3).
    for (phone, tag) in [(one, "t1"), (other, "t2")] {
        stack.receive(START, udp(), phone.response(200, "OK", Some(tag)));
        assert_eq!(answers(&mut stack), 1);
    }
    // Section 16.7 step 3: what has no Via but ours is for nobody.
    let text = String::from_utf8(one.response(200, "OK", Some("t1")).to_vec()).expect("text");
    let mut vias = 0;
    let lines = text.split_inclusive("\r\n").filter(|line| {
        vias += usize::from(line.starts_with("Via:"));
        !line.starts_with("Via:") || vias == 1
    });
    let bare = Message::parse(lines.collect::<String>().into(), &Limits::default());
    stack.receive(START, udp(), bare.expect("a response"));
    assert_eq!((answers(&mut stack), stack.counters().stray_responses, vias), (0, 1, 2));
    stack.timeout(START + Duration::from_secs(200));
    assert!(stack.usage().is_empty() && stack.next_deadline().is_none(), "{:?}", stack.usage());
}

/// What many leave behind is little, and nothing in the queue of deadlines.
#[test]
fn what_is_left_is_found_and_forgotten_in_time() {
    let mut stack = stack();
    let most = 5_000_u64;
    for n in 0..most {
        let now = START + Duration::from_millis(n);
        let message = request("MESSAGE", &format!("z9hG4bK{n}"), "");
        stack.receive(now, udp(), message);
        let id = came_up(&mut stack);
        assert!(stack.reply(now, id, 200, None, &[]));
        outputs(&mut stack);
        let usage = stack.usage();
        assert_eq!(u64::try_from(usage.servers).expect("few"), n + 1);
        assert!(usage.deadlines < 1100, "{usage:?}");
    }
    let wait = Duration::from_secs(32);
    for n in (0..most).step_by(500) {
        let at = START + Duration::from_millis(n) + wait;
        stack.timeout(at);
        assert_eq!(u64::try_from(stack.usage().servers).expect("few"), most - n - 1);
        stack.receive(at, udp(), request("MESSAGE", &format!("z9hG4bK{}", n + 1), ""));
        assert_eq!(sends(outputs(&mut stack)).len(), 1, "the next one is still known");
    }
    stack.timeout(START + wait + wait);
    assert!(stack.usage().is_empty() && stack.next_deadline().is_none());
}
