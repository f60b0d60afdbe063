//! What sipd's configuration file says; `etc/sipd.toml` explains each key.

mod calls;
mod enum_trees;
mod guard;
mod pstn;
mod tls;

pub use calls::Calls;
pub use enum_trees::EnumTrees;
pub use guard::{Guard, Overload};
pub use pstn::{Emergency, GatewayOrder, Pstn, WithoutPassword};
pub use tls::{ClientCertificates, Tls, WebSocket};

use ngn_model::DomainName;
use ngn_sip::uri::Uri;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The whole file. A missing key has the value that `etc/sipd.toml` shows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// URL of the database, `sqlite:PATH` or `mysql://user:password@host:port/name`.
    pub database: String,
    /// Where SIP is spoken.
    pub listen: Listen,
    /// TLS.
    pub tls: Tls,
    /// SIP over WebSocket.
    pub websocket: WebSocket,
    /// Address of the admin HTTP port.
    pub admin: SocketAddr,
    /// Allows `admin` to be reachable from other machines.
    pub admin_beyond_loopback: bool,
    /// Digest authentication.
    pub digest: Digest,
    /// Registrations.
    pub registrar: Registrar,
    /// Other nodes of the same platform.
    pub cluster: Cluster,
    /// Forwarding of calls.
    pub proxy: Proxy,
    /// How the end of a call is noticed that nobody tells of.
    pub calls: Calls,
    /// Calls to telephone numbers.
    pub pstn: Pstn,
    /// Numbers that ENUM knows.
    pub r#enum: EnumTrees,
    /// Emergency calls.
    pub emergency: Emergency,
    /// Look-ups of names that calls go to.
    pub dns: Dns,
    /// A record of messages.
    pub trace: Trace,
    /// What sources may do that prove nothing.
    pub guard: Guard,
    /// What is turned away when too much waits.
    pub overload: Overload,
    /// Limits on what the network may cost.
    pub limits: Limits,
    /// Logging, as `ngn_daemon` reads it.
    pub log: String,
}

/// Where SIP is spoken.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// UDP addresses.
    pub udp: Vec<SocketAddr>,
    /// TCP addresses. Port 0 takes the port of the UDP address with the same place in the list.
    pub tcp: Vec<SocketAddr>,
    /// TLS addresses.
    pub tls: Vec<SocketAddr>,
    /// WebSocket addresses.
    pub ws: Vec<SocketAddr>,
    /// Addresses of WebSocket over TLS.
    pub wss: Vec<SocketAddr>,
    /// The host name or address that Via and Record-Route carry, when it is not the address listened on
    /// (behind NAT, or listening on the unspecified address).
    pub advertised: Option<String>,
}

/// Digest authentication.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Digest {
    /// Algorithms that are offered, in this order: `MD5`, `SHA-256`. Phones of before RFC 8760 fail when they
    /// are offered more than MD5.
    pub algorithms: Vec<DigestAlgorithm>,
    /// How long a nonce is good for, in seconds, 10 to 86,400.
    pub nonce_seconds: u64,
    /// Accepts phones that leave out `qop` (RFC 2069).
    pub allow_without_qop: bool,
    /// How the `uri` of credentials must fit the Request-URI.
    pub uri: DigestUri,
}

/// How the `uri` of credentials must fit the Request-URI (RFC 7616 section 3.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigestUri {
    /// It is not compared: many clients put the address that they send to.
    Any,
    /// User and host must be the same.
    SameTarget,
    /// Both must be equivalent (RFC 3261 section 19.1.4).
    Equivalent,
}

/// A digest algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum DigestAlgorithm {
    /// MD5 (RFC 2617).
    #[serde(rename = "MD5")]
    Md5,
    /// SHA-256 (RFC 8760).
    #[serde(rename = "SHA-256")]
    Sha256,
}

