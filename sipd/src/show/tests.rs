use super::*;
use crate::config::Config;
use crate::live::State as CallState;

fn binding(user: usize, domain: &str, expires_at: i64) -> Binding {
    let aor = Aor::new(&format!("u{user}"), domain).expect("an address");
    let mut binding = Binding::new(aor, format!("sip:u{user}@10.0.0.1:5060"), expires_at);
    binding.received = Some(format!("sip:192.0.2.{}:1024;transport=tls", user % 250));
    binding.socket = "tls:192.0.2.254:5061".to_owned();
    binding
}

/// A directory with so many bindings, each of an account of its own, in two domains by turns.
fn directory(count: usize) -> Directory {
    let mut directory = Directory::new();
    for user in 0..count {
        let domain = if user % 2 == 0 { "even.example" } else { "odd.example" };
        directory.load_binding(binding(user, domain, 10_000));
    }
    directory
}

/// Answers questions as the engine does, and tells how many there were.
fn engine(directory: Directory) -> (Window, tokio::task::JoinHandle<usize>) {
    let (looks, mut asked) = mpsc::channel::<Look>(1);
    let served = tokio::spawn(async move {
        let (calls, mut count) = (Calls::default(), 0);
        let mut guard = Guard::new(Config::default().guard.rules());
        while let Some(look) = asked.recv().await {
            let guard = &mut guard;
            let moment = Moment::from_millis(5_000);
            look.answer(Seen { calls: &calls, directory: &directory, guard, now: 5_000, moment });
            count += 1;
        }
        count
    });
    (Window { looks, readers: Semaphore::new(READERS), node: "here".to_owned() }, served)
}

#[tokio::test]
async fn pages_hold_everything_once_and_no_slice_is_long() {
    let (window, served) = engine(directory(2_500));
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let ask =
            |after, most, answer| Kind::Bindings(BindingFilter::default(), after, most, answer);
        let page = window.page(after.take(), 700, ask).await.expect("a page");
        assert!(page.found.len() <= 700);
        seen.extend(page.found.into_iter().map(|registration| registration.account));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 2_500);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 2_500);
    drop(window);
    // 2500 by pages of 700.
    assert_eq!(served.await.expect("it ends"), 4);
}

#[tokio::test]
async fn what_a_filter_lets_through_is_found_slice_by_slice() {
    let (window, served) = engine(directory(2_500));
    let filter = BindingFilter::new(Some("u2499"), None, None).expect("a filter");
    let ask = |after, most, answer| Kind::Bindings(filter.clone(), after, most, answer);
    let page = window.page(None, PAGE, ask).await.expect("a page");
    assert_eq!(page.found.len(), 1);
    let counts = window.page(None, usize::MAX, |after, _, answer| Kind::Domains(after, answer));
    let counts = counts.await.expect("counts").found;
    let of = |name: &str| -> u64 {
        counts.iter().filter(|(domain, _)| domain == name).map(|(_, count)| count).sum()
    };
    assert_eq!((of("even.example"), of("odd.example")), (1_250, 1_250));
    drop(window);
    assert_eq!(served.await.expect("it ends"), 3 + 3);
}

#[test]
fn registrations_are_found_by_account_domain_and_address() {
    let one = binding(7, "odd.example", 10_000);
    for (account, domain, address, holds) in [
        (None, None, None, true),
        (Some("u7@odd.example"), None, None, true),
        (Some("sip:U7@odd.example"), None, None, true),
        (Some("u7"), Some("odd.example"), Some("192.0.2.0/24"), true),
        (Some("u7@even.example"), None, None, false),
        (Some("u"), None, None, false),
        (None, Some("even.example"), None, false),
        (None, None, Some("192.0.2.7:1024"), true),
        (None, None, Some("192.0.2.7:1025"), false),
        // The contact's address does not count where the REGISTER's is known.
        (None, None, Some("10.0.0.1"), false),
    ] {
        let filter = BindingFilter::new(account, domain, address).expect("a filter");
        assert_eq!(filter.holds(&one), holds, "{filter:?}");
    }
    assert!(BindingFilter::new(None, None, Some("x")).is_err());
}

#[test]
fn a_registration_says_where_the_phone_really_is() {
    let mut one = binding(7, "odd.example", 10_000);
    one.user_agent = "phone/1".to_owned();
    one.last_modified = 3_000;
    let shown = Registration::of(&one, 4_500);
    assert_eq!((shown.expires, &*shown.received, shown.nat), (5, "192.0.2.7:1024", true));
    assert_eq!((&*shown.transport, &*shown.user_agent, shown.last_seen), ("tls", "phone/1", 3_000));
    one.received = Some("sip:10.0.0.1:5060;transport=udp".to_owned());
    assert!(!Registration::of(&one, 0).nat);
    one.received = None;
    let shown = Registration::of(&one, 0);
    assert_eq!((&*shown.received, shown.nat, &*shown.transport), ("", false, "tls"));
}

fn call() -> Call {
    Call {
        number: 1,
        call_id: "c".to_owned(),
        caller: "sip:alice@one.example".to_owned(),
        callee: "sip:0031201234567@one.example:5060;user=phone".to_owned(),
        canonical: String::new(),
        account: "alice@one.example".to_owned(),
        state: CallState::Established,
        began: 1,
        since: 2,
        source: "udp:192.0.2.7:5060".to_owned(),
        target: "sip:31201234567@gw.example".to_owned(),
        gateway: "gw".to_owned(),
        leg: 0,
        emergency: false,
        before_start: false,
    }
}

#[test]
fn calls_are_found_by_account_domain_and_number() {
    for (which, holds) in [
        (("", "", ""), true),
        (("Alice@one.example", "", ""), true),
        (("bob@one.example", "", ""), false),
        (("", "one.example", ""), true),
        (("", "gw.example", ""), false),
        (("", "", "+31 20 1234567"), true),
        (("", "", "0031201234567"), true),
        (("", "", "1234567"), true),
        (("", "", "31201234"), false),
    ] {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (account, domain, number) = (some(which.0), some(which.1), some(which.2));
        let which = WhichCalls { account, domain, number, ..WhichCalls::default() };
        let filter = CallFilter::new(&which).expect("a filter");
        assert_eq!(filter.holds(&call()), holds, "{which:?}");
    }
    let none = WhichCalls { number: Some("+".to_owned()), ..WhichCalls::default() };
    assert!(CallFilter::new(&none).is_err());
}
