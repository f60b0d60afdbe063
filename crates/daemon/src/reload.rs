//! Settings that are read again while a daemon serves (SIGHUP).

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

/// Reads a daemon's settings again and takes what may change while it serves. Gives the names of the keys that changed
/// and hold after a restart only; an error leaves everything as it was.
#[derive(Clone)]
pub struct Reload(Arc<Act>);

type Act = dyn Fn() -> anyhow::Result<Vec<&'static str>> + Send + Sync;

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reload").finish_non_exhaustive()
    }
}

impl Reload {
    /// What is done at each signal. It may read files.
    pub fn new(
        act: impl Fn() -> anyhow::Result<Vec<&'static str>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(act))
    }

    /// Both, one after the other; the second one does not happen when the first one fails.
    #[must_use]
    pub fn and_then(self, next: Self) -> Self {
        Self::new(move || {
            let mut late = (self.0)()?;
            late.extend((next.0)()?);
            Ok(late)
        })
    }
}

/// Adds the keys of a section that differ to a list, and the section itself when what differs is none of them:
/// `differing!(list, began.section, new.section, "section": key, …)`. For keys in no section: `differing!(list, began, new; key, …)`.
#[macro_export]
macro_rules! differing {
    ($late:ident, $began:expr, $new:expr, $section:literal: $($field:ident),+) => {
        let before = $late.len();
        $(if $began.$field != $new.$field {
            $late.push(concat!($section, ".", stringify!($field)));
        })+
        if $began != $new && $late.len() == before {
            $late.push($section);
        }
    };
    ($late:ident, $began:expr, $new:expr; $($field:ident),+) => {
        $(if $began.$field != $new.$field {
            $late.push(stringify!($field));
        })+
    };
}

/// Reads settings again at each SIGHUP, which without this would end the process, and logs what came of it.
pub async fn reload_on_hangup(reload: Option<Reload>) -> Infallible {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return std::future::pending().await };
    while hangup.recv().await.is_some() {
        let Some(Reload(act)) = reload.clone() else {
            tracing::warn!("SIGHUP: nothing can be read again here; restart instead");
            continue;
        };
        match tokio::task::spawn_blocking(move || act()).await {
            Ok(Ok(late)) if late.is_empty() => tracing::warn!("SIGHUP: settings were read again"),
            Ok(Ok(late)) => {
                let keys = late.join(", ");
                tracing::warn!(
                    keys,
                    "SIGHUP: settings were read again; these hold after a restart"
                );
            }
            Ok(Err(error)) => {
                let error = format!("{error:#}");
                tracing::error!(error, "SIGHUP: the settings cannot be used; the old ones hold");
            }
            Err(error) => tracing::error!(%error, "SIGHUP: the settings could not be read"),
        }
    }
    std::future::pending().await
}
