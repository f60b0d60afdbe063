//! The Rating port: which rates apply to accounts, domains and gateways (B175-B178).
//!
//! Whoever reaches an account or a domain (B10) sees and changes its profiles; those of gateways are the
//! administrator's, since nobody else owns an address (B18).

use super::{Call, Outcome, required, sip_accounts, sip_domains, stored};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::rating::Entity;
use ngn_model::{Entity as Kind, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::RatingEntityProfiles;
use ngn_soap::{Fault, rating};
use ngn_store::{RatingProfilesRow, Tx};
use serde_json::{Value, json};

/// `setEntityProfiles`: replaces all profiles of an entity, or adds them (B176).
pub async fn set(call: &Call<'_>, request: rating::SetEntityProfiles) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let profiles = required(request.profiles, "profiles")?;
    let text = profiles.entity.as_deref().unwrap_or_default();
    if text.trim().is_empty() {
        return Err(not_found("").into());
    }
    let entity = Entity::read(text).map_err(|error| Fault::invalid("profiles.entity", error))?;
    may_touch(&who, &entity)?;
    let row = read(&entity, &profiles)?;
    let (who, entity, row) = (&who, &entity, &row);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let reseller_id = match entity {
                    Entity::Subscriber(aor) => {
                        sip_accounts::visible(tx, who, aor).await?.reseller_id
                    }
                    Entity::Domain(name) => sip_domains::visible(tx, who, name).await?.reseller_id,
                    Entity::Gateway(_) => row.reseller_id,
                };
                let row = RatingProfilesRow { reseller_id, ..row.clone() };
                let old = find(tx, entity).await?;
                tx.put_rating_profiles(&row).await?;
                tx.journal(
                    Kind::RatingProfiles,
                    entity,
                    None,
                    old.as_ref().map(snapshot),
                    Some(snapshot(&row)),
                );
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteEntityProfiles` (B176).
pub async fn delete(call: &Call<'_>, request: rating::DeleteEntityProfiles) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let entity = read_existing(&who, request.entity.as_deref())?;
    let (who, entity) = (&who, &entity);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let (old, _) = visible(tx, who, entity).await?;
                let (gateway, domain, subscriber) = entity.columns();
                if !tx.delete_rating_profiles(&gateway, &domain, &subscriber).await? {
                    return Err(not_found(&entity.to_string()).into());
                }
                tx.journal(Kind::RatingProfiles, entity, None, Some(snapshot(&old)), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getEntityProfiles` (B175).
pub async fn get(
    call: &Call<'_>,
    request: rating::GetEntityProfiles,
) -> Outcome<RatingEntityProfiles> {
    let who = call.require(Need::Login)?;
    let entity = read_existing(&who, request.entity.as_deref())?;
    let (who, entity) = (&who, &entity);
    let profiles = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let (row, reseller) = visible(tx, who, entity).await?;
                Ok::<_, OpError>(wire(entity, row, reseller))
            })
        })
        .await?;
    Ok((profiles, None))
}

/// The entity of a call that changes nothing else than what is there; what is no entity has no profiles.
fn read_existing(who: &Principal, text: Option<&str>) -> Result<Entity, Fault> {
    let text = text.unwrap_or_default();
    let entity = Entity::read(text).map_err(|_| not_found(text))?;
    may_touch(who, &entity)?;
    Ok(entity)
}

/// Profiles of gateways are the administrator's.
fn may_touch(who: &Principal, entity: &Entity) -> Result<(), Fault> {
    if matches!(entity, Entity::Gateway(_)) {
        who.require(Need::Administrator)?;
    }
    Ok(())
}

async fn find(tx: &mut Tx<'_>, entity: &Entity) -> Result<Option<RatingProfilesRow>, OpError> {
    let (gateway, domain, subscriber) = entity.columns();
    Ok(tx.rating_profiles(&gateway, &domain, &subscriber).await?)
}

