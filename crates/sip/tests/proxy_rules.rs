//! Single messages and what the stack makes of them: RFC 3261 sections 8.2, 16.3 to 16.6, 17.2.3 and 18.

#![allow(clippy::expect_used, reason = "a test may fail")]

mod bench;

use bench::{Act, Settings, World, address, uri};
use ngn_model::call_plan::Condition;
use ngn_sip::header::{HeaderName, Transport};
use ngn_sip::message::{Message, Method};
use ngn_sip::stack::{
    AnswerResult, CallEventKind, Destination, ForwardPlan, ForwardTarget, Moment, Output, Source,
    Stack,
};

/// An element outside, whose messages are written by hand.
const PEER: &str = "203.0.113.5:5060";

/// Where a [`gateway`] is.
const GATEWAY: &str = "203.0.113.9:5060";

fn world() -> World {
    World::new(Settings::default(), 1)
}

/// A request; `more` are further lines, each ended.
fn request(method: &str, uri: &str, branch: &str, more: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 203.0.113.5:5060;branch={branch}\n{more}\
         From: <sip:a@example.net>;tag=f1\nTo: <sip:b@example.com>\nCall-ID: call-1\n\
         CSeq: 1 {method}\nContact: <sip:a@203.0.113.5>\nContent-Length: 0\n\n"
    )
}

fn in_dialog(method: &str, uri: &str, branch: &str, more: &str) -> String {
    request(method, uri, branch, more)
        .replace("To: <sip:b@example.com>", "To: <sip:b@example.com>;tag=t1")
}

/// What was sent to an address.
fn sent<'a>(w: &'a World, to: &str) -> Vec<&'a Message> {
    let to = address(to);
    w.sent.iter().filter(|(_, d, _)| d.remote == to).map(|(_, _, m)| m).collect()
}

fn statuses(w: &World, to: &str) -> Vec<u16> {
    sent(w, to).iter().filter_map(|m| m.status()).collect()
}

fn forward_to(w: &mut World, target: ForwardTarget) {
    w.forwards_plan(ForwardPlan::to(target));
}

fn gateway() -> ForwardTarget {
    let next_hop = Destination::new(Transport::Udp, address(GATEWAY));
    ForwardTarget::at(uri("sip:b@gw.example.org"), next_hop)
}

#[test]
fn rfc3261_16_3_step_3_max_forwards_used_up() {
    let mut w = world();
    forward_to(&mut w, gateway());
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", "Max-Forwards: 0\n"));
    w.run_for(100);
    assert_eq!(statuses(&w, PEER), [483]);
    assert!(sent(&w, "203.0.113.9:5060").is_empty());
    // A call that was refused has an event like any other that failed, with the tag that the caller got.
    let [event] = w.events.as_slice() else { panic!("{:?}", w.events) };
    assert_eq!(event.kind, CallEventKind::Failed { status: 483 });
    let refusal = sent(&w, PEER)[0].to_header().expect("To");
    assert!(event.to_tag.is_some());
    assert_eq!(event.to_tag.as_deref(), refusal.tag());
}

#[test]
fn rfc3261_16_3_step_2_an_unknown_scheme() {
    let mut w = world();
    w.inject(PEER, &request("INVITE", "soap.beep://192.0.2.1", "z9hG4bK1", ""));
    w.run_for(100);
    assert_eq!(statuses(&w, PEER), [416]);
    assert!(w.came_up.is_empty());
}

#[test]
fn rfc3261_16_3_step_5_an_unknown_extension() {
    let mut w = world();
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", "Proxy-Require: magic\n"));
    w.run_for(100);
    assert_eq!(statuses(&w, PEER), [420]);
    let refusal = sent(&w, PEER)[0];
    let unsupported = refusal.field(HeaderName::Unsupported).expect("Unsupported");
    assert_eq!(unsupported.value(), b"magic");
    assert!(w.came_up.is_empty());
}

#[test]
fn rfc3261_16_3_step_4_a_loop_ends_with_482() {
    let mut w = world();
    // Everything goes to ourselves, unchanged.
    let itself = Destination::new(Transport::Udp, bench::proxy_address());
    forward_to(&mut w, ForwardTarget::at(uri("sip:b@example.com"), itself));
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", "Max-Forwards: 70\n"));
    w.run_for(300);
    assert_eq!(statuses(&w, PEER), [100, 482]);
    // The second round comes from another address, which might have been routed otherwise.
    assert_eq!(w.came_up.len(), 2);
}

#[test]
fn rfc3261_16_3_step_4_a_spiral_is_let_through() {
    let mut w = world();
    let itself = Destination::new(Transport::Udp, bench::proxy_address());
    let gateway = gateway();
    w.decide = Box::new(move |request, _| {
        let again = request.request.request_uri().expect("a URI").user() == Some("b");
        let target = if again {
            ForwardTarget::at(uri("sip:c@example.com"), itself.clone())
        } else {
            gateway.clone()
        };
        (0, Some(Act::Forward(request.id, ForwardPlan::to(target))))
    });
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", "Max-Forwards: 70\n"));
    w.run_for(1000);
    let arrived = sent(&w, "203.0.113.9:5060")[0];
    assert_eq!(arrived.vias().expect("Vias").len(), 3);
    assert_eq!(arrived.max_forwards().expect("a value").map(|m| m.0), Some(68));
}

