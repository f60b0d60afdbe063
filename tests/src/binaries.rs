//! Where the programs under test are.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

/// The directory that cargo builds into: the one that this test program lies in.
#[must_use]
pub fn target() -> PathBuf {
    let mut path = std::env::current_exe().expect("the path of this program");
    // <target>/<profile>/{deps,examples}/<program>
    path.pop();
    path.pop();
    path.pop();
    path
}

/// The directory of the built programs, of the profile that this test program was built with.
///
/// `make verify` builds them before; otherwise they are built here, once per test program, so that a test never
/// runs against yesterday's binary.
#[must_use]
pub fn directory() -> &'static PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let mut path = std::env::current_exe().expect("the path of this program");
        path.pop();
        path.pop();
        if std::env::var_os("NGN_TEST_BUILT").is_none() {
            let mut build = Command::new(env!("CARGO"));
            // What `make` builds: a smaller selection has other features, and would be compiled once more.
            build.args(["build", "--quiet", "--workspace", "--bins"]).current_dir(root());
            if path.ends_with("release") {
                build.arg("--release");
            }
            let status = build.status().expect("cargo runs");
            assert!(status.success(), "the programs do not build");
        }
        path
    })
}

/// The path of a program.
#[must_use]
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    let path = directory().join(name);
    assert!(path.is_file(), "{} was not built", path.display());
    path
}
