//! Fancy DNS records: web redirects and mail forwarding (B125). They are rows of `records` that no DNS server serves.

use super::dns_records::{self, Given, VALUE};
use super::{Call, Outcome, query_parts, required, wire_time, wire_total};
use ngn_soap::dns;
use ngn_soap::types::{DnsFancyRecord, DnsFancyRecordType, DnsFancyRecords};
use ngn_store::{DnsRecordRow, Filter};

/// `addFancyRecord`.
pub async fn add(call: &Call<'_>, request: dns::AddFancyRecord) -> Outcome<DnsFancyRecord> {
    let given = Given::from(required(request.record, "record")?);
    let (row, position) = dns_records::add_given(call, given).await?;
    Ok((wire(row), position))
}

/// `updateFancyRecord`.
pub async fn update(call: &Call<'_>, request: dns::UpdateFancyRecord) -> Outcome<()> {
    dns_records::update_given(call, Given::from(required(request.record, "record")?)).await
}

/// `deleteFancyRecord`.
pub async fn delete(call: &Call<'_>, request: dns::DeleteFancyRecord) -> Outcome<()> {
    dns_records::delete_id(call, required(request.record_id, "recordId")?, &[true]).await
}

/// `getFancyRecord`.
pub async fn get(call: &Call<'_>, request: dns::GetFancyRecord) -> Outcome<DnsFancyRecord> {
    let id = required(request.record_id, "recordId")?;
    Ok((wire(dns_records::get_id(call, id, true).await?), None))
}

/// `getFancyRecords`.
pub async fn list(call: &Call<'_>, request: dns::GetFancyRecords) -> Outcome<DnsFancyRecords> {
    let (wanted, order, range) = query_parts!(request.query);
    let mut filter = Filter::new();
    filter
        .number("r.id", wanted.id)
        .text_lower("d.name", wanted.zone.as_deref())
        .text_lower("r.name", wanted.name.as_deref())
        .text("r.type", wanted.r#type.as_deref())
        .text(VALUE, wanted.value.as_deref())
        .number("r.owner", wanted.owner)
        .number("z.customer", wanted.customer)
        .number("z.reseller", wanted.reseller);
    let range = call.range(range.as_ref());
    let (rows, total) = dns_records::list_rows(call, filter, true, order, range).await?;
    let records = rows.into_iter().map(wire).collect();
    Ok((DnsFancyRecords { records: Some(records), total: wire_total(total) }, None))
}

impl From<DnsFancyRecord> for Given {
    fn from(record: DnsFancyRecord) -> Self {
        Self {
            id: record.id,
            zone: record.zone,
            name: record.name,
            rtype: record.r#type.map(DnsFancyRecordType::as_str),
            ttl: None,
            value: record.value,
            priority: None,
            owner: record.owner.unwrap_or_default(),
            fancy: true,
        }
    }
}

fn wire(row: DnsRecordRow) -> DnsFancyRecord {
    DnsFancyRecord {
        id: Some(row.id),
        zone: Some(row.zone),
        name: Some(row.name),
        r#type: DnsFancyRecordType::from_name(&row.rtype),
        value: Some(row.value),
        owner: Some(row.owner),
        customer: Some(row.customer),
        reseller: Some(row.reseller),
        change_date: wire_time(row.change_date),
    }
}
