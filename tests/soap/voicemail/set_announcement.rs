//! Voicemail.setAnnouncement, and the file that the voicemail server fetches.

use super::{id, with_alice};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ngn_tests::fixture::{Tenant, customer, reseller};
use ngn_tests::http::{Reply, exchange};
use ngn_tests::platform::Platform;
use ngn_tests::{Value, both};

/// A WAV file with some sound in it.
fn wav(octets: usize) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    file.extend((0..octets).map(|n| u8::try_from(n % 251).unwrap()));
    file
}

fn announce(message: &[u8]) -> Value {
    id("alice@example.com").with("message", BASE64.encode(message))
}

/// Fetches a file over HTTP.
fn fetch(p: &Platform, target: &str, login: Option<(&str, &str)>, more: &str) -> Reply {
    let login = login.map_or(String::new(), |(name, password)| {
        format!("Authorization: Basic {}\r\n", BASE64.encode(format!("{name}:{password}")))
    });
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: vm\r\nConnection: close\r\n{login}{more}\r\n");
    exchange(p.soap_address(), request.as_bytes()).unwrap()
}

fn password(tenant: &Tenant) -> String {
    format!("{}-password", tenant.username)
}

const FILE: &str = "/voicemail/announcements/1000000.wav";

both! {
    // Contract B2: base64, stored, and served as it came to whoever may see the account.
    fn is_stored_and_served(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        let carol = customer(p, &acme, "carol");
        let admin = p.password();
        let administrator = Some(("admin", admin.as_str()));
        assert_eq!(fetch(p, FILE, administrator, "").status, 404);
        let file = wav(200_000);
        acme.client.ok("Voicemail.setAnnouncement", announce(&file));
        for target in [FILE, "/ngnpro/voicemail/announcements/1000000"] {
            let reply = fetch(p, target, administrator, "");
            assert_eq!((reply.status, reply.header("content-type")), (200, Some("audio/wav")));
            assert_eq!(reply.body, file);
        }
        let own = password(&acme);
        let reply = fetch(p, FILE, Some((&acme.username, &own)), "");
        assert_eq!(reply.status, 200);
        // What the server has already is not sent again.
        let tag = reply.header("etag").unwrap().to_owned();
        let known = fetch(p, FILE, administrator, &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((known.status, known.body.len()), (304, 0));
        for stranger in [&other, &carol] {
            let login = password(stranger);
            assert_eq!(fetch(p, FILE, Some((&stranger.username, &login)), "").status, 404);
        }
        for login in [None, Some(("admin", "wrong")), Some(("acme", ""))] {
            let reply = fetch(p, FILE, login, "");
            assert_eq!(reply.status, 401);
            assert!(reply.header("www-authenticate").unwrap().starts_with("Basic "));
        }
        // Another one takes its place.
        let shorter = wav(3);
        acme.client.ok("Voicemail.setAnnouncement", announce(&shorter));
        let reply = fetch(p, FILE, administrator, &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((reply.status, reply.body), (200, shorter));
        // What is announced does not enter the journal.
        let journal = p.database.sql("SELECT `after` FROM journal ORDER BY id DESC LIMIT 1");
        assert_eq!(journal.trim(), "{\"announcement\":{\"octets\":19}}");
    }

    fn refusals(p) {
        let (acme, other) = (with_alice(p), reseller(p, "other"));
        let file = wav(3);
        other.client.refused(1010, "Voicemail.setAnnouncement", announce(&file));
        let bob = id("bob@example.com").with("message", BASE64.encode(&file));
        acme.client.refused(2000, "Voicemail.setAnnouncement", bob);
        let eve = id("eve@example.com").with("message", BASE64.encode(&file));
        acme.client.refused(1010, "Voicemail.setAnnouncement", eve);
        acme.client.refused(9001, "Voicemail.setAnnouncement", id("alice@example.com"));
        acme.client.refused(9000, "Voicemail.setAnnouncement", announce(b"ID3 no WAV file"));
        let broken = id("alice@example.com").with("message", "@@");
        acme.client.refused(9000, "Voicemail.setAnnouncement", broken);
    }
}
