//! Linphone as a phone: `linphonec`, which takes commands on its standard input and says there what happens.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::program::Program;

/// How long a test waits for something to happen on the phone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Linphone.
#[derive(Debug)]
pub struct Linphone {
    /// The program.
    pub program: Program,
    /// How much of what it said has been looked at.
    seen: usize,
}

impl Linphone {
    /// Starts a phone and registers it with the proxy; `answer` makes it take calls by itself.
    pub fn start(
        directory: &Path,
        address: &str,
        password: &str,
        proxy: SocketAddr,
        transport: &str,
        answer: bool,
    ) -> Result<Self> {
        let (user, domain) = address.split_once('@').context("user@domain")?;
        let home = directory.join(format!("linphone-{user}"));
        fs::create_dir_all(home.join(".local/share/linphone"))?;
        let config = home.join("linphonerc");
        // A certificate is for a name.
        let proxy = match transport {
            "tls" => format!("localhost:{}", proxy.port()),
            _ => proxy.to_string(),
        };
        // Ports that the system chooses, no video, and who is believed over TLS.
        fs::write(
            &config,
            format!(
                "[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\nuse_ipv6=0\ndefault_proxy=0\n\
                 register_only_when_network_is_up=0\nroot_ca={}\nverify_server_certs=1\nverify_server_cn=1\n\
                 [rtp]\naudio_rtp_port=-1\nvideo_rtp_port=-1\n[video]\nenabled=0\ncapture=0\ndisplay=0\n\
                 [proxy_0]\nreg_proxy=<sip:{proxy};transport={transport}>\n\
                 reg_route=<sip:{proxy};transport={transport};lr>\nreg_identity=sip:{address}\n\
                 reg_expires=600\nreg_sendregister=1\n\
                 [auth_info_0]\nusername={user}\npasswd={password}\nrealm={domain}\n",
                directory.join("authority.pem").display()
            ),
        )?;
        // It holds back what it says unless it is told to send each line.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "linphonec"]).arg("-c").arg(&config);
        command.arg("-d").arg("1").arg("-l").arg(home.join("log"));
        if answer {
            command.arg("-a");
        }
        command.env("HOME", &home);
        let program = Program::start(&format!("linphone {user}"), command)?;
        let mut this = Self { program, seen: 0 };
        // No sound card: it plays to nobody.
        this.command("soundcard use files")?;
        this.wait_for("Using wav files")?;
        this.ask_until("status register", "registered, identity")?;
        Ok(this)
    }

    /// Gives a command, such as `call sip:somebody@example.com`.
    pub fn command(&mut self, command: &str) -> Result<()> {
        self.program.type_line(command)
    }

    /// Waits until it says these words; what it said before is passed over.
    pub fn wait_for(&mut self, words: &str) -> Result<()> {
        self.wait(None, words)
    }

    /// Gives a command again and again until it says these words.
    fn ask_until(&mut self, command: &str, words: &str) -> Result<()> {
        self.wait(Some(command), words)
    }

    fn wait(&mut self, command: Option<&str>, words: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(command) = command {
                self.command(command)?;
                thread::sleep(Duration::from_millis(100));
            }
            let log = self.program.log();
            let new = log.get(self.seen..).unwrap_or_default();
            if let Some(at) = new.find(words) {
                self.seen += at + words.len();
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("no `{words}` from Linphone:\n{}", self.program.log());
    }
}
