//! Requests that begin something: facts, a plan, and what becomes of it.

use super::Engine;
use super::admission::Admission;
use super::enums::{Waited, Work};
use super::guarding::name_in;
use super::identity;
use super::live::{live, places};
use super::serving;
use super::voicemail::purpose;
use crate::cdr::Record;
use crate::cdr::record::{self, Attempt, Parties};
use crate::facts::{self, Called, Decision, Question};
use ngn_daemon::wall_clock;
use ngn_model::call_plan::{Condition, FailoverCodes, HeaderEdit, Payer, Target};
use ngn_model::{CallPlan, DomainName, Plan};
use ngn_routing::{Caller, history};
use ngn_sip::header::HeaderName;
use ngn_sip::message::{Message, Method};
use ngn_sip::stack::{
    CallEvent, CallEventKind, Edit, ForwardPlan, ForwardStep, ForwardTarget, IncomingRequest,
};
use ngn_sip::uri::Uri;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// How often a refusal of somebody who was called is sent again to a stranger who does not acknowledge it.
const STRANGERS_REPEATS: u8 = 3;

impl Engine {
    pub(super) fn request(&mut self, incoming: &IncomingRequest) {
        let (id, request) = (incoming.id, &incoming.request);
        // Nobody has proved anything yet: RFC 3261 section 26.3.2.4.
        self.stack.limit_repeats(id, 0);
        let (Some(method), Some(uri)) = (request.method(), request.request_uri()) else {
            return self.reply(id, 400, None, &Vec::new());
        };
        if *method == Method::Register {
            return self.register(incoming);
        }
        let host = DomainName::new(uri.host_text()).ok();
        let is_domain = host.as_ref().is_some_and(|name| self.directory.serves(name));
        let is_own = self.is_own_address(uri);
        if uri.user().is_none() && (is_domain || is_own) {
            let (status, fields) = serving::answer(method, request, incoming.is_stray);
            return self.reply_statelessly(id, status, &fields);
        }
        if incoming.is_stray {
            return self.reply(id, 481, None, &Vec::new());
        }
        // RFC 3261 section 16.3 step 3, before anybody is asked for a password.
        if request.max_forwards().ok().flatten().is_some_and(|left| left.0 == 0) {
            return self.reply(id, 483, None, &Vec::new());
        }
        match self.admit(incoming, method, uri) {
            // Whoever has not proved anything yet costs no memory.
            Admission::Refused(407, _, fields) => self.reply_statelessly(id, 407, &fields),
            Admission::Refused(status, phrase, fields) => self.reply(id, status, phrase, &fields),
            admission => self.call(incoming.clone(), admission, Waited::default()),
        }
    }

    /// Decides where a request goes whose caller is known, and sends it there; before, it may wait for what the DNS says
    /// about numbers.
    pub(super) fn call(&mut self, incoming: IncomingRequest, admission: Admission, waited: Waited) {
        let request = &incoming.request;
        let (Some(uri), Some(caller)) = (request.request_uri(), admission.caller()) else { return };
        let from = request.from_header().map(|from| from.uri().as_str().to_owned());
        let question = Question {
            purpose: purpose(request),
            caller,
            uri,
            from: &from.unwrap_or_default(),
            wants_privacy: identity::wants_privacy(request),
            asks: identity::asks(request),
            source: incoming.source.remote.ip(),
            source_port: (!incoming.source.transport.is_reliable())
                .then_some(incoming.source.remote.port()),
            now: wall_clock(),
            seed: self.seed.wrapping_add(1),
        };
        let Decision { plan, called, numbers } = self.decide(&question, &waited.told);
        // Nobody who calls for help waits.
        let lookup = if plan.is_emergency() { None } else { self.enum_lookup(&numbers, &waited) };
        match lookup {
            Some(lookup) => self.wait_for_enum(lookup, Work::Request(incoming, admission), waited),
            None => self.carry_on(&incoming, &admission, plan, called),
        }
    }

