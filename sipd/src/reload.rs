//! Settings that change while calls go on: certificates, whom we believe, limits of connections, origins.

use crate::config::{Config, Limits};
use crate::tls::Profiles;
use crate::transport::Live;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// Takes new settings. What changes holds for connections that begin afterwards; none is dropped.
#[derive(Debug, Clone)]
pub struct Reloader {
    /// The settings since the start, by which what needs a restart is told.
    began: Arc<Config>,
    profiles: Profiles,
    live: Arc<ArcSwap<Live>>,
}

impl Reloader {
    pub(crate) fn new(config: &Config, profiles: Profiles, live: Arc<ArcSwap<Live>>) -> Self {
        Self { began: Arc::new(config.clone()), profiles, live }
    }

    /// Takes settings that were read again, and gives the keys that changed and hold after a restart only.
    ///
    /// # Errors
    ///
    /// When they cannot be used; everything then stays as it is.
    pub fn reload(&self, new: &Config) -> anyhow::Result<Vec<&'static str>> {
        new.check().map_err(anyhow::Error::msg)?;
        self.profiles.reload(&new.tls).context("[tls]")?;
        let began = &self.began;
        // Messages of all transports have one limit, which the engine keeps.
        let limits = Limits { message_octets: began.limits.message_octets, ..new.limits.clone() };
        self.live.store(Arc::new(Live::of(&Config { limits, ..new.clone() })));
        let fixed =
            |limits: &Limits| (limits.message_octets, limits.transactions, limits.receive_buffer);
        let differ = [
            ("database", began.database != new.database),
            ("admin", began.admin != new.admin),
            ("admin_beyond_loopback", began.admin_beyond_loopback != new.admin_beyond_loopback),
            ("log", began.log != new.log),
            ("listen", began.listen != new.listen),
            ("digest", began.digest != new.digest),
            ("registrar", began.registrar != new.registrar),
            ("proxy", began.proxy != new.proxy),
            ("pstn", began.pstn != new.pstn),
            ("enum", began.r#enum != new.r#enum),
            ("emergency", began.emergency != new.emergency),
            ("dns", began.dns != new.dns),
            ("trace", began.trace != new.trace),
            ("limits", fixed(&began.limits) != fixed(&new.limits)),
        ];
        Ok(differ.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect())
    }
}
