//! What a proxy decides about messages (RFC 3261 section 16), apart from transactions and time.
//!
//! ```text
//! request --> validate (16.3) --> route_set (16.4) --> [targets from the call plan (16.5)] --> forward (16.6)
//! response --> context (16.7): relay, take the next step of the plan, or choose the best answer
//! ```
//!
//! Everything here is a plain function or a state machine over values; the [stack](crate::stack) carries the
//! messages from one to the next.

pub(crate) mod answer;
pub(crate) mod branch;
pub(crate) mod context;
pub(crate) mod endpoint;
pub(crate) mod forward;
pub(crate) mod outcome;
pub mod plan;
pub(crate) mod record_route;
pub(crate) mod secret;
pub mod session_timer;
pub(crate) mod validate;

pub use endpoint::{Destination, FlowId, Interface, Oversize, Source};
pub use plan::{Edit, ForwardPlan, ForwardStep, ForwardTarget};
pub use secret::Secret;
pub use session_timer::SessionRules;
