//! The torture messages of RFC 4475 and RFC 5118 over UDP, TCP and TLS.
//!
//! What the parser and the stack make of each is told in crates/sip (`tests/rfc4475.rs`, `tests/rfc5118.rs`). Here each
//! one comes over a connection: what ends it there, by Content-Length, decides whether the connection can go on
//! (RFC 3261 section 18.3), and the server is no other afterwards. A datagram ends by itself.

use crate::certificates::Authority;
use crate::phone::Octets;
use crate::scene::Scene;
use ngn_sip::framing::{Frame, Framer};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// A connection whose messages are looked at no closer than they have to be: answers repeat what was wrong.
struct Raw {
    stream: Octets,
    framer: Framer,
}

impl Raw {
    async fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The start line of the next message; none when the connection ends.
    async fn line(&mut self) -> Option<String> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(frame) = self.framer.next_frame().unwrap() {
                let Frame::Message(octets) = frame else { continue };
                let line = octets.split(|octet| *octet == b'\r').next().unwrap();
                return Some(String::from_utf8_lossy(line).into_owned());
            }
            match self.stream.read(&mut buffer).await {
                Ok(length) if length > 0 => self.framer.push(&buffer[..length]),
                _ => return None,
            }
        }
    }
}

/// What becomes of a message and of its connection.
enum Expected {
    /// Answers with these statuses, and the connection goes on.
    Answers(&'static [u16]),
    /// An answer, and the end: nobody knows where the next message begins (RFC 3261 section 18.3).
    Ends(u16),
    /// The message is waited for whose end is not there, until the connection's time is over; what came before it is
    /// answered.
    Waits(&'static [u16]),
}

use Expected::{Answers, Ends, Waits};

macro_rules! cases {
    ($(in $folder:literal: $($name:literal $expected:expr;)*)*) => {
        const CASES: &[(&str, &[u8], Expected)] = &[$($((
            $name,
            include_bytes!(concat!("../../../tests/vectors/sip/", $folder, "/", $name, ".dat")),
            $expected,
        ),)*)*];
    };
}

// 401, 403, 404, 407 and 481 say that a request was understood: nobody called here is known, or nobody who calls.
cases! {
    in "rfc4475":
    "wsinv" Answers(&[481]);
    "intmeth" Answers(&[407]);
    "esc01" Answers(&[403]);
    "escnull" Answers(&[404]);
    "esc02" Answers(&[407]);
    "lwsdisp" Answers(&[407]);
    "longreq" Answers(&[404]);
    "dblreq" Waits(&[401, 404]); // section 3.1.1.8: over a stream the second one is a request too; text is left over
    "semiuri" Answers(&[404]);
    "transports" Answers(&[407]);
    "mpart01" Answers(&[407]);
    "unreason" Answers(&[]);
    "noreason" Answers(&[]);
    "badinv01" Answers(&[400]);
    "clerr" Waits(&[]); // section 3.1.2.2: more is announced than comes
    "ncl" Ends(400);
    "scalar02" Answers(&[400]);
    "scalarlg" Answers(&[]);
    "quotbal" Answers(&[400]);
    "ltgtruri" Answers(&[400]);
    "lwsruri" Answers(&[400]);
    "lwsstart" Answers(&[400]);
    "trws" Answers(&[400]);
    "escruri" Answers(&[400]);
    "baddate" Answers(&[404]);
    "regbadct" Answers(&[400]);
    "badaspec" Answers(&[400]);
    "baddn" Answers(&[400]);
    "badvers" Answers(&[505]);
    "mismatch01" Answers(&[400]);
    "mismatch02" Answers(&[400]);
    "bigcode" Answers(&[]);
    "badbranch" Answers(&[404]);
    "insuf" Answers(&[400]);
    "unkscm" Answers(&[416]);
    "novelsc" Answers(&[416]);
    "unksm2" Answers(&[404]);
    "bext01" Answers(&[420]);
    "invut" Answers(&[404]);
    "regaut01" Answers(&[401]);
    "multi01" Waits(&[]); // its Content-Length is two octets more than it has
    "mcl01" Ends(400); // section 3.3.9: which of both lengths holds is not known
    "bcast" Answers(&[]);
    "zeromf" Answers(&[483]);
    "cparam01" Answers(&[401]);
    "cparam02" Answers(&[401]);
    "regescrt" Answers(&[401]);
    "sdp01" Answers(&[404]);
    "inv2543" Ends(400); // section 3.4.1 is about UDP: over streams Content-Length must be there
    in "rfc5118":
    "ipv6-good" Answers(&[401]);
    "ipv6-bad" Answers(&[400]);
    "port-ambiguous" Answers(&[401]);
    "port-unambiguous" Answers(&[401]);
    "via-received-param-with-delim" Answers(&[481]);
    "via-received-param-no-delim" Answers(&[407]);
    "ipv6-in-sdp" Waits(&[]); // 268 announced, 251 there
    "mult-ip-in-header" Answers(&[481]);
    "mult-ip-in-sdp" Ends(407); // 181 announced, 189 there: the last eight begin no message
    "ipv4-mapped-ipv6" Waits(&[404]); // 236 announced, 245 there: the last nine may begin one
    "ipv6-bug-abnf-3-colons" Answers(&[407]);
    "ipv6-correct-abnf-2-colons" Answers(&[407]);
}

/// What comes back over UDP, where it is not what comes over a connection.
const IN_DATAGRAMS: &[(&str, &[u16])] = &[
    ("dblreq", &[401]), // section 3.1.1.8: the second one is no request, but left over
    ("clerr", &[400]),
    ("ncl", &[400]),
    ("multi01", &[400]),
    ("mcl01", &[400]),
    ("inv2543", &[404]),
    ("ipv6-in-sdp", &[400]), // its Content-Length is more than it has
    ("mult-ip-in-sdp", &[407]),
    ("ipv4-mapped-ipv6", &[404]),
];

/// Ports of Via, where answers go (RFC 3261 section 18.2.2), when it is not the one of UDP.
const PORTS: &[(&str, u16)] = &[
    ("bext01", 5061),
    ("mpart01", 5070),
    ("quotbal", 5050),
    ("mult-ip-in-header", 6050),
    ("ipv4-mapped-ipv6", 19823),
];

fn ping(name: &str) -> String {
    format!(
        "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP c.invalid;rport;branch=z9hG4bKping{name}\r\n\
         From: <sip:x@example.com>;tag=x\r\nTo: <sip:example.com>\r\nCall-ID: ping{name}\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The statuses that come: one more than are expected, or all until the connection ends.
async fn statuses(raw: &mut Raw, most: Option<usize>) -> Vec<u16> {
    let mut statuses = Vec::new();
    while most.is_none_or(|most| statuses.len() < most) {
        let line = tokio::time::timeout(Duration::from_secs(20), raw.line()).await;
        let Some(line) = line.expect("an answer, or the end, in time") else { break };
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        statuses.push(status.unwrap_or_else(|| panic!("a request came: {line}")));
    }
    statuses
}

async fn come_out_as_the_rfcs_say(is_secure: bool) {
    let authority = Authority::new();
    let scene = Scene::with(|config| {
        authority.configure(config);
        config.limits.idle_seconds = 2;
    })
    .await;
    for (name, octets, expected) in CASES {
        let stream: Octets = if is_secure {
            let server = scene.server.tls[0];
            Box::new(authority.connect(server, "sip.example.com", None).await.unwrap())
        } else {
            Box::new(TcpStream::connect(scene.server.tcp[0]).await.unwrap())
        };
        let mut raw = Raw { stream, framer: Framer::new(Default::default()) };
        raw.send(octets).await;
        match expected {
            Answers(statuses_expected) => {
                raw.send(ping(name).as_bytes()).await;
                let all = [*statuses_expected, &[200]].concat();
                assert_eq!(statuses(&mut raw, Some(all.len())).await, all, "{name}");
            }
            Ends(status) => assert_eq!(statuses(&mut raw, None).await, [*status], "{name}"),
            Waits(expected) => assert_eq!(statuses(&mut raw, None).await, *expected, "{name}"),
        }
    }
    scene.stop().await;
}

#[tokio::test]
async fn over_tcp() {
    come_out_as_the_rfcs_say(false).await;
}

#[tokio::test]
async fn over_tls() {
    come_out_as_the_rfcs_say(true).await;
}

/// What makes a server take a request for one that it knows: the method and the topmost Via.
fn transaction(octets: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(octets);
    let via = text.lines().find(|line| line.to_ascii_lowercase().starts_with("via:"));
    let method = text.split(' ').next();
    [method, via].into_iter().flatten().map(str::to_owned).collect()
}

/// Each comes from an address of its own, so that no answer is taken for that of another one.
#[tokio::test]
async fn over_udp() {
    let mut scene = Scene::new().await;
    let mut known = HashSet::new();
    for ((name, octets, expected), n) in CASES.iter().zip(1..=254) {
        if !known.insert(transaction(octets)) {
            // To the same server it would be the other one that comes again (RFC 3261 section 17.2.3).
            std::mem::replace(&mut scene, Scene::new().await).stop().await;
        }
        let other = IN_DATAGRAMS.iter().find(|(other, _)| other == name);
        let expected = match (other, expected) {
            (Some((_, expected)), _) | (None, Answers(expected)) => *expected,
            (None, Ends(_) | Waits(_)) => panic!("{name}: what is expected of a datagram?"),
        };
        let port = PORTS.iter().find(|(other, _)| other == name).map_or(5060, |(_, port)| *port);
        let socket = UdpSocket::bind(SocketAddr::from(([127, 47, 75, n], port))).await.unwrap();
        socket.connect(scene.server.udp[0]).await.unwrap();
        socket.send(octets).await.unwrap();
        socket.send(ping(name).as_bytes()).await.unwrap();
        let mut came = Vec::new();
        loop {
            let mut buffer = [0; 65_535];
            let receiving = tokio::time::timeout(Duration::from_secs(20), socket.recv(&mut buffer));
            let length = receiving.await.expect("an answer in time").unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]);
            let status = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok());
            let status: u16 = status.unwrap_or_else(|| panic!("{name}: {text}"));
            if text.contains(&format!("ping{name}\r\n")) {
                assert_eq!(status, 200, "{name}");
                break;
            }
            came.push(status);
        }
        assert_eq!(came, expected, "{name}");
    }
    scene.stop().await;
}
