//! The platform under test: `ngn up`, or the three daemons by themselves, on ports and data of its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result};

use crate::database::{Backend, Database, Server};
use crate::net::port_for_later;
use crate::program::{PATIENCE, Program, run};
use crate::soap::{Client, Login, Transcript};
use crate::{binaries, http};

/// The login of the administrator that a first start creates.
pub const ADMIN: &str = "admin";

/// The daemons, in the order in which they start.
pub const DAEMONS: [&str; 3] = ["ngnpro", "sipd", "enumd"];

/// How often a program is started whose ports somebody else took.
const ATTEMPTS: u32 = 5;

/// A running platform.
#[derive(Debug)]
pub struct Platform {
    /// What it stores in.
    pub backend: Backend,
    /// Its database.
    pub database: Database,
    /// All calls of its clients.
    pub transcript: Transcript,
    /// Whether the daemons run by themselves instead of in one process.
    apart: bool,
    programs: HashMap<&'static str, Program>,
    /// Where each program serves what.
    addresses: HashMap<(&'static str, String), SocketAddr>,
    directory: tempfile::TempDir,
}

impl Platform {
    /// Starts `ngn up` on a new database.
    #[must_use]
    #[track_caller]
    pub fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[])
    }

    /// Starts `ngn up` with settings of some daemons: `("sipd", TOML)`.
    #[must_use]
    #[track_caller]
    pub fn start_with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let mut platform =
            Self::prepare(backend, false, |directory| Database::create(backend, directory));
        for (daemon, toml) in settings {
            fs::write(platform.data().join(format!("{daemon}.toml")), toml).expect("settings");
        }
        platform.launch();
        platform
    }

    /// Starts the three daemons, each by itself with its file of `etc/`, on a new database.
    #[must_use]
    #[track_caller]
    pub fn start_apart(backend: Backend) -> Self {
        Self::start_apart_in(backend, |directory| Database::create(backend, directory))
    }

    /// The same in a MariaDB server of one's own, which may be stopped.
    #[must_use]
    #[track_caller]
    pub fn start_apart_on(server: &Server) -> Self {
        Self::start_apart_in(Backend::MariaDb, |_| Database::create_on(server))
    }

    #[track_caller]
    fn start_apart_in(backend: Backend, create: impl Fn(&Path) -> Database) -> Self {
        let mut platform = Self::prepare(backend, true, create);
        fs::write(platform.data().join("admin-password"), "of-a-test\n").expect("a password");
        let mut migrate = Command::new(binaries::program("ngn"));
        migrate.args(["migrate", "--database", &platform.database.url]);
        run(&mut migrate).expect("the database is migrated");
        platform.launch();
        platform
    }

    fn prepare(backend: Backend, apart: bool, create: impl Fn(&Path) -> Database) -> Self {
        let directory =
            tempfile::Builder::new().prefix("ngn-test-").tempdir().expect("a directory");
        fs::create_dir_all(directory.path().join("data")).expect("a data directory");
        Self {
            backend,
            database: create(directory.path()),
            transcript: Transcript::default(),
            apart,
            programs: HashMap::new(),
            addresses: HashMap::new(),
            directory,
        }
    }

    /// Starts what does not run (again), on the ports it had before if it ran before.
    #[track_caller]
    pub fn launch(&mut self) {
        if !self.apart {
            self.run("ngn", Self::all_in_one);
            return;
        }
        for daemon in DAEMONS {
            if !self.programs.contains_key(daemon) {
                self.run(daemon, |platform| platform.daemon(daemon));
            }
        }
    }

    /// All daemons in one process.
    fn all_in_one(&self) -> Command {
        let mut command = Command::new(binaries::program("ngn"));
        command.arg("up").arg("--data").arg(self.data());
        command.args(["--database", &self.database.url]);
        for key in ["soap", "sip", "dns", "admin"] {
            command.args([&format!("--{key}"), &self.address_before("ngn", key)]);
        }
        command
    }

    /// A daemon by itself, with its file of `etc/` and the environment over it.
    fn daemon(&self, daemon: &'static str) -> Command {
        let mut command = Command::new(binaries::program(daemon));
        command.arg("--config").arg(binaries::root().join(format!("etc/{daemon}.toml")));
        let prefix = daemon.to_uppercase();
        let mut set = |key: &str, value: &str| {
            command.env(format!("{prefix}_{key}"), value);
        };
        set("DATABASE", &self.database.url);
        set("ADMIN", &self.address_before(daemon, "admin"));
        match daemon {
            "ngnpro" => {
                set("LISTEN", &self.address_before(daemon, "soap"));
                let file = self.data().join("admin-password");
                set("ADMINISTRATOR__PASSWORD_FILE", &file.display().to_string());
                set("PROVISIONING__NAMESERVERS", "[\"ns.example.net\"]");
            }
            _ => {
                let key = if daemon == "sipd" { "sip" } else { "dns" };
                let address = format!("[\"{}\"]", self.address_before(daemon, key));
                set("LISTEN__UDP", &address);
                set("LISTEN__TCP", &address);
            }
        }
        if daemon == "enumd" {
            set("SNAPSHOT__FILE", &self.data().join("enumd.snapshot").display().to_string());
        }
        command
    }

    /// Where a program served something before it ended, or a port that nobody takes while it does not run.
    fn address_before(&self, program: &'static str, key: &str) -> String {
        let before = self.addresses.get(&(program, key.to_owned()));
        before.map_or_else(|| format!("127.0.0.1:{}", port_for_later()), SocketAddr::to_string)
    }

    #[track_caller]
    fn run(&mut self, name: &'static str, command: impl Fn(&Self) -> Command) {
        let mut attempts = 1..ATTEMPTS;
        let (program, addresses) = loop {
            let mut command = command(self);
            command.current_dir(self.directory.path());
            let mut program = Program::start(name, command).expect("it starts");
            match program.wait_ready() {
                Ok(addresses) => break (program, addresses),
                // Somebody was faster at a port.
                Err(error)
                    if format!("{error:#}").contains("Address already in use")
                        && attempts.next().is_some() => {}
                Err(error) => panic!("{error:#}"),
            }
        };
        for (key, address) in addresses {
            let key = key.strip_suffix("-udp").unwrap_or(&key).to_owned();
            self.addresses.insert((name, key), address);
        }
        self.programs.insert(name, program);
    }

    /// Its own directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The program that serves SOAP.
    #[track_caller]
    pub fn program(&mut self) -> &mut Program {
        let name = if self.apart { "ngnpro" } else { "ngn" };
        self.programs.get_mut(name).expect("the platform runs")
    }

    /// Ends it as a power cut would.
    #[track_caller]
    pub fn kill(&mut self) {
        for program in self.programs.values_mut() {
            program.kill();
        }
        self.programs.clear();
    }

    /// Ends the process that does a daemon's work as a crash would: the daemon, or all of `ngn up`.
    #[track_caller]
    pub fn kill_daemon(&mut self, daemon: &str) {
        let name = if self.apart { daemon } else { "ngn" };
        self.programs.remove(name).expect("it runs").kill();
    }

    /// Ends it in good order.
    #[track_caller]
    pub fn stop(&mut self) {
        for (name, mut program) in self.programs.drain() {
            let status = program.stop().expect("it ends");
            assert!(status.success(), "{name} ended with {status}:\n{}", program.log());
        }
    }

    /// An address of a `ready` line.
    #[track_caller]
    fn address(&self, key: &str) -> SocketAddr {
        let found = self.addresses.iter().find(|((_, its_key), _)| its_key == key);
        found
            .map(|(_, address)| *address)
            .unwrap_or_else(|| panic!("no {key} in {:?}", self.addresses))
    }

    /// Where SOAP is served.
    #[must_use]
    #[track_caller]
    pub fn soap_address(&self) -> SocketAddr {
        self.address("soap")
    }

    /// Where web redirects are served, when a setting says so.
    #[must_use]
    #[track_caller]
    pub fn redirect_address(&self) -> SocketAddr {
        self.address("redirect")
    }

    /// Where SIP is served, UDP and TCP.
    #[must_use]
    #[track_caller]
    pub fn sip_address(&self) -> SocketAddr {
        self.address("sip")
    }

    /// Where DNS is served, UDP and TCP.
    #[must_use]
    #[track_caller]
    pub fn dns_address(&self) -> SocketAddr {
        self.address("dns")
    }

    /// Where the admin HTTP of the program that serves SOAP is served.
    #[must_use]
    #[track_caller]
    pub fn admin_address(&self) -> SocketAddr {
        let name = if self.apart { "ngnpro" } else { "ngn" };
        self.addresses.get(&(name, "admin".to_owned())).copied().expect("an admin port")
    }

    /// Where the admin HTTP of the process that does a daemon's work is served.
    #[must_use]
    #[track_caller]
    pub fn admin_of(&self, daemon: &'static str) -> SocketAddr {
        let name = if self.apart { daemon } else { "ngn" };
        self.addresses.get(&(name, "admin".to_owned())).copied().expect("an admin port")
    }

    /// The id of the process that does a daemon's work.
    #[must_use]
    #[track_caller]
    pub fn process(&self, daemon: &str) -> u32 {
        let name = if self.apart { daemon } else { "ngn" };
        self.programs.get(name).expect("it runs").id()
    }

    /// The administrator's password, which the first start wrote.
    #[must_use]
    #[track_caller]
    pub fn password(&self) -> String {
        let path = self.data().join("admin-password");
        fs::read_to_string(&path)
            .with_context(|| path.display().to_string())
            .expect("the administrator's password")
            .trim()
            .to_owned()
    }

    /// A client with a login.
    #[must_use]
    #[track_caller]
    pub fn client(&self, login: Login) -> Client {
        Client {
            transcript: self.transcript.clone(),
            ..Client::new(self.soap_address(), Some(login))
        }
    }

    /// The administrator.
    #[must_use]
    #[track_caller]
    pub fn admin(&self) -> Client {
        self.client(Login::admin(ADMIN, &self.password()))
    }

    /// Waits until SIP and DNS show a journal position (`GET /ready?position=N`).
    #[track_caller]
    pub fn wait_position(&self, position: u64) {
        let admin = self.addresses.iter().filter(|((_, key), _)| key == "admin");
        for ((program, _), address) in admin {
            let reply = http::get(*address, &format!("/ready?position={position}"))
                .expect("the admin port answers");
            assert_eq!(reply.status, 200, "{program} does not show {position}: {}", reply.text());
        }
    }

    /// Waits until SIP and DNS show everything that clients of this platform were told is stored.
    #[track_caller]
    pub fn settle(&self) {
        self.wait_position(self.transcript.position());
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // First the program, then what it stores in.
        self.programs.clear();
        self.database.discard();
    }
}

