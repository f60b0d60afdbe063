//! Encode → decode is the identity, for every type and every operation, in both styles.

use proptest::prelude::*;

use crate::{Style, ports, types};

const STYLES: [Style; 2] = [Style::Encoded, Style::Literal];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_type_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for round_trip in types::round_trips() {
            for style in STYLES {
                for full in [false, true] {
                    let outcome = (round_trip.run)(&bytes, style, full);
                    prop_assert!(outcome.is_ok(), "{} {style:?}: {:?}", round_trip.name, outcome);
                }
            }
        }
    }

    #[test]
    fn every_call_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for round_trip in ports::round_trips() {
            for style in STYLES {
                let outcome = (round_trip.run)(&bytes, style);
                prop_assert!(outcome.is_ok(), "{} {style:?}: {:?}", round_trip.name, outcome);
            }
        }
    }
}

#[test]
fn the_samples_cover_every_type_and_operation() {
    assert_eq!(types::round_trips().count(), 92);
    assert_eq!(ports::round_trips().count(), 61 + 5 + 9 + 15 + 3 + 8 + 2);
}
