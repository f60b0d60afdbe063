//! The platform under test: `ngn up`, or the three daemons by themselves, on ports and data of its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result};

use crate::database::{Backend, Database};
use crate::program::{PATIENCE, Program};
use crate::soap::{Client, Login, Transcript};
use crate::{binaries, http};

/// The login of the administrator that a first start creates.
pub const ADMIN: &str = "admin";

/// A running platform.
#[derive(Debug)]
pub struct Platform {
    /// What it stores in.
    pub backend: Backend,
    /// Its database.
    pub database: Database,
    /// All calls of its clients.
    pub transcript: Transcript,
    program: Option<Program>,
    addresses: HashMap<String, SocketAddr>,
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
        let directory =
            tempfile::Builder::new().prefix("ngn-test-").tempdir().expect("a directory");
        let mut platform = Self {
            backend,
            database: Database::create(backend, directory.path()),
            transcript: Transcript::default(),
            program: None,
            addresses: HashMap::new(),
            directory,
        };
        for (daemon, toml) in settings {
            fs::create_dir_all(platform.data()).expect("a data directory");
            fs::write(platform.data().join(format!("{daemon}.toml")), toml).expect("settings");
        }
        platform.launch();
        platform
    }

    /// Starts the program (again), on the ports it had before if it ran before.
    #[track_caller]
    pub fn launch(&mut self) {
        let mut command = Command::new(binaries::program("ngn"));
        command.arg("up").arg("--data").arg(self.data());
        command.args(["--database", &self.database.url]);
        for key in ["soap", "sip", "dns", "admin"] {
            let (option, address) = (format!("--{key}"), self.addresses.get(key));
            let address = address.map_or("127.0.0.1:0".to_owned(), SocketAddr::to_string);
            command.args([&option, &address]);
        }
        command.current_dir(self.directory.path());
        let mut program = Program::start("ngn up", command).expect("ngn up starts");
        match program.wait_ready() {
            Ok(addresses) => self.addresses = addresses,
            Err(error) => panic!("{error:#}"),
        }
        self.program = Some(program);
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

    /// The running program.
    #[track_caller]
    pub fn program(&mut self) -> &mut Program {
        self.program.as_mut().expect("the platform runs")
    }

    /// Ends it as a power cut would.
    #[track_caller]
    pub fn kill(&mut self) {
        self.program().kill();
        self.program = None;
    }

    /// Ends it in good order.
    #[track_caller]
    pub fn stop(&mut self) {
        let status = self.program().stop().expect("the platform ends");
        assert!(status.success(), "the platform ended with {status}:\n{}", self.program().log());
        self.program = None;
    }

    /// An address of the `ready` line.
    #[track_caller]
    fn address(&self, name: &str) -> SocketAddr {
        let address = self.addresses.get(name).copied();
        address.unwrap_or_else(|| panic!("no {name} in {:?}", self.addresses))
    }

    /// Where SOAP is served.
    #[must_use]
    #[track_caller]
    pub fn soap_address(&self) -> SocketAddr {
        self.address("soap")
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

    /// Where the admin HTTP is served.
    #[must_use]
    #[track_caller]
    pub fn admin_address(&self) -> SocketAddr {
        self.address("admin")
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
        let reply = http::get(self.admin_address(), &format!("/ready?position={position}"))
            .expect("the admin port answers");
        assert_eq!(reply.status, 200, "position {position} was not reached: {}", reply.text());
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
        self.program = None;
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
