//! Several sipd nodes over one database: any of them serves any account.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;

use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::program::Program;
use ngn_tests::sip::{Message, PATIENCE, Phone, Request, response, unique};
use ngn_tests::wire::Wire;
use ngn_tests::{Value, binaries, record, sip_id};

use crate::fixture::DOMAIN;
use crate::gruus;
use crate::pstn::{call, last, uri};

/// The second node: a sipd by itself on the database of a platform, whose own sipd is the first one.
pub(crate) struct Node {
    program: Program,
    pub(crate) address: SocketAddr,
}

impl Node {
    fn beside(p: &Platform) -> Self {
        Self::on(p, &p.database.url)
    }

    /// A node that reaches the database in a way of its own.
    pub(crate) fn on(p: &Platform, database: &str) -> Self {
        let mut command = Command::new(binaries::program("sipd"));
        command.arg("--config").arg(binaries::root().join("etc/sipd.toml"));
        command.env("SIPD_DATABASE", database).env("SIPD_ADMIN", "127.0.0.1:0");
        let any = "[\"127.0.0.1:0\"]";
        command.env("SIPD_LISTEN__UDP", any).env("SIPD_LISTEN__TCP", any);
        command.current_dir(p.directory());
        let mut program = Program::start("sipd", command).unwrap();
        let addresses = program.wait_ready().unwrap();
        Self { program, address: addresses["sip-udp"] }
    }

    fn phone(&self, user: &str) -> Phone {
        Phone::new(self.address, &format!("{user}@{DOMAIN}"), "secret")
    }
}

/// Two nodes and some accounts.
fn two_nodes(backend: Backend, accounts: &[&str]) -> (Platform, Node) {
    let p = Platform::start(backend);
    let other = second_node(&p, accounts);
    (p, other)
}

/// The second node of a platform, and some accounts.
fn second_node(p: &Platform, accounts: &[&str]) -> Node {
    domain(&p.admin(), DOMAIN);
    for user in accounts {
        account(&p.admin(), &format!("{user}@{DOMAIN}"));
    }
    p.settle();
    Node::beside(p)
}

fn first_phone(p: &Platform, user: &str) -> Phone {
    Phone::new(p.sip_address(), &format!("{user}@{DOMAIN}"), "secret")
}

/// A phone that is connected over TCP and cannot be connected to.
struct TcpPhone {
    /// Its name and password; its socket is not used.
    names: Phone,
    stream: TcpStream,
    read: Vec<u8>,
}

impl TcpPhone {
    fn connect(node: SocketAddr, user: &str) -> Self {
        let stream = TcpStream::connect(node).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let names = Phone::new(node, &format!("{user}@{DOMAIN}"), "secret");
        Self { names, stream, read: Vec::new() }
    }

    fn contact(&self) -> String {
        let address = self.stream.local_addr().unwrap();
        format!("<sip:{}@{address};transport=tcp>", self.names.user)
    }

    fn send(&mut self, request: &Request) {
        let text = String::from_utf8(request.bytes(&self.names)).unwrap();
        let udp = format!("SIP/2.0/UDP {}", self.names.local());
        let tcp = format!("SIP/2.0/TCP {}", self.stream.local_addr().unwrap());
        self.stream.write_all(text.replace(&udp, &tcp).as_bytes()).unwrap();
    }

    /// The next message that the function accepts.
    fn receive_where(&mut self, accept: impl Fn(&Message) -> bool) -> Message {
        loop {
            let head = self.read.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(head) = head.map(|at| at + 4) {
                let text = String::from_utf8_lossy(&self.read[..head]).to_ascii_lowercase();
                let length = text.split("content-length:").nth(1).unwrap_or("0");
                let length: usize = length.lines().next().unwrap_or("0").trim().parse().unwrap();
                if self.read.len() >= head + length {
                    let octets: Vec<u8> = self.read.drain(..head + length).collect();
                    let message = Message::parse(&octets).unwrap();
                    if accept(&message) {
                        return message;
                    }
                    continue;
                }
            }
            let mut buffer = [0; 4096];
            let length = self.stream.read(&mut buffer).expect("a message");
            assert!(length > 0, "the connection was closed");
            self.read.extend(&buffer[..length]);
        }
    }

