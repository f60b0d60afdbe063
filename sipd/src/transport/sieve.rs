//! Dropping most of a flood before it is read.
//!
//! To read a datagram and to drop it takes the system and us most of a microsecond, and what the processor has in its caches. In a
//! flood of ten times what can be served that is a quarter of all time. So while much more comes than is taken, the system is
//! told to drop a share of what would be turned away anyway, before it waits in the socket's buffer ([`program`]).
//! The rest is enough to choose from: whatever comes again after a while, as all requests do (RFC 3261 section 17.1), gets through
//! sooner or later, as before.

mod program;

use super::lanes::EmergencyNumbers;
use arc_swap::ArcSwap;
use program::{Below, Dropped, program};
use std::collections::BTreeSet;
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// In which time it is counted what comes and what is taken.
pub(super) const WINDOW: Duration = Duration::from_millis(250);
/// The smallest share that is let through is one of two to the power of so much.
const SMALLEST: u32 = 6;
/// How many times as much is let through as is taken.
const CHOICE: u64 = 2;
/// What is taken in a window, at least, as far as shares go by it: nothing may be taken for a moment.
const TAKEN: u64 = 50;

/// What came of new requests of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// What was read.
    pub(super) came: u64,
    /// What the engine was given.
    pub(super) taken: u64,
    /// What was dropped without a word.
    pub(super) dropped: u64,
}

/// What came of new requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tallies {
    pub(super) calls: Tally,
    pub(super) others: Tally,
}

/// Which share is let through: one of two to the power of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Share(u32);

impl Share {
    /// The share for what comes next, after what came while this one was let through.
    fn next(self, tally: &Tally) -> Self {
        // It was all taken or answered: the flood is over.
        if tally.dropped == 0 {
            return Self(0);
        }
        let (all, taken) = (tally.came << self.0, tally.taken.max(TAKEN));
        let halves = (all / (taken * CHOICE)).max(1).ilog2().min(SMALLEST);
        // What is between two shares does not go to and fro.
        if halves + 1 == self.0 { self } else { Self(halves) }
    }

    /// What is let through; `None` for all.
    fn below(self) -> Option<Below> {
        (self.0 > 0).then(|| Below(1 << (32 - self.0)))
    }
}

/// What a socket drops.
pub(super) struct Sieve {
    since: Instant,
    counted: Tallies,
    calls: Share,
    others: Share,
    /// What it was made with.
    emergency: Arc<BTreeSet<String>>,
    is_attached: bool,
    /// Neither the settings nor the system refuse it.
    may_drop: bool,
    /// Set while something is dropped so.
    drops: Arc<AtomicBool>,
}

impl Sieve {
    /// Nothing is dropped.
    pub(super) fn new(now: Instant, may_drop: bool, drops: Arc<AtomicBool>) -> Self {
        Self {
            since: now,
            counted: Tallies::default(),
            calls: Share::default(),
            others: Share::default(),
            emergency: Arc::default(),
            is_attached: false,
            may_drop,
            drops,
        }
    }

    /// Whether anything is dropped.
    pub(super) const fn is_attached(&self) -> bool {
        self.is_attached
    }

    /// Where it is counted what comes.
    pub(super) const fn tallies(&mut self) -> &mut Tallies {
        &mut self.counted
    }

    /// Drops more or less when it is time to.
    pub(super) fn adjust(&mut self, socket: &UdpSocket, numbers: &EmergencyNumbers, now: Instant) {
        let numbers = ArcSwap::load(numbers);
        let is_over = now.saturating_duration_since(self.since) >= WINDOW;
        let has_other_numbers = self.is_attached && !Arc::ptr_eq(&numbers, &self.emergency);
        if !self.may_drop || !(is_over || has_other_numbers) {
            return;
        }
        let (mut calls, mut others) = (self.calls, self.others);
        if is_over {
            let counted = std::mem::take(&mut self.counted);
            (calls, others) = (calls.next(&counted.calls), others.next(&counted.others));
            self.since = now;
            self.drops.fetch_or(self.is_attached, Ordering::Relaxed);
        }
        if (calls, others) == (self.calls, self.others) && !has_other_numbers {
            return;
        }
        (self.calls, self.others) = (calls, others);
        self.emergency = Arc::clone(&numbers);
        let (calls, others) = (calls.below(), others.below());
        let program = program(&Dropped { calls, others, emergency: &self.emergency });
        tracing::debug!(calls = ?self.calls, others = ?self.others, "what is dropped before it is read");
        if let Err(error) = self.attach(socket, program.as_deref()) {
            tracing::info!(
                %error,
                "the system does not drop what is turned away before it is read (overload.drop_unread): net.core.optmem_max may be below 131072"
            );
            (self.may_drop, self.calls, self.others) = (false, Share::default(), Share::default());
        }
    }

