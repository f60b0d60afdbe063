//! What a request asks for in its HTTP header: to be done once, or only to be tried (doc/safe-writes.md).

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ngn_soap::fault::code;
use ngn_soap::{Fault, Request, Style};
use ngn_store::{KeyringError, StoreError};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

use crate::principal::Principal;

/// The request header that makes a write happen once.
pub const KEY_HEADER: &str = "idempotency-key";
/// The request header that makes a write be tried only, and the response header that says that it was.
pub const DRY_RUN_HEADER: &str = "dry-run";
/// The response header of an answer that was given before.
pub const REPLAYED_HEADER: &str = "idempotency-replayed";
/// The response header of a dry run: how many journal rows it would have written.
pub const ENTRIES_HEADER: &str = "x-journal-entries";

/// What a request asks for beside its operation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// The key under which the answer is kept.
    pub key: Option<String>,
    /// Whether nothing is to be committed.
    pub dry_run: bool,
}

impl Wishes {
    /// Reads them from the header. Who asks for something that cannot be read must not get something else.
    ///
    /// # Errors
    ///
    /// 9000 with what may stand there.
    pub fn read(headers: &HeaderMap) -> Result<Self, Fault> {
        let key = match single(headers, KEY_HEADER)? {
            None => None,
            Some(text) => {
                // The header is a string in quotes by its draft; most clients leave them out.
                let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let key = quoted.unwrap_or(text);
                let good = |b: u8| b.is_ascii_graphic() || b == b' ';
                if key.is_empty() || key.len() > 255 || !key.bytes().all(good) {
                    return Err(invalid(
                        "the HTTP header Idempotency-Key holds 1 to 255 printable ASCII characters; \
                         make a new random one, such as a UUID, for each change",
                    ));
                }
                Some(key.to_owned())
            }
        };
        let dry_run = match single(headers, DRY_RUN_HEADER)?.map(str::to_ascii_lowercase).as_deref()
        {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(other) => {
                let text = format!(
                    "the HTTP header Dry-Run holds 1 to change nothing or 0 to change, not `{other}`; \
                     nothing was changed"
                );
                return Err(invalid(text));
            }
        };
        Ok(Self { key, dry_run })
    }
}

fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid(format!("the HTTP header {name} stands there more than once")));
    }
    let text = first.to_str().map_err(|_| {
        invalid(format!("the HTTP header {name} holds something else than ASCII characters"))
    })?;
    Ok(Some(text.trim()))
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::client(code::INVALID_ARGUMENT, text)
}

/// What a request asks for, told apart from every other request: operation, arguments, style of the answer and in
/// whose name, but not the password it came with. It keys the digest that is stored and seals the answer, which may
/// hold secrets, so that only who repeats the request can read it.
pub struct Fingerprint {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fingerprint").finish_non_exhaustive()
    }
}

impl Fingerprint {
    /// Of a request under a key.
    #[must_use]
    pub fn new(key: &str, who: &Principal, request: &Request, style: Style) -> Self {
        let mut mac = keyed(key.as_bytes());
        let row = request.operation();
        let customer = who.caller.as_ref().map(|caller| caller.customer);
        let about = format!(
            "{}\0{}\0{customer:?}\0{}:{}\0{style:?}\0",
            who.login,
            who.administrator_login,
            row.port.name(),
            row.name
        );
        mac.update(about.as_bytes());
        mac.update(&request.encode(None, Style::Encoded));
        Self { mac }
    }

    /// The digest to store, 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        self.part(b"digest").iter().fold(String::new(), |mut text, octet| {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "{octet:02x}");
            text
        })
    }

    /// The answer as it is stored: nonce, AES-256-GCM ciphertext and tag, in base64.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn seal(&self, answer: &[u8]) -> Result<String, StoreError> {
        let mut sealed = vec![0; NONCE_LEN];
        let random = SystemRandom::new().fill(&mut sealed);
        let nonce = Nonce::try_assume_unique_for_key(&sealed);
        let mut text = answer.to_vec();
        let done = random.and(nonce).and_then(|nonce| {
            self.cipher()?.seal_in_place_append_tag(nonce, Aad::empty(), &mut text)
        });
        done.map_err(|_| KeyringError::Random)?;
        sealed.append(&mut text);
        Ok(STANDARD.encode(sealed))
    }

    /// The answer from what is stored; `None` when that is something else.
    #[must_use]
    pub fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        let octets = STANDARD.decode(sealed).ok()?;
        let (nonce, text) = octets.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let answer = self.cipher().ok()?.open_in_place(nonce, Aad::empty(), &mut text).ok()?;
        Some(answer.to_vec())
    }

    fn cipher(&self) -> Result<LessSafeKey, Unspecified> {
        UnboundKey::new(&AES_256_GCM, &self.part(b"seal")).map(LessSafeKey::new)
    }

    fn part(&self, label: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(b"\0");
        mac.update(label);
        mac.finalize().into_bytes().into()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(Sha256::digest(key)) {
        *to = from;
    }
    Hmac::new(&block.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(fields: &[(&'static str, &'static str)]) -> Result<Wishes, Fault> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Wishes::read(&headers)
    }

    fn fingerprint(key: &str, name: &str) -> Fingerprint {
        let domain =
            ngn_soap::types::SipDomain { domain: Some(name.to_owned()), ..Default::default() };
        let request = Request::from(ngn_soap::sip::AddDomain { domain: Some(domain) });
        Fingerprint::new(key, &Principal::administrator("admin"), &request, Style::Encoded)
    }

    #[test]
    fn headers_are_read() {
        assert_eq!(read(&[]), Ok(Wishes::default()));
        assert_eq!(read(&[("idempotency-key", "\"k 1\"")]).unwrap().key.as_deref(), Some("k 1"));
        assert!(read(&[("dry-run", "TRUE")]).unwrap().dry_run);
        assert!(!read(&[("dry-run", "0")]).unwrap().dry_run);
        for bad in [("dry-run", "yes"), ("dry-run", ""), ("idempotency-key", "")] {
            assert_eq!(read(&[bad]).unwrap_err().code, code::INVALID_ARGUMENT, "{bad:?}");
        }
        assert!(read(&[("dry-run", "1"), ("dry-run", "0")]).is_err());
    }

    #[test]
    fn answers_open_only_with_the_same_request() {
        let answer = b"<password>s3cret</password>".repeat(9);
        let sealed = fingerprint("k", "a.example").seal(&answer).unwrap();
        assert_eq!(fingerprint("k", "a.example").open(&sealed).as_ref(), Some(&answer));
        assert_eq!(fingerprint("k", "b.example").open(&sealed), None);
        assert_eq!(fingerprint("l", "a.example").open(&sealed), None);
        assert_eq!(fingerprint("k", "a.example").open("c2hvcnQ="), None);
        assert!(!STANDARD.decode(&sealed).unwrap().windows(6).any(|w| w == b"s3cret"));
        assert_ne!(fingerprint("k", "a.example").digest(), fingerprint("k", "b.example").digest());
        assert_eq!(fingerprint("k", "a.example").digest().len(), 64);
    }
}
