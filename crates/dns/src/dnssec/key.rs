//! The keys of a zone, and what they are at a time: roll-overs go on by the clock.
//!
//! A zone signing key is published before it signs, and stays published after it signed, for as long as others may keep
//! what they got before (RFC 6781 section 4.1.1.1). A key signing key signs as long as it is published, beside others
//! (section 4.1.2); which of them the parent shall vouch for is said by CDS and CDNSKEY (RFC 7344).
//!
//! ```text
//!            publish_at      active_at         retire_at        remove_at
//!  waiting  |   published   |     active      |     retired    |  removed
//!  ZSK      |   in DNSKEY   |     signs       |    in DNSKEY   |
//!  KSK      |    signs      | signs, in CDS   |     signs      |
//! ```

use super::canonical::canonical;
use super::denial::PARAMETERS;
use crate::zone::{Rr, codes};
use ngn_model::zone::{ZoneKey, ZoneSigning};
use sha2::{Digest as _, Sha256};

/// ECDSA P-256 with SHA-256 (RFC 6605).
pub(crate) const ALGORITHM: u8 = 13;
/// The TTL of what a signed zone says of its keys, in seconds.
pub const DNSKEY_TTL: u32 = 3600;
/// Octets of a public key.
const PUBLIC: usize = 64;

/// How a zone denies that a name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// By the names before and after it (RFC 4034).
    Nsec,
    /// By the hashes before and after its own (RFC 5155).
    Nsec3,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Signs the keys; the parent vouches for it.
    Ksk,
    /// Signs everything else.
    Zsk,
}

impl Role {
    /// The flags of its DNSKEY record (RFC 4034 section 2.1.1).
    #[must_use]
    pub const fn flags(self) -> u16 {
        match self {
            Self::Ksk => 257,
            Self::Zsk => 256,
        }
    }
}

/// What a key is at some time, in the order in which it goes through these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    /// Not visible yet.
    Waiting,
    /// In the DNSKEY RRset.
    Published,
    /// In use.
    Active,
    /// In the DNSKEY RRset, not in use any more.
    Retired,
    /// Gone.
    Removed,
}

impl KeyState {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Published => "published",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }
}

/// A key of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    row: ZoneKey,
    role: Role,
    tag: u16,
    dnskey: Vec<u8>,
}

impl Key {
    /// Makes a key of what the database holds; `None` when its public key has not 64 octets.
    #[must_use]
    pub fn new(row: ZoneKey) -> Option<Self> {
        if row.public.len() != PUBLIC {
            return None;
        }
        let role = if row.ksk { Role::Ksk } else { Role::Zsk };
        let [high, low] = role.flags().to_be_bytes();
        let dnskey = [&[high, low, 3, ALGORITHM], row.public.as_slice()].concat();
        Some(Self { tag: key_tag(&dnskey), role, dnskey, row })
    }

    /// What the database holds.
    #[must_use]
    pub const fn row(&self) -> &ZoneKey {
        &self.row
    }

    /// What it is for.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// By what signatures name it (RFC 4034 appendix B); not always unique.
    #[must_use]
    pub const fn tag(&self) -> u16 {
        self.tag
    }

    /// RDATA of its DNSKEY record.
    #[must_use]
    pub fn dnskey(&self) -> &[u8] {
        &self.dnskey
    }

    /// RDATA of its DS record, with SHA-256 (RFC 4509). `apex` is in wire form and lower case.
    #[must_use]
    pub fn ds(&self, apex: &[u8]) -> Vec<u8> {
        let [high, low] = self.tag.to_be_bytes();
        let digest = Sha256::new().chain_update(apex).chain_update(&self.dnskey).finalize();
        [&[high, low, ALGORITHM, 2], digest.as_slice()].concat()
    }

