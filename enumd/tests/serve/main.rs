//! The real server on loopback, on a real store: SQLite always, MySQL or MariaDB when `NGN_TEST_MYSQL_URL` names one.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod changes;
mod fixture;
mod https;
mod outage;
mod sockets;
mod tls;
mod transfer;

/// Makes one test on each database out of `async fn name(fixture: &Fixture)`.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let fixture = crate::fixture::Fixture::sqlite().await;
                super::$name(&fixture).await;
            })*
        }
        mod mysql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(fixture) = crate::fixture::Fixture::mysql().await else { return };
                super::$name(&fixture).await;
                fixture.remove().await;
            })*
        }
    };
}
pub(crate) use on_both;
