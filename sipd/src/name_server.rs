//! A name server for tests.

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::SOA;
use hickory_resolver::proto::rr::{Name, RData, Record};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::UdpSocket;

/// A name from its text.
pub(crate) fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

/// Starts one that has a few records and says nothing at all about `silent.example`; what it is asked is counted.
pub(crate) async fn serve(records: Vec<Record>, asked: Arc<AtomicUsize>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut octets = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut octets).await {
            asked.fetch_add(1, Ordering::SeqCst);
            let Ok(mut message) = Message::from_vec(&octets[..length]) else { continue };
            let Some(query) = message.queries.first().cloned() else { continue };
            if name("silent.example.").zone_of(query.name()) {
                continue;
            }
            message.metadata.message_type = MessageType::Response;
            let matching = records.iter().filter(|record| {
                record.name == *query.name() && record.data.record_type() == query.query_type()
            });
            message.answers = matching.cloned().collect();
            if message.answers.is_empty() {
                message.metadata.response_code = ResponseCode::NXDomain;
                let soa = SOA::new(name("a."), name("b."), 1, 1, 1, 1, 60);
                message.authorities =
                    vec![Record::from_rdata(name("example."), 60, RData::SOA(soa))];
            }
            let _ = socket.send_to(&message.to_vec().expect("octets"), from).await;
        }
    });
    address
}
