//! Work of one kind that comes at the same time is done together.
//!
//! The first that comes is done at once and alone. What comes while it is being done waits, and is then done in one go,
//! which for a database means one transaction and a few statements instead of many. So nobody waits longer than for one
//! go before its own, and what comes alone does not wait at all.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The most that is done in one go. What is taken is a power of two, so that there are few forms of each statement.
pub const MOST: usize = 32;

type Waiting<I, O> = Vec<(I, oneshot::Sender<O>)>;

/// Work that waits, for each key apart: what has different keys never waits for each other.
pub struct Together<K, I, O> {
    /// A key is here while somebody does its work.
    waiting: Arc<Mutex<HashMap<K, Waiting<I, O>>>>,
}

impl<K, I, O> Default for Together<K, I, O> {
    fn default() -> Self {
        Self { waiting: Arc::default() }
    }
}

impl<K, I, O> fmt::Debug for Together<K, I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

impl<K, I, O> Together<K, I, O>
where
    K: Clone + Eq + Hash + Send + 'static,
    I: Send + 'static,
    O: Send + 'static,
{
    /// Has one piece of work done, together with others of the same key that wait. `work` gets at most [`MOST`] pieces
    /// and gives as many results in the same order. It runs to its end also when the caller goes away.
    ///
    /// `None` when `work` ended without a result.
    pub async fn with_others<W, F>(&self, key: K, item: I, work: W) -> Option<O>
    where
        W: Fn(Vec<I>) -> F + Send + 'static,
        F: Future<Output = Vec<O>> + Send,
    {
        let (sender, receiver) = oneshot::channel();
        let is_first = {
            let mut waiting = lock(&self.waiting);
            let is_first = !waiting.contains_key(&key);
            waiting.entry(key.clone()).or_default().push((item, sender));
            is_first
        };
        if is_first {
            let turn = Turn { key, waiting: Arc::clone(&self.waiting) };
            tokio::spawn(async move {
                while let Some(next) = turn.next() {
                    let (items, senders): (Vec<I>, Vec<_>) = next.into_iter().unzip();
                    for (sender, result) in senders.into_iter().zip(work(items).await) {
                        // Who went away does not want to know.
                        drop(sender.send(result));
                    }
                }
            });
        }
        receiver.await.ok()
    }
}

/// The right to do the work of a key; given back when it ends in whatever way.
struct Turn<K: Eq + Hash, I, O> {
    key: K,
    waiting: Arc<Mutex<HashMap<K, Waiting<I, O>>>>,
}

impl<K: Eq + Hash, I, O> Turn<K, I, O> {
    /// What is to be done next; the turn ends when that is nothing.
    fn next(&self) -> Option<Waiting<I, O>> {
        let mut waiting = lock(&self.waiting);
        let queue = waiting.get_mut(&self.key)?;
        if queue.is_empty() {
            waiting.remove(&self.key);
            return None;
        }
        let whole = queue.len().min(MOST);
        let rest = queue.split_off(1 << whole.ilog2());
        Some(std::mem::replace(queue, rest))
    }
}

impl<K: Eq + Hash, I, O> Drop for Turn<K, I, O> {
    fn drop(&mut self) {
        // After the last work the key is not here any more, or is somebody else's already; only a panic leaves it.
        if std::thread::panicking() {
            lock(&self.waiting).remove(&self.key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    type Sums = Together<&'static str, u32, (u32, usize)>;

    /// Doubles every number and says how many were done at once.
    async fn double(numbers: Vec<u32>) -> Vec<(u32, usize)> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let together = numbers.len();
        numbers.into_iter().map(|n| (n * 2, together)).collect()
    }

    #[tokio::test]
    async fn what_comes_meanwhile_is_done_together() {
        let sums = Arc::new(Sums::default());
        let running: Vec<_> = (0..100)
            .map(|n| {
                let sums = Arc::clone(&sums);
                tokio::spawn(async move { (n, sums.with_others("a", n, double).await) })
            })
            .collect();
        let mut most = 0;
        for one in running {
            let (n, result) = one.await.unwrap();
            let (doubled, together) = result.unwrap();
            assert_eq!(doubled, n * 2);
            assert!(together.is_power_of_two() && together <= MOST, "{together}");
            most = most.max(together);
        }
        assert_eq!(most, MOST);
        assert!(lock(&sums.waiting).is_empty());
    }

    #[tokio::test]
    async fn what_comes_alone_is_done_alone() {
        let sums = Sums::default();
        for n in 0..3 {
            assert_eq!(sums.with_others("a", n, double).await, Some((n * 2, 1)));
        }
    }

    #[tokio::test]
    async fn other_keys_do_not_wait() {
        let sums = Arc::new(Sums::default());
        let stuck = {
            let sums = Arc::clone(&sums);
            let never = |_| std::future::pending::<Vec<(u32, usize)>>();
            tokio::spawn(async move { sums.with_others("a", 1, never).await })
        };
        tokio::task::yield_now().await;
        assert_eq!(sums.with_others("b", 2, double).await, Some((4, 1)));
        stuck.abort();
    }

    #[tokio::test]
    async fn after_a_panic_the_next_is_served() {
        let sums = Sums::default();
        let panics = |_| async { panic!("on purpose") };
        assert_eq!(sums.with_others("a", 1, panics).await, None);
        assert_eq!(sums.with_others("a", 2, double).await, Some((4, 1)));
    }

    #[tokio::test]
    async fn who_goes_away_is_served_still() {
        let sums = Arc::new(Sums::default());
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let work = move |numbers: Vec<u32>| {
            let sender = sender.clone();
            async move {
                let done = double(numbers).await;
                sender.send(done.len()).unwrap();
                done
            }
        };
        let gone = {
            let sums = Arc::clone(&sums);
            tokio::spawn(async move { sums.with_others("a", 1, work).await })
        };
        tokio::task::yield_now().await;
        gone.abort();
        assert_eq!(receiver.recv().await, Some(1));
    }
}
