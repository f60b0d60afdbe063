//! The cells of the Voicemail port.

use super::stage::Stage;
use super::{Cell, play};
use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both, record, sip_id};

both! {
    fn cells_of_the_port(p) {
        play(p, CELLS);
    }
}

// B157: by itself the port takes the owner that the call names.
#[test]
fn cells_of_the_port_by_itself() {
    let settings = "[provisioning]\nstandalone_voicemail = true\n";
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let p = Platform::start_with(backend, &[("ngnpro", settings)]);
        play(&p, STANDALONE);
    }
}

fn mailbox(address: &str) -> Value {
    record! { sipId: sip_id(address), name: "Ada Example", password: "236651" }
}

fn given(address: &str) -> Value {
    record! { account: mailbox(address) }
}

fn id(address: &str) -> Value {
    record! { sipId: sip_id(address) }
}

/// A new SIP account of the active reseller.
fn alice(s: &Stage<'_>) -> String {
    domain(&s.acme.client, &s.domain());
    let address = s.address("alice");
    account(&s.acme.client, &address);
    address
}

/// The same, with a mailbox.
fn with_mailbox(s: &Stage<'_>) -> String {
    let address = alice(s);
    s.acme.client.ok("Voicemail.addAccount", given(&address));
    address
}

/// The mailbox number of another new account of this cell.
fn taken(s: &Stage<'_>) -> String {
    let address = s.address("bob");
    account(&s.acme.client, &address);
    s.acme.client.ok("Voicemail.addAccount", given(&address)).text_at("mailbox").to_owned()
}

/// A number out of the database.
fn count_of(p: &Platform, statement: &str) -> i64 {
    p.database.sql(statement).trim().parse().expect("a number")
}

/// The smallest file that begins as a WAV file does.
fn wave() -> Value {
    Value::from("UklGRgQAAABXQVZF")
}

