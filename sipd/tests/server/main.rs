//! The real server on loopback, with phones made of sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod calls;
mod certificates;
mod digest;
mod families;
mod hard_times;
mod large;
mod live;
mod metrics;
mod mysql;
mod permission;
mod phone;
mod records;
mod registrations;
mod restart;
mod reuse;
mod scene;
mod stun;
mod tcp;
mod tls;
mod torture;
mod websocket;
