//! The request that takes a change back, for each kind of record.

mod call_options;
mod customer;
mod dns;
mod pstn;
mod sip;

use super::NotUndone;
use super::record::Record;
use crate::ops::Call;
use ngn_model::Entity;
use ngn_soap::Request;
use ngn_soap::types as t;
use ngn_store::AuditRow;

/// A request, and what it does not bring back.
pub(super) struct Inverse {
    pub(super) request: Request,
    pub(super) losses: Vec<String>,
}

/// What a change did.
enum Change {
    Added,
    Removed(Record),
    Changed(Record, Record),
}

/// Finds the request that takes a change back.
pub(super) async fn inverse(
    call: &Call<'_>,
    row: &AuditRow,
    entity: Option<Entity>,
) -> Result<Inverse, NotUndone> {
    let (before, after) = (Record::read(row.before.as_deref()), Record::read(row.after.as_deref()));
    let change = match (before, after) {
        (None, Some(_)) => Change::Added,
        (Some(before), None) => Change::Removed(before),
        (Some(before), Some(after)) => Change::Changed(before, after),
        (None, None) => return Err(unsupported(row, "the journal does not say what it was")),
    };
    let key = row.key.as_str();
    let Some(entity) = entity else {
        return Err(unsupported(row, "this version does not know it"));
    };
    match entity {
        Entity::SipDomain => sip::sip_domain(call, key, change).await,
        Entity::SipAccount => sip::sip_account(call, key, change).await,
        Entity::SipAlias => Ok(sip::sip_alias(key, &change)),
        Entity::Diversions => call_options::diversions(row, &change),
        Entity::AcceptRules => call_options::accept_rules(row, &change),
        Entity::BarringPrefixes => call_options::barring_prefixes(row, &change),
        Entity::RejectMembers => call_options::reject_members(row, &change),
        Entity::PhonebookEntry => call_options::phonebook_entry(row, &change),
        Entity::Voicemail => call_options::voicemail(call, row, change).await,
        Entity::Prepaid => call_options::prepaid(row, &change),
        Entity::RatingProfiles => Ok(call_options::rating_profiles(key, &change)),
        Entity::TrustedPeer => pstn::trusted_peer(call, key, change).await,
        Entity::Carrier => Ok(pstn::carrier(key, &change)),
        Entity::Gateway => Ok(pstn::gateway(key, &change)),
        Entity::GatewayRule => Ok(pstn::gateway_rule(key, &change)),
        Entity::Route => Ok(pstn::route(key, &change)),
        Entity::Customer => customer::customer(call, key, change).await,
        Entity::EnumRange => dns::enum_range(call, key, change).await,
        Entity::EnumNumber => dns::enum_number(call, key, change).await,
        Entity::DnsZone => dns::dns_zone(call, key, change).await,
        Entity::DnsRecord => dns::dns_record(row, key, &change),
        Entity::Emergency => Err(unsupported(row, "`ngn emergency` changes it")),
        Entity::ZoneKeys => Err(unsupported(row, "`ngn zone` changes it")),
        Entity::Zone | Entity::RrSet => {
            Err(unsupported(row, "it follows from another change; take back that one"))
        }
    }
}

fn unsupported(row: &AuditRow, what: &'static str) -> NotUndone {
    NotUndone::Unsupported { entity: row.entity.clone(), what }
}

/// Nothing of the change is lost.
fn whole(request: impl Into<Request>) -> Inverse {
    Inverse { request: request.into(), losses: Vec::new() }
}

fn at(key: &str) -> (Option<String>, Option<String>) {
    let (left, right) = key.rsplit_once('@').unwrap_or((key, ""));
    (Some(left.to_owned()), Some(right.to_owned()))
}

fn sip_id(address: &str) -> Option<t::SipId> {
    let (username, domain) = at(address);
    Some(t::SipId { username, domain })
}
