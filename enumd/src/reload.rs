//! Settings that are read again while the server serves (SIGHUP).

use crate::config::Config;
use crate::query_log::QueryLog;
use crate::tls::Certificate;
use ngn_daemon::differing;
use std::sync::Arc;

/// Takes settings that were read again. Clones are the same.
#[derive(Debug, Clone)]
pub struct Reloader {
    began: Arc<Config>,
    certificate: Certificate,
    query_log: Arc<QueryLog>,
}

impl Reloader {
    pub(crate) fn new(config: &Config, certificate: Certificate, query_log: Arc<QueryLog>) -> Self {
        Self { began: Arc::new(config.clone()), certificate, query_log }
    }

    /// Takes settings that were read again, and gives the keys that changed and hold after a restart only.
    ///
    /// # Errors
    ///
    /// When they cannot be used; everything then stays as it is.
    pub fn reload(&self, new: &Config) -> anyhow::Result<Vec<&'static str>> {
        new.check().map_err(anyhow::Error::msg)?;
        self.certificate.reload(&new.tls)?;
        self.query_log.set(&new.query_log);
        Ok(late(&self.began, new))
    }
}

/// The keys that differ and hold after a restart only.
fn late(began: &Config, new: &Config) -> Vec<&'static str> {
    let mut late = Vec::new();
    differing!(late, began, new; database, admin, admin_beyond_loopback, log, keys, secondary);
    differing!(late, began.listen, new.listen, "listen": udp, tcp, tls, https);
    differing!(late, began.https, new.https, "https": path, plain, streams);
    differing!(late, began.snapshot, new.snapshot, "snapshot": file, interval_seconds);
    differing!(late, began.transfer, new.transfer, "transfer":
        allow, keys, differences, zone_octets, all_octets);
    differing!(late, began.notify, new.notify, "notify": secondaries, name_servers);
    differing!(late, began.fetching, new.fetching, "fetching":
        records, octets, seconds, at_once, least_seconds);
    differing!(late, began.dnssec, new.dnssec, "dnssec": key_file, signatures);
    differing!(late, began.rate, new.rate, "rate": responses, nxdomains, errors, slip, exempt);
    differing!(late, began.limits, new.limits, "limits":
        udp_octets, udp_threads, udp_processors, receive_buffer, connections,
        connections_per_address, idle_seconds);
    differing!(late, began.metrics, new.metrics, "metrics": zones);
    // What is none of these is named as well, when a key was added that is not above.
    let (tls, query_log) = (began.tls.clone(), began.query_log.clone());
    let held = Config { tls, query_log, ..new.clone() };
    if late.is_empty() && held != *began {
        late.push("a key that is not known to reload");
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// Every key of the shipped file but those that hold at once: changed alone, it is named alone.
    #[test]
    fn what_holds_after_a_restart_is_named_by_its_key() {
        let began = Config::default();
        let mut new = began.clone();
        new.tls.certificate = PathBuf::from("other");
        new.query_log.one_in = 5;
        assert!(late(&began, &new).is_empty(), "it holds at once");
        let text = include_str!("../../etc/enumd.toml");
        let (mut section, mut named) = (String::new(), 0);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
            }
            let Some((key, value)) = line.split_once(" = ") else { continue };
            if ["tls", "query_log"].contains(&section.as_str()) {
                continue;
            }
            let value = match (section.as_str(), key) {
                ("", "keys") => {
                    "[{ name = \"a\", secret = \"c2l4dGVlbiBvY3RldHMhIQ==\" }]".to_owned()
                }
                ("transfer", "keys") => "[\"a\"]".to_owned(),
                _ => other(key, value),
            };
            let line = if section.is_empty() {
                format!("{key} = {value}")
            } else {
                format!("[{section}]\n{key} = {value}")
            };
            let new: Config = ngn_daemon::config::parse(&line, "a test", "NONE", Vec::new())
                .unwrap_or_else(|error| panic!("{line}: {error}"));
            let whole =
                if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
            assert_eq!(late(&began, &new), [whole.as_str()]);
            named += 1;
        }
        assert!(named > 30, "{named}");
    }

    /// Another value of a key of the shipped file.
    fn other(key: &str, value: &str) -> String {
        match (key, value) {
            (_, "true") => "false".to_owned(),
            (_, "false") => "true".to_owned(),
            ("udp" | "tcp" | "tls" | "https", _) => "[\"192.0.2.1:5\"]".to_owned(),
            ("udp_processors", _) => "[1]".to_owned(),
            ("admin", _) => "\"192.0.2.1:5\"".to_owned(),
            ("secondaries", _) => "[{ address = \"192.0.2.1:5\" }]".to_owned(),
            ("allow" | "exempt", _) => "[\"192.0.2.1\"]".to_owned(),
            ("secondary", _) => "[{ zone = \"a\", masters = [\"192.0.2.1:5\"] }]".to_owned(),
            (_, text) if text.starts_with('"') => "\"/other\"".to_owned(),
            (_, number) => (number.parse::<u64>().expect("a number") + 1).to_string(),
        }
    }
}
