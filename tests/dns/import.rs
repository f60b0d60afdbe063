//! `ngn zone import`: master files (RFC 1035 section 5) by the rules of the Dns port, one transaction each.

use crate::dnssec::ngn;
use hickory_proto::rr::RecordType::{A, SOA, TXT};
use ngn_tests::binaries::program;
use ngn_tests::dns::answers;
use ngn_tests::fixture::{customer, dns_record, reseller, zone};
use ngn_tests::platform::Platform;
use ngn_tests::{both, record};
use std::fs;
use std::process::Command;

const FILE: &str = "; moved from elsewhere
$TTL 2h
@ IN SOA ns1.example.net. first\\.last.example.com. ( 2026010107 ; serial
        4h 1h 1w 5m )
  NS ns2.example.net.
  NS ns1.example.net.
  MX 10 mail
mail 60 A 192.0.2.1
     60 A 192.0.2.2
www CNAME mail
text TXT \"a; b\" \"c\"
_sip._udp SRV 5 0 5060 mail
old DNAME example.org.
odd TYPE65280 \\# 2 0a0b
";

fn file(p: &Platform, text: &str) -> String {
    let path = p.directory().join("in.zone");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

pub(super) fn import(p: &Platform, text: &str, more: &[&str]) -> Result<String, String> {
    let file = file(p, text);
    ngn(p, &[&["import", file.as_str(), "--zone", "example.com"], more].concat())
}

/// The position that an import names.
pub(super) fn position(said: &str) -> &str {
    let (_, rest) = said.split_once("as change ").unwrap_or_else(|| panic!("no position: {said}"));
    rest.split(';').next().unwrap()
}

fn undo(p: &Platform, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(program("ngn"));
    command.arg("undo").args(arguments).env("NGN_DATABASE", &p.database.url);
    let output = command.args(["--data", p.data().to_str().unwrap()]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

both! {
    // A zone that comes from elsewhere keeps its serial, so that its secondaries go on; its export is its import again.
    fn a_zone_moves_in_and_is_the_same(p) {
        let said = import(p, FILE, &[]).unwrap();
        assert!(said.contains("example.com (new): 8 records added, 0 changed, 0 removed, 0 as they were"), "{said}");
        p.wait_position(position(&said).parse().unwrap());
        let server = p.dns_address();
        assert_eq!(answers(server, "example.com", SOA), [
            "example.com. 7200 SOA ns1.example.net. first\\.last.example.com. 2026010107 14400 3600 604800 300"
        ]);
        assert_eq!(answers(server, "www.example.com", A).len(), 3);
        assert_eq!(answers(server, "text.example.com", TXT), ["text.example.com. 7200 TXT a; bc"]);
        let exported = ngn(p, &["export", "example.com"]).unwrap();
        let position = position(&said).to_owned();
        // B129a: the zone's name servers are its attributes.
        let shown = p.admin().ok("Dns.getZone", record! { zone: "example.com" });
        assert_eq!(shown.texts_at("nameservers"), ["ns1.example.net", "ns2.example.net"]);
        assert_eq!((shown.text_at("email"), shown.int_at("ttl")), ("first.last@example.com", 7200));

        let same = import(p, &exported, &["--replace"]).unwrap();
        assert!(same.contains("(with the SOA and name servers that it had): 0 records added, 0 changed, 0 removed, 8 as"), "{same}");
        assert!(!same.contains("as change"), "nothing changed: {same}");
        assert_eq!(ngn(p, &["export", "example.com"]).unwrap(), exported);

        // All of it goes at once, unless something else came.
        let more = p.admin().ok("Dns.addRecord", record! { record: dns_record("example.com", "more", "A", "192.0.2.9") }).int_at("id");
        let (done, why) = undo(p, &[&position, "--whole"]);
        assert!(!done && why.contains("records that came into example.com since"), "{why}");
        p.admin().ok("Dns.deleteRecord", record! { recordId: more });
        let (done, said) = undo(p, &[&position, "--whole"]);
        assert!(done, "{said}");
        p.admin().refused(7000, "Dns.getZone", record! { zone: "example.com" });

        // A zone that was here before goes on from its own serial (B116).
        import(p, &exported, &[]).unwrap();
        let serial = p.admin().ok("Dns.getZone", record! { zone: "example.com" }).int_at("serial");
        assert!(serial > 2_026_010_107, "{serial}");
        let without = |text: &str| text.lines().filter(|line| !line.contains("SOA")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(without(&ngn(p, &["export", "example.com"]).unwrap()), without(&exported));
    }

    fn a_zone_that_exists_is_merged_or_replaced(p) {
        zone(&p.admin(), "example.com");
        let add = |name: &str, kind: &str, value: &str| {
            p.admin().ok("Dns.addRecord", record! { record: dns_record("example.com", name, kind, value) }).int_at("id")
        };
        let stays = add("mail", "A", "192.0.2.1");
        add("www", "A", "192.0.2.7");
        p.admin().ok("Dns.addFancyRecord", record! { record: dns_record("example.com", "old", "URL", "https://example.org/") });
        let before = ngn(p, &["export", "example.com"]).unwrap();
        let refused = import(p, FILE, &[]).unwrap_err();
        assert!(refused.contains("there is a zone example.com; --merge adds"), "{refused}");
        // B119: an alias beside an address.
        let refused = import(p, FILE, &["--merge"]).unwrap_err();
        assert!(refused.contains("www.example.com has a record of type A"), "{refused}");
        let tried = import(p, FILE, &["--replace", "--dry-run"]).unwrap();
        assert!(tried.contains("7 records added, 1 changed, 1 removed, 0 as") && tried.contains("nothing was written"), "{tried}");
        assert_eq!(ngn(p, &["export", "example.com"]).unwrap(), before);

        let merged = import(p, "$TTL 60\nmail A 192.0.2.1\n@ NS ns1.example.net.\n@ TXT new\n", &["--merge"]).unwrap();
        assert!(merged.contains("1 records added, 1 changed, 0 removed, 1 as they were"), "{merged}");
        let (done, said) = undo(p, &[position(&merged), "--whole"]);
        assert!(done, "{said}");
        let serial = |text: &str| text.lines().filter(|line| !line.contains("SOA")).collect::<Vec<_>>().join("\n");
        assert_eq!(serial(&ngn(p, &["export", "example.com"]).unwrap()), serial(&before));

        let replaced = import(p, FILE, &["--replace"]).unwrap();
        assert!(replaced.contains("(with another SOA or other name servers): 7 records added, 1 changed, 1 removed"), "{replaced}");
        let kept = p.admin().ok("Dns.getRecord", record! { recordId: stays });
        assert_eq!((kept.text_at("value"), kept.int_at("ttl")), ("192.0.2.1", 60));
        // B125: redirects are no part of files.
        assert_eq!(p.admin().ok("Dns.getFancyRecords", record! { query: record! {} }).int_at("total"), 1);
        p.wait_position(position(&replaced).parse().unwrap());
        assert_eq!(answers(p.dns_address(), "www.example.com", A).len(), 3);
        let (done, said) = undo(p, &[position(&replaced), "--whole"]);
        assert!(done, "{said}");
        assert_eq!(serial(&ngn(p, &["export", "example.com"]).unwrap()), serial(&before));
    }

    // Nothing is written when one line is wrong; each is told with its place.
    fn one_wrong_line_writes_nothing(p) {
        for (line, said) in [
            ("bad A nowhere", "in.zone: line 15, column 7: `nowhere` is no IPv4 address"),
            ("www A 192.0.2.1", "line 10, column 1: a CNAME must be the only record of www.example.com, and a A stands at line 15"),
            ("@ CNAME mail", "line 15, column 1: a CNAME cannot stand at example.com"),
            ("x.example.org. A 192.0.2.1", "line 15, column 1: x.example.org lies outside of the zone example.com"),
            ("@ SOA . . 1 2 3 4 5", "line 15, column 1: the zone has its SOA record at line 3, column 1 already"),
            ("a\\@b A 192.0.2.1", "line 15, column 1: record.name"),
            ("p PTR a\\(b", "line 15, column 7: record.value of the PTR record"),
            ("$INCLUDE more", "line 15, column 1: $INCLUDE is not followed"),
        ] {
            let refused = import(p, &format!("{FILE}{line}\n"), &[]).unwrap_err();
            assert!(refused.contains(said) && refused.contains("1 mistakes; nothing was written"), "{line}: {refused}");
        }
        let refused = import(p, "$TTL 1\n@ A 192.0.2.1\n", &[]).unwrap_err();
        assert!(refused.contains("the file has no SOA record of example.com"), "{refused}");
        let refused = import(p, &FILE.replace("first\\.last.example.com.", "com."), &[]).unwrap_err();
        assert!(refused.contains("line 3, column 10: `com.` is no mail address"), "{refused}");
        p.admin().refused(7000, "Dns.getZone", record! { zone: "example.com" });
        let path = file(p, "");
        fs::write(&path, b"$TTL 1\n@ TXT \"\xff\"\n").unwrap();
        let refused = ngn(p, &["import", &path]).unwrap_err();
        assert!(refused.contains("line 2: is no UTF-8"), "{refused}");
    }

    // B15, B14: who gets the zone.
    fn a_zone_is_given_to_a_customer(p) {
        let acme = reseller(p, "acme");
        let one = customer(p, &acme, "one");
        let none = import(p, FILE, &["--customer", "999999"]).unwrap_err();
        assert!(none.contains("there is no customer 999999"), "{none}");
        import(p, FILE, &["--customer", &one.id.to_string()]).unwrap();
        let shown = one.client.ok("Dns.getZone", record! { zone: "example.com" });
        assert_eq!((shown.int_at("customer"), shown.int_at("reseller")), (one.id, acme.id));
    }
}
