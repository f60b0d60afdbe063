//! Keeps the zones up to date: what the journal names is read again from the database.
//!
//! The serial that is served is the one of the snapshot that was loaded plus the number of the zone's journal rows
//! that were given since, so that it rises with each change, ends where the database's is, and never promises content
//! that is not there: records are read after their journal row, so they may be newer than the serial, never older.

use crate::served::Served;
use crate::snapshot::{Point, seconds};
use ngn_daemon::Readiness;
use ngn_dns::dnssec::Signing;
use ngn_dns::name::Name;
use ngn_dns::transfer::Difference;
use ngn_dns::zone::{BadRecord, Builder, Zone, Zones};
use ngn_model::journal::{Entity, JournalRow};
use ngn_model::zone::{RecordRow, ZoneRows, ZoneSigning};
use ngn_model::{DomainName, Position};
use ngn_store::{Follower, Loaded, Seen, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How long to wait before a database that failed is asked again.
const RETRY: Duration = Duration::from_millis(500);
/// How often the end of the journal is looked at, to know how far behind this server is.
const MEASURE: Duration = Duration::from_secs(10);
/// How often signed zones are looked at for what is due by the clock.
const RENEW: Duration = Duration::from_secs(5);
/// How many bad records of a zone are named in the log.
const NAMED_BAD: usize = 10;

/// Loads all zones and serves them.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) async fn load(store: &Store, served: &Served) -> Result<Follower, StoreError> {
    let mut building: Vec<(Builder, Option<ZoneSigning>)> = Vec::new();
    let follower = store
        .load_zones(|loaded| match loaded {
            Loaded::Zone(ZoneRows { apex, serial, signing, .. }) => {
                building.push((Builder::new(Name::from(&apex), serial), signing));
            }
            Loaded::Record(zone, record) => {
                if let Some((zone, _)) = building.get_mut(zone) {
                    zone.add(record);
                }
            }
        })
        .await?;
    let mut zones = Zones::new();
    for (zone, signing) in building {
        let (zone, bad) = zone.finish_signed(signing.as_ref(), seconds());
        complain(zone.apex(), &bad);
        served.metrics.count_bad_records(bad.len());
        zones.insert(Arc::new(zone));
    }
    let low_water = follower.seen().low_water(Instant::now()).0;
    served.metrics.set_served(zones.len(), zones.record_count(), low_water);
    served.replace(zones);
    Ok(follower)
}

fn complain(apex: &Name, bad: &[BadRecord]) {
    for record in bad.iter().take(NAMED_BAD) {
        tracing::warn!(dns.zone = %apex, %record, "record is left out");
    }
    if bad.len() > NAMED_BAD {
        tracing::warn!(dns.zone = %apex, count = bad.len(), "records are left out");
    }
}

/// What a number of journal rows name, each once.
#[derive(Debug, Default)]
struct Named {
    /// Zones to read again as a whole.
    zones: BTreeSet<DomainName>,
    /// Zones that are signed in another way or by other keys.
    keys: BTreeSet<DomainName>,
    /// Zone and owner of names to read again.
    names: BTreeSet<(String, String)>,
    /// By how much the serials of zones rise.
    rises: BTreeMap<String, u32>,
}

impl Named {
    /// Rows about other kinds of records, and keys that name nothing, do not matter but for the serials.
    fn by(rows: &[JournalRow]) -> Self {
        let mut named = Self::default();
        for row in rows {
            match row.entity {
                Entity::Zone => named.zones.extend(DomainName::new(&row.key)),
                Entity::ZoneKeys => named.keys.extend(DomainName::new(&row.key)),
                Entity::RrSet => {
                    let name = row.key.split_once(' ');
                    named
                        .names
                        .extend(name.map(|(zone, owner)| (zone.to_owned(), owner.to_owned())));
                }
                _ => {}
            }
            if let Some(zone) = &row.zone {
                *named.rises.entry(zone.clone()).or_default() += 1;
            }
        }
        let whole = &named.zones;
        named.names.retain(|(zone, _)| !whole.iter().any(|apex| apex.as_str() == zone));
        named.keys.retain(|zone| !whole.contains(zone));
        named
    }

    async fn read(&self, store: &Store, seen: &Seen) -> Result<Update, StoreError> {
        let mut zones = Vec::new();
        for apex in &self.zones {
            zones.push((apex.clone(), store.zone_for(apex, seen).await?));
        }
        let mut names = Vec::new();
        if !self.names.is_empty() {
            let asked: Vec<(String, String)> = self.names.iter().cloned().collect();
            names = store.records_at(&asked).await?;
        }
        let asked: Vec<DomainName> = self.keys.iter().cloned().collect();
        let keys = if asked.is_empty() { Vec::new() } else { store.zone_signings(&asked).await? };
        Ok(Update { zones, names, keys, rises: self.rises.clone() })
    }
}

/// A zone as it was read again, and the positions of its journal rows that were not given yet.
type Whole = (ZoneRows, Vec<Position>);

