//! The background work on serials: PowerDNS reads them from the SOA row, and counting must stay short.

use crate::error::StoreError;
use crate::follower::Follower;
use crate::store::Store;
use crate::time::serial_base;
use crate::tx::{Actor, Tx, now_millis, on};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long changes are gathered before the SOA rows of their zones are rewritten.
const GATHER: Duration = Duration::from_millis(200);
/// How often counts are folded.
const FOLD_EVERY: Duration = Duration::from_secs(60);
/// Only rows are folded behind which no row of an open transaction can turn up any more, by the journal's
/// own times in milliseconds.
const SETTLED: i64 = 120_000;
/// How many rows of a zone make folding worth while.
const FOLD_FROM: i64 = 100;
/// Zones of one transaction.
const ZONES: usize = 50;

/// Keeps SOA rows up to date and folds serial counts; one per platform is enough, more do no harm.
pub struct SoaWriter {
    store: Store,
}

impl SoaWriter {
    /// Makes one for a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Works until it is dropped. Database failures are logged and waited out.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.follow().await {
                tracing::warn!(error = %error, "SOA rows are not up to date; trying again");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn follow(&self) -> Result<(), StoreError> {
        let mut follower = self.store.follow().await?;
        self.store.refresh_soa(None).await?;
        let mut folded = Instant::now();
        loop {
            let changed = changed_zones(&mut follower).await?;
            if !changed.is_empty() {
                let changed: Vec<String> = changed.into_iter().collect();
                self.store.refresh_soa(Some(&changed)).await?;
            }
            if folded.elapsed() >= FOLD_EVERY {
                self.store.fold_serials().await?;
                folded = Instant::now();
            }
        }
    }
}

/// The zones that changed during a short while after the next change; empty when nothing changed for long.
async fn changed_zones(follower: &mut Follower) -> Result<BTreeSet<String>, StoreError> {
    let mut zones = BTreeSet::new();
    let mut until = Instant::now() + FOLD_EVERY;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(rows) = tokio::time::timeout(left, follower.next()).await else { return Ok(zones) };
        let before = zones.len();
        zones.extend(rows?.into_iter().filter_map(|row| row.zone));
        if before == 0 && !zones.is_empty() {
            until = until.min(Instant::now() + GATHER);
        }
    }
}

impl Store {
    /// Writes the current serial into the SOA rows of some zones, or of all, where it is not there yet; tells
    /// how many rows were rewritten. Zones that nobody gave a serial to go on from the one in their SOA.
    pub async fn refresh_soa(&self, zones: Option<&[String]>) -> Result<u64, StoreError> {
        let all: Vec<String>;
        let zones = match zones {
            Some(zones) => zones,
            None => {
                all = self
                    .read(|tx| {
                        Box::pin(async move {
                            on!(tx, c => {
                                sqlx::query_scalar::<DB, String>("SELECT name FROM domains ORDER BY name")
                                    .fetch_all(&mut *c)
                                    .await
                            })
                        })
                    })
                    .await?;
                &all
            }
        };
        let mut rewritten = 0;
        for chunk in zones.chunks(ZONES) {
            let (count, _) = self
                .write(&Actor::system("refresh_soa"), |tx| {
                    Box::pin(async move {
                        let mut count = 0;
                        for zone in chunk {
                            count += refresh(tx, zone).await?;
                        }
                        Ok::<_, StoreError>(count)
                    })
                })
                .await?;
            rewritten += count;
        }
        Ok(rewritten)
    }

    /// Adds the journal rows that every reader has behind it to the counts of `zone_serials`, so that a
    /// serial is found by counting few rows; no serial changes by it. Tells how many zones were folded.
    pub async fn fold_serials(&self) -> Result<u64, StoreError> {
        let (settled, zones) = self.read(|tx| Box::pin(long_counts(tx))).await?;
        let mut folded = 0;
        for (zone, _) in &zones {
            let (changed, _) = self
                .write(&Actor::system("fold_serials"), |tx| {
                    Box::pin(async move { fold(tx, zone, settled).await })
                })
                .await?;
            folded += u64::from(changed);
        }
        Ok(folded)
    }

    /// Removes journal rows written before a time, at most `limit`; tells how many. Counts are folded first,
    /// and rows that a serial or a follower may still need stay, the newest one always.
    pub async fn prune_journal(&self, before: i64, limit: u32) -> Result<u64, StoreError> {
        self.fold_all().await?;
        let (pruned, _) = self
            .write(&Actor::system("prune_journal"), |tx| {
                Box::pin(async move { prune(tx, before, limit).await })
            })
            .await?;
        Ok(pruned)
    }

    async fn fold_all(&self) -> Result<(), StoreError> {
        let (settled, zones) = self
            .read(|tx| {
                Box::pin(async move {
                    let settled = settled_up_to(tx).await?;
                    let zones = on!(tx, c => {
                        sqlx::query_scalar::<DB, String>(
                            "SELECT DISTINCT j.zone FROM journal j JOIN zone_serials z ON z.zone = j.zone \
                             WHERE j.id > z.counted_to AND j.id <= ?",
                        )
                        .bind(settled)
                        .fetch_all(&mut *c)
                        .await
                    })?;
                    Ok::<_, StoreError>((settled, zones))
                })
            })
            .await?;
        for zone in &zones {
            self.write(&Actor::system("fold_serials"), |tx| {
                Box::pin(async move { fold(tx, zone, settled).await })
            })
            .await?;
        }
        Ok(())
    }
}

