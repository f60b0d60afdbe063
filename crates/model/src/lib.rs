//! The nouns that the platform's crates share; pure.
//!
//! The crates in the middle (`soap`, `sip`, `dns`, `routing`, `store`) never see each other: what one
//! hands to another is a type of this crate. Nothing here does I/O, reads a clock or draws randomness.

pub mod accept_rules;
pub mod account;
pub mod aor;
pub mod binding;
pub mod call_options;
pub mod call_plan;
pub mod diversion;
pub mod domain_name;
pub mod emergency;
pub mod escapes;
pub mod ha1;
pub mod journal;
pub mod money;
pub mod number;
pub mod owner;
pub mod pstn;
pub mod trusted_peer;
pub mod zone;

pub use accept_rules::AcceptRules;
pub use account::Account;
pub use aor::Aor;
pub use binding::{Binding, BindingKey, Removal};
pub use call_options::CallOptions;
pub use call_plan::{CallPlan, Plan, Reject};
pub use diversion::{Diversion, DiversionAction, DiversionCondition, DiversionTarget};
pub use domain_name::DomainName;
pub use emergency::EmergencyMapping;
pub use ha1::{Ha1, Ha1Sha256};
pub use journal::{Entity, JournalRow, Position};
pub use money::Amount;
pub use number::E164;
pub use owner::{CustomerId, Ownership};
pub use pstn::{Carrier, Gateway, GatewayRule, GatewayTransport, Route};
pub use trusted_peer::{PeerProtocol, TrustedPeer};