/// The Max-Breadth of each request that went to an address.
fn breadths(w: &World, to: &str) -> Vec<String> {
    let value = |m: &&Message| Some(m.field_named("Max-Breadth")?.text()?.to_owned());
    sent(w, to).iter().filter_map(value).collect()
}

/// The gateway answers the request that it got last.
fn gateway_says(w: &mut World, status: u16) {
    let is_asked = |m: &&Message| m.is_request() && m.method() != Some(&Method::Ack);
    let request = sent(w, GATEWAY).into_iter().rfind(is_asked).expect("a request").clone();
    let answer = request.response(status, "x", Some("t"));
    w.inject(GATEWAY, &String::from_utf8(answer.to_vec()).expect("text"));
    w.run_for(50);
}

#[test]
fn rfc5393_5_3_3_max_breadth_is_shared_among_branches() {
    for (field, targets, expected) in [
        ("Max-Breadth: 0\n", 1, &[][..]),
        ("Max-Breadth: 1\n", 1, &["1"]),
        ("Max-Breadth: 5\n", 2, &["2", "2"]),
        // More than is allowed here is overwritten.
        ("Max-Breadth: 61\n", 1, &["60"]),
        ("Max-Breadth: 4294967295\n", 2, &["30", "30"]),
        ("", 2, &["30", "30"]),
        ("", 1, &[]),
    ] {
        let mut w = world();
        let step = ngn_sip::stack::ForwardStep::new(Condition::First, vec![gateway(); targets]);
        w.forwards(vec![step]);
        w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", field));
        w.run_for(100);
        let status = if field.ends_with(" 0\n") { 440 } else { 100 };
        assert_eq!(
            (statuses(&w, PEER), breadths(&w, GATEWAY)),
            (vec![status], expected.iter().map(|s| (*s).to_owned()).collect()),
            "{field}"
        );
    }
}

#[test]
fn rfc5393_5_3_3_1_targets_beyond_max_breadth_have_their_turn_later() {
    let mut w = world();
    let mut step = ngn_sip::stack::ForwardStep::new(Condition::First, vec![gateway(); 3]);
    step.answer_timeout = Some(std::time::Duration::from_secs(10));
    w.forwards(vec![step]);
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", "Max-Breadth: 1\n"));
    w.run_for(50);
    assert_eq!(breadths(&w, GATEWAY), ["1"]);
    gateway_says(&mut w, 180);
    w.run_for(8_000);
    gateway_says(&mut w, 486);
    assert_eq!(breadths(&w, GATEWAY).len(), 2, "the second one");
    // It rings as long as the first one might have, and then the third one does.
    gateway_says(&mut w, 180);
    w.run_for(9_000);
    assert_eq!(breadths(&w, GATEWAY).len(), 2);
    w.run_for(1_200);
    assert_eq!(breadths(&w, GATEWAY).len(), 3, "the third one");
    gateway_says(&mut w, 200);
    assert_eq!(statuses(&w, PEER), [100, 180, 180, 200]);
}

#[test]
fn rfc5393_5_3_3_1_nobody_has_a_turn_after_a_global_refusal_or_a_cancel() {
    for cancel in [false, true] {
        let mut w = world();
        let step = ngn_sip::stack::ForwardStep::new(Condition::First, vec![gateway(); 3]);
        w.forwards(vec![step]);
        w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", "Max-Breadth: 1\n"));
        w.run_for(50);
        if cancel {
            w.inject(PEER, &request("CANCEL", "sip:b@example.com", "z9hG4bK1", ""));
            w.run_for(50);
        }
        gateway_says(&mut w, if cancel { 487 } else { 600 });
        assert_eq!(breadths(&w, GATEWAY), ["1"]);
        let expected = if cancel { vec![100, 200, 487] } else { vec![100, 600] };
        assert_eq!(statuses(&w, PEER), expected);
    }
}

#[test]
fn rfc4320_4_1_other_requests_have_no_provisional_response_but_100() {
    let mut w = world();
    forward_to(&mut w, gateway());
    w.inject(PEER, &request("MESSAGE", "sip:b@example.com", "z9hG4bK1", ""));
    w.run_for(50);
    gateway_says(&mut w, 183);
    gateway_says(&mut w, 100);
    assert_eq!(statuses(&w, PEER), [0; 0]);
    gateway_says(&mut w, 200);
    assert_eq!(statuses(&w, PEER), [200]);
}

