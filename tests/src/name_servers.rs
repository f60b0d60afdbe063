//! DNS servers of others that serve master files: NSD, Knot and BIND.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType;

use crate::database::Database;
use crate::dns::{exchange_udp, question};
use crate::net::free_port;
use crate::program::Program;

/// How often a port that was taken meanwhile is exchanged.
const ATTEMPTS: usize = 5;
/// How long a server may take to answer for all its zones.
const LOADING: Duration = Duration::from_secs(300);

/// A server of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    /// NSD 4.
    Nsd,
    /// Knot DNS 3.
    Knot,
    /// BIND 9.
    Bind,
}

/// A server that runs, on one thread.
#[derive(Debug)]
pub struct NameServer {
    /// Where it answers, over UDP and TCP.
    pub address: SocketAddr,
    /// How long it took until it answered for the names it was waited for.
    pub loading: Duration,
    program: Program,
}

impl Drop for NameServer {
    /// In good order, so that its children end with it.
    fn drop(&mut self) {
        _ = self.program.stop();
    }
}

impl NameServer {
    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// Starts a server with zones and their master files, on a processor if one is given, and waits until it answers
    /// with records for all of some names and types.
    #[must_use]
    #[track_caller]
    pub fn start(
        make: Make,
        directory: &Path,
        zones: &[(String, PathBuf)],
        processor: Option<&str>,
        served: &[(String, RecordType)],
    ) -> Self {
        fs::create_dir_all(directory).expect("a directory");
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let mut program = make.run(directory, port, zones, processor);
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let started = Instant::now();
            while program.is_running() && started.elapsed() < LOADING {
                if served.iter().all(|(name, kind)| has(address, name, *kind)) {
                    return Self { address, loading: started.elapsed(), program };
                }
                thread::sleep(Duration::from_millis(10));
            }
            println!("{make:?}: {}", program.log());
        }
        panic!("{make:?} does not serve");
    }
}

/// Starts an `enumd` by itself on a database that is there already, one thread, on a processor if one is given; gives where
/// it answers, over UDP and TCP.
#[track_caller]
pub fn enumd(
    path: &Path,
    directory: &Path,
    database: &Database,
    processor: Option<&str>,
) -> (Program, SocketAddr) {
    enumd_with(path, directory, database, processor, &[])
}

/// As [`enumd`], with settings of its environment.
#[track_caller]
pub fn enumd_with(
    path: &Path,
    directory: &Path,
    database: &Database,
    processor: Option<&str>,
    settings: &[(&str, &str)],
) -> (Program, SocketAddr) {
    let mut command = pinned(&path.display().to_string(), processor);
    command.current_dir(directory);
    for (key, value) in [
        ("ENUMD_DATABASE", database.url.as_str()),
        ("ENUMD_ADMIN", "127.0.0.1:0"),
        ("ENUMD_LISTEN__UDP", "[\"127.0.0.1:0\"]"),
        ("ENUMD_LISTEN__TCP", "[\"127.0.0.1:0\"]"),
        ("ENUMD_LIMITS__UDP_THREADS", "1"),
    ] {
        command.env(key, value);
    }
    command.envs(settings.iter().copied());
    let mut program = Program::start("enumd", command).expect("it starts");
    let address = program.wait_ready().expect("it is ready")["dns-udp"];
    (program, address)
}

fn pinned(program: &str, processor: Option<&str>) -> Command {
    match processor {
        Some(processor) => {
            let mut command = Command::new("taskset");
            command.args(["-c", processor, program]);
            command
        }
        None => Command::new(program),
    }
}

/// Whether a server has records of a type at a name.
#[must_use]
pub fn has(address: SocketAddr, name: &str, kind: RecordType) -> bool {
    let query = question(name, kind).to_vec().expect("a question");
    let answer = exchange_udp(address, &query, Duration::from_millis(200)).unwrap_or_default();
    // The number of answers.
    answer.get(6..8).is_some_and(|count| count != [0, 0])
}

impl Make {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Nsd, Self::Knot, Self::Bind];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nsd => "NSD",
            Self::Knot => "Knot",
            Self::Bind => "BIND",
        }
    }

    fn run(
        self,
        directory: &Path,
        port: u16,
        zones: &[(String, PathBuf)],
        processor: Option<&str>,
    ) -> Program {
        let text = self.configuration(&directory.display().to_string(), port, zones);
        let path = directory.join(format!("{}.conf", self.name()));
        fs::write(&path, text).expect("a configuration");
        let (name, arguments): (_, &[&str]) = match self {
            Self::Nsd => ("nsd", &["-d", "-c"]),
            Self::Knot => ("knotd", &["-c"]),
            Self::Bind => ("named", &["-g", "-4", "-n", "1", "-U", "1", "-c"]),
        };
        let mut command = pinned(name, processor);
        command.args(arguments).arg(path);
        Program::start_with(name, command, "TERM").expect("it starts")
    }

    /// One thread each, answers without what may be left out, no limits of rate.
    fn configuration(self, directory: &str, port: u16, zones: &[(String, PathBuf)]) -> String {
        let mut text = match self {
            Self::Nsd => format!(
                "server:\n  ip-address: 127.0.0.1@{port}\n  server-count: 1\n  tcp-count: 100\n  username: \"\"\n  \
                 chroot: \"\"\n  database: \"\"\n  zonesdir: \"{directory}\"\n  pidfile: \"{directory}/nsd.pid\"\n  \
                 xfrdfile: \"{directory}/xfrd.state\"\n  zonelistfile: \"{directory}/zone.list\"\n  \
                 xfrdir: \"{directory}\"\n  minimal-responses: yes\n  refuse-any: yes\n  rrl-ratelimit: 0\n  \
                 zonefiles-check: no\n  ipv4-edns-size: 1232\nremote-control:\n  control-enable: no\n"
            ),
            Self::Knot => format!(
                "server:\n  rundir: {directory}\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  tcp-workers: 1\n  \
                 background-workers: 1\n  udp-max-payload: 1232\ndatabase:\n  storage: {directory}\nlog:\n  \
                 - target: stderr\n    any: warning\ntemplate:\n  - id: default\n    zonefile-sync: -1\n    \
                 journal-content: none\n    semantic-checks: off\nzone:\n"
            ),
            Self::Bind => format!(
                "options {{\n  directory \"{directory}\";\n  listen-on port {port} {{ 127.0.0.1; }};\n  \
                 listen-on-v6 {{ none; }};\n  recursion no;\n  pid-file none;\n  lock-file none;\n  \
                 session-keyfile \"{directory}/session.key\";\n  managed-keys-directory \"{directory}\";\n  \
                 minimal-responses yes;\n  minimal-any yes;\n  dnssec-validation no;\n  allow-transfer {{ none; }};\n  \
                 notify no;\n  check-integrity no;\n  check-names primary ignore;\n  empty-zones-enable no;\n  tcp-clients 200;\n  \
                 max-udp-size 1232;\n  edns-udp-size 1232;\n}};\ncontrols {{ }};\n\
                 logging {{ channel few {{ stderr; severity warning; }}; category default {{ few; }}; }};\n"
            ),
        };
        for (zone, file) in zones {
            let file = file.display();
            match self {
                Self::Nsd => writeln!(text, "zone:\n  name: \"{zone}\"\n  zonefile: \"{file}\""),
                Self::Knot => writeln!(text, "  - domain: {zone}\n    file: {file}"),
                Self::Bind => {
                    writeln!(text, "zone \"{zone}\" {{ type primary; file \"{file}\"; }};")
                }
            }
            .expect("text");
        }
        text
    }
}
