//! How an account is reached, in this order (B81):
//!
//! 1. Callers that the account rejects are refused (B97), anonymous ones if it is in `anonymous-reject` (B66).
//! 2. Accept rules forbid the caller now: the diversion for *unavailable*, else 480 (B82).
//! 3. The diversion that is *unconditional*.
//! 4. Nothing is registered: the diversion for *not online*, else 480.
//! 5. The registered contacts, best preference first; after them the diversions for *busy* and *no answer*.

use crate::accept::{forbidden, rejected};
use crate::caller_id::is_anonymous;
use crate::legs::{Legs, Outcome, Way, callers, rounds};
use ngn_model::call_plan::{Condition, Leg, Target, Why};
use ngn_model::{Account, Aor, Binding, CallOptions, DiversionCondition, Reject};
use std::time::Duration;

const UNAVAILABLE: &str = "Temporarily Unavailable";

impl Legs<'_> {
    /// The steps by which an account is reached, or why it cannot be.
    pub(crate) fn account(
        &mut self,
        account: &Account,
        bindings: &[Binding],
        way: &Way<'_>,
    ) -> Outcome {
        let refused = |status, phrase, why: Why| {
            let why = way.reasons([why.with("account", account.aor.to_string())]);
            Outcome::Refused(Reject { status, phrase, why, not_tried: Vec::new() })
        };
        let nothing = CallOptions::default();
        let options = account.options.as_deref().unwrap_or(&nothing);
        // Without options nothing is asked about callers.
        let callers = account.options.as_ref().map(|_| callers(self.facts)).unwrap_or_default();
        if let Some(why) = rejected(options, &callers) {
            return refused(603, "Decline", why);
        }
        if let Some(why) = anonymous(account, self.facts.from) {
            // RFC 5079.
            return refused(433, "Anonymity Disallowed", why);
        }
        if let Some(why) = forbidden(options, &callers, self.facts.now) {
            return self
                .divert(account, DiversionCondition::Unavailable, way)
                .unwrap_or_else(|| refused(480, UNAVAILABLE, why));
        }
        if let Some(settled) = self.divert(account, DiversionCondition::Unconditional, way) {
            return settled;
        }
        let live = self.live(bindings);
        if live.is_empty() {
            return self.divert(account, DiversionCondition::NotOnline, way).unwrap_or_else(|| {
                refused(480, UNAVAILABLE, Why::new("B82", "nothing is registered"))
            });
        }
        let id = self.contacts(account, live, way);
        self.afterwards(account, id, way);
        Outcome::Planned
    }

    /// RFC 3261 section 16.6: all contacts of the best preference at once, then those of the next. Of several flows of one
    /// phone the newest is used; when it leads nowhere, the next one (RFC 5626 section 7).
    fn contacts(&mut self, account: &Account, mut live: Vec<&Binding>, way: &Way<'_>) -> u16 {
        let id = self.leg();
        live.sort_by_key(|b| std::cmp::Reverse(b.q));
        let seconds = account.answer_timeout.filter(|seconds| *seconds > 0);
        let answer_timeout = seconds
            .map_or(self.facts.settings.default_answer_timeout, |s| Duration::from_secs(s.into()));
        for (index, group) in live.chunk_by(|a, b| a.q == b.q).enumerate() {
            let q = group.first().map_or(0, |b| b.q);
            let (when, after) =
                if index == 0 { (way.when, way.after) } else { (Condition::Unanswered, Some(id)) };
            let why = Why::new("RFC 3261 16.6", "the account is registered")
                .with("account", account.aor.to_string())
                .with("q", format!("{}.{:03}", q / 1000, q % 1000));
            for (round, group) in rounds(group).into_iter().enumerate() {
                let targets =
                    group.iter().map(|b| Target::Binding(Box::new((*b).clone()))).collect();
                if round == 0 {
                    let why = (way.reasons([why.clone()]), way.diverted);
                    self.push(when, Leg { id, after }, targets, answer_timeout, why);
                } else {
                    let next = Why::new("RFC 5626 7", "another flow of the same phone");
                    let (when, leg) = (Condition::Failover, Leg { id, after: Some(id) });
                    let why = (way.reasons([why.clone(), next]), way.diverted);
                    self.push(when, leg, targets, answer_timeout, why);
                }
            }
        }
        id
    }

    /// B81: where the call goes when the account's phones are busy or nobody answers.
    fn afterwards(&mut self, account: &Account, id: u16, way: &Way<'_>) {
        let via: Vec<&Aor> = way.via.iter().copied().chain([&account.aor]).collect();
        for (condition, when) in [
            (DiversionCondition::Busy, Condition::Busy),
            (DiversionCondition::NoAnswer, Condition::NoAnswer),
        ] {
            let way = Way { when, after: Some(id), via: &via, ..*way };
            match self.follow(account, condition, &way) {
                // Whoever does not take the call then leaves the caller with the answer that there is.
                Some(Outcome::Refused(reject)) => self.not_tried.extend(reject.why),
                Some(Outcome::Nowhere(why)) => self.not_tried.push(why),
                Some(Outcome::Planned) | None => {}
            }
        }
    }

    /// Follows a diversion that is taken before anybody rings; `None` when there is none or it leads nowhere.
    fn divert(
        &mut self,
        account: &Account,
        condition: DiversionCondition,
        way: &Way<'_>,
    ) -> Option<Outcome> {
        let via: Vec<&Aor> = way.via.iter().copied().chain([&account.aor]).collect();
        match self.follow(account, condition, &Way { via: &via, ..*way })? {
            Outcome::Nowhere(why) => {
                self.not_tried.push(why);
                None
            }
            settled => Some(settled),
        }
    }
}

/// B66: whether the account refuses this caller since it does not say who it is (RFC 3323 section 4.1.1.3).
fn anonymous(account: &Account, from: &str) -> Option<Why> {
    (is_anonymous(from) && account.is_in_group("anonymous-reject")).then(|| {
        Why::new("B66", "the account takes no anonymous calls").with("group", "anonymous-reject")
    })
}
