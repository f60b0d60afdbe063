//! Call decisions; pure.
//!
//! [`plan()`] is the one function that decides where a call goes. It stands between the facts that `sipd`
//! gathers in one go and the proxy core that walks the steps it returns. No other place decides.

mod accept;
mod barring;
pub mod dial;
pub mod diversion;
pub mod emergency;
pub mod facts;
pub mod number;
pub mod plan;
#[allow(dead_code, unused_imports)]
pub mod pstn;
#[cfg(test)]
mod testing;
pub mod trunk;

pub use emergency::EmergencyTable;
pub use facts::{CallFacts, Callee, Caller, Diverted, EnumAnswer, GatewayOrder, Settings, Usage};
pub use number::NumberPlan;
pub use plan::{enum_questions, plan};
pub use pstn::Pstn;
