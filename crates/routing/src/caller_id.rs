//! How a caller is shown: to the telephone network by the account's caller id, to others by its address, or not at all
//! (B66).
//!
//! Gateways are trusted (RFC 3325): they get P-Asserted-Identity and Remote-Party-ID, with Privacy when the called
//! party may not see them. From stays as it is, since a proxy may not change it (RFC 3261 section 16.6).

use crate::facts::{CallFacts, Caller};
use crate::legs::user_and_host;
use crate::number;
use crate::paying::Paying;
use ngn_model::Account;
use ngn_model::call_plan::{CallerId, HeaderEdit};

/// What is asserted about who calls or is called; only those who are trusted may say it (RFC 3325 section 5).
pub const ASSERTIONS: [&str; 3] =
    ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"];

/// What is told about earlier diversions, which only those who are trusted may say either (RFC 5806 section 8).
const HISTORY: [&str; 2] = ["Diversion", "History-Info"];

/// What a caller need not show who asks for privacy of the header or the user (RFC 3323 sections 4.1 and 5.1). From, Contact
/// and Via stay: a proxy that changes them is none.
const PERSONAL: [&str; 6] =
    ["Subject", "Call-Info", "Organization", "User-Agent", "Reply-To", "In-Reply-To"];

/// The changes to a request wherever it goes: what callers that are not trusted say about themselves goes, and of an
/// account that proved who it is we say so (RFC 3325 section 5), unless it does not want to be shown. Whoever takes an
/// emergency call is told.
pub(crate) fn edits_everywhere(facts: &CallFacts<'_>, is_emergency: bool) -> Vec<HeaderEdit> {
    if let Caller::Peer(_) = facts.caller {
        return Vec::new();
    }
    let names = ASSERTIONS.iter().chain(&HISTORY);
    let mut edits: Vec<HeaderEdit> = names.map(|name| HeaderEdit::Remove(name)).collect();
    if let Caller::Account(account) = facts.caller
        && (is_emergency || !is_hidden(facts, account))
    {
        let uri = format!("<sip:{}>", account.aor);
        edits.push(HeaderEdit::Set("P-Asserted-Identity", uri));
    }
    edits
}

/// The changes to a request on its way to phones and other domains: what was asserted about a caller who asks for privacy
/// (RFC 3325 section 7), and what such a caller need not show.
pub(crate) fn edits_outward(facts: &CallFacts<'_>, is_emergency: bool) -> Vec<HeaderEdit> {
    if is_emergency {
        return Vec::new();
    }
    let mut names: Vec<&'static str> = Vec::new();
    if facts.wants_privacy {
        names.extend(ASSERTIONS);
    }
    if facts.asks.header_privacy {
        names.extend(PERSONAL);
    }
    names.into_iter().map(HeaderEdit::Remove).collect()
}

/// B66: an account may be hidden always, or in this call, where From says nothing or it asks for that.
fn is_hidden(facts: &CallFacts<'_>, account: &Account) -> bool {
    facts.wants_privacy || is_anonymous(facts.from) || account.is_in_group("anonymous")
}

/// RFC 3323 section 4.1.1.3: whether the URI of From says nothing about who calls.
#[must_use]
pub fn is_anonymous(from: &str) -> bool {
    let (_, host) = user_and_host(from);
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    host.trim_end_matches('.').eq_ignore_ascii_case("anonymous.invalid")
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
    let is_hidden = !is_emergency && is_hidden(facts, account);
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
pub(crate) fn number_of(facts: &CallFacts<'_>, account: &Account) -> Option<String> {
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
pub(crate) fn escaped(number: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "+-_.!~*'()".contains(*c);
    number.chars().filter(allowed).take(64).collect()
}
