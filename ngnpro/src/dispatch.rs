//! From a typed request to the operation that serves it.
//!
//! The matches are total: an operation of the table that stands nowhere here does not compile.

use crate::fault::OpError;
use crate::ops::{
    Call, Outcome, calls, customers, dns_fancy_records, dns_records, dns_zones, enum_numbers,
    enum_ranges, network as nodes, prepaid, rating as rating_profiles, sip_accounts, sip_aliases,
    sip_call_options, sip_domains, sip_phonebook, traces, trusted_peers,
};
use crate::ops::{carriers, gateway_rules, gateways, routes};
use ngn_model::Position;
use ngn_soap::fault::code;
use ngn_soap::{
    Operation, Request, Style, customer, dns, encode_reply, enum_, network, rating, sip, voicemail,
};

/// An encoded reply and, after a write, the journal position.
#[derive(Debug)]
pub struct Reply {
    /// The body.
    pub body: Vec<u8>,
    /// The position of the change in the journal.
    pub position: Option<Position>,
}

fn reply<O: Operation>(outcome: Outcome<O::Response>, style: Style) -> Result<Reply, OpError> {
    let (response, position) = outcome?;
    Ok(Reply { body: encode_reply::<O>(&response, style), position })
}

/// Serves a request.
///
/// # Errors
///
/// Why it was refused.
pub async fn dispatch(call: &Call<'_>, request: Request, style: Style) -> Result<Reply, OpError> {
    match request {
        Request::Sip(request) => sip(call, request, style).await,
        Request::Customer(request) => customer(call, request, style).await,
        Request::Voicemail(request) => voicemail(call, request, style).await,
        Request::Enum(request) => enum_(call, request, style).await,
        Request::Dns(request) => dns(call, request, style).await,
        Request::Rating(request) => {
            let reply = rating(call, request, style).await;
            reply.map_err(|error| error.unavailable(code::RATING_UNAVAILABLE))
        }
        Request::Network(request) => {
            let reply = network(call, request, style).await;
            reply.map_err(|error| error.unavailable(code::STATUS_UNAVAILABLE))
        }
    }
}

