//! How many queries each zone gets.
//!
//! A bounded number of zones, the first ones that are asked for, have counters of their own, the others share some. Threads that answer
//! datagrams keep what they count to themselves for up to a second, each zone in a place of a small table.

use crate::metrics::By;
use crate::via::Via;
use arc_swap::ArcSwap;
use ngn_dns::answer::Rcode;
use ngn_dns::name::{MAX_NAME, Name};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Zones that a thread counts to itself.
const PLACES: usize = 64;
/// What a zone's answers are told apart by.
const RCODES: [&str; 3] = ["NOERROR", "NXDOMAIN", "other"];
/// What zones without counters of their own are called; no name of a zone is so short without being that of a top-level domain.
const OTHER: &str = "other";

fn column(rcode: Rcode) -> usize {
    match rcode {
        Rcode::NoError => 0,
        Rcode::NxDomain => 1,
        _ => 2,
    }
}

/// A zone's counters.
type Counts = Arc<[Counter; RCODES.len()]>;
type Known = HashMap<Box<[u8]>, Counts>;

/// The counters of all zones.
#[derive(Debug)]
pub(crate) struct ByZone {
    most: usize,
    /// By the apex in wire form and lower case.
    known: ArcSwap<Known>,
    adding: Mutex<()>,
    other: Counts,
    family: By<Counter, String, 2>,
}

impl ByZone {
    /// Counters for so many zones at most.
    pub(crate) fn new(most: usize) -> Self {
        let family = By::default();
        let other = counts(&family, OTHER);
        if most == 0 {
            family.clear();
        }
        Self { most, known: ArcSwap::default(), adding: Mutex::default(), other, family }
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        let help = "Queries for zones that are served, by what came of them";
        registry.register("enumd_zone_queries", help, self.family.clone());
    }

    /// The counters of a zone.
    fn of(&self, apex: &[u8]) -> Counts {
        let found = |known: &Known| known.get(apex).cloned();
        let known = self.known.load();
        if let Some(counts) = found(&known) {
            return counts;
        }
        if known.len() >= self.most {
            return Arc::clone(&self.other);
        }
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load();
        if let Some(counts) = found(&known) {
            return counts;
        }
        let Some(name) = Name::from_wire(apex).ok().filter(|_| known.len() < self.most) else {
            return Arc::clone(&self.other);
        };
        let counts = counts(&self.family, &name.to_string());
        let mut more = Known::clone(&known);
        more.insert(apex.into(), Arc::clone(&counts));
        self.known.store(Arc::new(more));
        counts
    }
}

fn counts(family: &By<Counter, String, 2>, zone: &str) -> Counts {
    let labels = |rcode: &str| [("zone", zone.to_owned()), ("rcode", rcode.to_owned())];
    Arc::new(RCODES.map(|rcode| family.get_or_create_owned(&labels(rcode))))
}

/// Counts for one thread or connection.
#[derive(Debug)]
pub(crate) struct Tally {
    shared: Arc<ByZone>,
    /// None where few queries come one after the other.
    places: Vec<Place>,
    /// The second in which was counted last.
    second: u64,
}

/// What was counted of a zone, and is not told yet.
#[derive(Debug)]
struct Place {
    /// In lower case; empty as long as there was none. It has room for every name, so that no other zone asks for more.
    apex: Vec<u8>,
    counts: Counts,
    queries: [u64; RCODES.len()],
}

impl Place {
    fn new(other: &Counts) -> Self {
        Self {
            apex: Vec::with_capacity(MAX_NAME),
            counts: Arc::clone(other),
            queries: [0; RCODES.len()],
        }
    }

    /// Counts another zone from now on.
    fn take(&mut self, apex: &[u8], shared: &ByZone) {
        self.tell();
        self.apex.clear();
        self.apex.extend_from_slice(apex);
        self.apex.make_ascii_lowercase();
        self.counts = shared.of(&self.apex);
    }

    fn tell(&mut self) {
        for (counter, queries) in self.counts.iter().zip(&mut self.queries) {
            if *queries > 0 {
                counter.inc_by(std::mem::take(queries));
            }
        }
    }
}

