//! What is dialled, what gateways get, and who takes over when one fails, call by call (B130-B135).

use std::net::UdpSocket;
use std::time::Duration;

use ngn_tests::fixture::{carrier, route};
use ngn_tests::record;
use ngn_tests::sip::{Phone, response};

use crate::pstn::{
    SETTINGS, answer, call, caller, gateway, last, on_both, request_user, routes, stand_in, uri,
};

// B131: every way to dial a number becomes the 00-form.
#[test]
fn b131_ways_to_dial() {
    let settings = SETTINGS.replace(
        "[pstn]\n",
        "[pstn]\ncountry_code = \"43\"\narea_code = \"1\"\ninternational_prefix = \"011\"\n",
    );
    on_both(&settings, |p| {
        let phone = caller(p, "alice", &["free-pstn"], "");
        let gw = stand_in(p);
        let telco = carrier(&p.admin(), "Telco");
        gateway(p, telco, "gw", gw.local());
        routes(p, vec![route(telco, "")]);
        for (dialled, sent) in [
            ("+31201234567", "0031201234567"),
            ("0031201234567", "0031201234567"),
            ("01131201234567", "0031201234567"),
            ("0720123456", "0043720123456"),
            ("5812345", "004315812345"),
        ] {
            let request = call(&phone, &uri(dialled), &[]);
            assert_eq!(request_user(&answer(&gw, "486 Busy Here")), sent, "{dialled}");
            assert_eq!(last(&phone, &request).status(), 486, "{dialled}");
        }
    });
}

// B135: the longest prefix, within its lengths, and no other; without one the number goes as it is.
#[test]
fn b135_rules_of_a_gateway() {
    on_both(SETTINGS, |p| {
        let phone = caller(p, "alice", &["free-pstn"], "");
        let gw = stand_in(p);
        let telco = carrier(&p.admin(), "Telco");
        let id = gateway(p, telco, "gw", gw.local());
        for rule in [
            record! { gateway_id: id, prefix: "00", strip: 2, prepend: "" },
            record! { gateway_id: id, prefix: "0043", strip: 4, prepend: "0" },
            record! { gateway_id: id, prefix: "0043", strip: 4, prepend: "77", minLength: 14 },
            record! { gateway_id: id, prefix: "004372", strip: 0, prepend: "99", maxLength: 10 },
        ] {
            p.admin().ok("Sip.addGatewayRule", record! { rule: rule });
        }
        routes(p, vec![route(telco, "")]);
        for (dialled, sent) in [
            ("0031201234567", "31201234567"),
            ("0043123456", "0123456"),
            ("0043729999", "990043729999"),
            ("00437299999", "07299999"),
        ] {
            let request = call(&phone, &uri(dialled), &[]);
            assert_eq!(request_user(&answer(&gw, "486 Busy Here")), sent, "{dialled}");
            assert_eq!(last(&phone, &request).status(), 486, "{dialled}");
        }
    });
}

// B130: what makes another gateway take over, and what does not.
#[test]
fn b130_answers_of_a_gateway() {
    let settings = SETTINGS.replace("[pstn]\n", "[pstn]\nfailover_codes = [403]\n");
    on_both(&settings, |p| {
        let phone = caller(p, "alice", &["free-pstn"], "");
        let (first, second) = (stand_in(p), stand_in(p));
        let telco = carrier(&p.admin(), "Telco");
        gateway(p, telco, "gw", first.local());
        gateway(p, telco, "spare", second.local());
        routes(p, vec![route(telco, "")]);
        for (status, takes_over) in [
            ("408 Request Timeout", true),
            ("500 Server Internal Error", true),
            ("502 Bad Gateway", true),
            ("503 Service Unavailable", true),
            ("403 Forbidden", true),
            ("404 Not Found", false),
            ("480 Temporarily Unavailable", false),
            ("486 Busy Here", false),
            ("600 Busy Everywhere", false),
            ("603 Decline", false),
        ] {
            let request = call(&phone, &uri("+431234567"), &[]);
            answer(&first, status);
            let code = status.split(' ').next().unwrap().parse().unwrap();
            let expected = if takes_over {
                answer(&second, "486 Busy Here");
                486
            } else {
                code
            };
            assert_eq!(last(&phone, &request).status(), expected, "{status} on {}", p.backend);
        }
    });
}

/// How long a gateway waits for a call.
const PATIENCE: Duration = Duration::from_secs(20);

/// A port where nobody listens.
fn closed() -> std::net::SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

// RFC 3261 sections 16.8 and 17.1.1.2: a gateway that is not there, and one that says nothing.
#[test]
fn gateways_that_do_not_answer() {
    let p = ngn_tests::Platform::start_with(
        ngn_tests::database::Backend::Sqlite,
        &[("sipd", &SETTINGS.replace("[pstn]\n", "[pstn]\nsilent_seconds = 2\n"))],
    );
    let phone: Phone = caller(&p, "alice", &["free-pstn"], "");
    let (silent, third) = (stand_in(&p), stand_in(&p));
    let telco = carrier(&p.admin(), "Telco");
    gateway(&p, telco, "closed", closed());
    gateway(&p, telco, "silent", silent.local());
    gateway(&p, telco, "third", third.local());
    routes(&p, vec![route(telco, "")]);
    let request = call(&phone, &uri("+431234567"), &[]);
    // What is not there and what says nothing look alike over UDP; each has its time.
    for gateway in [&silent, &third] {
        let invite = std::iter::from_fn(|| gateway.receive_within(PATIENCE).ok())
            .find(|message| message.method() == "INVITE");
        assert!(invite.is_some());
    }
    let invite = third.receive_within(PATIENCE).unwrap();
    third.send(&response(&invite, "486 Busy Here", "callee", &[])).unwrap();
    assert_eq!(last(&phone, &request).status(), 486);
}
