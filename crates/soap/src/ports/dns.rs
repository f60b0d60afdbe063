//! The Dns port (contract B4).

use crate::table::operations;
use crate::types::*;

operations! {
    Dns;

    /// Adds a DNS zone.
    AddZone "addZone" { zone: DnsZone } -> DnsZone;
    /// Changes a DNS zone.
    UpdateZone "updateZone" { zone: DnsZone } -> void;
    /// Deletes a DNS zone.
    DeleteZone "deleteZone" { zone: string } -> void;
    /// Returns a DNS zone.
    GetZone "getZone" { zone: string } -> DnsZone;
    /// Lists DNS zones.
    GetZones "getZones" { query: DnsZoneQuery } -> DnsZones;
    /// Adds a DNS record.
    AddRecord "addRecord" { record: DnsRecord } -> DnsRecord;
    /// Adds a fancy DNS record.
    AddFancyRecord "addFancyRecord" { record: DnsFancyRecord } -> DnsFancyRecord;
    /// Changes a DNS record.
    UpdateRecord "updateRecord" { record: DnsRecord } -> void;
    /// Changes a fancy DNS record.
    UpdateFancyRecord "updateFancyRecord" { record: DnsFancyRecord } -> void;
    /// Deletes a DNS record.
    DeleteRecord "deleteRecord" { record_id "recordId": integer } -> void;
    /// Deletes a fancy DNS record.
    DeleteFancyRecord "deleteFancyRecord" { record_id "recordId": integer } -> void;
    /// Returns a DNS record.
    GetRecord "getRecord" { record_id "recordId": integer } -> DnsRecord;
    /// Returns a fancy DNS record.
    GetFancyRecord "getFancyRecord" { record_id "recordId": integer } -> DnsFancyRecord;
    /// Lists DNS records.
    GetRecords "getRecords" { query: DnsRecordQuery } -> DnsRecords;
    /// Lists fancy DNS records.
    GetFancyRecords "getFancyRecords" { query: DnsFancyRecordQuery } -> DnsFancyRecords;
}
