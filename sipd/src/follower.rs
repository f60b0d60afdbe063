//! Keeps the directory up to date: what the journal names is read again from the database.

use crate::directory::{Directory, Update};
use crate::tls::Profiles;
use ngn_daemon::Readiness;
use ngn_model::journal::{Entity, JournalRow};
use ngn_model::{Aor, CustomerId, DomainName, EmergencyMapping};
use ngn_routing::pstn::Change;
use ngn_routing::{EmergencyTable, Pstn};
use ngn_store::{DomainTls, EnumKey, Follower, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How long to wait before a database that failed is asked again.
const RETRY: Duration = Duration::from_millis(500);

/// How often tables are looked at that other programs write too, without a row in the journal.
const SHARED: Duration = Duration::from_secs(2);

/// A load that takes so long is told of.
const LONG: Duration = Duration::from_secs(1);

/// Updates that belong together.
#[derive(Debug)]
pub struct Batch {
    /// A whole new directory in place of the old one, before the updates.
    pub anew: Option<Box<Directory>>,
    /// The new states.
    pub updates: Vec<Update>,
    /// Told when the engine has applied them.
    pub applied: oneshot::Sender<()>,
}

/// The records that a number of journal rows name, each once.
#[derive(Debug, Default)]
struct Named {
    domains: BTreeSet<DomainName>,
    accounts: BTreeSet<Aor>,
    aliases: BTreeSet<Aor>,
    customers: BTreeSet<CustomerId>,
    peers: BTreeSet<String>,
    balances: BTreeSet<Aor>,
    carriers: BTreeSet<i64>,
    gateways: BTreeSet<i64>,
    rules: BTreeSet<i64>,
    routes: BTreeSet<i64>,
    emergency: BTreeSet<i64>,
    enum_ranges: BTreeSet<EnumKey>,
    enum_numbers: BTreeSet<EnumKey>,
}

/// What was read anew.
#[derive(Debug, Default)]
struct Read {
    updates: Vec<Update>,
    pstn: Vec<Change>,
    emergency: Vec<(i64, Option<EmergencyMapping>)>,
    tls: Vec<(DomainName, Option<DomainTls>)>,
}

impl Named {
    /// Rows about other kinds of records, and keys that name nothing, do not matter to calls.
    fn by(rows: &[JournalRow]) -> Self {
        let mut named = Self::default();
        for row in rows {
            match row.entity {
                Entity::SipDomain => named.domains.extend(DomainName::new(&row.key)),
                Entity::SipAccount
                | Entity::Diversions
                | Entity::AcceptRules
                | Entity::BarringPrefixes
                | Entity::RejectMembers
                | Entity::Voicemail => named.accounts.extend(row.key.parse::<Aor>()),
                // The entry's URI stands behind the account.
                Entity::PhonebookEntry => {
                    let account = row.key.split(' ').next().unwrap_or_default();
                    named.accounts.extend(account.parse::<Aor>());
                }
                Entity::Customer => named.customers.extend(row.key.parse::<CustomerId>()),
                Entity::TrustedPeer => {
                    named.peers.insert(row.key.clone());
                }
                Entity::Prepaid => named.balances.extend(row.key.parse::<Aor>()),
                Entity::Carrier => named.carriers.extend(row.key.parse::<i64>()),
                Entity::Gateway => named.gateways.extend(row.key.parse::<i64>()),
                Entity::GatewayRule => named.rules.extend(row.key.parse::<i64>()),
                Entity::Route => named.routes.extend(row.key.parse::<i64>()),
                Entity::Emergency => named.emergency.extend(row.key.parse::<i64>()),
                Entity::EnumRange => named.enum_ranges.extend(enum_key(&row.key)),
                Entity::EnumNumber => named.enum_numbers.extend(enum_key(&row.key)),
                Entity::SipAlias => named.aliases.extend(row.key.parse::<Aor>()),
                _ => {}
            }
        }
        named
    }

    async fn read(&self, store: &Store) -> Result<Read, StoreError> {
        let domains: Vec<DomainName> = self.domains.iter().cloned().collect();
        let mut accounts: Vec<Aor> = self.accounts.iter().cloned().collect();
        let aliases: Vec<Aor> = self.aliases.iter().cloned().collect();
        let (mut updates, mut tls) = (Vec::new(), Vec::new());
        if !self.customers.is_empty() {
            let customers: Vec<CustomerId> = self.customers.iter().copied().collect();
            // B86: their mobile number may be where somebody's calls go.
            let diverted = store.accounts_diverted_to_mobiles_of(&customers).await?;
            accounts.extend(diverted.into_iter().filter(|aor| !self.accounts.contains(aor)));
            let rows = store.voicemail_servers(&customers).await?;
            updates.extend(rows.into_iter().map(|(id, server)| Update::Voicemail(id, server)));
        }
        if !domains.is_empty() {
            for (name, row) in store.sip_domains(&domains).await? {
                updates.push(Update::Domain(name.clone(), row.as_ref().map(|row| row.ownership)));
                tls.push((name, row.map(|row| row.tls)));
            }
        }
        if !accounts.is_empty() {
            let rows = store.accounts(&accounts).await?;
            let update = |(aor, row): (Aor, Option<_>)| Update::Account(aor, row.map(Box::new));
            updates.extend(rows.into_iter().map(update));
        }
        if !aliases.is_empty() {
            let rows = store.aliases(&aliases).await?;
            updates.extend(rows.into_iter().map(|(alias, target)| Update::Alias(alias, target)));
        }
        if !self.peers.is_empty() {
            let keys: Vec<String> = self.peers.iter().cloned().collect();
            let rows = store.trusted_peers(&keys).await?;
            updates.extend(rows.into_iter().map(|(k, row)| Update::Peer(k, row.map(Box::new))));
        }
        if !self.balances.is_empty() {
            let keys: Vec<Aor> = self.balances.iter().cloned().collect();
            let rows = store.balances(&keys).await?;
            updates.extend(rows.into_iter().map(|(aor, amount)| Update::Balance(aor, amount)));
        }
        if !self.enum_ranges.is_empty() {
            let keys: Vec<EnumKey> = self.enum_ranges.iter().cloned().collect();
            let rows = store.enum_ranges(&keys).await?;
            updates.extend(rows.into_iter().map(|(key, exists)| Update::EnumRange(key, exists)));
        }
        if !self.enum_numbers.is_empty() {
            let keys: Vec<EnumKey> = self.enum_numbers.iter().cloned().collect();
            let rows = store.enum_numbers(&keys).await?;
            updates.extend(rows.into_iter().map(|(key, uris)| Update::EnumNumber(key, uris)));
        }
        let pstn = self.read_pstn(store).await?;
        let emergency = match ids(&self.emergency).as_slice() {
            [] => Vec::new(),
            ids => store.emergency_mappings(ids).await?,
        };
        Ok(Read { updates, pstn, emergency, tls })
    }

    /// The rows of carriers, gateways, gateway rules and routes, of which there may be very many.
    async fn read_pstn(&self, store: &Store) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::new();
        if !self.carriers.is_empty() {
            let rows = store.carriers(&ids(&self.carriers)).await?;
            changes.extend(rows.into_iter().map(|(id, row)| Change::Carrier(id, row)));
        }
        if !self.gateways.is_empty() {
            let rows = store.gateways(&ids(&self.gateways)).await?;
            changes.extend(rows.into_iter().map(|(id, row)| Change::Gateway(id, row)));
        }
        if !self.rules.is_empty() {
            let rows = store.gateway_rules(&ids(&self.rules)).await?;
            changes.extend(rows.into_iter().map(|(id, row)| Change::Rule(id, row)));
        }
        if !self.routes.is_empty() {
            let rows = store.routes(&ids(&self.routes)).await?;
            changes.extend(rows.into_iter().map(|(id, row)| Change::Route(id, row)));
        }
        Ok(changes)
    }
}

