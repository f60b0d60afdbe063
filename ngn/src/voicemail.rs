//! `ngn voicemail`: configuration for the voicemail server, which reads its mailboxes from the platform's database.

mod address;

use crate::database::Source;
use crate::say;
use address::Address;
use anyhow::{Context as _, bail, ensure};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tera::{Context, Tera};

/// The templates of the program: a file of the same name in `--templates` is taken instead.
const TEMPLATES: [(&str, &str); 7] = [
    ("extconfig.conf", include_str!("../templates/asterisk/extconfig.conf")),
    ("voicemail.conf", include_str!("../templates/asterisk/voicemail.conf")),
    ("extensions.conf", include_str!("../templates/asterisk/extensions.conf")),
    ("res_config_mysql.conf", include_str!("../templates/asterisk/res_config_mysql.conf")),
    ("res_odbc.conf", include_str!("../templates/asterisk/res_odbc.conf")),
    ("odbc.ini", include_str!("../templates/asterisk/odbc.ini")),
    ("res_config_sqlite3.conf", include_str!("../templates/asterisk/res_config_sqlite3.conf")),
];
/// Files that every Asterisk needs.
const ALWAYS: [&str; 3] = ["extconfig.conf", "voicemail.conf", "extensions.conf"];
/// Files that hold a password.
const SECRET: [&str; 2] = ["res_config_mysql.conf", "res_odbc.conf"];

/// What the platform and Asterisk agree about (schema/mysql, schema/sqlite).
const TABLE: &str = "voicemail_users";
/// By what Asterisk finds a mailbox.
const LOOKUP: [&str; 2] = ["mailbox", "context"];
/// What Asterisk writes, in the row that it finds by `uniqueid`.
const WRITTEN: [&str; 1] = ["password"];
/// The context of mailboxes that the platform makes, and their time zone: the defaults of the columns.
const DEFAULT_CONTEXT: &str = "default";
const DEFAULT_ZONE: &str = "central";

/// What to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Writes configuration files for Asterisk: extconfig.conf, voicemail.conf with the texts of mails, extensions.conf,
    /// and how it reaches the database.
    Asterisk(Asterisk),
}

#[derive(Debug, clap::Args)]
struct Asterisk {
    /// Where the files go; the directory is made.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    source: Source,
    /// Asterisk's own login, when it is not the platform's.
    #[arg(long, value_name = "NAME", requires = "database_password_file")]
    database_user: Option<String>,
    /// The file that holds its password.
    #[arg(long, value_name = "FILE", requires = "database_user")]
    database_password_file: Option<PathBuf>,
    /// Reaches MariaDB by ODBC (res_odbc.conf, odbc.ini), as Asterisk needs it that has no res_config_mysql.
    #[arg(long)]
    odbc: bool,
    /// Templates that are taken instead of the program's, each by its name; `--write-templates` writes those.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Writes the program's templates to --out, to be changed, instead of the files.
    #[arg(long, conflicts_with = "templates")]
    write_templates: bool,
    /// Configuration file of sipd, for the numbers that are dialled to listen to messages; without it DATA/sipd.toml if
    /// there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The sender of mails.
    #[arg(long, value_name = "ADDRESS", default_value = "voicemail@localhost")]
    from: String,
    /// Who sends them.
    #[arg(long, value_name = "NAME", default_value = "Voicemail")]
    company: String,
    /// The time zone of the dates that are announced and mailed.
    #[arg(long, value_name = "NAME", default_value = "UTC")]
    timezone: String,
    /// Replaces files that are there already.
    #[arg(long)]
    replace: bool,
}

/// Does it.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let Action::Asterisk(asterisk) = &options.action;
    let files = if asterisk.write_templates {
        TEMPLATES.map(|(name, text)| (name, text.to_owned())).to_vec()
    } else {
        asterisk.files()?
    };
    fs::create_dir_all(&asterisk.out)
        .with_context(|| format!("cannot create {} (--out)", asterisk.out.display()))?;
    for (name, text) in &files {
        let path = asterisk.out.join(name);
        let is_same = fs::read(&path).is_ok_and(|found| found == text.as_bytes());
        ensure!(
            is_same || asterisk.replace || !path.exists(),
            "{} is there already and differs; replace it with --replace",
            path.display()
        );
    }
    for (name, text) in &files {
        let mode = if SECRET.contains(name) && !asterisk.write_templates { 0o600 } else { 0o644 };
        let path = asterisk.out.join(name);
        write(&path, text, mode).with_context(|| format!("cannot write {}", path.display()))?;
        say(&path.display().to_string());
    }
    Ok(())
}

