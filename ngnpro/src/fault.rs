//! Why an operation was refused, and what the caller reads of it.

use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_store::StoreError;

/// Why an operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// A rule was broken.
    #[error(transparent)]
    Refused(#[from] Fault),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpError {
    /// The same, with a code of its own for a failure of the database (contract D3: 4000 and 6000).
    #[must_use]
    pub fn unavailable(self, instead: u16) -> Self {
        let Self::Store(_) = &self else { return self };
        match self.into_fault() {
            fault if fault.code == code::BACKEND_FAILURE => {
                Self::Refused(Fault { code: instead, ..fault })
            }
            fault => Self::Refused(fault),
        }
    }

    /// The fault that the caller gets. A failure of the database is logged here and named without details.
    #[must_use]
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Refused(fault) => fault,
            Self::Store(error) => {
                let text = match &error {
                    StoreError::Invalid(_) => {
                        return Fault::client(
                            code::INVALID_ARGUMENT,
                            "a value is too long or of the wrong kind to be stored; shorten it",
                        );
                    }
                    StoreError::Unavailable(_) | StoreError::Contention(_) => {
                        "the database is not available at the moment; nothing was changed, try again"
                    }
                    _ => {
                        "the database could not do this; nothing was changed, the operator's log says why"
                    }
                };
                tracing::error!(error = %chain(&error), "database failure");
                Fault::server(code::BACKEND_FAILURE, text)
            }
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
