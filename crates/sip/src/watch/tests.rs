use super::*;

const RULES: Rules =
    Rules { interval: Duration::from_secs(300), again: Duration::from_secs(30), failures: 3 };

fn at(seconds: u64) -> Moment {
    Moment::from_millis(seconds * 1000)
}

fn session(seconds: u32, is_enforced: bool) -> Option<Session> {
    Some(Session { seconds, is_enforced })
}

fn probes(watch: &mut Watch, seconds: u64) -> Vec<Side> {
    let side = |order| match order {
        Order::Probe(side) => side,
        Order::End(over) => panic!("{over:?}"),
    };
    watch.timeout(at(seconds), &RULES).into_iter().map(side).collect()
}

#[test]
fn rfc4028_8_3_a_session_that_is_not_refreshed_runs_out() {
    let mut watch = Watch::new(at(0), session(90, true), true, &RULES);
    // 90 s, and a third of it.
    assert_eq!(watch.deadline(), Some(at(120)));
    watch.heard(Side::Caller, at(10));
    watch.heard(Side::Callee, at(20));
    assert_eq!(watch.timeout(at(119), &RULES), []);
    let over = Over { cause: Cause::SessionRanOut, alive_at: at(10) };
    assert_eq!(watch.timeout(at(120), &RULES), [Order::End(over)]);
    // A long one lasts 32 s longer.
    assert_eq!(Watch::new(at(0), session(1800, true), true, &RULES).deadline(), Some(at(1832)));
}

#[test]
fn rfc4028_8_2_each_refresh_begins_the_session_anew() {
    let mut watch = Watch::new(at(0), session(90, true), true, &RULES);
    watch.refreshed(at(50), session(300, true), &RULES);
    assert_eq!(watch.deadline(), Some(at(382)));
    // No session any more: both are asked from time to time.
    watch.refreshed(at(100), None, &RULES);
    assert_eq!(watch.deadline(), Some(at(400)));
    watch.refreshed(at(200), session(90, true), &RULES);
    assert_eq!(watch.deadline(), Some(at(320)));
}

#[test]
fn rfc4028_8_2_a_session_that_the_callee_knows_nothing_of_ends_by_asking() {
    let mut watch = Watch::new(at(0), session(90, false), true, &RULES);
    watch.heard(Side::Callee, at(119));
    assert_eq!(probes(&mut watch, 120), Side::BOTH);
    // Nobody can be asked: it is not over, whatever the caller did.
    let mut watch = Watch::new(at(0), session(90, false), false, &RULES);
    assert_eq!(watch.timeout(at(120), &RULES), []);
    assert_eq!(watch.deadline(), None);
}

#[test]
fn both_sides_are_asked_when_they_were_not_heard_of() {
    let mut watch = Watch::new(at(0), None, true, &RULES);
    assert_eq!(watch.deadline(), Some(at(300)));
    watch.heard(Side::Caller, at(100));
    assert_eq!(probes(&mut watch, 300), [Side::Callee]);
    assert_eq!(watch.deadline(), Some(at(400)));
    // It is asked once, however long the answer takes.
    assert_eq!(probes(&mut watch, 400), [Side::Caller]);
    assert_eq!(watch.answered(Side::Caller, true, at(401), &RULES), None);
    assert_eq!(watch.answered(Side::Callee, true, at(410), &RULES), None);
    assert_eq!(watch.deadline(), Some(at(700)));
    assert_eq!(probes(&mut watch, 700), []);
    assert_eq!(watch.deadline(), Some(at(701)));
}

#[test]
fn rfc3261_12_2_1_2_a_side_that_is_gone_ends_the_call() {
    let mut watch = Watch::new(at(0), None, true, &RULES);
    assert_eq!(probes(&mut watch, 300).len(), 2);
    assert_eq!(watch.answered(Side::Caller, true, at(301), &RULES), None);
    for n in 1..=2 {
        assert_eq!(watch.answered(Side::Callee, false, at(300 + n * 40), &RULES), None);
        let due = at(300 + n * 40 + 30);
        assert_eq!(watch.deadline(), Some(due));
        assert_eq!(watch.timeout(due, &RULES), [Order::Probe(Side::Callee)]);
    }
    let over = watch.answered(Side::Callee, false, at(450), &RULES);
    assert_eq!(over, Some(Over { cause: Cause::Gone(Side::Callee), alive_at: at(0) }));
}

#[test]
fn failures_count_in_a_row_only() {
    let mut watch = Watch::new(at(0), None, true, &RULES);
    let fails = |watch: &mut Watch, from: u64| {
        let mut now = from;
        for _ in 0..2 {
            assert!(probes(watch, now).contains(&Side::Callee));
            assert_eq!(watch.answered(Side::Callee, false, at(now), &RULES), None);
            now += 30;
        }
        now
    };
    let now = fails(&mut watch, 300);
    // A request of its own is as good as an answer.
    watch.heard(Side::Callee, at(now));
    let now = fails(&mut watch, now + 300);
    assert!(probes(&mut watch, now).contains(&Side::Callee));
    assert_eq!(watch.answered(Side::Callee, true, at(now), &RULES), None);
    fails(&mut watch, now + 300);
}

#[test]
fn a_call_whose_sides_are_both_gone_is_over_since_the_first_one_was() {
    let once = Rules { failures: 1, ..RULES };
    let mut watch = Watch::new(at(0), None, true, &once);
    watch.heard(Side::Caller, at(10));
    watch.heard(Side::Callee, at(20));
    assert_eq!(watch.timeout(at(400), &once).len(), 2);
    let over = watch.answered(Side::Callee, false, at(432), &once);
    assert_eq!(over, Some(Over { cause: Cause::Gone(Side::Callee), alive_at: at(20) }));
    let over = watch.answered(Side::Caller, false, at(432), &once);
    assert_eq!(over, Some(Over { cause: Cause::Gone(Side::Caller), alive_at: at(10) }));
}

#[test]
fn an_answer_that_comes_when_a_session_has_begun_ends_nothing() {
    let once = Rules { failures: 1, ..RULES };
    let mut watch = Watch::new(at(0), None, true, &once);
    assert_eq!(watch.timeout(at(300), &once).len(), 2);
    watch.refreshed(at(310), session(90, true), &once);
    assert_eq!(watch.answered(Side::Callee, false, at(332), &once), None);
    assert_eq!(watch.deadline(), Some(at(430)));
}

#[test]
fn a_probe_that_could_not_be_sent_is_sent_later() {
    let mut watch = Watch::new(at(0), None, true, &RULES);
    assert_eq!(probes(&mut watch, 300).len(), 2);
    watch.not_asked(Side::Callee);
    watch.heard(Side::Caller, at(301));
    assert_eq!(probes(&mut watch, 600), [Side::Callee]);
}

#[test]
fn nothing_is_watched_when_nobody_may_be_asked() {
    let never = Rules { interval: Duration::ZERO, ..RULES };
    for (rules, can_probe) in [(&never, true), (&RULES, false)] {
        let mut watch = Watch::new(at(0), None, can_probe, rules);
        assert_eq!(watch.deadline(), None);
        assert_eq!(watch.timeout(at(1_000_000), rules), []);
    }
}

#[test]
fn rfc3261_12_2_1_2_answers_that_say_that_there_is_no_dialog() {
    for status in [200, 401, 404, 405, 407, 486, 500, 501, 503, 603] {
        assert!(is_alive(status), "{status}");
    }
    assert!([408, 430, 481].iter().all(|status| !is_alive(*status)));
}
