//! Diversions, accept rules, reject members and barring prefixes of SIP accounts (B80-B97).

use super::{Call, Outcome, required, sip_accounts};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::call_options::{
    GivenRules, read_diversions, read_members, read_prefixes, wire_accept_rules, wire_diversions,
};
use crate::rules::sip_account::read_id;
use ngn_model::accept_rules::{EVERYBODY, NOBODY};
use ngn_model::{AcceptRules, Aor, Diversion, DiversionAction, Entity};
use ngn_soap::sip;
use ngn_soap::types::{AcceptRulesInfo, CallDiversions};
use ngn_store::{Tx, utc};
use serde_json::{Value, json};

/// `setCallDiversions`: replaces the complete set (B83).
pub async fn set_diversions(call: &Call<'_>, request: sip::SetCallDiversions) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let given = required(request.diversions, "diversions")?;
    let diversions = read_diversions(&given, &aor)?;
    let (who, aor, diversions) = (&who, &aor, &diversions);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                hold(tx, who, aor).await?;
                let before = tx.diversions(aor).await?;
                tx.set_diversions(aor, diversions).await?;
                let (before, after) = (targets(&before), targets(diversions));
                tx.journal(Entity::Diversions, aor, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getCallDiversions`.
pub async fn get_diversions(
    call: &Call<'_>,
    request: sip::GetCallDiversions,
) -> Outcome<CallDiversions> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let (who, aor) = (&who, &aor);
    let diversions = call
        .store
        .read(|tx| {
            Box::pin(async move {
                sip_accounts::visible(tx, who, aor).await?;
                Ok::<_, OpError>(tx.diversions(aor).await?)
            })
        })
        .await?;
    Ok((wire_diversions(&diversions), None))
}

/// `setAcceptRules`: replaces both parts (B93, B94).
pub async fn set_accept_rules(call: &Call<'_>, request: sip::SetAcceptRules) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let given = GivenRules::read(&required(request.rules, "rules")?)?;
    let (who, aor, given) = (&who, &aor, &given);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                hold(tx, who, aor).await?;
                let before = tx.accept_rules(aor).await?;
                let after = given.applied_to(&before, tx.now());
                tx.set_accept_rules(aor, &after).await?;
                let (before, after) = (rules(&before), rules(&after));
                tx.journal(Entity::AcceptRules, aor, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getAcceptRules`, with the groups that could be named in them (B92).
pub async fn get_accept_rules(
    call: &Call<'_>,
    request: sip::GetAcceptRules,
) -> Outcome<AcceptRulesInfo> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let (who, aor) = (&who, &aor);
    let info = call
        .store
        .read(|tx| {
            Box::pin(async move {
                sip_accounts::visible(tx, who, aor).await?;
                let rules = wire_accept_rules(&tx.accept_rules(aor).await?, tx.now());
                let mut groups = vec![EVERYBODY.to_owned(), NOBODY.to_owned()];
                for group in tx.phonebook_groups(aor).await? {
                    if !groups.contains(&group) {
                        groups.push(group);
                    }
                }
                let info = AcceptRulesInfo { rules: Some(rules), non_empty_groups: Some(groups) };
                Ok::<_, OpError>(info)
            })
        })
        .await?;
    Ok((info, None))
}

/// `setRejectMembers`: replaces the list (B97).
pub async fn set_reject_members(call: &Call<'_>, request: sip::SetRejectMembers) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let members = read_members(&required(request.members, "members")?)?;
    let (who, aor, members) = (&who, &aor, &members);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                hold(tx, who, aor).await?;
                let before = json!({ "members": tx.reject_members(aor).await? });
                tx.set_reject_members(aor, members).await?;
                let after = json!({ "members": members });
                tx.journal(Entity::RejectMembers, aor, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getRejectMembers`.
pub async fn get_reject_members(
    call: &Call<'_>,
    request: sip::GetRejectMembers,
) -> Outcome<Vec<String>> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let (who, aor) = (&who, &aor);
    let members = call
        .store
        .read(|tx| {
            Box::pin(async move {
                sip_accounts::visible(tx, who, aor).await?;
                Ok::<_, OpError>(tx.reject_members(aor).await?)
            })
        })
        .await?;
    Ok((members, None))
}

/// `setBarringPrefixes`: replaces the list (B96).
pub async fn set_barring_prefixes(
    call: &Call<'_>,
    request: sip::SetBarringPrefixes,
) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let prefixes = read_prefixes(&required(request.prefixes, "prefixes")?)?;
    let (who, aor, prefixes) = (&who, &aor, &prefixes);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                hold(tx, who, aor).await?;
                let before = json!({ "prefixes": tx.barring_prefixes(aor).await? });
                tx.set_barring_prefixes(aor, prefixes).await?;
                let after = json!({ "prefixes": prefixes });
                tx.journal(Entity::BarringPrefixes, aor, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getBarringPrefixes`.
pub async fn get_barring_prefixes(
    call: &Call<'_>,
    request: sip::GetBarringPrefixes,
) -> Outcome<Vec<String>> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let (who, aor) = (&who, &aor);
    let prefixes = call
        .store
        .read(|tx| {
            Box::pin(async move {
                sip_accounts::visible(tx, who, aor).await?;
                Ok::<_, OpError>(tx.barring_prefixes(aor).await?)
            })
        })
        .await?;
    Ok((prefixes, None))
}

/// An account that may be changed, and that nobody else changes until this transaction ends.
pub(super) async fn hold(tx: &mut Tx<'_>, who: &Principal, aor: &Aor) -> Result<(), OpError> {
    tx.lock_sip_account(aor).await?;
    sip_accounts::visible(tx, who, aor).await.map(drop)
}

/// A set of diversions as it stands in the journal.
pub(super) fn targets(diversions: &[Diversion]) -> Value {
    let entry = |diversion: &Diversion| {
        let how = match diversion.how {
            DiversionAction::Forward => "forward",
            DiversionAction::Redirect => "redirect",
        };
        (format!("{} when {}", how, diversion.when), Value::from(diversion.target.to_string()))
    };
    Value::Object(diversions.iter().map(entry).collect())
}

fn rules(rules: &AcceptRules) -> Value {
    let persistent = rules.persistent.iter().map(|rule| {
        json!({
            "days": rule.days.mask(), "start": rule.start.to_string(), "stop": rule.stop.to_string(),
            "groups": rule.groups,
        })
    });
    let temporary = rules
        .temporary
        .as_ref()
        .map(|rule| json!({ "groups": rule.groups, "expires_at": rule.expires_at.map(utc) }));
    json!({ "persistent": persistent.collect::<Vec<_>>(), "temporary": temporary })
}
