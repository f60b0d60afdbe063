//! SIP over the real program.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod abuse;
mod bindings;
mod calls;
mod dialogs;
mod diversions;
mod each_diversion;
mod emergencies;
mod endings;
mod enum_calls;
mod fixture;
mod gruus;
mod identity;
mod late_writes;
mod limits;
mod listed;
mod malformed;
mod messages;
mod nodes;
mod numbers;
mod operation;
mod outcomes;
mod overload;
mod phones;
mod prepaid;
mod proxying;
mod pstn;
mod register;
mod secure;
mod softphones;
mod translators;
mod trunks;
mod voicemail;
mod web;
mod world;
