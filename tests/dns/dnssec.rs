//! Signed zones as validators of others see them: delv asks as a resolver does, dnssec-verify reads whole zones.

use hickory_proto::rr::RecordType::SOA;
use ngn_tests::binaries::program;
use ngn_tests::database::Backend;
use ngn_tests::dns::{answers, dig};
use ngn_tests::fixture::{dns_record, enum_number, enum_range, zone};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::{both, record};
use serde_json::Value as Json;
use std::fs;
use std::process::Command;

/// Runs `ngn zone` on a platform.
pub(super) fn ngn(p: &Platform, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program("ngn"));
    command.arg("zone").args(arguments).env("NGN_DATABASE", &p.database.url);
    command.args(["--data", p.data().to_str().unwrap(), "--login", "tester"]);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    if output.status.success() { Ok(said) } else { Err(complaint) }
}

fn keys(p: &Platform, zone: &str) -> Json {
    serde_json::from_str(&ngn(p, &["keys", zone, "--json"]).unwrap()).unwrap()
}

/// Key tags of the DNSKEY records that are served, sorted.
pub(super) fn served(p: &Platform, zone: &str) -> Vec<u64> {
    let text =
        dig(p.dns_address(), &["+noall", "+answer", "+multiline", "+rrcomments", zone, "DNSKEY"])
            .unwrap();
    let tag = |line: &str| line.split_once("key id = ").map(|(_, tag)| tag.trim().parse().unwrap());
    let mut tags: Vec<u64> = text.lines().filter_map(tag).collect();
    tags.sort_unstable();
    tags
}

fn tags(p: &Platform, zone: &str, wanted: &[(&str, &str)]) -> Vec<u64> {
    let keys = keys(p, zone);
    let keys = keys["keys"].as_array().unwrap().iter();
    let is =
        |key: &Json, (role, state): &(&str, &str)| key["role"] == *role && key["state"] == *state;
    let found = keys.filter(|key| wanted.iter().any(|wanted| is(key, wanted)));
    let mut tags: Vec<u64> = found.map(|key| key["tag"].as_u64().unwrap()).collect();
    tags.sort_unstable();
    tags
}

/// What delv says of a question, when it trusts the DS records that `ngn zone keys` names.
fn delv(p: &Platform, zone: &str, name: &str, kind: &str) -> String {
    let keys = keys(p, zone);
    let anchors: String = keys["ds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let words: Vec<&str> = line.as_str().unwrap().split(' ').collect();
            format!(
                "{} static-ds {} {} {} \"{}\";\n",
                words[0], words[3], words[4], words[5], words[6]
            )
        })
        .collect();
    let file = p.directory().join(format!("anchors-{zone}"));
    fs::write(&file, format!("trust-anchors {{\n{anchors}}};\n")).unwrap();
    let server = p.dns_address();
    let mut command = Command::new("delv");
    command.arg(format!("@{}", server.ip())).args(["-p", &server.port().to_string()]);
    command.args(["-a", file.to_str().unwrap(), &format!("+root={zone}"), name, kind]);
    let output = command.output().expect("delv");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}

#[track_caller]
fn validated(p: &Platform, zone: &str, name: &str, kind: &str, what: &str) {
    let said = delv(p, zone, name, kind);
    assert!(said.contains(what), "{name} {kind}: {said}");
}

/// Has dnssec-verify read what a transfer gives.
#[track_caller]
fn verified(p: &Platform, zone: &str) -> String {
    let text = dig(p.dns_address(), &["+onesoa", zone, "AXFR"]).unwrap();
    let file = p.directory().join(format!("zone-{zone}"));
    fs::write(&file, &text).unwrap();
    let output = Command::new("dnssec-verify")
        .args(["-o", zone])
        .arg(&file)
        .output()
        .expect("dnssec-verify");
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{text}");
    text
}

