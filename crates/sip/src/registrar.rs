//! Registrations (RFC 3261 section 10.3, RFC 3327, RFC 5626): REGISTER and bindings to a change and a reply.
//!
//! [`register`] decides, nothing more: [`Register::read`] gathers what matters of the request, the caller
//! brings the bindings that hold, saves the [`ChangeSet`], and only then sends the [`Reply`]. Everything in a
//! request is done or nothing is. The steps before it are the caller's: domain ([`check_domain`]), option tags,
//! credentials and permission (steps 1 to 5 of section 10.3).

mod domain;
mod request;

pub use domain::check_domain;
pub use request::{Origin, Register};

use crate::header::{Contact, Contacts, HeaderName};
use crate::message::Message;
use crate::uri::Uri;
use ngn_model::Binding;
use ngn_model::binding::BindingKey;

/// So many contacts of one request are looked at, whatever the limit of an address is: a phone that changed networks
/// removes old contacts of its own in the request that adds the new one.
const ALWAYS_LOOKED_AT: usize = 16;

/// What a registrar grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Seconds granted to a phone that asks for none.
    pub default_expires: u32,
    /// The least that may be asked for; at most an hour has effect (section 10.3 step 7).
    pub min_expires: u32,
    /// The most that is granted.
    pub max_expires: u32,
    /// How many bindings an address may have.
    pub max_contacts: usize,
    /// What becomes of one more.
    pub when_full: WhenFull,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            default_expires: 3600,
            min_expires: 60,
            max_expires: 7200,
            max_contacts: 10,
            when_full: WhenFull::ReplaceOldest,
        }
    }
}

/// What becomes of a new contact when the address has as many as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It takes the place of the one that was refreshed longest ago: a phone that comes back under a new
    /// address after each restart is reachable although its old contacts have not ended.
    ReplaceOldest,
    /// The request is refused.
    Refuse,
}

/// What a registration does.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What is to be saved before the reply is sent.
    pub change: ChangeSet,
    /// The reply.
    pub reply: Reply,
}

/// Bindings to save and to remove. No key stands in both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChangeSet {
    /// Bindings to save under their keys.
    pub upserts: Vec<Binding>,
    /// Bindings to remove, and contacts to remove that are not known here: a registrar of the same domain may know them.
    pub deletes: Vec<BindingKey>,
}

impl ChangeSet {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.deletes.is_empty()
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub phrase: &'static str,
    /// All bindings that hold, when the request succeeded.
    pub contacts: Vec<Contact>,
    /// Further header fields.
    pub fields: Vec<(HeaderName, String)>,
}

impl Reply {
    /// The response to a request.
    #[must_use]
    pub fn response(&self, request: &Message, to_tag: &str) -> Message {
        let mut response = request.response(self.status, self.phrase, Some(to_tag));
        for contact in &self.contacts {
            response.append(HeaderName::Contact, &contact.to_string());
        }
        for (name, value) in &self.fields {
            response.append(*name, value);
        }
        response
    }

    const fn refusal(status: u16, phrase: &'static str) -> Self {
        Self { status, phrase, contacts: Vec::new(), fields: Vec::new() }
    }
}

/// Decides a REGISTER. `current` are the bindings of its address; those that have ended count for nothing.
/// `now` is in milliseconds since 1970 UTC.
#[must_use]
pub fn register(request: &Register, current: &[Binding], rules: &Rules, now: i64) -> Outcome {
    let mut working = Working::new(current, now);
    let done = match &request.contacts {
        Contacts::Star => working.remove_all(request),
        // Each contact is compared with each binding: more than could be removed and added are not looked at.
        Contacts::List(contacts)
            if contacts.len()
                > current.len().saturating_add(rules.max_contacts).max(ALWAYS_LOOKED_AT) =>
        {
            Err(Reply::refusal(403, "Too Many Contacts"))
        }
        Contacts::List(contacts) => {
            contacts.iter().try_for_each(|c| working.apply(request, c, rules, now))
        }
    };
    match done.and_then(|()| working.limit(rules)) {
        Ok(()) => working.succeed(request, current, now),
        Err(reply) => Outcome { change: ChangeSet::default(), reply },
    }
}

