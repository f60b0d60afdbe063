//! Which gateways take a number, and in which order (B131 to B133).

use super::digits::Digits;
use super::map::Run;
use super::{CarrierPlace, GatewayPlace, Place, Pstn};
use crate::facts::GatewayOrder;
use ngn_model::CustomerId;
use std::borrow::Cow;
use std::sync::Arc;

/// How many carriers one call may go through.
const MOST_CHOICES: usize = 8;

/// Whose call it is, as routes ask for it.
pub(crate) struct Originator<'a> {
    /// The reseller whose routes hold, beside those of the platform.
    pub(crate) reseller: CustomerId,
    /// The originators that match, the closest first, in lower case.
    pub(crate) names: Vec<Cow<'a, str>>,
    /// The carrier that takes everything, whatever the routes say.
    pub(crate) carrier: Option<&'a str>,
}

/// B132: an originator as it is compared, in lower case; accounts and domains may be written as URIs (`sip:alice@example.com`).
pub(crate) fn originator_name(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let scheme =
        |name: &str| text.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
    let skipped = ["sip:", "sips:"].iter().find(|name| scheme(name)).map_or(0, |name| name.len());
    let name = text.get(skipped..).unwrap_or_default();
    if name.bytes().any(|octet| octet.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// A carrier that takes the number, and why.
pub(crate) struct Choice<'p> {
    pub(crate) carrier: &'p CarrierPlace,
    /// By id.
    gateways: Run<'p, (i64, i64), Arc<GatewayPlace>>,
    /// The one of them that is tried first.
    first: usize,
    /// The route's id; `None` when the carrier was named.
    pub(crate) route: Option<i64>,
    /// How many digits of the number the route is for.
    pub(crate) digits: usize,
    /// The place of the originator that the route is for among [`Originator::names`]; `None` when it is for all.
    pub(crate) originator: Option<usize>,
    pub(crate) priority: i32,
}

/// A prefix of a number that has routes.
struct Found<'p> {
    prefix: Digits,
    /// How many digits it has.
    digits: u32,
    /// The last of its routes, behind others on the same page.
    nearby: &'p [(Place, i64)],
}

impl Choice<'_> {
    /// The gateways in the order in which they are tried.
    pub(crate) fn gateways(&self) -> impl Iterator<Item = &GatewayPlace> {
        let (after, before) = self.gateways.split_at(self.first.min(self.gateways.len()));
        before.iter().chain(after).map(|(_, place)| &**place)
    }
}

