//! The calls of this node as they stand, in memory, for whoever asks (`GET /calls`).
//!
//! A call comes here when its INVITE is forwarded, and goes when it fails or a BYE went through. One whose BYE is never
//! seen, and that nobody could be asked about, goes after twelve hours, as it does for limits. Calls from before a restart are
//! known as far as they count for limits, or their sides can be asked whether they go on.

use crate::cdr::record::unquoted;
use crate::elsewhere::LONGEST;
use crate::engine::{Dialog, dialog_of};
use ngn_sip::stack::ServerTransactionId;
use ngn_store::LastingCall;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// How many calls are known at most; those beyond are served and not shown.
const MOST: usize = 250_000;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody has said anything yet.
    Setup,
    /// A phone rings.
    Ringing,
    /// It was answered.
    Established,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Its place among all calls; later ones have higher numbers.
    pub number: u64,
    /// Call-ID.
    pub call_id: String,
    /// URI of From.
    pub caller: String,
    /// What is called, the Request-URI as it came.
    pub callee: String,
    /// The account, address or number that this is.
    pub canonical: String,
    /// The account or trunk that calls; empty when it is none of ours.
    pub account: String,
    /// What it does.
    pub state: State,
    /// When the INVITE came, in milliseconds since 1970 UTC.
    pub began: i64,
    /// Since when it is in its state, in milliseconds since 1970 UTC.
    pub since: i64,
    /// Where the INVITE came from, such as `udp:192.0.2.7:5060`.
    pub source: String,
    /// Where it rings or was answered; empty before.
    pub target: String,
    /// The name of the gateway, when that is one.
    pub gateway: String,
    /// The leg of the plan: 0, or that of a diversion.
    pub leg: u16,
    /// Whether it is an emergency call.
    pub emergency: bool,
    /// Whether it was answered before this node started last.
    pub before_start: bool,
}

/// A place that a call may go to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) uri: String,
    pub(crate) gateway: String,
    pub(crate) leg: u16,
}

#[derive(Debug)]
struct Known {
    call: Call,
    /// The targets of each step, until one answers.
    places: Vec<Vec<Place>>,
    /// How it is found in `dialogs`.
    dialog: Option<Dialog>,
}

/// All calls.
#[derive(Debug, Default)]
pub struct Calls {
    last: u64,
    known: BTreeMap<u64, Known>,
    setup: HashMap<ServerTransactionId, u64>,
    dialogs: HashMap<Dialog, u64>,
    /// How many of them are from before this node started.
    before_start: usize,
}

impl Calls {
    /// A call begins; `places` are the targets of each step of its plan.
    pub(crate) fn begin(
        &mut self,
        id: ServerTransactionId,
        mut call: Call,
        places: Vec<Vec<Place>>,
    ) {
        if self.known.len() >= MOST {
            return;
        }
        self.last += 1;
        call.number = self.last;
        self.known.insert(self.last, Known { call, places, dialog: None });
        if let Some(before) = self.setup.insert(id, self.last) {
            self.known.remove(&before);
        }
    }

    /// Calls that lasted when this node ended, as far as they are known.
    pub(crate) fn restore(&mut self, calls: &[LastingCall]) {
        for call in calls {
            let [call_id, one, other, caller, callee, canonical, target] = [
                &call.session_id,
                &call.from_tag,
                &call.to_tag,
                &call.caller,
                &call.callee,
                &call.canonical,
                &call.target,
            ]
            .map(|text| unquoted(text));
            let dialog = dialog_of(&call_id, &one, &other);
            // Two may pay for the same call.
            if self.known.len() >= MOST || self.dialogs.contains_key(&dialog) {
                continue;
            }
            self.last += 1;
            self.before_start += 1;
            let uri = |address: String| {
                if address.contains(':') || address.is_empty() {
                    address
                } else {
                    format!("sip:{address}")
                }
            };
            let call = Call {
                number: self.last,
                call_id,
                caller: uri(caller),
                callee: uri(callee),
                canonical,
                account: call.payer.clone(),
                state: State::Established,
                began: call.started_at,
                since: call.started_at,
                source: String::new(),
                target,
                gateway: String::new(),
                leg: 0,
                emergency: false,
                before_start: true,
            };
            self.dialogs.insert(dialog.clone(), self.last);
            self.known.insert(self.last, Known { call, places: Vec::new(), dialog: Some(dialog) });
        }
    }

