use super::*;

fn all_sockets() -> Vec<Socket> {
    let socket = |transport, is_ipv4| Socket { transport, is_ipv4 };
    vec![
        socket(Transport::Udp, true),
        socket(Transport::Tcp, true),
        socket(Transport::Tls, true),
        socket(Transport::Udp, false),
    ]
}

fn naptr(order: u16, preference: u16, service: &str, replacement: &str) -> Naptr {
    let (service, replacement) = (service.to_owned(), replacement.to_owned());
    Naptr { order, preference, flags: "s".to_owned(), service, replacement }
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
    Srv { priority, weight, port, target: target.to_owned() }
}

/// A world of records in which everything is found at once; SRV weights are drawn by the lowest number.
#[derive(Default)]
struct World {
    records: HashMap<Question, Answer>,
}

impl World {
    fn naptr(mut self, name: &str, records: Vec<Naptr>) -> Self {
        self.records.insert(Question::Naptr(name.to_owned()), Answer::Naptr(records));
        self
    }

    fn srv(mut self, name: &str, records: Vec<Srv>) -> Self {
        self.records.insert(Question::Srv(name.to_owned()), Answer::Srv(records));
        self
    }

    fn at(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|a| a.parse().expect("an address")).collect();
        self.records.insert(Question::Addresses(name.to_owned()), Answer::Addresses(addresses));
        self
    }

    /// The candidates of a URI as text, and how many rounds of questions they took.
    fn locate(&self, uri: &str, sockets: Vec<Socket>) -> (Vec<String>, usize) {
        let uri = Uri::parse(uri).expect("a URI");
        let mut locate = Locate::new(&uri, sockets);
        let mut rounds = 0;
        while locate.candidates().is_none() {
            rounds += 1;
            assert!(rounds < 5, "it ends");
            let asked = locate.questions();
            assert!(!asked.is_empty());
            let known =
                asked.into_iter().filter_map(|q| Some((q.clone(), self.records.get(&q)?.clone())));
            locate.answer(&known.collect(), &mut |_| 0);
        }
        let shown = |c: &Candidate| format!("{} {}", c.transport, c.address);
        (locate.candidates().unwrap_or_default().iter().map(shown).collect(), rounds)
    }

    fn all(&self, uri: &str) -> Vec<String> {
        self.locate(uri, all_sockets()).0
    }
}

#[test]
fn rfc3263_4_1_addresses_are_taken_as_they_are() {
    let world = World::default();
    for (uri, expected) in [
        ("sip:a@192.0.2.1", &["UDP 192.0.2.1:5060"][..]),
        ("sip:a@192.0.2.1:70", &["UDP 192.0.2.1:70"]),
        ("sip:a@192.0.2.1;transport=tcp", &["TCP 192.0.2.1:5060"]),
        ("sips:a@192.0.2.1", &["TLS 192.0.2.1:5061"]),
        ("sips:a@192.0.2.1;transport=tcp", &["TLS 192.0.2.1:5061"]),
        ("sip:a@[2001:db8::1]:70", &["UDP [2001:db8::1]:70"]),
        ("sip:a@h.example;maddr=192.0.2.7", &["UDP 192.0.2.7:5060"]),
        // Neither a transport nor a family without socket.
        ("sip:a@[2001:db8::1];transport=tcp", &[]),
        ("sip:a@192.0.2.1;transport=sctp", &[]),
        ("tel:+431", &[]),
    ] {
        assert_eq!(
            world.locate(uri, all_sockets()),
            (expected.iter().map(|t| (*t).to_owned()).collect(), 0),
            "{uri}"
        );
    }
}

#[test]
fn rfc3263_4_2_a_port_asks_for_addresses_only() {
    let world = World::default()
        .at("h.example", &["192.0.2.1", "2001:db8::1", "192.0.2.1"])
        .at("m.example", &["192.0.2.9"])
        .srv("_sip._udp.h.example", vec![srv(1, 1, 9, "m.example")]);
    assert_eq!(world.all("sip:a@H.Example:70"), ["UDP 192.0.2.1:70", "UDP [2001:db8::1]:70"]);
    assert_eq!(world.all("sip:a@h.example.:70;transport=tcp"), ["TCP 192.0.2.1:70"]);
    assert_eq!(world.all("sip:a@h.example:70;maddr=m.example"), ["UDP 192.0.2.9:70"]);
    assert_eq!(world.all("sips:a@h.example:70"), ["TLS 192.0.2.1:70"]);
    assert!(world.all("sip:a@none.example:70").is_empty());
}

#[test]
fn rfc3263_4_2_a_transport_asks_for_its_servers_then_for_addresses() {
    let world = World::default()
        .at("h.example", &["192.0.2.1"])
        .at("plain.example", &["192.0.2.2"])
        .at("s.example", &["192.0.2.3"])
        .srv("_sip._tcp.h.example", vec![srv(1, 1, 5070, "S.example.")])
        .srv("_sip._udp.h.example", vec![srv(1, 1, 5080, "s.example")]);
    assert_eq!(world.all("sip:a@h.example;transport=tcp"), ["TCP 192.0.2.3:5070"]);
    assert_eq!(world.all("sip:a@plain.example;transport=tcp"), ["TCP 192.0.2.2:5060"]);
    assert_eq!(world.all("sips:a@h.example;transport=tcp"), ["TLS 192.0.2.1:5061"]);
}

