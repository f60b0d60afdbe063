//! Giving zones away: who may have them, and the messages.

use crate::config;
use crate::metrics::TransferEnd;
use crate::served::Served;
use crate::snapshot::{now, seconds};
use ngn_daemon::prefix::Prefix;
use ngn_dns::answer::{Limits, Rcode, Transport};
use ngn_dns::dnssec::Signer as ZoneSigner;
use ngn_dns::name::Name;
use ngn_dns::transfer::{Difference, Kind, Messages, Query, is_later};
use ngn_dns::tsig::{Auth, Signer};
use ngn_dns::zone::{Zone, Zones};
use std::net::IpAddr;
use std::sync::Arc;

/// Who may have zones.
#[derive(Debug)]
pub(crate) struct Transfers {
    allow: Vec<Prefix>,
    /// The keys whose owners may.
    keys: Vec<Name>,
    served: Served,
}

/// Who asks, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    pub(crate) address: IpAddr,
    pub(crate) limits: Limits,
}

/// A transfer, or its refusal.
#[derive(Debug)]
pub(crate) struct Transfer<'t> {
    /// `None` for a refusal, which stands in `message` at first.
    messages: Option<Messages<'t>>,
    message: Vec<u8>,
    signer: Option<Signer<'t>>,
    end: TransferEnd,
    done: bool,
}

impl Transfers {
    pub(crate) fn new(settings: &config::Transfer, served: &Served) -> Arc<Self> {
        let keys = settings.keys.iter().filter_map(|name| Name::parse(name).ok()).collect();
        Arc::new(Self { allow: settings.allow.clone(), keys, served: served.clone() })
    }

    /// Begins a transfer of a zone as it is in `zones`; `None` when the query is none for a transfer. `held` keeps what
    /// the messages are made of.
    pub(crate) fn begin<'t>(
        &'t self,
        query: &'t [u8],
        zones: &'t Zones,
        asker: Asker,
        held: &'t mut Option<Difference>,
    ) -> Option<Transfer<'t>> {
        let query = Query::read(query)?;
        let signer = match query.auth(&self.served.keys, now()) {
            Auth::Unsigned => None,
            Auth::Signed(signer) => Some(signer),
            // These had their answers before.
            Auth::Late { .. } | Auth::Failed(_) => return None,
        };
        let reserved = signer.as_ref().map_or(0, Signer::length);
        let signed = signer.as_ref().is_some_and(|by| self.keys.contains(by.key().name()));
        let allowed = signed || self.allow.iter().any(|prefix| prefix.contains(asker.address));
        // Who may not have zones does not learn either which ones there are.
        let messages = if allowed {
            match query.zone(zones) {
                None => Err(Rcode::NotAuth),
                Some(zone) => {
                    *held = self.difference(&query, zone);
                    let signer: &dyn ZoneSigner = &*self.served.signer;
                    let by = Some((signer, seconds()));
                    messages(query, zone, held.as_ref(), asker.limits, reserved, by)
                        .ok_or(Rcode::ServFail)
                }
            }
        } else {
            Err(Rcode::Refused)
        };
        let mut message = Vec::new();
        let end = match &messages {
            Ok(_) if matches!(query.kind(), Kind::Ixfr { .. }) => TransferEnd::Ixfr,
            Ok(_) => TransferEnd::Axfr,
            Err(rcode) => {
                query.refuse(*rcode, asker.limits.max_udp, &mut message);
                TransferEnd::Refused
            }
        };
        Some(Transfer { messages: messages.ok(), message, signer, end, done: false })
    }

    /// What changed since the serial that the asker has; `None` when it is not known, or when it has more records than
    /// the zone itself.
    fn difference(&self, query: &Query<'_>, zone: &Zone) -> Option<Difference> {
        let Kind::Ixfr { serial } = query.kind() else { return None };
        let chain = self.served.history().between(zone.apex(), serial, zone.serial())?;
        let difference = Difference::condensed(&chain)?;
        (difference.record_count() < zone.record_count()).then_some(difference)
    }
}

fn messages<'t>(
    query: Query<'t>,
    zone: &'t Zone,
    difference: Option<&'t Difference>,
    limits: Limits,
    reserved: usize,
    by: Option<(&'t dyn ZoneSigner, i64)>,
) -> Option<Messages<'t>> {
    let Kind::Ixfr { serial } = query.kind() else {
        return Messages::axfr(query, zone, limits, reserved, by);
    };
    if !is_later(zone.serial(), serial) {
        return Messages::soa(query, zone, limits, reserved);
    }
    match (difference, limits.transport) {
        (Some(difference), Transport::Tcp) => {
            Some(Messages::ixfr(query, difference, limits, reserved))
        }
        (None, Transport::Tcp) => Messages::axfr(query, zone, limits, reserved, by),
        // Over UDP it goes into one message, or the SOA tells to ask over TCP (RFC 1995 section 2).
        (difference, Transport::Udp) => difference
            .filter(|difference| {
                let mut trial = Messages::ixfr(query, difference, limits, reserved);
                trial.next(&mut Vec::new()) == Ok(true) && trial.is_done()
            })
            .map(|difference| Messages::ixfr(query, difference, limits, reserved))
            .or_else(|| Messages::soa(query, zone, limits, reserved)),
    }
}

impl Transfer<'_> {
    /// The next message; `None` after the last one.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        if self.done {
            return None;
        }
        match &mut self.messages {
            None => self.done = true,
            Some(messages) => match messages.next(&mut self.message) {
                Ok(true) => {}
                Ok(false) => {
                    self.done = true;
                    return None;
                }
                Err(error) => {
                    tracing::warn!(%error, "a zone transfer ends in its middle");
                    self.done = true;
                    self.end = TransferEnd::Broken;
                    return None;
                }
            },
        }
        if let Some(signer) = &mut self.signer {
            signer.sign(now(), &mut self.message);
        }
        Some(&self.message)
    }

    /// What became of it.
    pub(crate) const fn end(&self) -> TransferEnd {
        self.end
    }

    /// Whether it ended in its middle, so that the asker can only be told by the end of the connection.
    pub(crate) fn is_broken(&self) -> bool {
        self.end == TransferEnd::Broken
    }
}
