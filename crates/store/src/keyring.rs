//! The keys by which passwords are encrypted at rest (B8), kept in a file outside the database.
//!
//! The file holds a line `key HEX` for each key; the first one encrypts, all of them decrypt, so that a rotation can
//! go on while daemons run. A sealed value is `ID.BASE64`: eight octets of the key's SHA-256 in hexadecimal digits,
//! then nonce, AES-256-GCM ciphertext and tag. What it belongs to is bound in as associated data, so that nobody who can
//! write the database puts a known password in place of another one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

/// Octets of a key.
const KEY_LEN: usize = 32;

/// Why passwords cannot be encrypted or decrypted. The texts hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The file does not exist.
    #[error("the password key file {0} does not exist")]
    Missing(PathBuf),
    /// The file cannot be read or written.
    #[error("the password key file {path} cannot be used")]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Others than its owner may read the file.
    #[error(
        "the password key file {0} can be read by others than its owner; run `chmod 600` on it, and `ngn rotate-key` \
         if somebody may have read it"
    )]
    Exposed(PathBuf),
    /// The file holds no key, or something else than keys.
    #[error(
        "the password key file {path}, line {line}: not of the form `key` and 64 hexadecimal digits"
    )]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Line, from 1; 0 when there is no key at all.
        line: usize,
    },
    /// A value was encrypted with a key that the file does not hold.
    #[error(
        "the database holds passwords that were encrypted with the key {id}, which the password key file {path} does \
         not hold; put the right file back from your backup. Without it these passwords are lost: \
         `ngn rotate-key --give-up-lost` removes them (phones go on, customers need new passwords)"
    )]
    UnknownKey {
        /// Which key.
        id: String,
        /// Which file.
        path: PathBuf,
    },
    /// A value is no sealed value, or was changed, or belongs to another record.
    #[error("an encrypted password was damaged, or moved from another record")]
    Damaged,
    /// A value is encrypted, and there are no keys.
    #[error("it is encrypted, and no key file was opened")]
    None,
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    Random,
}

/// The keys of one file.
pub struct Keyring {
    path: PathBuf,
    /// Whether new values are encrypted; else the keys only decrypt what is there.
    seals: bool,
    loaded: RwLock<Loaded>,
    random: SystemRandom,
}

#[derive(Clone)]
struct Loaded {
    keys: Arc<Vec<Key>>,
    stamp: Stamp,
}

/// By what a changed file is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, u64, Option<SystemTime>);

struct Key {
    id: String,
    octets: [u8; KEY_LEN],
    aead: LessSafeKey,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Key {
    fn new(octets: [u8; KEY_LEN]) -> Result<Self, KeyringError> {
        let key = UnboundKey::new(&AES_256_GCM, &octets).map_err(|_| KeyringError::Damaged)?;
        let id = hex(Sha256::digest(octets).get(..8).unwrap_or_default());
        Ok(Self { id, octets, aead: LessSafeKey::new(key) })
    }
}

impl Keyring {
    /// Reads the keys of a file. `seals` tells whether new values are encrypted.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Missing`] and what else is wrong with the file.
    pub fn open(path: &Path, seals: bool) -> Result<Self, KeyringError> {
        let loaded = RwLock::new(load(path)?);
        Ok(Self { path: path.to_owned(), seals, loaded, random: SystemRandom::new() })
    }

    /// Makes a file, readable by its owner only, with one new key. An existing file is left alone and read.
    ///
    /// # Errors
    ///
    /// As [`Keyring::open`].
    pub fn create(path: &Path) -> Result<Self, KeyringError> {
        if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(directory).map_err(|source| in_file(path, source))?;
        }
        let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
        match made {
            Ok(file) => write_keys(file, &[Key::new(new_key(&SystemRandom::new())?)?])
                .map_err(|source| in_file(path, source))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(in_file(path, source)),
        }
        Self::open(path, true)
    }