async fn sip(call: &Call<'_>, request: sip::Request, style: Style) -> Result<Reply, OpError> {
    use sip::Request as R;
    match request {
        R::AddDomain(r) => reply::<sip::AddDomain>(sip_domains::add(call, r).await, style),
        R::UpdateDomain(r) => reply::<sip::UpdateDomain>(sip_domains::update(call, r).await, style),
        R::DeleteDomain(r) => reply::<sip::DeleteDomain>(sip_domains::delete(call, r).await, style),
        R::GetDomains(r) => reply::<sip::GetDomains>(sip_domains::list(call, r).await, style),
        R::AddAccount(r) => reply::<sip::AddAccount>(sip_accounts::add(call, r).await, style),
        R::UpdateAccount(r) => {
            reply::<sip::UpdateAccount>(sip_accounts::update(call, r).await, style)
        }
        R::DeleteAccount(r) => {
            reply::<sip::DeleteAccount>(sip_accounts::delete(call, r).await, style)
        }
        R::GetAccount(r) => reply::<sip::GetAccount>(sip_accounts::get(call, r).await, style),
        R::GetAccounts(r) => reply::<sip::GetAccounts>(sip_accounts::list(call, r).await, style),
        R::AddAlias(r) => reply::<sip::AddAlias>(sip_aliases::add(call, r).await, style),
        R::UpdateAlias(r) => reply::<sip::UpdateAlias>(sip_aliases::update(call, r).await, style),
        R::DeleteAlias(r) => reply::<sip::DeleteAlias>(sip_aliases::delete(call, r).await, style),
        R::GetAlias(r) => reply::<sip::GetAlias>(sip_aliases::get(call, r).await, style),
        R::GetAliasesForAccount(r) => {
            reply::<sip::GetAliasesForAccount>(sip_aliases::of_account(call, r).await, style)
        }
        R::GetAliases(r) => reply::<sip::GetAliases>(sip_aliases::list(call, r).await, style),
        R::AddToGroup(r) => {
            reply::<sip::AddToGroup>(sip_accounts::add_to_group(call, r).await, style)
        }
        R::RemoveFromGroup(r) => {
            reply::<sip::RemoveFromGroup>(sip_accounts::remove_from_group(call, r).await, style)
        }
        R::GetSipTrace(r) => reply::<sip::GetSipTrace>(traces::sip_trace(call, r).await, style),
        R::GetMediaTrace(r) => {
            reply::<sip::GetMediaTrace>(traces::media_trace(call, r).await, style)
        }
        R::GetMediaSummary(_) => {
            reply::<sip::GetMediaSummary>(traces::media_summary(call).await, style)
        }
        R::GetMediaSessions(_) => {
            reply::<sip::GetMediaSessions>(traces::media_sessions(call).await, style)
        }
        R::GetGroups(r) => reply::<sip::GetGroups>(sip_accounts::get_groups(call, r).await, style),
        R::AddBalance(r) => reply::<sip::AddBalance>(prepaid::add_balance(call, r).await, style),
        R::AddBalanceFromVoucher(r) => reply::<sip::AddBalanceFromVoucher>(
            prepaid::add_balance_from_voucher(call, r).await,
            style,
        ),
        R::GetPrepaidStatus(r) => {
            reply::<sip::GetPrepaidStatus>(prepaid::status(call, r).await, style)
        }
        R::GetCalls(r) => reply::<sip::GetCalls>(calls::list(call, r).await, style),
        R::GetCallStatistics(r) => {
            reply::<sip::GetCallStatistics>(calls::statistics(call, r).await, style)
        }
        R::GetSipDeviceLocations(r) => {
            reply::<sip::GetSipDeviceLocations>(calls::locations(call, r).await, style)
        }
        R::GetCreditHistory(r) => {
            reply::<sip::GetCreditHistory>(prepaid::history(call, r).await, style)
        }
        R::AddGateway(r) => reply::<sip::AddGateway>(gateways::add(call, r).await, style),
        R::UpdateGateway(r) => reply::<sip::UpdateGateway>(gateways::update(call, r).await, style),
        R::DeleteGateway(r) => reply::<sip::DeleteGateway>(gateways::delete(call, r).await, style),
        R::GetGateways(r) => reply::<sip::GetGateways>(gateways::list(call, r).await, style),
        R::AddGatewayRule(r) => {
            reply::<sip::AddGatewayRule>(gateway_rules::add(call, r).await, style)
        }
        R::UpdateGatewayRule(r) => {
            reply::<sip::UpdateGatewayRule>(gateway_rules::update(call, r).await, style)
        }
        R::DeleteGatewayRule(r) => {
            reply::<sip::DeleteGatewayRule>(gateway_rules::delete(call, r).await, style)
        }
        R::GetGatewayRules(r) => {
            reply::<sip::GetGatewayRules>(gateway_rules::list(call, r).await, style)
        }
        R::AddCarrier(r) => reply::<sip::AddCarrier>(carriers::add(call, r).await, style),
        R::UpdateCarrier(r) => reply::<sip::UpdateCarrier>(carriers::update(call, r).await, style),
        R::DeleteCarrier(r) => reply::<sip::DeleteCarrier>(carriers::delete(call, r).await, style),
        R::GetCarriers(r) => reply::<sip::GetCarriers>(carriers::list(call, r).await, style),
        R::AddRoutes(r) => reply::<sip::AddRoutes>(routes::add(call, r).await, style),
        R::UpdateRoutes(r) => reply::<sip::UpdateRoutes>(routes::update(call, r).await, style),
        R::DeleteRoutes(r) => reply::<sip::DeleteRoutes>(routes::delete(call, r).await, style),
        R::GetRoutes(r) => reply::<sip::GetRoutes>(routes::list(call, r).await, style),
        R::AddTrustedPeer(r) => {
            reply::<sip::AddTrustedPeer>(trusted_peers::add(call, r).await, style)
        }
        R::UpdateTrustedPeer(r) => {
            reply::<sip::UpdateTrustedPeer>(trusted_peers::update(call, r).await, style)
        }
        R::DeleteTrustedPeer(r) => {
            reply::<sip::DeleteTrustedPeer>(trusted_peers::delete(call, r).await, style)
        }
        R::GetTrustedPeers(r) => {
            reply::<sip::GetTrustedPeers>(trusted_peers::list(call, r).await, style)
        }
        R::AddPhonebookEntry(r) => {
            reply::<sip::AddPhonebookEntry>(sip_phonebook::add(call, r).await, style)
        }
        R::UpdatePhonebookEntry(r) => {
            reply::<sip::UpdatePhonebookEntry>(sip_phonebook::update(call, r).await, style)
        }
        R::DeletePhonebookEntry(r) => {
            reply::<sip::DeletePhonebookEntry>(sip_phonebook::delete(call, r).await, style)
        }
        R::GetPhonebookEntries(r) => {
            reply::<sip::GetPhonebookEntries>(sip_phonebook::list(call, r).await, style)
        }
        R::SetRejectMembers(r) => reply::<sip::SetRejectMembers>(
            sip_call_options::set_reject_members(call, r).await,
            style,
        ),
        R::GetRejectMembers(r) => reply::<sip::GetRejectMembers>(
            sip_call_options::get_reject_members(call, r).await,
            style,
        ),
        R::SetAcceptRules(r) => {
            reply::<sip::SetAcceptRules>(sip_call_options::set_accept_rules(call, r).await, style)
        }
        R::GetAcceptRules(r) => {
            reply::<sip::GetAcceptRules>(sip_call_options::get_accept_rules(call, r).await, style)
        }
        R::SetBarringPrefixes(r) => reply::<sip::SetBarringPrefixes>(
            sip_call_options::set_barring_prefixes(call, r).await,
            style,
        ),
        R::GetBarringPrefixes(r) => reply::<sip::GetBarringPrefixes>(
            sip_call_options::get_barring_prefixes(call, r).await,
            style,
        ),
        R::SetCallDiversions(r) => {
            reply::<sip::SetCallDiversions>(sip_call_options::set_diversions(call, r).await, style)
        }
        R::GetCallDiversions(r) => {
            reply::<sip::GetCallDiversions>(sip_call_options::get_diversions(call, r).await, style)
        }
    }
}

