use super::*;
use crate::header::Authorization;

const NOW: i64 = 1_700_000_000_000;
const REALM: &str = "example.com";

fn key() -> NonceKey {
    NonceKey::from_bytes([9; 32])
}

fn uri(text: &str) -> Uri {
    Uri::parse(text).expect("a URI")
}

fn digest(text: &str) -> Credentials {
    match Authorization::parse(text) {
        Ok(Authorization::Digest(credentials)) => *credentials,
        other => panic!("{other:?}"),
    }
}

/// A server with one account, a client that answers it, and what both keep.
struct Bench {
    md5: Ha1,
    sha256: Ha1Sha256,
    rules: Rules,
    window: ReplayWindow,
    method: Method,
    uri: Uri,
}

impl Bench {
    fn new() -> Self {
        Self {
            md5: ha1_md5("alice", REALM, "secret"),
            sha256: ha1_sha256("alice", REALM, "secret"),
            rules: Rules::default(),
            window: ReplayWindow::new(64),
            method: Method::Register,
            uri: uri("sip:example.com"),
        }
    }

    fn credentials(
        &self,
        algorithm: Algorithm,
        password: &str,
        made: i64,
        count: u32,
    ) -> Credentials {
        let made = challenges(REALM, &[algorithm], false, &key(), made, [4; 8]);
        let challenge = Challenge::parse(&made[0].to_string()).expect("a challenge");
        let ha1 = match challenge.algorithm {
            Algorithm::Md5 => ha1_md5("alice", REALM, password).to_hex(),
            _ => ha1_sha256("alice", REALM, password).to_hex(),
        };
        answer(&challenge, "alice", &ha1, &self.method, &self.uri, "c0", count).expect("an answer")
    }

    fn verify(&mut self, credentials: &Credentials, known: bool) -> Verdict {
        let secret = Secret { md5: Some(&self.md5), sha256: Some(&self.sha256) };
        let secret = if known { secret } else { Secret::default() };
        let request = Request { method: &self.method, uri: &self.uri, realm: REALM };
        verify(credentials, &request, secret, &self.rules, &key(), &mut self.window, NOW)
    }
}

/// The examples of RFC 7616 section 3.9.1.
#[test]
fn rfc7616_3_9_1_examples() {
    let text = |algorithm: &str, response: &str| {
        format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
             algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
             cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        )
    };
    let method = Method::Other("GET".into());
    let password = "Circle of Life";
    let md5 = digest(&text("MD5", "8ca523f5e9506fed4657c9700eebdbec"));
    let ha1 = ha1_md5("Mufasa", "http-auth@example.org", password);
    assert!(compare::<Md5, 16>(&md5, &method, (*ha1.as_bytes(), true)));
    assert!(!compare::<Md5, 16>(&md5, &method, (*ha1.as_bytes(), false)));
    let sha256 = digest(&text(
        "SHA-256",
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    ));
    let ha1 = ha1_sha256("Mufasa", "http-auth@example.org", password);
    assert!(compare::<Sha256, 32>(&sha256, &method, (*ha1.as_bytes(), true)));
}

/// The example of RFC 2069 section 2.4 with the response of erratum 749 (no qop).
#[test]
fn rfc2069_2_4_without_qop() {
    let credentials = digest(
        "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
         response=\"1949323746fe6a43ef61f9606e7febea\"",
    );
    let method = Method::Other("GET".into());
    let ha1 = ha1_md5("Mufasa", "testrealm@host.com", "CircleOfLife");
    assert!(compare::<Md5, 16>(&credentials, &method, (*ha1.as_bytes(), true)));
}

