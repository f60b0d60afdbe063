//! The key that passwords are encrypted with at rest, opened at the start (B8).

use crate::config::Passwords;
use anyhow::Context as _;
use ngn_store::{Keyring, KeyringError, Store};
use std::sync::Arc;

/// Opens the key file, or makes it when nothing was encrypted yet, and gives it to the store.
///
/// # Errors
///
/// When the file is missing or wrong although the database holds passwords that need it; the text says what to do.
pub async fn open(store: &Store, settings: &Passwords) -> anyhow::Result<Option<Arc<Keyring>>> {
    let path = &settings.key_file;
    let keyring = match Keyring::open(path, settings.encrypt) {
        Ok(keyring) => keyring,
        Err(KeyringError::Missing(_)) if store.has_sealed_passwords().await? => {
            anyhow::bail!(
                "the password key file {} (passwords.key_file) does not exist, but the database holds passwords that \
                 were encrypted with it; put the file back from your backup. Without it these passwords are lost: \
                 `ngn rotate-key --give-up-lost` removes them (phones go on, customers need new passwords)",
                path.display()
            );
        }
        Err(KeyringError::Missing(_)) if settings.encrypt => {
            let made = Keyring::create(path).context("passwords.key_file")?;
            tracing::warn!(
                file = %path.display(),
                "made a key for passwords; keep a copy of it apart from copies of the database"
            );
            made
        }
        Err(KeyringError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error).context("passwords.key_file"),
    };
    store.check_keyring(&keyring).await.context("passwords.key_file")?;
    let keyring = Arc::new(keyring);
    store.use_keyring(Arc::clone(&keyring));
    Ok(Some(keyring))
}

/// Brings all passwords to the state that the settings ask for: those of before the key, and those of a rotation that
/// was interrupted.
pub async fn bring_up_to_date(store: Store) {
    match store.reseal_passwords(false).await {
        Ok(done) if done.changed > 0 => {
            tracing::info!(passwords = done.changed, "passwords were encrypted or decrypted");
        }
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "some passwords are not as the settings want them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    async fn new_store() -> (tempfile::TempDir, Store, Passwords) {
        let directory = tempfile::tempdir().expect("a directory");
        let url = format!("sqlite:{}", directory.path().join("ngn.sqlite").display());
        let store = Store::open(&url).await.expect("a store");
        store.migrate().await.expect("migrated");
        let key_file = directory.path().join("password-key");
        (directory, store, Passwords { encrypt: true, key_file })
    }

    async fn add_customer(store: &Store) {
        let actor = ngn_store::Actor::system("test");
        let customer = ngn_store::Customer {
            username: "acme".to_owned(),
            password: Some("acme-password".to_owned()),
            ..Default::default()
        };
        let customer = &customer;
        store
            .write(&actor, |tx| Box::pin(async move { tx.insert_customer(customer).await }))
            .await
            .expect("added");
    }

    async fn password(store: &Store) -> Option<String> {
        let found = store.read(|tx| Box::pin(tx.customer_by_username("acme"))).await;
        found.expect("read").expect("a customer").password
    }

    #[tokio::test]
    async fn b8_made_at_first_start_and_needed_from_then_on() {
        let (_directory, store, settings) = new_store().await;
        open(&store, &settings).await.expect("a new key");
        add_customer(&store).await;
        assert_eq!(password(&store).await.as_deref(), Some("acme-password"));
        // The same start again.
        open(&store, &settings).await.expect("the same key");
        let kept = std::fs::read(&settings.key_file).expect("the key");
        // Lost, or another one: no start, and a text that says what to do.
        std::fs::remove_file(&settings.key_file).expect("removed");
        let lost = format!("{:#}", open(&store, &settings).await.expect_err("no key"));
        Keyring::create(&settings.key_file).expect("another key");
        let other = format!("{:#}", open(&store, &settings).await.expect_err("a wrong key"));
        for text in [lost, other] {
            for part in ["password-key", "backup", "--give-up-lost", "passwords.key_file"] {
                assert!(text.contains(part), "{part} in {text}");
            }
            assert!(!text.contains("acme-password"));
        }
        std::fs::write(&settings.key_file, kept).expect("put back");
        open(&store, &settings).await.expect("the right key");
        assert_eq!(password(&store).await.as_deref(), Some("acme-password"));
    }

    #[tokio::test]
    async fn b8_what_was_there_before_is_encrypted_and_can_be_put_back() {
        let (_directory, store, settings) = new_store().await;
        let off = Passwords { encrypt: false, ..settings.clone() };
        assert!(open(&store, &off).await.expect("nothing to open").is_none());
        assert!(!off.key_file.exists());
        add_customer(&store).await;
        assert!(!store.has_sealed_passwords().await.expect("read"));
        open(&store, &settings).await.expect("a new key");
        bring_up_to_date(store.clone()).await;
        assert!(store.has_sealed_passwords().await.expect("read"));
        assert_eq!(password(&store).await.as_deref(), Some("acme-password"));
        open(&store, &off).await.expect("still read");
        bring_up_to_date(store.clone()).await;
        assert!(!store.has_sealed_passwords().await.expect("read"));
        assert_eq!(password(&store).await.as_deref(), Some("acme-password"));
    }

    #[test]
    fn the_key_lies_beside_the_administrators_password() {
        assert_eq!(Passwords::default().key_file, PathBuf::from("data/password-key"));
    }
}
