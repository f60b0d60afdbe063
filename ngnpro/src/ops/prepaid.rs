//! Prepaid balances, their history, and vouchers (B71, B161-B164).

use super::sip_accounts::{may_change_prepaid, visible};
use super::{Call, Outcome, required, stored, wire_time};
use crate::fault::OpError;
use crate::principal::Need;
use crate::principal::Principal;
use crate::rules::sip_account::read_id;
use ngn_model::{Amount, Aor, Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{BalanceChange, CreditHistory, CreditHistoryEntry, PrepaidStatus, SipId};
use ngn_soap::{Fault, sip};
use ngn_store::{PrepaidHistoryRow, Tx};
use serde_json::json;
use std::collections::HashMap;

/// What the history calls a change from outside the rating engine (B163).
const SET_BALANCE: &str = "Set balance";
/// Its description when the caller gives none (B163).
const MANUAL: &str = "Manual update";
/// Characters of a description.
const DESCRIPTION: usize = 255;
/// Changes of a balance that are listed when the caller does not say how many (B164).
const HISTORY: u64 = 200;

/// `addBalance` (B161), for those who may change prepaid accounts (B73): nobody gives itself money. Payments of a
/// subscriber panel come by the administrator's login in a customer's name (B192), which needs no such right.
pub async fn add_balance(call: &Call<'_>, request: sip::AddBalance) -> Outcome<BalanceChange> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let value = required(request.value, "value")?;
    let value =
        Amount::from_double(value).filter(|value| value.fits_balance()).ok_or_else(|| {
            Fault::client(
                code::INVALID_ARGUMENT,
                format!("value: {value} is not possible; send at most 999999.9999 either way"),
            )
        })?;
    let description = stored(request.description.map(|text| text.trim().to_owned()));
    let description = description.unwrap_or_else(|| MANUAL.to_owned());
    if description.chars().count() > DESCRIPTION {
        return Err(Fault::client(
            code::INVALID_ARGUMENT,
            format!("description: send at most {DESCRIPTION} characters"),
        )
        .into());
    }
    let (who, aor, description) = (&who, &aor, &description);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let owner = lock(tx, who, aor).await?;
                if !who.administrator_login {
                    may_change_prepaid(tx, who, owner, "addBalance").await?;
                }
                change(tx, aor, owner.reseller, value, description, None).await
            })
        })
        .await
}

/// `addBalanceFromVoucher` (B162): of any number of callers with the same voucher one gets its value.
pub async fn add_balance_from_voucher(
    call: &Call<'_>,
    request: sip::AddBalanceFromVoucher,
) -> Outcome<BalanceChange> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let card = required(request.card, "card")?;
    let id = i64::from(required(card.id, "card.id")?);
    let number = stored(card.number.map(|number| number.trim().to_owned()));
    let number = required(number, "card.number")?;
    let (who, aor, number) = (&who, &aor, &number);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let reseller = lock(tx, who, aor).await?.reseller;
                let value = redeem(tx, id, number, reseller).await?;
                change(tx, aor, reseller, value, &format!("Prepaid card {id}"), Some(id)).await
            })
        })
        .await
}

/// `getPrepaidStatus`: as many results as were asked for, in the same order. Whatever is no prepaid account that
/// the caller may see has nothing.
pub async fn status(
    call: &Call<'_>,
    request: sip::GetPrepaidStatus,
) -> Outcome<Vec<PrepaidStatus>> {
    let who = call.require(Need::Login)?;
    // Older clients ask for one account by another name.
    let ids = request.sip_ids.or_else(|| request.sip_id.map(|id| vec![id]));
    let ids = required(ids, "sipIds")?;
    let aors: Vec<Option<Aor>> = ids.iter().map(|id| read_id(Some(id), "sipIds").ok()).collect();
    let mut wanted: Vec<Aor> = aors.iter().flatten().cloned().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let (who, wanted) = (&who, &wanted);
    let balances: HashMap<Aor, Amount> = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let rows = tx.prepaid_balances(wanted).await?;
                let seen = rows.into_iter().filter(|row| who.reaches(row.owner));
                Ok::<_, OpError>(seen.map(|row| (row.aor, row.balance)).collect())
            })
        })
        .await?;
    let status = |(id, aor): (SipId, Option<Aor>)| {
        let balance = aor.and_then(|aor| balances.get(&aor).copied()).unwrap_or_default();
        PrepaidStatus {
            balance: Some(balance.to_double()),
            id: Some(id),
            ..PrepaidStatus::default()
        }
    };
    Ok((ids.into_iter().zip(aors).map(status).collect(), None))
}

