//! Call detail records: exactly one row of `radacct` for each call that was tried.

use crate::phone::{Phone, hang_up, talk};
use crate::scene::{PASSWORD, Scene};
use ngn_sip::header::{ContentType, Header as _};
use ngn_sip::message::Method;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqliteRow};
use std::path::Path;
use std::time::Duration;

const OFFER: &str = "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                     m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n\
                     m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n";
const ANSWER: &str = "v=0\r\no=b 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                      m=audio 5000 RTP/AVP 0\r\nm=video 0 RTP/AVP 97\r\n";

async fn rows(file: &Path) -> Vec<SqliteRow> {
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await.unwrap();
    let rows = sqlx::query("SELECT * FROM radacct ORDER BY RadAcctId").fetch_all(&pool).await;
    pool.close().await;
    rows.unwrap()
}

/// The only row of a call.
fn of<'a>(rows: &'a [SqliteRow], call: &str) -> &'a SqliteRow {
    let mut found = rows.iter().filter(|row| row.get::<&str, _>("AcctSessionId") == call);
    let row = found.next().unwrap_or_else(|| panic!("{call} has no row"));
    assert!(found.next().is_none(), "{call} has two rows");
    row
}

fn text<'a>(row: &'a SqliteRow, column: &str) -> &'a str {
    row.try_get::<Option<&str>, _>(column).unwrap().unwrap_or("NULL")
}

fn number(row: &SqliteRow, column: &str) -> Option<i64> {
    row.try_get(column).unwrap()
}

#[tokio::test]
async fn an_answered_call_has_one_row_with_everything() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    alice.extra = "User-Agent: Caller 1=2\r\nContent-Type: application/sdp\r\n".to_owned();
    alice.body = OFFER;
    alice.call("bob", "c=1").await;
    let invite = bob.next_request(&Method::Invite).await;
    let mut ok = bob.ok(&invite);
    ok.append_named("Server", "Callee/2");
    ok.set_body(&ContentType::parse("application/sdp").unwrap(), ANSWER.into());
    bob.send(&ok).await;
    let answered = alice.last_of("c=1").await;
    alice.body = "";
    let ack = alice.within(&answered, "ACK");
    alice.send(&ack).await;
    bob.next_request(&Method::Ack).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    // The one who was called hangs up, and its BYE comes twice.
    let bye = bob.within_called(&invite, "BYE");
    bob.send(&bye).await;
    bob.send(&bye).await;
    let at_alice = alice.next_request(&Method::Bye).await;
    alice.send(&at_alice.response(200, "OK", None)).await;
    assert_eq!(bob.last().await.status(), Some(200));
    let (from, contact) = (alice.address(), bob.contact());
    let node = scene.udp().to_string();
    let (folder, _store) = scene.stop().await;

    let rows = rows(&folder.path().join("t.sqlite")).await;
    assert_eq!(rows.len(), 1);
    let row = of(&rows, "c=3D1");
    for (column, expected) in [
        ("UserName", "alice@example.com"),
        ("BillingPartyId", "alice@example.com"),
        ("Realm", "example.com"),
        ("CallingStationId", "alice@example.com"),
        ("CalledStationId", "bob@example.com"),
        ("CanonicalURI", "bob@example.com"),
        ("SipTranslatedRequestURI", contact.as_str()),
        ("FromHeader", "<sip:alice@example.com>;tag=3Dalice"),
        ("SipFromTag", "alice"),
        ("SipToTag", "bob"),
        ("SipMethod", "INVITE"),
        ("SipApplicationType", "audio"),
        ("SipCodecs", "PCMU"),
        ("SipUserAgents", "Caller 1=3D2 + Callee/2"),
        ("SipRPID", "+31208005169"),
        ("SourceIP", "127.0.0.1"),
        ("NASIPAddress", "127.0.0.1"),
        ("NASPortId", node.as_str()),
        ("ConnectInfo_start", "200"),
        ("ConnectInfo_stop", "200"),
        ("AcctTerminateCause", "User-Request"),
    ] {
        assert_eq!(text(row, column), expected, "{column}");
    }
    assert_eq!(number(row, "SipResponseCode"), Some(200));
    assert_eq!(number(row, "SourcePort"), Some(i64::from(from.port())));
    let lasted = number(row, "AcctSessionTime").unwrap();
    assert!((1..=5).contains(&lasted), "{lasted} seconds");
    let between = number(row, "stop_unix").unwrap() - number(row, "start_unix").unwrap();
    assert_eq!(between, lasted);
}

