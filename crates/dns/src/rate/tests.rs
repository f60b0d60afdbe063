use super::*;
use crate::name::Name;
use Verdict::{Drop, Send, Truncate};

const RATES: Rates = Rates { responses: 10, nxdomains: 5, errors: 2, slip: 2 };

fn query(name: &str) -> Vec<u8> {
    let mut query = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend_from_slice(Name::parse(name).unwrap().as_wire());
    query.extend_from_slice(&[0, 1, 0, 1]);
    query
}

const POSITIVE: Answered = Answered {
    rcode: Rcode::NoError,
    qtype: Some(1),
    truncated: false,
    about: About::Name { octets: 13 },
    proven: false,
    dnssec_ok: false,
};
const REFUSED: Answered = Answered { rcode: Rcode::Refused, about: About::Nothing, ..POSITIVE };

/// Answers of the zone example.com.
fn of_zone(rcode: Rcode) -> Answered {
    Answered { rcode, about: About::Zone { octets: 13 }, ..POSITIVE }
}

/// How many of so many answers at one moment are sent.
fn sent(
    limiter: &Limiter,
    from: &str,
    names: impl Iterator<Item = String>,
    a: Answered,
    ms: u64,
) -> usize {
    let now = Duration::from_millis(ms);
    let from = from.parse().unwrap();
    names.filter(|name| limiter.count(from, &query(name), &a, now) == Send).count()
}

fn same(name: &str, times: usize) -> impl Iterator<Item = String> {
    std::iter::repeat_n(name.to_owned(), times)
}

#[test]
fn as_many_as_the_rate_pass_at_once_and_then_each_second() {
    let limiter = Limiter::new(RATES, [7; 16]);
    // The one that goes over the second's worth passes still.
    assert_eq!(sent(&limiter, "192.0.2.1", same("a.example.com", 100), POSITIVE, 0), 11);
    for second in 1..10 {
        let at = second * 1000;
        assert_eq!(sent(&limiter, "192.0.2.1", same("a.example.com", 100), POSITIVE, at), 10);
    }
    // Whoever rests has a second's worth again, not more.
    assert_eq!(sent(&limiter, "192.0.2.1", same("a.example.com", 100), POSITIVE, 3_600_000), 11);
}

#[test]
fn neighbours_and_spellings_share_and_others_do_not() {
    let limiter = Limiter::new(RATES, [7; 16]);
    assert_eq!(sent(&limiter, "192.0.2.1", same("a.example.com", 50), POSITIVE, 0), 11);
    assert_eq!(sent(&limiter, "192.0.2.200", same("A.eXample.com", 50), POSITIVE, 0), 0);
    assert_eq!(sent(&limiter, "::ffff:192.0.2.7", same("a.example.com", 50), POSITIVE, 0), 0);
    assert_eq!(sent(&limiter, "192.0.3.1", same("a.example.com", 50), POSITIVE, 0), 11);
    assert_eq!(sent(&limiter, "192.0.2.1", same("b.example.com", 50), POSITIVE, 0), 11);
    let mx = Answered { qtype: Some(15), ..POSITIVE };
    assert_eq!(sent(&limiter, "192.0.2.1", same("a.example.com", 50), mx, 0), 11);
    assert_eq!(sent(&limiter, "2001:db8:0:aa01::1", same("a.example.com", 50), POSITIVE, 0), 11);
    assert_eq!(sent(&limiter, "2001:db8:0:aaff::2", same("a.example.com", 50), POSITIVE, 0), 0);
    assert_eq!(sent(&limiter, "2001:db8:0:ab00::1", same("a.example.com", 50), POSITIVE, 0), 11);
}

#[test]
fn random_names_of_a_zone_share() {
    let limiter = Limiter::new(RATES, [7; 16]);
    let random = || (0..50).map(|n| format!("x{n}.example.com"));
    assert_eq!(sent(&limiter, "192.0.2.1", random(), of_zone(Rcode::NxDomain), 0), 6);
    // A wildcard's, delegations and what has no such type are counted together, apart from those.
    assert_eq!(sent(&limiter, "192.0.2.1", random(), of_zone(Rcode::NoError), 0), 11);
    let elsewhere = (0..50).map(|n| format!("x{n}.example.net"));
    assert_eq!(sent(&limiter, "192.0.2.1", elsewhere, of_zone(Rcode::NxDomain), 0), 6);
    let anything = (0..50).map(|n| format!("x{n}.example{n}.org"));
    assert_eq!(sent(&limiter, "192.0.2.1", anything, REFUSED, 0), 3);
}

#[test]
fn some_of_those_that_are_too_many_are_cut_short() {
    for (slip, expected) in
        [(0, [Drop; 4]), (1, [Truncate; 4]), (2, [Truncate, Drop, Truncate, Drop])]
    {
        let limiter = Limiter::new(Rates { slip, ..RATES }, [7; 16]);
        let count = || {
            limiter.count(
                "192.0.2.1".parse().unwrap(),
                &query("a.example"),
                &REFUSED,
                Duration::ZERO,
            )
        };
        while count() == Send {}
        // The first one was counted by the loop.
        let rest = [Some(count()), Some(count()), Some(count())];
        assert_eq!(rest, [1, 2, 3].map(|n| expected.get(n).copied()), "{slip}");
    }
}

#[test]
fn no_limit_is_none() {
    let limiter = Limiter::new(Rates { responses: 0, ..RATES }, [7; 16]);
    assert_eq!(sent(&limiter, "192.0.2.1", same("a.example.com", 5000), POSITIVE, 0), 5000);
}

#[test]
fn many_networks_do_not_take_from_each_other() {
    let limiter = Limiter::new(RATES, [7; 16]);
    for network in 0..2000_u32 {
        let from = format!("10.{}.{}.1", network >> 8, network & 255);
        assert_eq!(sent(&limiter, &from, same("a.example.com", 20), POSITIVE, 0), 11, "{from}");
    }
    let again = "10.0.0.1";
    assert_eq!(sent(&limiter, again, same("a.example.com", 20), POSITIVE, 0), 0);
}
