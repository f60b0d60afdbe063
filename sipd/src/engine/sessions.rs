//! Calls whose end nobody tells of: session timers that run out, and OPTIONS to both sides of calls without one
//! (`ngn_sip::watch` decides). What is over so is recorded as of when it was last known to go on.

use super::Engine;
use super::counts::Dialog as Key;
use super::gateways::Located;
use super::hops::destination;
use crate::cdr::Record;
use crate::cdr::record;
use ngn_daemon::wall_clock;
use ngn_sip::dialog::{Dialog, Inside};
use ngn_sip::header::HeaderName;
use ngn_sip::message::{Message, Method};
use ngn_sip::stack::{
    AnswerResult, CallEvent, ClientTransactionId, Destination, DialogEvent, Moment, Session,
};
use ngn_sip::watch::{Cause, Order, Over, Rules, Side, Watch, is_alive};
use ngn_store::LastingCall;
use std::collections::{BTreeSet, HashMap};

/// How many calls are watched at most; those beyond are forgotten like those that nobody can be asked about.
const MOST: usize = 250_000;
/// How many calls are looked at at one moment.
const AT_ONCE: usize = 500;

/// What a request of ours inside a call is for.
#[derive(Debug)]
pub(super) enum Errand {
    /// To ask a side of the call with this number whether it goes on.
    Probe(u64, Side),
    /// To tell a side that the call is over; `true`: with the highest number that there is.
    Bye(Box<Dialog>, Side, bool),
}

#[derive(Debug)]
struct Known {
    key: Key,
    /// What is needed to ask its sides.
    dialog: Option<Dialog>,
    watch: Watch,
    /// When it came here after a restart, and when it was last known to go on before, in milliseconds since 1970 UTC.
    restored: Option<(Moment, i64)>,
    /// Where it stands in the queue.
    armed: Option<Moment>,
}

/// The calls that are watched.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    last: u64,
    known: HashMap<u64, Known>,
    numbers: HashMap<Key, u64>,
    queue: BTreeSet<(Moment, u64)>,
    errands: HashMap<ClientTransactionId, Errand>,
}

impl Sessions {
    fn add(&mut self, key: Key, dialog: Option<Dialog>, watch: Watch) {
        if self.known.len() >= MOST {
            return;
        }
        self.last += 1;
        if let Some(before) = self.numbers.insert(key.clone(), self.last) {
            self.drop(before);
        }
        let known = Known { key, dialog, watch, restored: None, armed: None };
        self.known.insert(self.last, known);
        self.arm(self.last);
    }

    /// Forgets a call by its dialog.
    pub(super) fn forget(&mut self, key: &Key) {
        if let Some(number) = self.numbers.remove(key) {
            self.drop(number);
        }
    }

    fn drop(&mut self, number: u64) -> Option<Known> {
        let known = self.known.remove(&number)?;
        if let Some(at) = known.armed {
            self.queue.remove(&(at, number));
        }
        Some(known)
    }

    fn get(&mut self, number: u64) -> Option<&mut Known> {
        self.known.get_mut(&number)
    }

    fn of(&mut self, key: &Key) -> Option<(u64, &mut Known)> {
        let number = *self.numbers.get(key)?;
        Some((number, self.known.get_mut(&number)?))
    }

    /// Puts a call where it belongs in the queue.
    fn arm(&mut self, number: u64) {
        let Some(known) = self.known.get_mut(&number) else { return };
        let deadline = known.watch.deadline();
        if known.armed == deadline {
            return;
        }
        if let Some(before) = std::mem::replace(&mut known.armed, deadline) {
            self.queue.remove(&(before, number));
        }
        self.queue.extend(deadline.map(|at| (at, number)));
    }

    /// What is due.
    fn due(&mut self, now: Moment, rules: &Rules) -> Vec<(u64, Order)> {
        let mut orders = Vec::new();
        for _ in 0..AT_ONCE {
            let Some((at, number)) = self.queue.first().copied() else { break };
            if at > now {
                break;
            }
            self.queue.pop_first();
            let Some(known) = self.known.get_mut(&number) else { continue };
            known.armed = None;
            orders.extend(known.watch.timeout(now, rules).into_iter().map(|order| (number, order)));
            self.arm(number);
        }
        orders
    }
}

