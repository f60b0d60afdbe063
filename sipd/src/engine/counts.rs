//! How many calls those who pay have at this moment (B76, B145): on this node, and as of a moment ago on others.

use crate::elsewhere::{self, Calls, LONGEST};
use ngn_model::call_plan::Payer;
use ngn_sip::stack::ServerTransactionId;
use ngn_store::LastingCall;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A dialog: Call-ID and both tags in order, since either side may hang up.
pub(crate) type Dialog = (String, String, String);

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    calls: Calls,
    setup: HashMap<ServerTransactionId, Vec<Payer>>,
    lasting: HashMap<Dialog, (Vec<Payer>, Instant)>,
    /// Calls on other nodes.
    elsewhere: Calls,
}

impl Counts {
    /// How many calls a payer has.
    pub(super) fn of(&self, payer: &Payer) -> u32 {
        let of = |calls: &Calls| calls.get(payer).copied().unwrap_or(0);
        of(&self.calls).saturating_add(of(&self.elsewhere))
    }

    /// How many calls there are on other nodes.
    pub(super) fn set_elsewhere(&mut self, calls: Calls) {
        self.elsewhere = calls;
    }

    /// Calls that lasted when this node ended count again; `clock` is the time of `now`, in milliseconds since 1970 UTC.
    pub(super) fn restore(&mut self, calls: &[LastingCall], now: Instant, clock: i64) {
        for call in calls {
            let Some(payer) = elsewhere::payer(&call.payer) else { continue };
            let lasted = u64::try_from(clock.saturating_sub(call.started_at)).unwrap_or(0);
            let since = now.checked_sub(Duration::from_millis(lasted)).unwrap_or(now);
            *self.calls.entry(payer.clone()).or_default() += 1;
            let dialog = dialog(&call.session_id, &call.from_tag, &call.to_tag);
            self.lasting.entry(dialog).or_insert_with(|| (Vec::new(), since)).0.push(payer);
        }
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

    /// A call is answered; `pays` tells who of them pays now. Gives them.
    pub(super) fn answered(
        &mut self,
        id: ServerTransactionId,
        (call_id, from_tag, to_tag): (&str, &str, &str),
        pays: impl Fn(&Payer) -> bool,
        now: Instant,
    ) -> Vec<Payer> {
        let Some(payers) = self.setup.remove(&id) else { return Vec::new() };
        let (stay, go): (Vec<Payer>, Vec<Payer>) = payers.into_iter().partition(pays);
        self.release(go);
        if !stay.is_empty() {
            let dialog = dialog(call_id, from_tag, to_tag);
            let before = self.lasting.insert(dialog, (stay.clone(), now));
            self.release(before.map(|(payers, _)| payers).unwrap_or_default());
        }
        stay
    }

    /// A call was not answered.
    pub(super) fn failed(&mut self, id: ServerTransactionId) {
        let payers = self.setup.remove(&id).unwrap_or_default();
        self.release(payers);
    }

    /// A call is over; says whether it counted.
    pub(super) fn ended(&mut self, call_id: &str, from_tag: &str, to_tag: &str) -> bool {
        let ended = self.lasting.remove(&dialog(call_id, from_tag, to_tag));
        let counted = ended.is_some();
        self.release(ended.map(|(payers, _)| payers).unwrap_or_default());
        counted
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

/// The dialog of a Call-ID and two tags, whoever speaks.
pub(crate) fn dialog(call_id: &str, one: &str, other: &str) -> Dialog {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    // As long as the database keeps them.
    let cut = |text: &str, most: usize| text.chars().take(most).collect();
    (cut(call_id, 255), cut(first, 128), cut(second, 128))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::ids;

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

    #[test]
    fn b76_calls_count_after_a_restart_and_on_other_nodes() {
        let (mut counts, now) = (Counts::default(), Instant::now());
        let (trunk, other) = (peer("trunk"), peer("other"));
        let call = |session: &str, payer: &str, started_at| LastingCall {
            session_id: session.to_owned(),
            from_tag: "a".to_owned(),
            to_tag: "b".to_owned(),
            payer: payer.to_owned(),
            started_at,
            ..LastingCall::default()
        };
        let calls =
            [call("1", "trunk", 1_000), call("1", "other", 1_000), call("2", "trunk", 9_000)];
        counts.restore(&calls, now, 10_000);
        assert_eq!((counts.of(&trunk), counts.of(&other)), (2, 1));
        assert!(counts.ended("1", "b", "a") && !counts.ended("1", "b", "a"));
        assert_eq!((counts.of(&trunk), counts.of(&other)), (1, 0));
        counts.set_elsewhere(Calls::from([(trunk.clone(), 2), (other.clone(), 1)]));
        assert_eq!((counts.of(&trunk), counts.of(&other)), (3, 1));
        counts.set_elsewhere(Calls::new());
        counts.sweep(now + LONGEST);
        assert_eq!(counts.of(&trunk), 0, "it began a second before");
    }
}
