//! Call decisions; pure.
//!
//! [`plan()`] is the one function that decides where a call goes. It stands between the facts that `sipd`
//! gathers in one go and the proxy core that walks the steps it returns. No other place decides.

mod accept;
mod account;
mod barring;
mod caller_id;
pub mod cases;
pub mod dial;
pub mod diversion;
pub mod emergency;
mod enum_table;
pub mod facts;
pub mod history;
mod legs;
pub mod number;
mod paying;
pub mod plan;
pub mod pstn;
#[cfg(test)]
mod testing;
mod to_number;
pub mod trunk;
mod voicemail;

pub use caller_id::{ASSERTIONS, is_anonymous};
pub use emergency::EmergencyTable;
pub use enum_table::EnumTable;
pub use facts::{
    Asks, CallFacts, Callee, Caller, Diverted, EnumAnswer, GatewayOrder, Purpose, Settings, Usage,
};
pub use number::NumberPlan;
pub use plan::{enum_questions, plan};
pub use pstn::Pstn;
pub use voicemail::MESSAGE_SUMMARY;
