//! Changes of a zone that is held (RFC 1995).

use super::*;
use proptest::prelude::*;

fn incremental(
    held: &Arc<Zone>,
    records: &[(u16, &str, &[u8])],
) -> Result<Option<Outcome>, Invalid> {
    let apex = name("example.com");
    let (request, mut incoming) = ask(&asking(Some(held), &apex, None), 7, NOW);
    assert!(incoming.is_incremental());
    // The secondary says what it has.
    assert!(
        matches!(Query::read(&request).unwrap().kind(), crate::transfer::Kind::Ixfr { serial } if serial == held.serial())
    );
    incoming.take(&response(&request, records), NOW)
}

fn held(serial: u32) -> Arc<Zone> {
    let zone = zone(
        "example.com",
        &[("a.example.com", "A", 60, "192.0.2.1"), ("b.example.com", "A", 60, "192.0.2.2")],
    );
    Arc::new(zone.with_serial(serial))
}

const X: &str = "example.com";
const ONE: &[u8] = &[192, 0, 2, 1];
const TWO: &[u8] = &[192, 0, 2, 2];
const NINE: &[u8] = &[192, 0, 2, 9];

/// Two changes in one answer, the second of what the first brought; and the same condensed into one.
#[test]
fn chains_and_condensed_changes_lead_to_the_same() {
    let (s5, s6, s8) = (soa(5), soa(6), soa(8));
    let chain: [(u16, &str, &[u8]); 11] = [
        (6, X, &s8),
        (6, X, &s5),
        (1, "a.example.com", ONE),
        (6, X, &s6),
        (1, "c.example.com", NINE),
        (6, X, &s6),
        (1, "c.example.com", NINE),
        (1, "b.example.com", TWO),
        (6, X, &s8),
        (1, "b.example.com", NINE),
        (6, X, &s8),
    ];
    let condensed: [(u16, &str, &[u8]); 7] = [
        (6, X, &s8),
        (6, X, &s5),
        (1, "a.example.com", ONE),
        (1, "b.example.com", TWO),
        (6, X, &s8),
        (1, "b.example.com", NINE),
        (6, X, &s8),
    ];
    let held = held(5);
    let expected = with(&with(&held, "a.example.com", &[]), "b.example.com", &[(1, NINE)]);
    for records in [&chain[..], &condensed] {
        let Ok(Some(Outcome::Changed { zone, names })) = incremental(&held, records) else {
            panic!()
        };
        assert_eq!(lines(&zone), lines(&expected.with_serial(8)));
        assert!(names.contains(&name("a.example.com")) && names.contains(&name("b.example.com")));
        assert_eq!(Times::of(&zone, 1), Some(Times { refresh: 10, retry: 5, expire: 100 }));
        assert_eq!(lines(&held).len(), 4, "what was held stays as it was");
    }
}

/// RFC 1995 section 4: the master may give the whole zone instead; the serial tells when nothing is new (RFC 1982).
#[test]
fn the_whole_zone_or_nothing_may_come_instead() {
    let whole = |serial: u32| {
        let soa = soa(serial);
        incremental(&held(5), &[(6, X, &soa), (1, "z.example.com", ONE), (6, X, &soa)])
    };
    let Ok(Some(Outcome::Whole(zone))) = whole(6) else { panic!() };
    assert_eq!((zone.serial(), zone.record_count()), (6, 2));
    for (ours, theirs, current) in
        [(5, 5, true), (5, 4, true), (5, 6, false), (u32::MAX, 1, false), (1, u32::MAX, true)]
    {
        let outcome = incremental(&held(ours), &[(6, X, &soa(theirs))]).unwrap();
        match outcome {
            Some(Outcome::Current { serial }) => assert!(current && serial == theirs),
            other => assert!(!current && other.is_none(), "{ours} {theirs}: more has to come"),
        }
    }
}

