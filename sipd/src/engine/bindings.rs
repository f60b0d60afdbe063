//! Bindings as the database has them: what this node changed and was not written yet, and what other nodes changed.

use super::Engine;
use crate::location::{Change, Committed, News, Number};
use ngn_daemon::wall_clock;
use ngn_model::{Aor, Binding};
use ngn_sip::room::GiveBack as _;
use std::collections::{HashMap, HashSet, VecDeque};

/// Addresses whose changes are not in the database yet. What is read of them meanwhile says nothing about those.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    /// The last change of each address.
    last: HashMap<Aor, Number>,
    /// Each address once, with a change of it, about in their order.
    order: VecDeque<(Number, Aor)>,
    /// Addresses that other nodes changed too: read again once ours are written.
    reread: HashSet<Aor>,
}

impl Unwritten {
    fn add(&mut self, aor: &Aor, number: Number) {
        if self.last.insert(aor.clone(), number).is_none() {
            self.order.push_back((number, aor.clone()));
        }
    }

    /// Whether a change of an address came after this one.
    fn is_pending(&self, aor: &Aor, as_of: Number) -> bool {
        self.last.get(aor).is_some_and(|number| *number > as_of)
    }

    /// Takes note that everything up to a change is written.
    fn written(&mut self, up_to: Number) {
        while self.order.front().is_some_and(|(number, _)| *number <= up_to) {
            let Some((_, aor)) = self.order.pop_front() else { return };
            match self.last.get(&aor) {
                Some(number) if *number > up_to => self.order.push_back((*number, aor)),
                _ => {
                    self.last.remove(&aor);
                }
            }
        }
    }

    /// Gives back room that only an outage or a burst needed.
    fn shrink(&mut self) {
        self.order.give_back();
        self.last.give_back();
        self.reread.give_back();
    }

    /// The addresses that can be read again.
    fn take_rereads(&mut self) -> Vec<Aor> {
        let last = &self.last;
        self.reread.extract_if(|aor| !last.contains_key(aor)).collect()
    }
}

impl Engine {
    /// Hands over a change that nobody waits for. When there is no place, what was to be written is written with the next
    /// REGISTER, and what was to be removed is found again when it is called.
    pub(super) fn change_location(&mut self, change: Change) {
        self.last_change += 1;
        let change = Change { number: self.last_change, is_awaited: false, ..change };
        let aors = change.upserts.iter().map(|binding| &binding.aor);
        let aors = aors.chain(change.deletes.iter().map(|removal| removal.key.aor()));
        let aors: Vec<Aor> = aors.cloned().collect();
        if self.changes.try_send(change).is_ok() {
            for aor in &aors {
                self.unwritten.add(aor, self.last_change);
            }
        }
    }

    /// Takes note that a REGISTER of an address was handed over.
    pub(super) fn note_change(&mut self, aor: &Aor) {
        self.unwritten.add(aor, self.last_change);
    }

    pub(super) fn location_news(&mut self, news: News) {
        match news {
            News::Committed(committed) => self.committed(&committed),
            News::Changed { as_of, bindings } => {
                let at_stranger = |one: &Binding| {
                    !one.node.is_empty()
                        && one.node != self.node
                        && !self.nodes.contains_key(&one.node)
                };
                if bindings.iter().any(|(_, bindings)| bindings.iter().any(at_stranger)) {
                    self.stranger.notify_one();
                }
                for (aor, bindings) in bindings {
                    if self.unwritten.is_pending(&aor, as_of) {
                        self.unwritten.reread.insert(aor);
                    } else {
                        self.directory.set_bindings(&aor, &bindings);
                    }
                }
            }
            News::Everything { as_of, bindings, went_back } => {
                self.replace_bindings(as_of, bindings, went_back);
            }
        }
        self.reread();
    }

    fn committed(&mut self, committed: &Committed) {
        let now = self.now();
        for number in &committed.awaited {
            if let Some((id, fields, since)) = self.waiting.remove(number) {
                self.metrics.registration_commit.observe(since.elapsed().as_secs_f64());
                self.stack.reply(now, id, 200, None, &fields);
            }
        }
        if !committed.later {
            self.unwritten.written(committed.written);
        }
    }

    fn replace_bindings(&mut self, as_of: Number, bindings: Vec<Binding>, went_back: bool) {
        let unwritten = &self.unwritten;
        let pending = |aor: &Aor| unwritten.is_pending(aor, as_of);
        let upserts = self.directory.replace_bindings(bindings, went_back, pending);
        let pending = self.unwritten.last.keys().cloned().collect::<Vec<_>>();
        self.unwritten.reread.extend(pending);
        self.write_again(upserts);
    }

    /// Writes bindings that a database which went back has lost; what newer requests made of them meanwhile is read.
    pub(super) fn write_again(&mut self, upserts: Vec<Binding>) {
        if upserts.is_empty() {
            return;
        }
        let aors: Vec<Aor> = upserts.iter().map(|binding| binding.aor.clone()).collect();
        self.change_location(Change { upserts, ..Change::default() });
        let Unwritten { last, reread, .. } = &mut self.unwritten;
        reread.extend(aors.into_iter().filter(|aor| last.contains_key(aor)));
    }

    /// Has addresses read again that other nodes changed together with us.
    fn reread(&mut self) {
        let reread = self.unwritten.take_rereads();
        if !reread.is_empty() {
            self.last_change += 1;
            let change = Change { number: self.last_change, reread, ..Change::default() };
            if let Err(error) = self.changes.try_send(change) {
                // The next news tries again.
                self.unwritten.reread.extend(error.into_inner().reread);
            }
        }
    }

    /// Forgets bindings that ended; their rows stay for a while.
    pub(super) fn sweep_bindings(&mut self) {
        self.unwritten.shrink();
        self.directory.sweep(wall_clock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aor(text: &str) -> Aor {
        text.parse().expect("an address")
    }

    #[test]
    fn what_is_pending_is_not_taken_from_the_database() {
        let (alice, bob) = (aor("alice@example.com"), aor("bob@example.com"));
        let mut unwritten = Unwritten::default();
        unwritten.add(&alice, 1);
        unwritten.add(&bob, 2);
        unwritten.add(&alice, 3);
        assert!(unwritten.is_pending(&alice, 2) && !unwritten.is_pending(&alice, 3));
        unwritten.reread.extend([alice.clone(), bob.clone()]);
        unwritten.written(2);
        assert!(unwritten.is_pending(&alice, 2), "its later change is not written");
        assert_eq!(unwritten.take_rereads(), [bob]);
        unwritten.written(3);
        assert_eq!(unwritten.take_rereads(), [alice]);
        assert!(unwritten.last.is_empty() && unwritten.order.is_empty());
    }

    #[test]
    fn an_outage_costs_no_more_than_addresses() {
        let mut unwritten = Unwritten::default();
        for number in 1..=10_000 {
            unwritten.add(&aor(&format!("u{}@example.com", number % 10)), number);
        }
        assert_eq!((unwritten.last.len(), unwritten.order.len()), (10, 10));
        unwritten.written(9_995);
        assert_eq!((unwritten.last.len(), unwritten.order.len()), (5, 5));
        unwritten.written(10_000);
        assert_eq!((unwritten.last.len(), unwritten.order.len()), (0, 0));
    }
}