    /// Registers and gives the final response.
    fn register(&mut self, contact: &str, more: &[(&str, &str)]) -> Message {
        let aor = self.names.aor();
        let mut request = Request::new("REGISTER", &format!("sip:{DOMAIN}"), &aor, &aor)
            .with("Contact", contact)
            .with("Expires", "300");
        for (name, value) in more {
            request = request.with(name, value);
        }
        self.send(&request);
        let challenge = self.receive_where(|m| m.status() == 401);
        let again = request.answer(&challenge, &self.names.user, &self.names.password).unwrap();
        self.send(&again);
        self.receive_where(|m| m.status() >= 200)
    }

    fn respond(&mut self, request: &Message, more: &[(&str, &str)]) {
        self.stream.write_all(&response(request, "200 OK", "callee", more)).unwrap();
    }

    /// Closes the connection; when this returns, the server has taken note of it.
    fn close(mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
        while self.stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {}
    }
}

/// A callee of either kind.
enum Callee {
    Udp(Phone),
    Tcp(TcpPhone),
}

impl Callee {
    /// Answers the INVITE that comes.
    fn answer(&mut self) -> Message {
        match self {
            Self::Udp(phone) => {
                let invite = phone.receive_where(|m| m.method() == "INVITE").unwrap();
                let contact = format!("<{}>", phone.contact());
                let answer = response(&invite, "200 OK", "callee", &[("Contact", &contact)]);
                phone.send_to(&answer, sender(&invite)).unwrap();
                invite
            }
            Self::Tcp(phone) => {
                let invite = phone.receive_where(|m| m.method() == "INVITE");
                let contact = phone.contact();
                phone.respond(&invite, &[("Contact", &contact)]);
                invite
            }
        }
    }

    fn answer_bye(&mut self) {
        let is_bye = |m: &Message| m.method() == "BYE";
        match self {
            Self::Udp(phone) => {
                let bye = phone.receive_where(is_bye).unwrap();
                phone.send_to(&response(&bye, "200 OK", "callee", &[]), sender(&bye)).unwrap();
            }
            Self::Tcp(phone) => {
                let bye = phone.receive_where(is_bye);
                phone.respond(&bye, &[]);
            }
        }
    }

    /// Hangs up the call that an INVITE set up.
    fn hang_up(&mut self, invite: &Message) {
        let tag = |value: &str| value.split_once(";tag=").map(|(_, tag)| tag.to_owned()).unwrap();
        let address = |value: &str| {
            value.trim_start_matches('<').split('>').next().unwrap_or_default().to_owned()
        };
        let header = |name: &str| invite.header(name).unwrap();
        let mut bye = Request::new(
            "BYE",
            &address(header("contact")),
            &address(header("to")),
            &address(header("from")),
        );
        bye.call_id = header("call-id").to_owned();
        bye.from_tag = "callee".to_owned();
        bye.to_parameters = format!(";tag={}", tag(header("from")));
        for route in invite.all("record-route") {
            bye = bye.with("Route", route);
        }
        match self {
            Self::Udp(phone) => phone.send_to(&bye.bytes(phone), sender(invite)).unwrap(),
            Self::Tcp(phone) => phone.send(&bye),
        }
        let is_answer = |m: &Message| m.header("cseq").is_some_and(|c| c.ends_with("BYE"));
        let answer = match self {
            Self::Udp(phone) => phone.receive_where(|m| m.status() > 0 && is_answer(m)).unwrap(),
            Self::Tcp(phone) => phone.receive_where(|m| m.status() > 0 && is_answer(m)),
        };
        assert_eq!(answer.status(), 200);
    }
}

/// The address in the topmost Via: who sent a request here.
fn sender(request: &Message) -> SocketAddr {
    let via = request.header("via").unwrap();
    via.split(' ').nth(1).unwrap().split(';').next().unwrap().parse().unwrap()
}

/// Calls, is answered, and ends the call from either side.
fn whole_calls(caller: &Phone, callee: &mut Callee, user: &str, through: SocketAddr) {
    for caller_ends in [true, false] {
        let invite = call(caller, &uri(user), &[]);
        let arrived = callee.answer();
        assert_eq!(sender(&arrived), through, "{user}: {}", arrived.all("via").join(", "));
        let answered = last(caller, &invite);
        assert_eq!(answered.status(), 200, "{user}");
        let bye = invite.bye(&answered);
        let ack = Request {
            method: "ACK".to_owned(),
            cseq: invite.cseq,
            branch: format!("z9hG4bK{}", unique("b")),
            ..bye.clone()
        };
        caller.send(&ack.bytes(caller)).unwrap();
        let is_ack = |m: &Message| m.method() == "ACK";
        match callee {
            Callee::Udp(phone) => drop(phone.receive_where(is_ack).unwrap()),
            Callee::Tcp(phone) => drop(phone.receive_where(is_ack)),
        }
        if caller_ends {
            caller.send(&bye.bytes(caller)).unwrap();
            callee.answer_bye();
            let over =
                caller.receive_where(|m| m.header("cseq") == Some(&format!("{} BYE", bye.cseq)));
            assert_eq!(over.unwrap().status(), 200, "{user}");
        } else {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let bye = caller.receive_where(|m| m.method() == "BYE").unwrap();
                    caller.send(&response(&bye, "200 OK", "", &[])).unwrap();
                });
                callee.hang_up(&arrived);
            });
        }
    }
}

