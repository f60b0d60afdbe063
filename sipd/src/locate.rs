//! Asks the DNS where requests go (RFC 3263), off the engine's loop.
//!
//! Answers are kept as long as their TTL allows, also that there is none. A question that nobody answered is not asked
//! again for a moment, so that calls to a domain whose servers are away do not pile up.

use crate::config::Dns;
use crate::enum_lookup::Trees;
use anyhow::Context as _;
use futures::future::join_all;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use ngn_sip::header::Transport;
use ngn_sip::locate::{Answer, Candidate, Locate, Naptr, Question, Socket, Srv};
use ngn_sip::uri::Uri;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a question is not asked again to which nobody answered.
const SILENCE: Duration = Duration::from_secs(5);
/// How many such questions are remembered.
const SILENT: usize = 4096;

/// Finds servers; cheap to copy.
#[derive(Clone)]
pub struct Locator {
    resolver: TokioResolver,
    /// Until when a question is not asked again.
    silent: Arc<Mutex<HashMap<Question, Instant>>>,
    /// ENUM trees in which nobody answers.
    pub(crate) trees: Arc<Trees>,
}

impl std::fmt::Debug for Locator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Locator").finish_non_exhaustive()
    }
}

/// Why there is no answer that may be relied on.
#[derive(Debug)]
pub(crate) struct NoAnswer;

impl Locator {
    /// A locator with its own cache. A system without resolver settings still knows its hosts file.
    ///
    /// # Errors
    ///
    /// When the name servers cannot be used.
    pub fn new(config: &Dns) -> anyhow::Result<Self> {
        let mut builder = if config.servers.is_empty() {
            system_builder()
        } else {
            let servers = config.servers.iter().map(|address| {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut server.connections {
                    connection.port = address.port();
                }
                server
            });
            with_servers(servers.collect())
        };
        let options = builder.options_mut();
        options.timeout = Duration::from_millis(config.timeout_milliseconds);
        options.attempts = config.attempts;
        options.cache_size = config.cached_answers;
        let longest = Duration::from_secs(config.longest_ttl);
        options.positive_max_ttl = Some(longest);
        options.negative_max_ttl = Some(longest.min(Duration::from_secs(config.negative_ttl)));
        options.edns0 = true;
        let resolver = builder.build().context("the name servers of [dns] cannot be used")?;
        Ok(Self { resolver, silent: Arc::default(), trees: Arc::default() })
    }

    /// Where a request to a URI is sent, in order of preference; nothing when it cannot be found.
    pub async fn locate(&self, uri: &Uri, sockets: Vec<Socket>) -> Vec<Candidate> {
        let families: Vec<bool> = families(&sockets);
        let mut locate = Locate::new(uri, sockets);
        // Three rounds at most, by the machine's own account.
        for _ in 0..4 {
            if let Some(candidates) = locate.candidates() {
                return candidates.to_vec();
            }
            let questions = locate.questions();
            let asked = questions.iter().map(|question| self.ask(question, &families));
            let answers = join_all(asked).await;
            let known = questions.into_iter().zip(answers);
            let known = known.filter_map(|(question, answer)| Some((question, answer?)));
            locate.answer(&known.collect(), &mut random_to);
        }
        Vec::new()
    }

    async fn ask(&self, question: &Question, families: &[bool]) -> Option<Answer> {
        if self.is_silent(question) {
            return None;
        }
        let answer = match question {
            Question::Naptr(name) => self.naptr(name).await,
            Question::Srv(name) => self.srv(name).await,
            Question::Addresses(name) => self.addresses(name, families).await,
        };
        if answer.is_err() {
            self.note_silence(question);
        }
        answer.ok()
    }

    async fn naptr(&self, name: &str) -> Result<Answer, NoAnswer> {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let records = self.records(name, RecordType::NAPTR).await?.into_iter();
        Ok(Answer::Naptr(
            records
                .filter_map(|data| match data {
                    RData::NAPTR(record) => Some(Naptr {
                        order: record.order,
                        preference: record.preference,
                        flags: text(&record.flags),
                        service: text(&record.services),
                        replacement: record.replacement.to_ascii(),
                    }),
                    _ => None,
                })
                .collect(),
        ))
    }