    /// Whether new values are encrypted.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.seals
    }

    /// Encrypts a password for the record that `owner` names.
    ///
    /// # Errors
    ///
    /// When the file became unusable, or the system has no random numbers.
    pub fn seal(&self, owner: &str, clear: &str) -> Result<String, KeyringError> {
        self.refresh()?;
        let keys = self.keys();
        let key = keys.first().ok_or(KeyringError::Damaged)?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| KeyringError::Random)?;
        let mut octets = clear.as_bytes().to_vec();
        key.aead
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(owner.as_bytes()),
                &mut octets,
            )
            .map_err(|_| KeyringError::Damaged)?;
        let whole = [&nonce[..], &octets].concat();
        Ok(format!("{}.{}", key.id, STANDARD_NO_PAD.encode(whole)))
    }

    /// Decrypts a password of the record that `owner` names.
    ///
    /// # Errors
    ///
    /// [`KeyringError::UnknownKey`] when no key fits, [`KeyringError::Damaged`] when the value is not what was sealed.
    pub fn open_sealed(&self, owner: &str, sealed: &str) -> Result<String, KeyringError> {
        let (id, text) = sealed.split_once('.').ok_or(KeyringError::Damaged)?;
        if !self.holds(id) {
            self.refresh()?;
        }
        let keys = self.keys();
        let key = keys.iter().find(|key| key.id == id).ok_or_else(|| self.unknown(id))?;
        let octets = STANDARD_NO_PAD.decode(text).map_err(|_| KeyringError::Damaged)?;
        let (nonce, sealed) = octets.split_at_checked(NONCE_LEN).ok_or(KeyringError::Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyringError::Damaged)?;
        let mut sealed = sealed.to_vec();
        let clear = key
            .aead
            .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut sealed)
            .map_err(|_| KeyringError::Damaged)?;
        String::from_utf8(clear.to_vec()).map_err(|_| KeyringError::Damaged)
    }

    /// Whether a value was encrypted with the key that encrypts new ones.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        let id = sealed.split_once('.').map(|(id, _)| id);
        self.keys().first().is_some_and(|key| Some(key.id.as_str()) == id)
    }

    /// Puts a new key before the others in the file, by which daemons that run encrypt from then on.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; then it is as it was.
    pub fn add_key(&self) -> Result<(), KeyringError> {
        self.refresh()?;
        let new = Key::new(new_key(&self.random)?)?;
        let keys = self.keys();
        self.rewrite([&new].into_iter().chain(keys.iter()))
    }

    /// Keeps the first two keys: a daemon may have encrypted with the second one while it was replaced.
    ///
    /// # Errors
    ///
    /// As [`Keyring::add_key`].
    pub fn drop_old_keys(&self) -> Result<(), KeyringError> {
        let keys = self.keys();
        self.rewrite(keys.iter().take(2))
    }

    fn rewrite<'k>(&self, keys: impl Iterator<Item = &'k Key>) -> Result<(), KeyringError> {
        let written = self.path.with_extension("new");
        let wrong = |source| in_file(&written, source);
        let _ = fs::remove_file(&written);
        let file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&written)
            .map_err(wrong)?;
        write_keys(file, keys).map_err(wrong)?;
        fs::rename(&written, &self.path).map_err(|source| in_file(&self.path, source))?;
        if let Some(directory) = self.path.parent().and_then(|path| File::open(path).ok()) {
            let _ = directory.sync_all();
        }
        self.refresh()
    }

    fn holds(&self, id: &str) -> bool {
        self.keys().iter().any(|key| key.id == id)
    }

    fn keys(&self) -> Arc<Vec<Key>> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner).keys)
    }

    /// Reads the file again when it is another one than before.
    fn refresh(&self) -> Result<(), KeyringError> {
        let now = stamp(&self.path)?;
        if self.loaded.read().unwrap_or_else(PoisonError::into_inner).stamp != now {
            let loaded = load(&self.path)?;
            *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        }
        Ok(())
    }

    fn unknown(&self, id: &str) -> KeyringError {
        let id = id.chars().take(16).collect();
        KeyringError::UnknownKey { id, path: self.path.clone() }
    }
}

fn load(path: &Path) -> Result<Loaded, KeyringError> {
    let stamp = stamp(path)?;
    let text = fs::read_to_string(path).map_err(|source| in_file(path, source))?;
    let mut keys = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let octets = line.strip_prefix("key ").and_then(|digits| unhex(digits.trim()));
        let bad = || KeyringError::Malformed { path: path.to_owned(), line: index + 1 };
        keys.push(Key::new(octets.ok_or_else(bad)?)?);
    }
    if keys.is_empty() {
        return Err(KeyringError::Malformed { path: path.to_owned(), line: 0 });
    }
    Ok(Loaded { keys: Arc::new(keys), stamp })
}

fn stamp(path: &Path) -> Result<Stamp, KeyringError> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(KeyringError::Missing(path.to_owned()));
        }
        Err(source) => return Err(in_file(path, source)),
    };
    if about.mode() & 0o077 != 0 {
        return Err(KeyringError::Exposed(path.to_owned()));
    }
    Ok(Stamp(about.ino(), about.len(), about.modified().ok()))
}

fn in_file(path: &Path, source: io::Error) -> KeyringError {
    KeyringError::File { path: path.to_owned(), source }
}

fn new_key(random: &SystemRandom) -> Result<[u8; KEY_LEN], KeyringError> {
    let mut octets = [0; KEY_LEN];
    random.fill(&mut octets).map_err(|_| KeyringError::Random)?;
    Ok(octets)
}

fn write_keys<'k>(mut file: File, keys: impl IntoIterator<Item = &'k Key>) -> io::Result<()> {
    let mut text = String::from(
        "# The platform's passwords are encrypted with the first of these keys. Keep a copy of this file apart from\n\
         # copies of the database: without it the passwords cannot be read.\n",
    );
    for key in keys {
        text.push_str("key ");
        text.push_str(&hex(&key.octets));
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(digits: &str) -> Option<[u8; KEY_LEN]> {
    if digits.len() != 2 * KEY_LEN || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut octets = [0; KEY_LEN];
    for (octet, place) in octets.iter_mut().zip((0..).step_by(2)) {
        *octet = u8::from_str_radix(digits.get(place..place + 2)?, 16).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests;
