//! RFC 3261 messages, transactions, digest, registrar and proxy core; pure.

pub mod dialog;
pub mod digest;
pub mod framing;
pub mod gruu;
pub mod guard;
pub mod header;
pub mod hep;
pub mod locate;
pub mod message;
pub mod proxy;
pub mod registrar;
pub mod room;
pub mod stack;
pub mod stun;
pub mod transaction;
pub mod uri;
pub mod watch;
