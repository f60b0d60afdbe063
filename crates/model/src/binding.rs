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

    /// The binding's key: with both an instance id and a reg-id it is a flow of that phone, whatever its
    /// contact.
    #[must_use]
    pub fn key(&self) -> BindingKey {
        let aor = self.aor.clone();
        match &self.instance {
            Some(instance) if self.reg_id != 0 => {
                BindingKey::Instance { aor, instance: instance.clone(), reg_id: self.reg_id }
            }
            _ => BindingKey::Contact { aor, contact: self.contact.clone() },
        }
    }
}
