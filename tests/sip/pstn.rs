//! Calls to telephone numbers and emergency calls, with a stand-in for the carrier that keeps what it receives.

use std::net::SocketAddr;
use std::process::Command;

use ngn_tests::binaries::program;
use ngn_tests::database::Backend;
use ngn_tests::fixture::{carrier, domain, reseller, route, subscriber};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Message, Phone, Request, response};
use ngn_tests::{Value, http, record, sip_id};

use crate::fixture::DOMAIN;

/// Nobody is probed, and the gateways of a carrier are used in their order.
pub(crate) const SETTINGS: &str =
    "[pstn]\nprobe_seconds = 0\ngateway_order = \"in-order\"\n\n[proxy]\nanswer_timeout = 30\n";

pub(crate) fn on_both(settings: &str, test: impl Fn(&Platform)) {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        test(&Platform::start_with(backend, &[("sipd", settings)]));
    }
}

pub(crate) fn uri(user: &str) -> String {
    format!("sip:{user}@{DOMAIN}")
}

/// An account that may call numbers, and its phone.
pub(crate) fn caller(p: &Platform, name: &str, groups: &[&str], rpid: &str) -> Phone {
    let admin = p.admin();
    let known = ngn_tests::query(record! { domain: DOMAIN }, "domain", "ASC", 0, 1);
    if admin.ok("Sip.getDomains", known).int_at("total") == 0 {
        domain(&admin, DOMAIN);
    }
    let address = format!("{name}@{DOMAIN}");
    let groups = Value::List(groups.iter().map(|group| (*group).into()).collect());
    let account = subscriber(&address).with("groups", groups).with("rpid", rpid);
    admin.ok("Sip.addAccount", record! { account: account });
    p.settle();
    Phone::new(p.sip_address(), &address, "secret")
}

/// A phone as [`caller`] makes it without a number, registered.
pub(crate) fn registered(p: &Platform, name: &str, groups: &[&str]) -> Phone {
    let mut phone = caller(p, name, groups, "");
    assert_eq!(phone.register(300).unwrap().status(), 200);
    phone
}

/// A stand-in for a gateway.
pub(crate) fn stand_in(p: &Platform) -> Phone {
    Phone::new(p.sip_address(), "gateway@carrier.example", "")
}

/// Makes a stand-in a gateway of a carrier; gives its id.
pub(crate) fn gateway(p: &Platform, carrier_id: i64, name: &str, at: SocketAddr) -> i64 {
    let gateway = record! {
        name: name, carrier_id: carrier_id, ip: "localhost", port: i64::from(at.port()),
    };
    p.admin().ok("Sip.addGateway", record! { gateway: gateway }).int_at("id")
}

pub(crate) fn routes(p: &Platform, routes: Vec<Value>) {
    p.admin().ok("Sip.addRoutes", record! { routes: Value::List(routes) });
    p.settle();
}

/// Calls, and shows the password when asked for it; gives the last INVITE.
pub(crate) fn call(phone: &Phone, to: &str, more: &[(&str, &str)]) -> Request {
    let contact = format!("<{}>", phone.contact());
    let mut invite = Request::new("INVITE", to, &phone.aor(), to).with("Contact", &contact);
    for (name, value) in more {
        invite = invite.with(name, value);
    }
    phone.send(&invite.bytes(phone)).unwrap();
    // What came before is sent again by its timers.
    let challenge = phone.receive_where(|message| message.status() == 407).unwrap();
    phone.send(&invite.ack(&challenge).bytes(phone)).unwrap();
    let again = invite.answer(&challenge, &phone.user, &phone.password).unwrap();
    phone.send(&again.bytes(phone)).unwrap();
    again
}

/// Calls as nobody who proves anything; gives the INVITE.
pub(crate) fn call_without_password(phone: &Phone, to: &str) -> Request {
    let contact = format!("<{}>", phone.contact());
    let invite = Request::new("INVITE", to, &phone.aor(), to).with("Contact", &contact);
    phone.send(&invite.bytes(phone)).unwrap();
    invite
}

/// The final response to one request, a challenge included.
pub(crate) fn last(phone: &Phone, request: &Request) -> Message {
    let of_it = |m: &Message| m.header("call-id") == Some(&request.call_id) && m.status() >= 200;
    phone.receive_where(of_it).unwrap()
}