impl Engine {
    /// Calls from before a restart are asked whether they go on.
    pub(super) fn restore_sessions(&mut self, calls: &[LastingCall], alive_at: i64) {
        let (now, rules) = (self.now(), self.config.calls.rules());
        if rules.interval.is_zero() {
            return;
        }
        for call in calls {
            let Some(dialog) = call.dialog.as_deref().and_then(Dialog::from_text) else { continue };
            let (call_id, one, other) = dialog.id();
            let key = super::dialog_of(call_id, one, other);
            if self.sessions.numbers.contains_key(&key) {
                continue;
            }
            let watch = Watch::new(now, None, dialog.can_be_asked(), &rules);
            self.sessions.add(key.clone(), Some(dialog), watch);
            if let Some((_, known)) = self.sessions.of(&key) {
                known.restored = Some((now, alive_at.max(call.started_at)));
            }
        }
    }

    /// A call was answered; gives what is to be kept of it over a restart.
    pub(super) fn session_begins(&mut self, event: &CallEvent, key: Key) -> Option<String> {
        let rules = self.config.calls.rules();
        let answer = event.response.as_deref();
        let dialog = answer.and_then(|answer| self.stack.dialog(&event.request, answer));
        let session = event.session.map(|session| self.no_less(session));
        let watch = Watch::new(self.now(), session, dialog.is_some(), &rules);
        // One that nobody is ever asked about costs no memory, unless a session may begin later.
        let dialog = dialog.filter(|_| !rules.interval.is_zero());
        let kept = dialog.as_ref().and_then(Dialog::to_text);
        self.sessions.add(key, dialog, watch);
        kept
    }

    /// A shorter session than we take would have been refused.
    fn no_less(&self, session: Session) -> Session {
        Session { seconds: session.seconds.max(self.config.calls.min_session_expires), ..session }
    }

    /// Something was said inside a call.
    pub(super) fn dialog_event(&mut self, event: &DialogEvent) {
        let (now, rules) = (self.now(), self.config.calls.rules());
        let Some((key, sender_tag)) = key_of(&event.request) else { return };
        let session = event.session.map(|session| self.no_less(session));
        let Some((number, known)) = self.sessions.of(&key) else {
            // From before a restart: its sides cannot be asked, but its session timer can be kept.
            if session.is_some_and(|session| session.is_enforced) && self.live.knows(&key) {
                self.sessions.add(key, None, Watch::new(now, session, false, &rules));
            }
            return;
        };
        let (mut moved, mut over) = (None, None);
        let sender = match &mut known.dialog {
            Some(dialog) => {
                let sender = dialog.sender(&event.request);
                if dialog.note(&event.request, event.response.as_deref()) {
                    moved = dialog.to_text();
                }
                sender
            }
            // Either order will do: both sides are there, or the answer says which one is.
            None => Some(if sender_tag == key.1 { Side::Caller } else { Side::Callee }),
        };
        if let Some(sender) = sender {
            known.watch.heard(sender, now);
            if event.is_received && is_alive(event.status) {
                known.watch.heard(sender.other(), now);
            }
            // RFC 5057 section 5.1: it knows nothing of the call; asked at once, rather than an interval later.
            let method = event.request.method();
            if event.status == 481 && matches!(method, Some(Method::Invite | Method::Update)) {
                over = known.watch.answered(sender.other(), false, now, &rules);
            }
        }
        if event.response.is_some() {
            known.watch.refreshed(now, session, &rules);
        }
        self.sessions.arm(number);
        if let Some(dialog) = moved {
            self.record(Record::Moved(record::moved(&key.0, &key.1, &key.2, dialog)));
        }
        if let Some(over) = over {
            self.session_over(number, over);
        }
    }

    /// Does what is due; once a second.
    pub(super) fn watch_sessions(&mut self) {
        if self.drains_since.is_some() {
            return;
        }
        let (now, rules) = (self.now(), self.config.calls.rules());
        for (number, order) in self.sessions.due(now, &rules) {
            match order {
                Order::Probe(side) => {
                    let dialog = self.sessions.get(number).and_then(|known| known.dialog.as_ref());
                    match dialog.and_then(|dialog| dialog.question(side)) {
                        Some(mut inside) => {
                            // RFC 3261 section 11.1: what may be told of. A BYE asks for nothing.
                            inside.request.append(HeaderName::Accept, "application/sdp");
                            self.run_errand(Errand::Probe(number, side), inside);
                        }
                        None => self.not_asked(number, side),
                    }
                }
                Order::End(over) => self.session_over(number, over),
            }
        }
    }

    /// Finds where a request goes, and sends it there.
    fn run_errand(&mut self, errand: Errand, Inside { mut request, next, to }: Inside) {
        // A side whose remote target is a GRUU of ours (RFC 5627) is where its phone is registered.
        let is_gruu = request.request_uri().is_some_and(|uri| self.is_own_gruu(uri));
        self.translate(&mut request);
        if to.is_some() || (is_gruu && request.request_uri() == Some(&next)) {
            return self.send_errand(errand, request, to);
        }
        let target = request.request_uri().filter(|_| !request.has(HeaderName::Route));
        let next = target.cloned().unwrap_or(next);
        let (locator, located, sockets) =
            (self.locator.clone(), self.located.clone(), self.sockets());
        tokio::spawn(async move {
            let found = locator.locate(&next, sockets).await.into_iter().next();
            let place = found.map(|found| Box::new(destination(found, &next)));
            let _ = located.send(Located::Errand(errand, Box::new(request), place)).await;
        });
    }

