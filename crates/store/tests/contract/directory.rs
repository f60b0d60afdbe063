//! What SIP servers read.

use crate::backend::Backend;
use crate::on_both;
use ngn_model::{Aor, DomainName, Ownership};

on_both!(
    everything_is_loaded,
    records_are_read_again,
    unusable_rows_are_left_out,
    b106_enum_numbers_with_their_sip_mappings,
    accounts_come_in_pages,
    voicemail_servers_are_those_of_resellers
);

fn aor(text: &str) -> Aor {
    text.parse().expect("an address")
}

async fn fill(backend: &Backend) {
    backend
        .sql(
            "INSERT INTO domain (domain, customer, reseller_id, certificate, private_key, verify_cert) VALUES \
             ('a.example', 3, 2, 'CERT', 'KEY', 1), ('b.example', 0, 0, '', NULL, 0); \
             INSERT INTO subscriber (username, domain, password, ha1, ha1_sha256, rpid, timeout, region, quickdial_prefix, call_limit, acl, prepaid) \
             VALUES ('alice', 'a.example', 'clear', '00112233445566778899AABBCCDDEEFF', '', '3120', 45, 'north', '3120800', 2, \
             '[{\"ip\":\"192.0.2.0\",\"mask\":24}]', 1), \
             ('bob', 'a.example', '', '', \
             '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', '', 0, '', '', 0, NULL, 0), \
             ('alice', 'b.example', '', '', '', NULL, NULL, NULL, NULL, NULL, '', 0); \
             INSERT INTO grp (username, domain, grp) VALUES ('alice', 'a.example', 'quota'), \
             ('alice', 'a.example', 'free-pstn'), ('alice', 'a.example', 'prepaid'), \
             ('alice', 'b.example', 'blocked'); \
             INSERT INTO dbaliases (alias_username, alias_domain, username, domain) VALUES \
             ('info', 'a.example', 'alice', 'a.example'), ('info', 'b.example', 'bob', 'a.example')",
        )
        .await;
}

async fn everything_is_loaded(backend: &Backend) {
    fill(backend).await;
    let (directory, follower) = backend.store.load_directory().await.expect("the directory");
    assert_eq!(follower.position().0, 0);
    let [a, b] = directory.domains.try_into().expect("two domains");
    assert_eq!((a.domain.as_str(), b.domain.as_str()), ("a.example", "b.example"));
    assert_eq!(a.ownership, Ownership { customer: 3, reseller: 2 });
    assert_eq!(a.tls.private_key.as_deref(), Some("KEY"));
    assert!(a.tls.verify_cert && !a.tls.require_cert);
    assert_eq!(b.tls, ngn_store::DomainTls::default());
    let accounts = directory.accounts;
    assert_eq!(accounts.len(), 3);
    let find = |wanted: &str| accounts.iter().find(|a| a.aor == aor(wanted)).expect("the account");
    let alice = find("alice@a.example");
    assert_eq!(alice.groups, ["free-pstn", "prepaid", "quota"]);
    assert_eq!(alice.ha1.expect("a digest").to_hex(), "00112233445566778899aabbccddeeff");
    assert_eq!((alice.ha1_sha256, alice.answer_timeout), (None, Some(45)));
    assert_eq!((alice.rpid.as_deref(), alice.region.as_deref()), (Some("3120"), Some("north")));
    assert_eq!((alice.quickdial_prefix.as_deref(), alice.call_limit), (Some("3120800"), Some(2)));
    assert_eq!(alice.acl, ["192.0.2.0/24"]);
    assert_eq!(alice.ownership, Ownership { customer: 3, reseller: 2 });
    let bob = find("bob@a.example");
    assert!(bob.ha1.is_none() && bob.ha1_sha256.is_some() && bob.groups.is_empty());
    assert_eq!((&bob.rpid, bob.answer_timeout, &bob.region), (&None, None, &None));
    assert_eq!((&bob.quickdial_prefix, bob.call_limit), (&None, None));
    assert!(find("alice@b.example").is_blocked());
    let mut aliases = directory.aliases;
    aliases.sort();
    assert_eq!(
        aliases,
        [
            (aor("info@a.example"), aor("alice@a.example")),
            (aor("info@b.example"), aor("bob@a.example")),
        ]
    );
}

