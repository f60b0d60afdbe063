//! Registered contacts.

use crate::Aor;

/// What makes a binding the same binding (RFC 5626 section 6, RFC 3261 section 10.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BindingKey {
    /// A contact registered without outbound.
    Contact {
        /// The address of record.
        aor: Aor,
        /// The contact URI.
        contact: String,
    },
    /// A flow of a phone registered with outbound.
    Instance {
        /// The address of record.
        aor: Aor,
        /// The instance id, without quotes.
        instance: String,
        /// The reg-id.
        reg_id: u32,
    },
}

impl BindingKey {
    /// The address of record.
    #[must_use]
    pub const fn aor(&self) -> &Aor {
        match self {
            Self::Contact { aor, .. } | Self::Instance { aor, .. } => aor,
        }
    }
}

/// A binding that is to go, unless it was changed later: refreshed at another node perhaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Which one.
    pub key: BindingKey,
    /// The last moment of [`Binding::last_modified`] that is meant, in milliseconds since 1970 UTC.
    pub until: i64,
    /// Call-ID of the REGISTER that removes it, or of the last one that is known of it.
    pub call_id: String,
    /// CSeq number of that REGISTER.
    pub cseq: u32,
}

/// One binding of an address of record to a contact (RFC 3261 section 10).
///
/// The key is `(aor, contact)`, or `(aor, instance, reg_id)` when the phone registered with RFC 5626.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The address of record that is bound.
    pub aor: Aor,
    /// The contact URI as the phone gave it, without angle brackets and header parameters.
    pub contact: String,
    /// Where the REGISTER came from, as a SIP URI (`sip:192.0.2.1:5060;transport=udp`); requests go there when
    /// it is set.
    pub received: Option<String>,
    /// The Path header field's value (RFC 3327), empty when there was none.
    pub path: String,
    /// Absolute time at which the binding ends, in milliseconds since 1970 UTC.
    pub expires_at: i64,
    /// Preference in thousandths, 0 to 1000 (q=1.0 is 1000).
    pub q: u16,
    /// Call-ID of the REGISTER that made or refreshed it.
    pub call_id: String,
    /// CSeq number of that REGISTER.
    pub cseq: u32,
    /// The phone's User-Agent, at most 255 octets.
    pub user_agent: String,
    /// Our own socket on which the REGISTER came (`udp:192.0.2.9:5060`).
    pub socket: String,
    /// Instance id of RFC 5626, without quotes.
    pub instance: Option<String>,
    /// reg-id of RFC 5626, 0 when absent.
    pub reg_id: u32,
    /// The sipd node that owns the connection, or to which the way through a NAT is open; empty when any may send.
    pub node: String,
    /// When the row last changed, in milliseconds since 1970 UTC.
    pub last_modified: i64,
}

impl Binding {
    /// A binding with nothing but what every one has: preference 1, and no word about how it came to be.
    #[must_use]
    pub fn new(aor: Aor, contact: impl Into<String>, expires_at: i64) -> Self {
        Self {
            aor,
            contact: contact.into(),
            received: None,
            path: String::new(),
            expires_at,
            q: 1000,
            call_id: String::new(),
            cseq: 1,
            user_agent: String::new(),
            socket: String::new(),
            instance: None,
            reg_id: 0,
            node: String::new(),
            last_modified: 0,
        }
    }

    /// Its removal as it is now: one that is refreshed meanwhile stays.
    #[must_use]
    pub fn removal(&self) -> Removal {
        Removal {
            key: self.key(),
            until: self.last_modified,
            call_id: self.call_id.clone(),
            cseq: self.cseq,
        }
    }

    /// Whether it has this [`key`](Self::key), without making one.
    #[must_use]
    pub fn has_key(&self, key: &BindingKey) -> bool {
        match key {
            BindingKey::Contact { aor, contact } => {
                self.flow().is_none() && self.contact == *contact && self.aor == *aor
            }
            BindingKey::Instance { aor, instance, reg_id } => {
                self.flow() == Some((instance.as_str(), *reg_id)) && self.aor == *aor
            }
        }
    }

    /// Whether it has the same [`key`](Self::key) as another one.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let is_same = match (self.flow(), other.flow()) {
            (None, None) => self.contact == other.contact,
            (own, its) => own == its,
        };
        is_same && self.aor == other.aor
    }

    /// Whether it is a flow of its own (RFC 5626): it has both an instance id and a reg-id.
    #[must_use]
    pub fn is_flow(&self) -> bool {
        self.flow().is_some()
    }

    /// Instance id and reg-id, when it has both.
    fn flow(&self) -> Option<(&str, u32)> {
        self.instance.as_deref().filter(|_| self.reg_id != 0).map(|one| (one, self.reg_id))
    }

    /// The binding's key: with both an instance id and a reg-id it is a flow of that phone, whatever its
    /// contact.
    #[must_use]
    pub fn key(&self) -> BindingKey {
        let aor = self.aor.clone();
        match self.flow() {
            Some((instance, reg_id)) => {
                BindingKey::Instance { aor, instance: instance.to_owned(), reg_id }
            }
            None => BindingKey::Contact { aor, contact: self.contact.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5626 section 6: a flow is known by instance and reg-id, anything else by its contact.
    #[test]
    fn keys_are_compared_as_they_are_made() {
        let aor = |text: &str| text.parse::<Aor>().expect("an address");
        let mut all = Vec::new();
        for address in ["a@example.com", "b@example.com"] {
            for contact in ["sip:1@192.0.2.1", "sip:2@192.0.2.1"] {
                for instance in [None, Some("urn:uuid:1".to_owned()), Some("urn:uuid:2".to_owned())]
                {
                    for reg_id in 0..3 {
                        let plain = Binding::new(aor(address), contact, 1);
                        all.push(Binding { instance: instance.clone(), reg_id, ..plain });
                    }
                }
            }
        }
        for one in &all {
            for other in &all {
                let is_same = one.key() == other.key();
                assert_eq!(one.is_same(other), is_same, "{one:?} {other:?}");
                assert_eq!(one.has_key(&other.key()), is_same, "{one:?} {other:?}");
            }
        }
        assert_eq!(
            all.iter().filter(|one| one.is_same(&all[4])).count(),
            2,
            "whatever its contact"
        );
    }
}
