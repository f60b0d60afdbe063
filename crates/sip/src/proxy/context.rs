//! The response context of a request that is forwarded (RFC 3261 sections 16.7 to 16.10).
//!
//! It walks the plan: opens the branches of a step, collects their answers, takes the next step whose
//! condition came true, and in the end chooses the answer. It sends nothing itself: each input returns
//! [`Order`]s, which its owner carries out.
//!
//! ```text
//!            1xx: relay                    no 2xx, and a later step's condition holds
//!           +----------+            +----------------------------------------------+
//!           |          V            |                                              |
//! begin -> step: branches -- all ended, or not answered in time (CANCEL) --> next step? -- no --> wait for
//!           |                                                                     branches being cancelled
//!           | 2xx: relay, cancel all others                                                |
//!           V                                                                              V
//!        answered  (each later 2xx is relayed too)                       best answer, 16.7 step 6
//! ```
//!
//! A branch, within a step:
//!
//! ```text
//!  Resolving --> Trying --1xx--> Proceeding --final--> Done
//!      |           |  ^              |   timer C, answer timeout, CANCEL from upstream,
//!      |           |  |              |   2xx or 6xx elsewhere: send CANCEL, wait up to 64*T1
//!      |           |  +-- next hop <-+-- 503 (RFC 3263 section 4.3)
//!      |           +-- transport error, timeout: next hop, else Done (503, 408)
//!      +-- no such host: Done (503)
//! ```
//!
//! A CANCEL is sent only after a provisional response (section 9.1). A branch that has to be cancelled before
//! is marked; the first 1xx then triggers the CANCEL.

mod steps;

use super::answer::Answer;
use super::outcome::Status;
use super::plan::{ForwardStep, ForwardTarget};
use crate::message::Message;
use crate::transaction::Moment;
use crate::uri::Uri;
use ngn_model::call_plan::Condition;
use std::collections::VecDeque;
use std::time::Duration;

/// How often redirections may add targets to one request.
const MOST_RECURSIONS: u8 = 5;

/// The durations that a context needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waits {
    /// Timer C: how long a branch may go on ringing (section 16.6 step 11; more than three minutes).
    pub(crate) timer_c: Duration,
    /// How long a cancelled branch may take to end (section 9.1: 64 times T1).
    pub(crate) cancelled: Duration,
    /// How long a next hop may be silent when there is another one to try.
    pub(crate) next_hop: Duration,
    /// How long a look-up or a decision about a redirection may take.
    pub(crate) decision: Duration,
}

/// What the owner has to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Send the request of this branch; then call `trying`, `resolving` or `failure`.
    Start(usize),
    /// Nothing came from this branch for as long as it is waited for.
    Silent(usize),
    /// Send CANCEL for this branch.
    Cancel(usize),
    /// Forget the client transaction of this branch.
    Abandon(usize),
    /// Send a 1xx or 2xx upstream.
    Relay(usize, Message),
    /// Ask what to do about a redirection.
    Redirect(usize, Message),
    /// Send the answer upstream.
    Finish(Answer),
}

/// How a branch ended.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// With this response, 300 to 699.
    Response(u16, Box<Message>),
    /// Nobody answered.
    TimedOut,
    /// It could not be sent.
    Failed,
    /// It must not be sent where it leads.
    Forbidden,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Resolving,
    Trying,
    Proceeding,
    Redirecting,
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancel {
    No,
    /// To be sent with the first provisional response.
    Wanted,
    Sent,
}

/// Why a branch was cut off; its answer then counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The answer timeout or timer C.
    NoAnswer,
    /// Another next hop is tried.
    NextHop,
    /// The call was answered or refused elsewhere, or cancelled by the caller.
    Over,
}

