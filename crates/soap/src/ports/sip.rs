//! The Sip port (contract B1).

use crate::table::operations;
use crate::types::*;

operations! {
    Sip;

    /// Adds a gateway to a carrier.
    AddGateway "addGateway" { gateway: Gateway } -> Gateway;
    /// Changes a gateway.
    UpdateGateway "updateGateway" { gateway: Gateway } -> void;
    /// Deletes a gateway by id, or by name as older clients do.
    DeleteGateway "deleteGateway" { id: integer, name: string unlisted } -> void;
    /// Lists gateways.
    GetGateways "getGateways" { query: GatewayQuery } -> Gateways;
    /// Adds a rule to a gateway.
    AddGatewayRule "addGatewayRule" { rule: GatewayRule } -> GatewayRule;
    /// Changes a gateway rule.
    UpdateGatewayRule "updateGatewayRule" { rule: GatewayRule } -> void;
    /// Deletes a gateway rule.
    DeleteGatewayRule "deleteGatewayRule" { id: integer } -> void;
    /// Lists gateway rules.
    GetGatewayRules "getGatewayRules" { query: GatewayRuleQuery } -> GatewayRules;
    /// Adds a carrier.
    AddCarrier "addCarrier" { carrier: Carrier } -> Carrier;
    /// Changes a carrier.
    UpdateCarrier "updateCarrier" { carrier: Carrier } -> void;
    /// Deletes a carrier by id, or by name as older clients do.
    DeleteCarrier "deleteCarrier" { id: integer, name: string unlisted } -> void;
    /// Lists carriers.
    GetCarriers "getCarriers" { query: CarrierQuery } -> Carriers;
    /// Adds routes.
    AddRoutes "addRoutes" { routes: [Route] } -> void;
    /// Changes routes.
    UpdateRoutes "updateRoutes" { routes: [Route] } -> void;
    /// Deletes routes by their ids.
    DeleteRoutes "deleteRoutes" { routes: [Route] } -> void;
    /// Lists routes.
    GetRoutes "getRoutes" { query: RouteQuery } -> Routes;
    /// Adds a SIP domain.
    AddDomain "addDomain" { domain: SipDomain } -> SipDomain;
    /// Changes a SIP domain.
    UpdateDomain "updateDomain" { domain: SipDomain } -> void;
    /// Deletes a SIP domain.
    DeleteDomain "deleteDomain" { domain: string } -> void;
    /// Lists SIP domains.
    GetDomains "getDomains" { query: SipDomainQuery } -> SipDomains;
    /// Adds a trusted peer.
    AddTrustedPeer "addTrustedPeer" { peer: TrustedPeer } -> TrustedPeer;
    /// Deletes a trusted peer.
    DeleteTrustedPeer "deleteTrustedPeer" { ip: string } -> void;
    /// Changes a trusted peer.
    UpdateTrustedPeer "updateTrustedPeer" { peer: TrustedPeer } -> void;
    /// Lists trusted peers.
    GetTrustedPeers "getTrustedPeers" { query: TrustedPeerQuery } -> TrustedPeers;
    /// Adds a SIP account.
    AddAccount "addAccount" { account: SipAccount } -> SipAccount;
    /// Changes a SIP account.
    UpdateAccount "updateAccount" { account: SipAccount } -> void;
    /// Deletes a SIP account.
    DeleteAccount "deleteAccount" { sip_id "sipId": SipId } -> void;
    /// Returns a SIP account.
    GetAccount "getAccount" { sip_id "sipId": SipId } -> SipAccount;
    /// Lists SIP accounts.
    GetAccounts "getAccounts" { query: SipQuery } -> SipAccounts;
    /// Adds an alias.
    AddAlias "addAlias" { alias: SipAlias } -> SipAlias;
    /// Changes an alias.
    UpdateAlias "updateAlias" { alias: SipAlias } -> void;
    /// Deletes an alias.
    DeleteAlias "deleteAlias" { id: SipId } -> void;
    /// Returns an alias.
    GetAlias "getAlias" { id: SipId } -> SipAlias;
    /// Lists the aliases of one account.
    GetAliasesForAccount "getAliasesForAccount" { target: SipId } -> [SipAlias];
    /// Lists aliases.
    GetAliases "getAliases" { query: AliasQuery } -> SipAliases;
    /// Adds an account to a group.
    AddToGroup "addToGroup" { sip_id "sipId": SipId, group: string } -> void;
    /// Removes an account from a group.
    RemoveFromGroup "removeFromGroup" { sip_id "sipId": SipId, group: string } -> void;
    /// Lists the groups of an account.
    GetGroups "getGroups" { sip_id "sipId": SipId } -> [string];
    /// Adds to the balance of a prepaid account.
    AddBalance "addBalance" {
        sip_id "sipId": SipId,
        value: double,
        description: string,
    } -> BalanceChange;
    /// Adds the value of a voucher to the balance of a prepaid account.
    AddBalanceFromVoucher "addBalanceFromVoucher" {
        sip_id "sipId": SipId,
        card: PrepaidCard,
    } -> BalanceChange;
    /// Returns the balances of accounts, in the order of the request.
    GetPrepaidStatus "getPrepaidStatus" {
        sip_ids "sipIds": [SipId],
        sip_id "sipId": SipId unlisted,
    } -> [PrepaidStatus];
    /// Lists changes of a prepaid balance, newest first.
    GetCreditHistory "getCreditHistory" { sip_id "sipId": SipId, count: int } -> CreditHistory;
    /// Adds a phone-book entry.
    AddPhonebookEntry "addPhonebookEntry" { sip_id "sipId": SipId, entry: PhonebookEntry } -> void;
    /// Changes a phone-book entry.
    UpdatePhonebookEntry "updatePhonebookEntry" {
        sip_id "sipId": SipId,
        entry: PhonebookEntry,
    } -> void;
    /// Deletes a phone-book entry.
    DeletePhonebookEntry "deletePhonebookEntry" { sip_id "sipId": SipId, uri: string } -> void;
    /// Lists phone-book entries that match a pattern; `%` stands for anything.
    GetPhonebookEntries "getPhonebookEntries" {
        sip_id "sipId": SipId,
        r#match "match": PhonebookEntry,
        range: Range,
    } -> PhonebookEntries;
    /// Replaces the callers that an account rejects.
    SetRejectMembers "setRejectMembers" { sip_id "sipId": SipId, members: [string] } -> void;
    /// Lists the callers that an account rejects.
    GetRejectMembers "getRejectMembers" { sip_id "sipId": SipId } -> [string];
    /// Replaces the rules by which an account takes calls.
    SetAcceptRules "setAcceptRules" { sip_id "sipId": SipId, rules: AcceptRules } -> void;
    /// Returns the rules by which an account takes calls.
    GetAcceptRules "getAcceptRules" { sip_id "sipId": SipId } -> AcceptRulesInfo;
    /// Replaces the prefixes that an account may not call.
    SetBarringPrefixes "setBarringPrefixes" { sip_id "sipId": SipId, prefixes: [string] } -> void;
    /// Lists the prefixes that an account may not call.
    GetBarringPrefixes "getBarringPrefixes" { sip_id "sipId": SipId } -> [string];
    /// Replaces the diversions of an account.
    SetCallDiversions "setCallDiversions" {
        sip_id "sipId": SipId,
        diversions: CallDiversions,
    } -> void;
    /// Returns the diversions of an account.
    GetCallDiversions "getCallDiversions" { sip_id "sipId": SipId } -> CallDiversions;
    /// Lists the calls of an account.
    GetCalls "getCalls" { sip_id "sipId": SipId, query: CallsQuery } -> Calls;
    /// Sums over the calls of an account.
    GetCallStatistics "getCallStatistics" {
        sip_id "sipId": SipId,
        query: CallsQuery,
    } -> CallStatistics;
    /// Lists the registered contacts of accounts, in the order of the request.
    GetSipDeviceLocations "getSipDeviceLocations" {
        sip_ids "sipIds": [SipId],
    } -> [SipDeviceLocations];
    /// Returns the SIP messages of a call, as JSON.
    GetSipTrace "getSipTrace" { filter: SipTraceFilter } -> string;
    /// Returns the media streams of a call, as JSON.
    GetMediaTrace "getMediaTrace" { filter: MediaTraceFilter } -> string;
    /// Returns the media relays, as JSON.
    GetMediaSummary "getMediaSummary" {} -> string;
    /// Returns the media sessions in progress, as JSON.
    GetMediaSessions "getMediaSessions" {} -> string;
}
