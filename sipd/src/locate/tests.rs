use super::*;
use crate::name_server::{name, serve};
use hickory_resolver::proto::rr::Record;
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::UdpSocket;

fn udp() -> Vec<Socket> {
    vec![Socket { transport: Transport::Udp, is_ipv4: true }]
}

async fn located(locator: &Locator, uri: &str) -> Vec<String> {
    let uri = Uri::parse(uri).expect("a URI");
    let found = locator.locate(&uri, udp()).await;
    found.iter().map(|candidate| candidate.address.to_string()).collect()
}

#[tokio::test]
async fn rfc3263_4_by_the_answers_of_a_name_server_which_are_kept() {
    let replacement = name("_sip._udp.example.");
    let naptr = NAPTR::new(
        1,
        1,
        b"s".to_vec().into(),
        b"SIP+D2U".to_vec().into(),
        Box::default(),
        replacement.clone(),
    );
    let records = vec![
        Record::from_rdata(name("example."), 60, RData::NAPTR(naptr)),
        Record::from_rdata(
            replacement.clone(),
            60,
            RData::SRV(SRV::new(2, 1, 5070, name("b.example."))),
        ),
        Record::from_rdata(replacement, 60, RData::SRV(SRV::new(1, 1, 5080, name("a.example.")))),
        Record::from_rdata(name("a.example."), 60, RData::A(A::new(192, 0, 2, 1))),
        Record::from_rdata(name("b.example."), 60, RData::A(A::new(192, 0, 2, 2))),
    ];
    let asked = Arc::new(AtomicUsize::new(0));
    let servers = vec![serve(records, Arc::clone(&asked)).await];
    let locator = Locator::new(&Dns { servers, ..Dns::default() }).expect("a locator");
    let expected = ["192.0.2.1:5080", "192.0.2.2:5070"];
    assert_eq!(located(&locator, "sip:x@example").await, expected);
    let first = asked.load(Ordering::SeqCst);
    assert_eq!(first, 4);
    assert_eq!(located(&locator, "sip:x@example").await, expected);
    assert_eq!(asked.load(Ordering::SeqCst), first, "answers are kept");
    assert!(located(&locator, "sip:x@none.example:5060").await.is_empty());
    let with_negative = asked.load(Ordering::SeqCst);
    assert!(located(&locator, "sip:x@none.example:5060").await.is_empty());
    assert_eq!(asked.load(Ordering::SeqCst), with_negative, "also that there is no such name");
}

#[tokio::test]
async fn servers_that_do_not_answer_are_not_asked_for_each_call() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let servers = vec![silent.local_addr().expect("an address")];
    let config = Dns { servers, timeout_milliseconds: 100, attempts: 0, ..Dns::default() };
    let locator = Locator::new(&config).expect("a locator");
    assert!(located(&locator, "sip:x@h.example:5060").await.is_empty());
    let question = Question::Addresses("h.example".to_owned());
    assert!(locator.is_silent(&question));
    assert!(located(&locator, "sip:x@h.example:5060").await.is_empty());
}

#[tokio::test]
async fn the_hosts_file_counts() {
    let locator = Locator::new(&Dns::default()).expect("a locator");
    assert_eq!(located(&locator, "sip:x@localhost:5070").await, ["127.0.0.1:5070"]);
}
