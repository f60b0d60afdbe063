//! The units of `etc/systemd`: systemd takes them, and their paths are those of the settings.

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use ngn_tests::binaries::{program, root};

/// Each unit, and the program that it starts.
const UNITS: [&str; 4] = ["ngnpro", "sipd", "enumd", "ngn"];

/// The values of a unit by section and key, in their order.
fn read(unit: &str) -> HashMap<String, Vec<String>> {
    let text = fs::read_to_string(root().join(format!("etc/systemd/{unit}.service"))).unwrap();
    let mut section = String::new();
    let mut values: HashMap<String, Vec<String>> = HashMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = name.to_owned(),
            None => {
                let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{unit}: {line}"));
                values.entry(format!("{section}.{key}")).or_default().push(value.to_owned());
            }
        }
    }
    values
}

fn one<'a>(values: &'a HashMap<String, Vec<String>>, key: &str) -> &'a str {
    match values.get(key).map(Vec::as_slice) {
        Some([value]) => value,
        other => panic!("{key} is there {} times", other.map_or(0, <[_]>::len)),
    }
}

/// The paths that a file of settings names without comment.
fn paths(daemon: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(format!("etc/{daemon}.toml"))).unwrap();
    let values = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (key, value) = line.split_once(" = ")?;
        // The path of a URI is no file.
        let value = (key != "path").then_some(value)?.strip_prefix('"')?.strip_suffix('"')?;
        let value = value.strip_prefix("sqlite:").unwrap_or(value);
        (value.contains('/') && !value.contains("://")).then(|| value.to_owned())
    });
    values.collect()
}

#[test]
fn units_fit_the_programs_and_their_settings() {
    for unit in UNITS {
        let values = read(unit);
        let command: Vec<&str> = one(&values, "Service.ExecStart").split(' ').collect();
        assert_eq!(command[0], format!("/usr/bin/{unit}"));
        assert!(program(unit).exists());
        // The programs say when they are ready.
        assert_eq!(one(&values, "Service.Type"), "notify");
        // They take at most 15 seconds to end.
        let stop: u32 = one(&values, "Service.TimeoutStopSec").parse().unwrap();
        assert!(stop > 15, "{unit}");
        let state = format!("/var/lib/{}", one(&values, "Service.StateDirectory"));
        assert_eq!(one(&values, "Service.WorkingDirectory"), state, "{unit}");
        let configuration = format!("/etc/{}", one(&values, "Service.ConfigurationDirectory"));
        match command[1] {
            "--config" => assert_eq!(command[2], format!("{configuration}/{unit}.toml")),
            _ => assert!(command[1..] == ["up", "--data", &format!("{state}/data")], "{command:?}"),
        }
        // Everything that a daemon writes lies where it may write: paths are relative to the directory it begins in.
        for path in ["ngnpro", "sipd", "enumd"].iter().flat_map(|daemon| paths(daemon)) {
            assert!(!path.starts_with('/') && !path.contains(".."), "{unit}: {path}");
        }
        assert_eq!(one(&values, "Service.ProtectSystem"), "strict", "{unit}");
        for key in ["NoNewPrivileges", "MemoryDenyWriteExecute", "PrivateDevices", "ProtectHome"] {
            assert_eq!(one(&values, &format!("Service.{key}")), "yes", "{unit}");
        }
    }
    assert!(!paths("ngnpro").is_empty() && !paths("sipd").is_empty());
}

/// systemd itself, where it is installed: each directive is known, and what is started can be.
#[test]
fn systemd_takes_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("systemd-analyze is not installed here");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let verify = |name: &str, text: &str| {
        let file = directory.path().join(format!("{name}.service"));
        fs::write(&file, text).unwrap();
        let output = Command::new("systemd-analyze").arg("verify").arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // Units of others on this machine may have faults of their own.
        said.lines().filter(|line| line.contains(name)).map(str::to_owned).collect::<Vec<_>>()
    };
    for unit in UNITS {
        let path = root().join(format!("etc/systemd/{unit}.service"));
        let built = program(unit).display().to_string();
        let text = fs::read_to_string(path).unwrap().replace(&format!("/usr/bin/{unit}"), &built);
        let name = format!("verified-{unit}");
        assert_eq!(verify(&name, &text), Vec::<String>::new(), "{unit}");
        let wrong = text.replace("NoNewPrivileges=", "NoNewPriviledges=");
        let told = verify(&format!("wrong-{unit}"), &wrong).join("\n");
        assert!(told.contains("NoNewPriviledges"), "{told}");
    }
}