#[test]
fn accepts_both_algorithms_and_no_qop() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let mut bench = Bench::new();
        let good = bench.credentials(algorithm.clone(), "secret", NOW, 1);
        assert_eq!(bench.verify(&good, true), Verdict::Accepted);
        let bad = bench.credentials(algorithm, "guess", NOW, 2);
        assert_eq!(bench.verify(&bad, true), Verdict::Wrong);
    }
    let mut bench = Bench::new();
    let mut challenge = challenges(REALM, &[Algorithm::Md5], false, &key(), NOW, [1; 8]).remove(0);
    challenge.qop.clear();
    let ha1 = bench.md5.to_hex();
    let old =
        answer(&challenge, "alice", &ha1, &bench.method, &bench.uri, "", 1).expect("an answer");
    assert_eq!(old.qop, None);
    assert_eq!(bench.verify(&old, true), Verdict::Accepted);
    assert_eq!(bench.verify(&old, true), Verdict::Stale, "once only");
    bench.rules.allow_without_qop = false;
    assert!(matches!(bench.verify(&old, true), Verdict::Unsuitable(_)));
}

#[test]
fn only_the_owner_of_the_password_hears_stale() {
    let mut bench = Bench::new();
    let old = NOW - bench.rules.nonce_lifetime - 1;
    let late = bench.credentials(Algorithm::Md5, "secret", old, 1);
    assert_eq!(bench.verify(&late, true), Verdict::Stale);
    let late_guess = bench.credentials(Algorithm::Md5, "guess", old, 1);
    assert_eq!(bench.verify(&late_guess, true), Verdict::Wrong);
    let foreign = Challenge {
        nonce: "0123".into(),
        ..challenges(REALM, &[Algorithm::Md5], false, &key(), NOW, [1; 8]).remove(0)
    };
    let ha1 = bench.md5.to_hex();
    let answered =
        answer(&foreign, "alice", &ha1, &bench.method, &bench.uri, "c", 1).expect("answer");
    assert_eq!(bench.verify(&answered, true), Verdict::Stale);
}

#[test]
fn unknown_accounts_look_like_wrong_passwords() {
    let mut bench = Bench::new();
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let good = bench.credentials(algorithm.clone(), "secret", NOW, 1);
        assert_eq!(bench.verify(&good, false), Verdict::Wrong);
        // Not even the digest of the stand-in secret opens an unknown account.
        let mut zero = good.clone();
        zero.response = match algorithm {
            Algorithm::Md5 => hex(&response::<Md5>(&zero, &bench.method, hex(&[0; 16]).as_bytes())),
            _ => hex(&response::<Sha256>(&zero, &bench.method, hex(&[0; 32]).as_bytes())),
        };
        assert_eq!(bench.verify(&zero, false), Verdict::Wrong);
    }
}

#[test]
fn each_use_of_a_nonce_counts_once() {
    let mut bench = Bench::new();
    let first = bench.credentials(Algorithm::Md5, "secret", NOW, 1);
    assert_eq!(bench.verify(&first, true), Verdict::Accepted);
    assert_eq!(bench.verify(&first, true), Verdict::Stale);
    let second = bench.credentials(Algorithm::Md5, "secret", NOW, 2);
    assert_eq!(bench.verify(&second, true), Verdict::Accepted);
    // A wrong response does not use a count up.
    let mut third = bench.credentials(Algorithm::Md5, "guess", NOW, 3);
    assert_eq!(bench.verify(&third, true), Verdict::Wrong);
    third = bench.credentials(Algorithm::Md5, "secret", NOW, 3);
    assert_eq!(bench.verify(&third, true), Verdict::Accepted);
}

