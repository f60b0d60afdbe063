//! Configuration files: TOML, unknown keys refused with their line and a suggestion.
//!
//! Order of precedence, lowest first: built-in defaults, the file, the environment. An environment variable
//! `SIPD_LISTEN__ADMIN=127.0.0.1:9281` sets `listen.admin` of `sipd`: the daemon's name, then the path of the key in
//! upper case with `__` between its parts. Its value is read as TOML, and as text when it is no TOML.

use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The text is no TOML, a key is unknown, or a value has the wrong type or makes no sense.
    #[error("{origin}, line {line}: {message}")]
    Invalid {
        /// The file's name.
        origin: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong, with a suggestion where there is one.
        message: String,
    },
    /// An environment variable names an unknown key or has a wrong value, or one that makes no sense.
    #[error("environment variable {name}: {message}")]
    Environment {
        /// The variable.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// What is well-formed and makes no sense, and the file does not say it: it is a default, or follows from defaults.
    #[error("{origin}: {message}")]
    Senseless {
        /// The file's name.
        origin: String,
        /// What is wrong, and what to write.
        message: String,
    },
}

/// Reads a file, applies the environment variables that begin with `prefix` and one underscore, and has `check` look whether
/// all makes sense; without a file, the defaults.
///
/// # Errors
///
/// [`ConfigError`], which names the line or the variable. What `check` says begins with the path of a key, or of a table, and a
/// colon: `limits.connections: must be 1 or more`.
pub fn load<T: DeserializeOwned>(
    path: Option<&Path>,
    prefix: &str,
    environment: impl IntoIterator<Item = (String, String)>,
    check: impl FnOnce(&T) -> Result<(), String>,
) -> Result<T, ConfigError> {
    let (text, origin) = match path {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
            (text, path.display().to_string())
        }
        None => (String::new(), "the defaults".to_owned()),
    };
    let environment: Vec<(String, String)> = environment.into_iter().collect();
    let settings = parse(&text, &origin, prefix, environment.iter().cloned())?;
    let names = environment.iter().map(|(name, _)| name.as_str());
    check(&settings).map_err(|message| senseless(&text, &origin, prefix, names, message))?;
    Ok(settings)
}

/// Where somebody wrote what makes no sense.
fn senseless<'e>(
    text: &str,
    origin: &str,
    prefix: &str,
    environment: impl IntoIterator<Item = &'e str>,
    message: String,
) -> ConfigError {
    let path = message.split(':').next().unwrap_or_default();
    let variable = format!("{prefix}_{}", path.replace('.', "__").to_ascii_uppercase());
    if let Some(name) = environment.into_iter().find(|name| *name == variable) {
        return ConfigError::Environment { name: name.to_owned(), message };
    }
    let origin = origin.to_owned();
    match line_of(text, path) {
        Some(line) => ConfigError::Invalid { origin, line, message },
        None => ConfigError::Senseless { origin, message },
    }
}

/// The line, from 1, of a key or table, or of the table that the key would be in.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let (mut table, mut at) = (document.get_ref(), None);
    for name in path.split('.') {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == name) else { break };
        at = Some(key.span().start);
        let Some(inner) = value.get_ref().as_table() else { break };
        table = inner;
    }
    at.map(|offset| line_at(text, offset))
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|octet| *octet == b'\n').count() + 1
}

/// Reads a text as [`load`] reads a file, whether it makes sense or not; `origin` names it in errors.
///
/// # Errors
///
/// As [`load`].
pub fn parse<T: DeserializeOwned>(
    text: &str,
    origin: &str,
    prefix: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    // The text is checked by itself first: only so does an error know its line.
    let _: T = toml::from_str(text).map_err(|error| invalid(text, origin, &error))?;
    let mut table: toml::Table =
        toml::from_str(text).map_err(|error| invalid(text, origin, &error))?;
    let start = format!("{prefix}_");
    let mut variables: Vec<(String, String)> =
        environment.into_iter().filter(|(name, _)| name.starts_with(&start)).collect();
    variables.sort();
    for (name, value) in variables {
        let path: Vec<String> = name
            .get(start.len()..)
            .unwrap_or_default()
            .split("__")
            .map(str::to_ascii_lowercase)
            .collect();
        let bad = |message: String| ConfigError::Environment { name: name.clone(), message };
        set(&mut table, &path, read_value(&value)).map_err(&bad)?;
        let _: T = table
            .clone()
            .try_into()
            .map_err(|error: toml::de::Error| bad(with_suggestion(error.message())))?;
    }
    table.try_into().map_err(|error| invalid(text, origin, &error))
}

