//! A DNS client: questions written and answers read by hickory-proto, which the product's answer path does not use,
//! raw bytes for what no library would send, and `dig`.

use std::io::{Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::str::FromStr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, Record, RecordType};

use crate::{http, program};

/// How long a test waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A question that a test asks.
#[must_use]
pub fn question(name: &str, kind: RecordType) -> Message {
    static ID: AtomicU16 = AtomicU16::new(1);
    let id = ID.fetch_add(1, Ordering::Relaxed);
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    let name = Name::from_str(&format!("{}.", name.trim_end_matches('.'))).expect("a name");
    message.add_query(Query::query(name, kind));
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    message.set_edns(edns);
    message
}

/// Sends bytes over UDP and gives the bytes that come back, if any come.
pub fn exchange_udp(server: SocketAddr, query: &[u8], patience: Duration) -> Result<Vec<u8>> {
    let socket = UdpSocket::bind(if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" })?;
    socket.set_read_timeout(Some(patience))?;
    socket.send_to(query, server)?;
    let mut buffer = vec![0; 65535];
    let (length, from) = socket.recv_from(&mut buffer)?;
    ensure!(from == server, "the answer came from {from}");
    buffer.truncate(length);
    Ok(buffer)
}

/// Sends one query over TCP and gives the answer's bytes.
pub fn exchange_tcp(server: SocketAddr, query: &[u8]) -> Result<Vec<u8>> {
    let mut stream = http::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&u16::try_from(query.len())?.to_be_bytes())?;
    stream.write_all(query)?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// Asks over UDP, and over TCP when the answer is truncated.
pub fn ask(server: SocketAddr, name: &str, kind: RecordType) -> Result<Message> {
    let query = question(name, kind);
    let answer = Message::from_vec(&exchange_udp(server, &query.to_vec()?, PATIENCE)?)?;
    let answer = if answer.metadata.truncation {
        Message::from_vec(&exchange_tcp(server, &query.to_vec()?)?)?
    } else {
        answer
    };
    ensure!(answer.metadata.id == query.metadata.id, "the answer has another id");
    ensure!(answer.metadata.message_type == MessageType::Response, "the answer is no response");
    ensure!(answer.queries == query.queries, "the answer repeats another question");
    Ok(answer)
}

/// Records in presentation form, sorted: `owner TTL type data`.
#[must_use]
pub fn lines<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<String> {
    let mut lines: Vec<String> = records
        .into_iter()
        .map(|r| format!("{} {} {} {}", r.name, r.ttl, r.record_type(), r.data))
        .collect();
    lines.sort();
    lines
}

/// The answer section of a name that must exist with an authoritative answer.
#[must_use]
#[track_caller]
pub fn answers(server: SocketAddr, name: &str, kind: RecordType) -> Vec<String> {
    let message = ask(server, name, kind).expect("an answer");
    assert_eq!(message.metadata.response_code, ResponseCode::NoError, "{name} {kind}");
    assert!(message.metadata.authoritative, "{name} {kind}: the answer is not authoritative");
    lines(&message.answers)
}

/// The response code of a question.
#[must_use]
#[track_caller]
pub fn code(server: SocketAddr, name: &str, kind: RecordType) -> ResponseCode {
    ask(server, name, kind).expect("an answer").metadata.response_code
}

/// Runs `dig` with the given words and gives its output.
pub fn dig(server: SocketAddr, words: &[&str]) -> Result<String> {
    let mut command = Command::new("dig");
    command.arg(format!("@{}", server.ip())).args(["-p", &server.port().to_string()]);
    command.args(["+tries=1", "+time=5"]).args(words);
    program::run(&mut command).context("dig")
}