#[derive(Debug)]
struct Branch {
    step: usize,
    target: usize,
    hop: usize,
    /// Its part of the breadth.
    share: u32,
    phase: Phase,
    cancel: Cancel,
    cut: Option<Cut>,
    /// What it means depends on the phase, see `branch_timeout`.
    deadline: Option<Moment>,
    /// How it ended, for the outcome of its step.
    ending: Option<Status>,
    /// A redirection that is being decided about.
    redirection: Option<Message>,
}

impl Branch {
    const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Whether it may still bring the answer.
    const fn is_live(&self) -> bool {
        !self.is_done() && self.cut.is_none()
    }

    /// Whether the final answer has to wait for it. One that was cut off before it showed any sign of life is
    /// not waited for: its time was up already.
    const fn is_awaited(&self) -> bool {
        let was_silent = matches!(self.cut, Some(Cut::NoAnswer | Cut::NextHop));
        let is_given_up = was_silent && matches!(self.phase, Phase::Trying);
        !(self.is_done() || is_given_up)
    }
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct ResponseContext {
    is_invite: bool,
    recursions_left: u8,
    waits: Waits,
    steps: Vec<ForwardStep>,
    next_step: usize,
    branches: Vec<Branch>,
    /// How many branches there may be at once, here and wherever they fork again (RFC 5393 section 5.3.3).
    breadth: u32,
    /// Targets of the current step, by step and place, for which there is no breadth yet.
    waiting: VecDeque<(usize, usize)>,
    /// The final answers that came, 300 to 699.
    candidates: Vec<(u16, Message)>,
    /// What those said for whom others took over; it counts when the others say nothing.
    superseded: Vec<(u16, Message)>,
    is_cancelled: bool,
    /// A branch led where it must not.
    is_forbidden: bool,
    is_refused_everywhere: bool,
    /// What the caller is told to call itself, once all branches have ended.
    redirect: Option<Uri>,
    /// A 2xx was relayed or the answer was given.
    is_ended: bool,
    step_deadline: Option<Moment>,
}

impl ResponseContext {
    /// A context that has not begun; `steps` are what [`ForwardPlan`](super::plan::ForwardPlan) describes. `breadth` is at
    /// least 1.
    pub(crate) fn new(
        is_invite: bool,
        recurse: bool,
        steps: Vec<ForwardStep>,
        waits: Waits,
        breadth: u32,
    ) -> Self {
        Self {
            is_invite,
            recursions_left: if recurse { MOST_RECURSIONS } else { 0 },
            waits,
            steps,
            next_step: 0,
            branches: Vec::new(),
            breadth,
            waiting: VecDeque::new(),
            candidates: Vec::new(),
            superseded: Vec::new(),
            is_cancelled: false,
            is_forbidden: false,
            is_refused_everywhere: false,
            redirect: None,
            is_ended: false,
            step_deadline: None,
        }
    }

    /// Takes the first step.
    pub(crate) fn begin(&mut self, now: Moment) -> Vec<Order> {
        let mut orders = Vec::new();
        self.take_step(0, now, &mut orders);
        self.next_step = 1;
        self.advance(now, &mut orders);
        orders
    }

    /// The target of a branch and which of its next hops is used.
    pub(crate) fn target(&self, branch: usize) -> Option<(&ForwardTarget, usize)> {
        let branch = self.branches.get(branch)?;
        let target = self.steps.get(branch.step)?.targets.get(branch.target)?;
        Some((target, branch.hop))
    }

    /// The step and the target of a branch, by their places in the plan.
    pub(crate) fn place(&self, branch: usize) -> Option<(usize, usize)> {
        self.branches.get(branch).map(|branch| (branch.step, branch.target))
    }

    /// Whether nothing has come from a branch yet, and it was not said so before.
    pub(crate) fn is_silent(&self, branch: usize) -> bool {
        self.branches
            .get(branch)
            .is_some_and(|branch| branch.phase == Phase::Trying && branch.cut.is_none())
    }

    /// Max-Breadth of a branch, and whether that is less than what the request came with.
    pub(crate) fn share(&self, branch: usize) -> (u32, bool) {
        let share = self.branches.get(branch).map_or(1, |branch| branch.share);
        (share, share < self.breadth)
    }

