//! ENUM numbers as NAPTR records (B105, B108, B114; RFC 6116).

use hickory_proto::op::ResponseCode::{NXDomain, NoError, Refused};
use hickory_proto::rr::RecordType::{NAPTR, NS, SOA, TXT};
use ngn_tests::dns::{answers, ask, code, dig, lines};
use ngn_tests::fixture::{enum_id, enum_number, enum_range};
use ngn_tests::{Value, both, record};

both! {
    fn numbers_are_naptr_records(p) {
        let admin = p.admin();
        admin.ok("Enum.addRange", record! { range: enum_range("3120").with("ttl", 600) });
        admin.ok("Enum.addNumber", record! { number: record! { id: enum_id("31201"), mappings: vec![
            record! { r#type: "sip", mapto: "sip:alice@example.com", ttl: 300, priority: 10 },
            record! { r#type: "mailto", mapto: "mailto:alice@example.com", ttl: 300, priority: 20 },
            record! { r#type: "web:https", mapto: "https://example.com/!a", ttl: 300, priority: 30 },
            record! { r#type: "npd:tel", mapto: "tel:+31201;npdi", ttl: 300, priority: 40 },
            record! { r#type: "sip", mapto: r"sip:back\slash@example.com", ttl: 300, priority: 50 },
        ] } });
        p.settle();
        let output = dig(p.dns_address(), &["+short", "1.0.2.1.3.e164.arpa", "NAPTR"]).unwrap();
        let mut seen: Vec<&str> = output.lines().collect();
        seen.sort_unstable();
        assert_eq!(seen, [
            r#"100 10 "u" "E2U+sip" "!^.*$!sip:alice@example.com!" ."#,
            r#"100 20 "u" "E2U+mailto" "!^.*$!mailto:alice@example.com!" ."#,
            seen[2],
            r#"100 40 "u" "E2U+npd+tel" "!^.*$!tel:+31201\;npdi!" ."#.replace(r"\;", ";").as_str(),
            seen[4],
        ], "{output}");
        // A delimiter that the value does not hold; backslashes doubled (once for the regular expression; dig
        // doubles each again).
        let delimiter = seen[2].split('"').nth(5).unwrap().chars().next().unwrap();
        assert_ne!(delimiter, '!');
        assert_eq!(seen[2].split('"').nth(5).unwrap().matches(delimiter).count(), 3, "{}", seen[2]);
        assert!(seen[4].contains(r"back\\\\slash"), "{}", seen[4]);
        let ttl = ask(p.dns_address(), "1.0.2.1.3.e164.arpa", NAPTR).unwrap().answers[0].ttl;
        assert_eq!(ttl, 300);
    }

    // B114: what is missing, what is empty, and what lies in between.
    fn absence_is_told_apart(p) {
        let admin = p.admin();
        admin.ok("Enum.addRange", record! { range: enum_range("3120") });
        admin.ok("Enum.addNumber", record! { number: enum_number("3120123", "sip:a@example.com") });
        admin.ok("Enum.addNumber", record! { number: record! { id: enum_id("3120999"), mappings: Value::List(vec![]) } });
        p.settle();
        let server = p.dns_address();
        assert_eq!(code(server, "3.2.1.0.2.1.3.e164.arpa", NAPTR), NoError);
        assert_eq!(code(server, "4.2.1.0.2.1.3.e164.arpa", NAPTR), NXDomain);
        // An empty non-terminal: the name exists because names below it do (RFC 8020).
        let between = ask(server, "1.0.2.1.3.e164.arpa", NAPTR).unwrap();
        assert_eq!((between.metadata.response_code, between.answers.len()), (NoError, 0));
        assert_eq!(between.authorities[0].record_type(), SOA);
        assert_eq!(code(server, "9.9.9.0.2.1.3.e164.arpa", NAPTR), NXDomain);
        assert_eq!(code(server, "9.9.4.e164.arpa", NAPTR), Refused);
        // Another type at a name that has NAPTR only; letters of either case.
        let other = ask(server, "3.2.1.0.2.1.3.E164.ARPA", TXT).unwrap();
        assert_eq!((other.metadata.response_code, other.answers.len()), (NoError, 0));
        assert_eq!(answers(server, "3.2.1.0.2.1.3.E164.ARPA", NAPTR).len(), 1);
    }

    // B114: nested ranges are two zones; the closest apex answers.
    fn ranges_nest(p) {
        let admin = p.admin();
        admin.ok("Enum.addRange", record! { range: enum_range("31") });
        admin.ok("Enum.addRange", record! { range: enum_range("3120") });
        admin.ok("Enum.addNumber", record! { number: enum_number("31201", "sip:inner@example.com") });
        admin.ok("Enum.addNumber", record! { number: enum_number("31301", "sip:outer@example.com") });
        p.settle();
        let server = p.dns_address();
        assert_eq!(answers(server, "1.0.2.1.3.e164.arpa", NAPTR).len(), 1);
        assert_eq!(answers(server, "1.0.3.1.3.e164.arpa", NAPTR).len(), 1);
        let soa = ask(server, "9.0.2.1.3.e164.arpa", NAPTR).unwrap();
        assert_eq!(soa.metadata.response_code, NXDomain);
        assert_eq!(soa.authorities[0].name.to_string(), "0.2.1.3.e164.arpa.");
        assert_eq!(answers(server, "0.2.1.3.e164.arpa", NS).len(), 2);
    }

    // Each change is seen once its position is reached, deletions too, and every one raises the serial (B110).
    fn changes_are_followed(p) {
        let admin = p.admin();
        let server = p.dns_address();
        admin.ok("Enum.addRange", record! { range: enum_range("3120") });
        let serial = || lines(&ask(server, "0.2.1.3.e164.arpa", SOA).unwrap().answers)[0]
            .split(' ').nth(5).unwrap().parse::<u64>().unwrap();
        p.settle();
        let mut last = serial();
        for n in 0..5 {
            let target = format!("sip:v{n}@example.com");
            let operation = if n == 0 { "Enum.addNumber" } else { "Enum.updateNumber" };
            admin.ok(operation, record! { number: enum_number("31201", &target) });
            p.settle();
            let seen = answers(server, "1.0.2.1.3.e164.arpa", NAPTR);
            assert!(seen.len() == 1 && seen[0].contains(&target), "{seen:?}");
            let now = serial();
            assert!(now > last, "{now} after {last}");
            last = now;
        }
        admin.ok("Enum.deleteNumber", record! { enumId: enum_id("31201") });
        p.settle();
        assert_eq!(code(server, "1.0.2.1.3.e164.arpa", NAPTR), NXDomain);
        assert!(serial() > last);
        admin.ok("Enum.deleteRange", record! { range: record! { prefix: "3120", tld: "e164.arpa" } });
        p.settle();
        assert_eq!(code(server, "0.2.1.3.e164.arpa", SOA), Refused);
    }
}
