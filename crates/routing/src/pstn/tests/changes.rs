//! Tables that were changed again and again beside those that were made so.

use super::*;
use std::collections::BTreeMap;

/// What was provisioned.
#[derive(Default, Clone)]
struct Rows {
    carriers: BTreeMap<i64, Carrier>,
    gateways: BTreeMap<i64, Gateway>,
    rules: BTreeMap<i64, GatewayRule>,
    routes: BTreeMap<i64, Route>,
}

impl Rows {
    fn apply(&mut self, change: &Change) {
        fn set<T: Clone>(rows: &mut BTreeMap<i64, T>, id: i64, new: Option<&T>) {
            match new {
                Some(new) => rows.insert(id, new.clone()),
                None => rows.remove(&id),
            };
        }
        match change {
            Change::Carrier(id, new) => set(&mut self.carriers, *id, new.as_ref()),
            Change::Gateway(id, new) => set(&mut self.gateways, *id, new.as_ref()),
            Change::Rule(id, new) => set(&mut self.rules, *id, new.as_ref()),
            Change::Route(id, new) => set(&mut self.routes, *id, new.as_ref()),
        }
    }

    fn made(&self) -> Pstn {
        let Self { carriers, gateways, rules, routes } = self.clone();
        Pstn::new(
            carriers.into_values(),
            gateways.into_values(),
            rules.into_values(),
            routes.into_values(),
        )
    }
}

/// Everything in a table, whatever numbers its groups have.
fn all(pstn: &Pstn) -> Vec<String> {
    let group = |number: u32| pstn.groups.group(number).expect("the group of a route");
    let carriers = pstn.carriers.iter().map(|row| format!("{row:?}"));
    let names = pstn.names.iter().map(|row| format!("{row:?}"));
    let gateways = pstn.gateways.iter().map(|row| format!("{row:?}"));
    let rules = pstn.rules.iter().map(|row| format!("{row:?}"));
    let mut routes: Vec<String> = pstn
        .routes
        .iter()
        .map(|(place, carrier)| {
            let Place { prefix, priority, id, .. } = place;
            format!("{prefix:?} {:?} {priority} {id} {carrier}", group(place.group))
        })
        .collect();
    let mut places: Vec<String> = pstn
        .places
        .iter()
        .map(|(id, at)| match at.prefix {
            Digits::NONE => format!("{id} nowhere"),
            prefix => format!("{id} {prefix:?} {:?} {}", group(at.group), at.priority),
        })
        .collect();
    routes.sort();
    places.sort();
    let sizes = format!("{} {} {}", pstn.routes(), pstn.unusable_routes(), pstn.groups.len());
    carriers
        .chain(names)
        .chain(gateways)
        .chain(rules)
        .chain(routes)
        .chain(places)
        .chain([sizes])
        .collect()
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("fits") % end
    }

    fn id(&mut self, end: usize) -> i64 {
        i64::try_from(self.below(end)).expect("fits") + 1
    }

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }

    fn change(&mut self, routes: usize) -> Change {
        let is_there = self.below(4) > 0;
        match self.below(12) {
            0 => {
                let id = self.id(5);
                let reseller = [0, 7, 8][self.below(3)];
                Change::Carrier(id, is_there.then(|| carrier(id, reseller)))
            }
            1 => {
                let (id, of) = (self.id(6), self.id(5));
                Change::Gateway(id, is_there.then(|| gateway(id, of)))
            }
            2 => {
                let (id, gateway_id) = (self.id(6), self.id(6));
                let prefix = self.one(&["", "00", "0031"]).to_owned();
                let prepend = self.one(&["", "+"]).to_owned();
                let rule = GatewayRule {
                    id,
                    gateway_id,
                    prefix,
                    strip: 2,
                    prepend,
                    min_length: 0,
                    max_length: 0,
                };
                Change::Rule(id, is_there.then_some(rule))
            }
            _ => {
                let (id, of) = (self.id(routes), self.id(5));
                let prefix = self.one(&[
                    "",
                    "00",
                    "0031",
                    " 00312",
                    "0032",
                    "003120123456",
                    "+31",
                    "0",
                    "1234567890123456789",
                ]);
                let originator =
                    self.one(&["", "", "x.example", "A@x.example", "a@x.example ", "y.example"]);
                let priority = i32::try_from(self.below(3)).expect("fits") - 1;
                Change::Route(id, is_there.then(|| route(id, prefix, originator, of, priority)))
            }
        }
    }
}

