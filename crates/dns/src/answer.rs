//! A query's octets and the zones give an answer's octets.
//!
//! `request` reads the query → [`answer`] decides what needs no zone → `resolve` walks zones, aliases and delegations →
//! `writer` composes, compresses and keeps to the limit; `secure` adds signatures and proofs of signed zones. No step
//! allocates but for growing the caller's buffer and for what is signed. Before that, [`look_ahead`] may hear of queries that
//! wait together.

mod ahead;
mod freshness;
pub(crate) mod request;
mod resolve;
mod secure;
pub(crate) mod writer;

pub use ahead::look_ahead;

use crate::cookie::{self, Secrets};
use crate::dnssec::Signer;
use crate::tsig::{Auth, Failure, Key, Keys};
use crate::zone::{Zone, Zones, codes};
pub use freshness::freshness;
use request::{Edns, Header, Request};
use resolve::Asked;
use secure::Secure;
use std::net::IpAddr;
use writer::Writer;

/// Longest answer over UDP to a query without EDNS (RFC 1035 section 2.3.4).
const PLAIN_UDP: usize = 512;
/// Opcode of a message that tells of a change.
pub(crate) const NOTIFY: u8 = 4;
/// Opcode of a query.
const QUERY: u8 = 0;
/// Longest message over TCP.
pub(crate) const MAX_TCP: usize = 65_535;
/// Octets of the option with cookies.
const COOKIE_LENGTH: usize = 4 + cookie::WHOLE;
/// Octets of our OPT record without options.
pub(crate) const OPT_LENGTH: usize = 11;

/// How the query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In a datagram.
    Udp,
    /// On a connection.
    Tcp,
}

/// What an answer may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest answer over UDP, in octets, 512 to 65,535. 1232 passes every path without being cut into fragments.
    pub max_udp: u16,
    /// How the query came.
    pub transport: Transport,
}

impl Limits {
    /// The usual limits of a transport.
    #[must_use]
    pub const fn new(transport: Transport) -> Self {
        Self { max_udp: 1232, transport }
    }

    pub(crate) fn octets(self, edns: Option<Edns>) -> usize {
        match (self.transport, edns) {
            (Transport::Tcp, _) => MAX_TCP,
            (Transport::Udp, None) => PLAIN_UDP,
            // RFC 6891 section 6.2.3: values below 512 count as 512.
            (Transport::Udp, Some(edns)) => {
                usize::from(edns.payload.min(self.max_udp)).max(PLAIN_UDP)
            }
        }
    }
}

/// What an answer says, EDNS's extended codes included (RFC 1035 section 4.1.1, RFC 6891 section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rcode {
    /// No error.
    NoError,
    /// The query makes no sense.
    FormErr,
    /// We have a zone for it and cannot serve it.
    ServFail,
    /// The name does not exist.
    NxDomain,
    /// The operation is none of ours.
    NotImp,
    /// The name that it stands for would be too long (RFC 6672 section 2.2).
    YxDomain,
    /// Not our zone, class or business.
    Refused,
    /// No zone of ours begins there (RFC 5936 section 2.2.1).
    NotAuth,
    /// The EDNS version is none of ours.
    BadVers,
}

impl Rcode {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::NoError,
        Self::FormErr,
        Self::ServFail,
        Self::NxDomain,
        Self::NotImp,
        Self::YxDomain,
        Self::Refused,
        Self::NotAuth,
        Self::BadVers,
    ];

    /// Its number, of which the upper eight bits stand in the OPT record.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::NoError => 0,
            Self::FormErr => 1,
            Self::ServFail => 2,
            Self::NxDomain => 3,
            Self::NotImp => 4,
            Self::Refused => 5,
            Self::YxDomain => 6,
            Self::NotAuth => 9,
            Self::BadVers => 16,
        }
    }

    /// Its name as it is usually written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoError => "NOERROR",
            Self::FormErr => "FORMERR",
            Self::ServFail => "SERVFAIL",
            Self::NxDomain => "NXDOMAIN",
            Self::NotImp => "NOTIMP",
            Self::Refused => "REFUSED",
            Self::YxDomain => "YXDOMAIN",
            Self::NotAuth => "NOTAUTH",
            Self::BadVers => "BADVERS",
        }
    }
}

/// What became of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is to be sent: answering a response, or what is no message, could make two servers talk for ever.
    Dropped,
    /// The answer is in the buffer.
    Answered(Answered),
}

/// What an answer says, for those who count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The answer's code.
    pub rcode: Rcode,
    /// The type that was asked for, when there was a question.
    pub qtype: Option<u16>,
    /// Whether something had to be left out (TC).
    pub truncated: bool,
    /// What it is about.
    pub about: About,
    /// Whether the asker is who it says: it signed the query, or shows a cookie that we gave it (RFC 7873).
    pub proven: bool,
    /// Whether it wants signatures (DO, RFC 3225).
    pub dnssec_ok: bool,
}