/// Prefix or number and tree of a journal key.
fn enum_key(key: &str) -> Option<EnumKey> {
    key.split_once('@').map(|(digits, tree)| (digits.to_owned(), tree.to_owned()))
}

fn ids(set: &BTreeSet<i64>) -> Vec<i64> {
    set.iter().copied().collect()
}

/// What the configuration says of what is loaded.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Emergency numbers, whatever is mapped.
    pub numbers: Arc<[String]>,
    /// The ENUM trees that count, in their order.
    pub trees: Arc<[DomainName]>,
}

/// What several tables make up together, as the engine has it; changes make another one of it.
#[derive(Debug, Clone)]
pub struct Tables {
    pstn: Arc<Pstn>,
    given: Given,
    mappings: BTreeMap<i64, EmergencyMapping>,
    /// The certificates of domains.
    profiles: Profiles,
}

impl Tables {
    fn emergency(&self) -> Arc<EmergencyTable> {
        let rows = self.mappings.values().cloned();
        Arc::new(EmergencyTable::new(self.given.numbers.iter().cloned(), rows))
    }

    /// Takes changes in and adds what the engine has to know to `updates`.
    async fn take(&mut self, read: Read) -> Vec<Update> {
        let Read { mut updates, pstn, emergency, tls } = read;
        for (name, tls) in tls {
            self.profiles.set_domain(&name, tls);
        }
        if !pstn.is_empty() {
            let old = Arc::clone(&self.pstn);
            // Microseconds, but for a carrier that goes to another reseller with a million routes.
            match tokio::task::spawn_blocking(move || Arc::new(old.with(&pstn))).await {
                Ok(new) => {
                    self.pstn = Arc::clone(&new);
                    updates.push(Update::Pstn(new));
                }
                Err(error) => tracing::error!(%error, "changed routes could not be applied"),
            }
        }
        if !emergency.is_empty() {
            for (id, row) in emergency {
                match row {
                    Some(row) => self.mappings.insert(id, row),
                    None => self.mappings.remove(&id),
                };
            }
            updates.push(Update::Emergency(self.emergency()));
        }
        updates
    }
}

