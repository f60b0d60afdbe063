//! SIP accounts and their groups (B53-B78).

mod add;

pub use add::{Adding, add};

use super::credit;
use super::{
    Call, Outcome, query_parts, required, sip_aliases, stored, voicemail, wire_time, wire_total,
};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::groups;
use crate::rules::password::PasswordInput;
use crate::rules::sip_account::{bounded_timeout, check_acl, check_not_negative, read_id};
use ngn_model::{Aor, Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{Property, SipAccount, SipAccounts, SipId, SubscriberACL};
use ngn_soap::{Fault, sip};
use ngn_store::{AccountQuery, Filter, SipAccountRow, StoreError, Tx};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `updateAccount`: replaces the whole record but for the password (B58, B59).
pub async fn update(call: &Call<'_>, request: sip::UpdateAccount) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let account = required(request.account, "account")?;
    let aor = read_id(account.id.as_ref(), "account.id")?;
    let values = Values::read(&account)?;
    let (who, account, aor, values) = (&who, &account, &aor, &values);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = visible(tx, who, aor).await?;
                let parent = owner(&old);
                let before = tx.sip_groups(aor).await?;
                if values.prepaid != old.prepaid {
                    may_change_prepaid(tx, who, parent, "changing prepaid").await?;
                }
                let member_of =
                    groups::replaced(account.groups.as_deref(), &before, values.prepaid);
                let old_groups: BTreeSet<String> = before.iter().cloned().collect();
                check_rights(tx, who, parent, &old_groups, &member_of).await?;
                let mut row = SipAccountRow {
                    username: old.username.clone(),
                    domain: old.domain.clone(),
                    password: old.password.clone(),
                    ha1: old.ha1.clone(),
                    ha1b: old.ha1b.clone(),
                    ha1_sha256: old.ha1_sha256.clone(),
                    ..SipAccountRow::default()
                };
                values.apply(&mut row, account);
                let keep_clear = call.settings.store_clear_text_passwords;
                set_password(keep_clear, &mut row, account, aor);
                tx.update_sip_account(&row).await?;
                for group in old_groups.difference(&member_of) {
                    tx.remove_sip_group(aor, group).await?;
                }
                for group in member_of.difference(&old_groups) {
                    tx.add_sip_group(aor, group).await?;
                }
                if values.prepaid {
                    tx.ensure_prepaid(aor, parent.reseller).await?;
                }
                let (before, after) = (snapshot(&old, &old_groups), snapshot(&row, &member_of));
                tx.journal(Entity::SipAccount, aor, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteAccount` (B57).
pub async fn delete(call: &Call<'_>, request: sip::DeleteAccount) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let (who, aor) = (&who, &aor);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                tx.lock_sip_account(aor).await?;
                let old = visible(tx, who, aor).await?;
                let member_of = tx.sip_groups(aor).await?.into_iter().collect();
                voicemail::remove(tx, aor).await?;
                for alias in tx.aliases_of(aor).await? {
                    sip_aliases::remove(tx, &alias).await?;
                }
                tx.delete_sip_account(aor).await?;
                tx.journal(Entity::SipAccount, aor, None, Some(snapshot(&old, &member_of)), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getAccount` (B19, B62, B63).
pub async fn get(call: &Call<'_>, request: sip::GetAccount) -> Outcome<SipAccount> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let (who, aor) = (&who, &aor);
    let account = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let row = visible(tx, who, aor).await?;
                let list = tx.sip_groups(aor).await?;
                Ok::<_, OpError>(wire(row, &list, who))
            })
        })
        .await?;
    Ok((account, None))
}

