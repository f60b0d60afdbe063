//! `ngn journal`: who changed what.

use crate::database::Source;
use anyhow::Context as _;
use ngn_daemon::wall_clock;
use ngn_model::{CustomerId, Entity, Position};
use ngn_store::{AuditQuery, AuditRow, utc};
use serde_json::{Value, json};
use std::io::{ErrorKind, IsTerminal as _, Write};

/// Which changes to list.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
    /// One position, with its record before and after.
    #[arg(value_name = "POSITION")]
    position: Option<u64>,
    /// Only this kind of record, such as `sip_account`.
    #[arg(long, value_name = "KIND", value_parser = entity)]
    entity: Option<Entity>,
    /// Only the record with this key, such as alice@example.net.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Only changes by or in the name of this customer, of its own record, and of records that name it as owner.
    #[arg(long, value_name = "ID")]
    customer: Option<CustomerId>,
    /// Only changes by this login.
    #[arg(long, value_name = "NAME")]
    login: Option<String>,
    /// Only changes by this operation, such as Sip:addAccount.
    #[arg(long, value_name = "PORT:NAME")]
    operation: Option<String>,
    /// Only changes since then: 2026-05-17, 2026-05-17T08:30:00Z (UTC), or 90s, 15m, 2h, 3d, 1w ago.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<i64>,
    /// Only changes until then.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<i64>,
    /// Only positions before this one: the next page begins before the last line of this one.
    #[arg(long, value_name = "POSITION")]
    before: Option<u64>,
    /// Only positions after this one.
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    /// How many changes at most; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
    /// Also what only tells servers that something changed (`zone`, `rrset`).
    #[arg(long)]
    all: bool,
    /// One JSON object on each line, with the records before and after.
    #[arg(long)]
    json: bool,
}

/// Rows that are read at once.
const PAGE: u32 = 500;
/// Characters of a change that a line of a terminal shows.
const SHOWN: usize = 100;

/// Lists them.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let store = options.source.open().await?;
    let mut wanted = AuditQuery {
        before: options.before.map(Position),
        after: options.after.map(Position),
        entity: options.entity,
        key: options.key.clone(),
        login: options.login.clone(),
        operation: options.operation.clone(),
        customer: options.customer,
        since: options.since,
        until: options.until,
    };
    if let Some(position) = options.position {
        wanted.before = Some(Position(position.saturating_add(1)));
        wanted.after = Some(Position(position.saturating_sub(1)));
    }
    let one = options.position.is_some();
    let mut out = Output { json: options.json, one, cut: std::io::stdout().is_terminal() };
    let mut left = if options.limit == 0 { u64::MAX } else { options.limit };
    let mut any = false;
    'pages: loop {
        let rows = store.audit(&wanted, PAGE).await.context("cannot read the journal")?;
        let whole = rows.len() == PAGE as usize;
        wanted.before = rows.last().map(|row| row.position);
        for row in rows {
            let telling = row.before.is_none() && row.after.is_none();
            if telling && !options.all && !one && options.entity.is_none() {
                continue;
            }
            if left == 0 {
                break 'pages;
            }
            left -= 1;
            match out.row(&row, !any) {
                Ok(()) => any = true,
                // Who reads no further wants no more.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => break 'pages,
                Err(error) => return Err(error.into()),
            }
        }
        if !whole {
            break;
        }
    }
    store.close().await;
    if let Some(position) = options.position.filter(|_| !any) {
        anyhow::bail!("the journal has no position {position}");
    }
    Ok(())
}

struct Output {
    json: bool,
    one: bool,
    cut: bool,
}

impl Output {
    fn row(&mut self, row: &AuditRow, first: bool) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            return writeln!(out, "{}", as_json(row));
        }
        if self.one {
            return write!(out, "{}", in_full(row));
        }
        if first {
            let (at, who, by, what) = ("time (UTC)", "login", "operation", "record");
            writeln!(out, "{:>8}  {at:<19}  {who:<16}  {by:<22}  {what:<40}  change", "position")?;
        }
        let who = match row.impersonated {
            Some(customer) => format!("{} as {customer}", row.login),
            None => row.login.clone(),
        };
        let record = format!("{} {}", row.entity, row.key);
        let mut change = change(row);
        if self.cut && change.chars().count() > SHOWN {
            change = change.chars().take(SHOWN - 1).chain(['…']).collect();
        }
        let at = utc(row.at);
        let line = format!(
            "{:>8}  {at:<19}  {who:<16}  {:<22}  {record:<40}  {change}",
            row.position.0, row.operation
        );
        writeln!(out, "{}", printable(&line))
    }
}

