//! An authority and what it issues, made by openssl.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use crate::program::{Program, run};

/// An authority that nobody else believes; its files go with it.
#[derive(Debug)]
pub struct Authority {
    directory: TempDir,
}

/// A certificate and its key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate's file.
    pub certificate: PathBuf,
    /// The key's file.
    pub key: PathBuf,
}

impl Authority {
    /// Makes one.
    pub fn new() -> Result<Self> {
        let this = Self { directory: tempfile::tempdir()? };
        let mut command = this.request("authority", "CN=an authority of a test");
        run(command.args(["-addext", "keyUsage=critical,keyCertSign"]))?;
        Ok(this)
    }

    /// Its own certificate's file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    /// Issues a certificate for names such as `DNS:sip.example` and `IP:127.0.0.1`, in files of that name.
    pub fn issue(&self, file: &str, names: &str) -> Result<Issued> {
        let mut command = self.request(file, "CN=issued");
        command
            .arg("-CA")
            .arg(self.file())
            .arg("-CAkey")
            .arg(self.directory.path().join("authority.key"));
        command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        run(command.args(["-addext", &format!("subjectAltName={names}")]))?;
        let path = |kind| self.directory.path().join(format!("{file}.{kind}"));
        Ok(Issued { certificate: path("pem"), key: path("key") })
    }

    fn request(&self, file: &str, subject: &str) -> Command {
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        command.args(["-nodes", "-days", "2", "-subj", &format!("/{subject}")]);
        command.arg("-keyout").arg(self.directory.path().join(format!("{file}.key")));
        command.arg("-out").arg(self.directory.path().join(format!("{file}.pem")));
        command
    }

    /// Connects with openssl, which ends when the server is not `name` by a certificate of this authority; what is typed goes
    /// to the server, with CRLF.
    pub fn connect(&self, server: SocketAddr, name: &str) -> Result<Program> {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-crlf", "-connect", &server.to_string()]);
        command.args(["-servername", name, "-verify_hostname", name, "-verify_return_error"]);
        command.arg("-CAfile").arg(self.file());
        Program::start("openssl s_client", command)
    }
}
