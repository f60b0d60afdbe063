use super::*;
use crate::header::Transport;
use crate::message::Limits;
use ngn_model::Aor;

const NOW: i64 = 1_700_000_000_000;
const SOURCE: &str = "192.0.2.7:5060";

fn aor() -> Aor {
    "bob@biloxi.com".parse().expect("an address")
}

/// A REGISTER with these lines beside the mandatory ones.
fn message(call: &str, lines: &[&str]) -> Message {
    let (call_id, cseq) = call.split_once(' ').expect("Call-ID and CSeq");
    let mut text = format!(
        "REGISTER sip:biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n\
         From: <sip:bob@biloxi.com>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} REGISTER\r\n"
    );
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    Message::parse(text.into(), &Limits::default()).unwrap_or_else(|e| panic!("{lines:?}: {e}"))
}

fn from(transport: &Transport, remote: &str, message: &Message) -> Register {
    let remote = remote.parse().expect("an address");
    let origin = Origin { transport, remote, socket: "udp:192.0.2.9:5060", node: "n1" };
    Register::read(message, aor(), &origin).expect("facts")
}

fn request(call: &str, lines: &[&str]) -> Register {
    from(&Transport::Udp, SOURCE, &message(call, lines))
}

/// Bindings as a database keeps them.
#[derive(Default)]
struct Location(Vec<Binding>);

impl Location {
    fn save(&mut self, change: &ChangeSet) {
        for key in &change.deletes {
            assert!(!change.upserts.iter().any(|b| b.key() == *key), "{key:?} stands in both");
            self.0.retain(|b| b.key() != *key);
        }
        for binding in &change.upserts {
            self.0.retain(|b| b.key() != binding.key());
            self.0.push(binding.clone());
        }
    }

    fn register_at(&mut self, now: i64, rules: &Rules, request: &Register) -> Reply {
        let outcome = register(request, &self.0, rules, now);
        assert!(outcome.reply.status == 200 || outcome.change.is_empty(), "all or nothing");
        self.save(&outcome.change);
        outcome.reply
    }

    fn register(&mut self, call: &str, lines: &[&str]) -> Reply {
        self.register_at(NOW, &Rules::default(), &request(call, lines))
    }
}

fn contacts(reply: &Reply) -> Vec<String> {
    reply.contacts.iter().map(ToString::to_string).collect()
}

#[test]
fn rfc3261_10_3_adds_lists_refreshes_and_removes() {
    let mut location = Location::default();
    let reply = location.register("a 1", &["Contact: <sip:bob@192.0.2.7>"]);
    assert_eq!(
        (reply.status, contacts(&reply)),
        (200, vec!["<sip:bob@192.0.2.7>;expires=3600".into()])
    );
    let reply = location
        .register("b 1", &["Contact: <sip:bob@192.0.2.8;x>;q=0.5;expires=120", "Expires: 900"]);
    assert_eq!(
        contacts(&reply),
        ["<sip:bob@192.0.2.7>;expires=3600", "<sip:bob@192.0.2.8;x>;q=0.5;expires=120"]
    );
    // No Contact: the list, and nothing changes.
    assert_eq!(contacts(&location.register("c 1", &["Expires: 0"])).len(), 2);
    // A refresh by an equivalent URI; the new spelling takes the place of the old one.
    let reply =
        location.register("b 2", &["Contact: \"Bob\" <sip:%62ob@192.0.2.8>", "Expires: 900"]);
    assert_eq!(
        contacts(&reply),
        ["<sip:bob@192.0.2.7>;expires=3600", "<sip:%62ob@192.0.2.8>;expires=900"]
    );
    assert_eq!(location.0.len(), 2);
    let reply = location.register(
        "b 3",
        &["Contact: <sip:bob@192.0.2.8>;expires=0", "Contact: <sip:new@192.0.2.7>"],
    );
    assert_eq!(
        contacts(&reply),
        ["<sip:bob@192.0.2.7>;expires=3600", "<sip:new@192.0.2.7>;expires=3600"]
    );
    // Removing what is not there is no error, and is noted: another registrar may have accepted it.
    let gone = "Contact: <sip:gone@192.0.2.8>;expires=0";
    assert_eq!(location.register("b 4", &[gone]).status, 200);
    let asked = |lines: &[&str]| {
        register(&request("b 5", lines), &location.0, &Rules::default(), NOW).change
    };
    let noted = BindingKey::Contact { aor: aor(), contact: "sip:gone@192.0.2.8".to_owned() };
    assert_eq!(asked(&[gone, gone]).deletes, [noted]);
    assert_eq!(asked(&[gone, "Contact: <sip:gone@192.0.2.8>"]).deletes, []);
    assert_eq!(location.register("d 1", &["Contact: *", "Expires: 0"]).contacts, []);
    assert!(location.0.is_empty());
}

