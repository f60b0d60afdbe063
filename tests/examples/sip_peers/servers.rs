//! The two servers on one database.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use ngn_tests::binaries::{program, root};
use ngn_tests::database::{Backend, Database, Server};
use ngn_tests::net::free_port;
use ngn_tests::program::{Program, run};

/// The SIP domain of all accounts.
pub(crate) const DOMAIN: &str = "load.example";

/// The password of the account with a number.
pub(crate) fn password(number: u64) -> String {
    format!("p{number}")
}

/// The user name of the account with a number.
pub(crate) fn user(number: u64) -> String {
    format!("u{number:07}")
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    program: Program,
}

impl Peer {
    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.program.id()
    }
}

impl Drop for Peer {
    /// In good order, so that a server's children end with it.
    fn drop(&mut self) {
        _ = self.program.stop();
    }
}

/// Fills a database and starts Kamailio and `sipd` on it; gives them and the process of the database, all on the first
/// processor.
pub(crate) fn start(directory: &Path, accounts: u64) -> ([Peer; 2], u32) {
    let server = Server::shared();
    let durable = server.sql("SELECT @@innodb_flush_log_at_trx_commit");
    println!("innodb_flush_log_at_trx_commit: {}", durable.trim());
    let file = server.sql("SELECT @@pid_file");
    let database_id = std::fs::read_to_string(file.trim()).unwrap().trim().parse().unwrap();
    run(Command::new("taskset").args(["-apc", "0", &format!("{database_id}")])).unwrap();
    let database = Database::create(Backend::MariaDb, directory);
    run(Command::new(program("ngn")).args(["migrate", "--database", &database.url])).unwrap();
    fill(&database, accounts);
    let peers = [kamailio(directory, &database), sipd(directory, &database)];
    (peers, database_id)
}

fn fill(database: &Database, accounts: u64) {
    let half = accounts / 2;
    for statement in [
        format!("INSERT INTO domain (domain) VALUES ('{DOMAIN}')"),
        format!(
            "INSERT INTO subscriber (username, domain, ha1, ha1_sha256) \
             SELECT CONCAT('u', LPAD(seq, 7, '0')), '{DOMAIN}', \
             MD5(CONCAT('u', LPAD(seq, 7, '0'), ':{DOMAIN}:p', seq)), \
             SHA2(CONCAT('u', LPAD(seq, 7, '0'), ':{DOMAIN}:p', seq), 256) FROM seq_0_to_{}",
            accounts - 1
        ),
        format!(
            "INSERT INTO call_diversions (username, domain, cond, uri) \
             SELECT CONCAT('u', LPAD(seq, 7, '0')), '{DOMAIN}', 'FBUS', \
             CONCAT('sip:u', LPAD(seq - {half}, 7, '0'), '@{DOMAIN}') FROM seq_{half}_to_{}",
            accounts - 1
        ),
    ] {
        _ = database.sql(&statement);
    }
}

fn pinned(name: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(name);
    command
}

fn kamailio(directory: &Path, database: &Database) -> Peer {
    let port = free_port();
    let name = database.name.as_deref().unwrap();
    let url = format!("mysql://root@127.0.0.1:{}/{name}", Server::shared().port());
    let mut text = std::fs::read_to_string(root().join("tests/peers/kamailio-bench.cfg")).unwrap();
    for (mark, value) in
        [("@PORT@", port.to_string().as_str()), ("@DBURL@", &url), ("@DOMAIN@", DOMAIN)]
    {
        text = text.replace(mark, value);
    }
    let path = directory.join("kamailio.cfg");
    std::fs::write(&path, text).unwrap();
    let mut command = pinned("kamailio");
    command.arg("-f").arg(path).args(["-DD", "-E", "-m", "512", "-M", "16", "-w"]).arg(directory);
    // Bursts wait in the socket, as they do for sipd.
    command.args(["-b", "4194304"]);
    command.arg("-Y").arg(directory).arg("-P").arg(directory.join("kamailio.pid"));
    let mut program = Program::start_with("kamailio", command, "TERM").unwrap();
    program.wait_for("its address", |line| line.contains("udp:").then_some(())).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(program.is_running(), "{}", program.log());
    Peer { name: "Kamailio", address: SocketAddr::from(([127, 0, 0, 1], port)), program }
}

fn sipd(directory: &Path, database: &Database) -> Peer {
    let mut command = pinned(&program("sipd").display().to_string());
    command.current_dir(directory);
    let any = "[\"127.0.0.1:0\"]";
    for (key, value) in [
        ("SIPD_DATABASE", database.url.as_str()),
        ("SIPD_ADMIN", "127.0.0.1:0"),
        ("SIPD_LISTEN__UDP", any),
        ("SIPD_LISTEN__TCP", any),
    ] {
        command.env(key, value);
    }
    let mut program = Program::start("sipd", command).unwrap();
    let address = program.wait_ready().unwrap().get("sip-udp").copied().unwrap();
    Peer { name: "sipd", address, program }
}
