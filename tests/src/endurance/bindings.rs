//! Registrations while sipd is killed again and again: none that was acknowledged is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::http;
use crate::platform::{Platform, eventually};
use crate::sip::{Phone, Request};

use super::crowd::{Crowd, Job, Outcome, Pace};
use super::{DOMAIN, accounts, address, statuses};

/// Contacts of an account: as many as `max_contacts` of the registrar allows.
pub const CONTACTS: usize = 10;
/// How many REGISTERs are handed to the crowd at once; between two of these it is looked how many were acknowledged.
const ROUND: usize = 100;

/// How often a phone tries to register that is told 503.
const ATTEMPTS: u32 = 60;

/// How it went.
#[derive(Debug, Clone)]
pub struct Report {
    /// Bindings that were acknowledged.
    pub acknowledged: usize,
    /// How often each status came.
    pub statuses: String,
    /// How long it took to register all.
    pub took: Duration,
    /// From the start of each next sipd until everything that had been acknowledged before the kill was served again.
    pub restarts: Vec<Duration>,
}

/// How many bindings sipd serves.
fn served(p: &Platform) -> Option<usize> {
    let reply = http::get(p.admin_of("sipd"), "/registrations/domains").ok()?;
    let counts: serde_json::Value = serde_json::from_str(&reply.text()).ok()?;
    usize::try_from(counts["domains"][DOMAIN].as_u64().unwrap_or(0)).ok()
}

fn contact(account: usize, number: usize) -> String {
    format!("<sip:u{account}-{number}@127.0.0.1:9>")
}

/// A REGISTER of an account with a Call-ID of its own.
fn register(account: usize) -> Job {
    let aor = format!("sip:{}", address(account));
    let request = Request::new("REGISTER", &format!("sip:{DOMAIN}"), &aor, &aor);
    Job { request, user: format!("u{account}") }
}

/// Registers; whoever is told 503 since a server that starts is busy tries again a moment later, as it is told to.
fn until_accepted(crowd: &mut Crowd, jobs: Vec<Job>, pace: Pace) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(jobs.len());
    let mut jobs = jobs;
    for attempt in 0..ATTEMPTS {
        let (again, ended): (Vec<_>, Vec<_>) = crowd
            .run(jobs, pace)
            .into_iter()
            .partition(|outcome| outcome.status() == 503 && attempt + 1 < ATTEMPTS);
        outcomes.extend(ended);
        if again.is_empty() {
            break;
        }
        thread::sleep(Duration::from_secs(1));
        jobs = again.into_iter().map(|outcome| next(outcome.request)).collect();
    }
    outcomes
}

/// The REGISTER that follows one that was refused.
fn next(refused: Request) -> Job {
    let user = refused.from.trim_start_matches("sip:").split('@').next().unwrap_or_default();
    let user = user.to_owned();
    let mut request = refused;
    request.cseq += 1;
    request.branch = format!("z9hG4bK{}", crate::sip::unique("b"));
    request.headers.retain(|(name, _)| name != "Authorization");
    Job { request, user }
}

/// `count` bindings, while sipd is killed `kills` times at moments that `moment` chooses: after how many milliseconds.
#[track_caller]
pub fn run(
    p: &mut Platform,
    count: usize,
    kills: usize,
    pace: Pace,
    moment: impl Fn(usize) -> u64,
) -> Report {
    let owners = count.div_ceil(CONTACTS);
    accounts(p, owners, 0);
    let acknowledged = AtomicUsize::new(0);
    let is_over = AtomicBool::new(false);
    let begun = Instant::now();
    let mut crowd = Crowd::new(Phone::new(p.sip_address(), &address(0), "secret"));
    let mut restarts = Vec::new();
    let outcomes = thread::scope(|scope| {
        let (acknowledged, is_over) = (&acknowledged, &is_over);
        let crowd = &mut crowd;
        let registering = scope.spawn(move || {
            let mut outcomes = Vec::new();
            let numbers: Vec<usize> = (0..count).collect();
            for round in numbers.chunks(ROUND.max(pace.in_flight * 4)) {
                let jobs = round.iter().map(|n| {
                    let Job { request, user } = register(n % owners);
                    let contact = contact(n % owners, n / owners);
                    let request = request.with("Contact", &contact).with("Expires", "7200");
                    Job { request, user }
                });
                let ended = until_accepted(crowd, jobs.collect(), pace);
                let good = ended.iter().filter(|outcome| outcome.status() == 200).count();
                acknowledged.fetch_add(good, Ordering::SeqCst);
                outcomes.extend(ended);
            }
            is_over.store(true, Ordering::SeqCst);
            outcomes
        });
        for kill in 0..kills {
            let until = Instant::now() + Duration::from_millis(moment(kill));
            while Instant::now() < until && !is_over.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            p.kill_daemon("sipd");
            let before = acknowledged.load(Ordering::SeqCst);
            let started = Instant::now();
            p.launch();
            eventually("they are served again", || served(p).filter(|now| *now >= before));
            restarts.push(started.elapsed());
        }
        registering.join().expect("the phones")
    });
    let took = begun.elapsed();
    // What is left when it is killed once more comes from the database alone.
    p.kill_daemon("sipd");
    p.launch();
    all_are_served(&mut crowd, &outcomes, owners, pace);
    let acknowledged = acknowledged.into_inner();
    Report { acknowledged, statuses: statuses(&outcomes), took, restarts }
}

/// Every contact of a REGISTER that was answered by 200 is in what the registrar says now.
#[track_caller]
fn all_are_served(crowd: &mut Crowd, outcomes: &[Outcome], owners: usize, pace: Pace) {
    let queries = crowd.run((0..owners).map(register).collect(), pace);
    super::assert_all("queries", &queries, 200);
    let listed: BTreeMap<&str, BTreeSet<&str>> = queries
        .iter()
        .map(|query| {
            let answer = query.response.as_ref().expect("answered");
            let contacts = answer.all("contact").into_iter().flat_map(|value| value.split(','));
            let uris = contacts.map(|one| one.trim().split_inclusive('>').next().unwrap_or(one));
            (query.request.to.as_str(), uris.collect())
        })
        .collect();
    let good = outcomes.iter().filter(|outcome| outcome.status() == 200);
    let lost: Vec<_> = good
        .filter_map(|outcome| {
            let (_, contact) =
                outcome.request.headers.iter().find(|(name, _)| name == "Contact")?;
            let is_there = listed.get(outcome.request.to.as_str())?.contains(contact.as_str());
            (!is_there).then_some(contact)
        })
        .collect();
    assert!(lost.is_empty(), "{} acknowledged bindings are lost: {:?}", lost.len(), lost.first());
}
