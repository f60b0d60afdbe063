//! REGISTER: who may, and what waits for the database.

use super::Engine;
use crate::location::Change;
use crate::registrar::{self, Origin, Refusal};
use crate::wall_clock;
use ngn_sip::header::HeaderName;
use ngn_sip::message::{Message, Method};
use ngn_sip::stack::IncomingRequest;
use std::net::SocketAddr;

impl Engine {
    /// RFC 3261 section 10.3.
    pub(super) fn register(&mut self, incoming: &IncomingRequest) {
        let (id, request) = (incoming.id, &incoming.request);
        let none = Vec::new();
        let (Some(uri), Ok(to)) = (request.request_uri(), request.to_header()) else {
            return self.reply(id, 400, None, &none);
        };
        let Some(address) = to.uri().aor() else { return self.reply(id, 404, None, &none) };
        if !self.directory.serves(address.domain()) {
            return self.reply(id, 404, None, &none);
        }
        let name = HeaderName::Authorization;
        let domain = address.domain();
        let account = match self.authenticate(request, &Method::Register, uri, domain, name) {
            Ok(account) => account,
            Err((status, fields)) => return self.reply(id, status, None, &fields),
        };
        let owner = self.directory.resolve(&address).map(|(owner, _)| &owner.aor);
        let may_register = !account.is_blocked() && account.admits(incoming.source.remote.ip());
        if owner != Some(&account.aor) || !may_register {
            return self.reply(id, 403, None, &none);
        }
        let (now, aor) = (wall_clock(), &account.aor);
        let transport = incoming.source.transport.as_str().to_ascii_lowercase();
        let origin = Origin {
            peer: incoming.source.remote,
            knows_its_address: knows_its_address(request, incoming.source.remote),
            socket: format!("{transport}:{}", incoming.source.local),
            transport,
        };
        let current = self.directory.bindings(aor);
        match registrar::change(request, aor, current, &origin, &self.config.registrar, now) {
            Ok(set) => {
                let fields = registrar::contact_fields(&set.bindings, now);
                if set.upserts.is_empty() && set.deletes.is_empty() {
                    return self.reply(id, 200, None, &fields);
                }
                self.directory.set_bindings(aor, set.bindings);
                self.last_ticket += 1;
                let ticket = self.last_ticket;
                self.waiting.insert(ticket, (id, fields));
                let (upserts, deletes) = (set.upserts, set.deletes);
                let change = Change { ticket: Some(ticket), upserts, deletes };
                if self.changes.send(change).is_err() {
                    self.waiting.remove(&ticket);
                    self.reply(id, 500, None, &none);
                }
            }
            Err(Refusal::TooBrief) => {
                let shortest = self.config.registrar.min_expires.to_string();
                self.reply(id, 423, None, &vec![(HeaderName::MinExpires, shortest)]);
            }
            Err(Refusal::Malformed(phrase)) => self.reply(id, 400, Some(phrase), &none),
            Err(Refusal::TooMany) => self.reply(id, 403, Some("Too Many Contacts"), &none),
            Err(Refusal::OutOfOrder) => self.reply(id, 500, Some("CSeq Out of Order"), &none),
        }
    }
}

/// Whether the topmost Via's sent-by is the address that the request came from.
fn knows_its_address(request: &Message, peer: SocketAddr) -> bool {
    let Ok(via) = request.top_via() else { return false };
    let Some(host) = via.host().ip() else { return false };
    SocketAddr::new(host, via.port_or_default()) == peer
}
