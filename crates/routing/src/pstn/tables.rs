//! From rows to the table, and from changed rows to another one.

use super::digits::Digits;
use super::groups::{Changed, NOBODY};
use super::map::Edit;
use super::select::originator_name;
use super::{At, CarrierPlace, GatewayPlace, Place, Pstn, RuleKey, RulePlace};
use ngn_model::{Carrier, CustomerId, Gateway, GatewayRule, Route};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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

/// The new states of rows by their ids.
type Rows<T> = BTreeMap<i64, Option<T>>;

/// A route as it is to be: where, and its carrier.
struct Packed {
    at: At,
    carrier: i64,
}

impl Pstn {
    /// The table after some changes, of which a later one for the same row counts.
    #[must_use]
    pub fn with(&self, changes: &[Change]) -> Self {
        let (mut carriers, mut gateways, mut rules) = (Rows::new(), Rows::new(), Rows::new());
        let mut routes = Vec::new();
        for change in changes {
            match change {
                Change::Carrier(id, new) => drop(carriers.insert(*id, new.clone())),
                Change::Gateway(id, new) => drop(gateways.insert(*id, new.clone())),
                Change::Rule(id, new) => drop(rules.insert(*id, new.clone())),
                Change::Route(id, new) => routes.push((*id, new.clone())),
            }
        }
        let mut pstn = self.clone();
        pstn.set_carriers(carriers);
        pstn.set_gateways(gateways);
        pstn.set_rules(rules);
        pstn.set_routes(routes.into_iter());
        pstn
    }

    pub(super) fn set_carriers(&mut self, rows: Rows<Carrier>) {
        let name = |c: &Carrier| (c.reseller, Arc::from(c.name.to_ascii_lowercase()), c.id);
        let (mut names, mut carriers) = (Vec::new(), Vec::new());
        // Carriers whose routes are somebody else's now.
        let mut moved = BTreeSet::new();
        for (id, new) in rows {
            let old = self.carriers.get(&id);
            let old = old.map(|place| &place.carrier);
            names.extend(old.map(|old| (name(old), None)));
            names.extend(new.as_ref().map(|new| (name(new), Some(()))));
            let reseller = |carrier: Option<&Carrier>| carrier.map_or(NOBODY, |c| c.reseller);
            if reseller(old) != reseller(new.as_ref()) {
                moved.insert(id);
            }
            let place = |carrier: Carrier| {
                let name = Arc::from(carrier.name.as_str());
                Arc::new(CarrierPlace { carrier, name })
            };
            carriers.push((id, new.map(place)));
        }
        let was_known = moved.iter().any(|id| self.carriers.get(id).is_some());
        self.names.edit(names);
        self.carriers.edit(carriers);
        // Routes of a carrier that was not known are nobody's.
        if was_known || (!moved.is_empty() && self.groups.has_nobodys()) {
            self.regroup(&moved);
        }
    }

    /// Puts the routes of some carriers to those of their resellers. All routes are looked at.
    fn regroup(&mut self, carriers: &BTreeSet<i64>) {
        let groups = self.groups.clone();
        let mut changed = groups.change();
        let mut routes = Vec::new();
        for (place, carrier) in self.routes.iter().filter(|(_, id)| carriers.contains(id)) {
            let Some(group) = groups.group(place.group) else { continue };
            let number = changed.number(self.reseller(*carrier), &group.originator);
            let at = At { prefix: place.prefix, group: number, priority: place.priority };
            routes.push((place.id, Some(Packed { at, carrier: *carrier })));
        }
        self.put_routes(routes, changed);
    }

    fn reseller(&self, carrier: i64) -> CustomerId {
        self.carrier(carrier).map_or(NOBODY, |place| place.carrier.reseller)
    }

    pub(super) fn set_gateways(&mut self, rows: Rows<Gateway>) {
        let (mut gateways, mut carriers) = (Vec::new(), Vec::new());
        for (id, new) in rows {
            gateways.extend(self.gateway_carriers.get(&id).map(|carrier| ((*carrier, id), None)));
            carriers.push((id, new.as_ref().map(|new| new.carrier_id)));
            gateways.extend(new.map(|gateway| self.gateway_place(gateway)));
        }
        self.gateways.edit(gateways);
        self.gateway_carriers.edit(carriers);
    }

