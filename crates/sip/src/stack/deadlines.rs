//! What waits for a moment.

use super::Stack;
use super::arena::Key;
use super::client::ClientTransaction;
use super::forwarding::Context;
use super::queue::Queue;
use super::server::ServerTransaction;
use crate::transaction::Moment;

/// Everything that waits for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entity {
    Server(Key<ServerTransaction>),
    Client(Key<ClientTransaction>),
    Context(Key<Context>),
    Ack(u64),
}

impl Stack {
    /// When [`timeout`](Self::timeout) has to be called next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let newest = self.newest.and_then(|id| self.servers.get(id)?.deadline());
        let finished = [self.finished_servers.next(), self.finished_clients.next()];
        finished.into_iter().chain([self.queue.next(), newest]).flatten().min()
    }

    /// Lets everything happen that is due.
    pub fn timeout(&mut self, now: Moment) {
        self.settle();
        while let Some((at, entity)) = self.queue.pop_due(now) {
            if let Entity::Ack(number) = entity {
                self.counters.dropped += u64::from(self.acks.remove(&number).is_some());
                continue;
            }
            if self.armed(entity).is_none_or(|armed| *armed != Some(at)) {
                continue;
            }
            if let Some(armed) = self.armed(entity) {
                *armed = None;
            }
            match entity {
                Entity::Server(id) => self.server_timeout(now, id),
                Entity::Client(id) => self.client_timeout(now, id),
                Entity::Context(id) => self.context_timeout(now, id),
                Entity::Ack(_) => {}
            }
        }
        self.forget_servers(now);
        self.forget_clients(now);
        self.tidy();
    }

    fn deadline(&self, entity: Entity) -> Option<Moment> {
        match entity {
            Entity::Server(id) => self.servers.get(id)?.deadline(),
            Entity::Client(id) => self.clients.get(id)?.deadline(),
            Entity::Context(id) => self.contexts.get(id)?.proxy.deadline(),
            Entity::Ack(_) => None,
        }
    }

    fn armed(&mut self, entity: Entity) -> Option<&mut Option<Moment>> {
        match entity {
            Entity::Server(id) => Some(&mut self.servers.get_mut(id)?.armed),
            Entity::Client(id) => Some(&mut self.clients.get_mut(id)?.armed),
            Entity::Context(id) => Some(&mut self.contexts.get_mut(id)?.armed),
            Entity::Ack(_) => None,
        }
    }

    /// Makes sure that the queue has an entry that is not later than the entity's deadline.
    pub(super) fn arm(&mut self, entity: Entity) {
        let Some(deadline) = self.deadline(entity) else { return };
        let Some(armed) = self.armed(entity) else { return };
        if armed.is_none_or(|armed| armed > deadline) {
            *armed = Some(deadline);
            self.queue.push(deadline, entity);
        }
    }

    /// Throws void entries of the queue out when they are more than half of it.
    pub(super) fn tidy(&mut self) {
        let live =
            self.servers.live() + self.clients.live() + self.contexts.len() + self.acks.len();
        if self.queue.len() < 2 * live + 1024 {
            return;
        }
        let mut queue = std::mem::replace(&mut self.queue, Queue::new());
        queue.retain(|at, entity| match entity {
            Entity::Server(id) => self.servers.get(id).is_some_and(|s| s.armed == Some(at)),
            Entity::Client(id) => self.clients.get(id).is_some_and(|c| c.armed == Some(at)),
            Entity::Context(id) => self.contexts.get(id).is_some_and(|c| c.armed == Some(at)),
            Entity::Ack(number) => self.acks.contains_key(&number),
        });
        self.queue = queue;
    }
}
