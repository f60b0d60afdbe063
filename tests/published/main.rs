//! What we publish is true: examples, configuration files and the commands of the README are run as they stand.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod configuration;
mod demo;
mod examples;
mod metrics;
mod reference;
mod routes;
mod tools;
mod units;
mod voicemail;
