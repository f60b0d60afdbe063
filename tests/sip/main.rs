//! SIP over the real program.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod diversions;
mod fixture;
mod malformed;
mod phones;
mod pstn;
mod register;
