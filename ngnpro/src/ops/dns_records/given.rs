//! What a call says of a record.

use crate::ops::required;
use crate::rules::{dns_record, dns_zone};
use ngn_model::DomainName;
use ngn_soap::Fault;
use ngn_soap::types::{DnsFancyRecordType, DnsRecord, DnsRecordType};
use ngn_store::{DnsRecordRow, DnsZoneRow, NewRecord, RecordOrigin};

/// What a call says of a record, plain or fancy.
#[derive(Debug)]
pub(in crate::ops) struct Given {
    pub(in crate::ops) id: Option<i64>,
    pub(in crate::ops) zone: Option<String>,
    pub(in crate::ops) name: Option<String>,
    pub(in crate::ops) rtype: Option<&'static str>,
    pub(in crate::ops) ttl: Option<u32>,
    pub(in crate::ops) value: Option<String>,
    pub(in crate::ops) priority: Option<u16>,
    pub(in crate::ops) owner: i64,
    pub(in crate::ops) fancy: bool,
}

impl From<DnsRecord> for Given {
    fn from(record: DnsRecord) -> Self {
        Self {
            id: record.id,
            zone: record.zone,
            name: record.name,
            rtype: record.r#type.map(DnsRecordType::as_str),
            ttl: record.ttl,
            value: record.value,
            priority: record.priority,
            owner: record.owner.unwrap_or_default(),
            fancy: false,
        }
    }
}

impl Given {
    pub(in crate::ops) fn is_mailbox(&self) -> bool {
        self.rtype == Some("MBOXFW")
    }

    /// The zone; that of a mailbox is the part after the @ when none is named (B125).
    pub(in crate::ops) fn zone(&self) -> Result<DomainName, Fault> {
        let named = self.zone.as_deref().filter(|zone| !zone.trim().is_empty());
        let mailbox = self.name.as_deref().filter(|_| self.is_mailbox());
        let behind = mailbox.and_then(|name| name.rsplit_once('@')).map(|(_, domain)| domain);
        dns_zone::read_name(named.or(behind), "record.zone")
    }

    /// The time to live in seconds; nothing and 0 are the default (B123).
    pub(in crate::ops) fn ttl(&self) -> Result<u32, Fault> {
        dns_zone::ttl(self.ttl, "record.ttl")
    }

    pub(in crate::ops) fn name(&self, zone: &DomainName) -> Result<String, Fault> {
        if self.is_mailbox() {
            dns_record::mailbox(self.name.as_deref().unwrap_or_default(), zone)
        } else {
            dns_record::owner_name(self.name.as_deref(), zone)
        }
    }

    /// Whether the call names this zone.
    pub(in crate::ops) fn is_in(&self, zone: &str) -> bool {
        self.zone().is_ok_and(|given| given.as_str() == zone)
    }

    /// The row to be written at a name; `before` is the record that it replaces.
    pub(in crate::ops) fn record(
        &self,
        zone: &DnsZoneRow,
        apex: &DomainName,
        name: String,
        before: Option<&DnsRecordRow>,
    ) -> Result<NewRecord, Fault> {
        let rtype = self.rtype.or(before.and_then(|row| known_type(&row.rtype)));
        let rtype = required(rtype, "record.type")?;
        let value = required(self.value.as_deref(), "record.value")?;
        let had = before.and_then(|row| u16::try_from(row.prio).ok()).unwrap_or(0);
        let written = if self.fancy {
            let content = dns_record::fancy_value(rtype, value)?;
            dns_record::Written { content, value: None, priority: 0 }
        } else {
            dns_record::write(rtype, value, self.priority, had, apex)?
        };
        // The NS records at the apex are one RRset with the zone's own (B129a, B129b).
        let ttl = match rtype {
            "NS" if name == apex.as_str() => zone.ttl,
            _ => self.ttl()?,
        };
        let key = dns_record::key(apex, &name, rtype, &written.content, written.priority);
        Ok(NewRecord {
            domain_id: zone.domain_id,
            name,
            rtype: rtype.to_owned(),
            content: written.content,
            ttl,
            priority: written.priority,
            origin: if self.fancy { RecordOrigin::Fancy } else { RecordOrigin::Api },
            value: written.value,
            owner: self.owner,
            record_key: Some(key),
        })
    }
}

fn known_type(rtype: &str) -> Option<&'static str> {
    let plain = DnsRecordType::from_name(rtype).map(DnsRecordType::as_str);
    plain.or(DnsFancyRecordType::from_name(rtype).map(|kind| kind.as_str()))
}