/// The bindings while a request is carried out.
struct Working {
    bindings: Vec<Entry>,
    /// Contacts that were to be removed and are not known here: another node may know them.
    unknown: Vec<BindingKey>,
    /// How many there were.
    before: usize,
}

struct Entry {
    binding: Binding,
    /// This request made or refreshed it.
    is_new: bool,
}

impl Working {
    fn new(current: &[Binding], now: i64) -> Self {
        let live = current.iter().filter(|binding| binding.expires_at > now);
        let bindings: Vec<_> =
            live.map(|binding| Entry { binding: binding.clone(), is_new: false }).collect();
        Self { before: bindings.len(), bindings, unknown: Vec::new() }
    }

    /// `Contact: *` (step 6): only with Expires 0, and no binding may be newer than the request.
    fn remove_all(&mut self, request: &Register) -> Result<(), Reply> {
        if request.expires != Some(0) {
            return Err(Reply::refusal(400, "Contact * Needs Expires 0"));
        }
        let is_late = |entry: &Entry| age(&entry.binding, request) != Age::Newer;
        if self.bindings.iter().any(is_late) {
            return Err(OUT_OF_ORDER);
        }
        self.bindings.clear();
        Ok(())
    }

    /// One contact (step 7).
    fn apply(
        &mut self,
        request: &Register,
        contact: &Contact,
        rules: &Rules,
        now: i64,
    ) -> Result<(), Reply> {
        let seconds = granted(request, contact, rules)?;
        let new = request.binding(contact, seconds, now)?;
        let Some(at) = self.find(&new, contact.uri()) else {
            if seconds > 0 {
                self.bindings.push(Entry { binding: new, is_new: true });
            } else {
                self.unknown.push(new.key());
            }
            return Ok(());
        };
        let Some(entry) = self.bindings.get_mut(at) else { return Ok(()) };
        if !entry.is_new {
            match age(&entry.binding, request) {
                Age::Newer => {}
                // The same request once more, as it comes when the first answer was lost: what it asks for
                // has been done.
                Age::Same if seconds > 0 => return Ok(()),
                Age::Same | Age::Older => return Err(OUT_OF_ORDER),
            }
        }
        if seconds > 0 {
            // Later than what it takes the place of, also when that was changed by a node whose clock is ahead.
            let after = entry.binding.last_modified.saturating_add(1);
            let last_modified = new.last_modified.max(after);
            *entry = Entry { binding: Binding { last_modified, ..new }, is_new: true };
        } else {
            self.bindings.remove(at);
        }
        Ok(())
    }

    /// The binding that a contact updates: the same flow of the same phone (RFC 5626 section 6), else the
    /// same URI, an equally spelled one before an equivalent one.
    fn find(&self, new: &Binding, uri: &Uri) -> Option<usize> {
        let bindings = || self.bindings.iter().map(|entry| &entry.binding).enumerate();
        let same_key = bindings().find(|(_, old)| old.is_same(new));
        let same_text = || bindings().find(|(_, old)| old.contact == new.contact);
        let equivalent = || {
            bindings()
                .find(|(_, old)| Uri::parse(&old.contact).is_ok_and(|old| old.is_equivalent(uri)))
        };
        let found = match same_key {
            // Flows of one phone may well share a URI: each is a binding of its own.
            None if is_flow(new) => same_text().filter(|(_, old)| !is_flow(old)),
            None => same_text().or_else(equivalent),
            found => found,
        };
        found.map(|(at, _)| at)
    }

    fn limit(&mut self, rules: &Rules) -> Result<(), Reply> {
        while self.bindings.len() > rules.max_contacts.max(1) && self.bindings.len() > self.before {
            let old = self.bindings.iter().enumerate().filter(|(_, entry)| !entry.is_new);
            let oldest = old.min_by_key(|(_, entry)| entry.binding.last_modified).map(|(at, _)| at);
            match (rules.when_full, oldest) {
                (WhenFull::ReplaceOldest, Some(at)) => {
                    self.bindings.remove(at);
                    self.before = self.before.saturating_sub(1);
                }
                _ => return Err(Reply::refusal(403, "Too Many Contacts")),
            }
        }
        Ok(())
    }

