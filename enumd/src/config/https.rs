//! DNS over HTTPS.

use super::Config;
use serde::Deserialize;

/// How DNS over HTTPS (RFC 8484) is served.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Https {
    /// The path of the URI, which all else is not found beside.
    pub path: String,
    /// HTTP/1.1 without TLS, for a proxy on the same machine.
    pub plain: bool,
    /// Requests at one time on a connection of HTTP/2, 1 to 1,000.
    pub streams: u32,
}

impl Default for Https {
    fn default() -> Self {
        Self { path: "/dns-query".to_owned(), plain: false, streams: 100 }
    }
}

/// Finds what makes no sense; the text names the key.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let Config { https, listen, tls, .. } = config;
    let plain = |octet: u8| octet.is_ascii_graphic() && !b"?#%\"<>\\^`{|}".contains(&octet);
    if !https.path.starts_with('/') || !https.path.bytes().all(plain) {
        return Err("https.path: must begin with `/` and be the path of a URI".to_owned());
    }
    if !(1..=1_000).contains(&https.streams) {
        return Err("https.streams: must be 1 to 1000".to_owned());
    }
    if https.plain {
        // What is asked for stays on the machine.
        return match listen.https.iter().find(|address| !address.ip().is_loopback()) {
            Some(address) => {
                Err(format!("https.plain: {address} of `listen.https` is not this machine alone"))
            }
            None => Ok(()),
        };
    }
    if !listen.https.is_empty() && tls.certificate.as_os_str().is_empty() {
        return Err("tls.certificate: needed for `listen.https`, unless a proxy on this machine has one (`https.plain`)".to_owned());
    }
    Ok(())
}
