//! How many records of a kind a customer and its reseller may have (B36-B38), and which rights a reseller has.

use crate::fault::OpError;
use crate::ops::Call;
use crate::principal::Principal;
use crate::together::MOST;
use ngn_model::{CustomerId, Ownership};
use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_store::{Counts, Tx};

/// A kind of record that credit properties count (B37).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credit {
    /// SIP accounts.
    SipAccounts,
    /// SIP aliases.
    SipAliases,
    /// ENUM ranges.
    EnumRanges,
    /// ENUM numbers.
    EnumNumbers,
    /// Zones of the Dns port.
    DnsZones,
    /// Fancy records of type MBOXFW.
    MailForwardings,
}

/// A limit further away than this is not exact to the record, so that those who count against it do not wait for
/// each other: no more transactions than this are open at one time.
pub const ROOM: u64 = 256;

impl Credit {
    /// The property that holds the limit, and what it counts.
    const fn property(self) -> (&'static str, &'static str) {
        match self {
            Self::SipAccounts => ("sip_credit", "SIP accounts"),
            Self::SipAliases => ("sip_alias_credit", "SIP aliases"),
            Self::EnumRanges => ("enum_range_credit", "ENUM ranges"),
            Self::EnumNumbers => ("enum_number_credit", "ENUM numbers"),
            Self::DnsZones => ("dns_zone_credit", "DNS zones"),
            Self::MailForwardings => ("email_credit", "mail forwardings"),
        }
    }

    /// The table whose ids number the records, perhaps among others.
    const fn table(self) -> &'static str {
        match self {
            Self::SipAccounts => "subscriber",
            Self::SipAliases => "dbaliases",
            Self::EnumRanges => "enum_ranges",
            Self::EnumNumbers => "enum_numbers",
            Self::DnsZones => "domains",
            Self::MailForwardings => "records",
        }
    }

    /// How many records the transactions that are open at one time may add.
    const fn unseen(self) -> u64 {
        match self {
            Self::SipAccounts => ROOM * MOST as u64,
            _ => ROOM,
        }
    }

    async fn used(self, tx: &mut Tx<'_>, owner: Ownership) -> Result<u64, OpError> {
        Ok(match self {
            Self::SipAccounts => tx.count_sip_accounts(owner).await?,
            Self::SipAliases => tx.count_sip_aliases(owner).await?,
            Self::EnumRanges => tx.count_enum_ranges(owner).await?,
            Self::EnumNumbers => tx.count_enum_numbers(owner).await?,
            Self::DnsZones => tx.count_dns_zones(owner).await?,
            Self::MailForwardings => tx.count_mail_forwardings(owner).await?,
        })
    }
}

/// How many more records may be made.
#[derive(Debug, Clone)]
pub struct Room {
    left: u64,
    /// What the next one is told; `None` when no limit is near.
    refusal: Option<Fault>,
}

impl Room {
    /// Counts one more record.
    ///
    /// # Errors
    ///
    /// 8002 when there is no room for it, unless it is one that no credit limits.
    pub fn take(&mut self, who: &Principal) -> Result<(), Fault> {
        match &self.refusal {
            Some(refusal) if self.left == 0 && !who.is_administrator() => Err(refusal.clone()),
            _ => {
                self.left = self.left.saturating_sub(1);
                Ok(())
            }
        }
    }
}

/// Checks that one more record of a kind may be made for an owner.
///
/// # Errors
///
/// 8002 when the credit of the customer or of its reseller is used up.
pub async fn check(
    call: &Call<'_>,
    tx: &mut Tx<'_>,
    who: &Principal,
    kind: Credit,
    owner: Ownership,
) -> Result<(), OpError> {
    if who.is_administrator() {
        return Ok(());
    }
    let default_credit = call.settings.default_credit;
    Ok(room(tx, call.store.counts(), kind, owner, default_credit).await?.take(who)?)
}

/// How many more records of a kind may be made for an owner, by the credit of its customer and of its reseller.
///
/// # Errors
///
/// When the database fails.
pub async fn room(
    tx: &mut Tx<'_>,
    counts: &Counts,
    kind: Credit,
    owner: Ownership,
    default_credit: Option<u64>,
) -> Result<Room, OpError> {
    let (property, what) = kind.property();
    let mut room = Room { left: u64::MAX, refusal: None };
    let facts = tx.credit_facts(kind.table(), property, [owner.reseller, owner.customer]).await?;
    for (id, is_reseller) in [(owner.reseller, true), (owner.customer, false)] {
        if id == 0 || (!is_reseller && id == owner.reseller) {
            continue;
        }
        let counted = if is_reseller {
            Ownership { customer: 0, reseller: id }
        } else {
            Ownership { customer: id, reseller: 0 }
        };
        if let Some(limit) = facts.value(id).and_then(parsed) {
            // Those that were open when it was counted, and those that are open now.
            let remembered = counts.at_most(property, counted, facts.newest);
            if remembered.is_some_and(|most| most.saturating_add(2 * kind.unseen()) < limit) {
                continue;
            }
            // A limit that open transactions alone may reach is only ever counted under its lock.
            if limit > kind.unseen() {
                let used = kind.used(tx, counted).await?;
                counts.remember(property, counted, facts.newest, used);
                if used.saturating_add(kind.unseen()) < limit {
                    continue;
                }
            }
        }
        let limit = match tx.lock_customer_property(id, property).await?.as_deref().and_then(parsed)
        {
            Some(limit) => limit,
            // B38: what no property limits. There is no property to lock, so the reseller itself is.
            None if is_reseller => {
                let limit = default_credit.unwrap_or(0);
                if limit > 0 {
                    tx.lock_customer(id).await?;
                }
                limit
            }
            None => continue,
        };
        let used = kind.used(tx, counted).await?;
        let left = limit.saturating_sub(used);
        if left < room.left {
            let owner = if is_reseller { "reseller" } else { "customer" };
            let text = format!(
                "{owner} {id} has {} {what} and may have {limit}; raise its property {property}",
                used.saturating_add(left)
            );
            room = Room { left, refusal: Some(Fault::client(code::CREDIT_EXHAUSTED, text)) };
        }
    }
    Ok(room)
}

fn parsed(value: &str) -> Option<u64> {
    value.trim().parse().ok()
}

/// Whether a customer has a right as a property with the value 1.
///
/// # Errors
///
/// When the database fails.
pub async fn has_right(tx: &mut Tx<'_>, id: CustomerId, names: &[&str]) -> Result<bool, OpError> {
    for name in names {
        let value = tx.lock_customer_property(id, name).await?;
        if value.is_some_and(|value| value.trim() == "1") {
            return Ok(true);
        }
    }
    Ok(false)
}