#[test]
fn rfc3326_2_each_reason_of_a_cancel_goes_along() {
    let mut w = world();
    forward_to(&mut w, gateway());
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", ""));
    w.run_for(50);
    gateway_says(&mut w, 180);
    let reasons = ["SIP;cause=200;text=\"Call completed elsewhere\"", "Q.850;cause=26, x;y"];
    let fields = reasons.map(|reason| format!("Reason: {reason}\n")).concat();
    w.inject(PEER, &request("CANCEL", "sip:b@example.com", "z9hG4bK1", &fields));
    w.run_for(50);
    let sent = sent(&w, GATEWAY);
    let cancel = sent.iter().rfind(|m| m.method() == Some(&Method::Cancel)).expect("a CANCEL");
    let found: Vec<_> = cancel.named(HeaderName::Reason).filter_map(|field| field.text()).collect();
    assert_eq!(found, reasons);
}

#[test]
fn a_sips_request_does_not_leave_over_an_insecure_transport() {
    let mut w = world();
    let mut target = gateway();
    target.uri = uri("sips:b@gw.example.org");
    forward_to(&mut w, target);
    w.inject(PEER, &request("INVITE", "sips:b@example.com", "z9hG4bK1", ""));
    w.run_for(100);
    assert_eq!(statuses(&w, PEER), [100, 500]);
    assert!(sent(&w, "203.0.113.9:5060").is_empty());
}

#[test]
fn rfc3261_17_2_retransmissions_are_absorbed_and_answered_alike() {
    let mut w = world();
    w.decide = Box::new(|request, _| (50, Some(Act::Reply(request.id, 404))));
    let register = request("REGISTER", "sip:example.com", "z9hG4bK1", "");
    let invite = request("INVITE", "sip:b@example.com", "z9hG4bK2", "");
    for _ in 0..3 {
        w.inject(PEER, &register);
        w.inject(PEER, &invite);
        w.run_for(20);
    }
    w.run_for(20);
    assert_eq!(w.came_up.len(), 2);
    // The INVITE that came again was answered 100 at once.
    assert_eq!(statuses(&w, PEER), [100, 100, 404, 404]);
    w.sent.clear();
    w.inject(PEER, &register);
    w.inject(PEER, &invite);
    w.run_for(20);
    assert_eq!(statuses(&w, PEER), [404, 404]);
    let tags: Vec<_> = sent(&w, PEER)
        .iter()
        .map(|m| m.to_header().expect("To").tag().expect("a tag").to_owned())
        .collect();
    assert_ne!(tags[0], tags[1], "each transaction has its own tag");
}

#[test]
fn rfc3261_17_2_3_an_ack_ends_the_retransmission_of_a_refusal() {
    for branch in ["z9hG4bK1", "1"] {
        // The second client speaks RFC 2543: its branch says nothing.
        let mut w = world();
        w.decide = Box::new(|request, _| (0, Some(Act::Reply(request.id, 404))));
        w.inject(PEER, &request("INVITE", "sip:b@example.com", branch, ""));
        w.run_for(600);
        assert_eq!(statuses(&w, PEER), [404, 404]);
        w.inject(PEER, &in_dialog("ACK", "sip:b@example.com", branch, ""));
        w.run_for(60_000);
        assert_eq!(statuses(&w, PEER), [404, 404]);
        assert!(w.stack.usage().is_empty());
        assert_eq!(w.stack.counters().unacknowledged, 0);
    }
}

#[test]
fn rfc3261_8_2_7_an_answer_without_state_leaves_nothing_behind() {
    for branch in ["z9hG4bK1", "1"] {
        let mut stack = Stack::new(bench::config(Settings::default().timers), [7; 32]);
        let (local, remote) = (bench::proxy_address(), address(PEER));
        let udp = Source { transport: Transport::Udp, local, remote, flow: None };
        let receive = |stack: &mut Stack, text: &str| {
            let octets = text.replace('\n', "\r\n").into_bytes();
            stack.receive(Moment::ZERO, udp.clone(), bench::parse(octets));
            stack.poll_output()
        };
        let invite = request("INVITE", "sip:b@example.com", branch, "");
        let mut tags = Vec::new();
        // It came again because the answer was lost: it is asked anew, and answered with the same tag.
        for _ in 0..2 {
            let Some(Output::Request(new)) = receive(&mut stack, &invite) else { panic!("new") };
            let fields = [(HeaderName::ProxyAuthenticate, "Digest realm=\"a\"".to_owned())];
            assert!(stack.reply_statelessly(Moment::ZERO, new.id, 407, None, &fields));
            assert!(!stack.reply_statelessly(Moment::ZERO, new.id, 407, None, &fields), "once");
            let Some(Output::Send { to, octets, .. }) = stack.poll_output() else {
                panic!("a 407")
            };
            let answer = bench::parse(octets.to_vec());
            assert_eq!((to.remote, answer.status()), (remote, Some(407)));
            assert!(answer.has(HeaderName::ProxyAuthenticate));
            tags.push(answer.to_header().expect("To").tag().expect("a tag").to_owned());
            assert!(stack.usage().is_empty() && stack.next_deadline().is_none());
        }
        assert_eq!(tags[0], tags[1]);
        let ack = in_dialog("ACK", "sip:b@example.com", branch, "");
        assert!(receive(&mut stack, &ack.replace("tag=t1", &format!("tag={}", tags[0]))).is_none());
        assert_eq!(stack.counters().dropped, 0, "the ACK was expected");
        assert!(receive(&mut stack, &ack).is_none());
        assert_eq!(stack.counters().dropped, 1, "another one was not");
    }
}

