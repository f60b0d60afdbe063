//! Zones with everything that is odd, written by hand and drawn at random.

use std::collections::BTreeSet;

use ngn_tests::zone_data::{ZoneData, soa};

use super::Random;

/// Where aliases lead, in zones of ours and elsewhere.
const ELSEWHERE: [&str; 3] = ["www.outside.test.", "nothing.other.example.", "host.other.example."];

/// Fills zones; gives the names of all owners, without final dot.
pub(super) fn fill(data: &mut ZoneData, random: &mut Random) -> Vec<String> {
    let mut owners = Vec::new();
    let mut add = |zone: &str, owner: &str, ttl: u32, kind: &str, text: &str| {
        let name = match owner {
            "" => zone.to_owned(),
            owner => format!("{owner}.{zone}"),
        };
        data.add(zone, &name, kind, ttl, &text.replace('@', &format!("{zone}.")));
        owners.push(name);
    };
    for zone in ["odd.example", "kid.odd.example", "other.example", "deep.down.other.example"] {
        apex(&mut add, zone);
    }
    by_hand(&mut add);
    numbers(&mut add, random);
    for n in 0..8 {
        drawn(&mut add, &format!("r{n}.example"), random);
    }
    // Between two zones of which the upper one does not delegate the lower one.
    owners.extend(["down.other.example", "b.down.other.example"].map(str::to_owned));
    owners.sort();
    owners.dedup();
    owners
}

fn apex(add: &mut impl FnMut(&str, &str, u32, &str, &str), zone: &str) {
    add(zone, "", 3600, "SOA", &soa(zone));
    add(zone, "", 3600, "NS", "ns1.@");
    add(zone, "", 3600, "NS", "ns2.@");
    add(zone, "ns1", 3600, "A", "192.0.2.1");
    add(zone, "ns2", 3600, "AAAA", "2001:db8::2");
}

