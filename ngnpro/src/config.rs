//! What ngnpro's configuration file says; `etc/ngnpro.toml` explains each key.

use ngn_model::DomainName;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The whole file. A missing key has the value that `etc/ngnpro.toml` shows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// URL of the database, `sqlite:PATH` or `mysql://user:password@host:port/name`.
    pub database: String,
    /// Where SOAP is served.
    pub listen: SocketAddr,
    /// Allows plain HTTP on an address that other machines reach.
    pub allow_plain_http: bool,
    /// The URL that the WSDL names as the service's address; the address by which the client came when absent.
    pub public_url: Option<String>,
    /// Address of the admin HTTP port.
    pub admin: SocketAddr,
    /// Allows `admin` to be reachable from other machines.
    pub admin_beyond_loopback: bool,
    /// The administrator's login (B2).
    pub administrator: Administrator,
    /// What provisioning does by default.
    pub provisioning: Provisioning,
    /// Web redirects (B125).
    pub redirect: Redirect,
    /// How passwords are kept that must be readable (B8).
    pub passwords: Passwords,
    /// Limits on what the network may cost.
    pub limits: Limits,
    /// Log filter.
    pub log: String,
}

/// The administrator's login (B2).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Administrator {
    /// User name.
    pub username: String,
    /// A file that holds the password and nothing else.
    pub password_file: PathBuf,
}

/// What provisioning does by default.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provisioning {
    /// Keeps SIP passwords in clear text beside their digests (B62).
    pub store_clear_text_passwords: bool,
    /// Credit of a reseller or customer that has no property for it (B38); absent means none at all.
    pub default_credit: Option<u64>,
    /// Name servers of zones and ranges that name none (B115).
    pub nameservers: Vec<String>,
    /// The most records that one answer holds (B45), 5000 or more.
    pub page: u64,
    /// The lowest mailbox number that is generated (B152), 1 or more.
    pub first_mailbox: i64,
    /// Whether the Voicemail port serves accounts whose SIP accounts are elsewhere (B157).
    pub standalone_voicemail: bool,
    /// What names of URL records resolve to (B125); nothing when empty.
    pub redirect_addresses: Vec<IpAddr>,
    /// The mail server of domains with MBOXFW records (B125); none when empty.
    pub mail_host: String,
}

/// Web redirects (B125).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redirect {
    /// Where visitors of URL records are sent on by HTTP; nowhere when absent.
    pub listen: Option<SocketAddr>,
    /// Connections at one time.
    pub connections: usize,
}

/// How passwords are kept that must be readable (B8).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Passwords {
    /// Encrypts customers' passwords, and SIP passwords in clear text, with a key outside the database.
    pub encrypt: bool,
    /// The file that holds the key; made at the first start.
    pub key_file: PathBuf,
}

/// Limits on what the network may cost.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Octets of a request's body.
    pub body: usize,
    /// Nesting of XML elements.
    pub depth: usize,
    /// XML elements of a request.
    pub nodes: usize,
    /// Connections at one time.
    pub connections: usize,
    /// Seconds that one call may take; clients give up after 5.
    pub call_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            database: "sqlite:data/ngn.sqlite".to_owned(),
            listen: SocketAddr::new(localhost, 9200),
            allow_plain_http: false,
            public_url: None,
            admin: SocketAddr::new(localhost, 9280),
            admin_beyond_loopback: false,
            administrator: Administrator::default(),
            provisioning: Provisioning::default(),
            redirect: Redirect::default(),
            passwords: Passwords::default(),
            limits: Limits::default(),
            log: "info".to_owned(),
        }
    }
}

impl Default for Administrator {
    fn default() -> Self {
        Self { username: "admin".to_owned(), password_file: PathBuf::from("data/admin-password") }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self { encrypt: true, key_file: PathBuf::from("data/password-key") }
    }
}

impl Default for Provisioning {
    fn default() -> Self {
        Self {
            store_clear_text_passwords: true,
            default_credit: None,
            nameservers: Vec::new(),
            page: 10_000,
            first_mailbox: 1_000_000,
            standalone_voicemail: false,
            redirect_addresses: Vec::new(),
            mail_host: String::new(),
        }
    }
}

impl Default for Redirect {
    fn default() -> Self {
        Self { listen: None, connections: 1_024 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1 << 20, depth: 64, nodes: 20_000, connections: 1_024, call_seconds: 4 }
    }
}

impl Config {
    /// Finds what is well-formed and still makes no sense.
    ///
    /// # Errors
    ///
    /// A text that names the key and says what to write.
    pub fn check(&self) -> Result<(), String> {
        if !self.listen.ip().is_loopback() && !self.allow_plain_http {
            return Err(format!(
                "listen = {} is reachable from other machines without TLS; put a TLS front end before a \
                 loopback address, or set allow_plain_http = true",
                self.listen
            ));
        }
        if self.provisioning.page < 5_000 {
            return Err("provisioning.page: must be 5000 or more (B45)".to_owned());
        }
        if !(1..=999_999_999_999).contains(&self.provisioning.first_mailbox) {
            return Err("provisioning.first_mailbox: must have 1 to 12 digits".to_owned());
        }
        let mail_host = &self.provisioning.mail_host;
        if !mail_host.is_empty() && DomainName::new(mail_host).is_err() {
            return Err(format!("provisioning.mail_host: `{mail_host}` is no name of a host"));
        }
        if self.redirect.connections == 0 {
            return Err("redirect.connections: must be at least 1".to_owned());
        }
        if self.public_url.as_deref().is_some_and(|url| url.ends_with("wsdl")) {
            return Err(
                "public_url: may not end in `wsdl`; PEAR would take it for a WSDL".to_owned()
            );
        }
        if self.limits.call_seconds == 0 || self.limits.body < 4_096 {
            return Err("limits: call_seconds must be 1 or more, body 4096 or more".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_file_shows_the_defaults() {
        let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../etc/ngnpro.toml"));
        let config: Config =
            ngn_daemon::config::load(Some(path), "NGNPRO", Vec::new(), Config::check)
                .expect("it can be read");
        assert_eq!(config, Config::default());
    }

    #[test]
    fn defaults_make_sense_and_nonsense_is_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let config = Config { listen: SocketAddr::from(([0, 0, 0, 0], 9200)), ..Config::default() };
        assert!(config.check().is_err_and(|text| text.contains("allow_plain_http")));
    }
}
