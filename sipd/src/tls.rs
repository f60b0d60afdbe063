//! Certificates: which one a client is shown, and whose we believe.
//!
//! ```text
//!  etc/sipd.toml [tls] ──start, SIGHUP──▶┐
//!                                        ├─▶ Profiles ──server(name, address)──▶ handshakes of those who come
//!  SipDomain of the database ──journal──▶┘            └─client()──▶ handshakes of those we go to
//! ```
//!
//! A profile is taken for the next handshake; connections that are open keep what they were made with. A certificate
//! that cannot be used is named in the log, and the one before it, or the default one, goes on being shown.

mod pem;
mod validity;
mod verify;

pub(crate) use verify::domains;

use crate::config::{ClientCertificates, Tls};
use ngn_model::DomainName;
use ngn_store::DomainTls;
use pem::PemError;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// The most names and addresses that one profile is for.
const MOST_MATCHES: usize = 64;

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{key}: cannot read {path}: {kind}")]
    Unreadable {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        path: String,
        /// The system's reason.
        kind: std::io::ErrorKind,
    },
    /// A file holds something else than it should.
    #[error("{key}: {path}, {why}")]
    Pem {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        path: String,
        /// What is wrong, with its line.
        why: PemError,
    },
    /// A certificate of a domain cannot be read.
    #[error("{member}: {why}")]
    Member {
        /// The member of the domain.
        member: &'static str,
        /// What is wrong, with its line.
        why: PemError,
    },
    /// Certificate and key do not fit, or are of a kind that is not supported.
    #[error("{place}: {source}")]
    Unusable {
        /// Where they are from.
        place: &'static str,
        /// What is wrong.
        source: rustls::Error,
    },
    /// No authority is known, so that nothing can be checked.
    #[error("tls.authorities: the system has no certificates of authorities; name a file of them")]
    NoAuthorities,
}

/// The profiles that hold now. Clones are the same.
#[derive(Debug, Clone)]
pub struct Profiles {
    state: Arc<RwLock<State>>,
    /// Counts how often the files were read, and wakes who waits for that or for a domain's change.
    read: Arc<watch::Sender<u64>>,
}

#[derive(Debug)]
struct State {
    settings: Tls,
    base: Base,
    domains: HashMap<DomainName, Domain>,
    /// Those that are for other names than their own, which a handshake has to go through.
    matching: BTreeSet<DomainName>,
}

/// What the configuration file gives.
#[derive(Debug)]
struct Base {
    roots: Option<Arc<RootCertStore>>,
    /// Shown where no domain's certificate fits.
    server: Option<Served>,
    /// Until when that one's certificate is good, in seconds since 1970 UTC.
    not_after: Option<i64>,
    client: Arc<ClientConfig>,
}

/// A domain with a certificate of its own.
#[derive(Debug)]
struct Domain {
    /// As it was provisioned.
    source: DomainTls,
    profile: Option<Profile>,
}

#[derive(Debug, Clone)]
struct Profile {
    /// Names that clients ask for; `*` for any.
    names: Vec<String>,
    /// Our own addresses, without port for any port; empty for all.
    addresses: Vec<(IpAddr, Option<u16>)>,
    server: Served,
    /// Until when its certificate is good, in seconds since 1970 UTC.
    not_after: Option<i64>,
}

/// What a client is served with.
#[derive(Debug, Clone)]
pub struct Served {
    /// With our certificate.
    pub config: Arc<ServerConfig>,
    /// Whether a certificate that the client shows is checked.
    pub verifies: bool,
}