async fn records_are_read_again(backend: &Backend) {
    fill(backend).await;
    let asked = ["alice@b.example", "nobody@a.example", "alice@a.example"].map(aor);
    let accounts = backend.store.accounts(&asked).await.expect("accounts");
    assert!(accounts.iter().map(|(aor, _)| aor).eq(asked.iter()));
    let groups: Vec<Option<usize>> =
        accounts.iter().map(|(_, account)| account.as_ref().map(|a| a.groups.len())).collect();
    assert_eq!(groups, [Some(1), None, Some(3)]);
    let many: Vec<Aor> = (0..250).map(|i| aor(&format!("u{i}@a.example"))).chain(asked).collect();
    let accounts = backend.store.accounts(&many).await.expect("accounts");
    assert_eq!((accounts.len(), accounts.iter().filter(|(_, a)| a.is_some()).count()), (253, 2));
    let aliases = backend.store.aliases(&[aor("info@b.example"), aor("alice@a.example")]).await;
    assert_eq!(
        aliases.expect("aliases"),
        [(aor("info@b.example"), Some(aor("bob@a.example"))), (aor("alice@a.example"), None),]
    );
    let names = ["c.example", "b.example"].map(|n| DomainName::new(n).expect("a name"));
    let domains = backend.store.sip_domains(&names).await.expect("domains");
    assert!(domains[0].1.is_none() && domains[1].1.is_some());
    assert!(backend.store.accounts(&[]).await.expect("nothing").is_empty());
}

async fn unusable_rows_are_left_out(backend: &Backend) {
    fill(backend).await;
    backend
        .sql(
            "INSERT INTO domain (domain) VALUES ('no domain'); \
             INSERT INTO subscriber (username, domain) VALUES ('a b', 'a.example'), ('x', 'unserved.example'); \
             INSERT INTO subscriber (username, domain, acl) VALUES ('open', 'a.example', '192.0.2.1'); \
             INSERT INTO dbaliases (alias_username, alias_domain, username, domain) \
             VALUES ('', 'a.example', 'alice', 'a.example')",
        )
        .await;
    let (directory, _) = backend.store.load_directory().await.expect("the directory");
    // An account whose access list cannot be read is closed, not open to everyone.
    let counts = (directory.domains.len(), directory.accounts.len(), directory.aliases.len());
    assert_eq!(counts, (2, 3, 2));
}

async fn b106_enum_numbers_with_their_sip_mappings(backend: &Backend) {
    backend
        .sql(
            "INSERT INTO domains (id, name, type) VALUES (1, '3.4.e164.arpa', 'NATIVE'), (2, '1.e164.example', 'NATIVE'); \
             INSERT INTO enum_ranges (id, prefix, tld, domain_id, nameservers) VALUES \
             (1, '43', 'e164.arpa', 1, ''), (2, '1', 'e164.example', 2, ''); \
             INSERT INTO enum_numbers (id, range_id, number, tld) VALUES (1, 1, '431', 'e164.arpa'), \
             (2, 1, '432', 'e164.arpa'), (3, 2, '431', 'e164.example'), (4, 1, '433', 'e164.arpa'); \
             INSERT INTO enum_mappings (id, number_id, type, mapto, mapto_bare, priority) VALUES \
             (1, 1, 'sip', 'sip:late@a.example', 'late@a.example', 9), (2, 1, 'sip', 'sip:a@a.example', 'a@a.example', 5), \
             (3, 1, 'mailto', 'mailto:a@a.example', 'a@a.example', 1), (4, 1, 'sip', 'sips:b@a.example', 'b@a.example', 5), \
             (5, 3, 'sip', 'sip:c@a.example', 'c@a.example', 5), (6, 4, 'mailto', 'mailto:a@a.example', 'a@a.example', 5)",
        )
        .await;
    let key = |number: &str, tree: &str| (number.to_owned(), tree.to_owned());
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let first = texts(&["sip:a@a.example", "sips:b@a.example", "sip:late@a.example"]);
    let (directory, _) = backend.store.load_directory().await.expect("the directory");
    assert_eq!(directory.enum_ranges, [key("1", "e164.example"), key("43", "e164.arpa")]);
    let numbers = [
        (key("431", "e164.arpa"), first.clone()),
        (key("431", "e164.example"), texts(&["sip:c@a.example"])),
    ];
    assert_eq!(directory.enum_numbers, numbers);

    let asked = [key("433", "e164.arpa"), key("431", "e164.arpa"), key("9", "e164.arpa")];
    let found = backend.store.enum_numbers(&asked).await.expect("numbers");
    let [without, with, gone] = asked;
    assert_eq!(found, [(without, Vec::new()), (with, first), (gone, Vec::new())]);
    let many: Vec<_> = (0..250).map(|n| key(&n.to_string(), "e164.arpa")).collect();
    assert_eq!(backend.store.enum_numbers(&many).await.expect("numbers").len(), 250);
    assert!(backend.store.enum_numbers(&[]).await.expect("nothing").is_empty());
    let asked = [key("43", "e164.arpa"), key("43", "e164.example"), key("4", "e164.arpa")];
    let found = backend.store.enum_ranges(&asked).await.expect("ranges");
    assert_eq!(found.iter().map(|(_, exists)| *exists).collect::<Vec<_>>(), [true, false, false]);
}

