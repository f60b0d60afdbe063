//! Types in their own text forms, in and out again, as BIND and Knot read them.

use crate::dnssec::ngn;
use crate::import::{import, position};
use crate::master::others_accept;
use hickory_proto::rr::RecordType::{CAA, HTTPS, TLSA};
use ngn_tests::dns::answers;
use ngn_tests::platform::Platform;
use ngn_tests::{both, record};
use std::fs;
use std::process::Command;

/// Each form as people write it (RFC 1035, 1183, 4255, 4701, 6698, 7208, 7553, 7929, 8162, 8659, 9460), some as octets (RFC 3597).
const FILE: &str = r#"$TTL 1h
@ SOA ns1.example.net. hostmaster.example.com. 2026010107 4h 1h 1w 5m
  NS ns1.example.net.
  CAA 0 issue letsencrypt.org
  CAA 128 issue "ca.example.net; account=\"2;3\"\010" ; comment
  CAA \# 12 0009697373756577696c64 3b
h HINFO PC-Intel "any \"os\""
  RP boss persons.example.org.
  AFSDB 1 h
  SSHFP 4 2 ( 0123456789ABCDEF0123456789abcdef ; in two words
              0123456789abcdef0123456789abcdef )
  DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69l ( OjxfNuVAA2kjEA= )
  SPF "v=spf1 " -all
_443._tcp TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF
c._smimecert SMIMEA 3 0 0 30 82
c._openpgpkey OPENPGPKEY ( mQEN
   BFZ+AQ== )
_ftp._tcp URI 10 1 "ftp://ftp.example.com/a;b"
w HTTPS 1 . port="8443" alpn=h2,h3 (
    ipv6hint=2001:DB8::1 ipv4hint="192.0.2.1,192.0.2.2" ; hints
    mandatory=port,alpn no-default-alpn ech="AAEC" )
  HTTPS 2 h alpn="f\\\\oo\\,bar,h2" key667="a\"\210;" key668
  SVCB 0 w.example.net.
_dns SVCB \# 28 0001 0161 00 0001 0004 03646f74 0007 000b 2f717b3f646e732c787d 30
"#;

/// A file as BIND has it in its own words.
fn compiled(p: &Platform, text: &str) -> String {
    let (from, to) = (p.directory().join("from.zone"), p.directory().join("to.zone"));
    fs::write(&from, text).unwrap();
    let mut command = Command::new("named-compilezone");
    command.args(["-i", "none", "-s", "full", "-o"]).arg(&to).arg("example.com").arg(&from);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains("warning"), "{said}\n{text}");
    fs::read_to_string(to).unwrap()
}

both! {
    // What is exported is, to other makes, what was imported; and to ourselves.
    fn each_type_moves_in_and_out(p) {
        let said = import(p, FILE, &[]).unwrap();
        assert!(said.contains("example.com (new): 17 records added, 0 changed, 0 removed, 0 as they were"), "{said}");
        p.wait_position(position(&said).parse().unwrap());
        let text = ngn(p, &["export", "example.com"]).unwrap();
        assert!(!text.contains("\\#"), "{text}");
        assert!(text.contains("@\t3600\tIN\tCAA\t0 issuewild \";\"\n"), "{text}");
        assert!(text.contains("_dns\t3600\tIN\tSVCB\t1 a. alpn=\"dot\" key7=\"/q{?dns,x}0\"\n"), "{text}");
        others_accept(p, "example.com", &text);
        assert_eq!(compiled(p, &text), compiled(p, FILE));
        let said = import(p, &text, &["--replace"]).unwrap();
        assert!(said.contains("0 records added, 0 changed, 0 removed"), "{said}");
        let zone = p.admin().ok("Dns.getZone", record! { zone: "example.com" });
        assert_eq!(zone.int_at("serial"), 2_026_010_107);
        for (name, kind, count) in [("example.com", CAA, 3), ("_443._tcp.example.com", TLSA, 1), ("w.example.com", HTTPS, 2)] {
            assert_eq!(answers(p.dns_address(), name, kind).len(), count, "{name}");
        }
    }
}
