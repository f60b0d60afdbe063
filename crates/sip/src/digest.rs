//! Digest authentication (RFC 3261 section 22, RFC 7616, RFC 8760): challenges and verdicts.
//!
//! The server keeps nothing between a challenge and its answer: a [`nonce`] carries its own time and a MAC.
//! What it must remember is which uses of a nonce it has accepted, so that captured credentials cannot be
//! used again; that is the bounded [`ReplayWindow`].
//!
//! The order of the checks is the point of [`verify`]: the response is computed and compared first, for
//! unknown accounts against a secret that nobody has, so that time tells nothing about which accounts exist;
//! and `stale` is only ever said to somebody who knows the password.

pub mod nonce;
mod replay;

pub use nonce::NonceKey;
pub use replay::ReplayWindow;

use crate::header::{Algorithm, Challenge, Credentials};
use crate::message::Method;
use crate::uri::Uri;
use md5::Md5;
use ngn_model::{Ha1, Ha1Sha256};
use nonce::NonceState;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// How strictly credentials are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long a nonce may be used, in milliseconds.
    pub nonce_lifetime: i64,
    /// Whether credentials without `qop` are taken (clients of RFC 2069; RFC 3261 section 22.4 item 8 wants
    /// it). Their nonce can be used once only, since nothing counts its uses.
    pub allow_without_qop: bool,
    /// What the `uri` of the credentials is compared with.
    pub uri: UriRule,
    /// The algorithms that were offered. Others are not taken: whoever took the better one out of a challenge on its
    /// way would otherwise get the weaker one (RFC 7616 section 5.8).
    pub offered: Offered,
}

/// Which algorithms a challenge offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// MD5.
    pub md5: bool,
    /// SHA-256.
    pub sha256: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            nonce_lifetime: 300_000,
            allow_without_qop: true,
            uri: UriRule::SameTarget,
            offered: Offered { md5: true, sha256: true },
        }
    }
}

/// How the `uri` of credentials must fit the Request-URI (RFC 7616 section 3.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriRule {
    /// It is not compared.
    Any,
    /// User and host must be the same. Ports and parameters may differ, since clients and proxies on the
    /// way add and drop them.
    SameTarget,
    /// Both must be equivalent by RFC 3261 section 19.1.4.
    Equivalent,
}

/// What an account's password is known by. All `None` is an account that nobody can log in to, and stands for
/// an unknown one too.
#[derive(Debug, Clone, Copy, Default)]
pub struct Secret<'a> {
    /// The MD5 digest (B61).
    pub md5: Option<&'a Ha1>,
    /// The SHA-256 digest.
    pub sha256: Option<&'a Ha1Sha256>,
}

/// The request that credentials came with.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its Request-URI as it was received.
    pub uri: &'a Uri,
    /// The realm that it was, or would be, challenged with.
    pub realm: &'a str,
}