#[test]
fn what_waits_for_its_answer_is_kept_and_answered_in_the_end() {
    let mut stack = Stack::new(bench::config(Settings::default().timers), [7; 32]);
    let (local, remote) = (bench::proxy_address(), address(PEER));
    let udp = Source { transport: Transport::Udp, local, remote, flow: None };
    let text = request("OPTIONS", "sip:b@example.com", "z9hG4bK1", "").replace('\n', "\r\n");
    let arrive = |stack: &mut Stack| {
        stack.receive(Moment::ZERO, udp.clone(), bench::parse(text.clone().into_bytes()));
    };
    arrive(&mut stack);
    let Some(Output::Request(new)) = stack.poll_output() else { panic!("it is new") };
    let until = stack.next_deadline().expect("when it must have been answered");
    arrive(&mut stack);
    assert!(stack.poll_output().is_none(), "it came again");
    // By now something happened in between: the answer is kept for what comes again.
    assert!(stack.reply_statelessly(Moment::ZERO, new.id, 200, None, &[]));
    assert!(matches!(stack.poll_output(), Some(Output::Send { .. })));
    arrive(&mut stack);
    assert!(matches!(stack.poll_output(), Some(Output::Send { .. })), "the same answer");
    assert_eq!(stack.counters().retransmissions, 2);

    let mut stack = Stack::new(bench::config(Settings::default().timers), [7; 32]);
    arrive(&mut stack);
    assert!(matches!(stack.poll_output(), Some(Output::Request(_))));
    assert_eq!(stack.next_deadline(), Some(until));
    stack.timeout(until);
    let Some(Output::Send { octets, .. }) = stack.poll_output() else { panic!("an answer") };
    assert_eq!(bench::parse(octets.to_vec()).status(), Some(500), "the application forgot it");
}

#[test]
fn rfc3261_8_2_2_2_merged_requests_are_told() {
    let mut w = world();
    w.inject(PEER, &request("REGISTER", "sip:example.com", "z9hG4bK1", ""));
    w.inject(PEER, &request("REGISTER", "sip:example.com", "z9hG4bK2", ""));
    w.inject(
        PEER,
        &request("REGISTER", "sip:example.com", "z9hG4bK3", "").replace("CSeq: 1", "CSeq: 2"),
    );
    w.run_for(10);
    let merged: Vec<bool> = w.came_up.iter().map(|c| c.is_merged).collect();
    assert_eq!(merged, [false, true, false]);
}

#[test]
fn rfc3581_4_responses_go_where_the_request_came_from_when_asked_for() {
    for (via, to) in [
        ("203.0.113.5:5060", "203.0.113.5:5060"),
        ("203.0.113.5:5070;rport", "203.0.113.5:4444"),
        ("203.0.113.5:5070", "203.0.113.5:5070"),
        ("host.example.net:5070", "203.0.113.5:5070"),
        // Behind a NAT, and not saying so.
        ("10.1.2.3:5070", "203.0.113.5:4444"),
        ("100.64.2.3", "203.0.113.5:4444"),
    ] {
        let mut w = world();
        let from = if via == "203.0.113.5:5060" { PEER } else { "203.0.113.5:4444" };
        w.decide = Box::new(|request, _| (0, Some(Act::Reply(request.id, 200))));
        let text = request("OPTIONS", "sip:example.com", "z9hG4bK1", "");
        w.inject(from, &text.replace("203.0.113.5:5060;", &format!("{via};")));
        w.run_for(10);
        assert_eq!(statuses(&w, to), [200], "{via}");
    }
}

#[test]
fn malformed_requests_are_answered_and_other_rubbish_is_not() {
    let mut w = world();
    let good = request("OPTIONS", "sip:example.com", "z9hG4bK1", "");
    w.inject(PEER, &good.replace("Content-Length", "Max-Forwards: x\nContent-Length"));
    w.inject(PEER, &good.replace("SIP/2.0\nVia", "SIP/7.0\nVia"));
    w.inject(PEER, &good.replace("OPTIONS", "ACK").replace("Call-ID: call-1", "Call-ID:"));
    w.inject(PEER, "SIP/2.0 200 OK\nCSeq: x\n\n");
    w.inject(PEER, "\n\n");
    w.inject(PEER, "GET / HTTP/1.1\n\n");
    w.run_for(10);
    assert_eq!(statuses(&w, PEER), [400, 505]);
    assert!(w.came_up.is_empty());
    assert_eq!(w.stack.counters().malformed, 6);
    assert!(w.stack.usage().is_empty());
}

