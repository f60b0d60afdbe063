//! DNS zones and records (contract C5).

use crate::table::{enumerations, types};

enumerations! {
    /// The type of a DNS record.
    enum DnsRecordType {
        /// IPv4 address.
        A = "A",
        /// IPv6 address.
        Aaaa = "AAAA",
        /// Canonical name.
        Cname = "CNAME",
        /// Mail exchange.
        Mx = "MX",
        /// Naming authority pointer.
        Naptr = "NAPTR",
        /// Name server.
        Ns = "NS",
        /// Service.
        Srv = "SRV",
        /// Text.
        Txt = "TXT",
        /// Pointer.
        Ptr = "PTR",
        /// Location.
        Loc = "LOC",
    }

    /// The type of a fancy DNS record.
    enum DnsFancyRecordType {
        /// Web redirection.
        Url = "URL",
        /// Mail forwarding; the name is `user@zone`.
        MboxFw = "MBOXFW",
    }
}

types! {
    /// A DNS zone.
    struct DnsZone {
        /// Its name.
        name: string key,
        /// Seconds that answers may be cached.
        ttl: nonNegativeInteger,
        /// Its name servers.
        nameservers: [string],
        /// Mail address of the one in charge.
        email: string,
        /// SOA serial.
        serial: int,
        /// SOA refresh.
        refresh: int,
        /// SOA retry.
        retry: int,
        /// SOA expire.
        expire: int,
        /// SOA minimum.
        minimum: int,
        /// The owning customer.
        customer: integer,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
        /// Free text.
        info: string,
    }

    /// DNS zones and how many there are.
    struct DnsZones {
        /// This page.
        zones: [DnsZone],
        /// The matches on all pages.
        total: int,
    }

    /// A DNS record.
    struct DnsRecord {
        /// Its identifier.
        id: integer,
        /// Its zone.
        zone: string,
        /// Owner name.
        name: string,
        /// Type.
        r#type "type": DnsRecordType,
        /// Seconds that it may be cached.
        ttl: unsignedInt,
        /// Value, as in a zone file.
        value: string,
        /// Preference of MX, priority of SRV.
        priority: unsignedShort,
        /// The owner.
        owner: integer,
        /// The owning customer.
        customer: integer,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// DNS records and how many there are.
    struct DnsRecords {
        /// This page.
        records: [DnsRecord],
        /// The matches on all pages.
        total: int,
    }

    /// A record that the platform turns into DNS records and a service.
    struct DnsFancyRecord {
        /// Its identifier.
        id: integer,
        /// Its zone.
        zone: string,
        /// Owner name; `user@zone` for mail forwarding.
        name: string,
        /// Type.
        r#type "type": DnsFancyRecordType,
        /// Address to send visitors or mail to.
        value: string,
        /// The owner.
        owner: integer,
        /// The owning customer.
        customer: integer,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// Fancy DNS records and how many there are.
    struct DnsFancyRecords {
        /// This page.
        records: [DnsFancyRecord],
        /// The matches on all pages.
        total: int,
    }
}
