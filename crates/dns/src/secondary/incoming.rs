//! What the messages of a transfer say, one after the other.
//!
//! ```text
//!   whole zone   SOA, everything else, SOA                                   (RFC 5936 section 2.2)
//!   changes      SOA, { old SOA, what goes, new SOA, what comes } ..., SOA   (RFC 1995 section 4)
//!   nothing new  SOA                                                         (RFC 1995 section 2)
//! ```

use super::content::{Content, Limits};
use super::message::{Message, Received, is_of_signed, serial};
use crate::name::Name;
use crate::rdata::RecordType;
use crate::transfer::is_later;
use crate::tsig::{Unverified, Verifier};
use crate::zone::{Zone, codes};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a transfer led to.
#[derive(Debug)]
pub enum Outcome {
    /// The master has nothing later than what is held, but this serial.
    Current {
        /// The master's serial.
        serial: u32,
    },
    /// The whole zone.
    Whole(Zone),
    /// The zone that is held with what changed.
    Changed {
        /// The new state.
        zone: Zone,
        /// All names that may have changed.
        names: BTreeSet<Name>,
    },
}

/// Why a transfer leads nowhere. What is held stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// A message that cannot be read.
    #[error("a message cannot be read")]
    Malformed,
    /// A message that answers something else.
    #[error("a message answers something else")]
    Unexpected,
    /// The master refuses, with this code of RFC 1035 section 4.1.1.
    #[error("the master refuses it (response code {0})")]
    Refused(u8),
    /// Who sent it is not known.
    #[error(transparent)]
    Unverified(#[from] Unverified),
    /// Data that its type does not have.
    #[error("a record has data that its type does not have")]
    Rdata,
    /// A name that does not lie in the zone.
    #[error("{0} lies outside the zone")]
    OutOfZone(Name),
    /// A class that is not IN, or a type that no zone has (RFC 6895 section 3.1).
    #[error("{0} has a record of a type or class that zones do not have")]
    NoData(Name),
    /// The zone is signed, and its private keys are elsewhere.
    #[error("{0} has a {1} record: zones that their masters sign cannot be served")]
    Signed(Name, RecordType),
    /// An SOA is missing, or where none may be.
    #[error("an SOA is missing, or stands where none may stand")]
    Soa,
    /// Records behind the last one.
    #[error("there are records behind the last one")]
    Trailing,
    /// A change of what is not held.
    #[error("the changes do not fit to the zone that is held")]
    DoesNotFit,
    /// A CNAME beside other data or at the apex (RFC 1034 section 3.6.2).
    #[error("{0} has a CNAME beside other data")]
    CnameNotAlone(Name),
    /// Several DNAME records at one name (RFC 6672 section 2.4).
    #[error("{0} has several DNAME records")]
    SeveralDnames(Name),
    /// More records or octets than are taken.
    #[error("the zone is larger than what is taken")]
    TooLarge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing came.
    Begin,
    /// The first SOA came.
    Second,
    /// In a whole zone.
    Whole,
    /// After the old SOA of a change.
    Deleting,
    /// After the new SOA of a change.
    Adding,
    Done,
}

/// Takes the messages of one transfer.
#[derive(Debug)]
pub struct Incoming {
    apex: Name,
    id: u16,
    qtype: u16,
    held: Option<Arc<Zone>>,
    verifier: Option<Verifier>,
    limits: Limits,
    state: State,
    /// The SOA that the transfer ends with.
    last: Option<Received>,
    /// The serial that the changes so far lead to.
    reached: u32,
    content: Content,
    messages: usize,
    current: Option<u32>,
}

impl Incoming {
    pub(super) fn new(
        apex: &Name,
        id: u16,
        qtype: u16,
        held: Option<Arc<Zone>>,
        limits: Limits,
        verifier: Option<Verifier>,
    ) -> Self {
        let content = Content::new(None, limits);
        let (state, last, reached, messages, current) = (State::Begin, None, 0, 0, None);
        let apex = apex.clone();
        Self {
            apex,
            id,
            qtype,
            held,
            verifier,
            limits,
            state,
            last,
            reached,
            content,
            messages,
            current,
        }
    }

    /// Whether it was asked what changed, rather than for the whole zone.
    #[must_use]
    pub const fn is_incremental(&self) -> bool {
        self.qtype == codes::IXFR
    }

