//! Carriers, gateways, gateway rules and routes, indexed for decisions: nothing in it ever changes.
//!
//! A change makes another table ([`Pstn::with`]), beside calls that still use the old one. Both share all but a few pages,
//! so that a change takes microseconds however many routes there are. A route takes about 58 octets; one decision searches
//! for a few prefixes of a number and never looks at routes that are for others.
//!
//! `map` keeps what is sorted, `digits` are prefixes, `tables` take changes in, `groups` number those whose routes stand
//! together, `select` chooses routes and gateways, `rewrite` makes the number that a gateway wants.

mod digits;
mod groups;
mod map;
mod rewrite;
mod select;
mod tables;

pub use tables::Change;

pub(crate) use select::{Choice, Originator, originator_name};

use digits::Digits;
use groups::Groups;
use map::Map;
use ngn_model::{Carrier, CustomerId, Gateway, GatewayRule, Route};
use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

/// Where calls to telephone numbers go (B130).
#[derive(Debug, Clone, Default)]
pub struct Pstn {
    /// By id.
    carriers: Map<i64, Arc<CarrierPlace>>,
    /// The reseller, the name in lower case, and the id of each carrier.
    names: Map<(CustomerId, Arc<str>, i64), ()>,
    /// By carrier and id.
    gateways: Map<(i64, i64), Arc<GatewayPlace>>,
    /// The carrier of each gateway.
    gateway_carriers: Map<i64, i64>,
    /// By gateway, the longest prefix first, then by id (B135).
    rules: Map<RuleKey, Arc<RulePlace>>,
    /// Where each rule is.
    rule_keys: Map<i64, RuleKey>,
    groups: Groups,
    /// The carrier of each route.
    routes: Map<Place, i64>,
    /// Where each route is, by id.
    places: Map<i64, At>,
    /// How many routes there are that nothing can match.
    unusable: usize,
}

/// Gateway, length of the prefix, id.
type RuleKey = (i64, Reverse<usize>, i64);

/// A carrier, with its name in a form that plans share.
#[derive(Debug)]
pub(crate) struct CarrierPlace {
    pub(crate) carrier: Carrier,
    pub(crate) name: Arc<str>,
}

/// A gateway with its rules, and what plans share of it.
#[derive(Debug)]
pub(crate) struct GatewayPlace {
    pub(crate) gateway: Gateway,
    pub(crate) name: Arc<str>,
    pub(crate) host: Arc<str>,
    /// The host, when it is an address.
    pub(crate) address: Option<IpAddr>,
    /// The longest prefix first, then by id (B135).
    rules: Vec<Arc<RulePlace>>,
}

/// A gateway rule, with what plans share of it.
#[derive(Debug)]
pub(crate) struct RulePlace {
    pub(crate) rule: GatewayRule,
    pub(crate) prefix: Arc<str>,
    pub(crate) prepend: Arc<str>,
}

/// Where a route is: routes of one prefix and group lie side by side, the lowest priority first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    prefix: Digits,
    group: u32,
    priority: i32,
    id: i64,
}

/// A place without the id, by which it is found.
#[derive(Debug, Clone, Copy)]
struct At {
    /// [`Digits::NONE`] when nothing can match the route.
    prefix: Digits,
    group: u32,
    priority: i32,
}

impl Pstn {
    /// Makes the table of what is provisioned.
    pub fn new(
        carriers: impl IntoIterator<Item = Carrier>,
        gateways: impl IntoIterator<Item = Gateway>,
        rules: impl IntoIterator<Item = GatewayRule>,
        routes: impl IntoIterator<Item = Route>,
    ) -> Self {
        let mut pstn = Self::default();
        pstn.set_carriers(
            carriers.into_iter().map(|carrier| (carrier.id, Some(carrier))).collect(),
        );
        pstn.set_gateways(gateways.into_iter().map(|row| (row.id, Some(row))).collect());
        pstn.set_rules(rules.into_iter().map(|rule| (rule.id, Some(rule))).collect());
        pstn.set_routes(routes.into_iter().map(|route| (route.id, Some(route))));
        pstn
    }

    /// How many routes there are.
    #[must_use]
    pub const fn routes(&self) -> usize {
        self.routes.len()
    }

    /// How many routes were left out since no number that is called begins with their prefix: it holds something else
    /// than digits, or more than 18.
    #[must_use]
    pub const fn unusable_routes(&self) -> usize {
        self.unusable
    }

    /// Every gateway, in the order of carriers and ids: whom to probe.
    pub fn gateways(&self) -> impl Iterator<Item = &Gateway> {
        self.gateways.iter().map(|(_, place)| &place.gateway)
    }

    /// Whether another table is known to have the same gateways and rules, as one that was made of this one by changes of
    /// other rows. `false` says nothing.
    #[must_use]
    pub fn has_gateways_of(&self, other: &Self) -> bool {
        self.gateways.is_same(&other.gateways)
    }

    /// The octets of memory that the routes take.
    #[must_use]
    pub fn route_octets(&self) -> usize {
        self.routes.octets() + self.places.octets() + self.groups.octets()
    }

    /// The carrier of a name: the reseller's own before the platform's.
    fn carrier_named(&self, name: &str, reseller: CustomerId) -> Option<&CarrierPlace> {
        let name = name.to_ascii_lowercase();
        let of = |wanted: CustomerId| {
            let order = |key: &(CustomerId, Arc<str>, i64)| (key.0, &*key.1).cmp(&(wanted, &*name));
            self.names.run(order).first().map(|((_, _, id), ())| *id)
        };
        self.carrier(of(reseller).or_else(|| of(0))?)
    }

    fn carrier(&self, id: i64) -> Option<&CarrierPlace> {
        self.carriers.get(&id).map(|place| &**place)
    }
}

#[cfg(test)]
mod tests;