/// Nothing in the journal may steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn record(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

fn as_json(row: &AuditRow) -> Value {
    json!({
        "position": row.position.0, "at": format!("{}Z", utc(row.at).replace(' ', "T")), "login": row.login,
        "impersonated": row.impersonated, "source": row.source, "operation": row.operation,
        "entity": row.entity, "key": row.key, "zone": row.zone,
        "before": record(row.before.as_deref()), "after": record(row.after.as_deref()),
    })
}

fn in_full(row: &AuditRow) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        text.push_str(&printable(&format!("{name:<13} {value}")));
        text.push('\n');
    };
    line("position", &row.position.to_string());
    line("time (UTC)", &utc(row.at));
    line("login", &row.login);
    if let Some(customer) = row.impersonated {
        line("in name of", &customer.to_string());
    }
    line("from", &row.source);
    line("operation", &row.operation);
    line("record", &format!("{} {}", row.entity, row.key));
    if let Some(zone) = &row.zone {
        line("serial of", zone);
    }
    for (name, value) in
        [("before", record(row.before.as_deref())), ("after", record(row.after.as_deref()))]
    {
        match value {
            Value::Object(members) => {
                for (member, value) in members {
                    line(name, &format!("{member}: {value}"));
                }
            }
            Value::Null => line(name, "-"),
            other => line(name, &other.to_string()),
        }
    }
    text
}

/// What changed, in one line.
fn change(row: &AuditRow) -> String {
    let (before, after) = (record(row.before.as_deref()), record(row.after.as_deref()));
    match (&before, &after) {
        (Value::Null, Value::Null) => "told to servers".to_owned(),
        (Value::Null, _) => "added".to_owned(),
        (_, Value::Null) => "removed".to_owned(),
        (Value::Object(before), Value::Object(after)) => {
            let mut changes = Vec::new();
            for (name, old) in before {
                let new = after.get(name).unwrap_or(&Value::Null);
                let secret = matches!(new.as_str(), Some("changed"));
                if secret {
                    changes.push(format!("{name}: changed"));
                } else if old != new && new.as_str() != Some("unchanged") {
                    changes.push(format!("{name}: {old} → {new}"));
                }
            }
            let added = after.iter().filter(|(name, _)| !before.contains_key(*name));
            changes.extend(added.map(|(name, new)| format!("{name}: {new}")));
            if changes.is_empty() { "nothing".to_owned() } else { changes.join(", ") }
        }
        (before, after) => format!("{before} → {after}"),
    }
}

fn entity(name: &str) -> Result<Entity, String> {
    Entity::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Entity::ALL.iter().map(|entity| entity.as_str()).collect();
        format!("the kinds are {}", names.join(", "))
    })
}

/// A time by the calendar, UTC, or before now; in milliseconds since 1970 UTC.
fn time(text: &str) -> Result<i64, String> {
    time_before(text, wall_clock())
        .ok_or_else(|| "write 2026-05-17, 2026-05-17T08:30:00Z, or 90s, 15m, 2h, 3d, 1w".to_owned())
}

fn time_before(text: &str, now: i64) -> Option<i64> {
    let text = text.trim();
    let seconds = |unit: char| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3600),
        'd' => Some(86_400),
        'w' => Some(604_800),
        _ => None,
    };
    if let Some(unit) = text.chars().next_back().and_then(seconds)
        && let Some(count) = text.get(..text.len() - 1)
        && !count.is_empty()
        && count.bytes().all(|b| b.is_ascii_digit())
    {
        let millis = count.parse::<i64>().ok()?.checked_mul(unit)?.checked_mul(1000)?;
        return now.checked_sub(millis);
    }
    let plain = text.strip_suffix('Z').unwrap_or(text).replace('T', " ");
    let whole = match plain.len() {
        10 => format!("{plain} 00:00:00"),
        16 => format!("{plain}:00"),
        _ => plain,
    };
    ngn_store::parse_utc(&whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_absolute_or_relative() {
        let now = 1_800_000_000_000;
        for (text, millis) in [
            ("90s", now - 90_000),
            ("2h", now - 7_200_000),
            ("1w", now - 604_800_000),
            ("1970-01-02", 86_400_000),
            ("1970-01-01T00:01", 60_000),
            ("1970-01-01T00:00:02Z", 2_000),
            ("1970-01-01 00:00:02", 2_000),
        ] {
            assert_eq!(time_before(text, now), Some(millis), "{text}");
        }
        for bad in ["", "h", "1y", "-3d", "99999999999999999999d", "yesterday", "2026-13-01", "é"]
        {
            assert_eq!(time_before(bad, now), None, "{bad}");
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