/// A certificate chain and its key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Profiles {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    ///
    /// When one cannot be used; see [`TlsError`].
    pub fn new(settings: &Tls) -> Result<Self, TlsError> {
        let base = Base::read(settings)?;
        let (domains, matching) = (HashMap::new(), BTreeSet::new());
        let state = State { settings: settings.clone(), base, domains, matching };
        Ok(Self { state: Arc::new(RwLock::new(state)), read: Arc::new(watch::Sender::new(0)) })
    }

    /// Reads the files again. What domains have stays, checked against the authorities that hold then.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); everything then stays as it was.
    pub fn reload(&self, settings: &Tls) -> Result<(), TlsError> {
        let base = Base::read(settings)?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        (state.settings, state.base) = (settings.clone(), base);
        let State { base, domains, .. } = &mut *state;
        for (name, domain) in domains {
            domain.renew(name, base);
        }
        drop(state);
        self.read.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Says what a domain has now; `None` when it is gone.
    pub fn set_domain(&self, name: &DomainName, tls: Option<DomainTls>) {
        // Waiters look again; what they see decides whether anything changed.
        let _woken = Wake(&self.read);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let State { base, domains, matching, .. } = &mut *state;
        let Some(source) = tls.filter(|tls| tls.certificate.is_some()) else {
            domains.remove(name);
            matching.remove(name);
            return;
        };
        let unused = Domain { source: DomainTls::default(), profile: None };
        let domain = domains.entry(name.clone()).or_insert(unused);
        if domain.source != source {
            domain.source = source;
            domain.renew(name, base);
            let names = domain.profile.as_ref().map_or(&[][..], |profile| &profile.names);
            if names.iter().any(|other| other != name.as_str()) {
                matching.insert(name.clone());
            } else {
                matching.remove(name);
            }
        }
    }

    /// Says what all domains have, in place of what was said before.
    pub fn set_domains(&self, all: Vec<(DomainName, DomainTls)>) {
        let names: std::collections::HashSet<DomainName> =
            all.iter().map(|(name, _)| name.clone()).collect();
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.domains.retain(|name, _| names.contains(name));
            state.matching.retain(|name| names.contains(name));
        }
        for (name, tls) in all {
            self.set_domain(&name, Some(tls));
        }
    }

    /// What a client is served with that asks for a name, or none, at an address of ours.
    #[must_use]
    pub fn server(&self, name: Option<&str>, local: SocketAddr) -> Option<Served> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let name = name.map(str::to_ascii_lowercase);
        let fits = |profile: &&Profile| profile.is_for(local);
        // Mostly a name is asked for that is the domain's own.
        let own = name.as_deref().and_then(|name| {
            let domain = state.domains.get(&DomainName::new(name).ok()?)?;
            let profile = domain.profile.as_ref().filter(fits)?;
            profile.names.iter().any(|own| own == name).then_some(profile)
        });
        let best = || {
            let profiles = state.matching.iter().filter_map(|at| {
                let profile = state.domains.get(at)?.profile.as_ref().filter(fits)?;
                Some((profile.closeness(name.as_deref())?, profile))
            });
            // Of two that fit alike, the same one each time.
            profiles.min_by_key(|(closeness, _)| *closeness).map(|(_, one)| one)
        };
        let profile = own.or_else(best);
        profile.map(|profile| profile.server.clone()).or_else(|| state.base.server.clone())
    }

    /// How often the files were read; changes when they are, or when a domain's certificate may have changed.
    #[must_use]
    pub fn reads(&self) -> watch::Receiver<u64> {
        self.read.subscribe()
    }

    /// Until when the certificates are good that are shown, in seconds since 1970 UTC, by domain; the default one has the
    /// name `(default)`.
    #[must_use]
    pub fn validity(&self) -> Vec<(String, i64)> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let base = state.base.not_after.map(|end| ("(default)".to_owned(), end));
        let domains = state.domains.iter().filter_map(|(name, domain)| {
            let end = domain.profile.as_ref()?.not_after?;
            Some((name.to_string(), end))
        });
        base.into_iter().chain(domains).collect()
    }

    /// What we connect with.
    #[must_use]
    pub fn client(&self) -> Arc<ClientConfig> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&state.base.client)
    }
}

