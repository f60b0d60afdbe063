//! `ngn emergency check`: every account and every emergency number (B165).

use ngn_tests::binaries::program;
use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, carrier, domain, gateway, route, subscriber};
use ngn_tests::platform::Platform;
use ngn_tests::sip::Phone;
use ngn_tests::{both, record};
use std::process::{Command, Output};

fn emergency(p: &Platform, arguments: &[&str]) -> Output {
    let mut command = Command::new(program("ngn"));
    command.args(["emergency", "--data", p.data().to_str().unwrap()]).args(arguments);
    command.env("NGN_DATABASE", &p.database.url).env("USER", "operator");
    command.output().unwrap()
}

#[track_caller]
fn ok(p: &Platform, arguments: &[&str]) -> String {
    let output = emergency(p, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ngn emergency {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Those that reach nobody: address, number, reason. The last complaint comes with them.
#[track_caller]
fn unreached(p: &Platform) -> (Vec<[String; 3]>, String) {
    let output = emergency(p, &["check"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        fields.try_into().unwrap()
    };
    let lines = said.lines().filter(|line| line.contains('\t')).map(line).collect();
    (lines, String::from_utf8(output.stderr).unwrap())
}

both! {
    fn every_account_reaches_somebody_or_is_named(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        account(&admin, "plain@example.com");
        for (name, region) in [("north", "north"), ("south", "south")] {
            let account = subscriber(&format!("{name}@example.com")).with("region", region);
            admin.ok("Sip.addAccount", record! { account: account });
        }
        // The numbers of sipd.toml: nothing is mapped, and no gateway takes them.
        let (lines, complaint) = unreached(p);
        assert_eq!(lines.len(), 6, "{lines:?}");
        assert!(lines.iter().all(|[_, _, why]| why.contains("B165")), "{lines:?}");
        assert!(complaint.contains("6 emergency calls reach nobody, of 3 accounts under 112, 911"), "{complaint}");

        ok(p, &["add", "112", "sip:112@psap.example.net", "--region", "north"]);
        ok(p, &["add", "911", "sip:911@psap.example.net"]);
        let (lines, _) = unreached(p);
        let who = |lines: &[[String; 3]]| lines.iter().map(|[a, n, _]| format!("{a} {n}")).collect::<Vec<_>>();
        assert_eq!(who(&lines), ["plain@example.com 112", "south@example.com 112"]);

        // A target that is an account of ours, by an alias: nothing is registered there, and then something is.
        account(&admin, "centre@example.com");
        let alias = record! { id: record! { username: "112desk", domain: "example.com" },
            target: record! { username: "centre", domain: "example.com" } };
        admin.ok("Sip.addAlias", record! { alias: alias });
        ok(p, &["add", "112", "sip:112desk@example.com", "--domain", "example.com"]);
        let (lines, _) = unreached(p);
        assert_eq!(who(&lines), ["plain@example.com 112", "south@example.com 112", "centre@example.com 112"]);
        assert!(lines.iter().all(|[_, _, why]| why.contains("nothing is registered at the target")), "{lines:?}");
        p.settle();
        let mut centre = Phone::new(p.sip_address(), "centre@example.com", "secret");
        assert_eq!(centre.register(300).unwrap().status(), 200);
        let said = ok(p, &["check"]);
        assert!(said.ends_with("4 accounts, each of which reaches somebody under 112, 911\n"), "{said}");

        // An account that servers leave out reaches nobody.
        _ = p.database.sql("UPDATE subscriber SET acl = 'what' WHERE username = 'plain'");
        let (lines, _) = unreached(p);
        assert_eq!(who(&lines), ["plain@example.com *"]);
        // The table alone is well, and one call is looked up by it.
        assert_eq!(ok(p, &["check", "--table"]), "3 rows, all of them well\n");
        assert!(ok(p, &["check", "112", "--region", "north"]).contains("sip:112@psap.example.net"));
    }

    // More accounts than are held at one time; a gateway takes what is not mapped.
    fn accounts_by_the_thousand(p) {
        domain(&p.admin(), "example.com");
        let series = if p.backend == Backend::MariaDb { "SELECT seq AS n FROM seq_1_to_2500" } else {
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 2500) SELECT n FROM s"
        };
        let name = if p.backend == Backend::MariaDb { "CONCAT('u', n)" } else { "'u' || n" };
        _ = p.database.sql(&format!(
            "INSERT INTO subscriber (username, domain) SELECT {name}, 'example.com' FROM ({series}) AS numbers"
        ));
        let (lines, complaint) = unreached(p);
        assert_eq!(lines.len(), 5000);
        assert!(complaint.contains("5000 emergency calls reach nobody, of 2500 accounts"), "{complaint}");
        let far = carrier(&p.admin(), "Far");
        gateway(&p.admin(), far, "far");
        p.admin().ok("Sip.addRoutes", record! { routes: vec![route(far, "")] });
        let said = ok(p, &["check"]);
        assert!(said.ends_with("2500 accounts, each of which reaches somebody under 112, 911\n"), "{said}");
    }
}
