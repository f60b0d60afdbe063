//! The store's contract: one suite that runs on SQLite always, and on MySQL or MariaDB when
//! `NGN_TEST_MYSQL_URL` names a server (`mysql://user:password@host:port/any`) whose user may do everything.
//! Each test has a database of its own.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)]

mod accounts;
mod backend;
mod billing;
mod call_options;
mod directory;
mod dns_port;
mod durability;
mod enum_rows;
mod follower;
mod listing;
mod location;
mod measure;
mod pstn;
mod radacct;
mod schema;
mod secrets;
mod serials;
mod traces;
mod transactions;
mod zone_keys;
mod zones;

/// Makes one test on each database out of `async fn name(backend: &Backend)`.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let backend = crate::backend::Backend::sqlite().await;
                super::$name(&backend).await;
                backend.remove().await;
            })*
        }
        mod mysql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(backend) = crate::backend::Backend::mysql().await else { return };
                super::$name(&backend).await;
                backend.remove().await;
            })*
        }
    };
}
pub(crate) use on_both;

/// Makes a test on MySQL alone, for what SQLite cannot do.
macro_rules! on_mysql {
    ($($name:ident),* $(,)?) => {
        mod mysql_only {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(backend) = crate::backend::Backend::mysql().await else { return };
                super::$name(&backend).await;
                backend.remove().await;
            })*
        }
    };
}
pub(crate) use on_mysql;
