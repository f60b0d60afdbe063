//! A DNS client: one question over UDP, written and read by hickory-proto, which the server's answer path does not use.

use anyhow::{Context as _, ensure};
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use std::net::SocketAddr;
use std::str::FromStr as _;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Asks, and gives the answers in presentation form.
pub(super) async fn ask(
    server: SocketAddr,
    name: &str,
    kind: RecordType,
) -> anyhow::Result<Vec<String>> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
    let id = u16::from_be_bytes(id);
    let mut question = Message::new(id, MessageType::Query, OpCode::Query);
    question.add_query(Query::query(Name::from_str(&format!("{name}."))?, kind));
    let socket = UdpSocket::bind(if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).await?;
    socket.connect(server).await?;
    let mut buffer = vec![0; 4096];
    for _ in 0..3 {
        socket.send(&question.to_vec()?).await?;
        let received = tokio::time::timeout(Duration::from_secs(1), socket.recv(&mut buffer)).await;
        let Ok(length) = received else { continue };
        let answer = Message::from_vec(buffer.get(..length?).unwrap_or_default())?;
        ensure!(answer.id == id, "the answer is to another question");
        return Ok(answer.answers.iter().map(|record| record.data.to_string()).collect());
    }
    None.context("the DNS server does not answer")
}
