//! Telephone numbers as domain names (RFC 6116 section 3.2, B108).

use ngn_model::DomainName;
use ngn_model::number::E164;

/// Why a number has no name under a top-level domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the number {number} has no name under `{tld}`")]
pub struct EnumNameError {
    number: String,
    tld: String,
    source: ngn_model::domain_name::DomainNameError,
}

/// Owner name of a number: its digits reversed, one label each, below the tld (B108).
pub fn owner(number: &E164, tld: &DomainName) -> Result<DomainName, EnumNameError> {
    let mut name = String::with_capacity(number.digits().len() * 2 + tld.as_str().len());
    for digit in number.digits().chars().rev() {
        name.push(digit);
        name.push('.');
    }
    name.push_str(tld.as_str());
    DomainName::new(&name).map_err(|source| EnumNameError {
        number: number.to_string(),
        tld: tld.to_string(),
        source,
    })
}

/// Apex of the zone of a range: the name of its prefix below the tld (B100, B114).
pub fn apex(prefix: &E164, tld: &DomainName) -> Result<DomainName, EnumNameError> {
    owner(prefix, tld)
}

/// The number that an owner name stands for; `None` when it is no number below the tld.
#[must_use]
pub fn number(name: &DomainName, tld: &DomainName) -> Option<E164> {
    let head = name.as_str().strip_suffix(tld.as_str())?.strip_suffix('.')?;
    if head.split('.').any(|label| label.len() != 1) {
        return None;
    }
    let digits: String = head.split('.').rev().collect();
    E164::new(&digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::new(text).unwrap()
    }

    #[test]
    fn b108_reverses_digits_below_the_tld() {
        let tld = name("e164.arpa.");
        let number_in = E164::new("+31208005169").unwrap();
        let owner_name = owner(&number_in, &tld).unwrap();
        assert_eq!(owner_name.as_str(), "9.6.1.5.0.0.8.0.2.1.3.e164.arpa");
        assert_eq!(number(&owner_name, &tld), Some(number_in));
        assert_eq!(apex(&E164::new("31").unwrap(), &tld).unwrap().as_str(), "1.3.e164.arpa");
    }

    #[test]
    fn names_that_are_no_numbers() {
        let tld = name("e164.arpa");
        for text in ["e164.arpa", "12.e164.arpa", "a.e164.arpa", "1.xe164.arpa", "1.3.example"] {
            assert_eq!(number(&name(text), &tld), None, "{text}");
        }
    }

    #[test]
    fn refuses_a_name_beyond_253_octets() {
        let label = "a".repeat(60);
        let tld = name(&[label.as_str(); 4].join("."));
        assert!(owner(&E164::new("12345").unwrap(), &tld).is_ok());
        assert!(owner(&E164::new("123456").unwrap(), &tld).is_err());
    }
}
