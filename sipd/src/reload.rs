//! Settings that change while calls go on: certificates, whom we believe, limits of connections and
//! sources, origins.

use crate::config::{Config, Guard, Limits};
use crate::tls::Profiles;
use crate::transport::Live;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use ngn_daemon::differing;
use std::sync::Arc;
use tokio::sync::watch;

/// Takes new settings. What changes holds for connections that begin afterwards; none is dropped.
#[derive(Debug, Clone)]
pub struct Reloader {
    /// The settings since the start, by which what needs a restart is told.
    began: Arc<Config>,
    profiles: Profiles,
    live: Arc<ArcSwap<Live>>,
    guard: watch::Sender<Guard>,
}

impl Reloader {
    pub(crate) fn new(config: &Config, profiles: Profiles, live: Arc<ArcSwap<Live>>) -> Self {
        let guard = watch::Sender::new(config.guard.clone());
        Self { began: Arc::new(config.clone()), profiles, live, guard }
    }

    /// Where the engine hears what sources may do.
    pub(crate) fn guard(&self) -> watch::Receiver<Guard> {
        self.guard.subscribe()
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
        self.guard.send_if_modified(|guard| {
            let differs = *guard != new.guard;
            guard.clone_from(&new.guard);
            differs
        });
        Ok(late(began, new))
    }
}

/// The keys that differ and hold after a restart only.
fn late(began: &Config, new: &Config) -> Vec<&'static str> {
    let mut late = Vec::new();
    differing!(late, began, new; database, admin, admin_beyond_loopback, log);
    differing!(late, began.listen, new.listen, "listen": udp, tcp, tls, ws, wss, advertised);
    differing!(late, began.digest, new.digest, "digest": algorithms, nonce_seconds, allow_without_qop, uri);
    differing!(late, began.registrar, new.registrar, "registrar":
        min_expires, max_expires, default_expires, max_contacts, names);
    differing!(late, began.proxy, new.proxy, "proxy":
        answer_timeout, timer_c, largest_datagram, voicemail_server, voicemail_numbers);
    differing!(late, began.pstn, new.pstn, "pstn":
        country_code, area_code, national_prefix, international_prefix, calls_per_account, answer_timeout,
        gateway_order, failover_codes, silent_seconds, probe_seconds, probe_failures);
    differing!(late, began.r#enum, new.r#enum, "enum": trees, dns_trees, timeout_milliseconds);
    differing!(late, began.emergency, new.emergency, "emergency": numbers, without_password);
    differing!(late, began.dns, new.dns, "dns":
        servers, timeout_milliseconds, attempts, cached_answers, longest_ttl, negative_ttl, back_off);
    differing!(late, began.trace, new.trace, "trace":
        accounts, addresses, messages_per_call, keep_hours, keep_messages, hep, hep_id);
    differing!(late, began.calls, new.calls, "calls":
        session_expires, min_session_expires, probe_interval, probe_failures);
    differing!(late, began.overload, new.overload, "overload":
        registrations_milliseconds, calls_milliseconds, dialogs_milliseconds, retry_after,
        drop_unread);
    // The others hold from the next connection on.
    for (key, differs) in [
        ("tls.reuse_connections", began.tls.reuse_connections != new.tls.reuse_connections),
        ("limits.message_octets", began.limits.message_octets != new.limits.message_octets),
        ("limits.transactions", began.limits.transactions != new.limits.transactions),
        ("limits.receive_buffer", began.limits.receive_buffer != new.limits.receive_buffer),
    ] {
        late.extend(differs.then_some(key));
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_after_a_restart_is_named_by_its_key() {
        let began = Config::default();
        let mut new = began.clone();
        assert!(late(&began, &new).is_empty());
        // These hold at once.
        new.limits.connections += 1;
        new.guard.calls_per_second += 1;
        new.tls.handshake_seconds += 1;
        new.websocket.ping_seconds += 1;
        assert!(late(&began, &new).is_empty());
        new.log = "debug".to_owned();
        new.registrar.max_expires += 1;
        new.pstn.probe_seconds += 1;
        new.r#enum.dns_trees.clear();
        new.r#enum.timeout_milliseconds += 1;
        new.trace.hep = "192.0.2.9:9060".to_owned();
        new.limits.transactions += 1;
        new.tls.reuse_connections = true;
        assert_eq!(
            late(&began, &new),
            [
                "log",
                "registrar.max_expires",
                "pstn.probe_seconds",
                "enum.timeout_milliseconds",
                "trace.hep",
                "tls.reuse_connections",
                "limits.transactions"
            ]
        );
    }
}
