//! Properties of customers: who may change which (B31-B35).

use crate::principal::Principal;
use ngn_model::Ownership;
use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_soap::types::CustomerProperty;
use ngn_store::CustomerPropertyRow;

/// The rights and credits that a reseller sets on its customers although they are the administrator's (B34).
const DELEGATED: &[&str] = &[
    "sip_credit",
    "sip_alias_credit",
    "enum_range_credit",
    "enum_number_credit",
    "dns_zone_credit",
    "email_credit",
    "pstn_access",
    "prepaid_changes",
    "pstn_changes",
];

/// As whom a caller changes the properties of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As the customer itself.
    Customer,
    /// As a reseller, its own properties.
    Reseller,
    /// As the reseller of a customer.
    ResellerOfChild,
    /// As the administrator.
    Administrator,
}

/// A change of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Write it.
    Set(CustomerPropertyRow),
    /// Remove it.
    Remove(String),
}

/// As whom a principal changes the properties of a customer that it reaches.
#[must_use]
pub fn level(who: &Principal, customer: Ownership) -> Level {
    match &who.caller {
        None => Level::Administrator,
        Some(caller) if caller.as_reseller && customer.customer == caller.reseller => {
            Level::Reseller
        }
        Some(caller) if caller.as_reseller && customer.customer != caller.customer => {
            Level::ResellerOfChild
        }
        Some(_) => Level::Customer,
    }
}

fn may_change(name: &str, permission: Option<&str>, level: Level) -> bool {
    match permission.unwrap_or_default() {
        "admin" => {
            level == Level::Administrator
                || (level == Level::ResellerOfChild && DELEGATED.contains(&name))
        }
        "reseller" => level >= Level::Reseller,
        _ => true,
    }
}

/// The row of a property that a customer does not have yet; `None` without a name, or for a right that the caller
/// may not give. Any other name is the caller's to add, at its own level at most (B35).
#[must_use]
pub fn new_row(property: &CustomerProperty, level: Level) -> Option<CustomerPropertyRow> {
    let name = property.name.clone().filter(|name| !name.is_empty())?;
    let permission = if DELEGATED.contains(&name.as_str()) {
        // A right is a right whatever permission the caller writes beside it.
        if !may_change(&name, Some("admin"), level) {
            return None;
        }
        Some("admin".to_owned())
    } else {
        match (property.permission.as_deref(), level) {
            (Some("admin" | "reseller"), Level::Customer) => Some("customer".to_owned()),
            (Some("admin"), Level::Reseller | Level::ResellerOfChild) => {
                Some("reseller".to_owned())
            }
            (other, _) => other.map(str::to_owned),
        }
    };
    Some(CustomerPropertyRow {
        name,
        value: Some(property.value.clone().unwrap_or_default()),
        category: property.category.clone(),
        permission,
    })
}

/// The name of a property that is to be set.
///
/// # Errors
///
/// 9001 without one.
pub fn name(property: &CustomerProperty) -> Result<&str, Fault> {
    property.name.as_deref().filter(|name| !name.is_empty()).ok_or_else(|| {
        Fault::client(
            code::MISSING_ARGUMENT,
            "a property has no name; send name and value in each item of properties",
        )
    })
}

/// Sets one property by name (B31, B35).
///
/// # Errors
///
/// 9001 without a name, 5004 without the right.
pub fn set(
    property: &CustomerProperty,
    stored: &[CustomerPropertyRow],
    level: Level,
) -> Result<Change, Fault> {
    let name = name(property)?;
    let row = match stored.iter().find(|row| row.name == name) {
        Some(old) => changed(old, property, level),
        None => new_row(property, level),
    };
    row.map(Change::Set).ok_or_else(|| {
        Fault::client(
            code::PROPERTY_FORBIDDEN,
            format!(
                "the property `{name}` may only be changed by the administrator or the reseller"
            ),
        )
    })
}

