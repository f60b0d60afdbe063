//! DNS core: names, zones, answers, ENUM; pure.

pub mod answer;
pub mod cookie;
pub mod dnssec;
pub mod enum_answer;
pub mod enum_name;
pub mod master;
pub mod name;
pub mod naptr;
pub mod notify;
pub mod rate;
pub mod rdata;
pub mod secondary;
pub mod transfer;
pub mod tsig;
pub mod txt;
pub mod zone;
