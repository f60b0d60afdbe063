//! Random call scripts: whatever phones, network and application do, every call ends, every transaction gets
//! one final answer, and nothing is left behind. `NGN_SIP_SCRIPTS` sets how many scripts are run (2000 and
//! 1000 unless set), `NGN_SIP_SEED` the first seed; a failure names the seed of its script.
#![allow(clippy::expect_used, clippy::print_stderr, reason = "a test may fail")]

mod bench;

use bench::phone::{Behaviour, Ending};
use bench::{Act, Random, Settings, World};
use ngn_model::call_plan::Condition;
use ngn_sip::header::Transport;
use ngn_sip::message::Method;
use ngn_sip::stack::{Destination, ForwardPlan, ForwardStep, ForwardTarget};
use ngn_sip::transaction::TimerSettings;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

#[allow(clippy::disallowed_methods, reason = "how long a test runs is up to its caller")]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn each_seed(default: u64, run: impl Fn(u64)) {
    let first = number("NGN_SIP_SEED", 1);
    for seed in first..first + number("NGN_SIP_SCRIPTS", default) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
            eprintln!("the script of seed {seed} failed (NGN_SIP_SEED={seed} NGN_SIP_SCRIPTS=1)");
            std::panic::resume_unwind(panic);
        }
    }
}

const CONDITIONS: [Condition; 4] =
    [Condition::Busy, Condition::NoAnswer, Condition::Failure, Condition::Unanswered];

/// An address where nobody is and nothing arrives, and one that cannot even be sent to.
const NOWHERE: &str = "203.0.113.1:5060";
const UNREACHABLE: &str = "203.0.113.2:5060";

fn random_behaviour(r: &mut Random) -> Behaviour {
    match r.below(13) {
        0..=4 => Behaviour::Answer(r.below(12_000)),
        5..=6 => {
            let statuses = [486, 404, 480, 503, 600, 603, 302, 401, 407, 488, 500, 408];
            Behaviour::Refuse(r.below(8000), r.pick(&statuses))
        }
        7 => Behaviour::Refuse(0, 486),
        8 => Behaviour::RingForever,
        9 => Behaviour::RingAgain(100_000, 1 + r.below(3)),
        10 => Behaviour::RingThenDie,
        // Sooner than timer B of the shortest T1, so that somebody is there to hear it.
        11 => Behaviour::RingLate(r.below(5000)),
        _ => Behaviour::Silent,
    }
}

fn random_target(w: &World, r: &mut Random, caller: usize) -> ForwardTarget {
    let mut phone = usize::try_from(r.below(w.phones.len() as u64)).expect("a phone");
    if phone == caller {
        phone = (phone + 1) % w.phones.len();
    }
    let mut target = w.target(phone);
    let plain = |to: &str| Destination::new(Transport::Udp, bench::address(to));
    match r.below(13) {
        0 => target.next_hops.insert(0, plain(NOWHERE)),
        1 => target.next_hops.insert(0, plain(UNREACHABLE)),
        2 => target.next_hops = vec![plain(UNREACHABLE), plain(UNREACHABLE)],
        3 => target = ForwardTarget::new(bench::uri("sip:x@known.example.net")),
        4 => target = ForwardTarget::new(bench::uri("sip:x@unknown.example.net")),
        5 => target.next_hops.push(plain(NOWHERE)),
        _ => {}
    }
    target
}

fn random_plan(w: &World, r: &mut Random, caller: usize) -> ForwardPlan {
    let mut steps = vec![];
    for index in 0..=r.below(3) {
        let targets = (0..=r.below(3)).map(|_| random_target(w, r, caller)).collect();
        let when = if index == 0 { Condition::First } else { r.pick(&CONDITIONS) };
        let timeouts = [None, Some(500), Some(5000), Some(20_000), Some(40_000)];
        let answer_timeout = r.pick(&timeouts).map(Duration::from_millis);
        let silence = r.pick(&[None, None, Some(Duration::from_millis(900))]);
        steps.push(ForwardStep { answer_timeout, silence, ..ForwardStep::new(when, targets) });
    }
    ForwardPlan { steps, edits: vec![], recurse: r.percent(50) }
}

fn random_settings(r: &mut Random) -> Settings {
    let timers = r.pick(&[500, 500, 100]);
    Settings {
        timers: TimerSettings::from_t1(Duration::from_millis(timers)),
        loss: r.pick(&[0, 0, 0, 5, 15]),
        duplication: r.pick(&[0, 0, 5, 20]),
        delay: r.pick(&[0, 1, 10, 60]),
        jitter: r.pick(&[0, 5, 50, 400]),
    }
}

