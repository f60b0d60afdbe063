//! Calls that wait for what the DNS says about numbers (RFC 6116). The loop goes on meanwhile.

use super::Engine;
use super::admission::Admission;
use crate::cdr::Record;
use crate::enum_lookup::Said;
use crate::explain::Ask;
use crate::facts::{Called, Listed, Told};
use futures::future::join_all;
use ngn_daemon::wall_clock;
use ngn_model::DomainName;
use ngn_model::number::E164;
use ngn_sip::message::Method;
use ngn_sip::stack::{IncomingRequest, ServerTransactionId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// About how many numbers the DNS is asked for one call at one time.
const MOST_NUMBERS: usize = 8;
/// How often it is asked for one call: what ENUM leads to may divert to numbers again.
const ROUNDS: u32 = 3;

/// How long a call has waited, and what it was told.
#[derive(Debug, Default)]
pub(super) struct Waited {
    pub(super) told: Told,
    /// Until when it may wait in all, once it has begun to.
    until: Option<Instant>,
    rounds: u32,
}

/// What waits.
pub(super) enum Work {
    /// A request whose caller is known.
    Request(IncomingRequest, Admission),
    /// A question about a plan.
    Ask(Ask),
}

/// Everything that waits.
#[derive(Default)]
pub(super) struct Waiting {
    work: HashMap<u64, (Work, Waited)>,
    last: u64,
}

impl Waiting {
    /// How much waits.
    pub(super) fn len(&self) -> usize {
        self.work.len()
    }
}

/// What the DNS is to be asked.
pub(super) struct Lookup {
    asked: Vec<(E164, Vec<DomainName>)>,
    until: Instant,
    permit: OwnedSemaphorePermit,
}

/// What the DNS said, for something that waits.
pub(super) struct Answer {
    id: u64,
    said: Vec<(String, Said)>,
}

impl Engine {
    /// The numbers among those given that the DNS is asked about, with the trees: those in a range of ours are known.
    fn foreign(&self, numbers: &[String], told: &Told) -> Vec<(E164, Vec<DomainName>)> {
        let is_foreign = |number: &String| -> Option<(E164, Vec<DomainName>)> {
            if told.contains_key(number) {
                return None;
            }
            let enums = self.directory.enums();
            let trees = self.asked_trees.iter().filter(|tree| !enums.is_ours(number, tree));
            let trees: Vec<DomainName> = trees.cloned().collect();
            Some((E164::new(number).ok()?, trees)).filter(|(_, trees)| !trees.is_empty())
        };
        if self.asked_trees.is_empty() {
            return Vec::new();
        }
        numbers.iter().filter_map(is_foreign).take(MOST_NUMBERS).collect()
    }

    /// What the DNS is to be asked about some numbers; `None` when there is nothing to wait for, or when what waits has
    /// waited long enough.
    pub(super) fn enum_lookup(&self, numbers: &[String], waited: &Waited) -> Option<Lookup> {
        let asked = self.foreign(numbers, &waited.told);
        let now = Instant::now();
        let until = waited.until.unwrap_or(now + self.config.r#enum.patience());
        if asked.is_empty() || waited.rounds >= ROUNDS || until <= now {
            return None;
        }
        let Ok(permit) = Arc::clone(&self.lookups).try_acquire_owned() else {
            self.metrics.shed.inc();
            return None;
        };
        Some(Lookup { asked, until, permit })
    }

    /// Lets some work wait for a look-up.
    pub(super) fn wait_for_enum(&mut self, lookup: Lookup, work: Work, mut waited: Waited) {
        let Lookup { asked, until, permit } = lookup;
        waited.until = Some(until);
        waited.rounds = waited.rounds.saturating_add(1);
        let waiting = &mut self.waiting_for_enum;
        waiting.last = waiting.last.wrapping_add(1);
        let id = waiting.last;
        waiting.work.insert(id, (work, waited));
        let (locator, answers) = (self.locator.clone(), self.enum_answers.clone());
        tokio::spawn(async move {
            let patience = until.saturating_duration_since(Instant::now());
            let asked = asked.into_iter().map(|(number, trees)| {
                let locator = &locator;
                async move {
                    let said = locator.enum_uris(&number, &trees, patience).await;
                    (number.digits().to_owned(), said)
                }
            });
            let said = join_all(asked).await;
            let _ = answers.send(Answer { id, said }).await;
            drop(permit);
        });
    }

    /// Takes what the DNS said; what waited for it goes on.
    pub(super) fn enum_answered(&mut self, answer: Answer) {
        // It may have been cancelled.
        let Some((work, mut waited)) = self.waiting_for_enum.work.remove(&answer.id) else {
            return;
        };
        for (number, said) in answer.said {
            let (counter, listed) = match said {
                Said::Found(listed) => (&self.metrics.enum_found, listed),
                Said::Nothing => (&self.metrics.enum_unknown, Listed::default()),
                Said::NoAnswer => (&self.metrics.enum_unanswered, Listed::default()),
            };
            counter.inc();
            waited.told.insert(number, listed);
        }
        match work {
            Work::Request(incoming, admission) => self.call(incoming, admission, waited),
            Work::Ask(ask) => self.explain(ask, waited),
        }
    }

    /// A request was cancelled, and answered so, while it waited.
    pub(super) fn cancelled(&mut self, id: ServerTransactionId) {
        let is_it = |work: &Work| matches!(work, Work::Request(incoming, _) if incoming.id == id);
        let found = self.waiting_for_enum.work.extract_if(|_, (work, _)| is_it(work)).next();
        if let Some((_, (Work::Request(incoming, admission), _))) = found {
            self.record_waiting(&incoming, &admission, 487);
        }
    }

    /// Records what still waits when this process ends.
    pub(super) fn record_all_waiting(&mut self) {
        for (_, (work, _)) in std::mem::take(&mut self.waiting_for_enum.work) {
            if let Work::Request(incoming, admission) = work {
                self.record_waiting(&incoming, &admission, 503);
            }
        }
    }

    fn record_waiting(&self, incoming: &IncomingRequest, admission: &Admission, status: u16) {
        if incoming.request.method() != Some(&Method::Invite) {
            return;
        }
        let called = incoming.request.request_uri().and_then(|uri| uri.aor());
        let canonical = called.map(|aor| aor.to_string()).unwrap_or_default();
        let called = Called { canonical, enum_tree: String::new() };
        let Some(attempt) = self.attempt(incoming, admission, called) else { return };
        let tag = self.stack.to_tag(incoming.id).unwrap_or_default();
        self.record(Record::Call(Box::new(attempt.failed(status, &tag, wall_clock()))));
    }
}
