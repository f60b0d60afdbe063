//! Plans that somebody asks about.

use super::Engine;
use super::enums::{Waited, Work};
use crate::explain::{Ask, Wanted};
use crate::facts::{Decision, Question, Told};
use ngn_daemon::wall_clock;
use ngn_model::{PeerProtocol, Plan};
use ngn_routing::{Asks, Caller, Purpose};
use ngn_sip::uri::Uri;
use std::sync::Arc;

/// How many past plans are kept.
const KEPT: usize = 1000;

impl Engine {
    /// Keeps the plan of a call for a while.
    pub(super) fn keep_plan(&mut self, call_id: &str, plan: Arc<Plan>) {
        if self.recent.len() >= KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back((call_id.to_owned(), plan));
    }

    /// Answers a question, when the DNS was asked about the numbers in it.
    pub(super) fn explain(&mut self, ask: Ask, waited: Waited) {
        let answer = match &ask.wanted.call_id {
            Some(call_id) => {
                let found = self.recent.iter().rev().find(|(known, _)| known == call_id);
                found.map(|(_, plan)| Plan::clone(plan)).ok_or_else(|| {
                    format!("{call_id} is not among the last {KEPT} calls of this node")
                })
            }
            None => match self.hypothetical(&ask.wanted, &waited.told) {
                Ok(Decision { plan, numbers, .. }) => {
                    if let Some(lookup) = self.enum_lookup(&numbers, &waited) {
                        return self.wait_for_enum(lookup, Work::Ask(ask), waited);
                    }
                    Ok(plan)
                }
                Err(why) => Err(why),
            },
        };
        // Who asked may be gone.
        let _ = ask.answer.send(answer);
    }

    fn hypothetical(&self, wanted: &Wanted, told: &Told) -> Result<Decision, String> {
        let uri = |text: &str| {
            let has_scheme = ["sip:", "sips:", "tel:", "urn:"].iter().any(|s| text.starts_with(s));
            let whole = if has_scheme { text.to_owned() } else { format!("sip:{text}") };
            Uri::parse(&whole).map_err(|error| format!("`{text}` is no address: {error}"))
        };
        let from = uri(&wanted.from)?;
        let is_bare = !wanted.to.contains(['@', ':']);
        let to = match is_bare {
            true => uri(&format!("{}@{}", wanted.to, from.host_text()))?,
            false => uri(&wanted.to)?,
        };
        let source = wanted.source();
        let aor = from.aor();
        let account = aor.as_ref().and_then(|aor| self.directory.account_at(aor));
        let caller = match (account, self.directory.peer(source, PeerProtocol::Udp)) {
            (Some(account), _) => Caller::Account(account),
            (None, Some(peer)) => Caller::Peer(peer),
            (None, None) => Caller::Stranger,
        };
        let question = Question {
            purpose: Purpose::Call,
            caller,
            uri: &to,
            from: from.as_str(),
            wants_privacy: false,
            asks: Asks::default(),
            source,
            source_port: None,
            now: wanted.at.unwrap_or_else(wall_clock),
            seed: self.seed,
        };
        Ok(self.decide(&question, told))
    }
}
