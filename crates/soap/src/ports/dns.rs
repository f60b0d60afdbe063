//! The Dns port (contract B4).

use crate::table::operations;
use crate::types::*;

operations! {
    Dns;

    /// Adds a DNS zone.
    AddZone "addZone" { zone: DnsZone } -> DnsZone
        faults [5000 5003 7001 8002 9001]
        rules [B9 B14 B21 B36 B37 B38 B115 B116 B117 B129a];
    /// Changes a DNS zone.
    UpdateZone "updateZone" { zone: DnsZone } -> void
        faults [5000 7000 9001]
        rules [B9 B10 B15 B115 B116 B117 B127 B129a B129b];
    /// Deletes a DNS zone.
    DeleteZone "deleteZone" { zone: string } -> void
        faults [7000 9001]
        rules [B10 B128];
    /// Returns a DNS zone.
    GetZone "getZone" { zone: string } -> DnsZone
        faults [7000 9001]
        rules [B11 B116];
    /// Lists DNS zones.
    GetZones "getZones" { query: DnsZoneQuery } -> DnsZones
        faults []
        rules [B11 B12 B40 B41 B44 B45 B46];
    /// Adds a DNS record.
    AddRecord "addRecord" { record: DnsRecord } -> DnsRecord
        faults [5003 7000 7003 7004 9001]
        rules [B10 B13 B15 B21 B116 B119 B120 B121 B122 B123 B124 B126 B129b B129c];
    /// Adds a fancy DNS record.
    AddFancyRecord "addFancyRecord" { record: DnsFancyRecord } -> DnsFancyRecord
        faults [5003 7000 7003 7004 8002 9001]
        rules [B10 B13 B15 B21 B36 B37 B38 B119 B120 B125];
    /// Changes a DNS record.
    UpdateRecord "updateRecord" { record: DnsRecord } -> void
        faults [7002 7003 7004 9001]
        rules [B10 B13 B15 B116 B118 B119 B120 B121 B122 B123 B124 B129b];
    /// Changes a fancy DNS record.
    UpdateFancyRecord "updateFancyRecord" { record: DnsFancyRecord } -> void
        faults [7002 7003 7004 9001]
        rules [B10 B13 B15 B118 B119 B120 B125];
    /// Deletes a DNS record.
    DeleteRecord "deleteRecord" { record_id "recordId": integer } -> void
        faults [7002 9001]
        rules [B10 B116 B129];
    /// Deletes a fancy DNS record.
    DeleteFancyRecord "deleteFancyRecord" { record_id "recordId": integer } -> void
        faults [7002 9001]
        rules [B10 B125 B129];
    /// Returns a DNS record.
    GetRecord "getRecord" { record_id "recordId": integer } -> DnsRecord
        faults [7002 9001]
        rules [B11 B15 B129];
    /// Returns a fancy DNS record.
    GetFancyRecord "getFancyRecord" { record_id "recordId": integer } -> DnsFancyRecord
        faults [7002 9001]
        rules [B11 B15 B125 B129];
    /// Lists DNS records.
    GetRecords "getRecords" { query: DnsRecordQuery } -> DnsRecords
        faults []
        rules [B11 B12 B15 B40 B41 B44 B45 B46 B48 B125];
    /// Lists fancy DNS records.
    GetFancyRecords "getFancyRecords" { query: DnsFancyRecordQuery } -> DnsFancyRecords
        faults []
        rules [B11 B12 B15 B40 B41 B44 B45 B46 B48 B125];
}
