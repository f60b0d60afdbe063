//! Follows the masters of zones.

use super::fetch::fetch;
use super::keep::{self, Kept};
use super::{Secondaries, Secondary};
use crate::config::{Config, Fetching};
use crate::metrics::{Fetched, Standing};
use crate::served::Served;
use crate::snapshot::SnapshotError;
use ngn_dns::secondary::{Outcome, Step, Timers, Times};
use ngn_dns::transfer::Difference;
use ngn_dns::zone::Zone;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long to sleep at most, since the clock may be set meanwhile.
const LOOK: Duration = Duration::from_secs(60);

/// Follows the masters of all zones.
#[derive(Debug)]
pub(crate) struct Fetcher {
    served: Served,
    settings: Fetching,
    /// Where copies are kept, and how often.
    file: Option<PathBuf>,
    interval: Duration,
    at_once: Semaphore,
    kept: Mutex<Changing>,
}

/// What is written to disk, and whether it changed since.
#[derive(Debug, Default)]
struct Changing {
    zones: Kept,
    expired: usize,
    dirty: bool,
}

impl Fetcher {
    /// Serves what was kept on disk. This comes before anything else is served.
    pub(crate) fn begin(config: &Config, served: &Served) -> Arc<Self> {
        let file = keep::path(&config.snapshot.file);
        let mut zones = match file.as_deref().map(keep::read) {
            None => Kept::new(),
            Some(Ok(zones)) => zones,
            Some(Err(SnapshotError::Read(..))) => Kept::new(),
            Some(Err(error)) => {
                tracing::warn!(%error, "the copies of zones of other masters cannot be read");
                Kept::new()
            }
        };
        zones.retain(|apex, _| served.secondaries.has(apex));
        for apex in served.secondaries.apexes() {
            let kept = zones.get(apex).map(|(_, zone)| Arc::clone(zone));
            // Without records it is answered with SERVFAIL, which it must be until it is there.
            served.take(kept.unwrap_or_else(|| Arc::new(Zone::new(apex.clone(), 0))), None);
        }
        let fetcher = Arc::new(Self {
            served: served.clone(),
            settings: config.fetching.clone(),
            file,
            interval: Duration::from_secs(config.snapshot.interval_seconds),
            at_once: Semaphore::new(config.fetching.at_once),
            kept: Mutex::new(Changing { zones, ..Changing::default() }),
        });
        fetcher.tell(&fetcher.kept());
        fetcher
    }

