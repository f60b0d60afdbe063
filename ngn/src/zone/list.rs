//! `ngn zone list`.

use crate::say;
use crate::table::{shown, table};
use jiff::Timestamp;
use ngn_store::{Store, ZoneSummary};
use serde_json::json;

/// Which zones, and how they are shown.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Zones of this name; * stands for anything, as in *.example or *.e164.arpa.
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    /// Those of this customer.
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// Those of this reseller and of its customers.
    #[arg(long, value_name = "ID")]
    reseller: Option<i64>,
    /// One JSON object for each zone, in a line of its own.
    #[arg(long)]
    json: bool,
}

/// Reads and prints.
pub(super) async fn run(store: &Store, options: Options) -> anyhow::Result<()> {
    let pattern = options.pattern.as_deref().unwrap_or("*").to_ascii_lowercase();
    // No name of a zone has a character that LIKE takes for something else, but for `_`, which matches itself too.
    let pattern = pattern.strip_suffix('.').unwrap_or(&pattern).replace('*', "%");
    let mut zones = store.zone_summaries(&pattern).await?;
    zones.retain(|zone| {
        options.customer.is_none_or(|id| zone.owner.customer == id)
            && options.reseller.is_none_or(|id| zone.owner.reseller == id)
    });
    if options.json {
        zones.iter().for_each(|zone| say(&object(zone)));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = zones.iter().map(row).collect();
    let heading =
        ["ZONE", "KIND", "CUSTOMER", "RESELLER", "SERIAL", "RECORDS", "OCTETS", "CHANGED"];
    say(table(&heading, &rows).trim_end());
    say(&format!("{} zones", zones.len()));
    Ok(())
}

/// A time of the database; nothing when nobody knows it.
fn changed(zone: &ZoneSummary) -> Option<String> {
    let at = Timestamp::from_millisecond(zone.change_date).ok().filter(|_| zone.change_date > 0)?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn row(zone: &ZoneSummary) -> Vec<String> {
    vec![
        shown(&zone.name),
        zone.kind.as_str().to_owned(),
        zone.owner.customer.to_string(),
        zone.owner.reseller.to_string(),
        zone.serial.to_string(),
        zone.records.to_string(),
        zone.octets.to_string(),
        changed(zone).unwrap_or_else(|| "-".to_owned()),
    ]
}

fn object(zone: &ZoneSummary) -> String {
    json!({
        "zone": zone.name, "kind": zone.kind.as_str(), "customer": zone.owner.customer,
        "reseller": zone.owner.reseller, "serial": zone.serial, "records": zone.records,
        "octets": zone.octets, "changed": changed(zone),
    })
    .to_string()
}
