//! Requests that begin something: facts, a plan, and what becomes of it.

use super::admission::Admission;
use super::{Engine, wall_clock};
use crate::cdr::Record;
use crate::cdr::record::call_record;
use ngn_model::call_plan::Target;
use ngn_model::{DomainName, Plan};
use ngn_routing::{CallFacts, Callee, Caller};
use ngn_sip::header::{HeaderName, Transport};
use ngn_sip::message::Method;
use ngn_sip::stack::{
    CallEvent, CallEventKind, Destination, ForwardPlan, ForwardStep, ForwardTarget, IncomingRequest,
};
use ngn_sip::uri::Uri;
use ngn_store::{Cdr, CdrStop};
use std::net::SocketAddr;
use std::time::Instant;

impl Engine {
    pub(super) fn request(&mut self, incoming: &IncomingRequest) {
        let (id, request) = (incoming.id, &incoming.request);
        let (Some(method), Some(uri)) = (request.method(), request.request_uri()) else {
            return self.reply(id, 400, None, &Vec::new());
        };
        if *method == Method::Register {
            return self.register(incoming);
        }
        let host = DomainName::new(uri.host_text()).ok();
        let is_domain = host.is_some_and(|name| self.directory.serves(&name));
        if uri.user().is_none() && (is_domain || self.is_own_address(uri)) {
            return match method {
                Method::Options => {
                    let allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE";
                    self.reply(id, 200, None, &vec![(HeaderName::Allow, allow.to_owned())]);
                }
                _ => self.reply(id, 405, None, &Vec::new()),
            };
        }
        if incoming.is_stray {
            return self.reply(id, 481, None, &Vec::new());
        }
        let admission = self.admit(request, method, uri);
        let caller = match &admission {
            Admission::Account(account) => Caller::Account(account),
            Admission::Stranger => Caller::Stranger,
            Admission::Refused(status, phrase, fields) => {
                return self.reply(id, *status, *phrase, fields);
            }
        };
        let address = uri.aor();
        let callee = match &address {
            Some(aor) if is_domain => self.directory.callee(aor, uri.as_str()),
            None if is_domain => Callee::Unknown { address: uri.as_str() },
            _ => Callee::Foreign { uri: uri.as_str() },
        };
        let canonical = match callee {
            Callee::Account { account, .. } => account.aor.to_string(),
            _ => String::new(),
        };
        let facts = CallFacts { caller, callee, now: wall_clock(), settings: &self.settings };
        let plan = ngn_routing::plan(&facts);
        let cdr = (*method == Method::Invite).then(|| {
            let payer = match caller {
                Caller::Account(account) => account.aor.to_string(),
                Caller::Stranger => String::new(),
            };
            Cdr { canonical_uri: canonical, ..call_record(incoming, payer) }
        });
        let now = self.now();
        match plan {
            Plan::Reject(reject) => {
                tracing::info!(status = reject.status, reason = reject.reason, "call refused");
                self.reply(id, reject.status, Some(reject.phrase), &Vec::new());
                if let Some(cdr) = cdr {
                    self.record_failure(cdr, reject.status, Instant::now());
                }
            }
            Plan::Call(plan) => {
                let steps = plan.steps.iter().map(forward_step).collect();
                let plan = ForwardPlan { steps, ..ForwardPlan::default() };
                if let Some(cdr) = cdr {
                    self.calls.insert(id, (cdr, Instant::now()));
                }
                if !self.stack.forward(now, id, plan) {
                    self.calls.remove(&id);
                }
            }
        }
    }

    fn is_own_address(&self, uri: &Uri) -> bool {
        let port = uri.port().unwrap_or(5060);
        let host = uri.host().and_then(|host| host.ip());
        let mut own = self.transports.udp_addresses().chain(self.transports.tcp_addresses());
        own.any(|a| a.port() == port && (Some(a.ip()) == host || a.ip().is_unspecified()))
            || self.config.listen.advertised.as_deref() == Some(uri.host_text())
    }

    pub(super) fn call_event(&mut self, event: &CallEvent) {
        match event.kind {
            CallEventKind::Ringing { .. } => {}
            CallEventKind::Answered { status, .. } => {
                let Some((mut cdr, begun)) = self.calls.remove(&event.id) else { return };
                cdr.to_tag = event.to_tag.clone().unwrap_or_default();
                cdr.status = status;
                cdr.started_at = wall_clock();
                cdr.delay = seconds(begun);
                let _ = self.records.send(Record::Call(Box::new(cdr)));
            }
            CallEventKind::Failed { status } => {
                if let Some((cdr, begun)) = self.calls.remove(&event.id) {
                    self.record_failure(cdr, status, begun);
                }
            }
            CallEventKind::Ended => {
                // Either side may hang up, so the tags may be the other way round; only one of the two exists.
                let to_tag = event.to_tag.clone().unwrap_or_default();
                let tags =
                    [(event.from_tag.clone(), to_tag.clone()), (to_tag, event.from_tag.clone())];
                for (from_tag, to_tag) in tags {
                    let _ = self.records.send(Record::Stop(CdrStop {
                        session_id: event.call_id.clone(),
                        from_tag,
                        to_tag,
                        stopped_at: wall_clock(),
                        cause: "User-Request".to_owned(),
                    }));
                }
            }
        }
    }

    fn record_failure(&self, mut cdr: Cdr, status: u16, begun: Instant) {
        cdr.status = status;
        cdr.started_at = wall_clock();
        cdr.stopped_at = Some(cdr.started_at);
        cdr.delay = seconds(begun);
        let _ = self.records.send(Record::Call(Box::new(cdr)));
    }
}

fn forward_step(step: &ngn_model::call_plan::Step) -> ForwardStep {
    ForwardStep {
        when: step.when,
        targets: step.targets.iter().filter_map(forward_target).collect(),
        answer_timeout: Some(step.answer_timeout),
    }
}

/// A binding is reached where its REGISTER came from.
fn forward_target(target: &Target) -> Option<ForwardTarget> {
    match target {
        Target::Uri(uri) => Uri::parse(uri).ok().map(ForwardTarget::new),
        Target::Binding(binding) => {
            let mut forward = ForwardTarget::new(Uri::parse(&binding.contact).ok()?);
            if binding.path.is_empty()
                && let Some(received) = &binding.received
            {
                let rest = received.strip_prefix("sip:")?;
                let (address, transport) = rest.split_once(";transport=").unwrap_or((rest, "udp"));
                let remote: SocketAddr = address.parse().ok()?;
                let mut hop = Destination::new(Transport::parse(transport), remote);
                hop.local = binding.socket.split_once(':').and_then(|(_, own)| own.parse().ok());
                forward.next_hops.push(hop);
            }
            for path in binding.path.split(',').filter(|path| !path.trim().is_empty()) {
                let uri = path.trim().trim_start_matches('<').split('>').next()?;
                forward.routes.push(ngn_sip::header::RouteHeader::new(Uri::parse(uri).ok()?));
            }
            Some(forward)
        }
    }
}

fn seconds(begun: Instant) -> u32 {
    u32::try_from(begun.elapsed().as_secs()).unwrap_or(u32::MAX)
}
