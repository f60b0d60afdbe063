//! Globally routable user agent URIs (RFC 5627): URIs that lead to one phone of an account, wherever it is.
//!
//! ```text
//! public:     sip:alice@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6~SIGNATURE
//! temporary:  sip:SALT CIPHERTEXT SIGNATURE@example.com;gr
//! ```
//!
//! Nothing is kept of them. A public one names the phone, signed, so that what was never given out is told from a phone
//! that is not registered now. A temporary one holds the account's name and marks of the phone and of the Call-ID of its
//! registration, encrypted: it tells nobody whose it is, two of the same phone have nothing in common, and it ends with
//! that Call-ID or with the registration (section 5.4). All nodes that have the secret read them, also after a restart.

use crate::proxy::secret::{Purpose, Secret, decode, encode, same};
use crate::uri::Uri;
use ngn_model::{Aor, Binding};
use std::fmt::Write as _;

/// The parameter by which a GRUU is known.
const PARAMETER: &str = "gr";
/// Between a phone's name and the signature.
const MARK: char = '~';
/// The octets of salts and marks.
const SHORT: usize = 8;
/// The octets of a temporary GRUU's signature.
const LONG: usize = 16;
/// User names are made longer to a multiple of so many octets, so that their length tells less.
const BLOCK: usize = 16;

/// Makes and reads GRUUs.
#[derive(Debug, Clone)]
pub struct Gruus(Secret);

/// What a GRUU names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gruu {
    /// The account.
    pub aor: Aor,
    which: Which,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    /// The phone's name.
    Public(String),
    /// Marks of the phone and of the Call-ID of its registration.
    Temporary([u8; SHORT], [u8; SHORT]),
}