/// `getAccounts` (B40-B46).
pub async fn list(call: &Call<'_>, request: sip::GetAccounts) -> Outcome<SipAccounts> {
    let who = call.require(Need::Login)?;
    let (wanted, order, range) = query_parts!(request.query);
    let (mut accounts, mut domains) = (Filter::new(), Filter::new());
    accounts
        .text_lower("s.username", wanted.username.as_deref())
        .text_lower("s.domain", wanted.domain.as_deref())
        .text("s.first_name", wanted.first_name.as_deref())
        .text("s.last_name", wanted.last_name.as_deref())
        .text("s.email_address", wanted.email.as_deref())
        .number("s.owner", wanted.owner);
    domains.number("d.customer", wanted.customer).number("d.reseller_id", wanted.reseller);
    who.restrict(&mut domains, "d.customer", "d.reseller_id");
    if !domains.is_empty() {
        domains.text_lower("d.domain", wanted.domain.as_deref());
    }
    let mut member_of = None;
    for group in wanted.groups.iter().flatten().filter(|group| !group.is_empty()) {
        match group.as_str() {
            // B42: flags and services that look like groups.
            groups::PREPAID => accounts.equals("s.prepaid", true),
            "voicemail" => accounts.sql(
                "(EXISTS (SELECT 1 FROM voicemail_accounts v WHERE v.username = s.username AND \
                 v.domain = s.domain) OR EXISTS (SELECT 1 FROM grp g WHERE g.username = s.username AND \
                 g.domain = s.domain AND g.grp = 'voicemail'))",
                Vec::new(),
            ),
            // What is hidden cannot be searched for either (B67).
            groups::INTERCEPT if !who.is_administrator() => accounts.among("s.owner", &[]),
            name => match member_of {
                None => {
                    member_of = Some(name.to_owned());
                    &mut accounts
                }
                Some(_) => accounts.in_group(name),
            },
        };
    }
    let range = call.range(range.as_ref());
    let wanted = AccountQuery { accounts, domains, group: member_of, order, range };
    let (who, wanted) = (&who, &wanted);
    let accounts = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.list_sip_accounts(wanted).await?;
                let total = wire_total(page.total);
                let mut rows = Vec::with_capacity(page.rows.len());
                for row in page.rows {
                    let aor = Aor::new(&row.username, &row.domain)
                        .map_err(|error| StoreError::corrupt("address of an account", error))?;
                    rows.push((aor, row));
                }
                let aors: Vec<Aor> = rows.iter().map(|(aor, _)| aor.clone()).collect();
                let member_of = tx.sip_groups_of(&aors).await?;
                let of = |aor: &Aor| member_of.get(aor).map(Vec::as_slice).unwrap_or_default();
                let accounts = rows.into_iter().map(|(aor, row)| wire(row, of(&aor), who));
                Ok::<_, OpError>(SipAccounts { accounts: Some(accounts.collect()), total })
            })
        })
        .await?;
    Ok((accounts, None))
}

/// `addToGroup` (B67, B69, B72).
pub async fn add_to_group(call: &Call<'_>, request: sip::AddToGroup) -> Outcome<()> {
    change_group(call, request.sip_id.as_ref(), request.group, true).await
}

/// `removeFromGroup` (B67, B69).
pub async fn remove_from_group(call: &Call<'_>, request: sip::RemoveFromGroup) -> Outcome<()> {
    change_group(call, request.sip_id.as_ref(), request.group, false).await
}