/// Registrations.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Registrar {
    /// Shortest registration, in seconds; a shorter one is refused with 423.
    pub min_expires: u32,
    /// Longest registration, in seconds; a longer one is cut.
    pub max_expires: u32,
    /// Length of a registration that asks for none, in seconds.
    pub default_expires: u32,
    /// How many contacts an account may have at once.
    pub max_contacts: usize,
    /// Names by which phones register here, beside SIP domains, hosts within them, addresses and the advertised name
    /// (RFC 3261 section 10.3 step 1).
    pub names: Vec<String>,
}

/// Other sipd nodes of the same platform, over the same database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cluster {
    /// Host and port at which they reach this one, with `;transport=` when it is not TCP; empty: an address that is
    /// listened on, by its advertised name.
    pub address: String,
}

impl Cluster {
    /// The address as a SIP URI; `None` when it is empty, or none.
    #[must_use]
    pub fn uri(&self) -> Option<Uri> {
        if self.address.is_empty() {
            return None;
        }
        let tcp = if self.address.contains(";transport=") { "" } else { ";transport=tcp" };
        let uri = Uri::parse(&format!("sip:{}{tcp}", self.address)).ok()?;
        (uri.user().is_none() && uri.host().is_some() && uri.as_str().len() <= 200).then_some(uri)
    }
}

/// Forwarding of calls.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Proxy {
    /// How long a callee rings who has set no time of its own, in seconds (B56).
    pub answer_timeout: u64,
    /// Timer C, in seconds, more than 180 (RFC 3261 section 16.6).
    pub timer_c: u64,
    /// Requests of more octets go over TCP where they would go over UDP, 0 for never (RFC 3261 section 18.1.1).
    pub largest_datagram: usize,
    /// Host and port of the voicemail server; empty: diversions to mailboxes lead nowhere (B85).
    pub voicemail_server: String,
    /// What is dialled to listen to one's messages; empty: nothing (B156).
    pub voicemail_numbers: Vec<String>,
}

/// Look-ups of names that calls go to (RFC 3263).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dns {
    /// Name servers that are asked; empty: those of the system.
    pub servers: Vec<SocketAddr>,
    /// How long one name server has for an answer, in milliseconds, 100 to 10,000.
    pub timeout_milliseconds: u64,
    /// How often a name server is asked again that does not answer, 0 to 5.
    pub attempts: usize,
    /// How many answers are kept.
    pub cached_answers: u64,
    /// How long an answer is kept at most, in seconds, whatever its TTL says.
    pub longest_ttl: u64,
    /// How long it is kept at most that there is no such name, in seconds.
    pub negative_ttl: u64,
    /// For how long a server that failed is tried last, in seconds, 0 to 3,600.
    pub back_off: u64,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout_milliseconds: 1_500,
            attempts: 1,
            cached_answers: 8_192,
            longest_ttl: 3_600,
            negative_ttl: 60,
            back_off: 30,
        }
    }
}

/// A record of the messages of some accounts and addresses, for getSipTrace; off when none is named.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trace {
    /// Accounts whose calls and registrations are recorded, as `user@domain`.
    pub accounts: Vec<String>,
    /// Addresses to and from which everything is recorded.
    pub addresses: Vec<IpAddr>,
    /// How many messages of one call are kept, 1 to 10,000.
    pub messages_per_call: u32,
    /// How long messages are kept, in hours, 1 to 8,760.
    pub keep_hours: u32,
    /// How many messages are kept in all, at least 1.
    pub keep_messages: u64,
    /// Host and port of a collector that is sent every message as HEP packets over UDP; empty: none.
    pub hep: String,
    /// The number by which the collector knows this node.
    pub hep_id: u32,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            addresses: Vec::new(),
            messages_per_call: 200,
            keep_hours: 72,
            keep_messages: 100_000,
            hep: String::new(),
            hep_id: 2001,
        }
    }
}