#[test]
fn rfc3261_10_3_6_star_needs_expires_0() {
    for lines in [&["Contact: *"][..], &["Contact: *", "Expires: 1"], &["Contact: *", "Expires: x"]]
    {
        let mut location = Location::default();
        location.register("a 1", &["Contact: <sip:bob@192.0.2.7>"]);
        assert_eq!(location.register("b 1", lines).status, 400);
        assert_eq!(location.0.len(), 1);
    }
}

/// What a second request with this Call-ID and CSeq does to a binding that `a 5` made.
#[test]
fn rfc3261_10_3_7_cseq_orders_requests_of_one_call_id() {
    let update = "Contact: <sip:bob@192.0.2.7>;expires=100";
    let remove = "Contact: <sip:bob@192.0.2.7>;expires=0";
    for (call, line, status, expires) in [
        ("a 6", update, 200, Some(100)),
        ("a 5", update, 200, Some(3600)),
        ("a 4", update, 500, Some(3600)),
        ("b 1", update, 200, Some(100)),
        ("a 6", remove, 200, None),
        ("a 5", remove, 500, Some(3600)),
        ("a 4", remove, 500, Some(3600)),
        ("b 1", remove, 200, None),
        ("a 6", "Contact: *", 200, None),
        ("a 5", "Contact: *", 500, Some(3600)),
        ("b 1", "Contact: *", 200, None),
        // A contact that is not bound has nothing to be older than.
        ("a 4", "Contact: <sip:other@192.0.2.7>", 200, Some(3600)),
    ] {
        let mut location = Location::default();
        location.register("a 5", &["Contact: <sip:bob@192.0.2.7>"]);
        let expires_field = if line == "Contact: *" { "Expires: 0" } else { "X: y" };
        let reply = location.register(call, &[line, expires_field]);
        assert_eq!(reply.status, status, "{call} {line}");
        let left = location.0.first().map(|b| (b.expires_at - NOW) / 1000);
        assert_eq!(left, expires, "{call} {line}");
    }
    // One late contact undoes the whole request.
    let mut location = Location::default();
    location.register("a 5", &["Contact: <sip:bob@192.0.2.7>"]);
    let reply = location.register("a 4", &["Contact: <sip:new@192.0.2.7>, <sip:bob@192.0.2.7>"]);
    assert_eq!((reply.status, location.0.len()), (500, 1));
    // A binding that has ended orders nothing.
    let later = NOW + 3_600_000;
    let request = request("a 4", &["Contact: <sip:bob@192.0.2.7>"]);
    assert_eq!(location.register_at(later, &Rules::default(), &request).status, 200);
}

