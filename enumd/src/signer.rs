//! Signing for signed zones: private keys, and a bounded number of signatures that were made.
//!
//! Keys are opened when zones come that have them, never while a query waits. A signature is found again by a digest of
//! what it is of, so that nothing has to be taken out when a record changes: what is asked for less goes with time.

use crate::config::Dnssec;
use arc_swap::ArcSwap;
use ngn_dns::dnssec::{Key, SIGNATURE, Signer};
use ngn_dns::zone::{Zone, Zones};
use ngn_store::{Keyring, KeyringError, zone_key_pkcs8};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use ring::digest::{Context, SHA256};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Parts of the memory for signatures, so that threads seldom wait for one another.
const PARTS: usize = 16;

/// The first octets of a digest.
type Digest = [u8; 16];
type Pairs = HashMap<Vec<u8>, Arc<EcdsaKeyPair>>;

/// What came of signing, for the metrics.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Signatures that were made.
    pub(crate) made: Counter,
    /// Signatures that had been made before.
    pub(crate) found: Counter,
    /// Signatures that could not be made.
    pub(crate) failed: Counter,
}

impl Counts {
    /// Registers the counters.
    pub(crate) fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in [
            ("enumd_signatures_made", "Signatures of records that were made", &self.made),
            (
                "enumd_signatures_found",
                "Signatures of records that had been made before",
                &self.found,
            ),
            ("enumd_signatures_failed", "Signatures that lacked a private key", &self.failed),
        ] {
            registry.register(name, help, counter.clone());
        }
    }
}

/// The private keys, and signatures.
pub(crate) struct ZoneSigner {
    key_file: PathBuf,
    pairs: ArcSwap<Pairs>,
    parts: Vec<Mutex<Part>>,
    random: SystemRandom,
    /// Keys that cannot be used.
    refused: Mutex<HashSet<Vec<u8>>>,
    pub(crate) counts: Counts,
}

impl fmt::Debug for ZoneSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZoneSigner").field("key_file", &self.key_file).finish_non_exhaustive()
    }
}

/// Signatures in two generations: when the younger one is full, the older one goes.
#[derive(Debug, Default)]
struct Part {
    young: HashMap<Digest, [u8; SIGNATURE]>,
    old: HashMap<Digest, [u8; SIGNATURE]>,
    most: usize,
}

impl Part {
    fn get(&mut self, digest: &Digest) -> Option<[u8; SIGNATURE]> {
        if let Some(found) = self.young.get(digest) {
            return Some(*found);
        }
        let found = self.old.remove(digest)?;
        self.put(*digest, found);
        Some(found)
    }

    fn put(&mut self, digest: Digest, signature: [u8; SIGNATURE]) {
        if self.young.len() >= self.most / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        if self.most > 1 {
            self.young.insert(digest, signature);
        }
    }
}