/// B35: permission and category of what is stored stay unless the administrator changes them.
fn changed(
    old: &CustomerPropertyRow,
    property: &CustomerProperty,
    level: Level,
) -> Option<CustomerPropertyRow> {
    may_change(&old.name, old.permission.as_deref(), level).then(|| {
        let administrator = level == Level::Administrator;
        let choose = |new: &Option<String>, old: &Option<String>| {
            if administrator { new.clone().or_else(|| old.clone()) } else { old.clone() }
        };
        CustomerPropertyRow {
            name: old.name.clone(),
            value: Some(property.value.clone().unwrap_or_default()),
            category: choose(&property.category, &old.category),
            permission: choose(&property.permission, &old.permission),
        }
    })
}

/// The changes that make `given` the complete list, as far as the caller may change it; the rest stays (B32).
#[must_use]
pub fn replaced(
    given: &[CustomerProperty],
    stored: &[CustomerPropertyRow],
    level: Level,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for property in given {
        let Some(name) = property.name.as_deref().filter(|name| !name.is_empty()) else { continue };
        let row = match stored.iter().find(|row| row.name == name) {
            Some(old) => changed(old, property, level).filter(|row| row != old),
            None => new_row(property, level),
        };
        changes.extend(row.map(Change::Set));
    }
    for old in stored {
        let kept = given.iter().any(|property| property.name.as_deref() == Some(old.name.as_str()));
        if !kept && may_change(&old.name, old.permission.as_deref(), level) {
            changes.push(Change::Remove(old.name.clone()));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, value: &str, permission: &str) -> CustomerProperty {
        CustomerProperty {
            name: Some(name.to_owned()),
            value: Some(value.to_owned()),
            category: None,
            permission: Some(permission.to_owned()),
        }
    }

    fn row(name: &str, value: &str, permission: &str) -> CustomerPropertyRow {
        CustomerPropertyRow {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            category: None,
            permission: Some(permission.to_owned()),
        }
    }

    #[test]
    fn b33_b34_who_may_change_what() {
        use Level::{Administrator, Customer, Reseller, ResellerOfChild};
        for (name, permission, allowed) in [
            ("language", "customer", [true, true, true, true]),
            ("digest_settings_page", "reseller", [false, true, true, true]),
            ("support_order", "admin", [false, false, false, true]),
            ("sip_credit", "admin", [false, false, true, true]),
        ] {
            for (level, expected) in
                [Customer, Reseller, ResellerOfChild, Administrator].into_iter().zip(allowed)
            {
                let stored = [row(name, "old", permission)];
                let result = set(&given(name, "new", "customer"), &stored, level);
                assert_eq!(result.is_ok(), expected, "{name} as {level:?}");
            }
        }
    }

    #[test]
    fn b35_a_new_property_gets_at_most_the_callers_level() {
        for (level, sent, stored) in [
            (Level::Customer, "admin", "customer"),
            (Level::ResellerOfChild, "admin", "reseller"),
            (Level::Administrator, "admin", "admin"),
            (Level::Reseller, "customer", "customer"),
        ] {
            let change = set(&given("colour", "red", sent), &[], level);
            assert_eq!(change, Ok(Change::Set(row("colour", "red", stored))), "{level:?}");
        }
    }

    #[test]
    fn b35_a_right_stays_guarded_whatever_permission_is_sent() {
        assert!(set(&given("sip_credit", "999", "customer"), &[], Level::Customer).is_err());
        let stored = [row("pstn_access", "0", "admin")];
        let change = set(&given("pstn_access", "1", "customer"), &stored, Level::ResellerOfChild);
        assert_eq!(change, Ok(Change::Set(row("pstn_access", "1", "admin"))));
    }

    #[test]
    fn b32_a_list_replaces_what_may_be_changed() {
        let stored = [row("a", "1", "customer"), row("b", "2", "admin"), row("c", "3", "")];
        let list = [given("a", "9", "customer"), given("b", "9", "admin")];
        assert_eq!(
            replaced(&list, &stored, Level::Customer),
            [Change::Set(row("a", "9", "customer")), Change::Remove("c".to_owned())]
        );
        assert_eq!(replaced(&[], &stored, Level::Administrator).len(), 3);
    }
}
