mod reading;

use super::*;
use crate::name::Name;
use ngn_model::DomainName;
use ngn_model::zone::{RecordRow, ZoneRows};

fn row(name: &str, rtype: &str, content: &str, priority: u16) -> RecordRow {
    let text = str::to_owned;
    RecordRow { name: text(name), rtype: text(rtype), content: text(content), ttl: 60, priority }
}

fn zone(records: Vec<RecordRow>) -> ZoneRows {
    let apex = DomainName::new("example.com").unwrap();
    ZoneRows { apex, serial: 7, records, signing: None }
}

// RFC 1035 section 5: every type that is served, in the order of names of RFC 4034 section 6.1.
#[test]
fn a_zone_is_written_in_order() {
    let (text, bad) = file(&zone(vec![
        row("www.example.com", "AAAA", "2001:DB8:0::1", 0),
        row("www.example.com", "A", "192.0.2.1", 0),
        row("*.example.com", "CNAME", "www.example.com", 0),
        row("_sip._udp.example.com", "SRV", "5 5060 sip.example.com", 10),
        row("a.www.example.com", "TXT", r#""a \"b\"; \195\169" "c""#, 0),
        row("example.com", "MX", "mail.example.org", 5),
        row("example.com", "NS", "ns1.example.net", 0),
        row("example.com", "NAPTR", r#"100 10 "u" "E2U+sip" "!^.*$!sip:a@b\\.c!" ."#, 10),
        row("example.com", "SOA", r"ns1.example.net first\.last.example.com 1 2 3 4 5", 0),
        row("example.com", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m", 0),
        row("d.example.com", "DNAME", "example.net", 0),
        row("s.example.com", "NS", "ns1.s.example.com", 0),
        row("s.example.com", "DS", "60485 13 2 2BB183AF 5F22", 0),
        row("t.example.com", "TYPE65280", r"\# 3 0a 0b0C", 0),
        row("c.example.com", "CAA", r"\# 0", 0),
        row("c.example.com", "CAA", r"\# 7 0005 6973737565", 0),
        row("h.example.com", "HTTPS", "1 www.example.com port=8443 alpn=h2", 0),
        row("h.example.com", "RP", "a.example.com .", 0),
        row("p.example.com", "PTR", r"a\064b\;c.example.org", 0),
    ]));
    assert_eq!(bad, []);
    assert_eq!(
        text.replace('\t', " "),
        r#"$ORIGIN example.com.
$TTL 60
@ 60 IN SOA ns1.example.net. first\.last.example.com. 7 2 3 4 5
@ 60 IN NS ns1.example.net.
@ 60 IN MX 5 mail.example.org.
@ 60 IN LOC 52 22 23.000 N 4 53 32.000 E -2.00m
@ 60 IN NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:a@b\\.c!" .
* 60 IN CNAME www.example.com.
_sip._udp 60 IN SRV 10 5 5060 sip.example.com.
c 60 IN CAA 0 issue ""
c 60 IN CAA \# 0
d 60 IN DNAME example.net.
h 60 IN RP a.example.com. .
h 60 IN HTTPS 1 www.example.com. alpn="h2" port=8443
p 60 IN PTR a\@b\;c.example.org.
s 60 IN NS ns1.s.example.com.
s 60 IN DS 60485 13 2 2bb183af5f22
t 60 IN TYPE65280 \# 3 0a0b0c
www 60 IN A 192.0.2.1
www 60 IN AAAA 2001:db8::1
a.www 60 IN TXT "a \"b\"; \195\169" "c"
"#
    );
}

// What DNS servers leave out is left out, and said.
#[test]
fn what_is_not_served_is_not_written() {
    let (text, bad) = file(&zone(vec![
        row("www.example.com", "A", "nowhere", 0),
        row("www.example.org", "A", "192.0.2.1", 0),
        row("x.example.com", "ALIAS", "example.org", 0),
        row("y.example.com", "TYPE255", r"\# 0", 0),
        row("$z.example.com", "A", "192.0.2.1", 0),
    ]));
    assert_eq!(bad.len(), 4);
    assert_eq!(text, "$ORIGIN example.com.\n$TTL 3600\n\\$z\t60\tIN\tA\t192.0.2.1\n");
}

#[test]
fn names_are_escaped() {
    let name = |text: &str| name_text(&Name::parse(text).unwrap());
    assert_eq!(name("."), ".");
    assert_eq!(name(r"a\.b.c"), r"a\.b.c.");
    assert_eq!(name(r#"\000 $@\(\)";\\.c"#), r#"\000\032\$\@\(\)\"\;\\.c."#);
}
