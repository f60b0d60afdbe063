//! Messages that fit nothing: replayed, made up, out of order, with the branches and tags of real ones. Whatever
//! comes, nothing panics, what is kept stays bounded, and in the end nothing is left. `NGN_SIP_SCRIPTS` and
//! `NGN_SIP_SEED` as in the random calls.

#![allow(clippy::expect_used, clippy::print_stderr, reason = "a test may fail")]

mod bench;

use bench::{Act, Random, Settings, World, uri};
use ngn_model::call_plan::Condition;
use ngn_sip::header::Transport;
use ngn_sip::message::Message;
use ngn_sip::stack::{Destination, ForwardPlan, ForwardStep, ForwardTarget};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

#[allow(clippy::disallowed_methods, reason = "how long a test runs is up to its caller")]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

const METHODS: [&str; 8] =
    ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "SUBSCRIBE", "X-OWN"];
const URIS: [&str; 7] = [
    "sip:b@example.com",
    "sip:192.0.2.10;lr",
    "tel:+431234",
    "urn:service:sos",
    "sip:192.0.2.10;lr;ngn=AAAAAAAAAAAA",
    "sips:b@example.com",
    "sip:b@name.example.net",
];
const STATUSES: [u16; 14] = [100, 180, 183, 200, 202, 302, 401, 404, 407, 408, 486, 487, 503, 603];

fn random_request(r: &mut Random, routes: &[String]) -> String {
    let method = r.pick(&METHODS);
    let named = r.pick(&METHODS);
    let cseq_method = if r.percent(95) { method } else { named };
    let branch = match r.below(8) {
        0 => String::new(),
        1 => ";branch=1".to_owned(),
        _ => format!(";branch=z9hG4bK{}", r.below(6)),
    };
    let to_tag = if r.percent(40) { format!(";tag=t{}", r.below(3)) } else { String::new() };
    let mut more = String::new();
    if r.percent(40) && !routes.is_empty() {
        let at = usize::try_from(r.below(routes.len() as u64)).expect("small");
        more.push_str(&format!("Route: {}\n", routes.get(at).expect("a route")));
    }
    if r.percent(10) {
        more.push_str("Route: <sip:192.0.2.10;lr>, <sip:203.0.113.7>\n");
    }
    if r.percent(20) {
        more.push_str(&format!("Max-Forwards: {}\n", r.below(3)));
    }
    if r.percent(5) {
        more.push_str("Max-Breadth: 1\n");
    }
    if r.percent(5) {
        more.push_str("Proxy-Require: x\n");
    }
    format!(
        "{method} {} SIP/2.0\nVia: SIP/2.0/UDP 203.0.113.5{branch}\n{more}From: <sip:a@example.net>;tag=f{}\n\
         To: <sip:b@example.com>{to_tag}\nCall-ID: c{}\nCSeq: {} {cseq_method}\nContact: <sip:a@10.0.0.1>\n\
         Content-Length: 0\n\n",
        r.pick(&URIS),
        r.below(2),
        r.below(3),
        r.below(3),
    )
}

/// A response to something that the stack sent, or nearly.
fn random_response(r: &mut Random, sent: &[(u64, Destination, Message)]) -> Option<String> {
    let at = usize::try_from(r.below(sent.len() as u64)).ok()?;
    let (_, _, of) = sent.get(at)?;
    let status = r.pick(&STATUSES);
    let tag = format!("t{}", r.below(3));
    let mut response = match of.method() {
        Some(_) => of.response(status, "X", Some(&tag)),
        None => of.clone(),
    };
    if r.percent(10) {
        response.pop_via().ok()?;
    }
    if r.percent(30) {
        response.append_named("Contact", "<sip:b@203.0.113.8>");
    }
    let text = String::from_utf8(response.to_vec()).ok()?;
    Some(if r.percent(5) { text.replace("INVITE", "BYE") } else { text })
}

fn play(seed: u64) {
    let mut r = Random::new(seed);
    let mut config = bench::config(Settings::default().timers);
    config.limits.transactions = 40;
    config.limits.reserve = 20;
    config.limits.branches = 8;
    config.requires_signed_routes = r.percent(80);
    let mut w = World::with(config, Settings { delay: 0, ..Settings::default() }, seed);
    w.redirect_to = vec![ForwardTarget::new(uri("sip:c@203.0.113.8"))];
    w.decide = Box::new(|request, r| {
        let target = |r: &mut Random| match r.below(3) {
            0 => ForwardTarget::new(uri("sip:b@unknown.example.net")),
            1 => ForwardTarget::new(uri("sip:b@203.0.113.8")),
            _ => ForwardTarget::at(
                uri("sip:b@192.0.2.10"),
                Destination::new(Transport::Udp, bench::proxy_address()),
            ),
        };
        let conditions =
            [Condition::Busy, Condition::Failure, Condition::NoAnswer, Condition::Unanswered];
        let steps = (0..=r.below(2))
            .map(|_| ForwardStep {
                answer_timeout: r.pick(&[None, Some(Duration::from_secs(2))]),
                ..ForwardStep::new(
                    r.pick(&conditions),
                    (0..r.below(4)).map(|_| target(r)).collect(),
                )
            })
            .collect();
        let plan = ForwardPlan { steps, edits: vec![], recurse: r.percent(50) };
        match r.below(10) {
            0 => (0, None),
            1 => (300, Some(Act::Reply(request.id, r.pick(&STATUSES)))),
            _ => (r.pick(&[0, 300]), Some(Act::Forward(request.id, plan))),
        }
    });
    let (mut routes, mut seen) = (vec![], 0);
    for _ in 0..60 {
        for (_, _, message) in w.sent.iter().skip(seen) {
            let own = message.record_routes().expect("routes");
            routes.extend(own.iter().map(ToString::to_string));
        }
        seen = w.sent.len();
        routes.truncate(20);
        let text = match r.below(10) {
            0..=5 => Some(random_request(&mut r, &routes)),
            _ => random_response(&mut r, &w.sent),
        };
        if let Some(text) = text {
            w.inject("203.0.113.5:5060", &text);
        }
        let pause = r.pick(&[0, 0, 1, 50, 700, 5000]);
        w.run_for(pause);
        let usage = w.stack.usage();
        // A request that is taken in may open as many branches, and one more CANCEL each.
        assert!(usage.servers <= 60, "{usage:?}");
        assert!(usage.clients <= 60 * 16, "{usage:?}");
    }
    w.is_recording = false;
    w.run_to_end();
}

#[test]
fn nothing_panics_and_nothing_is_left() {
    let first = number("NGN_SIP_SEED", 1);
    for seed in first..first + number("NGN_SIP_SCRIPTS", 200) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| play(seed))) {
            eprintln!("the script of seed {seed} failed (NGN_SIP_SEED={seed} NGN_SIP_SCRIPTS=1)");
            std::panic::resume_unwind(panic);
        }
    }
}
