//! To tags of our own responses.

use crate::proxy::secret::encode;

/// A tag, which the same request gets each time and nobody else can foresee: the first octets of a MAC over what finds its
/// transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag(pub(super) [u8; 9]);

impl Tag {
    /// As it stands in To.
    pub(super) fn to_text(self) -> String {
        encode(&self.0)
    }
}
