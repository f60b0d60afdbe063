//! The Voicemail port (B151-B159).

use super::sip_call_options::targets;
use super::{Call, Outcome, required, sip_accounts, stored, wire_time};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::sip_account::read_id;
use crate::rules::voicemail::{check_mailbox, check_pin, check_text, check_wav, random_pin};
use ngn_model::{Aor, Entity, Ownership};
use ngn_soap::fault::code;
use ngn_soap::types::{SipId, VoicemailAccount, VoicemailOptions};
use ngn_soap::{Fault, voicemail};
use ngn_store::{Announcement, Tx, VoicemailRow};
use serde_json::{Value, json};

/// `addAccount` (B151, B152).
pub async fn add(call: &Call<'_>, request: voicemail::AddAccount) -> Outcome<VoicemailAccount> {
    let who = call.require(Need::Create)?;
    let account = required(request.account, "account")?;
    let aor = read_id(account.sip_id.as_ref(), "account.sipId")?;
    let wanted = read(&account)?;
    // An empty PIN would leave the mailbox open to everybody who dials it.
    let pin = match wanted.password.clone() {
        Some(pin) => pin,
        None => random_pin()?,
    };
    let (who, account, aor, wanted, pin) = (&who, &account, &aor, &wanted, &pin);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let owner = if call.settings.standalone_voicemail {
                    super::stamp(tx, who, account.customer, account.reseller).await?
                } else {
                    lock_sip_account(tx, who, aor).await?
                };
                if tx.voicemail(aor).await?.is_some() {
                    return Err(exists(aor).into());
                }
                let mailbox = match &wanted.mailbox {
                    None => tx.next_mailbox(call.settings.first_mailbox).await?,
                    Some(mailbox) => take(tx, mailbox).await?,
                };
                let row = VoicemailRow {
                    username: aor.username().to_owned(),
                    domain: aor.domain().to_string(),
                    mailbox,
                    password: pin.clone(),
                    info: stored(account.info.clone()),
                    owner: account.owner.unwrap_or_default(),
                    customer: owner.customer,
                    reseller: owner.reseller,
                    ..wanted.row()
                };
                match tx.insert_voicemail(&row).await {
                    Err(error) if error.is_duplicate() => return Err(exists(aor).into()),
                    other => other?,
                }
                tx.journal(Entity::Voicemail, aor, None, None, Some(snapshot(&row)));
                let row = VoicemailRow { change_date: tx.now(), ..row };
                Ok::<_, OpError>(wire(row, owner))
            })
        })
        .await
}

/// `updateAccount` (B153): what is sent replaces what is there; mailbox, info, owner and PIN stay when they are missing.
pub async fn update(call: &Call<'_>, request: voicemail::UpdateAccount) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let account = required(request.account, "account")?;
    let aor = read_id(account.sip_id.as_ref(), "account.sipId")?;
    let wanted = read(&account)?;
    let (who, account, aor, wanted) = (&who, &account, &aor, &wanted);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let (old, _) = lock(call, tx, who, aor).await?;
                let mailbox = match &wanted.mailbox {
                    Some(mailbox) if *mailbox != old.mailbox => take(tx, mailbox).await?,
                    _ => old.mailbox.clone(),
                };
                let info = match &account.info {
                    Some(info) => stored(Some(info.clone())),
                    None => old.info.clone(),
                };
                let row = VoicemailRow {
                    mailbox,
                    info,
                    password: wanted.password.clone().unwrap_or_else(|| old.password.clone()),
                    fullname: wanted.name.clone(),
                    email: wanted.email.clone(),
                    delete_mailed: wanted.delete,
                    owner: account.owner.unwrap_or(old.owner),
                    ..old.clone()
                };
                tx.update_voicemail(&row).await?;
                let (before, after) = (snapshot(&old), snapshot(&row));
                tx.journal(Entity::Voicemail, aor, None, Some(before), Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteAccount` (B88, B159).
pub async fn delete(call: &Call<'_>, request: voicemail::DeleteAccount) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let (who, aor) = (&who, &aor);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                lock(call, tx, who, aor).await?;
                remove(tx, aor).await?;
                let before = targets(&tx.diversions(aor).await?);
                if tx.delete_mailbox_diversions(aor).await? {
                    let after = targets(&tx.diversions(aor).await?);
                    tx.journal(Entity::Diversions, aor, None, Some(before), Some(after));
                }
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getAccount`.
pub async fn get(call: &Call<'_>, request: voicemail::GetAccount) -> Outcome<VoicemailAccount> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let (who, aor) = (&who, &aor);
    let account = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let (row, owner) = visible(call, tx, who, aor).await?;
                Ok::<_, OpError>(wire(row, owner))
            })
        })
        .await?;
    Ok((account, None))
}

