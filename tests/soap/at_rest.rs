//! Passwords at rest (B8): readable for who may read them, worthless in a stolen database.

use ngn_tests::binaries;
use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain, person, reseller, subscriber};
use ngn_tests::platform::{Platform, eventually};
use ngn_tests::soap::Login;
use ngn_tests::{Value, both, record, sip_id};
use std::fs;
use std::process::{Command, Output};

const SECRETS: [&str; 2] = ["acme-password", "s3cret-of-alice"];

/// A reseller and an account with passwords that can be searched for.
fn provision(p: &Platform) -> i64 {
    let acme = reseller(p, "acme");
    domain(&acme.client, "example.com");
    acme.client.ok(
        "Sip.addAccount",
        record! {
            account: subscriber("alice@example.com").with("password", "s3cret-of-alice"),
        },
    );
    acme.id
}

/// What the tables hold.
fn stored(p: &Platform) -> String {
    let columns = [
        "SELECT coalesce(password, '') FROM customers",
        "SELECT password FROM subscriber",
        "SELECT kind, record, sealed FROM sealed_passwords ORDER BY kind",
        "SELECT entity, coalesce(`before`, ''), coalesce(`after`, '') FROM journal",
    ];
    columns.map(|sql| p.database.sql(sql)).concat()
}

fn check_readable(p: &Platform, customer: i64) {
    let password = p
        .admin()
        .ok("Customer.getAccount", record! { id: customer })
        .text_at("password")
        .to_owned();
    assert_eq!(password, "acme-password");
    let client = p.client(Login::customer("acme", &password));
    let account = client.ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
    assert_eq!(account.text_at("password"), "s3cret-of-alice");
}

fn run(p: &Platform, arguments: &[&str]) -> Output {
    let mut command = Command::new(binaries::program("ngn"));
    command.args(arguments).args(["--data", p.data().to_str().unwrap()]);
    command.args(["--database", &p.database.url]).output().unwrap()
}

