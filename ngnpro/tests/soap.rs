//! The server over real sockets on an SQLite file: requests and replies as a client sees them.

#![allow(clippy::expect_used, reason = "a test may fail")]

use ngn_ngnpro::config::Config;
use ngn_soap::types::*;
use ngn_soap::{
    Auth, Fault, Limits, Operation, Style, customer, decode_reply, encode_call, enum_, sip,
};
use ngn_store::Store;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

struct Platform {
    address: SocketAddr,
    _directory: tempfile::TempDir,
    _shutdown: tokio_util::sync::DropGuard,
}

async fn platform() -> Platform {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite:{}", directory.path().join("ngn.sqlite").display());
    let store = Store::open(&url).await.expect("a store");
    store.migrate().await.expect("migrated");
    let mut config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() };
    config.administrator.password_file = directory.path().join("admin-password");
    config.passwords.key_file = directory.path().join("password-key");
    std::fs::write(&config.administrator.password_file, "admin-secret\n").expect("written");
    let shutdown = CancellationToken::new();
    let server = ngn_ngnpro::serve(config, store, shutdown.clone()).await.expect("served");
    Platform { address: server.address, _directory: directory, _shutdown: shutdown.drop_guard() }
}

fn admin() -> Auth {
    Auth {
        username: Some("admin".to_owned()),
        password: Some("admin-secret".to_owned()),
        admin: Some(true),
        impersonate: None,
    }
}

fn login(username: &str, password: &str) -> Auth {
    Auth {
        username: Some(username.to_owned()),
        password: Some(password.to_owned()),
        admin: Some(false),
        impersonate: None,
    }
}

impl Platform {
    async fn exchange(&self, head: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let mut stream = tokio::net::TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(head.as_bytes()).await.expect("written");
        // A server that refuses a large body closes before all of it is written.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let split = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..split]).into_owned();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        (status, head, answer[split + 4..].to_vec())
    }