/// What an answer is about, for those who count how often somebody asks for it ([`crate::rate`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// No zone of ours.
    Nothing,
    /// A zone, since any name of its kind would have got the same: the last octets of the question's name.
    Zone {
        /// How many octets the zone's name has in wire form.
        octets: u8,
    },
    /// The name and type of the question.
    Name {
        /// How many octets the name of its zone has in wire form.
        octets: u8,
    },
}

impl About {
    fn zone(zone: &Zone) -> Self {
        Self::Zone { octets: zone.apex().as_wire().len().try_into().unwrap_or(u8::MAX) }
    }

    fn name(zone: &Zone) -> Self {
        Self::Name { octets: zone.apex().as_wire().len().try_into().unwrap_or(u8::MAX) }
    }
}

impl Answered {
    /// The name of the zone that the query was for, in wire form as the query spells it; `None` when it is none of ours.
    #[must_use]
    pub fn zone<'q>(&self, query: &'q [u8]) -> Option<&'q [u8]> {
        let (About::Zone { octets } | About::Name { octets }) = self.about else { return None };
        let name = question(query)?;
        name.get(name.len().checked_sub(octets.into())?..)
    }

    /// Whether it refuses a zone transfer, which [`crate::transfer`] may give nevertheless.
    #[must_use]
    pub fn is_transfer(&self) -> bool {
        self.rcode == Rcode::Refused && matches!(self.qtype, Some(codes::AXFR | codes::IXFR))
    }
}

/// The name that a query asks for, in wire form as it is spelt there; `None` when it cannot be read.
#[must_use]
pub fn question(query: &[u8]) -> Option<&[u8]> {
    request::name_in(query)
}

/// What an answer depends on besides the zones.
#[derive(Debug, Clone, Copy)]
pub struct Server<'s> {
    /// What it may cost.
    pub limits: Limits,
    /// The keys of signed queries.
    pub keys: &'s Keys,
    /// Seconds since 1970 UTC.
    pub now: u64,
    /// For whom cookies are made, when they are: the asker's address.
    pub cookies: Option<(&'s Secrets, IpAddr)>,
    /// What signs for signed zones; without it they are answered for as if they were not signed.
    pub signer: Option<&'s dyn Signer>,
}

/// Answers a query of somebody who shares no key with us; `out` is overwritten. The answer never exceeds what the limits and
/// the query allow.
pub fn answer(zones: &Zones, query: &[u8], limits: Limits, out: &mut Vec<u8>) -> Outcome {
    static NONE: Keys = Keys::none();
    answer_for(
        zones,
        query,
        &Server { limits, keys: &NONE, now: 0, cookies: None, signer: None },
        out,
    )
}

/// Answers a query; `out` is overwritten. The answer never exceeds what the limits and the query allow, and is signed when
/// the query is.
pub fn answer_for(zones: &Zones, query: &[u8], server: &Server<'_>, out: &mut Vec<u8>) -> Outcome {
    compose(query, QUERY, server, out, |request, _, writer| {
        let now = i64::try_from(server.now).unwrap_or(i64::MAX);
        let asked = Asked {
            transport: server.limits.transport,
            dnssec_ok: request.edns.is_some_and(|edns| edns.dnssec_ok),
            secure: server.signer.map(|signer| Secure { signer, now }),
        };
        resolve::resolve(zones, &request.question, asked, writer)
    })
}

/// Answers a NOTIFY (RFC 1996 section 3.12): `code` hears of which zone it is, in wire form and lower case, and by whose key it
/// is signed.
pub(crate) fn answer_notify(
    query: &[u8],
    server: &Server<'_>,
    out: &mut Vec<u8>,
    code: impl FnOnce(&[u8], Option<&Key>) -> Rcode,
) -> Outcome {
    compose(query, NOTIFY, server, out, |request, key, _| {
        let question = &request.question;
        let rcode = match question.qtype {
            codes::SOA => code(question.name(), key),
            // No other type is known to anybody (RFC 1996 section 3.3).
            _ => Rcode::NotImp,
        };
        let authoritative = rcode == Rcode::NoError;
        Reply { rcode, authoritative, truncated: false, about: About::Nothing }
    })
}

/// As [`answer_for`] without any record: the asker is told to come over TCP (TC).
pub fn cut_short(query: &[u8], server: &Server<'_>, out: &mut Vec<u8>) -> Outcome {
    compose(query, QUERY, server, out, |_, _, _| Reply {
        rcode: Rcode::NoError,
        authoritative: true,
        truncated: true,
        about: About::Nothing,
    })
}

