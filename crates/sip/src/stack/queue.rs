//! Deadlines of everything that waits.

use crate::room::GiveBack as _;
use crate::transaction::Moment;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A heap of deadlines. An entry whose owner is gone or waits for another moment stays until it comes to the
/// top, where its owner recognises it as void; when the void ones pile up, they are thrown out together.
#[derive(Debug)]
pub(super) struct Queue<E> {
    heap: BinaryHeap<Reverse<(Moment, u64, E)>>,
    /// Keeps entries of the same moment in the order in which they were made.
    serial: u64,
}

impl<E: Ord + Copy> Queue<E> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), serial: 0 }
    }

    pub(super) fn push(&mut self, at: Moment, entity: E) {
        self.serial += 1;
        self.heap.push(Reverse((at, self.serial, entity)));
    }

    pub(super) fn next(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    pub(super) fn pop_due(&mut self, now: Moment) -> Option<(Moment, E)> {
        let Reverse((at, ..)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, entity))| (at, entity))
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn retain(&mut self, keep: impl Fn(Moment, E) -> bool) {
        self.heap.retain(|Reverse((at, _, entity))| keep(*at, *entity));
        self.heap.shrink_to(self.heap.len() * 2 + 64);
    }

    /// Gives back room that nothing needs any more.
    pub(super) fn shrink(&mut self) {
        self.heap.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_order_of_time_then_of_making() {
        let mut queue = Queue::new();
        for (at, entity) in [(5, 'a'), (3, 'b'), (5, 'c'), (4, 'd')] {
            queue.push(Moment::from_millis(at), entity);
        }
        assert_eq!(queue.next(), Some(Moment::from_millis(3)));
        assert_eq!(queue.pop_due(Moment::from_millis(2)), None);
        queue.retain(|_, entity| entity != 'd');
        let mut order = String::new();
        while let Some((_, entity)) = queue.pop_due(Moment::from_millis(9)) {
            order.push(entity);
        }
        assert_eq!(order, "bac");
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn what_a_burst_needed_is_given_back() {
        let mut queue = Queue::new();
        for entity in 0..10_000 {
            queue.push(Moment::from_millis(entity), entity);
        }
        for entity in 0..9_990 {
            assert_eq!(queue.pop_due(Moment::from_millis(10_000)).map(|(_, e)| e), Some(entity));
        }
        let before = queue.heap.capacity();
        queue.shrink();
        assert!(before >= 10_000 && queue.heap.capacity() < 4_096, "{before}");
        let rest = std::iter::from_fn(|| queue.pop_due(Moment::from_millis(10_000)));
        assert!(rest.map(|(_, entity)| entity).eq(9_990..10_000));
    }
}
