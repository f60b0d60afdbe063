//! What leads to the voicemail server of an account's reseller, or the platform's: the number that is dialled to listen to
//! one's messages (B156), and requests about how many there are (B154, RFC 3842).

use crate::facts::{CallFacts, Callee, Caller};
use crate::legs::{Legs, Outcome, Way};
use ngn_model::call_plan::{Target, Why};
use ngn_model::{Account, Reject};

/// The event package of message summaries (RFC 3842 section 3.1).
pub const MESSAGE_SUMMARY: &str = "message-summary";

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
    Some(to_server(legs, account, number, why))
}

/// RFC 3842 section 4: whoever asks to be told about the messages of an account is led to its voicemail server; only the
/// account itself may, by its own address or by the number for its messages.
pub(crate) fn watch(legs: &mut Legs<'_>) -> Outcome {
    let facts: &CallFacts<'_> = legs.facts;
    let refused =
        |text| Outcome::Refused(Reject::new(403, "Forbidden", Why::new("RFC 3842 4", text)));
    let Caller::Account(caller) = facts.caller else {
        return refused("only accounts of ours have messages here");
    };
    let is_number = facts.settings.voicemail_numbers.iter().any(|number| number == facts.dialled);
    let is_own = match facts.callee {
        Callee::Account { account, .. } => account.aor == caller.aor,
        Callee::Unknown { .. } => is_number,
        Callee::Foreign { .. } => false,
    };
    if !is_own {
        return refused("an account is told about its own messages only");
    }
    let why = Why::new("B154", "the account asks to be told about its messages");
    to_server(legs, caller, "", why.with("account", caller.aor.to_string()))
}

/// RFC 3842 section 4.1: what a voicemail server tells about an account's messages goes to the phones that are registered,
/// whatever the account's rules for calls are.
pub(crate) fn changed(legs: &mut Legs<'_>) -> Outcome {
    let facts: &CallFacts<'_> = legs.facts;
    let refused = |status, phrase, text| {
        Outcome::Refused(Reject::new(status, phrase, Why::new("RFC 3842 4.1", text)))
    };
    let Caller::Peer(peer) = facts.caller else {
        return refused(
            403,
            "Forbidden",
            "only voicemail servers and trusted peers tell about messages",
        );
    };
    if peer.blocked {
        return refused(403, "Forbidden", "the trusted peer is blocked");
    }
    let Callee::Account { account, bindings, .. } = facts.callee else {
        return refused(404, "Not Found", "no account or alias is called that");
    };
    let targets: Vec<Target> =
        legs.phones(bindings).into_iter().map(|b| Target::Binding(Box::new(b.clone()))).collect();
    if targets.is_empty() {
        return refused(480, "Temporarily Unavailable", "nothing is registered");
    }
    let why = Why::new("B154", "the account's phones are told about its messages")
        .with("account", account.aor.to_string())
        .with("peer", peer.ip.clone());
    legs.step_to(targets, &Way::FIRST, why);
    Outcome::Planned
}

/// To an account's mailbox at its voicemail server (B89), with something in front of its number.
fn to_server(legs: &mut Legs<'_>, account: &Account, prefix: &str, why: Why) -> Outcome {
    let refused = |text: &'static str| {
        let why = Why::new("B156", text).with("account", account.aor.to_string());
        Outcome::Refused(Reject::new(404, "Not Found", why))
    };
    let mailbox = account.options.as_ref().and_then(|options| options.mailbox.as_deref());
    let Some(mailbox) = mailbox else { return refused("the caller has no mailbox") };
    let Some(server) = legs.facts.settings.voicemail_of(account.ownership.reseller) else {
        return refused("there is no voicemail server");
    };
    let uri = format!("sip:{}{mailbox}@{server}", prefix.replace('#', "%23"));
    legs.step(Target::Uri(uri), &Way::FIRST, why.with("mailbox", mailbox));
    Outcome::Planned
}
