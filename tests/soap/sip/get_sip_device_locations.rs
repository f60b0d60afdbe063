//! Sip.getSipDeviceLocations.

use super::get_calls::with_accounts;
use ngn_tests::fixture::reseller;
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, record, sip_id};
use std::time::{SystemTime, UNIX_EPOCH};

/// Registers a contact as the registrar does, for so many seconds from now.
fn register(p: &Platform, user: &str, contact: &str, received: &str, seconds: i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let until = i64::try_from(now).unwrap() + seconds;
    _ = p.database.sql(&format!(
        "INSERT INTO location (ruid, username, domain, contact, received, expires, expires_at, user_agent, \
         socket) VALUES ('{user}{contact}', '{user}', 'example.com', '{contact}', {received}, {until}, \
         {until}000, 'Phone/1', 'udp:192.0.2.1:5060')"
    ));
}

both! {
    // B168: what is registered and has not expired, in the order of the request.
    fn b168_in_order(p) {
        let acme = with_accounts(p);
        register(p, "alice", "sip:a@192.168.1.7:5070", "'sip:198.51.100.7:41000'", 600);
        register(p, "alice", "sip:a@192.0.2.8;transport=tcp", "NULL", 300);
        register(p, "alice", "sip:a@192.0.2.9", "NULL", -5);
        let asked = ["bob@example.com", "alice@example.com", "eve@example.com", "Alice@Example.com"];
        let ids: Vec<Value> = asked.iter().map(|address| sip_id(address)).collect();
        let found = acme.client.ok("Sip.getSipDeviceLocations", record! { sipIds: ids });
        assert_eq!(found.children.len(), 4);
        for (j, (address, devices)) in asked.iter().zip([0, 2, 0, 2]).enumerate() {
            assert_eq!(found.at(&format!("{j}/locations")).children.len(), devices, "{address}");
            let id = format!("{}@{}", found.text_at(&format!("{j}/id/username")), found.text_at(&format!("{j}/id/domain")));
            assert_eq!(id, *address);
        }
        let first = found.at("1/locations/0");
        for (member, value) in [
            ("address", "192.168.1.7"),
            ("port", "5070"),
            ("publicAddress", "198.51.100.7"),
            ("publicPort", "41000"),
            ("transport", "udp"),
            ("userAgent", "Phone/1"),
        ] {
            assert_eq!(first.text_at(member), value, "{member}");
        }
        assert!((590..=600).contains(&first.int_at("expires")), "{}", first.describe());
        let second = found.at("1/locations/1");
        assert_eq!((second.text_at("port"), second.text_at("transport")), ("5060", "tcp"));
        // Not behind NAT.
        assert!(second.find("publicAddress").is_none_or(ngn_tests::xml::Node::is_nil));
    }

    // B11: where devices of others are is not shown.
    fn b11_shows_only_what_may_be_seen(p) {
        let (acme, other) = (with_accounts(p), reseller(p, "other"));
        register(p, "alice", "sip:a@192.0.2.8", "NULL", 300);
        let ids = record! { sipIds: vec![sip_id("alice@example.com")] };
        let hidden = other.client.ok("Sip.getSipDeviceLocations", ids.clone());
        assert_eq!(hidden.children.len(), 1);
        assert_eq!(hidden.at("0/locations").children.len(), 0);
        let shown = p.admin().ok("Sip.getSipDeviceLocations", ids);
        assert_eq!(shown.at("0/locations").children.len(), 1);
        acme.client.refused(9001, "Sip.getSipDeviceLocations", Value::empty());
    }
}
