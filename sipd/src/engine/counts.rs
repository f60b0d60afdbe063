//! How many calls those who pay have at this moment, on this node (B76, B145).

use ngn_model::call_plan::Payer;
use ngn_sip::stack::ServerTransactionId;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// After how long a call does not count any more whose end was never seen.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// A dialog: Call-ID and both tags in order, since either side may hang up.
type Dialog = (String, String, String);

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    calls: HashMap<Payer, u32>,
    setup: HashMap<ServerTransactionId, Vec<Payer>>,
    lasting: HashMap<Dialog, (Vec<Payer>, Instant)>,
}

impl Counts {
    /// How many calls a payer has.
    pub(super) fn of(&self, payer: &Payer) -> u32 {
        self.calls.get(payer).copied().unwrap_or(0)
    }

    /// A call begins that these may have to pay.
    pub(super) fn begin(&mut self, id: ServerTransactionId, payers: Vec<Payer>) {
        if payers.is_empty() {
            return;
        }
        for payer in &payers {
            *self.calls.entry(payer.clone()).or_default() += 1;
        }
        if let Some(before) = self.setup.insert(id, payers) {
            self.release(before);
        }
    }

    /// A call is answered; `pays` tells who of them pays now.
    pub(super) fn answered(
        &mut self,
        id: ServerTransactionId,
        (call_id, from_tag, to_tag): (&str, &str, &str),
        pays: impl Fn(&Payer) -> bool,
        now: Instant,
    ) {
        let Some(payers) = self.setup.remove(&id) else { return };
        let (stay, go): (Vec<Payer>, Vec<Payer>) = payers.into_iter().partition(pays);
        self.release(go);
        if !stay.is_empty() {
            let before = self.lasting.insert(dialog(call_id, from_tag, to_tag), (stay, now));
            self.release(before.map(|(payers, _)| payers).unwrap_or_default());
        }
    }

    /// A call was not answered.
    pub(super) fn failed(&mut self, id: ServerTransactionId) {
        let payers = self.setup.remove(&id).unwrap_or_default();
        self.release(payers);
    }

    /// A call is over.
    pub(super) fn ended(&mut self, call_id: &str, from_tag: &str, to_tag: &str) {
        let ended = self.lasting.remove(&dialog(call_id, from_tag, to_tag));
        self.release(ended.map(|(payers, _)| payers).unwrap_or_default());
    }

    /// Forgets calls whose end was never seen.
    pub(super) fn sweep(&mut self, now: Instant) {
        let old = self.lasting.extract_if(|_, (_, since)| now.duration_since(*since) > LONGEST);
        let gone: Vec<Payer> = old.flat_map(|(_, (payers, _))| payers).collect();
        self.release(gone);
    }

    fn release(&mut self, payers: Vec<Payer>) {
        for payer in payers {
            if let Some(calls) = self.calls.get_mut(&payer) {
                *calls = calls.saturating_sub(1);
                if *calls == 0 {
                    self.calls.remove(&payer);
                }
            }
        }
    }
}

fn dialog(call_id: &str, one: &str, other: &str) -> Dialog {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    (call_id.to_owned(), first.to_owned(), second.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str) -> Payer {
        Payer::Peer(name.to_owned())
    }

    #[test]
    fn b145_calls_count_from_their_beginning_to_their_end() {
        let (mut counts, now) = (Counts::default(), Instant::now());
        let ids = ids(3);
        let (trunk, other) = (peer("trunk"), peer("other"));
        counts.begin(ids[0], vec![trunk.clone(), other.clone()]);
        counts.begin(ids[1], vec![trunk.clone()]);
        assert_eq!((counts.of(&trunk), counts.of(&other)), (2, 1));
        counts.failed(ids[1]);
        counts.answered(ids[0], ("c", "a", "b"), |payer| *payer == trunk, now);
        assert_eq!((counts.of(&trunk), counts.of(&other)), (1, 0));
        // The callee hangs up.
        counts.ended("c", "b", "a");
        counts.ended("c", "b", "a");
        assert_eq!(counts.of(&trunk), 0);
        counts.begin(ids[2], vec![trunk.clone()]);
        counts.answered(ids[2], ("d", "a", "b"), |_| true, now);
        counts.sweep(now + LONGEST);
        assert_eq!(counts.of(&trunk), 1);
        counts.sweep(now + LONGEST + Duration::from_secs(1));
        assert_eq!(counts.of(&trunk), 0);
        assert!(counts.calls.is_empty() && counts.setup.is_empty() && counts.lasting.is_empty());
    }

    /// Ids of requests, as the stack gives them.
    fn ids(count: usize) -> Vec<ServerTransactionId> {
        use ngn_sip::header::Transport;
        use ngn_sip::message::{Limits, Message};
        use ngn_sip::stack::{Config, Interface, Moment, Output, Secret, Source, Stack};
        let local = std::net::SocketAddr::from(([192, 0, 2, 1], 5060));
        let host = ngn_sip::uri::Host::from(local.ip());
        let udp = Interface { transport: Transport::Udp, local, host, port: 5060 };
        let mut stack = Stack::new(Config::new(Secret::from_bytes([1; 32]), vec![udp]), [2; 32]);
        for n in 0..count {
            let text = format!(
                "OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{n}\r\n\
                 From: <sip:a@example.com>;tag=1\r\nTo: <sip:192.0.2.1>\r\nCall-ID: {n}\r\n\
                 CSeq: 1 OPTIONS\r\n\r\n"
            );
            let message = Message::parse(text.into(), &Limits::default()).expect("a request");
            let source = Source { transport: Transport::Udp, local, remote: local, flow: None };
            stack.receive(Moment::ZERO, source, message);
        }
        let outputs = std::iter::from_fn(|| stack.poll_output());
        let id = |output| match output {
            Output::Request(request) => Some(request.id),
            _ => None,
        };
        outputs.filter_map(id).collect()
    }
}
