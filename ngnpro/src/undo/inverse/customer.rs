//! Customers.

use super::{Change, Inverse, whole};
use crate::ops::{Call, customers};
use crate::undo::NotUndone;
use crate::undo::record::Record;
use ngn_soap::types as t;
use ngn_soap::{Request, customer};

pub(super) async fn customer(
    call: &Call<'_>,
    key: &str,
    change: Change,
) -> Result<Inverse, NotUndone> {
    let id: Option<i64> = key.parse().ok();
    Ok(match change {
        Change::Added => whole(customer::DeleteAccount { id }),
        Change::Removed(record) => {
            let mut account = t::CustomerAccount::default();
            restore_customer(&mut account, &record);
            account.properties = Some(properties(&record, &[]));
            // A reseller is its own; it gets another number.
            account.reseller = account.reseller.filter(|reseller| Some(*reseller) != id);
            let mut losses = vec![
                format!("the customer gets another number than {key}"),
                "the journal does not hold the password; nobody can log in until updateAccount sets one".to_owned(),
            ];
            losses.extend(lost_properties(&record));
            Inverse {
                request: Request::from(customer::AddAccount { account: Some(account) }),
                losses,
            }
        }
        Change::Changed(before, _) => {
            let (mut account, _) = customers::get(call, customer::GetAccount { id }).await?;
            account.password = None;
            if before.has("username") {
                restore_customer(&mut account, &before);
            }
            let now = account.properties.take().unwrap_or_default();
            account.properties = Some(properties(&before, &now));
            let loss = "the journal does not hold the password; the one of now would stay";
            let mut losses: Vec<String> =
                before.lost("password").then(|| loss.to_owned()).into_iter().collect();
            losses.extend(lost_properties(&before));
            Inverse {
                request: Request::from(customer::UpdateAccount { account: Some(account) }),
                losses,
            }
        }
    })
}

fn restore_customer(account: &mut t::CustomerAccount, record: &Record) {
    account.reseller = record.number("reseller");
    account.impersonate = record.number("impersonate");
    account.username = record.text("username");
    account.first_name = record.text("first_name");
    account.last_name = record.text("last_name");
    account.organization = record.text("organization");
    account.vat_number = record.text("vat_number");
    account.email = record.text("email");
    account.web = record.text("web");
    account.tel = record.text("tel");
    account.fax = record.text("fax");
    account.mobile = record.text("mobile");
    account.sip = record.text("sip");
    account.r#enum = record.text("enum");
    account.address = record.text("address");
    account.postcode = record.text("postcode");
    account.city = record.text("city");
    account.state = record.text("state");
    account.country = record.text("country");
    account.timezone = record.text("timezone");
    account.language = record.text("language");
    account.bank_account = record.text("bank_account");
    account.billing_address = record.text("billing_address");
    account.billing_email = record.text("billing_email");
    account.balance = record.number("balance").map(crate::ops::customers::from_millionths);
    account.credit = record.number("credit").map(crate::ops::customers::from_millionths);
    account.company_code = record.text("company_code");
    account.reseller_active = record.truth("reseller_active");
}

/// The properties of before; secret ones as they are now.
fn properties(record: &Record, now: &[t::CustomerProperty]) -> Vec<t::CustomerProperty> {
    record
        .list("properties")
        .iter()
        .filter_map(|property| {
            let name = property.text("name");
            let standing = now.iter().find(|now| now.name == name);
            if property.lost("text") {
                return standing.cloned();
            }
            Some(t::CustomerProperty {
                name,
                value: property.text("text"),
                category: standing.and_then(|standing| standing.category.clone()),
                permission: property.text("permission"),
            })
        })
        .collect()
}

fn lost_properties(record: &Record) -> Vec<String> {
    let hidden = record.list("properties").into_iter().filter(|property| property.lost("text"));
    hidden
        .filter_map(|property| property.text("name"))
        .map(|name| {
            format!("the journal does not hold the property {name}; it would be as it is now")
        })
        .collect()
}
