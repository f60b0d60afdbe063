//! The two databases that every test runs on.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::binaries::root;
use crate::program::{Program, run};

/// Which database a platform stores in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A file.
    Sqlite,
    /// A database of its own in a throw-away server.
    MariaDb,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::MariaDb => "MariaDB",
        })
    }
}

/// Runs a statement on an SQLite file: the path and the statement are the arguments.
const SQLITE: &str = r#"
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as db:
    for row in db.execute(sys.argv[2]):
        print("\t".join("NULL" if value is None else str(value) for value in row))
"#;

/// Writes all rows of an SQLite file but those of some tables: the path and the tables are the arguments.
const SQLITE_DUMP: &str = r#"
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as db:
    tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1")
    for (table,) in tables.fetchall():
        if table not in sys.argv[2:]:
            for row in db.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2'):
                print(ascii((table, *row)))
"#;

/// A database of one platform.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its URL, as the programs take it.
    pub url: String,
    /// Its name in the server; none for a file.
    pub name: Option<String>,
    /// The socket of its server; none for a file.
    socket: Option<String>,
}

impl Database {
    /// Creates an empty database; a file lies in the given directory.
    #[must_use]
    pub fn create(backend: Backend, directory: &Path) -> Self {
        match backend {
            Backend::Sqlite => Self {
                url: format!("sqlite:{}", directory.join("platform.sqlite").display()),
                name: None,
                socket: None,
            },
            Backend::MariaDb => Self::create_on(Server::shared()),
        }
    }

    /// Creates an empty database in a server.
    #[must_use]
    pub fn create_on(server: &Server) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ngn_{}_{number}", std::process::id());
        _ = server.sql(&format!("create database {name} character set utf8mb4"));
        let url = format!("{}{name}", server.url);
        Self { url, name: Some(name), socket: Some(server.socket.clone()) }
    }

    /// Removes a database from the server; a file goes with its directory.
    pub fn discard(&self) {
        if let (Some(name), Some(socket)) = (&self.name, &self.socket) {
            // While a test fails this may fail as well; what the test says matters more.
            _ = try_sql(socket, &format!("drop database if exists {name}"));
        }
    }

    /// Runs a statement and gives the rows, tab separated.
    #[must_use]
    pub fn sql(&self, statement: &str) -> String {
        match (&self.name, &self.socket) {
            (Some(name), Some(socket)) => {
                try_sql(socket, &format!("use {name}; {statement}")).expect("the statement runs")
            }
            _ => {
                let path = self.url.strip_prefix("sqlite:").expect("the address of a file");
                let mut python = Command::new("python3");
                python.args(["-c", SQLITE, path, statement]);
                run(&mut python).expect("the statement runs")
            }
        }
    }

    /// Every row of every table, one in a line that begins with the table's name; without those of some tables.
    #[must_use]
    pub fn dump(&self, except: &[&str]) -> String {
        let (Some(name), Some(socket)) = (&self.name, &self.socket) else {
            let path = self.url.strip_prefix("sqlite:").expect("the address of a file");
            let mut python = Command::new("python3");
            return run(python.args(["-c", SQLITE_DUMP, path]).args(except)).expect("the rows");
        };
        let tables = self.sql("SHOW TABLES");
        let tables = tables.lines().filter(|table| !except.contains(table));
        let rows: String =
            tables.map(|it| format!("SELECT '{it}', t.* FROM `{it}` t ORDER BY 2, 3;")).collect();
        // Without --raw, so that a row stays in one line.
        let arguments = ["--no-defaults", "-uroot", "-N", "-B", "-S", socket, "-e", &rows];
        run(Command::new("mariadb").args(arguments).arg(name)).expect("the rows")
    }
}

/// The throw-away MariaDB server.
#[derive(Debug)]
pub struct Server {
    /// `mysql://root@127.0.0.1:PORT/`.
    pub url: String,
    /// The path of its socket.
    pub socket: String,
    /// Ours to end; none when `make verify` started it.
    _program: Option<std::sync::Mutex<Program>>,
}

impl Server {
    /// The server that all tests of this process share: the one that the environment names, else one that lives as
    /// long as this process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| {
            let given = |name| std::env::var(name).ok();
            match (given("NGN_TEST_MYSQL_URL"), given("NGN_TEST_MYSQL_SOCKET")) {
                (Some(url), Some(socket)) => Self { url, socket, _program: None },
                _ => Self::start(),
            }
        })
    }

    /// A server of one's own, that ends with this value.
    #[must_use]
    pub fn start() -> Self {
        let mut command = Command::new(root().join("tests/bin/with-mariadb"));
        // `cat` ends, and the server with it, when our end of the pipe closes.
        command.args([
            "sh",
            "-c",
            "echo \"server $NGN_TEST_MYSQL_URL $NGN_TEST_MYSQL_SOCKET\"; exec cat",
        ]);
        let mut program = Program::start_with("MariaDB", command, "TERM").expect("MariaDB");
        let (url, socket) = program
            .wait_for("its address", |line| {
                let (url, socket) = line.strip_prefix("server ")?.split_once(' ')?;
                Some((url.to_owned(), socket.to_owned()))
            })
            .expect("MariaDB starts");
        Self { url, socket, _program: Some(std::sync::Mutex::new(program)) }
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url
            .trim_end_matches('/')
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("a port in the URL")
    }

    /// Runs SQL and gives the rows, tab separated.
    #[must_use]
    pub fn sql(&self, statement: &str) -> String {
        try_sql(&self.socket, statement).expect("the statement runs")
    }
}

fn try_sql(socket: &str, statement: &str) -> anyhow::Result<String> {
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "-uroot", "-N", "-B", "--raw", "-S", socket, "-e", statement]);
    run(&mut client)
}
