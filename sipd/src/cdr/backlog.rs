//! Records that wait for the database.

use super::Record;
use ngn_sip::room::GiveBack as _;
use ngn_store::{Cdr, CdrMove, CdrStop};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

/// Records that wait. All calls are written before all else, so that an end finds its call; a call whose end comes while it
/// waits is written once, ended.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    calls: VecDeque<Cdr>,
    moves: VecDeque<CdrMove>,
    stops: VecDeque<CdrStop>,
    /// The number of the first call that waits; they are numbered as they come.
    first: u64,
    /// Calls before this number may be in the database: nobody knows what became of the attempt to write them.
    tried: u64,
    /// The numbers of calls that last, by dialog.
    lasting: HashMap<u64, u64>,
    hasher: RandomState,
}

impl Backlog {
    /// Takes a record.
    pub(super) fn add(&mut self, record: Record) {
        match record {
            Record::Call(cdr) => {
                if cdr.stopped_at.is_none() {
                    let dialog = self.dialog(&cdr.session_id, &cdr.from_tag, &cdr.to_tag);
                    let number =
                        self.first.saturating_add(u64::try_from(self.calls.len()).unwrap_or(0));
                    self.lasting.insert(dialog, number);
                }
                self.calls.push_back(*cdr);
            }
            Record::Moved(moved) => self.moves.push_back(moved),
            Record::Stop(stop) => {
                if let Some(stop) = self.end(stop) {
                    self.stops.push_back(stop);
                }
            }
        }
    }

    /// How many records wait.
    pub(super) fn len(&self) -> usize {
        self.calls.len() + self.moves.len() + self.stops.len()
    }

    /// At most so many calls, to be written next; they are changed no more.
    pub(super) fn next_calls(&mut self, most: usize) -> &[Cdr] {
        let some = front(&mut self.calls, most);
        let tried = self.first.saturating_add(u64::try_from(some.len()).unwrap_or(0));
        self.tried = self.tried.max(tried);
        some
    }

    /// At most so many calls whose sides are elsewhere, to be written when no call waits.
    pub(super) fn next_moves(&mut self, most: usize) -> &[CdrMove] {
        front(&mut self.moves, most)
    }

    /// At most so many ends, to be written when no call waits.
    pub(super) fn next_stops(&mut self, most: usize) -> &[CdrStop] {
        front(&mut self.stops, most)
    }

    /// So many calls are in the database.
    pub(super) fn calls_written(&mut self, count: usize) {
        self.calls.drain(..count.min(self.calls.len()));
        self.first = self.first.saturating_add(u64::try_from(count).unwrap_or(0));
        if self.calls.is_empty() {
            self.lasting.clear();
        }
    }

    /// So many calls are noted to be elsewhere.
    pub(super) fn moves_written(&mut self, count: usize) {
        self.moves.drain(..count.min(self.moves.len()));
    }

    /// So many ends are in the database.
    pub(super) fn stops_written(&mut self, count: usize) {
        self.stops.drain(..count.min(self.stops.len()));
    }

    /// Gives back room that only an outage needed.
    pub(super) fn shrink(&mut self) {
        self.calls.give_back();
        self.moves.give_back();
        self.stops.give_back();
        self.lasting.give_back();
    }

    /// Ends a call that waits; gives the end back when there is none.
    fn end(&mut self, stop: CdrStop) -> Option<CdrStop> {
        let dialog = self.dialog(&stop.session_id, &stop.from_tag, &stop.to_tag);
        let is_still_ours = |number: &u64| *number >= self.first.max(self.tried);
        let Some(number) = self.lasting.remove(&dialog).filter(is_still_ours) else {
            return Some(stop);
        };
        let place = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let tags = (stop.from_tag.as_str(), stop.to_tag.as_str());
        match self.calls.get_mut(place) {
            Some(call)
                if call.session_id == stop.session_id
                    && (tags == (&call.from_tag, &call.to_tag)
                        || tags == (&call.to_tag, &call.from_tag)) =>
            {
                call.stopped_at = Some(stop.stopped_at);
                call.cause = stop.cause;
                None
            }
            _ => Some(stop),
        }
    }

