//! Emergency calls (B165): which numbers they are, and where they go.

use ngn_model::EmergencyMapping;
use std::collections::{BTreeMap, BTreeSet};

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

    /// Every URI that emergency calls may go to: [`crate::CallFacts::diverted`] says who those in domains of ours are.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.rows.values().flatten().map(|row| row.target.as_str())
    }
}
