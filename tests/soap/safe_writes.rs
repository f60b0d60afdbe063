//! Writes that are done once (`Idempotency-Key`) or only tried (`Dry-Run`): doc/safe-writes.md. B189 knows neither;
//! who sends no such header gets the protocol's own behaviour.

use ngn_tests::fixture::{account, customer, domain, reseller, subscriber};
use ngn_tests::http::Reply;
use ngn_tests::platform::Platform;
use ngn_tests::soap::{Client, Login, Style, post_with, read_reply};
use ngn_tests::value::sip_id;
use ngn_tests::{Value, both, record};
use std::sync::Barrier;

fn send(client: &Client, fields: &[(&str, &str)], operation: &str, parameters: &Value) -> Reply {
    let (port, name) = operation.split_once('.').unwrap();
    let envelope = client.envelope(port, name, parameters);
    let reply = post_with(client.address, "/", fields, envelope.as_bytes()).unwrap();
    // Every answer keeps the rules of the contract, whatever stands behind its envelope.
    _ = read_reply(&reply, port, name, client.style).unwrap();
    reply
}

fn fault(
    client: &Client,
    fields: &[(&str, &str)],
    operation: &str,
    parameters: &Value,
) -> (i64, String) {
    let (port, name) = operation.split_once('.').unwrap();
    let reply = send(client, fields, operation, parameters);
    let fault = read_reply(&reply, port, name, client.style).unwrap().unwrap_err();
    (fault.code, fault.text)
}

fn add_domain(name: &str) -> Value {
    record! { domain: record! { domain: name } }
}

fn journal_rows(p: &Platform) -> String {
    p.database.sql("select count(*) from journal").trim().to_owned()
}

fn keys(p: &Platform) -> String {
    p.database.sql("select count(*) from idempotency").trim().to_owned()
}

