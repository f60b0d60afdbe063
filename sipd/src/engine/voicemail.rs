//! Voicemail servers: those of resellers, and what they tell about messages (B39, B89, B154, RFC 3842).

use super::Engine;
use super::gateways::Located;
use ngn_model::call_plan::Target;
use ngn_routing::{MESSAGE_SUMMARY, Purpose};
use ngn_sip::header::HeaderName;
use ngn_sip::message::{Message, Method};
use ngn_sip::uri::Uri;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// How many voicemail servers are looked up.
const MOST_SERVERS: usize = 1000;

/// The addresses that voicemail servers have now, by server.
pub(super) type Addresses = HashMap<String, Vec<IpAddr>>;

/// What a request is about.
pub(super) fn purpose(request: &Message) -> Purpose {
    let event = || {
        let value = request.field(HeaderName::Event).and_then(|field| field.text())?;
        let package = value.split(';').next().unwrap_or_default().trim();
        Some(package.eq_ignore_ascii_case(MESSAGE_SUMMARY))
    };
    match request.method() {
        Some(Method::Subscribe) if event() == Some(true) => Purpose::WatchMailbox,
        Some(Method::Notify) if event() == Some(true) => Purpose::MailboxChanged,
        Some(Method::Invite) => Purpose::Call,
        _ => Purpose::Other,
    }
}

/// A voicemail server as somebody wrote it: host, port and parameters; `None` when it can be none.
fn server(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("sip:").unwrap_or(text);
    let is_plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '@' | '?' | ',' | '"');
    if text.is_empty() || text.len() > 255 || !text.chars().all(is_plain) {
        return None;
    }
    let uri = Uri::parse(&format!("sip:{text}")).ok()?;
    (!uri.host_text().is_empty() && uri.user().is_none()).then(|| text.to_owned())
}

impl Engine {
    /// Takes the voicemail servers of resellers that the directory has now.
    pub(super) fn voicemail_changed(&mut self) {
        let written = self.directory.voicemail_servers();
        let read = |(id, text): (&i64, &String)| {
            let found = server(text);
            if found.is_none() {
                tracing::warn!(customer = id, "the voicemail server of a reseller is no host name");
            }
            found.map(|server| (*id, server))
        };
        self.settings.reseller_voicemail = written.iter().filter_map(read).collect();
        let servers = self.voicemail_servers();
        self.voicemail_addresses.retain(|name, _| servers.contains(name));
        self.look_voicemail_up();
    }

    /// Whether a target of a plan is at a voicemail server, as the settings have it.
    pub(super) fn is_voicemail(&self, target: &Target) -> bool {
        let Target::Uri(uri) = target else { return false };
        uri.rsplit_once('@').is_some_and(|(_, host)| self.voicemail_servers().contains(host))
    }

    fn voicemail_servers(&self) -> BTreeSet<String> {
        let platform = self.settings.voicemail_server.iter();
        platform.chain(self.settings.reseller_voicemail.values()).cloned().collect()
    }

    /// Looks the voicemail servers up; answers are kept as long as they may be.
    pub(super) fn look_voicemail_up(&self) {
        for name in self.voicemail_servers().into_iter().take(MOST_SERVERS) {
            let Ok(uri) = Uri::parse(&format!("sip:{name}")) else { continue };
            let (locator, located, sockets) =
                (self.locator.clone(), self.located.clone(), self.sockets());
            tokio::spawn(async move {
                let places = locator.locate(&uri, sockets).await;
                let addresses: Vec<IpAddr> =
                    places.iter().map(|place| place.address.ip().to_canonical()).collect();
                // While nobody answers it is where it was.
                if !addresses.is_empty() {
                    let _ = located.send(Located::Voicemail(name, addresses)).await;
                }
            });
        }
    }

    /// Takes the addresses of a voicemail server.
    pub(super) fn voicemail_located(&mut self, name: String, addresses: Vec<IpAddr>) {
        if self.voicemail_servers().contains(&name) {
            self.voicemail_addresses.insert(name, addresses);
        }
    }

    /// Whether a voicemail server has an address.
    pub(super) fn is_voicemail_server(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.voicemail_addresses.values().any(|known| known.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_sip::message::Limits;

    #[test]
    fn servers_are_read_as_people_write_them() {
        for (text, expected) in [
            ("vm.example.com", Some("vm.example.com")),
            (" sip:vm.example.com:5062;transport=tcp ", Some("vm.example.com:5062;transport=tcp")),
            ("[2001:db8::1]:5062", Some("[2001:db8::1]:5062")),
            ("", None),
            ("user@vm.example.com", None),
            ("vm.example.com>\r\nX: y", None),
            ("vm.example.com, other", None),
            ("http://vm.example.com/", None),
        ] {
            assert_eq!(server(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn only_message_summaries_are_about_mailboxes() {
        for (method, event, expected) in [
            ("SUBSCRIBE", "Event: message-summary", Purpose::WatchMailbox),
            ("NOTIFY", "o: Message-Summary;id=1", Purpose::MailboxChanged),
            ("SUBSCRIBE", "Event: presence", Purpose::Other),
            ("NOTIFY", "X: y", Purpose::Other),
            ("INVITE", "Event: message-summary", Purpose::Call),
        ] {
            let text = format!(
                "{method} sip:alice@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n\
                 From: <sip:a@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n\
                 {event}\r\nContent-Length: 0\r\n\r\n"
            );
            let message =
                Message::parse(text.into_bytes().into(), &Limits::default()).expect("a message");
            assert_eq!(purpose(&message), expected, "{method} {event}");
        }
    }
}