#[test]
fn too_much_work_is_turned_away_but_not_dialogs_and_emergencies() {
    let mut config = bench::config(Settings::default().timers);
    config.limits.transactions = 3;
    config.limits.reserve = 4;
    config.emergency_numbers = vec!["112".into()];
    let mut w = World::with(config, Settings::default(), 1);
    for n in 0..3 {
        w.inject(PEER, &request("INVITE", "sip:b@example.com", &format!("z9hG4bKa{n}"), ""));
    }
    w.run_for(10);
    assert_eq!(w.came_up.len(), 3);
    assert!(w.stack.is_overloaded());
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bKb", ""));
    w.run_for(10);
    assert_eq!((w.came_up.len(), statuses(&w, PEER)), (3, vec![503]));
    let refusal = sent(&w, PEER)[0];
    let seconds: u32 = refusal
        .field(HeaderName::RetryAfter)
        .and_then(|f| f.text()?.parse().ok())
        .expect("Retry-After");
    assert!((5..=30).contains(&seconds), "{seconds}");
    w.inject(PEER, &request("INVITE", "sip:112@example.com", "z9hG4bKc", ""));
    w.inject(PEER, &request("INVITE", "urn:service:sos", "z9hG4bKd", ""));
    w.inject(PEER, &in_dialog("BYE", "sip:b@example.com", "z9hG4bKe", ""));
    w.run_for(10);
    assert_eq!(w.came_up.len(), 6);
    // The last part of the reserve is for emergency calls.
    w.inject(PEER, &in_dialog("BYE", "sip:b@example.com", "z9hG4bKg", ""));
    w.inject(PEER, &request("INVITE", "sip:112@example.com", "z9hG4bKf", ""));
    w.run_for(10);
    assert_eq!((w.came_up.len(), w.stack.counters().shed), (7, 2));
    // Beyond the reserve nothing more is kept, whatever it is.
    w.inject(PEER, &request("INVITE", "sip:112@example.com", "z9hG4bKh", ""));
    w.run_for(10);
    assert_eq!((w.came_up.len(), w.stack.counters().shed), (7, 3));
    assert_eq!(w.stack.usage().servers, 7);
}

#[test]
fn what_is_turned_away_at_each_level() {
    use ngn_sip::stack::Shedding;
    let mut config = bench::config(Settings::default().timers);
    config.emergency_numbers = vec!["112".into()];
    let mut w = World::with(config, Settings::default(), 1);
    let mut taken = Vec::new();
    let levels = [Shedding::Nothing, Shedding::Registrations, Shedding::Calls, Shedding::Dialogs];
    for (n, level) in levels.into_iter().enumerate() {
        w.stack.set_shedding(level);
        let before = w.came_up.len();
        let branch = |name: &str| format!("z9hG4bK{n}{name}");
        for method in ["REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "PUBLISH"] {
            w.inject(PEER, &request(method, "sip:b@example.com", &branch(method), ""));
        }
        w.inject(PEER, &request("INVITE", "sip:b@example.com", &branch("call"), ""));
        w.inject(PEER, &in_dialog("INFO", "sip:b@example.com", &branch("in"), ""));
        w.inject(PEER, &request("INVITE", "sip:112@example.com", &branch("help"), ""));
        w.run_for(10);
        taken.push(w.came_up.len() - before);
    }
    assert_eq!(taken, [8, 3, 2, 1]);
}

/// A stranger who never acknowledges gets its refusal once, and again each time that it asks again.
#[test]
fn rfc3261_26_3_2_4_refusals_are_not_repeated_to_strangers() {
    for (most, expected) in [(0, 1), (3, 4)] {
        let mut w = world();
        w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bKa", ""));
        w.run_for(1);
        let id = w.came_up[0].id;
        w.stack.limit_repeats(id, most);
        w.stack.reply(w.now, id, 407, None, &[]);
        w.run_for(40_000);
        assert_eq!(statuses(&w, PEER), vec![407; expected]);
    }
}

/// Responses go where requests come from, whatever their Via says.
#[test]
fn a_response_is_not_sent_to_somebody_else() {
    let mut w = world();
    let text = request("OPTIONS", "sip:b@example.com", "z9hG4bKa", "").replacen(
        ";branch=",
        ";maddr=198.51.100.99;branch=",
        1,
    );
    w.inject(PEER, &text);
    w.run_for(1);
    let id = w.came_up[0].id;
    w.stack.reply(w.now, id, 404, None, &[]);
    w.run_for(1_000);
    assert_eq!(statuses(&w, PEER), vec![404]);
}

