//! SIP over the real program.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod abuse;
mod calls;
mod diversions;
mod each_diversion;
mod emergencies;
mod enum_calls;
mod fixture;
mod limits;
mod malformed;
mod numbers;
mod phones;
mod prepaid;
mod pstn;
mod register;
mod secure;
mod trunks;
mod voicemail;
mod web;
