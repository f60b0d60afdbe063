//! Where emergency calls go (B165).

/// A row of the emergency mapping: calls to a short number, from a domain and a region, go to a target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmergencyMapping {
    /// Its id.
    pub id: i64,
    /// The short number.
    pub number: String,
    /// The domain of the caller's account, in lower case; empty for every domain.
    pub domain: String,
    /// The region of the caller's account; empty for every region.
    pub region: String,
    /// The SIP URI that is called.
    pub target: String,
}