/// `setAnnouncement`: a WAV file that the voicemail server fetches over HTTP; an empty one removes it.
pub async fn set_announcement(call: &Call<'_>, request: voicemail::SetAnnouncement) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let aor = read_id(request.sip_id.as_ref(), "sipId")?;
    let message = required(request.message, "message")?;
    check_wav(&message)?;
    let (who, aor, message) = (&who, &aor, &message);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                lock(call, tx, who, aor).await?;
                if message.is_empty() {
                    tx.delete_announcement(aor).await?;
                } else {
                    tx.put_announcement(aor, message).await?;
                }
                let after = json!({ "announcement": { "octets": message.len() } });
                tx.journal(Entity::Voicemail, aor, None, None, Some(after));
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// Removes the voicemail account of a SIP account, if there is one (B57).
pub(super) async fn remove(tx: &mut Tx<'_>, aor: &Aor) -> Result<(), OpError> {
    if let Some(row) = tx.voicemail(aor).await? {
        tx.delete_voicemail(&row).await?;
        tx.journal(Entity::Voicemail, aor, None, Some(snapshot(&row)), None);
    }
    Ok(())
}

/// Whether somebody may hear an announcement: whoever may see the account (B15, B157).
#[must_use]
pub fn may_hear(who: &Principal, standalone: bool, announcement: &Announcement) -> bool {
    let owner = if standalone { Some(announcement.noted) } else { announcement.domain };
    owner.is_some_and(|owner| who.reaches(owner))
}

/// A voicemail account that may be seen, with its owners; nothing else touches it until the transaction ends.
async fn lock(
    call: &Call<'_>,
    tx: &mut Tx<'_>,
    who: &Principal,
    aor: &Aor,
) -> Result<(VoicemailRow, Ownership), OpError> {
    if !call.settings.standalone_voicemail {
        lock_sip_account(tx, who, aor).await?;
    }
    visible(call, tx, who, aor).await
}

async fn lock_sip_account(
    tx: &mut Tx<'_>,
    who: &Principal,
    aor: &Aor,
) -> Result<Ownership, OpError> {
    tx.lock_sip_account(aor).await?;
    let row = sip_accounts::visible(tx, who, aor).await?;
    Ok(Ownership { customer: row.customer, reseller: row.reseller_id })
}

async fn visible(
    call: &Call<'_>,
    tx: &mut Tx<'_>,
    who: &Principal,
    aor: &Aor,
) -> Result<(VoicemailRow, Ownership), OpError> {
    let missing = || {
        let text = format!("{aor} has no voicemail account; make one with addAccount");
        OpError::from(Fault::client(code::VOICEMAIL_NOT_FOUND, text))
    };
    if call.settings.standalone_voicemail {
        let row = tx.voicemail(aor).await?.ok_or_else(missing)?;
        let owner = Ownership { customer: row.customer, reseller: row.reseller };
        return if who.reaches(owner) { Ok((row, owner)) } else { Err(missing()) };
    }
    let account = sip_accounts::visible(tx, who, aor).await?;
    let owner = Ownership { customer: account.customer, reseller: account.reseller_id };
    Ok((tx.voicemail(aor).await?.ok_or_else(missing)?, owner))
}

async fn take(tx: &mut Tx<'_>, mailbox: &str) -> Result<String, OpError> {
    if tx.take_mailbox(mailbox).await? {
        return Ok(mailbox.to_owned());
    }
    Err(Fault::client(
        code::MAILBOX_TAKEN,
        format!("the mailbox number {mailbox} is in use; send none to get a free one"),
    )
    .into())
}

fn exists(aor: &Aor) -> Fault {
    Fault::client(
        code::VOICEMAIL_EXISTS,
        format!("{aor} has a voicemail account already; change it with updateAccount"),
    )
}

/// What a request says of an account, checked.
struct Wanted {
    mailbox: Option<String>,
    password: Option<String>,
    name: String,
    email: String,
    delete: bool,
}

impl Wanted {
    fn row(&self) -> VoicemailRow {
        VoicemailRow {
            fullname: self.name.clone(),
            email: self.email.clone(),
            delete_mailed: self.delete,
            ..VoicemailRow::default()
        }
    }
}

fn read(account: &VoicemailAccount) -> Result<Wanted, Fault> {
    let text = |value: &Option<String>| value.as_deref().unwrap_or_default().trim().to_owned();
    Ok(Wanted {
        mailbox: check_mailbox(&text(&account.mailbox))?,
        password: check_pin(&text(&account.password))?,
        name: check_text(&text(&account.name), "account.name")?,
        email: check_text(&text(&account.email), "account.email")?,
        delete: account.options.as_ref().and_then(|options| options.delete).unwrap_or(false),
    })
}

fn wire(row: VoicemailRow, owner: Ownership) -> VoicemailAccount {
    VoicemailAccount {
        sip_id: Some(SipId { username: Some(row.username), domain: Some(row.domain) }),
        mailbox: Some(row.mailbox),
        password: Some(row.password),
        name: Some(row.fullname),
        email: Some(row.email),
        info: row.info,
        options: Some(VoicemailOptions { delete: Some(row.delete_mailed) }),
        owner: Some(row.owner),
        customer: Some(owner.customer),
        reseller: Some(owner.reseller),
        change_date: wire_time(row.change_date),
    }
}

/// The account for the journal, which hides the PIN.
fn snapshot(row: &VoicemailRow) -> Value {
    json!({
        "mailbox": row.mailbox, "pin": row.password, "name": row.fullname, "email": row.email,
        "delete": row.delete_mailed, "info": row.info, "owner": row.owner,
    })
}
