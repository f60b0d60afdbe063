//! Who is kept out before anything else looks at a request, and what the guard is told.

use super::Engine;
use super::admission::protocol;
use crate::config;
use ngn_model::Aor;
use ngn_sip::guard::{Bans, Network, Scanners, Screened};
use ngn_sip::message::{Message, Method};
use ngn_sip::stack::{Moment, Source};
use ngn_sip::uri::Uri;
use std::net::IpAddr;
use std::time::Duration;

/// Why somebody is kept out.
#[derive(Clone, Copy)]
enum Why {
    Scanner,
    Screened(Screened),
}

impl Engine {
    /// Takes other rules; what is remembered of sources stays.
    pub(super) fn set_guard(&mut self, rules: config::Guard) {
        self.guard.set_rules(rules.rules());
        self.scanners = Scanners::new(&rules.scanners);
        self.config.guard = rules;
    }

    /// Whether a request is handled; what is told otherwise is told.
    pub(super) fn lets_in(&mut self, now: Moment, source: &Source, request: &Message) -> bool {
        let Some(network) = self.counted(source) else { return true };
        let method = request.method();
        if method == Some(&Method::Ack) {
            return true;
        }
        let is_new_call = method == Some(&Method::Invite) && !is_in_dialog(request);
        let why = match self.guard.screen(now, network, is_new_call) {
            Screened::Pass if self.scanners.know(request) => Why::Scanner,
            Screened::Pass => return true,
            other => Why::Screened(other),
        };
        // From here on it is rare.
        if self.stack.continues(request) || self.is_call_for_help(request) {
            return true;
        }
        let metrics = &self.metrics.guard;
        match why {
            Why::Scanner => metrics.scanners.inc(),
            Why::Screened(Screened::Probing) => {
                let claimed = request.from_header().ok().and_then(|from| from.uri().aor());
                if claimed.is_some_and(|aor| self.is_known(&aor, source.remote.ip())) {
                    return true;
                }
                metrics.probing.inc()
            }
            Why::Screened(Screened::TooMany) => {
                metrics.told.inc();
                self.stack.turn_away(source, request.clone());
                return false;
            }
            Why::Screened(_) => metrics.ignored.inc(),
        };
        false
    }

    /// Whether octets that are no message are answered.
    pub(super) fn answers_malformed(&mut self, now: Moment, source: &Source) -> bool {
        let Some(network) = self.counted(source) else { return true };
        self.guard.screen(now, network, false) == Screened::Pass
    }

    /// The source as the guard counts it; `None` for those who are trusted.
    pub(super) fn counted(&self, source: &Source) -> Option<Network> {
        let address = source.remote.ip();
        let is_trusted = self.config.guard.exempt.iter().any(|prefix| prefix.contains(address))
            || self.directory.peer(address, protocol(&source.transport)).is_some()
            || self.gateways.is_at(address)
            || self.is_voicemail_server(address);
        (!is_trusted).then(|| Network::of(address))
    }

    /// Whether an account is, or lately was, used from an address.
    fn is_known(&self, aor: &Aor, address: IpAddr) -> bool {
        let is_registered = || self.is_registered_from(aor, address);
        self.guard.is_known(self.now(), Network::of(address), &aor.to_string(), is_registered)
    }

    fn is_call_for_help(&self, request: &Message) -> bool {
        request.method() != Some(&Method::Register)
            && request.request_uri().is_some_and(|uri| self.is_emergency(uri))
    }

    /// Takes note that somebody who proved nothing asked for a user.
    pub(super) fn asked_for(&mut self, source: &Source, name: &str, exists: bool) {
        let Some(network) = self.counted(source) else { return };
        let now = self.now();
        if let Some(length) = self.guard.asked(now, network, name, exists) {
            self.metrics.guard.probers.inc();
            say(network, length, "it asks for users that do not exist");
        }
    }

    /// Takes note of wrong credentials for an account, whether there is such an account or not.
    pub(super) fn guessed(&mut self, source: Option<Network>, account: &str, is_own_nonce: bool) {
        self.metrics.guard.failures.inc();
        let now = self.now();
        let Bans { source: banned, account: guarded } =
            self.guard.failed(now, source, account, is_own_nonce);
        if let (Some(length), Some(network)) = (banned, source) {
            self.metrics.guard.banned.inc();
            say(network, length, "too many wrong passwords");
        }
        if let Some(length) = guarded {
            self.metrics.guard.guarded.inc();
            let seconds = length.as_secs();
            tracing::warn!(
                seconds,
                "too many wrong passwords for an account: it can only be used from where it was lately"
            );
            tracing::debug!(account, seconds, "this is the account");
        }
    }
}

/// One line for a ban; whom it is about is only said at DEBUG.
fn say(network: Network, length: Duration, why: &str) {
    let seconds = length.as_secs();
    tracing::warn!(seconds, why, "a source is banned");
    tracing::debug!(%network, seconds, why, "this is the source");
}

fn is_in_dialog(request: &Message) -> bool {
    request.to_header().is_ok_and(|to| to.tag().is_some())
}

/// A URI's user and host as a name that may exist.
pub(super) fn name_in(uri: &Uri) -> String {
    uri.aor().map_or_else(|| uri.host_text().to_owned(), |aor| aor.to_string())
}
