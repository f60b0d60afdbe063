//! Where a request to a URI is sent (RFC 3263 section 4), without asking anybody by itself.
//!
//! A [`Locate`] says what is to be asked of the DNS, takes the answers, and at the end gives the ordered list of
//! [`Candidate`]s. Whoever drives it asks the questions of one round in any order, or all at once.
//!
//! ```text
//!                address       port, or transport and no SRV       transport           neither
//!  URI ────────────┬────────────────────┬─────────────────────────────┬───────────────────┐
//!                  │                    │                             │                   V
//!                  │                    │                             │          NAPTR of the host
//!                  │                    │                             │   none: each transport's │ some: those
//!                  │                    │                             V                   V
//!                  │                    │                            SRV  <───────────────┘
//!                  │                    │                   none      │ some
//!                  │                    V<────────────────────────────┤
//!                  │                A and AAAA <──────────────────────┘ of each target
//!                  V                    V
//!              candidates, in order
//! ```
//!
//! Only transports and address families that there are sockets for are looked for. What is asked and what comes of
//! it is limited, whatever the DNS says.

mod srv;

use crate::header::Transport;
use crate::proxy::endpoint::transport_of;
use crate::uri::{Host, Scheme, Uri};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// The most services of a domain that are looked for.
const SERVICES: usize = 6;
/// The most servers of all services together whose addresses are asked for.
const SERVERS: usize = 16;
/// The most addresses of one server that are used.
const ADDRESSES: usize = 8;
/// The most places that a request is sent to.
const CANDIDATES: usize = 16;
/// The longest name that can be asked for (RFC 1035 section 2.3.4).
const NAME: usize = 253;

/// Something to ask of the DNS, by owner name without a final dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Question {
    /// NAPTR records.
    Naptr(String),
    /// SRV records.
    Srv(String),
    /// A and AAAA records, as far as there are sockets for them.
    Addresses(String),
}

/// What came of a question; the empty list also when the name does not exist or nobody answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// NAPTR records.
    Naptr(Vec<Naptr>),
    /// SRV records.
    Srv(Vec<Srv>),
    /// Addresses, in the order in which they are tried.
    Addresses(Vec<IpAddr>),
}

/// A NAPTR record (RFC 3403), as far as RFC 3263 needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naptr {
    /// The lowest comes first.
    pub order: u16,
    /// Within an order, the lowest comes first.
    pub preference: u16,
    /// `s`: the replacement has SRV records.
    pub flags: String,
    /// Such as `SIP+D2U`.
    pub service: String,
    /// The name to go on with.
    pub replacement: String,
}

/// An SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srv {
    /// The lowest comes first.
    pub priority: u16,
    /// Its share among those of the same priority.
    pub weight: u16,
    /// Port.
    pub port: u16,
    /// The server; `.` or empty: the service is not offered.
    pub target: String,
}

/// A place to send a request to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Transport.
    pub transport: Transport,
    /// Address and port.
    pub address: SocketAddr,
}

/// A transport and an address family that there is a socket for; the order is that of preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Transport.
    pub transport: Transport,
    /// Whether it reaches IPv4 addresses; else IPv6 ones.
    pub is_ipv4: bool,
}

/// A server whose addresses are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    transport: Transport,
    host: String,
    port: u16,
}

/// What was asked last.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Naptr,
    /// The service names, in order, and how the host's own addresses are reached when none has servers.
    Srv(Vec<(Transport, String)>, Transport),
    Addresses(Vec<Server>),
    Done(Vec<Candidate>),
}

/// The state of looking for the servers of one URI.
#[derive(Debug, Clone)]
pub struct Locate {
    sockets: Vec<Socket>,
    host: String,
    is_secure: bool,
    /// The transport when it is not looked for.
    transport: Transport,
    stage: Stage,
}

