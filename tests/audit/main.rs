//! What the workspace depends on, judged from `cargo metadata`: licences, the purity of the cores, and single choices.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use ngn_tests::binaries::root;
use ngn_tests::program::run;
use serde_json::Value;

/// Licences that ask for nothing but attribution.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages whose manifest says something else, with what was found by reading them.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("rsip", "the manifest names a LICENSE file, which is the MIT licence"),
    ("rsip-derives", "as rsip"),
];

/// Crates that decide and do nothing else: no runtime, no socket, no clock, no randomness.
const PURE: &[&str] = &["ngn-model", "ngn-routing", "ngn-soap", "ngn-sip", "ngn-dns"];

/// What a pure crate may not reach, at any depth.
const IMPURE: &[&str] = &[
    "async-std",
    "fastrand",
    "getrandom",
    "hyper",
    "libc",
    "mio",
    "rand",
    "rand_core",
    "rustix",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "tokio",
    "tokio-util",
];

struct Package {
    name: String,
    version: String,
    license: Option<String>,
    ours: bool,
    /// Ids of what it is built with, without build and test dependencies.
    dependencies: Vec<String>,
}

/// All packages that this platform builds, by id.
fn packages() -> BTreeMap<String, Package> {
    let host = run(Command::new("rustc").arg("-vV")).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host]);
    let text = run(command.current_dir(root())).unwrap();
    let metadata: Value = serde_json::from_str(&text).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let members: BTreeSet<String> = list(&metadata["workspace_members"]).iter().map(text).collect();
    let mut packages: BTreeMap<String, Package> = list(&metadata["packages"])
        .iter()
        .map(|package| {
            let id = text(&package["id"]);
            let ours = members.contains(&id);
            let license = package["license"].as_str().map(str::to_owned);
            let (name, version) = (text(&package["name"]), text(&package["version"]));
            (id, Package { name, version, license, ours, dependencies: Vec::new() })
        })
        .collect();
    for node in list(&metadata["resolve"]["nodes"]) {
        let dependencies = list(&node["deps"])
            .iter()
            .filter(|dep| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()))
            .map(|dep| text(&dep["pkg"]))
            .collect();
        packages.get_mut(&text(&node["id"])).unwrap().dependencies = dependencies;
    }
    // Nodes that only other platforms reach stand in the list without being built here.
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = members.into_iter().collect();
    let all_kinds: BTreeMap<String, Vec<String>> = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            (text(&node["id"]), list(&node["deps"]).iter().map(|d| text(&d["pkg"])).collect())
        })
        .collect();
    while let Some(id) = open.pop() {
        if reached.insert(id.clone()) {
            open.extend(all_kinds[&id].clone());
        }
    }
    packages.retain(|id, _| reached.contains(id));
    packages
}

/// The names of everything that a package of ours is built with, at any depth.
fn closure(packages: &BTreeMap<String, Package>, name: &str) -> BTreeSet<String> {
    let start = packages.iter().find(|(_, p)| p.ours && p.name == name);
    let (start, _) = start.unwrap_or_else(|| panic!("no package {name}"));
    let mut reached = BTreeSet::new();
    let mut open = vec![start.clone()];
    while let Some(id) = open.pop() {
        if reached.insert(id.clone()) {
            open.extend(packages[&id].dependencies.clone());
        }
    }
    reached.iter().map(|id| packages[id].name.clone()).collect()
}

/// Whether an SPDX expression can be met with permissive licences alone.
fn is_permissive(expression: &str) -> bool {
    // `OR` binds weaker than `AND`; parentheses do not nest in practice, and where they do the package shows up
    // here and is read.
    let expression = expression.replace('/', " OR ");
    if let Some((before, rest)) = expression.split_once('(') {
        let Some((inside, after)) = rest.split_once(')') else { return false };
        let word = if is_permissive(inside) { "MIT" } else { "unknown" };
        return is_permissive(&format!("{before}{word}{after}"));
    }
    expression
        .split(" OR ")
        .any(|choice| choice.split(" AND ").all(|licence| PERMISSIVE.contains(&licence.trim())))
}

#[test]
fn every_licence_is_permissive() {
    let packages = packages();
    assert!(packages.len() > 50, "only {} packages: the audit looks at nothing", packages.len());
    let mut bad = Vec::new();
    for package in packages.values() {
        let permissive = package.license.as_deref().is_some_and(is_permissive);
        let excepted = EXCEPTIONS.iter().any(|(name, _)| *name == package.name);
        if permissive == excepted {
            bad.push(format!("{} {}: {:?}", package.name, package.version, package.license));
        }
    }
    assert!(bad.is_empty(), "not permissive (or an exception without need): {bad:#?}");
}

#[test]
fn expressions_are_judged_right() {
    for good in ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(is_permissive(good), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR LGPL-2.1) AND MIT", ""] {
        assert!(!is_permissive(bad), "{bad}");
    }
}

#[test]
fn pure_crates_reach_no_runtime_socket_or_randomness() {
    let packages = packages();
    let mut bad = Vec::new();
    for name in PURE {
        let closure = closure(&packages, name);
        bad.extend(
            IMPURE.iter().filter(|i| closure.contains(**i)).map(|i| format!("{name} reaches {i}")),
        );
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn the_cores_do_not_see_each_other() {
    let packages = packages();
    let model = PURE[0];
    for name in &PURE[1..] {
        let seen = closure(&packages, name);
        let seen: Vec<_> =
            PURE[1..].iter().filter(|o| **o != *name && seen.contains(**o)).collect();
        assert!(seen.is_empty(), "{name} depends on {seen:?}");
    }
    let seen = closure(&packages, model);
    assert!(PURE[1..].iter().all(|o| !seen.contains(*o)), "{model} depends on what builds on it");
}

#[test]
fn at_most_one_provider_of_cryptography_for_tls() {
    // With two compiled in, rustls cannot choose and panics at run time.
    let packages = packages();
    let built: BTreeSet<_> =
        packages.values().filter(|p| !p.ours).map(|p| p.name.as_str()).collect();
    let providers: Vec<_> =
        ["ring", "aws-lc-rs", "rustls-openssl", "boring", "openssl", "rustls-rustcrypto"]
            .into_iter()
            .filter(|name| built.contains(name))
            .collect();
    assert!(providers.len() <= 1, "{providers:?}");
}

#[test]
fn every_package_of_ours_inherits_the_licence_and_is_not_published() {
    let packages = packages();
    let ours: Vec<_> = packages.values().filter(|p| p.ours).collect();
    assert!(ours.len() >= 10);
    for package in ours {
        assert_eq!(package.license.as_deref(), Some("MIT"), "{}", package.name);
    }
}
