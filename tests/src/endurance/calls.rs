//! Calls that last while sipd is killed: each can be changed and ended afterwards, leaves one complete record, and counts
//! towards the limit of who pays.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::platform::{Platform, eventually};
use crate::sip::Request;

use super::crowd::{Crowd, Job, Outcome, Pace};
use super::{accounts, assert_all, crowds, invite};

/// How it went.
#[derive(Debug, Clone)]
pub struct Report {
    /// How long it took to set up all calls.
    pub setup: Duration,
    /// From the kill until sipd was ready again.
    pub restart: Duration,
    /// How long it took to change all calls.
    pub change: Duration,
    /// How long it took to end all calls.
    pub end: Duration,
}

/// Sends jobs of one crowd while the other one answers.
fn while_serving(one: &mut Crowd, other: &mut Crowd, jobs: Vec<Job>, pace: Pace) -> Vec<Outcome> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| other.serve(&stop));
        let outcomes = one.run(jobs, pace);
        stop.store(true, Ordering::SeqCst);
        outcomes
    })
}

/// The next request of the caller in the dialog that an INVITE made.
fn within(call: &Outcome, method: &str, cseq: u32) -> Request {
    let response = call.response.as_ref().expect("it was answered");
    Request { method: method.to_owned(), cseq, ..call.request.bye(response) }
}

fn job(call: &Outcome, request: Request) -> Job {
    let user = call.request.from.trim_start_matches("sip:").split('@').next().unwrap_or_default();
    Job { request, user: user.to_owned() }
}

/// One more call of each account.
fn one_more(crowd: &Crowd, accounts: usize) -> Vec<Job> {
    (0..accounts).map(|account| invite(crowd, account, 9_000_000 + account)).collect()
}

/// `count` calls of `payers` accounts, each of which may have just so many, over a kill of sipd.
#[track_caller]
pub fn run(p: &mut Platform, count: usize, payers: usize, pace: Pace) -> Report {
    let each = count / payers;
    accounts(p, payers, i64::try_from(each).expect("a limit"));
    let (mut callers, mut callees) = crowds(p);
    let begun = Instant::now();
    let jobs = (0..each * payers).map(|n| invite(&callers, n % payers, n)).collect();
    let calls = while_serving(&mut callers, &mut callees, jobs, pace);
    let setup = begun.elapsed();
    assert_all("calls are set up", &calls, 200);
    let lasting = |p: &Platform| {
        p.database.sql("SELECT COUNT(*) FROM lasting_calls").trim().parse::<usize>().unwrap_or(0)
    };
    eventually("all calls are noted", || (lasting(p) == calls.len()).then_some(()));

    let begun = Instant::now();
    p.kill_daemon("sipd");
    p.launch();
    let restart = begun.elapsed();
    // B76: the limits hold at once.
    let jobs = one_more(&callers, payers);
    let refused = while_serving(&mut callers, &mut callees, jobs, pace);
    assert_all("B76: no account may call more", &refused, 403);

    let begun = Instant::now();
    let contact = |call: &Outcome| {
        let contact = call.request.headers.iter().find(|(name, _)| name == "Contact");
        contact.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let changes = calls.iter().map(|call| {
        let change = within(call, "INVITE", call.request.cseq + 1);
        job(call, change.with("Contact", &contact(call)))
    });
    let changed = while_serving(&mut callers, &mut callees, changes.collect(), pace);
    let change = begun.elapsed();
    assert_all("calls are changed after the restart", &changed, 200);

    let begun = Instant::now();
    let (ours, theirs): (Vec<_>, Vec<_>) = calls.iter().enumerate().partition(|(n, _)| n % 2 == 0);
    let ends = ours.iter().map(|(_, call)| job(call, within(call, "BYE", call.request.cseq + 2)));
    let mut ended = while_serving(&mut callers, &mut callees, ends.collect(), pace);
    let ends = theirs.iter().map(|(_, call)| {
        let bye = callees.callee_bye(&call.request.call_id).expect("the call came");
        Job { request: bye, user: String::new() }
    });
    let ends = ends.collect();
    ended.extend(while_serving(&mut callees, &mut callers, ends, pace));
    let end = begun.elapsed();
    assert_all("calls are ended after the restart", &ended, 200);

    eventually("all ends are noted", || (lasting(p) == 0).then_some(()));
    records_are_complete(p, &calls, &ended);
    let jobs = one_more(&callers, payers);
    let again = while_serving(&mut callers, &mut callees, jobs, pace);
    assert_all("B76: each account may call again", &again, 200);
    Report { setup, restart, change, end }
}

/// One record of each call, from its answer to its BYE, to the second.
#[track_caller]
fn records_are_complete(p: &Platform, calls: &[Outcome], ended: &[Outcome]) {
    let rows = p.database.sql(
        "SELECT AcctSessionId, AcctSessionTime, SipResponseCode, AcctStopTime IS NOT NULL FROM radacct \
         WHERE SipResponseCode = 200",
    );
    let mut found: HashMap<&str, Vec<Vec<&str>>> = HashMap::new();
    for row in rows.lines() {
        let fields: Vec<&str> = row.split('\t').collect();
        found.entry(fields[0]).or_default().push(fields[1..].to_vec());
    }
    let ends: HashMap<&str, &Outcome> =
        ended.iter().map(|end| (end.request.call_id.as_str(), end)).collect();
    assert_eq!(found.len(), calls.len(), "answered calls in the records");
    for call in calls {
        let id = call.request.call_id.as_str();
        let records = &found[id];
        assert!(records.len() == 1 && records[0][2] == "1", "{id}: {records:?}");
        let seconds: f64 = records[0][0].parse().expect("a duration");
        let end = ends[id];
        // It was answered between INVITE and 200, and ended between BYE and its 200; the record has whole seconds.
        let least = end.sent.duration_since(call.done).as_secs_f64() - 1.0;
        let most = end.done.duration_since(call.sent).as_secs_f64() + 1.0;
        assert!(
            (least..=most).contains(&seconds),
            "{id} lasted {least} to {most} s, and {seconds} s by its record"
        );
    }
}
