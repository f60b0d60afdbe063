//! The certificate that DNS over TLS (RFC 7858) and over HTTPS (RFC 8484) are served with, read again at SIGHUP.

use crate::config::{Config, Tls};
use anyhow::Context as _;
use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// What clients of DNS over TLS say that they want (RFC 7858 section 3.1 and the IANA registry of ALPN).
const DOT: &[&[u8]] = &[b"dot"];
/// HTTP/2 of DNS over HTTPS.
pub(crate) const HTTP2: &[u8] = b"h2";
/// What clients of DNS over HTTPS say that they want, the best first.
const HTTPS: &[&[u8]] = &[HTTP2, b"http/1.1"];

/// The certificate that holds now. Clones are the same; connections that are open keep what they were made with.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    current: Arc<ArcSwapOption<Current>>,
}

/// The same certificate for what is spoken within.
#[derive(Debug)]
struct Current {
    dot: Arc<ServerConfig>,
    https: Arc<ServerConfig>,
}

impl Certificate {
    /// Reads the files that the settings name; without an address to listen on none are named, or needed.
    ///
    /// # Errors
    ///
    /// When they cannot be used.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let current = read(&config.tls)?;
        Ok(Self { current: Arc::new(ArcSwapOption::new(current)) })
    }

    /// Takes settings that were read again.
    ///
    /// # Errors
    ///
    /// When they cannot be used; everything then stays as it is.
    pub(crate) fn reload(&self, settings: &Tls) -> anyhow::Result<()> {
        self.current.store(read(settings)?);
        Ok(())
    }

    /// What the next connection of DNS over TLS is served with.
    pub(crate) fn dot(&self) -> Option<Arc<ServerConfig>> {
        self.current.load().as_ref().map(|current| Arc::clone(&current.dot))
    }

    /// What the next connection of DNS over HTTPS is served with.
    pub(crate) fn https(&self) -> Option<Arc<ServerConfig>> {
        self.current.load().as_ref().map(|current| Arc::clone(&current.https))
    }
}

fn read(settings: &Tls) -> anyhow::Result<Option<Arc<Current>>> {
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
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("tls: the certificate and the private key cannot be used together")?;
    let speaking = |protocols: &[&[u8]]| {
        let mut config = config.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    };
    Ok(Some(Arc::new(Current { dot: speaking(DOT), https: speaking(HTTPS) })))
}