    /// The change from what there was, and the 200 (step 8).
    fn succeed(self, request: &Register, current: &[Binding], now: i64) -> Outcome {
        let live = current.iter().filter(|binding| binding.expires_at > now);
        let is_kept = |old: &Binding| self.bindings.iter().any(|kept| kept.binding.is_same(old));
        let gone = live.filter(|old| !is_kept(old)).map(Binding::key);
        let mut deletes: Vec<_> = gone.collect();
        for key in self.unknown {
            let is_kept = self.bindings.iter().any(|kept| kept.binding.has_key(&key));
            if !is_kept && !deletes.contains(&key) {
                deletes.push(key);
            }
        }
        let contacts =
            self.bindings.iter().filter_map(|entry| listed(&entry.binding, now)).collect();
        let new = self.bindings.into_iter().filter(|entry| entry.is_new);
        let upserts: Vec<_> = new.map(|entry| entry.binding).collect();
        let mut fields = Vec::new();
        // RFC 3327 section 5.3: a phone that knows Path is shown what was stored.
        if !request.path.is_empty() && request.supports_path {
            fields.push((HeaderName::Path, request.path.clone()));
        }
        // RFC 5626 section 6: says that flows were registered.
        if upserts.iter().any(is_flow) && request.supports_outbound {
            fields.push((HeaderName::Require, "outbound".to_owned()));
        }
        let reply = Reply { status: 200, phrase: "OK", contacts, fields };
        Outcome { change: ChangeSet { upserts, deletes }, reply }
    }
}

/// The request came after a newer one of the same phone: the network reordered them.
const OUT_OF_ORDER: Reply = Reply::refusal(500, "CSeq Out of Order");

/// How a request stands to the one that made a binding.
#[derive(PartialEq, Eq)]
enum Age {
    Newer,
    Same,
    Older,
}

/// CSeq orders the requests of one Call-ID; others are taken as they come (section 10.3 step 7).
fn age(binding: &Binding, request: &Register) -> Age {
    match request.cseq.cmp(&binding.cseq) {
        _ if binding.call_id != request.call_id => Age::Newer,
        std::cmp::Ordering::Greater => Age::Newer,
        std::cmp::Ordering::Equal => Age::Same,
        std::cmp::Ordering::Less => Age::Older,
    }
}

/// The seconds that a contact gets: its own `expires`, else the Expires field, else the default; a malformed
/// value counts as the default.
fn granted(request: &Register, contact: &Contact, rules: &Rules) -> Result<u32, Reply> {
    let asked = if contact.0.params.has("expires") { contact.expires() } else { request.expires };
    let seconds = asked.unwrap_or(rules.default_expires);
    let least = rules.min_expires.min(3600);
    if seconds > 0 && seconds < least {
        let fields = vec![(HeaderName::MinExpires, least.to_string())];
        return Err(Reply { fields, ..Reply::refusal(423, "Interval Too Brief") });
    }
    Ok(seconds.min(rules.max_expires))
}

/// Whether a binding is a flow of its own.
fn is_flow(binding: &Binding) -> bool {
    binding.is_flow()
}

/// A binding as the 200 lists it.
fn listed(binding: &Binding, now: i64) -> Option<Contact> {
    let mut contact = Contact::new(Uri::parse(&binding.contact).ok()?);
    let left = binding.expires_at.saturating_sub(now).saturating_add(999) / 1000;
    if binding.q < 1000 {
        contact.set_q(binding.q);
    }
    contact.set_expires(u32::try_from(left).unwrap_or(0));
    if let Some(instance) = &binding.instance {
        contact.0.params.set_quoted("+sip.instance", &format!("<{instance}>"));
        if binding.reg_id != 0 {
            contact.0.params.set("reg-id", Some(&binding.reg_id.to_string()));
        }
    }
    Some(contact)
}

#[cfg(test)]
mod tests;
