//! ENUM mappings and their NAPTR records (RFC 6116, RFC 3402, B105, B114).

use crate::txt;

/// One mapping type with what may stand behind it (B105).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MappingType {
    /// Name in the API, such as `web:http`.
    pub name: &'static str,
    /// What follows `E2U+` in the service field.
    pub service: &'static str,
    /// Schemes that a value may have; the first one is the default.
    pub schemes: &'static [&'static str],
}

const fn of(name: &'static str, schemes: &'static [&'static str]) -> MappingType {
    MappingType { name, service: name, schemes }
}

/// All mapping types (B105).
pub const MAPPING_TYPES: &[MappingType] = &[
    of("sip", &["sip:", "sips:"]),
    of("mailto", &["mailto:"]),
    of("web:http", &["http://"]),
    of("web:https", &["https://"]),
    of("x-skype:callto", &["callto:"]),
    of("h323", &["h323:"]),
    of("iax", &["iax:"]),
    of("iax2", &["iax2:"]),
    of("im", &["im:"]),
    of("pres", &["pres:"]),
    of("mms", &["tel:", "mailto:"]),
    of("sms", &["tel:", "mailto:"]),
    of("ems", &["tel:", "mailto:"]),
    MappingType { name: "npd:tel", service: "npd+tel", schemes: &["tel:"] },
    of("void:mailto", &["mailto:"]),
    of("void:http", &["http://"]),
    of("void:https", &["https://"]),
    of("voice", &["voice:", "tel:"]),
    of("tel", &["tel:"]),
    of("fax:tel", &["tel:"]),
    of("ifax:mailto", &["mailto:"]),
    of("ft:ftp", &["ftp://"]),
    of("loc:http", &["http://"]),
    of("key:http", &["http://"]),
    of("key:https", &["https://"]),
];

/// Why a mapping gives no NAPTR record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NaptrError {
    /// No mapping type has this name (B105).
    #[error("`{0}` is not a mapping type")]
    UnknownType(String),
    /// The value is empty.
    #[error("the mapping has no value")]
    EmptyValue,
    /// The value holds a control character or white space.
    #[error("the mapping value holds a control character or white space")]
    BadCharacter,
    /// The value holds every character that could delimit it (RFC 3402 section 3.2).
    #[error("the mapping value leaves no delimiter for the expression")]
    NoDelimiter,
    /// The expression is longer than a character string can be (RFC 1035 section 3.3).
    #[error("the expression has {0} octets, more than 255")]
    TooLong(usize),
}

/// The mapping type of that name, in any case.
#[must_use]
pub fn mapping_type(name: &str) -> Option<&'static MappingType> {
    let name = name.trim();
    MAPPING_TYPES.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
}

impl MappingType {
    /// Scheme that a value without a known one gets.
    #[must_use]
    pub fn default_scheme(&self) -> &'static str {
        self.schemes.first().copied().unwrap_or_default()
    }

    /// The value with a scheme: its own when the type allows it, else the default is put before it (B105).
    pub fn complete(&self, value: &str) -> Result<String, NaptrError> {
        let value = value.trim();
        if value.is_empty() {
            return Err(NaptrError::EmptyValue);
        }
        if value.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(NaptrError::BadCharacter);
        }
        let scheme = self.schemes.iter().find(|scheme| {
            value.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        });
        match scheme {
            Some(scheme) if value.len() == scheme.len() => Err(NaptrError::EmptyValue),
            Some(_) => Ok(value.to_owned()),
            None => Ok(format!("{}{value}", self.default_scheme())),
        }
    }
}

/// Characters tried as delimiters, in this order: no digit, no flag, none of `^.*$` or `\` (RFC 3402).
const DELIMITERS: &str = "!/#|~,;%@&=_";

/// The substitution expression that turns any number into this URI; its backslashes are doubled (B114).
pub fn regexp(uri: &str) -> Result<String, NaptrError> {
    let delimiter =
        DELIMITERS.chars().find(|c| !uri.contains(*c)).ok_or(NaptrError::NoDelimiter)?;
    let escaped = uri.replace('\\', "\\\\");
    let regexp = format!("{delimiter}^.*${delimiter}{escaped}{delimiter}");
    if regexp.len() > txt::MAX_STRING {
        return Err(NaptrError::TooLong(regexp.len()));
    }
    Ok(regexp)
}

/// The content of the NAPTR record of a mapping; the priority is the preference (B114).
pub fn content(kind: &str, mapto: &str, priority: u16) -> Result<String, NaptrError> {
    let kind = mapping_type(kind).ok_or_else(|| NaptrError::UnknownType(kind.to_owned()))?;
    let regexp = regexp(&kind.complete(mapto)?)?;
    // The expression is one character string: in presentation form its own backslashes and quotes are escaped.
    let quoted = txt::quote(regexp.as_bytes());
    Ok(format!("100 {priority} \"u\" \"E2U+{}\" {quoted} .", kind.service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b105_completes_values_without_a_scheme() {
        for (kind, value, expected) in [
            ("sip", "a@b.example", "sip:a@b.example"),
            ("sip", "SIPS:a@b.example", "SIPS:a@b.example"),
            ("web:https", "example.com/x", "https://example.com/x"),
            ("sms", "mailto:a@b.example", "mailto:a@b.example"),
            ("sms", "+31208005169", "tel:+31208005169"),
            ("voice", "x", "voice:x"),
            ("Fax:Tel", "1", "tel:1"),
            ("sip", "é", "sip:é"),
        ] {
            let found = mapping_type(kind).unwrap().complete(value);
            assert_eq!(found.as_deref(), Ok(expected));
        }
        let sip = mapping_type("sip").unwrap();
        assert_eq!(sip.complete("sip:"), Err(NaptrError::EmptyValue));
        assert_eq!(sip.complete(" "), Err(NaptrError::EmptyValue));
        assert_eq!(sip.complete("a b"), Err(NaptrError::BadCharacter));
    }

    #[test]
    fn b105_every_type_has_a_scheme_and_one_row() {
        for kind in MAPPING_TYPES {
            assert!(!kind.default_scheme().is_empty(), "{}", kind.name);
            assert_eq!(mapping_type(kind.name), Some(kind));
        }
        assert_eq!(MAPPING_TYPES.len(), 25);
        assert_eq!(mapping_type("fax"), None);
    }

    #[test]
    fn b114_content_of_a_mapping() {
        for (kind, mapto, expected) in [
            ("sip", "sip:a@b", r#"100 5 "u" "E2U+sip" "!^.*$!sip:a@b!" ."#),
            ("npd:tel", "tel:+1", r#"100 5 "u" "E2U+npd+tel" "!^.*$!tel:+1!" ."#),
            ("sip", "sip:a!@b", r#"100 5 "u" "E2U+sip" "/^.*$/sip:a!@b/" ."#),
            ("sip", "sip:a\\1@b", r#"100 5 "u" "E2U+sip" "!^.*$!sip:a\\\\1@b!" ."#),
            ("sip", "sip:\"a\"@b", r#"100 5 "u" "E2U+sip" "!^.*$!sip:\"a\"@b!" ."#),
        ] {
            assert_eq!(content(kind, mapto, 5).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn b114_what_no_expression_can_hold() {
        assert_eq!(regexp(DELIMITERS), Err(NaptrError::NoDelimiter));
        assert_eq!(content("x", "y", 1), Err(NaptrError::UnknownType("x".to_owned())));
        assert_eq!(regexp(&"a".repeat(248)).map(|r| r.len()), Ok(255));
        assert_eq!(regexp(&"a".repeat(249)), Err(NaptrError::TooLong(256)));
    }
}
