//! The certificate that DNS over TLS is served with (RFC 7858), read again at SIGHUP.

use crate::config::{Config, Tls};
use anyhow::Context as _;
use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// What clients say that they want (RFC 7858 section 3.1 and the IANA registry of ALPN).
const ALPN: &[u8] = b"dot";

/// The certificate that holds now. Clones are the same; connections that are open keep what they were made with.
#[derive(Debug, Clone)]
pub struct Certificate {
    began: Arc<Config>,
    current: Arc<ArcSwapOption<ServerConfig>>,
}

impl Certificate {
    /// Reads the files that the settings name; without an address to listen on none are named, or needed.
    ///
    /// # Errors
    ///
    /// When they cannot be used.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let current = read(&config.tls)?;
        Ok(Self { began: Arc::new(config.clone()), current: Arc::new(ArcSwapOption::new(current)) })
    }

    /// Takes settings that were read again, and gives the keys that changed and hold after a restart only.
    ///
    /// # Errors
    ///
    /// When they cannot be used; everything then stays as it is.
    pub fn reload(&self, new: &Config) -> anyhow::Result<Vec<&'static str>> {
        new.check().map_err(anyhow::Error::msg)?;
        self.current.store(read(&new.tls)?);
        let same = Config { tls: self.began.tls.clone(), ..new.clone() } == *self.began;
        Ok(if same { Vec::new() } else { vec!["everything but [tls]"] })
    }

    /// What the next connection is served with.
    pub(crate) fn current(&self) -> Option<Arc<ServerConfig>> {
        self.current.load_full()
    }
}

fn read(settings: &Tls) -> anyhow::Result<Option<Arc<ServerConfig>>> {
    if settings.certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let name = |key: &str, path: &std::path::Path| format!("{key}: cannot use {}", path.display());
    let chain = CertificateDer::pem_file_iter(&settings.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| name("tls.certificate", &settings.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&settings.private_key)
        .with_context(|| name("tls.private_key", &settings.private_key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("tls: the certificate and the private key cannot be used together")?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Some(Arc::new(config)))
}