#[test]
fn rfc3261_10_3_7_grants_seconds() {
    let rules = Rules { min_expires: 60, max_expires: 7200, ..Rules::default() };
    for (contact, field, granted) in [
        ("", "X: y", Ok(3600)),
        ("", "Expires: 600", Ok(600)),
        (";expires=700", "Expires: 600", Ok(700)),
        (";expires=\"700\"", "X: y", Ok(700)),
        (";expires=never", "Expires: 600", Ok(3600)),
        (";expires", "Expires: 600", Ok(3600)),
        ("", "Expires: never", Ok(3600)),
        ("", "Expires: 10000000000", Ok(7200)),
        (";expires=280297596632815", "X: y", Ok(7200)),
        (";expires=60", "X: y", Ok(60)),
        (";expires=59", "X: y", Err(423)),
        ("", "Expires: 1", Err(423)),
    ] {
        let mut location = Location::default();
        let line = format!("Contact: <sip:bob@192.0.2.7>{contact}");
        let reply = location.register_at(NOW, &rules, &request("a 1", &[&line, field]));
        match granted {
            Ok(seconds) => {
                assert_eq!(contacts(&reply), [format!("<sip:bob@192.0.2.7>;expires={seconds}")]);
            }
            Err(status) => {
                assert_eq!(reply.status, status, "{contact} {field}");
                assert_eq!(reply.fields, [(HeaderName::MinExpires, "60".to_owned())]);
            }
        }
    }
    // At most an hour may be asked for as the least.
    let rules = Rules { min_expires: 5000, ..rules };
    let hour = request("a 1", &["Contact: <sip:bob@192.0.2.7>;expires=3600"]);
    assert_eq!(Location::default().register_at(NOW, &rules, &hour).status, 200);
}

#[test]
fn the_list_shows_what_is_left() {
    let mut location = Location::default();
    location.register("a 1", &["Contact: <sip:bob@192.0.2.7>;expires=100"]);
    let query = request("b 1", &[]);
    let mut list = |later| contacts(&location.register_at(NOW + later, &Rules::default(), &query));
    assert_eq!(list(500), ["<sip:bob@192.0.2.7>;expires=100"]);
    assert_eq!(list(1000), ["<sip:bob@192.0.2.7>;expires=99"]);
    assert_eq!(list(99_999), ["<sip:bob@192.0.2.7>;expires=1"]);
    assert_eq!(list(100_000), [""; 0]);
}

#[test]
fn too_many_contacts_push_the_oldest_out_or_are_refused() {
    let rules = Rules { max_contacts: 2, ..Rules::default() };
    let strict = Rules { when_full: WhenFull::Refuse, ..rules };
    let add =
        |call: &str, user: &str| request(call, &[&format!("Contact: <sip:{user}@192.0.2.7>")]);
    let users = |location: &Location| -> Vec<String> {
        let uri =
            |b: &Binding| Uri::parse(&b.contact).expect("a URI").user().map(ToOwned::to_owned);
        location.0.iter().filter_map(uri).collect()
    };
    let mut location = Location::default();
    location.register_at(NOW, &rules, &add("a 1", "one"));
    location.register_at(NOW + 1, &rules, &add("b 1", "two"));
    location.register_at(NOW + 2, &rules, &add("a 2", "one"));
    assert_eq!(location.register_at(NOW + 3, &strict, &add("c 1", "three")).status, 403);
    assert_eq!(location.register_at(NOW + 3, &rules, &add("c 1", "three")).status, 200);
    assert_eq!(users(&location), ["one", "three"]);
    let three =
        request("d 1", &["Contact: <sip:x@192.0.2.7>, <sip:y@192.0.2.7>, <sip:z@192.0.2.7>"]);
    assert_eq!(location.register_at(NOW, &rules, &three).status, 403);
    // When the limit is lowered, those that are there may stay and be refreshed.
    let one = Rules { max_contacts: 1, ..strict };
    assert_eq!(location.register_at(NOW + 4, &one, &add("a 3", "one")).status, 200);
    assert_eq!(users(&location).len(), 2);
    // A request that removes as many as it adds stays within the limit.
    let swap = request("e 1", &["Contact: <sip:one@192.0.2.7>;expires=0, <sip:new@192.0.2.7>"]);
    assert_eq!(location.register_at(NOW + 5, &strict, &swap).status, 200);
    assert_eq!(users(&location), ["three", "new"]);
}

