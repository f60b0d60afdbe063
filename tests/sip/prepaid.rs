//! Calls that are paid in advance (B71, B161).

use std::time::Duration;

use ngn_tests::fixture::{carrier, route, subscriber};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::sip::{Message, Phone, response};
use ngn_tests::{Value, record, sip_id};

use crate::fixture::DOMAIN;
use crate::pstn::{SETTINGS, answer, call, caller, gateway, on_both, routes, stand_in, uri};

fn add_balance(p: &Platform, address: &str, value: f64) {
    let id = sip_id(address);
    p.admin().ok(
        "Sip.addBalance",
        record! { sipId: id, value: Value::Double(value), description: "a test" },
    );
    p.settle();
}

// B71: without balance no call to a number; a payment lets calls through, and a debit ends that, without a restart.
#[test]
fn b71_prepaid_accounts_call_numbers_while_something_is_left() {
    on_both(SETTINGS, |p| {
        let mut bob = caller(p, "bob", &[], "");
        assert_eq!(bob.register(300).unwrap().status(), 200);
        let address = format!("alice@{DOMAIN}");
        let groups = Value::List(vec!["free-pstn".into()]);
        let account = subscriber(&address).with("groups", groups).with("prepaid", true);
        p.admin().ok("Sip.addAccount", record! { account: account });
        let phone = Phone::new(p.sip_address(), &address, "secret");
        let gw = stand_in(p);
        let telco = carrier(&p.admin(), "Telco");
        gateway(p, telco, "gw", gw.local());
        routes(p, vec![route(telco, "")]);

        let refused = || {
            let invite = call(&phone, &uri("+431234567"), &[]);
            let last = phone.receive_where(|m| {
                m.header("call-id") == Some(&invite.call_id)
                    && m.status() >= 200
                    && m.status() != 407
            });
            assert_eq!(last.unwrap().start, "SIP/2.0 402 Payment Required");
        };
        let allowed = || {
            call(&phone, &uri("+431234567"), &[]);
            answer(&gw, "486 Busy Here");
            phone.receive_where(|m| m.status() == 486).unwrap();
        };
        refused();
        // Calls to accounts cost nothing.
        call(&phone, &uri("bob"), &[]);
        answer(&bob, "480 Temporarily Unavailable");
        phone.receive_where(|m| m.status() == 480).unwrap();
        add_balance(p, &address, 0.01);
        allowed();
        add_balance(p, &address, -0.01);
        refused();
        add_balance(p, &address, 5.0);
        allowed();
        // B71: who is not prepaid any more needs no balance.
        add_balance(p, &address, -9.0);
        refused();
        let postpaid = subscriber(&address).with("prepaid", false);
        let groups = Value::List(vec!["free-pstn".into()]);
        p.admin().ok("Sip.updateAccount", record! { account: postpaid.with("groups", groups) });
        p.settle();
        allowed();
    });
}

// B71, B163: a rating engine debits accounts in the tables that it shares with us, and tells nobody.
#[test]
fn b71_what_a_rating_engine_debits_is_noticed() {
    on_both(SETTINGS, |p| {
        let address = format!("alice@{DOMAIN}");
        caller(p, "bob", &[], "");
        let groups = Value::List(vec!["free-pstn".into()]);
        let account = subscriber(&address).with("groups", groups).with("prepaid", true);
        p.admin().ok("Sip.addAccount", record! { account: account });
        let phone = Phone::new(p.sip_address(), &address, "secret");
        let gw = stand_in(p);
        let telco = carrier(&p.admin(), "Telco");
        gateway(p, telco, "gw", gw.local());
        routes(p, vec![route(telco, "")]);
        add_balance(p, &address, 1.0);
        let sets = |balance: &str| {
            _ = p.database.sql(&format!(
                "UPDATE prepaid SET balance = {balance} WHERE account = '{address}'"
            ));
            _ = p.database.sql(&format!(
                "INSERT INTO prepaid_history (username, domain, action, description, value, balance) \
                 VALUES ('alice', '{DOMAIN}', 'Debit balance', 'Session to 00431 for 60s', 1, {balance})"
            ));
        };
        let becomes = |wanted: u16| {
            eventually("the balance is noticed", || {
                let invite = call(&phone, &uri("+431234567"), &[]);
                let is_end = |m: &Message| {
                    let cseq = format!("{} INVITE", invite.cseq);
                    m.header("call-id") == Some(&invite.call_id)
                        && m.header("cseq") == Some(&cseq)
                        && matches!(m.status(), 402 | 403 | 486)
                };
                // A gateway that is asked is busy.
                let status = loop {
                    if let Ok(arrived) = gw.receive_within(Duration::from_millis(50))
                        && arrived.method() == "INVITE"
                    {
                        gw.send(&response(&arrived, "486 Busy Here", "gw", &[])).unwrap();
                    }
                    if let Ok(message) = phone.receive_within(Duration::from_millis(50))
                        && is_end(&message)
                    {
                        break message.status();
                    }
                };
                (status == wanted).then_some(())
            });
        };
        becomes(486);
        sets("0");
        becomes(402);
        sets("2.5");
        becomes(486);
        // Without a word in the history.
        let alone = |balance: &str| {
            _ = p.database.sql(&format!(
                "UPDATE prepaid SET balance = {balance} WHERE account = '{address}'"
            ));
        };
        alone("-1");
        becomes(402);
        alone("2.5");
        becomes(486);
        // B180: a quota job without our API puts the account into a group, and takes it out at the end of the month.
        _ = p.database.sql(&format!(
            "INSERT INTO grp (username, domain, grp) VALUES ('alice', '{DOMAIN}', 'quota')"
        ));
        becomes(403);
        _ = p.database.sql("DELETE FROM grp WHERE grp = 'quota'");
        becomes(486);
    });
}