#[track_caller]
pub(super) fn signed(p: &Platform, zone: &str, how: &str) {
    let said = ngn(p, &["sign", zone, how]).unwrap();
    assert!(said.contains(&format!("{zone}. IN DS ")), "{said}");
    eventually("the zone to be signed", || (served(p, zone).len() == 2).then_some(()));
}

fn fill(p: &Platform) {
    let admin = p.admin();
    zone(&admin, "example.com");
    let add = |name: &str, kind: &str, value: &str| {
        admin.ok("Dns.addRecord", record! { record: dns_record("example.com", name, kind, value) });
    };
    add("www", "A", "192.0.2.1");
    add("alias", "CNAME", "www");
    add("a.deep.empty", "A", "192.0.2.2");
    add("*.wild", "TXT", "wild");
    add("there.wild", "A", "192.0.2.3");
    add("plain", "NS", "ns1.plain.example.com");
    add("ns1.plain", "A", "192.0.2.53");
    for n in 0..9 {
        add("big", "TXT", &format!("{n} {}", "long ".repeat(45)));
    }
    // A delegation that is not signed, served here too.
    zone(&admin, "plain.example.com");
    admin.ok(
        "Dns.addRecord",
        record! { record: dns_record("plain.example.com", "www", "A", "192.0.2.4") },
    );
}

fn all_kinds_of_answers(p: &Platform) {
    for (name, kind, what) in [
        ("www.example.com", "A", "; fully validated"),
        ("www.example.com", "AAAA", "; negative response, fully validated"),
        ("alias.example.com", "A", "; fully validated"),
        ("example.com", "SOA", "; fully validated"),
        ("example.com", "CDS", "; fully validated"),
        ("none.example.com", "A", "; negative response, fully validated"),
        ("deep.empty.example.com", "A", "; negative response, fully validated"),
        ("x.y.wild.example.com", "TXT", "; fully validated"),
        ("x.wild.example.com", "A", "; negative response, fully validated"),
        ("big.example.com", "TXT", "; fully validated"),
        ("plain.example.com", "DS", "; negative response, fully validated"),
        ("www.plain.example.com", "A", "; unsigned answer"),
    ] {
        validated(p, "example.com", name, kind, what);
    }
}

const TRANSFER: (&str, &str) = ("enumd", "[transfer]\nallow = [\"127.0.0.1\"]\n");

