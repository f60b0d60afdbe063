//! How many records of a kind a customer and its reseller may have (B36-B38), and which rights a reseller has.

use crate::fault::OpError;
use crate::ops::Call;
use crate::principal::Principal;
use ngn_model::{CustomerId, Ownership};
use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_store::Tx;

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
    let (property, what) = kind.property();
    for (id, is_reseller) in [(owner.reseller, true), (owner.customer, false)] {
        if id == 0 || (!is_reseller && id == owner.reseller) {
            continue;
        }
        let counted = if is_reseller {
            Ownership { customer: 0, reseller: id }
        } else {
            Ownership { customer: id, reseller: 0 }
        };
        if let Some(limit) = parsed(tx.customer_property(id, property).await?)
            && kind.used(tx, counted).await?.saturating_add(ROOM) < limit
        {
            continue;
        }
        let limit = match parsed(tx.lock_customer_property(id, property).await?) {
            Some(limit) => limit,
            // B38: what no property limits. There is no property to lock, so the reseller itself is.
            None if is_reseller => {
                let limit = call.settings.default_credit.unwrap_or(0);
                if limit > 0 {
                    tx.lock_customer(id).await?;
                }
                limit
            }
            None => continue,
        };
        let used = kind.used(tx, counted).await?;
        if used >= limit {
            let owner = if is_reseller { "reseller" } else { "customer" };
            return Err(Fault::client(
                code::CREDIT_EXHAUSTED,
                format!("{owner} {id} has {used} {what} and may have {limit}; raise its property {property}"),
            )
            .into());
        }
    }
    Ok(())
}

fn parsed(value: Option<String>) -> Option<u64> {
    value?.trim().parse().ok()
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