/// The final response to a call that showed a password.
pub(crate) fn end(phone: &Phone, invite: &Request) -> Message {
    let cseq = format!("{} INVITE", invite.cseq);
    let is_it = |m: &Message| {
        m.status() >= 200
            && m.header("call-id") == Some(&invite.call_id)
            && m.header("cseq") == Some(&cseq)
    };
    phone.receive_where(is_it).unwrap()
}

pub(crate) fn outcome(phone: &Phone) -> Message {
    phone.receive_where(|message| message.status() >= 200).unwrap()
}

/// The INVITE that somebody gets, which is answered so.
pub(crate) fn answer(phone: &Phone, status: &str) -> Message {
    let invite = phone.receive_where(|message| message.method() == "INVITE").unwrap();
    let contact = format!("<{}>", phone.contact());
    phone.send(&response(&invite, status, "callee", &[("Contact", &contact)])).unwrap();
    invite
}

pub(crate) fn request_user(message: &Message) -> String {
    let uri = message.start.split(' ').nth(1).unwrap_or_default();
    uri.trim_start_matches("sip:").split('@').next().unwrap_or_default().to_owned()
}

pub(crate) fn ngn(p: &Platform, arguments: &[&str]) -> String {
    let mut command = Command::new(program("ngn"));
    command.args(arguments).env("NGN_DATABASE", &p.database.url).env("USER", "operator");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ngn {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

// B131, B132, B135: the longest prefix chooses the carrier, the gateway's rule makes the number.
#[test]
fn b135_numbers_are_sent_as_gateways_want_them() {
    on_both(SETTINGS, |p| {
        let phone = caller(p, "alice", &["free-pstn"], "+43720111");
        let (austria, others) = (stand_in(p), stand_in(p));
        let (near, far) = (carrier(&p.admin(), "Near"), carrier(&p.admin(), "Far"));
        let id = gateway(p, near, "near", austria.local());
        gateway(p, far, "far", others.local());
        let rule = record! { gateway_id: id, prefix: "0043", strip: 4, prepend: "9" };
        p.admin().ok("Sip.addGatewayRule", record! { rule: rule });
        routes(p, vec![route(near, "0043"), route(far, "")]);

        call(&phone, &uri("+431234567"), &[("P-Asserted-Identity", "<sip:+1900@evil.example>")]);
        let invite = answer(&austria, "200 OK");
        assert_eq!(request_user(&invite), "91234567");
        assert_eq!(outcome(&phone).status(), 200);
        // RFC 3325 section 5: what the caller asserts itself is worth nothing.
        let asserted = invite.all("p-asserted-identity").join(",");
        assert!(asserted.contains("+43720111") && !asserted.contains("1900"), "{asserted}");
        assert!(invite.header("proxy-authorization").is_none(), "RFC 3261 section 22.3");

        // Why it went there, and why another one would.
        let admin = p.admin_address().to_string();
        let call_id = invite.header("call-id").unwrap();
        let told = ngn(p, &["explain", "--call-id", call_id, "--admin", &admin]);
        assert!(told.contains("B135") && told.contains("sip:91234567@"), "{told}");
        let from = format!("alice@{DOMAIN}");
        let told =
            ngn(p, &["explain", "--from", &from, "--to", "0031201234567", "--admin", &admin]);
        assert!(told.contains("gateway far of Far") && !told.contains("B135"), "{told}");

        call(&phone, &uri("0031201234567"), &[]);
        let invite = answer(&others, "486 Busy Here");
        assert_eq!(request_user(&invite), "0031201234567");
        assert_eq!(outcome(&phone).status(), 486);

        // One more route, without loading anything anew.
        routes(p, vec![route(near, "00312")]);
        call(&phone, &uri("0031201234567"), &[]);
        answer(&austria, "486 Busy Here");
        assert_eq!(outcome(&phone).status(), 486);
    });
}

// B66: who is anonymous is not shown, and the network is told so (RFC 3323, RFC 3325).
#[test]
fn b66_callers_that_are_not_shown() {
    on_both(SETTINGS, |p| {
        let hidden = caller(p, "hidden", &["free-pstn", "anonymous"], "+43720111");
        let barred = caller(p, "barred", &[], "");
        let gw = stand_in(p);
        let telco = carrier(&p.admin(), "Telco");
        gateway(p, telco, "gw", gw.local());
        routes(p, vec![route(telco, "")]);
        call(&hidden, &uri("+431234567"), &[]);
        let invite = answer(&gw, "200 OK");
        assert_eq!(outcome(&hidden).status(), 200);
        assert!(invite.header("privacy").unwrap_or_default().contains("id"), "{invite:?}");
        // RFC 3325 section 7: the network is told who it is, and that nobody else may be.
        assert!(invite.header("p-asserted-identity").unwrap().contains("+43720111"), "{invite:?}");
        // B66: without free-pstn no number is called.
        call(&barred, &uri("+431234567"), &[]);
        assert_eq!(outcome(&barred).status(), 403);
    });
}

// B130, RFC 3263 section 4.3: another gateway takes over, and then another carrier.
#[test]
fn gateways_and_carriers_take_over() {
    on_both(SETTINGS, |p| {
        let phone = caller(p, "alice", &["free-pstn"], "+43720111");
        let gateways = [stand_in(p), stand_in(p), stand_in(p)];
        let (first, second) = (carrier(&p.admin(), "First"), carrier(&p.admin(), "Second"));
        for (n, of) in [first, first, second].into_iter().enumerate() {
            gateway(p, of, &format!("gw{n}"), gateways[n].local());
        }
        let last = route(second, "00").with("priority", 9);
        routes(p, vec![route(first, "00").with("priority", 1), last]);
        call(&phone, &uri("+431234567"), &[]);
        answer(&gateways[0], "503 Service Unavailable");
        answer(&gateways[1], "500 Server Internal Error");
        answer(&gateways[2], "200 OK");
        assert_eq!(outcome(&phone).status(), 200);
        // Who is busy is busy everywhere.
        call(&phone, &uri("+431234567"), &[]);
        answer(&gateways[0], "486 Busy Here");
        phone.receive_where(|message| message.status() == 486).unwrap();
    });
}

// A gateway that answers 503 to OPTIONS gets no calls, while another one is up, until it answers otherwise.
#[test]
fn gateways_are_probed() {
    let settings =
        "[pstn]\nprobe_seconds = 1\nprobe_failures = 100\ngateway_order = \"in-order\"\n";
    on_both(settings, |p| {
        let phone = caller(p, "alice", &["free-pstn"], "");
        let (first, second) = (stand_in(p), stand_in(p));
        let telco = carrier(&p.admin(), "Telco");
        let id = gateway(p, telco, "gw", first.local());
        gateway(p, telco, "spare", second.local());
        routes(p, vec![route(telco, "00")]);
        let is = |state: &str| {
            let shown = http::get(p.admin_address(), "/metrics").unwrap().text();
            let line = format!("sipd_gateway_up{{id=\"{id}\",gateway=\"gw\"}} {state}");
            shown.contains(&line).then_some(())
        };
        let probed = |status: &str| {
            let options = first.receive_where(|message| message.method() == "OPTIONS").unwrap();
            first.send(&response(&options, status, "gw", &[])).unwrap();
        };
        eventually("the gateway is down", || {
            probed("503 Service Unavailable");
            is("0")
        });
        call(&phone, &uri("+431234567"), &[]);
        answer(&second, "486 Busy Here");
        assert_eq!(outcome(&phone).status(), 486);
        eventually("the gateway is up", || {
            probed("200 OK");
            is("1")
        });
        call(&phone, &uri("+431234567"), &[]);
        answer(&first, "600 Busy Everywhere");
        phone.receive_where(|message| message.status() == 600).unwrap();
    });
}

// B66, B165: a blocked account calls nobody but for help.
#[test]
fn b165_emergency_calls_of_a_blocked_account() {
    on_both(SETTINGS, |p| {
        let phone = caller(p, "mallory", &["blocked"], "");
        let psap = stand_in(p);
        let target = format!("sip:help@{}", psap.local());
        ngn(p, &["emergency", "add", "112", &target]);
        let regional = ["--domain", "other.example", "--region", "vienna"];
        let elsewhere = "sip:elsewhere@192.0.2.1";
        ngn(p, &[&["emergency", "add", "112", elsewhere][..], &regional].concat());
        let listed = ngn(p, &["emergency", "list"]);
        assert_eq!(listed.lines().count(), 2, "{listed}");
        let chosen = ngn(p, &[&["emergency", "check", "112"][..], &regional].concat());
        assert!(chosen.lines().next().unwrap().contains(elsewhere), "{chosen}");
        p.settle();
        // Another process wrote it; the journal tells.
        let invite = eventually("the emergency call arrives", || {
            call_without_password(&phone, &uri("112"));
            let invite = psap.receive_within(std::time::Duration::from_secs(1)).ok()?;
            let contact = format!("<{}>", psap.contact());
            psap.send(&response(&invite, "200 OK", "psap", &[("Contact", &contact)])).unwrap();
            Some(invite)
        });
        assert_eq!((invite.method(), request_user(&invite).as_str()), ("INVITE", "help"));
        assert_eq!(phone.receive_where(|m| m.status() == 200).unwrap().status(), 200);
        call(&phone, &uri("+431234567"), &[]);
        assert_eq!(phone.receive_where(|m| m.status() == 403).unwrap().status(), 403);
    });
}

// B145, B147: a trunk calls without credentials, is changed as provisioned, limited and blocked.
#[test]
fn b145_trunks() {
    on_both(SETTINGS, |p| {
        let mut phone = caller(p, "alice", &[], "");
        let alias = sip_id(&format!("+43720111@{DOMAIN}"));
        let alias = record! { id: alias, target: sip_id(&format!("alice@{DOMAIN}")) };
        p.admin().ok("Sip.addAlias", record! { alias: alias });
        p.settle();
        assert_eq!(phone.register(300).unwrap().status(), 200);
        let gw = stand_in(p);
        let telco = carrier(&p.admin(), "Telco");
        gateway(p, telco, "gw", gw.local());
        routes(p, vec![route(telco, "")]);

        let trunk = Phone::new(p.sip_address(), "+4366412345@trunk.example", "");
        let call = |to: &str| {
            let contact = format!("<{}>", trunk.contact());
            let to = format!("sip:{to}@{}", p.sip_address());
            let invite = Request::new("INVITE", &to, &trunk.aor(), &to).with("Contact", &contact);
            trunk.send(&invite.bytes(&trunk)).unwrap();
        };
        call("+43720111");
        assert!(outcome(&trunk).status() >= 400, "it is nobody yet");
        let peer = record! { ip: "127.0.0.1", callLimit: 1 };
        p.admin().ok("Sip.addTrustedPeer", record! { peer: peer.clone() });
        p.settle();
        // In, to a number of ours at the server's own address.
        call("+43720111");
        answer(&phone, "200 OK");
        assert_eq!(trunk.receive_where(|m| m.status() == 200).unwrap().status(), 200);
        // One call at a time.
        call("+431234567");
        let refused = trunk.receive_where(|m| m.status() > 200).unwrap();
        assert!(matches!(refused.status(), 403 | 486 | 503), "{refused:?}");
        // Out: a trunk calls numbers, changed as its record says.
        let changed = peer.clone().with("callLimit", 0).with("strip", 1).with("prefix", "00431");
        p.admin().ok("Sip.updateTrustedPeer", record! { peer: changed });
        p.settle();
        call("9234567");
        let invite = answer(&gw, "486 Busy Here");
        assert_eq!(request_user(&invite), "00431234567");
        trunk.receive_where(|m| m.status() == 486).unwrap();
        p.admin().ok("Sip.updateTrustedPeer", record! { peer: peer.with("blocked", 1) });
        p.settle();
        call("+43720111");
        assert_eq!(trunk.receive_where(|m| m.status() == 403).unwrap().status(), 403);
    });
}

// B15, B133: the accounts of a domain that goes to another reseller call by that one's routes from then on.
#[test]
fn b133_a_domain_that_moves_takes_the_routes_of_its_reseller() {
    on_both(SETTINGS, |p| {
        let alice = caller(p, "alice", &["free-pstn"], "");
        let owner = reseller(p, "anna");
        let (ours, theirs) = (stand_in(p), stand_in(p));
        let platform = carrier(&p.admin(), "Platform");
        gateway(p, platform, "ours", ours.local());
        let own = record! { name: "Own", reseller: owner.id };
        let own = p.admin().ok("Sip.addCarrier", record! { carrier: own }).int_at("id");
        gateway(p, own, "theirs", theirs.local());
        routes(p, vec![route(platform, ""), route(own, "")]);
        for (reseller, taker) in [(0, &ours), (owner.id, &theirs), (0, &ours)] {
            let domain = record! { domain: DOMAIN, customer: reseller, reseller: reseller };
            p.admin().ok("Sip.updateDomain", record! { domain: domain });
            p.settle();
            call(&alice, &uri("+431234567"), &[]);
            answer(taker, "486 Busy Here");
            alice.receive_where(|message| message.status() == 486).unwrap();
        }
    });
}