/// Asks again and again until the answer is there, no longer than a program may take to start.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what} did not happen in time");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a test on both databases at once, each on a platform of its own, and compares every SOAP answer byte by byte.
///
/// Times and serial numbers are masked ([`crate::soap::mask`]); everything else, ids and texts of faults included,
/// must be the same.
pub fn on_both(test: impl Fn(&mut Platform) + Send + Sync) {
    let outcome = |backend| {
        let mut platform = Platform::start(backend);
        println!("---- on {backend} ----");
        test(&mut platform);
        platform.transcript.entries()
    };
    let (sqlite, mariadb) = thread::scope(|scope| {
        let other = scope.spawn(|| outcome(Backend::MariaDb));
        let sqlite = outcome(Backend::Sqlite);
        match other.join() {
            Ok(mariadb) => (sqlite, mariadb),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    assert!(!sqlite.is_empty(), "the test called nothing, so it compared nothing");
    assert_eq!(sqlite.len(), mariadb.len(), "the databases led to different calls");
    for (sqlite, mariadb) in sqlite.iter().zip(&mariadb) {
        assert_eq!(sqlite, mariadb, "SQLite (left) and MariaDB (right) answer differently");
    }
}

/// A test that runs on both databases and compares their answers: `both! { fn name(p) { … } }`.
#[macro_export]
macro_rules! both {
    ($($(#[$attribute:meta])* fn $name:ident($platform:ident) $body:block)*) => {
        $(
            $(#[$attribute])*
            #[test]
            fn $name() {
                $crate::platform::on_both(|$platform: &mut $crate::platform::Platform| $body);
            }
        )*
    };
}

/// Waits for an [`anyhow::Result`] that may fail while something starts.
#[track_caller]
pub fn eventually_ok<T>(what: &str, mut ask: impl FnMut() -> Result<T>) -> T {
    eventually(what, || ask().ok())
}
