//! One transfer, over TCP (RFC 1995 section 2 lets the first request be over TCP, RFC 5936 section 4.1 asks for it).

use super::Secondary;
use crate::config::Fetching;
use crate::snapshot::now;
use crate::tcp::read_message;
use ngn_dns::secondary::{Asking, Incoming, Invalid, Outcome, ask};
use ngn_dns::zone::Zone;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a master may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take for each message.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much is read at once.
const READ: usize = 64 * 1024;

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The network.
    #[error("the connection failed: {0}")]
    Network(#[from] io::Error),
    /// The master says too little.
    #[error("the master is too slow")]
    Slow(#[from] tokio::time::error::Elapsed),
    /// The master ended the connection.
    #[error("the master ended the connection in the middle of the transfer")]
    Ended,
    /// What came is no zone.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A fault in our code.
    #[error("the transfer could not be taken")]
    Broken,
}

/// Asks a master what changed, and for the whole zone when that leads nowhere.
pub(super) async fn fetch(
    zone: &Secondary,
    master: SocketAddr,
    held: Option<&Arc<Zone>>,
    settings: &Fetching,
) -> Result<Outcome, FetchError> {
    let whole = Duration::from_secs(settings.seconds);
    if held.is_some() {
        match timeout(whole, transfer(zone, master, held, true, settings)).await? {
            Ok(outcome) => return Ok(outcome),
            Err(FetchError::Invalid(error @ Invalid::Unverified(_))) => return Err(error.into()),
            Err(error @ (FetchError::Invalid(_) | FetchError::Ended | FetchError::Slow(_))) => {
                tracing::debug!(dns.zone = %zone.apex, %master, %error, "the whole zone is asked for");
            }
            Err(error) => return Err(error),
        }
    }
    timeout(whole, transfer(zone, master, held, false, settings)).await?
}

async fn transfer(
    zone: &Secondary,
    master: SocketAddr,
    held: Option<&Arc<Zone>>,
    incremental: bool,
    settings: &Fetching,
) -> Result<Outcome, FetchError> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(io::Error::other)?;
    let (apex, key, limits) = (&zone.apex, zone.key.as_ref(), settings.limits());
    let asking = Asking { apex, held, incremental, key, limits };
    let (request, mut incoming) = ask(&asking, u16::from_ne_bytes(id), now());
    let stream = timeout(CONNECT, TcpStream::connect(master)).await??;
    let _ = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let length = u16::try_from(request.len()).map_err(io::Error::other)?;
    let sent = [&length.to_be_bytes()[..], &request].concat();
    timeout(PATIENCE, write.write_all(&sent)).await??;
    let mut read = BufReader::with_capacity(READ, read);
    loop {
        let mut message = Vec::new();
        if timeout(PATIENCE, read_message(&mut read, &mut message)).await??.is_none() {
            return Err(FetchError::Ended);
        }
        // The last message makes the zone, which may take a while.
        let taken = tokio::task::spawn_blocking(move || {
            let outcome = incoming.take(&message, now());
            (incoming, outcome)
        });
        let (back, outcome): (Incoming, _) = taken.await.map_err(|_| FetchError::Broken)?;
        incoming = back;
        if let Some(outcome) = outcome? {
            return Ok(outcome);
        }
    }
}
