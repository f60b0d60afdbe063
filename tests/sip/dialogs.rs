//! What phones say to each other inside a call, over each transport: the proxy passes it on as it is.

use ngn_tests::sip::Request;

use crate::pstn::call;
use crate::world::{
    ALL, Dialog, Tcp, Tls, Udp, World, Ws, hang_up, outcome, over, pass, reply, reply_with, take,
    talk, told,
};

/// A description of a medium that is sent, or held.
fn sdp(direction: &str) -> String {
    format!(
        "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio 30000 RTP/AVP 8\r\na={direction}\r\n"
    )
}

fn with_sdp(mut request: Request, direction: &str, contact: &str) -> Request {
    request.body = sdp(direction);
    request.with("Contact", &format!("<{contact}>")).with("Content-Type", "application/sdp")
}

// RFC 3261 sections 13 and 15: either side hangs up, along the routes that were recorded (16.6 step 4).
#[test]
fn calls_are_ended_by_either_side() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let (mut ours, _) = talk(&alice, &bob);
        assert!(!ours.routes().is_empty(), "a route is recorded");
        hang_up(&alice, &bob, &mut ours);
        let (_, mut theirs) = talk(&alice, &bob);
        hang_up(&bob, &alice, &mut theirs);
    });
}

// RFC 3261 section 14: a call is held and taken up again, by a re-INVITE of each side.
#[test]
fn re_invites_hold_and_resume() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let (mut ours, mut theirs) = talk(&alice, &bob);
        for direction in ["sendonly", "sendrecv"] {
            let hold = with_sdp(ours.request("INVITE"), direction, &alice.contact());
            let (arrived, answer) = pass(&alice, &bob, &hold, "200 OK", "");
            assert_eq!((arrived.body, answer.status()), (sdp(direction), 200));
            alice.send(&ours.request("ACK").bytes(&alice)).unwrap();
            take(&bob, "ACK");
        }
        let hold = with_sdp(theirs.request("INVITE"), "inactive", &bob.contact());
        let (arrived, answer) = pass(&bob, &alice, &hold, "200 OK", "");
        assert_eq!((arrived.body, answer.status()), (sdp("inactive"), 200));
        bob.send(&theirs.request("ACK").bytes(&bob)).unwrap();
        take(&alice, "ACK");
        hang_up(&alice, &bob, &mut ours);
    });
}

// RFC 3261 section 14.1: a refused re-INVITE leaves the call as it was; the refusal is acknowledged hop by hop (17.1.1.3).
#[test]
fn a_refused_re_invite_ends_nothing() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let (mut ours, _) = talk(&alice, &bob);
        let again = with_sdp(ours.request("INVITE"), "sendonly", &alice.contact());
        let (_, answer) = pass(&alice, &bob, &again, "488 Not Acceptable Here", "");
        assert_eq!(answer.status(), 488);
        alice.send(&again.ack(&answer).bytes(&alice)).unwrap();
        take(&bob, "ACK");
        hang_up(&alice, &bob, &mut ours);
    });
}

// RFC 3311: UPDATE before the answer and after it, from both sides.
#[test]
fn updates_pass_before_and_after_the_answer() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[("Allow", "INVITE, ACK, CANCEL, BYE, UPDATE")]);
        let arrived = take(&bob, "INVITE");
        assert_eq!(arrived.header("allow"), Some("INVITE, ACK, CANCEL, BYE, UPDATE"));
        reply(&bob, &arrived, "183 Session Progress", "callee");
        let early = told(&alice, 183);
        let mut ours = Dialog::caller(&invite, &early);
        let update = with_sdp(ours.request("UPDATE"), "sendrecv", &alice.contact());
        let (passed, answer) = pass(&alice, &bob, &update, "200 OK", "");
        assert_eq!((passed.body, answer.status()), (sdp("sendrecv"), 200));
        reply(&bob, &arrived, "200 OK", "callee");
        told(&alice, 200);
        let mut ack = ours.request("ACK");
        ack.cseq = invite.cseq;
        alice.send(&ack.bytes(&alice)).unwrap();
        take(&bob, "ACK");
        let mut theirs = Dialog::callee(&arrived, "callee");
        let (_, answer) = pass(&bob, &alice, &theirs.request("UPDATE"), "491 Request Pending", "");
        assert_eq!(answer.status(), 491);
        hang_up(&alice, &bob, &mut ours);
    });
}