#[test]
fn while_draining_new_work_is_turned_away() {
    let mut w = world();
    w.stack.set_draining(true);
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bKb", ""));
    w.inject(PEER, &in_dialog("BYE", "sip:b@example.com", "z9hG4bKe", ""));
    w.run_for(10);
    assert_eq!((w.came_up.len(), statuses(&w, PEER)), (1, vec![503]));
    w.stack.set_draining(false);
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bKb", ""));
    w.run_for(10);
    assert_eq!(w.came_up.len(), 2);
}

/// Sets a call up and returns the Record-Route that the callee saw.
fn record_route(w: &mut World) -> String {
    forward_to(w, gateway());
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", ""));
    w.run_for(50);
    let invite = sent(w, "203.0.113.9:5060")[0];
    let routes = invite.record_routes().expect("routes");
    assert_eq!(routes.len(), 1);
    routes[0].uri().to_string()
}

#[test]
fn rfc3261_16_12_loose_routing() {
    let mut w = world();
    let own = record_route(&mut w);
    w.sent.clear();
    let routes = format!("Route: <{own}>, <sip:203.0.113.20;lr>\n");
    w.inject(PEER, &in_dialog("BYE", "sip:b@203.0.113.77", "z9hG4bK2", &routes));
    w.run_for(50);
    let bye = sent(&w, "203.0.113.20:5060")[0];
    assert_eq!(bye.request_uri().expect("a URI").as_str(), "sip:b@203.0.113.77");
    assert_eq!(bye.routes().expect("routes").len(), 1);
    assert_eq!(w.came_up.len(), 1, "only the INVITE came up");
}

#[test]
fn rfc3261_16_4_a_strict_router_before_us_and_16_6_one_after_us() {
    let mut w = world();
    let own = record_route(&mut w);
    w.sent.clear();
    // The element before us put our entry into the Request-URI and the real one last in Route.
    let routes = "Route: <sip:203.0.113.20>, <sip:b@203.0.113.77>\n";
    w.inject(PEER, &in_dialog("BYE", &own, "z9hG4bK2", routes));
    w.run_for(50);
    let bye = sent(&w, "203.0.113.20:5060")[0];
    // The next one is strict too.
    assert_eq!(bye.request_uri().expect("a URI").as_str(), "sip:203.0.113.20");
    let routes: Vec<_> =
        bye.routes().expect("routes").iter().map(|r| r.uri().to_string()).collect();
    assert_eq!(routes, ["sip:b@203.0.113.77"]);
}

#[test]
fn an_ack_for_a_2xx_travels_without_state() {
    let mut w = world();
    let own = record_route(&mut w);
    w.sent.clear();
    let servers = w.stack.usage().servers;
    let to = Destination::new(Transport::Udp, address("203.0.113.30:5060"));
    w.names.insert("callee.example.org".into(), vec![to]);
    let route = format!("Route: <{own}>\n");
    for uri in ["sip:b@203.0.113.77", "sip:b@callee.example.org"] {
        let ack = in_dialog("ACK", uri, "z9hG4bKack", &route);
        w.inject(PEER, &ack);
        w.inject(PEER, &ack);
    }
    w.run_for(50);
    for to in ["203.0.113.77:5060", "203.0.113.30:5060"] {
        let acks = sent(&w, to);
        assert_eq!(acks.len(), 2);
        let branch = |m: &Message| m.top_via().expect("a Via").branch().map(ToOwned::to_owned);
        assert_eq!(branch(acks[0]), branch(acks[1]), "section 16.11");
        assert_eq!(acks[0].max_forwards().expect("a value").map(|m| m.0), Some(70));
    }
    assert_eq!(w.stack.usage().servers, servers);
    assert_eq!(w.stack.usage().pending_acks, 0);
    // Without a Route that we signed it goes nowhere.
    w.sent.clear();
    w.inject(PEER, &in_dialog("ACK", "sip:b@203.0.113.77", "z9hG4bKack", ""));
    w.inject(
        PEER,
        &in_dialog("ACK", "sip:b@203.0.113.77", "z9hG4bKx", "Route: <sip:192.0.2.10;lr>\n"),
    );
    w.run_for(50);
    assert!(w.sent.is_empty());
    assert_eq!(w.stack.counters().dropped, 2);
}

#[test]
fn acks_that_wait_for_a_look_up_are_bounded_and_forgotten() {
    let mut config = bench::config(Settings::default().timers);
    config.limits.pending_acks = 2;
    let mut w = World::with(config, Settings::default(), 1);
    let own = record_route(&mut w);
    let route = format!("Route: <{own}>\n");
    for n in 0..3 {
        let ack = in_dialog("ACK", "sip:b@slow.example.org", &format!("z9hG4bKack{n}"), &route);
        w.inject(PEER, &ack);
    }
    w.run_for(5);
    assert_eq!((w.stack.usage().pending_acks, w.stack.counters().dropped), (2, 1));
    w.run_for(10_000);
    assert_eq!(w.stack.usage().pending_acks, 0);
}

