//! DNS over HTTPS (RFC 8484): the same answers as over TCP, by curl and dig, over both versions of HTTP; what is refused; and
//! connections that end.

use crate::fixture::{Fixture, Running};
use crate::tls::{bare, counted, issue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hickory_proto::rr::RecordType;
use ngn_enumd::config::Config;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

const NAME: &str = "ns.example";

fn with_https(config: &mut Config, directory: &Path) {
    config.listen.https = vec!["127.0.0.1:0".parse().unwrap()];
    config.tls.certificate = directory.join("certificate");
    config.tls.private_key = directory.join("key");
}

fn plain(config: &mut Config) {
    config.listen.https = vec!["127.0.0.1:0".parse().unwrap()];
    config.https.plain = true;
}

struct World {
    running: Running,
    directory: TempDir,
    _fixture: Fixture,
}

impl World {
    async fn start(adjust: impl FnOnce(&mut Config)) -> Self {
        let (fixture, directory) = (Fixture::sqlite().await, TempDir::new().unwrap());
        issue(directory.path(), NAME);
        fixture.add_zone("example.com").await;
        fixture.set("example.com", "www.example.com", &["192.0.2.7"]).await;
        let running = fixture
            .start(|config| {
                with_https(config, directory.path());
                adjust(config);
            })
            .await;
        Self { running, directory, _fixture: fixture }
    }

    fn address(&self) -> SocketAddr {
        self.running.server.https[0]
    }

    /// What curl says of a request: head and body.
    async fn curl(&self, version: &str, target: &str, more: &[&str]) -> (String, Vec<u8>) {
        let (port, head) = (self.address().port(), self.directory.path().join("head"));
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "60", version, "--dump-header"])
            .arg(&head)
            .arg("--cacert")
            .arg(self.directory.path().join("certificate"))
            .args(["--resolve", &format!("{NAME}:{port}:127.0.0.1")])
            .args(more)
            .arg(format!("https://{NAME}:{port}{target}"))
            .output()
            .await
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{version} {target} {more:?}: {error}");
        (std::fs::read_to_string(head).unwrap().to_lowercase(), output.stdout)
    }

    fn file(&self, octets: &[u8]) -> PathBuf {
        let path = self.directory.path().join("content");
        std::fs::write(&path, octets).unwrap();
        path
    }

    /// What TCP answers.
    async fn tcp(&self, query: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.running.server.tcp[0]).await.unwrap();
        stream.write_u16(u16::try_from(query.len()).unwrap()).await.unwrap();
        stream.write_all(query).await.unwrap();
        let length = stream.read_u16().await.unwrap();
        let mut answer = vec![0; length.into()];
        stream.read_exact(&mut answer).await.unwrap();
        answer
    }
}

fn get(query: &[u8]) -> String {
    format!("/dns-query?dns={}", URL_SAFE_NO_PAD.encode(query))
}

// RFC 8484 sections 4.1, 4.2.1 and 5.1: GET and POST, over both versions, say what TCP says and how long it holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_those_of_tcp() {
    let world = World::start(|_| {}).await;
    for (version, line) in [("--http2", "http/2 200"), ("--http1.1", "http/1.1 200 ok")] {
        for (name, kind, age) in [
            ("www.example.com.", RecordType::A, 60),
            ("example.com.", RecordType::SOA, 60),
            // The last field of the SOA (RFC 2308 section 5), or its TTL.
            ("nothing.example.com.", RecordType::A, 60),
            ("elsewhere.invalid.", RecordType::A, 0),
            // Whole zones do not fit into a response.
            ("example.com.", RecordType::AXFR, 0),
        ] {
            let query = bare(0, name, kind);
            let told = world.tcp(&query).await;
            let (head, body) = world.curl(version, &get(&query), &[]).await;
            assert!(head.starts_with(line), "{head}");
            assert!(head.contains("content-type: application/dns-message\r\n"), "{head}");
            assert!(head.contains(&format!("cache-control: max-age={age}\r\n")), "{name}: {head}");
            assert_eq!(body, told, "{name} by GET");
            let data = format!("@{}", world.file(&query).display());
            let kind = "Content-Type: application/dns-message";
            let (head, body) =
                world.curl(version, "/dns-query", &["--data-binary", &data, "-H", kind]).await;
            assert!(head.starts_with(line), "{head}");
            assert_eq!(body, told, "{name} by POST");
        }
        // RFC 9110 section 9.3.2.
        let query = bare(0, "www.example.com.", RecordType::A);
        let length = world.tcp(&query).await.len();
        let (head, body) = world.curl(version, &get(&query), &["--head"]).await;
        assert!(head.starts_with(line), "{head}");
        assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
        assert!(!body.starts_with(&[0, 0]), "no message: {body:?}");
    }
    let line = r#"enumd_queries_total{transport="https",qtype="A",rcode="NOERROR"} 6"#;
    counted(&world.running, line).await;
    world.running.stop().await;
}