    fn attach(
        &mut self,
        socket: &UdpSocket,
        program: Option<&[program::Instruction]>,
    ) -> io::Result<()> {
        // The system grants memory for one program, not for two.
        if self.is_attached {
            set(socket, None)?;
            self.is_attached = false;
        }
        if program.is_some() {
            set(socket, program)?;
            self.is_attached = true;
        }
        self.drops.fetch_or(self.is_attached, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn set(socket: &UdpSocket, program: Option<&[program::Instruction]>) -> io::Result<()> {
    let socket = socket2::SockRef::from(socket);
    let Some(program) = program else { return socket.detach_filter() };
    let instruction =
        |one: &program::Instruction| socket2::SockFilter::new(one.code, one.yes, one.no, one.value);
    socket.attach_filter(&program.iter().map(instruction).collect::<Vec<_>>())
}

#[cfg(not(target_os = "linux"))]
fn set(_: &UdpSocket, _: Option<&[program::Instruction]>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        let flood = |share: u32, came: u64, taken: u64, dropped: u64| {
            Share(share).next(&Tally { came, taken, dropped }).0
        };
        // As much as is taken twice is left to choose from.
        assert_eq!(flood(0, 100, 100, 0), 0);
        assert_eq!(flood(0, 3_000, 1_000, 2_000), 0);
        assert_eq!(flood(0, 4_000, 1_000, 3_000), 1);
        assert_eq!(flood(0, 20_000, 1_000, 19_000), 3);
        assert_eq!(flood(3, 2_500, 1_000, 1_500), 3);
        // More comes, less comes.
        assert_eq!(flood(3, 5_000, 1_000, 4_000), 4);
        assert_eq!(flood(3, 1_800, 1_000, 800), 3, "a little less changes nothing");
        assert_eq!(flood(3, 900, 800, 100), 3);
        assert_eq!(flood(3, 900, 1_000, 100), 1);
        assert_eq!(flood(3, 800, 800, 0), 0, "it is over");
        assert_eq!(flood(1, 1_500, 1_000, 1), 1);
        assert_eq!(flood(1, 900, 1_000, 1), 1);
        // Nothing is taken for a moment, or very much comes.
        assert_eq!(flood(0, 1_000, 0, 1_000), 3);
        assert_eq!(flood(0, 10, 0, 10), 0);
        assert_eq!(flood(6, 1_000_000, 1, 1_000_000), 6);
    }

    #[cfg(target_os = "linux")]
    mod sockets {
        use super::*;
        use std::net::UdpSocket;

        struct World {
            server: UdpSocket,
            phone: UdpSocket,
            sieve: Sieve,
            numbers: EmergencyNumbers,
            now: Instant,
        }

        fn world(any: &str, may_drop: bool) -> World {
            let server = UdpSocket::bind(any).expect("a socket");
            server.set_nonblocking(true).expect("it is");
            let phone = UdpSocket::bind(any).expect("a socket");
            phone.connect(server.local_addr().expect("it")).expect("connected");
            let now = Instant::now();
            let sieve = Sieve::new(now, may_drop, Arc::default());
            let numbers = EmergencyNumbers::default();
            numbers.store(Arc::new(BTreeSet::from(["112".to_owned()])));
            World { server, phone, sieve, numbers, now }
        }

        impl World {
            /// A window ends in which so many calls came and were taken.
            fn window(&mut self, came: u64, taken: u64) {
                self.sieve.tallies().calls = Tally { came, taken, dropped: came - taken };
                self.now += WINDOW;
                self.sieve.adjust(&self.server, &self.numbers, self.now);
            }

            /// How many of a hundred such requests arrive.
            fn arrive(&self, user: &str, tag: &str) -> usize {
                let text = format!(
                    "INVITE sip:{user}@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n\
                     To: <sip:{user}@example.com>{tag}\r\nFrom: <sip:a@example.com>;tag=f\r\nCall-ID: c1@127.0.0.1\r\n\
                     CSeq: 2 INVITE\r\nContact: <sip:a@127.0.0.1>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
                );
                let mut buffer = [0; 2_000];
                let arrives = || {
                    self.phone.send(text.as_bytes()).expect("sent");
                    self.server.recv(&mut buffer).is_ok()
                };
                std::iter::repeat_with(arrives).take(100).filter(|arrived| *arrived).count()
            }
        }

        #[test]
        fn a_flood_is_dropped_before_it_is_read() {
            for any in ["127.0.0.1:0", "[::1]:0"] {
                a_flood_comes_to(&mut world(any, true));
            }
        }

        fn a_flood_comes_to(world: &mut World) {
            assert_eq!(world.arrive("bob", ""), 100);
            world.window(1_000_000, 1_000);
            assert!(world.sieve.is_attached() && world.sieve.drops.load(Ordering::Relaxed));
            assert!(world.arrive("bob", "") < 50, "one of 64");
            assert_eq!((world.arrive("bob", ";tag=x"), world.arrive("112", "")), (100, 100));
            // Another emergency number counts at once.
            assert!(world.arrive("911", "") < 50);
            world.numbers.store(Arc::new(BTreeSet::from(["911".to_owned()])));
            world.sieve.adjust(&world.server, &world.numbers, world.now);
            assert_eq!(world.arrive("911", ""), 100);
            assert!(world.arrive("112", "") < 50);
            // It is over.
            world.window(20, 20);
            assert!(!world.sieve.is_attached());
            assert_eq!(world.arrive("bob", ""), 100);
        }

        #[test]
        fn nothing_is_dropped_where_it_is_not_wanted() {
            let mut world = world("127.0.0.1:0", false);
            world.window(1_000_000, 1_000);
            assert!(!world.sieve.is_attached());
            assert_eq!(world.arrive("bob", ""), 100);
        }
    }
}
