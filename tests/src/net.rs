//! Ports for programs that cannot choose one themselves.

use std::collections::HashSet;
use std::net::{TcpListener, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

/// A loopback port that was free for UDP and TCP a moment ago, and that no other part of this test program was given.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    for _ in 0..100 {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = udp.local_addr().expect("a bound socket").port();
        if TcpListener::bind(("127.0.0.1", port)).is_err() {
            continue;
        }
        let mut given = GIVEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if given.get_or_insert_default().insert(port) {
            return port;
        }
    }
    panic!("no port is free for both UDP and TCP");
}

/// A loopback port that was free for UDP and TCP a moment ago, for a program that starts later than others that have to know
/// it: none that the system gives to whoever asks for any port, so that no connection takes it meanwhile.
#[must_use]
pub fn port_for_later() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at the same time begin at different ports.
    let begin = u16::try_from(std::process::id() % 10_000).unwrap_or(0);
    for _ in 0..1_000 {
        let port = 20_000 + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let free = UdpSocket::bind(("127.0.0.1", port)).is_ok();
        if free && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free for both UDP and TCP");
}