impl Tally {
    pub(crate) fn new(shared: &Arc<ByZone>, via: Via) -> Self {
        let mut places = Vec::new();
        if via == Via::Udp && shared.most > 0 {
            places.resize_with(PLACES, || Place::new(&shared.other));
        }
        Self { shared: Arc::clone(shared), places, second: 0 }
    }

    /// Counts a query for a zone, whose apex may be in any case, in a second since 1970 UTC.
    pub(crate) fn count(&mut self, apex: &[u8], rcode: Rcode, second: u64) {
        if self.shared.most == 0 {
            return;
        }
        let column = column(rcode);
        if self.second != second {
            self.tell();
            self.second = second;
        }
        let Some(place) = self.places.get_mut(number(apex)) else {
            if let Some(counter) = self.shared.of(&apex.to_ascii_lowercase()).get(column) {
                counter.inc();
            }
            return;
        };
        if !place.apex.eq_ignore_ascii_case(apex) {
            place.take(apex, &self.shared);
        }
        if let Some(queries) = place.queries.get_mut(column) {
            *queries += 1;
        }
    }

    /// Tells what was kept.
    pub(crate) fn tell(&mut self) {
        self.places.iter_mut().for_each(Place::tell);
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.tell();
    }
}

/// The place of a zone: by its first octets, since zones of one server end alike, in lower case.
fn number(apex: &[u8]) -> usize {
    let mut first = [0; 16];
    for (octet, place) in apex.iter().zip(&mut first) {
        *place = octet | 0x20;
    }
    let hash = u128::from_le_bytes(first).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    usize::try_from(hash >> 122).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apex(name: &str) -> Vec<u8> {
        Name::parse(name).unwrap().as_wire().to_vec()
    }

    fn shown(registry: &Registry) -> Vec<String> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode_registry(&mut text, registry).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.ends_with(" 0"));
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    }

    #[test]
    fn the_first_zones_are_counted_each_and_the_others_together() {
        for via in Via::ALL {
            let mut registry = Registry::default();
            let shared = Arc::new(ByZone::new(2));
            shared.register(&mut registry);
            let mut tally = Tally::new(&shared, via);
            for (name, rcode) in [
                ("a.example", Rcode::NoError),
                ("A.example", Rcode::NoError),
                ("b.example", Rcode::NxDomain),
                ("c.example", Rcode::NoError),
                ("d.example", Rcode::ServFail),
                ("a.example", Rcode::Refused),
            ] {
                tally.count(&apex(name), rcode, 1);
            }
            // The next second, or the end, tells.
            tally.count(&apex("a.example"), Rcode::NoError, 2);
            drop(tally);
            assert_eq!(
                shown(&registry),
                [
                    r#"enumd_zone_queries_total{zone="a.example",rcode="NOERROR"} 3"#,
                    r#"enumd_zone_queries_total{zone="a.example",rcode="other"} 1"#,
                    r#"enumd_zone_queries_total{zone="b.example",rcode="NXDOMAIN"} 1"#,
                    r#"enumd_zone_queries_total{zone="other",rcode="NOERROR"} 1"#,
                    r#"enumd_zone_queries_total{zone="other",rcode="other"} 1"#,
                ]
                .map(str::to_owned)
            );
        }
    }

    #[test]
    fn many_zones_in_turn_are_counted_right() {
        let mut registry = Registry::default();
        let shared = Arc::new(ByZone::new(500));
        shared.register(&mut registry);
        let mut tally = Tally::new(&shared, Via::Udp);
        for round in 0..10 {
            for n in 0..500 {
                tally.count(&apex(&format!("c{n}.example")), Rcode::NoError, round / 4);
            }
        }
        drop(tally);
        let lines = shown(&registry);
        assert_eq!(lines.len(), 500);
        assert!(lines.iter().all(|line| line.ends_with(" 10")), "{lines:?}");
    }

    #[test]
    fn nothing_is_counted_when_nothing_is_wanted() {
        let mut registry = Registry::default();
        let shared = Arc::new(ByZone::new(0));
        shared.register(&mut registry);
        Tally::new(&shared, Via::Udp).count(&apex("a.example"), Rcode::NoError, 1);
        assert_eq!(shown(&registry), [""; 0]);
    }
}