/// The final status that a call gets, which nobody answers.
fn status_of_call(caller: &Phone, user: &str) -> u16 {
    let invite = call(caller, &uri(user), &[]);
    let answer = last(caller, &invite);
    caller.send(&invite.ack(&answer).bytes(caller)).unwrap();
    answer.status()
}

/// The contacts of an account, as a node lists them.
fn listed(node: SocketAddr, user: &str) -> String {
    let mut asks = Phone::new(node, &format!("{user}@{DOMAIN}"), "secret");
    asks.register_with(&[]).unwrap().all("contact").join(",")
}

/// Waits until a node knows so many contacts of an account.
pub(crate) fn knows(node: SocketAddr, user: &str, contacts: usize) {
    let of_user = format!("sip:{user}@");
    let is_known = || (listed(node, user).matches(&of_user).count() == contacts).then_some(());
    eventually("the node knows the contacts", is_known);
}

/// A phone behind a NAT that translates its address.
fn register_behind_nat(phone: &mut Phone) {
    let contact = format!("<sip:{}@10.9.8.7:5060>", phone.user);
    let fields = [("Contact", contact.as_str()), ("Expires", "300")];
    assert_eq!(phone.register_with(&fields).unwrap().status(), 200);
}

// RFC 3261 section 16, RFC 5626 section 5.3: a phone is called through any node, and reached over its own connection.
#[test]
fn phones_are_reached_through_the_node_that_they_came_to() {
    for backend in [Backend::MariaDb, Backend::Sqlite] {
        let (p, other) = two_nodes(backend, &["alice", "bob", "carol", "dave"]);
        let (here, there) = (p.sip_address(), other.address);
        let mut bob = first_phone(&p, "bob");
        assert_eq!(bob.register(300).unwrap().status(), 200);
        let mut carol = TcpPhone::connect(here, "carol");
        let contact = carol.contact();
        assert_eq!(carol.register(&contact, &[]).status(), 200);
        let mut dave = first_phone(&p, "dave");
        register_behind_nat(&mut dave);
        for user in ["bob", "carol", "dave"] {
            knows(there, user, 1);
        }
        let alice = other.phone("alice");
        let (mut bob, mut carol) = (Callee::Udp(bob), Callee::Tcp(carol));
        whole_calls(&alice, &mut bob, "bob", there);
        whole_calls(&alice, &mut carol, "carol", here);
        whole_calls(&alice, &mut Callee::Udp(dave), "dave", here);
        // One record of each call, by the node that decided about it.
        let closed = "SELECT COUNT(*) FROM radacct WHERE AcctStopTime IS NOT NULL AND NASPortId";
        eventually("all calls are recorded", || {
            let count = p.database.sql(&format!("{closed} = '{there}'"));
            (count.trim() == "6").then_some(())
        });
        assert_eq!(p.database.sql("SELECT COUNT(*) FROM radacct").trim(), "6");
        // B168: what all nodes know.
        let ids: Vec<Value> = ["bob", "carol", "dave"]
            .iter()
            .map(|user| sip_id(&format!("{user}@{DOMAIN}")))
            .collect();
        let found = p.admin().ok("Sip.getSipDeviceLocations", record! { sipIds: ids });
        let show = |at: &str| found.text_at(at);
        assert_eq!(show("0/locations/0/transport"), "udp");
        assert_eq!(show("1/locations/0/transport"), "tcp");
        assert_eq!(show("2/locations/0/address"), "10.9.8.7");
        assert_eq!(show("2/locations/0/publicAddress"), "127.0.0.1");
    }
}

