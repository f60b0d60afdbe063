//! ENUM ranges and numbers (contract C4).

use crate::table::types;

types! {
    /// The key of an ENUM range.
    struct EnumRangeId {
        /// Number prefix, digits.
        prefix: string key,
        /// Top level domain.
        tld: string key,
    }

    /// A range of numbers below a prefix.
    struct EnumRange {
        /// Its key.
        id: EnumRangeId key,
        /// Seconds that answers may be cached; 3600 when absent.
        ttl: nonNegativeInteger,
        /// Numbers have at least so many digits.
        min_digits "minDigits": int,
        /// Numbers have at most so many digits.
        max_digits "maxDigits": int,
        /// How many numbers it may hold.
        size: int,
        /// The zone's name servers.
        nameservers: [string],
        /// How many numbers it holds.
        used: int ro,
        /// The zone's serial.
        serial: int ro,
        /// The owning customer.
        customer: integer,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
        /// Free text.
        info: string,
    }

    /// ENUM ranges and how many there are.
    struct EnumRanges {
        /// This page.
        ranges: [EnumRange],
        /// The matches on all pages.
        total: int,
    }

    /// The key of an ENUM number.
    struct EnumId {
        /// The number, digits.
        number: string key,
        /// Top level domain.
        tld: string key,
    }

    /// One service of a number.
    struct EnumMapping {
        /// Its identifier.
        id: int,
        /// The service.
        r#type "type": string,
        /// The URI.
        mapto: string,
        /// Order of preference, lowest first.
        priority: int,
        /// Seconds that answers may be cached; 3600 when absent.
        ttl: int,
    }

    /// A number in ENUM.
    struct EnumNumber {
        /// Its key.
        id: EnumId key,
        /// Its services.
        mappings: [EnumMapping],
        /// Free text.
        info: string,
        /// The owner.
        owner: integer,
        /// The owning customer.
        customer: integer,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// ENUM numbers and how many there are.
    struct EnumNumbers {
        /// This page.
        numbers: [EnumNumber],
        /// The matches on all pages.
        total: int,
    }
}
