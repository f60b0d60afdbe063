//! Where the diversions of an account lead (B80 to B87).
//!
//! A diversion that leads nowhere (a mailbox that does not exist, an address that nobody has, an account that the call
//! came through already, too many in a row) is taken as not set. What it costs the account pays, so its own rights and
//! limits hold.

use crate::barring;
use crate::caller_id::{escaped, number_of};
use crate::facts::{Callee, Purpose, Settings};
use crate::legs::{Legs, MOST_LEGS, Outcome, Way, user_and_host};
use crate::paying::{Paying, blocked};
use ngn_model::call_plan::{Diverted, Target, Why};
use ngn_model::{
    Account, CallOptions, DiversionAction, DiversionCondition, DiversionTarget, DomainName, Reject,
};

/// How many diversions a call may go through, one after the other.
pub const MOST_DIVERSIONS: usize = 5;

/// The URIs that the diversions of an account lead to and that facts have to say about. Redirections are not among
/// them: the caller follows those.
#[must_use]
pub fn targets(account: &Account, settings: &Settings) -> Vec<String> {
    let Some(options) = &account.options else { return Vec::new() };
    let forwarded = options.diversions.iter().filter(|d| d.how == DiversionAction::Forward);
    forwarded.filter_map(|d| resolve(account, options, &d.target, settings)).collect()
}

/// What a diversion's target stands for now (B85, B86).
fn resolve(
    account: &Account,
    options: &CallOptions,
    target: &DiversionTarget,
    settings: &Settings,
) -> Option<String> {
    match target {
        DiversionTarget::Uri(uri) => Some(uri.clone()),
        DiversionTarget::VoiceMailbox => {
            let server = settings.voicemail_of(account.ownership.reseller)?;
            Some(format!("sip:{}@{server}", options.mailbox.as_ref()?))
        }
        DiversionTarget::MobileNumber => {
            let number = options.mobile.as_deref()?.trim();
            if number.contains('@') {
                let has_scheme = number.starts_with("sip:") || number.starts_with("sips:");
                return Some(if has_scheme { number.to_owned() } else { format!("sip:{number}") });
            }
            let dialled = |c: &char| c.is_ascii_digit() || *c == '+';
            let digits: String = number.chars().filter(dialled).collect();
            (!digits.is_empty()).then(|| format!("sip:{digits}@{}", account.aor.domain()))
        }
    }
}

/// The telephone number that a URI in a domain of ours stands for (B87), `00` and country code.
pub(crate) fn number_in(uri: &str, settings: &Settings) -> Option<String> {
    let (user, host) = user_and_host(uri);
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let domain = DomainName::new(host).ok();
    settings
        .numbers_of(domain.as_ref())
        .international(&user.replace("%2B", "+").replace("%2b", "+"))
}

impl Legs<'_> {
    /// Follows the diversion for a condition; `None` when there is none, or when it is no call.
    pub(crate) fn follow(
        &mut self,
        account: &Account,
        condition: DiversionCondition,
        way: &Way<'_>,
    ) -> Option<Outcome> {
        if self.facts.purpose != Purpose::Call {
            return None;
        }
        let options = account.options.as_deref()?;
        let diversion = options.diversion(condition)?;
        let why = Why::new("B81", "the account diverts")
            .with("account", account.aor.to_string())
            .with("when", condition.to_string());
        let Some(uri) = resolve(account, options, &diversion.target, self.facts.settings) else {
            let rule =
                if diversion.target == DiversionTarget::MobileNumber { "B86" } else { "B85" };
            let why = Why::new(rule, "the diversion's wildcard stands for nothing");
            return Some(Outcome::Nowhere(
                why.with("account", account.aor.to_string())
                    .with("target", diversion.target.to_string()),
            ));
        };
        let why = way.reasons([why.with("to", uri.clone())]);
        let shown = number_of(self.facts, account)
            .map(|number| format!("sip:{}@{};user=phone", escaped(&number), account.aor.domain()));
        let diverted = Diverted {
            shown: shown.unwrap_or_else(|| format!("sip:{}", account.aor)),
            condition,
            to: uri.clone(),
            is_hidden: account.is_in_group("anonymous"),
        };
        let diverted: Vec<Diverted> = way.diverted.iter().cloned().chain([diverted]).collect();
        let way = Way { why: &why, diverted: &diverted, ..*way };
        // Those that it came through elsewhere count too (RFC 5806 section 6).
        let diversions = way.via.len().saturating_add(self.facts.asks.diversions_before);
        if diversions > MOST_DIVERSIONS || self.next >= MOST_LEGS {
            let why = Why::new("B81", "too many diversions in a row");
            return Some(Outcome::Nowhere(why.with("account", account.aor.to_string())));
        }
        if diversion.how == DiversionAction::Redirect {
            let why = Why::new("B80", "the caller is told to call there");
            self.step(Target::Redirect(uri), &way, why);
            return Some(Outcome::Planned);
        }
        Some(self.forward(account, &uri, &way))
    }

    /// Forwards a call to where an account's diversion leads.
    fn forward(&mut self, account: &Account, uri: &str, way: &Way<'_>) -> Outcome {
        let found = self.facts.diverted.iter().find(|diverted| diverted.uri == uri);
        match found.map(|diverted| diverted.callee) {
            Some(Callee::Account { account: next, .. }) if way.via.contains(&&next.aor) => {
                let why = Why::new("B81", "the call came through that account already");
                Outcome::Nowhere(why.with("account", next.aor.to_string()))
            }
            Some(Callee::Account { account: next, bindings, .. }) => {
                self.account(next, bindings, way)
            }
            Some(Callee::Foreign { uri }) => {
                // B96, B66: whom it may not call it diverts to no more.
                let barred =
                    barring::barred(account, uri).map(|prefix| barring::why(account, prefix));
                if let Some(why) = barred.or_else(|| blocked(account)) {
                    let why = way.reasons([why]);
                    return Outcome::Refused(Reject {
                        status: 403,
                        phrase: "Forbidden",
                        why,
                        not_tried: Vec::new(),
                    });
                }
                let why = Why::new("RFC 3261 16.5", "a domain that is not ours");
                self.step(Target::Uri(uri.to_owned()), way, why);
                Outcome::Planned
            }
            Some(Callee::Unknown { .. }) | None => {
                match number_in(uri, self.facts.settings).filter(|_| found.is_some()) {
                    Some(number) => self.number(&number, Paying::Account(account), way),
                    None => Outcome::Nowhere(
                        Why::new("B82", "nobody has the address that the diversion leads to")
                            .with("to", uri),
                    ),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