async fn change_group(
    call: &Call<'_>,
    id: Option<&SipId>,
    group: Option<String>,
    add: bool,
) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(id, "sipId")?;
    let group = required(group.map(|group| group.trim().to_owned()), "group")?;
    let bad = |why: &str| Fault::client(code::GROUP_INVALID, format!("the group `{group}` {why}"));
    if !groups::is_valid(&group) {
        return Err(bad("cannot be a group's name; use 1 to 64 printable characters").into());
    }
    if group == groups::PREPAID {
        return Err(bad("follows the account's prepaid flag; set that with updateAccount").into());
    }
    if groups::is_reserved(&group) && !who.is_administrator() {
        return Err(bad("is reserved to the administrator").into());
    }
    let (who, aor, group) = (&who, &aor, &group);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let row = visible(tx, who, aor).await?;
                let before: BTreeSet<String> = tx.sip_groups(aor).await?.into_iter().collect();
                let mut after = before.clone();
                if add {
                    after.insert(group.clone());
                    check_rights(tx, who, owner(&row), &before, &after).await?;
                    match tx.add_sip_group(aor, group).await {
                        Err(StoreError::Duplicate { .. }) => {
                            return Err(Fault::client(
                                code::ALREADY_IN_GROUP,
                                format!("{aor} belongs to the group {group} already"),
                            )
                            .into());
                        }
                        other => other?,
                    }
                } else {
                    after.remove(group);
                    if !tx.remove_sip_group(aor, group).await? {
                        return Err(Fault::client(
                            code::NOT_IN_GROUP,
                            format!("{aor} does not belong to the group {group}"),
                        )
                        .into());
                    }
                }
                tx.touch_sip_account(aor).await?;
                let (before, after) = (json!({ "groups": before }), json!({ "groups": after }));
                tx.journal(Entity::SipAccount, aor, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getGroups`.
pub async fn get_groups(call: &Call<'_>, request: sip::GetGroups) -> Outcome<Vec<String>> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let (who, aor) = (&who, &aor);
    let list = call
        .store
        .read(|tx| {
            Box::pin(async move {
                visible(tx, who, aor).await?;
                Ok::<_, OpError>(tx.sip_groups(aor).await?)
            })
        })
        .await?;
    Ok((groups::visible(&list, who.is_administrator()), None))
}

/// An account that exists and may be seen; anything else is not found (contract D3).
pub(super) async fn visible(
    tx: &mut Tx<'_>,
    who: &Principal,
    aor: &Aor,
) -> Result<SipAccountRow, OpError> {
    tx.sip_account(aor).await?.filter(|row| who.reaches(owner(row))).ok_or_else(|| {
        let text =
            format!("there is no SIP account {aor}; getAccounts lists those that you may see");
        Fault::client(code::SIP_ACCOUNT_NOT_FOUND, text).into()
    })
}

/// B72: who gives the right to call the PSTN, directly or prepaid, must have it from the administrator.
async fn check_rights(
    tx: &mut Tx<'_>,
    who: &Principal,
    parent: Ownership,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Result<(), OpError> {
    if who.is_administrator() || parent.customer == 0 {
        return Ok(());
    }
    let right = |group: &&String| *group == groups::FREE_PSTN || *group == groups::PREPAID;
    let Some(group) = after.difference(before).find(right) else { return Ok(()) };
    if credit::has_right(tx, parent.reseller, &["pstn_access"]).await? {
        return Ok(());
    }
    Err(Fault::client(
        code::RIGHT_MISSING,
        format!(
            "{group} needs the property pstn_access = 1 of reseller {}; ask the administrator",
            parent.reseller
        ),
    )
    .into())
}

/// B73: who may turn prepaid on and off, and change a balance.
pub(super) async fn may_change_prepaid(
    tx: &mut Tx<'_>,
    who: &Principal,
    parent: Ownership,
    what: &str,
) -> Result<(), OpError> {
    let Some(caller) = &who.caller else { return Ok(()) };
    let names = ["prepaid_changes", "prepaid_access"];
    let reseller = credit::has_right(tx, parent.reseller, &names).await?;
    let own = caller.as_reseller || credit::has_right(tx, caller.customer, &names).await?;
    if reseller && own {
        return Ok(());
    }
    Err(Fault::client(
        code::RIGHT_MISSING,
        format!(
            "{what} needs the property prepaid_changes = 1 of the reseller and of the customer; \
             ask the administrator"
        ),
    )
    .into())
}

fn exists(aor: &Aor) -> Fault {
    Fault::client(
        code::SIP_ACCOUNT_EXISTS,
        format!(
            "the SIP account {aor} exists already, or an alias has that address; choose another user name"
        ),
    )
}

fn owner(row: &SipAccountRow) -> Ownership {
    Ownership { customer: row.customer, reseller: row.reseller_id }
}

/// Members of an account that were checked.
struct Values {
    prepaid: bool,
    quota: i32,
    timeout: Option<u32>,
    call_limit: Option<i32>,
    acl: Option<String>,
    properties: Option<String>,
}

impl Values {
    fn read(account: &SipAccount) -> Result<Self, Fault> {
        let acl = check_acl(account.acl.as_deref().unwrap_or_default())?;
        let invalid = account
            .groups
            .iter()
            .flatten()
            .map(|group| group.trim())
            .find(|group| !group.is_empty() && !groups::is_valid(group));
        if let Some(group) = invalid {
            return Err(Fault::client(
                code::GROUP_INVALID,
                format!("account.groups: `{group}` cannot be a group's name"),
            ));
        }
        let acl: Vec<Value> = acl
            .iter()
            .map(|entry| json!({ "ip": entry.ip, "mask": entry.mask, "tag": entry.tag }))
            .collect();
        let properties: Vec<Value> = account
            .properties
            .iter()
            .flatten()
            .map(|property| json!({ "name": property.name, "value": property.value }))
            .collect();
        let text = |list: Vec<Value>| (!list.is_empty()).then(|| Value::Array(list).to_string());
        Ok(Self {
            prepaid: account.prepaid.unwrap_or(false),
            quota: check_not_negative(account.quota, "account.quota")?.unwrap_or(0),
            timeout: bounded_timeout(account.timeout),
            call_limit: check_not_negative(account.call_limit, "account.callLimit")?,
            acl: text(acl),
            properties: text(properties),
        })
    }

    fn apply(&self, row: &mut SipAccountRow, account: &SipAccount) {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        row.email_address = text(&account.email);
        row.first_name = text(&account.first_name);
        row.last_name = text(&account.last_name);
        row.timezone = text(&account.timezone);
        row.rpid = stored(account.rpid.clone());
        row.quickdial_prefix = stored(account.quickdial_prefix.clone());
        row.region = stored(account.region.clone());
        row.owner = account.owner.unwrap_or_default();
        row.prepaid = self.prepaid;
        row.quota = i64::from(self.quota);
        row.timeout = self.timeout.map(i64::from);
        row.call_limit = self.call_limit.filter(|limit| *limit > 0).map(i64::from);
        row.acl = self.acl.clone();
        row.properties = self.properties.clone();
    }
}

fn set_password(keep_clear: bool, row: &mut SipAccountRow, account: &SipAccount, aor: &Aor) {
    if let Some(new) = PasswordInput::read(account.password.as_deref()).store(aor, keep_clear) {
        row.password = new.clear.unwrap_or_default();
        row.ha1 = new.ha1.to_hex();
        row.ha1b = new.ha1b.to_hex();
        row.ha1_sha256 = new.ha1_sha256.map(|digest| digest.to_hex()).unwrap_or_default();
    }
}

fn wire(row: SipAccountRow, member_of: &[String], who: &Principal) -> SipAccount {
    let int = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
    let list = |json: Option<&str>| -> Vec<Value> {
        json.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let acl = list(row.acl.as_deref())
        .iter()
        .map(|entry| SubscriberACL {
            ip: text(entry, "ip"),
            mask: entry.get("mask").and_then(Value::as_i64).map(int),
            tag: text(entry, "tag"),
        })
        .collect();
    let properties = list(row.properties.as_deref())
        .iter()
        .map(|entry| Property { name: text(entry, "name"), value: text(entry, "value") })
        .collect();
    SipAccount {
        id: Some(SipId { username: Some(row.username), domain: Some(row.domain) }),
        password: stored(Some(row.password)),
        first_name: stored(Some(row.first_name)),
        last_name: stored(Some(row.last_name)),
        email: stored(Some(row.email_address)),
        acl: Some(acl),
        groups: Some(groups::visible(member_of, who.is_administrator())),
        properties: Some(properties),
        timezone: stored(Some(row.timezone)),
        rpid: row.rpid,
        quota: Some(int(row.quota)),
        quickdial_prefix: row.quickdial_prefix,
        call_limit: row.call_limit.map(int),
        prepaid: Some(row.prepaid),
        region: row.region,
        timeout: row.timeout.and_then(|seconds| u32::try_from(seconds).ok()),
        owner: Some(row.owner),
        customer: Some(row.customer),
        reseller: Some(row.reseller_id),
        change_date: wire_time(row.change_date),
        create_date: wire_time(row.create_date),
        ha1: stored(Some(row.ha1)),
    }
}

fn snapshot(row: &SipAccountRow, member_of: &BTreeSet<String>) -> Value {
    json!({
        "password": row.password, "ha1": row.ha1, "ha1b": row.ha1b, "ha1_sha256": row.ha1_sha256,
        "email": row.email_address, "rpid": row.rpid, "first_name": row.first_name,
        "last_name": row.last_name, "timezone": row.timezone, "quota": row.quota, "prepaid": row.prepaid,
        "quickdial_prefix": row.quickdial_prefix, "region": row.region, "timeout": row.timeout,
        "call_limit": row.call_limit, "acl": row.acl, "owner": row.owner, "groups": member_of,
    })
}