async fn refresh(tx: &mut Tx<'_>, zone: &str) -> Result<u64, StoreError> {
    let soa: Option<(i64, String)> = on!(tx, c => {
        sqlx::query_as::<DB, (i64, String)>(
            "SELECT r.id, COALESCE(r.content, '') FROM records r JOIN domains d ON d.id = r.domain_id \
             WHERE d.name = ? AND r.name = ? AND r.type = 'SOA' ORDER BY r.id LIMIT 1",
        )
        .bind(zone)
        .bind(zone)
        .fetch_optional(&mut *c)
        .await
    })?;
    let Some((id, content)) = soa else { return Ok(0) };
    let stored = content.split_ascii_whitespace().nth(2).and_then(|serial| serial.parse().ok());
    // Only a zone that came from elsewhere has none yet; its serial must not fall.
    let base = serial_base(now_millis());
    tx.start_serial_at(zone, stored.filter(|serial| *serial > 0).unwrap_or(base)).await?;
    let serial = tx.serials(&[zone]).await?.pop().map_or(0, |(_, serial)| serial);
    let Some(fresh) = with_serial(&content, serial).filter(|fresh| *fresh != content) else {
        return Ok(0);
    };
    // Somebody who changed the row meanwhile also journalled it, which brings us here again.
    on!(tx, c => {
        sqlx::query::<DB>("UPDATE records SET content = ? WHERE id = ? AND content = ?")
            .bind(fresh)
            .bind(id)
            .bind(content)
            .execute(&mut *c)
            .await
            .map(|done| done.rows_affected())
    })
}

/// An SOA's content (`mname rname serial refresh retry expire minimum`) with another serial.
fn with_serial(content: &str, serial: u32) -> Option<String> {
    let mut fields: Vec<&str> = content.split_ascii_whitespace().collect();
    let serial = serial.to_string();
    *fields.get_mut(2)? = &serial;
    Some(fields.join(" "))
}

/// The last row behind which no open transaction can still have a row.
async fn settled_up_to(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    on!(tx, c => {
        let newest: Option<i64> =
            sqlx::query_scalar::<DB, i64>("SELECT at FROM journal ORDER BY id DESC LIMIT 1")
                .fetch_optional(&mut *c)
                .await?;
        let Some(newest) = newest else { return Ok(0) };
        // Ids and times rise together up to the disorder that SETTLED allows for: the first row that is too
        // young bounds the search.
        let young: Option<i64> = sqlx::query_scalar::<DB, i64>(
            "SELECT id FROM journal WHERE at > ? ORDER BY id LIMIT 1",
        )
        .bind(newest - SETTLED)
        .fetch_optional(&mut *c)
        .await?;
        Ok(young.map_or(0, |id| id - 1))
    })
}

async fn long_counts(tx: &mut Tx<'_>) -> Result<(i64, Vec<(String, i64)>), StoreError> {
    let settled = settled_up_to(tx).await?;
    let zones = on!(tx, c => {
        sqlx::query_as::<DB, (String, i64)>(
            "SELECT z.zone, COUNT(*) FROM zone_serials z JOIN journal j ON j.zone = z.zone \
             WHERE j.id > z.counted_to AND j.id <= ? GROUP BY z.zone HAVING COUNT(*) >= ?",
        )
        .bind(settled)
        .bind(FOLD_FROM)
        .fetch_all(&mut *c)
        .await
    })?;
    Ok((settled, zones))
}

async fn fold(tx: &mut Tx<'_>, zone: &str, settled: i64) -> Result<bool, StoreError> {
    // One statement: the count and the mark move together, also when two processes fold the same zone.
    let changed = on!(tx, c => {
        sqlx::query::<DB>(
            "UPDATE zone_serials SET counted = counted + (SELECT COUNT(*) FROM journal j \
             WHERE j.zone = zone_serials.zone AND j.id > zone_serials.counted_to AND j.id <= ?), \
             counted_to = ? WHERE zone = ? AND counted_to < ?",
        )
        .bind(settled)
        .bind(settled)
        .bind(zone)
        .bind(settled)
        .execute(&mut *c)
        .await
        .map(|done| done.rows_affected())
    })?;
    Ok(changed > 0)
}

async fn prune(tx: &mut Tx<'_>, before: i64, limit: u32) -> Result<u64, StoreError> {
    let settled = settled_up_to(tx).await?;
    on!(tx, c => {
        let ids: Vec<i64> = sqlx::query_scalar::<DB, i64>(
            "SELECT j.id FROM journal j LEFT JOIN zone_serials z ON z.zone = j.zone \
             WHERE j.at < ? AND j.id <= ? AND (z.zone IS NULL OR j.id <= z.counted_to) \
             AND (j.zone IS NULL OR z.zone IS NOT NULL) ORDER BY j.id LIMIT ?",
        )
        .bind(before)
        .bind(settled)
        .bind(i64::from(limit))
        .fetch_all(&mut *c)
        .await?;
        let mut pruned = 0;
        for chunk in ids.chunks(500) {
            let mut query = sqlx::QueryBuilder::<DB>::new("DELETE FROM journal WHERE id IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            query.push(")");
            pruned += query.build().execute(&mut *c).await?.rows_affected();
        }
        Ok(pruned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_serial_of_an_soa_changes() {
        assert_eq!(
            with_serial("ns1.example.com hostmaster.example.com 1 14400 3600 604800 300", 7)
                .as_deref(),
            Some("ns1.example.com hostmaster.example.com 7 14400 3600 604800 300")
        );
        assert_eq!(with_serial("ns1.example.com hostmaster.example.com", 7), None);
    }
}
