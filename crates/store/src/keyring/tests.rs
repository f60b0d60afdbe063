use super::*;
use std::os::unix::fs::PermissionsExt as _;

fn new_file() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("below/password-key");
    (directory, path)
}

#[test]
fn b8_what_is_sealed_is_opened_again() {
    let (_directory, path) = new_file();
    let keyring = Keyring::create(&path).expect("a key file");
    for clear in ["", "secret", "pässword with spaces", "a.b:c"] {
        let sealed = keyring.seal("customer 7", clear).expect("sealed");
        assert!(clear.is_empty() || !sealed.contains(clear));
        assert_eq!(keyring.open_sealed("customer 7", &sealed).expect("opened"), clear);
        assert!(keyring.is_current(&sealed));
        // Equal passwords cannot be told from each other.
        assert_ne!(keyring.seal("customer 7", clear).expect("sealed"), sealed);
    }
}

#[test]
fn a_value_of_another_record_or_a_changed_one_is_refused() {
    let (_directory, path) = new_file();
    let keyring = Keyring::create(&path).expect("a key file");
    let sealed = keyring.seal("customer 7", "secret").expect("sealed");
    let refused = |owner: &str, sealed: &str| {
        matches!(keyring.open_sealed(owner, sealed), Err(KeyringError::Damaged))
    };
    assert!(refused("customer 8", &sealed));
    let (id, text) = sealed.split_once('.').expect("two parts");
    for text in ["", "!", "AAAA", &text[1..], &text[..text.len() - 1]] {
        assert!(refused("customer 7", &format!("{id}.{text}")), "{text}");
    }
    assert!(refused("customer 7", "no point"));
}

#[test]
fn the_file_is_private_and_made_once() {
    let (_directory, path) = new_file();
    assert!(matches!(Keyring::open(&path, true), Err(KeyringError::Missing(_))));
    let sealed = Keyring::create(&path).expect("a key file").seal("x", "secret").expect("sealed");
    let mode = fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = Keyring::create(&path).expect("the same file");
    assert_eq!(again.open_sealed("x", &sealed).expect("opened"), "secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("changed");
    assert!(matches!(Keyring::open(&path, true), Err(KeyringError::Exposed(_))));
}

#[test]
fn a_lost_key_is_named_with_what_to_do() {
    let (_directory, path) = new_file();
    let sealed = Keyring::create(&path).expect("a key file").seal("x", "secret").expect("sealed");
    fs::remove_file(&path).expect("removed");
    let other = Keyring::create(&path).expect("another key");
    let error = other.open_sealed("x", &sealed).expect_err("the key is gone").to_string();
    for part in [&sealed[..16], "password-key", "backup", "--give-up-lost"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn nonsense_in_the_file_is_named_by_its_line_and_not_shown() {
    let (_directory, path) = new_file();
    Keyring::create(&path).expect("a key file");
    for (text, line) in [
        ("", "line 0"),
        ("# nothing\n", "line 0"),
        ("key 00\n", "line 1"),
        ("\nkey: zz11\n", "line 2"),
        (&format!("key {}\n", "g".repeat(64)), "line 1"),
    ] {
        fs::write(&path, text).expect("written");
        let error = Keyring::open(&path, true).expect_err(text).to_string();
        assert!(error.contains(line) && !error.contains("zz11"), "{error}");
    }
}

#[test]
fn rotation_reaches_daemons_that_run_and_keeps_one_key_back() {
    let (_directory, path) = new_file();
    let running = Keyring::create(&path).expect("a key file");
    let first = running.seal("x", "one").expect("sealed");
    let command = Keyring::open(&path, true).expect("the file");
    command.add_key().expect("a new key");
    let second = command.seal("x", "two").expect("sealed");
    assert!(!command.is_current(&first));
    // The daemon finds the new key when it meets it, and uses it itself.
    assert_eq!(running.open_sealed("x", &second).expect("opened"), "two");
    let third = running.seal("x", "three").expect("sealed");
    assert!(command.is_current(&third));
    command.drop_old_keys().expect("written");
    assert_eq!(running.open_sealed("x", &first).expect("kept back"), "one");
    command.add_key().expect("a new key");
    command.drop_old_keys().expect("written");
    let fresh = Keyring::open(&path, true).expect("the file");
    assert!(matches!(fresh.open_sealed("x", &first), Err(KeyringError::UnknownKey { .. })));
    assert_eq!(fresh.open_sealed("x", &second).expect("kept back"), "two");
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
}
