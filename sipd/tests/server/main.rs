//! The real server on loopback, with phones made of sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod calls;
mod hard_times;
mod metrics;
mod permission;
mod phone;
mod records;
mod registrations;
mod restart;
mod scene;
mod tcp;