#[test]
fn changes_that_do_not_fit_are_refused() {
    let (s4, s5, s6, s7) = (soa(4), soa(5), soa(6), soa(7));
    let fit = |records: &[(u16, &str, &[u8])]| incremental(&held(5), records).unwrap_err();
    let gone: [(u16, &str, &[u8]); 5] =
        [(6, X, &s6), (6, X, &s5), (1, "c.example.com", ONE), (6, X, &s6), (6, X, &s6)];
    assert_eq!(fit(&gone), Invalid::DoesNotFit, "deletes what is not there");
    let there: [(u16, &str, &[u8]); 5] =
        [(6, X, &s6), (6, X, &s5), (6, X, &s6), (1, "a.example.com", ONE), (6, X, &s6)];
    assert_eq!(fit(&there), Invalid::DoesNotFit, "adds what is there");
    assert_eq!(fit(&[(6, X, &s6), (6, X, &s4)]), Invalid::DoesNotFit, "begins elsewhere");
    let back: [(u16, &str, &[u8]); 3] = [(6, X, &s7), (6, X, &s5), (6, X, &s4)];
    assert_eq!(fit(&back), Invalid::DoesNotFit, "goes back");
    let gap: [(u16, &str, &[u8]); 4] = [(6, X, &s7), (6, X, &s5), (6, X, &s6), (6, X, &s7)];
    assert_eq!(fit(&gap), Invalid::DoesNotFit, "leaves a gap");
    // The SOA in a change to the data of other records: a CNAME beside what stays.
    let alias: [(u16, &str, &[u8]); 5] =
        [(6, X, &s6), (6, X, &s5), (6, X, &s6), (5, "a.example.com", b"\0"), (6, X, &s6)];
    assert_eq!(fit(&alias), Invalid::CnameNotAlone(name("a.example.com")));
}

/// A state of a zone: which of a few records there are.
fn state(bits: u32, serial: u32) -> Zone {
    let mut zone = super::zone(X, &[]).with_serial(serial);
    for n in 0..8_u8 {
        let owner = format!("{}.{X}", ["a", "b", "*.w", "x.y.z"][usize::from(n % 4)]);
        let here: Vec<Vec<u8>> = (0..8)
            .filter(|bit| bit % 4 == n % 4 && bits >> bit & 1 == 1)
            .map(|bit| vec![192, 0, 2, bit])
            .collect();
        let records: Vec<(u16, &[u8])> = here.iter().map(|rdata| (1, rdata.as_slice())).collect();
        zone = with(&zone, &owner, &records);
    }
    zone
}

proptest! {
    /// Whatever the states are, whoever has one gets to the last one by the changes.
    #[test]
    fn changes_lead_from_any_state_to_the_last(states in prop::collection::vec(any::<u32>(), 2..6), first in any::<u32>()) {
        let apex = name(X);
        let number = |at: usize| first.wrapping_add(u32::try_from(at).unwrap());
        let zones: Vec<Arc<Zone>> = states.iter().enumerate().map(|(at, bits)| Arc::new(state(*bits, number(at)))).collect();
        let chain: Vec<Arc<Difference>> = zones
            .windows(2)
            .map(|pair| Arc::new(Difference::between(&pair[0], &pair[1], None, usize::MAX).unwrap()))
            .collect();
        let last = zones.last().unwrap();
        for (at, held) in zones.iter().enumerate().take(chain.len()) {
            let difference = Difference::condensed(&chain[at..]).unwrap();
            let (request, mut incoming) = ask(&asking(Some(held), &apex, None), 7, NOW);
            let messages = primary(&request, last, Some(&difference), &Keys::none(), &[]);
            let Ok(Some(Outcome::Changed { zone, .. })) = feed(&mut incoming, &messages) else {
                panic!("a change");
            };
            prop_assert_eq!(lines(&zone), lines(last));
            prop_assert_eq!(zone.name_count(), last.name_count());
        }
    }

    #[test]
    fn any_octets_are_taken_or_refused(octets in prop::collection::vec(any::<u8>(), 0..300), keep in 0..40_usize) {
        let (apex, held) = (name(X), held(5));
        let (request, mut incoming) = ask(&asking(Some(&held), &apex, None), 7, NOW);
        let mut message = response(&request, &[(6, X, &soa(9))]);
        message.truncate(keep);
        message.extend_from_slice(&octets);
        let _ = incoming.take(&message, NOW);
    }
}
