//! Keeps the directory up to date: what the journal names is read again from the database.

use crate::directory::{Directory, Update};
use ngn_daemon::Readiness;
use ngn_model::journal::{Entity, JournalRow};
use ngn_model::{Aor, CustomerId, DomainName};
use ngn_store::{Follower, Store, StoreError};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// How long to wait before a database that failed is asked again.
const RETRY: Duration = Duration::from_millis(500);

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
                Entity::SipAlias => named.aliases.extend(row.key.parse::<Aor>()),
                _ => {}
            }
        }
        named
    }

    async fn read(&self, store: &Store) -> Result<Vec<Update>, StoreError> {
        let domains: Vec<DomainName> = self.domains.iter().cloned().collect();
        let mut accounts: Vec<Aor> = self.accounts.iter().cloned().collect();
        let aliases: Vec<Aor> = self.aliases.iter().cloned().collect();
        if !self.customers.is_empty() {
            // B86: their mobile number may be where somebody's calls go.
            let customers: Vec<CustomerId> = self.customers.iter().copied().collect();
            let diverted = store.accounts_diverted_to_mobiles_of(&customers).await?;
            accounts.extend(diverted.into_iter().filter(|aor| !self.accounts.contains(aor)));
        }
        let mut updates = Vec::new();
        if !domains.is_empty() {
            let rows = store.sip_domains(&domains).await?;
            updates.extend(rows.into_iter().map(|(name, row)| Update::Domain(name, row.is_some())));
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
        Ok(updates)
    }
}

/// Follows the journal until `shutdown` or the engine's end. A position counts as applied once the engine says so.
pub async fn run(
    store: Store,
    mut follower: Follower,
    batches: mpsc::Sender<Batch>,
    readiness: Readiness,
    shutdown: CancellationToken,
) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = follow(&store, &mut follower, &batches, &readiness) => {}
    }
}

async fn follow(
    store: &Store,
    follower: &mut Follower,
    batches: &mpsc::Sender<Batch>,
    readiness: &Readiness,
) {
    readiness.applied(follower.seen().low_water(Instant::now()).0, []);
    loop {
        let (anew, rows) = match follower.next().await {
            Ok(rows) => (None, rows),
            Err(StoreError::Rewound { position }) => {
                tracing::warn!(position, "the journal went back; loading everything anew");
                let (directory, from_there) = load_anew(store).await;
                *follower = from_there;
                (Some(directory), Vec::new())
            }
            Err(error) => {
                tracing::warn!(%error, "the journal cannot be read; serving what is known");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        };
        let named = Named::by(&rows);
        // The rows were taken from the follower, so their records must be read, however long it takes.
        let updates = loop {
            match named.read(store).await {
                Ok(updates) => break updates,
                Err(error) => {
                    tracing::warn!(%error, "changed records cannot be read yet");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        let (applied, done) = oneshot::channel();
        if batches.send(Batch { anew, updates, applied }).await.is_err() || done.await.is_err() {
            return;
        }
        let low_water = follower.seen().low_water(Instant::now()).0;
        readiness.applied(low_water, rows.iter().map(|row| row.position.0));
    }
}

/// Loads everything, however long it takes.
async fn load_anew(store: &Store) -> (Box<Directory>, Follower) {
    loop {
        match load(store).await {
            Ok((directory, follower)) => return (Box::new(directory), follower),
            Err(error) => {
                tracing::warn!(%error, "the directory cannot be loaded yet");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Loads everything at one moment, and a follower that goes on from there.
///
/// # Errors
///
/// When the database fails.
pub async fn load(store: &Store) -> Result<(Directory, Follower), StoreError> {
    let (loaded, follower) = store.load_directory().await?;
    Ok((Directory::from_loaded(loaded), follower))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::Position;

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
        ]);
        let accounts: Vec<String> = named.accounts.iter().map(ToString::to_string).collect();
        assert_eq!(accounts, ["a@example.com", "b@example.com", "c@example.com"]);
        assert_eq!(named.customers.len(), 1);
        assert_eq!(named.aliases.len(), 1);
        assert_eq!(named.domains.len(), 1);
    }
}
