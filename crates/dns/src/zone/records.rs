//! From rows of the database to records in wire form.

use super::codes;
use super::entry::Rr;
use crate::name::{Name, NameError};
use crate::rdata::{self, RdataError};
use ngn_model::zone::{RecordRef, RecordRow};
use std::fmt;

/// Highest TTL (RFC 2181 section 8).
pub(super) const MAX_TTL: u32 = 0x7fff_ffff;

/// A record that is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Its owner as it stands in the database.
    pub name: String,
    /// Its type as it stands in the database.
    pub rtype: String,
    /// Why it is left out.
    pub reason: BadReason,
}

/// Why a record is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadReason {
    /// The owner is no domain name.
    #[error("the owner is no name: {0}")]
    Owner(#[from] NameError),
    /// The owner does not lie in the zone.
    #[error("the owner lies outside the zone")]
    OutOfZone,
    /// The record belongs to another name than the one that is replaced.
    #[error("the record belongs to another name")]
    OtherOwner,
    /// The type or the content cannot be put into wire form.
    #[error("{0}")]
    Rdata(#[from] RdataError),
    /// The type exists in queries and messages only (RFC 6895 section 3.1).
    #[error("records cannot have this type")]
    MetaType,
    /// A CNAME stands beside other data, beside another CNAME or at the apex (RFC 1034 section 3.6.2).
    #[error("a CNAME cannot stand beside other data")]
    CnameNotAlone,
    /// An SOA that is not the first one at the apex.
    #[error("a zone has one SOA, at its apex")]
    ExtraSoa,
    /// A DNAME that is not the first one of its name (RFC 6672 section 2.4).
    #[error("a name has one DNAME")]
    ExtraDname,
}

impl BadRecord {
    pub(super) fn new<'r>(row: impl Into<RecordRef<'r>>, reason: BadReason) -> Self {
        let row: RecordRef<'_> = row.into();
        Self { name: row.name.to_owned(), rtype: row.rtype.to_owned(), reason }
    }
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name, self.rtype, self.reason)
    }
}

/// Sorts rows by owner; those whose owner is no name of the zone are bad.
pub(crate) fn by_owner<'r>(
    apex: &Name,
    rows: &'r [RecordRow],
    bad: &mut Vec<BadRecord>,
) -> Vec<(Name, Vec<&'r RecordRow>)> {
    let mut owned: Vec<(Name, &RecordRow)> = Vec::with_capacity(rows.len());
    for row in rows {
        match Name::parse(&row.name) {
            Ok(owner) if owner.is_within(apex) => owned.push((owner, row)),
            Ok(_) => bad.push(BadRecord::new(row, BadReason::OutOfZone)),
            Err(error) => bad.push(BadRecord::new(row, error.into())),
        }
    }
    owned.sort_by(|a, b| a.0.cmp(&b.0));
    let mut groups: Vec<(Name, Vec<&RecordRow>)> = Vec::new();
    for (owner, row) in owned {
        match groups.last_mut() {
            Some((last, rows)) if *last == owner => rows.push(row),
            _ => groups.push((owner, vec![row])),
        }
    }
    groups
}

/// The rows of one owner in wire form.
pub(super) fn encode(
    apex: &Name,
    owner: &Name,
    rows: &[&RecordRow],
    bad: &mut Vec<BadRecord>,
) -> Vec<Rr> {
    served(apex, owner, rows, bad).into_iter().map(|(rr, _)| rr).collect()
}

/// Those rows of one owner that are served, with their wire forms.
pub(crate) fn served<'r>(
    apex: &Name,
    owner: &Name,
    rows: &[&'r RecordRow],
    bad: &mut Vec<BadRecord>,
) -> Vec<(Rr, &'r RecordRow)> {
    let mut records: Vec<(Rr, &RecordRow)> = Vec::with_capacity(rows.len());
    for &row in rows {
        match rdata::encode(&row.rtype, &row.content, row.priority) {
            Ok((rtype, _)) if !rtype.is_data() => {
                bad.push(BadRecord::new(row, BadReason::MetaType));
            }
            Ok((rtype, rdata)) => {
                records.push((Rr { rtype: rtype.0, ttl: row.ttl.min(MAX_TTL), rdata }, row));
            }
            Err(error) => bad.push(BadRecord::new(row, error.into())),
        }
    }
    fitting(
        owner == apex,
        &mut records,
        |(rr, _)| rr.rtype,
        |(_, row), reason| {
            bad.push(BadRecord::new(*row, reason));
        },
    );
    records
}

/// Keeps those of one owner's records that may stand beside each other; `unfit` is told of the others.
pub(super) fn fitting<R>(
    at_apex: bool,
    records: &mut Vec<R>,
    rtype: impl Fn(&R) -> u16,
    mut unfit: impl FnMut(&R, BadReason),
) {
    // An SOA that is not at the apex is left out, so that it stands beside nothing.
    let is_alias = |record: &R| matches!(rtype(record), codes::CNAME | codes::SOA);
    let alone = !at_apex && records.iter().all(is_alias);
    let (mut aliases, mut authorities, mut renamings) = (0, 0, 0);
    records.retain(|record| {
        let reason = match rtype(record) {
            codes::CNAME => {
                aliases += 1;
                (!alone || aliases > 1).then_some(BadReason::CnameNotAlone)
            }
            codes::SOA => {
                authorities += 1;
                (!at_apex || authorities > 1).then_some(BadReason::ExtraSoa)
            }
            codes::DNAME => {
                renamings += 1;
                (renamings > 1).then_some(BadReason::ExtraDname)
            }
            _ => None,
        };
        let good = reason.is_none();
        reason.into_iter().for_each(|reason| unfit(record, reason));
        good
    });
}