async fn customer(
    call: &Call<'_>,
    request: customer::Request,
    style: Style,
) -> Result<Reply, OpError> {
    use customer::Request as R;
    match request {
        R::AddAccount(r) => reply::<customer::AddAccount>(customers::add(call, r).await, style),
        R::UpdateAccount(r) => {
            reply::<customer::UpdateAccount>(customers::update(call, r).await, style)
        }
        R::DeleteAccount(r) => {
            reply::<customer::DeleteAccount>(customers::delete(call, r).await, style)
        }
        R::GetAccount(r) => reply::<customer::GetAccount>(customers::get(call, r).await, style),
        R::GetCustomers(r) => {
            reply::<customer::GetCustomers>(customers::customers(call, r).await, style)
        }
        R::GetResellers(r) => {
            reply::<customer::GetResellers>(customers::resellers(call, r).await, style)
        }
        R::SetProperties(r) => {
            reply::<customer::SetProperties>(customers::set_properties(call, r).await, style)
        }
        R::GetProperties(r) => {
            reply::<customer::GetProperties>(customers::get_properties(call, r).await, style)
        }
    }
}

async fn voicemail(
    call: &Call<'_>,
    request: voicemail::Request,
    style: Style,
) -> Result<Reply, OpError> {
    use crate::ops::voicemail as mailboxes;
    use voicemail::Request as R;
    match request {
        R::AddAccount(r) => reply::<voicemail::AddAccount>(mailboxes::add(call, r).await, style),
        R::UpdateAccount(r) => {
            reply::<voicemail::UpdateAccount>(mailboxes::update(call, r).await, style)
        }
        R::DeleteAccount(r) => {
            reply::<voicemail::DeleteAccount>(mailboxes::delete(call, r).await, style)
        }
        R::GetAccount(r) => reply::<voicemail::GetAccount>(mailboxes::get(call, r).await, style),
        R::SetAnnouncement(r) => {
            reply::<voicemail::SetAnnouncement>(mailboxes::set_announcement(call, r).await, style)
        }
    }
}