both! {
    // RFC 4035 section 5, RFC 5155 section 8.
    fn validators_accept_every_kind_of_answer(p) {
        fill(p);
        p.settle();
        assert!(dig(p.dns_address(), &["+dnssec", "www.example.com", "A"]).unwrap().lines().all(|l| !l.contains("RRSIG")));
        assert!(ngn(p, &["keys", "example.com"]).unwrap_err().contains("is not signed"));
        assert!(ngn(p, &["sign", "example.net"]).unwrap_err().contains("there is no zone"));
        for how in ["--nsec", "--nsec3"] {
            signed(p, "example.com", how);
            let parameters = usize::from(how == "--nsec3");
            eventually("the other denial", || {
                let text = dig(p.dns_address(), &["+short", "example.com", "NSEC3PARAM"]).unwrap();
                (text.lines().count() == parameters).then_some(())
            });
            all_kinds_of_answers(p);
            // A change is seen at once, signed.
            let id = p.admin().ok("Dns.addRecord", record! {
                record: dns_record("example.com", "new", "A", "192.0.2.9"),
            }).int_at("id");
            p.settle();
            validated(p, "example.com", "new.example.com", "A", "; fully validated");
            p.admin().ok("Dns.deleteRecord", record! { recordId: id });
            p.settle();
            validated(p, "example.com", "new.example.com", "A", "; negative response, fully validated");
        }
        // Those who do not ask for signatures get none; AD is never set, since nothing is validated here (RFC 4035
        // section 3.1.6).
        let plain = dig(p.dns_address(), &["www.example.com", "A"]).unwrap();
        assert!(!plain.contains("RRSIG") && !plain.contains(" ad;") && !plain.contains(" ad "), "{plain}");
        // The answer of nine long texts goes over TCP.
        let big = dig(p.dns_address(), &["+dnssec", "+ignore", "big.example.com", "TXT"]).unwrap();
        assert!(big.contains(" tc"), "{big}");
    }

    // A restart keeps keys, and so does a start from the snapshot.
    fn keys_survive_a_restart(p) {
        fill(p);
        signed(p, "example.com", "--nsec3");
        let before = served(p, "example.com");
        p.stop();
        p.launch();
        assert_eq!(served(p, "example.com"), before);
        all_kinds_of_answers(p);
        // With a new key for passwords and private keys.
        let mut command = Command::new(program("ngn"));
        command.args(["rotate-key", "--data", p.data().to_str().unwrap()]);
        let output = command.env("NGN_DATABASE", &p.database.url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        p.stop();
        p.launch();
        validated(p, "example.com", "www.example.com", "A", "; fully validated");
    }
}

fn serial(p: &Platform, zone: &str) -> u32 {
    answers(p.dns_address(), zone, SOA)[0].split(' ').nth(5).unwrap().parse().unwrap()
}

// RFC 5936 section 3 and RFC 4035 section 2: a transfer is a whole signed zone, with NSEC and with NSEC3.
#[test]
fn whole_zones_verify() {
    let p = Platform::start_with(Backend::Sqlite, &[TRANSFER]);
    fill(&p);
    let admin = p.admin();
    admin.ok("Enum.addRange", record! { range: enum_range("3120") });
    for number in ["31201", "312023", "312024", "31209999"] {
        admin.ok("Enum.addNumber", record! { number: enum_number(number, "sip:a@example.com") });
    }
    p.settle();
    for how in ["--nsec", "--nsec3"] {
        for zone in ["example.com", "0.2.1.3.e164.arpa"] {
            signed(&p, zone, how);
            let kind = if how == "--nsec" { "NSEC" } else { "NSEC3" };
            eventually("the denial", || {
                let text = verified(&p, zone);
                text.lines()
                    .any(|line| line.split_ascii_whitespace().nth(3) == Some(kind))
                    .then_some(())
            });
        }
        let (zone, number) = ("0.2.1.3.e164.arpa", "3.2.0.2.1.3.e164.arpa");
        validated(&p, zone, number, "NAPTR", "; fully validated");
        validated(
            &p,
            zone,
            &format!("9.{number}"),
            "NAPTR",
            "; negative response, fully validated",
        );
        // An empty non-terminal.
        validated(&p, zone, "2.0.2.1.3.e164.arpa", "NAPTR", "; negative response, fully validated");
    }
    // What changed is not kept for signed zones: who asks for it gets the whole zone (RFC 1995 section 4).
    let before = serial(&p, "example.com");
    admin.ok(
        "Dns.addRecord",
        record! { record: dns_record("example.com", "late", "A", "192.0.2.7") },
    );
    p.settle();
    let whole = dig(p.dns_address(), &["+tcp", "example.com", &format!("IXFR={before}")]).unwrap();
    assert!(
        whole.contains("RRSIG")
            && whole.contains("NSEC3PARAM")
            && whole.contains("big.example.com.")
    );
}

// RFC 6781 sections 4.1.1 and 4.1.2.
#[test]
fn keys_are_replaced_step_by_step() {
    let p = Platform::start_with(Backend::Sqlite, &[TRANSFER]);
    let name = "example.com";
    fill(&p);
    p.settle();
    signed(&p, name, "--nsec");
    let (ksk, zsk) = (tags(&p, name, &[("KSK", "active")]), tags(&p, name, &[("ZSK", "active")]));
    let before = serial(&p, name);
    ngn(&p, &["roll", name, "--zsk"]).unwrap();
    let new = tags(&p, name, &[("ZSK", "published")]);
    eventually("the new key", || (served(&p, name).len() == 3).then_some(()));
    assert!(serial(&p, name) > before, "secondaries have to fetch the new key");
    // The old one signs until everybody can know the new one.
    let text = verified(&p, name);
    let by = |text: &str, tag: u64| text.contains(&format!(" {tag} {name}. "));
    assert!(by(&text, zsk[0]) && !by(&text, new[0]));
    assert!(ngn(&p, &["roll", name, "--zsk"]).unwrap_err().contains("being replaced already"));
    // Double signatures: both sign the keys, and the parent is told of the old one still.
    ngn(&p, &["roll", name, "--ksk"]).unwrap();
    eventually("the new key", || (served(&p, name).len() == 4).then_some(()));
    let second = tags(&p, name, &[("KSK", "published")]);
    let text = verified(&p, name);
    assert!(by(&text, ksk[0]) && by(&text, second[0]));
    let told = |tag: u64| {
        let cds = dig(p.dns_address(), &["+short", name, "CDS"]).unwrap();
        cds.starts_with(&format!("{tag} 13 2 "))
    };
    assert!(told(ksk[0]));
    assert!(
        ngn(&p, &["roll", name, "--ksk", "--ds-seen"])
            .unwrap_err()
            .contains("is told of the new key from")
    );
    all_kinds_of_answers(&p);
    // No private key in the journal.
    let mut journal = Command::new(program("ngn"));
    journal
        .args(["journal", "--json", "--limit", "0", "--entity", "zone_keys", "--data"])
        .arg(p.data());
    journal.env("NGN_DATABASE", &p.database.url);
    let said = String::from_utf8(journal.output().unwrap().stdout).unwrap();
    assert!(said.contains("zone:roll") && said.contains(&second[0].to_string()), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

// A key that somebody else knows: nothing is waited for; keys go through their states by the clock.
#[test]
fn a_key_can_be_replaced_at_once() {
    let p = Platform::start_with(Backend::Sqlite, &[TRANSFER]);
    let name = "example.com";
    fill(&p);
    p.settle();
    signed(&p, name, "--nsec3");
    let old = tags(&p, name, &[("ZSK", "active")]);
    ngn(&p, &["roll", name, "--zsk", "--now"]).unwrap();
    assert_eq!(tags(&p, name, &[("ZSK", "retired")]), old);
    eventually("signatures by the new key", || {
        let text = verified(&p, name);
        (!text.contains(&format!(" {} {name}. ", old[0]))).then_some(())
    });
    let ksk = tags(&p, name, &[("KSK", "active")]);
    ngn(&p, &["roll", name, "--ksk", "--now"]).unwrap();
    let cds = || dig(p.dns_address(), &["+short", name, "CDS"]).unwrap();
    eventually("the parent to be told", || {
        (!cds().starts_with(&format!("{} ", ksk[0]))).then_some(())
    });
    assert_eq!(served(&p, name).len(), 4);
    // The old key goes by the clock alone.
    ngn(&p, &["roll", name, "--ksk", "--ds-seen", "--ds-ttl", "1", "--propagation", "0"]).unwrap();
    eventually("the old key to go", || (served(&p, name).len() == 3).then_some(()));
    all_kinds_of_answers(&p);
    // RFC 8078 section 4: the parent is asked to remove its DS.
    ngn(&p, &["unsign", name]).unwrap();
    eventually("the parent to be asked", || (cds().trim() == "0 0 0 00").then_some(()));
    verified(&p, name);
    ngn(&p, &["unsign", name, "--no-ds"]).unwrap();
    eventually("the keys to go", || served(&p, name).is_empty().then_some(()));
    let plain = dig(p.dns_address(), &["+dnssec", "www.example.com", "A"]).unwrap();
    assert!(!plain.contains("RRSIG"));
}
