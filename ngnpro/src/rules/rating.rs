//! Rating entities: the URIs by which profiles are told apart (B175).

use ngn_model::{Aor, DomainName};
use std::fmt;

/// What rating profiles belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    /// `subscriber://user@domain`.
    Subscriber(Aor),
    /// `domain://name`.
    Domain(DomainName),
    /// `gateway://address`, in lower case.
    Gateway(String),
}

/// The longest name of a gateway, as the rating engine's table has it.
const MAX_GATEWAY: usize = 128;

impl Entity {
    /// Reads the URI of an entity.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let form = || {
            format!(
                "`{text}` is no rating entity; send subscriber://user@domain, domain://name or gateway://address"
            )
        };
        let (scheme, name) = text.split_once("://").ok_or_else(form)?;
        let wrong = |error: String| format!("`{text}` is no rating entity: {error}");
        match scheme.to_ascii_lowercase().as_str() {
            "subscriber" => {
                name.parse().map(Self::Subscriber).map_err(|error| wrong(error_text(error)))
            }
            "domain" => {
                DomainName::new(name).map(Self::Domain).map_err(|error| wrong(error_text(error)))
            }
            "gateway" => {
                let good = |b: u8| b.is_ascii_alphanumeric() || b"-_.:[]".contains(&b);
                if name.is_empty() || name.len() > MAX_GATEWAY || !name.bytes().all(good) {
                    return Err(wrong(format!(
                        "`{name}` is no host name or address of at most {MAX_GATEWAY} characters"
                    )));
                }
                Ok(Self::Gateway(name.to_ascii_lowercase()))
            }
            _ => Err(form()),
        }
    }

    /// What the columns gateway, domain and subscriber of `billing_customers` hold for it.
    #[must_use]
    pub fn columns(&self) -> (String, String, String) {
        let (mut gateway, mut domain, mut subscriber) = Default::default();
        match self {
            Self::Subscriber(aor) => subscriber = aor.to_string(),
            Self::Domain(name) => domain = name.to_string(),
            Self::Gateway(name) => gateway = name.clone(),
        }
        (gateway, domain, subscriber)
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscriber(aor) => write!(f, "subscriber://{aor}"),
            Self::Domain(name) => write!(f, "domain://{name}"),
            Self::Gateway(name) => write!(f, "gateway://{name}"),
        }
    }
}

fn error_text(error: impl fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b175_entities() {
        for (text, canonical, columns) in [
            (
                "subscriber://Alice@Example.COM",
                "subscriber://alice@example.com",
                ["", "", "alice@example.com"],
            ),
            (" domain://Example.com ", "domain://example.com", ["", "example.com", ""]),
            ("GATEWAY://192.0.2.1:5060", "gateway://192.0.2.1:5060", ["192.0.2.1:5060", "", ""]),
        ] {
            let entity = Entity::read(text).expect(text);
            assert_eq!(entity.to_string(), canonical);
            let (gateway, domain, subscriber) = entity.columns();
            assert_eq!([&*gateway, &*domain, &*subscriber], columns, "{text}");
        }
    }

    #[test]
    fn b175_what_is_no_entity_is_named() {
        let long = format!("gateway://{}", "g".repeat(129));
        for text in [
            "",
            "alice@example.com",
            "subscriber://alice",
            "subscriber://@example.com",
            "domain://",
            "domain://a b",
            "gateway://",
            "gateway://a%b",
            "trunk://x",
            &long,
        ] {
            let error = Entity::read(text).expect_err(text);
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }
}