#[test]
fn the_last_of_equal_contacts_in_one_request_holds() {
    let mut location = Location::default();
    let line = "Contact: <sip:bob@192.0.2.7>;q=0.1, <sip:bob@192.0.2.7;x>;q=0.2";
    let reply = location.register("a 1", &[line]);
    assert_eq!(contacts(&reply), ["<sip:bob@192.0.2.7;x>;q=0.2;expires=3600"]);
    let line = "Contact: <sip:bob@192.0.2.7>, <sip:bob@192.0.2.7>;expires=0";
    assert_eq!(contacts(&location.register("a 2", &[line])), [""; 0]);
    assert!(location.0.is_empty());
}

#[test]
fn rfc5626_6_flows_of_one_phone() {
    let flow = |host: &str, reg_id: u32| {
        format!("Contact: <sip:bob@{host}>;reg-id={reg_id};+sip.instance=\"<urn:uuid:00-01>\"")
    };
    let mut location = Location::default();
    let reply = location.register("a 1", &["Supported: path, outbound", &flow("192.0.2.7", 1)]);
    assert_eq!(reply.fields, [(HeaderName::Require, "outbound".to_owned())]);
    assert_eq!(
        contacts(&reply),
        ["<sip:bob@192.0.2.7>;expires=3600;+sip.instance=\"<urn:uuid:00-01>\";reg-id=1"]
    );
    // Another flow with the same URI is a binding of its own; the same flow with another URI is not.
    location.register("a 2", &[&flow("192.0.2.7", 2)]);
    assert_eq!(location.0.len(), 2);
    location.register("a 3", &[&flow("198.51.100.1", 1)]);
    let hosts: Vec<_> = location.0.iter().map(|b| b.contact.as_str()).collect();
    assert_eq!(hosts, ["sip:bob@192.0.2.7", "sip:bob@198.51.100.1"]);
    // A phone that begins to use outbound takes its plain binding over.
    let mut location = Location::default();
    location.register("a 1", &["Contact: <sip:bob@192.0.2.7>"]);
    location.register("a 2", &[&flow("192.0.2.7", 1)]);
    assert_eq!(location.0.iter().map(|b| b.reg_id).collect::<Vec<_>>(), [1]);
    // Behind a proxy that does not know outbound a phone that does is told so; for others reg-id means nothing.
    for (path, status) in [("<sip:edge;lr>", 439), ("<sip:mid;lr>, <sip:edge;lr;ob>", 200)] {
        let fields = ["Supported: path, outbound", &flow("192.0.2.7", 1), &format!("Path: {path}")];
        let mut location = Location::default();
        assert_eq!(location.register("a 1", &fields).status, status, "{path}");
        assert_eq!(location.0.len(), usize::from(status == 200));
    }
    for (path, reg_id) in [("<sip:edge;lr>", 0), ("<sip:mid;lr>, <sip:edge;lr;ob>", 1)] {
        let mut location = Location::default();
        location.register("a 1", &[&flow("192.0.2.7", 1), &format!("Path: {path}")]);
        assert_eq!(location.0.first().map(|b| b.reg_id), Some(reg_id), "{path}");
    }
    // Without an instance id there is no flow.
    let mut location = Location::default();
    location.register("a 1", &["Contact: <sip:bob@192.0.2.7>;reg-id=1"]);
    assert_eq!(location.0.first().map(|b| b.reg_id), Some(0));
}

