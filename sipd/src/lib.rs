//! SIP registrar and proxy.

pub mod cdr;
pub mod config;
pub mod directory;
pub mod follower;
pub mod location;
pub mod registrar;
