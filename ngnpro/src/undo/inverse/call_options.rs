//! What belongs to one SIP account: diversions, accept rules, barring, rejects, phone book, voicemail, balance, rates.

use super::{Change, Inverse, sip_id, unsupported, whole};
use crate::ops::{Call, voicemail as mailboxes};
use crate::undo::NotUndone;
use crate::undo::record::Record;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ngn_soap::types as t;
use ngn_soap::{Request, rating, sip, voicemail as port};
use ngn_store::AuditRow;

/// The settings that are replaced as a whole stand in the journal before and after.
fn replaced<'c>(row: &AuditRow, change: &'c Change) -> Result<&'c Record, NotUndone> {
    match change {
        Change::Changed(before, _) => Ok(before),
        Change::Added | Change::Removed(_) => {
            Err(unsupported(row, "the journal does not hold the whole setting; set it again"))
        }
    }
}

pub(super) fn diversions(row: &AuditRow, change: &Change) -> Result<Inverse, NotUndone> {
    let before = replaced(row, change)?;
    let target = |name: &str| before.text(name);
    let diversions = t::CallDiversions {
        func: target("forward when unconditional"),
        fnol: target("forward when not online"),
        funv: target("forward when unavailable"),
        fnoa: target("forward when no answer"),
        fbus: target("forward when busy"),
        runc: target("redirect when unconditional"),
        rnol: target("redirect when not online"),
        runv: target("redirect when unavailable"),
        rnoa: target("redirect when no answer"),
        rbus: target("redirect when busy"),
    };
    let diversions = Some(diversions);
    Ok(whole(sip::SetCallDiversions { sip_id: sip_id(&row.key), diversions }))
}

pub(super) fn accept_rules(row: &AuditRow, change: &Change) -> Result<Inverse, NotUndone> {
    let before = replaced(row, change)?;
    let rule = |rule: &Record| t::AcceptRulePersistent {
        days: rule.number("days"),
        start: rule.text("start"),
        stop: rule.text("stop"),
        groups: Some(rule.texts("groups")),
    };
    let persistent = Some(before.list("persistent").iter().map(rule).collect());
    let temporary = before.member("temporary").and_then(|rule| {
        let duration = match rule.text("expires_at") {
            None => Some(0),
            Some(end) => minutes_until(&end),
        };
        Some(t::AcceptRuleTemporary {
            groups: Some(rule.texts("groups")),
            duration: Some(duration?),
        })
    });
    let rules = Some(t::AcceptRules { persistent, temporary });
    Ok(whole(sip::SetAcceptRules { sip_id: sip_id(&row.key), rules }))
}

/// Whole minutes, rounded up, until a time of the journal (UTC); `None` when it has passed.
fn minutes_until(end: &str) -> Option<i32> {
    let end: DateTime = end.replacen(' ', "T", 1).parse().ok()?;
    let end = end.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let left = end.as_second().saturating_sub(Timestamp::now().as_second());
    i32::try_from(left.saturating_add(59) / 60).ok().filter(|minutes| *minutes > 0)
}

pub(super) fn barring_prefixes(row: &AuditRow, change: &Change) -> Result<Inverse, NotUndone> {
    let prefixes = Some(replaced(row, change)?.texts("prefixes"));
    Ok(whole(sip::SetBarringPrefixes { sip_id: sip_id(&row.key), prefixes }))
}

pub(super) fn reject_members(row: &AuditRow, change: &Change) -> Result<Inverse, NotUndone> {
    let members = Some(replaced(row, change)?.texts("members"));
    Ok(whole(sip::SetRejectMembers { sip_id: sip_id(&row.key), members }))
}