// RFC 5627 section 5.4: a GRUU that one node gave out holds on the others, and leads to the node that the phone came to.
#[test]
fn gruus_hold_on_every_node() {
    let (p, other) = two_nodes(Backend::Sqlite, &["alice", "bob"]);
    let wire = Wire::tcp(p.sip_address()).unwrap();
    let mut bob = Phone::over(wire, &format!("bob@{DOMAIN}"), "secret");
    let alice = other.phone("alice");
    let (public, temporary) = gruus::register(&mut bob, &gruus::name(1), 300);
    knows(other.address, "bob", 1);
    for uri in [&public, &temporary] {
        gruus::answers(&alice, &bob, uri);
    }
    gruus::register(&mut bob, &gruus::name(1), 0);
    knows(other.address, "bob", 0);
    assert_eq!(gruus::refused(&alice, &public), 480);
    assert_eq!(gruus::refused(&alice, &temporary), 404);
}

// A node's address stands for many callers: what it proves to send on is not limited as one source's is.
#[test]
fn other_nodes_are_no_strangers() {
    let strict = "[guard]\nexempt = []\ncalls_per_second = 1\ncall_burst = 1\n";
    let p = Platform::start_with(Backend::Sqlite, &[("sipd", strict)]);
    let other = second_node(&p, &["alice", "bob"]);
    let mut bob = TcpPhone::connect(p.sip_address(), "bob");
    let contact = bob.contact();
    assert_eq!(bob.register(&contact, &[]).status(), 200);
    knows(other.address, "bob", 1);
    let (alice, mut bob) = (other.phone("alice"), Callee::Tcp(bob));
    for _ in 0..4 {
        whole_calls(&alice, &mut bob, "bob", p.sip_address());
    }
}

// What one node forgets, others forget; what another one accepts counts here.
#[test]
fn registrations_are_followed() {
    let (p, other) = two_nodes(Backend::MariaDb, &["alice", "bob"]);
    let alice = other.phone("alice");
    let mut bob = first_phone(&p, "bob");
    assert_eq!(status_of_call(&alice, "bob"), 480);
    assert_eq!(bob.register(300).unwrap().status(), 200);
    let mut bob = Callee::Udp(bob);
    knows(other.address, "bob", 1);
    whole_calls(&alice, &mut bob, "bob", other.address);
    let Callee::Udp(mut bob) = bob else { return };
    assert_eq!(bob.register(0).unwrap().status(), 200);
    knows(other.address, "bob", 0);
    assert_eq!(status_of_call(&alice, "bob"), 480);
    // Here and there in turns: no more than an account may have, the oldest go first.
    let mut phones: Vec<Phone> = (0..12)
        .map(|n| if n % 2 == 0 { first_phone(&p, "bob") } else { other.phone("bob") })
        .collect();
    for phone in &mut phones {
        assert_eq!(phone.register(300).unwrap().status(), 200);
        let contact = phone.contact();
        for node in [p.sip_address(), other.address] {
            eventually("all nodes know", || listed(node, "bob").contains(&contact).then_some(()));
        }
    }
    let left = p.database.sql("SELECT contact FROM location WHERE expires_at > changed_at");
    assert_eq!(left.lines().count(), 10, "{left}");
    for (n, phone) in phones.iter().enumerate() {
        assert_eq!(left.contains(&phone.contact()), n >= 2, "{n}: {left}");
    }
}

/// Registers with a number of a Call-ID at a node, for so many seconds; gives the status.
pub(crate) fn register_as(
    node: SocketAddr,
    user: &str,
    call_id: &str,
    cseq: u32,
    contact: &str,
    expires: u32,
) -> u16 {
    let phone = Phone::new(node, &format!("{user}@{DOMAIN}"), "secret");
    let aor = phone.aor();
    let mut request = Request::new("REGISTER", &format!("sip:{DOMAIN}"), &aor, &aor)
        .with("Contact", contact)
        .with("Expires", &expires.to_string());
    request.call_id = call_id.to_owned();
    request.cseq = cseq - 1;
    let challenge = phone.transact(&request).unwrap();
    let again = request.answer(&challenge, &phone.user, &phone.password).unwrap();
    phone.transact(&again).unwrap().status()
}

// RFC 3261 section 10.3 step 7: requests of one Call-ID in their order, whichever node they come to.
#[test]
fn rfc3261_10_3_order_holds_over_nodes() {
    let (p, other) = two_nodes(Backend::MariaDb, &["bob"]);
    let nodes = [p.sip_address(), other.address];
    let (call_id, contact) = (unique("reg"), "<sip:bob@127.0.0.1:40404>");
    for n in 0..6 {
        let (node, next) = (nodes[n % 2], nodes[(n + 1) % 2]);
        let cseq = 10 + 4 * u32::try_from(n).unwrap();
        assert_eq!(register_as(node, "bob", &call_id, cseq, contact, 300), 200);
        eventually("the other node knows the number", || {
            (register_as(next, "bob", &call_id, cseq - 1, contact, 300) == 500).then_some(())
        });
        let stored = p.database.sql("SELECT cseq FROM location");
        assert_eq!(stored.trim(), cseq.to_string());
    }
}