// RFC 3262: a provisional response that asks to be acknowledged, and its PRACK, which reaches who asked.
#[test]
fn provisional_responses_are_acknowledged() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let invite = call(&alice, &bob.aor(), &[("Require", "100rel"), ("Supported", "100rel")]);
        let arrived = take(&bob, "INVITE");
        // Require is between the phones (RFC 3261 section 20.32): a proxy does not look at it.
        assert_eq!(arrived.header("require"), Some("100rel"));
        let reliable = [("Require", "100rel"), ("RSeq", "813520")];
        reply_with(&bob, &arrived, "180 Ringing", "callee", &reliable);
        let ringing = told(&alice, 180);
        assert_eq!(ringing.header("rseq"), Some("813520"));
        assert_eq!(ringing.header("require"), Some("100rel"));
        let mut ours = Dialog::caller(&invite, &ringing);
        let rack = format!("813520 {} INVITE", invite.cseq);
        let prack = ours.request("PRACK").with("RAck", &rack);
        let (passed, answer) = pass(&alice, &bob, &prack, "200 OK", "");
        assert_eq!((passed.header("rack"), answer.status()), (Some(rack.as_str()), 200));
        reply(&bob, &arrived, "200 OK", "callee");
        assert_eq!(outcome(&alice, &invite).status(), 200);
    });
}

// RFC 4028: the header fields of session timers, and 422, are for the phones.
#[test]
fn session_timers_are_passed() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let timers =
            [("Supported", "timer"), ("Session-Expires", "90;refresher=uac"), ("Min-SE", "90")];
        let invite = call(&alice, &bob.aor(), &timers);
        let arrived = take(&bob, "INVITE");
        assert_eq!(arrived.header("session-expires"), Some("90;refresher=uac"));
        assert_eq!(arrived.header("min-se"), Some("90"));
        reply_with(&bob, &arrived, "422 Session Interval Too Small", "a", &[("Min-SE", "1800")]);
        let refused = told(&alice, 422);
        assert_eq!(refused.header("min-se"), Some("1800"));
        alice.send(&invite.ack(&refused).bytes(&alice)).unwrap();
        let invite = call(&alice, &bob.aor(), &[("Session-Expires", "1800"), ("Min-SE", "1800")]);
        let arrived = take(&bob, "INVITE");
        let granted = [("Require", "timer"), ("Session-Expires", "1800;refresher=uas")];
        reply_with(&bob, &arrived, "200 OK", "b", &granted);
        let answered = outcome(&alice, &invite);
        assert_eq!(answered.header("session-expires"), Some("1800;refresher=uas"));
        let mut ours = Dialog::caller(&invite, &answered);
        alice.send(&ours.request("ACK").bytes(&alice)).unwrap();
        take(&bob, "ACK");
        let refresh =
            Dialog::callee(&arrived, "b").request("UPDATE").with("Session-Expires", "1800");
        let (passed, _) = pass(&bob, &alice, &refresh, "200 OK", "");
        assert_eq!(passed.header("session-expires"), Some("1800"));
    });
}

// RFC 6086: INFO inside a call, with a body of a kind that the proxy does not know.
#[test]
fn info_carries_digits() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let (mut ours, mut theirs) = talk(&alice, &bob);
        let mut info = ours.request("INFO").with("Content-Type", "application/dtmf-relay");
        info.body = "Signal=5\r\nDuration=160\r\n".to_owned();
        let (arrived, answer) = pass(&alice, &bob, &info, "200 OK", "");
        assert_eq!((arrived.body, answer.status()), (info.body, 200));
        let info = theirs.request("INFO").with("Info-Package", "foo");
        let (arrived, answer) = pass(&bob, &alice, &info, "469 Bad Info Package", "");
        assert_eq!((arrived.header("info-package"), answer.status()), (Some("foo"), 469));
    });
}