/// Limits on what the network may cost.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest message, in octets.
    pub message_octets: usize,
    /// Transactions at one time; beyond it new work is answered 503.
    pub transactions: usize,
    /// Connections at one time, of all kinds, those whose handshake goes on included.
    pub connections: usize,
    /// Connections of one address at one time.
    pub connections_per_address: usize,
    /// Seconds after which an idle connection is closed.
    pub idle_seconds: u64,
    /// Size of the UDP sockets' receive and send buffers, in octets.
    pub receive_buffer: usize,
}

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Default for Config {
    fn default() -> Self {
        Self {
            database: "sqlite:data/ngn.sqlite".to_owned(),
            listen: Listen::default(),
            tls: Tls::default(),
            websocket: WebSocket::default(),
            admin: SocketAddr::new(LOCALHOST, 9281),
            admin_beyond_loopback: false,
            digest: Digest::default(),
            registrar: Registrar::default(),
            cluster: Cluster::default(),
            proxy: Proxy::default(),
            calls: Calls::default(),
            pstn: Pstn::default(),
            r#enum: EnumTrees::default(),
            emergency: Emergency::default(),
            dns: Dns::default(),
            trace: Trace::default(),
            guard: Guard::default(),
            overload: Overload::default(),
            limits: Limits::default(),
            log: "info".to_owned(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            udp: vec![SocketAddr::new(LOCALHOST, 5060)],
            tcp: vec![SocketAddr::new(LOCALHOST, 5060)],
            tls: Vec::new(),
            ws: Vec::new(),
            wss: Vec::new(),
            advertised: None,
        }
    }
}

impl Listen {
    /// All addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &SocketAddr> {
        self.udp.iter().chain(&self.tcp).chain(&self.tls).chain(&self.ws).chain(&self.wss)
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            algorithms: vec![DigestAlgorithm::Md5],
            nonce_seconds: 300,
            allow_without_qop: true,
            uri: DigestUri::Any,
        }
    }
}

impl Digest {
    /// How long a nonce is good for, in milliseconds.
    #[must_use]
    pub fn nonce_milliseconds(&self) -> i64 {
        i64::try_from(self.nonce_seconds).unwrap_or(300).saturating_mul(1000)
    }
}

impl Default for Registrar {
    fn default() -> Self {
        Self {
            min_expires: 60,
            max_expires: 7200,
            default_expires: 3600,
            max_contacts: 10,
            names: Vec::new(),
        }
    }
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            answer_timeout: 35,
            timer_c: 185,
            largest_datagram: 1300,
            voicemail_server: String::new(),
            voicemail_numbers: vec!["*70".to_owned()],
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_octets: 65_535,
            transactions: 1_000_000,
            connections: 20_000,
            connections_per_address: 2_000,
            idle_seconds: 3_600,
            receive_buffer: 4 << 20,
        }
    }
}

