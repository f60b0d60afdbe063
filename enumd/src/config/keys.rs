//! Secrets that are shared with others (TSIG).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ngn_dns::name::Name;
use ngn_dns::tsig::{Key, KeyError};
use serde::Deserialize;
use std::fmt;
use std::path::PathBuf;

/// A secret that is shared with others.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// Its name, a domain name.
    pub name: String,
    /// `hmac-sha256`, `hmac-sha384` or `hmac-sha512`.
    #[serde(default = "hmac_sha256")]
    pub algorithm: String,
    /// The secret in Base64, when it is not in a file.
    #[serde(default)]
    pub secret: String,
    /// The file that has the secret in Base64, and nothing else.
    #[serde(default)]
    pub file: PathBuf,
}

fn hmac_sha256() -> String {
    "hmac-sha256".to_owned()
}

impl fmt::Debug for KeySettings {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySettings")
            .field("name", &self.name)
            .field("algorithm", &self.algorithm)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl KeySettings {
    pub(super) fn load(&self) -> Result<Key, String> {
        let name = Name::parse(&self.name).map_err(|error| error.to_string())?;
        let algorithm = self.algorithm.parse().map_err(|error: KeyError| error.to_string())?;
        let text = match (self.secret.is_empty(), self.file.as_os_str().is_empty()) {
            (false, true) => self.secret.clone(),
            (true, false) => std::fs::read_to_string(&self.file)
                .map_err(|error| format!("cannot read {}: {error}", self.file.display()))?,
            _ => return Err("needs either `secret` or `file`".to_owned()),
        };
        // The secret is in no error.
        let secret =
            BASE64.decode(text.trim()).map_err(|_| "the secret is not Base64".to_owned())?;
        Key::new(name, algorithm, &secret).map_err(|error| error.to_string())
    }
}
