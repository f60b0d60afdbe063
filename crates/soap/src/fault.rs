//! Faults: what the caller reads when a call is refused (contract D1).

use std::fmt;

/// Whose fault it is: the `faultcode` of SOAP 1.1 §4.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The request was wrong or may not be done.
    Client,
    /// We failed; the same request may succeed later.
    Server,
}

impl Side {
    /// The local part of the `faultcode` QName.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "Client",
            Self::Server => "Server",
        }
    }
}

/// A refusal: numeric code, whose fault it is, and one readable sentence (contract D1-D3).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({code})")]
pub struct Fault {
    /// The `errorcode` (contract D2, D3).
    pub code: u16,
    /// The `faultcode`.
    pub side: Side,
    /// The `errorstring`: what was wrong, with the value, and what to do.
    pub text: String,
}

impl Fault {
    /// A fault of the caller.
    #[must_use]
    pub fn client(code: u16, text: impl Into<String>) -> Self {
        Self { code, side: Side::Client, text: text.into() }
    }

    /// A failure of ours.
    #[must_use]
    pub fn server(code: u16, text: impl Into<String>) -> Self {
        Self { code, side: Side::Server, text: text.into() }
    }

    /// An argument that cannot be read: the member's path, then what is wrong with it.
    #[must_use]
    pub fn invalid(path: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self::client(code::INVALID_ARGUMENT, format!("{path}: {problem}"))
    }

    /// A message that is not the XML or SOAP it should be.
    #[must_use]
    pub fn malformed(text: impl Into<String>) -> Self {
        Self::client(code::MALFORMED, text)
    }
}

macro_rules! codes {
    ($($code:literal $name:ident $text:literal;)*) => {
        /// The fault codes by name (contract D2, D3).
        pub mod code {
            $(
                #[doc = $text]
                pub const $name: u16 = $code;
            )*
        }

        /// Every fault code with the condition that raises it, in numeric order (contract D2, D3).
        pub const CODES: &[(u16, &str)] = &[$(($code, $text),)*];
    };
}

codes! {
    1000 SIP_DOMAIN_NOT_FOUND "SIP domain not found";
    1001 SIP_DOMAIN_EXISTS "SIP domain already exists";
    1002 SIP_DOMAIN_IN_USE "SIP domain still has accounts or aliases";
    1010 SIP_ACCOUNT_NOT_FOUND "SIP account not found";
    1011 SIP_ACCOUNT_EXISTS "SIP account already exists";
    1012 SIP_ID_INVALID "invalid username or domain syntax";
    1020 ALIAS_NOT_FOUND "alias not found";
    1021 ALIAS_EXISTS "alias already exists";
    1022 ALIAS_IS_ACCOUNT "alias equals an existing SIP account";
    1030 ALREADY_IN_GROUP "account already belongs to the group";
    1031 NOT_IN_GROUP "account does not belong to the group";
    1032 GROUP_INVALID "group name is reserved or invalid";
    1040 PHONEBOOK_ENTRY_NOT_FOUND "phone-book entry not found";
    1041 PHONEBOOK_ENTRY_EXISTS "phone-book entry already exists";
    1050 TRUSTED_PEER_NOT_FOUND "trusted peer not found";
    1051 TRUSTED_PEER_EXISTS "trusted peer already exists";
    1060 NO_TRACE "no trace data for that session";
    1070 CARRIER_NOT_FOUND "carrier not found";
    1071 CARRIER_EXISTS "carrier already exists";
    1072 CARRIER_IN_USE "carrier is in use";
    1073 GATEWAY_NOT_FOUND "gateway not found";
    1074 GATEWAY_EXISTS "gateway already exists";
    1075 GATEWAY_IN_USE "gateway is in use";
    1076 GATEWAY_RULE_NOT_FOUND "gateway rule not found";
    1077 GATEWAY_RULE_EXISTS "gateway rule already exists";
    1078 ROUTE_NOT_FOUND "route not found";
    1079 ROUTE_EXISTS "route already exists";
    1080 NOT_PREPAID "account is not prepaid";
    1081 PREPAID_CARD_NOT_FOUND "prepaid card not found";
    1082 PREPAID_CARD_BLOCKED "prepaid card is blocked or already used";
    1083 PREPAID_CARD_NOT_ACTIVE "prepaid card is not active yet";
    2000 VOICEMAIL_NOT_FOUND "voicemail account not found";
    2001 VOICEMAIL_EXISTS "voicemail account already exists";
    2002 MAILBOX_TAKEN "mailbox number is in use";
    3000 ENUM_RANGE_NOT_FOUND "ENUM range not found";
    3001 ENUM_RANGE_EXISTS "ENUM range already exists";
    3002 ENUM_NUMBER_NOT_FOUND "ENUM number not found";
    3003 ENUM_NUMBER_EXISTS "ENUM number already exists";
    3004 NUMBER_FITS_NO_RANGE "number fits no range of the caller";
    3005 ENUM_RANGE_IN_USE "ENUM range still has numbers";
    3006 ENUM_RANGE_FULL "ENUM range is used up";
    3007 NUMBER_LENGTH_INVALID "wrong number of digits";
    3008 TOO_MANY_MAPPINGS "too many mappings";
    3009 MAPPING_INVALID "unknown mapping type or wrong URI scheme";
    4000 RATING_UNAVAILABLE "rating engine or profile storage unavailable";
    4001 RATING_PROFILES_NOT_FOUND "no rating profiles for the entity";
    5000 CUSTOMER_NOT_FOUND "customer not found";
    5001 CUSTOMER_EXISTS "customer username already exists";
    5002 CUSTOMER_IN_USE "customer still owns records or customers";
    5003 RESELLER_INVALID "reseller unknown or not active";
    5004 PROPERTY_FORBIDDEN "property may not be changed at this permission level";
    6000 STATUS_UNAVAILABLE "network status not available";
    7000 DNS_ZONE_NOT_FOUND "DNS zone not found";
    7001 DNS_ZONE_EXISTS "DNS zone already exists";
    7002 DNS_RECORD_NOT_FOUND "DNS record not found";
    7003 DNS_RECORD_EXISTS "DNS record already exists";
    7004 DNS_RECORD_INVALID "record is not valid for its type";
    8000 AUTHENTICATION_FAILED "authentication failed";
    8001 NO_PERMISSION "no permission on that record";
    8002 CREDIT_EXHAUSTED "credit exhausted";
    8003 ADMINISTRATOR_ONLY "operation needs administrator rights";
    8004 IMPERSONATED_NOT_FOUND "impersonated customer does not exist";
    8005 RIGHT_MISSING "PSTN or prepaid right missing";
    9000 INVALID_ARGUMENT "invalid argument";
    9001 MISSING_ARGUMENT "missing argument";
    9002 UNKNOWN_OPERATION "unknown operation or port";
    9003 BACKEND_FAILURE "backend failure";
    9004 MALFORMED "malformed XML or SOAP";
}

