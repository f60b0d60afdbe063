//! What a caller has dialled: quick dial, a trunk's changes, and the telephone number that it comes to.

use crate::facts::{CallFacts, Caller, Settings};
use crate::number::{self, NumberPlan};
use crate::trunk;
use ngn_model::call_plan::Why;
use ngn_model::{Account, DomainName};

/// How many digits a number has at most that quick dial completes (B78).
const MOST_QUICK_DIGITS: usize = 6;

/// What was dialled, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialled {
    /// After a trunk's changes.
    pub(crate) user: String,
    /// The telephone number, `00` and country code, if it is one.
    pub(crate) number: Option<String>,
    /// Whether a quick dial prefix made it one.
    pub(crate) is_quick: bool,
}

/// The user names under which an account or alias may be known that is called, in the order in which they count: as
/// dialled, completed by quick dial (B78), then the number in its spellings. The domain is the one that is called.
#[must_use]
pub fn usernames(
    caller: &Caller<'_>,
    dialled: &str,
    domain: Option<&DomainName>,
    settings: &Settings,
) -> Vec<String> {
    let read = read(caller, dialled, domain, settings);
    let mut names = vec![read.user.to_lowercase()];
    if let Some(quick) = quick(caller, &read.user) {
        names.push(quick);
    }
    if let Some(number) = &read.number {
        names.extend(spellings(number, plan_of(caller, domain, settings)));
    }
    let mut seen = Vec::new();
    names.retain(|name| {
        let is_new = !name.is_empty() && !seen.contains(name);
        seen.push(name.clone());
        is_new
    });
    names
}

/// The user names under which a number may be known that a diversion of an account leads to.
#[must_use]
pub fn usernames_of_target(account: &Account, user: &str, settings: &Settings) -> Vec<String> {
    usernames(&Caller::Stranger, user, Some(account.aor.domain()), settings)
}

/// `+31…`, `0031…`, `31…` and the national form.
fn spellings(number: &str, plan: &NumberPlan) -> Vec<String> {
    let digits = number::e164(number);
    let mut names = vec![format!("+{digits}"), number.to_owned(), digits.to_owned()];
    if !plan.country_code.is_empty()
        && let Some(rest) = digits.strip_prefix(plan.country_code.as_str())
    {
        names.push(format!("{}{rest}", plan.national_prefix));
    }
    names
}

/// The number plan by which a caller dials: that of its own domain, a trunk's that of the domain it calls.
pub(crate) fn plan_of<'s>(
    caller: &Caller<'_>,
    domain: Option<&DomainName>,
    settings: &'s Settings,
) -> &'s NumberPlan {
    match caller {
        Caller::Account(account) | Caller::Claimed(account) => {
            settings.numbers_of(Some(account.aor.domain()))
        }
        Caller::Peer(_) | Caller::Stranger => settings.numbers_of(domain),
    }
}

/// Reads what was dialled.
pub(crate) fn read(
    caller: &Caller<'_>,
    dialled: &str,
    domain: Option<&DomainName>,
    settings: &Settings,
) -> Dialled {
    let user = match caller {
        Caller::Peer(peer) => trunk::rewrite(peer, dialled.trim()),
        Caller::Account(_) | Caller::Claimed(_) | Caller::Stranger => dialled.trim().to_owned(),
    };
    let plan = plan_of(caller, domain, settings);
    if let Some(quick) = quick(caller, &user) {
        let number = plan.international(&quick).or_else(|| number::international(&quick));
        if number.is_some() {
            return Dialled { user, number, is_quick: true };
        }
    }
    let number = plan.international(&user);
    Dialled { user, number, is_quick: false }
}

impl Dialled {
    /// What was done to the number.
    pub(crate) fn why(&self, facts: &CallFacts<'_>) -> Vec<Why> {
        let mut why = Vec::new();
        if let Caller::Peer(peer) = facts.caller
            && self.user != facts.dialled.trim()
        {
            why.push(
                Why::new("B147", "the trunk's numbers are changed")
                    .with("peer", peer.ip.clone())
                    .with("dialled", facts.dialled)
                    .with("becomes", self.user.clone()),
            );
        }
        if self.is_quick {
            let why_quick = Why::new("B78", "quick dial puts the caller's prefix in front");
            why.push(
                why_quick
                    .with("dialled", facts.dialled)
                    .with("becomes", self.number.clone().unwrap_or_default()),
            );
        }
        why
    }
}

/// Says so when quick dial led to an account.
pub(crate) fn quick_why(facts: &CallFacts<'_>, called: &Account) -> Option<Why> {
    let quick = quick(&facts.caller, facts.dialled.trim())?;
    (called.aor.username() == quick).then(|| {
        Why::new("B78", "quick dial puts the caller's prefix in front")
            .with("dialled", facts.dialled)
            .with("becomes", quick)
    })
}

/// What was dialled in a call.
pub(crate) fn of(facts: &CallFacts<'_>) -> Dialled {
    read(&facts.caller, facts.dialled, facts.domain, facts.settings)
}

/// B78: a short number with the caller's quick dial prefix in front.
fn quick(caller: &Caller<'_>, user: &str) -> Option<String> {
    let Caller::Account(account) = caller else { return None };
    let prefix = account.quickdial_prefix.as_deref().filter(|prefix| !prefix.is_empty())?;
    let is_short = (1..=MOST_QUICK_DIGITS).contains(&user.len())
        && !user.starts_with('0')
        && user.bytes().all(|b| b.is_ascii_digit());
    is_short.then(|| format!("{prefix}{user}"))
}