#[tokio::test]
async fn every_failed_call_has_one_row_that_is_closed() {
    let scene = Scene::new().await;
    let mut alice = scene.phone("alice").await;
    let mut bob = scene.registered("bob").await;
    alice.extra = "Content-Type: application/sdp\r\n".to_owned();
    alice.body = OFFER;
    // Twice with the same Call-ID, as phones redial: two attempts, two rows.
    for (callee, call) in [("nobody", "unknown"), ("carol", "offline"), ("carol", "offline")] {
        let invite = alice.call(callee, call).await;
        let refusal = alice.last_of(call).await;
        alice.ack(&invite, &refusal).await;
    }
    let mut mallory = scene.phone("mallory").await;
    let invite = mallory.call("bob", "blocked").await;
    let refusal = mallory.last_of("blocked").await;
    mallory.ack(&invite, &refusal).await;

    let invite = alice.call("bob", "busy").await;
    let at_bob = bob.next_request(&Method::Invite).await;
    bob.send(&at_bob.response(486, "Busy Here", Some("b1"))).await;
    let busy = alice.last_of("busy").await;
    alice.ack(&invite, &busy).await;

    let invite = alice.call("bob", "cancelled").await;
    let at_bob = bob.next_request(&Method::Invite).await;
    bob.send(&at_bob.response(180, "Ringing", Some("b2"))).await;
    alice.status(180).await;
    alice.send(&invite.cancel().unwrap()).await;
    let cancel = bob.next_request(&Method::Cancel).await;
    bob.send(&cancel.response(200, "OK", Some("b2"))).await;
    bob.send(&at_bob.response(487, "Request Terminated", Some("b2"))).await;
    let cancelled = alice.status(487).await;
    alice.ack(&invite, &cancelled).await;
    let contact = bob.contact();
    let (folder, _store) = scene.stop().await;

    let rows = rows(&folder.path().join("t.sqlite")).await;
    // Challenges are no calls.
    assert_eq!(rows.len(), 6);
    let offline = rows.iter().filter(|row| text(row, "AcctSessionId") == "offline");
    let offline: Vec<_> = offline.collect();
    assert_eq!(offline.len(), 2);
    assert_ne!(text(offline[0], "SipToTag"), text(offline[1], "SipToTag"));
    for (row, status, caller, called, translated) in [
        (of(&rows, "unknown"), 404, "alice@example.com", "nobody@example.com", ""),
        (offline[0], 480, "alice@example.com", "carol@example.com", ""),
        (of(&rows, "blocked"), 403, "mallory@example.com", "bob@example.com", ""),
        (of(&rows, "busy"), 486, "alice@example.com", "bob@example.com", contact.as_str()),
        (of(&rows, "cancelled"), 487, "alice@example.com", "bob@example.com", contact.as_str()),
    ] {
        let call = text(row, "AcctSessionId");
        assert_eq!(number(row, "SipResponseCode"), Some(status), "{call}");
        assert_eq!(text(row, "ConnectInfo_stop"), status.to_string(), "{call}");
        assert_eq!(text(row, "AcctStopTime"), text(row, "AcctStartTime"), "{call}");
        assert_eq!(number(row, "AcctSessionTime"), Some(0), "{call}");
        assert_eq!(text(row, "UserName"), caller, "{call}");
        assert_eq!(text(row, "CanonicalURI"), called, "{call}");
        assert_eq!(text(row, "SipTranslatedRequestURI"), translated, "{call}");
        assert!(!text(row, "SipToTag").is_empty(), "{call}");
        if caller.starts_with("alice") {
            assert_eq!(text(row, "SipApplicationType"), "audio,video", "{call}");
            assert_eq!(text(row, "SipCodecs"), "PCMA,PCMU,H264", "{call}");
        }
    }
}

/// The program itself, so that it can be killed.
struct Program {
    child: tokio::process::Child,
    udp: std::net::SocketAddr,
}

impl Program {
    async fn start(folder: &Path, udp: &str) -> Self {
        use tokio::io::{AsyncBufReadExt as _, BufReader};
        let file = folder.join("sipd.toml");
        let text = format!(
            "database = \"sqlite:{}\"\nadmin = \"127.0.0.1:0\"\n[listen]\nudp = [\"{udp}\"]\ntcp = []\n",
            folder.join("t.sqlite").display()
        );
        std::fs::write(&file, text).unwrap();
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_sipd"))
            .arg("--config")
            .arg(&file)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.next_line().await.unwrap().expect("a line");
        let udp = ready.split_whitespace().find_map(|word| word.strip_prefix("sip-udp="));
        Self { child, udp: udp.expect(&ready).parse().unwrap() }
    }
}

#[tokio::test]
async fn a_call_of_a_killed_server_does_not_last_forever() {
    // Only for its accounts.
    let (folder, store) = Scene::new().await.stop().await;
    let file = folder.path().join("t.sqlite");
    let mut program = Program::start(folder.path(), "127.0.0.1:0").await;
    let udp = program.udp;
    let (mut alice, mut bob) = (Phone::udp("alice", udp).await, Phone::udp("bob", udp).await);
    assert_eq!(bob.register("r", PASSWORD).await, 200);
    let (lost, _) = talk(&mut alice, &mut bob, "lost").await;
    let (goes_on, _) = talk(&mut alice, &mut bob, "goes-on").await;
    drop(lost);
    for _ in 0..100 {
        if rows(&file).await.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    program.child.kill().await.unwrap();
    assert_eq!(text(of(&rows(&file).await, "lost"), "AcctStopTime"), "NULL");

    let mut program = Program::start(folder.path(), &udp.to_string()).await;
    for call in ["lost", "goes-on"] {
        let rows = rows(&file).await;
        assert_eq!(text(of(&rows, call), "AcctTerminateCause"), "NAS-Reboot");
        assert_ne!(text(of(&rows, call), "AcctStopTime"), "NULL");
    }
    // The phones of the other one do not know that anything happened.
    hang_up(&mut alice, &mut bob, &goes_on).await;
    for _ in 0..100 {
        let rows = rows(&file).await;
        if text(of(&rows, "goes-on"), "AcctTerminateCause") == "User-Request" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rows = rows(&file).await;
    assert_eq!(text(of(&rows, "goes-on"), "AcctTerminateCause"), "User-Request");
    assert_eq!(text(of(&rows, "lost"), "AcctTerminateCause"), "NAS-Reboot");
    program.child.kill().await.unwrap();
    store.close().await;
}
