//! The change journal: change feed, audit log and undo list in one.

use std::fmt;

/// The position of a journal row: its id. Ids of concurrent transactions become visible out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

macro_rules! entities {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of record that a journal row is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Entity {
            $($(#[$doc])* $name,)*
        }

        impl Entity {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The kind's name, as it stands in the journal.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Reads a kind's name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

entities! {
    /// A customer or reseller; key: id.
    Customer = "customer",
    /// A SIP domain; key: name.
    SipDomain = "sip_domain",
    /// A SIP account with its groups; key: `user@domain`.
    SipAccount = "sip_account",
    /// A SIP alias; key: `user@domain` of the alias.
    SipAlias = "sip_alias",
    /// Call diversions of an account; key: `user@domain`.
    Diversions = "diversions",
    /// Accept rules of an account; key: `user@domain`.
    AcceptRules = "accept_rules",
    /// Barring prefixes of an account; key: `user@domain`.
    BarringPrefixes = "barring_prefixes",
    /// Reject members of an account; key: `user@domain`.
    RejectMembers = "reject_members",
    /// A phone-book entry; key: `user@domain uri`.
    PhonebookEntry = "phonebook_entry",
    /// A trusted peer; key: ip.
    TrustedPeer = "trusted_peer",
    /// A carrier; key: id.
    Carrier = "carrier",
    /// A gateway; key: id.
    Gateway = "gateway",
    /// A gateway rule; key: id.
    GatewayRule = "gateway_rule",
    /// An LCR route; key: id.
    Route = "route",
    /// A row of the emergency mapping; key: id.
    Emergency = "emergency",
    /// A prepaid balance; key: `user@domain`.
    Prepaid = "prepaid",
    /// A voicemail account; key: `user@domain`.
    Voicemail = "voicemail",
    /// Rating profiles of an entity; key: the entity's URI.
    RatingProfiles = "rating_profiles",
    /// An ENUM range; key: `prefix@tld`.
    EnumRange = "enum_range",
    /// An ENUM number; key: `number@tld`.
    EnumNumber = "enum_number",
    /// A DNS zone made by the Dns port; key: its name.
    DnsZone = "dns_zone",
    /// A DNS record, plain or fancy; key: id.
    DnsRecord = "dns_record",
    /// What DNS servers see of a zone as a whole (made, removed, SOA or NS changed); key: the zone's name.
    Zone = "zone",
    /// What DNS servers see at one name of a zone; key: `zone owner`, both without a final dot.
    RrSet = "rrset",
    /// How a zone is signed, and its keys; key: the zone's name.
    ZoneKeys = "zone_keys",
}

/// One row of the change feed, as followers read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Where it stands.
    pub position: Position,
    /// What kind of record changed.
    pub entity: Entity,
    /// Which one.
    pub key: String,
    /// The zone whose serial the change raises, if any.
    pub zone: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for entity in Entity::ALL {
            assert_eq!(Entity::from_name(entity.as_str()), Some(*entity));
        }
        assert_eq!(Entity::from_name("nothing"), None);
    }
}