#[test]
fn rfc3327_5_3_stores_path_and_shows_it() {
    let mut location = Location::default();
    let lines = &[
        "Contact: <sip:bob@10.0.0.1>",
        "Path: <sip:p2;lr>",
        "Supported: path",
        "Path: <sip:p1;lr>",
    ];
    let reply = location.register("a 1", lines);
    assert_eq!(reply.fields, [(HeaderName::Path, "<sip:p2;lr>, <sip:p1;lr>".to_owned())]);
    let binding = location.0.first().expect("a binding");
    assert_eq!(binding.path, "<sip:p2;lr>, <sip:p1;lr>");
    assert_eq!(binding.received, None);
    let reply = location.register("a 2", &["Contact: <sip:bob@10.0.0.1>", "Path: <sip:p2;lr>"]);
    assert_eq!(reply.fields, []);
}

/// Transport, source, Via sent-by, contact, and where requests have to go.
#[test]
fn finds_phones_behind_translators() {
    use Transport::{Tcp, Tls, Udp, Wss};
    for (transport, source, via, contact, received) in [
        (Udp, SOURCE, "192.0.2.7", "192.0.2.7", None),
        (Udp, SOURCE, "192.0.2.7", "192.0.2.7:5060", None),
        (Udp, "192.0.2.7:1024", "192.0.2.7", "192.0.2.7", Some("sip:192.0.2.7:1024;transport=udp")),
        (Udp, SOURCE, "10.0.0.1", "10.0.0.1", Some("sip:192.0.2.7:5060;transport=udp")),
        (Udp, SOURCE, "192.0.2.7", "192.0.2.7:7060", None),
        (Udp, SOURCE, "192.0.2.7", "198.51.100.1", None),
        (Udp, SOURCE, "192.0.2.7", "192.168.1.2", Some("sip:192.0.2.7:5060;transport=udp")),
        (Udp, SOURCE, "192.0.2.7", "127.0.0.1:53", Some("sip:192.0.2.7:5060;transport=udp")),
        (Udp, SOURCE, "192.0.2.7", "[fd00::1]", Some("sip:192.0.2.7:5060;transport=udp")),
        (Udp, "10.0.0.1:5060", "10.0.0.1", "10.0.0.1:7060", None),
        (Udp, SOURCE, "192.0.2.7", "phone.example.com", None),
        (Udp, SOURCE, "10.0.0.1", "phone.example.com", Some("sip:192.0.2.7:5060;transport=udp")),
        (Udp, "[2001:db8::7]:5060", "[2001:db8::7]", "[2001:db8:0::7]", None),
        (
            Udp,
            "[2001:db8::7]:9",
            "[2001:db8::7]",
            "[2001:db8::8]",
            Some("sip:[2001:db8::7]:9;transport=udp"),
        ),
        (Udp, "[::ffff:192.0.2.7]:5060", "192.0.2.7", "192.0.2.7", None),
        (
            Tcp,
            "192.0.2.7:40000",
            "192.0.2.7",
            "192.0.2.7",
            Some("sip:192.0.2.7:40000;transport=tcp"),
        ),
        (
            Tls,
            "192.0.2.7:5061",
            "192.0.2.7",
            "192.0.2.7:5061",
            Some("sip:192.0.2.7:5061;transport=tls"),
        ),
        (
            Wss,
            "192.0.2.7:40000",
            "x.invalid",
            "x.invalid",
            Some("sip:192.0.2.7:40000;transport=wss"),
        ),
    ] {
        let mut message = message("a 1", &[&format!("Contact: <sip:bob@{contact}>")]);
        message.set(HeaderName::Via, &format!("SIP/2.0/UDP {via};branch=z9hG4bK1"));
        let outcome = register(&from(&transport, source, &message), &[], &Rules::default(), NOW);
        let binding = outcome.change.upserts.first().expect("a binding");
        assert_eq!(binding.received.as_deref(), received, "{transport} {source} {via} {contact}");
        // Through a proxy, the source is the proxy.
        message.push_before(HeaderName::Via, "SIP/2.0/UDP proxy;branch=z9hG4bK2");
        let outcome = register(&from(&transport, source, &message), &[], &Rules::default(), NOW);
        assert_eq!(outcome.change.upserts.first().expect("a binding").received, None);
    }
}

