//! Carriers, gateways, gateway rules and routes, indexed for decisions: nothing in it ever changes.
//!
//! A change makes another table ([`Pstn::with`]), beside calls that still use the old one. A route takes about 48
//! octets; one decision follows the digits of a number once and never looks at routes that are for others.
//!
//! `tables` keeps what was provisioned, `trie` finds prefixes, `select` chooses routes and gateways, `rewrite` makes
//! the number that a gateway wants.

mod rewrite;
mod select;
mod tables;
mod trie;

pub use tables::Change;

pub(crate) use select::{Choice, Originator};

use ngn_model::{Carrier, CustomerId, Gateway, GatewayRule, Route};
use std::collections::BTreeMap;
use trie::Trie;

/// Where calls to telephone numbers go (B130).
#[derive(Debug, Clone, Default)]
pub struct Pstn {
    /// Carriers by place; what is `None` is known by its routes or gateways only.
    carriers: Vec<CarrierPlace>,
    /// The place of each carrier by its id.
    carrier_places: BTreeMap<i64, u32>,
    /// The spelling of each originator, and its number.
    originators: BTreeMap<String, u32>,
    /// The group of routes of a reseller and an originator.
    groups: BTreeMap<(CustomerId, u32), u32>,
    /// Rules whose gateway is not there.
    stray_rules: Vec<GatewayRule>,
    trie: Trie,
    /// How many routes there are that nothing can match.
    unusable: usize,
}

/// A carrier with its gateways.
#[derive(Debug, Clone)]
struct CarrierPlace {
    id: i64,
    carrier: Option<Carrier>,
    /// By id.
    gateways: Vec<GatewayPlace>,
}

/// A gateway with its rules.
#[derive(Debug, Clone)]
pub(crate) struct GatewayPlace {
    pub(crate) gateway: Gateway,
    /// The longest prefix first, then by id (B135).
    rules: Vec<GatewayRule>,
}

/// A route, without its prefix, which is the place where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    id: i64,
    priority: i32,
    carrier: u32,
    group: u32,
}

impl Pstn {
    /// Makes the table of what is provisioned.
    pub fn new(
        carriers: impl IntoIterator<Item = Carrier>,
        gateways: impl IntoIterator<Item = Gateway>,
        rules: impl IntoIterator<Item = GatewayRule>,
        routes: impl IntoIterator<Item = Route>,
    ) -> Self {
        tables::build(carriers, gateways, rules, routes)
    }

    /// How many routes there are.
    #[must_use]
    pub fn routes(&self) -> usize {
        self.trie.entries().len()
    }

    /// How many routes were left out since their prefix holds something else than digits.
    #[must_use]
    pub const fn unusable_routes(&self) -> usize {
        self.unusable
    }

    /// Every gateway, in the order of carriers and ids: whom to probe.
    pub fn gateways(&self) -> impl Iterator<Item = &Gateway> {
        self.carriers.iter().flat_map(|place| &place.gateways).map(|place| &place.gateway)
    }

    /// The octets of memory that the routes take.
    #[must_use]
    pub fn route_octets(&self) -> usize {
        self.trie.octets()
    }

    /// The carrier of a name: the reseller's own before the platform's.
    fn carrier_named(&self, name: &str, reseller: CustomerId) -> Option<u32> {
        let of = |wanted: CustomerId| {
            self.carriers.iter().position(|place| {
                let carrier = place.carrier.as_ref();
                carrier.is_some_and(|c| c.reseller == wanted && c.name.eq_ignore_ascii_case(name))
            })
        };
        of(reseller).or_else(|| of(0)).and_then(|place| u32::try_from(place).ok())
    }

    fn carrier(&self, place: u32) -> Option<&CarrierPlace> {
        self.carriers.get(usize::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests;
