//! Where a database is, as programs of others want to be told.

use anyhow::Context as _;
use serde::Serialize;
use std::path::Path;

/// A database, in parts.
#[derive(Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Address {
    /// The SQLite file; empty for a server.
    pub(super) file: String,
    /// Host name or address of the server.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
    /// Its socket, when it is reached by one; else empty.
    pub(super) socket: String,
    /// The database on it.
    pub(super) name: String,
    /// The login.
    pub(super) user: String,
    /// Its password. Never printed.
    pub(super) password: String,
}

impl Address {
    /// Reads `sqlite:PATH` or `mysql://user:password@host:port/name`.
    pub(super) fn read(url: &str) -> anyhow::Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = path.split('?').next().unwrap_or_default();
            let whole = std::path::absolute(Path::new(path))?;
            let file = whole.to_str().context("the database's path is no UTF-8")?.to_owned();
            return Ok(Self { file, ..Self::default() });
        }
        // The password is not for complaints.
        let rest = url.strip_prefix("mysql://").or_else(|| url.strip_prefix("mariadb://"));
        let rest = rest.context(
            "the database is neither sqlite:PATH nor mysql://user:password@host:port/name",
        )?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (server, name) =
            rest.split_once('/').context("the database's URL names no database")?;
        let (login, place) = server.rsplit_once('@').unwrap_or(("", server));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port = port.filter(|port| !port.is_empty()).map_or(Ok(3306), str::parse);
        let socket = query.split('&').find_map(|pair| pair.strip_prefix("socket="));
        Ok(Self {
            file: String::new(),
            host: unescaped(if host.is_empty() { "localhost" } else { host })?,
            port: port.context("the port of the database's URL is none")?,
            socket: unescaped(socket.unwrap_or_default())?,
            name: unescaped(name)?,
            user: unescaped(user)?,
            password: unescaped(password)?,
        })
    }
}

/// A part of a URL without its percent escapes (RFC 3986 section 2.1).
fn unescaped(text: &str) -> anyhow::Result<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let digit = |digit: Option<u8>| digit.and_then(|d| char::from(d).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            anyhow::bail!("the database's URL has a % without two hexadecimal digits behind it")
        };
        octets.push(u8::try_from(high * 16 + low)?);
    }
    String::from_utf8(octets).context("the database's URL is no UTF-8")
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn urls_come_apart() {
        let read = |url: &str| Address::read(url).expect("an address");
        let parts = |url: &str| {
            let Address { host, port, socket, name, user, password, .. } = read(url);
            format!("{host} {port} {socket} {name} {user} {password}")
        };
        for (url, expected) in [
            ("mysql://ngn:secret@db.example:3307/platform", "db.example 3307  platform ngn secret"),
            (
                "mysql://ngn:s%40e%3Ac%2Fr;t@db.example/platform",
                "db.example 3306  platform ngn s@e:c/r;t",
            ),
            (
                "mysql://root@localhost/x?socket=%2Frun%2Fdb.sock&a=b",
                "localhost 3306 /run/db.sock x root ",
            ),
            ("mysql://[2001:db8::1]:3310/x", "2001:db8::1 3310  x  "),
        ] {
            assert_eq!(parts(url), expected, "{url}");
        }
        assert_eq!(read("sqlite:/var/lib/ngn/ngn.sqlite").file, "/var/lib/ngn/ngn.sqlite");
        assert_eq!(
            read("sqlite:///var/lib/ngn/ngn.sqlite?mode=ro").file,
            "/var/lib/ngn/ngn.sqlite"
        );
        assert!(read("sqlite:data/x").file.starts_with('/'));
        for wrong in ["postgres://a/b", "mysql://a", "mysql://u:%zz@h/n", "mysql://u:p@h:port/n"] {
            let error = Address::read(wrong).err().expect("an error").to_string();
            assert!(!error.contains("%zz") && error.contains("database"), "{error}");
        }
    }
}