/// The codes that any operation may raise, in numeric order: logins (B1-B7), arguments that cannot be read, and what
/// goes wrong before and after an operation (contract D3).
pub const COMMON: &[u16] = &[
    code::AUTHENTICATION_FAILED,
    code::IMPERSONATED_NOT_FOUND,
    code::INVALID_ARGUMENT,
    code::UNKNOWN_OPERATION,
    code::BACKEND_FAILURE,
    code::MALFORMED,
];

/// The codes of contract D3 that no operation raises: a gateway is deleted with its rules, so it is never in use
/// (B137).
pub const RESERVED: &[u16] = &[code::GATEWAY_IN_USE];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Port;
    use std::collections::BTreeSet;

    fn operations() -> impl Iterator<Item = &'static crate::schema::OperationRow> {
        Port::ALL.iter().flat_map(|port| port.operations()).copied()
    }

    #[test]
    fn every_code_belongs_to_operations_or_to_all_or_is_reserved() {
        let of_operations: BTreeSet<u16> =
            operations().flat_map(|row| row.faults).copied().collect();
        for (code, condition) in CODES {
            let places =
                [of_operations.contains(code), COMMON.contains(code), RESERVED.contains(code)];
            let found = places.iter().filter(|found| **found).count();
            assert_eq!(found, 1, "{code} {condition} stands in {places:?}");
        }
    }

    #[test]
    fn operations_raise_known_codes_in_order() {
        let known: BTreeSet<u16> = CODES.iter().map(|(code, _)| *code).collect();
        for row in operations() {
            let unknown: Vec<_> = row.faults.iter().filter(|code| !known.contains(code)).collect();
            assert!(unknown.is_empty(), "{:?}.{} raises {unknown:?}", row.port, row.name);
            assert!(row.faults.is_sorted_by(|a, b| a < b), "{:?}.{}", row.port, row.name);
        }
        for list in [COMMON, RESERVED] {
            assert!(list.iter().all(|code| known.contains(code)), "{list:?}");
            assert!(list.is_sorted_by(|a, b| a < b), "{list:?}");
        }
    }

    // A missing argument can only be told of where there are arguments.
    #[test]
    fn operations_without_parameters_miss_none() {
        for row in operations().filter(|row| row.parameters.is_empty()) {
            assert!(!row.faults.contains(&code::MISSING_ARGUMENT), "{:?}.{}", row.port, row.name);
        }
    }

    #[test]
    fn rules_are_numbered_and_in_order() {
        for row in operations() {
            let numbers: Vec<(u16, &str)> = row
                .rules
                .iter()
                .map(|rule| {
                    let digits = rule.trim_start_matches('B');
                    let (number, letter) =
                        digits.split_at(digits.trim_end_matches(char::is_alphabetic).len());
                    (number.parse().unwrap(), letter)
                })
                .collect();
            assert!(!numbers.is_empty(), "{:?}.{} has no rules", row.port, row.name);
            assert!(numbers.is_sorted_by(|a, b| a < b), "{:?}.{}: {numbers:?}", row.port, row.name);
        }
    }

    #[test]
    fn codes_rise_without_duplicates() {
        for pair in CODES.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{pair:?}");
        }
        assert_eq!(CODES.len(), 68, "as many as contract D2 and D3 list");
    }
}
