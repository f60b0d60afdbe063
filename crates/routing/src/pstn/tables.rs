//! From rows to the table, and from changed rows to another one.

use super::trie::{MOST_DIGITS, Trie};
use super::{CarrierPlace, Entry, GatewayPlace, Pstn};
use ngn_model::{Carrier, CustomerId, Gateway, GatewayRule, Route};
use std::collections::{BTreeMap, HashSet};

/// The new state of one row; `None` means that it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A carrier, by its id.
    Carrier(i64, Option<Carrier>),
    /// A gateway, by its id.
    Gateway(i64, Option<Gateway>),
    /// A gateway rule, by its id.
    Rule(i64, Option<GatewayRule>),
    /// A route, by its id.
    Route(i64, Option<Route>),
}

/// Rows in a form that is quickly changed.
#[derive(Default)]
struct Rows {
    carriers: BTreeMap<i64, Carrier>,
    gateways: BTreeMap<i64, Gateway>,
    rules: BTreeMap<i64, GatewayRule>,
    routes: Vec<Packed>,
}

/// A route as it is between two tables.
struct Packed {
    prefix: Box<[u8]>,
    id: i64,
    carrier_id: i64,
    priority: i32,
    /// Its place in the list of originators.
    originator: u32,
}

pub(super) fn build(
    carriers: impl IntoIterator<Item = Carrier>,
    gateways: impl IntoIterator<Item = Gateway>,
    rules: impl IntoIterator<Item = GatewayRule>,
    routes: impl IntoIterator<Item = Route>,
) -> Pstn {
    let mut rows = Rows {
        carriers: carriers.into_iter().map(|carrier| (carrier.id, carrier)).collect(),
        gateways: gateways.into_iter().map(|gateway| (gateway.id, gateway)).collect(),
        rules: rules.into_iter().map(|rule| (rule.id, rule)).collect(),
        routes: Vec::new(),
    };
    let mut originators = BTreeMap::new();
    let mut unusable = 0;
    for route in routes {
        match pack(&route, &mut originators) {
            Some(packed) => rows.routes.push(packed),
            None => unusable += 1,
        }
    }
    rows.index(originators, unusable)
}

impl Pstn {
    /// The table after some changes, of which a later one for the same row counts.
    #[must_use]
    pub fn with(&self, changes: &[Change]) -> Self {
        let mut rows = Rows::default();
        for place in &self.carriers {
            rows.carriers.extend(place.carrier.clone().map(|carrier| (place.id, carrier)));
            for gateway in &place.gateways {
                rows.gateways.insert(gateway.gateway.id, gateway.gateway.clone());
                rows.rules.extend(gateway.rules.iter().map(|rule| (rule.id, rule.clone())));
            }
        }
        rows.rules.extend(self.stray_rules.iter().map(|rule| (rule.id, rule.clone())));
        let groups: BTreeMap<u32, u32> =
            self.groups.iter().map(|((_, originator), group)| (*group, *originator)).collect();
        let (mut originators, mut unusable) = (self.originators.clone(), self.unusable);
        let changed: HashSet<i64> = changes.iter().filter_map(Change::route).collect();
        let kept = self.trie.all().into_iter().filter(|(_, entry)| !changed.contains(&entry.id));
        rows.routes = kept
            .filter_map(|(prefix, entry)| {
                Some(Packed {
                    prefix,
                    id: entry.id,
                    carrier_id: self.carrier(entry.carrier)?.id,
                    priority: entry.priority,
                    originator: *groups.get(&entry.group)?,
                })
            })
            .collect();
        let mut routes: BTreeMap<i64, &Option<Route>> = BTreeMap::new();
        for change in changes {
            match change {
                Change::Carrier(id, new) => set(&mut rows.carriers, *id, new.as_ref()),
                Change::Gateway(id, new) => set(&mut rows.gateways, *id, new.as_ref()),
                Change::Rule(id, new) => set(&mut rows.rules, *id, new.as_ref()),
                Change::Route(id, new) => {
                    routes.insert(*id, new);
                }
            }
        }
        for route in routes.into_values().flatten() {
            match pack(route, &mut originators) {
                Some(packed) => rows.routes.push(packed),
                None => unusable += 1,
            }
        }
        rows.index(originators, unusable)
    }
}

