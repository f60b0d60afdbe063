//! Where a database is, as programs of others want to be told.

use anyhow::Context as _;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use std::path::Path;
use url::Url;

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
        // Neither the password nor what the parser makes of it is for complaints.
        let form = "the database is neither sqlite:PATH nor mysql://user:password@host:port/name";
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "mysql" | "mariadb"));
        let url = url.context(form)?;
        let name = url.path().strip_prefix('/').filter(|name| !name.is_empty());
        let host = url.host_str().filter(|host| !host.is_empty()).unwrap_or("localhost");
        let socket = url.query_pairs().find(|(key, _)| key == "socket");
        Ok(Self {
            file: String::new(),
            host: unescaped(host.trim_matches(['[', ']']))?,
            port: url.port().unwrap_or(3306),
            socket: socket.map(|(_, socket)| socket.into_owned()).unwrap_or_default(),
            name: unescaped(name.context("the database's URL names no database")?)?,
            user: unescaped(url.username())?,
            password: unescaped(url.password().unwrap_or_default())?,
        })
    }
}

/// A part of a URL without its percent escapes (RFC 3986 section 2.1).
fn unescaped(text: &str) -> anyhow::Result<String> {
    let plain = percent_decode_str(text).decode_utf8();
    Ok(plain.context("the database's URL is no UTF-8")?.into_owned())
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
        for wrong in ["postgres://a/b", "mysql://a", "mysql://u:%ff@h/n", "mysql://u:p@h:port/n"] {
            let error = Address::read(wrong).err().expect("an error").to_string();
            assert!(!error.contains("%ff") && error.contains("database"), "{error}");
        }
    }
}
