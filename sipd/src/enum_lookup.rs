//! Asks the DNS which SIP URIs a telephone number has (RFC 6116), off the engine's loop.
//!
//! Answers are kept as [`crate::locate`] keeps its own. A name to which nobody answered, and a tree in which nobody
//! answered several times in a row, are left alone for a moment, so that calls do not wait for servers that are away.

use crate::facts::Listed;
use crate::locate::Locator;
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use hickory_resolver::proto::rr::{RData, RecordType};
use ngn_dns::enum_answer::{Naptr, sip_uris};
use ngn_dns::enum_name;
use ngn_model::DomainName;
use ngn_model::number::E164;
use ngn_sip::locate::Question;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After how many questions in a row without answer a tree is left alone.
const FAILURES: u32 = 3;
/// For how long it is.
const PAUSE: Duration = Duration::from_secs(10);

/// What the DNS says about a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// A tree has SIP URIs of it.
    Found(Listed),
    /// No tree has any.
    Nothing,
    /// Some tree did not answer, and no other has any.
    NoAnswer,
}

/// Trees in which nobody answers.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    /// How many questions in a row had no answer, and when the last one had none.
    failures: Mutex<HashMap<DomainName, (u32, Instant)>>,
}

impl Trees {
    /// Whether a tree may be asked.
    fn may_ask(&self, tree: &DomainName, now: Instant) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let state = failures.get(tree);
        state.is_none_or(|(count, last)| *count < FAILURES || now.duration_since(*last) >= PAUSE)
    }

    /// Notes whether somebody answered in a tree. Trees are those of the configuration, so they are few.
    fn note(&self, tree: &DomainName, answered: bool, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            failures.remove(tree);
        } else {
            let (count, last) = failures.entry(tree.clone()).or_insert((0, now));
            *count = count.saturating_add(1);
            *last = now;
        }
    }
}

impl Locator {
    /// The SIP URIs of a number in the first of some trees that has some, all asked at once; each has as much time.
    pub(crate) async fn enum_uris(
        &self,
        number: &E164,
        trees: &[DomainName],
        patience: Duration,
    ) -> Said {
        let asked = trees.iter().map(|tree| self.in_tree(number, tree, patience));
        let mut answers: FuturesOrdered<_> = asked.collect();
        let mut so_far = Said::Nothing;
        while let Some(answer) = answers.next().await {
            match answer {
                Said::Found(_) => return answer,
                Said::Nothing => {}
                Said::NoAnswer => so_far = answer,
            }
        }
        so_far
    }

    async fn in_tree(&self, number: &E164, tree: &DomainName, patience: Duration) -> Said {
        let Ok(name) = enum_name::owner(number, tree) else { return Said::Nothing };
        let question = Question::Naptr(name.to_string());
        if !self.trees.may_ask(tree, Instant::now()) || self.is_silent(&question) {
            return Said::NoAnswer;
        }
        let asked = self.records(name.as_str(), RecordType::NAPTR);
        let answer = tokio::time::timeout(patience, asked).await;
        let answered = matches!(answer, Ok(Ok(_)));
        self.trees.note(tree, answered, Instant::now());
        let Ok(Ok(records)) = answer else {
            self.note_silence(&question);
            return Said::NoAnswer;
        };
        let records: Vec<Naptr> = records.iter().filter_map(naptr).collect();
        let uris = sip_uris(number, &records);
        if uris.is_empty() {
            Said::Nothing
        } else {
            Said::Found(Listed { tree: tree.to_string(), uris })
        }
    }
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(record) = data else { return None };
    let text = |octets: &[u8]| std::str::from_utf8(octets).ok().map(str::to_owned);
    Some(Naptr {
        order: record.order,
        preference: record.preference,
        flags: text(&record.flags)?,
        services: text(&record.services)?,
        regexp: text(&record.regexp)?,
        replaces_nothing: record.replacement.is_root(),
    })
}

#[cfg(test)]
mod tests;