both! {
    // B8: what is returned works as login, and neither tables nor journal, log or files hold it.
    fn a_stolen_database_holds_no_password(p) {
        use std::os::unix::fs::PermissionsExt;
        let acme = provision(p);
        check_readable(p, acme);
        p.admin().ok("Customer.updateAccount", record! {
            account: person("acme").with("id", acme).with("password", "").with("city", "Haarlem"),
        });
        check_readable(p, acme);
        let mut everything = stored(p);
        assert_eq!(p.database.sql("SELECT count(*) FROM sealed_passwords").trim(), "2");
        assert!(everything.contains("changed"), "the journal was looked at");
        everything.push_str(&p.program().log());
        // The SQLite file with its write-ahead log, byte by byte.
        for entry in fs::read_dir(p.directory()).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_file() {
                everything.push_str(&String::from_utf8_lossy(&fs::read(entry).unwrap()));
            }
        }
        for secret in SECRETS {
            assert!(!everything.contains(secret), "{secret} is stored in clear");
        }
        let key = p.data().join("password-key");
        assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // A new password ends the old one at once, remembered or not; so does the customer's end.
    fn a_changed_password_is_refused_at_once(p) {
        let acme = reseller(p, "acme");
        let list = || record! { query: Value::empty() };
        acme.client.ok("Customer.getCustomers", list());
        acme.client.ok("Customer.getCustomers", list());
        p.admin().ok("Customer.updateAccount", record! {
            account: person("acme").with("id", acme.id).with("password", "another-one"),
        });
        acme.client.refused(8000, "Customer.getCustomers", list());
        let again = p.client(Login::customer("acme", "another-one"));
        again.ok("Customer.getCustomers", list());
        p.admin().ok("Customer.deleteAccount", record! { id: acme.id });
        again.refused(8000, "Customer.getCustomers", list());
    }

    // Passwords go with their records.
    fn nothing_stays_behind(p) {
        let acme = provision(p);
        let admin = p.admin();
        admin.ok("Sip.deleteAccount", record! { sipId: sip_id("alice@example.com") });
        admin.ok("Sip.deleteDomain", record! { domain: "example.com" });
        admin.ok("Customer.deleteAccount", record! { id: acme });
        assert_eq!(p.database.sql("SELECT count(*) FROM sealed_passwords").trim(), "0");
    }

    // The key's loss is told with what to do, before anything is served.
    fn a_lost_key_stops_the_start(p) {
        let acme = provision(p);
        p.stop();
        let (key, kept) = (p.data().join("password-key"), p.directory().join("kept"));
        fs::rename(&key, &kept).unwrap();
        for _ in 0..2 {
            let output = run(p, &["up", "--soap", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--dns", "127.0.0.1:0",
                "--admin", "127.0.0.1:0"]);
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{text}");
            for part in ["password-key", "backup", "--give-up-lost"] {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(!key.exists(), "a new key in its place would hide the loss");
        }
        fs::rename(&kept, &key).unwrap();
        p.launch();
        check_readable(p, acme);
    }

    // `ngn rotate-key` beside the running platform.
    fn keys_are_rotated_while_the_platform_runs(p) {
        let acme = provision(p);
        let sealed = || p.database.sql("SELECT sealed FROM sealed_passwords ORDER BY kind");
        let before = sealed();
        for round in 0..2 {
            let output = run(p, &["rotate-key"]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(text.contains("2 passwords are encrypted with a new key"), "round {round}: {text}");
            check_readable(p, acme);
        }
        let key = |text: &str| text.split('.').next().unwrap().to_owned();
        assert_ne!(key(&before), key(&sealed()));
        // New passwords are encrypted with the new key too.
        account(&p.admin(), "bob@example.com");
        let keys: Vec<String> = sealed().lines().map(key).collect();
        assert_eq!(keys, vec![key(&sealed()); 3]);
        p.stop();
        p.launch();
        check_readable(p, acme);
    }

    // Without the key: the platform goes on, passwords that cannot be read are gone, digests stay.
    fn what_is_lost_can_be_given_up(p) {
        provision(p);
        p.stop();
        fs::remove_file(p.data().join("password-key")).unwrap();
        let refused = run(p, &["rotate-key"]);
        assert!(String::from_utf8_lossy(&refused.stderr).contains("--give-up-lost"));
        let output = run(p, &["rotate-key", "--give-up-lost"]);
        assert!(String::from_utf8_lossy(&output.stdout).contains("2 were removed"));
        p.launch();
        let account = p.admin().ok("Sip.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(account.text_at("password"), "");
        assert_eq!(account.text_at("ha1").len(), 32);
        p.client(Login::customer("acme", "acme-password")).refused(8000, "Customer.getCustomers", record! { query: Value::empty() });
        p.client(Login::customer("acme", "")).refused(8000, "Customer.getCustomers", record! { query: Value::empty() });
    }
}

/// Off by choice, and on again: what was stored before follows.
#[test]
fn encryption_can_be_turned_off_and_on() {
    for backend in [Backend::Sqlite, Backend::MariaDb] {
        let off = "[passwords]\nencrypt = false\n";
        let mut p = Platform::start_with(backend, &[("ngnpro", off)]);
        let acme = provision(&p);
        assert!(stored(&p).contains("s3cret-of-alice"));
        assert!(!p.data().join("password-key").exists());
        let settings = p.data().join("ngnpro.toml");
        for (toml, sealed) in [("", "2"), (off, "0")] {
            p.stop();
            fs::write(&settings, toml).unwrap();
            p.launch();
            eventually("all passwords are as the settings want them", || {
                let count = p.database.sql("SELECT count(*) FROM sealed_passwords");
                let clear = p.database.sql("SELECT count(*) FROM subscriber WHERE password <> ''");
                let clear_wanted = if sealed == "2" { "0" } else { "1" };
                (count.trim() == sealed && clear.trim() == clear_wanted).then_some(())
            });
            check_readable(&p, acme);
        }
    }
}