    /// Sends a request inside a call.
    pub(super) fn send_errand(
        &mut self,
        errand: Errand,
        request: Message,
        to: Option<Destination>,
    ) {
        let now = self.now();
        // No name, no socket of that transport, or too much going on say nothing about who was to be asked.
        match to.and_then(|to| self.stack.send(now, request, to)) {
            Some(id) => {
                self.sessions.errands.insert(id, errand);
            }
            None => {
                if let Errand::Probe(number, side) = errand {
                    self.not_asked(number, side);
                }
            }
        }
    }

    fn not_asked(&mut self, number: u64, side: Side) {
        if let Some(known) = self.sessions.get(number) {
            known.watch.not_asked(side);
        }
    }

    /// Takes what came back for a request of ours; `false` when it was none inside a call.
    pub(super) fn errand_answered(
        &mut self,
        id: ClientTransactionId,
        result: &AnswerResult,
    ) -> bool {
        let status = match result {
            AnswerResult::Response(response) => response.status(),
            AnswerResult::TimedOut | AnswerResult::TransportFailed => None,
        };
        if status.is_some_and(|status| status < 200) {
            return self.sessions.errands.contains_key(&id);
        }
        let Some(errand) = self.sessions.errands.remove(&id) else { return false };
        match errand {
            Errand::Probe(number, side) => {
                let (now, rules) = (self.now(), self.config.calls.rules());
                let Some(known) = self.sessions.get(number) else { return true };
                let over = known.watch.answered(side, status.is_some_and(is_alive), now, &rules);
                self.sessions.arm(number);
                if let Some(over) = over {
                    self.session_over(number, over);
                }
            }
            // Its number was too low (RFC 3261 section 12.2.2): requests passed that were not seen.
            Errand::Bye(dialog, side, false) if status == Some(500) => {
                self.say_bye(dialog, side, true)
            }
            Errand::Bye(..) => {}
        }
        true
    }

    fn say_bye(&mut self, dialog: Box<Dialog>, side: Side, is_last_resort: bool) {
        let Some(mut inside) = dialog.bye(side, is_last_resort) else { return };
        let reason = "SIP;cause=408;text=\"The other side is gone\"";
        inside.request.append(HeaderName::Reason, reason);
        self.run_errand(Errand::Bye(dialog, side, is_last_resort), inside);
    }

    /// A call is over, and nobody said so.
    fn session_over(&mut self, number: u64, over: Over) {
        let Some(known) = self.sessions.drop(number) else { return };
        self.sessions.numbers.remove(&known.key);
        let (call_id, one, other) = &known.key;
        let ago = i64::try_from(self.now().since(over.alive_at).as_millis()).unwrap_or(0);
        // Nobody was heard of since the restart.
        let before = known.restored.filter(|(at, _)| over.alive_at <= *at);
        let ended = before.map_or(wall_clock().saturating_sub(ago), |(_, alive_at)| alive_at);
        let mut stop = record::stop(call_id, one, other, ended);
        let (cause, counter) = match over.cause {
            Cause::SessionRanOut => ("Session-Timeout", &self.metrics.sessions_ran_out),
            Cause::Gone(_) => ("Lost-Carrier", &self.metrics.parties_gone),
        };
        cause.clone_into(&mut stop.cause);
        counter.inc();
        tracing::info!(call_id, cause, "a call is over of whose end nobody told");
        self.live.ended(call_id, one, other);
        stop.counted = self.counts.ended(&stop.session_id, &stop.from_tag, &stop.to_tag);
        self.record(Record::Stop(stop));
        // RFC 4028 section 8.3: no BYE when a session runs out.
        if let (Cause::Gone(side), Some(dialog)) = (over.cause, known.dialog) {
            self.say_bye(Box::new(dialog), side.other(), false);
        }
    }
}

/// The dialog of a request, and the tag of who sent it.
fn key_of(request: &Message) -> Option<(Key, String)> {
    let (from, to) = (request.from_header().ok()?, request.to_header().ok()?);
    let (from, to) = (from.tag().unwrap_or_default(), to.tag().unwrap_or_default());
    let key = super::dialog_of(request.call_id().ok()?, from, to);
    Some((key, from.to_owned()))
}
