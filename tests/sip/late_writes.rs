//! What nodes accept while they have no database, and write later than others what these accepted since.

use std::net::SocketAddr;

use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain};
use ngn_tests::gate::Gate;
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Phone, unique};

use crate::fixture::DOMAIN;
use crate::nodes::{Node, knows, register_as};

/// The address of the server in a database's URL.
fn server(url: &str) -> &str {
    url.split_once('@').unwrap().1.split('/').next().unwrap()
}

/// What stands in the database about bob's phone: whether it is registered, and the number of the request that made it so.
fn row(p: &Platform) -> String {
    p.database.sql("SELECT expires_at > changed_at, cseq FROM location WHERE username = 'bob'")
}

// RFC 3261 section 10.3: the last request that was accepted counts, whichever node writes last.
#[test]
fn rfc3261_10_3_what_is_written_late_undoes_nothing() {
    let p = Platform::start(Backend::MariaDb);
    domain(&p.admin(), DOMAIN);
    for user in ["alice", "bob"] {
        account(&p.admin(), &format!("{user}@{DOMAIN}"));
    }
    p.settle();
    let server = server(&p.database.url);
    let gate = Gate::to(server.parse().unwrap());
    let url = p.database.url.replace(server, &gate.address.to_string());
    let away = Node::on(&p, &url);
    let (here, there) = (p.sip_address(), away.address);
    let (call_id, contact) = (unique("reg"), "<sip:bob@127.0.0.1:40404>");
    let bob = |node: SocketAddr, cseq, expires| {
        assert_eq!(register_as(node, "bob", &call_id, cseq, contact, expires), 200, "{cseq}");
    };
    let both_know = |contacts| [here, there].iter().for_each(|node| knows(*node, "bob", contacts));
    bob(there, 10, 300);
    both_know(1);
    // A refresh waits for the database when the phone is removed at the other node; another one comes after that.
    for (n, (first, then, left)) in
        [((there, 20, 300), (here, 30, 0), "0\t30"), ((here, 40, 0), (there, 50, 300), "1\t50")]
            .into_iter()
            .enumerate()
    {
        gate.close();
        for (node, cseq, expires) in [first, then] {
            bob(node, cseq, expires);
        }
        gate.open();
        // What is read from the other node was read after everything that waited was written.
        let mut alice = Phone::new(here, &format!("alice@{DOMAIN}"), "secret");
        assert_eq!(alice.register(300).unwrap().status(), 200);
        knows(there, "alice", n + 1);
        eventually("the last request counts", || (row(&p).trim() == left).then_some(()));
        both_know(usize::from(left.starts_with('1')));
        assert_eq!(row(&p).trim(), left);
    }
    // What one node alone has heard of is removed at the other one as well.
    gate.close();
    let (call_id, contact) = (unique("reg"), "<sip:bob@127.0.0.1:40405>");
    assert_eq!(register_as(there, "bob", &call_id, 2, contact, 300), 200);
    assert_eq!(register_as(here, "bob", &call_id, 4, contact, 0), 200);
    gate.open();
    both_know(1);
    let rows = p.database.sql("SELECT COUNT(*) FROM location WHERE contact LIKE '%:40405'");
    assert_eq!(rows.trim(), "1");
    both_know(1);
}
