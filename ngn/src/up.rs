//! `ngn up`: the whole platform in one process.

use crate::platform::{Addresses, Platform};
use crate::say;
use ngn_daemon::{logging, notify_systemd, reload_on_hangup, shutdown_signal};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where the platform runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where the platform keeps its files: the administrator's password and, by default, the database.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Another database than the SQLite file in the data directory, such as mysql://user:password@host/name.
    #[arg(long, value_name = "URL", env = "NGN_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// Where SOAP is served.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9200")]
    soap: SocketAddr,
    /// Where SIP is served, UDP and TCP.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5060")]
    sip: SocketAddr,
    /// Where DNS is served, UDP and TCP.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5300")]
    dns: SocketAddr,
    /// Where the admin port is served.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9280")]
    admin: SocketAddr,
    /// Log filter.
    #[arg(long, value_name = "FILTER", default_value = "warn,ngn::load=info,enumd::query=info")]
    log: String,
}

/// Runs until a signal comes.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    logging::start(&options.log).map_err(anyhow::Error::msg)?;
    let Options { soap, sip, dns, admin, .. } = options;
    let addresses = Addresses { soap, sip, dns, admin };
    let mut platform =
        Platform::start(&options.data, options.database.as_deref(), addresses).await?;
    if let Some(password) = &platform.new_password {
        say(&format!(
            "administrator: admin, password: {password} (kept in {})",
            platform.password_file.display()
        ));
    }
    say(&platform.ready_line());
    notify_systemd("READY=1");
    let reload = platform.reload.clone();
    tokio::select! {
        never = reload_on_hangup(reload) => match never {},
        failure = platform.failure() => return Err(failure),
        () = shutdown_signal() => {}
    }
    notify_systemd("STOPPING=1");
    tokio::select! {
        stopped = platform.stop() => stopped,
        () = shutdown_signal() => anyhow::bail!("ended by a second signal"),
    }
}
