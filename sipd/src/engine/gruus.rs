//! GRUUs (RFC 5627): given to phones that register, and taken for the phones they name in requests inside dialogs. Those
//! that begin something are decided about with the other facts ([`crate::gruus`]).

use super::Engine;
use crate::gruus::OnePhone;
use ngn_daemon::wall_clock;
use ngn_model::DomainName;
use ngn_sip::gruu::is_gruu;
use ngn_sip::header::{Contact, Contacts, HeaderName};
use ngn_sip::message::{Message, Method};
use ngn_sip::registrar::Register;
use ngn_sip::uri::Uri;

impl Engine {
    /// Section 5.1: whether a contact is a GRUU of the very domain, which leads back to itself.
    pub(super) fn binds_gruu(&self, facts: &Register) -> bool {
        let Contacts::List(contacts) = &facts.contacts else { return false };
        contacts.iter().any(|contact| self.is_own_gruu(contact.uri()))
    }

    /// Sections 5.2 and 5.3: the GRUUs of the phones in the answer to a REGISTER, when the phone that asks knows of them;
    /// a temporary one, each time another, for that phone alone.
    pub(super) fn give_gruus(&self, request: &Message, facts: &Register, contacts: &mut [Contact]) {
        if !request.option_tags(HeaderName::Supported).is_ok_and(|tags| tags.has("gruu")) {
            return;
        }
        let registers = |instance: &str| match &facts.contacts {
            Contacts::List(own) => {
                own.iter().any(|contact| contact.instance().as_deref() == Some(instance))
            }
            Contacts::Star => false,
        };
        for contact in contacts {
            let Some(instance) = contact.instance() else { continue };
            if let Some(public) = self.gruus.public(&facts.aor, &instance) {
                contact.0.params.set_quoted("pub-gruu", public.as_str());
            }
            let mut salt = [0; 8];
            if !registers(&instance) || getrandom::fill(&mut salt).is_err() {
                continue;
            }
            let temporary = self.gruus.temporary(&facts.aor, &instance, &facts.call_id, salt);
            if let Some(temporary) = temporary {
                contact.0.params.set_quoted("temp-gruu", temporary.as_str());
            }
        }
    }

    /// Section 6.1: a request inside a dialog, or an ACK, for a GRUU gets the contact of the phone that it names. One that
    /// names none goes where the dialog leads.
    pub(super) fn translate(&self, message: &mut Message) {
        let Some(uri) = message.request_uri().filter(|uri| self.is_own_gruu(uri)) else { return };
        let is_inside = message.to_header().is_ok_and(|to| to.tag().is_some());
        if !is_inside || message.method() == Some(&Method::Register) {
            return;
        }
        let phone = OnePhone::find(&self.gruus, &self.directory, uri, wall_clock());
        if let Some(contact) = phone.and_then(|phone| phone.contact()) {
            message.set_request_uri(&contact);
        }
    }

    /// Whether a URI is a GRUU in a domain of ours.
    pub(super) fn is_own_gruu(&self, uri: &Uri) -> bool {
        let domain = || DomainName::new(uri.host_text());
        is_gruu(uri) && domain().is_ok_and(|domain| self.directory.serves(&domain))
    }
}