// RFC 9110 section 15.5: each mistake has its own status, and the text says what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_query_is_refused() {
    let world = World::start(|_| {}).await;
    let query = bare(0, "www.example.com.", RecordType::A);
    let encoded = get(&query);
    let (message, text) =
        ("Content-Type: application/dns-message", "Content-Type: application/json");
    let large = world.directory.path().join("large");
    std::fs::write(&large, vec![0; 65_536]).unwrap();
    let large = format!("@{}", large.display());
    let content = format!("@{}", world.file(&query).display());
    let chunked = "Transfer-Encoding: chunked";
    for version in ["--http2", "--http1.1"] {
        let cases: [(&str, &[&str], u16); 14] = [
            ("/", &[], 404),
            ("/dns-query/", &[], 404),
            ("/dns-query", &[], 400),
            ("/dns-query?dns=", &[], 400),
            ("/dns-query?dns=AA==", &[], 400),
            ("/dns-query?dns=AA+/", &[], 400),
            (&format!("{encoded}&dns=AAAA"), &[], 400),
            (&format!("{encoded}&more=1"), &[], 200),
            (&encoded, &["--request", "PUT"], 405),
            (&encoded, &["--request", "DELETE"], 405),
            ("/dns-query", &["--data-binary", &content, "-H", text], 415),
            ("/dns-query", &["--data-binary", &large, "-H", message], 413),
            ("/dns-query", &["--data-binary", &large, "-H", message, "-H", chunked], 413),
            // Something that is no DNS message at all.
            ("/dns-query", &["--data-binary", "x", "-H", message], 400),
        ];
        for (target, more, status) in cases {
            // HTTP/2 has no such field (RFC 9113 section 8.2.2).
            if version == "--http2" && more.contains(&chunked) {
                continue;
            }
            let (head, body) = world.curl(version, target, more).await;
            let first = head.lines().next().unwrap_or_default();
            assert_eq!(
                first.split(' ').nth(1),
                Some(&*status.to_string()),
                "{target} {more:?}: {head}"
            );
            if status != 200 {
                assert!(!body.is_empty() && body.is_ascii(), "{target}: {body:?}");
            }
            match status {
                405 => assert!(head.contains("allow: get, head, post\r\n"), "{head}"),
                415 => assert!(head.contains("accept: application/dns-message\r\n"), "{head}"),
                _ => {}
            }
        }
    }
    world.running.stop().await;
}

// A client that we did not write, over HTTP/2 (GET and POST).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dig_asks_over_https() {
    let world = World::start(|_| {}).await;
    for way in ["+https", "+https-get", "+https-post"] {
        let output: Output = Command::new("dig")
            .args(["@127.0.0.1", "-p", &world.address().port().to_string(), way])
            .arg(format!("+tls-ca={}", world.directory.path().join("certificate").display()))
            .arg(format!("+tls-hostname={NAME}"))
            .args(["+time=30", "+tries=1", "www.example.com", "A"])
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("status: NOERROR") && text.contains("192.0.2.7"), "{text}");
        assert!(text.contains("(HTTPS"), "{text}");
    }
    world.running.stop().await;
}

// Behind a proxy: HTTP/1.1 without TLS, connections that go on, requests one after the other, the end of idle ones, and no request
// behind one that has two lengths (RFC 9112 section 6.1).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_on_the_same_machine_needs_no_tls() {
    let world = World::start(|config| {
        plain(config);
        config.limits.idle_seconds = 1;
        config.limits.connections_per_address = 1;
    })
    .await;
    let query = bare(7, "www.example.com.", RecordType::A);
    let told = world.tcp(&query).await;
    let request = format!("GET {} HTTP/1.1\r\nHost: {NAME}\r\n\r\n", get(&query));
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    // All connections are the proxy's: its address does not count.
    let mut other = TcpStream::connect(world.address()).await.unwrap();
    for connection in [&mut stream, &mut other] {
        for _ in 0..2 {
            connection.write_all(request.as_bytes()).await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(&told) {
                assert!(connection.read_buf(&mut read).await.unwrap() > 0, "{read:?}");
            }
            assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n"));
        }
    }
    // Nothing more comes, so that it ends.
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let half = "POST /dns-query HTTP/1.1\r\nHost: a\r\nContent-Type: application/dns-message\r\nContent-Length: 99\r\n\r\nhalf";
    stream.write_all(half.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.unwrap();
    assert!(read.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&read));
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let twice = format!(
        "POST /dns-query HTTP/1.1\r\nHost: a\r\nContent-Type: application/dns-message\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{request}"
    );
    stream.write_all(twice.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    let text = String::from_utf8_lossy(&read).into_owned();
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    world.running.stop().await;
}

// Settings that do not fit together end the start, and say so.
#[tokio::test]
async fn without_tls_only_this_machine_is_served() {
    let mut config = crate::fixture::config();
    config.listen.https = vec!["127.0.0.1:0".parse().unwrap()];
    assert!(config.check().unwrap_err().starts_with("tls.certificate: needed for `listen.https`"));
    config.https.plain = true;
    assert_eq!(config.check(), Ok(()));
    config.listen.https = vec!["[2001:db8::1]:443".parse().unwrap()];
    assert!(config.check().unwrap_err().starts_with("https.plain"));
}
