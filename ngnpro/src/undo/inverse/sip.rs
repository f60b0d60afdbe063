//! SIP domains, accounts and aliases.

use super::{Change, Inverse, sip_id, whole};
use crate::ops::{Call, sip_accounts, sip_domains};
use crate::undo::NotUndone;
use crate::undo::record::Record;
use ngn_soap::types as t;
use ngn_soap::{Request, sip};

pub(super) async fn sip_domain(
    call: &Call<'_>,
    key: &str,
    change: Change,
) -> Result<Inverse, NotUndone> {
    let name = Some(key.to_owned());
    let build = |record: &Record, private_key| t::SipDomain {
        domain: name.clone(),
        customer: record.number("customer"),
        reseller: record.number("reseller"),
        certificate: record.text("certificate"),
        private_key,
        match_ip_address: record.text("match_ip_address"),
        match_sip_domain: record.text("match_sip_domain"),
        verify_cert: record.truth("verify_cert"),
        require_cert: record.truth("require_cert"),
        change_date: None,
    };
    let losses = |record: &Record, then: &str| {
        let lost = record.lost("private_key");
        lost.then(|| format!("the journal does not hold the TLS key; {then}")).into_iter().collect()
    };
    Ok(match change {
        Change::Added => whole(sip::DeleteDomain { domain: name }),
        Change::Removed(record) => Inverse {
            request: Request::from(sip::AddDomain { domain: Some(build(&record, None)) }),
            losses: losses(&record, "the domain would have none until updateDomain sets one"),
        },
        Change::Changed(record, _) => {
            let filter = t::SipDomainFilter { domain: name.clone(), ..Default::default() };
            let query = t::SipDomainQuery { filter: Some(filter), ..Default::default() };
            let (found, _) =
                sip_domains::list(call, sip::GetDomains { query: Some(query) }).await?;
            let now = found.domains.unwrap_or_default().into_iter().find(|d| d.domain == name);
            let kept = now.and_then(|domain| domain.private_key);
            let kept = kept.filter(|_| record.text("private_key").is_some());
            Inverse {
                request: Request::from(sip::UpdateDomain { domain: Some(build(&record, kept)) }),
                losses: losses(&record, "the one of now would stay"),
            }
        }
    })
}

pub(super) fn sip_alias(key: &str, change: &Change) -> Inverse {
    let build = |record: &Record| t::SipAlias {
        id: sip_id(key),
        target: record.text("target").as_deref().and_then(sip_id),
        owner: record.number("owner"),
        ..Default::default()
    };
    match change {
        Change::Added => whole(sip::DeleteAlias { id: sip_id(key) }),
        Change::Removed(record) => whole(sip::AddAlias { alias: Some(build(record)) }),
        Change::Changed(record, _) => whole(sip::UpdateAlias { alias: Some(build(record)) }),
    }
}

pub(super) async fn sip_account(
    call: &Call<'_>,
    key: &str,
    change: Change,
) -> Result<Inverse, NotUndone> {
    Ok(match change {
        Change::Added => whole(sip::DeleteAccount { sip_id: sip_id(key) }),
        Change::Removed(record) => {
            let mut account = t::SipAccount { id: sip_id(key), ..Default::default() };
            restore_account(&mut account, &record);
            Inverse {
                request: Request::from(sip::AddAccount { account: Some(account) }),
                losses: vec![
                    "the journal does not hold the password; nobody can log in until updateAccount sets one"
                        .to_owned(),
                    "free properties and what else belonged to the account (call diversions, barring, phone book, \
                     balance, devices) do not come back"
                        .to_owned(),
                ],
            }
        }
        Change::Changed(before, after) if !before.has("email") => {
            // addToGroup and removeFromGroup name the groups alone.
            let (old, new) = (before.texts("groups"), after.texts("groups"));
            let sip_id = sip_id(key);
            match (new.iter().find(|g| !old.contains(g)), old.iter().find(|g| !new.contains(g))) {
                (Some(added), _) => {
                    whole(sip::RemoveFromGroup { sip_id, group: Some(added.clone()) })
                }
                (None, removed) => whole(sip::AddToGroup { sip_id, group: removed.cloned() }),
            }
        }
        Change::Changed(before, _) => {
            let request = sip::GetAccount { sip_id: sip_id(key) };
            let (mut account, _) = sip_accounts::get(call, request).await?;
            // Without one, the password stays (B58).
            account.password = None;
            account.ha1 = None;
            restore_account(&mut account, &before);
            let lost =
                ["password", "ha1", "ha1b", "ha1_sha256"].iter().any(|name| before.lost(name));
            let loss = "the journal does not hold the password; the one of now would stay";
            Inverse {
                request: Request::from(sip::UpdateAccount { account: Some(account) }),
                losses: lost.then(|| loss.to_owned()).into_iter().collect(),
            }
        }
    })
}

fn restore_account(account: &mut t::SipAccount, record: &Record) {
    account.email = record.text("email");
    account.rpid = record.text("rpid");
    account.first_name = record.text("first_name");
    account.last_name = record.text("last_name");
    account.timezone = record.text("timezone");
    account.quota = record.number("quota");
    account.prepaid = record.truth("prepaid");
    account.quickdial_prefix = record.text("quickdial_prefix");
    account.region = record.text("region");
    account.timeout = record.number("timeout");
    account.call_limit = record.number("call_limit");
    account.owner = record.number("owner");
    account.groups = Some(record.texts("groups"));
    let entry = |entry: &Record| t::SubscriberACL {
        ip: entry.text("ip"),
        mask: entry.number("mask"),
        tag: entry.text("tag"),
    };
    account.acl = Some(record.written_list("acl").iter().map(entry).collect());
}
