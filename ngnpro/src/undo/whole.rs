//! Takes back all that one request changed, such as the import of a zone, newest change first.

use super::inverse::{Inverse, inverse};
use super::{NAMED, NotUndone, Undone, Wanted, check, derived, newer_than, refuse_newer, row_at};
use crate::dispatch::dispatch;
use crate::ops::{Call, dns_fancy_records, dns_records};
use ngn_model::Entity;
use ngn_soap::types as t;
use ngn_soap::{Style, dns};
use ngn_store::{AuditQuery, AuditRow};

/// The most records of one request.
const MOST: u32 = 100_000;

/// Takes back what the request of a position changed, in one transaction.
///
/// # Errors
///
/// Why it was not done; then nothing was changed.
pub async fn undo_whole(call: &Call<'_>, wanted: Wanted) -> Result<Undone, NotUndone> {
    let row = row_at(call, wanted.position).await?;
    let mut rows = of_request(call, &row).await?;
    if rows.is_empty() {
        return Err(derived(&row, &[]));
    }
    let newest = rows.iter().map(|row| row.position).max().unwrap_or(row.position);
    for row in &rows {
        refuse_newer(row, &call.store.audit(&newer_than(row, newest), NAMED).await?)?;
    }
    without_records_of_new_zones(call, &mut rows).await?;
    let (store, held) = call.store.holding(None);
    let through = call.on(&store);
    let mut losses = Vec::new();
    for row in &rows {
        let Inverse { request, losses: mut lost } =
            match inverse(call, row, Entity::from_name(&row.entity)).await {
                // Everything in a new zone came with it: that was looked at above.
                Err(NotUndone::More(_))
                    if row.entity == Entity::DnsZone.as_str() && row.before.is_none() =>
                {
                    Inverse {
                        request: dns::DeleteZone { zone: Some(row.key.clone()) }.into(),
                        losses: Vec::new(),
                    }
                }
                found => found?,
            };
        let before = held.entries().len();
        dispatch(&through, request, Style::Encoded).await?;
        let entries = held.entries();
        let entries = entries.get(before..).unwrap_or_default();
        if let Err(refusal) = check(row, entries, wanted.partial, &mut lost) {
            held.roll_back().await;
            return Err(refusal);
        }
        losses.append(&mut lost);
    }
    if !losses.is_empty() && !wanted.partial {
        held.roll_back().await;
        return Err(NotUndone::Losses(losses));
    }
    let entries = held.entries();
    let position = if wanted.dry_run {
        held.roll_back().await;
        None
    } else {
        held.commit(None).await?
    };
    Ok(Undone { row, position, entries, losses, beside: Vec::new() })
}

/// The rows of a request that changed records, newest first.
async fn of_request(call: &Call<'_>, row: &AuditRow) -> Result<Vec<AuditRow>, NotUndone> {
    let query = AuditQuery {
        login: Some(row.login.clone()),
        operation: Some(row.operation.clone()),
        since: Some(row.at),
        until: Some(row.at),
        ..AuditQuery::default()
    };
    // What only tells servers is read too.
    let mut rows = call.store.audit(&query, MOST.saturating_mul(2)).await?;
    rows.retain(|other| {
        other.source == row.source && (other.before.is_some() || other.after.is_some())
    });
    if rows.len() > usize::try_from(MOST).unwrap_or(usize::MAX) {
        return Err(NotUndone::TooMany(MOST));
    }
    Ok(rows)
}

/// Leaves out the records that came with a zone, since they go with it, unless something else came into it since.
async fn without_records_of_new_zones(
    call: &Call<'_>,
    rows: &mut Vec<AuditRow>,
) -> Result<(), NotUndone> {
    let is_new_zone =
        |row: &&AuditRow| row.entity == Entity::DnsZone.as_str() && row.before.is_none();
    let zones: Vec<String> = rows.iter().filter(is_new_zone).map(|row| row.key.clone()).collect();
    for zone in zones {
        let filter = t::DnsRecordFilter { zone: Some(zone.clone()), ..Default::default() };
        let query = t::DnsRecordQuery { filter: Some(filter), ..Default::default() };
        let (plain, _) = dns_records::list(call, dns::GetRecords { query: Some(query) }).await?;
        let filter = t::DnsFancyRecordFilter { zone: Some(zone.clone()), ..Default::default() };
        let query = t::DnsFancyRecordQuery { filter: Some(filter), ..Default::default() };
        let fancy = dns::GetFancyRecords { query: Some(query) };
        let (fancy, _) = dns_fancy_records::list(call, fancy).await?;
        let standing =
            plain.total.unwrap_or_default().saturating_add(fancy.total.unwrap_or_default());
        let before = rows.len();
        rows.retain(|row| row.entity != Entity::DnsRecord.as_str() || !lies_in(row, &zone));
        let came = i64::try_from(before - rows.len()).unwrap_or(i64::MAX);
        if i64::from(standing) != came {
            return Err(NotUndone::More(format!("records that came into {zone} since")));
        }
    }
    Ok(())
}

fn lies_in(row: &AuditRow, zone: &str) -> bool {
    let record = super::record::Record::read(row.after.as_deref());
    record.and_then(|record| record.text("zone")).as_deref() == Some(zone)
}
