//! The SOAP API over the real program: one folder per port, one file per operation, each test on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod at_rest;
mod auth;
mod cells;
mod customer;
mod dns;
mod enum_;
mod hostile;
mod hostile_operations;
mod matrix;
mod network;
mod ownership;
mod races;
mod rating;
mod safe_writes;
mod screens;
mod sip;
mod voicemail;
mod wire;
mod wsdl;