/// New states of what was named.
#[derive(Debug)]
struct Update {
    zones: Vec<(DomainName, Option<Whole>)>,
    names: Vec<((String, String), Vec<RecordRow>)>,
    keys: Vec<(DomainName, Option<ZoneSigning>)>,
    rises: BTreeMap<String, u32>,
}

/// A zone that changes, with the names that do.
type Changing = BTreeMap<Name, (Zone, BTreeSet<Name>)>;

/// What an update did.
#[derive(Debug)]
struct Applied {
    /// Records that are left out.
    complaints: Vec<(Name, Vec<BadRecord>)>,
    /// What changed in each zone that did; `None` when it is not known or too large.
    differences: Vec<(Name, Option<Difference>)>,
}

impl Update {
    /// Makes the zones those after the update. Differences of more than `largest` octets are not kept.
    fn apply(self, zones: &mut Zones, largest: usize) -> Applied {
        let mut complaints = Vec::new();
        let mut differences = Vec::new();
        let mut changing = Changing::new();
        for ((zone, owner), records) in self.names {
            let (Ok(apex), Ok(owner)) = (Name::parse(&zone), Name::parse(&owner)) else { continue };
            let Some((zone, names)) = entry(&mut changing, zones, &apex) else { continue };
            let (with, bad) = zone.with(&owner, &records);
            *zone = with;
            names.insert(owner);
            complaints.push((apex, bad));
        }
        for (apex, signing) in self.keys {
            if let Some((zone, _)) = entry(&mut changing, zones, &Name::from(&apex)) {
                *zone = zone.with_signing(signing.as_ref().map(Signing::new), seconds());
            }
        }
        for (zone, rise) in self.rises {
            let Ok(apex) = Name::parse(&zone) else { continue };
            if let Some((zone, _)) = entry(&mut changing, zones, &apex) {
                *zone = zone.with_serial(zone.serial().wrapping_add(rise));
            }
        }
        // Zones that are read again as a whole come last: their serials hold all rows that were given, and so nothing is
        // added to them.
        let mut whole = Vec::new();
        for (apex, found) in self.zones {
            let apex = Name::from(&apex);
            changing.remove(&apex);
            let Some((rows, lacking)) = found else {
                zones.remove(&apex);
                differences.push((apex, None));
                continue;
            };
            let lacking = u32::try_from(lacking.len()).unwrap_or(u32::MAX);
            let (zone, bad) = Zone::build_signed(&rows, seconds());
            whole.push(zone.with_serial(zone.serial().wrapping_sub(lacking)));
            complaints.push((apex, bad));
        }
        let changed = changing.into_values().map(|(zone, names)| (zone, Some(names)));
        for (zone, names) in changed.chain(whole.into_iter().map(|zone| (zone, None))) {
            let apex = zone.apex().clone();
            let old = zones.get(apex.as_wire());
            // Signatures are made when they are asked for, so nobody knows which ones others have.
            let signed = |zone: &Zone| zone.signing().is_some();
            let old = old.filter(|old| !signed(old) && !signed(&zone));
            let difference =
                old.and_then(|old| Difference::between(old, &zone, names.as_ref(), largest));
            differences.push((apex, difference));
            zones.insert(Arc::new(zone));
        }
        complaints.retain(|(_, bad)| !bad.is_empty());
        Applied { complaints, differences }
    }
}

/// A zone as it is so far; `None` when there is no such zone.
fn entry<'c>(
    changing: &'c mut Changing,
    zones: &Zones,
    apex: &Name,
) -> Option<&'c mut (Zone, BTreeSet<Name>)> {
    if !changing.contains_key(apex) {
        let zone = Zone::clone(zones.get(apex.as_wire())?);
        changing.insert(apex.clone(), (zone, BTreeSet::new()));
    }
    changing.get_mut(apex)
}

/// What follows the journal.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) store: Store,
    pub(crate) served: Served,
    pub(crate) readiness: Readiness,
    /// Told of the zones after each change, with the journal position that they show.
    pub(crate) points: watch::Sender<Point>,
}

impl Following {
    /// Says what was loaded, to be called before [`Self::run`]; `down` when that was not from the database.
    pub(crate) fn begin(&self, follower: &Follower, down: bool) {
        self.note(follower, &[]);
        if down {
            self.unreachable();
        } else {
            self.reachable();
        }
    }

