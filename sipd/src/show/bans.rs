//! `/bans` of the admin port: whom the guard keeps out, and letting somebody in again.

use super::{Kind, Slice, Window, ending, json, most, slice, wrong};
use axum::extract::{Query, State};
use axum::response::Response;
use ngn_sip::guard::{Banned, Guard, Network};
use ngn_sip::transaction::Moment;
use serde::{Deserialize, Serialize};
use serde_json::json as value;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Which bans are meant; nothing of it: all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WhichBans {
    /// Of an address, or of the network that it is banned with.
    pub(super) address: Option<IpAddr>,
    /// Of an account, `user@domain`.
    pub(super) account: Option<String>,
    /// Behind this one, as `next` of the page before names it.
    pub(super) after: Option<String>,
    /// How many at most, 1 to 1000.
    pub(super) limit: Option<usize>,
}

/// A ban.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Shown {
    /// The address, the /64 of IPv6, or the account.
    pub(super) who: String,
    /// `wrong passwords`, `unknown users`, or `guarded`: an account that can only be used from where it was lately.
    pub(super) why: String,
    /// Seconds until it ends, at least 1.
    pub(super) seconds: u64,
}

const GUESSING: &str = "wrong passwords";
const PROBING: &str = "unknown users";
const GUARDED: &str = "guarded";

impl Shown {
    /// A ban that lasts at `now`.
    fn of(who: &Banned, until: Moment, now: Moment) -> Option<Self> {
        let left = until.since(now);
        let why = match who {
            Banned::Guessing(_) => GUESSING,
            Banned::Probing(_) => PROBING,
            Banned::Account(_) => GUARDED,
        };
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        (now < until).then(|| Self { who: who.to_string(), why: why.to_owned(), seconds })
    }
}

/// A ban as `after` names it: `wrong passwords 192.0.2.1`.
fn place(who: &Banned) -> String {
    match who {
        Banned::Guessing(network) => format!("{GUESSING} {network}"),
        Banned::Probing(network) => format!("{PROBING} {network}"),
        Banned::Account(name) => format!("{GUARDED} {name}"),
    }
}

fn placed(text: &str) -> Option<Banned> {
    let network =
        |text: &str| text.strip_suffix("/64").unwrap_or(text).parse().ok().map(Network::of);
    if let Some(text) = text.strip_prefix(GUESSING) {
        return Some(Banned::Guessing(network(text.trim_start())?));
    }
    if let Some(text) = text.strip_prefix(PROBING) {
        return Some(Banned::Probing(network(text.trim_start())?));
    }
    Some(Banned::Account(text.strip_prefix(GUARDED)?.trim_start().to_owned()))
}

/// A question to the engine about bans.
#[derive(Debug)]
pub(super) enum Asked {
    /// Those behind one, and how many at most.
    List(Filter, Option<Banned>, usize, oneshot::Sender<Slice<Shown, Banned>>),
    /// Lets these in again; the answer is those that were kept out.
    Lift(Vec<Banned>, oneshot::Sender<Vec<Shown>>),
}

impl Asked {
    pub(super) fn answer(self, guard: &mut Guard, now: Moment) {
        match self {
            Self::List(filter, after, most, answer) => {
                let _ = answer.send(slice(
                    guard.bans_after(after.as_ref()),
                    most,
                    |(who, _)| who.clone(),
                    |(who, until), found| {
                        found.extend(
                            filter.holds(who).then(|| Shown::of(who, until, now)).flatten(),
                        );
                    },
                ));
            }
            Self::Lift(which, answer) => {
                let mut lifted = Vec::new();
                for who in which {
                    let until = guard.ban_of(&who).unwrap_or(now);
                    if guard.lift(now, &who) {
                        lifted.extend(Shown::of(&who, until, now));
                    }
                }
                let _ = answer.send(lifted);
            }
        }
    }
}

/// Which bans a filter lets through.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    network: Option<Network>,
    account: Option<String>,
}

impl Filter {
    fn holds(&self, who: &Banned) -> bool {
        match who {
            Banned::Guessing(network) | Banned::Probing(network) => {
                self.account.is_none() && self.network.is_none_or(|named| named == *network)
            }
            Banned::Account(name) => {
                self.network.is_none()
                    && self.account.as_ref().is_none_or(|named| named.eq_ignore_ascii_case(name))
            }
        }
    }
}

/// `GET /bans`
pub(super) async fn list(
    State(window): State<Arc<Window>>,
    Query(which): Query<WhichBans>,
) -> Response {
    let after = match which.after.as_deref().map(|text| placed(text).ok_or(text)).transpose() {
        Ok(after) => after,
        Err(text) => return wrong(&format!("after: `{text}` is no ban")),
    };
    let filter = Filter { network: which.address.map(Network::of), account: which.account };
    let page = window
        .page(after, most(which.limit), |after, most, answer| {
            Kind::Bans(Asked::List(filter.clone(), after, most, answer))
        })
        .await;
    let Some(Slice { found, next }) = page else { return ending() };
    let next = next.as_ref().map(place);
    json(&value!({ "node": window.node, "bans": found, "next": next }))
}

/// `DELETE /bans`, of an address or an account: lets it in again.
pub(super) async fn lift(
    State(window): State<Arc<Window>>,
    Query(which): Query<WhichBans>,
) -> Response {
    let of = match (which.address, which.account) {
        (Some(address), None) => {
            let network = Network::of(address);
            vec![Banned::Guessing(network), Banned::Probing(network)]
        }
        (None, Some(account)) => vec![Banned::Account(account)],
        _ => return wrong("name one `address` or one `account`"),
    };
    let (answer, answered) = oneshot::channel();
    if window.ask(Kind::Bans(Asked::Lift(of, answer))).await.is_none() {
        return ending();
    }
    let Ok(lifted) = answered.await else { return ending() };
    json(&value!({ "node": window.node, "lifted": lifted }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        let network = |text: &str| Network::of(text.parse().expect("an address"));
        for who in [
            Banned::Guessing(network("192.0.2.1")),
            Banned::Probing(network("2001:db8::1")),
            Banned::Account("alice@a.example".to_owned()),
        ] {
            assert_eq!(placed(&place(&who)), Some(who));
        }
        for text in ["", "192.0.2.1", "wrong passwords x", "unknown users "] {
            assert_eq!(placed(text), None, "{text}");
        }
    }
}