fn read_value(text: &str) -> toml::Value {
    toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

fn set(table: &mut toml::Table, path: &[String], value: toml::Value) -> Result<(), String> {
    match path {
        [] => Err("names no key".to_owned()),
        [key] => {
            table.insert(key.clone(), value);
            Ok(())
        }
        [key, rest @ ..] => table
            .entry(key.clone())
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()
            .ok_or_else(|| format!("`{key}` is no table"))
            .and_then(|inner| set(inner, rest, value)),
    }
}

/// What is wrong with a text that was read as TOML: its line, and the nearest known key. `origin` names the text.
#[must_use]
pub fn invalid(text: &str, origin: &str, error: &toml::de::Error) -> ConfigError {
    let offset = error.span().map_or(0, |span| span.start);
    ConfigError::Invalid {
        origin: origin.to_owned(),
        line: line_at(text, offset),
        message: with_suggestion(error.message()),
    }
}

/// Turns serde's "unknown field" into a sentence with the nearest known key.
fn with_suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(unknown) = message.strip_prefix("unknown field").and_then(|_| quoted.next()) else {
        return message.trim().to_owned();
    };
    let known: Vec<&str> = quoted.collect();
    match nearest(unknown, known.iter().copied()) {
        Some(key) => format!("unknown key `{unknown}`, did you mean `{key}`?"),
        None => format!("unknown key `{unknown}`; known here: {}", known.join(", ")),
    }
}

/// The known name that somebody may have meant, if one is near enough.
#[must_use]
pub fn nearest<'k>(unknown: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let near = known.into_iter().map(|key| (distance(unknown, key), key));
    near.filter(|(distance, key)| *distance <= 1 + key.len() / 3).min().map(|(_, key)| key)
}

/// Levenshtein distance, on octets: keys are ASCII.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut previous = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let substituted = previous + usize::from(x != y);
            previous = *cell;
            left = substituted.min(previous + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        listen: String,
        limits: Limits,
    }

    #[derive(Debug, Deserialize, PartialEq, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Limits {
        connections: u32,
    }

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Sample, String> {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        parse(text, "test.toml", "SIPD", environment).map_err(|error| error.to_string())
    }

    #[test]
    fn mistakes_name_their_line_and_the_nearest_key() {
        for (text, expected) in [
            ("lisen = \"a\"", "test.toml, line 1: unknown key `lisen`, did you mean `listen`?"),
            (
                "listen = \"a\"\n[limits]\nconections = 1\n",
                "test.toml, line 3: unknown key `conections`, did you mean `connections`?",
            ),
            ("\nzzz = 1", "test.toml, line 2: unknown key `zzz`; known here: listen, limits"),
        ] {
            assert_eq!(read(text, &[]), Err(expected.to_owned()), "{text}");
        }
        let wrong_type = read("\n\nlisten = 5", &[]).expect_err("a number is no text");
        assert!(wrong_type.starts_with("test.toml, line 3: invalid type"), "{wrong_type}");
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let sample = read(
            "listen = \"a\"\n[limits]\nconnections = 1\n",
            &[("SIPD_LISTEN", "b:1"), ("SIPD_LIMITS__CONNECTIONS", "7"), ("OTHER_LISTEN", "c")],
        );
        let expected = Sample { listen: "b:1".to_owned(), limits: Limits { connections: 7 } };
        assert_eq!(sample, Ok(expected));
        let error = read("", &[("SIPD_LIMITS__CONECTIONS", "7")]).expect_err("an unknown key");
        assert_eq!(
            error,
            "environment variable SIPD_LIMITS__CONECTIONS: unknown key `conections`, did you mean `connections`?"
        );
    }

    #[test]
    fn what_makes_no_sense_is_named_by_its_place() {
        let placed = |text: &str, environment: &[&str], message: &str| {
            let environment = environment.iter().copied();
            senseless(text, "test.toml", "SIPD", environment, message.to_owned()).to_string()
        };
        let text = "listen = \"a\"\n\n[limits]\n# many\nconnections = 0\n[a.b]\nc = { d = 1 }\n";
        for (complaint, place) in [
            ("limits.connections: must be 1 or more", "test.toml, line 5: "),
            ("limits.others: must be 1 or more", "test.toml, line 3: "),
            ("limits: needs this <= that", "test.toml, line 3: "),
            ("listen: there is no address", "test.toml, line 1: "),
            ("a.b.c.d: must be 2", "test.toml, line 7: "),
            ("other.key: must be 2", "test.toml: "),
            ("nothing of the kind", "test.toml: "),
        ] {
            assert_eq!(placed(text, &[], complaint), format!("{place}{complaint}"));
        }
        let complaint = "limits.connections: must be 1 or more";
        assert_eq!(
            placed(text, &["HOME", "SIPD_LIMITS__CONNECTIONS"], complaint),
            format!("environment variable SIPD_LIMITS__CONNECTIONS: {complaint}")
        );
    }

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3)] {
            assert_eq!(distance(a, b), expected);
        }
    }
}
