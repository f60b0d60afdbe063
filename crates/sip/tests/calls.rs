//! Calls through the stack, in memory, on a virtual clock: each test is one behaviour of RFC 3261 section 16.
#![allow(clippy::expect_used, clippy::print_stderr, reason = "a test may fail")]

mod bench;

use bench::phone::{Behaviour, Ending};
use bench::{Settings, World};
use ngn_model::call_plan::{Condition, Leg};
use ngn_sip::message::Method;
use ngn_sip::stack::{CallEventKind, ForwardStep, TriedResult};
use ngn_sip::uri::Uri;

fn world(phones: &[&str]) -> World {
    let mut world = World::new(Settings::default(), 1);
    for phone in phones {
        world.phone(phone);
    }
    world
}

fn ending(world: &World, phone: usize, request: usize) -> Ending {
    let outgoing = world.phones[phone].outgoing.get(request).expect("a request");
    assert_eq!(outgoing.endings.len(), 1, "{:?}", outgoing.endings);
    outgoing.endings[0]
}

#[test]
fn a_call_is_set_up_and_ended() {
    let mut w = world(&["alice", "bob"]);
    w.phones[0].hangs_up = Some(5000);
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert_eq!(w.phones[0].outgoing[0].provisionals, [100, 180]);
    assert_eq!(w.sent_to(1), ["INVITE", "ACK", "BYE"]);
    assert_eq!(w.sent_to(0), ["100 INVITE", "180 INVITE", "200 INVITE", "200 BYE"]);
    assert_eq!(w.came_up.len(), 1, "only the INVITE comes up");
    let kinds: Vec<_> = w.events.iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds,
        [
            CallEventKind::Ringing { status: 180, step: 0, target: 0 },
            CallEventKind::Answered { status: 200, step: 0, target: 0 },
            CallEventKind::Ended
        ]
    );
    assert!(w.events.iter().all(|e| e.call_id == w.events[0].call_id && e.to_tag.is_some()));
    let invite = w.requests_to(1, "INVITE")[0];
    assert_eq!(invite.max_forwards().expect("a value").map(|m| m.0), Some(69));
    assert_eq!(invite.vias().expect("Vias").len(), 2);
}

#[test]
fn the_callee_may_hang_up() {
    let mut w = world(&["alice", "bob"]);
    w.phones[1].hangs_up = Some(5000);
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(w.phones[0].methods_in(), ["BYE"]);
    assert_eq!(w.events.last().map(|e| e.kind), Some(CallEventKind::Ended));
}

/// RFC 3261 section 15.1.1: a session is over when its BYE is sent, not when it is answered, or never is.
#[test]
fn a_call_is_over_when_its_bye_comes() {
    let mut w = world(&["alice", "bob"]);
    w.phones[0].hangs_up = Some(5000);
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_for(4000);
    w.phones[1].behaviour = Behaviour::RingThenDie;
    w.run_to_end();
    let last = w.events.last().expect("an event");
    assert_eq!(last.kind, CallEventKind::Ended);
    assert_eq!(last.ago, std::time::Duration::from_secs(32), "timer F");
}