fn random_world(seed: u64) -> World {
    let mut r = Random::new(seed);
    let mut w = World::new(random_settings(&mut r), seed);
    w.is_recording = false;
    for n in 0..3 + r.below(3) {
        let index = w.phone(&format!("p{n}"));
        let phone = &mut w.phones[index];
        if r.percent(25) {
            phone.transport = Transport::Tcp;
        }
        if r.percent(25) {
            phone.own = bench::address("10.0.0.7:5060");
        }
        phone.behaviour = random_behaviour(&mut r);
        phone.hangs_up = r.percent(70).then(|| r.below(30_000));
    }
    w.unreachable = vec![bench::address(UNREACHABLE)];
    let known = w.destination(1);
    w.names.insert("known.example.net".into(), vec![known]);
    w.redirect_to = if r.percent(60) { vec![w.target(2)] } else { vec![] };
    let plans: Vec<ForwardPlan> = (0..5).map(|_| random_plan(&w, &mut r, 0)).collect();
    w.decide = Box::new(move |request, r| {
        let delay = r.pick(&[0, 0, 3, 150, 900]);
        let plan = plans.get(usize::try_from(r.below(5)).expect("small")).expect("a plan").clone();
        match r.below(20) {
            0 => (delay, None),
            1 => (delay, Some(Act::Reply(request.id, r.pick(&[404, 403, 302, 500, 600])))),
            _ => (delay, Some(Act::Forward(request.id, plan))),
        }
    });
    w
}

/// Calls, messages, cancellations and re-INVITEs at random times.
fn play(w: &mut World, seed: u64) {
    let mut r = Random::new(seed ^ 0x5eed);
    for _ in 0..=r.below(5) {
        let now = w.now;
        let caller = usize::try_from(r.below(w.phones.len() as u64)).expect("a phone");
        match r.below(8) {
            0 => {
                w.phones[caller].request(now, "MESSAGE", "sip:x@example.com", "");
            }
            1 => {
                let confirmed =
                    w.phones[caller].dialogs.iter().position(|d| d.is_confirmed && !d.is_over);
                if let Some(dialog) = confirmed {
                    let method = r.pick(&["INVITE", "INFO", "UPDATE"]);
                    w.phones[caller].in_dialog(now, dialog, method);
                }
            }
            _ => {
                let call = w.phones[caller].invite(now, "sip:x@example.com");
                if r.percent(30) {
                    let at = now + Duration::from_millis(r.below(15_000));
                    w.phones[caller].outgoing[call].cancel_at = Some(at);
                }
            }
        }
        let pause = r.below(10_000);
        w.run_for(pause);
    }
    w.run_to_end();
}

#[test]
fn every_call_ends_and_nothing_is_left_behind() {
    each_seed(2000, |seed| {
        let mut w = random_world(seed);
        play(&mut w, seed);
        // Each request came up once, whatever the network did to it.
        let mut branches: Vec<String> = w
            .came_up
            .iter()
            .map(|c| c.request.top_via().expect("a Via").branch().expect("a branch").to_owned())
            .collect();
        let all = branches.len();
        branches.sort();
        branches.dedup();
        assert_eq!(branches.len(), all);
        if w.settings.loss > 0 {
            return;
        }
        for phone in &w.phones {
            if phone.behaviour != Behaviour::RingThenDie {
                assert_eq!(phone.forgotten_calls(), 0, "{} rings for ever", phone.user);
            }
            for o in phone.outgoing.iter().filter(|o| o.method == Method::Invite) {
                assert!(
                    matches!(o.endings[..], [Ending::Response(_)]),
                    "{} {}",
                    phone.user,
                    o.branch
                );
            }
        }
    });
}

