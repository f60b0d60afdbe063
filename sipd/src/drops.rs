//! Datagrams that the system dropped because a socket's receive buffer was full, or because it was told to in a flood: Linux says
//! how many there were, in `/proc/net/udp`.

use prometheus_client::metrics::counter::Counter;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the system is asked.
const ASK: Duration = Duration::from_secs(10);
/// Its tables of sockets.
const TABLES: [&str; 2] = ["/proc/net/udp", "/proc/net/udp6"];

/// What is counted.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Datagrams that found a receive buffer full.
    pub no_room: Counter,
    /// All that were dropped between two looks when `drops_unread` was set in between.
    pub unread: Counter,
    /// Set while the system is told to drop some.
    pub drops_unread: Arc<AtomicBool>,
}

/// Counts until `shutdown`; where the system has no such tables, nothing is counted.
pub async fn run(sockets: Vec<SocketAddr>, counters: Counters, shutdown: CancellationToken) {
    let names: Vec<String> = sockets.iter().map(name).collect();
    let mut before = 0;
    loop {
        let mut dropped = 0;
        for table in TABLES {
            if let Ok(text) = tokio::fs::read_to_string(table).await {
                dropped += names.iter().map(|name| dropped_by(&text, name)).sum::<u64>();
            }
        }
        // The system counts both together.
        let is_told_to = counters.drops_unread.swap(false, Ordering::Relaxed);
        let counter = if is_told_to { &counters.unread } else { &counters.no_room };
        counter.inc_by(dropped.saturating_sub(before));
        before = dropped;
        tokio::select! {
            () = tokio::time::sleep(ASK) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// A socket's address as the tables spell it: words in the order of the machine's octets.
fn name(socket: &SocketAddr) -> String {
    let mut name = String::new();
    let octets = match socket.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (words, _) = octets.as_chunks::<4>();
    for word in words {
        // Writing to a text cannot fail.
        let _ = write!(name, "{:08X}", u32::from_ne_bytes(*word));
    }
    let _ = write!(name, ":{:04X}", socket.port());
    name
}

/// The last column of the line of a socket.
fn dropped_by(table: &str, name: &str) -> u64 {
    let of = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        (words.nth(1) == Some(name)).then(|| words.next_back()?.parse::<u64>().ok())?
    };
    table.lines().filter_map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_found_in_the_table() {
        let ours: SocketAddr = "127.0.0.1:5060".parse().expect("an address");
        let line = |address: &str, drops: u64| {
            format!(" 17: {address} 00000000:0000 07 0:0 00:0 0 0 0 99 2 0000 {drops}\n")
        };
        let table = format!(
            "  sl  local_address rem_address   st ref pointer drops\n{}{}{}",
            line(&name(&"127.0.0.1:5061".parse().expect("an address")), 1),
            line(&name(&ours), 42),
            line(&name(&"127.0.0.2:5060".parse().expect("an address")), 2),
        );
        assert_eq!(dropped_by(&table, &name(&ours)), 42);
        let other = "[::1]:5060".parse().expect("an address");
        assert_eq!(name(&other).len(), 37);
        assert_eq!(dropped_by(&table, &name(&other)), 0);
        assert_eq!(dropped_by("nonsense\n\n", &name(&ours)), 0);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_a_full_socket_drops_is_counted() {
        let full = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let address = full.local_addr().expect("its address");
        let sender = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        for _ in 0..2_000 {
            sender.send_to(&[0; 1_400], address).await.expect("sent");
        }
        for is_told_to in [false, true] {
            let (counters, shutdown) = (Counters::default(), CancellationToken::new());
            counters.drops_unread.store(is_told_to, Ordering::Relaxed);
            tokio::spawn(run(vec![address], counters.clone(), shutdown.clone()));
            let Counters { mut no_room, mut unread, drops_unread } = counters;
            for _ in 0..100 {
                if no_room.get() + unread.get() > 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            shutdown.cancel();
            if is_told_to {
                std::mem::swap(&mut no_room, &mut unread);
            }
            assert!(no_room.get() > 0, "nobody reads, so some must have been dropped");
            assert!(unread.get() == 0 && !drops_unread.load(Ordering::Relaxed));
        }
    }
}
