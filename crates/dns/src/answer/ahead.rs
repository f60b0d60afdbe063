//! Queries that wait together: what their names lead to is brought into the processor's caches for all of them at once.
//!
//! A look-up among a million names waits for memory at each step, longer than everything else that an answer costs. Steps of
//! different look-ups do not depend on each other, so that the processor waits for them at the same time when they stand
//! side by side. The answers afterwards find what they need close by.

use super::request::name_in;
use crate::name::MAX_NAME;
use crate::zone::{Entry, Probe, Zones};
use std::hint::black_box;

/// The most look-ups that stand side by side: what they bring fits into the caches.
pub(crate) const TOGETHER: usize = 32;
/// Octets that come from memory together.
const LINE: usize = 64;
/// The most octets of a name's records that are brought.
const RECORDS: usize = 8 * LINE;

/// Looks up the names of queries that are going to be answered from `zones`, for speed only: answers do not depend on it.
pub fn look_ahead<'q>(zones: &Zones, queries: impl IntoIterator<Item = &'q [u8]>) {
    let mut queries = queries.into_iter();
    loop {
        let mut probes = [const { None }; TOGETHER];
        let mut name = [0; MAX_NAME];
        let mut known = 0;
        for (place, query) in probes.iter_mut().zip(&mut queries) {
            *place = probe(zones, query, &mut name);
            known += 1;
        }
        let probes = probes.get_mut(..known).unwrap_or_default();
        together(probes);
        if known < TOGETHER {
            return;
        }
    }
}

/// The beginning of a look-up.
fn probe<'z>(
    zones: &'z Zones,
    query: &[u8],
    name: &mut [u8; MAX_NAME],
) -> Option<Probe<'z, Entry>> {
    let written = name_in(query)?;
    let name = name.get_mut(..written.len())?;
    name.copy_from_slice(written);
    name.make_ascii_lowercase();
    Some(zones.find(name)?.probe(name))
}

fn together(probes: &mut [Option<Probe<'_, Entry>>]) {
    let mut goes_on = true;
    while goes_on {
        goes_on = false;
        for probe in probes.iter_mut().flatten() {
            goes_on |= probe.step();
        }
    }
    let mut sum = 0_u8;
    for entry in probes.iter().flatten().filter_map(Probe::value) {
        let octets = entry.octets();
        let octets = octets.get(..octets.len().min(RECORDS)).unwrap_or_default();
        sum = octets.iter().step_by(LINE).fold(sum, |sum, octet| sum ^ octet);
    }
    // Without a use for what was read it would not be read.
    black_box(sum);
}