/// Changes to good credentials, and what they make of them.
#[test]
fn refuses_what_does_not_fit() {
    use Verdict::{Malformed, Unsuitable, Wrong};
    type Change = fn(&mut Credentials);
    let cases: [(&str, Change, Verdict); 15] = [
        ("realm", |c| c.realm = "other".into(), Unsuitable("")),
        ("algorithm", |c| c.algorithm = Algorithm::Other("SHA-512-256".into()), Unsuitable("")),
        ("auth-int", |c| c.qop = Some("auth-int".into()), Unsuitable("")),
        ("no cnonce", |c| c.cnonce = None, Malformed("")),
        ("no nc", |c| c.nc = None, Malformed("")),
        ("nc 0", |c| c.nc = Some("00000000".into()), Malformed("")),
        ("nc short", |c| c.nc = Some("1".into()), Malformed("")),
        ("nc signed", |c| c.nc = Some("+0000001".into()), Malformed("")),
        ("uri", |c| c.uri = "sip:bob@example.com".into(), Malformed("")),
        ("uri broken", |c| c.uri = "/".into(), Malformed("")),
        ("response", |c| c.response.push('0'), Wrong),
        ("response empty", |c| c.response.clear(), Wrong),
        ("response not hex", |c| c.response = "z".repeat(32), Wrong),
        ("nonce", |c| c.nonce.push('0'), Wrong),
        ("nc moved", |c| c.nc = Some("00000002".into()), Wrong),
    ];
    for (name, change, expected) in cases {
        let mut bench = Bench::new();
        let mut credentials = bench.credentials(Algorithm::Md5, "secret", NOW, 1);
        change(&mut credentials);
        let verdict = bench.verify(&credentials, true);
        assert_eq!(
            std::mem::discriminant(&verdict),
            std::mem::discriminant(&expected),
            "{name}: {verdict:?}"
        );
    }
    // The method is part of the response.
    let mut bench = Bench::new();
    let credentials = bench.credentials(Algorithm::Md5, "secret", NOW, 1);
    bench.method = Method::Invite;
    assert_eq!(bench.verify(&credentials, true), Wrong);
}

#[test]
fn compares_the_uri_by_rule() {
    for (text, request, any, target, equivalent) in [
        ("sip:example.com", "sip:example.com", true, true, true),
        ("sip:example.com", "sip:example.com:5060", true, true, false),
        ("sip:%61@b", "sip:a@B;transport=tcp", true, true, false),
        ("sip:a@b;x=1", "sip:a@b", true, true, true),
        ("sip:a@b", "sip:c@b", true, false, false),
        ("sip:a@b", "sip:a@c", true, false, false),
        ("tel:+1", "tel:+1", true, true, true),
        ("tel:+1", "tel:+2", true, false, false),
        ("x", "sip:a@b", true, false, false),
    ] {
        for (rule, fits) in
            [(UriRule::Any, any), (UriRule::SameTarget, target), (UriRule::Equivalent, equivalent)]
        {
            assert_eq!(uri_fits(text, &uri(request), rule), fits, "{text} {request} {rule:?}");
        }
    }
}

#[test]
fn offers_algorithms_in_order_with_one_nonce() {
    let made = challenges(REALM, &[Algorithm::Md5, Algorithm::Sha256], true, &key(), NOW, [1; 8]);
    let [first, second] = made.as_slice() else { panic!("{made:?}") };
    assert_eq!(first.nonce, second.nonce);
    assert!(first.to_string().ends_with("algorithm=MD5, qop=\"auth\", stale=true"));
    assert!(second.to_string().contains("algorithm=SHA-256"));
}

// RFC 7616 section 5.8: a weaker algorithm than was offered helps nobody who stands between.
#[test]
fn only_algorithms_that_were_offered_are_taken() {
    for (md5, sha256) in [(true, false), (false, true), (true, true)] {
        for (algorithm, is_offered) in [(Algorithm::Md5, md5), (Algorithm::Sha256, sha256)] {
            let mut bench = Bench::new();
            bench.rules.offered = Offered { md5, sha256 };
            let credentials = bench.credentials(algorithm, "secret", NOW, 1);
            let verdict = bench.verify(&credentials, true);
            match is_offered {
                true => assert_eq!(verdict, Verdict::Accepted),
                false => assert!(matches!(verdict, Verdict::Unsuitable(_)), "{verdict:?}"),
            }
        }
    }
}