impl Gruus {
    /// Makes and reads them with this secret, which must be random, outlive the process and be the same on all nodes.
    #[must_use]
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        Self(Secret::from_bytes(secret))
    }

    /// The public GRUU of an account's phone: always the same (section 5.4). `None` when the address makes no URI.
    #[must_use]
    pub fn public(&self, aor: &Aor, instance: &str) -> Option<Uri> {
        let signature = encode(&self.public_signature(aor, instance));
        let value = format!("{}{MARK}{signature}", escaped(instance));
        Uri::parse(&format!("sip:{aor}")).ok()?.with_param(PARAMETER, Some(&value)).ok()
    }

    /// A temporary GRUU of an account's phone that registered with this Call-ID; `salt` must be random.
    #[must_use]
    pub fn temporary(
        &self,
        aor: &Aor,
        instance: &str,
        call_id: &str,
        salt: [u8; SHORT],
    ) -> Option<Uri> {
        let mut plain = [self.mark(aor, instance), self.mark(aor, call_id)].concat();
        plain.extend(aor.username().bytes());
        let padded = plain.len().next_multiple_of(BLOCK);
        plain.resize(padded, 0);
        let domain = aor.domain().as_str();
        self.cipher(domain, salt, &mut plain);
        let mut octets = [&salt[..], &plain].concat();
        octets.extend(self.temporary_signature(domain, &octets));
        let uri = Uri::parse(&format!("sip:{}@{domain}", encode(&octets))).ok()?;
        uri.with_param(PARAMETER, None).ok()
    }

    /// What a GRUU names; `None` when it was not made here.
    #[must_use]
    pub fn read(&self, uri: &Uri) -> Option<Gruu> {
        match uri.param(PARAMETER) {
            Some(value) => {
                let aor = uri.aor()?;
                let (name, signature) = value.rsplit_once(MARK)?;
                let instance = unescaped(name)?;
                let made = self.public_signature(&aor, &instance);
                same(&decode(signature)?, &made)
                    .then_some(Gruu { aor, which: Which::Public(instance) })
            }
            None if is_gruu(uri) => self.read_temporary(uri),
            None => None,
        }
    }

    fn read_temporary(&self, uri: &Uri) -> Option<Gruu> {
        let domain = uri.host_text().to_ascii_lowercase();
        let mut octets = decode(uri.user()?)?;
        let signature = octets.split_off(octets.len().checked_sub(LONG)?);
        if !same(&signature, &self.temporary_signature(&domain, &octets)) {
            return None;
        }
        let (salt, rest) = octets.split_first_chunk::<SHORT>()?;
        let mut plain = rest.to_vec();
        self.cipher(&domain, *salt, &mut plain);
        let (instance, rest) = plain.split_first_chunk::<SHORT>()?;
        let (call_id, user) = rest.split_first_chunk::<SHORT>()?;
        let user = std::str::from_utf8(user).ok()?.trim_end_matches('\0');
        let aor = Aor::new(user, &domain).ok()?;
        Some(Gruu { aor, which: Which::Temporary(*instance, *call_id) })
    }

    /// Whether a binding is one of the phone that a GRUU names.
    #[must_use]
    pub fn names(&self, gruu: &Gruu, binding: &Binding) -> bool {
        let Some(instance) = &binding.instance else { return false };
        match &gruu.which {
            Which::Public(name) => name == instance,
            Which::Temporary(of, _) => *of == self.mark(&gruu.aor, instance),
        }
    }

    /// Whether a GRUU holds while the phone's last registration is this one: a temporary one ends when the phone registers
    /// with another Call-ID (section 5.4).
    #[must_use]
    pub fn holds(&self, gruu: &Gruu, last: &Binding) -> bool {
        match &gruu.which {
            Which::Public(_) => true,
            Which::Temporary(_, by) => *by == self.mark(&gruu.aor, &last.call_id),
        }
    }

    fn public_signature(&self, aor: &Aor, instance: &str) -> [u8; SHORT] {
        let aor = aor.to_string();
        self.0.sign_short(Purpose::PublicGruu, &[aor.as_bytes(), instance.as_bytes()])
    }

    fn temporary_signature(&self, domain: &str, octets: &[u8]) -> [u8; LONG] {
        self.0.sign_short(Purpose::TemporaryGruu, &[domain.as_bytes(), octets])
    }

    fn mark(&self, aor: &Aor, text: &str) -> [u8; SHORT] {
        self.0.sign_short(Purpose::GruuMark, &[aor.to_string().as_bytes(), text.as_bytes()])
    }

    /// Encrypts, and decrypts again: a stream of signatures of a counter (CTR mode with HMAC as its function).
    fn cipher(&self, domain: &str, salt: [u8; SHORT], octets: &mut [u8]) {
        for (number, block) in (0_u32..).zip(octets.chunks_mut(32)) {
            let parts = [domain.as_bytes(), &salt, &number.to_be_bytes()];
            let stream = self.0.sign(Purpose::GruuStream, &parts);
            block.iter_mut().zip(stream).for_each(|(octet, key)| *octet ^= key);
        }
    }
}

impl Gruu {
    /// Whether it is a temporary one.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self.which, Which::Temporary(..))
    }
}

/// Whether a URI says that it is a GRUU (section 3.1).
#[must_use]
pub fn is_gruu(uri: &Uri) -> bool {
    uri.is_sip() && uri.has_param(PARAMETER)
}

/// A phone's name as the value of a URI parameter (RFC 3261 section 25.1).
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for octet in name.bytes() {
        if octet.is_ascii_alphanumeric() || b"-_.!*'()[]/:&+$".contains(&octet) {
            text.push(char::from(octet));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(text, "%{octet:02X}");
        }
    }
    text
}