fn by_hand(add: &mut impl FnMut(&str, &str, u32, &str, &str)) {
    let long = "l".repeat(63);
    let longest = format!("{long}.{long}.{long}.{}", "l".repeat(255 - 2 - 3 * 64 - 13 - 1));
    for (owner, kind, text) in [
        // RFC 4592 section 2.2.1, and wildcards at several levels, beside and below others.
        ("*", "TXT", r#""this is a wildcard""#),
        ("*", "MX", "10 host.@"),
        ("sub.*", "TXT", r#""this is not a wildcard""#),
        ("host", "A", "192.0.2.10"),
        ("host", "AAAA", "2001:db8::10"),
        ("_ssh._tcp.host1", "SRV", "0 0 22 host.@"),
        ("_ssh._tcp.host2", "SRV", "0 0 22 host.@"),
        ("*.two", "A", "192.0.2.11"),
        ("*.three.two", "TXT", r#""lower""#),
        ("*.*.stars", "A", "192.0.2.12"),
        ("x.empty", "A", "192.0.2.13"),
        ("a.b.c.d.e.f", "A", "192.0.2.14"),
        ("*.alias", "CNAME", "host.@"),
        ("*.out", "CNAME", "www.outside.test."),
        ("*.round", "CNAME", "x.round.@"),
        // Chains, in the zone, out of it, into another one of ours, and round.
        ("one", "CNAME", "two-of-three.@"),
        ("two-of-three", "CNAME", "three-of-three.@"),
        ("three-of-three", "CNAME", "host.@"),
        ("to-nothing", "CNAME", "x.empty.empty.@"),
        ("to-wildcard", "CNAME", "anything.two.@"),
        ("to-other", "CNAME", "host.other.example."),
        ("to-outside", "CNAME", "www.outside.test."),
        ("to-kid", "CNAME", "www.kid.@"),
        ("to-cut", "CNAME", "www.cut.@"),
        ("to-empty", "CNAME", "empty.@"),
        ("self", "CNAME", "self.@"),
        ("ping", "CNAME", "pong.@"),
        ("pong", "CNAME", "ping.@"),
        // Subtrees that stand for others (RFC 6672).
        ("tree", "DNAME", "two.@"),
        ("tree", "A", "192.0.2.15"),
        ("tree-out", "DNAME", "outside.test."),
        ("tree-other", "DNAME", "other.example."),
        ("tree-round", "DNAME", "tree-round.@"),
        ("to-tree", "CNAME", "x.tree.@"),
        // Delegations: with and without glue, nested ones, glue of siblings, other data below.
        ("kid", "NS", "ns1.kid.@"),
        ("kid", "NS", "ns2.kid.@"),
        ("ns1.kid", "A", "192.0.2.1"),
        ("ns2.kid", "AAAA", "2001:db8::2"),
        ("cut", "NS", "ns.cut.@"),
        ("cut", "NS", "ns.sibling.@"),
        ("ns.cut", "A", "192.0.2.20"),
        ("ns.cut", "AAAA", "2001:db8::20"),
        (
            "cut",
            "DS",
            "12345 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        ),
        ("text.cut", "TXT", r#""nobody sees this""#),
        ("inner.cut", "NS", "ns.inner.cut.@"),
        ("sibling", "NS", "ns.sibling.@"),
        ("ns.sibling", "A", "192.0.2.21"),
        ("bare", "NS", "ns.outside.test."),
        ("no-glue", "NS", "ns.no-glue.@"),
        ("two-deep.empty-cut", "NS", "host.@"),
        // Names with every kind of octet, and long ones.
        (r"dot\.in.label", "A", "192.0.2.30"),
        (r"sp\032ace", "A", "192.0.2.31"),
        (r"nul\000", "A", "192.0.2.32"),
        (r"\255\254", "A", "192.0.2.33"),
        (r"back\\slash", "A", "192.0.2.34"),
        (r"\*.literal", "A", "192.0.2.35"),
        (&long, "A", "192.0.2.36"),
        (&longest, "TXT", r#""the longest""#),
        // Types and data.
        ("types", "TXT", r#""\000\001\255" "" "a \"quoted\" one; with \\ and \195\164""#),
        ("types", "TYPE65280", r"\# 4 0a0b0c0d"),
        ("types", "TYPE65281", r"\# 1 ff"),
        ("types", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
        ("types", "CAA", r#"0 issue "ca.example; x=\"y\"""#),
        ("types", "SSHFP", "4 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
        ("types", "TLSA", "3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
        ("types", "SMIMEA", "3 0 0 00"),
        ("types", "HINFO", r#""a cpu" "an os""#),
        ("types", "RP", "boss.@ text.@"),
        ("types", "AFSDB", "1 host.@"),
        ("types", "URI", r#"1 2 "https://host.odd.example/;a""#),
        ("types", "OPENPGPKEY", "mQENBA=="),
        (
            "types",
            "HTTPS",
            r#"1 . mandatory=alpn alpn="h2,h3" no-default-alpn port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1 key667="\210x""#,
        ),
        ("types", "SVCB", "0 host.@"),
        ("types", "PTR", "host.@"),
        ("mail", "MX", "10 host.@"),
        ("mail", "MX", "20 host.other.example."),
        ("mail", "MX", "30 www.outside.test."),
        ("mail", "MX", "40 one.@"),
        ("null-mail", "MX", "0 ."),
        ("_sip._udp", "SRV", "10 5 5060 host.@"),
        ("_sip._udp", "SRV", "20 5 5060 ns1.kid.@"),
        ("services", "NAPTR", r#"10 10 "s" "SIP+D2U" "" _sip._udp.@"#),
        ("services", "NAPTR", r#"20 10 "u" "E2U+sip" "!^.*$!sip:info%40example.com!" ."#),
    ] {
        add("odd.example", owner, 300, kind, text);
    }
    // Sets that do not fit into a datagram, some for 512 octets, some for 1,232.
    for n in 0..30 {
        add("odd.example", "many", 60, "A", &format!("198.51.100.{n}"));
        add("odd.example", "medium", 60, "AAAA", &format!("2001:db8:1::{n}"));
        let text = format!("\"{n} {}\"", "long text ".repeat(20));
        add("odd.example", "big", 60, "TXT", &text);
        add("odd.example", "big-cut", 60, "NS", &format!("a-long-name-of-a-server-{n}.big-cut.@"));
        let server = format!("a-long-name-of-a-server-{n}.big-cut");
        add("odd.example", &server, 60, "A", &format!("198.51.100.{n}"));
    }
    add("odd.example", "to-big", 60, "CNAME", "big.@");
    add("kid.odd.example", "www", 60, "A", "192.0.2.40");
    add("kid.odd.example", "up", 60, "CNAME", "host.odd.example.");
    add("other.example", "host", 60, "A", "192.0.2.50");
    add("other.example", "back", 60, "CNAME", "one.odd.example.");
    add("other.example", "*", 60, "A", "192.0.2.51");
    add("deep.down.other.example", "www", 60, "A", "192.0.2.52");
}

/// An ENUM zone (RFC 6116) of numbers of several lengths, some with extensions below them.
fn numbers(add: &mut impl FnMut(&str, &str, u32, &str, &str), random: &mut Random) {
    let zone = "9.9.9.e164.arpa";
    apex(add, zone);
    for _ in 0..150 {
        let mut digits: Vec<String> =
            (0..3 + random.below(4)).map(|_| random.below(5).to_string()).collect();
        if random.below(8) == 0 {
            digits.insert(0, "*".to_owned());
        }
        let owner = digits.join(".");
        for n in 0..1 + random.below(4) {
            let text = format!(
                r#"{} {n} "u" "E2U+sip" "!^\\+999(.*)$!sip:\\1%40gw{n}.example!i" ."#,
                10 + random.below(3)
            );
            add(zone, &owner, 600, "NAPTR", &text);
        }
    }
}

/// A zone of random names with random data. What RFC 4592 section 4 leaves undefined, delegations and DNAME at wildcards, is left out.
fn drawn(add: &mut impl FnMut(&str, &str, u32, &str, &str), zone: &str, random: &mut Random) {
    apex(add, zone);
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    let mut add_later = |_: &str, owner: &str, ttl: u32, kind: &'static str, text: &str| {
        all.push((owner.to_owned(), ttl, kind, text.to_owned()));
    };
    for _ in 0..60 {
        let owner = relative(random);
        // Each name once, so that what stands beside what is decided here.
        if !seen.insert(owner.clone()) {
            continue;
        }
        let is_wildcard = owner.starts_with('*');
        let target = match random.below(6) {
            0 => random.pick(&ELSEWHERE).to_string(),
            1 => format!("{}.r{}.example.", relative(random), random.below(8)),
            _ => format!("{}.@", relative(random)),
        };
        match random.below(12) {
            0 | 1 => add_later(zone, &owner, 300, "CNAME", &target),
            2 if !is_wildcard => {
                add_later(zone, &owner, 300, "NS", &target);
                if random.below(2) == 0 {
                    add_later(zone, &owner, 300, "NS", &format!("ns.{owner}.@"));
                    let server = format!("ns.{owner}");
                    if seen.insert(server.clone()) {
                        add_later(zone, &server, 300, "A", "192.0.2.60");
                    }
                }
                if random.below(2) == 0 {
                    add(
                        zone,
                        &owner,
                        300,
                        "DS",
                        "1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                    );
                }
            }
            3 if !is_wildcard => add_later(zone, &owner, 300, "DNAME", &target),
            4 => add_later(zone, &owner, 300, "MX", &format!("10 {target}")),
            5 => add_later(zone, &owner, 300, "SRV", &format!("1 2 5060 {target}")),
            _ => {
                for (kind, text) in [
                    ("A", "192.0.2.61"),
                    ("AAAA", "2001:db8::61"),
                    ("TXT", r#""text""#),
                    ("TYPE65280", r"\# 1 00"),
                ] {
                    if random.below(2) == 0 {
                        add_later(zone, &owner, 300, kind, text);
                    }
                }
            }
        }
    }
    // NSD does not load zones with data below a DNAME (RFC 6672 section 2.4).
    let below = |owner: &str| {
        let end = format!(".{owner}");
        all.iter().any(|(other, ..)| other.ends_with(&end))
    };
    for (owner, ttl, kind, text) in &all {
        if *kind != "DNAME" || !below(owner) {
            add(zone, owner, *ttl, kind, text);
        }
    }
}

/// One to four labels of few.
pub(super) fn relative(random: &mut Random) -> String {
    let labels = ["a", "b", "c", "*", "ns", r"d\.e", "f"];
    let depth = 1 + random.below(4);
    (0..depth).map(|_| *random.pick(&labels)).collect::<Vec<_>>().join(".")
}