/// Wakes waiters when it goes.
struct Wake<'a>(&'a watch::Sender<u64>);

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|_| {});
    }
}

impl Profile {
    fn is_for(&self, local: SocketAddr) -> bool {
        let address = local.ip().to_canonical();
        let is = |(ip, port): &(IpAddr, Option<u16>)| {
            *ip == address && port.is_none_or(|port| port == local.port())
        };
        self.addresses.is_empty() || self.addresses.iter().any(is)
    }

    /// How well a name fits, the lowest best: exactly, by `*.domain`, by `*`.
    fn closeness(&self, name: Option<&str>) -> Option<u8> {
        let one = |own: &String| match (own.as_str(), name) {
            ("*", _) => Some(2),
            (own, Some(name)) if own == name => Some(0),
            (own, Some(name)) => {
                let (_, parent) = name.split_once('.')?;
                (own.strip_prefix("*.")? == parent).then_some(1)
            }
            (_, None) => None,
        };
        self.names.iter().filter_map(one).min()
    }
}

impl Domain {
    /// Makes the profile anew; one that cannot be made leaves the one before.
    fn renew(&mut self, name: &DomainName, base: &Base) {
        match profile(name, &self.source, base) {
            Ok(profile) => self.profile = Some(profile),
            Err(error) => {
                let kept = self.profile.is_some();
                tracing::warn!(domain = %name, %error, kept, "the certificate of a domain cannot be used");
            }
        }
    }
}

impl Base {
    fn read(settings: &Tls) -> Result<Self, TlsError> {
        let roots = roots(&settings.authorities)?.map(Arc::new);
        let identity = identity(settings)?;
        let asks = match settings.client_certificates {
            ClientCertificates::Ignore => Asks { verifies: false, requires: false },
            ClientCertificates::Verify => Asks { verifies: true, requires: false },
            ClientCertificates::Require => Asks { verifies: true, requires: true },
        };
        let server = match &identity {
            Some((chain, key)) => {
                let identity = (chain.clone(), key.clone_key());
                Some(server_config(identity, asks, roots.as_ref(), "tls.certificate")?)
            }
            None => None,
        };
        let chain = identity.as_ref().and_then(|(chain, _)| chain.first());
        let not_after = chain.and_then(|own| validity::not_after(own));
        let client = client_config(identity, settings, roots.as_ref())?;
        Ok(Self { roots, server, not_after, client })
    }
}

/// What is asked of clients.
#[derive(Debug, Clone, Copy)]
struct Asks {
    verifies: bool,
    requires: bool,
}

/// Whether the files that the settings name can be used.
pub(crate) fn check(settings: &Tls) -> Result<(), String> {
    if *settings == Tls::default() {
        return Ok(());
    }
    Base::read(settings).map(drop).map_err(|error| error.to_string())
}

fn profile(name: &DomainName, tls: &DomainTls, base: &Base) -> Result<Profile, TlsError> {
    let member = |member| move |why| TlsError::Member { member, why };
    let chain = pem::certificates(tls.certificate.as_deref().unwrap_or_default())
        .map_err(member("certificate"))?;
    // Some keep both in one text.
    let key = tls.private_key.as_deref().or(tls.certificate.as_deref()).unwrap_or_default();
    let key = pem::private_key(key).map_err(member("private_key"))?;
    let asks = Asks { verifies: tls.verify_cert, requires: tls.require_cert };
    let not_after = chain.first().and_then(|own| validity::not_after(own));
    let server = server_config((chain, key), asks, base.roots.as_ref(), "certificate")?;
    let listed = |text: &Option<String>| -> Vec<String> {
        let text = text.as_deref().unwrap_or_default().to_ascii_lowercase();
        let words = text.split([',', ';', ' ', '\n']).map(str::trim);
        words.filter(|word| !word.is_empty()).take(MOST_MATCHES).map(str::to_owned).collect()
    };
    let mut names = listed(&tls.match_sip_domain);
    if names.is_empty() {
        names.push(name.as_str().to_owned());
    }
    let addresses = listed(&tls.match_ip_address);
    let addresses = if addresses.iter().any(|one| one == "*") {
        Vec::new()
    } else {
        let read: Vec<_> = addresses.iter().filter_map(|text| address(text)).collect();
        if read.len() < addresses.len() {
            tracing::warn!(domain = %name, "match_ip_address holds something that is no address");
        }
        // What cannot be read fits nothing, rather than everything.
        if read.is_empty() && !addresses.is_empty() {
            vec![(IpAddr::from([0, 0, 0, 0]), Some(0))]
        } else {
            read
        }
    };
    Ok(Profile { names, addresses, server, not_after })
}

