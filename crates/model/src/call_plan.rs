//! The decision about a call, as data.

use crate::Binding;
use std::time::Duration;

/// What becomes of a call: it is tried in ordered steps, or refused.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// The call is tried.
    Call(CallPlan),
    /// The call is refused.
    Reject(Reject),
}

/// The ordered steps of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallPlan {
    /// The steps; the first one is taken at once, each later one when its condition comes true.
    pub steps: Vec<Step>,
}

/// One step: targets tried in parallel.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When the step is taken.
    pub when: Condition,
    /// Which leg of the call the step belongs to.
    pub leg: Leg,
    /// Where the call goes; never empty.
    pub targets: Vec<Target>,
    /// How long until "no answer".
    pub answer_timeout: Duration,
    /// Why the step stands here: the rule and what matched.
    pub reason: String,
}

/// The attempts to reach one callee. A diversion begins a leg of its own, so that what happens at its target does not
/// set off the diversions of the account that was called before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Leg {
    /// Its number in the plan, from 0.
    pub id: u16,
    /// The step is looked at only while the step taken last belongs to this leg; `None`: to any.
    pub after: Option<u16>,
}

/// When a step of a plan is taken. A step whose condition does not come true is passed over, and the next one
/// looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// At once.
    First,
    /// The step before ended in 486 or 600.
    Busy,
    /// The step before was not answered in time.
    NoAnswer,
    /// The step before failed in any other way.
    Failure,
    /// The step before ended without an answer, whatever the reason (serial forking, RFC 3261 section 16.6).
    Unanswered,
}

/// One place that a call can go to.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A registered contact of an account.
    Binding(Box<Binding>),
    /// A SIP URI outside our registrar.
    Uri(String),
    /// The caller is told to call this SIP URI itself (302, RFC 3261 section 21.3.3); the only target of its step.
    Redirect(String),
}

/// A refusal: status, reason phrase and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// SIP status code, 400 to 699.
    pub status: u16,
    /// Reason phrase.
    pub phrase: &'static str,
    /// Why: the rule and what matched.
    pub reason: String,
}
