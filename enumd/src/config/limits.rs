//! What the network may cost, and how threads answer it.

use crate::udp::Place;
use serde::Deserialize;

/// Limits on what the network may cost.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest answer over UDP, in octets, 512 to 4096.
    pub udp_octets: u16,
    /// Threads and sockets per UDP address, 0 to 256; 0 takes one for each core.
    pub udp_threads: usize,
    /// The processors that these threads stay on, in turns; empty where the system may move them.
    pub udp_processors: Vec<usize>,
    /// Size of the UDP sockets' receive buffer, in octets.
    pub receive_buffer: usize,
    /// TCP connections at one time.
    pub connections: usize,
    /// TCP connections of one address at one time.
    pub connections_per_address: usize,
    /// Seconds in which a TCP client must send its next whole query and take its answers; 1 to 3600.
    pub idle_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            udp_octets: 1_232,
            udp_threads: 0,
            udp_processors: Vec::new(),
            receive_buffer: 4 << 20,
            connections: 2_000,
            connections_per_address: 200,
            idle_seconds: 15,
        }
    }
}

impl Limits {
    /// How the thread for UDP with this number, counted over all addresses, is to run.
    pub(crate) fn udp_place(&self, number: usize) -> Place {
        let processor = self.udp_processors.iter().cycle().nth(number).copied();
        Place { number, processor, max_udp: self.udp_octets }
    }

    /// Finds what makes no sense, as [`super::Config::check`] does.
    pub(super) fn check(&self) -> Result<(), String> {
        if !(512..=4_096).contains(&self.udp_octets) {
            return Err("limits.udp_octets: must be 512 to 4096".to_owned());
        }
        if self.udp_threads > 256 {
            return Err("limits.udp_threads: must be at most 256".to_owned());
        }
        if self.connections == 0 {
            return Err("limits.connections: must be at least 1".to_owned());
        }
        if self.connections_per_address == 0 {
            return Err("limits.connections_per_address: must be at least 1".to_owned());
        }
        if !(1..=3_600).contains(&self.idle_seconds) {
            return Err("limits.idle_seconds: must be 1 to 3600".to_owned());
        }
        Ok(())
    }
}