impl Pstn {
    /// The carriers that take a number, the best first. All have gateways.
    ///
    /// The longest prefix that leads to a gateway decides (B131); of its routes those for the caller go before those
    /// for all (B132), the reseller's own before the platform's (B133), then the lower priority.
    pub(crate) fn choose(
        &self,
        number: &str,
        who: &Originator<'_>,
        order: GatewayOrder,
        seed: u64,
    ) -> Vec<Choice<'_>> {
        if let Some(name) = who.carrier {
            let named = self.carrier_named(name, who.reseller);
            return named
                .and_then(|carrier| self.choice(carrier, order, seed))
                .into_iter()
                .collect();
        }
        let groups = self.groups_of(who);
        let (digits, mut length) = Digits::beginning(number);
        while !groups.is_empty()
            && let Some(found) = self.longest(digits, length)
        {
            let choices = self.choices(&found, &groups, (order, seed));
            if !choices.is_empty() || found.digits == 0 {
                return choices;
            }
            length = found.digits - 1;
        }
        Vec::new()
    }

    /// The longest prefix of the first `length` digits that has routes.
    fn longest(&self, digits: Digits, mut length: u32) -> Option<Found<'_>> {
        loop {
            let wanted = digits.first(length);
            let nearby = self.routes.up_to(|place| place.prefix <= wanted);
            let (Place { prefix, .. }, _) = nearby.last()?;
            // What lies between a prefix and the digits begins with that prefix.
            length = prefix.common(digits, length);
            if *prefix == digits.first(length) {
                return Some(Found { prefix: *prefix, digits: length, nearby });
            }
        }
    }

    /// The carriers to which the routes of a prefix and of some groups lead, each once.
    fn choices(
        &self,
        found: &Found<'_>,
        groups: &[(Option<usize>, u32)],
        (order, seed): (GatewayOrder, u64),
    ) -> Vec<Choice<'_>> {
        let (mut choices, mut carriers) = (Vec::new(), Vec::new());
        for (originator, group) in groups {
            let routes = self.routes_of(found, *group);
            for (place, carrier) in turns(&routes, seed) {
                if choices.len() >= MOST_CHOICES {
                    return choices;
                }
                // A carrier's gateways are tried once, whatever routes lead to it.
                if carriers.contains(carrier) {
                    continue;
                }
                carriers.push(*carrier);
                let carrier = self.carrier(*carrier);
                if let Some(choice) = carrier.and_then(|known| self.choice(known, order, seed)) {
                    let digits = usize::try_from(found.digits).unwrap_or(usize::MAX);
                    let (route, originator) = (Some(place.id), *originator);
                    let priority = place.priority;
                    choices.push(Choice { route, digits, originator, priority, ..choice });
                }
            }
        }
        choices
    }

    /// The routes of a prefix and a group.
    fn routes_of<'p>(&'p self, found: &Found<'p>, group: u32) -> Run<'p, Place, i64> {
        let wanted = (found.prefix, group);
        let order = |place: &Place| (place.prefix, place.group).cmp(&wanted);
        // All routes of the prefix lie on one page when those of another one stand before them there.
        if found.nearby.first().is_none_or(|(first, _)| first.prefix == found.prefix) {
            return self.routes.run(order);
        }
        let start = found.nearby.partition_point(|(place, _)| order(place).is_lt());
        let rest = found.nearby.get(start..).unwrap_or_default();
        let end = rest.partition_point(|(place, _)| order(place).is_le());
        rest.get(..end).unwrap_or_default().into()
    }

    /// The groups of routes that hold for somebody, the best first, with the place of their originator.
    fn groups_of(&self, who: &Originator<'_>) -> Vec<(Option<usize>, u32)> {
        let names = who.names.iter().enumerate().filter(|(_, name)| !name.is_empty());
        let names = names.map(|(place, name)| (Some(place), &**name)).chain([(None, "")]);
        let mut groups = Vec::new();
        for (place, name) in names {
            for reseller in [who.reseller, 0] {
                groups.extend(self.groups.number(reseller, name).map(|group| (place, group)));
                if who.reseller == 0 {
                    break;
                }
            }
        }
        groups
    }

    fn choice<'p>(
        &'p self,
        carrier: &'p CarrierPlace,
        order: GatewayOrder,
        seed: u64,
    ) -> Option<Choice<'p>> {
        let gateways = self.gateways.run(|(of, _)| of.cmp(&carrier.carrier.id));
        let first = match order {
            GatewayOrder::Shared => start(gateways.len(), seed),
            GatewayOrder::InOrder => 0,
        };
        (!gateways.is_empty()).then_some(Choice {
            carrier,
            gateways,
            first,
            route: None,
            digits: 0,
            originator: None,
            priority: 0,
        })
    }
}

/// Routes of one group, those of one priority in turns.
fn turns(routes: &[(Place, i64)], seed: u64) -> impl Iterator<Item = &(Place, i64)> {
    routes.chunk_by(|(a, _), (b, _)| a.priority == b.priority).flat_map(move |equal| {
        let (after, before) = equal.split_at(start(equal.len(), seed));
        before.iter().chain(after)
    })
}

/// Where a list begins, another place for each seed and each as often as the others.
fn start(length: usize, seed: u64) -> usize {
    let length = u64::try_from(length).unwrap_or(1).max(1);
    // Neighbouring seeds are spread (the finaliser of SplitMix64).
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((mixed ^ (mixed >> 31)) % length).unwrap_or(0)
}
