//! `Via` (RFC 3261 section 20.42; RFC 3581 for `rport`).

use super::params::Params;
use super::scan::{Scanner, is_lws, push_address, push_decimal, trim};
use super::{HeaderError, HeaderName, ListHeader};
use crate::uri::{Host, host_length, read_port, read_v6};
use std::fmt;
use std::net::IpAddr;

/// The transport of a Via.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Transport {
    /// `UDP`.
    Udp,
    /// `TCP`.
    Tcp,
    /// `TLS` over TCP.
    Tls,
    /// `SCTP`.
    Sctp,
    /// `WS` (RFC 7118).
    Ws,
    /// `WSS` (RFC 7118).
    Wss,
    /// Any other, as written.
    Other(String),
}

impl Transport {
    /// Reads a transport name of either case.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let known = [Self::Udp, Self::Tcp, Self::Tls, Self::Sctp, Self::Ws, Self::Wss];
        let is_named = |one: &Self| one.as_str().eq_ignore_ascii_case(text);
        known.into_iter().find(is_named).unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    /// The name in upper case, as it stands in a Via.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Sctp => "SCTP",
            Self::Ws => "WS",
            Self::Wss => "WSS",
            Self::Other(name) => name,
        }
    }

    /// Whether it delivers by itself, so that nothing is retransmitted over it.
    #[must_use]
    pub const fn is_reliable(&self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The port that holds when none is written.
    #[must_use]
    pub const fn default_port(&self) -> u16 {
        match self {
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
            _ => 5060,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One hop that the request took.
///
/// It prints as it was read, parameters that were edited excepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// Everything before the parameters, as written.
    head: String,
    transport: Transport,
    host: Host,
    port: Option<u16>,
    /// The parameters.
    pub params: Params,
}

impl Via {
    /// The start of every branch that is unique in the sense of RFC 3261 (section 8.1.1.7).
    pub const COOKIE: &'static str = "z9hG4bK";

    /// A Via of our own; the branch comes with its cookie.
    #[must_use]
    pub fn new(transport: Transport, host: Host, port: Option<u16>, branch: &str) -> Self {
        let port_text = port.map(|port| format!(":{port}")).unwrap_or_default();
        let head = format!("SIP/2.0/{transport} {host}{port_text}");
        let mut params = Params::new();
        params.set("branch", Some(branch));
        Self { head, transport, host, port, params }
    }

    /// The transport over which the hop sent the request.
    #[must_use]
    pub const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The host of sent-by.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port of sent-by, when one is written.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port of sent-by, or the default port of the transport.
    #[must_use]
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or_else(|| self.transport.default_port())
    }

    /// The `branch` parameter, as written.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.params.value("branch")
    }

    /// The branch when it is unique in the sense of RFC 3261: it begins with the cookie (of either case,
    /// section 7.3.1) and something follows it (RFC 4475 section 3.2.1).
    #[must_use]
    pub fn rfc3261_branch(&self) -> Option<&str> {
        let branch = self.branch()?;
        let cookie = branch.get(..Self::COOKIE.len())?;
        (cookie.eq_ignore_ascii_case(Self::COOKIE) && branch.len() > cookie.len()).then_some(branch)
    }

    /// The address in `received`, with or without the brackets of RFC 5118 section 4.5.
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.unquoted("received")?;
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(&text);
        inner.parse().ok().or_else(|| read_v6(inner).map(IpAddr::V6))
    }

    /// Whether `rport` is asked for or filled in.
    #[must_use]
    pub fn wants_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// The port in `rport`.
    #[must_use]
    pub fn rport(&self) -> Option<u16> {
        self.params.value("rport")?.parse().ok()
    }

    /// The `maddr` parameter.
    #[must_use]
    pub fn maddr(&self) -> Option<Host> {
        Host::parse(self.params.value("maddr")?)
    }

    /// The `ttl` parameter.
    #[must_use]
    pub fn ttl(&self) -> Option<u8> {
        self.params.value("ttl")?.parse().ok()
    }

    /// Writes down where the request came from: `received` when the address differs from sent-by (section
    /// 18.2.1), and `rport`, then always with `received`, when it was asked for (RFC 3581 section 4).
    ///
    /// Returns whether anything changed.
    pub fn record_source(&mut self, address: IpAddr, port: u16) -> bool {
        let wants_rport = self.wants_rport();
        let differs = self.host.ip() != Some(address);
        if wants_rport {
            let mut text = String::with_capacity(5);
            push_decimal(&mut text, port.into());
            self.params.set("rport", Some(&text));
        }
        if wants_rport || differs {
            let mut text = String::with_capacity(39);
            push_address(&mut text, address);
            self.params.set("received", Some(&text));
            return true;
        }
        // A `received` that the sender made up must not decide where the response goes.
        self.params.remove("received")
    }

    /// Whether both have the same sent-by: equal hosts and ports, the default port counted as written.
    #[must_use]
    pub fn has_same_sent_by(&self, other: &Self) -> bool {
        self.host.matches(&other.host) && self.port_or_default() == other.port_or_default()
    }
}