    /// Whether nothing can happen any more.
    pub(crate) fn is_over(&self) -> bool {
        self.is_ended && self.branches.iter().all(Branch::is_done)
    }

    /// When the next timer fires.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        let branches = self.branches.iter().filter_map(|branch| branch.deadline);
        branches.chain(self.step_deadline).min()
    }

    /// The request of a branch was sent.
    pub(crate) fn trying(&mut self, index: usize, now: Moment) {
        // A server that is there over TCP is not asked over UDP too while it thinks.
        let is_switched = |hop: &super::Destination| hop.oversize == super::Oversize::Switched;
        let has_more = self.target(index).is_some_and(|(target, hop)| {
            hop + 1 < target.next_hops.len() && !target.next_hops.get(hop).is_some_and(is_switched)
        });
        let wait = if has_more { Some(self.waits.next_hop) } else { self.silence(index) };
        if let Some(branch) = self.branches.get_mut(index) {
            branch.phase = Phase::Trying;
            branch.deadline = wait.map(|wait| now + wait);
        }
    }

    /// How long a branch may say nothing, when somebody takes over then.
    fn silence(&self, index: usize) -> Option<Duration> {
        let step = self.steps.get(self.branches.get(index)?.step)?;
        let (silence, leg) = (step.silence?, step.leg.id);
        let takes_over = |step: &ForwardStep| {
            step.follows(leg) && matches!(step.when, Condition::Failover | Condition::Unanswered)
        };
        self.steps.iter().skip(self.next_step).any(takes_over).then_some(silence)
    }

    /// The request of a branch goes to the first of these, and to the second when that fails, in place of its next hop.
    pub(crate) fn switch(&mut self, index: usize, hops: [super::Destination; 2]) {
        let Some(branch) = self.branches.get(index) else { return };
        let (step, target, hop) = (branch.step, branch.target, branch.hop);
        let target = self.steps.get_mut(step).and_then(|step| step.targets.get_mut(target));
        if let Some(target) = target {
            let hop = hop.min(target.next_hops.len());
            let end = (hop + 1).min(target.next_hops.len());
            target.next_hops.splice(hop..end, hops);
        }
    }

    /// The next hops of a branch are being looked up.
    pub(crate) fn resolving(&mut self, index: usize, now: Moment) {
        let wait = self.waits.decision;
        if let Some(branch) = self.branches.get_mut(index) {
            branch.deadline = Some(now + wait);
        }
    }

    /// The next hops of a branch have been looked up; none means that it cannot be reached.
    pub(crate) fn resolved(
        &mut self,
        index: usize,
        next_hops: Vec<super::Destination>,
        now: Moment,
    ) -> Vec<Order> {
        let Some(branch) = self.branches.get_mut(index) else { return Vec::new() };
        if branch.phase != Phase::Resolving {
            return Vec::new();
        }
        if next_hops.is_empty() {
            return self.failure(index, Ending::Failed, now);
        }
        branch.deadline = None;
        let (step, target) = (branch.step, branch.target);
        let target = self.steps.get_mut(step).and_then(|step| step.targets.get_mut(target));
        if let Some(target) = target {
            target.next_hops.extend(next_hops);
            target.has_fallback = false;
        }
        vec![Order::Start(index)]
    }

