//! Which gateways take a number, and in which order (B131 to B133).

use super::{CarrierPlace, Entry, GatewayPlace, Pstn};
use crate::facts::GatewayOrder;
use ngn_model::{Carrier, CustomerId};

/// How many carriers one call may go through.
const MOST_CHOICES: usize = 8;

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
    /// The place of the originator that the route is for among [`Originator::names`]; `None` when it is for all.
    pub(crate) originator: Option<usize>,
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
            let (mut choices, mut carriers) = (Vec::new(), Vec::new());
            for (originator, group) in &groups {
                let first = entries.partition_point(|entry| entry.group < *group);
                let of_group = entries.get(first..).unwrap_or_default();
                let end = of_group.partition_point(|entry| entry.group == *group);
                for entry in turns(of_group.get(..end).unwrap_or_default(), seed) {
                    if choices.len() >= MOST_CHOICES {
                        break;
                    }
                    // A carrier's gateways are tried once, whatever routes lead to it.
                    if carriers.contains(&entry.carrier) {
                        continue;
                    }
                    carriers.push(entry.carrier);
                    let place = self.carrier(entry.carrier);
                    if let Some(choice) = place.and_then(|place| self.choice(place, order, seed)) {
                        let (route, originator) = (Some(entry.id), *originator);
                        let priority = entry.priority;
                        choices.push(Choice { route, digits, originator, priority, ..choice });
                    }
                }
            }
            if !choices.is_empty() {
                return choices;
            }
        }
        Vec::new()
    }

    /// The groups of routes that hold for somebody, the best first, with the place of their originator.
    fn groups_of(&self, who: &Originator<'_>) -> Vec<(Option<usize>, u32)> {
        let names = who.names.iter().enumerate().filter(|(_, name)| !name.is_empty());
        let names = names.map(|(place, name)| (Some(place), name.as_str())).chain([(None, "")]);
        let mut groups = Vec::new();
        for (place, name) in names {
            let Some(originator) = self.originators.get(name) else { continue };
            for reseller in [who.reseller, 0] {
                let group = self.groups.get(&(reseller, *originator));
                groups.extend(group.map(|group| (place, *group)));
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
            let first = start(gateways.len(), seed);
            gateways.rotate_left(first);
        }
        (!gateways.is_empty()).then_some(Choice {
            carrier,
            gateways,
            route: None,
            digits: 0,
            originator: None,
            priority: 0,
        })
    }
}

/// Routes of one group, those of one priority in turns.
fn turns(entries: &[Entry], seed: u64) -> impl Iterator<Item = &Entry> {
    entries.chunk_by(|a, b| a.priority == b.priority).flat_map(move |equal| {
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