/// An address with or without port.
fn address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Some((ip.to_canonical(), None));
    }
    let socket: SocketAddr = text.parse().ok()?;
    Some((socket.ip().to_canonical(), Some(socket.port())))
}

fn read(key: &'static str, path: &Path) -> Result<String, TlsError> {
    let unreadable = |kind| TlsError::Unreadable { key, path: path.display().to_string(), kind };
    let octets = std::fs::read(path).map_err(|error| unreadable(error.kind()))?;
    // Comments may be in any encoding.
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

fn in_file(key: &'static str, path: &Path) -> impl FnOnce(PemError) -> TlsError {
    let path = path.display().to_string();
    move |why| TlsError::Pem { key, path, why }
}

fn identity(settings: &Tls) -> Result<Option<Identity>, TlsError> {
    let (certificate, private_key) = (&settings.certificate, &settings.private_key);
    if certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let key = "tls.certificate";
    let chain = pem::certificates(&read(key, certificate)?).map_err(in_file(key, certificate))?;
    let key = "tls.private_key";
    let private = pem::private_key(&read(key, private_key)?).map_err(in_file(key, private_key))?;
    Ok(Some((chain, private)))
}

/// The authorities of a file, or of the system; `None` when the system has none.
fn roots(path: &Path) -> Result<Option<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    if !path.as_os_str().is_empty() {
        let key = "tls.authorities";
        pem::authorities(&read(key, path)?, &mut store).map_err(in_file(key, path))?;
        return Ok(Some(store));
    }
    let found = rustls_native_certs::load_native_certs();
    store.add_parsable_certificates(found.certs);
    Ok((!store.is_empty()).then_some(store))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn server_config(
    (chain, key): Identity,
    asks: Asks,
    roots: Option<&Arc<RootCertStore>>,
    place: &'static str,
) -> Result<Served, TlsError> {
    let unusable = |source| TlsError::Unusable { place, source };
    let verifier: Arc<dyn ClientCertVerifier> = if asks.verifies {
        let roots = roots.ok_or(TlsError::NoAuthorities)?;
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider());
        let builder = if asks.requires { builder } else { builder.allow_unauthenticated() };
        builder.build().map_err(|_| TlsError::NoAuthorities)?
    } else if asks.requires {
        Arc::new(verify::AnyClient { provider: provider() })
    } else {
        WebPkiClientVerifier::no_client_auth()
    };
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    Ok(Served { config: Arc::new(config), verifies: asks.verifies })
}

fn client_config(
    identity: Option<Identity>,
    settings: &Tls,
    roots: Option<&Arc<RootCertStore>>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let unusable = |source| TlsError::Unusable { place: "tls.certificate", source };
    let verifier: Arc<dyn ServerCertVerifier> = if settings.verify_servers {
        // Without any authority no server is believed.
        let roots = roots.map_or_else(|| Arc::new(RootCertStore::empty()), Arc::clone);
        Arc::new(verify::SipServer {
            provider: provider(),
            roots,
            wildcards: settings.accept_wildcards,
        })
    } else {
        Arc::new(verify::AnyServer { provider: provider() })
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match identity {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(unusable)?,
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