#[test]
fn rfc3263_4_1_naptr_chooses_the_transport() {
    // The example of section 4.1, with TLS preferred.
    let world = World::default()
        .naptr(
            "example.com",
            vec![
                naptr(90, 50, "SIP+D2U", "_sip._udp.example.com"),
                naptr(50, 50, "SIPS+D2T", "_sips._tcp.example.com."),
                naptr(50, 40, "SIP+D2T", "_sip._tcp.other.example"),
                naptr(10, 50, "SIP+D2S", "_sip._sctp.example.com"),
                naptr(5, 50, "E2U+sip", "nothing.example"),
            ],
        )
        .srv("_sips._tcp.example.com", vec![srv(0, 1, 5061, "server1.example.com")])
        .srv("_sip._tcp.other.example", vec![srv(0, 1, 5060, "server2.example.com")])
        .srv("_sip._udp.example.com", vec![srv(0, 1, 5060, "server1.example.com")])
        .at("server1.example.com", &["192.0.2.1"])
        .at("server2.example.com", &["192.0.2.2"]);
    assert_eq!(world.all("sip:a@example.com"), ["TCP 192.0.2.2:5060", "TLS 192.0.2.1:5061"]);
    assert_eq!(world.all("sips:a@example.com"), ["TLS 192.0.2.1:5061"]);
    let udp = vec![Socket { transport: Transport::Udp, is_ipv4: true }];
    let (found, rounds) = world.locate("sip:a@example.com", udp.clone());
    assert_eq!((found, rounds), (vec!["UDP 192.0.2.1:5060".to_owned()], 3));
    assert!(world.locate("sips:a@example.com", udp).0.is_empty());
}

#[test]
fn rfc3263_4_1_without_naptr_the_servers_tell_the_transport() {
    let world = World::default()
        .srv("_sip._tcp.example.com", vec![srv(0, 1, 5070, "server1.example.com")])
        .srv("_sips._tcp.example.com", vec![srv(0, 1, 5071, "server1.example.com")])
        .at("server1.example.com", &["192.0.2.1"])
        .at("bare.example", &["192.0.2.4"]);
    assert_eq!(world.all("sip:a@example.com"), ["TCP 192.0.2.1:5070", "TLS 192.0.2.1:5071"]);
    assert_eq!(world.all("sips:a@example.com"), ["TLS 192.0.2.1:5071"]);
    assert_eq!(world.all("sip:a@bare.example"), ["UDP 192.0.2.4:5060"]);
    assert_eq!(world.all("sips:a@bare.example"), ["TLS 192.0.2.4:5061"]);
}

#[test]
fn rfc3263_4_2_without_servers_the_host_is_reached_by_the_transport_of_naptr() {
    let world = World::default()
        .naptr(
            "example.com",
            vec![
                naptr(1, 1, "SIP+D2T", "_sip._tcp.gone"),
                naptr(1, 2, "SIP+D2U", "_sip._udp.gone"),
            ],
        )
        .at("example.com", &["192.0.2.4"]);
    assert_eq!(world.all("sip:a@example.com"), ["TCP 192.0.2.4:5060"]);
    let tls = vec![naptr(1, 1, "SIPS+D2T", "_sips._tcp.gone.example")];
    let world = World::default().naptr("example.com", tls).at("example.com", &["192.0.2.4"]);
    assert_eq!(world.all("sip:a@example.com"), ["TLS 192.0.2.4:5061"]);
    // RFC 2782: what says that there is no service is an answer.
    let world = world.srv("_sips._tcp.gone.example", vec![srv(0, 0, 0, ".")]);
    assert!(world.all("sip:a@example.com").is_empty());
}

#[test]
fn rfc2782_a_dot_says_that_the_service_is_not_offered() {
    let world = World::default()
        .srv("_sip._udp.example.com", vec![srv(0, 0, 0, ".")])
        .at("example.com", &["192.0.2.1"]);
    assert!(world.all("sip:a@example.com;transport=udp").is_empty());
}

#[test]
fn rfc2782_priorities_come_first_then_chance_by_weight() {
    let records =
        [srv(20, 9, 1, "z"), srv(10, 60, 1, "a"), srv(10, 0, 1, "n"), srv(10, 20, 1, "b")];
    let order = |number: u32| {
        let mut first = true;
        let mut random = |most: u32| {
            if std::mem::take(&mut first) { number.min(most) } else { 0 }
        };
        let ordered = srv::order(&records, &mut random);
        ordered.iter().map(|record| record.target.as_str()).collect::<String>()
    };
    assert_eq!(order(0), "nabz");
    assert_eq!(order(1), "anbz");
    assert_eq!(order(60), "anbz");
    assert_eq!(order(61), "bnaz");
    assert_eq!(order(80), "bnaz");
    // Three in four begin with the server that has three quarters of the weight.
    let begins_with_a = (0..=80).filter(|number| order(*number).starts_with('a')).count();
    assert_eq!(begins_with_a, 60);
}

#[test]
fn what_the_dns_says_is_limited() {
    let names: Vec<String> = (0..40).map(|n| format!("s{n}.example")).collect();
    let records = names.iter().map(|name| srv(1, 1, 5060, name)).collect();
    let mut world = World::default().srv("_sip._udp.example.com", records);
    let many: Vec<String> = (0..40).map(|n| format!("192.0.2.{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for name in &names {
        world = world.at(name, &many);
    }
    assert_eq!(world.all("sip:a@example.com;transport=udp").len(), ADDRESSES);
    let bad = World::default().srv(
        "_sip._udp.example.com",
        vec![srv(1, 1, 5060, "..."), srv(1, 1, 5060, &"a".repeat(300)), srv(1, 1, 0, "s.example")],
    );
    assert!(bad.all("sip:a@example.com;transport=udp").is_empty());
    let long = format!("sip:a@{}.example", ["a".repeat(60).as_str(); 4].join("."));
    assert!(World::default().locate(&long, all_sockets()).0.is_empty());
}