/// Profiles that exist and may be seen, with the reseller they have today; anything else is not found (contract D3).
async fn visible(
    tx: &mut Tx<'_>,
    who: &Principal,
    entity: &Entity,
) -> Result<(RatingProfilesRow, i64), OpError> {
    let row = find(tx, entity).await?.ok_or_else(|| not_found(&entity.to_string()))?;
    let parent = match entity {
        Entity::Subscriber(aor) => tx.sip_domain(aor.domain()).await?,
        Entity::Domain(name) => tx.sip_domain(name).await?,
        Entity::Gateway(_) => None,
    };
    // Rows of others' making may name a domain that is nobody's here.
    let owner = parent.map_or(Ownership { customer: 0, reseller: row.reseller_id }, |parent| {
        Ownership { customer: parent.customer, reseller: parent.reseller_id }
    });
    if !who.reaches(owner) {
        return Err(not_found(&entity.to_string()).into());
    }
    Ok((row, owner.reseller))
}

fn not_found(entity: &str) -> Fault {
    Fault::client(
        code::RATING_PROFILES_NOT_FOUND,
        format!(
            "there are no rating profiles of `{entity}`; set them with setEntityProfiles, for an entity such as \
             subscriber://user@domain"
        ),
    )
}

/// The row that a call asks for.
fn read(entity: &Entity, profiles: &RatingEntityProfiles) -> Result<RatingProfilesRow, Fault> {
    let text = |value: &Option<String>, name: &str, longest: usize| {
        let text = value.as_deref().unwrap_or_default().trim();
        if text.chars().count() > longest || text.chars().any(char::is_control) {
            return Err(Fault::invalid(
                format!("profiles.{name}"),
                format!("is longer than {longest} characters or not printable"),
            ));
        }
        Ok(text.to_owned())
    };
    let seconds = |value: Option<i32>, name: &str| match value {
        Some(seconds) if seconds < 0 => Err(Fault::invalid(
            format!("profiles.{name}"),
            format!("{seconds} is negative; send seconds, or leave it out for what the rate says"),
        )),
        other => Ok(other.map(i64::from)),
    };
    let (gateway, domain, subscriber) = entity.columns();
    Ok(RatingProfilesRow {
        reseller_id: profiles.reseller.unwrap_or_default().max(0),
        gateway,
        domain,
        subscriber,
        profile_name1: text(&profiles.profile_weekday, "profileWeekday", 64)?,
        profile_name1_alt: text(&profiles.profile_weekday_alt, "profileWeekdayAlt", 64)?,
        profile_name2: text(&profiles.profile_weekend, "profileWeekend", 64)?,
        profile_name2_alt: text(&profiles.profile_weekend_alt, "profileWeekendAlt", 64)?,
        timezone: text(&profiles.timezone, "timezone", 128)?,
        increment: seconds(profiles.increment, "increment")?,
        min_duration: seconds(profiles.min_duration, "min_duration")?,
    })
}

fn wire(entity: &Entity, row: RatingProfilesRow, reseller: i64) -> RatingEntityProfiles {
    let int = |value: Option<i64>| value.and_then(|seconds| i32::try_from(seconds).ok());
    RatingEntityProfiles {
        entity: Some(entity.to_string()),
        profile_weekday: stored(Some(row.profile_name1)),
        profile_weekday_alt: stored(Some(row.profile_name1_alt)),
        profile_weekend: stored(Some(row.profile_name2)),
        profile_weekend_alt: stored(Some(row.profile_name2_alt)),
        timezone: stored(Some(row.timezone)),
        increment: int(row.increment),
        min_duration: int(row.min_duration),
        reseller: Some(reseller),
    }
}

fn snapshot(row: &RatingProfilesRow) -> Value {
    json!({
        "reseller": row.reseller_id, "weekday": row.profile_name1, "weekday_alt": row.profile_name1_alt,
        "weekend": row.profile_name2, "weekend_alt": row.profile_name2_alt, "timezone": row.timezone,
        "increment": row.increment, "min_duration": row.min_duration,
    })
}