impl Change {
    const fn route(&self) -> Option<i64> {
        match self {
            Self::Route(id, _) => Some(*id),
            Self::Carrier(..) | Self::Gateway(..) | Self::Rule(..) => None,
        }
    }
}

fn set<T: Clone>(rows: &mut BTreeMap<i64, T>, id: i64, new: Option<&T>) {
    match new {
        Some(new) => {
            rows.insert(id, new.clone());
        }
        None => {
            rows.remove(&id);
        }
    }
}

/// `None` when no number can match its prefix.
fn pack(route: &Route, originators: &mut BTreeMap<String, u32>) -> Option<Packed> {
    let prefix = route.prefix.trim();
    let is_usable = prefix.len() <= MOST_DIGITS && prefix.bytes().all(|b| b.is_ascii_digit());
    is_usable.then(|| {
        let next = u32::try_from(originators.len()).unwrap_or(u32::MAX);
        let originator = route.originator.trim().to_ascii_lowercase();
        Packed {
            prefix: prefix.as_bytes().into(),
            id: route.id,
            carrier_id: route.carrier_id,
            priority: route.priority,
            originator: *originators.entry(originator).or_insert(next),
        }
    })
}

impl Rows {
    fn index(self, originators: BTreeMap<String, u32>, unusable: usize) -> Pstn {
        let mut pstn = Pstn { originators, unusable, ..Pstn::default() };
        for carrier in self.carriers.into_values() {
            let place = pstn.place(carrier.id);
            if let Some(place) = pstn.carrier_mut(place) {
                place.carrier = Some(carrier);
            }
        }
        let mut rules: BTreeMap<i64, Vec<GatewayRule>> = BTreeMap::new();
        for rule in self.rules.into_values() {
            rules.entry(rule.gateway_id).or_default().push(rule);
        }
        for gateway in self.gateways.into_values() {
            let mut rules = rules.remove(&gateway.id).unwrap_or_default();
            rules.sort_by_key(|rule| (std::cmp::Reverse(rule.prefix.len()), rule.id));
            let place = pstn.place(gateway.carrier_id);
            if let Some(place) = pstn.carrier_mut(place) {
                place.gateways.push(GatewayPlace { gateway, rules });
            }
        }
        // Rules that are known before their gateway wait for it.
        pstn.stray_rules = rules.into_values().flatten().collect();
        let mut sorted: Vec<(Box<[u8]>, Entry)> = Vec::with_capacity(self.routes.len());
        for route in self.routes {
            let carrier = pstn.place(route.carrier_id);
            let reseller = pstn
                .carrier(carrier)
                .and_then(|place| place.carrier.as_ref())
                .map_or(CustomerId::MIN, |carrier| carrier.reseller);
            let next = u32::try_from(pstn.groups.len()).unwrap_or(u32::MAX);
            let group = *pstn.groups.entry((reseller, route.originator)).or_insert(next);
            let entry = Entry { id: route.id, priority: route.priority, carrier, group };
            sorted.push((route.prefix, entry));
        }
        sorted.sort_unstable_by(|(a, x), (b, y)| {
            a.cmp(b).then_with(|| (x.group, x.priority, x.id).cmp(&(y.group, y.priority, y.id)))
        });
        pstn.trie = Trie::new(&sorted);
        pstn
    }
}

impl Pstn {
    /// The place of a carrier, which is made when there is none.
    fn place(&mut self, id: i64) -> u32 {
        let next = u32::try_from(self.carriers.len()).unwrap_or(u32::MAX);
        let carriers = &mut self.carriers;
        *self.carrier_places.entry(id).or_insert_with(|| {
            carriers.push(CarrierPlace { id, carrier: None, gateways: Vec::new() });
            next
        })
    }

    fn carrier_mut(&mut self, place: u32) -> Option<&mut CarrierPlace> {
        self.carriers.get_mut(usize::try_from(place).ok()?)
    }
}