/// `getCreditHistory` (B163, B164).
pub async fn history(call: &Call<'_>, request: sip::GetCreditHistory) -> Outcome<CreditHistory> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let count = request.count.and_then(|count| u64::try_from(count).ok());
    let count = count.filter(|count| *count > 0).unwrap_or(HISTORY).min(call.settings.page);
    let (who, aor) = (&who, &aor);
    let rows = call
        .store
        .read(|tx| {
            Box::pin(async move {
                visible(tx, who, aor).await?;
                Ok::<_, OpError>(tx.prepaid_history(aor, count).await?)
            })
        })
        .await?;
    let entry = |row: PrepaidHistoryRow| CreditHistoryEntry {
        date: wire_time(row.date),
        action: Some(row.action),
        description: Some(row.description),
        value: Some(row.value.to_double()),
        balance: Some(row.balance.to_double()),
    };
    Ok((CreditHistory { entries: Some(rows.into_iter().map(entry).collect()) }, None))
}

/// Keeps a prepaid account as it is; gives its owner.
async fn lock(tx: &mut Tx<'_>, who: &Principal, aor: &Aor) -> Result<Ownership, OpError> {
    tx.lock_sip_account(aor).await?;
    let row = visible(tx, who, aor).await?;
    if row.prepaid {
        return Ok(Ownership { customer: row.customer, reseller: row.reseller_id });
    }
    Err(Fault::client(
        code::NOT_PREPAID,
        format!(
            "{aor} is not prepaid, so it has no balance; set its prepaid flag with updateAccount"
        ),
    )
    .into())
}

/// Uses a voucher up; gives what it was worth (B162).
async fn redeem(tx: &mut Tx<'_>, id: i64, number: &str, reseller: i64) -> Result<Amount, OpError> {
    let refuse = |code, text: &str| Fault::client(code, format!("the prepaid card {text}"));
    let card = tx
        .lock_prepaid_card(id, number)
        .await?
        .filter(|card| card.reseller == 0 || card.reseller == reseller)
        .ok_or_else(|| {
            let text = "does not exist; both its id and its number must be right";
            refuse(code::PREPAID_CARD_NOT_FOUND, text)
        })?;
    if card.blocked {
        return Err(refuse(code::PREPAID_CARD_BLOCKED, "is blocked").into());
    }
    if card.value == Amount::ZERO {
        return Err(refuse(code::PREPAID_CARD_BLOCKED, "was used already").into());
    }
    if let Some(day) = card.active_from.filter(|day| *day > tx.now()) {
        let day = ngn_store::utc(day);
        let day = day.split(' ').next().unwrap_or_default();
        let text = format!("is not active yet; it can be used from {day} (UTC)");
        return Err(refuse(code::PREPAID_CARD_NOT_ACTIVE, &text).into());
    }
    tx.use_prepaid_card(id).await?;
    Ok(card.value)
}

/// Adds to the balance of a locked account, in its history and in the journal.
async fn change(
    tx: &mut Tx<'_>,
    aor: &Aor,
    reseller: i64,
    value: Amount,
    description: &str,
    card: Option<i64>,
) -> Result<BalanceChange, OpError> {
    let old = tx.lock_prepaid(aor, reseller).await?;
    let new = old.checked_add(value).filter(|sum| sum.fits_balance()).ok_or_else(|| {
        Fault::client(
            code::INVALID_ARGUMENT,
            format!("value: the balance would be beyond 999999.9999; it is {old} now"),
        )
    })?;
    let row = PrepaidHistoryRow {
        action: SET_BALANCE.to_owned(),
        description: description.to_owned(),
        value,
        balance: new,
        date: tx.now(),
    };
    tx.change_prepaid(aor, reseller, &row).await?;
    let before = json!({ "balance": old.to_string() });
    let after = json!({
        "balance": new.to_string(), "value": value.to_string(), "description": description, "card": card,
    });
    tx.journal(Entity::Prepaid, aor, None, Some(before), Some(after));
    Ok(BalanceChange { old_balance: Some(old.to_double()), new_balance: Some(new.to_double()) })
}