    /// What it is at a time, in seconds since 1970 UTC.
    #[must_use]
    pub fn state(&self, now: i64) -> KeyState {
        let row = &self.row;
        if row.remove_at.is_some_and(|at| at <= now) {
            KeyState::Removed
        } else if row.publish_at > now {
            KeyState::Waiting
        } else if row.retire_at.is_some_and(|at| at <= now) {
            KeyState::Retired
        } else if row.active_at > now {
            KeyState::Published
        } else {
            KeyState::Active
        }
    }

    fn is_published(&self, now: i64) -> bool {
        !matches!(self.state(now), KeyState::Waiting | KeyState::Removed)
    }

    fn changes(&self) -> impl Iterator<Item = i64> {
        let row = &self.row;
        [Some(row.publish_at), Some(row.active_at), row.retire_at, row.remove_at]
            .into_iter()
            .flatten()
    }
}

/// RFC 4034 appendix B.
fn key_tag(dnskey: &[u8]) -> u16 {
    let sum: u32 = dnskey
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
            [high] => u32::from(*high) << 8,
            _ => 0,
        })
        .sum();
    u16::try_from((sum + (sum >> 16)) & 0xffff).unwrap_or(0)
}

/// How a zone is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    denial: Denial,
    withdrawn: bool,
    renewed: i64,
    keys: Vec<Key>,
}

impl Signing {
    /// Reads what the database holds; keys that make no sense are left out.
    #[must_use]
    pub fn new(rows: &ZoneSigning) -> Self {
        let denial = if rows.nsec3 { Denial::Nsec3 } else { Denial::Nsec };
        let keys = rows.keys.iter().cloned().filter_map(Key::new).collect();
        Self { denial, withdrawn: rows.withdrawn, renewed: rows.renewed, keys }
    }

    /// What [`Self::new`] was made of.
    #[must_use]
    pub fn rows(&self) -> ZoneSigning {
        ZoneSigning {
            nsec3: self.denial == Denial::Nsec3,
            withdrawn: self.withdrawn,
            renewed: self.renewed,
            keys: self.keys.iter().map(|key| key.row.clone()).collect(),
        }
    }

    /// How it denies that a name exists.
    #[must_use]
    pub const fn denial(&self) -> Denial {
        self.denial
    }

    /// All keys.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The last renewal that raised the serial.
    #[must_use]
    pub const fn renewed(&self) -> i64 {
        self.renewed
    }

    /// The keys that sign an RRset of this type. When no zone signing key is active, as when all are waiting, a key signing
    /// key takes its place; validators do not tell them apart (RFC 4035 section 5.3.1).
    pub(crate) fn signers(&self, rtype: u16, now: i64) -> Vec<&Key> {
        let of = |role: Role| self.keys.iter().filter(move |key| key.role == role);
        let ksk = || of(Role::Ksk).filter(|key| key.is_published(now)).collect();
        // RFC 7344 section 4.1: what the parent is told is signed by what the parent vouches for.
        if matches!(rtype, codes::DNSKEY | codes::CDS | codes::CDNSKEY) {
            return ksk();
        }
        let zsk: Vec<&Key> =
            of(Role::Zsk).filter(|key| key.state(now) == KeyState::Active).collect();
        if zsk.is_empty() { ksk() } else { zsk }
    }

    /// The records that it adds to the apex at a time, sorted.
    pub(crate) fn records(&self, apex: &[u8], now: i64) -> Vec<Rr> {
        let mut records = Vec::new();
        let mut add = |rtype, ttl, rdata: &[u8]| {
            records.push(Rr { rtype, ttl, rdata: canonical(rtype, rdata) });
        };
        for key in self.keys.iter().filter(|key| key.is_published(now)) {
            add(codes::DNSKEY, DNSKEY_TTL, &key.dnskey);
            if key.role == Role::Ksk && key.state(now) == KeyState::Active && !self.withdrawn {
                add(codes::CDS, DNSKEY_TTL, &key.ds(apex));
                add(codes::CDNSKEY, DNSKEY_TTL, &key.dnskey);
            }
        }
        if self.withdrawn {
            // RFC 8078 section 4.
            add(codes::CDS, DNSKEY_TTL, &[0, 0, 0, 0, 0]);
            add(codes::CDNSKEY, DNSKEY_TTL, &[0, 0, 3, 0, 0]);
        }
        if self.denial == Denial::Nsec3 {
            add(codes::NSEC3PARAM, DNSKEY_TTL, &PARAMETERS);
        }
        records.sort_by(|a, b| (a.rtype, &a.rdata).cmp(&(b.rtype, &b.rdata)));
        records
    }

