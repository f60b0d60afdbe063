use super::*;
use crate::config::Dns;
use crate::name_server::{name, serve};
use hickory_resolver::proto::rr::rdata::NAPTR;
use hickory_resolver::proto::rr::{Name, Record};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const PATIENCE: Duration = Duration::from_secs(5);

fn tree(text: &str) -> DomainName {
    DomainName::new(text).expect("a tree")
}

fn number(text: &str) -> E164 {
    E164::new(text).expect("a number")
}

/// A name server that knows +431 in `e164.example` alone.
async fn server(asked: Arc<AtomicUsize>) -> SocketAddr {
    let naptr = |preference, regexp: &str| {
        let octets = |text: &str| text.as_bytes().to_vec().into_boxed_slice();
        let services = octets("E2U+sip");
        let naptr = NAPTR::new(10, preference, octets("u"), services, octets(regexp), Name::root());
        Record::from_rdata(name("1.3.4.e164.example."), 60, RData::NAPTR(naptr))
    };
    let records =
        vec![naptr(2, "!^.*$!sip:second@x.example!"), naptr(1, "!^\\+(.*)$!sip:\\1@x.example!")];
    serve(records, asked).await
}

async fn locator(asked: &Arc<AtomicUsize>) -> Locator {
    let servers = vec![server(Arc::clone(asked)).await];
    let config = Dns { servers, timeout_milliseconds: 100, attempts: 0, ..Dns::default() };
    Locator::new(&config).expect("a locator")
}

// RFC 6116 section 3.
#[tokio::test]
async fn the_first_tree_that_has_the_number_counts_and_answers_are_kept() {
    let asked = Arc::default();
    let locator = locator(&asked).await;
    let both = [tree("none.example"), tree("e164.example")];
    let uris = vec!["sip:431@x.example".to_owned(), "sip:second@x.example".to_owned()];
    let expected = Said::Found(Listed { tree: "e164.example".to_owned(), uris });
    assert_eq!(locator.enum_uris(&number("431"), &both, PATIENCE).await, expected);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(locator.enum_uris(&number("431"), &both[1..], PATIENCE).await, expected);
    assert_eq!(asked.load(Ordering::SeqCst), 2, "answers are kept as long as their TTL says");
    assert_eq!(locator.enum_uris(&number("432"), &both, PATIENCE).await, Said::Nothing);
    assert_eq!(locator.enum_uris(&number("432"), &[], PATIENCE).await, Said::Nothing);
}

#[tokio::test]
async fn a_tree_without_answer_keeps_no_other_from_answering_and_is_left_alone() {
    let asked = Arc::default();
    let locator = locator(&asked).await;
    let (silent, known) = (tree("silent.example"), tree("e164.example"));
    let both = [silent.clone(), known];
    let found = locator.enum_uris(&number("431"), &both, PATIENCE).await;
    assert!(matches!(found, Said::Found(_)), "{found:?}");
    let only = [silent];
    assert_eq!(locator.enum_uris(&number("431"), &only, PATIENCE).await, Said::NoAnswer);
    assert_eq!(asked.load(Ordering::SeqCst), 2, "a name without answer is not asked again at once");
    for n in ["432", "433", "434", "435"] {
        assert_eq!(locator.enum_uris(&number(n), &only, PATIENCE).await, Said::NoAnswer);
    }
    // The third failure in a row is the last for a while.
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[test]
fn a_tree_is_asked_again_after_a_while() {
    let (trees, name, now) = (Trees::default(), tree("e164.example"), Instant::now());
    for _ in 0..FAILURES {
        assert!(trees.may_ask(&name, now));
        trees.note(&name, false, now);
    }
    assert!(!trees.may_ask(&name, now) && trees.may_ask(&tree("other.example"), now));
    assert!(trees.may_ask(&name, now + PAUSE));
    trees.note(&name, false, now + PAUSE);
    assert!(!trees.may_ask(&name, now + PAUSE));
    trees.note(&name, true, now + PAUSE);
    assert!(trees.may_ask(&name, now + PAUSE));
}
