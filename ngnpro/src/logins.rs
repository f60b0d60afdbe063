//! Logins that were checked a moment ago, so that the next call of the same client asks the database nothing.
//!
//! An entry stands under a keyed hash of the whole `auth` header; the key lives as long as the process, and no password
//! is kept. All entries go when any customer changes: at once for changes of this process, and as soon as the journal
//! tells for those of others. What changes the tables behind the platform's back is seen after ten seconds.

use crate::principal::Principal;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ngn_model::Entity;
use ngn_soap::Auth;
use ngn_store::{Store, StoreError};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a login is remembered.
const LIFE: Duration = Duration::from_secs(10);
/// The most logins that are remembered.
const MOST: usize = 10_000;
/// How long to wait before the journal is followed anew.
const RETRY: Duration = Duration::from_millis(500);

/// What is remembered.
pub struct Logins {
    key: [u8; 32],
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Rises with every change of a customer.
    generation: u64,
    entries: HashMap<[u8; 32], (Instant, Principal)>,
}

/// A login that is being checked.
#[derive(Debug)]
pub struct Ticket {
    place: [u8; 32],
    generation: u64,
}

impl std::fmt::Debug for Logins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

impl Logins {
    /// Remembers nothing yet. The key must come from a generator that cannot be predicted.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, state: Mutex::default() }
    }

    /// Who calls, if the same header was checked a short while ago; else what [`Logins::remember`] wants.
    pub fn find(&self, auth: &Auth) -> Result<Principal, Ticket> {
        self.find_at(auth, Instant::now())
    }

    fn find_at(&self, auth: &Auth, now: Instant) -> Result<Principal, Ticket> {
        let place = self.place(auth);
        let state = self.state();
        match state.entries.get(&place) {
            Some((since, principal)) if now.duration_since(*since) < LIFE => Ok(principal.clone()),
            _ => Err(Ticket { place, generation: state.generation }),
        }
    }

    /// Remembers a login that was found good, unless a customer changed since the ticket was given.
    pub fn remember(&self, ticket: Ticket, principal: &Principal) {
        self.remember_at(ticket, principal, Instant::now());
    }

    fn remember_at(&self, ticket: Ticket, principal: &Principal, now: Instant) {
        let mut state = self.state();
        if state.generation != ticket.generation {
            return;
        }
        if state.entries.len() >= MOST {
            state.entries.retain(|_, (since, _)| now.duration_since(*since) < LIFE);
            if state.entries.len() >= MOST {
                state.entries.clear();
            }
        }
        state.entries.insert(ticket.place, (now, principal.clone()));
    }

    /// Forgets everything: a customer changed.
    pub fn forget(&self) {
        let mut state = self.state();
        state.generation = state.generation.wrapping_add(1);
        state.entries.clear();
    }

    /// Forgets whenever the journal tells of a change of a customer.
    pub async fn follow(self: Arc<Self>, store: Store) {
        loop {
            if let Err(error) = self.follow_once(&store).await {
                tracing::debug!(%error, "the journal cannot be followed");
            }
            self.forget();
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn follow_once(&self, store: &Store) -> Result<(), StoreError> {
        let mut follower = store.follow().await?;
        self.forget();
        loop {
            let rows = follower.next().await?;
            if rows.iter().any(|row| row.entity == Entity::Customer) {
                self.forget();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keyed hash of everything that decides about a login, each part with its length before it.
    fn place(&self, auth: &Auth) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        for text in [&auth.username, &auth.password] {
            let text = text.as_deref().unwrap_or_default();
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        mac.update(&[auth.admin.map_or(2, u8::from)]);
        mac.update(&auth.impersonate.unwrap_or_default().to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(username: &str, password: &str) -> Auth {
        Auth {
            username: Some(username.to_owned()),
            password: Some(password.to_owned()),
            ..Auth::default()
        }
    }

    fn checked(logins: &Logins, auth: &Auth) {
        let ticket = logins.find(auth).expect_err("not known yet");
        logins.remember(ticket, &Principal::administrator("who"));
    }

    #[test]
    fn only_the_very_same_header_is_found() {
        let logins = Logins::new([7; 32]);
        let good = Auth { admin: Some(false), impersonate: Some(5), ..auth("ab", "c") };
        checked(&logins, &good);
        assert_eq!(logins.find(&good).expect("known").login, "who");
        for other in [
            Auth { admin: Some(true), ..good.clone() },
            Auth { admin: None, ..good.clone() },
            Auth { impersonate: Some(6), ..good.clone() },
            Auth { impersonate: None, ..good.clone() },
            Auth {
                username: Some("a".to_owned()),
                password: Some("bc".to_owned()),
                ..good.clone()
            },
            Auth { password: Some("C".to_owned()), ..good.clone() },
            Auth { password: None, ..good },
        ] {
            assert!(logins.find(&other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_change_of_a_customer_forgets_also_what_is_being_checked() {
        let logins = Logins::new([7; 32]);
        checked(&logins, &auth("a", "b"));
        let in_between = logins.find(&auth("c", "d")).expect_err("not known yet");
        logins.forget();
        logins.remember(in_between, &Principal::administrator("who"));
        assert!(logins.find(&auth("a", "b")).is_err());
        assert!(logins.find(&auth("c", "d")).is_err());
    }

    #[test]
    fn a_login_is_remembered_for_a_short_time_and_not_too_many() {
        let logins = Logins::new([7; 32]);
        let (a, start) = (auth("a", "b"), Instant::now());
        let ticket = logins.find_at(&a, start).expect_err("not known yet");
        logins.remember_at(ticket, &Principal::administrator("who"), start);
        assert!(logins.find_at(&a, start + LIFE - Duration::from_millis(1)).is_ok());
        assert!(logins.find_at(&a, start + LIFE).is_err());
        for number in 0..=MOST {
            checked(&logins, &auth("a", &number.to_string()));
        }
        assert!(logins.state().entries.len() <= MOST);
    }

    #[tokio::test]
    async fn the_journal_tells_of_changes_by_others() {
        let directory = tempfile::tempdir().expect("a directory");
        let url = format!("sqlite:{}", directory.path().join("ngn.sqlite").display());
        let store = Store::open(&url).await.expect("a store");
        store.migrate().await.expect("migrated");
        let logins = Arc::new(Logins::new([7; 32]));
        let following = tokio::spawn(Arc::clone(&logins).follow(store.clone()));
        // Until it follows.
        while logins.state().generation == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let change = |entity| {
            let store = store.clone();
            async move {
                let actor = ngn_store::Actor::system("test");
                let done = store
                    .write(&actor, |tx| {
                        Box::pin(async move {
                            tx.journal(entity, "5", None, None, None);
                            Ok::<_, StoreError>(())
                        })
                    })
                    .await;
                done.expect("written")
            }
        };
        checked(&logins, &auth("a", "b"));
        change(Entity::SipDomain).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(logins.find(&auth("a", "b")).is_ok());
        change(Entity::Customer).await;
        for _ in 0..400 {
            if logins.find(&auth("a", "b")).is_err() {
                following.abort();
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the login is still remembered");
    }
}