pub(super) const CELLS: &[Cell] = &[
    Cell::success("Voicemail.addAccount", |s| {
        let address = alice(s);
        s.act(&s.acme.client, given(&address)).names("Ada Example").then(
            "Voicemail.getAccount",
            id(&address),
            "236651",
        )
    }),
    Cell::fault("Voicemail.addAccount", 1010, |s| {
        let address = s.address("nobody");
        s.act(&s.acme.client, given(&address)).names(address)
    }),
    Cell::fault("Voicemail.addAccount", 1012, |s| {
        s.act(&s.acme.client, given("no body@c.example")).names("no body")
    }),
    Cell::fault("Voicemail.addAccount", 2001, |s| {
        let address = with_mailbox(s);
        s.act(&s.acme.client, given(&address)).names(address)
    }),
    Cell::fault("Voicemail.addAccount", 2002, |s| {
        let address = alice(s);
        let number = taken(s);
        let account = mailbox(&address).with("mailbox", &number);
        s.act(&s.acme.client, record! { account: account }).names(number).gone(
            "Voicemail.getAccount",
            id(&address),
            2000,
        )
    }),
    Cell::fault("Voicemail.addAccount", 5003, |s| {
        s.act(&s.idle.client, given(&s.address("alice"))).names(s.idle.id)
    }),
    Cell::fault("Voicemail.addAccount", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("account")
    }),
    Cell::success("Voicemail.updateAccount", |s| {
        let address = with_mailbox(s);
        let account = mailbox(&address).with("name", "Grace Example");
        s.act(&s.acme.client, record! { account: account }).then(
            "Voicemail.getAccount",
            id(&address),
            "Grace Example",
        )
    }),
    Cell::fault("Voicemail.updateAccount", 1010, |s| {
        let address = with_mailbox(s);
        s.act(&s.other.client, given(&address)).names(address)
    }),
    Cell::fault("Voicemail.updateAccount", 1012, |s| {
        s.act(&s.acme.client, given("no body@c.example")).names("no body")
    }),
    Cell::fault("Voicemail.updateAccount", 2000, |s| {
        let address = alice(s);
        s.act(&s.acme.client, given(&address)).names(address)
    }),
    Cell::fault("Voicemail.updateAccount", 2002, |s| {
        let address = with_mailbox(s);
        let number = taken(s);
        let account = mailbox(&address).with("mailbox", &number).with("name", "Grace Example");
        s.act(&s.acme.client, record! { account: account }).names(number).then(
            "Voicemail.getAccount",
            id(&address),
            "Ada Example",
        )
    }),
    Cell::fault("Voicemail.updateAccount", 9001, |s| {
        let account = record! { name: "Ada Example" };
        s.act(&s.acme.client, record! { account: account }).names("account.sipId")
    }),
    Cell::success("Voicemail.deleteAccount", |s| {
        let address = with_mailbox(s);
        s.act(&s.acme.client, id(&address)).gone("Voicemail.getAccount", id(&address), 2000)
    }),
    Cell::fault("Voicemail.deleteAccount", 1010, |s| {
        let address = with_mailbox(s);
        s.act(&s.other.client, id(&address)).names(&address).then(
            "Voicemail.getAccount",
            id(&address),
            "Ada Example",
        )
    }),
    Cell::fault("Voicemail.deleteAccount", 1012, |s| {
        s.act(&s.acme.client, id("alice@c x.example")).names("c x.example")
    }),
    Cell::fault("Voicemail.deleteAccount", 2000, |s| {
        let address = alice(s);
        s.act(&s.acme.client, id(&address)).names(address)
    }),
    Cell::fault("Voicemail.deleteAccount", 9001, |s| {
        s.act(&s.acme.client, Value::empty()).names("sipId")
    }),
    Cell::success("Voicemail.getAccount", |s| {
        let address = with_mailbox(s);
        s.act(&s.acme.client, id(&address)).names("236651")
    }),
    Cell::fault("Voicemail.getAccount", 1010, |s| {
        let address = s.address("nobody");
        s.act(&s.acme.client, id(&address)).names(address)
    }),
    Cell::fault("Voicemail.getAccount", 1012, |s| {
        s.act(&s.acme.client, id("no body@c.example")).names("no body")
    }),
    Cell::fault("Voicemail.getAccount", 2000, |s| {
        let address = alice(s);
        s.act(&s.acme.client, id(&address)).names(address)
    }),
    Cell::fault("Voicemail.getAccount", 9001, |s| {
        s.act(&s.acme.client, record! { sipId: record! { domain: s.domain() } })
            .names("sipId.username")
    }),
    Cell::success("Voicemail.setAnnouncement", |s| {
        let address = with_mailbox(s);
        let count = "SELECT count(*) FROM voicemail_announcements";
        let before = count_of(s.p, count);
        s.act(&s.acme.client, id(&address).with("message", wave()))
            .seen(move |p| assert_eq!(count_of(p, count), before + 1))
    }),
    Cell::fault("Voicemail.setAnnouncement", 1010, |s| {
        let address = s.address("nobody");
        s.act(&s.acme.client, id(&address).with("message", wave())).names(address)
    }),
    Cell::fault("Voicemail.setAnnouncement", 1012, |s| {
        s.act(&s.acme.client, id("no body@c.example").with("message", wave())).names("no body")
    }),
    Cell::fault("Voicemail.setAnnouncement", 2000, |s| {
        let address = alice(s);
        s.act(&s.acme.client, id(&address).with("message", wave())).names(address)
    }),
    Cell::fault("Voicemail.setAnnouncement", 9001, |s| {
        s.act(&s.acme.client, id(&s.address("alice"))).names("message")
    }),
];

/// Cells of a server that has the port alone (B157).
pub(super) const STANDALONE: &[Cell] = &[Cell::fault("Voicemail.addAccount", 5000, |s| {
    let account = mailbox(&s.address("alice")).with("customer", 987_654);
    s.act(&s.admin, record! { account: account }).names("987654")
})];
