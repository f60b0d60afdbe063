//! The phone books of SIP accounts (B98, B99).

use super::sip_call_options::hold;
use super::{Call, Outcome, required, sip_accounts, stored, wire_total};
use crate::fault::OpError;
use crate::principal::Need;
use crate::rules::call_options::{read_group, read_pattern};
use crate::rules::sip_account::read_id;
use ngn_model::{Aor, Entity};
use ngn_soap::fault::code;
use ngn_soap::types::{PhonebookEntries, PhonebookEntry};
use ngn_soap::{Fault, sip};
use ngn_store::{Filter, PhonebookRow, StoreError, Tx};
use serde_json::{Value, json};

/// The most characters of a name.
const MAX_NAME: usize = 255;

/// `addPhonebookEntry`.
pub async fn add(call: &Call<'_>, request: sip::AddPhonebookEntry) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let new = read(required(request.entry, "entry")?)?;
    let (who, aor, new) = (&who, &aor, &new);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                hold(tx, who, aor).await?;
                match tx.insert_phonebook_entry(aor, new).await {
                    Err(StoreError::Duplicate { .. }) => {
                        let text = format!(
                            "the phone book of {aor} has an entry {} already; change it with \
                             updatePhonebookEntry",
                            new.uri
                        );
                        return Err(Fault::client(code::PHONEBOOK_ENTRY_EXISTS, text).into());
                    }
                    other => other?,
                }
                let key = format!("{aor} {}", new.uri);
                tx.journal(Entity::PhonebookEntry, key, None, None, Some(snapshot(new)));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `updatePhonebookEntry`: replaces name and group; first and last name only when they are sent, since clients
/// that show one name do not send them (B98).
pub async fn update(call: &Call<'_>, request: sip::UpdatePhonebookEntry) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let new = read(required(request.entry, "entry")?)?;
    let (who, aor, new) = (&who, &aor, &new);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                hold(tx, who, aor).await?;
                let old = found(tx, aor, &new.uri).await?;
                let row = &PhonebookRow {
                    first_name: new.first_name.clone().or_else(|| old.first_name.clone()),
                    last_name: new.last_name.clone().or_else(|| old.last_name.clone()),
                    ..new.clone()
                };
                tx.update_phonebook_entry(aor, row).await?;
                let key = format!("{aor} {}", row.uri);
                let (before, after) = (snapshot(&old), snapshot(row));
                tx.journal(Entity::PhonebookEntry, key, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deletePhonebookEntry`.
pub async fn delete(call: &Call<'_>, request: sip::DeletePhonebookEntry) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let uri = read_uri(request.uri, "uri")?;
    let (who, aor, uri) = (&who, &aor, &uri);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                hold(tx, who, aor).await?;
                let old = found(tx, aor, uri).await?;
                tx.delete_phonebook_entry(aor, uri).await?;
                let key = format!("{aor} {uri}");
                tx.journal(Entity::PhonebookEntry, key, None, Some(snapshot(&old)), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getPhonebookEntries`: patterns for URI and name are alternatives, the group is a further condition (B99).
pub async fn list(call: &Call<'_>, request: sip::GetPhonebookEntries) -> Outcome<PhonebookEntries> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let wanted = request.r#match.unwrap_or_default();
    let mut alternatives = Vec::new();
    for (column, pattern) in [("p.uri", &wanted.uri), ("p.name", &wanted.name)] {
        if let Some(pattern) = pattern.as_deref().filter(|pattern| !pattern.is_empty()) {
            let mut alternative = Filter::new();
            alternative.text(column, Some(pattern));
            alternatives.push(alternative);
        }
    }
    let mut filter = Filter::new();
    if !alternatives.is_empty() {
        filter.any_of(alternatives);
    }
    filter.text("p.first_name", wanted.first_name.as_deref());
    filter.text("p.last_name", wanted.last_name.as_deref());
    match wanted.group.as_deref() {
        Some("") => filter.equals("p.grp", ""),
        group => filter.text("p.grp", group),
    };
    let range = call.range(request.range.as_ref());
    let (who, aor, filter) = (&who, &aor, &filter);
    let page = call
        .store
        .read(|tx| {
            Box::pin(async move {
                sip_accounts::visible(tx, who, aor).await?;
                Ok::<_, OpError>(tx.list_phonebook(aor, filter.clone(), range).await?)
            })
        })
        .await?;
    let total = wire_total(page.total);
    let entries = page.rows.into_iter().map(wire).collect();
    Ok((PhonebookEntries { entries: Some(entries), total }, None))
}

/// Reads an entry to be stored.
fn read(given: PhonebookEntry) -> Result<PhonebookRow, Fault> {
    let name = |value: Option<String>, member: &str| match value {
        Some(text) if text.chars().count() > MAX_NAME => {
            Err(Fault::invalid(member, format!("is longer than {MAX_NAME} characters; shorten it")))
        }
        value => Ok(stored(value)),
    };
    Ok(PhonebookRow {
        uri: read_uri(given.uri, "entry.uri")?,
        name: name(given.name, "entry.name")?,
        grp: read_group(given.group.as_deref().unwrap_or_default(), "entry.group")?,
        first_name: name(given.first_name, "entry.firstName")?,
        last_name: name(given.last_name, "entry.lastName")?,
    })
}

fn read_uri(given: Option<String>, member: &str) -> Result<String, Fault> {
    let given = required(given.filter(|uri| !uri.trim().is_empty()), member)?;
    read_pattern(&given, member)
}

async fn found(tx: &mut Tx<'_>, aor: &Aor, uri: &str) -> Result<PhonebookRow, OpError> {
    tx.phonebook_entry(aor, uri).await?.ok_or_else(|| {
        let text = format!(
            "the phone book of {aor} has no entry {uri}; getPhonebookEntries lists those that it has"
        );
        Fault::client(code::PHONEBOOK_ENTRY_NOT_FOUND, text).into()
    })
}

fn wire(row: PhonebookRow) -> PhonebookEntry {
    PhonebookEntry {
        uri: Some(row.uri),
        name: row.name,
        group: Some(row.grp),
        first_name: row.first_name,
        last_name: row.last_name,
    }
}

fn snapshot(row: &PhonebookRow) -> Value {
    json!({
        "name": row.name, "group": row.grp, "first_name": row.first_name, "last_name": row.last_name,
    })
}