both! {
    fn a_repeated_write_gets_the_first_answer(p) {
        let key = [("Idempotency-Key", "0f8e-1")];
        domain(&p.admin(), "example.net");
        let request = record! { account: subscriber("alice@example.net") };
        let first = send(&p.admin(), &key, "Sip.addAccount", &request);
        let rows = journal_rows(p);
        let again = send(&p.admin(), &key, "Sip.addAccount", &request);
        assert_eq!((first.status, first.header("idempotency-replayed")), (200, None));
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
        assert_eq!(first.text(), again.text());
        assert!(first.header("x-journal-position").is_some());
        assert_eq!(first.header("x-journal-position"), again.header("x-journal-position"));
        assert_eq!(journal_rows(p), rows);
        // Without a key, or with another one, it is B189's own answer.
        assert_eq!(fault(&p.admin(), &[], "Sip.addAccount", &request).0, 1011);
        assert_eq!(fault(&p.admin(), &[("Idempotency-Key", "0f8e-2")], "Sip.addAccount", &request).0, 1011);
        // The answer holds the account's password; the table shows it to nobody.
        let stored = p.database.sql("select response from idempotency");
        assert!(!stored.contains("secret") && !stored.contains("alice"), "{stored}");
    }

    fn a_void_answer_is_repeated_too(p) {
        let key = [("Idempotency-Key", "\"delete-1\"")];
        domain(&p.admin(), "example.net");
        let request = record! { domain: "example.net" };
        let first = send(&p.admin(), &key, "Sip.deleteDomain", &request);
        assert_eq!(first.status, 200, "{}", first.text());
        // The quotes of the header's draft belong to the syntax, not to the key.
        let again = send(&p.admin(), &[("Idempotency-Key", "delete-1")], "Sip.deleteDomain", &request);
        assert_eq!(first.text(), again.text());
        p.admin().refused(1000, "Sip.deleteDomain", request);
    }

    fn a_key_belongs_to_one_request(p) {
        let key = [("Idempotency-Key", "k")];
        assert_eq!(send(&p.admin(), &key, "Sip.addDomain", &add_domain("example.net")).status, 200);
        for (operation, request) in [
            ("Sip.addDomain", add_domain("example.org")),
            ("Sip.deleteDomain", record! { domain: "example.net" }),
        ] {
            let (code, text) = fault(&p.admin(), &key, operation, &request);
            assert_eq!(code, 9000, "{text}");
            assert!(text.contains("`k`") && text.contains("24 hours") && text.contains("new key"), "{text}");
        }
        let literal = Client { style: Style::Literal, ..p.admin() };
        assert_eq!(fault(&literal, &key, "Sip.addDomain", &add_domain("example.net")).0, 9000);
        assert_eq!(p.admin().ok("Sip.getDomains", record! {}).int_at("total"), 1);
    }

    fn each_login_has_keys_of_its_own(p) {
        let acme = reseller(p, "acme");
        let (one, two) = (customer(p, &acme, "one"), customer(p, &acme, "two"));
        let key = [("Idempotency-Key", "shared")];
        for (client, name) in [(&one.client, "one.example"), (&two.client, "two.example")] {
            let reply = send(client, &key, "Sip.addDomain", &add_domain(name));
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
        // Nobody reads another login's answer: the same request is a new one.
        let request = add_domain("one.example");
        assert_eq!(fault(&acme.client, &key, "Sip.addDomain", &request).0, 1001);
        // In another customer's name it is another request of the same login (B5).
        assert_eq!(send(&p.admin(), &key, "Sip.addDomain", &add_domain("admin.example")).status, 200);
        let impersonating = p.admin().impersonating(one.id);
        assert_eq!(fault(&impersonating, &key, "Sip.addDomain", &add_domain("admin.example")).0, 9000);
        // Who does not log in learns nothing (contract D3).
        let stranger = p.client(Login::customer("one", "wrong"));
        assert_eq!(fault(&stranger, &key, "Sip.addDomain", &add_domain("one.example")).0, 8000);
    }

    fn a_refusal_is_not_kept(p) {
        let key = [("Idempotency-Key", "k")];
        let request = record! { account: subscriber("alice@example.net") };
        assert_eq!(fault(&p.admin(), &key, "Sip.addAccount", &request).0, 1000);
        assert_eq!(keys(p), "0");
        domain(&p.admin(), "example.net");
        assert_eq!(send(&p.admin(), &key, "Sip.addAccount", &request).status, 200);
    }

    fn a_read_needs_no_key_and_keeps_none(p) {
        let key = [("Idempotency-Key", "k")];
        assert_eq!(send(&p.admin(), &key, "Sip.getDomains", &record! {}).status, 200);
        domain(&p.admin(), "example.net");
        let reply = send(&p.admin(), &key, "Sip.getDomains", &record! {});
        assert!(reply.text().contains("example.net"));
        assert_eq!(keys(p), "0");
    }

    fn an_old_key_is_free_again(p) {
        let key = [("Idempotency-Key", "k")];
        assert_eq!(send(&p.admin(), &key, "Sip.addDomain", &add_domain("a.example")).status, 200);
        _ = p.database.sql("update idempotency set created_at = created_at - 86340000");
        assert_eq!(fault(&p.admin(), &key, "Sip.addDomain", &add_domain("b.example")).0, 9000);
        _ = p.database.sql("update idempotency set created_at = created_at - 120000");
        assert_eq!(send(&p.admin(), &key, "Sip.addDomain", &add_domain("b.example")).status, 200);
        assert_eq!(keys(p), "1");
        assert_eq!(p.admin().ok("Sip.getDomains", record! {}).int_at("total"), 2);
    }

    // Everybody gets the one answer, and one change is made.
    fn many_at_once_are_one(p) {
        let client = p.admin();
        for round in 0..5 {
            let (key, name) = (format!("round-{round}"), format!("r{round}.example"));
            let start = Barrier::new(6);
            let answers: Vec<Reply> = std::thread::scope(|scope| {
                let ask = || {
                    start.wait();
                    send(&client, &[("Idempotency-Key", &key)], "Sip.addDomain", &add_domain(&name))
                };
                let threads: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            for answer in &answers {
                assert_eq!((answer.status, answer.text()), (200, answers[0].text()));
                assert_eq!(answer.header("x-journal-position"), answers[0].header("x-journal-position"));
            }
            let first = answers.iter().filter(|a| a.header("idempotency-replayed").is_none()).count();
            assert_eq!(first, 1);
        }
        assert_eq!(client.ok("Sip.getDomains", record! {}).int_at("total"), 5);
    }

    fn a_key_has_a_shape(p) {
        let long = "k".repeat(256);
        for bad in ["", "\"\"", &long, "k\tk"] {
            let (code, text) = fault(&p.admin(), &[("Idempotency-Key", bad)], "Sip.addDomain", &add_domain("a.example"));
            assert_eq!(code, 9000, "{bad:?}: {text}");
            assert!(text.contains("UUID"), "{text}");
        }
        let twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
        assert_eq!(fault(&p.admin(), &twice, "Sip.addDomain", &add_domain("a.example")).0, 9000);
        assert_eq!(p.admin().ok("Sip.getDomains", record! {}).int_at("total"), 0);
    }

    fn a_dry_run_changes_nothing(p) {
        let dry = [("Dry-Run", "1")];
        domain(&p.admin(), "example.net");
        let rows = journal_rows(p);
        let request = record! { account: subscriber("alice@example.net") };
        let reply = send(&p.admin(), &dry, "Sip.addAccount", &request);
        assert_eq!((reply.status, reply.header("dry-run")), (200, Some("1")));
        assert_eq!(reply.header("x-journal-entries"), Some("1"));
        assert_eq!(reply.header("x-journal-position"), None);
        // It answers as if it were done, and says behind the envelope what the journal would say.
        let text = reply.text();
        let (envelope, comment) = text.split_once("Envelope>\n<!-- dry run, nothing was changed; journal: ").unwrap();
        assert!(envelope.contains("alice"));
        let rows_shown = comment.trim_end().strip_suffix("-->").unwrap();
        let shown: serde_json::Value = serde_json::from_str(rows_shown).unwrap();
        assert_eq!(shown[0]["entity"], "sip_account");
        assert_eq!(shown[0]["key"], "alice@example.net");
        assert!(shown[0]["before"].is_null() && shown[0]["after"].is_object());
        assert!(!rows_shown.contains("\"secret\""), "{rows_shown}");
        assert_eq!(journal_rows(p), rows);
        p.admin().refused(1010, "Sip.getAccount", record! { sipId: sip_id("alice@example.net") });
        // A later write is not in its way, and the real thing does the same.
        let done = send(&p.admin(), &[("Dry-Run", "0")], "Sip.addAccount", &request);
        assert_eq!((done.status, done.header("dry-run")), (200, None));
        assert!(!done.text().contains("<!--"));
    }

    fn a_dry_run_is_refused_as_the_real_thing(p) {
        let dry = [("Dry-Run", "true")];
        domain(&p.admin(), "example.net");
        assert_eq!(fault(&p.admin(), &dry, "Sip.addDomain", &add_domain("example.net")).0, 1001);
        let acme = reseller(p, "acme");
        assert_eq!(fault(&acme.client, &dry, "Sip.deleteDomain", &record! { domain: "example.net" }).0, 1000);
        // Who misspells it must not change anything.
        for bad in ["yes", "2", ""] {
            let (code, text) = fault(&p.admin(), &[("Dry-Run", bad)], "Sip.addDomain", &add_domain("a.example"));
            assert_eq!(code, 9000, "{text}");
            assert!(text.contains("nothing was changed"), "{text}");
        }
        p.admin().ok("Sip.addDomain", add_domain("a.example"));
    }

    fn a_dry_run_keeps_no_key(p) {
        let both = [("Dry-Run", "1"), ("Idempotency-Key", "k")];
        let request = add_domain("a.example");
        assert_eq!(send(&p.admin(), &both, "Sip.addDomain", &request).status, 200);
        assert_eq!(keys(p), "0");
        let key = [("Idempotency-Key", "k")];
        let reply = send(&p.admin(), &key, "Sip.addDomain", &request);
        assert_eq!((reply.status, reply.header("idempotency-replayed")), (200, None));
        assert_eq!(p.admin().ok("Sip.getDomains", record! {}).int_at("total"), 1);
    }

    // A change of many rows, with those of DNS servers among them.
    fn a_dry_run_shows_every_row(p) {
        domain(&p.admin(), "example.net");
        account(&p.admin(), "alice@example.net");
        p.admin().ok("Sip.addAlias", record! { alias: record! {
            id: sip_id("al@example.net"), target: sip_id("alice@example.net"),
        } });
        let request = record! { sipId: sip_id("alice@example.net") };
        let reply = send(&p.admin(), &[("Dry-Run", "1")], "Sip.deleteAccount", &request);
        let count: usize = reply.header("x-journal-entries").unwrap().parse().unwrap();
        assert!(count >= 2, "{}", reply.text());
        assert!(reply.text().contains("\"al@example.net\""));
        p.admin().ok("Sip.getAlias", record! { id: sip_id("al@example.net") });
        let reply = send(&p.admin(), &[("Dry-Run", "1")], "Sip.getDomains", &record! {});
        assert_eq!(reply.header("x-journal-entries"), Some("0"));
    }
}