// RFC 3261 section 21.4.18: the phones of a dead node that nobody else reaches are not available; others are called.
#[test]
fn a_dead_node_takes_only_its_own_connections_along() {
    let (mut p, other) = two_nodes(Backend::MariaDb, &["alice", "bob", "carol"]);
    let mut bob = first_phone(&p, "bob");
    assert_eq!(bob.register(300).unwrap().status(), 200);
    let mut carol = TcpPhone::connect(p.sip_address(), "carol");
    let contact = carol.contact();
    assert_eq!(carol.register(&contact, &[]).status(), 200);
    knows(other.address, "bob", 1);
    knows(other.address, "carol", 1);
    let alice = other.phone("alice");
    let (mut bob, mut carol) = (Callee::Udp(bob), Callee::Tcp(carol));
    whole_calls(&alice, &mut carol, "carol", p.sip_address());
    p.kill();
    whole_calls(&alice, &mut bob, "bob", other.address);
    assert_eq!(status_of_call(&alice, "carol"), 480);
    eventually("the call is recorded so", || {
        let failed = "SELECT COUNT(*) FROM radacct WHERE ConnectInfo_stop = '480'";
        (p.database.sql(failed).trim() == "1").then_some(())
    });
    // The phone comes back, to the node that is left.
    let mut again = TcpPhone::connect(other.address, "carol");
    let contact = again.contact();
    assert_eq!(again.register(&contact, &[]).status(), 200);
    knows(other.address, "carol", 2);
    drop(carol);
    let mut carol = Callee::Tcp(again);
    whole_calls(&alice, &mut carol, "carol", other.address);
    // And everything is there when the node is.
    p.launch();
    let at_first = first_phone(&p, "alice");
    knows(p.sip_address(), "carol", 2);
    whole_calls(&at_first, &mut bob, "bob", p.sip_address());
    let Callee::Tcp(mut carol) = carol else { return };
    let busy = std::thread::spawn(move || {
        let arrived = carol.receive_where(|m| m.method() == "INVITE");
        let busy = response(&arrived, "486 Busy Here", "callee", &[]);
        carol.stream.write_all(&busy).unwrap();
        carol.receive_where(|m| m.method() == "ACK");
    });
    eventually("the first node knows where the second is", || {
        (status_of_call(&at_first, "carol") == 486).then_some(())
    });
    busy.join().unwrap();
    drop(other.program);
}

// RFC 5626 section 5.3.1: a flow that failed is no binding any more, whoever finds out; other contacts are called.
#[test]
fn rfc5626_flows_that_failed_are_removed() {
    let (p, other) = two_nodes(Backend::MariaDb, &["alice", "bob"]);
    for (n, node) in [p.sip_address(), other.address].into_iter().enumerate() {
        let mut bob = TcpPhone::connect(node, "bob");
        let contact = format!("{};reg-id=1;+sip.instance=\"<urn:uuid:{n}>\"", bob.contact());
        let registered = bob.register(&contact, &[("Supported", "path, outbound")]);
        assert_eq!(registered.status(), 200);
        // RFC 5626 section 5.4.
        assert_eq!(registered.header("require"), Some("outbound"));
        assert_eq!(registered.header("flow-timer"), Some("120"));
        let mut desk = first_phone(&p, "bob");
        let desk_registered = desk.register(300).unwrap();
        assert_eq!(desk_registered.status(), 200);
        assert_eq!(desk_registered.header("flow-timer"), None);
        bob.close();
        let alice = other.phone("alice");
        knows(other.address, "bob", 2);
        let mut desk = Callee::Udp(desk);
        whole_calls(&alice, &mut desk, "bob", other.address);
        eventually("the flow is removed", || {
            let left =
                p.database.sql("SELECT COUNT(*) FROM location WHERE expires_at > changed_at");
            (left.trim() == "1").then_some(())
        });
        let Callee::Udp(mut desk) = desk else { return };
        desk.register(0).unwrap();
        knows(other.address, "bob", 0);
        assert_eq!(status_of_call(&alice, "bob"), 480);
    }
}
