//! `ngn test-routes`: routing cases kept as data, each with what must become of its call.

use crate::say;
use anyhow::Context as _;
use ngn_daemon::config::{invalid, nearest};
use ngn_routing::cases::{Cases, CasesError, Verdict};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How many known names are listed when none is near.
const LISTED: usize = 12;

/// Which cases.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Files of cases (TOML; doc/routing-cases.md).
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Only cases with this text in their name.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Shows only the cases that fail.
    #[arg(long, short)]
    quiet: bool,
    /// Shows the plan of every case with its reasons, not only of those that fail.
    #[arg(long)]
    why: bool,
}

/// How the cases ended.
#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    unreadable: usize,
}

/// Runs them: exit code 0 when all pass, 1 when one fails, 2 when a file cannot be read.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut counts = Counts::default();
    for file in &options.files {
        match read(file) {
            Ok(cases) => judge(options, file, &cases, &mut counts),
            Err(error) => {
                counts.unreadable += 1;
                crate::complain(&error);
            }
        }
    }
    let Counts { passed, failed, unreadable } = counts;
    anyhow::ensure!(
        passed + failed + unreadable > 0,
        "no case has `{}` in its name",
        options.only.as_deref().unwrap_or_default()
    );
    let unread = match unreadable {
        0 => String::new(),
        1 => ", 1 file cannot be read".to_owned(),
        more => format!(", {more} files cannot be read"),
    };
    say(&format!("{passed} passed, {failed} failed{unread}"));
    Ok(match (unreadable, failed) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::FAILURE,
        _ => ExitCode::from(2),
    })
}

fn judge(options: &Options, file: &Path, cases: &Cases, counts: &mut Counts) {
    for verdict in cases.run() {
        let name = &verdict.case.name;
        if options.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let title = format!("{}: {name}", file.display());
        if verdict.difference.is_some() {
            counts.failed += 1;
            say(&format!("FAIL  {title}\n{}", failure(&verdict)));
        } else {
            counts.passed += 1;
            if !options.quiet {
                say(&format!("ok    {title}"));
            }
            if options.why {
                say(&indented(&plan(&verdict)));
            }
        }
    }
}

/// What differs, and why the plan is as it is.
fn failure(verdict: &Verdict<'_>) -> String {
    let call = &verdict.case.call;
    let mut text = format!("{} calls {}", call.from, call.to);
    let rules = verdict.case.rules.join(", ");
    if !rules.is_empty() {
        text += &format!(" ({rules})");
    }
    if let Some(difference) = &verdict.difference {
        text += &format!("\n- expected, + found:\n{difference}\nThe plan:\n{}", plan(verdict));
    }
    indented(text.trim_end())
}

fn plan(verdict: &Verdict<'_>) -> String {
    verdict.plan.as_ref().map(|plan| plan.to_string().trim_end().to_owned()).unwrap_or_default()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("      {line}")).collect::<Vec<_>>().join("\n")
}

/// Reads a file; what is wrong comes with its line and what may have been meant.
fn read(file: &Path) -> anyhow::Result<Cases> {
    let origin = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {origin}"))?;
    match Cases::read(&text) {
        Ok(cases) => {
            anyhow::ensure!(!cases.cases.is_empty(), "{origin} has no [[case]]");
            Ok(cases)
        }
        Err(CasesError::Syntax(error)) => Err(invalid(&text, &origin, &error).into()),
        Err(error) => {
            let hint = if let CasesError::Unknown { value, known, .. } = &error {
                hint(value, known)
            } else {
                String::new()
            };
            anyhow::bail!("{origin}, {error}{hint}")
        }
    }
}

fn hint(value: &str, known: &[String]) -> String {
    match nearest(value, known.iter().map(String::as_str)) {
        Some(near) => format!(", did you mean `{near}`?"),
        None if known.is_empty() => "; there are none".to_owned(),
        None => {
            let listed: Vec<&str> = known.iter().take(LISTED).map(String::as_str).collect();
            let more = if known.len() > LISTED { ", …" } else { "" };
            format!("; known here: {}{more}", listed.join(", "))
        }
    }
}