async fn accounts_come_in_pages(backend: &Backend) {
    fill(backend).await;
    backend
        .sql(
            "INSERT INTO subscriber (username, domain) VALUES ('x', 'unserved.example'); \
             INSERT INTO subscriber (username, domain, acl) VALUES ('open', 'a.example', '192.0.2.1'); \
             INSERT INTO subscriber (username, domain) VALUES ('last', 'b.example')",
        )
        .await;
    let rest = backend.store.load_without_accounts().await.expect("the rest");
    assert_eq!((rest.domains.len(), rest.accounts.len(), rest.aliases.len()), (2, 0, 0));
    assert_eq!(backend.store.count_accounts().await.expect("a count"), 6);
    for limit in [1, 2, 5, 6, 100] {
        let (mut row, mut found) = (0, Vec::new());
        loop {
            let page = backend.store.accounts_after(row, limit).await.expect("a page");
            let Some(last) = page.last() else { break };
            row = last.id;
            found.extend(page.into_iter().map(|paged| {
                let groups = paged.account.as_ref().map(|account| account.groups.len());
                assert!(paged.account.is_none_or(|a| a.aor.to_string() == paged.address));
                (paged.address, groups)
            }));
        }
        let expected = [
            ("alice@a.example", Some(3)),
            ("bob@a.example", Some(0)),
            ("alice@b.example", Some(1)),
            ("x@unserved.example", None),
            ("open@a.example", None),
            ("last@b.example", Some(0)),
        ];
        assert_eq!(
            found,
            expected.map(|(address, groups)| (address.to_owned(), groups)),
            "{limit}"
        );
    }
}

async fn voicemail_servers_are_those_of_resellers(backend: &Backend) {
    backend
        .sql(
            "INSERT INTO customers (id, reseller, username, username_lower) VALUES (7, 7, 'a', 'a'), (8, 7, 'b', 'b'), (9, 9, 'c', 'c'), \
             (10, 10, 'd', 'd'); \
             INSERT INTO customer_properties (customer, name, value) VALUES (7, 'voicemail_server', 'vm7.example'), \
             (8, 'voicemail_server', 'vm8.example'), (9, 'voicemail_server', ''), (10, 'sip_proxy', 'sip.example')",
        )
        .await;
    let (directory, _) = backend.store.load_directory().await.expect("the directory");
    assert_eq!(directory.voicemail_servers, [(7, "vm7.example".to_owned())]);
    let again = backend.store.voicemail_servers(&[10, 9, 8, 7, 6]).await.expect("servers");
    let none = |id| (id, None);
    let seven = (7, Some("vm7.example".to_owned()));
    assert_eq!(again, [none(10), none(9), none(8), seven, none(6)]);
}
