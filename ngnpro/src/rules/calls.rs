//! Windows of calls, and contacts as devices (B166-B168).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ngn_model::binding::Binding;
use ngn_sip::uri::Uri;
use ngn_soap::types::{CallQuery, SipDeviceLocation};
use ngn_store::CallWindow;

/// Which calls a query means; a bound that is not positive is none (B40).
#[must_use]
pub fn window(query: &CallQuery) -> CallWindow {
    let bound = |seconds: Option<i32>| seconds.filter(|seconds| *seconds > 0).map(i64::from);
    CallWindow { from: bound(query.from_date), to: bound(query.to_date) }
}

/// The first second of the calendar month in a time zone such as `Europe/Amsterdam`; UTC when there is no such zone.
/// Times are in seconds since 1970.
#[must_use]
pub fn month_start(now: i64, zone: &str) -> i64 {
    let zone = TimeZone::get(zone.trim()).unwrap_or(TimeZone::UTC);
    let start = || {
        let now = Timestamp::from_second(now).ok()?.to_zoned(zone);
        now.first_of_month().ok()?.start_of_day().ok().map(|start| start.timestamp().as_second())
    };
    start().unwrap_or(now)
}

/// A registered contact as a device; `now` is in milliseconds since 1970 UTC.
#[must_use]
pub fn device(binding: &Binding, now: i64) -> SipDeviceLocation {
    let contact = Place::read(&binding.contact, &binding.socket);
    let received = binding.received.as_deref().map(|uri| Place::read(uri, &binding.socket));
    // Behind NAT the request comes from elsewhere than its Contact says.
    let public =
        received.filter(|public| (&public.host, public.port) != (&contact.host, contact.port));
    // Rounded up: a contact that is registered has a second left.
    let left = binding.expires_at.saturating_sub(now).max(0).saturating_add(999).div_euclid(1000);
    SipDeviceLocation {
        address: Some(contact.host),
        port: Some(i32::from(contact.port)),
        public_port: public.as_ref().map(|public| i32::from(public.port)),
        public_address: public.map(|public| public.host),
        expires: Some(i32::try_from(left).unwrap_or(i32::MAX)),
        user_agent: Some(binding.user_agent.clone()),
        transport: Some(contact.transport),
    }
}

/// Where a URI leads.
struct Place {
    host: String,
    port: u16,
    transport: String,
}

impl Place {
    fn read(text: &str, socket: &str) -> Self {
        let Ok(uri) = Uri::parse(text) else {
            return Self { host: text.to_owned(), port: 5060, transport: "udp".to_owned() };
        };
        let secure = uri.scheme_text().eq_ignore_ascii_case("sips");
        let via = socket.split_once(':').map(|(protocol, _)| protocol);
        let via = via.filter(|protocol| ["udp", "tcp", "tls", "ws", "wss"].contains(protocol));
        let transport = match uri.param("transport") {
            Some("tcp") if secure => "tls".to_owned(),
            Some(transport) => transport.to_ascii_lowercase(),
            None if secure => "tls".to_owned(),
            None => via.unwrap_or("udp").to_owned(),
        };
        let standard = if transport == "tls" { 5061 } else { 5060 };
        let port = uri.port().unwrap_or(standard);
        Self { host: uri.host_text().to_owned(), port, transport }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::Aor;

    fn binding(contact: &str, received: Option<&str>) -> Binding {
        let alice = Aor::new("alice", "example.com").expect("an address");
        Binding {
            received: received.map(str::to_owned),
            user_agent: "Phone/1".to_owned(),
            ..Binding::new(alice, contact, 60_500)
        }
    }

    #[test]
    fn b168_contacts_are_devices() {
        for (contact, received, expected) in [
            ("sip:a@192.0.2.7", None, ("192.0.2.7", 5060, None, "udp")),
            (
                "sip:a@192.168.1.7:5070;transport=TCP",
                Some("sip:198.51.100.7:41000;transport=tcp"),
                ("192.168.1.7", 5070, Some(("198.51.100.7", 41000)), "tcp"),
            ),
            ("sip:a@192.0.2.7:5070", Some("sip:192.0.2.7:5070"), ("192.0.2.7", 5070, None, "udp")),
            ("sips:a@phone.example.com", None, ("phone.example.com", 5061, None, "tls")),
            ("sip:a@[2001:db8::7]:5080", None, ("[2001:db8::7]", 5080, None, "udp")),
        ] {
            let device = device(&binding(contact, received), 1_000);
            let public = device.public_address.as_deref().zip(device.public_port);
            let found = (
                device.address.as_deref().unwrap_or_default(),
                device.port.unwrap_or_default(),
                public,
                device.transport.as_deref().unwrap_or_default(),
            );
            assert_eq!(found, expected, "{contact}");
            assert_eq!(device.expires, Some(60));
            assert_eq!(device.user_agent.as_deref(), Some("Phone/1"));
        }
    }

    #[test]
    fn b167_months_begin_at_local_midnight() {
        // 2026-03-31 23:30 UTC is already April in Amsterdam, and still March in New York.
        let now = 1_774_999_800;
        assert_eq!(month_start(now, "UTC"), 1_772_323_200);
        assert_eq!(month_start(now, ""), 1_772_323_200);
        assert_eq!(month_start(now, "Mars/Olympus"), 1_772_323_200);
        assert_eq!(month_start(now, "Europe/Amsterdam"), 1_774_994_400);
        assert_eq!(month_start(now, "America/New_York"), 1_772_341_200);
    }
}