/// What a call must come to, by a reading of the plan that shares nothing with the stack: when every phone
/// hears and answers at once.
fn expected(steps: &[ForwardStep], behaviours: &[Vec<Behaviour>]) -> u16 {
    let mut collected: Vec<u16> = vec![];
    let mut next = 0;
    let (mut silence, mut outcome) = (false, vec![Condition::First]);
    while let Some(at) = (next..steps.len()).find(|at| outcome.contains(&steps[*at].when)) {
        next = at + 1;
        let limit = steps[at]
            .answer_timeout
            .map_or(u64::MAX, |t| u64::try_from(t.as_millis()).expect("short"));
        // (when, status); 0 stands for nobody.
        let mut ends: Vec<(u64, u16)> = behaviours[at]
            .iter()
            .map(|behaviour| match behaviour {
                Behaviour::Answer(ms) => (*ms, 200),
                Behaviour::Refuse(ms, status) => (*ms, *status),
                Behaviour::RingForever | Behaviour::RingThenDie => (185_000, 1),
                Behaviour::RingLate(ms) => (ms + 185_000, 1),
                Behaviour::RingAgain(ms, times) => (ms * times, 200),
                Behaviour::Silent => (32_000, 0),
            })
            .collect();
        ends.sort_unstable();
        let last = ends.iter().find(|(_, status)| matches!(status, 200..=299 | 600..));
        let cut = last.map_or(u64::MAX, |(when, _)| *when).min(limit);
        let seen: Vec<u16> =
            ends.iter().filter(|(when, _)| *when <= cut).map(|(_, status)| *status).collect();
        if seen.contains(&200) {
            return 200;
        }
        collected.extend(seen.iter().filter(|status| **status >= 300));
        let has = |wanted: &[u16]| seen.iter().any(|status| wanted.contains(status));
        let too_late = seen.len() < ends.len() && cut == limit;
        silence |= too_late || has(&[0, 1]);
        outcome = if let Some(refusal) = seen.iter().find(|status| **status >= 600) {
            if *refusal == 600 { vec![Condition::Busy] } else { vec![] }
        } else if too_late || has(&[1]) {
            vec![Condition::NoAnswer, Condition::Unanswered]
        } else if has(&[486]) {
            vec![Condition::Busy, Condition::Unanswered]
        } else if has(&[408, 480]) {
            vec![Condition::NoAnswer, Condition::Unanswered]
        } else if has(&[0]) {
            vec![Condition::NoAnswer, Condition::Failure, Condition::Unanswered]
        } else if has(&[404, 488, 500, 503]) {
            vec![Condition::Failure, Condition::Unanswered]
        } else {
            vec![Condition::Unanswered]
        };
    }
    if let Some(refusal) = collected.iter().find(|status| **status >= 600) {
        return *refusal;
    }
    let class = |of: u16| collected.iter().copied().filter(move |status| status / 100 == of);
    let useful = |status: &u16| matches!(status, 401 | 407);
    if let Some(redirect) = class(3).min() {
        return redirect;
    }
    if let Some(challenge) = class(4).find(useful) {
        return challenge;
    }
    if let Some(other) = class(4).find(|status| *status != 408) {
        return other;
    }
    if silence || class(4).next().is_some() {
        return 408;
    }
    500
}

#[test]
fn the_outcome_of_a_call_is_what_its_plan_says() {
    each_seed(1000, |seed| {
        let mut r = Random::new(seed);
        let settings = Settings { delay: 0, ..Settings::default() };
        let mut w = World::new(settings, seed);
        w.is_recording = false;
        w.phone("caller");
        w.phones[0].hangs_up = Some(100);
        let mut steps = vec![];
        let mut behaviours = vec![];
        let mut moment = 0;
        for index in 0..=r.below(3) {
            let when = if index == 0 { Condition::First } else { r.pick(&CONDITIONS) };
            let answer_timeout = r.pick(&[None, Some(5000), Some(20_000), Some(40_000)]);
            let mut phones = vec![];
            let mut of_step = vec![];
            for _ in 0..=r.below(2) {
                let phone = w.phone(&format!("p{}", w.phones.len()));
                // Two phones never do something at the same moment, nor together with a timer.
                moment += 7;
                let behaviour = match random_behaviour(&mut r) {
                    Behaviour::Answer(ms) => Behaviour::Answer(ms / 100 * 100 + moment),
                    Behaviour::Refuse(ms, status) => {
                        Behaviour::Refuse(ms / 100 * 100 + moment, status)
                    }
                    Behaviour::RingLate(ms) => Behaviour::RingLate(ms / 100 * 100 + moment),
                    Behaviour::RingAgain(ms, times) => Behaviour::RingAgain(ms + moment, times),
                    other => other,
                };
                w.phones[phone].behaviour = behaviour;
                of_step.push(behaviour);
                phones.push(phone);
            }
            steps.push(w.step(when, &phones, answer_timeout));
            behaviours.push(of_step);
        }
        w.forwards(steps.clone());
        let now = w.now;
        w.phones[0].invite(now, "sip:x@example.com");
        w.run_to_end();
        let got = match w.phones[0].outgoing[0].endings[..] {
            [Ending::Response(status)] => status,
            ref other => panic!("{other:?}"),
        };
        let wanted = expected(&steps, &behaviours);
        let plan: Vec<_> = steps.iter().map(|s| (s.when, s.answer_timeout)).collect();
        // Among equals the one that came first is as good as any other.
        let same_kind =
            got == wanted || (got / 100 == 4 && wanted / 100 == 4 && got != 408 && wanted != 408);
        assert!(same_kind, "got {got}, wanted {wanted}: {plan:?} {behaviours:?}");
    });
}
