//! The database is away, hung or shut down, while phones call and keep their registrations: nobody notices, and everything
//! is in the database afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::database::Server;
use crate::http;
use crate::platform::{Platform, eventually};
use crate::program::{Program, run as run_command};
use crate::sip::{Phone, Request};

use super::crowd::{Crowd, Job, Outcome, Pace};
use super::{DOMAIN, accounts, address, assert_all, crowds, invite, resident, statuses};

/// How large it is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Accounts, each with one binding that is refreshed again and again.
    pub accounts: usize,
    /// REGISTERs in a second.
    pub registrations: u32,
    /// Calls in a second, each ended at once.
    pub calls: u32,
    /// How long the database hangs, and then how long it is shut down.
    pub away: Duration,
}

/// How it went.
#[derive(Debug, Clone)]
pub struct Report {
    /// Final responses to REGISTER, by status.
    pub registrations: String,
    /// The longest that a REGISTER waited for its final response.
    pub longest: Duration,
    /// Final responses to INVITE, by status.
    pub calls: String,
    /// Resident octets of sipd before, and the most while the database was away.
    pub memory: (u64, u64),
    /// From the moment that the database was there again until everything was written.
    pub written_after: Duration,
    /// How many requests got another answer than 200, or none.
    pub refused: usize,
    /// What sipd says of requests that it refused or dropped, and of messages that it lost.
    pub told: Vec<String>,
}

/// The counters of sipd about what it refused, dropped or lost, where they are not zero.
fn losses(p: &Platform) -> Vec<String> {
    let metrics = http::get(p.admin_of("sipd"), "/metrics").map(|reply| reply.text());
    let metrics = metrics.unwrap_or_default();
    let names = ["sipd_shed", "sipd_datagrams", "sipd_arrivals", "sipd_stack_events_total"];
    let is_loss = |line: &&str| names.iter().any(|name| line.starts_with(name));
    let lines = metrics.lines().filter(is_loss).filter(|line| !line.ends_with(" 0"));
    lines.map(str::to_owned).collect()
}

/// The process of a server, which can be stopped and started again.
struct Process {
    id: String,
    arguments: Vec<String>,
    again: Option<Program>,
}

impl Process {
    fn of(server: &Server) -> Self {
        let directory = Path::new(&server.socket).parent().expect("a directory");
        let id = fs::read_to_string(directory.join("pid")).expect("a process id").trim().to_owned();
        let line = fs::read_to_string(format!("/proc/{id}/cmdline")).expect("its command");
        let arguments = line.split_terminator('\0').map(str::to_owned).collect();
        Self { id, arguments, again: None }
    }

    fn signal(&self, name: &str) {
        run_command(Command::new("kill").args([&format!("-{name}"), &self.id])).expect("it runs");
    }

    /// Ends it in good order and waits until it is gone.
    fn stop(&self) {
        self.signal("TERM");
        let state = format!("/proc/{}/stat", self.id);
        eventually("the database is shut down", || {
            let state = fs::read_to_string(&state).unwrap_or_default();
            // Its parent may not ask for it soon.
            (state.is_empty() || state.contains(") Z ")).then_some(())
        });
    }

    fn start_again(&mut self) {
        let (program, arguments) = self.arguments.split_first().expect("a command");
        let mut command = Command::new(program);
        command.args(arguments);
        self.again = Some(Program::start("MariaDB", command).expect("it starts"));
    }
}

/// REGISTERs of the same contacts for as long as it takes: all outcomes.
fn refresh(crowd: &mut Crowd, size: Size, stop: &AtomicBool) -> Vec<Outcome> {
    let uri = format!("sip:{DOMAIN}");
    let mut requests: Vec<Request> = (0..size.accounts)
        .map(|n| {
            let aor = format!("sip:{}", address(n));
            let contact = format!("<sip:u{n}@127.0.0.1:9>");
            let request = Request::new("REGISTER", &uri, &aor, &aor);
            request.with("Contact", &contact).with("Expires", "3600")
        })
        .collect();
    let mut outcomes = Vec::new();
    let pace = Pace { per_second: size.registrations, in_flight: 5_000 };
    while !stop.load(Ordering::SeqCst) {
        for part in requests.chunks_mut(usize::try_from(size.registrations).unwrap_or(1)) {
            for request in part.iter_mut() {
                request.cseq += 1;
                request.headers.retain(|(name, _)| name != "Authorization");
                request.branch = format!("z9hG4bK{}", crate::sip::unique("b"));
            }
            let jobs = part.iter().map(|request| {
                let user = request.from.trim_start_matches("sip:").split('@').next();
                Job { request: request.clone(), user: user.unwrap_or_default().to_owned() }
            });
            let ended = crowd.run(jobs.collect(), pace);
            for (request, outcome) in part.iter_mut().zip(&ended) {
                request.cseq = outcome.request.cseq;
            }
            outcomes.extend(ended);
            if stop.load(Ordering::SeqCst) {
                break;
            }
        }
    }
    outcomes
}

