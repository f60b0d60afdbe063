//! The order of SRV records (RFC 2782).

use super::Srv;

/// The most records of one name that are looked at.
const MOST: usize = 64;

/// The records in the order in which their servers are tried: by priority, and within one by chance, in proportion to
/// their weights. `random` gives a number from 0 to the given one, both included.
pub(super) fn order<'r>(records: &'r [Srv], random: &mut dyn FnMut(u32) -> u32) -> Vec<&'r Srv> {
    let mut waiting: Vec<&Srv> = records.iter().take(MOST).collect();
    // Those of weight 0 come first, so that they are chosen now and then.
    waiting.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut ordered = Vec::with_capacity(waiting.len());
    while let Some(first) = waiting.first() {
        let priority = first.priority;
        let same = || waiting.iter().take_while(|record| record.priority == priority);
        let sum: u32 = same().map(|record| u32::from(record.weight)).sum();
        let chosen = random(sum).min(sum);
        let mut running = 0;
        let place = same().position(|record| {
            running += u32::from(record.weight);
            running >= chosen
        });
        ordered.push(waiting.remove(place.unwrap_or(0)));
    }
    ordered
}
