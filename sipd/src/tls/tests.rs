use super::*;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, SanType, string::Ia5String};
use rustls::pki_types::{ServerName, UnixTime};

/// A certificate and its key, PEM, for names, by an authority.
fn issued(by: &CertifiedIssuer<'_, KeyPair>, names: Vec<SanType>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = names;
    let certificate = params.signed_by(&key, by).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(Ia5String::try_from(name).unwrap())
}

fn uri(text: &str) -> SanType {
    SanType::URI(Ia5String::try_from(text).unwrap())
}

fn domain(text: &str) -> DomainName {
    DomainName::new(text).unwrap()
}

fn local() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5061))
}

fn tls((certificate, private_key): (String, String)) -> DomainTls {
    DomainTls {
        certificate: Some(certificate),
        private_key: Some(private_key),
        ..DomainTls::default()
    }
}

/// Profiles of the domains a.example and b.example, and the file's default when there is one.
fn profiles(default: Option<(&Path, &(String, String))>) -> Profiles {
    let mut settings = Tls::default();
    if let Some((folder, (certificate, key))) = default {
        (settings.certificate, settings.private_key) = (folder.join("c.pem"), folder.join("k.pem"));
        std::fs::write(&settings.certificate, certificate).unwrap();
        std::fs::write(&settings.private_key, key).unwrap();
    }
    let profiles = Profiles::new(&settings).unwrap();
    let ca = authority();
    for name in ["a.example", "b.example"] {
        profiles.set_domain(&domain(name), Some(tls(issued(&ca, vec![dns(name)]))));
    }
    profiles
}

fn same(one: Option<&Served>, other: Option<&Served>) -> bool {
    one.zip(other).is_some_and(|(one, other)| Arc::ptr_eq(&one.config, &other.config))
}

#[test]
fn the_name_that_is_asked_for_chooses_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let default = issued(&authority(), vec![dns("sip.example")]);
    let profiles = profiles(Some((folder.path(), &default)));
    let served = |name| profiles.server(name, local());
    let (a, b, other) =
        (served(Some("a.example")), served(Some("B.example")), served(Some("x.example")));
    assert!(a.is_some() && b.is_some() && other.is_some());
    assert!(!same(a.as_ref(), b.as_ref()) && !same(a.as_ref(), other.as_ref()));
    assert!(same(other.as_ref(), served(None).as_ref()), "without a name, the default one");
    profiles.set_domain(&domain("a.example"), None);
    assert!(same(other.as_ref(), served(Some("a.example")).as_ref()), "gone: the default one");
}

#[test]
fn without_a_default_nobody_is_served_who_asks_for_no_domain_of_ours() {
    let profiles = profiles(None);
    assert!(profiles.server(Some("a.example"), local()).is_some());
    assert!(profiles.server(Some("x.example"), local()).is_none());
    assert!(profiles.server(None, local()).is_none());
}

#[test]
fn what_a_domain_matches_is_looked_at() {
    let profiles = Profiles::new(&Tls::default()).unwrap();
    let ca = authority();
    let set = |name: &str, names: Option<&str>, addresses: Option<&str>| {
        let tls = DomainTls {
            match_sip_domain: names.map(str::to_owned),
            match_ip_address: addresses.map(str::to_owned),
            ..tls(issued(&ca, vec![dns(name)]))
        };
        profiles.set_domain(&domain(name), Some(tls));
    };
    let served = |name: Option<&str>, local: &str| profiles.server(name, local.parse().unwrap());
    set("a.example", Some("sip.a.example, *.phones.a.example"), Some("192.0.2.1:5061,2001:db8::1"));
    assert!(served(Some("sip.a.example"), "192.0.2.1:5061").is_some());
    assert!(served(Some("one.phones.a.example"), "192.0.2.1:5061").is_some());
    assert!(served(Some("x.one.phones.a.example"), "192.0.2.1:5061").is_none());
    assert!(served(Some("a.example"), "192.0.2.1:5061").is_none());
    assert!(served(Some("sip.a.example"), "192.0.2.1:5062").is_none());
    assert!(served(Some("sip.a.example"), "[2001:db8::1]:9").is_some());
    set("b.example", Some("*"), None);
    assert!(served(None, "192.0.2.9:5061").is_some());
    let (exact, any) =
        (served(Some("sip.a.example"), "192.0.2.1:5061"), served(None, "192.0.2.1:5061"));
    assert!(!same(exact.as_ref(), any.as_ref()), "the closest one is taken");
    // What is no address fits nothing.
    set("b.example", Some("*"), Some("everywhere"));
    assert!(served(None, "192.0.2.9:5061").is_none());
}

#[test]
fn a_certificate_that_cannot_be_used_leaves_the_one_before() {
    let profiles = profiles(None);
    let before = profiles.server(Some("a.example"), local());
    let ca = authority();
    let (certificate, _) = issued(&ca, vec![dns("a.example")]);
    let (_, other_key) = issued(&ca, vec![dns("a.example")]);
    for spoilt in [
        tls((certificate.clone(), other_key)),
        tls(("no PEM".to_owned(), String::new())),
        DomainTls { private_key: None, ..tls((certificate, String::new())) },
    ] {
        profiles.set_domain(&domain("a.example"), Some(spoilt));
        assert!(same(before.as_ref(), profiles.server(Some("a.example"), local()).as_ref()));
    }
    let mut both = issued(&ca, vec![dns("a.example")]);
    both.0.push_str(&both.1);
    let one_text = DomainTls { private_key: None, ..tls(both) };
    profiles.set_domain(&domain("a.example"), Some(one_text));
    let after = profiles.server(Some("a.example"), local());
    assert!(after.is_some() && !same(before.as_ref(), after.as_ref()), "key beside certificate");
}