    /// A provisional response came.
    pub(crate) fn provisional(
        &mut self,
        index: usize,
        status: u16,
        response: Message,
        now: Moment,
    ) -> Vec<Order> {
        let mut orders = Vec::new();
        let waits = self.waits;
        let Some(branch) = self.branches.get_mut(index) else { return orders };
        if !matches!(branch.phase, Phase::Trying | Phase::Proceeding) {
            return orders;
        }
        let is_first = branch.phase == Phase::Trying;
        branch.phase = Phase::Proceeding;
        match branch.cancel {
            Cancel::Wanted => {
                branch.cancel = Cancel::Sent;
                branch.deadline = Some(now + waits.cancelled);
                orders.push(Order::Cancel(index));
            }
            // Timer C is set anew by 101 to 199 (section 16.7 step 2).
            Cancel::No if self.is_invite && (is_first || status > 100) => {
                branch.deadline = Some(now + waits.timer_c);
            }
            Cancel::No if !self.is_invite => branch.deadline = None,
            Cancel::No | Cancel::Sent => {}
        }
        // RFC 4320 section 4.1: other requests than INVITE have no provisional response but 100.
        if status > 100 && self.is_invite && branch.cut.is_none() && !self.is_ended {
            orders.push(Order::Relay(index, response));
        }
        orders
    }

    /// A 2xx came.
    pub(crate) fn success(&mut self, index: usize, response: Message, now: Moment) -> Vec<Order> {
        let mut orders = Vec::new();
        if let Some(branch) = self.branches.get_mut(index) {
            branch.phase = Phase::Done;
            branch.deadline = None;
        }
        // Section 16.7 step 5: any 2xx to an INVITE is forwarded, also after a final response.
        if self.is_invite || !self.is_ended {
            orders.push(Order::Relay(index, response));
        }
        self.is_ended = true;
        self.stop(now, &mut orders);
        orders
    }

    /// A branch ended without success.
    pub(crate) fn failure(&mut self, index: usize, ending: Ending, now: Moment) -> Vec<Order> {
        let mut orders = Vec::new();
        let may_continue = !self.is_ended && !self.is_cancelled && !self.is_refused_everywhere;
        let Some(branch) = self.branches.get_mut(index) else { return orders };
        if branch.is_done() {
            return orders;
        }
        let was_silent = matches!(branch.phase, Phase::Trying);
        branch.phase = Phase::Done;
        branch.deadline = None;
        if branch.cut.is_some() || self.is_ended {
            // Its time was up, whatever it says now; only when everything is over it is as good as others.
            match ending {
                Ending::Response(status, response) if branch.cut == Some(Cut::Over) => {
                    self.candidates.push((status, *response));
                }
                _ => {}
            }
            self.advance(now, &mut orders);
            return orders;
        }
        let tries_next_hop = match &ending {
            Ending::Response(status, _) => *status == 503,
            Ending::TimedOut => was_silent,
            Ending::Failed | Ending::Forbidden => true,
        };
        if tries_next_hop && may_continue && self.open_next_hop(index, &mut orders) {
            return orders;
        }
        match ending {
            Ending::Response(status @ 300..=399, response)
                if self.recursions_left > 0 && may_continue =>
            {
                self.recursions_left -= 1;
                let wait = self.waits.decision;
                if let Some(branch) = self.branches.get_mut(index) {
                    branch.phase = Phase::Redirecting;
                    branch.deadline = Some(now + wait);
                    branch.ending = Some(Status::Received(status));
                    branch.redirection = Some((*response).clone());
                }
                orders.push(Order::Redirect(index, *response));
                return orders;
            }
            Ending::Response(status @ 600.., response) => {
                self.end_branch(index, Status::Received(status));
                self.refuse_everywhere(status, *response, now, &mut orders);
            }
            Ending::Response(status, response) => {
                self.end_branch(index, Status::Received(status));
                self.candidates.push((status, *response));
            }
            Ending::TimedOut if was_silent => self.end_branch(index, Status::Silent),
            Ending::TimedOut => self.end_branch(index, Status::NoAnswer),
            Ending::Failed => self.end_branch(index, Status::Failed),
            Ending::Forbidden => {
                self.is_forbidden = true;
                self.end_branch(index, Status::Failed);
            }
        }
        self.advance(now, &mut orders);
        orders
    }

