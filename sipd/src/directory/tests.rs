use super::*;

fn aor(text: &str) -> Aor {
    text.parse().expect("an address")
}

fn account(text: &str) -> Box<Account> {
    Box::new(Account::new(aor(text)))
}

fn binding(text: &str, contact: &str, expires_at: i64) -> Binding {
    Binding::new(aor(text), contact, expires_at)
}

#[test]
fn b15_accounts_are_whose_their_domain_is() {
    let mut directory = Directory::new();
    let domain = |directory: &mut Directory, name: &str, reseller: CustomerId| {
        let ownership = Ownership { customer: reseller, reseller };
        directory.apply(Update::Domain(DomainName::new(name).unwrap(), Some(ownership)));
    };
    let resellers = |directory: &Directory| {
        ["a@one.example", "b@one.example", "a@two.example"]
            .map(|name| directory.account(&aor(name)).unwrap().ownership.reseller)
    };
    domain(&mut directory, "one.example", 0);
    domain(&mut directory, "two.example", 0);
    for name in ["a@one.example", "b@one.example", "a@two.example"] {
        directory.apply(Update::Account(aor(name), Some(account(name))));
    }
    domain(&mut directory, "one.example", 7);
    assert_eq!(resellers(&directory), [7, 7, 0]);
    domain(&mut directory, "two.example", 8);
    domain(&mut directory, "one.example", 0);
    assert_eq!(resellers(&directory), [0, 0, 8]);
}

#[test]
fn b79_an_alias_leads_to_its_account() {
    let mut directory = Directory::new();
    directory.apply(Update::Account(aor("alice@example.com"), Some(account("alice@example.com"))));
    directory.apply(Update::Alias(aor("info@example.com"), Some(aor("alice@example.com"))));
    directory.apply(Update::Alias(aor("lost@example.com"), Some(aor("gone@example.com"))));
    let found = |text: &str| {
        let address = aor(text);
        directory.resolve(&address).map(|(a, alias)| (a.aor.to_string(), alias.is_some()))
    };
    assert_eq!(found("alice@example.com"), Some(("alice@example.com".to_owned(), false)));
    assert_eq!(found("info@example.com"), Some(("alice@example.com".to_owned(), true)));
    assert_eq!(found("lost@example.com"), None);
    directory.apply(Update::Alias(aor("info@example.com"), None));
    assert!(directory.resolve(&aor("info@example.com")).is_none());
}

#[test]
fn accounts_take_what_is_in_them() {
    let mut directory = Directory::new();
    let mut alice = account("alice@example.com");
    directory.apply(Update::Account(alice.aor.clone(), Some(alice.clone())));
    let plain = directory.account_octets();
    assert!((300..1_000).contains(&plain), "{plain}");
    alice.groups = vec!["free-pstn".to_owned()];
    alice.rpid = Some("+31201234567".to_owned());
    directory.apply(Update::Account(alice.aor.clone(), Some(alice)));
    // A list of one text, and two pieces for the texts.
    let more = 16 + 24 + (16 + 9) + (16 + 12);
    assert_eq!(directory.account_octets(), plain + more);
}

#[test]
fn b57_bindings_go_with_their_account() {
    let mut directory = Directory::new();
    let alice = aor("alice@example.com");
    directory.apply(Update::Account(alice.clone(), Some(account("alice@example.com"))));
    directory.load_binding(binding("alice@example.com", "sip:a@192.0.2.1", 10));
    assert_eq!(directory.sizes().bindings, 1);
    directory.apply(Update::Account(alice.clone(), None));
    assert!(directory.bindings(&alice).is_empty());
    assert_eq!(directory.sizes(), Sizes::default());
}

#[test]
fn registrations_outlive_a_database_that_went_back() {
    let known = |accounts: &[&str]| {
        let mut directory = Directory::new();
        for name in accounts {
            directory.apply(Update::Account(aor(name), Some(account(name))));
        }
        directory
    };
    let mut served = known(&["alice@example.com", "bob@example.com", "new@example.com"]);
    served.load_binding(binding("alice@example.com", "sip:a@192.0.2.1", 20));
    served.load_binding(binding("bob@example.com", "sip:b@192.0.2.1", 20));
    served.load_binding(binding("new@example.com", "sip:n@192.0.2.1", 20));
    let mut restored = known(&["alice@example.com", "bob@example.com"]);
    restored.load_binding(binding("alice@example.com", "sip:a@192.0.2.1", 10));
    restored.load_binding(binding("alice@example.com", "sip:a@192.0.2.9", 10));
    restored.load_binding(binding("bob@example.com", "sip:b@192.0.2.1", 20));
    let missing = restored.take_bindings_of(&mut served);
    let missing: Vec<_> = missing.iter().map(|b| (b.contact.as_str(), b.expires_at)).collect();
    assert_eq!(missing, [("sip:a@192.0.2.1", 20)]);
    assert_eq!(restored.bindings(&aor("alice@example.com")).len(), 2);
    assert!(restored.bindings(&aor("new@example.com")).is_empty(), "B57");
    assert_eq!((restored.sizes().bindings, served.sizes().bindings), (3, 0));
}