    fn gateway_place(&self, gateway: Gateway) -> Edit<(i64, i64), Arc<GatewayPlace>> {
        let rules = self.rules.run(|(of, ..)| of.cmp(&gateway.id));
        let rules = rules.iter().map(|(_, rule)| Arc::clone(rule)).collect();
        let (name, host) = (Arc::from(gateway.name.as_str()), Arc::from(gateway.host.as_str()));
        let (key, address) = ((gateway.carrier_id, gateway.id), gateway.host.parse().ok());
        (key, Some(Arc::new(GatewayPlace { gateway, name, host, address, rules })))
    }

    pub(super) fn set_rules(&mut self, rows: Rows<GatewayRule>) {
        let (mut rules, mut keys, mut touched) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (id, new) in rows {
            rules.extend(self.rule_keys.get(&id).map(|key| (*key, None)));
            let key = |rule: &GatewayRule| -> RuleKey {
                (rule.gateway_id, Reverse(rule.prefix.len()), id)
            };
            keys.push((id, new.as_ref().map(key)));
            rules.extend(new.map(|rule| {
                let (prefix, prepend) =
                    (Arc::from(rule.prefix.as_str()), Arc::from(rule.prepend.as_str()));
                (key(&rule), Some(Arc::new(RulePlace { rule, prefix, prepend })))
            }));
        }
        touched.extend(rules.iter().map(|((gateway, ..), _)| *gateway));
        self.rules.edit(rules);
        self.rule_keys.edit(keys);
        // Rules that are known before their gateway wait for it.
        let places = touched.into_iter().filter_map(|id| {
            let carrier = self.gateway_carriers.get(&id)?;
            let place = self.gateways.get(&(*carrier, id))?;
            Some(self.gateway_place(place.gateway.clone()))
        });
        let places = places.collect();
        self.gateways.edit(places);
    }

    pub(super) fn set_routes(&mut self, rows: impl Iterator<Item = (i64, Option<Route>)>) {
        let groups = self.groups.clone();
        let mut changed = groups.change();
        let mut routes: Vec<(i64, Option<Packed>)> = rows
            .map(|(id, route)| (id, route.map(|route| self.pack(&route, &mut changed))))
            .collect();
        // Stable: what came last for a route stays behind what came before.
        routes.sort_by_key(|(id, _)| *id);
        routes.reverse();
        routes.dedup_by_key(|(id, _)| *id);
        routes.reverse();
        self.put_routes(routes, changed);
    }

    fn pack(&self, route: &Route, groups: &mut Changed<'_>) -> Packed {
        let originator = originator_name(&route.originator);
        let group = groups.number(self.reseller(route.carrier_id), &originator);
        let prefix = Digits::whole(route.prefix.trim()).unwrap_or(Digits::NONE);
        Packed { at: At { prefix, group, priority: route.priority }, carrier: route.carrier_id }
    }

    /// Puts routes, each named once, where they shall be.
    fn put_routes(&mut self, routes: Vec<(i64, Option<Packed>)>, mut groups: Changed<'_>) {
        let (mut gone, mut put, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (id, new) in routes {
            let place =
                |at: &At| Place { prefix: at.prefix, group: at.group, priority: at.priority, id };
            match self.places.get(&id) {
                Some(old) if old.prefix == Digits::NONE => {
                    self.unusable = self.unusable.saturating_sub(1)
                }
                Some(old) => {
                    groups.remove(old.group);
                    gone.push((place(old), None));
                }
                None => {}
            }
            match &new {
                Some(new) if new.at.prefix == Digits::NONE => {
                    self.unusable = self.unusable.saturating_add(1)
                }
                Some(new) => {
                    groups.add(new.at.group);
                    put.push((place(&new.at), Some(new.carrier)));
                }
                None => {}
            }
            places.push((id, new.map(|new| new.at)));
        }
        // Where a route was and is again, the latter counts.
        gone.append(&mut put);
        self.routes.edit(gone);
        self.places.edit(places);
        self.groups = groups.finish();
    }
}