    /// The beginning of a call's record; `None` when nobody may call so.
    pub(super) fn attempt(
        &self,
        incoming: &IncomingRequest,
        admission: &Admission,
        called: Called,
    ) -> Option<Attempt> {
        let (payer, rpid) = match admission.caller()? {
            Caller::Account(account) => (account.aor.to_string(), account.rpid.clone()),
            Caller::Claimed(account) => (account.aor.to_string(), None),
            Caller::Peer(peer) => {
                (peer.billing_id.clone().unwrap_or_else(|| peer.ip.clone()), None)
            }
            Caller::Stranger => (String::new(), None),
        };
        let proxy = self.config.listen.advertised.clone();
        let proxy = proxy.unwrap_or_else(|| incoming.source.local.ip().to_string());
        let (rpid, node) = (rpid.unwrap_or_default(), self.node.clone());
        let realm = match admission.caller()? {
            Caller::Account(account) => Some(account.aor.domain().to_string()),
            Caller::Claimed(_) | Caller::Peer(_) | Caller::Stranger => None,
        };
        Some(Attempt::of(incoming, Parties { payer, realm, rpid, called, proxy, node }))
    }

    /// Does what a plan says.
    fn carry_on(
        &mut self,
        incoming: &IncomingRequest,
        admission: &Admission,
        plan: Plan,
        called: Called,
    ) {
        let (id, request) = (incoming.id, &incoming.request);
        let Some(caller) = admission.caller() else { return };
        match caller {
            Caller::Account(_) | Caller::Peer(_) => self.stack.limit_repeats(id, u8::MAX),
            Caller::Claimed(_) => self.stack.limit_repeats(id, STRANGERS_REPEATS),
            Caller::Stranger if matches!(plan, Plan::Reject(_)) => {}
            Caller::Stranger => self.stack.limit_repeats(id, STRANGERS_REPEATS),
        }
        if matches!(caller, Caller::Stranger)
            && let Some(uri) = request.request_uri()
        {
            let exists = !matches!(&plan, Plan::Reject(reject) if reject.status == 404);
            self.asked_for(&incoming.source, &name_in(uri), exists);
        }
        self.seed = self.seed.wrapping_add(1);
        let plan = Arc::new(plan);
        let is_call = request.method() == Some(&Method::Invite);
        let canonical = called.canonical.clone();
        if is_call {
            self.keep_plan(request.call_id().unwrap_or_default(), Arc::clone(&plan));
        }
        let attempt = if is_call { self.attempt(incoming, admission, called) } else { None };
        match &*plan {
            Plan::Reject(reject) => {
                tracing::debug!(status = reject.status, reason = reject.reason(), "call refused");
                if let Some(attempt) = attempt {
                    let tag = self.stack.to_tag(id).unwrap_or_default();
                    let cdr = attempt.failed(reject.status, &tag, wall_clock());
                    self.record(Record::Call(Box::new(cdr)));
                }
                self.reply(id, reject.status, Some(reject.phrase), &Vec::new());
            }
            Plan::Call(plan) => {
                let is_trusted = matches!(caller, Caller::Peer(_));
                let told = identity::Told::of(request, is_trusted);
                let (steps, gateways) = self.forward_steps(plan, &told, request);
                if let Some(mut attempt) = attempt {
                    let uris = |step: &ForwardStep| {
                        step.targets.iter().map(|target| target.uri.to_string()).collect()
                    };
                    attempt.set_targets(steps.iter().map(uris).collect());
                    let mut payers: Vec<Payer> =
                        gateways.values().map(|(_, payer)| payer.clone()).collect();
                    let trunk = match caller {
                        Caller::Peer(peer) => Some(Payer::Peer(peer.ip.clone())),
                        Caller::Account(_) | Caller::Claimed(_) | Caller::Stranger => None,
                    };
                    payers.extend(trunk.clone());
                    payers.sort();
                    payers.dedup();
                    self.counts.begin(id, payers);
                    let places = places(plan, &steps, &gateways);
                    self.live.begin(id, live(incoming, caller, canonical, plan), places);
                    self.calls.insert(id, InSetup { attempt, gateways, trunk });
                }
                let now = self.now();
                let mut edits: Vec<Edit> = plan.edits.iter().map(edit).collect();
                edits.extend(match caller {
                    Caller::Account(_) | Caller::Claimed(_) => self.without_credentials(request),
                    Caller::Peer(_) | Caller::Stranger => Vec::new(),
                });
                // RFC 3323 section 5: nobody further on needs to know how to do what was done here.
                if request.has(HeaderName::ProxyRequire) && identity::is_done_here(request) {
                    edits.push(Edit::Remove(HeaderName::ProxyRequire.as_str().to_owned()));
                }
                let plan = ForwardPlan { steps, edits, ..ForwardPlan::default() };
                if !self.stack.forward(now, id, plan) {
                    // Answered or cancelled already, by the event that said so.
                    self.calls.remove(&id);
                    self.counts.failed(id);
                    self.live.failed(id);
                }
            }
        }
    }