    /// Takes the next message; `None` while more have to come. `now` is in seconds since 1970 UTC.
    ///
    /// # Errors
    ///
    /// When it leads nowhere; no more messages are to be given then. Nor are they after an outcome.
    pub fn take(&mut self, octets: &[u8], now: u64) -> Result<Option<Outcome>, Invalid> {
        let message = Message::read(octets).ok_or(Invalid::Malformed)?;
        self.expect(&message)?;
        match (message.header.code(), message.signature) {
            // It leads nowhere, whoever says so.
            (code @ 1.., None) => return Err(Invalid::Refused(code)),
            (_, Some(_)) if self.verifier.is_none() => {
                return Err(Invalid::Unverified(Unverified::Key));
            }
            _ => {}
        }
        if let Some(verifier) = &mut self.verifier {
            verifier.take(octets, message.signature.as_ref(), now)?;
        }
        match message.header.code() {
            0 => {}
            code => return Err(Invalid::Refused(code)),
        }
        // With messages without records somebody could keep us busy.
        if message.is_empty() {
            return Err(Invalid::Malformed);
        }
        for record in message.answers() {
            let record = record.ok_or(Invalid::Rdata)?;
            self.record(record)?;
            if self.current.is_some() {
                break;
            }
        }
        self.messages += 1;
        self.outcome()
    }

    /// Checks that a message belongs to what was asked; from the second one on the question may be left out (RFC 5936
    /// section 2.2.1).
    fn expect(&self, message: &Message<'_>) -> Result<(), Invalid> {
        let header = message.header;
        if header.id() != self.id || header.opcode() != 0 || header.is_truncated() {
            return Err(Invalid::Unexpected);
        }
        let Some(question) = message.question else {
            let may = self.messages > 0 || header.code() != 0;
            return may.then_some(()).ok_or(Invalid::Unexpected);
        };
        let [t0, t1] = self.qtype.to_be_bytes();
        let same = question.split_last_chunk::<4>().is_some_and(|(name, fixed)| {
            *fixed == [t0, t1, 0, 1] && name.eq_ignore_ascii_case(self.apex.as_wire())
        });
        same.then_some(()).ok_or(Invalid::Unexpected)
    }

    fn outcome(&mut self) -> Result<Option<Outcome>, Invalid> {
        if self.state != State::Done && self.current.is_none() {
            return Ok(None);
        }
        if self.verifier.as_ref().is_some_and(|verifier| !verifier.is_complete()) {
            return Err(Invalid::Unverified(Unverified::Missing));
        }
        if let Some(serial) = self.current {
            return Ok(Some(Outcome::Current { serial }));
        }
        let soa = self.last.take().ok_or(Invalid::Soa)?;
        let serial = serial(&soa.rdata);
        let content = std::mem::replace(&mut self.content, Content::new(None, self.limits));
        let (zone, changed) = content.finish(soa, serial)?;
        Ok(Some(match changed {
            Some(names) => Outcome::Changed { zone, names },
            None => Outcome::Whole(zone),
        }))
    }

    fn record(&mut self, record: Received) -> Result<(), Invalid> {
        if !record.owner.is_within(&self.apex) {
            return Err(Invalid::OutOfZone(record.owner));
        }
        if record.class != 1 || !RecordType(record.rtype).is_data() {
            return Err(Invalid::NoData(record.owner));
        }
        if is_of_signed(record.rtype) {
            return Err(Invalid::Signed(record.owner, RecordType(record.rtype)));
        }
        if record.rtype == codes::SOA {
            if record.owner != self.apex {
                return Err(Invalid::Soa);
            }
            return self.soa(record);
        }
        match self.state {
            State::Begin => Err(Invalid::Soa),
            State::Second => {
                self.state = State::Whole;
                self.content.add(record)
            }
            State::Whole | State::Adding => self.content.add(record),
            State::Deleting => self.content.delete(record),
            State::Done => Err(Invalid::Trailing),
        }
    }

    fn soa(&mut self, soa: Received) -> Result<(), Invalid> {
        let serial = serial(&soa.rdata);
        let last = self.last.as_ref().map_or(serial, |last| self::serial(&last.rdata));
        self.state = match self.state {
            State::Begin => {
                let held = self.held.as_ref().filter(|held| held.soa().is_some());
                if held.is_some_and(|held| !is_later(serial, held.serial())) {
                    self.current = Some(serial);
                }
                self.last = Some(soa);
                State::Second
            }
            // A zone of nothing else.
            State::Second if serial == last => State::Done,
            State::Second => {
                let base = self.held.clone().filter(|_| self.is_incremental());
                let base = base.ok_or(Invalid::Soa)?;
                if serial != base.serial() {
                    return Err(Invalid::DoesNotFit);
                }
                self.content = Content::new(Some(base), self.limits);
                self.reached = serial;
                State::Deleting
            }
            State::Whole if serial == last => State::Done,
            State::Whole => return Err(Invalid::Soa),
            State::Deleting => {
                // Serials only rise, so that a chain of changes ends.
                if !is_later(serial, self.reached) {
                    return Err(Invalid::DoesNotFit);
                }
                self.reached = serial;
                State::Adding
            }
            State::Adding if serial != self.reached => return Err(Invalid::DoesNotFit),
            State::Adding if serial == last => State::Done,
            State::Adding => State::Deleting,
            State::Done => return Err(Invalid::Trailing),
        };
        Ok(())
    }
}