#[test]
fn any_changes_make_the_table_that_is_made_of_the_rows() {
    let count = std::env::var_os("NGN_PLANS").and_then(|text| text.to_str()?.parse().ok());
    let count = count.unwrap_or(20_000_u64) / 1_000;
    for seed in 0..count.max(20) {
        let mut random = Random(seed);
        let routes = [4, 30, 2_000][random.below(3)];
        let (mut rows, mut pstn) = (Rows::default(), Pstn::default());
        for step in 0..40 {
            let most = [1, 1, 8, 400][random.below(4)];
            let changes: Vec<Change> =
                (0..=random.below(most)).map(|_| random.change(routes)).collect();
            let (before, was) = (pstn.clone(), all(&pstn));
            pstn = pstn.with(&changes);
            changes.iter().for_each(|change| rows.apply(change));
            assert_eq!(all(&pstn), all(&rows.made()), "seed {seed}, step {step}: {changes:?}");
            assert_eq!(all(&before), was, "the table before is as it was");
            let only_routes = changes.iter().all(|change| matches!(change, Change::Route(..)));
            assert!(!only_routes || pstn.has_gateways_of(&before));
        }
    }
}

#[test]
fn b133_routes_follow_their_carrier_to_another_reseller() {
    let before = pstn(3, vec![route(1, "0031", "", 1, 0), route(2, "0031", "", 3, 1)]);
    assert_eq!(chosen(&before, "003120", 8, &[]), [1, 2]);
    let after = before.with(&[Change::Carrier(1, Some(carrier(1, 7)))]);
    assert_eq!(chosen(&after, "003120", 8, &[]), [2]);
    assert_eq!(chosen(&after, "003120", 7, &[]), [1, 2]);
    let gone = after.with(&[Change::Carrier(1, None)]);
    assert_eq!(chosen(&gone, "003120", 7, &[]), [2]);
    let again = gone.with(&[Change::Carrier(1, Some(carrier(1, 0)))]);
    assert_eq!(chosen(&again, "003120", 8, &[]), [1, 2]);
}

#[test]
fn a_route_that_nothing_matched_counts_no_more_once_it_is_mended_or_gone() {
    let before = pstn(1, vec![route(1, "+31", "", 1, 0), route(2, "x", "", 1, 0)]);
    assert_eq!((before.routes(), before.unusable_routes()), (0, 2));
    let mended = before.with(&[Change::Route(1, Some(route(1, "0031", "", 1, 0)))]);
    assert_eq!((mended.routes(), mended.unusable_routes()), (1, 1));
    assert_eq!(chosen(&mended, "0031", 0, &[]), [1]);
    let gone = mended.with(&[Change::Route(2, None), Change::Route(1, None)]);
    assert_eq!((gone.routes(), gone.unusable_routes(), gone.groups.len()), (0, 0, 0));
}

#[test]
fn b147_a_carrier_is_found_by_the_name_that_it_has_now() {
    let named = |id, name: &str, reseller| Carrier { id, name: name.to_owned(), reseller };
    let before = Pstn::new(
        [named(1, "Alpha", 0), named(2, "alpha", 7)],
        [gateway(1, 1), gateway(2, 2)],
        [],
        [],
    );
    let of = |pstn: &Pstn, name: &str, reseller| {
        pstn.carrier_named(name, reseller).map(|c| c.carrier.id)
    };
    assert_eq!(of(&before, "ALPHA", 7), Some(2));
    assert_eq!(of(&before, "ALPHA", 8), Some(1));
    let after = before.with(&[Change::Carrier(2, Some(named(2, "beta", 7)))]);
    assert_eq!(of(&after, "alpha", 7), Some(1));
    assert_eq!(of(&after, "Beta", 7), Some(2));
    assert_eq!(of(&after, "beta", 8), None);
}
