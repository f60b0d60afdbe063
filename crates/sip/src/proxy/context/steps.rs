//! Steps of the plan: how one begins, what ends it, and which answer is the best in the end.

use super::super::answer::{Answer, Collected};
use super::super::outcome::{Outcome, Status};
use super::{Branch, Cancel, Cut, Order, Phase, ResponseContext};
use crate::message::Message;
use crate::transaction::Moment;
use ngn_model::call_plan::{Condition, FailoverCodes};

impl ResponseContext {
    pub(super) fn take_step(&mut self, step: usize, now: Moment, orders: &mut Vec<Order>) {
        let Some(taken) = self.steps.get(step) else { return };
        if let Some(uri) = &taken.redirect {
            // The answer is settled; branches that are being cancelled may still have to end.
            self.redirect = Some(uri.clone());
            self.steps.truncate(step);
            return;
        }
        let count = taken.targets.len();
        self.step_deadline = taken.answer_timeout.map(|timeout| now + timeout);
        self.waiting = (0..count).map(|target| (step, target)).collect();
        self.open_waiting(orders);
    }

    /// Opens as many of the targets that wait as there is breadth for, which they share; whether there were any. The others
    /// have their turn when branches end, one after the other if need be (RFC 5393 section 5.3.3.1).
    pub(super) fn open_waiting(&mut self, orders: &mut Vec<Order>) -> bool {
        let shares = self.branches.iter().filter(|branch| branch.is_live()).map(|b| b.share);
        let left = self.breadth.saturating_sub(shares.fold(0, u32::saturating_add));
        let count = left.min(u32::try_from(self.waiting.len()).unwrap_or(u32::MAX));
        let Some(share) = left.checked_div(count) else { return false };
        for _ in 0..count {
            let Some(place) = self.waiting.pop_front() else { break };
            self.open(place, 0, share, orders);
        }
        true
    }

    fn open(
        &mut self,
        (step, target): (usize, usize),
        hop: usize,
        share: u32,
        orders: &mut Vec<Order>,
    ) {
        orders.push(Order::Start(self.branches.len()));
        self.branches.push(Branch {
            step,
            target,
            hop,
            share,
            phase: Phase::Resolving,
            cancel: Cancel::No,
            cut: None,
            deadline: None,
            ending: None,
            redirection: None,
        });
    }

    /// Tries the next hop of the same target, when there is one.
    pub(super) fn open_next_hop(&mut self, index: usize, orders: &mut Vec<Order>) -> bool {
        let Some(branch) = self.branches.get(index) else { return false };
        let (place, hop, share) = ((branch.step, branch.target), branch.hop + 1, branch.share);
        let has_more = self.target(index).is_some_and(|(target, _)| {
            hop < target.next_hops.len() || (target.has_fallback && hop == target.next_hops.len())
        });
        if has_more {
            self.open(place, hop, share, orders);
        }
        has_more
    }

    pub(super) fn end_branch(&mut self, index: usize, status: Status) {
        if let Some(branch) = self.branches.get_mut(index) {
            branch.ending = Some(status);
        }
    }

    /// Cuts a branch off and cancels it.
    pub(super) fn cut(&mut self, index: usize, why: Cut, now: Moment, orders: &mut Vec<Order>) {
        let wait = self.waits.cancelled;
        let Some(branch) = self.branches.get_mut(index) else { return };
        if branch.is_done() {
            return;
        }
        if branch.cut.is_none() {
            branch.cut = Some(why);
            branch.ending = (why == Cut::NoAnswer).then_some(Status::NoAnswer);
        } else if why == Cut::Over && branch.phase == Phase::Proceeding {
            branch.cut = Some(why);
        }
        match branch.phase {
            Phase::Resolving | Phase::Redirecting => {
                branch.phase = Phase::Done;
                branch.deadline = None;
            }
            // Nothing but INVITE can be cancelled; the transaction runs out by itself.
            Phase::Trying | Phase::Proceeding if !self.is_invite => {
                branch.phase = Phase::Done;
                branch.deadline = None;
                orders.push(Order::Abandon(index));
            }
            Phase::Trying => {
                branch.cancel = Cancel::Wanted;
                branch.deadline = None;
            }
            Phase::Proceeding if branch.cancel != Cancel::Sent => {
                branch.cancel = Cancel::Sent;
                branch.deadline = Some(now + wait);
                orders.push(Order::Cancel(index));
            }
            Phase::Proceeding | Phase::Done => {}
        }
    }