impl ListHeader for Via {
    const NAME: HeaderName = HeaderName::Via;

    fn parse_one(value: &str) -> Result<Self, HeaderError> {
        read(value).map_err(|reason| HeaderError::new(Self::NAME, reason))
    }
}

impl Via {
    /// What [`Display`](fmt::Display) prints.
    pub(crate) fn to_text(&self) -> String {
        [&self.head, self.params.as_str()].concat()
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        f.write_str(self.params.as_str())
    }
}

/// `sent-protocol LWS sent-by *( SEMI via-params )`
fn read(value: &str) -> Result<Via, &'static str> {
    let mut scanner = Scanner::new(trim(value));
    let name = scanner.token().ok_or("there is no protocol")?;
    if !name.eq_ignore_ascii_case("SIP") || !scanner.separator(b'/') {
        return Err("the protocol is not SIP");
    }
    if scanner.token() != Some("2.0") || !scanner.separator(b'/') {
        return Err("the protocol version is not 2.0");
    }
    let transport = Transport::parse(scanner.token().ok_or("there is no transport")?);
    let before = scanner.position();
    scanner.skip_lws();
    if scanner.position() == before {
        return Err("there is no space before sent-by");
    }
    let start = scanner.position();
    scanner.take_while(|b| !is_lws(b) && b != b';' && b != b',');
    let sent_by = scanner.since(start);
    let length = host_length(sent_by);
    let host = Host::parse(sent_by.get(..length).unwrap_or("")).ok_or("the host is malformed")?;
    let port_text = sent_by.get(length..).unwrap_or("");
    let mut port = read_port(port_text).map_err(|_| "the port is malformed")?;
    if port.is_none() {
        // `COLON` allows white space around it.
        let mut ahead = scanner.clone();
        if ahead.separator(b':') {
            let digits = ahead.take_while(|b| b.is_ascii_digit());
            port = Some(digits.parse().map_err(|_| "the port is malformed")?);
            scanner = ahead;
        }
    }
    let head = scanner.since(0).to_owned();
    let params = Params::parse(scanner.rest())?;
    Ok(Via { head, transport, host, port, params })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(text: &str) -> Via {
        Via::parse_one(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn reads_and_prints() {
        for (text, transport, host, port, branch) in [
            ("SIP/2.0/UDP 192.0.2.2;branch=390skdjuw", "UDP", "192.0.2.2", None, Some("390skdjuw")),
            (
                "SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;rport;branch=1",
                "UDP",
                "192.0.2.2",
                None,
                Some("1"),
            ),
            (
                "SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,",
                "",
                "",
                None,
                None,
            ),
            ("sip/2.0/tls h:5061", "TLS", "h", Some(5061), None),
            ("SIP/2.0/UNKNOWN [2001:db8::9:1]:5 ;x", "UNKNOWN", "[2001:db8::9:1]", Some(5), None),
            ("SIP/2.0/UDP host : 5070;branch=b", "UDP", "host", Some(5070), Some("b")),
        ] {
            if transport.is_empty() {
                assert!(Via::parse_one(text).is_err(), "{text}");
                continue;
            }
            let v = via(text);
            assert_eq!(v.transport().as_str(), transport);
            assert_eq!(v.host().to_string(), host);
            assert_eq!(v.port(), port);
            assert_eq!(v.branch(), branch);
            assert_eq!(via(&v.to_string()).to_string(), v.to_string());
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/3.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0 h",
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP h:x",
            "SIP/2.0/UDP h:70000",
            "SIP/2.0/UDP h;branch",
            "SIP/2.0/UDP h x",
            "SIP/2.0/UDP 2001:db8::1",
            "SIP/2.0/UDPh",
        ] {
            let read = Via::parse_one(text);
            // A branch without a value is legal syntax for an unknown parameter, but it is not a branch.
            assert!(read.is_err() || read.is_ok_and(|v| v.branch().is_none()), "{text}");
        }
    }

    #[test]
    fn rfc4475_3_2_1_a_bare_cookie_is_no_branch() {
        assert_eq!(via("SIP/2.0/UDP h;branch=z9hG4bK").rfc3261_branch(), None);
        assert_eq!(via("SIP/2.0/UDP h;branch=Z9HG4bKx").rfc3261_branch(), Some("Z9HG4bKx"));
        assert_eq!(via("SIP/2.0/UDP h;branch=390skdjuw").rfc3261_branch(), None);
        assert_eq!(via("SIP/2.0/UDP h").rfc3261_branch(), None);
    }

    #[test]
    fn rfc3581_4_records_the_source() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        for (text, source, printed) in [
            ("SIP/2.0/UDP 192.0.2.1;branch=b", "192.0.2.1", "SIP/2.0/UDP 192.0.2.1;branch=b"),
            ("SIP/2.0/UDP h;branch=b", "192.0.2.1", "SIP/2.0/UDP h;branch=b;received=192.0.2.1"),
            (
                "SIP/2.0/UDP 10.1.1.1:4540;rport;branch=b",
                "192.0.2.1",
                "SIP/2.0/UDP 10.1.1.1:4540;rport=9988;branch=b;received=192.0.2.1",
            ),
            (
                "SIP/2.0/UDP 192.0.2.1 ;rport",
                "192.0.2.1",
                "SIP/2.0/UDP 192.0.2.1;rport=9988;received=192.0.2.1",
            ),
            ("SIP/2.0/UDP 192.0.2.1;received=10.9.9.9", "192.0.2.1", "SIP/2.0/UDP 192.0.2.1"),
            ("SIP/2.0/UDP h", "2001:db8::1", "SIP/2.0/UDP h;received=2001:db8::1"),
        ] {
            let mut v = via(text);
            v.record_source(address(source), 9988);
            assert_eq!(v.to_string(), printed);
        }
    }

    #[test]
    fn rfc5118_4_5_received_with_and_without_brackets() {
        for text in ["received=[2001:db8::9:255]", "received=2001:db8::9:255"] {
            let v = via(&format!("SIP/2.0/UDP [2001:db8::9:1];{text};branch=z9hG4bKas3-111"));
            assert_eq!(v.received(), "2001:db8::9:255".parse().ok(), "{text}");
            assert_eq!(v.branch(), Some("z9hG4bKas3-111"));
        }
    }

    #[test]
    fn compares_sent_by() {
        assert!(
            via("SIP/2.0/UDP Example.com").has_same_sent_by(&via("SIP/2.0/TCP example.com:5060"))
        );
        assert!(!via("SIP/2.0/TLS example.com").has_same_sent_by(&via("SIP/2.0/UDP example.com")));
        let made =
            Via::new(Transport::Udp, Host::parse("h").expect("a host"), Some(5060), "z9hG4bKa");
        assert_eq!(made.to_string(), "SIP/2.0/UDP h:5060;branch=z9hG4bKa");
    }
}