    /// A phone rings.
    pub(crate) fn rings(&mut self, id: ServerTransactionId, place: (usize, usize), now: i64) {
        let known = self.setup.get(&id).and_then(|number| self.known.get_mut(number));
        let Some(known) = known else { return };
        if known.call.state == State::Setup {
            (known.call.state, known.call.since) = (State::Ringing, now);
        }
        known.take(place);
    }

    /// It was answered.
    pub(crate) fn answered(
        &mut self,
        id: ServerTransactionId,
        place: (usize, usize),
        (call_id, from_tag, to_tag): (&str, &str, &str),
        now: i64,
    ) {
        let Some(number) = self.setup.remove(&id) else { return };
        let Some(known) = self.known.get_mut(&number) else { return };
        (known.call.state, known.call.since) = (State::Established, now);
        known.take(place);
        known.places = Vec::new();
        let dialog = dialog_of(call_id, from_tag, to_tag);
        known.dialog = Some(dialog.clone());
        if let Some(before) = self.dialogs.insert(dialog, number) {
            self.known.remove(&before);
        }
    }

    /// It was not answered.
    pub(crate) fn failed(&mut self, id: ServerTransactionId) {
        if let Some(number) = self.setup.remove(&id) {
            self.known.remove(&number);
        }
    }

    /// Somebody hung up.
    pub(crate) fn ended(&mut self, call_id: &str, from_tag: &str, to_tag: &str) {
        if let Some(number) = self.dialogs.remove(&dialog_of(call_id, from_tag, to_tag)) {
            let known = self.known.remove(&number);
            self.before_start -= usize::from(known.is_some_and(|known| known.call.before_start));
        }
    }

    /// Forgets calls whose end was never seen; `now` is in milliseconds since 1970 UTC.
    pub(crate) fn sweep(&mut self, now: i64) {
        let oldest = now.saturating_sub(i64::try_from(LONGEST.as_millis()).unwrap_or(i64::MAX));
        // They began in the order of their numbers.
        let old: Vec<u64> = self
            .known
            .iter()
            .take_while(|(_, known)| known.call.began < oldest)
            .filter(|(_, known)| known.call.state == State::Established)
            .map(|(number, _)| *number)
            .collect();
        for number in old {
            let Some(known) = self.known.remove(&number) else { continue };
            self.before_start -= usize::from(known.call.before_start);
            if let Some(dialog) = known.dialog {
                self.dialogs.remove(&dialog);
            }
        }
    }

    /// Whether a call was answered and has not ended.
    pub(crate) fn knows(&self, dialog: &Dialog) -> bool {
        self.dialogs.contains_key(dialog)
    }

    /// How many calls were answered since this node started and have not ended.
    #[must_use]
    pub fn established(&self) -> usize {
        self.dialogs.len() - self.before_start
    }

    /// The calls behind a number, oldest first.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &Call> {
        let from = std::ops::Bound::Excluded(number);
        self.known.range((from, std::ops::Bound::Unbounded)).map(|(_, known)| &known.call)
    }
}