impl ZoneSigner {
    /// Knows no key yet.
    pub(crate) fn new(settings: &Dnssec) -> Self {
        let most = settings.signatures / PARTS;
        let part = || Mutex::new(Part { most, ..Part::default() });
        Self {
            key_file: settings.key_file.clone(),
            pairs: ArcSwap::default(),
            parts: std::iter::repeat_with(part).take(PARTS).collect(),
            random: SystemRandom::new(),
            refused: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// Opens the keys of a zone that is about to be served.
    pub(crate) fn learn(&self, zone: &Zone) {
        let known = self.pairs.load();
        let keys = zone.signing().into_iter().flat_map(|signing| signing.keys());
        let new: Vec<&Key> = keys.filter(|key| !known.contains_key(&key.row().public)).collect();
        if new.is_empty() {
            return;
        }
        let mut pairs = Pairs::clone(&known);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let keyring = if new.iter().any(|key| is_encrypted(key)) { self.keyring() } else { None };
        for key in new {
            match self.open(key, keyring.as_ref()) {
                Ok(pair) => {
                    refused.remove(&key.row().public);
                    pairs.insert(key.row().public.clone(), Arc::new(pair));
                }
                // It is tried again whenever somebody looks, and complained of once.
                Err(error) => {
                    if !refused.insert(key.row().public.clone()) {
                        continue;
                    }
                    let (zone, tag) = (zone.apex(), key.tag());
                    tracing::error!(dns.zone = %zone, dns.key = tag, %error, "a zone key cannot be used");
                }
            }
        }
        self.pairs.store(Arc::new(pairs));
    }

    /// Opens the keys of all zones and forgets all others.
    pub(crate) fn learn_all(&self, zones: &Zones) {
        let signed = || zones.iter().filter(|zone| zone.signing().is_some());
        signed().for_each(|zone| self.learn(zone));
        let known = self.pairs.load();
        let keys = signed().filter_map(|zone| zone.signing()).flat_map(|signing| signing.keys());
        let kept = keys.filter_map(|key| {
            let public = &key.row().public;
            Some((public.clone(), Arc::clone(known.get(public)?)))
        });
        let kept: Pairs = kept.collect();
        if kept.len() < known.len() {
            self.pairs.store(Arc::new(kept));
        }
    }

    fn keyring(&self) -> Option<Result<Keyring, KeyringError>> {
        let is_named = !self.key_file.as_os_str().is_empty();
        is_named.then(|| Keyring::open(&self.key_file, false))
    }

    fn open(
        &self,
        key: &Key,
        keyring: Option<&Result<Keyring, KeyringError>>,
    ) -> Result<EcdsaKeyPair, String> {
        let keyring = match keyring.filter(|_| is_encrypted(key)) {
            Some(Ok(keyring)) => Some(keyring),
            Some(Err(error)) => return Err(format!("{error} (dnssec.key_file)")),
            None => None,
        };
        let octets = zone_key_pkcs8(key.row(), keyring).map_err(|error| error.to_string())?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &octets, &self.random)
            .map_err(|error| error.to_string())
    }

    fn part(&self, digest: &Digest) -> Option<std::sync::MutexGuard<'_, Part>> {
        let [first, ..] = digest;
        let part = self.parts.get(usize::from(*first) % PARTS)?;
        Some(part.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether the private key is encrypted, as [`zone_key_pkcs8`] tells.
fn is_encrypted(key: &Key) -> bool {
    key.row().secret.contains('.')
}

impl Signer for ZoneSigner {
    fn sign(&self, key: &Key, data: &[u8], keep: bool) -> Option<[u8; SIGNATURE]> {
        let public = &key.row().public;
        let mut context = Context::new(&SHA256);
        context.update(public);
        context.update(data);
        let digest: Digest = *context.finish().as_ref().first_chunk()?;
        if let Some(found) = self.part(&digest).and_then(|mut part| part.get(&digest)) {
            self.counts.found.inc();
            return Some(found);
        }
        let signature = self.pairs.load().get(public).and_then(|pair| {
            let signature = pair.sign(&self.random, data).ok()?;
            <[u8; SIGNATURE]>::try_from(signature.as_ref()).ok()
        });
        let Some(signature) = signature else {
            self.counts.failed.inc();
            return None;
        };
        self.counts.made.inc();
        if keep && let Some(mut part) = self.part(&digest) {
            part.put(digest, signature);
        }
        Some(signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::zone::{ZoneKey, ZoneSigning};
    use ngn_model::{DomainName, zone::ZoneRows};
    use ring::signature::KeyPair as _;

    fn zone(secret: Option<String>) -> Zone {
        use base64::Engine as _;
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let octets = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, octets.as_ref(), &random).unwrap();
        let clear = base64::engine::general_purpose::STANDARD_NO_PAD.encode(octets.as_ref());
        let key = ZoneKey {
            id: 1,
            ksk: true,
            public: pair.public_key().as_ref()[1..].to_vec(),
            secret: secret.unwrap_or(clear),
            publish_at: 0,
            active_at: 0,
            retire_at: None,
            remove_at: None,
        };
        let signing =
            Some(ZoneSigning { nsec3: false, withdrawn: false, renewed: 0, keys: vec![key] });
        let apex = DomainName::new("a.example").unwrap();
        Zone::build_signed(&ZoneRows { apex, serial: 1, records: Vec::new(), signing }, 1).0
    }

    #[test]
    fn signatures_are_made_once_and_their_number_is_bounded() {
        let settings = Dnssec { signatures: 320, ..Dnssec::default() };
        let signer = ZoneSigner::new(&settings);
        let zone = zone(None);
        let key = &zone.signing().unwrap().keys()[0];
        assert_eq!(signer.sign(key, b"data", true), None, "the key is not known");
        signer.learn(&zone);
        let first = signer.sign(key, b"data", true).unwrap();
        // ECDSA is not deterministic: the same signature is one that was kept.
        assert_eq!(signer.sign(key, b"data", true), Some(first));
        let passing = signer.sign(key, b"passing", false).unwrap();
        assert_ne!(signer.sign(key, b"passing", true), Some(passing));
        for number in 0..2_000_u32 {
            signer.sign(key, &number.to_be_bytes(), true).unwrap();
        }
        let kept = |part: &Mutex<Part>| part.lock().map(|p| p.young.len() + p.old.len()).unwrap();
        let kept: usize = signer.parts.iter().map(kept).sum();
        assert!((100..=320).contains(&kept), "{kept}");
        assert_eq!((signer.counts.failed.get(), signer.counts.found.get()), (1, 1));
        signer.learn_all(&Zones::new());
        assert!(signer.pairs.load().is_empty());
    }

    #[test]
    fn an_encrypted_key_without_its_file_signs_nothing() {
        let signer = ZoneSigner::new(&Dnssec::default());
        let zone = zone(Some("0123456789abcdef.AAAA".to_owned()));
        signer.learn(&zone);
        assert_eq!(signer.sign(&zone.signing().unwrap().keys()[0], b"data", true), None);
    }
}
