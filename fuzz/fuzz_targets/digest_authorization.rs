//! Any header value as credentials: what is read can be judged, and nobody is let in without the password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_sip::digest::{
    NonceKey, ReplayWindow, Request, Rules, Secret, UriRule, Verdict, ha1_md5, ha1_sha256, verify,
};
use ngn_sip::header::{Authorization, Challenge};
use ngn_sip::message::Method;
use ngn_sip::uri::Uri;

const NOW: i64 = 1_700_000_000_000;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(challenge) = Challenge::parse(text) {
        let printed = challenge.to_string();
        assert!(!printed.contains(['\r', '\n']), "{printed:?}");
        assert_eq!(Challenge::parse(&printed), Ok(challenge), "{printed:?}");
    }
    let Ok(Authorization::Digest(credentials)) = Authorization::parse(text) else { return };
    let printed = credentials.to_string();
    assert!(!printed.contains(['\r', '\n']), "{printed:?}");
    let again = Authorization::parse(&printed);
    assert_eq!(again, Ok(Authorization::Digest(credentials.clone())), "{printed:?}");
    let key = NonceKey::from_bytes([7; 32]);
    let uri = Uri::parse("sip:example.com").expect("a URI");
    let md5 = ha1_md5("alice", "example.com", "not to be guessed 6Zq");
    let sha256 = ha1_sha256("alice", "example.com", "not to be guessed 6Zq");
    let mut replay = ReplayWindow::new(16);
    for secret in [Secret { md5: Some(&md5), sha256: Some(&sha256) }, Secret::default()] {
        for rule in [UriRule::Any, UriRule::SameTarget, UriRule::Equivalent] {
            for allow_without_qop in [false, true] {
                let rules = Rules { allow_without_qop, uri: rule, ..Rules::default() };
                let request =
                    Request { method: &Method::Register, uri: &uri, realm: "example.com" };
                let verdict =
                    verify(&credentials, &request, secret, &rules, &key, &mut replay, NOW);
                assert!(!matches!(verdict, Verdict::Accepted | Verdict::Stale), "{verdict:?}");
            }
        }
    }
});