fn unescaped(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'%' {
            let (digits, behind) = behind.split_at_checked(2)?;
            octets.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = behind;
        } else {
            octets.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

    fn gruus() -> Gruus {
        Gruus::from_bytes([9; 32])
    }

    fn aor(text: &str) -> Aor {
        text.parse().expect("an address")
    }

    fn binding(instance: &str, call_id: &str) -> Binding {
        Binding {
            instance: Some(instance.to_owned()),
            call_id: call_id.to_owned(),
            ..Binding::new(aor("alice@example.com"), "sip:a@192.0.2.1", 0)
        }
    }

    #[test]
    fn rfc5627_5_4_public_ones_name_the_phone_and_stay_the_same() {
        let (gruus, alice) = (gruus(), aor("alice@example.com"));
        for name in [NAME, "a~b c;d\"%", "ü"] {
            let uri = gruus.public(&alice, name).expect("a URI");
            assert_eq!(uri, gruus.public(&alice, name).expect("a URI"));
            assert_eq!(uri.aor(), Some(alice.clone()));
            let read = gruus.read(&Uri::parse(uri.as_str()).expect("a URI")).expect("a GRUU");
            assert!(read.aor == alice && !read.is_temporary());
            assert!(
                gruus.names(&read, &binding(name, "1")) && gruus.names(&read, &binding(name, "2"))
            );
            assert!(!gruus.names(&read, &binding("urn:uuid:other", "1")));
        }
        let text = gruus.public(&alice, NAME).expect("a URI").to_string();
        assert!(text.starts_with(&format!("sip:alice@example.com;gr={NAME}~")), "{text}");
        let nameless = Binding { instance: None, ..binding(NAME, "1") };
        let read = gruus.read(&Uri::parse(&text).expect("a URI")).expect("a GRUU");
        assert!(!gruus.names(&read, &nameless));
    }

    #[test]
    fn rfc5627_5_4_temporary_ones_end_with_the_call_id() {
        let (gruus, alice) = (gruus(), aor("alice@example.com"));
        let make = |salt| gruus.temporary(&alice, NAME, "c1", salt).expect("a URI");
        let (one, other) = (make([1; 8]), make([2; 8]));
        for uri in [&one, &other] {
            let read = gruus.read(&Uri::parse(uri.as_str()).expect("a URI")).expect("a GRUU");
            assert!(read.aor == alice && read.is_temporary());
            assert!(gruus.names(&read, &binding(NAME, "c1")));
            assert!(gruus.holds(&read, &binding(NAME, "c1")));
            assert!(!gruus.holds(&read, &binding(NAME, "c2")), "it registered anew");
            assert!(!gruus.names(&read, &binding("urn:uuid:other", "c1")));
        }
        // Section 3.1.2: nobody can tell that they are of the same phone, or whose they are.
        let user = |uri: &Uri| uri.user().expect("a user").to_owned();
        let octets = decode(&user(&one)).expect("octets");
        assert!(!octets.windows(5).any(|some| some == b"alice"));
        let same = octets.iter().zip(decode(&user(&other)).expect("octets"));
        assert!(same.filter(|(a, b)| **a == *b).count() < 8);
        // Names of about one length look alike.
        let long = gruus.temporary(&aor("alice.jones@example.com"), NAME, "c1", [1; 8]);
        assert_eq!(user(&long.expect("a URI")).len(), user(&one).len());
    }

    #[test]
    fn what_was_not_made_here_is_none() {
        let (gruus, alice) = (gruus(), aor("alice@example.com"));
        let public = gruus.public(&alice, NAME).expect("a URI").to_string();
        let temporary = gruus.temporary(&alice, NAME, "c1", [1; 8]).expect("a URI").to_string();
        let is_read = |text: &str| Uri::parse(text).is_ok_and(|uri| gruus.read(&uri).is_some());
        assert!(is_read(&public) && is_read(&temporary));
        for text in [
            public.replace("alice", "bob"),
            public.replace("f81d", "f81e"),
            public.replace("example.com", "example.net"),
            temporary.replace("example.com", "example.net"),
            temporary.replace(";gr", ""),
            "sip:alice@example.com;gr".to_owned(),
            format!("sip:alice@example.com;gr={NAME}"),
            "sip:AAAA@example.com;gr".to_owned(),
            "sip:example.com;gr".to_owned(),
        ] {
            assert!(!is_read(&text), "{text}");
        }
        let user =
            temporary.trim_start_matches("sip:").split('@').next().expect("a user").to_owned();
        for at in (0..user.len()).step_by(5) {
            let mut changed = user.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("text");
            assert!(!is_read(&temporary.replace(&user, &changed)), "{at}");
        }
        let other = Gruus::from_bytes([8; 32]);
        assert_eq!(other.read(&Uri::parse(&public).expect("a URI")), None);
        assert_eq!(other.read(&Uri::parse(&temporary).expect("a URI")), None);
    }
}
