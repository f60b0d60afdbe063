//! CANCELs that come right behind their INVITE.
//!
//! What belongs to what goes on is handled before what begins something (`transport::lanes`), and so a CANCEL would overtake an
//! INVITE that waits still: it would cancel nothing, and the call that nobody wants any more would ring. Such a CANCEL
//! waits until the engine has had all that waited when it came; a CANCEL of what the engine knows does not.

use super::Engine;
use crate::transport::Arrival;
use ngn_sip::message::{Limits, Message};
use std::collections::VecDeque;
use std::time::Instant;

/// How many CANCELs may wait; others are handled at once.
const MOST: usize = 4096;

/// CANCELs that wait.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// How many new requests the engine has had.
    taken: u64,
    /// Each waits until the engine has had so many. These numbers never fall.
    held: VecDeque<(u64, Instant, Arrival)>,
}

impl Early {
    /// Takes note that the engine has had a new request.
    pub(super) const fn took_one(&mut self) {
        self.taken += 1;
    }

    /// Keeps a CANCEL back while so many new requests wait that may be what it cancels; gives it back when it must not wait.
    fn hold(&mut self, waiting: usize, since: Instant, cancel: Arrival) -> Option<Arrival> {
        if waiting == 0 || self.held.len() >= MOST {
            return Some(cancel);
        }
        let until = self.taken + u64::try_from(waiting).unwrap_or(u64::MAX);
        self.held.push_back((until, since, cancel));
        None
    }

    /// One that has waited long enough.
    fn due(&mut self) -> Option<(Instant, Arrival)> {
        self.held.front().filter(|(until, ..)| *until <= self.taken)?;
        self.held.pop_front().map(|(_, since, cancel)| (since, cancel))
    }
}

impl Engine {
    /// Keeps back a CANCEL of nothing that is known, while so many new requests wait; gives back what is to be handled now.
    pub(super) fn hold_early(
        &mut self,
        waiting: usize,
        since: Instant,
        arrival: Arrival,
    ) -> Option<Arrival> {
        let octets = match &arrival {
            Arrival::Datagram { octets, .. } | Arrival::Message { octets, .. } => octets,
            _ => return Some(arrival),
        };
        if waiting == 0 || !octets.starts_with(b"CANCEL ") {
            return Some(arrival);
        }
        let limits = Limits { octets: self.config.limits.message_octets, ..Limits::default() };
        match Message::parse(octets.clone(), &limits) {
            Ok(cancel) if !self.stack.continues(&cancel) => {
                self.early.hold(waiting, since, arrival)
            }
            _ => Some(arrival),
        }
    }

    /// Handles the CANCELs that waited for what the engine has had by now.
    pub(super) fn let_go_early(&mut self) {
        while let Some((since, cancel)) = self.early.due() {
            self.carry_out();
            self.arrived_other(since, cancel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn cancel(connection: u64) -> Arrival {
        Arrival::Message { connection, octets: Bytes::from_static(b"CANCEL sip:a SIP/2.0\r\n") }
    }

    fn due(early: &mut Early) -> Option<u64> {
        early.due().map(|(_, arrival)| match arrival {
            Arrival::Message { connection, .. } => connection,
            _ => 0,
        })
    }

    #[test]
    fn rfc3261_9_2_a_cancel_waits_for_what_came_before_it() {
        let (mut early, now) = (Early::default(), Instant::now());
        assert!(early.hold(0, now, cancel(1)).is_some(), "nothing waits");
        assert!(early.hold(2, now, cancel(2)).is_none());
        early.took_one();
        assert!(early.hold(3, now, cancel(3)).is_none());
        assert_eq!(due(&mut early), None);
        early.took_one();
        assert_eq!((due(&mut early), due(&mut early)), (Some(2), None));
        early.took_one();
        early.took_one();
        assert_eq!((due(&mut early), due(&mut early)), (Some(3), None));
    }

    #[test]
    fn only_so_many_wait() {
        let (mut early, now) = (Early::default(), Instant::now());
        let held = (0..MOST + 10).filter(|_| early.hold(1, now, cancel(1)).is_none()).count();
        assert_eq!(held, MOST);
    }
}