    /// Cancels everything and takes no further step.
    pub(super) fn stop(&mut self, now: Moment, orders: &mut Vec<Order>) {
        self.step_deadline = None;
        self.next_step = self.steps.len();
        self.waiting.clear();
        for index in 0..self.branches.len() {
            self.cut(index, Cut::Over, now, orders);
        }
    }

    /// A 6xx: nobody else is to be tried (section 16.7 step 5), unless the callee wants its calls elsewhere
    /// when it is busy, which the step after says.
    pub(super) fn refuse_everywhere(
        &mut self,
        status: u16,
        response: Message,
        now: Moment,
        orders: &mut Vec<Order>,
    ) {
        self.candidates.push((status, response));
        self.step_deadline = None;
        self.waiting.clear();
        if status != 600 {
            self.is_refused_everywhere = true;
        }
        for index in 0..self.branches.len() {
            self.cut(index, Cut::Over, now, orders);
        }
    }

    /// Takes the next step or ends, when the current step is through.
    pub(super) fn advance(&mut self, now: Moment, orders: &mut Vec<Order>) {
        if self.is_ended {
            return;
        }
        if self.open_waiting(orders) {
            // Whoever had to wait is given as much time as those before.
            let current = self.branches.last().map_or(0, |branch| branch.step);
            let timeout = self.steps.get(current).and_then(|step| step.answer_timeout);
            self.step_deadline = timeout.map(|timeout| now + timeout);
        }
        if self.branches.iter().any(Branch::is_live) {
            return;
        }
        self.step_deadline = None;
        let (outcome, leg) = (self.outcome(), self.current_leg());
        while let Some(step) = self.steps.get(self.next_step) {
            let index = self.next_step;
            self.next_step += 1;
            if step.follows(leg) && outcome.fulfils(step.when) {
                if step.when == Condition::Failover {
                    self.superseded.append(&mut self.candidates);
                }
                self.take_step(index, now, orders);
                if self.redirect.is_none() {
                    return;
                }
            }
        }
        if !self.branches.iter().any(Branch::is_awaited) {
            self.is_ended = true;
            orders.push(Order::Finish(self.best()));
        }
    }

    /// What the step that was taken last came to.
    pub(super) fn outcome(&self) -> Outcome {
        let current = self.branches.last().map_or(0, |branch| branch.step);
        let of_step = self.branches.iter().filter(|branch| branch.step == current);
        let endings: Vec<Status> = of_step.filter_map(|branch| branch.ending).collect();
        let usual = FailoverCodes::default();
        let codes = self.steps.get(current).map_or(&usual, |step| &step.failover);
        Outcome::of(&endings, self.is_refused_everywhere, codes)
    }

    /// The leg of the step that was taken last.
    pub(super) fn current_leg(&self) -> u16 {
        let current = self.branches.last().map_or(0, |branch| branch.step);
        self.steps.get(current).map_or(0, |step| step.leg.id)
    }

    /// Whether a branch went to a registered contact to which nothing leads any more.
    pub(super) fn is_contact_gone(&self, branch: &Branch) -> bool {
        let step = self.steps.get(branch.step);
        let target = step.and_then(|step| step.targets.get(branch.target));
        target.is_some_and(|target| target.is_contact)
            && matches!(branch.ending, Some(Status::Failed | Status::Received(430)))
    }

    /// Chooses the answer (section 16.7 steps 6 and 7).
    pub(super) fn best(&mut self) -> Answer {
        if let Some(uri) = self.redirect.take().filter(|_| !self.is_cancelled) {
            return Answer::Redirect(Box::new(uri));
        }
        let silent = |b: &Branch| matches!(b.ending, Some(Status::NoAnswer | Status::Silent));
        let mut candidates = std::mem::take(&mut self.candidates);
        if candidates.is_empty() {
            candidates.append(&mut self.superseded);
        }
        let collected = Collected {
            candidates,
            is_invite: self.is_invite,
            is_cancelled: self.is_cancelled,
            is_forbidden: self.is_forbidden,
            is_unanswered: self.branches.iter().any(silent),
            is_contact_gone: self.branches.iter().any(|branch| self.is_contact_gone(branch)),
        };
        collected.best()
    }
}