async fn enum_(call: &Call<'_>, request: enum_::Request, style: Style) -> Result<Reply, OpError> {
    use enum_::Request as R;
    match request {
        R::AddRange(r) => reply::<enum_::AddRange>(enum_ranges::add(call, r).await, style),
        R::UpdateRange(r) => reply::<enum_::UpdateRange>(enum_ranges::update(call, r).await, style),
        R::DeleteRange(r) => reply::<enum_::DeleteRange>(enum_ranges::delete(call, r).await, style),
        R::GetRanges(r) => reply::<enum_::GetRanges>(enum_ranges::list(call, r).await, style),
        R::AddNumber(r) => reply::<enum_::AddNumber>(enum_numbers::add(call, r).await, style),
        R::UpdateNumber(r) => {
            reply::<enum_::UpdateNumber>(enum_numbers::update(call, r).await, style)
        }
        R::DeleteNumber(r) => {
            reply::<enum_::DeleteNumber>(enum_numbers::delete(call, r).await, style)
        }
        R::GetNumber(r) => reply::<enum_::GetNumber>(enum_numbers::get(call, r).await, style),
        R::GetNumbers(r) => reply::<enum_::GetNumbers>(enum_numbers::list(call, r).await, style),
    }
}

async fn dns(call: &Call<'_>, request: dns::Request, style: Style) -> Result<Reply, OpError> {
    use dns::Request as R;
    match request {
        R::AddZone(r) => reply::<dns::AddZone>(dns_zones::add(call, r).await, style),
        R::UpdateZone(r) => reply::<dns::UpdateZone>(dns_zones::update(call, r).await, style),
        R::DeleteZone(r) => reply::<dns::DeleteZone>(dns_zones::delete(call, r).await, style),
        R::GetZone(r) => reply::<dns::GetZone>(dns_zones::get(call, r).await, style),
        R::GetZones(r) => reply::<dns::GetZones>(dns_zones::list(call, r).await, style),
        R::AddRecord(r) => reply::<dns::AddRecord>(dns_records::add(call, r).await, style),
        R::UpdateRecord(r) => reply::<dns::UpdateRecord>(dns_records::update(call, r).await, style),
        R::DeleteRecord(r) => reply::<dns::DeleteRecord>(dns_records::delete(call, r).await, style),
        R::GetRecord(r) => reply::<dns::GetRecord>(dns_records::get(call, r).await, style),
        R::GetRecords(r) => reply::<dns::GetRecords>(dns_records::list(call, r).await, style),
        R::AddFancyRecord(r) => {
            reply::<dns::AddFancyRecord>(dns_fancy_records::add(call, r).await, style)
        }
        R::UpdateFancyRecord(r) => {
            reply::<dns::UpdateFancyRecord>(dns_fancy_records::update(call, r).await, style)
        }
        R::DeleteFancyRecord(r) => {
            reply::<dns::DeleteFancyRecord>(dns_fancy_records::delete(call, r).await, style)
        }
        R::GetFancyRecord(r) => {
            reply::<dns::GetFancyRecord>(dns_fancy_records::get(call, r).await, style)
        }
        R::GetFancyRecords(r) => {
            reply::<dns::GetFancyRecords>(dns_fancy_records::list(call, r).await, style)
        }
    }
}

async fn rating(call: &Call<'_>, request: rating::Request, style: Style) -> Result<Reply, OpError> {
    use rating::Request as R;
    match request {
        R::SetEntityProfiles(r) => {
            reply::<rating::SetEntityProfiles>(rating_profiles::set(call, r).await, style)
        }
        R::DeleteEntityProfiles(r) => {
            reply::<rating::DeleteEntityProfiles>(rating_profiles::delete(call, r).await, style)
        }
        R::GetEntityProfiles(r) => {
            reply::<rating::GetEntityProfiles>(rating_profiles::get(call, r).await, style)
        }
    }
}

async fn network(
    call: &Call<'_>,
    request: network::Request,
    style: Style,
) -> Result<Reply, OpError> {
    use network::Request as R;
    match request {
        R::GetStatistics(_) => {
            reply::<network::GetStatistics>(nodes::statistics(call).await, style)
        }
        R::GetStatus(_) => reply::<network::GetStatus>(nodes::status(call).await, style),
    }
}
