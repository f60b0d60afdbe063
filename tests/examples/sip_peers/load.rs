//! SIPp on the second processor.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ngn_tests::binaries::root;
use ngn_tests::net::free_port;
use ngn_tests::program::Program;

use crate::servers::{DOMAIN, Peer, password, user};

/// What is done again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cycle {
    /// A registration with its challenge.
    Register,
    /// A call with its challenge, answered and ended at once.
    Call,
    /// The same to a busy callee who diverts.
    Busy,
    /// OPTIONS to the server.
    Options,
}

impl Cycle {
    pub(crate) const ALL: [Self; 4] = [Self::Register, Self::Call, Self::Busy, Self::Options];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Register => "REGISTER",
            Self::Call => "call",
            Self::Busy => "diverted on 486",
            Self::Options => "OPTIONS",
        }
    }

    /// How many a second when processor time is measured: half of what one of Kamailio's workers holds, of OPTIONS a
    /// seventh too.
    pub(crate) const fn rates(self) -> &'static [u64] {
        match self {
            Self::Register => &[2_600],
            Self::Call => &[1_000],
            Self::Busy => &[850],
            Self::Options => &[6_700, 25_000],
        }
    }

    /// The first of them.
    pub(crate) fn rate(self) -> u64 {
        self.rates().first().copied().unwrap_or(1)
    }
}

/// What came of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Run {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    /// Messages that SIPp sent again.
    pub(crate) repeated: u64,
    /// How long it took.
    pub(crate) seconds: f64,
}

/// The one who loads.
#[derive(Debug)]
pub(crate) struct Load {
    directory: PathBuf,
    accounts: u64,
    /// Ports of those who answer and of those who are busy.
    answers: u16,
    busy: u16,
    /// Where the list of accounts goes on.
    next: u64,
}

impl Load {
    pub(crate) fn new(directory: &Path, accounts: u64) -> Self {
        let (answers, busy) = (free_port(), free_port());
        Self { directory: directory.to_owned(), accounts, answers, busy, next: 0 }
    }

    /// Runs so many cycles at a rate.
    pub(crate) fn run(&mut self, peer: &Peer, cycle: Cycle, rate: u64, count: u64) -> Run {
        let mut callees = Vec::new();
        if matches!(cycle, Cycle::Call | Cycle::Busy) {
            callees.push(("callee", self.sipp("callee", None, self.answers, &[])));
        }
        if cycle == Cycle::Busy {
            callees.push(("busy", self.sipp("busy", None, self.busy, &[])));
        }
        if !callees.is_empty() {
            std::thread::sleep(Duration::from_millis(500));
        }
        let file = match cycle {
            Cycle::Register => "register",
            Cycle::Call | Cycle::Busy => "caller",
            Cycle::Options => "options",
        };
        let fields = self.fields(cycle, count);
        let (rate_text, count_text) = (rate.to_string(), count.to_string());
        let most = (rate * 2).max(2_000).to_string();
        let mut more = vec!["-r", &rate_text, "-m", &count_text, "-l", &most];
        more.extend(["-s", DOMAIN, "-recv_timeout", "8000"]);
        if let Some(fields) = &fields {
            more.extend(["-inf", fields]);
        }
        let begun = Instant::now();
        let mut program = self.sipp(file, Some(peer.address), free_port(), &more);
        _ = program.wait_within(Duration::from_secs(count / rate + 60));
        let seconds = begun.elapsed().as_secs_f64();
        let mut run = Run { seconds, ..self.counts(file) };
        for (name, mut callee) in callees {
            _ = callee.stop();
            // What a callee had to send again counts too.
            run.repeated += self.counts(name).repeated;
        }
        run
    }

    fn sipp(&self, file: &str, to: Option<SocketAddr>, port: u16, more: &[&str]) -> Program {
        let mut command = Command::new("taskset");
        command.args(["-c", "1", "sipp"]);
        if let Some(to) = to {
            command.arg(to.to_string());
        }
        command.arg("-sf").arg(root().join(format!("tests/peers/load/{file}.xml")));
        command.args(["-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin", "-skip_rlimit"]);
        command.args(["-buff_size", "4194304", "-rtcheck", "loose", "-trace_stat", "-fd", "1"]);
        command.arg("-stf").arg(self.directory.join(format!("{file}.stat")));
        command.args(more).current_dir(&self.directory).env("TERM", "dumb");
        _ = fs::remove_file(self.directory.join(format!("{file}.stat")));
        Program::start_with("sipp", command, "TERM").expect("SIPp")
    }

    /// Writes the fields of the next cycles: accounts come in turn, callees are spread over their half.
    fn fields(&mut self, cycle: Cycle, count: u64) -> Option<String> {
        let half = self.accounts / 2;
        let mut text = String::from("SEQUENTIAL\n");
        for _ in 0..count.min(self.accounts) {
            let number = self.next % self.accounts;
            self.next += 1;
            let credentials =
                format!("[authentication username={} password={}]", user(number), password(number));
            let port = if number < half { self.answers } else { self.busy };
            let other = number.wrapping_mul(7_919) % half;
            let last = match cycle {
                Cycle::Options => return None,
                Cycle::Register => port.to_string(),
                Cycle::Call => user(other),
                Cycle::Busy => user(half + other),
            };
            text.push_str(&format!("{};{credentials};{last}\n", user(number)));
        }
        let path = self.directory.join("fields.csv");
        fs::write(&path, text).expect("the fields");
        Some(path.display().to_string())
    }

    fn counts(&self, file: &str) -> Run {
        let path = self.directory.join(format!("{file}.stat"));
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap_or_default().split(';').collect();
        let last: Vec<&str> = lines.last().unwrap_or_default().split(';').collect();
        let column = |name: &str| -> u64 {
            let at = names.iter().position(|n| *n == name);
            at.and_then(|at| last.get(at)?.parse().ok()).unwrap_or(0)
        };
        Run {
            succeeded: column("SuccessfulCall(C)"),
            failed: column("FailedCall(C)"),
            repeated: column("Retransmissions(C)"),
            seconds: 0.0,
        }
    }
}
