//! How a caller is shown to the telephone network: the account's caller id, and whether it is hidden (B66).
//!
//! Gateways are trusted (RFC 3325): they get P-Asserted-Identity and Remote-Party-ID, with Privacy when the called
//! party may not see them. From stays as it is, since a proxy may not change it (RFC 3261 section 16.6).

use crate::facts::{CallFacts, Caller};
use crate::legs::user_and_host;
use crate::number;
use crate::paying::Paying;
use ngn_model::Account;
use ngn_model::call_plan::{CallerId, HeaderEdit};

/// What is asserted about a caller; only those who are trusted may say it (RFC 3325 section 5).
const ASSERTIONS: [&str; 3] = ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"];

/// The changes to a request wherever it goes: what callers that are not trusted say about themselves goes.
pub(crate) fn edits_everywhere(facts: &CallFacts<'_>) -> Vec<HeaderEdit> {
    match facts.caller {
        Caller::Peer(_) => Vec::new(),
        Caller::Account(_) | Caller::Claimed(_) | Caller::Stranger => {
            ASSERTIONS.iter().map(|name| HeaderEdit::Remove(name)).collect()
        }
    }
}

/// How the caller is shown when somebody pays for the call. An account that diverts is shown itself: nobody else's
/// number is its to show.
pub(crate) fn caller_id(
    facts: &CallFacts<'_>,
    paying: Paying<'_>,
    is_emergency: bool,
) -> (CallerId, Vec<HeaderEdit>) {
    match paying {
        Paying::Account(account) => of_account(facts, account, is_emergency),
        Paying::Peer(_) => (of_peer(facts), Vec::new()),
    }
}

fn of_account(
    facts: &CallFacts<'_>,
    account: &Account,
    is_emergency: bool,
) -> (CallerId, Vec<HeaderEdit>) {
    // Whoever takes an emergency call must be able to call back.
    let is_hidden = !is_emergency && (facts.wants_privacy || account.is_in_group("anonymous"));
    let number = number_of(facts, account);
    let mut edits = Vec::new();
    if let Some(number) = &number {
        let uri = format!("<sip:{}@{};user=phone>", escaped(number), account.aor.domain());
        let privacy = if is_hidden { "full" } else { "off" };
        edits.push(HeaderEdit::Set("P-Asserted-Identity", uri.clone()));
        let field = format!("{uri};party=calling;screen=yes;privacy={privacy}");
        edits.push(HeaderEdit::Set("Remote-Party-ID", field));
    } else {
        edits.push(HeaderEdit::Remove("P-Asserted-Identity"));
        edits.push(HeaderEdit::Remove("Remote-Party-ID"));
    }
    if is_hidden {
        edits.push(HeaderEdit::Set("Privacy", "id".to_owned()));
    } else if is_emergency {
        edits.push(HeaderEdit::Remove("Privacy"));
    }
    (CallerId { number, is_hidden }, edits)
}

/// The account's caller id, else its user name when that is a number: with `+`, or as it is set.
fn number_of(facts: &CallFacts<'_>, account: &Account) -> Option<String> {
    let plan = facts.settings.numbers_of(Some(account.aor.domain()));
    let plus = |number: &str| format!("+{}", number::e164(number));
    if let Some(rpid) = account.rpid.as_deref().map(str::trim).filter(|rpid| !rpid.is_empty()) {
        let (user, _) = user_and_host(rpid);
        let number = plan.international(user).map(|number| plus(&number));
        return Some(number.unwrap_or_else(|| user.to_owned())).filter(|n| !n.is_empty());
    }
    let username = account.aor.username();
    let number = plan.international(username).or_else(|| number::international(username));
    number.map(|number| plus(&number))
}

/// A trunk says itself who calls.
fn of_peer(facts: &CallFacts<'_>) -> CallerId {
    let (user, _) = user_and_host(facts.from);
    let number = facts.settings.numbers_of(facts.domain).international(user);
    let number = number.map(|number| format!("+{}", number::e164(&number)));
    CallerId { number, is_hidden: facts.wants_privacy }
}

/// Without what may not stand in a header field or a URI's user part.
fn escaped(number: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "+-_.!~*'()".contains(*c);
    number.chars().filter(allowed).take(64).collect()
}