    /// A number for a dialog, whoever's tag comes first.
    fn dialog(&self, session: &str, one: &str, other: &str) -> u64 {
        self.hasher.hash_one((session, one.min(other), one.max(other)))
    }
}

/// What goes into the next transaction.
fn front<T>(queue: &mut VecDeque<T>, most: usize) -> &[T] {
    let all = queue.make_contiguous();
    all.get(..most).unwrap_or(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(session: &str, to_tag: &str) -> Record {
        let (session_id, to_tag) = (session.to_owned(), to_tag.to_owned());
        Record::Call(Box::new(Cdr {
            session_id,
            from_tag: "f".to_owned(),
            to_tag,
            started_at: 1_000,
            ..Cdr::default()
        }))
    }

    fn stop(session: &str, from_tag: &str, to_tag: &str) -> Record {
        Record::Stop(CdrStop {
            session_id: session.to_owned(),
            from_tag: from_tag.to_owned(),
            to_tag: to_tag.to_owned(),
            stopped_at: 5_000,
            cause: "User-Request".to_owned(),
            counted: false,
        })
    }

    /// A call with its end.
    type Call = (String, Option<i64>, String);

    /// Calls, and ends that are written by themselves.
    fn shown(backlog: &mut Backlog) -> (Vec<Call>, Vec<String>) {
        let calls = backlog.calls.iter().map(|call| {
            (format!("{} {}", call.session_id, call.to_tag), call.stopped_at, call.cause.clone())
        });
        (calls.collect(), backlog.stops.iter().map(|stop| stop.session_id.clone()).collect())
    }

    fn ended(text: &str) -> Call {
        (text.to_owned(), Some(5_000), "User-Request".to_owned())
    }

    fn lasts(text: &str) -> Call {
        (text.to_owned(), None, String::new())
    }

    #[test]
    fn a_call_that_ends_while_it_waits_is_written_once() {
        let mut backlog = Backlog::default();
        for record in [
            call("a", "1"),
            call("a", "2"),
            call("b", "1"),
            stop("a", "f", "2"),
            // The called side hangs up.
            stop("b", "1", "f"),
            // Once more, and a call of which nothing waits.
            stop("b", "f", "1"),
            stop("c", "f", "1"),
        ] {
            backlog.add(record);
        }
        let calls = vec![lasts("a 1"), ended("a 2"), ended("b 1")];
        assert_eq!(shown(&mut backlog), (calls, vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!(backlog.len(), 5);
    }

    #[test]
    fn the_end_of_a_call_that_may_be_written_is_written_too() {
        let mut backlog = Backlog::default();
        for session in ["a", "b", "c"] {
            backlog.add(call(session, "1"));
        }
        // An attempt that fails, so far as anybody knows.
        assert_eq!(backlog.next_calls(2).len(), 2);
        for session in ["a", "c"] {
            backlog.add(stop(session, "f", "1"));
        }
        let calls = vec![lasts("a 1"), lasts("b 1"), ended("c 1")];
        assert_eq!(shown(&mut backlog), (calls, vec!["a".to_owned()]));
        // It succeeds; the numbers of what is left stay.
        let written = backlog.next_calls(2).len();
        backlog.calls_written(written);
        backlog.add(call("d", "1"));
        backlog.add(stop("b", "f", "1"));
        backlog.add(stop("d", "f", "1"));
        let calls = vec![ended("c 1"), ended("d 1")];
        assert_eq!(shown(&mut backlog), (calls, vec!["a".to_owned(), "b".to_owned()]));
        let written = backlog.next_calls(2).len();
        backlog.calls_written(written);
        let written = backlog.next_stops(9).len();
        backlog.stops_written(written);
        assert_eq!((backlog.len(), backlog.lasting.len()), (0, 0));
    }
}
