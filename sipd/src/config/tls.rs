//! TLS and WebSocket as the configuration file has them.

use serde::Deserialize;
use std::path::PathBuf;

/// TLS: what we show, and whom we believe.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file with our certificate and those between it and its authority; empty: none, and only domains that have
    /// certificates of their own are served.
    pub certificate: PathBuf,
    /// PEM file with the private key of `certificate`.
    pub private_key: PathBuf,
    /// PEM file with the authorities that are believed; empty: those of the system.
    pub authorities: PathBuf,
    /// Whether clients must show certificates where no domain's own setting holds.
    pub client_certificates: ClientCertificates,
    /// Whether the certificates of servers that we connect to are checked.
    pub verify_servers: bool,
    /// Whether a certificate for `*.example.com` is good for `sip.example.com`; RFC 5922 section 7.2 says no.
    pub accept_wildcards: bool,
    /// Whether connections over TLS are used for requests either way (RFC 5923): those that we make are offered, and those
    /// of clients that proved to be a domain by their certificate are used for requests to it.
    pub reuse_connections: bool,
    /// How long a peer has to get through the handshakes of TLS and WebSocket, in seconds, 1 to 60.
    pub handshake_seconds: u64,
}

/// What is asked of TLS clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificates {
    /// Nothing.
    Ignore,
    /// A certificate that is shown must be good; none need be shown.
    Verify,
    /// A good certificate must be shown.
    Require,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: PathBuf::new(),
            private_key: PathBuf::new(),
            authorities: PathBuf::new(),
            client_certificates: ClientCertificates::Ignore,
            verify_servers: true,
            accept_wildcards: false,
            reuse_connections: false,
            handshake_seconds: 10,
        }
    }
}

impl Tls {
    /// Finds what makes no sense, files that cannot be used included; the text names key, file and line.
    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=60).contains(&self.handshake_seconds) {
            return Err("tls.handshake_seconds: must be 1 to 60".to_owned());
        }
        let is_set = |path: &PathBuf| !path.as_os_str().is_empty();
        if is_set(&self.certificate) != is_set(&self.private_key) {
            let why = "`certificate` and `private_key` belong together; write both or neither";
            return Err(format!("tls: {why}"));
        }
        crate::tls::check(self)
    }
}

/// SIP over WebSocket (RFC 7118).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebSocket {
    /// The pages whose scripts may connect, such as `https://phone.example.com`; empty: all.
    pub origins: Vec<String>,
    /// How often a client is asked whether it is still there, in seconds, 0 (never) to 3,600.
    pub ping_seconds: u64,
}

impl Default for WebSocket {
    fn default() -> Self {
        Self { origins: Vec::new(), ping_seconds: 30 }
    }
}

impl WebSocket {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.ping_seconds > 3_600 {
            return Err("websocket.ping_seconds: must be 0 to 3600".to_owned());
        }
        let is_origin = |text: &&String| {
            let rest = text.split_once("://").map_or("", |(_, rest)| rest);
            !rest.is_empty() && !rest.contains('/')
        };
        if let Some(wrong) = self.origins.iter().find(|text| !is_origin(text)) {
            let why = "is no origin; write such as `https://phone.example.com`";
            return Err(format!("websocket.origins: `{wrong}` {why}"));
        }
        Ok(())
    }
}
