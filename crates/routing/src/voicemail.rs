//! The number that is dialled to listen to one's messages (B156).

use crate::facts::{CallFacts, Caller};
use crate::legs::{Legs, Outcome, Way};
use ngn_model::Reject;
use ngn_model::call_plan::{Target, Why};

/// To the caller's mailbox: the number with the mailbox's after it, at the voicemail server of the account's reseller.
/// `None` when something else was dialled.
pub(crate) fn reach(legs: &mut Legs<'_>) -> Option<Outcome> {
    let facts: &CallFacts<'_> = legs.facts;
    let Caller::Account(account) = facts.caller else { return None };
    let dialled = facts.dialled.trim();
    let number = facts.settings.voicemail_numbers.iter().find(|number| *number == dialled)?;
    if !matches!(facts.callee, crate::Callee::Unknown { .. }) {
        return None;
    }
    let why = Why::new("B156", "the voicemail access number is called").with("number", dialled);
    let refused = |text: &'static str| {
        let why = Why::new("B156", text).with("account", account.aor.to_string());
        Some(Outcome::Refused(Reject::new(404, "Not Found", why)))
    };
    let mailbox = account.options.as_ref().and_then(|options| options.mailbox.as_deref());
    let Some(mailbox) = mailbox else { return refused("the caller has no mailbox") };
    let Some(server) = facts.settings.voicemail_of(account.ownership.reseller) else {
        return refused("there is no voicemail server");
    };
    let uri = format!("sip:{}{mailbox}@{server}", number.replace('#', "%23"));
    legs.step(Target::Uri(uri), &Way::FIRST, why.with("mailbox", mailbox));
    Some(Outcome::Planned)
}
