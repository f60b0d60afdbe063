//! `Contact` (RFC 3261 section 20.10; RFC 5626 for `+sip.instance` and `reg-id`).

use super::expires::delta_seconds;
use super::name_addr::NameAddr;
use super::scan::{digits, split_list, trim};
use super::{Header, HeaderError, HeaderName, ListHeader};
use crate::uri::Uri;
use std::borrow::Cow;
use std::fmt;

/// One contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact(pub NameAddr);

/// All contacts of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contacts {
    /// `*`: all bindings (only in REGISTER, with Expires 0).
    Star,
    /// The listed ones, perhaps none.
    List(Vec<Contact>),
}

impl Contact {
    /// A contact for a URI.
    #[must_use]
    pub fn new(uri: Uri) -> Self {
        Self(NameAddr::new(uri))
    }

    /// The URI.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        self.0.uri()
    }

    /// The preference in thousandths; `None` when there is none or it is not a qvalue.
    #[must_use]
    pub fn q(&self) -> Option<u16> {
        read_q(self.0.params.value("q")?)
    }

    /// Seconds until the binding ends; `None` when none or no number is given, which means the default
    /// (section 10.2.1.1).
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        delta_seconds(&self.0.params.unquoted("expires")?)
    }

    /// Sets the preference in thousandths.
    pub fn set_q(&mut self, q: u16) {
        self.0.params.set("q", Some(&print_q(q)));
    }

    /// Sets the seconds until the binding ends.
    pub fn set_expires(&mut self, seconds: u32) {
        self.0.params.set("expires", Some(&seconds.to_string()));
    }

    /// The instance id without quotes and angle brackets (`urn:uuid:...`).
    #[must_use]
    pub fn instance(&self) -> Option<String> {
        let value: Cow<'_, str> = self.0.params.unquoted("+sip.instance")?;
        let id = value.strip_prefix('<').and_then(|v| v.strip_suffix('>')).unwrap_or(&value);
        Some(id.to_owned()).filter(|id| !id.is_empty())
    }

    /// The `reg-id` (RFC 5626 section 4.2): a number above zero.
    #[must_use]
    pub fn reg_id(&self) -> Option<u32> {
        let number = digits(self.0.params.value("reg-id")?)?;
        u32::try_from(number).ok().filter(|number| *number > 0)
    }
}

impl ListHeader for Contact {
    const NAME: HeaderName = HeaderName::Contact;

    fn parse_one(value: &str) -> Result<Self, HeaderError> {
        NameAddr::read(value).map(Self).map_err(|reason| HeaderError::new(Self::NAME, reason))
    }
}

impl Header for Contacts {
    const NAME: HeaderName = HeaderName::Contact;

    fn parse(value: &str) -> Result<Self, HeaderError> {
        if trim(value) == "*" {
            return Ok(Self::Star);
        }
        split_list(value).map(Contact::parse_one).collect::<Result<_, _>>().map(Self::List)
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `qvalue`: 0 to 1 with up to three decimals; more decimals are cut off.
fn read_q(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if (whole.is_empty() && decimals.is_empty()) || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { digits(whole)? };
    let thousandths = decimals
        .bytes()
        .chain(*b"000")
        .take(3)
        .fold(0_u64, |sum, digit| sum * 10 + u64::from(digit.wrapping_sub(b'0')));
    let q = whole.checked_mul(1000)?.checked_add(thousandths)?;
    u16::try_from(q).ok().filter(|q| *q <= 1000)
}

/// Prints a preference in thousandths as a qvalue, without needless zeros.
fn print_q(q: u16) -> String {
    let q = q.min(1000);
    let text = format!("{}.{:03}", q / 1000, q % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_parameters() {
        let contact = Contact::parse_one(
            "\"A\" <sip:a@192.0.2.1;ob>;q=0.7;expires=\"300\";reg-id=2;+sip.instance=\"<urn:uuid:f81d>\"",
        )
        .expect("a contact");
        assert_eq!(contact.uri().as_str(), "sip:a@192.0.2.1;ob");
        assert_eq!(contact.q(), Some(700));
        assert_eq!(contact.expires(), Some(300));
        assert_eq!(contact.reg_id(), Some(2));
        assert_eq!(contact.instance().as_deref(), Some("urn:uuid:f81d"));
        let bare = Contact::parse_one("sip:a@b;expires=never;q=2;reg-id=0").expect("a contact");
        assert_eq!((bare.q(), bare.expires(), bare.reg_id()), (None, None, None));
    }

    #[test]
    fn reads_star_and_lists() {
        assert_eq!(Contacts::parse(" * "), Ok(Contacts::Star));
        let Ok(Contacts::List(list)) = Contacts::parse("<sip:a@b>;q=1, sip:c@d;expires=5") else {
            panic!("a list");
        };
        assert_eq!(
            list.iter().map(|c| c.uri().as_str()).collect::<Vec<_>>(),
            ["sip:a@b", "sip:c@d"]
        );
        for text in ["", "*, <sip:a@b>", "<sip:a@b>,", "sip:user@example.com?Route=%3Csip:x%3E"] {
            assert!(Contacts::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn converts_preferences() {
        for (text, q) in [
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0.5", Some(500)),
            ("0.05", Some(50)),
            (".5", Some(500)),
            ("0.12345", Some(123)),
            ("0", Some(0)),
            ("1.1", None),
            ("2", None),
            ("-0.5", None),
            ("", None),
            (".", None),
            ("x", None),
        ] {
            assert_eq!(read_q(text), q, "{text}");
        }
        for (q, text) in
            [(1000, "1"), (0, "0"), (500, "0.5"), (50, "0.05"), (123, "0.123"), (9999, "1")]
        {
            assert_eq!(print_q(q), text);
        }
    }
}
