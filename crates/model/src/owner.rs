//! Who owns a record.

/// The id of a customer; 0 belongs to nobody (B14).
pub type CustomerId = i64;

/// The customer and the reseller that a record belongs to (B9, B10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ownership {
    /// The owning customer, 0 for nobody.
    pub customer: CustomerId,
    /// The owning reseller, 0 for nobody.
    pub reseller: CustomerId,
}
