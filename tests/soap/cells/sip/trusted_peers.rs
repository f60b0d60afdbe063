//! Trusted peers.

use super::super::Cell;
use super::super::stage::Stage;
use ngn_tests::fixture::trusted_peer;
use ngn_tests::{Value, matching, record};

/// The host of this cell's peer.
fn host(s: &Stage<'_>) -> String {
    format!("{}.example.net", s.word("peer"))
}

/// A new peer of the active reseller.
fn made(s: &Stage<'_>) -> String {
    s.acme.client.ok("Sip.addTrustedPeer", trusted_peer(&host(s)));
    host(s)
}

fn named(ip: &str) -> Value {
    record! { ip: ip }
}

fn listed(ip: &str) -> Value {
    matching(record! { ip: ip })
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Sip.addTrustedPeer", |s| {
        let ip = host(s);
        s.act(&s.acme.client, trusted_peer(&ip)).names(&ip).then(
            "Sip.getTrustedPeers",
            listed(&ip),
            s.acme.id,
        )
    }),
    Cell::fault("Sip.addTrustedPeer", 1051, |s| {
        let ip = made(s);
        s.act(&s.other.client, trusted_peer(&ip)).names(ip)
    }),
    Cell::fault("Sip.addTrustedPeer", 5000, |s| {
        let given = record! { ip: host(s), customer: 987_654 };
        s.act(&s.admin, record! { peer: given }).names("987654")
    }),
    Cell::fault("Sip.addTrustedPeer", 5003, |s| {
        s.act(&s.idle.client, trusted_peer(&host(s))).names(s.idle.id)
    }),
    Cell::fault("Sip.addTrustedPeer", 8003, |s| {
        s.act(&s.child.client, trusted_peer(&host(s))).names("reseller rights")
    }),
    Cell::fault("Sip.addTrustedPeer", 9001, |s| {
        s.act(&s.acme.client, record! { peer: record! { tag: "t" } }).names("peer.ip")
    }),
    Cell::success("Sip.updateTrustedPeer", |s| {
        let ip = made(s);
        let peer = record! { ip: &ip, description: s.word("new") };
        s.act(&s.admin, record! { peer: peer }).then(
            "Sip.getTrustedPeers",
            listed(&ip),
            s.word("new"),
        )
    }),
    Cell::fault("Sip.updateTrustedPeer", 1050, |s| {
        let ip = made(s);
        s.act(&s.other.client, trusted_peer(&ip)).names(ip)
    }),
    Cell::fault("Sip.updateTrustedPeer", 5000, |s| {
        let given = record! { ip: made(s), customer: 987_654 };
        s.act(&s.admin, record! { peer: given }).names("987654")
    }),
    Cell::fault("Sip.updateTrustedPeer", 8003, |s| {
        s.act(&s.child.client, trusted_peer(&host(s))).names("reseller rights")
    }),
    Cell::fault("Sip.updateTrustedPeer", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("peer")
    }),
    Cell::success("Sip.deleteTrustedPeer", |s| {
        let ip = made(s);
        s.act(&s.acme.client, named(&ip)).without("Sip.getTrustedPeers", listed(&ip), ip)
    }),
    Cell::fault("Sip.deleteTrustedPeer", 1050, |s| {
        let ip = made(s);
        s.act(&s.other.client, named(&ip)).names(&ip).then("Sip.getTrustedPeers", listed(&ip), &ip)
    }),
    Cell::fault("Sip.deleteTrustedPeer", 8003, |s| {
        s.act(&s.child.client, named(&host(s))).names("reseller rights")
    }),
    Cell::fault("Sip.deleteTrustedPeer", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("ip")
    }),
    Cell::success("Sip.getTrustedPeers", |s| {
        let ip = made(s);
        s.act(&s.acme.client, listed(&ip)).names(ip)
    }),
    Cell::fault("Sip.getTrustedPeers", 8003, |s| {
        s.act(&s.child.client, Value::empty()).names("reseller rights")
    }),
];
