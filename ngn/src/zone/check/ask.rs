//! Questions to name servers. A server that does not answer is said to be silent, and waited for no longer than [`LIMIT`].

use anyhow::{Context as _, anyhow, ensure};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, Record, RecordType};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// How long one question may take, over UDP and then TCP.
const LIMIT: Duration = Duration::from_secs(6);
/// How long an answer over UDP is waited for before the question is sent again.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How many addresses of one name are asked.
const MOST_ADDRESSES: usize = 8;

/// Who is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Servers {
    /// Who finds names for us.
    pub(super) resolver: SocketAddr,
    /// The port of name servers.
    pub(super) port: u16,
}

/// The resolver that this machine uses.
pub(super) fn system_resolver() -> anyhow::Result<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let address = text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse::<IpAddr>().ok()).flatten()
    });
    let address =
        address.context("/etc/resolv.conf names no resolver; name one with --resolver")?;
    Ok(SocketAddr::new(address, 53))
}

/// Asks one server; over TCP when the answer is cut short.
pub(super) async fn ask(
    server: SocketAddr,
    name: &str,
    kind: RecordType,
    recursive: bool,
) -> anyhow::Result<Message> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|_| anyhow!("the system has no randomness"))?;
    let mut question = Message::new(u16::from_be_bytes(id), MessageType::Query, OpCode::Query);
    question.metadata.recursion_desired = recursive;
    let owner = Name::from_str(&format!("{}.", name.trim_end_matches('.')))?;
    question.add_query(Query::query(owner, kind));
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    question.set_edns(edns);
    let octets = question.to_vec()?;
    let asking = async {
        let answer = over_udp(server, &octets).await?;
        let answer = Message::from_vec(&answer).context("the answer is no DNS message")?;
        if !answer.metadata.truncation {
            return Ok(answer);
        }
        let answer = over_tcp(server, &octets).await?;
        Message::from_vec(&answer).context("the answer is no DNS message")
    };
    let answer: anyhow::Result<Message> =
        tokio::time::timeout(LIMIT, asking).await.unwrap_or_else(|_| Err(silent(server)));
    let answer = answer?;
    ensure!(
        answer.metadata.id == question.metadata.id && answer.queries == question.queries,
        "{server} answers another question"
    );
    Ok(answer)
}

fn silent(server: SocketAddr) -> anyhow::Error {
    anyhow!("{server} does not answer")
}

async fn over_udp(server: SocketAddr, question: &[u8]) -> anyhow::Result<Vec<u8>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    let failed = |error: std::io::Error| anyhow!("{server} cannot be asked: {error}");
    socket.connect(server).await.map_err(failed)?;
    let mut buffer = vec![0; 4096];
    for _ in 0..2 {
        socket.send(question).await.map_err(failed)?;
        let wait = tokio::time::timeout(PATIENCE, socket.recv(&mut buffer)).await;
        let Ok(received) = wait else { continue };
        let length = received.map_err(failed)?;
        return Ok(buffer.get(..length).unwrap_or_default().to_vec());
    }
    Err(silent(server))
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len())?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(question).await?;
    let mut answer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

impl Servers {
    /// The data of the records of a name and type, as the resolver finds them, sorted.
    pub(super) async fn find(&self, name: &str, kind: RecordType) -> anyhow::Result<Vec<String>> {
        let answer = ask(self.resolver, name, kind, true).await?;
        Ok(data(&answer.answers, None, kind))
    }

    /// The addresses of a name server, with their port.
    pub(super) async fn addresses(&self, name: &str) -> anyhow::Result<Vec<SocketAddr>> {
        let mut found = Vec::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            found.extend(self.find(name, kind).await?);
        }
        let addresses = found.iter().filter_map(|text| text.parse::<IpAddr>().ok());
        Ok(addresses.take(MOST_ADDRESSES).map(|ip| SocketAddr::new(ip, self.port)).collect())
    }

    /// The zone above a zone, and the names of its servers.
    pub(super) async fn parent(&self, zone: &str) -> anyhow::Result<(String, Vec<String>)> {
        let mut name = zone;
        while let Some((_, above)) = name.split_once('.') {
            let servers = self.find(above, RecordType::NS).await?;
            if !servers.is_empty() {
                return Ok((above.to_owned(), servers));
            }
            name = above;
        }
        let servers = self.find(".", RecordType::NS).await?;
        ensure!(!servers.is_empty(), "the resolver {} knows no zone above {zone}", self.resolver);
        Ok((".".to_owned(), servers))
    }
}

/// The data of records of a type, sorted, lower case, each once; of one owner when it is named.
pub(super) fn data(records: &[Record], owner: Option<&str>, kind: RecordType) -> Vec<String> {
    let of = |record: &&Record| {
        let name = record.name.to_string().to_ascii_lowercase();
        let wanted = owner.is_none_or(|owner| name.trim_end_matches('.') == owner);
        wanted && record.record_type() == kind
    };
    let found: BTreeSet<String> = records
        .iter()
        .filter(of)
        .map(|record| record.data.to_string().to_ascii_lowercase().trim_end_matches('.').to_owned())
        .collect();
    found.into_iter().collect()
}
