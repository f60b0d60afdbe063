//! What a step of a plan came to, and which later steps that calls for.

use ngn_model::call_plan::{Condition, FailoverCodes};

/// What is left of an ending once its message has been stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// A final response of this status came, 300 to 699.
    Received(u16),
    /// Not answered in time, after something had come or the step's time was over.
    NoAnswer,
    /// Nothing ever came back.
    Silent,
    /// It could not be sent.
    Failed,
}

/// What a step came to, as far as the conditions of later steps ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    is_busy: bool,
    is_unanswered_in_time: bool,
    is_failed: bool,
    is_unreachable: bool,
    is_refused_everywhere: bool,
}

impl Outcome {
    /// Whether a step with this condition is taken now.
    pub(crate) const fn fulfils(self, condition: Condition) -> bool {
        match condition {
            Condition::First => false,
            Condition::Busy => self.is_busy,
            Condition::NoAnswer => self.is_unanswered_in_time,
            Condition::Failure => self.is_failed,
            Condition::Failover => self.is_unreachable,
            Condition::Unanswered => !self.is_refused_everywhere,
        }
    }

    /// What a step came to whose branches ended like this.
    pub(crate) fn of(
        endings: &[Status],
        is_refused_everywhere: bool,
        codes: &FailoverCodes,
    ) -> Self {
        let has = |wanted: fn(&Status) -> bool| has_any(endings, wanted);
        if has(|s| matches!(s, Status::Received(600..))) || is_refused_everywhere {
            let is_busy = has(|s| *s == Status::Received(600)) && !is_refused_everywhere;
            return Self { is_busy, is_refused_everywhere: true, ..Self::default() };
        }
        // Somebody's phone rang although another one was busy.
        let rang = has(|s| *s == Status::NoAnswer);
        let busy = has(|s| *s == Status::Received(486));
        if rang || busy {
            return Self { is_busy: busy && !rang, is_unanswered_in_time: rang, ..Self::default() };
        }
        let timed_out = has(|s| matches!(s, Status::Received(408 | 480)));
        let silent = has(|s| *s == Status::Silent);
        let failed = has(|s| match s {
            Status::Received(400 | 402..=406 | 409..=479 | 481..=485 | 488..=599) => true,
            // Nobody there at all: a phone that does not answer, or a gateway that is down.
            Status::Silent | Status::Failed => true,
            Status::Received(_) | Status::NoAnswer => false,
        });
        let is_unreachable = has_any(endings, |s| match s {
            Status::Received(status) => codes.holds(*status),
            Status::Silent | Status::Failed => true,
            Status::NoAnswer => false,
        });
        Self {
            is_unanswered_in_time: timed_out || silent,
            is_failed: failed && !timed_out,
            is_unreachable,
            ..Self::default()
        }
    }
}

fn has_any(endings: &[Status], wanted: impl Fn(&Status) -> bool) -> bool {
    endings.iter().any(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Condition::{Busy, Failover, Failure, First, NoAnswer, Unanswered};
    use Status::{Failed, Received, Silent};

    #[test]
    fn endings_and_the_conditions_that_they_fulfil() {
        for (endings, conditions) in [
            (vec![Received(486)], vec![Busy, Unanswered]),
            (vec![Received(600)], vec![Busy]),
            (vec![Received(603)], vec![]),
            (vec![Received(486), Received(604)], vec![]),
            (vec![Status::NoAnswer], vec![NoAnswer, Unanswered]),
            (vec![Status::NoAnswer, Received(486)], vec![NoAnswer, Unanswered]),
            (vec![Received(480)], vec![NoAnswer, Unanswered]),
            (vec![Received(408), Received(404)], vec![NoAnswer, Failover, Unanswered]),
            (vec![Silent], vec![NoAnswer, Failure, Failover, Unanswered]),
            (vec![Failed], vec![Failure, Failover, Unanswered]),
            (vec![Received(404)], vec![Failure, Unanswered]),
            (vec![Received(503)], vec![Failure, Failover, Unanswered]),
            (vec![Received(408)], vec![NoAnswer, Failover, Unanswered]),
            (vec![Received(403)], vec![Failure, Failover, Unanswered]),
            (vec![Received(503), Received(486)], vec![Busy, Unanswered]),
            (vec![Received(488)], vec![Failure, Unanswered]),
            (vec![Received(401)], vec![Unanswered]),
            (vec![Received(407)], vec![Unanswered]),
            (vec![Received(302)], vec![Unanswered]),
            (vec![Received(487)], vec![Unanswered]),
        ] {
            let codes = FailoverCodes::and(vec![403]);
            let outcome = Outcome::of(&endings, false, &codes);
            let fulfilled: Vec<_> = [First, Busy, NoAnswer, Failure, Failover, Unanswered]
                .into_iter()
                .filter(|condition| outcome.fulfils(*condition))
                .collect();
            assert_eq!(fulfilled, conditions, "{endings:?}");
        }
        let codes = FailoverCodes::default();
        let refused = Outcome::of(&[Received(486)], true, &codes);
        assert!(!refused.fulfils(Busy), "after a 6xx nobody is tried");
    }
}
