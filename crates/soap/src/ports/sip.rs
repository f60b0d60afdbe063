//! The Sip port (contract B1).

use crate::table::operations;
use crate::types::*;

operations! {
    Sip;

    /// Adds a gateway to a carrier.
    AddGateway "addGateway" { gateway: Gateway } -> Gateway
        faults [1070 1074 5003 8003 9001]
        rules [B17 B18 B21 B130 B134 B136];
    /// Changes a gateway.
    UpdateGateway "updateGateway" { gateway: Gateway } -> void
        faults [1070 1073 1074 8001 8003 9001]
        rules [B10 B17 B18 B134 B136 B139];
    /// Deletes a gateway by id, or by name as older clients do.
    DeleteGateway "deleteGateway" { id: integer, name: string unlisted } -> void
        faults [1073 8001 8003 9001]
        rules [B10 B18 B137 B139];
    /// Lists gateways.
    GetGateways "getGateways" { query: GatewayQuery } -> Gateways
        faults [8003]
        rules [B11 B12 B17 B18 B40 B41 B44 B45 B46 B136];
    /// Adds a rule to a gateway.
    AddGatewayRule "addGatewayRule" { rule: GatewayRule } -> GatewayRule
        faults [1073 1077 5003 8003 9001]
        rules [B17 B18 B21 B130 B131 B135 B136];
    /// Changes a gateway rule.
    UpdateGatewayRule "updateGatewayRule" { rule: GatewayRule } -> void
        faults [1073 1076 1077 8001 8003 9001]
        rules [B10 B17 B18 B131 B135 B136 B139];
    /// Deletes a gateway rule.
    DeleteGatewayRule "deleteGatewayRule" { id: integer } -> void
        faults [1076 8001 8003 9001]
        rules [B10 B18 B139];
    /// Lists gateway rules.
    GetGatewayRules "getGatewayRules" { query: GatewayRuleQuery } -> GatewayRules
        faults [8003]
        rules [B11 B12 B17 B18 B40 B41 B44 B45 B46 B136];
    /// Adds a carrier.
    AddCarrier "addCarrier" { carrier: Carrier } -> Carrier
        faults [1071 5000 5003 8003 9001]
        rules [B9 B18 B21 B130];
    /// Changes a carrier.
    UpdateCarrier "updateCarrier" { carrier: Carrier } -> void
        faults [1070 1071 5000 8001 8003 9001]
        rules [B9 B10 B17 B18 B139];
    /// Deletes a carrier by id, or by name as older clients do.
    DeleteCarrier "deleteCarrier" { id: integer, name: string unlisted } -> void
        faults [1070 1072 8001 8003 9001]
        rules [B10 B18 B137 B139];
    /// Lists carriers.
    GetCarriers "getCarriers" { query: CarrierQuery } -> Carriers
        faults [8003]
        rules [B11 B12 B18 B40 B41 B44 B45 B46];
    /// Adds routes.
    AddRoutes "addRoutes" { routes: [Route] } -> void
        faults [1070 1079 5003 8003 9001]
        rules [B17 B18 B21 B130 B131 B132 B133 B138];
    /// Changes routes.
    UpdateRoutes "updateRoutes" { routes: [Route] } -> void
        faults [1070 1078 1079 8001 8003 9001]
        rules [B10 B17 B18 B131 B132 B136 B138 B139];
    /// Deletes routes by their ids.
    DeleteRoutes "deleteRoutes" { routes: [Route] } -> void
        faults [1078 8001 8003 9001]
        rules [B10 B18 B138 B139];
    /// Lists routes.
    GetRoutes "getRoutes" { query: RouteQuery } -> Routes
        faults [8003]
        rules [B11 B12 B17 B18 B40 B41 B44 B45 B46 B136];
    /// Adds a SIP domain.
    AddDomain "addDomain" { domain: SipDomain } -> SipDomain
        faults [1001 1012 5000 5003 9001]
        rules [B9 B14 B21 B50 B51];
    /// Changes a SIP domain.
    UpdateDomain "updateDomain" { domain: SipDomain } -> void
        faults [1000 1012 5000 9001]
        rules [B9 B10 B15 B50 B51];
    /// Deletes a SIP domain.
    DeleteDomain "deleteDomain" { domain: string } -> void
        faults [1000 1002 1012 9001]
        rules [B10 B52];
    /// Lists SIP domains.
    GetDomains "getDomains" { query: SipDomainQuery } -> SipDomains
        faults []
        rules [B11 B12 B40 B41 B44 B45 B46];
    /// Adds a trusted peer.
    AddTrustedPeer "addTrustedPeer" { peer: TrustedPeer } -> TrustedPeer
        faults [1051 5000 5003 8003 9001]
        rules [B9 B13 B18 B21 B145 B147 B148];
    /// Deletes a trusted peer.
    DeleteTrustedPeer "deleteTrustedPeer" { ip: string } -> void
        faults [1050 8003 9001]
        rules [B10 B18 B145];
    /// Changes a trusted peer.
    UpdateTrustedPeer "updateTrustedPeer" { peer: TrustedPeer } -> void
        faults [1050 5000 8003 9001]
        rules [B9 B10 B13 B18 B145 B146 B147 B148];
    /// Lists trusted peers.
    GetTrustedPeers "getTrustedPeers" { query: TrustedPeerQuery } -> TrustedPeers
        faults [8003]
        rules [B11 B12 B18 B40 B41 B43 B44 B45 B46 B148];
    /// Adds a SIP account.
    AddAccount "addAccount" { account: SipAccount } -> SipAccount
        faults [1000 1011 1012 1032 5003 8002 8005 9001]
        rules [B13 B15 B21 B36 B37 B38 B50 B53 B54 B55 B56 B60 B61 B62 B64 B66 B67 B68 B70 B71
            B72 B75 B76 B77 B78];
    /// Changes a SIP account.
    UpdateAccount "updateAccount" { account: SipAccount } -> void
        faults [1010 1012 1032 8005 9001]
        rules [B10 B13 B15 B55 B56 B58 B59 B60 B61 B62 B63 B64 B66 B67 B68 B70 B71 B72 B73 B75
            B76 B77 B78];
    /// Deletes a SIP account.
    DeleteAccount "deleteAccount" { sip_id "sipId": SipId } -> void
        faults [1010 1012 9001]
        rules [B10 B57 B159];
    /// Returns a SIP account.
    GetAccount "getAccount" { sip_id "sipId": SipId } -> SipAccount
        faults [1010 1012 9001]
        rules [B11 B15 B19 B62 B63 B67];
    /// Lists SIP accounts.
    GetAccounts "getAccounts" { query: SipQuery } -> SipAccounts
        faults []
        rules [B11 B12 B15 B19 B40 B41 B42 B44 B45 B46 B67];
    /// Adds an alias.
    AddAlias "addAlias" { alias: SipAlias } -> SipAlias
        faults [1000 1010 1012 1021 1022 5003 8002 9001]
        rules [B13 B15 B16 B21 B36 B37 B38 B50 B53 B79];
    /// Changes an alias.
    UpdateAlias "updateAlias" { alias: SipAlias } -> void
        faults [1010 1012 1020 9001]
        rules [B10 B13 B16 B79];
    /// Deletes an alias.
    DeleteAlias "deleteAlias" { id: SipId } -> void
        faults [1012 1020 9001]
        rules [B10 B16 B79];
    /// Returns an alias.
    GetAlias "getAlias" { id: SipId } -> SipAlias
        faults [1012 1020 9001]
        rules [B11 B16];
    /// Lists the aliases of one account.
    GetAliasesForAccount "getAliasesForAccount" { target: SipId } -> [SipAlias]
        faults [1010 1012 9001]
        rules [B11 B16 B79];
    /// Lists aliases.
    GetAliases "getAliases" { query: AliasQuery } -> SipAliases
        faults []
        rules [B11 B12 B16 B40 B41 B44 B45 B46 B79];
    /// Adds an account to a group.
    AddToGroup "addToGroup" { sip_id "sipId": SipId, group: string } -> void
        faults [1010 1012 1030 1032 8005 9001]
        rules [B10 B66 B67 B69 B72];
    /// Removes an account from a group.
    RemoveFromGroup "removeFromGroup" { sip_id "sipId": SipId, group: string } -> void
        faults [1010 1012 1031 1032 9001]
        rules [B10 B66 B67 B69];
    /// Lists the groups of an account.
    GetGroups "getGroups" { sip_id "sipId": SipId } -> [string]
        faults [1010 1012 9001]
        rules [B11 B67];
    /// Adds to the balance of a prepaid account.
    AddBalance "addBalance" {
        sip_id "sipId": SipId,
        value: double,
        description: string,
    } -> BalanceChange
        faults [1010 1012 1080 8005 9001]
        rules [B10 B71 B73 B161 B163 B192];
    /// Adds the value of a voucher to the balance of a prepaid account.
    AddBalanceFromVoucher "addBalanceFromVoucher" {
        sip_id "sipId": SipId,
        card: PrepaidCard,
    } -> BalanceChange
        faults [1010 1012 1080 1081 1082 1083 9001]
        rules [B10 B71 B162 B163];
    /// Returns the balances of accounts, in the order of the request.
    GetPrepaidStatus "getPrepaidStatus" {
        sip_ids "sipIds": [SipId],
        sip_id "sipId": SipId unlisted,
    } -> [PrepaidStatus]
        faults [9001]
        rules [B11 B71];
    /// Lists changes of a prepaid balance, newest first.
    GetCreditHistory "getCreditHistory" { sip_id "sipId": SipId, count: int } -> CreditHistory
        faults [1010 1012 9001]
        rules [B11 B163 B164];
    /// Adds a phone-book entry.
    AddPhonebookEntry "addPhonebookEntry" { sip_id "sipId": SipId, entry: PhonebookEntry } -> void
        faults [1010 1012 1041 9001]
        rules [B10 B98];
    /// Changes a phone-book entry.
    UpdatePhonebookEntry "updatePhonebookEntry" {
        sip_id "sipId": SipId,
        entry: PhonebookEntry,
    } -> void
        faults [1010 1012 1040 9001]
        rules [B10 B98];
    /// Deletes a phone-book entry.
    DeletePhonebookEntry "deletePhonebookEntry" { sip_id "sipId": SipId, uri: string } -> void
        faults [1010 1012 1040 9001]
        rules [B10 B98];
    /// Lists phone-book entries that match a pattern; `%` stands for anything.
    GetPhonebookEntries "getPhonebookEntries" {
        sip_id "sipId": SipId,
        r#match "match": PhonebookEntry,
        range: Range,
    } -> PhonebookEntries
        faults [1010 1012 9001]
        rules [B11 B41 B45 B99];
    /// Replaces the callers that an account rejects.
    SetRejectMembers "setRejectMembers" { sip_id "sipId": SipId, members: [string] } -> void
        faults [1010 1012 9001]
        rules [B10 B97];
    /// Lists the callers that an account rejects.
    GetRejectMembers "getRejectMembers" { sip_id "sipId": SipId } -> [string]
        faults [1010 1012 9001]
        rules [B11 B97];
    /// Replaces the rules by which an account takes calls.
    SetAcceptRules "setAcceptRules" { sip_id "sipId": SipId, rules: AcceptRules } -> void
        faults [1010 1012 9001]
        rules [B10 B90 B91 B93 B94];
    /// Returns the rules by which an account takes calls.
    GetAcceptRules "getAcceptRules" { sip_id "sipId": SipId } -> AcceptRulesInfo
        faults [1010 1012 9001]
        rules [B11 B92];
    /// Replaces the prefixes that an account may not call.
    SetBarringPrefixes "setBarringPrefixes" { sip_id "sipId": SipId, prefixes: [string] } -> void
        faults [1010 1012 9001]
        rules [B10 B96];
    /// Lists the prefixes that an account may not call.
    GetBarringPrefixes "getBarringPrefixes" { sip_id "sipId": SipId } -> [string]
        faults [1010 1012 9001]
        rules [B11 B96];
    /// Replaces the diversions of an account.
    SetCallDiversions "setCallDiversions" {
        sip_id "sipId": SipId,
        diversions: CallDiversions,
    } -> void
        faults [1010 1012 9001]
        rules [B10 B80 B83 B84 B85 B86 B87];
    /// Returns the diversions of an account.
    GetCallDiversions "getCallDiversions" { sip_id "sipId": SipId } -> CallDiversions
        faults [1010 1012 9001]
        rules [B11 B83 B85];
    /// Lists the calls of an account.
    GetCalls "getCalls" { sip_id "sipId": SipId, query: CallsQuery } -> Calls
        faults [1010 1012 9001]
        rules [B11 B166];
    /// Sums over the calls of an account.
    GetCallStatistics "getCallStatistics" {
        sip_id "sipId": SipId,
        query: CallsQuery,
    } -> CallStatistics
        faults [1010 1012 9001]
        rules [B11 B167];
    /// Lists the registered contacts of accounts, in the order of the request.
    GetSipDeviceLocations "getSipDeviceLocations" {
        sip_ids "sipIds": [SipId],
    } -> [SipDeviceLocations]
        faults [9001]
        rules [B11 B168];
    /// Returns the SIP messages of a call, as JSON.
    GetSipTrace "getSipTrace" { filter: SipTraceFilter } -> string
        faults [1060 8003 9001]
        rules [B169 B170];
    /// Returns the media streams of a call, as JSON.
    GetMediaTrace "getMediaTrace" { filter: MediaTraceFilter } -> string
        faults [1060 8003 9001]
        rules [B169 B170];
    /// Returns the media relays, as JSON.
    GetMediaSummary "getMediaSummary" {} -> string
        faults [8003]
        rules [B169 B170];
    /// Returns the media sessions in progress, as JSON.
    GetMediaSessions "getMediaSessions" {} -> string
        faults [8003]
        rules [B169 B170];
}