impl Known {
    fn take(&mut self, (step, target): (usize, usize)) {
        let place = self.places.get(step).and_then(|targets| targets.get(target)).cloned();
        let Place { uri, gateway, leg } = place.unwrap_or_default();
        (self.call.target, self.call.gateway, self.call.leg) = (uri, gateway, leg);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::ids;

    fn call(began: i64) -> Call {
        Call {
            number: 0,
            call_id: "c".to_owned(),
            caller: "sip:a@example.com".to_owned(),
            callee: "sip:b@example.com".to_owned(),
            canonical: String::new(),
            account: String::new(),
            state: State::Setup,
            began,
            since: began,
            source: String::new(),
            target: String::new(),
            gateway: String::new(),
            leg: 0,
            emergency: false,
            before_start: false,
        }
    }

    fn places() -> Vec<Vec<Place>> {
        let place = |uri: &str, gateway: &str, leg| Place {
            uri: uri.to_owned(),
            gateway: gateway.to_owned(),
            leg,
        };
        vec![vec![place("sip:b@192.0.2.1", "", 0)], vec![place("sip:1@192.0.2.2", "gw", 1)]]
    }

    #[test]
    fn calls_are_known_from_their_beginning_to_their_end() {
        let (mut calls, ids) = (Calls::default(), ids(2));
        calls.begin(ids[0], call(10), places());
        calls.begin(ids[1], call(11), places());
        calls.rings(ids[0], (0, 0), 20);
        let first = calls.after(0).next().expect("a call").clone();
        assert_eq!(
            (first.state, first.since, &*first.target),
            (State::Ringing, 20, "sip:b@192.0.2.1")
        );
        calls.answered(ids[0], (1, 0), ("c", "a", "b"), 30);
        let first = calls.after(0).next().expect("a call").clone();
        assert_eq!((first.state, first.began, first.since), (State::Established, 10, 30));
        assert_eq!((&*first.gateway, first.leg, calls.established()), ("gw", 1, 1));
        // Those behind the first one.
        assert_eq!(calls.after(first.number).count(), 1);
        calls.failed(ids[1]);
        // The callee hangs up.
        calls.ended("c", "b", "a");
        calls.ended("c", "b", "a");
        assert!(calls.known.is_empty() && calls.setup.is_empty() && calls.dialogs.is_empty());
    }

    #[test]
    fn calls_from_before_a_restart_are_known_until_they_end() {
        let mut calls = Calls::default();
        let lasting = |session: &str, payer: &str| LastingCall {
            session_id: session.to_owned(),
            from_tag: "a=3D".to_owned(),
            to_tag: "b".to_owned(),
            payer: payer.to_owned(),
            started_at: 10,
            caller: "a@example.com".to_owned(),
            callee: "1@example.com".to_owned(),
            ..LastingCall::default()
        };
        // Two pay for the first one.
        calls.restore(&[lasting("c", "x"), lasting("c", "y"), lasting("d", "x"), lasting("e", "")]);
        let first = calls.after(0).next().expect("a call").clone();
        assert_eq!((&*first.caller, &*first.callee), ("sip:a@example.com", "sip:1@example.com"));
        assert!(first.before_start && first.state == State::Established && first.since == 10);
        assert_eq!((calls.known.len(), calls.established()), (3, 0));
        let id = ids(1)[0];
        calls.begin(id, call(20), places());
        calls.answered(id, (0, 0), ("f", "a", "b"), 30);
        assert_eq!(calls.established(), 1);
        calls.ended("c", "b", "a=");
        assert_eq!((calls.known.len(), calls.established()), (3, 1));
        let longest = i64::try_from(LONGEST.as_millis()).expect("a number");
        calls.sweep(longest + 11);
        assert_eq!((calls.known.len(), calls.established()), (1, 1));
    }

    #[test]
    fn calls_whose_end_is_never_seen_are_forgotten() {
        let (mut calls, ids) = (Calls::default(), ids(1));
        calls.begin(ids[0], call(10), places());
        calls.answered(ids[0], (0, 0), ("c", "a", "b"), 30);
        let longest = i64::try_from(LONGEST.as_millis()).expect("a number");
        calls.sweep(longest + 10);
        assert_eq!(calls.established(), 1);
        calls.sweep(longest + 11);
        assert!(calls.known.is_empty() && calls.dialogs.is_empty());
    }
}