    /// Follows the journal for ever; to be dropped at the end. `down` when the database could not be read so far.
    pub(crate) async fn run(&self, mut follower: Follower, mut down: bool) {
        let mut clock = tokio::time::interval(RENEW);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // What is asked of the database may take longer than the clock's period, so a tick must not begin it anew.
            let rows = {
                let (mut next, mut answering) = (pin!(follower.next()), pin!(self.answering()));
                loop {
                    tokio::select! {
                        rows = &mut next => break rows,
                        () = &mut answering, if down => {
                            down = false;
                            self.reachable();
                        }
                        _ = clock.tick() => self.renew().await,
                    }
                }
            };
            let applied = match rows {
                Ok(rows) => self.follow(&follower, &rows).await.map(|()| rows),
                Err(error) => Err(error),
            };
            match applied {
                Ok(rows) => {
                    if std::mem::take(&mut down) {
                        self.reachable();
                    }
                    self.note(&follower, &rows);
                }
                Err(StoreError::Rewound { position }) => {
                    tracing::warn!(position, "the journal went back; loading all zones anew");
                    follower = self.load_anew().await;
                    down = false;
                    self.begin(&follower, down);
                }
                Err(error) => {
                    if !down {
                        tracing::warn!(%error, "the journal cannot be read; serving what is known");
                    }
                    down = true;
                    self.unreachable();
                }
            }
        }
    }

    /// Looks how far behind this server is, for ever; to be dropped at the end.
    pub(crate) async fn measure(&self) {
        loop {
            if let Ok(end) = self.store.journal_end().await {
                let served = self.points.borrow().low_water;
                self.served.metrics.set_lag(end.0.saturating_sub(served));
            }
            tokio::time::sleep(MEASURE).await;
        }
    }

    /// Reads and serves what rows name. They were taken from the follower, so this goes on until it is done.
    async fn follow(&self, follower: &Follower, rows: &[JournalRow]) -> Result<(), StoreError> {
        let named = Named::by(rows);
        let seen = follower.seen();
        let mut failed = false;
        let update = loop {
            match named.read(&self.store, &seen).await {
                Ok(update) => break update,
                Err(error @ StoreError::Rewound { .. }) => return Err(error),
                Err(error) => {
                    if !failed {
                        tracing::warn!(%error, "changed records cannot be read yet");
                    }
                    failed = true;
                    self.unreachable();
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        if failed {
            self.reachable();
        }
        let served = self.served.clone();
        // A large zone takes a while to build, which must not hold up connections.
        let built = tokio::task::spawn_blocking(move || {
            served.change(|zones, largest| {
                let Applied { complaints, differences } = update.apply(zones, largest);
                (differences, complaints)
            })
        });
        match built.await {
            Ok(complaints) => {
                for (apex, bad) in complaints {
                    complain(&apex, &bad);
                    self.served.metrics.count_bad_records(bad.len());
                }
            }
            Err(error) => tracing::error!(%error, "a change could not be applied"),
        }
        Ok(())
    }

    /// Does what is due by the clock in signed zones: keys come and go, and secondaries have to fetch new signatures.
    async fn renew(&self) {
        let now = seconds();
        let zones = self.served.zones();
        self.served.signer.learn_all(&zones);
        let outdated: Vec<&Arc<Zone>> = zones.iter().filter(|zone| zone.is_outdated(now)).collect();
        if !outdated.is_empty() {
            self.served.change(|zones, _| {
                for zone in &outdated {
                    zones.insert(Arc::new(zone.refreshed(now)));
                }
                (outdated.iter().map(|zone| (zone.apex().clone(), None)).collect(), ())
            });
        }
        for zone in zones.iter() {
            let number = |signing: &Signing| signing.renewal(zone.apex().as_wire(), now);
            let due =
                zone.signing().filter(|signing| signing.renewed() < number(signing)).map(number);
            let (Some(number), Ok(apex)) = (due, DomainName::new(&zone.apex().to_string())) else {
                continue;
            };
            // Whoever is the first one tells all others by the journal; while the database is away, later.
            if let Err(error) = self.store.renew_zone(&apex, number).await {
                tracing::debug!(dns.zone = %apex, %error, "the serial cannot be raised yet");
                return;
            }
        }
    }

    async fn load_anew(&self) -> Follower {
        loop {
            match load(&self.store, &self.served).await {
                Ok(follower) => return follower,
                Err(error) => {
                    tracing::warn!(%error, "the zones cannot be loaded yet");
                    self.unreachable();
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn answering(&self) {
        loop {
            tokio::time::sleep(RETRY).await;
            if self.store.ping().await.is_ok() {
                return;
            }
        }
    }

    fn note(&self, follower: &Follower, rows: &[JournalRow]) {
        let low_water = follower.seen().low_water(Instant::now()).0;
        let zones = self.served.zones();
        self.served.metrics.set_served(zones.len(), zones.record_count(), low_water);
        self.readiness.applied(low_water, rows.iter().map(|row| row.position.0));
        let zones = self.served.own_zones();
        self.points.send_replace(Point { zones, resume: follower.resume_point(), low_water });
    }

    fn reachable(&self) {
        self.served.metrics.set_database(true);
        self.readiness.set_ready(true, "");
    }

    /// Still ready: what is known is served.
    fn unreachable(&self) {
        self.served.metrics.set_database(false);
        self.readiness
            .set_ready(true, "the database cannot be read; serving what was known before");
    }
}

#[cfg(test)]
mod tests;