    /// Follows until the shutdown, and then writes what is known.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let secondaries: Arc<Secondaries> = Arc::clone(&self.served.secondaries);
        if secondaries.is_empty() {
            return;
        }
        let mut tasks = JoinSet::new();
        for zone in secondaries.0.values() {
            tasks.spawn(Arc::clone(&self).follow(Arc::clone(zone)));
        }
        while !shutdown.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(self.interval) => {}
                () = shutdown.cancelled() => tasks.shutdown().await,
            }
            self.write().await;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Changing> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self) {
        let Some(path) = self.file.clone() else { return };
        let zones = {
            let mut kept = self.kept();
            if !std::mem::take(&mut kept.dirty) {
                return;
            }
            kept.zones.clone()
        };
        let file = path.display().to_string();
        let written = tokio::task::spawn_blocking(move || keep::write(&path, &zones)).await;
        if let Err(error) = written.map_err(std::io::Error::other).and_then(|written| written) {
            tracing::warn!(%error, %file, "the copies of zones of other masters cannot be written");
            self.kept().dirty = true;
        }
    }

    /// Says how many zones stand how.
    fn tell(&self, kept: &Changing) {
        let all = self.served.secondaries.0.len();
        for state in Standing::ALL {
            let zones = match state {
                Standing::Served => kept.zones.len(),
                Standing::Expired => kept.expired,
                Standing::Missing => all.saturating_sub(kept.zones.len() + kept.expired),
            };
            self.served.metrics.set_secondaries(state, zones);
        }
    }

    /// Follows the masters of one zone for ever.
    async fn follow(self: Arc<Self>, zone: Arc<Secondary>) {
        let mut held = self.kept().zones.get(&zone.apex).cloned();
        let times = |zone: &Zone| Times::of(zone, self.settings.least_seconds);
        let known = held.as_ref().and_then(|(seen, zone)| Some((*seen, times(zone)?)));
        let mut timers = match known {
            Some((seen, times)) => Timers::restored(seen, times, milliseconds()),
            None => Timers::new(milliseconds()),
        };
        let mut complained = String::new();
        loop {
            match timers.step(milliseconds()) {
                Step::Wait(time) => tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(time).min(LOOK)) => {}
                    () = zone.told.notified() => timers.notified(milliseconds()),
                },
                Step::Expire => {
                    held = None;
                    self.expire(&zone).await;
                }
                Step::Ask => {
                    let Ok(_place) = self.at_once.acquire().await else { return };
                    timers.asked(milliseconds());
                    let found = self.ask(&zone, held.as_ref().map(|(_, zone)| zone)).await;
                    let (now, spread) = (milliseconds(), spread());
                    let current = match found {
                        Ok(new) => new.or_else(|| held.take().map(|(_, zone)| zone)),
                        Err(error) => {
                            // The same complaint once, however often it is asked.
                            if complained != error {
                                tracing::warn!(dns.zone = %zone.apex, error, "the zone cannot be fetched");
                                complained = error;
                            }
                            self.served.metrics.count_fetched(Fetched::Failed);
                            None
                        }
                    };
                    match current.and_then(|zone| Some((times(&zone)?, zone))) {
                        Some((times, current)) => {
                            complained.clear();
                            self.keep(&zone, now, &current, timers.is_expired());
                            held = Some((now, current));
                            timers.succeeded(now, times, spread);
                        }
                        None => timers.failed(now, spread),
                    }
                }
            }
        }
    }

    fn keep(&self, zone: &Secondary, now: u64, current: &Arc<Zone>, was_expired: bool) {
        let mut kept = self.kept();
        kept.zones.insert(zone.apex.clone(), (now, Arc::clone(current)));
        kept.dirty = true;
        kept.expired -= usize::from(was_expired && kept.expired > 0);
        self.tell(&kept);
    }

    /// Serves a zone no more, until a master is there again.
    async fn expire(&self, zone: &Secondary) {
        tracing::warn!(dns.zone = %zone.apex, "the zone expired: no master was seen for too long");
        {
            let mut kept = self.kept();
            kept.zones.remove(&zone.apex);
            kept.expired += 1;
            kept.dirty = true;
            self.tell(&kept);
        }
        self.serve(Zone::new(zone.apex.clone(), 0).into(), None).await;
    }

    /// Asks the masters until one has something new, and serves that. `Ok(None)` when those that answer have nothing new.
    async fn ask(
        &self,
        zone: &Secondary,
        held: Option<&Arc<Zone>>,
    ) -> Result<Option<Arc<Zone>>, String> {
        let (mut errors, mut current) = (Vec::new(), false);
        for master in zone.masters() {
            let began = Instant::now();
            match fetch(zone, master, held, &self.settings).await {
                Ok(Outcome::Current { serial }) => {
                    current = true;
                    let ours = held.map(|zone| zone.serial());
                    if ours != Some(serial) {
                        tracing::info!(dns.zone = %zone.apex, %master, serial, ours, "a master is behind");
                    }
                }
                Ok(Outcome::Whole(new)) => {
                    return Ok(Some(self.new_state(zone, master, held, new, None, began).await));
                }
                Ok(Outcome::Changed { zone: new, names }) => {
                    let names = Some(names);
                    return Ok(Some(self.new_state(zone, master, held, new, names, began).await));
                }
                Err(error) => {
                    tracing::debug!(dns.zone = %zone.apex, %master, %error, "no transfer");
                    errors.push(format!("{master}: {error}"));
                }
            }
        }
        if current {
            self.served.metrics.count_fetched(Fetched::Current);
            return Ok(None);
        }
        Err(errors.join("; "))
    }

    async fn new_state(
        &self,
        zone: &Secondary,
        master: SocketAddr,
        held: Option<&Arc<Zone>>,
        new: Zone,
        names: Option<std::collections::BTreeSet<ngn_dns::name::Name>>,
        began: Instant,
    ) -> Arc<Zone> {
        let end = if names.is_some() { Fetched::Ixfr } else { Fetched::Axfr };
        self.served.metrics.count_fetched(end);
        let (new, largest) = (Arc::new(new), self.served.history().largest());
        let (before, after) = (held.cloned(), Arc::clone(&new));
        let difference = tokio::task::spawn_blocking(move || {
            before.and_then(|before| Difference::between(&before, &after, names.as_ref(), largest))
        });
        let difference = difference.await.ok().flatten();
        self.serve(Arc::clone(&new), difference).await;
        tracing::info!(
            dns.zone = %zone.apex,
            %master,
            kind = ?end,
            serial = new.serial(),
            records = new.record_count(),
            took.ms = began.elapsed().as_millis(),
            "a new state of the zone came"
        );
        new
    }

    async fn serve(&self, zone: Arc<Zone>, difference: Option<Difference>) {
        let served = self.served.clone();
        // Others may be replacing zones meanwhile.
        let _ = tokio::task::spawn_blocking(move || served.take(zone, difference)).await;
    }
}

/// Milliseconds since 1970 UTC.
fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn spread() -> u8 {
    let mut octet = [0];
    let _ = getrandom::fill(&mut octet);
    let [octet] = octet;
    octet
}
