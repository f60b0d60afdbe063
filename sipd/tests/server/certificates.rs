//! An authority of the tests' own, and what it issues.

use crate::phone::{Octets, Phone};
use ngn_sipd::config::Config;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client};

/// An authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key, PEM.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Issued {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()]
    }

    fn private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, folder: tempfile::tempdir().unwrap() }
    }

    /// For host names and addresses.
    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Has a server listen for TLS with a certificate for `sip.example.com` and believe this authority.
    pub(crate) fn configure(&self, config: &mut Config) {
        let own = self.issue(&["sip.example.com"]);
        config.listen.tls = vec!["127.0.0.1:0".parse().unwrap()];
        config.tls.certificate = self.file("own.pem", &own.certificate);
        config.tls.private_key = self.file("own.key", &own.key);
        config.tls.authorities = self.file("authority.pem", &self.issuer.pem());
    }

    /// A client that believes this authority, with or without a certificate of its own.
    pub(crate) fn client(&self, own: Option<&Issued>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match own {
            Some(own) => builder.with_client_auth_cert(own.chain(), own.private()).unwrap(),
            None => builder.with_no_client_auth(),
        })
    }

    /// A server of somebody else's.
    pub(crate) fn server(own: &Issued) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = builder.with_no_client_auth().with_single_cert(own.chain(), own.private());
        Arc::new(config.unwrap())
    }

    /// Connects and checks that the server is `name`.
    pub(crate) async fn connect(
        &self,
        server: SocketAddr,
        name: &str,
        own: Option<&Issued>,
    ) -> std::io::Result<client::TlsStream<TcpStream>> {
        let stream = TcpStream::connect(server).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(self.client(own)).connect(name, stream).await
    }

    /// A phone that checks that its server is `sip.example.com`.
    pub(crate) async fn phone(&self, name: &'static str, server: SocketAddr) -> Phone {
        self.phone_at(name, server, "sip.example.com").await
    }

    /// A phone that asks for a name.
    pub(crate) async fn phone_at(
        &self,
        name: &'static str,
        server: SocketAddr,
        host: &str,
    ) -> Phone {
        let stream = self.connect(server, host, None).await.unwrap();
        let local = stream.get_ref().0.local_addr().unwrap();
        let stream: Octets = Box::new(stream);
        Phone::on(name, stream, local, "TLS")
    }
}