/// Answers a message of one operation; the key is that of who signed it.
fn compose(
    query: &[u8],
    opcode: u8,
    server: &Server<'_>,
    out: &mut Vec<u8>,
    reply: impl FnOnce(&Request<'_>, Option<&Key>, &mut Writer<'_>) -> Reply,
) -> Outcome {
    out.clear();
    let Some(header) = Header::read(query).filter(|header| !header.is_response()) else {
        return Outcome::Dropped;
    };
    if header.opcode() != opcode {
        let request = Request::read(header, query).filter(|request| !request.malformed);
        let edns = request.and_then(|request| request.edns);
        return bare(header, Rcode::NotImp, edns.map(|edns| (edns, server.limits.max_udp)), out);
    }
    let Some(request) = Request::read(header, query) else {
        return bare(header, Rcode::FormErr, None, out);
    };
    let Server { limits, keys, now, cookies, .. } = *server;
    let cookie = match (cookies, &request.cookie) {
        (Some((secrets, address)), Some(shown)) => Some(secrets.make(shown, address, now)),
        _ => None,
    };
    let known = match (cookies, &request.cookie) {
        (Some((secrets, address)), Some(shown)) => secrets.check(shown, address, now),
        _ => false,
    };
    let auth = request.tsig.map_or(Auth::Unsigned, |tsig| tsig.check(query, keys, now));
    let limit = limits.octets(request.edns);
    let reserved = request.edns.map_or(0, |_| OPT_LENGTH)
        + cookie.map_or(0, |_| COOKIE_LENGTH)
        + request.tsig.map_or(0, |tsig| tsig.answer_length());
    let mut writer = Writer::new(out, limit.saturating_sub(reserved));
    writer.question(&request);
    let refusal = match auth {
        Auth::Unsigned | Auth::Signed(_) => refusal(&request, limits.transport),
        Auth::Failed(Failure::Malformed) => Some(Rcode::FormErr),
        // RFC 8945 section 5.2.
        Auth::Failed(_) | Auth::Late { .. } => Some(Rcode::NotAuth),
    };
    let reply = match refusal {
        Some(rcode) => Reply::error(rcode),
        None => {
            let key = match &auth {
                Auth::Signed(signer) => Some(signer.key()),
                _ => None,
            };
            reply(&request, key, &mut writer)
        }
    };
    let proven = known || matches!(auth, Auth::Signed(_));
    let outcome = finish(&request, reply, writer, limits, cookie, proven);
    match auth {
        Auth::Unsigned => {}
        Auth::Signed(mut signer) => signer.sign(now, out),
        Auth::Late { mut signer, time, now } => signer.sign_late(time, now, out),
        Auth::Failed(failure) => {
            if let Some(tsig) = request.tsig {
                tsig.refuse(failure, now, out);
            }
        }
    }
    outcome
}

/// What a walk through the zones found, besides the records that it wrote.
#[derive(Debug, Clone, Copy)]
struct Reply {
    rcode: Rcode,
    authoritative: bool,
    truncated: bool,
    about: About,
}

impl Reply {
    const fn error(rcode: Rcode) -> Self {
        Self { rcode, authoritative: false, truncated: false, about: About::Nothing }
    }
}

/// What is answered without looking at any zone.
fn refusal(request: &Request<'_>, transport: Transport) -> Option<Rcode> {
    let question = &request.question;
    if request.malformed {
        return Some(Rcode::FormErr);
    }
    if request.edns.is_some_and(|edns| edns.version > 0) {
        // RFC 6891 section 6.1.3.
        return Some(Rcode::BadVers);
    }
    match (question.qclass, question.qtype) {
        (1, codes::OPT) => Some(Rcode::FormErr),
        // There is no AXFR in datagrams (RFC 5936 section 4.2).
        (1, codes::AXFR) if transport == Transport::Udp => Some(Rcode::FormErr),
        // It says what the asker has (RFC 1995 section 3).
        (1, codes::IXFR) if request.serial.is_none() => Some(Rcode::FormErr),
        // Those who may have it get it by `transfer`.
        (1, codes::AXFR | codes::IXFR) => Some(Rcode::Refused),
        (1, _) => None,
        _ => Some(Rcode::Refused),
    }
}

/// An answer that is a header only, with OPT if there was one (RFC 6891 section 6.1.1).
fn bare(header: Header, rcode: Rcode, edns: Option<(Edns, u16)>, out: &mut Vec<u8>) -> Outcome {
    let mut writer = Writer::new(out, PLAIN_UDP);
    if let Some((edns, max_udp)) = edns {
        writer.opt(max_udp, rcode, edns.dnssec_ok, None);
    }
    writer.header(&header.reply(rcode, false, false, writer.counts()));
    let about = About::Nothing;
    let dnssec_ok = edns.is_some_and(|(edns, _)| edns.dnssec_ok);
    let (qtype, truncated, proven) = (None, false, false);
    Outcome::Answered(Answered { rcode, qtype, truncated, about, proven, dnssec_ok })
}

fn finish(
    request: &Request<'_>,
    reply: Reply,
    mut writer: Writer<'_>,
    limits: Limits,
    cookie: Option<[u8; cookie::WHOLE]>,
    proven: bool,
) -> Outcome {
    if let Some(edns) = request.edns {
        writer.opt(limits.max_udp, reply.rcode, edns.dnssec_ok, cookie);
    }
    let Reply { rcode, authoritative, truncated, about } = reply;
    writer.header(&request.header.reply(rcode, authoritative, truncated, writer.counts()));
    let qtype = Some(request.question.qtype);
    let dnssec_ok = request.edns.is_some_and(|edns| edns.dnssec_ok);
    Outcome::Answered(Answered { rcode, qtype, truncated, about, proven, dnssec_ok })
}

#[cfg(test)]
mod tests;