fn peer(key: &str, protocol: PeerProtocol) -> Update {
    let peer = TrustedPeer::new(key, protocol);
    Update::Peer(key.to_owned(), Some(Box::new(peer)))
}

#[test]
fn b145_peers_are_known_by_address_and_protocol() {
    use PeerProtocol::{Any, Tcp, Udp};
    let mut directory = Directory::new();
    directory.apply(peer("192.0.2.1", Any));
    directory.apply(peer("192.0.2.2", Tcp));
    directory.apply(peer("trunk.example", Udp));
    let known = |directory: &Directory, source: &str, protocol| {
        let source = source.parse().expect("an address");
        directory.peer(source, protocol).map(|peer| peer.ip.clone())
    };
    let is = |name: &str| Some(name.to_owned());
    assert_eq!(known(&directory, "192.0.2.1", Udp), is("192.0.2.1"));
    assert_eq!(known(&directory, "::ffff:192.0.2.1", Tcp), is("192.0.2.1"));
    assert_eq!(known(&directory, "192.0.2.2", Udp), None);
    assert_eq!(known(&directory, "192.0.2.2", Tcp), is("192.0.2.2"));
    assert_eq!(known(&directory, "192.0.2.3", Udp), None);
    let address = "192.0.2.3".parse().expect("an address");
    directory.set_peer_addresses("trunk.example", &[address]);
    assert_eq!(known(&directory, "192.0.2.3", Udp), is("trunk.example"));
    assert_eq!(known(&directory, "192.0.2.3", Tcp), None);
    directory.apply(peer("trunk.example", Any));
    assert_eq!(known(&directory, "192.0.2.3", Tcp), is("trunk.example"), "addresses stay");
    directory.apply(Update::Peer("trunk.example".to_owned(), None));
    directory.apply(Update::Peer("192.0.2.1".to_owned(), None));
    assert_eq!(known(&directory, "192.0.2.3", Udp), None);
    assert_eq!(known(&directory, "192.0.2.1", Udp), None);
    assert_eq!(directory.sizes().peers, 1);
}

#[test]
fn b147_a_number_is_found_in_any_domain() {
    let mut directory = Directory::new();
    for n in 0..200 {
        let domain = format!("d{n:03}.example");
        directory
            .apply(Update::Domain(DomainName::new(&domain).unwrap(), Some(Ownership::default())));
        let aor = aor(&format!("4312{n:03}@{domain}"));
        let account = Box::new(Account::new(aor.clone()));
        directory.apply(Update::Account(aor, Some(account)));
    }
    assert_eq!(directory.with_number("4312199"), Some(aor("4312199@d199.example")));
    assert_eq!(directory.with_number("4312200"), None);
    // An alias in an earlier domain, however late it came.
    let alias = aor("4312199@d005.example");
    directory.apply(Update::Alias(alias.clone(), Some(aor("4312005@d005.example"))));
    assert_eq!(directory.with_number("4312199"), Some(alias.clone()));
    // The address becomes an account before the alias is gone.
    let account = Box::new(Account::new(alias.clone()));
    directory.apply(Update::Account(alias.clone(), Some(account)));
    directory.apply(Update::Alias(alias.clone(), None));
    assert_eq!(directory.with_number("4312199"), Some(alias.clone()));
    directory.apply(Update::Domain(alias.domain().clone(), None));
    assert_eq!(directory.with_number("4312199"), Some(aor("4312199@d199.example")));
    directory.apply(Update::Account(aor("4312199@d199.example"), None));
    assert_eq!(directory.with_number("4312199"), None);
}

#[test]
fn expired_bindings_are_swept() {
    let mut directory = Directory::new();
    let alice = aor("alice@example.com");
    directory.load_binding(binding("alice@example.com", "sip:a@192.0.2.1", 10));
    directory.load_binding(binding("alice@example.com", "sip:a@192.0.2.2", 20));
    directory.sweep(10);
    assert_eq!((directory.bindings(&alice).len(), directory.sizes().bindings), (1, 1));
    directory.sweep(20);
    assert_eq!((directory.bindings(&alice).len(), directory.sizes().bindings), (0, 0));
}