// RFC 3515, RFC 3891: bob sends alice to carol, with whom he talks; carol's call with bob is replaced; bob is told.
#[test]
fn attended_transfer() {
    over(ALL, |world, over| {
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| world.online(name, over));
        let (mut at_alice, mut first) = talk(&alice, &bob);
        let (second, mut at_carol) = talk(&bob, &carol);
        let replaces = second.replaces();
        let to = format!(
            "<{}?Replaces={}>",
            carol.aor(),
            replaces.replace(';', "%3B").replace('=', "%3D")
        );
        let (arrived, answer) =
            pass(&bob, &alice, &first.request("REFER").with("Refer-To", &to), "202 Accepted", "");
        assert_eq!((arrived.header("refer-to"), answer.status()), (Some(to.as_str()), 202));

        let new = call(&alice, &carol.aor(), &[("Replaces", &replaces), ("Require", "replaces")]);
        let arrived = take(&carol, "INVITE");
        assert_eq!(arrived.header("replaces"), Some(replaces.as_str()));
        reply(&carol, &arrived, "200 OK", "new");
        let answered = outcome(&alice, &new);
        let mut transferred = Dialog::caller(&new, &answered);
        alice.send(&transferred.request("ACK").bytes(&alice)).unwrap();
        take(&carol, "ACK");

        let mut notify = at_alice.request("NOTIFY").with("Event", "refer");
        notify = notify.with("Subscription-State", "terminated;reason=noresource");
        notify = notify.with("Content-Type", "message/sipfrag");
        notify.body = "SIP/2.0 200 OK\r\n".to_owned();
        let (told, _) = pass(&alice, &bob, &notify, "200 OK", "");
        assert_eq!(told.body, notify.body);
        hang_up(&carol, &bob, &mut at_carol);
        hang_up(&bob, &alice, &mut first);
        hang_up(&alice, &carol, &mut transferred);
    });
}

// RFC 3261 section 8.2.1, RFC 3261 section 16.3: a proxy passes on methods that it does not know, byte by byte.
#[test]
fn unknown_methods_pass_as_they_are() {
    over(ALL, |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let (mut ours, _) = talk(&alice, &bob);
        let mut request =
            ours.request("FROBNICATE").with("X-Odd", "a  b;c=\"d\\\"e\" , ,f").with("x-ODD", "é");
        request.body = "any \0 octets\r\n\r\n".to_owned();
        let (arrived, answer) = pass(&alice, &bob, &request, "299 Frobnicated", "");
        assert_eq!(arrived.all("x-odd"), ["a  b;c=\"d\\\"e\" , ,f", "é"]);
        assert_eq!(arrived.body, request.body);
        assert_eq!(answer.start, "SIP/2.0 299 Frobnicated");
        hang_up(&alice, &bob, &mut ours);
    });
}

// RFC 5658, RFC 3261 section 16.6 step 4: between two transports two routes are recorded, and requests of each side come
// through over the transport of the other.
#[test]
fn calls_between_transports() {
    let world = World::new();
    for (one, other) in [(Udp, Tcp), (Udp, Tls), (Tcp, Ws), (Tls, Ws), (Ws, Udp)] {
        let (alice, bob) = (world.online("alice", one), world.online("bob", other));
        let (mut ours, mut theirs) = talk(&alice, &bob);
        assert_eq!(ours.routes().len(), 2, "{one:?} and {other:?}: {:?}", ours.routes());
        let (_, answer) = pass(&bob, &alice, &theirs.request("INFO"), "200 OK", "");
        assert_eq!(answer.status(), 200);
        hang_up(&alice, &bob, &mut ours);
        let (_, mut theirs) = talk(&alice, &bob);
        hang_up(&bob, &alice, &mut theirs);
    }
}

// RFC 3261 section 12.2.2: the platform keeps no dialogs, so a request of a dialog that is over comes to the phone, whose
// 481 comes back.
#[test]
fn after_the_call() {
    over(&[Udp, Tcp], |world, over| {
        let (alice, bob) = (world.online("alice", over), world.online("bob", over));
        let (mut ours, _) = talk(&alice, &bob);
        hang_up(&alice, &bob, &mut ours);
        let (_, answer) =
            pass(&alice, &bob, &ours.request("INFO"), "481 Call/Transaction Does Not Exist", "");
        assert_eq!(answer.status(), 481);
    });
}
