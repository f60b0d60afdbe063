//! What needs several parts of the platform at once, and what must hold when it is treated badly.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod concurrency;
mod emergency;
mod endurance;
mod explain;
mod journal;
mod power_cut;
mod subscriber;
mod undo;
