//! What those who look after the server see of single queries and zones.

use serde::Deserialize;

/// Which queries are noted in the log. It is read again at SIGHUP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryLog {
    /// One of so many; 0 for none.
    pub one_in: u32,
    /// So many a second at most.
    pub per_second: u32,
}

impl Default for QueryLog {
    fn default() -> Self {
        Self { one_in: 0, per_second: 100 }
    }
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counting {
    /// How many zones have counters of their own, 0 to 1,000; the others share some.
    pub zones: usize,
}

impl Default for Counting {
    fn default() -> Self {
        Self { zones: 100 }
    }
}