    async fn srv(&self, name: &str) -> Result<Answer, NoAnswer> {
        let records = self.records(name, RecordType::SRV).await?.into_iter();
        Ok(Answer::Srv(
            records
                .filter_map(|data| match data {
                    RData::SRV(record) => Some(Srv {
                        priority: record.priority,
                        weight: record.weight,
                        port: record.port,
                        target: record.target.to_ascii(),
                    }),
                    _ => None,
                })
                .collect(),
        ))
    }

    async fn addresses(&self, name: &str, families: &[bool]) -> Result<Answer, NoAnswer> {
        let asked = families.iter().map(|is_ipv4| {
            self.records(name, if *is_ipv4 { RecordType::A } else { RecordType::AAAA })
        });
        let answers = join_all(asked).await;
        if answers.iter().all(Result::is_err) {
            return Err(NoAnswer);
        }
        let addresses = answers.into_iter().flatten().flatten().filter_map(|data| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        });
        Ok(Answer::Addresses(addresses.collect()))
    }

    /// The records of a name; none when it has none.
    pub(crate) async fn records(
        &self,
        name: &str,
        kind: RecordType,
    ) -> Result<Vec<RData>, NoAnswer> {
        let Ok(mut name) = Name::from_ascii(name) else { return Ok(Vec::new()) };
        name.set_fqdn(true);
        match self.resolver.lookup(name.clone(), kind).await {
            Ok(found) => Ok(found.answers().iter().map(|record| record.data.clone()).collect()),
            Err(error) if is_negative(&error) => Ok(Vec::new()),
            Err(error) => {
                tracing::debug!(%error, dns.name = %name, dns.kind = %kind, "no answer");
                Err(NoAnswer)
            }
        }
    }

    pub(crate) fn is_silent(&self, question: &Question) -> bool {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.get(question).is_some_and(|until| *until > Instant::now())
    }

    pub(crate) fn note_silence(&self, question: &Question) {
        let now = Instant::now();
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silent.len() >= SILENT {
            silent.retain(|_, until| *until > now);
        }
        if silent.len() < SILENT {
            silent.insert(question.clone(), now + SILENCE);
        }
    }
}

fn is_negative(error: &NetError) -> bool {
    error.is_no_records_found() || error.is_nx_domain()
}

fn system_builder() -> ResolverBuilder<TokioRuntimeProvider> {
    TokioResolver::builder_tokio().unwrap_or_else(|error| {
        tracing::warn!(%error, "the system names no DNS servers; [dns] servers may do so");
        with_servers(Vec::new())
    })
}

fn with_servers(servers: Vec<NameServerConfig>) -> ResolverBuilder<TokioRuntimeProvider> {
    let config = ResolverConfig::from_name_servers(servers);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
}

/// The families in the order of the sockets, each once: whether it is IPv4.
fn families(sockets: &[Socket]) -> Vec<bool> {
    let mut families = Vec::new();
    for socket in sockets {
        if !families.contains(&socket.is_ipv4) {
            families.push(socket.is_ipv4);
        }
    }
    families
}

/// A number from 0 to the given one.
fn random_to(most: u32) -> u32 {
    let mut octets = [0; 4];
    if getrandom::fill(&mut octets).is_err() {
        return 0;
    }
    let scaled = u64::from(u32::from_ne_bytes(octets)) * (u64::from(most) + 1);
    u32::try_from(scaled >> 32).unwrap_or(0)
}

/// The sockets by which servers can be reached, of all that there are: browsers cannot be connected to.
pub fn sockets(all: impl Iterator<Item = (Transport, std::net::SocketAddr)>) -> Vec<Socket> {
    let mut sockets: Vec<Socket> = Vec::new();
    for (transport, address) in all {
        let reaches = matches!(transport, Transport::Udp | Transport::Tcp | Transport::Tls);
        let socket = Socket { transport, is_ipv4: address.is_ipv4() };
        if reaches && !sockets.contains(&socket) {
            sockets.push(socket);
        }
    }
    sockets
}

#[cfg(test)]
mod tests;
