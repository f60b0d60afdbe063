//! Tells secondaries what changed (RFC 1996): those that are configured, and the name servers of each zone when asked to.
//!
//! A target hears of a zone at most once a second, however often it changes, and again until it answers or until it was
//! told in vain for a minute; then the zone's refresh time is left, as if there was no NOTIFY.

mod queue;
mod targets;

use crate::config;
use crate::served::Served;
use crate::snapshot::now;
use ngn_dns::name::Name;
use ngn_dns::notify;
use ngn_dns::tsig::{Key, Signer};
use queue::{About, Queue};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use targets::Servers;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// How many messages are sent before others have their turn.
const BATCH: usize = 50;
/// How long others have their turn.
const PAUSE: Duration = Duration::from_millis(20);
/// How long to wait when there is nothing to do.
const IDLE: Duration = Duration::from_secs(3_600);
/// How many zones have their servers looked up at one time.
const LOOK_UPS: usize = 16;

/// What tells them.
#[derive(Debug)]
pub(crate) struct Notifier {
    served: Served,
    secondaries: Vec<SocketAddr>,
    /// With which keys what they are told is signed.
    keys: BTreeMap<SocketAddr, Arc<Key>>,
    servers: Option<Arc<Servers>>,
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
}

impl Notifier {
    /// `None` when nobody is to be told. `own` are the addresses of this server: from there it tells, and it does not tell
    /// itself.
    ///
    /// # Errors
    ///
    /// When no socket can be opened.
    pub(crate) async fn new(
        settings: &config::Notify,
        served: &Served,
        own: &[SocketAddr],
    ) -> io::Result<Option<Self>> {
        let secondaries: Vec<SocketAddr> =
            settings.secondaries.iter().map(|secondary| secondary.address).collect();
        if secondaries.is_empty() && !settings.name_servers {
            return Ok(None);
        }
        let key_of = |secondary: &config::Secondary| {
            let name = Name::parse(secondary.key.as_deref()?).ok()?;
            Some((secondary.address, Arc::clone(served.keys.get(&name)?)))
        };
        let keys = settings.secondaries.iter().filter_map(key_of).collect();
        let servers = settings.name_servers.then(|| Arc::new(Servers::new(own)));
        let wants = |v4: bool| servers.is_some() || secondaries.iter().any(|a| a.is_ipv4() == v4);
        let from = |v4: bool, any: IpAddr| {
            let ours = own.iter().map(SocketAddr::ip).find(|ip| ip.is_ipv4() == v4);
            SocketAddr::new(ours.unwrap_or(any), 0)
        };
        let v4 = match wants(true) {
            true => Some(UdpSocket::bind(from(true, Ipv4Addr::UNSPECIFIED.into())).await?),
            false => None,
        };
        // A machine without IPv6 tells by IPv4 alone.
        let v6 = match wants(false) {
            true => UdpSocket::bind(from(false, Ipv6Addr::UNSPECIFIED.into())).await.ok(),
            false => None,
        };
        Ok(Some(Self { served: served.clone(), secondaries, keys, servers, v4, v6 }))
    }

    /// Tells for ever; to be dropped at the end.
    pub(crate) async fn run(self) {
        let mut queue = Queue::default();
        let mut waiting: BTreeSet<Name> = BTreeSet::new();
        let mut look_ups: JoinSet<Vec<About>> = JoinSet::new();
        let (mut buffer4, mut buffer6) = ([0; 512], [0; 512]);
        loop {
            while look_ups.len() < LOOK_UPS
                && let Some(servers) = &self.servers
                && let Some(apex) = waiting.pop_first()
            {
                let (servers, zones) = (Arc::clone(servers), self.served.zones());
                look_ups.spawn(async move {
                    let found = servers.of(&zones, &apex).await;
                    found.into_iter().map(|target| (apex.clone(), target)).collect()
                });
            }
            let due = queue.next_due().unwrap_or_else(|| Instant::now() + IDLE);
            tokio::select! {
                apexes = self.served.changed.next() => {
                    let now = Instant::now();
                    for apex in apexes {
                        for target in &self.secondaries {
                            queue.add((apex.clone(), *target), now);
                        }
                        if self.servers.is_some() {
                            waiting.insert(apex);
                        }
                    }
                }
                Some(found) = look_ups.join_next() => {
                    for about in found.unwrap_or_default() {
                        queue.add(about, Instant::now());
                    }
                }
                (octets, from) = receive(self.v4.as_ref(), &mut buffer4) => {
                    self.acknowledge(&mut queue, octets, from);
                }
                (octets, from) = receive(self.v6.as_ref(), &mut buffer6) => {
                    self.acknowledge(&mut queue, octets, from);
                }
                () = tokio::time::sleep_until(due.into()) => self.tell(&mut queue).await,
            }
        }
    }

    fn acknowledge(&self, queue: &mut Queue, octets: &[u8], from: SocketAddr) {
        if let Some(id) = notify::acknowledged(octets)
            && queue.acknowledge(from, id, Instant::now())
        {
            self.served.metrics.count_notify_acknowledged();
        }
    }

    async fn tell(&self, queue: &mut Queue) {
        let zones = self.served.zones();
        let mut out = Vec::new();
        for _ in 0..BATCH {
            let mut id = [0; 2];
            if getrandom::fill(&mut id).is_err() {
                break;
            }
            let id = u16::from_ne_bytes(id);
            let Some(((apex, target), gives_up)) = queue.take(Instant::now(), id) else { return };
            if gives_up {
                tracing::warn!(dns.zone = %apex, %target, "a secondary does not answer NOTIFY");
                continue;
            }
            // A zone that is gone or cannot be served has nothing to tell.
            let known = zones.get(apex.as_wire()).filter(|zone| zone.soa().is_some());
            let Some(zone) = known else {
                queue.forget(&(apex, target));
                continue;
            };
            notify::write(id, zone, &mut out);
            if let Some(key) = self.keys.get(&target) {
                Signer::request(key).sign(now(), &mut out);
            }
            let socket = if target.is_ipv4() { &self.v4 } else { &self.v6 };
            if let Some(socket) = socket {
                // What is lost is sent again.
                let _ = socket.send_to(&out, target).await;
                self.served.metrics.count_notify();
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The next datagram; never when there is no socket.
async fn receive<'b>(socket: Option<&UdpSocket>, buffer: &'b mut [u8]) -> (&'b [u8], SocketAddr) {
    let Some(socket) = socket else { return std::future::pending().await };
    loop {
        match socket.recv_from(buffer).await {
            Ok((length, from)) => return (buffer.get(..length).unwrap_or_default(), from),
            // Nobody listens at a target, mostly.
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}
