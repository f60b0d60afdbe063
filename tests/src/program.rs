//! Running a program: its output is kept, and it ends when the test ends, however that ends.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Longest time that a program may take to start or to stop.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// [`PATIENCE`], or the seconds that `NGN_TEST_PATIENCE` says: for programs that have very much to load.
fn patience() -> Duration {
    let seconds = std::env::var("NGN_TEST_PATIENCE").ok().and_then(|text| text.parse().ok());
    seconds.map_or(PATIENCE, Duration::from_secs)
}

/// A running program.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    stdin: Option<ChildStdin>,
}

impl Program {
    /// Starts a program. It receives SIGKILL when this process ends.
    pub fn start(name: &str, command: Command) -> Result<Self> {
        Self::start_with(name, command, "KILL")
    }

    /// Starts a program that receives the given signal when this process ends; TERM for one that has to end
    /// children of its own.
    pub fn start_with(name: &str, command: Command, signal: &str) -> Result<Self> {
        let mut wrapped = Command::new("setpriv");
        wrapped.args(["--pdeathsig", signal, "--"]);
        wrapped.arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => wrapped.env(key, value),
                None => wrapped.env_remove(key),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            wrapped.current_dir(directory);
        }
        wrapped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(wrapped).with_context(|| format!("starting {name}"))?;
        let output = Arc::new(Mutex::new(Vec::new()));
        if let Some(stdout) = child.stdout.take() {
            collect(stdout, Arc::clone(&output));
        }
        if let Some(stderr) = child.stderr.take() {
            collect(stderr, Arc::clone(&output));
        }
        let stdin = child.stdin.take();
        Ok(Self { name: name.to_owned(), child, output, stdin })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far, both streams.
    #[must_use]
    pub fn log(&self) -> String {
        self.output.lock().map(|lines| lines.join("\n")).unwrap_or_default()
    }

    /// Writes a line to its standard input.
    pub fn type_line(&mut self, line: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("standard input is closed")?;
        writeln!(stdin, "{line}")?;
        Ok(stdin.flush()?)
    }

    /// Waits for a line that the function likes, and gives what it made of it.
    pub fn wait_for<T>(&mut self, what: &str, pick: impl Fn(&str) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + patience();
        loop {
            if let Ok(lines) = self.output.lock()
                && let Some(found) = lines.iter().find_map(|line| pick(line))
            {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                // Its last words may still be on their way.
                thread::sleep(Duration::from_millis(50));
                bail!("{} ended with {status} before {what}:\n{}", self.name, self.log());
            }
            if Instant::now() > deadline {
                bail!("{} said nothing of {what} in time:\n{}", self.name, self.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the line `ready key=address …` and gives its addresses.
    pub fn wait_ready(&mut self) -> Result<HashMap<String, SocketAddr>> {
        self.wait_for("being ready", |line| {
            let words = line.trim().strip_prefix("ready ")?;
            words
                .split_whitespace()
                .map(|word| {
                    let (key, address) = word.split_once('=')?;
                    Some((key.to_owned(), address.parse().ok()?))
                })
                .collect()
        })
    }

    /// Ends it without a word, as a power cut would.
    pub fn kill(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }

    /// Asks it to end (SIGTERM) and waits for it.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.signal("TERM")?;
        self.wait()
    }

    /// Waits for it to end by itself.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.wait_within(PATIENCE)
    }

    /// Waits for it to end by itself, no longer than this; then it is killed.
    pub fn wait_within(&mut self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                self.kill();
                bail!("{} did not end in time:\n{}", self.name, self.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) -> Result<()> {
        let status =
            Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status()?;
        ensure!(status.success(), "{} was gone before SIG{name}:\n{}", self.name, self.log());
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let running = self.is_running();
        self.kill();
        if thread::panicking() {
            // The harness shows it with the failed test.
            println!(
                "---- {} ({}) ----\n{}",
                self.name,
                if running { "killed" } else { "had ended" },
                self.log()
            );
        }
    }
}

/// Runs a command to its end; an error carries everything it wrote.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running {}", command.get_program().display()))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{} ended with {}:\n{stdout}{}",
        command.get_program().display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(stdout)
}

fn collect(stream: impl Read + Send + 'static, into: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if let Ok(mut lines) = into.lock() {
                lines.push(text);
            }
            line.clear();
        }
    });
}

type Order = (Command, mpsc::Sender<std::io::Result<Child>>);

/// Spawns from one thread that lives as long as the process: a "parent death signal" is sent when the *thread* that
/// spawned ends, and a test's own thread ends with the test.
fn spawn(command: Command) -> Result<Child> {
    static ORDERS: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in receiver {
                _ = reply.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let (reply, child) = mpsc::channel();
    orders
        .lock()
        .map_err(|_| anyhow::anyhow!("the spawning thread has panicked"))?
        .send((command, reply))?;
    Ok(child.recv()??)
}
