//! `ngn voicemail asterisk`: its files are read as Asterisk reads them, and what they name is in the database.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use ngn_tests::binaries::program;
use ngn_tests::database::Backend;
use ngn_tests::fixture::{account, domain};
use ngn_tests::platform::Platform;
use ngn_tests::program::run;
use ngn_tests::{both, record, sip_id};

/// What app_voicemail understands of a mailbox's row (Asterisk's voicemail.conf.sample and contrib/realtime), and what it
/// is there for us only.
const OF_ASTERISK: [&str; 23] = [
    "uniqueid",
    "context",
    "mailbox",
    "password",
    "fullname",
    "email",
    "pager",
    "tz",
    "attach",
    "saycid",
    "dialout",
    "callback",
    "review",
    "operator",
    "envelope",
    "sayduration",
    "saydurationm",
    "sendvoicemail",
    "delete",
    "nextaftercmd",
    "forcename",
    "forcegreetings",
    "hidefromdir",
];
const OURS: [&str; 2] = ["customer_id", "stamp"];

/// A file's sections, each with its keys and values in order.
type Sections = BTreeMap<String, Vec<(String, String)>>;

/// Reads a file as Asterisk does: `;` begins a comment unless `\` stands before it.
#[track_caller]
fn sections(text: &str) -> Sections {
    let (mut found, mut current) = (Sections::new(), None);
    for line in text.lines() {
        let mut kept = String::new();
        let mut before = ' ';
        for c in line.chars() {
            if c == ';' && before == '\\' {
                kept.pop();
            } else if c == ';' {
                break;
            }
            kept.push(c);
            before = c;
        }
        let line = kept.trim();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            assert!(
                found.insert(name.to_owned(), Vec::new()).is_none(),
                "[{name}] stands there twice"
            );
            current = Some(name.to_owned());
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("`{line}` is no setting"));
        let value = value.strip_prefix('>').unwrap_or(value);
        let section = current.as_ref().and_then(|name| found.get_mut(name)).expect("a section");
        section.push((key.trim().to_owned(), value.trim().to_owned()));
    }
    found
}

#[track_caller]
fn value<'s>(sections: &'s Sections, section: &str, key: &str) -> &'s str {
    let section = sections.get(section).unwrap_or_else(|| panic!("no [{section}]"));
    let found = section.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    found.unwrap_or_else(|| panic!("no {key}"))
}

fn asterisk(p: &Platform, out: &Path, more: &[&str]) {
    let mut command = Command::new(program("ngn"));
    command.args(["voicemail", "asterisk", "--out", out.to_str().unwrap()]);
    command.args(["--database", &p.database.url, "--data", p.data().to_str().unwrap()]).args(more);
    run(&mut command).unwrap();
}

fn file(out: &Path, name: &str) -> String {
    fs::read_to_string(out.join(name)).unwrap()
}

/// The database as Asterisk is told to reach it: runs a statement, gives the rows.
fn as_asterisk(out: &Path, statement: &str) -> anyhow::Result<String> {
    if out.join("res_config_sqlite3.conf").exists() {
        let settings = sections(&file(out, "res_config_sqlite3.conf"));
        let script = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1], timeout=10) as db:\n    \
                      [print(*row, sep='\\t') for row in db.execute(sys.argv[2])]";
        return run(Command::new("python3").args([
            "-c",
            script,
            value(&settings, "ngn", "dbfile"),
            statement,
        ]));
    }
    let settings = sections(&file(out, "res_config_mysql.conf"));
    let of = |key: &str| value(&settings, "ngn", key);
    let mut client = Command::new("mariadb");
    client.args([
        "--no-defaults",
        "-N",
        "-B",
        "--protocol=tcp",
        "-h",
        of("dbhost"),
        "-P",
        of("dbport"),
    ]);
    client.args([
        "-u",
        of("dbuser"),
        &format!("-p{}", of("dbpass")),
        of("dbname"),
        "-e",
        statement,
    ]);
    run(&mut client)
}