impl Config {
    /// Finds what is well-formed and still makes no sense; the text names the key and what to write.
    pub fn check(&self) -> Result<(), String> {
        let mut addresses = self.listen.addresses().peekable();
        if addresses.peek().is_none() {
            return Err("listen: there is no address, such as in `udp`".to_owned());
        }
        if self.listen.advertised.is_none() && addresses.any(|a| a.ip().is_unspecified()) {
            let why = "no other machine can reach the address that is listened on";
            return Err(format!("listen.advertised: {why}; write this host's name or address"));
        }
        if !self.cluster.address.is_empty() && self.cluster.uri().is_none() {
            let address = &self.cluster.address;
            return Err(format!("cluster.address: `{address}` is no host and port"));
        }
        self.tls.check()?;
        self.websocket.check()?;
        if self.digest.algorithms.is_empty() {
            return Err("digest.algorithms: is empty; write [\"MD5\"]".to_owned());
        }
        if !(10..=86_400).contains(&self.digest.nonce_seconds) {
            return Err("digest.nonce_seconds: must be 10 to 86400".to_owned());
        }
        let registrar = &self.registrar;
        if registrar.min_expires > registrar.default_expires
            || registrar.default_expires > registrar.max_expires
        {
            return Err("registrar: needs min_expires <= default_expires <= max_expires".to_owned());
        }
        if registrar.max_contacts == 0 {
            return Err("registrar.max_contacts: must be at least 1".to_owned());
        }
        if let Some(name) = registrar.names.iter().find(|name| DomainName::new(name).is_err()) {
            return Err(format!("registrar.names: `{name}` is no host name"));
        }
        if self.proxy.timer_c <= 180 {
            return Err("proxy.timer_c: must be more than 180 (RFC 3261 section 16.6)".to_owned());
        }
        let server = &self.proxy.voicemail_server;
        if !server.is_empty() && Uri::parse(&format!("sip:1@{server}")).is_err() {
            return Err(format!("proxy.voicemail_server: `{server}` is no host and port"));
        }
        if self.proxy.answer_timeout == 0 || self.proxy.answer_timeout > 900 {
            return Err("proxy.answer_timeout: must be 1 to 900".to_owned());
        }
        if self.limits.message_octets < 1_300 || self.limits.message_octets > 1 << 20 {
            return Err("limits.message_octets: must be 1300 to 1048576".to_owned());
        }
        if let Some(name) = self.trace.accounts.iter().find(|name| !name.contains('@')) {
            return Err(format!("trace.accounts: `{name}` is not of the form user@domain"));
        }
        let trace = &self.trace;
        let is_place = |place: &str| match place.rsplit_once(':') {
            Some((host, port)) => {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
            }
            None => false,
        };
        if !trace.hep.is_empty() && !is_place(&trace.hep) {
            return Err(format!(
                "trace.hep: `{}` is no host and port; write such as \"192.0.2.9:9060\"",
                trace.hep
            ));
        }
        if !(1..=10_000).contains(&trace.messages_per_call)
            || !(1..=8_760).contains(&trace.keep_hours)
            || trace.keep_messages == 0
        {
            let why = "`messages_per_call` must be 1 to 10000, `keep_hours` 1 to 8760, `keep_messages` 1 or more";
            return Err(format!("trace: {why}"));
        }
        self.calls.check()?;
        self.pstn.check()?;
        self.r#enum.check()?;
        self.guard.check()?;
        self.overload.check()?;
        let is_number = |text: &String| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_digit() || b"+*#".contains(&b))
        };
        if let Some(wrong) = self.proxy.voicemail_numbers.iter().find(|number| !is_number(number)) {
            return Err(format!("proxy.voicemail_numbers: `{wrong}` cannot be dialled"));
        }
        if let Some(wrong) = self.emergency.numbers.iter().find(|number| !is_number(number)) {
            return Err(format!("emergency.numbers: `{wrong}` cannot be dialled"));
        }
        let dns = &self.dns;
        if !(100..=10_000).contains(&dns.timeout_milliseconds)
            || dns.attempts > 5
            || dns.back_off > 3_600
            || dns.longest_ttl > 604_800
        {
            let why = "`timeout_milliseconds` must be 100 to 10000, `attempts` 0 to 5, `back_off` 0 to 3600, \
                       `longest_ttl` 0 to 604800";
            return Err(format!("dns: {why}"));
        }
        let limits = &self.limits;
        if limits.transactions == 0
            || limits.connections == 0
            || limits.connections_per_address == 0
        {
            let why = "`transactions`, `connections`, `connections_per_address` must be at least 1";
            return Err(format!("limits: {why}"));
        }
        Ok(())
    }

    /// What call records call this node: the host and port that others see, at most 50 characters.
    #[must_use]
    pub fn node(&self, bound: Option<SocketAddr>) -> String {
        let name = match (&self.listen.advertised, bound) {
            (Some(host), Some(bound)) => format!("{host}:{}", bound.port()),
            (None, Some(bound)) => bound.to_string(),
            (host, None) => host.clone().unwrap_or_default(),
        };
        name.chars().take(50).collect()
    }

    /// Timer C as a duration.
    #[must_use]
    pub const fn timer_c(&self) -> Duration {
        Duration::from_secs(self.proxy.timer_c)
    }
}

#[cfg(test)]
mod tests;
