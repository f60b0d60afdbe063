//! Calls that last while sipd is killed and started again: whether they go on is asked afterwards as before.

use ngn_tests::database::Backend;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::Phone;

use crate::endings::{call_id, ending, is_told, live_until, number, soon};
use crate::limits::{BUSY, REFUSED, lasting_call, limited, one_more};
use crate::pstn::SETTINGS;
use crate::world::{ALL, Dialog, Udp, World, pass, reply, reply_with, take, talk, told};

const GONE: &str = "481 Call/Transaction Does Not Exist";

/// How the record of a call ended that the node left open when it was killed.
fn interrupted(p: &Platform, call_id: &str) -> i64 {
    let (seconds, cause) = eventually("the record is closed", || ending(p, call_id));
    assert_eq!(cause, "NAS-Reboot");
    seconds
}

/// Waits until the record says that one side was gone; gives the seconds that the call lasted.
fn is_over(p: &Platform, call_id: &str) -> i64 {
    let is_lost = |(_, cause): &(i64, String)| cause == "Lost-Carrier";
    eventually("the call is over", || ending(p, call_id).filter(is_lost)).0
}

/// How many calls have something kept of how to ask their sides.
fn kept(p: &Platform) -> String {
    p.database.sql("SELECT COUNT(*) FROM radacct WHERE dialog IS NOT NULL").trim().to_owned()
}

// B76, RFC 3261 section 12.2.1.2: a phone that went away during the restart ended the call, as of when the node was last
// alive; the gateway is told, and the limit is free.
#[test]
fn b76_who_went_away_during_a_restart_ended_the_call() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let mut p = Platform::start_with(backend, &[("sipd", &format!("{SETTINGS}\n{}", soon()))]);
        let (alice, gw) = limited(&p);
        let (invite, _) = lasting_call(&p, &alice, &gw);
        assert_eq!(kept(&p), "1");
        p.kill();
        p.launch();
        let lasted = interrupted(&p, &invite.call_id);
        assert_eq!(one_more(&alice, &gw), REFUSED);
        std::thread::scope(|scope| {
            scope.spawn(|| is_told(&gw));
            for _ in 0..2 {
                reply(&alice, &take(&alice, "OPTIONS"), GONE, "");
            }
        });
        assert_eq!(is_over(&p, &invite.call_id), lasted);
        assert_eq!(one_more(&alice, &gw), BUSY);
        eventually("the call is forgotten", || {
            (p.database.sql("SELECT COUNT(*) FROM lasting_calls").trim() == "0").then_some(())
        });
        assert_eq!(kept(&p), "0");
    }
}

/// A phone's new socket, to which it has moved its side of a call by a re-INVITE (RFC 3261 section 12.2.1.2).
fn move_to(world: &World, from: &Phone, theirs: &mut Dialog, other: &Phone) -> Phone {
    let moved = world.phone(&from.user, Udp);
    let contact = format!("<{}>", moved.contact());
    let invite = theirs.request("INVITE").with("Contact", &contact);
    moved.send(&invite.bytes(&moved)).unwrap();
    let arrived = take(other, "INVITE");
    let contact = format!("<{}>", other.contact());
    reply_with(other, &arrived, "200 OK", "", &[("Contact", &contact)]);
    told(&moved, 200);
    moved.send(&theirs.request("ACK").bytes(&moved)).unwrap();
    take(other, "ACK");
    moved
}

// RFC 3261 section 12.2: each side that has an address of its own is asked where it is, and the call goes on. A side that
// was reached over a connection it had opened (RFC 5626 section 5.3) cannot be asked, which says nothing about it.
#[test]
fn calls_are_asked_after_a_restart() {
    let mut world = World::with(&soon());
    let mut calls = Vec::new();
    for over in ALL {
        let (alice, bob) = (world.online("alice", *over), world.online("bob", Udp));
        let (mut ours, mut theirs) = talk(&alice, &bob);
        let moved = move_to(&world, &bob, &mut theirs, &alice);
        let id = call_id(&mut ours);
        eventually("the new place is kept", || {
            let row = format!("SELECT dialog FROM radacct WHERE AcctSessionId = '{id}'");
            world.p.database.sql(&row).contains(&moved.contact()).then_some(())
        });
        calls.push((*over, id, alice, moved, theirs));
    }
    world.p.kill();
    world.p.launch();
    std::thread::scope(|scope| {
        for (over, id, alice, bob, mut theirs) in calls {
            let p = &world.p;
            scope.spawn(move || {
                let first = live_until(&bob, "OPTIONS");
                reply(&bob, &first, "200 OK", "");
                if over == Udp {
                    let (_, answer) = pass(&bob, &alice, &theirs.request("INFO"), "200 OK", "");
                    assert_eq!(answer.status(), 200);
                }
                for _ in 0..3 {
                    reply(&bob, &take(&bob, "OPTIONS"), "200 OK", "");
                    if over == Udp {
                        reply(&alice, &take(&alice, "OPTIONS"), "200 OK", "");
                    }
                }
                assert_eq!(ending(p, &id).map(|(_, cause)| cause).as_deref(), Some("NAS-Reboot"));
                for _ in 0..2 {
                    reply(&bob, &take(&bob, "OPTIONS"), GONE, "");
                }
                if over == Udp {
                    let bye = is_told(&alice);
                    assert!(number(&bye) > number(&first), "{bye:?}");
                }
                assert!(is_over(p, &id) >= 1);
            });
        }
    });
    assert_eq!(kept(&world.p), "0");
}