/// What is to be done with credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are right.
    Accepted,
    /// The password is right, but the nonce is too old, foreign or used up: challenge with `stale=true`.
    Stale,
    /// They are wrong: refuse or challenge, as the caller's policy says.
    Wrong,
    /// They do not answer a challenge of ours (other realm, algorithm or qop): challenge.
    Unsuitable(&'static str),
    /// They break the rules of the scheme: 400.
    Malformed(&'static str),
}

/// Makes the challenges of one response, one per algorithm, all with the same nonce.
///
/// Clients take the first one that they understand (RFC 8760 section 2.4), and many only look at the first.
/// `random` must come from a generator that cannot be predicted.
#[must_use]
pub fn challenges(
    realm: &str,
    algorithms: &[Algorithm],
    stale: bool,
    key: &NonceKey,
    now: i64,
    random: [u8; 8],
) -> Vec<Challenge> {
    let nonce = key.make(realm, now, random);
    let challenge = |algorithm: &Algorithm| Challenge {
        realm: realm.to_owned(),
        nonce: nonce.clone(),
        algorithm: algorithm.clone(),
        stale,
        qop: "auth".to_owned(),
        opaque: None,
    };
    algorithms.iter().map(challenge).collect()
}

/// Judges credentials.
#[must_use]
pub fn verify(
    credentials: &Credentials,
    request: &Request<'_>,
    secret: Secret<'_>,
    rules: &Rules,
    key: &NonceKey,
    window: &mut ReplayWindow,
    now: i64,
) -> Verdict {
    if credentials.realm != request.realm {
        return Verdict::Unsuitable("the realm is another one");
    }
    let count = match use_count(credentials, rules) {
        Ok(count) => count,
        Err(verdict) => return verdict,
    };
    if !uri_fits(&credentials.uri, request.uri, rules.uri) {
        return Verdict::Malformed("the uri of the credentials is not the Request-URI");
    }
    let right = match credentials.algorithm {
        Algorithm::Md5 if rules.offered.md5 => {
            let ha1 = secret.md5.map_or(([0; 16], false), |ha1| (*ha1.as_bytes(), true));
            compare::<Md5, 16>(credentials, request.method, ha1)
        }
        Algorithm::Sha256 if rules.offered.sha256 => {
            let ha1 = secret.sha256.map_or(([0; 32], false), |ha1| (*ha1.as_bytes(), true));
            compare::<Sha256, 32>(credentials, request.method, ha1)
        }
        Algorithm::Md5 | Algorithm::Sha256 | Algorithm::Other(_) => {
            return Verdict::Unsuitable("the algorithm was not offered");
        }
    };
    if !right {
        return Verdict::Wrong;
    }
    match key.check(&credentials.nonce, request.realm, now, rules.nonce_lifetime) {
        NonceState::Valid { id, issued } => {
            if window.accept(id, issued, count, now, rules.nonce_lifetime) {
                Verdict::Accepted
            } else {
                Verdict::Stale
            }
        }
        NonceState::Expired | NonceState::Foreign => Verdict::Stale,
    }
}

/// Answers a challenge, as a client does. `ha1` is [`ha1_md5`] or [`ha1_sha256`] in hexadecimal, as the
/// challenge's algorithm says; `None` when the algorithm is unknown or `qop` leaves out `auth`.
#[must_use]
pub fn answer(
    challenge: &Challenge,
    username: &str,
    ha1: &str,
    method: &Method,
    uri: &Uri,
    cnonce: &str,
    count: u32,
) -> Option<Credentials> {
    let offers_auth = challenge.qop.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth"));
    if !challenge.qop.is_empty() && !offers_auth {
        return None;
    }
    let with_qop = offers_auth.then_some(());
    let mut credentials = Credentials {
        username: username.to_owned(),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        uri: uri.to_string(),
        response: String::new(),
        algorithm: challenge.algorithm.clone(),
        cnonce: with_qop.map(|()| cnonce.to_owned()),
        opaque: challenge.opaque.clone(),
        qop: with_qop.map(|()| "auth".to_owned()),
        nc: with_qop.map(|()| format!("{count:08x}")),
    };
    credentials.response = match challenge.algorithm {
        Algorithm::Md5 => hex(&response::<Md5>(&credentials, method, ha1.as_bytes())),
        Algorithm::Sha256 => hex(&response::<Sha256>(&credentials, method, ha1.as_bytes())),
        Algorithm::Other(_) => return None,
    };
    Some(credentials)
}

/// `MD5(username:realm:password)` (B61).
#[must_use]
pub fn ha1_md5(username: &str, realm: &str, password: &str) -> Ha1 {
    Ha1::from_bytes(hash::<Md5>(&[username, ":", realm, ":", password].map(str::as_bytes)).into())
}

/// `SHA-256(username:realm:password)` (RFC 8760).
#[must_use]
pub fn ha1_sha256(username: &str, realm: &str, password: &str) -> Ha1Sha256 {
    let parts = [username, ":", realm, ":", password].map(str::as_bytes);
    Ha1Sha256::from_bytes(hash::<Sha256>(&parts).into())
}

/// Checks qop, nc and cnonce against each other and returns the use of the nonce that is claimed.
fn use_count(credentials: &Credentials, rules: &Rules) -> Result<u32, Verdict> {
    let Some(qop) = &credentials.qop else {
        return if rules.allow_without_qop {
            Ok(1)
        } else {
            Err(Verdict::Unsuitable("qop is missing"))
        };
    };
    if !qop.eq_ignore_ascii_case("auth") {
        return Err(Verdict::Unsuitable("the qop was not offered"));
    }
    if credentials.cnonce.is_none() {
        return Err(Verdict::Malformed("there is a qop but no cnonce"));
    }
    let nc = credentials.nc.as_deref().unwrap_or("");
    let count = u32::from_str_radix(nc, 16).ok();
    let is_count = nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit());
    match count.filter(|count| is_count && *count > 0) {
        Some(count) => Ok(count),
        None => Err(Verdict::Malformed("nc is not eight hexadecimal digits above zero")),
    }
}

fn uri_fits(text: &str, request: &Uri, rule: UriRule) -> bool {
    if rule == UriRule::Any || text == request.as_str() {
        return true;
    }
    let Ok(uri) = Uri::parse(text) else { return false };
    match rule {
        UriRule::Any => true,
        UriRule::Equivalent => uri.is_equivalent(request),
        UriRule::SameTarget => match (uri.host(), request.host()) {
            (Some(a), Some(b)) => a.matches(&b) && uri.user_unescaped() == request.user_unescaped(),
            _ => uri.is_equivalent(request),
        },
    }
}

/// Computes the response and compares it. `ha1` comes with whether it is an account's; the work is the same.
fn compare<D: md5::Digest, const N: usize>(
    credentials: &Credentials,
    method: &Method,
    (ha1, is_known): ([u8; N], bool),
) -> bool {
    let expected = response::<D>(credentials, method, hex(&ha1).as_bytes());
    let mut given = [0_u8; N];
    let is_hex = read_hex(&credentials.response, &mut given);
    let equal = expected.as_slice().ct_eq(&given);
    bool::from(equal & u8::from(is_hex).into() & u8::from(is_known).into())
}

/// RFC 7616 section 3.4.1.
fn response<D: md5::Digest>(
    credentials: &Credentials,
    method: &Method,
    ha1: &[u8],
) -> md5::digest::Output<D> {
    let uri = credentials.uri.as_bytes();
    let ha2 = hex(&hash::<D>(&[method.as_str().as_bytes(), b":", uri]));
    let nonce = credentials.nonce.as_bytes();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    match &credentials.qop {
        Some(qop) => {
            let (nc, cnonce) = (text(&credentials.nc), text(&credentials.cnonce));
            let (nc, cnonce, qop) = (nc.as_bytes(), cnonce.as_bytes(), qop.as_bytes());
            hash::<D>(&[ha1, b":", nonce, b":", nc, b":", cnonce, b":", qop, b":", ha2.as_bytes()])
        }
        None => hash::<D>(&[ha1, b":", nonce, b":", ha2.as_bytes()]),
    }
}

fn hash<D: md5::Digest>(parts: &[&[u8]]) -> md5::digest::Output<D> {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// Reads exactly as many hexadecimal digits as fill the octets.
pub(crate) fn read_hex(text: &str, bytes: &mut [u8]) -> bool {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    if text.len() != 2 * bytes.len() {
        return false;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return false };
        let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else { return false };
        *byte = high << 4 | low;
    }
    true
}

#[cfg(test)]
mod tests;
