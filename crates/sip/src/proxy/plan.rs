//! What is to become of a request that is forwarded: the call plan with everything looked up.

use super::endpoint::Destination;
use crate::header::{HeaderName, RouteHeader};
use crate::message::Message;
use crate::uri::Uri;
use ngn_model::Removal;
use ngn_model::call_plan::{Condition, FailoverCodes, Leg};
use std::time::Duration;

/// How a request is forwarded: ordered steps, as in [`ngn_model::CallPlan`].
#[derive(Debug, Clone, Default)]
pub struct ForwardPlan {
    /// The steps. The first one is taken at once, each later one when its condition comes true.
    pub steps: Vec<ForwardStep>,
    /// Changes to the request, in every branch alike.
    pub edits: Vec<Edit>,
    /// Whether to ask what to do about redirections ([`Output::Redirected`](crate::stack::Output::Redirected))
    /// instead of passing them back.
    pub recurse: bool,
}

impl ForwardPlan {
    /// One target, without alternatives.
    #[must_use]
    pub fn to(target: ForwardTarget) -> Self {
        Self { steps: vec![ForwardStep::new(Condition::First, vec![target])], ..Self::default() }
    }
}

/// Targets that are tried in parallel.
#[derive(Debug, Clone)]
pub struct ForwardStep {
    /// When the step is taken.
    pub when: Condition,
    /// Where the request goes.
    pub targets: Vec<ForwardTarget>,
    /// How long until "no answer"; `None`: as long as timer C allows.
    pub answer_timeout: Option<Duration>,
    /// Which leg of the call the step belongs to.
    pub leg: Leg,
    /// The responses after which a step with [`Condition::Failover`] is taken.
    pub failover: FailoverCodes,
    /// How long a target may say nothing at all before a later step with [`Condition::Failover`] or
    /// [`Condition::Unanswered`] is taken; `None`: as long as its transaction lasts (RFC 3261 section 16.8).
    pub silence: Option<Duration>,
    /// Instead of targets: the caller is told to call this URI itself (302), and no other step is taken.
    pub redirect: Option<Uri>,
}

impl ForwardStep {
    /// A step of the only leg, without a limit on how long it may ring.
    #[must_use]
    pub fn new(when: Condition, targets: Vec<ForwardTarget>) -> Self {
        Self {
            when,
            targets,
            answer_timeout: None,
            leg: Leg::default(),
            failover: FailoverCodes::default(),
            silence: None,
            redirect: None,
        }
    }

    /// Whether it is looked at when a step of a leg is through, and there is something to do in it.
    pub(crate) fn follows(&self, leg: u16) -> bool {
        let is_asked = self.leg.after.is_none_or(|after| after == leg);
        is_asked && !(self.targets.is_empty() && self.redirect.is_none())
    }
}

/// One place that a request is forwarded to.
#[derive(Debug, Clone)]
pub struct ForwardTarget {
    /// The new Request-URI.
    pub uri: Uri,
    /// Proxies to visit on the way, as a binding's Path says (RFC 3327).
    pub routes: Vec<RouteHeader>,
    /// Where the request is sent, in order of preference; the next one is tried when one fails (RFC 3263
    /// section 4.3). When empty, they are looked up for the topmost Route or the Request-URI.
    pub next_hops: Vec<Destination>,
    /// When all next hops have failed, look others up
    /// ([`Output::Resolve`](crate::stack::Output::Resolve) with `is_fallback`).
    pub has_fallback: bool,
    /// A registered contact: when it cannot be reached any more, the callee is not there now (480), and nothing of
    /// ours has failed (RFC 5626 section 7).
    pub is_contact: bool,
    /// It may lead to a place that is reserved ([`Stack::set_reserved`](crate::stack::Stack::set_reserved)).
    pub reaches_reserved: bool,
    /// Changes to the request, in this branch only.
    pub edits: Vec<Edit>,
    /// The binding that is void when its flow is gone (RFC 5626 section 5.3), which
    /// [`Tried`](crate::stack::Tried) then names.
    pub flow: Option<Removal>,
}

impl ForwardTarget {
    /// A target whose next hops are looked up.
    #[must_use]
    pub const fn new(uri: Uri) -> Self {
        Self {
            uri,
            routes: Vec::new(),
            next_hops: Vec::new(),
            has_fallback: false,
            is_contact: false,
            reaches_reserved: false,
            edits: Vec::new(),
            flow: None,
        }
    }

    /// A target with one known next hop.
    #[must_use]
    pub fn at(uri: Uri, next_hop: Destination) -> Self {
        Self { next_hops: vec![next_hop], ..Self::new(uri) }
    }
}

/// A change to a header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Removes all fields of a name.
    Remove(String),
    /// Sets a field: removes all of the name and adds one.
    Set(String, String),
    /// Adds a field after the others.
    Append(String, String),
    /// Adds a field before the others of its name.
    Prepend(HeaderName, String),
}

impl Edit {
    /// Carries the change out.
    pub fn apply(&self, message: &mut Message) {
        match self {
            Self::Remove(name) => {
                message.remove_named(name);
            }
            Self::Set(name, value) => {
                message.remove_named(name);
                message.append_named(name, value);
            }
            Self::Append(name, value) => message.append_named(name, value),
            Self::Prepend(name, value) => message.push_before(*name, value),
        }
    }
}