#[test]
fn keeps_what_the_phone_said() {
    let long = "x".repeat(300);
    let lines = [
        "Contact: \"B\" <sip:bob@192.0.2.7;ob?Route=%3Csip:x%3E>;q=0.7;foo=bar".to_owned(),
        format!("User-Agent: Phone\r\n /1.0 {long}"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let outcome = register(&request(&format!("{long} 7"), &lines), &[], &Rules::default(), NOW);
    let [binding] = outcome.change.upserts.as_slice() else { panic!("one binding") };
    assert_eq!(binding.contact, "sip:bob@192.0.2.7;ob?Route=%3Csip:x%3E");
    assert_eq!((binding.q, binding.cseq), (700, 7));
    assert_eq!(binding.call_id.len(), 255);
    assert!(binding.user_agent.starts_with("Phone /1.0 xx"));
    assert_eq!(binding.user_agent.len(), 255);
    // The contact is where the request came from: any node may send there.
    assert_eq!((binding.socket.as_str(), binding.node.as_str()), ("udp:192.0.2.9:5060", ""));
    let lines = ["Contact: <sip:bob@10.0.0.7>"];
    let outcome = register(&request("nat 1", &lines), &[], &Rules::default(), NOW);
    let [behind_nat] = outcome.change.upserts.as_slice() else { panic!("one binding") };
    assert_eq!((behind_nat.received.is_some(), behind_nat.node.as_str()), (true, "n1"));
    assert_eq!((binding.expires_at, binding.last_modified), (NOW + 3_600_000, NOW));
}

#[test]
fn refuses_contacts_that_cannot_be_called_or_kept() {
    for contact in [
        "Contact: <mailto:bob@biloxi.com>".to_owned(),
        "Contact: <tel:+1>".to_owned(),
        format!("Contact: <sip:bob@192.0.2.7;x={}>", "y".repeat(2048)),
        format!("Contact: <sip:bob@192.0.2.7>;+sip.instance=\"<{}>\"", "y".repeat(300)),
    ] {
        let mut location = Location::default();
        let reply = location.register("a 1", &["Contact: <sip:a@192.0.2.7>", &contact]);
        assert_eq!((reply.status, location.0.len()), (400, 0), "{contact}");
    }
}

#[test]
fn the_response_carries_it_all() {
    let message =
        message("a 1", &["Contact: <sip:bob@192.0.2.7>", "Supported: path", "Path: <sip:p;lr>"]);
    let reply =
        register(&from(&Transport::Udp, SOURCE, &message), &[], &Rules::default(), NOW).reply;
    let text = reply.response(&message, "t1").to_bytes();
    assert_eq!(
        String::from_utf8_lossy(&text),
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n\
         From: <sip:bob@biloxi.com>;tag=1\r\nTo: <sip:bob@biloxi.com>;tag=t1\r\nCall-ID: a\r\n\
         CSeq: 1 REGISTER\r\nContent-Length: 0\r\nContact: <sip:bob@192.0.2.7>;expires=3600\r\n\
         Path: <sip:p;lr>\r\n\r\n"
    );
}

// More contacts than could be removed and added at once are refused before any is looked at: comparing each with each
// would take an account's owner seconds of our time for one request.
#[test]
fn a_request_with_hundreds_of_contacts_is_refused_at_once() {
    let contact = |n: usize| {
        let expires = if n < 199 { ";expires=0" } else { "" };
        format!("<sip:u{n}@192.0.2.7>{expires}")
    };
    // All but one would remove what is not there, so that no limit of bindings would be met.
    let all: Vec<String> = (0..200).map(contact).collect();
    let fields = all.chunks(20).map(|some| format!("Contact: {}", some.join(", ")));
    let fields: Vec<String> = fields.collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let mut location = Location::default();
    let reply = location.register_at(NOW, &Rules::default(), &request("a 1", &fields));
    assert_eq!((reply.status, location.0.len()), (403, 0));
}
