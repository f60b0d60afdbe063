//! Who pays for a call to the telephone network, and whether they may make it: group `free-pstn` (B66), quota (B70),
//! barring (B96), what was paid in advance (B71), simultaneous calls (B76), in this order.

use crate::barring;
use crate::facts::{CallFacts, Usage};
use crate::pstn::{Originator, originator_name};
use ngn_model::call_plan::{Payer, Why};
use ngn_model::{Account, Amount, Aor, Reject, TrustedPeer};

/// Who pays.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Paying<'a> {
    /// An account: that of the caller, or one that diverts (B80).
    Account(&'a Account),
    /// A trunk.
    Peer(&'a TrustedPeer),
}

impl<'a> Paying<'a> {
    pub(crate) fn payer(self) -> Payer {
        match self {
            Self::Account(account) => Payer::Account(account.aor.clone()),
            Self::Peer(peer) => Payer::Peer(peer.ip.clone()),
        }
    }

    /// B132: whose routes hold.
    pub(crate) fn originator(self) -> Originator<'a> {
        match self {
            Self::Account(account) => Originator {
                reseller: account.ownership.reseller,
                names: vec![text(&account.aor).into(), account.aor.domain().as_str().into()],
                carrier: None,
            },
            Self::Peer(peer) => Originator {
                reseller: peer.ownership.reseller,
                names: peer.originator.iter().map(|name| originator_name(name)).collect(),
                carrier: peer.carrier_name.as_deref().filter(|name| !name.trim().is_empty()),
            },
        }
    }

    /// Whether numbers are looked for in ENUM (B147).
    pub(crate) const fn wants_enum(self) -> bool {
        match self {
            Self::Account(_) => true,
            Self::Peer(peer) => peer.enum_lookup,
        }
    }

    /// Why the call may be made, or may not.
    pub(crate) fn may_call(self, number: &str, facts: &CallFacts<'_>) -> Result<Why, Reject> {
        match self {
            Self::Account(account) => {
                is_not_blocked(account)
                    .and_then(|()| may_call_numbers(account))
                    .and_then(|()| has_quota(account))
                    .and_then(|()| may_call_this(account, number))?;
                if account.is_in_group("prepaid") {
                    has_balance(self, facts)?;
                }
                has_a_line(account, facts)?;
                let why = Why::new("B66", "the account may call telephone numbers");
                Ok(why.with("account", text(&account.aor)).with("group", "free-pstn"))
            }
            Self::Peer(peer) => {
                if peer.prepaid {
                    has_balance(self, facts)?;
                }
                let why = Why::new("B145", "trusted peers call without credentials");
                Ok(why.with("peer", peer.ip.clone()))
            }
        }
    }

    /// What has been used.
    pub(crate) fn usage<'u>(self, facts: &CallFacts<'u>) -> Option<&'u Usage> {
        facts.usage.iter().find(|usage| match (self, &usage.payer) {
            (Self::Account(account), Payer::Account(aor)) => account.aor == *aor,
            (Self::Peer(peer), Payer::Peer(key)) => peer.ip == *key,
            (Self::Account(_), Payer::Peer(_)) | (Self::Peer(_), Payer::Account(_)) => false,
        })
    }
}

/// An address as it is written, in one go.
pub(crate) fn text(aor: &Aor) -> String {
    [aor.username(), "@", aor.domain().as_str()].concat()
}

/// B66: who is blocked calls nobody, by diversion neither.
pub(crate) fn blocked(account: &Account) -> Option<Why> {
    account
        .is_blocked()
        .then(|| Why::new("B66", "the account is blocked").with("account", account.aor.to_string()))
}

fn is_not_blocked(account: &Account) -> Result<(), Reject> {
    match blocked(account) {
        Some(why) => Err(Reject::new(403, "Forbidden", why)),
        None => Ok(()),
    }
}

/// B66: group `free-pstn`.
fn may_call_numbers(account: &Account) -> Result<(), Reject> {
    refuse_if(!account.is_in_group("free-pstn"), 403, "Forbidden", || {
        Why::new("B66", "the account may not call telephone numbers: it is not in free-pstn")
            .with("account", account.aor.to_string())
    })
}

/// B70: group `quota`, in which the account is until the end of the month.
fn has_quota(account: &Account) -> Result<(), Reject> {
    refuse_if(account.is_in_group("quota"), 403, "Quota Exceeded", || {
        Why::new("B70", "the account has used this month's quota")
            .with("account", account.aor.to_string())
            .with("group", "quota")
    })
}

/// B96: barring prefixes.
fn may_call_this(account: &Account, number: &str) -> Result<(), Reject> {
    match barring::barred(account, number) {
        Some(prefix) => Err(Reject::new(403, "Forbidden", barring::why(account, prefix))),
        None => Ok(()),
    }
}

/// B71, B161: who pays in advance needs something left.
fn has_balance(paying: Paying<'_>, facts: &CallFacts<'_>) -> Result<(), Reject> {
    let balance = paying.usage(facts).and_then(|usage| usage.balance).unwrap_or(Amount::ZERO);
    refuse_if(balance <= Amount::ZERO, 402, "Payment Required", || {
        Why::new("B71", "nothing is left of what was paid in advance")
            .with("payer", paying.payer().to_string())
            .with("balance", balance.to_string())
    })
}

/// B76: simultaneous calls of an account to the PSTN.
fn has_a_line(account: &Account, facts: &CallFacts<'_>) -> Result<(), Reject> {
    let own = account.call_limit.filter(|limit| *limit > 0);
    let limit = own.unwrap_or(facts.settings.default_call_limit);
    let calls = Paying::Account(account).usage(facts).map_or(0, |usage| usage.calls);
    refuse_if(limit > 0 && calls >= limit, 403, "Call Limit Reached", || {
        Why::new("B76", "the account has as many calls as it may have at one time")
            .with("account", account.aor.to_string())
            .with("calls", calls.to_string())
            .with("limit", limit.to_string())
    })
}

fn refuse_if(
    is_so: bool,
    status: u16,
    phrase: &'static str,
    why: impl FnOnce() -> Why,
) -> Result<(), Reject> {
    if is_so { Err(Reject::new(status, phrase, why())) } else { Ok(()) }
}