both! {
    fn asterisk_finds_the_mailboxes(p) {
        let admin = p.admin();
        domain(&admin, "example.com");
        account(&admin, "alice@example.com");
        let mailbox = record! {
            sipId: sip_id("alice@example.com"), password: "236651", name: "Alice", email: "alice@example.com",
            options: record! { delete: false },
        };
        admin.ok("Voicemail.addAccount", record! { account: mailbox });

        let out = p.directory().join("asterisk");
        let password = p.directory().join("password");
        fs::write(&password, "se;cr'et\n").unwrap();
        let login = ["--database-user", "asterisk", "--database-password-file", password.to_str().unwrap()];
        let is_server = p.backend == Backend::MariaDb;
        asterisk(p, &out, if is_server { &login } else { &[] });
        if is_server {
            // The login that the file proposes, and no more, is enough.
            let text = file(&out, "res_config_mysql.conf");
            let grant = text.lines().find_map(|line| line.trim_start_matches([';', ' ']).strip_prefix("GRANT ")).unwrap();
            let name = p.database.name.clone().unwrap();
            // Logins are the server's: one for each test.
            let user = format!("'ast_{}'@'%'", std::process::id());
            let grant = grant.replace("'asterisk'@'%'", &user).replace("'...'", "'se;cr\\'et'");
            _ = p.database.sql(&format!("GRANT {grant}"));
            assert!(grant.contains(&name), "{grant}");
            let user = user.trim_start_matches('\'').split('\'').next().unwrap();
            asterisk(p, &out, &[&["--replace", "--database-user", user], &login[2..]].concat());
            let mode = fs::metadata(out.join("res_config_mysql.conf")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "it holds a password");
        }

        let config = sections(&file(&out, "extconfig.conf"));
        let parts: Vec<&str> = value(&config, "settings", "voicemail").split(',').collect();
        assert_eq!(parts, [if is_server { "mysql" } else { "sqlite3" }, "ngn", "voicemail_users"]);
        let table = parts[2];
        // As ast_load_realtime asks, and as somebody changes the PIN by phone.
        let mailbox = format!("SELECT uniqueid, password, fullname, email, attach, `delete`, tz FROM {table} \
             WHERE mailbox = '1000000' AND context = 'default'");
        let row = as_asterisk(&out, &mailbox).unwrap();
        let row: Vec<&str> = row.trim_end().split('\t').collect();
        assert_eq!(row[1..6], ["236651", "Alice", "alice@example.com", "yes", "no"]);
        as_asterisk(&out, &format!("UPDATE {table} SET password = '4711' WHERE uniqueid = {}", row[0])).unwrap();
        let kept = admin.ok("Voicemail.getAccount", record! { sipId: sip_id("alice@example.com") });
        assert_eq!(kept.text_at("password"), "4711");
        if is_server {
            assert!(as_asterisk(&out, &format!("UPDATE {table} SET email = 'x'")).is_err(), "more than the PIN");
            assert!(as_asterisk(&out, "SELECT * FROM subscriber").is_err(), "more than its table");
        }

        // Context and time zone of the rows are those of voicemail.conf.
        let voicemail = sections(&file(&out, "voicemail.conf"));
        assert!(voicemail.contains_key("default") && value(&voicemail, "zonemessages", row[6]).starts_with("UTC|"));
        assert!(value(&voicemail, "general", "emailbody").contains("dial *70 and"));

        // Every column that there is means something to Asterisk, and none that it needs is missing.
        let columns = if is_server {
            p.database.sql(&format!("SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = DATABASE()"))
        } else {
            p.database.sql(&format!("SELECT name FROM pragma_table_info('{table}')"))
        };
        let columns: Vec<&str> = columns.lines().collect();
        for column in OF_ASTERISK.iter().chain(&OURS) {
            assert!(columns.contains(column), "no column {column}");
        }
        assert_eq!(columns.len(), OF_ASTERISK.len() + OURS.len(), "{columns:?}");
    }
}

#[test]
fn the_files_of_every_way_are_well_formed() {
    let directory = tempfile::tempdir().unwrap();
    let url = "mysql://ngn:p%3Bw@db.example:3307/platform";
    let mut count = 0;
    for (name, more) in [("mysql", &[][..]), ("odbc", &["--odbc"])] {
        let out = directory.path().join(name);
        let mut command = Command::new(program("ngn"));
        command
            .args(["voicemail", "asterisk", "--out", out.to_str().unwrap(), "--database", url])
            .args(more);
        command
            .args(["--company", "Böhm; Söhne", "--timezone", "Europe/Vienna"])
            .current_dir(directory.path());
        run(&mut command).unwrap();
        for entry in fs::read_dir(&out).unwrap() {
            let entry = entry.unwrap();
            let found = sections(&fs::read_to_string(entry.path()).unwrap());
            assert!(!found.is_empty(), "{}", entry.path().display());
            count += 1;
        }
        let config = sections(&file(&out, "extconfig.conf"));
        assert_eq!(value(&config, "settings", "voicemail"), format!("{name},ngn,voicemail_users"));
        let voicemail = sections(&file(&out, "voicemail.conf"));
        assert_eq!(value(&voicemail, "general", "fromstring"), "Böhm; Söhne");
        assert!(value(&voicemail, "zonemessages", "central").starts_with("Europe/Vienna|"));
        let dialplan = sections(&file(&out, "extensions.conf"));
        let lines = &dialplan["ngn-voicemail"];
        let has = |value: &str| lines.iter().any(|(_, found)| found == value);
        assert!(
            has("_*70X.,1,Answer()") && has("n,VoiceMailMain(${EXTEN:3}@default)"),
            "{lines:?}"
        );
        assert!(has("n,VoiceMail(${EXTEN}@default,u)"), "{lines:?}");
    }
    let odbc = sections(&file(&directory.path().join("odbc"), "res_odbc.conf"));
    let source = sections(&file(&directory.path().join("odbc"), "odbc.ini"));
    assert_eq!(value(&odbc, "ngn", "password"), "p;w");
    assert!(source.contains_key(value(&odbc, "ngn", "dsn")));
    assert_eq!(
        (value(&source, "ngn", "Port"), value(&source, "ngn", "Database")),
        ("3307", "platform")
    );
    assert_eq!(count, 4 + 5);
}