impl Locate {
    /// Begins. A URI without a host (`tel`), or of a transport without socket, has no candidates.
    #[must_use]
    pub fn new(uri: &Uri, sockets: Vec<Socket>) -> Self {
        let is_secure = uri.scheme() == Scheme::Sips;
        let transport = transport_of(uri);
        let host = uri.param("maddr").and_then(Host::parse).or_else(|| uri.host());
        let name = match &host {
            Some(Host::Name(name)) => name.trim_end_matches('.').to_ascii_lowercase(),
            _ => String::new(),
        };
        let mut this = Self { sockets, host: name, is_secure, transport, stage: Stage::Naptr };
        let default = this.transport.default_port();
        let transport = this.transport.clone();
        let is_asked_for = uri.has_param("transport");
        this.stage = match (host, uri.port()) {
            (None, _) => Stage::Done(Vec::new()),
            (Some(Host::V4(ip)), port) => this.only(ip.into(), port.unwrap_or(default)),
            (Some(Host::V6(ip)), port) => this.only(ip.into(), port.unwrap_or(default)),
            (Some(Host::Name(_)), Some(port)) => this.addresses_of_host(transport, port),
            (Some(Host::Name(_)), None) if is_asked_for => {
                let services = this.service(&transport).map(|name| (transport, name));
                Stage::Srv(services.into_iter().collect(), this.transport.clone())
            }
            (Some(Host::Name(_)), None) => Stage::Naptr,
        };
        this
    }

