//! Ports for programs that cannot choose one themselves.

use std::net::{TcpListener, UdpSocket};

/// A loopback port that was free for UDP and TCP a moment ago.
#[must_use]
pub fn free_port() -> u16 {
    for _ in 0..100 {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = udp.local_addr().expect("a bound socket").port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free for both UDP and TCP");
}