    /// A number that rises whenever secondaries have to fetch the zone: some time before signatures that they have end, and
    /// when a key comes or goes. `apex` spreads zones over the time.
    #[must_use]
    pub fn renewal(&self, apex: &[u8], now: i64) -> i64 {
        let periods = (now + super::sign::spread(apex, RENEWAL)) / RENEWAL;
        let changes = self.keys.iter().flat_map(Key::changes).filter(|at| *at <= now).count();
        periods.saturating_mul(1024).saturating_add(i64::try_from(changes.min(1023)).unwrap_or(0))
    }
}

/// How often serials rise for new signatures, in seconds: secondaries have some that hold nine days more.
const RENEWAL: i64 = 4 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    fn key(ksk: bool, times: (i64, i64, Option<i64>, Option<i64>)) -> ZoneKey {
        let (publish_at, active_at, retire_at, remove_at) = times;
        let public = octets(concat!(
            "1a88c88615d437fbb8bf9e1942a1929f28562706ae6c2bd399e7b1bfb6d1e9e7",
            "5b92b4aa42917ae1c61b701ef035c3fe7be3009cbafe5a2f71316c902dcf0d00",
        ));
        ZoneKey {
            id: 1,
            ksk,
            public,
            secret: String::new(),
            publish_at,
            active_at,
            retire_at,
            remove_at,
        }
    }

    // RFC 6605 section 6.1: the tag and the DS of the example.
    #[test]
    fn tag_and_ds_are_those_of_the_rfc() {
        let key = Key::new(key(true, (0, 0, None, None))).unwrap();
        assert_eq!(key.tag(), 55_648);
        let ds = key.ds(Name::parse("example.net").unwrap().as_wire());
        let digest = "b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17";
        assert_eq!(ds, [octets("d9600d02"), octets(digest)].concat());
    }

    #[test]
    fn keys_go_through_their_states_by_the_clock() {
        let key = Key::new(key(false, (10, 20, Some(30), Some(40)))).unwrap();
        let states = [9, 10, 20, 30, 40].map(|now| key.state(now).as_str());
        assert_eq!(states, ["waiting", "published", "active", "retired", "removed"]);
    }

    #[test]
    fn a_renewal_is_due_with_each_change_and_after_some_days() {
        let keys = vec![key(true, (0, 0, None, None)), key(false, (0, 1000, Some(2000), None))];
        let signing =
            Signing::new(&ZoneSigning { nsec3: true, withdrawn: false, renewed: 0, keys });
        let apex = b"\x07example\x00";
        let at = |now| signing.renewal(apex, now);
        assert!(at(999) < at(1000) && at(1000) < at(2000));
        assert!(at(2000) < at(2000 + RENEWAL));
        let tags =
            |now| signing.signers(codes::A, now).iter().map(|key| key.role()).collect::<Vec<_>>();
        assert_eq!(
            (tags(999), tags(1000), tags(2000)),
            (vec![Role::Ksk], vec![Role::Zsk], vec![Role::Ksk])
        );
        let types = |now| signing.records(apex, now).iter().map(|rr| rr.rtype).collect::<Vec<_>>();
        assert_eq!(
            types(500),
            [codes::DNSKEY, codes::DNSKEY, codes::NSEC3PARAM, codes::CDS, codes::CDNSKEY]
        );
        assert_eq!(Signing::new(&signing.rows()), signing);
    }
}
