//! DNS over TLS (RFC 7858): the same answers as over TCP, and the certificate that holds.

use crate::fixture::{Fixture, Running, config};
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use ngn_enumd::config::Config;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Issues a certificate into a directory, over the one that is there; gives what to believe.
pub(crate) fn issue(directory: &Path, name: &str) -> String {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    std::fs::write(directory.join("certificate"), cert.pem()).unwrap();
    std::fs::write(directory.join("key"), signing_key.serialize_pem()).unwrap();
    cert.pem()
}

fn with_tls(config: &mut Config, directory: &Path) {
    config.listen.tls = vec!["127.0.0.1:0".parse().unwrap()];
    config.tls.certificate = directory.join("certificate");
    config.tls.private_key = directory.join("key");
}

async fn connect(
    address: SocketAddr,
    name: &str,
    believed: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_slice(believed.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"dot".to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// A query, as it is in a datagram.
pub(crate) fn bare(id: u16, name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_str(name).unwrap(), kind));
    message.to_vec().unwrap()
}

fn query(id: u16, name: &str, kind: RecordType) -> Vec<u8> {
    let octets = bare(id, name, kind);
    let length = u16::try_from(octets.len()).unwrap();
    [&length.to_be_bytes()[..], &octets].concat()
}

async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut octets = vec![0; length.into()];
    stream.read_exact(&mut octets).await?;
    Ok(octets)
}

/// Sends all at once, and reads as many answers.
async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    queries: &[Vec<u8>],
) -> Vec<Vec<u8>> {
    stream.write_all(&queries.concat()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answers = Vec::new();
    for _ in queries {
        answers.push(answer(stream).await.unwrap());
    }
    answers
}

/// Waits for a line of the metrics: what happened is counted, perhaps a moment after others saw it.
pub(crate) async fn counted(running: &Running, line: &str) {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let mut text = String::new();
        prometheus_client::encoding::text::encode_registry(&mut text, &running.server.registry)
            .unwrap();
        if text.lines().any(|found| found == line) {
            return;
        }
        assert!(Instant::now() < deadline, "no {line} in {text}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_those_of_tcp() {
    let (fixture, directory) = (Fixture::sqlite().await, TempDir::new().unwrap());
    let believed = issue(directory.path(), "ns.example");
    fixture.add_zone("example.com").await;
    let running = fixture.start(|config| with_tls(config, directory.path())).await;
    let queries: Vec<Vec<u8>> = [
        ("example.com.", RecordType::SOA),
        ("www.example.com.", RecordType::A),
        ("nothing.example.com.", RecordType::A),
        ("example.net.", RecordType::AXFR),
        ("elsewhere.invalid.", RecordType::A),
    ]
    .iter()
    .zip(1..)
    .map(|((name, kind), id)| query(id, name, *kind))
    .collect();
    let mut plain = TcpStream::connect(running.server.tcp[0]).await.unwrap();
    let mut secure = connect(running.server.tls[0], "ns.example", &believed).await.unwrap();
    assert_eq!(secure.get_ref().1.alpn_protocol(), Some(&b"dot"[..]));
    assert_eq!(ask(&mut secure, &queries).await, ask(&mut plain, &queries).await);
    // A connection serves more than once.
    assert_eq!(ask(&mut secure, &queries[..1]).await.len(), 1);
    counted(&running, "enumd_tls_handshakes_total 1").await;
    // Who does not speak TLS gets no answer.
    let mut wrong = TcpStream::connect(running.server.tls[0]).await.unwrap();
    wrong.write_all(&queries[0]).await.unwrap();
    let mut rest = Vec::new();
    let _ = wrong.read_to_end(&mut rest).await;
    assert!(rest.len() < 20, "an alert at most: {rest:?}");
    counted(&running, "enumd_tls_handshakes_failed_total 1").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_taken_anew_and_a_bad_one_is_not() {
    let (fixture, directory) = (Fixture::sqlite().await, TempDir::new().unwrap());
    let first = issue(directory.path(), "one.example");
    let running = fixture.start(|config| with_tls(config, directory.path())).await;
    let address = running.server.tls[0];
    let mut settings = config();
    with_tls(&mut settings, directory.path());
    let mut open = connect(address, "one.example", &first).await.unwrap();
    let second = issue(directory.path(), "two.example");
    assert!(connect(address, "two.example", &second).await.is_err(), "not read yet");
    assert_eq!(running.server.reloader.reload(&settings).unwrap(), [""; 0]);
    let mut new = connect(address, "two.example", &second).await.unwrap();
    assert!(connect(address, "one.example", &first).await.is_err());
    std::fs::write(directory.path().join("certificate"), "nonsense").unwrap();
    let error = format!("{:#}", running.server.reloader.reload(&settings).unwrap_err());
    assert!(error.contains("tls"), "{error}");
    connect(address, "two.example", &second).await.unwrap();
    // What is open goes on.
    let asked = [query(1, "example.com.", RecordType::SOA)];
    assert_eq!(ask(&mut open, &asked).await, ask(&mut new, &asked).await);
    issue(directory.path(), "three.example");
    settings.limits.idle_seconds = 99;
    assert_eq!(running.server.reloader.reload(&settings).unwrap(), ["limits.idle_seconds"]);
    running.stop().await;
}