pub(super) fn phonebook_entry(row: &AuditRow, change: &Change) -> Result<Inverse, NotUndone> {
    // The key is the account's address and the contact's.
    let Some((owner, uri)) = row.key.split_once(' ') else {
        return Err(unsupported(row, "the journal does not say which entry it was"));
    };
    let (sip_id, uri) = (sip_id(owner), Some(uri.to_owned()));
    let build = |record: &Record| {
        Some(t::PhonebookEntry {
            uri: uri.clone(),
            name: record.text("name"),
            group: record.text("group"),
            first_name: record.text("first_name"),
            last_name: record.text("last_name"),
        })
    };
    Ok(match change {
        Change::Added => whole(sip::DeletePhonebookEntry { sip_id, uri }),
        Change::Removed(record) => whole(sip::AddPhonebookEntry { sip_id, entry: build(record) }),
        Change::Changed(record, _) => {
            whole(sip::UpdatePhonebookEntry { sip_id, entry: build(record) })
        }
    })
}

pub(super) async fn voicemail(
    call: &Call<'_>,
    row: &AuditRow,
    change: Change,
) -> Result<Inverse, NotUndone> {
    let id = sip_id(&row.key);
    let build = |record: &Record, password| {
        Some(t::VoicemailAccount {
            sip_id: id.clone(),
            mailbox: record.text("mailbox"),
            password,
            name: record.text("name"),
            email: record.text("email"),
            info: record.text("info"),
            options: Some(t::VoicemailOptions { delete: record.truth("delete") }),
            owner: record.number("owner"),
            ..Default::default()
        })
    };
    let announced = Record::read(row.after.as_deref()).is_some_and(|r| r.has("announcement"));
    if announced {
        return Err(unsupported(
            row,
            "the journal does not hold what was spoken; set the announcement again",
        ));
    }
    Ok(match change {
        Change::Added => whole(port::DeleteAccount { sip_id: id }),
        Change::Removed(record) => Inverse {
            request: Request::from(port::AddAccount { account: build(&record, None) }),
            losses: vec![
                "the journal does not hold the PIN; the mailbox would get a new one".to_owned(),
                "the messages and the announcement of the mailbox do not come back".to_owned(),
            ],
        },
        Change::Changed(record, _) => {
            let (now, _) = mailboxes::get(call, port::GetAccount { sip_id: id.clone() }).await?;
            let loss = "the journal does not hold the PIN; the one of now would stay";
            Inverse {
                request: Request::from(port::UpdateAccount {
                    account: build(&record, now.password),
                }),
                losses: record.lost("pin").then(|| loss.to_owned()).into_iter().collect(),
            }
        }
    })
}

/// The value is booked back: what was spent meanwhile stays spent, and a voucher stays used.
pub(super) fn prepaid(row: &AuditRow, change: &Change) -> Result<Inverse, NotUndone> {
    let Change::Changed(_, after) = change else {
        return Err(unsupported(row, "use addBalance"));
    };
    let value: Option<f64> = after.text("value").and_then(|value| value.parse().ok());
    let Some(value) = value else {
        return Err(unsupported(row, "the journal does not say by how much; use addBalance"));
    };
    let description = after.text("description").unwrap_or_default();
    let description: String = format!("Taken back: {description}").chars().take(255).collect();
    let card: Option<i64> = after.number("card");
    let losses = card.map(|card| format!("the voucher {card} stays used")).into_iter().collect();
    let request = sip::AddBalance {
        sip_id: sip_id(&row.key),
        value: Some(-value),
        description: Some(description),
    };
    Ok(Inverse { request: Request::from(request), losses })
}

pub(super) fn rating_profiles(key: &str, change: &Change) -> Inverse {
    let entity = Some(key.to_owned());
    let (Change::Removed(record) | Change::Changed(record, _)) = change else {
        return whole(rating::DeleteEntityProfiles { entity });
    };
    let profiles = t::RatingEntityProfiles {
        entity,
        profile_weekday: record.text("weekday"),
        profile_weekday_alt: record.text("weekday_alt"),
        profile_weekend: record.text("weekend"),
        profile_weekend_alt: record.text("weekend_alt"),
        timezone: record.text("timezone"),
        increment: record.number("increment"),
        min_duration: record.number("min_duration"),
        reseller: record.number("reseller"),
    };
    whole(rating::SetEntityProfiles { profiles: Some(profiles) })
}
