//! Typed values of the fields that are asked for again and again, as reading the message found them.

use crate::header::{CSeq, FromHeader, HeaderName, ToHeader, Via};
use std::sync::Arc;

/// What is known already; `None` has to be read from the field.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The topmost Via.
    pub(super) via: Option<Arc<Via>>,
    pub(super) from: Option<Arc<FromHeader>>,
    pub(super) to: Option<Arc<ToHeader>>,
    pub(super) cseq: Option<CSeq>,
}

impl Known {
    /// Forgets what an edit of a field may have changed.
    pub(super) fn forget(&mut self, name: HeaderName) {
        match name {
            HeaderName::Via => self.via = None,
            HeaderName::From => self.from = None,
            HeaderName::To => self.to = None,
            HeaderName::CSeq => self.cseq = None,
            _ => {}
        }
    }
}