impl Asterisk {
    /// The files, by name.
    fn files(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let tera = templates(self.templates.as_deref())?;
        let zone = &self.timezone;
        jiff::tz::TimeZone::get(zone).with_context(|| {
            format!("there is no time zone `{zone}`; write one such as Europe/Vienna")
        })?;
        let mut database = Address::read(&self.source.url())?;
        if let (Some(user), Some(file)) = (&self.database_user, &self.database_password_file) {
            database.user.clone_from(user);
            let text = fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            database.password = text.trim_end_matches(['\r', '\n']).to_owned();
        }
        let (driver, more): (_, &[&str]) = match (database.file.is_empty(), self.odbc) {
            (true, false) => ("mysql", &["res_config_mysql.conf"]),
            (true, true) => ("odbc", &["res_odbc.conf", "odbc.ini"]),
            (false, false) => ("sqlite3", &["res_config_sqlite3.conf"]),
            (false, true) => bail!("--odbc is for MariaDB; SQLite's file is read without it"),
        };
        let mut context = Context::new();
        context.insert("driver", &driver);
        context.insert("connection", &"ngn");
        context.insert("table", &TABLE);
        context.insert("lookup", &LOOKUP);
        context.insert("written", &WRITTEN);
        context.insert("default_context", &DEFAULT_CONTEXT);
        context.insert("default_zone", &DEFAULT_ZONE);
        context.insert("database", &database);
        context.insert("from", &self.from);
        context.insert("company", &self.company);
        context.insert("timezone", &self.timezone);
        context.insert("access_numbers", &self.access_numbers()?);
        let render = |name: &'static str| {
            let text = tera.render(name, &context).with_context(|| format!("template {name}"))?;
            Ok((name, text))
        };
        TEMPLATES
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| ALWAYS.contains(name) || more.contains(name))
            .map(render)
            .collect()
    }

    /// What is dialled to listen to messages (B156), as it may stand in a dialplan.
    fn access_numbers(&self) -> anyhow::Result<Vec<String>> {
        let numbers = self.source.sipd(self.config.as_deref())?.proxy.voicemail_numbers;
        for number in &numbers {
            let is_dialled = |b: u8| b.is_ascii_digit() || b"*#".contains(&b);
            ensure!(
                !number.is_empty() && number.bytes().all(is_dialled),
                "`{number}` of proxy.voicemail_numbers cannot stand in a dialplan; digits, * and # can"
            );
        }
        ensure!(!numbers.is_empty(), "proxy.voicemail_numbers of sipd.toml names no number");
        Ok(numbers)
    }
}

/// The templates, those of a directory before the program's own.
fn templates(directory: Option<&Path>) -> anyhow::Result<Tera> {
    let mut tera = Tera::new();
    // Values cannot end a line or begin a comment, whatever a template does with them.
    tera.autoescape_on(vec![".conf", ".ini"]);
    tera.set_escape_fn(escape);
    for (name, text) in TEMPLATES {
        let own = directory.map(|directory| directory.join(name)).filter(|path| path.exists());
        let text = match &own {
            Some(path) => fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?,
            None => text.to_owned(),
        };
        tera.add_raw_template(name, &text).with_context(|| match own {
            Some(path) => format!("template {}", path.display()),
            None => format!("template {name}"),
        })?;
    }
    if let Some(directory) = directory {
        let entries = fs::read_dir(directory)
            .with_context(|| format!("cannot read {} (--templates)", directory.display()))?;
        for entry in entries {
            let name = entry?.file_name();
            let is_known = TEMPLATES.iter().any(|(known, _)| name == *known);
            ensure!(
                is_known,
                "{} is no template's name; the templates are {}",
                name.display(),
                TEMPLATES.map(|(known, _)| known).join(", ")
            );
        }
    }
    Ok(tera)
}

/// Writes a value as Asterisk's configuration has it: one line, and no comment (`;`).
fn escape(text: &str, output: &mut dyn std::io::Write) -> std::io::Result<()> {
    let line: String = text.chars().filter(|c| !c.is_control()).collect();
    output.write_all(line.replace(';', "\\;").as_bytes())
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().create_new(true).write(true).mode(mode).open(&new)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(())
}

#[cfg(test)]
mod tests;