/// Everything as it was loaded, with what follows it.
#[derive(Debug)]
pub struct Loaded {
    /// What the engine serves.
    pub directory: Directory,
    /// What changes are applied to.
    pub tables: Tables,
}

/// Loads everything at one moment, and a follower that goes on from there.
///
/// # Errors
///
/// When the database fails.
pub async fn load(
    store: &Store,
    given: Given,
    profiles: Profiles,
) -> Result<(Loaded, Follower), StoreError> {
    let begun = Instant::now();
    let (mut loaded, follower) = store.load_directory().await?;
    let (carriers, gateways) =
        (std::mem::take(&mut loaded.carriers), std::mem::take(&mut loaded.gateways));
    let (rules, routes) =
        (std::mem::take(&mut loaded.gateway_rules), std::mem::take(&mut loaded.routes));
    let making = tokio::task::spawn_blocking(move || Pstn::new(carriers, gateways, rules, routes));
    let pstn = Arc::new(making.await.unwrap_or_else(|error| {
        tracing::error!(%error, "routes could not be read");
        Pstn::default()
    }));
    if pstn.unusable_routes() > 0 {
        tracing::warn!(
            count = pstn.unusable_routes(),
            "routes are left out: no digits, or too many"
        );
    }
    let mappings = std::mem::take(&mut loaded.emergency);
    let mappings = mappings.into_iter().map(|row| (row.id, row)).collect();
    let tls = loaded.domains.iter_mut();
    profiles
        .set_domains(tls.map(|row| (row.domain.clone(), std::mem::take(&mut row.tls))).collect());
    let tables = Tables { pstn: Arc::clone(&pstn), given, mappings, profiles };
    let directory = Directory::from_loaded(loaded, pstn, tables.emergency(), &tables.given.trees);
    tell(&directory, begun);
    Ok((Loaded { directory, tables }, follower))
}

/// Says what was loaded, how long it took and what it takes, when that was a while; nobody waits for less.
fn tell(directory: &Directory, begun: Instant) {
    let (sizes, pstn) = (directory.sizes(), directory.pstn());
    if begun.elapsed() < LONG {
        return;
    }
    let each = |octets: usize, count: usize| octets.checked_div(count).unwrap_or(0);
    tracing::info!(
        target: "ngn::load",
        {
            load.seconds = begun.elapsed().as_secs_f64(),
            load.accounts = sizes.accounts,
            load.routes = sizes.routes,
            load.octets_per_account = each(directory.account_octets(), sizes.accounts),
            load.octets_per_route = each(pstn.route_octets(), sizes.routes)
        },
        "the directory is loaded"
    );
}

/// Follows the journal until `shutdown` or the engine's end. A position counts as applied once the engine says so.
pub async fn run(
    store: Store,
    mut follower: Follower,
    mut tables: Tables,
    batches: mpsc::Sender<Batch>,
    readiness: Readiness,
    shutdown: CancellationToken,
) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = follow(&store, &mut follower, &mut tables, &batches, &readiness) => {}
    }
}