#[test]
fn a_preloaded_route_with_a_domain_of_ours_is_taken_off() {
    let mut w = world();
    w.stack.add_own_name("Example.com");
    let fields = "Route: <sip:example.com;lr>, <sip:203.0.113.20;lr>\n";
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", fields));
    w.run_for(10);
    let request = w.came_up[0].request.clone();
    assert_eq!(request.routes().expect("routes").len(), 1);
    assert!(!w.came_up[0].is_stray);
    let elsewhere = request_again("Route: <sip:example.com:7000;lr>\n").replace("bK2", "bK3");
    w.inject(PEER, &elsewhere);
    w.run_for(10);
    assert_eq!(w.came_up.pop().expect("it").request.routes().expect("routes").len(), 1);
    w.stack.remove_own_name("example.com");
    w.inject(PEER, &request_again(fields));
    w.run_for(10);
    assert_eq!(w.came_up[1].request.routes().expect("routes").len(), 2);
}

fn request_again(fields: &str) -> String {
    request("INVITE", "sip:b@example.com", "z9hG4bK2", fields)
}

#[test]
fn a_made_up_response_is_not_relayed() {
    let mut w = world();
    forward_to(&mut w, gateway());
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", ""));
    w.run_for(50);
    let ours = sent(&w, "203.0.113.9:5060")[0].top_via().expect("a Via");
    let branch = ours.branch().expect("a branch").to_owned();
    w.sent.clear();
    let response = |via: &str, below: &str| {
        format!(
            "SIP/2.0 200 OK\nVia: SIP/2.0/UDP {via}\nVia: SIP/2.0/UDP {below}\n\
             From: <sip:a@example.net>;tag=f1\nTo: <sip:b@example.com>;tag=t\nCall-ID: call-1\n\
             CSeq: 1 INVITE\nContact: <sip:b@203.0.113.77>\nContent-Length: 0\n\n"
        )
    };
    // Forget everything, as after a restart.
    w.stack = ngn_sip::stack::Stack::new(bench::config(w.settings.timers), [9; 32]);
    let victim = "203.0.113.66;branch=z9hG4bK1";
    for (via, below) in [
        ("192.0.2.10;branch=z9hG4bK1".to_owned(), "203.0.113.66;branch=x"),
        (format!("192.0.2.99;branch={branch}"), victim),
        (format!("192.0.2.10;branch={branch}"), "203.0.113.66;branch=z9hG4bKother"),
        (format!("192.0.2.10;branch={}AAAA", &branch[..31]), victim),
    ] {
        w.inject("203.0.113.9:5060", &response(&via, below));
    }
    w.run_for(50);
    assert!(w.sent.is_empty());
    // The real one is.
    let real = response(&format!("192.0.2.10;branch={branch}"), "203.0.113.5;branch=z9hG4bK1");
    w.inject("203.0.113.9:5060", &real);
    w.run_for(50);
    assert_eq!(statuses(&w, PEER), [200]);
}

#[test]
fn requests_of_our_own() {
    let mut w = world();
    w.phone("bob");
    let options = |w: &World| {
        let from =
            ngn_sip::header::FromHeader(ngn_sip::header::NameAddr::new(uri("sip:192.0.2.10")));
        let to =
            ngn_sip::header::ToHeader(ngn_sip::header::NameAddr::new(uri("sip:bob@198.51.100.1")));
        let text = format!(
            "OPTIONS sip:bob@198.51.100.1 SIP/2.0\nVia: SIP/2.0/UDP x;branch=z9hG4bKy\nFrom: {from};tag=1\n\
             To: {to}\nCall-ID: ping{}\nCSeq: 1 OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n",
            w.answers.len()
        );
        let mut message = bench::parse(text.replace('\n', "\r\n").into_bytes());
        message.pop_via().expect("a Via");
        message
    };
    let now = w.now;
    let (message, to) = (options(&w), w.destination(0));
    assert!(w.stack.send(now, message, to.clone()).is_some());
    w.run_to_end();
    assert!(
        matches!(&w.answers[..], [AnswerResult::Response(r)] if r.status() == Some(200)),
        "{:?}",
        w.answers
    );
    let now = w.now;
    let silent = Destination::new(Transport::Udp, address("203.0.113.1:5060"));
    let message = options(&w);
    assert!(w.stack.send(now, message, silent).is_some());
    w.run_to_end();
    assert!(matches!(w.answers.last(), Some(AnswerResult::TimedOut)));
    w.unreachable = vec![to.remote];
    let now = w.now;
    let message = options(&w);
    assert!(w.stack.send(now, message, to).is_some());
    w.run_to_end();
    assert!(matches!(w.answers.last(), Some(AnswerResult::TransportFailed)));
    let now = w.now;
    let message = options(&w);
    let tls = Destination::new(Transport::Tls, address("203.0.113.1:5061"));
    assert!(w.stack.send(now, message, tls).is_none(), "there is no such socket");
}

