//! Groups of SIP accounts: what a caller may put there and what it sees (B66-B68).

use std::collections::BTreeSet;

/// Mirrors the account's prepaid flag; nobody sets it as a group.
pub const PREPAID: &str = "prepaid";
/// Set by administrators only, and seen by nobody else.
pub const INTERCEPT: &str = "intercept";
/// The right to call the PSTN, which the responsible reseller must have to give (B72).
pub const FREE_PSTN: &str = "free-pstn";

/// Whether only the server (or an administrator) may put an account into the group (B67).
#[must_use]
pub fn is_reserved(group: &str) -> bool {
    group == PREPAID || group == INTERCEPT
}

/// Whether the name can be a group's: 1 to 64 printable characters (B66: the panel lets people name their own).
#[must_use]
pub fn is_valid(group: &str) -> bool {
    (1..=64).contains(&group.chars().count()) && !group.chars().any(char::is_control)
}

/// The groups that an account belongs to after `addAccount` or `updateAccount`.
///
/// `given` replaces every membership (B59); empty strings and reserved names in it are dropped, duplicates
/// collapse (B67, B68). `prepaid` follows the flag, `intercept` stays what it was.
#[must_use]
pub fn replaced(given: Option<&[String]>, stored: &[String], prepaid: bool) -> BTreeSet<String> {
    let mut groups: BTreeSet<String> = given
        .unwrap_or_default()
        .iter()
        .map(|group| group.trim())
        .filter(|group| !group.is_empty() && !is_reserved(group))
        .map(str::to_owned)
        .collect();
    if prepaid {
        groups.insert(PREPAID.to_owned());
    }
    if stored.iter().any(|group| group == INTERCEPT) {
        groups.insert(INTERCEPT.to_owned());
    }
    groups
}

/// The groups that a caller sees, in the order stored.
#[must_use]
pub fn visible(stored: &[String], administrator: bool) -> Vec<String> {
    stored.iter().filter(|group| administrator || *group != INTERCEPT).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn b59_b67_b68_replacing_groups() {
        for (name, given, stored, prepaid, expected) in [
            ("missing clears", None, &["quota"][..], false, &[][..]),
            (
                "given replaces",
                Some(&["sms", "quota"][..]),
                &["missed-calls"],
                false,
                &["quota", "sms"],
            ),
            ("empty and double ones go", Some(&["", "sms", "sms"]), &[], false, &["sms"]),
            ("prepaid follows the flag", Some(&["prepaid"]), &["prepaid"], false, &[]),
            ("and is set by it", Some(&[]), &[], true, &["prepaid"]),
            ("intercept survives", None, &["intercept"], false, &["intercept"]),
            ("and is not set by callers", Some(&["intercept"]), &[], false, &[]),
        ] {
            let given = given.map(strings);
            let result = replaced(given.as_deref(), &strings(stored), prepaid);
            assert_eq!(result.into_iter().collect::<Vec<_>>(), strings(expected), "{name}");
        }
    }

    #[test]
    fn b67_intercept_is_for_administrators() {
        let stored = strings(&["intercept", "sms"]);
        assert_eq!(visible(&stored, true), stored);
        assert_eq!(visible(&stored, false), strings(&["sms"]));
    }

    #[test]
    fn names_of_groups() {
        assert!(is_valid("free-pstn"));
        assert!(is_valid("two words"));
        for name in ["", "tab\t", &"x".repeat(65)] {
            assert!(!is_valid(name), "{name}");
        }
    }
}
