//! Emergency calls (B165): which numbers they are, and where they go.
//!
//! Whoever is known may make them: accounts that are blocked, that are not registered, that have not shown a password
//! yet, and trunks. Nothing else is looked at: no access list, limit, barring, or rule of whoever takes the call.

use crate::dial;
use crate::diversion::number_in;
use crate::facts::{Callee, Caller, Settings};
use crate::legs::{Legs, Way};
use crate::paying::Paying;
use ngn_model::call_plan::{Condition, Leg, Target, Why};
use ngn_model::{DomainName, EmergencyMapping};
use std::collections::{BTreeMap, BTreeSet};

/// The service URN of emergency calls (RFC 5031 section 4.2).
const SOS: &str = "urn:service:sos";

/// The emergency numbers and the mapping of calls to them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmergencyTable {
    numbers: BTreeSet<String>,
    /// The rows of each number, by id.
    rows: BTreeMap<String, Vec<EmergencyMapping>>,
}

impl EmergencyTable {
    /// A table of numbers that are emergency numbers whatever is mapped, and of rows.
    pub fn new(
        numbers: impl IntoIterator<Item = String>,
        rows: impl IntoIterator<Item = EmergencyMapping>,
    ) -> Self {
        let mut table = Self { numbers: numbers.into_iter().collect(), rows: BTreeMap::new() };
        for mut row in rows {
            row.domain = row.domain.trim().to_ascii_lowercase();
            row.region = row.region.trim().to_owned();
            if !row.number.is_empty() && !row.target.trim().is_empty() {
                table.rows.entry(row.number.clone()).or_default().push(row);
            }
        }
        for rows in table.rows.values_mut() {
            rows.sort_by_key(|row| row.id);
        }
        table
    }

    /// Whether a dialled number is an emergency number: one of those that are configured, or one that is mapped.
    #[must_use]
    pub fn knows(&self, number: &str) -> bool {
        self.numbers.contains(number) || self.rows.contains_key(number)
    }

    /// Every emergency number.
    pub fn numbers(&self) -> impl Iterator<Item = &str> {
        let mapped = self.rows.keys().filter(|number| !self.numbers.contains(*number));
        self.numbers.iter().chain(mapped).map(String::as_str)
    }

    /// The rows for a number, a domain and a region, the closest first: both, domain, region, neither; in each by id.
    /// A row with another domain or region than the caller's is not among them.
    #[must_use]
    pub fn rows(&self, number: &str, domain: &str, region: &str) -> Vec<&EmergencyMapping> {
        let rows = self.rows.get(number).map_or(&[][..], Vec::as_slice);
        let fits = |row: &&EmergencyMapping| {
            (row.domain.is_empty() || row.domain == domain)
                && (row.region.is_empty() || row.region.eq_ignore_ascii_case(region))
        };
        let mut fitting: Vec<&EmergencyMapping> = rows.iter().filter(fits).collect();
        fitting.sort_by_key(|row| (row.domain.is_empty(), row.region.is_empty()));
        fitting
    }

    /// Every URI that emergency calls may go to.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.rows.values().flatten().map(|row| row.target.as_str())
    }

    /// The emergency number that was dialled: a short number, or a service URN, which without a row of its own stands
    /// for the first number (RFC 5031 section 4.2: who does not know a service takes the one above it).
    #[must_use]
    pub fn number(&self, dialled: &str) -> Option<&str> {
        let known = |number: &str| {
            let row = self.rows.get_key_value(number).map(|(known, _)| known.as_str());
            row.or_else(|| self.numbers.get(number).map(String::as_str))
        };
        let dialled = dialled.trim();
        if !dialled.bytes().any(|octet| octet.is_ascii_alphabetic()) {
            return known(dialled);
        }
        let dialled = dialled.to_ascii_lowercase();
        if dialled != SOS && !dialled.starts_with("urn:service:sos.") {
            return known(&dialled);
        }
        let mut service = dialled.as_str();
        loop {
            if let Some(found) = known(service) {
                return Some(found);
            }
            match service.rsplit_once('.') {
                Some((above, _)) => service = above,
                None => break,
            }
        }
        self.numbers.first().or_else(|| self.rows.keys().next()).map(String::as_str)
    }
}

/// An emergency call, as the mapping is asked about it.
struct Called<'t> {
    number: &'t str,
    domain: &'t str,
    region: &'t str,
}

