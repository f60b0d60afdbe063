//! Running SIPp with the scenarios of `tests/sip/`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::binaries::root;
use crate::net::free_port;
use crate::program::Program;

/// One run of a scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    name: String,
    remote: SocketAddr,
    arguments: Vec<String>,
    directory: PathBuf,
    calls: u32,
    port: u16,
}

/// What a finished run counted, from its own statistics file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Calls that went through the scenario as written.
    pub successful: u64,
    /// Calls that did not.
    pub failed: u64,
}

impl Scenario {
    /// A scenario of `tests/sip/NAME.xml` against an address; its files go to the directory.
    #[must_use]
    pub fn new(name: &str, remote: SocketAddr, calls: u32, directory: &Path) -> Self {
        Self {
            name: name.to_owned(),
            remote,
            arguments: Vec::new(),
            directory: directory.to_owned(),
            calls,
            port: free_port(),
        }
    }

    /// The port that it speaks from, and listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The run with further arguments.
    #[must_use]
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&a| a.to_owned()));
        self
    }

    /// The run with lines of fields for its calls, first line first.
    #[must_use]
    pub fn fields(self, lines: &[String]) -> Self {
        let path = self.directory.join(format!("{}.csv", self.name));
        fs::write(&path, format!("SEQUENTIAL\n{}\n", lines.join("\n"))).expect("the field file");
        let path = path.display().to_string();
        self.with(&["-inf", &path])
    }

    /// Starts it.
    pub fn start(&self) -> Result<Running> {
        let statistics = self.directory.join(format!("{}.stat.csv", self.name));
        let errors = self.directory.join(format!("{}.errors.log", self.name));
        let mut command = Command::new("sipp");
        command.arg(self.remote.to_string());
        command.arg("-sf").arg(root().join("tests/sip").join(format!("{}.xml", self.name)));
        command.args(["-i", "127.0.0.1", "-p", &self.port.to_string()]);
        command.args(["-m", &self.calls.to_string(), "-nostdin", "-nd"]);
        command.args(["-trace_stat", "-stf"]).arg(&statistics);
        command.args(["-trace_err", "-error_file"]).arg(&errors);
        command.args(&self.arguments).current_dir(&self.directory);
        let program = Program::start(&format!("sipp {}", self.name), command)?;
        Ok(Running { program, statistics, errors })
    }

    /// Runs it to its end: all calls must succeed.
    pub fn run(&self) -> Result<Counts> {
        let counts = self.start()?.finish()?;
        ensure!(
            counts.successful == u64::from(self.calls),
            "{}: {counts:?} of {} calls",
            self.name,
            self.calls
        );
        Ok(counts)
    }
}

/// A running scenario.
#[derive(Debug)]
pub struct Running {
    /// The program.
    pub program: Program,
    statistics: PathBuf,
    errors: PathBuf,
}

impl Running {
    /// Waits for its end; an error when any call failed or any message was unexpected.
    pub fn finish(mut self) -> Result<Counts> {
        let status = self.program.wait_within(Duration::from_secs(180))?;
        let errors = fs::read_to_string(&self.errors).unwrap_or_default();
        ensure!(
            status.success(),
            "sipp ended with {status}:\n{}\n{}",
            tail(&errors),
            tail(&self.program.log())
        );
        let counts = counts(&self.statistics)?;
        // SIPp also writes there that it came to its own turn late, which is about the machine.
        let is_event = |line: &&str| {
            !line.is_empty()
                && *line != "The following events occurred:"
                && !line.contains("Overload warning")
        };
        let events = errors.lines().filter(is_event).count();
        ensure!(counts.failed == 0 && events == 0, "{counts:?}:\n{}", tail(&errors));
        Ok(counts)
    }
}

fn counts(statistics: &Path) -> Result<Counts> {
    let text = fs::read_to_string(statistics).context("sipp left no statistics")?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().context("no header line")?.split(';').collect();
    let last: Vec<&str> = lines.last().context("no statistics line")?.split(';').collect();
    let column = |name: &str| -> Result<u64> {
        let at = names.iter().position(|n| *n == name).with_context(|| format!("no {name}"))?;
        Ok(last.get(at).context("a short line")?.parse()?)
    };
    Ok(Counts { successful: column("SuccessfulCall(C)")?, failed: column("FailedCall(C)")? })
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(60)..).unwrap_or_default().join("\n")
}
