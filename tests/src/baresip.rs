//! baresip as a phone: a configuration of its own, no sound card, controlled over its TCP interface.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::net::free_port;
use crate::platform::eventually_ok;
use crate::program::Program;

/// How long a test waits for something to happen on the phone.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the Debian package puts the modules.
const MODULES: [&str; 3] = [
    "/usr/lib/baresip/modules",
    "/usr/lib/x86_64-linux-gnu/baresip/modules",
    "/usr/local/lib/baresip/modules",
];

/// A running baresip.
#[derive(Debug)]
pub struct Baresip {
    /// The program.
    pub program: Program,
    control: TcpStream,
    unread: Vec<u8>,
}

impl Baresip {
    /// Starts a phone that registers with the proxy; `answer` makes it take calls by itself.
    pub fn start(
        directory: &Path,
        address: &str,
        password: &str,
        proxy: SocketAddr,
        transport: &str,
        answer: bool,
    ) -> Result<Self> {
        let (user, _) = address.split_once('@').context("user@domain")?;
        let home = directory.join(format!("baresip-{user}"));
        fs::create_dir_all(&home)?;
        let modules = MODULES.iter().find(|m| Path::new(m).is_dir()).context("no modules")?;
        let control = SocketAddr::from(([127, 0, 0, 1], free_port()));
        // aubridge is a sound card made of memory: it plays to nobody and records silence.
        fs::write(
            home.join("config"),
            format!(
                "poll_method epoll\nsip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\n\
                 audio_player aubridge,player\naudio_source aubridge,source\naudio_alert aubridge,alert\n\
                 ctrl_tcp_listen {control}\nmodule_path {modules}\nmodule g711.so\nmodule aubridge.so\n\
                 module_tmp account.so\nmodule_app ctrl_tcp.so\nmodule_app menu.so\n"
            ),
        )?;
        // Who is believed over TLS, when there is somebody.
        let authority = directory.join("authority.pem");
        if authority.exists() {
            let mut config = fs::OpenOptions::new().append(true).open(home.join("config"))?;
            writeln!(config, "sip_cafile {}\nsip_verify_server yes", authority.display())?;
        }
        let mode = if answer { "auto" } else { "manual" };
        fs::write(
            home.join("accounts"),
            format!(
                "<sip:{address};transport={transport}>;auth_user={user};auth_pass={password};\
                 outbound=\"sip:{proxy};transport={transport}\";regint=600;answermode={mode}\n"
            ),
        )?;
        fs::write(home.join("contacts"), "")?;
        let mut command = Command::new("baresip");
        command.arg("-4").arg("-f").arg(&home);
        let program = Program::start(&format!("baresip {user}"), command)?;
        let stream = eventually_ok("baresip's control port", || Ok(TcpStream::connect(control)?));
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        Ok(Self { program, control: stream, unread: Vec::new() })
    }

    /// Gives a command, such as `dial` with an address.
    pub fn command(&mut self, command: &str, parameters: &str) -> Result<()> {
        let text = json!({ "command": command, "params": parameters }).to_string();
        write!(self.control, "{}:{text},", text.len())?;
        Ok(self.control.flush()?)
    }

    /// Waits for an event of that type and gives it.
    pub fn wait_event(&mut self, kind: &str) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while Instant::now() < deadline {
            while let Some(message) = self.next_message()? {
                if message.get("type").and_then(Value::as_str) == Some(kind) {
                    return Ok(message);
                }
                seen.push(message);
            }
            let mut buffer = [0; 4096];
            match self.control.read(&mut buffer) {
                Ok(0) => bail!("baresip closed its control port:\n{}", self.program.log()),
                Ok(length) => {
                    self.unread.extend_from_slice(buffer.get(..length).unwrap_or_default())
                }
                Err(_) => {}
            }
        }
        bail!("no {kind} from baresip, but {seen:?}:\n{}", self.program.log())
    }

    /// Waits until the phone says in its log that it is registered.
    pub fn wait_registered(&mut self) -> Result<()> {
        self.program.wait_for("its registration", |line| line.contains("} 200 OK").then_some(()))
    }

    /// The next whole netstring, if one is there.
    fn next_message(&mut self) -> Result<Option<Value>> {
        let Some(colon) = self.unread.iter().position(|&byte| byte == b':') else {
            return Ok(None);
        };
        let length: usize =
            std::str::from_utf8(self.unread.get(..colon).unwrap_or_default())?.parse()?;
        let end = colon + 1 + length;
        if self.unread.len() <= end {
            return Ok(None);
        }
        let message = serde_json::from_slice(self.unread.get(colon + 1..end).unwrap_or_default())?;
        self.unread.drain(..=end);
        Ok(Some(message))
    }
}