    /// It was decided what to do about a redirection: try these targets, or (when empty) pass it back.
    pub(crate) fn redirected(
        &mut self,
        index: usize,
        targets: Vec<ForwardTarget>,
        now: Moment,
    ) -> Vec<Order> {
        let mut orders = Vec::new();
        let Some(branch) = self.branches.get_mut(index) else { return orders };
        if branch.phase != Phase::Redirecting {
            return orders;
        }
        branch.phase = Phase::Done;
        branch.deadline = None;
        let (step, redirection) = (branch.step, branch.redirection.take());
        let status = match branch.ending {
            Some(Status::Received(status)) => status,
            _ => 302,
        };
        if targets.is_empty() || self.is_cancelled || self.is_ended {
            self.candidates.extend(redirection.map(|response| (status, response)));
        } else {
            // The response is dropped in favour of its targets (section 16.7 step 4).
            branch.ending = None;
            let first = self.steps.get(step).map_or(0, |step| step.targets.len());
            let count = targets.len();
            if let Some(step) = self.steps.get_mut(step) {
                step.targets.extend(targets);
            }
            self.waiting.extend((first..first + count).map(|target| (step, target)));
            self.open_waiting(&mut orders);
        }
        self.advance(now, &mut orders);
        orders
    }

    /// The caller gave up (section 16.10).
    pub(crate) fn cancel(&mut self, now: Moment) -> Vec<Order> {
        let mut orders = Vec::new();
        if !self.is_ended {
            self.is_cancelled = true;
            self.stop(now, &mut orders);
            self.advance(now, &mut orders);
        }
        orders
    }

    /// Lets everything that is due happen.
    pub(crate) fn timeout(&mut self, now: Moment) -> Vec<Order> {
        let mut orders = Vec::new();
        if self.step_deadline.is_some_and(|at| at <= now) {
            self.step_deadline = None;
            let current = self.branches.last().map_or(0, |branch| branch.step);
            for index in 0..self.branches.len() {
                if self.branches.get(index).is_some_and(|b| b.step == current) {
                    if self.is_silent(index) {
                        orders.push(Order::Silent(index));
                    }
                    self.cut(index, Cut::NoAnswer, now, &mut orders);
                }
            }
            self.advance(now, &mut orders);
        }
        for index in 0..self.branches.len() {
            let deadline = self.branches.get(index).and_then(|branch| branch.deadline);
            if deadline.is_some_and(|at| at <= now) {
                orders.extend(self.branch_timeout(index, now));
            }
        }
        orders
    }

    fn branch_timeout(&mut self, index: usize, now: Moment) -> Vec<Order> {
        let mut orders = Vec::new();
        let Some(branch) = self.branches.get_mut(index) else { return orders };
        branch.deadline = None;
        match (branch.phase, branch.cancel) {
            (Phase::Resolving, _) => return self.failure(index, Ending::Failed, now),
            (Phase::Redirecting, _) => return self.redirected(index, Vec::new(), now),
            (Phase::Trying, Cancel::No) => {
                // The next hop is silent and there is another one.
                if self.open_next_hop(index, &mut orders) {
                    orders.push(Order::Silent(index));
                    self.cut(index, Cut::NextHop, now, &mut orders);
                } else if self.silence(index).is_some() {
                    orders.push(Order::Silent(index));
                    self.cut(index, Cut::NextHop, now, &mut orders);
                    self.end_branch(index, Status::Silent);
                    self.advance(now, &mut orders);
                }
            }
            (Phase::Proceeding, Cancel::Sent) => {
                // Section 9.1: the transaction counts as cancelled.
                branch.phase = Phase::Done;
                orders.push(Order::Abandon(index));
                self.advance(now, &mut orders);
            }
            (Phase::Proceeding, Cancel::No) => {
                // Section 16.8: timer C.
                self.cut(index, Cut::NoAnswer, now, &mut orders);
                self.advance(now, &mut orders);
            }
            (Phase::Trying | Phase::Proceeding, _) | (Phase::Done, _) => {}
        }
        orders
    }
}
