//! Requests of our own inside dialogs (RFC 3261 section 12.2.1.1), on a virtual clock, and what is told of dialogs.

#![allow(clippy::expect_used, reason = "a test may fail")]

mod bench;

use bench::{Settings, World};
use ngn_model::call_plan::Condition;
use ngn_sip::dialog::{Dialog, Inside};
use ngn_sip::header::Transport;
use ngn_sip::message::Message;
use ngn_sip::stack::CallEventKind;
use ngn_sip::watch::Side;

/// A call between two phones over these, which goes on.
fn talking(over: [Transport; 2]) -> (World, Dialog) {
    let mut w = World::new(Settings::default(), 1);
    for (user, transport) in ["alice", "bob"].into_iter().zip(over) {
        let phone = w.phone(user);
        w.phones[phone].transport = transport;
    }
    let steps = vec![w.step(Condition::First, &[1], None)];
    w.forwards(steps);
    let now = w.now;
    w.phones[0].invite(now, "sip:bob@example.com");
    w.run_for(10_000);
    let is_answered = |kind| matches!(kind, CallEventKind::Answered { .. });
    let answered = w.events.iter().find(|e| is_answered(e.kind)).expect("an answer");
    let answer = answered.response.as_deref().expect("the response");
    let dialog = w.stack.dialog(&answered.request, answer).expect("a dialog");
    (w, dialog)
}

fn send(w: &mut World, inside: Inside) {
    let now = w.now;
    let to =
        inside.to.or_else(|| Some(w.destination(usize::from(inside.next.user() == Some("bob")))));
    w.stack.send(now, inside.request, to.expect("a destination")).expect("it is sent");
    w.run_for(1_000);
}

fn last<'a>(w: &'a World, phone: usize, method: &str) -> &'a Message {
    w.requests_to(phone, method).last().expect("a request")
}

#[test]
fn rfc3261_12_2_1_1_either_side_is_asked_inside_the_dialog() {
    for over in [
        [Transport::Udp, Transport::Udp],
        [Transport::Tcp, Transport::Udp],
        [Transport::Udp, Transport::Tcp],
        [Transport::Tcp, Transport::Tcp],
    ] {
        let (mut w, dialog) = talking(over);
        let invite = w.requests_to(1, "INVITE")[0].clone();
        let answer = w.events.iter().find_map(|e| e.response.clone()).expect("the 2xx");
        let number = invite.cseq().expect("CSeq").number;
        for (side, phone, cseq) in [(Side::Caller, 0, 0), (Side::Callee, 1, number)] {
            let inside = dialog.question(side).expect("a question");
            assert_eq!(inside.request.routes(), Ok(vec![]), "nobody stands between");
            send(&mut w, inside);
            let asked = last(&w, phone, "OPTIONS");
            assert_eq!(asked.cseq().expect("CSeq").number, cseq);
            assert_eq!(asked.call_id(), invite.call_id());
            let tags = [asked.from_header(), invite.from_header()]
                .map(|f| f.expect("From").tag().expect("a tag").to_owned());
            let to = asked.to_header().expect("To").tag().expect("a tag").to_owned();
            let callee = answer.to_header().expect("To").tag().expect("a tag").to_owned();
            let expected = if phone == 1 { (&tags[1], &callee) } else { (&callee, &tags[1]) };
            assert_eq!((&tags[0], &to), expected);
            let bye = dialog.bye(side, false).expect("a BYE");
            assert!(bye.request.cseq().expect("CSeq").number > cseq);
            let bye = dialog.bye(side, true).expect("a BYE");
            assert_eq!(bye.request.cseq().expect("CSeq").number, 0x7fff_ffff);
        }
    }
}

#[test]
fn rfc3261_12_2_numbers_and_targets_follow_the_requests_inside() {
    let (mut w, mut dialog) = talking([Transport::Udp, Transport::Udp]);
    let now = w.now;
    for method in ["INFO", "INVITE"] {
        w.phones[1].in_dialog(now, 0, method);
        w.run_for(2_000);
    }
    assert_eq!(w.dialogs.len(), 2);
    for event in std::mem::take(&mut w.dialogs) {
        assert_eq!((event.status, event.is_received), (200, true));
        assert_eq!(
            event.response.is_some(),
            event.request.method().expect("one").as_str() == "INVITE"
        );
        assert_eq!(dialog.sender(&event.request), Some(Side::Callee));
        let mut request = (*event.request).clone();
        request.set(ngn_sip::header::HeaderName::Contact, "<sip:elsewhere@198.51.100.9>");
        // Section 12.2.1.2: INFO refreshes no target.
        let moves = dialog.note(&request, event.response.as_deref());
        assert_eq!(moves, event.response.is_some());
        assert!(!dialog.note(&request, event.response.as_deref()), "it is there already");
    }
    let asked = dialog.question(Side::Callee).expect("a question").request;
    assert_eq!(asked.request_uri().map(|uri| uri.as_str()), Some("sip:elsewhere@198.51.100.9"));
    let asked = dialog.question(Side::Caller).expect("a question").request;
    assert_eq!(asked.cseq().expect("CSeq").number, 102, "the phone begins with 101");
}

// RFC 5626 section 5.3: whoever opened a connection that is gone cannot be reached; all others are asked as before.
#[test]
fn rfc3261_12_2_1_1_a_dialog_is_asked_as_before_after_a_restart() {
    for over in [
        [Transport::Udp, Transport::Udp],
        [Transport::Tcp, Transport::Udp],
        [Transport::Udp, Transport::Tcp],
        [Transport::Tcp, Transport::Tcp],
    ] {
        let (mut w, dialog) = talking(over.clone());
        let text = dialog.to_text().expect("a text");
        let read = Dialog::from_text(&text).expect("a dialog");
        assert_eq!((read.id(), read.to_text()), (dialog.id(), Some(text.clone())));
        let sides = [Side::Caller, Side::Callee].into_iter().enumerate().zip(over);
        let is_there = |transport: &Transport| *transport == Transport::Udp;
        let mut asked = 0;
        for ((phone, side), transport) in sides {
            let question = read.question(side);
            assert_eq!(question.is_some(), is_there(&transport), "{text}");
            assert_eq!(read.bye(side, false).is_some(), is_there(&transport));
            if let Some(inside) = question {
                let before = dialog.question(side).expect("a question");
                assert_eq!(inside.request.to_bytes(), before.request.to_bytes());
                assert_eq!((&inside.next, &inside.to), (&before.next, &before.to));
                send(&mut w, inside);
                assert_eq!(last(&w, phone, "OPTIONS").call_id(), Ok(dialog.id().0));
                asked += 1;
            }
        }
        assert_eq!(read.can_be_asked(), asked > 0);
        for cut in 0..text.len() {
            if let Some(part) = text.get(..cut) {
                assert!(Dialog::from_text(part).is_none_or(|part| part != read), "{part}");
            }
        }
    }
}

#[test]
fn a_dialog_whose_record_route_is_not_ours_is_not_known() {
    let (w, _) = talking([Transport::Udp, Transport::Udp]);
    let answered = w.events.iter().find(|e| e.response.is_some()).expect("an answer");
    let mut answer = answered.response.as_deref().expect("it").clone();
    answer.set(ngn_sip::header::HeaderName::RecordRoute, "<sip:192.0.2.10;lr;ngn=AAAA>");
    assert_eq!(w.stack.dialog(&answered.request, &answer), None);
    let bare = {
        answer.remove(ngn_sip::header::HeaderName::RecordRoute);
        answer
    };
    assert_eq!(w.stack.dialog(&answered.request, &bare), None);
}
