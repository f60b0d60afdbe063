//! Settings of the stack.

use crate::header::Transport;
use crate::proxy::{Destination, Interface, Secret, SessionRules};
use crate::transaction::TimerSettings;
use crate::uri::Uri;
use std::time::Duration;

/// Settings of a [`Stack`](super::Stack).
#[derive(Debug, Clone)]
pub struct Config {
    /// T1, T2, T4 and what derives from them.
    pub timers: TimerSettings,
    /// Timer C: how long a call may ring (RFC 3261 section 16.6 step 11: more than three minutes).
    pub timer_c: Duration,
    /// When an INVITE is answered 100 at the latest (section 17.2.1: 200 ms). It is also answered when it is
    /// forwarded.
    pub trying_after: Duration,
    /// How long the application may take for a request before it is answered 500.
    pub application_timeout: Duration,
    /// How long a next hop may be silent before the next one of the same target is tried too.
    pub next_hop_timeout: Duration,
    /// How long a look-up of next hops, or a decision about a redirection, may take.
    pub lookup_timeout: Duration,
    /// The largest request, in octets, that is sent over UDP where TCP can be tried (section 18.1.1: 1300).
    pub largest_datagram: usize,
    /// Our sockets.
    pub interfaces: Vec<Interface>,
    /// The URI by which the other nodes of a platform reach us, when it is not that of an interface.
    pub node_uri: Option<Uri>,
    /// The secret that signs what we write into messages for ourselves. It must outlive the process.
    pub secret: Secret,
    /// Bounds of what is kept.
    pub limits: StackLimits,
    /// Option tags that we understand in Proxy-Require.
    pub supported: Vec<String>,
    /// User parts of Request-URIs that are emergency calls; `urn:service:..` always is. They are served beyond
    /// the limit that sheds other new work.
    pub emergency_numbers: Vec<String>,
    /// Requests inside a dialog are relayed only when their Route was signed by us. Turned off, any Route that
    /// names us will do, which makes an open relay unless the network is closed.
    pub requires_signed_routes: bool,
    /// Send responses to the port that a request came from, although it did not ask for it (RFC 3581), when
    /// its Via holds a private address that is not the one it came from.
    pub follows_nat: bool,
    /// Fewest seconds in Retry-After of a 503.
    pub retry_after: u32,
    /// How many seconds more there are at most; each 503 has another number, so that those who are turned away do not
    /// come back together.
    pub retry_spread: u32,
    /// What is asked of sessions (RFC 4028).
    pub session: SessionRules,
    /// Offer connections over TLS that we make for requests the other way too (RFC 5923 section 5).
    pub offers_connections: bool,
    /// Max-Breadth of requests that come without (RFC 5393 section 5.3.3.1).
    pub max_breadth: u32,
}

/// Bounds of what is kept. What is beyond is refused with 503 and Retry-After, without keeping anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackLimits {
    /// Transactions, server and client ones together, beyond which no new work is accepted; beyond nine tenths of it,
    /// only calls are. Requests inside dialogs and emergency calls are accepted.
    pub transactions: usize,
    /// How many more there may be for those; the last quarter is for emergency calls alone.
    pub reserve: usize,
    /// ACKs that wait for a look-up of their next hop.
    pub pending_acks: usize,
    /// Branches that one request may open, over all steps, next hops and redirections.
    pub branches: usize,
}

impl Config {
    /// Whether a request offers the connection that it goes over: one that we made, over TLS, where both sides can prove who
    /// they are.
    pub(super) fn offers(&self, outward: &Interface, to: &Destination) -> bool {
        self.offers_connections && outward.transport == Transport::Tls && to.flow.is_none()
    }

    /// Usual settings.
    #[must_use]
    pub fn new(secret: Secret, interfaces: Vec<Interface>) -> Self {
        Self {
            timers: TimerSettings::default(),
            timer_c: Duration::from_secs(185),
            trying_after: Duration::from_millis(200),
            application_timeout: Duration::from_secs(30),
            next_hop_timeout: Duration::from_secs(4),
            lookup_timeout: Duration::from_secs(8),
            largest_datagram: 1300,
            interfaces,
            node_uri: None,
            secret,
            limits: StackLimits::default(),
            supported: Vec::new(),
            emergency_numbers: Vec::new(),
            requires_signed_routes: true,
            follows_nat: true,
            retry_after: 5,
            retry_spread: 25,
            session: SessionRules::default(),
            offers_connections: false,
            max_breadth: 60,
        }
    }
}

impl Default for StackLimits {
    fn default() -> Self {
        Self { transactions: 400_000, reserve: 100_000, pending_acks: 4096, branches: 64 }
    }
}