/// What is called when it is an emergency number; `None` when it is none, or nobody who is known calls.
fn called<'t>(
    table: &'t EmergencyTable,
    caller: Caller<'t>,
    dialled: &str,
    domain: Option<&'t DomainName>,
    settings: &Settings,
) -> Option<Called<'t>> {
    let (place, region) = match caller {
        Caller::Account(account) | Caller::Claimed(account) => {
            (account.aor.domain().as_str(), account.region.as_deref().unwrap_or_default())
        }
        Caller::Peer(_) => (domain.map_or("", |domain| domain.as_str()), ""),
        Caller::Stranger => return None,
    };
    let of_trunk = || match caller {
        Caller::Peer(_) => table.number(&dial::read(&caller, dialled, domain, settings).user),
        Caller::Account(_) | Caller::Claimed(_) | Caller::Stranger => None,
    };
    let number = table.number(dialled).or_else(of_trunk)?;
    Some(Called { number, domain: place, region })
}

/// The URIs that a call may go to by the mapping: [`crate::CallFacts::diverted`] says who those in domains of ours are.
/// None when it is no emergency call.
#[must_use]
pub fn targets<'t>(
    table: &'t EmergencyTable,
    caller: Caller<'t>,
    dialled: &str,
    domain: Option<&'t DomainName>,
    settings: &Settings,
) -> Vec<&'t str> {
    let Some(called) = called(table, caller, dialled, domain, settings) else { return Vec::new() };
    let rows = table.rows(called.number, called.domain, called.region);
    rows.into_iter().map(|row| row.target.as_str()).collect()
}

/// The steps of an emergency call; `None` when it is none. What was done is told in `legs`.
pub(crate) fn reach(legs: &mut Legs<'_>) -> Option<Vec<Why>> {
    let facts = legs.facts;
    let paying = match facts.caller {
        Caller::Account(account) | Caller::Claimed(account) => Paying::Account(account),
        Caller::Peer(peer) => Paying::Peer(peer),
        Caller::Stranger => return None,
    };
    if matches!(facts.callee, Callee::Foreign { .. }) {
        return None;
    }
    let table = facts.emergency;
    let called = called(table, facts.caller, facts.dialled, facts.domain, facts.settings)?;
    let Called { number, domain, region } = called;
    let why = Why::new("B165", "an emergency number is called")
        .with("number", number)
        .with("domain", domain)
        .with("region", region);
    for row in table.rows(number, domain, region) {
        to_target(legs, row, paying);
    }
    if legs.steps.is_empty() {
        let none = Why::new("B165", "no target is mapped: a gateway takes the number as dialled");
        let way = Way { why: &[none], ..Way::FIRST };
        let called = facts.settings.numbers_of(facts.domain).country_code.clone();
        legs.emergency_gateways(&format!("00{called}{number}"), number, paying, &way);
    }
    Some(vec![why])
}

/// One target of the mapping: an account of ours, a number, or elsewhere.
fn to_target(legs: &mut Legs<'_>, row: &EmergencyMapping, paying: Paying<'_>) {
    let facts = legs.facts;
    let target = row.target.trim();
    let why = Why::new("B165", "the emergency mapping has a target")
        .with("row", row.id.to_string())
        .with("domain", row.domain.clone())
        .with("region", row.region.clone());
    let known = facts.diverted.iter().find(|diverted| diverted.uri == row.target);
    match known.map(|known| known.callee) {
        Some(Callee::Account { account, bindings, .. }) => {
            let live = legs.phones(bindings);
            if live.is_empty() {
                let why = Why::new("B165", "nothing is registered at the target of the mapping");
                legs.not_tried.push(why.with("account", account.aor.to_string()));
                return;
            }
            let targets = live.into_iter().map(|b| Target::Binding(Box::new(b.clone()))).collect();
            legs.emergency_target(targets, vec![why]);
        }
        Some(Callee::Unknown { .. }) => match number_in(target, facts.settings) {
            Some(number) => {
                let way = Way { why: &[why], ..Way::FIRST };
                legs.emergency_gateways(&number, "", paying, &way);
            }
            None => {
                let why = Why::new("B165", "nobody has the address of the mapping");
                legs.not_tried.push(why.with("target", target));
            }
        },
        Some(Callee::Foreign { .. }) | None => {
            let lower = target.to_ascii_lowercase();
            let has_scheme = lower.starts_with("sip:") || lower.starts_with("sips:");
            let uri = if has_scheme { target.to_owned() } else { format!("sip:{target}") };
            legs.emergency_target(vec![Target::Uri(uri)], vec![why]);
        }
    }
}

impl Legs<'_> {
    /// The next of the places that take emergency calls.
    pub(crate) fn emergency_target(&mut self, targets: Vec<Target>, why: Vec<Why>) {
        let when = if self.steps.is_empty() { Condition::First } else { Condition::Unanswered };
        let timeout = self.facts.settings.gateway_answer_timeout;
        self.push(when, Leg::default(), targets, timeout, (why, &[]));
    }
}

#[cfg(test)]
mod tests;