    pub(super) fn is_own_address(&self, uri: &Uri) -> bool {
        let own = self.transports.addresses().map(|(_, address)| address);
        facts::is_own_address(uri, own, self.config.listen.advertised.as_deref())
    }

    pub(super) fn call_event(&mut self, event: &CallEvent) {
        let (now, to_tag) = (wall_clock(), event.to_tag.as_deref().unwrap_or_default());
        match event.kind {
            CallEventKind::Ringing { step, target, .. } => {
                self.live.rings(event.id, (step, target), now);
            }
            CallEventKind::Answered { status, step, target } => {
                let dialog = (&*event.call_id, &*event.from_tag, to_tag);
                self.live.answered(event.id, (step, target), dialog, now);
                let key = super::dialog_of(dialog.0, dialog.1, dialog.2);
                let kept = self.session_begins(event, key);
                let Some(call) = self.calls.remove(&event.id) else { return };
                let response = event.response.as_deref();
                let payer = call.gateways.get(&(step, target)).map(|(_, payer)| payer);
                let pays = |one: &Payer| Some(one) == payer || Some(one) == call.trunk.as_ref();
                let mut cdr =
                    call.attempt.answered((step, target), response, (status, to_tag), now);
                if payer.is_some() {
                    // A gateway took over from whom ENUM leads to.
                    cdr.enum_tld.clear();
                }
                if let Some(Payer::Account(account)) = payer {
                    // B80: a diversion to a number is at the cost of whoever diverts.
                    let rpid = self.directory.account(account).and_then(|one| one.rpid.as_deref());
                    record::paid_by(&mut cdr, account, rpid.unwrap_or_default());
                }
                let dialog = (&*cdr.session_id, &*cdr.from_tag, &*cdr.to_tag);
                let count_for = self.counts.answered(event.id, dialog, pays, Instant::now());
                cdr.counts_for = count_for.iter().map(ToString::to_string).collect();
                cdr.dialog = kept;
                self.record(Record::Call(Box::new(cdr)));
            }
            CallEventKind::Failed { status } => {
                self.counts.failed(event.id);
                self.live.failed(event.id);
                let Some(call) = self.calls.remove(&event.id) else { return };
                self.record(Record::Call(Box::new(call.attempt.failed(status, to_tag, now))));
            }
            CallEventKind::Ended => {
                self.live.ended(&event.call_id, &event.from_tag, to_tag);
                self.sessions.forget(&super::dialog_of(&event.call_id, &event.from_tag, to_tag));
                let ago = i64::try_from(event.ago.as_millis()).unwrap_or(0);
                let ended = now.saturating_sub(ago);
                let mut stop = record::stop(&event.call_id, &event.from_tag, to_tag, ended);
                stop.counted = self.counts.ended(&stop.session_id, &stop.from_tag, &stop.to_tag);
                self.record(Record::Stop(stop));
            }
        }
    }

    /// Hands a record over. New calls are refused long before there is no place for the records of those that last.
    pub(super) fn record(&self, record: Record) {
        if self.records.try_send(record).is_err() {
            tracing::error!("a call record is lost: too many wait for the database");
            self.metrics.records_lost.inc();
        }
    }