#[test]
fn what_is_wrong_is_said_with_key_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let ca = authority();
    let (certificate, key) = issued(&ca, vec![dns("a.example")]);
    let (_, other) = issued(&ca, vec![dns("b.example")]);
    let told = |certificate: &str, key: &str| {
        let path = |name: &str| folder.path().join(name);
        let settings =
            Tls { certificate: path("c.pem"), private_key: path("k.pem"), ..Tls::default() };
        std::fs::write(&settings.certificate, certificate).unwrap();
        std::fs::write(&settings.private_key, key).unwrap();
        let told = check(&settings).err().unwrap_or_default();
        told.replace(&format!("{}/", folder.path().display()), "")
    };
    assert_eq!(told(&certificate, &key), "");
    assert_eq!(told("nothing", &key), "tls.certificate: c.pem, holds no certificate");
    assert_eq!(told(&certificate, &certificate), "tls.private_key: k.pem, holds no private key");
    let cut = certificate.trim_end().rsplit_once('\n').unwrap().0;
    assert_eq!(
        told(&format!("{certificate}{cut}\n"), &key),
        format!(
            "tls.certificate: c.pem, line {}: what begins here has no line -----END CERTIFICATE-----",
            certificate.lines().count() + 1
        )
    );
    let spoilt = certificate.replacen("\nMI", "\n!!", 1);
    let why = told(&spoilt, &key);
    assert!(why.starts_with("tls.certificate: c.pem, line 1: the certificate that"), "{why}");
    let no_der = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let why = told(&format!("# a comment\n{no_der}"), &key);
    assert!(why.starts_with("tls.certificate: c.pem, line 2: the certificate that"), "{why}");
    let sealed = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let why = told(&certificate, &sealed);
    assert!(why.contains("k.pem, line 1:") && why.contains("pass phrase"), "{why}");
    assert!(told(&certificate, &other).starts_with("tls.certificate: "));
    let missing = Tls { authorities: folder.path().join("none.pem"), ..Tls::default() };
    let why = check(&missing).unwrap_err();
    assert!(why.starts_with("tls.authorities: cannot read") && why.ends_with("not found"), "{why}");
}

#[test]
fn a_reload_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (
        issued(&authority(), vec![dns("a.example")]),
        issued(&authority(), vec![dns("a.example")]),
    );
    let profiles = profiles(Some((folder.path(), &one)));
    let settings = Tls {
        certificate: folder.path().join("c.pem"),
        private_key: folder.path().join("k.pem"),
        ..Tls::default()
    };
    let before = profiles.server(None, local());
    std::fs::write(&settings.certificate, &two.0).unwrap();
    assert!(profiles.reload(&settings).is_err(), "the key is still the old one");
    assert!(same(before.as_ref(), profiles.server(None, local()).as_ref()));
    std::fs::write(&settings.private_key, &two.1).unwrap();
    profiles.reload(&settings).unwrap();
    assert!(!same(before.as_ref(), profiles.server(None, local()).as_ref()));
    assert!(profiles.server(Some("b.example"), local()).is_some(), "domains keep theirs");
}

/// Sections 7.1 and 7.2.
#[test]
fn rfc5922_7_a_server_is_the_domain_of_the_request() {
    let ca = authority();
    let mut roots = RootCertStore::empty();
    pem::authorities(&ca.pem(), &mut roots).unwrap();
    let roots = Arc::new(roots);
    let believed = |names: Vec<SanType>, name: &str, wildcards| {
        let (certificate, _) = issued(&ca, names);
        let chain = pem::certificates(&certificate).unwrap();
        let verifier =
            verify::SipServer { provider: provider(), roots: Arc::clone(&roots), wildcards };
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(&chain[0], &[], &name, &[], UnixTime::now()).is_ok()
    };
    assert!(believed(vec![dns("example.com")], "example.com", false));
    assert!(believed(vec![dns("EXAMPLE.com")], "example.COM", false));
    assert!(!believed(vec![dns("example.com")], "sip.example.com", false));
    assert!(!believed(vec![dns("*.example.com")], "sip.example.com", false), "no wildcards");
    assert!(believed(vec![dns("*.example.com")], "sip.example.com", true));
    assert!(believed(vec![uri("sip:example.com")], "example.com", false));
    assert!(!believed(vec![uri("sip:user@example.com")], "example.com", false), "no user part");
    let both = || vec![uri("sip:example.net"), dns("example.com")];
    assert!(believed(both(), "example.net", false));
    assert!(!believed(both(), "example.com", false), "DNS names count without SIP URIs only");
    let address = || vec![SanType::IpAddress([192, 0, 2, 1].into())];
    assert!(believed(address(), "192.0.2.1", false));
    assert!(!believed(address(), "192.0.2.2", false));
    // Of another authority.
    let (stranger, _) = issued(&authority(), vec![dns("example.com")]);
    let chain = pem::certificates(&stranger).unwrap();
    let verifier = verify::SipServer { provider: provider(), roots, wildcards: true };
    let name = ServerName::try_from("example.com").unwrap();
    assert!(verifier.verify_server_cert(&chain[0], &[], &name, &[], UnixTime::now()).is_err());
}