#[test]
fn busy_takes_the_step_for_busy_and_passes_over_others() {
    let mut w = world(&["alice", "bob", "noanswer", "voicemail"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::Refuse(500, 486);
    let steps = vec![
        w.step(Condition::First, &[1], Some(20_000)),
        w.step(Condition::NoAnswer, &[2], None),
        w.step(Condition::Busy, &[3], None),
    ];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert!(w.sent_to(2).is_empty());
    assert_eq!(w.phones[3].finals_of_invites_in(), [Some(200)]);
    let answered = CallEventKind::Answered { status: 200, step: 2, target: 0 };
    assert!(w.events.iter().any(|e| e.kind == answered), "{:?}", w.events);
}

#[test]
fn no_answer_cancels_and_takes_the_next_step() {
    let mut w = world(&["alice", "bob", "voicemail"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::RingForever;
    let steps = vec![
        w.step(Condition::First, &[1], Some(20_000)),
        w.step(Condition::NoAnswer, &[2], Some(20_000)),
    ];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert_eq!(w.sent_to(1), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(w.phones[1].finals_of_invites_in(), [Some(487)]);
}

#[test]
fn no_answer_and_nowhere_else_to_go_is_408() {
    let mut w = world(&["alice", "bob"]);
    w.phones[1].behaviour = Behaviour::RingForever;
    let steps = vec![w.step(Condition::First, &[1], Some(20_000))];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(408));
    assert_eq!(w.events.last().map(|e| e.kind), Some(CallEventKind::Failed { status: 408 }));
}

#[test]
fn rfc3261_16_7_step_10_the_first_2xx_cancels_the_others() {
    let mut w = world(&["alice", "desk", "mobile", "lobby"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::RingForever;
    w.phones[2].behaviour = Behaviour::Answer(2000);
    w.phones[3].behaviour = Behaviour::Silent;
    let steps = vec![w.step(Condition::First, &[1, 2, 3], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert_eq!(w.sent_to(1), ["INVITE", "CANCEL", "ACK"]);
    let cancel = w.requests_to(1, "CANCEL")[0];
    let reason = cancel.field_named("Reason").and_then(|f| f.text()).map(ToOwned::to_owned);
    assert_eq!(reason.as_deref(), Some("SIP;cause=200;text=\"Call completed elsewhere\""));
    // A phone that never said anything must not be sent a CANCEL (section 9.1).
    assert!(w.sent_to(3).iter().all(|m| m == "INVITE"), "{:?}", w.sent_to(3));
}

#[test]
fn rfc3261_16_7_step_5_a_6xx_ends_all_branches_and_wins() {
    let mut w = world(&["alice", "desk", "mobile", "voicemail"]);
    w.phones[1].behaviour = Behaviour::RingForever;
    w.phones[2].behaviour = Behaviour::Refuse(1000, 603);
    let steps = vec![
        w.step(Condition::First, &[1, 2], None),
        w.step(Condition::Failure, &[3], None),
        w.step(Condition::Unanswered, &[3], None),
    ];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(603));
    assert_eq!(w.phones[1].finals_of_invites_in(), [Some(487)]);
    assert!(w.sent_to(3).is_empty());
}

#[test]
fn rfc3261_16_10_cancel_from_the_caller() {
    let mut w = world(&["alice", "bob"]);
    w.phones[1].behaviour = Behaviour::RingForever;
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.phones[0].outgoing[0].cancel_at = Some(now + std::time::Duration::from_secs(3));
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(487));
    assert_eq!(ending(&w, 0, 1), Ending::Response(200), "the CANCEL");
    assert_eq!(w.sent_to(1), ["INVITE", "CANCEL", "ACK"]);
}

#[test]
fn a_cancel_before_the_application_has_decided() {
    let mut w = world(&["alice"]);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.phones[0].outgoing[0].cancel_at = Some(now + std::time::Duration::from_secs(1));
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(487));
    assert_eq!(w.cancelled, 1);
}

#[test]
fn rfc3261_9_2_a_cancel_for_nothing_is_481() {
    let mut w = world(&["alice"]);
    w.inject(
        "198.51.100.1:5060",
        "CANCEL sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKx1\n\
         From: <sip:a@example.com>;tag=1\nTo: <sip:bob@example.com>\nCall-ID: x\nCSeq: 1 CANCEL\n\
         Max-Forwards: 70\nContent-Length: 0\n\n",
    );
    w.phones.clear();
    w.run_to_end();
    let statuses: Vec<_> = w.sent.iter().map(|(_, _, m)| m.status()).collect();
    assert_eq!(statuses, [Some(481)]);
}

#[test]
fn what_the_application_forgets_is_answered_500() {
    let mut w = world(&["alice"]);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.phones[0].request(now, "OPTIONS", "sip:bob@example.com", "");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(500));
    assert_eq!(ending(&w, 0, 1), Ending::Response(500));
    assert_eq!(w.stack.counters().unanswered_by_application, 2);
}

#[test]
fn rfc3261_17_2_1_an_invite_is_answered_100_within_200_ms() {
    let mut w = world(&["alice"]);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_for(300);
    let sent: Vec<_> = w.sent.iter().map(|(at, _, m)| (*at, m.status())).collect();
    assert_eq!(sent, [(1210, Some(100))]);
}

#[test]
fn rfc3263_4_3_the_next_hop_is_tried_when_one_fails() {
    let mut w = world(&["alice", "dead", "refusing", "good"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[2].behaviour = Behaviour::Refuse(10, 503);
    let mut step = w.step(Condition::First, &[1], None);
    let hops = vec![w.destination(1), w.destination(2), w.destination(3)];
    step.targets[0].next_hops = hops;
    w.unreachable = vec![w.phones[1].address];
    w.forwards(vec![step]);
    let now = w.now;
    w.phones[0].invite(now, "sip:+431@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert_eq!(w.phones[2].finals_of_invites_in(), [Some(503)]);
    assert_eq!(w.phones[3].finals_of_invites_in(), [Some(200)]);
    let tried = |phone: usize, result| (w.phones[phone].address, result);
    let expected = [
        tried(1, TriedResult::Failed),
        tried(2, TriedResult::Final(503)),
        tried(3, TriedResult::Final(200)),
    ];
    assert_eq!(results(&w)[..3], expected);
}

/// Where requests were sent, and what came of it.
fn results(w: &World) -> Vec<(std::net::SocketAddr, TriedResult)> {
    w.tried.iter().map(|tried| (tried.to.remote, tried.result)).collect()
}

#[test]
fn a_silent_next_hop_is_passed_over_after_a_while() {
    let mut w = world(&["alice", "dead", "good"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::Silent;
    let mut step = w.step(Condition::First, &[1], None);
    step.targets[0].next_hops = vec![w.destination(1), w.destination(2)];
    w.forwards(vec![step]);
    let now = w.now;
    w.phones[0].invite(now, "sip:+431@example.com");
    w.run_for(7000);
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    let silent = (w.phones[1].address, TriedResult::Silent);
    assert_eq!(results(&w)[..2], [silent, (w.phones[2].address, TriedResult::Final(200))]);
    w.run_to_end();
    assert_eq!(results(&w).iter().filter(|result| **result == silent).count(), 1);
    assert!(w.sent_to(1).iter().all(|m| m == "INVITE"), "{:?}", w.sent_to(1));
}

#[test]
fn rfc3261_16_7_step_6_a_503_from_downstream_becomes_500() {
    let mut w = world(&["alice", "gateway"]);
    w.phones[1].behaviour = Behaviour::Refuse(10, 503);
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:+431@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(500));
}

#[test]
fn a_gateway_that_is_down_is_a_failure_and_a_phone_that_is_gone_no_answer() {
    for condition in [Condition::Failure, Condition::NoAnswer, Condition::Unanswered] {
        let mut w = world(&["alice", "gone", "other"]);
        w.phones[0].hangs_up = Some(1000);
        w.phones[1].behaviour = Behaviour::Silent;
        let steps = vec![w.step(Condition::First, &[1], None), w.step(condition, &[2], None)];
        w.forwards(steps);
        let now = w.now;
        w.phones[0].invite(now, "sip:+431@example.com");
        w.run_to_end();
        assert_eq!(w.phones[2].finals_of_invites_in(), [Some(200)], "{condition:?}");
    }
}

#[test]
fn tcp_phones_behind_nat_are_reached_over_their_connection_in_both_directions() {
    for callee_hangs_up in [false, true] {
        let mut w = world(&["alice", "bob"]);
        for phone in 0..2 {
            w.phones[phone].transport = ngn_sip::header::Transport::Tcp;
            w.phones[phone].own = bench::address("10.0.0.7:5060");
        }
        w.phones[usize::from(callee_hangs_up)].hangs_up = Some(1000);
        let steps = vec![w.step(Condition::First, &[1], None)];
        w.forwards(steps);
        let now = w.now;
        w.phones[0].invite(now, "sip:bob@example.com");
        w.run_to_end();
        assert_eq!(ending(&w, 0, 0), Ending::Response(200));
        let byes = w.phones[usize::from(!callee_hangs_up)].methods_in();
        assert_eq!(byes.last().map(String::as_str), Some("BYE"));
        let record_routes = w.requests_to(1, "INVITE")[0].record_routes().expect("routes");
        assert_eq!(record_routes.len(), 2, "one entry for each side");
    }
}

#[test]
fn a_phone_that_reconnected_is_looked_up_again_inside_its_call() {
    let mut w = world(&["alice", "bob", "bob2"]);
    for phone in 1..3 {
        w.phones[phone].transport = ngn_sip::header::Transport::Tcp;
        w.phones[phone].own = bench::address("10.0.0.7:5060");
    }
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_for(3000);
    // The phone comes back over another connection, with the same contact.
    w.closed = vec![bench::flow_of(1)];
    let newer = w.destination(2);
    w.names.insert("10.0.0.7".into(), vec![newer]);
    let now = w.now;
    w.phones[0].in_dialog(now, 0, "INFO");
    w.run_for(3000);
    assert_eq!(w.fallbacks, 1);
    assert_eq!(ending(&w, 0, 1), Ending::Response(200));
    assert_eq!(w.phones[2].methods_in(), ["INFO"]);
}

#[test]
fn another_node_has_a_request_sent_over_a_connection_of_ours() {
    let mut w = world(&["bob"]);
    w.phones[0].transport = ngn_sip::header::Transport::Tcp;
    let bob = w.destination(0);
    // What the other node does, with the secret that all nodes have.
    let other = ngn_sip::stack::Stack::new(bench::config(w.settings.timers), [77; 32]);
    let text = "INVITE sip:bob@10.0.0.7 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.11;branch=z9hG4bKn1\r\n\
        Max-Forwards: 69\r\nFrom: <sip:a@example.com>;tag=f\r\nTo: <sip:bob@example.com>\r\n\
        Call-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@203.0.113.5>\r\nContent-Length: 0\r\n\r\n";
    let mut invite = bench::parse(text.into());
    assert!(bob.flow.is_some(), "over a connection");
    let node = bench::uri("sip:192.0.2.10");
    let route = other.flow_route(&invite, &node, &bob);
    invite.push_route(&route);
    let with_route = String::from_utf8(invite.to_vec()).expect("text");
    w.inject("192.0.2.11:5060", &with_route);
    // The same token in another call, and one that was tampered with, are worth nothing.
    let stolen = with_route.replace("Call-ID: c1", "Call-ID: c2").replace("bKn1", "bKn2");
    w.inject("192.0.2.11:5060", &stolen);
    w.inject("192.0.2.11:5060", &with_route.replace("ngnf=", "ngnf=A").replace("bKn1", "bKn3"));
    w.run_for(400);
    assert_eq!((w.requests_to(0, "INVITE").len(), w.came_up.len()), (1, 2));
    assert!(w.events.is_empty(), "the other node reports the call: {:?}", w.events);
    let arrived = w.requests_to(0, "INVITE")[0];
    assert!(arrived.routes().expect("routes").is_empty());
    assert_eq!(arrived.record_routes().expect("routes").len(), 2);
}

// RFC 5626 section 5.3.1: it is told that the connection is gone.
#[test]
fn another_node_is_told_that_a_connection_of_ours_is_gone() {
    let mut w = world(&["bob"]);
    w.phones[0].transport = ngn_sip::header::Transport::Tcp;
    let bob = ngn_sip::stack::Destination { only_flow: true, ..w.destination(0) };
    w.closed = vec![bench::flow_of(0)];
    let other = ngn_sip::stack::Stack::new(bench::config(w.settings.timers), [77; 32]);
    let text = "INVITE sip:bob@10.0.0.7 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.11;branch=z9hG4bKn1\r\n\
        Max-Forwards: 69\r\nFrom: <sip:a@example.com>;tag=f\r\nTo: <sip:bob@example.com>\r\n\
        Call-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@203.0.113.5>\r\nContent-Length: 0\r\n\r\n";
    let mut invite = bench::parse(text.into());
    let route = other.flow_route(&invite, &bench::uri("sip:192.0.2.10"), &bob);
    invite.push_route(&route);
    w.inject("192.0.2.11:5060", &String::from_utf8(invite.to_vec()).expect("text"));
    w.run_for(400);
    let to = bench::address("192.0.2.11:5060");
    let statuses = w.sent.iter().filter(|(_, d, _)| d.remote == to).map(|(_, _, m)| m.status());
    assert_eq!(statuses.flatten().find(|status| *status > 100), Some(430));
    assert!(w.events.is_empty(), "the other node reports the call: {:?}", w.events);
}

// RFC 5626 section 5.3.1, RFC 3261 section 21.4.18.
#[test]
fn a_contact_whose_flow_is_gone_is_named_and_the_caller_is_told_480() {
    let mut w = world(&["alice", "bob"]);
    w.phones[1].transport = ngn_sip::header::Transport::Tcp;
    let aor = "bob@example.com".parse().expect("an address");
    let lost = ngn_model::Binding::new(aor, "sip:bob@10.0.0.7", 0).removal();
    let mut target = w.target(1);
    (target.is_contact, target.flow) = (true, Some(lost.clone()));
    target.next_hops[0].only_flow = true;
    w.closed = vec![bench::flow_of(1)];
    w.forwards(vec![ngn_sip::stack::ForwardStep::new(Condition::First, vec![target])]);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(480));
    let named: Vec<_> = w.tried.iter().filter_map(|tried| tried.flow_lost.clone()).collect();
    assert_eq!(named, [lost]);
    let failed = ngn_sip::stack::CallEventKind::Failed { status: 480 };
    assert!(w.events.iter().any(|event| event.kind == failed), "{:?}", w.events);
}

#[test]
fn from_udp_to_tcp_and_back() {
    let mut w = world(&["alice", "bob"]);
    w.phones[0].own = bench::address("10.0.0.7:5060");
    w.phones[1].transport = ngn_sip::header::Transport::Tcp;
    w.phones[1].hangs_up = Some(1000);
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert_eq!(w.phones[0].methods_in(), ["BYE"]);
}

#[test]
fn re_invites_travel_along_the_dialog() {
    let mut w = world(&["alice", "bob"]);
    w.phones[1].own = bench::address("10.0.0.7:5060");
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_for(3000);
    let now = w.now;
    w.phones[0].in_dialog(now, 0, "INVITE");
    w.run_for(3000);
    let now = w.now;
    w.phones[1].in_dialog(now, 0, "INVITE");
    w.run_for(3000);
    let now = w.now;
    w.phones[1].dialogs[0].bye_at = Some(now);
    w.run_to_end();
    assert_eq!(ending(&w, 0, 1), Ending::Response(200));
    assert_eq!(ending(&w, 1, 0), Ending::Response(200));
    assert_eq!(w.came_up.len(), 1);
    let answered = |kind| matches!(kind, CallEventKind::Answered { .. });
    assert_eq!(w.events.iter().filter(|e| answered(e.kind)).count(), 1, "one call");
}

#[test]
fn an_unsigned_route_relays_nothing() {
    let mut w = world(&["victim"]);
    w.inject(
        "203.0.113.9:5060",
        "BYE sip:victim@198.51.100.1 SIP/2.0\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKx1\n\
         Route: <sip:192.0.2.10;lr>\nFrom: <sip:a@example.com>;tag=1\nTo: <sip:v@e>;tag=2\n\
         Call-ID: x\nCSeq: 1 BYE\nMax-Forwards: 70\nContent-Length: 0\n\n",
    );
    w.run_for(100);
    assert_eq!(w.came_up.len(), 1);
    assert!(w.came_up[0].is_stray);
    assert!(w.sent_to(0).is_empty());
}

#[test]
fn a_call_survives_a_restart_between_ringing_and_answer() {
    let mut w = world(&["alice", "bob"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::Answer(5000);
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_for(2000);
    w.stack = ngn_sip::stack::Stack::new(bench::config(w.settings.timers), [8; 32]);
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert_eq!(w.phones[1].finals_of_invites_in(), [Some(200)]);
    assert_eq!(w.phones[1].methods_in(), ["INVITE", "BYE"]);
}

/// A step of a leg: its number, the leg after which it is looked at, when, and whom it calls.
fn leg(w: &World, id: u16, after: u16, when: Condition, phone: usize) -> ForwardStep {
    ForwardStep { leg: Leg { id, after: Some(after) }, ..w.step(when, &[phone], None) }
}

#[test]
fn a_leg_has_its_own_steps() {
    // Bob is diverted to carol when busy and to dave when he does not answer; carol to dave when busy.
    for (bob, carol, tried) in [(486, 486, [1, 1, 1]), (486, 480, [1, 1, 0]), (404, 486, [1, 0, 0])]
    {
        let mut w = world(&["alice", "bob", "carol", "dave"]);
        w.phones[1].behaviour = Behaviour::Refuse(100, bob);
        w.phones[2].behaviour = Behaviour::Refuse(100, carol);
        w.phones[3].behaviour = Behaviour::Refuse(100, 603);
        w.forwards(vec![
            w.step(Condition::First, &[1], None),
            leg(&w, 1, 0, Condition::Busy, 2),
            leg(&w, 2, 1, Condition::Busy, 3),
            leg(&w, 3, 0, Condition::NoAnswer, 3),
        ]);
        let now = w.now;
        w.phones[0].invite(now, "sip:bob@example.com");
        w.run_to_end();
        let invites = [1, 2, 3].map(|phone: usize| {
            w.phones[phone].methods_in().iter().filter(|method| *method == "INVITE").count()
        });
        assert_eq!(invites, tried, "{bob} {carol}");
    }
}

/// A gateway that says nothing at all is given up early, but only where another one takes over.
#[test]
fn another_gateway_takes_over_from_a_silent_one() {
    let silence = Some(std::time::Duration::from_secs(5));
    for (when, expected, at) in [(Condition::Failover, 200, 5000), (Condition::Busy, 408, 32_000)] {
        let mut w = world(&["alice", "bob", "carol"]);
        w.phones[0].hangs_up = Some(1000);
        w.phones[1].behaviour = Behaviour::Silent;
        let first = ForwardStep { silence, ..w.step(Condition::First, &[1], None) };
        w.forwards(vec![first, w.step(when, &[2], None)]);
        let now = w.now;
        w.phones[0].invite(now, "sip:+431234567@example.com");
        w.run_to_end();
        assert_eq!(ending(&w, 0, 0), Ending::Response(expected), "{when:?}");
        let invited = |phone: usize| {
            let remote = w.phones[phone].address;
            let is_it = |m: &ngn_sip::message::Message| m.method() == Some(&Method::Invite);
            let mut to_it = w.sent.iter().filter(|(_, d, m)| d.remote == remote && is_it(m));
            to_it.next().map(|(at, ..)| *at)
        };
        let begun = invited(1).expect("an INVITE");
        match invited(2) {
            Some(other) => assert_eq!(other - begun, at),
            None => assert_eq!(expected, 408),
        }
    }
}

/// The last gateway of a diversion has all the time that its transaction has, whatever steps other legs have.
#[test]
fn nobody_takes_over_from_the_last_of_a_leg() {
    let mut w = world(&["alice", "bob", "carol", "dave"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::Refuse(100, 486);
    w.phones[2].behaviour = Behaviour::Silent;
    let silence = Some(std::time::Duration::from_secs(5));
    w.forwards(vec![
        w.step(Condition::First, &[1], None),
        ForwardStep { silence, ..leg(&w, 1, 0, Condition::Busy, 2) },
        leg(&w, 2, 0, Condition::Unanswered, 3),
    ]);
    let begun = w.now;
    w.phones[0].invite(begun, "sip:bob@example.com");
    w.run_to_end();
    assert!(matches!(ending(&w, 0, 0), Ending::Response(408 | 486)));
    let last = w.sent.iter().rfind(|(_, _, m)| m.status().is_some_and(|s| s >= 300));
    assert!(last.is_some_and(|(at, ..)| *at > 30_000), "{last:?}");
}

/// The caller hears what the gateway said that was asked last, if it said anything.
#[test]
fn what_the_gateway_said_that_took_over() {
    for (second, expected) in [(Some(404), 404), (Some(486), 486), (None, 403)] {
        let mut w = world(&["alice", "bob", "carol"]);
        w.phones[1].behaviour = Behaviour::Refuse(100, 403);
        w.phones[2].behaviour = match second {
            Some(status) => Behaviour::Refuse(100, status),
            None => Behaviour::Silent,
        };
        let failover = ngn_model::call_plan::FailoverCodes::and(vec![403]);
        let first = ForwardStep { failover, ..w.step(Condition::First, &[1], None) };
        w.forwards(vec![first, w.step(Condition::Failover, &[2], None)]);
        let now = w.now;
        w.phones[0].invite(now, "sip:+431234567@example.com");
        w.run_to_end();
        assert_eq!(ending(&w, 0, 0), Ending::Response(expected), "{second:?}");
    }
}

/// One that rings is not silent, however long it takes.
#[test]
fn a_gateway_that_rings_is_waited_for() {
    let mut w = world(&["alice", "bob", "carol"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::Answer(20_000);
    let silence = Some(std::time::Duration::from_secs(5));
    let first = ForwardStep { silence, ..w.step(Condition::First, &[1], None) };
    w.forwards(vec![first, w.step(Condition::Failover, &[2], None)]);
    let now = w.now;
    w.phones[0].invite(now, "sip:+431234567@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert!(w.phones[2].methods_in().is_empty());
}

#[test]
fn rfc3261_21_3_3_a_step_may_send_the_caller_elsewhere() {
    for (refusal, expected) in [(Some(486), 302), (Some(404), 404), (None, 302)] {
        let mut w = world(&["alice", "bob", "carol"]);
        let uri = Uri::parse("sip:carol@example.org").expect("a URI");
        let mut steps = vec![ForwardStep {
            redirect: Some(uri),
            ..w.step(if refusal.is_some() { Condition::Busy } else { Condition::First }, &[], None)
        }];
        if let Some(status) = refusal {
            w.phones[1].behaviour = Behaviour::Refuse(100, status);
            steps.insert(0, w.step(Condition::First, &[1], None));
        }
        steps.push(w.step(Condition::Unanswered, &[2], None));
        w.phones[2].behaviour = Behaviour::Refuse(100, 404);
        w.forwards(steps);
        let now = w.now;
        w.phones[0].invite(now, "sip:bob@example.com");
        w.run_to_end();
        assert_eq!(ending(&w, 0, 0), Ending::Response(expected), "{refusal:?}");
    }
}

#[test]
fn redirections_are_asked_about_or_passed_back() {
    for follow in [true, false] {
        let mut w = world(&["alice", "bob", "carol"]);
        w.phones[0].hangs_up = Some(1000);
        w.phones[1].behaviour = Behaviour::Refuse(100, 302);
        let plan = ngn_sip::stack::ForwardPlan {
            steps: vec![w.step(Condition::First, &[1], None)],
            recurse: true,
            edits: vec![],
        };
        w.forwards_plan(plan);
        if follow {
            w.redirect_to = vec![w.target(2)];
        }
        let now = w.now;
        w.phones[0].invite(now, "sip:bob@example.com");
        w.run_to_end();
        assert_eq!(w.redirected.len(), 1);
        let expected = if follow { 200 } else { 302 };
        assert_eq!(ending(&w, 0, 0), Ending::Response(expected));
    }
}

#[test]
fn names_are_looked_up_and_a_missing_one_fails() {
    for (exists, expected) in [(true, 200), (false, 500)] {
        let mut w = world(&["alice", "bob"]);
        w.phones[0].hangs_up = Some(1000);
        if exists {
            let to = w.destination(1);
            w.names.insert("far.example.net".into(), vec![to]);
        }
        let uri = bench::uri("sip:bob@far.example.net");
        let target = ngn_sip::stack::ForwardTarget::new(uri);
        w.forwards_plan(ngn_sip::stack::ForwardPlan::to(target));
        let now = w.now;
        w.phones[0].invite(now, "sip:bob@far.example.net");
        w.run_to_end();
        assert_eq!(ending(&w, 0, 0), Ending::Response(expected));
    }
}

#[test]
fn rfc4320_other_requests_are_never_answered_408() {
    let mut w = world(&["alice", "bob"]);
    w.phones[1].behaviour = Behaviour::Silent;
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].request(now, "MESSAGE", "sip:bob@example.com", "");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::TimedOut);
    let to_alice: Vec<_> =
        w.sent.iter().filter(|(_, d, _)| d.remote == w.phones[0].address).collect();
    let first = to_alice.first().expect("a 100");
    assert_eq!((first.0, first.2.status()), (1000 + 10 + 3500, Some(100)));
    assert!(to_alice.iter().all(|(_, _, m)| m.status() == Some(100)));
    assert_eq!(w.stack.counters().silenced, 1);
}

#[test]
fn rfc3261_16_7_step_2_each_180_sets_timer_c_anew() {
    let mut w = world(&["alice", "bob"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::RingAgain(100_000, 4);
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
}

#[test]
fn rfc3261_16_8_timer_c_ends_a_call_that_rings_for_ever() {
    let mut w = world(&["alice", "bob"]);
    w.phones[1].behaviour = Behaviour::RingForever;
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(408));
    let cancel = w.sent.iter().find(|(_, _, m)| m.method() == Some(&Method::Cancel));
    // Rang after 20 ms on the way, then 185 s.
    assert_eq!(cancel.map(|(at, ..)| *at), Some(1000 + 30 + 185_000));
}

#[test]
fn rfc3261_9_1_a_cancelled_branch_that_never_ends_is_given_up() {
    let mut w = world(&["alice", "bob"]);
    w.phones[1].behaviour = Behaviour::RingThenDie;
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.phones[0].outgoing[0].cancel_at = Some(now + std::time::Duration::from_secs(3));
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(487));
    let answered = w.sent.iter().find(|(_, _, m)| m.status() == Some(487));
    assert_eq!(answered.map(|(at, ..)| *at), Some(1000 + 3000 + 10 + 32_000));
}

#[test]
fn an_answer_that_crosses_the_cancel_wins() {
    let mut w = world(&["alice", "bob"]);
    w.phones[1].behaviour = Behaviour::Answer(3015);
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    // The CANCEL is at the proxy when the phone answers.
    w.phones[0].outgoing[0].cancel_at = Some(now + std::time::Duration::from_millis(3022));
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert_eq!(w.phones[1].finals_of_invites_in(), [Some(200)]);
    assert_eq!(w.phones[1].methods_in(), ["INVITE", "CANCEL", "BYE"]);
}

#[test]
fn two_phones_that_answer_at_once_are_both_connected() {
    // RFC 3261 section 16.7 step 5: each 2xx is forwarded; the caller ends what it does not want.
    let mut w = world(&["alice", "desk", "mobile"]);
    w.phones[0].hangs_up = Some(1000);
    let steps = vec![w.step(Condition::First, &[1, 2], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    for phone in [1, 2] {
        assert_eq!(w.phones[phone].finals_of_invites_in(), [Some(200)]);
        assert_eq!(w.phones[phone].methods_in().last().map(String::as_str), Some("BYE"));
    }
    let answered = |kind| matches!(kind, CallEventKind::Answered { .. });
    assert_eq!(w.events.iter().filter(|e| answered(e.kind)).count(), 1);
}

#[test]
fn a_2xx_is_repeated_until_its_ack_gets_through() {
    let mut w = world(&["alice", "bob"]);
    w.phones[0].hangs_up = Some(40_000);
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_for(900);
    // From here on nothing reaches the caller for a while.
    let alice = w.phones[0].address;
    w.phones[0].address = bench::address("203.0.113.250:5060");
    w.run_for(10_000);
    w.phones[0].address = alice;
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
    assert!(w.phones[1].methods_in().contains(&"BYE".to_owned()));
}

#[test]
fn rfc3261_9_1_a_branch_is_cancelled_when_it_first_shows_a_sign_of_life() {
    let mut w = world(&["alice", "desk", "mobile"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::RingLate(5000);
    w.phones[2].behaviour = Behaviour::Answer(2000);
    let steps = vec![w.step(Condition::First, &[1, 2], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_for(4000);
    assert!(w.sent_to(1).iter().all(|m| m == "INVITE"), "{:?}", w.sent_to(1));
    w.run_to_end();
    assert_eq!(w.phones[1].finals_of_invites_in(), [Some(487)]);
}

#[test]
fn a_branch_that_was_cut_off_is_not_heard_any_more() {
    let mut w = world(&["alice", "bob", "voicemail"]);
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::RingLate(5000);
    w.phones[2].behaviour = Behaviour::Answer(10_000);
    let steps =
        vec![w.step(Condition::First, &[1], Some(2000)), w.step(Condition::NoAnswer, &[2], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_to_end();
    // Only voicemail's 180 reaches the caller.
    assert_eq!(w.sent_to(0), ["100 INVITE", "180 INVITE", "200 INVITE", "200 BYE"]);
    assert_eq!(w.phones[1].finals_of_invites_in(), [Some(487)]);
}

#[test]
fn the_next_hop_is_tried_when_one_times_out() {
    let mut config = bench::config(Settings::default().timers);
    config.next_hop_timeout = std::time::Duration::from_secs(600);
    let mut w = World::with(config, Settings::default(), 1);
    for phone in ["alice", "dead", "good"] {
        w.phone(phone);
    }
    w.phones[0].hangs_up = Some(1000);
    w.phones[1].behaviour = Behaviour::Silent;
    let mut step = w.step(Condition::First, &[1], None);
    step.targets[0].next_hops = vec![w.destination(1), w.destination(2)];
    w.forwards(vec![step]);
    let now = w.now;
    w.phones[0].invite(now, "sip:+431@example.com");
    w.run_to_end();
    assert_eq!(ending(&w, 0, 0), Ending::Response(200));
}

#[test]
fn rfc3261_9_2_the_answers_to_cancel_and_invite_have_one_tag() {
    let mut w = world(&["alice"]);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.phones[0].outgoing[0].cancel_at = Some(now + std::time::Duration::from_secs(1));
    w.run_to_end();
    let tag = |status| {
        let found = w.sent.iter().find(|(_, _, m)| m.status() == Some(status));
        let (_, _, message) = found.expect("a response");
        message.to_header().expect("To").tag().expect("a tag").to_owned()
    };
    assert_eq!(tag(200), tag(487));
}
