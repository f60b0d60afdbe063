//! Call decisions; pure.
//!
//! [`plan()`] is the one function that decides where a call goes. It stands between the facts that `sipd`
//! gathers in one go and the proxy core that walks the steps it returns. No other place decides.

mod accept;
mod barring;
pub mod diversion;
pub mod plan;

pub use diversion::Diverted;
pub use plan::{CallFacts, Callee, Caller, Settings, plan};
