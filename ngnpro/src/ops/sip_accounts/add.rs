//! `addAccount`: accounts of one domain that come at the same time are added in one transaction.

use super::{Values, check_rights, exists, set_password, snapshot, wire};
use crate::fault::OpError;
use crate::ops::credit::{self, Credit, Room};
use crate::ops::{Call, Outcome, required, sip_domains};
use crate::principal::{Authorised, Need};
use crate::rules::groups;
use crate::rules::sip_account::{NewId, next_username, read_new_id};
use crate::together::Together;
use ngn_model::{Aor, DomainName, Entity, Ownership, Position};
use ngn_soap::sip;
use ngn_soap::types::SipAccount;
use ngn_store::{Actor, AddressKind, NewSipAccount, SipAccountRow, Store, StoreError, Tx};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Accounts that wait to be added, for each SIP domain.
pub type Adding = Together<DomainName, Wanted, Added>;

/// What became of one of them.
type Added = Result<(SipAccount, Option<Position>), OpError>;

/// One that is wanted: what `addAccount` was sent, as far as it could be checked by itself.
pub struct Wanted {
    who: Authorised,
    actor: Arc<Actor>,
    id: NewId,
    account: SipAccount,
    values: Values,
    keep_clear: bool,
    default_credit: Option<u64>,
}

impl Wanted {
    fn domain(&self) -> &DomainName {
        match &self.id {
            NewId::Given(aor) => aor.domain(),
            NewId::Autoincrement(domain) => domain,
        }
    }
}

/// `addAccount`.
pub async fn add(call: &Call<'_>, request: sip::AddAccount) -> Outcome<SipAccount> {
    let who = call.require(Need::Create)?;
    let account = required(request.account, "account")?;
    let wanted = Wanted {
        who,
        actor: Arc::new(call.actor.clone()),
        id: read_new_id(account.id.as_ref(), "account.id")?,
        values: Values::read(&account)?,
        account,
        keep_clear: call.settings.store_clear_text_passwords,
        default_credit: call.settings.default_credit,
    };
    // What is held back is the caller's own transaction.
    if call.store.is_holding() {
        return alone(call.store, &wanted).await;
    }
    let store = call.store.clone();
    let work = move |wanted: Vec<Wanted>| {
        let store = store.clone();
        async move { all(&store, &wanted).await }
    };
    let added = call.adding.with_others(wanted.domain().clone(), wanted, work).await;
    added.unwrap_or_else(|| {
        Err(StoreError::corrupt("a new account", "adding it ended in a panic").into())
    })
}

/// Adds accounts of one domain together, or each by itself when one of them spoils it for all.
async fn all(store: &Store, wanted: &[Wanted]) -> Vec<Added> {
    match together(store, wanted).await {
        Ok(added) => added,
        Err(error) if wanted.len() == 1 => vec![Err(error)],
        // The database is away; whether they were added is not known.
        Err(error @ OpError::Store(StoreError::Unavailable(_))) => {
            let fault = error.into_fault();
            wanted.iter().map(|_| Err(fault.clone().into())).collect()
        }
        Err(error) => {
            tracing::debug!(%error, accounts = wanted.len(), "added one by one");
            let mut added = Vec::with_capacity(wanted.len());
            for one in wanted {
                added.push(alone(store, one).await);
            }
            added
        }
    }
}

async fn alone(store: &Store, wanted: &Wanted) -> Added {
    let added = together(store, std::slice::from_ref(wanted)).await?.pop();
    added.unwrap_or_else(|| Err(StoreError::corrupt("a new account", "it has no result").into()))
}

/// Adds accounts of one domain in one transaction. Those that a rule refuses are left out; an error means that none was
/// added.
async fn together(store: &Store, wanted: &[Wanted]) -> Result<Vec<Added>, OpError> {
    let Some(first) = wanted.first() else { return Ok(Vec::new()) };
    let (results, positions) = store
        .write_each(&first.actor, |tx| {
            Box::pin(async move {
                let (results, new) = choose(store, tx, wanted, first.domain()).await?;
                let aors: Vec<&Aor> = new.iter().map(|(aor, _)| aor).collect();
                match (tx.claim_addresses(&aors, AddressKind::Account).await, aors.as_slice()) {
                    // Somebody took it in this moment.
                    (Err(StoreError::Duplicate { .. }), [aor]) => return Err(exists(aor).into()),
                    (other, _) => other?,
                }
                let (_, rows): (Vec<Aor>, Vec<NewSipAccount>) = new.into_iter().unzip();
                tx.insert_sip_accounts(&rows).await?;
                Ok::<_, OpError>(results)
            })
        })
        .await?;
    let mut positions = positions.into_iter();
    let place = |result: Result<SipAccount, OpError>| result.map(|added| (added, positions.next()));
    Ok(results.into_iter().map(place).collect())
}

