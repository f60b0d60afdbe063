//! DNS cookies (RFC 7873) as all makes of servers compute them (RFC 9018): who shows one has the address that it says.

pub(crate) mod siphash;

use siphash::siphash24;
use std::net::IpAddr;

/// EDNS option COOKIE.
pub(crate) const OPTION: u16 = 10;
/// Octets of a client's cookie.
const CLIENT: usize = 8;
/// Octets of ours.
const SERVER: usize = 16;
/// Octets of both.
pub(crate) const WHOLE: usize = CLIENT + SERVER;
/// How old a cookie may be, in seconds (RFC 9018 section 4.3).
const OLDEST: u32 = 3_600;
/// How far in the future it may lie, in seconds.
const AHEAD: u32 = 300;

/// What a query shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'q> {
    client: [u8; CLIENT],
    server: &'q [u8],
}

impl<'q> Shown<'q> {
    /// Reads the option's data; `None` when it has an impossible length (RFC 7873 section 5.2.2).
    #[must_use]
    pub fn read(data: &'q [u8]) -> Option<Self> {
        let (client, server) = data.split_first_chunk()?;
        matches!(server.len(), 0 | 8..=32).then_some(Self { client: *client, server })
    }
}

/// The secrets of a server, the newest first; the second one is for cookies that are still out.
#[derive(Clone)]
pub struct Secrets {
    newest: [u8; 16],
    before: Option<[u8; 16]>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// Secrets of 16 octets each, which nobody can guess. Servers that share an address share them.
    #[must_use]
    pub const fn new(newest: [u8; 16], before: Option<[u8; 16]>) -> Self {
        Self { newest, before }
    }

    /// Whether a query shows a cookie that this server gave to that address within the last hour. `now` is in seconds since
    /// 1970 UTC.
    #[must_use]
    pub fn check(&self, shown: &Shown<'_>, address: IpAddr, now: u64) -> bool {
        let Ok(server) = <[u8; SERVER]>::try_from(shown.server) else { return false };
        let [1, _, _, _, t0, t1, t2, t3, ..] = server else { return false };
        // Serial number arithmetic (RFC 9018 section 4.3).
        let age = seconds(now).wrapping_sub(u32::from_be_bytes([t0, t1, t2, t3]));
        let head: [u8; 8] = server.first_chunk().copied().unwrap_or_default();
        (age <= OLDEST || age.wrapping_neg() <= AHEAD)
            && [Some(&self.newest), self.before.as_ref()].into_iter().flatten().any(|secret| {
                same(
                    &hash(secret, shown.client, head, address),
                    server.last_chunk().unwrap_or(&[0; 8]),
                )
            })
    }

    /// The cookies for an answer: the client's and a new one of ours.
    pub(crate) fn make(&self, shown: &Shown<'_>, address: IpAddr, now: u64) -> [u8; WHOLE] {
        let [t0, t1, t2, t3] = seconds(now).to_be_bytes();
        let head = [1, 0, 0, 0, t0, t1, t2, t3];
        let hash = hash(&self.newest, shown.client, head, address);
        let mut whole = [0; WHOLE];
        let octets = shown.client.into_iter().chain(head).chain(hash);
        for (place, octet) in whole.iter_mut().zip(octets) {
            *place = octet;
        }
        whole
    }
}

/// Seconds modulo 2^32.
fn seconds(now: u64) -> u32 {
    let [_, _, _, _, s0, s1, s2, s3] = now.to_be_bytes();
    u32::from_be_bytes([s0, s1, s2, s3])
}

/// RFC 9018 section 4.4: over the client's cookie, version, reserved octets and time, and the client's address.
fn hash(secret: &[u8; 16], client: [u8; 8], head: [u8; 8], address: IpAddr) -> [u8; 8] {
    let mut octets = [0; 32];
    let address: ([u8; 16], usize) = match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            ([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 4)
        }
        IpAddr::V6(v6) => (v6.octets(), 16),
    };
    for (place, octet) in octets.iter_mut().zip(client.into_iter().chain(head).chain(address.0)) {
        *place = octet;
    }
    siphash24(secret, octets.get(..16 + address.1).unwrap_or_default()).to_le_bytes()
}

/// Compares without telling by the time where they differ.
fn same(ours: &[u8; 8], theirs: &[u8; 8]) -> bool {
    ours.iter().zip(theirs).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets<const N: usize>(hex: &str) -> [u8; N] {
        let octets: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        octets.try_into().unwrap()
    }

    /// RFC 9018 appendix A: client, secret, address, time, whole cookie.
    #[test]
    fn cookies_are_those_of_the_rfc() {
        let old: [u8; 16] = octets("e5e973e5a6b2a43f48e7dc849e37bfcf");
        for (client, secret, address, now, cookie) in [
            (
                "2464c4abcf10c957",
                old,
                "198.51.100.100",
                1_559_731_985_u64,
                "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
            ),
            (
                "fc93fc62807ddb86",
                old,
                "203.0.113.203",
                1_559_734_700,
                "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
            ),
            (
                "22681ab97d52c298",
                octets("445536bcd2513298075a5d379663c962"),
                "2001:db8:220:1:59de:d0f4:8769:82b8",
                1_559_741_961,
                "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
            ),
        ] {
            let client: [u8; 8] = octets(client);
            let address: IpAddr = address.parse().unwrap();
            let secrets = Secrets::new(secret, None);
            let made = secrets.make(&Shown::read(&client).unwrap(), address, now);
            assert_eq!(made, octets::<24>(cookie));
            let shown = Shown::read(&made).unwrap();
            for (later, good) in [(0, true), (3_600, true), (3_601, false)] {
                assert_eq!(secrets.check(&shown, address, now + later), good, "{later}");
            }
            assert!(secrets.check(&shown, address, now - 300));
            assert!(!secrets.check(&shown, address, now - 301));
            assert!(!secrets.check(&shown, "192.0.2.1".parse().unwrap(), now));
            let other = Secrets::new([7; 16], None);
            assert!(!other.check(&shown, address, now));
            assert!(Secrets::new([7; 16], Some(secret)).check(&shown, address, now));
            for at in 0..24 {
                let mut changed = made;
                changed[at] ^= 1;
                assert!(!secrets.check(&Shown::read(&changed).unwrap(), address, now), "{at}");
            }
        }
    }

    #[test]
    fn cookies_have_some_lengths_only() {
        for length in 0..50 {
            let good = length == 8 || (16..=40).contains(&length);
            assert_eq!(Shown::read(&vec![1; length]).is_some(), good, "{length}");
        }
    }
}