    /// What is to be asked now; nothing when it is done.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        let mut questions = match &self.stage {
            Stage::Naptr => vec![Question::Naptr(self.host.clone())],
            Stage::Srv(services, _) => {
                services.iter().map(|(_, name)| Question::Srv(name.clone())).collect()
            }
            Stage::Addresses(servers) => {
                servers.iter().map(|server| Question::Addresses(server.host.clone())).collect()
            }
            Stage::Done(_) => Vec::new(),
        };
        let mut seen = std::collections::HashSet::new();
        questions.retain(|question| seen.insert(question.clone()));
        questions
    }

    /// Takes the answers to all [`questions`](Self::questions) and goes on; what is missing was not found. `random`
    /// gives a number from 0 to the given one, both included.
    pub fn answer(
        &mut self,
        answers: &HashMap<Question, Answer>,
        random: &mut dyn FnMut(u32) -> u32,
    ) {
        let stage = std::mem::replace(&mut self.stage, Stage::Done(Vec::new()));
        self.stage = match stage {
            Stage::Naptr => {
                let records = match answers.get(&Question::Naptr(self.host.clone())) {
                    Some(Answer::Naptr(records)) => records.as_slice(),
                    _ => &[],
                };
                self.after_naptr(records)
            }
            Stage::Srv(services, transport) => {
                self.after_srv(&services, transport, answers, random)
            }
            Stage::Addresses(servers) => self.after_addresses(&servers, answers),
            done @ Stage::Done(_) => done,
        };
        // A round without questions needs no answers.
        if !matches!(self.stage, Stage::Done(_)) && self.questions().is_empty() {
            self.answer(&HashMap::new(), random);
        }
    }

    /// Where the request is sent, in order; `None` while there are questions.
    #[must_use]
    pub fn candidates(&self) -> Option<&[Candidate]> {
        match &self.stage {
            Stage::Done(candidates) => Some(candidates),
            _ => None,
        }
    }

    /// Section 4.1: the transport by NAPTR, or else by the SRV records that there are.
    fn after_naptr(&self, records: &[Naptr]) -> Stage {
        let mut usable: Vec<(&Naptr, Transport)> = records
            .iter()
            .filter(|record| record.flags.eq_ignore_ascii_case("s"))
            .filter_map(|record| Some((record, self.transport_of_service(&record.service)?)))
            .filter(|(record, _)| is_askable(&record.replacement))
            .collect();
        usable.sort_by_key(|(record, _)| (record.order, record.preference));
        // RFC 3403 section 4.1: a higher order only when nothing of the lower one can be used.
        let lowest = usable.first().map(|(record, _)| record.order);
        let named = usable.into_iter().filter(|(record, _)| Some(record.order) == lowest);
        let name = |record: &Naptr| record.replacement.trim_end_matches('.').to_ascii_lowercase();
        let services: Vec<_> =
            named.map(|(record, transport)| (transport, name(record))).take(SERVICES).collect();
        // Section 4.2: where no service has servers, the host itself is reached by the transport that was selected.
        if let Some((transport, _)) = services.first() {
            let transport = transport.clone();
            return Stage::Srv(services, transport);
        }
        let mut services: Vec<(Transport, String)> = Vec::new();
        for socket in &self.sockets {
            let is_new = !services.iter().any(|(transport, _)| *transport == socket.transport);
            let fits = !self.is_secure || socket.transport == Transport::Tls;
            if is_new && fits {
                services
                    .extend(self.service(&socket.transport).map(|n| (socket.transport.clone(), n)));
            }
        }
        Stage::Srv(services, self.transport.clone())
    }

    /// Section 4.2: the servers of the services, or the host itself.
    fn after_srv(
        &self,
        services: &[(Transport, String)],
        transport_of_host: Transport,
        answers: &HashMap<Question, Answer>,
        random: &mut dyn FnMut(u32) -> u32,
    ) -> Stage {
        let mut servers = Vec::new();
        let mut is_offered = true;
        for (transport, name) in services {
            let Some(Answer::Srv(records)) = answers.get(&Question::Srv(name.clone())) else {
                continue;
            };
            if let [only] = records.as_slice()
                && only.target.trim_end_matches('.').is_empty()
            {
                is_offered = false;
                continue;
            }
            for record in srv::order(records, random) {
                if is_askable(&record.target) && record.port != 0 {
                    let host = record.target.trim_end_matches('.').to_ascii_lowercase();
                    servers.push(Server { transport: transport.clone(), host, port: record.port });
                }
            }
        }
        servers.truncate(SERVERS);
        match (servers.is_empty(), is_offered) {
            (false, _) => Stage::Addresses(servers),
            (true, true) => {
                let port = transport_of_host.default_port();
                self.addresses_of_host(transport_of_host, port)
            }
            (true, false) => Stage::Done(Vec::new()),
        }
    }

    fn after_addresses(&self, servers: &[Server], answers: &HashMap<Question, Answer>) -> Stage {
        let mut candidates: Vec<Candidate> = Vec::new();
        for server in servers {
            let found = answers.get(&Question::Addresses(server.host.clone()));
            let Some(Answer::Addresses(addresses)) = found else { continue };
            for ip in addresses.iter().take(ADDRESSES) {
                let candidate = Candidate {
                    transport: server.transport.clone(),
                    address: SocketAddr::new(*ip, server.port),
                };
                if self.reaches(&candidate) && !candidates.contains(&candidate) {
                    candidates.push(candidate);
                }
            }
        }
        candidates.truncate(CANDIDATES);
        Stage::Done(candidates)
    }

    fn only(&self, ip: IpAddr, port: u16) -> Stage {
        let (transport, address) = (self.transport.clone(), SocketAddr::new(ip, port));
        let candidate = Candidate { transport, address };
        Stage::Done(Some(candidate).filter(|one| self.reaches(one)).into_iter().collect())
    }

    fn addresses_of_host(&self, transport: Transport, port: u16) -> Stage {
        let host = self.host.clone();
        let is_possible = is_askable(&host) && self.has(&transport);
        if is_possible {
            Stage::Addresses(vec![Server { transport, host, port }])
        } else {
            Stage::Done(Vec::new())
        }
    }

    /// The name that has the SRV records of a transport.
    fn service(&self, transport: &Transport) -> Option<String> {
        let prefix = match transport {
            Transport::Udp => "_sip._udp",
            Transport::Tcp => "_sip._tcp",
            Transport::Tls => "_sips._tcp",
            _ => return None,
        };
        let name = format!("{prefix}.{}", self.host);
        (is_askable(&name) && self.has(transport)).then_some(name)
    }

    /// The transport of a NAPTR service that may be used here. A SIPS URI goes over TLS only (section 4.1).
    fn transport_of_service(&self, service: &str) -> Option<Transport> {
        let transport = match service.to_ascii_uppercase().as_str() {
            "SIP+D2U" => Transport::Udp,
            "SIP+D2T" => Transport::Tcp,
            "SIPS+D2T" => Transport::Tls,
            _ => return None,
        };
        let fits = !self.is_secure || transport == Transport::Tls;
        (fits && self.has(&transport)).then_some(transport)
    }

    fn has(&self, transport: &Transport) -> bool {
        self.sockets.iter().any(|socket| socket.transport == *transport)
    }

    fn reaches(&self, candidate: &Candidate) -> bool {
        let is_ipv4 = candidate.address.is_ipv4();
        self.sockets.iter().any(|s| s.transport == candidate.transport && s.is_ipv4 == is_ipv4)
    }
}

/// Whether a name can be asked for.
fn is_askable(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    !name.is_empty()
        && name.len() <= NAME
        && name.split('.').all(|label| !label.is_empty() && label.len() <= 63)
}

#[cfg(test)]
mod tests;