    async fn post(&self, body: &[u8]) -> (u16, String, Vec<u8>) {
        let head = format!(
            "POST / HTTP/1.0\r\nHost: ngnpro.example.com\r\nContent-Type: text/xml; charset=UTF-8\r\n\
             SOAPAction: \"\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        self.exchange(&head, body).await
    }

    async fn call<O: Operation>(&self, auth: &Auth, operation: &O) -> Result<O::Response, Fault> {
        let body = encode_call(operation, Some(auth), Style::Encoded);
        let (_, _, answer) = self.post(&body).await;
        decode_reply::<O>(&answer, &Limits::default())
    }

    async fn customer(
        &self,
        auth: &Auth,
        username: &str,
        more: CustomerAccount,
    ) -> CustomerAccount {
        let account = CustomerAccount {
            username: Some(username.to_owned()),
            password: Some(format!("{username}-pw")),
            ..more
        };
        let operation = customer::AddAccount { account: Some(account) };
        self.call(auth, &operation).await.expect("a customer")
    }

    async fn reseller(&self, username: &str) -> i64 {
        let property = |name: &str| CustomerProperty {
            name: Some(name.to_owned()),
            value: Some("10".to_owned()),
            category: Some("credit".to_owned()),
            permission: Some("admin".to_owned()),
        };
        let more = CustomerAccount {
            reseller_active: Some(true),
            properties: Some(vec![property("sip_credit"), property("sip_alias_credit")]),
            ..CustomerAccount::default()
        };
        self.customer(&admin(), username, more).await.id.expect("an id")
    }

    async fn domain(&self, auth: &Auth, name: &str) -> Result<SipDomain, Fault> {
        let domain = SipDomain { domain: Some(name.to_owned()), ..SipDomain::default() };
        self.call(auth, &sip::AddDomain { domain: Some(domain) }).await
    }

    async fn account(
        &self,
        auth: &Auth,
        name: &str,
        more: SipAccount,
    ) -> Result<SipAccount, Fault> {
        let account = SipAccount { id: id(name), ..more };
        self.call(auth, &sip::AddAccount { account: Some(account) }).await
    }
}

fn id(address: &str) -> Option<SipId> {
    let (username, domain) = address.split_once('@').expect("an address");
    Some(SipId { username: Some(username.to_owned()), domain: Some(domain.to_owned()) })
}

fn code<T: std::fmt::Debug>(result: Result<T, Fault>) -> u16 {
    result.map_or_else(|fault| fault.code, |_| 0)
}

#[tokio::test]
async fn b1_b5_logins_and_impersonation() {
    let p = platform().await;
    let reseller = p.reseller("acme").await;
    let list = customer::GetCustomers { query: None };
    for (name, auth, expected) in [
        ("the administrator", admin(), 0),
        ("a wrong password", Auth { password: Some("x".to_owned()), ..admin() }, 8000),
        (
            "B4: a customer as administrator",
            Auth { admin: Some(true), ..login("acme", "acme-pw") },
            8000,
        ),
        ("B3: a customer", login("ACME", "acme-pw"), 0),
        ("B4: no admin member", Auth { admin: None, ..admin() }, 0),
        ("an empty password", login("acme", ""), 8000),
        ("B5: an unknown customer", Auth { impersonate: Some(9_999), ..admin() }, 8004),
        ("B5: a known one", Auth { impersonate: Some(reseller), ..admin() }, 0),
    ] {
        assert_eq!(code(p.call(&auth, &list).await), expected, "{name}");
    }
    let (status, head, body) = p.post(&encode_call(&list, None, Style::Encoded)).await;
    assert_eq!(status, 500, "A2.4: every fault is a 500");
    assert!(head.contains("text/xml; charset=utf-8"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains(">8000<"));
}

#[tokio::test]
async fn customers_live_and_die() {
    let p = platform().await;
    let reseller = p.reseller("acme").await;
    let acme = login("acme", "acme-pw");
    let child = p.customer(&acme, "bob", CustomerAccount::default()).await;
    assert_eq!(child.reseller, Some(reseller), "B20");
    let bob = child.id.expect("an id");
    let again = CustomerAccount { username: Some("BOB".to_owned()), ..CustomerAccount::default() };
    let again = customer::AddAccount { account: Some(again) };
    assert_eq!(code(p.call(&admin(), &again).await), 5001, "B23");
    let by_bob = customer::AddAccount {
        account: Some(CustomerAccount {
            username: Some("eve".to_owned()),
            ..CustomerAccount::default()
        }),
    };
    assert_eq!(code(p.call(&login("bob", "bob-pw"), &by_bob).await), 8003, "B22");
    // B28: a customer does not make itself a reseller; B26: an empty password keeps the old one.
    let update = customer::UpdateAccount {
        account: Some(CustomerAccount {
            id: Some(bob),
            username: Some("bob".to_owned()),
            balance: Some(1000.0),
            reseller_active: Some(true),
            city: Some("Utrecht".to_owned()),
            ..CustomerAccount::default()
        }),
    };
    assert_eq!(code(p.call(&login("bob", "bob-pw"), &update).await), 0);
    let got = p.call(&acme, &customer::GetAccount { id: Some(bob) }).await.expect("bob");
    assert_eq!((got.balance, got.reseller_active), (Some(0.0), Some(false)));
    assert_eq!((got.city.as_deref(), got.password.as_deref()), (Some("Utrecht"), Some("bob-pw")));
    // Another reseller sees nothing of it (B11, D3).
    p.reseller("rival").await;
    let rival = login("rival", "rival-pw");
    assert_eq!(code(p.call(&rival, &customer::GetAccount { id: Some(bob) }).await), 5000);
    assert_eq!(code(p.call(&rival, &customer::DeleteAccount { id: Some(bob) }).await), 5000);
    let seen = p.call(&rival, &customer::GetCustomers { query: None }).await.expect("a list");
    assert_eq!(seen.total, Some(1));
    // B24: getResellers with a customer in the filter gives that customer.
    let query = CustomerQuery {
        filter: Some(CustomerFilter { customer: Some(bob), ..CustomerFilter::default() }),
        ..CustomerQuery::default()
    };
    let one = p.call(&admin(), &customer::GetResellers { query: Some(query) }).await;
    assert_eq!(one.expect("a list").accounts.expect("accounts")[0].id, Some(bob));
    assert_eq!(
        code(p.call(&acme, &customer::DeleteAccount { id: Some(reseller) }).await),
        5002,
        "B29"
    );
    assert_eq!(code(p.call(&acme, &customer::DeleteAccount { id: Some(bob) }).await), 0);
    assert_eq!(code(p.call(&acme, &customer::GetAccount { id: Some(bob) }).await), 5000);
}

#[tokio::test]
async fn b31_properties() {
    let p = platform().await;
    let reseller = p.reseller("acme").await;
    let acme = login("acme", "acme-pw");
    let set = |name: &str, value: &str| customer::SetProperties {
        customer: Some(reseller),
        properties: Some(vec![CustomerProperty {
            name: Some(name.to_owned()),
            value: Some(value.to_owned()),
            category: Some("web".to_owned()),
            permission: Some("customer".to_owned()),
        }]),
    };
    assert_eq!(code(p.call(&acme, &set("sip_accounts_last_domain", "a.example")).await), 0);
    assert_eq!(code(p.call(&acme, &set("sip_credit", "999")).await), 5004, "B34: never on itself");
    let got = p.call(&acme, &customer::GetProperties { customer: Some(reseller) }).await;
    let names: Vec<String> = got.expect("properties").into_iter().filter_map(|p| p.name).collect();
    assert_eq!(names, ["sip_accounts_last_domain", "sip_alias_credit", "sip_credit"]);
}

#[tokio::test]
async fn sip_accounts_live_and_die() {
    let p = platform().await;
    let reseller = p.reseller("acme").await;
    let acme = login("acme", "acme-pw");
    assert_eq!(code(p.account(&acme, "a@example.com", SipAccount::default()).await), 1000, "B50");
    let domain = p.domain(&acme, "Example.COM").await.expect("a domain");
    assert_eq!(domain.domain.as_deref(), Some("example.com"));
    assert_eq!((domain.customer, domain.reseller), (Some(reseller), Some(reseller)), "B9");
    assert_eq!(code(p.domain(&admin(), "example.com").await), 1001);
    let more = SipAccount {
        password: Some("secret".to_owned()),
        first_name: Some("\u{c5}sa".to_owned()),
        groups: Some(vec!["missed-calls".to_owned(), String::new(), "intercept".to_owned()]),
        acl: Some(vec![SubscriberACL {
            ip: Some("192.0.2.0".to_owned()),
            mask: Some(24),
            tag: None,
        }]),
        properties: Some(vec![Property {
            name: Some("language".to_owned()),
            value: Some("nl".to_owned()),
        }]),
        ..SipAccount::default()
    };
    let alice = p.account(&acme, "Alice@example.com", more).await.expect("an account");
    assert_eq!(alice.id, id("alice@example.com"));
    assert_eq!(alice.groups.as_deref(), Some(&["missed-calls".to_owned()][..]), "B67, B68");
    assert_eq!(alice.customer, Some(reseller), "B15");
    assert_eq!(alice.acl.as_ref().map(Vec::len), Some(1));
    assert_eq!(code(p.account(&acme, "alice@example.com", SipAccount::default()).await), 1011);
    assert_eq!(code(p.account(&acme, "a b@example.com", SipAccount::default()).await), 1012);
    // B58, B59: an update clears what it does not name, but keeps the password.
    let update = sip::UpdateAccount {
        account: Some(SipAccount { id: id("alice@example.com"), ..SipAccount::default() }),
    };
    assert_eq!(code(p.call(&acme, &update).await), 0);
    let get = sip::GetAccount { sip_id: id("alice@example.com") };
    let got = p.call(&acme, &get).await.expect("alice");
    assert_eq!((got.password.as_deref(), got.first_name), (Some("secret"), None));
    assert_eq!(got.groups, Some(Vec::new()));
    // B72: a reseller without pstn_access cannot hand it out.
    let pstn =
        sip::AddToGroup { sip_id: id("alice@example.com"), group: Some("free-pstn".to_owned()) };
    assert_eq!(code(p.call(&acme, &pstn).await), 8005);
    assert_eq!(code(p.call(&admin(), &pstn).await), 0);
    assert_eq!(code(p.call(&admin(), &pstn).await), 1030, "B69");
    let remove =
        sip::RemoveFromGroup { sip_id: id("alice@example.com"), group: Some("quota".to_owned()) };
    assert_eq!(code(p.call(&acme, &remove).await), 1031, "B69");
    // Aliases (B79).
    let alias = |alias: &str, target: &str| sip::AddAlias {
        alias: Some(SipAlias { id: id(alias), target: id(target), ..SipAlias::default() }),
    };
    assert_eq!(code(p.call(&acme, &alias("info@example.com", "nobody@example.com")).await), 1010);
    assert_eq!(code(p.call(&acme, &alias("info@example.com", "alice@example.com")).await), 0);
    assert_eq!(code(p.call(&acme, &alias("info@example.com", "alice@example.com")).await), 1021);
    assert_eq!(code(p.call(&acme, &alias("alice@example.com", "alice@example.com")).await), 1022);
    assert_eq!(
        code(p.account(&acme, "info@example.com", SipAccount::default()).await),
        1011,
        "B53"
    );
    // Nobody else sees any of it (B11).
    p.reseller("rival").await;
    let rival = login("rival", "rival-pw");
    assert_eq!(code(p.call(&rival, &get).await), 1010);
    assert_eq!(code(p.call(&rival, &update).await), 1010);
    let seen = p.call(&rival, &sip::GetAccounts { query: None }).await.expect("a list");
    assert_eq!((seen.total, seen.accounts), (Some(0), Some(Vec::new())));
    assert_eq!(
        code(p.call(&rival, &sip::DeleteDomain { domain: Some("example.com".to_owned()) }).await),
        1000
    );
    // B52, B57.
    let delete_domain = sip::DeleteDomain { domain: Some("example.com".to_owned()) };
    assert_eq!(code(p.call(&acme, &delete_domain).await), 1002);
    let delete = sip::DeleteAccount { sip_id: id("alice@example.com") };
    assert_eq!(code(p.call(&acme, &delete).await), 0);
    assert_eq!(code(p.call(&acme, &sip::GetAlias { id: id("info@example.com") }).await), 1020);
    assert_eq!(code(p.call(&acme, &delete_domain).await), 0);
}

#[tokio::test]
async fn b36_b38_credit_and_b54_autoincrement() {
    let p = platform().await;
    p.reseller("acme").await;
    let acme = login("acme", "acme-pw");
    p.domain(&acme, "example.com").await.expect("a domain");
    for number in 1..=10 {
        let made = p.account(&acme, "<autoincrement>@example.com", SipAccount::default()).await;
        assert_eq!(made.expect("an account").id, id(&format!("{number}@example.com")), "B54");
    }
    let one_more = p.account(&acme, "bob@example.com", SipAccount::default()).await;
    assert_eq!(code(one_more), 8002, "B36: the reseller has 10");
    let by_administrator = p.account(&admin(), "bob@example.com", SipAccount::default()).await;
    assert_eq!(code(by_administrator), 0, "B38: the administrator is not limited");
}

#[tokio::test]
async fn lists_filter_order_and_page() {
    let p = platform().await;
    p.domain(&admin(), "example.com").await.expect("a domain");
    for name in ["anna", "berta", "carla", "dora"] {
        let more = SipAccount { first_name: Some(name.to_uppercase()), ..SipAccount::default() };
        p.account(&admin(), &format!("{name}@example.com"), more).await.expect("an account");
    }
    let names = |filter: SipFilter, order: Option<(&str, &str)>, range: Option<(i32, i32)>| {
        let query = SipQuery {
            filter: Some(filter),
            order_by: order.map(|(attribute, direction)| OrderBy {
                attribute: Some(attribute.to_owned()),
                direction: Some(direction.to_owned()),
            }),
            range: range.map(|(start, count)| Range { start: Some(start), count: Some(count) }),
        };
        let operation = sip::GetAccounts { query: Some(query) };
        let p = &p;
        async move {
            let list = p.call(&admin(), &operation).await.expect("a list");
            let names: Vec<String> = list
                .accounts
                .unwrap_or_default()
                .into_iter()
                .filter_map(|account| account.id?.username)
                .collect();
            (names.join(" "), list.total.unwrap_or_default())
        }
    };
    let all = SipFilter::default;
    assert_eq!(names(all(), None, None).await, ("anna berta carla dora".to_owned(), 4), "B46");
    let descending = names(all(), Some(("username", "DESC")), Some((1, 2))).await;
    assert_eq!(descending, ("carla berta".to_owned(), 4), "B45");
    assert_eq!(
        names(all(), Some(("ip", "ASC")), Some((9, 2))).await,
        (String::new(), 4),
        "B44, B45"
    );
    let like = SipFilter { first_name: Some("%ar%".to_owned()), ..all() };
    assert_eq!(names(like, None, None).await, ("carla".to_owned(), 1), "B41");
    let whole = SipFilter {
        first_name: Some("dor".to_owned()),
        groups: Some(vec![String::new()]),
        ..all()
    };
    assert_eq!(names(whole, None, None).await, (String::new(), 0), "B40, B41");
}

#[tokio::test]
async fn bad_input_gets_its_fault_and_changes_nothing() {
    let p = platform().await;
    for (name, body, expected) in [
        ("no XML", "hello".to_owned(), ">9004<"),
        ("half a document", "<a><b>".to_owned(), ">9004<"),
        ("too large", " ".repeat((1 << 20) + 1), ">9004<"),
    ] {
        let (status, _, answer) = p.post(body.as_bytes()).await;
        assert_eq!(status, 500, "{name}");
        assert!(String::from_utf8_lossy(&answer).contains(expected), "{name}");
    }
    let later = enum_::GetRanges { query: None };
    if let Err(fault) = p.call(&admin(), &later).await {
        assert_eq!(fault.code, 9003);
        assert!(fault.text.contains("not implemented yet"), "{fault:?}");
    }
    let (status, ..) = p.exchange("PUT / HTTP/1.0\r\n\r\n", b"").await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn a1_the_wsdl_is_served_at_every_url() {
    let p = platform().await;
    for path in [
        "/wsdl",
        "/ngnpro/wsdl",
        "/voicemail/wsdl",
        "/ngnpro/voicemail/wsdl",
        "/?wsdl",
        "/ngnpro?wsdl&port=sip",
    ] {
        let head = format!("GET {path} HTTP/1.0\r\nHost: sip.example.com:9200\r\n\r\n");
        let (status, _, body) = p.exchange(&head, b"").await;
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(status, 200, "{path}");
        let base = path.split('?').next().unwrap_or_default().trim_end_matches("wsdl");
        let base = format!("{}/", base.trim_end_matches('/'));
        assert!(text.contains(&format!("\"http://sip.example.com:9200{base}\"")), "{path}");
    }
    let (status, ..) = p.exchange("GET /?wsdl&port=Foo HTTP/1.0\r\n\r\n", b"").await;
    assert_eq!(status, 404);
}
