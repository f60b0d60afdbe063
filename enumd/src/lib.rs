//! Authoritative DNS server for SIP domains and ENUM zones.