#[test]
fn new_settings_hold_for_new_requests() {
    let mut w = world();
    let mut config = bench::config(w.settings.timers);
    config.supported = vec!["magic".into()];
    w.stack.reconfigure(config);
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", "Proxy-Require: magic\n"));
    w.run_for(10);
    assert_eq!(w.came_up.len(), 1);
}

#[test]
fn the_queue_of_deadlines_does_not_grow_with_requests_that_are_done() {
    let mut w = world();
    w.is_recording = false;
    w.decide = Box::new(|request, _| (0, Some(Act::Reply(request.id, 200))));
    let mut most = 0;
    for n in 0..20_000 {
        w.inject(PEER, &request("OPTIONS", "sip:example.com", &format!("z9hG4bK{n}"), ""));
        w.run_for(10);
        let usage = w.stack.usage();
        most = most.max(usage.deadlines - usage.servers.min(usage.deadlines));
    }
    assert!(most < 8000, "{most} void deadlines");
    w.run_to_end();
}

#[test]
fn rfc3261_17_1_3_a_response_matches_by_branch_and_method() {
    let mut w = world();
    forward_to(&mut w, gateway());
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", ""));
    w.run_for(50);
    let invite = sent(&w, "203.0.113.9:5060")[0].clone();
    let answer = invite.response(486, "Busy Here", Some("t"));
    let text = String::from_utf8(answer.to_vec()).expect("text");
    w.inject("203.0.113.9:5060", &text.replace("1 INVITE", "1 BYE"));
    w.inject("203.0.113.9:5060", &text.replace("1 INVITE", "1 CANCEL"));
    w.run_for(50);
    assert_eq!((statuses(&w, PEER), w.stack.counters().stray_responses), (vec![100], 2));
    w.inject("203.0.113.9:5060", &text);
    w.run_for(50);
    assert_eq!(statuses(&w, PEER), [100, 486]);
}

#[test]
fn rfc3261_16_7_step_3_a_response_without_further_via_is_not_forwarded() {
    let mut w = world();
    forward_to(&mut w, gateway());
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", ""));
    w.run_for(50);
    let invite = sent(&w, "203.0.113.9:5060")[0].clone();
    let text = String::from_utf8(invite.response(200, "OK", Some("t")).to_vec()).expect("text");
    let below = text.lines().filter(|line| line.starts_with("Via:")).nth(1).expect("a Via below");
    let alone = text.replace(&format!("{below}\r\n"), "");
    assert_ne!(alone, text);
    w.inject("203.0.113.9:5060", &alone);
    w.run_for(50);
    assert_eq!((statuses(&w, PEER), w.stack.counters().stray_responses), (vec![100], 1));
    // The same in one field, and whole.
    let whole = alone.replacen("\r\nFrom:", &format!(",{}\r\nFrom:", &below["Via:".len()..]), 1);
    w.inject("203.0.113.9:5060", &whole);
    w.run_for(50);
    assert_eq!(statuses(&w, PEER), [100, 200]);
}

#[test]
fn rfc3261_9_2_a_cancel_of_another_method_is_answered_and_changes_nothing() {
    let mut w = world();
    forward_to(&mut w, gateway());
    w.inject(PEER, &request("MESSAGE", "sip:b@example.com", "z9hG4bK1", ""));
    w.run_for(50);
    let message = sent(&w, "203.0.113.9:5060")[0].clone();
    w.inject(PEER, &request("CANCEL", "sip:b@example.com", "z9hG4bK1", ""));
    w.inject(PEER, &request("CANCEL", "sip:b@example.com", "z9hG4bK2", ""));
    w.run_for(50);
    assert_eq!(statuses(&w, PEER), [200, 481]);
    let answer = message.response(202, "Accepted", Some("t"));
    w.inject("203.0.113.9:5060", &String::from_utf8(answer.to_vec()).expect("text"));
    w.run_for(50);
    assert_eq!((sent(&w, "203.0.113.9:5060").len(), statuses(&w, PEER)), (1, vec![200, 481, 202]));
}

#[test]
fn rfc3261_16_6_step_2_what_a_request_uri_may_not_have_is_left_out() {
    let mut w = world();
    let next_hop = Destination::new(Transport::Udp, address("203.0.113.9:5060"));
    let contact = "sip:b@gw.example.org;Method=BYE;user=phone;x?Subject=y";
    forward_to(&mut w, ForwardTarget::at(uri(contact), next_hop));
    w.inject(PEER, &request("INVITE", "sip:b@example.com", "z9hG4bK1", ""));
    w.run_for(50);
    let sent = sent(&w, "203.0.113.9:5060")[0].request_uri().expect("a request");
    assert_eq!(sent.as_str(), "sip:b@gw.example.org;user=phone;x");
}

#[test]
fn a_stack_may_live_in_any_thread() {
    fn check<T: Send>(_: &T) {}
    check(&world().stack);
    check(&world().stack.poll_output());
}