/// Calls that are answered and ended for as long as it takes.
fn call(crowd: &mut Crowd, size: Size, stop: &AtomicBool) -> (Vec<Outcome>, Vec<Outcome>) {
    let pace = Pace { per_second: size.calls, in_flight: 500 };
    let (mut calls, mut ends) = (Vec::new(), Vec::new());
    while !stop.load(Ordering::SeqCst) {
        let begun = calls.len();
        let jobs = (0..size.calls as usize).map(|n| invite(crowd, n % size.accounts, begun + n));
        let jobs = jobs.collect();
        let set_up = crowd.run(jobs, pace);
        let byes = set_up.iter().filter(|call| call.status() == 200).map(|call| {
            let response = call.response.as_ref().expect("it was answered");
            Job { request: call.request.bye(response), user: String::new() }
        });
        let byes = byes.collect();
        ends.extend(crowd.run(byes, Pace { per_second: 10_000, ..pace }));
        calls.extend(set_up);
    }
    (calls, ends)
}

/// What the admin port of sipd says of being ready.
fn told(p: &Platform) -> String {
    http::get(p.admin_of("sipd"), "/ready").map(|reply| reply.text()).unwrap_or_default()
}

/// The database hangs, comes back, is shut down and comes back, under load. Fails when something that was answered 200 is not
/// written; how many were refused is for the caller to judge.
#[track_caller]
pub fn run(size: Size) -> Report {
    let server = Server::start();
    let p = Platform::start_apart_on(&server);
    let mut process = Process::of(&server);
    accounts(&p, size.accounts, 0);
    let (mut callers, mut callees) = crowds(&p);
    let mut phones = Crowd::new(Phone::new(p.sip_address(), &address(0), "secret"));
    let before = resident(p.process("sipd"));
    let [is_over, is_quiet] = [(); 2].map(|()| AtomicBool::new(false));
    let (registered, (calls, ends), most, back) = thread::scope(|scope| {
        let (is_over, is_quiet) = (&is_over, &is_quiet);
        scope.spawn(|| callees.serve(is_quiet));
        let registering = scope.spawn(|| refresh(&mut phones, size, is_over));
        let calling = scope.spawn(|| call(&mut callers, size, is_over));
        let mut most = 0;
        let mut wait = |time: Duration| {
            let until = Instant::now() + time;
            while Instant::now() < until {
                thread::sleep(Duration::from_millis(100));
                most = most.max(resident(p.process("sipd")));
            }
        };
        let waits = "registrations wait in memory";
        let is_told = |it: bool| (told(&p).contains(waits) == it).then_some(());
        wait(Duration::from_secs(2));
        process.signal("STOP");
        wait(size.away);
        eventually("the admin port tells that the database hangs", || is_told(true));
        process.signal("CONT");
        eventually("the admin port tells that the database is back", || is_told(false));
        process.stop();
        wait(size.away);
        eventually("the admin port tells that the database is down", || is_told(true));
        process.start_again();
        eventually("the admin port tells that the database is up", || is_told(false));
        let back = Instant::now();
        wait(Duration::from_secs(2));
        is_over.store(true, Ordering::SeqCst);
        let registered = registering.join().expect("the phones");
        let called = calling.join().expect("the callers");
        is_quiet.store(true, Ordering::SeqCst);
        (registered, called, most, back)
    });
    // Who hangs up is answered in any case: calls that were refused have no end.
    assert_all("ends of calls", &ends, 200);
    let is_accepted = |one: &&Outcome| one.status() == 200;
    let accepted = calls.iter().filter(is_accepted).count();
    let records =
        "SELECT COUNT(*) FROM radacct WHERE SipResponseCode = 200 AND AcctStopTime IS NOT NULL";
    eventually("each call has its record", || {
        (p.database.sql(records).trim() == accepted.to_string()).then_some(())
    });
    let rows = || p.database.sql("SELECT callid, cseq FROM location ORDER BY callid");
    // The last one of each that was accepted; an account that was not refreshed before the end has none.
    let mut last = BTreeMap::<&str, u32>::new();
    for one in registered.iter().filter(is_accepted) {
        let cseq = last.entry(&one.request.call_id).or_default();
        *cseq = (*cseq).max(one.request.cseq);
    }
    let mut wanted: Vec<String> =
        last.iter().map(|(call, cseq)| format!("{call}\t{cseq}")).collect();
    wanted.sort_unstable();
    let stored = || {
        let mut rows: Vec<String> = rows().lines().map(str::to_owned).collect();
        rows.sort_unstable();
        rows
    };
    eventually("each binding is written", || (stored() == wanted).then_some(()));
    let longest = registered.iter().map(|one| one.done.duration_since(one.sent)).max();
    let all = registered.len() + calls.len();
    Report {
        registrations: statuses(&registered),
        longest: longest.unwrap_or_default(),
        calls: statuses(&calls),
        memory: (before, most),
        written_after: back.elapsed(),
        refused: all - accepted - registered.iter().filter(is_accepted).count(),
        told: losses(&p),
    }
}
