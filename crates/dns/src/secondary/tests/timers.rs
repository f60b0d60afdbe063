//! RFC 1035 section 3.3.13: refresh, retry, expire.

use super::*;

const T: Times = Times { refresh: 100, retry: 10, expire: 1_000 };
const S: u64 = 1_000;

#[test]
fn a_zone_is_looked_at_after_refresh_and_then_after_retry_until_it_expires() {
    let mut timers = Timers::new(0);
    assert_eq!(timers.step(0), Step::Ask, "nothing is known");
    timers.asked(0);
    timers.succeeded(0, T, 0);
    assert_eq!(timers.step(0), Step::Wait(100 * S));
    let (mut now, mut asked) = (0, Vec::new());
    loop {
        match timers.step(now) {
            Step::Wait(time) => now += time,
            Step::Ask => {
                asked.push(now / S);
                timers.asked(now);
                timers.failed(now, 0);
            }
            Step::Expire => break,
        }
    }
    assert_eq!(now, 1_000 * S);
    assert_eq!(asked, (10..100).map(|ten| ten * 10).collect::<Vec<_>>());
    assert!(timers.is_expired());
    // It expires once, and is asked for on and on.
    assert!(matches!(timers.step(now), Step::Ask));
    timers.failed(now, 0);
    assert_eq!(timers.step(now), Step::Wait(10 * S));
    timers.succeeded(now, T, 0);
    assert!(!timers.is_expired());
    assert_eq!(timers.step(now), Step::Wait(100 * S));
}

#[test]
fn an_unknown_zone_is_asked_for_less_and_less_often() {
    let mut timers = Timers::new(0);
    let mut waits = Vec::new();
    for _ in 0..12 {
        timers.failed(0, 0);
        let Step::Wait(time) = timers.step(0) else { panic!() };
        waits.push(time / S);
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]);
}

/// RFC 1996 section 4.7, and at most once a second.
#[test]
fn a_notify_brings_the_next_look_forward() {
    let mut timers = Timers::new(0);
    timers.asked(0);
    timers.succeeded(300, T, 0);
    timers.notified(500);
    assert_eq!(timers.step(500), Step::Wait(500));
    timers.notified(700);
    assert_eq!(timers.step(1_000), Step::Ask);
    timers.asked(1_000);
    timers.succeeded(1_200, T, 0);
    timers.notified(60 * S);
    assert_eq!(timers.step(60 * S), Step::Ask);
    timers.asked(60 * S);
    timers.failed(61 * S, 0);
    assert_eq!(timers.step(61 * S), Step::Wait(10 * S), "told in vain, it is asked after retry");
}

#[test]
fn what_was_known_before_a_restart_counts_from_then() {
    let mut timers = Timers::restored(0, T, 900 * S);
    assert_eq!(timers.step(900 * S), Step::Ask);
    timers.failed(900 * S, 0);
    assert_eq!(timers.step(900 * S), Step::Wait(10 * S));
    assert_eq!(timers.step(1_000 * S), Step::Expire);
    let mut old = Timers::restored(0, T, 2_000 * S);
    assert_eq!(old.step(2_000 * S), Step::Expire);
    assert_eq!(old.step(2_000 * S), Step::Ask);
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_for_ever() {
    let mut timers = Timers::new(5_000 * S);
    timers.succeeded(5_000 * S, T, 0);
    let Step::Wait(time) = timers.step(10 * S) else { panic!() };
    assert!(time <= 600 * S, "{time}");
    timers.failed(10 * S, 0);
    timers.notified(11 * S);
    assert!(matches!(timers.step(20 * S), Step::Ask));
    assert_eq!(timers.step(1_010 * S), Step::Expire);
}

#[test]
fn looks_are_spread_and_times_make_sense() {
    let mut timers = Timers::new(0);
    timers.succeeded(0, T, 255);
    assert!(matches!(timers.step(0), Step::Wait(75_000..=76_000)));
    let zone = |numbers: [u32; 4]| {
        let [refresh, retry, expire, _] = numbers;
        let rdata =
            [&[0, 0][..], &[1, refresh, retry, expire, 60].map(u32::to_be_bytes).concat()].concat();
        with(&Zone::new(name("example.com"), 1), "example.com", &[(6, &rdata)])
    };
    let times = |numbers, least| Times::of(&zone(numbers), least).unwrap();
    assert_eq!(times([0, 0, 0, 0], 30), Times { refresh: 30, retry: 30, expire: 60 });
    assert_eq!(times([5, 3, 1, 0], 0), Times { refresh: 5, retry: 3, expire: 8 });
    let most = times([u32::MAX; 4], 1);
    assert_eq!(most, Times { refresh: 2_419_200, retry: 1_209_600, expire: 31_622_400 });
    assert_eq!(Times::of(&Zone::new(name("example.com"), 1), 1), None);
}