    /// Records what is still being set up when this process ends: nobody else knows of it.
    pub(super) fn record_unfinished(&mut self) {
        self.record_all_waiting();
        for (id, InSetup { attempt, .. }) in std::mem::take(&mut self.calls) {
            let tag = self.stack.to_tag(id).unwrap_or_default();
            self.record(Record::Call(Box::new(attempt.failed(503, &tag, wall_clock()))));
        }
    }
}

/// A call that is being set up.
pub(super) struct InSetup {
    attempt: Attempt,
    /// The gateways by step and target, and who pays for a call there.
    gateways: BTreeMap<(usize, usize), (i64, Payer)>,
    /// The trunk that calls.
    trunk: Option<Payer>,
}

impl InSetup {
    /// The gateway at a place of the plan.
    pub(super) fn gateway(&self, step: usize, target: usize) -> Option<i64> {
        self.gateways.get(&(step, target)).map(|(id, _)| *id)
    }
}

/// The gateways of a plan by step and target, and who pays for a call there.
pub(super) type ByPlace = BTreeMap<(usize, usize), (i64, Payer)>;

impl Engine {
    /// The steps as the stack takes them.
    fn forward_steps(
        &self,
        plan: &CallPlan,
        told: &identity::Told,
        request: &Message,
    ) -> (Vec<ForwardStep>, ByPlace) {
        let silence = self.config.pstn.silence();
        let mut gateways = ByPlace::new();
        let mut steps = Vec::with_capacity(plan.steps.len());
        let takes_over = |after: usize, leg: u16| {
            let next = plan.steps.get(after + 1);
            next.is_some_and(|next| next.when == Condition::Failover && next.leg.after == Some(leg))
        };
        for (number, step) in plan.steps.iter().enumerate() {
            let mut forward = ForwardStep {
                answer_timeout: Some(step.answer_timeout),
                silence: plan.is_emergency.then_some(silence),
                leg: step.leg,
                ..ForwardStep::new(step.when, Vec::new())
            };
            for target in &step.targets {
                if let Target::Redirect(uri) = target {
                    forward.redirect = Uri::parse(uri).ok();
                }
                let Some(mut found) = self.forward_target(target, request) else { continue };
                let is_trusted = matches!(target, Target::Gateway(_));
                // One machine may be the gateway, take emergency calls and keep messages.
                let is_ours = plan.is_emergency || self.is_voicemail(target);
                found.reaches_reserved |= is_ours;
                if !is_trusted {
                    found.edits.extend(plan.outward_edits.iter().map(edit));
                }
                let (called, before) = (&told.called, told.before());
                let fields = history::fields(&step.diverted, called, before, is_trusted);
                found.edits.extend(fields.iter().map(edit));
                if let Target::Gateway(gateway) = target {
                    forward.failover = gateway.failover.clone();
                    forward.silence = Some(silence);
                    let place = (steps.len(), forward.targets.len());
                    gateways.insert(place, (gateway.id, Payer::clone(&gateway.payer)));
                }
                if matches!(target, Target::Binding(_)) && takes_over(number, step.leg.id) {
                    // RFC 5626 section 5.3.1: an edge proxy that lost the flow says so.
                    forward.failover = FailoverCodes::and(vec![430]);
                    forward.silence = Some(silence);
                }
                forward.targets.push(found);
            }
            steps.push(forward);
        }
        (steps, gateways)
    }

    fn forward_target(&self, target: &Target, request: &Message) -> Option<ForwardTarget> {
        match target {
            Target::Uri(uri) => Uri::parse(uri).ok().map(ForwardTarget::new),
            Target::Redirect(_) => None,
            Target::Gateway(gateway) => {
                let mut forward = ForwardTarget::new(Uri::parse(&gateway.request_uri()).ok()?);
                forward.reaches_reserved = true;
                forward.edits = gateway.edits.iter().map(edit).collect();
                Some(forward)
            }
            Target::Binding(binding) => self.contact(binding, request),
        }
    }
}

fn edit(edit: &HeaderEdit) -> Edit {
    match edit {
        HeaderEdit::Remove(name) => Edit::Remove((*name).to_owned()),
        HeaderEdit::Set(name, value) => Edit::Set((*name).to_owned(), value.clone()),
    }
}
