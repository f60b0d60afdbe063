//! REGISTER: who may, and what waits for the database.

use super::serving::{EXTENSIONS, unacceptable, unsupported};
use super::{Engine, Fields};
use crate::location::Change;
use ngn_daemon::wall_clock;
use ngn_model::DomainName;
use ngn_model::binding::{BindingKey, Removal};
use ngn_sip::header::HeaderName;
use ngn_sip::message::Method;
use ngn_sip::registrar::{Origin, Outcome, Register, Rules, WhenFull, check_domain, register};
use ngn_sip::stack::{IncomingRequest, ServerTransactionId};
use std::time::Instant;

/// Seconds after which a phone may try again.
const RETRY_AFTER: &str = "10";
/// The longest time between keep-alives that phones are asked for, in seconds, as RFC 5626 section 4.4.1 has it for those
/// that are told nothing.
const FLOW_TIMER: u64 = 120;

impl Engine {
    /// RFC 3261 section 10.3.
    pub(super) fn register(&mut self, incoming: &IncomingRequest) {
        let (id, request) = (incoming.id, &incoming.request);
        let none = Vec::new();
        let (Some(uri), Ok(to)) = (request.request_uri(), request.to_header()) else {
            return self.register_reply(id, 400, None, &none);
        };
        let Some(address) = to.uri().aor() else {
            return self.register_reply(id, 404, None, &none);
        };
        if !self.directory.serves(address.domain()) {
            return self.register_reply(id, 404, None, &none);
        }
        // Steps 1 and 5.
        if let Err(refusal) = check_domain(uri, &address, |name| self.is_own_name(name)) {
            tracing::debug!(host = uri.host_text(), "a registration names another registrar");
            return self.register_reply(id, refusal.status, Some(refusal.phrase), &none);
        }
        // Step 2, before anybody is asked for a password.
        let required = request.option_tags(HeaderName::Require).unwrap_or_default();
        let unknown = required.unknown(&EXTENSIONS);
        if !unknown.is_empty() {
            self.metrics.registration(420);
            return self.reply_statelessly(id, 420, &unsupported(&unknown));
        }
        if let Some(fields) = unacceptable(request, &[]) {
            self.metrics.registration(415);
            return self.reply_statelessly(id, 415, &fields);
        }
        let name = HeaderName::Authorization;
        let domain = address.domain();
        let account = match self.authenticate(incoming, &Method::Register, uri, domain, name) {
            Ok(account) => account,
            Err((status, fields)) => {
                let exists = self.directory.account_at(&address).is_some();
                self.asked_for(&incoming.source, &address.to_string(), exists);
                // Whoever has not proved anything yet costs no memory.
                if status == 401 {
                    self.metrics.registration(status);
                    return self.reply_statelessly(id, status, &fields);
                }
                return self.register_reply(id, status, None, &fields);
            }
        };
        let owner = self.directory.resolve(&address).map(|(owner, _)| &owner.aor);
        let may_register = !account.is_blocked() && account.admits(incoming.source.remote.ip());
        if owner != Some(&account.aor) || !may_register {
            return self.register_reply(id, 403, None, &none);
        }
        let (now, transport) = (wall_clock(), &incoming.source.transport);
        let socket =
            format!("{}:{}", transport.as_str().to_ascii_lowercase(), incoming.source.local);
        let origin =
            Origin { transport, remote: incoming.source.remote, socket: &socket, node: &self.node };
        let Ok(facts) = Register::read(request, account.aor, &origin) else {
            return self.register_reply(id, 400, None, &none);
        };
        if self.binds_gruu(&facts) {
            let phrase = Some("Contact Is a GRUU");
            return self.register_reply(id, 403, phrase, &none);
        }
        let current = self.directory.bindings(&facts.aor);
        let Outcome { change, mut reply } = register(&facts, &current, &self.rules(), now);
        self.give_gruus(request, &facts, &mut reply.contacts);
        let contacts =
            reply.contacts.iter().map(|contact| (HeaderName::Contact, contact.to_string()));
        let mut fields: Fields = contacts.chain(reply.fields).collect();
        if reply.status == 200 {
            fields.push((HeaderName::Date, ngn_store::date(now)));
        }
        let is_outbound = |(name, value): &(HeaderName, String)| {
            *name == HeaderName::Require && value == "outbound"
        };
        if transport.is_reliable() && fields.iter().any(is_outbound) {
            let seconds = flow_timer(self.config.limits.idle_seconds);
            fields.push((HeaderName::FlowTimer, seconds.to_string()));
        }
        if change.is_empty() {
            return self.register_reply(id, reply.status, Some(reply.phrase), &fields);
        }
        // Nothing is changed in memory that could not be written.
        let Ok(place) = self.changes.clone().try_reserve_owned() else {
            self.metrics.shed.inc();
            let seconds = vec![(HeaderName::RetryAfter, RETRY_AFTER.to_owned())];
            return self.register_reply(id, 503, None, &seconds);
        };
        let known = |key: &BindingKey| current.iter().find(|binding| binding.has_key(key));
        let removal = |key: BindingKey| {
            // Later than what it removes, also when a node accepted that whose clock is ahead.
            let after = known(&key).map(|binding| binding.last_modified.saturating_add(1));
            let until = after.unwrap_or(now).max(now);
            Removal { key, until, call_id: facts.call_id.clone(), cseq: facts.cseq }
        };
        let deletes = change.deletes.iter().cloned().map(removal).collect();
        self.directory.change_from(current, &facts.aor, &change.upserts, &change.deletes);
        self.last_change += 1;
        self.note_change(&facts.aor);
        self.waiting.insert(self.last_change, (id, fields, Instant::now()));
        self.metrics.registration(200);
        let (number, upserts) = (self.last_change, change.upserts);
        place.send(Change { number, is_awaited: true, upserts, deletes, ..Change::default() });
    }

    /// Answers and counts.
    fn register_reply(
        &mut self,
        id: ServerTransactionId,
        status: u16,
        phrase: Option<&str>,
        fields: &Fields,
    ) {
        self.metrics.registration(status);
        self.reply(id, status, phrase, fields);
    }

    /// Whether this registrar goes by a name (section 10.3 step 1).
    fn is_own_name(&self, name: &DomainName) -> bool {
        let (names, advertised) = (&self.config.registrar.names, &self.config.listen.advertised);
        let is_name = |own: &String| DomainName::new(own).is_ok_and(|own| own == *name);
        self.directory.serves(name) || names.iter().chain(advertised).any(is_name)
    }

    fn rules(&self) -> Rules {
        let settings = &self.config.registrar;
        Rules {
            default_expires: settings.default_expires,
            min_expires: settings.min_expires,
            max_expires: settings.max_expires,
            max_contacts: settings.max_contacts,
            when_full: WhenFull::ReplaceOldest,
        }
    }
}

/// RFC 5626 section 5.4: after how many seconds without a keep-alive a flow counts as gone. Phones send one after 80 to 100 %
/// of that; connections are closed when they were idle for longer, never sooner.
fn flow_timer(idle_seconds: u64) -> u64 {
    (idle_seconds / 4 * 3).clamp(1, FLOW_TIMER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc5626_5_4_keep_alives_come_before_idle_connections_are_closed() {
        for (idle, timer) in [(3_600, 120), (160, 120), (100, 75), (4, 3), (1, 1)] {
            assert_eq!(flow_timer(idle), timer);
        }
    }
}
