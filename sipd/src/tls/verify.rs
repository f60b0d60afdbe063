//! Who a peer is, by its certificate.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use std::sync::Arc;

/// Whoever it is has the key of the certificate: the part that all of them check alike.
macro_rules! proves_its_key {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(
                message,
                cert,
                dss,
                &self.provider.signature_verification_algorithms,
            )
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(
                message,
                cert,
                dss,
                &self.provider.signature_verification_algorithms,
            )
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    };
}

/// A SIP server must be the domain that the request is for (RFC 5922 section 7).
#[derive(Debug)]
pub(super) struct SipServer {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) roots: Arc<RootCertStore>,
    /// Whether `*.example.com` is good for `sip.example.com`.
    pub(super) wildcards: bool,
}

/// Any server will do; it only has to have the key of its certificate.
#[derive(Debug)]
pub(super) struct AnyServer {
    pub(super) provider: Arc<CryptoProvider>,
}

/// A client must show a certificate, and have its key; whose it is does not matter.
#[derive(Debug)]
pub(super) struct AnyClient {
    pub(super) provider: Arc<CryptoProvider>,
}

impl SipServer {
    /// RFC 5922 section 7.1: the names of SIP URIs without user part; only without any of these, DNS names.
    /// Section 7.2: they are compared as a whole, without wildcards.
    fn check_name(&self, certificate: &CertificateDer<'_>, name: &str) -> Result<(), Error> {
        let wrong = || Error::InvalidCertificate(CertificateError::NotValidForName);
        let parsed = webpki::EndEntityCert::try_from(certificate)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let name = name.trim_end_matches('.');
        let is = |own: &&str| own.trim_end_matches('.').eq_ignore_ascii_case(name);
        if identities(&parsed).iter().any(is) { Ok(()) } else { Err(wrong()) }
    }
}

fn identities<'a>(parsed: &'a webpki::EndEntityCert<'_>) -> Vec<&'a str> {
    let uris: Vec<&str> = parsed.valid_uri_names().filter_map(sip_domain).collect();
    if uris.is_empty() { parsed.valid_dns_names().collect() } else { uris }
}

/// The domains that a certificate is for, in small letters (RFC 5922 section 7.1), at most so many; without those that hold
/// a wildcard (section 7.2).
pub(crate) fn domains(certificate: &CertificateDer<'_>, most: usize) -> Vec<String> {
    let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else { return Vec::new() };
    let plain = |name: &&str| !name.contains('*');
    let found = identities(&parsed).into_iter().filter(plain).take(most);
    found.map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect()
}

/// The domain of a SIP URI that stands for one.
fn sip_domain(uri: &str) -> Option<&str> {
    let (scheme, domain) = uri.split_once(':')?;
    let is_plain = !domain.contains(['@', ';', '?', ':']);
    (scheme.eq_ignore_ascii_case("sip") && is_plain).then_some(domain)
}

impl ServerCertVerifier for SipServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            algorithms,
        )?;
        match server_name {
            ServerName::DnsName(name) => {
                let checked = self.check_name(end_entity, name.as_ref());
                if checked.is_err() && self.wildcards {
                    verify_server_name(&parsed, server_name)?;
                } else {
                    checked?;
                }
            }
            _ => verify_server_name(&parsed, server_name)?,
        }
        Ok(ServerCertVerified::assertion())
    }

    proves_its_key!();
}

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    proves_its_key!();
}

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    proves_its_key!();
}
