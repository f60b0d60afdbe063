//! Records as they stand in the journal.

use serde_json::Value;

/// A record before or after a change.
#[derive(Debug, Clone)]
pub(super) struct Record(Value);

impl Record {
    /// Reads what the journal holds.
    pub(super) fn read(text: Option<&str>) -> Option<Self> {
        let value: Value = serde_json::from_str(text?).ok()?;
        value.is_object().then_some(Self(value))
    }

    /// One that stands inside another.
    pub(super) fn of(value: &Value) -> Self {
        Self(value.clone())
    }

    /// Whether the journal speaks of this member at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// A text; `None` also for null.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// A whole number that fits.
    pub(super) fn number<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        self.0.get(name).and_then(Value::as_i64).and_then(|number| T::try_from(number).ok())
    }

    /// A truth value.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    /// A record inside.
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        self.0.get(name).filter(|value| value.is_object()).map(Self::of)
    }

    /// A list.
    pub(super) fn list(&self, name: &str) -> Vec<Self> {
        let items = self.0.get(name).and_then(Value::as_array);
        items.map(|items| items.iter().map(Self::of).collect()).unwrap_or_default()
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let items = self.0.get(name).and_then(Value::as_array);
        let texts = items.map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned));
        texts.map(Iterator::collect).unwrap_or_default()
    }

    /// A list that is kept as JSON text.
    pub(super) fn written_list(&self, name: &str) -> Vec<Self> {
        let value = self.text(name).and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let items = value.as_ref().and_then(Value::as_array);
        items.map(|items| items.iter().map(Self::of).collect()).unwrap_or_default()
    }

    /// Whether this member is a secret that was there and is not in the journal.
    pub(super) fn lost(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text == "changed")
    }
}

/// What of `wanted` is otherwise in `got`, a sentence each. Nothing wanted means that the record is to be gone.
pub(super) fn differences(wanted: Option<&str>, got: Option<&str>) -> Vec<String> {
    let read = |text: Option<&str>| text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    match (read(wanted), read(got)) {
        (None, None) => Vec::new(),
        (None, Some(_)) => vec!["the record would still be there".to_owned()],
        (Some(_), None) => vec!["the record would not come back".to_owned()],
        (Some(Value::Object(wanted)), Some(got)) => wanted
            .iter()
            .filter(|(name, _)| *name != "id")
            .filter_map(|(name, wanted)| {
                let got = got.get(name).unwrap_or(&Value::Null);
                (!alike(wanted, got)).then(|| format!("{name} would be {got} and not {wanted}"))
            })
            .collect(),
        _ => vec!["the journal's record cannot be read".to_owned()],
    }
}

/// Equal but for what the database numbers anew, for secrets, and for nothing written as null or empty.
fn alike(a: &Value, b: &Value) -> bool {
    let secret = |value: &Value| matches!(value.as_str(), Some("changed" | "unchanged"));
    let nothing = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    match (a, b) {
        _ if a == b || secret(a) || secret(b) => true,
        _ if nothing(a) && nothing(b) => true,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().all(|a| b.iter().any(|b| alike(a, b)))
        }
        (Value::Object(a), Value::Object(b)) => a
            .iter()
            .filter(|(name, _)| *name != "id")
            .all(|(name, a)| alike(a, b.get(name).unwrap_or(&Value::Null))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_differences_count() {
        let wanted = r#"{"id":1,"password":"changed","a":"x","l":[{"id":3,"n":"1"}],"e":null}"#;
        assert!(
            differences(
                Some(wanted),
                Some(r#"{"id":2,"password":null,"a":"x","l":[{"id":9,"n":"1"}],"e":""}"#)
            )
            .is_empty()
        );
        let different = differences(Some(wanted), Some(r#"{"a":"y","l":[]}"#));
        assert_eq!(different.len(), 2, "{different:?}");
        assert_eq!(differences(None, None).len(), 0);
        assert_eq!(differences(None, Some("{}")).len(), 1);
        assert_eq!(differences(Some("{}"), None).len(), 1);
    }
}