async fn follow(
    store: &Store,
    follower: &mut Follower,
    tables: &mut Tables,
    batches: &mpsc::Sender<Batch>,
    readiness: &Readiness,
) {
    readiness.applied(follower.seen().low_water(Instant::now()).0, []);
    let (mut shared, mut others) = (tokio::time::interval(SHARED), Others::default());
    shared.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let next = tokio::select! {
            // Dropping it loses nothing.
            next = follower.next() => next,
            _ = shared.tick() => {
                let read = others.look(store, tables).await.unwrap_or_else(|error| {
                    tracing::debug!(%error, "tables that others write cannot be read");
                    Read::default()
                });
                let updates = tables.take(read).await;
                let (applied, done) = oneshot::channel();
                let batch = Batch { anew: None, updates, applied };
                if !batch.updates.is_empty()
                    && (batches.send(batch).await.is_err() || done.await.is_err())
                {
                    return;
                }
                continue;
            }
        };
        let (anew, rows) = match next {
            Ok(rows) => (None, rows),
            Err(StoreError::Rewound { position }) => {
                tracing::warn!(position, "the journal went back; loading everything anew");
                let (loaded, from_there) = load_anew(store, tables).await;
                (*follower, *tables) = (from_there, loaded.tables);
                (Some(Box::new(loaded.directory)), Vec::new())
            }
            Err(error) => {
                tracing::warn!(%error, "the journal cannot be read; serving what is known");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        };
        let named = Named::by(&rows);
        // The rows were taken from the follower, so their records must be read, however long it takes.
        let read = loop {
            match named.read(store).await {
                Ok(read) => break read,
                Err(error) => {
                    tracing::warn!(%error, "changed records cannot be read yet");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        let updates = tables.take(read).await;
        let (applied, done) = oneshot::channel();
        if batches.send(Batch { anew, updates, applied }).await.is_err() || done.await.is_err() {
            return;
        }
        let low_water = follower.seen().low_water(Instant::now()).0;
        readiness.applied(low_water, rows.iter().map(|row| row.position.0));
    }
}

/// What was seen of the tables that other programs write too (B165, B71, B66).
#[derive(Debug, Default)]
struct Others {
    /// The newest row of the credit history.
    charged: Option<i64>,
    /// When everything was looked at last.
    looked: Option<Instant>,
    /// What the members of groups were told apart by.
    mark: Option<(i64, i64)>,
    /// Who they were; nobody at first, so that who came since everything was loaded is not missed.
    restricted: BTreeSet<(Aor, String)>,
}

impl Others {
    /// What they changed. Whatever stands there is as good as what the journal told of: both are read from the same rows, and
    /// what was read last counts.
    async fn look(&mut self, store: &Store, tables: &Tables) -> Result<Read, StoreError> {
        let now = Instant::now();
        let found = store.emergency_table().await?;
        let found: BTreeMap<i64, EmergencyMapping> =
            found.into_iter().map(|row| (row.id, row)).collect();
        let gone = tables.mappings.keys().filter(|id| !found.contains_key(id));
        let gone = gone.map(|id| (*id, None));
        let new = found.iter().filter(|(id, row)| tables.mappings.get(id) != Some(row));
        let emergency = new.map(|(id, row)| (*id, Some(row.clone()))).chain(gone).collect();
        let within = self.looked.map_or(SHARED, |looked| now.saturating_duration_since(looked));
        let (newest, mut updates) = self.balances(store, within).await?;
        // What was seen counts only when all of it was.
        updates.extend(self.restricted(store).await?);
        (self.charged, self.looked) = (Some(newest), Some(now));
        Ok(Read { updates, emergency, ..Read::default() })
    }

    /// Balances that a rating engine or an operator set (B71, B163), and the newest row of the history.
    async fn balances(
        &self,
        store: &Store,
        within: Duration,
    ) -> Result<(i64, Vec<Update>), StoreError> {
        let (newest, charged) = store.charged_since(self.charged).await?;
        let told = if charged.is_empty() { Vec::new() } else { store.balances(&charged).await? };
        let changed = store.balances_changed(within).await?;
        let changed = changed.into_iter().map(|(aor, amount)| (aor, Some(amount)));
        let updates = told.into_iter().chain(changed);
        Ok((newest, updates.map(|(aor, amount)| Update::Balance(aor, amount)).collect()))
    }

    /// Accounts that came into the groups which a quota job or an operator sets, or left them (B66, B180).
    async fn restricted(&mut self, store: &Store) -> Result<Vec<Update>, StoreError> {
        let mark = store.restricted_mark().await?;
        if self.mark == Some(mark) {
            return Ok(Vec::new());
        }
        let found = store.restricted().await?;
        let changed = found.symmetric_difference(&self.restricted).map(|(aor, _)| aor.clone());
        let changed: BTreeSet<Aor> = changed.collect();
        let changed: Vec<Aor> = changed.into_iter().collect();
        let rows = if changed.is_empty() { Vec::new() } else { store.accounts(&changed).await? };
        (self.mark, self.restricted) = (Some(mark), found);
        let update = |(aor, row): (Aor, Option<_>)| Update::Account(aor, row.map(Box::new));
        Ok(rows.into_iter().map(update).collect())
    }
}

/// Loads everything, however long it takes.
async fn load_anew(store: &Store, tables: &Tables) -> (Loaded, Follower) {
    loop {
        match load(store, tables.given.clone(), tables.profiles.clone()).await {
            Ok(loaded) => return loaded,
            Err(error) => {
                tracing::warn!(%error, "the directory cannot be loaded yet");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::{Carrier, Gateway, GatewayTransport, Position, Route};

    fn route(id: i64, prefix: &str) -> Route {
        let (prefix, originator) = (prefix.to_owned(), String::new());
        Route { id, carrier_id: 1, prefix, originator, priority: 0 }
    }

    #[tokio::test]
    async fn a_changed_route_makes_another_table_beside_the_one_that_is_served() {
        let carrier = Carrier { id: 1, name: "c".to_owned(), reseller: 0 };
        let gateway = Gateway {
            id: 1,
            carrier_id: 1,
            name: "g".to_owned(),
            transport: GatewayTransport::Udp,
            host: "192.0.2.1".to_owned(),
            port: 5060,
        };
        let routes = (1..=1000).map(|id| route(id, &format!("00{id}")));
        let served = Arc::new(Pstn::new([carrier], [gateway.clone()], [], routes));
        let profiles = Profiles::new(&crate::config::Tls::default()).expect("no files");
        let (given, mappings) = (Given::default(), BTreeMap::new());
        let mut tables = Tables { pstn: Arc::clone(&served), given, mappings, profiles };
        let one = vec![Change::Route(1001, Some(route(1001, "0031")))];
        let updates = tables.take(Read { pstn: one, ..Read::default() }).await;
        let [Update::Pstn(new)] = &updates[..] else { panic!("{updates:?}") };
        assert_eq!((served.routes(), new.routes()), (1000, 1001));
        assert!(new.has_gateways_of(&served), "nothing is probed anew");
        let two = vec![Change::Gateway(2, Some(Gateway { id: 2, ..gateway }))];
        let updates = tables.take(Read { pstn: two, ..Read::default() }).await;
        let [Update::Pstn(newer)] = &updates[..] else { panic!("{updates:?}") };
        assert_eq!((newer.routes(), newer.gateways().count()), (1001, 2));
        assert!(!newer.has_gateways_of(new));
    }

    #[test]
    fn rows_name_each_record_once_and_hostile_keys_nothing() {
        let row = |entity, key: &str| JournalRow {
            position: Position(1),
            entity,
            key: key.to_owned(),
            zone: None,
        };
        let named = Named::by(&[
            row(Entity::SipAccount, "a@example.com"),
            row(Entity::SipAccount, "a@example.com"),
            row(Entity::SipAccount, "no address"),
            row(Entity::SipAlias, "a@example.com"),
            row(Entity::SipDomain, "example.com"),
            row(Entity::Diversions, "b@example.com"),
            row(Entity::PhonebookEntry, "c@example.com x@example.net"),
            row(Entity::PhonebookEntry, ""),
            row(Entity::Customer, "7"),
            row(Entity::Customer, "x"),
            row(Entity::TrustedPeer, "192.0.2.1"),
            row(Entity::Carrier, "1"),
            row(Entity::Gateway, "2"),
            row(Entity::GatewayRule, "x"),
            row(Entity::Route, "3"),
            row(Entity::Route, "3"),
            row(Entity::Route, "4"),
            row(Entity::Emergency, "9"),
            row(Entity::Prepaid, "a@example.com"),
            row(Entity::EnumRange, "43@e164.arpa"),
            row(Entity::EnumNumber, "431@e164.arpa"),
            row(Entity::EnumNumber, "431@e164.arpa"),
            row(Entity::EnumNumber, "431"),
        ]);
        assert_eq!((named.enum_ranges.len(), named.enum_numbers.len()), (1, 1));
        assert_eq!((named.peers.len(), named.carriers.len(), named.gateways.len()), (1, 1, 1));
        assert_eq!((named.rules.len(), named.routes.len(), named.emergency.len()), (0, 2, 1));
        assert_eq!(named.balances.len(), 1);
        let accounts: Vec<String> = named.accounts.iter().map(ToString::to_string).collect();
        assert_eq!(accounts, ["a@example.com", "b@example.com", "c@example.com"]);
        assert_eq!(named.customers.len(), 1);
        assert_eq!(named.aliases.len(), 1);
        assert_eq!(named.domains.len(), 1);
    }
}
