//! Which gateways take a number, and in which order (B131 to B133).

use super::{CarrierPlace, Entry, GatewayPlace, Pstn};
use crate::facts::GatewayOrder;
use ngn_model::{Carrier, CustomerId};

/// Whose call it is, as routes ask for it.
pub(crate) struct Originator<'a> {
    /// The reseller whose routes hold, beside those of the platform.
    pub(crate) reseller: CustomerId,
    /// The originators that match, the closest first, in lower case.
    pub(crate) names: Vec<String>,
    /// The carrier that takes everything, whatever the routes say.
    pub(crate) carrier: Option<&'a str>,
}

/// A carrier that takes the number, and why.
pub(crate) struct Choice<'p> {
    pub(crate) carrier: &'p Carrier,
    /// In the order in which they are tried.
    pub(crate) gateways: Vec<&'p GatewayPlace>,
    /// The route's id; `None` when the carrier was named.
    pub(crate) route: Option<i64>,
    /// How many digits of the number the route is for.
    pub(crate) digits: usize,
    /// The originator that the route is for, empty for all.
    pub(crate) originator: String,
    pub(crate) priority: i32,
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
            let named =
                self.carrier_named(name, who.reseller).and_then(|place| self.carrier(place));
            return named.and_then(|place| self.choice(place, order, seed)).into_iter().collect();
        }
        let groups = self.groups_of(who);
        for (digits, entries) in self.trie.matches(number) {
            let mut choices = Vec::new();
            for (originator, group) in &groups {
                let first = entries.partition_point(|entry| entry.group < *group);
                let of_group = entries.get(first..).unwrap_or_default();
                let mut of_group: Vec<&Entry> =
                    of_group.iter().take_while(|entry| entry.group == *group).collect();
                share(&mut of_group, seed);
                choices.extend(of_group.into_iter().filter_map(|entry| {
                    let choice = self.choice(self.carrier(entry.carrier)?, order, seed)?;
                    let (originator, route) = ((*originator).to_owned(), Some(entry.id));
                    Some(Choice { route, digits, originator, priority: entry.priority, ..choice })
                }));
            }
            if !choices.is_empty() {
                return choices;
            }
        }
        Vec::new()
    }

    /// The groups of routes that hold for somebody, the best first.
    fn groups_of<'w>(&self, who: &'w Originator<'_>) -> Vec<(&'w str, u32)> {
        let names = who.names.iter().map(String::as_str).filter(|name| !name.is_empty());
        let mut groups = Vec::new();
        for name in names.chain([""]) {
            let Some(originator) = self.originators.get(name) else { continue };
            for reseller in [who.reseller, 0] {
                let group = self.groups.get(&(reseller, *originator));
                groups.extend(group.map(|group| (name, *group)));
                if who.reseller == 0 {
                    break;
                }
            }
        }
        groups
    }

    fn choice<'p>(
        &self,
        place: &'p CarrierPlace,
        order: GatewayOrder,
        seed: u64,
    ) -> Option<Choice<'p>> {
        let carrier = place.carrier.as_ref()?;
        let mut gateways: Vec<&GatewayPlace> = place.gateways.iter().collect();
        if order == GatewayOrder::Shared {
            rotate(&mut gateways, seed);
        }
        (!gateways.is_empty()).then(|| Choice {
            carrier,
            gateways,
            route: None,
            digits: 0,
            originator: String::new(),
            priority: 0,
        })
    }
}

/// Routes of one priority take turns.
fn share(entries: &mut [&Entry], seed: u64) {
    for equal in entries.chunk_by_mut(|a, b| a.priority == b.priority) {
        rotate(equal, seed);
    }
}

/// Begins at another place for each seed, each as often as the others.
fn rotate<T>(list: &mut [T], seed: u64) {
    let length = u64::try_from(list.len()).unwrap_or(1).max(1);
    // Neighbouring seeds are spread (the finaliser of SplitMix64).
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let turns = usize::try_from((mixed ^ (mixed >> 31)) % length).unwrap_or(0);
    list.rotate_left(turns.min(list.len()));
}
