//! TLS handshakes (RFC 3261 section 26.3.2, RFC 5922), both ways.

use crate::tls::{Profiles, Served, domains};
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector, client, server};

/// How many domains a client may prove to be.
const MOST_DOMAINS: usize = 8;

/// Lets a client in, with the certificate of the name that it asks for; gives the domains that it proved to be by a
/// certificate that was checked.
pub(super) async fn accept(
    stream: TcpStream,
    local: SocketAddr,
    profiles: &Profiles,
) -> io::Result<(server::TlsStream<TcpStream>, Vec<String>)> {
    let hello = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
    let served = profiles.server(hello.client_hello().server_name(), local);
    let none = || io::Error::new(io::ErrorKind::NotFound, "no certificate for that name");
    let Served { config, verifies } = served.ok_or_else(none)?;
    let stream = hello.into_stream(config).await?;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let domains = shown.filter(|_| verifies).map(|own| domains(own, MOST_DOMAINS));
    Ok((stream, domains.unwrap_or_default()))
}

/// Goes to a server, which must be `name`: the host of the URI that the request is for (RFC 5922 section 4), or an
/// address.
pub(super) async fn connect(
    stream: TcpStream,
    name: &str,
    profiles: &Profiles,
) -> io::Result<client::TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "no name of a server"))?;
    TlsConnector::from(profiles.client()).connect(name, stream).await
}