type Chosen = (Vec<Result<SipAccount, OpError>>, Vec<(Aor, NewSipAccount)>);

/// Decides one after the other, as if each had come alone, which accounts are added, and notes those in the journal.
async fn choose(
    store: &Store,
    tx: &mut Tx<'_>,
    wanted: &[Wanted],
    domain: &DomainName,
) -> Result<Chosen, OpError> {
    let counting = wanted.iter().any(|one| matches!(one.id, NewId::Autoincrement(_)));
    // Two at once must not choose the same number.
    let parent = if counting {
        tx.lock_sip_domain(domain).await?
    } else {
        tx.hold_sip_domain(domain).await?
    };
    let Some(parent) = parent.filter(|parent| wanted.iter().any(|one| one.who.reaches(*parent)))
    else {
        let none = || Err(sip_domains::not_found(domain).into());
        return Ok((wanted.iter().map(|_| none()).collect(), Vec::new()));
    };
    let mut highest = if counting { tx.highest_numeric_username(domain).await? } else { None };
    let given: Vec<&str> = wanted
        .iter()
        .filter_map(|one| match &one.id {
            NewId::Given(aor) => Some(aor.username()),
            NewId::Autoincrement(_) => None,
        })
        .collect();
    let mut taken = tx.taken_usernames(domain, &given).await?;
    let mut room: Option<Room> = None;
    let (mut results, mut new) = (Vec::with_capacity(wanted.len()), Vec::new());
    for one in wanted {
        if !one.who.reaches(parent) {
            results.push(Err(sip_domains::not_found(domain).into()));
            continue;
        }
        let aor = match &one.id {
            NewId::Given(aor) => aor.clone(),
            NewId::Autoincrement(domain) => Aor::new(&next_username(highest), domain.as_str())
                .map_err(|error| StoreError::corrupt("a new user name", error))?,
        };
        if taken.contains(aor.username()) {
            results.push(Err(exists(&aor).into()));
            continue;
        }
        let groups = groups::replaced(one.account.groups.as_deref(), &[], one.values.prepaid);
        match check_rights(tx, &one.who, parent, &BTreeSet::new(), &groups).await {
            Err(refused @ OpError::Refused(_)) => {
                results.push(Err(refused));
                continue;
            }
            other => other?,
        }
        if room.is_none() && !one.who.is_administrator() {
            let counts = store.counts();
            let mut left =
                credit::room(tx, counts, Credit::SipAccounts, parent, one.default_credit).await?;
            for _ in &new {
                // What the administrator added before in this transaction is not counted yet.
                drop(left.take(&one.who));
            }
            room = Some(left);
        }
        if let Some(Err(refusal)) = room.as_mut().map(|room| room.take(&one.who)) {
            results.push(Err(refusal.into()));
            continue;
        }
        if let Ok(number) = aor.username().parse::<u64>() {
            highest = highest.max(Some(number));
        }
        taken.insert(aor.username().to_owned());
        let row = row_of(tx, one, &aor, parent);
        if one.values.prepaid {
            tx.ensure_prepaid(&aor, parent.reseller).await?;
        }
        tx.journal_for(&one.actor, Entity::SipAccount, &aor, snapshot(&row, &groups));
        let list: Vec<String> = groups.iter().cloned().collect();
        results.push(Ok(wire(row.clone(), &list, &one.who)));
        new.push((aor, NewSipAccount { row, groups }));
    }
    Ok((results, new))
}

fn row_of(tx: &Tx<'_>, one: &Wanted, aor: &Aor, parent: Ownership) -> SipAccountRow {
    let mut row = SipAccountRow {
        username: aor.username().to_owned(),
        domain: aor.domain().to_string(),
        create_date: tx.now(),
        change_date: tx.now(),
        customer: parent.customer,
        reseller_id: parent.reseller,
        ..SipAccountRow::default()
    };
    one.values.apply(&mut row, &one.account);
    set_password(one.keep_clear, &mut row, &one.account, aor);
    row
}
