//! Queries of the list operations (contract C1). How they match: contract B40-B47.

use super::{OrderBy, Range};
use crate::table::queries;

/// A query of a list operation.
pub trait Query {
    /// What it selects by.
    type Filter;

    /// Filter, order and page.
    fn parts(self) -> (Option<Self::Filter>, Option<OrderBy>, Option<Range>);
}

queries! {
    /// Selects SIP domains; sorts by changeDate or domain.
    SipDomainQuery SipDomainFilter "SipDomainOrderBy" {
        /// Domain name.
        domain: string,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects SIP accounts; sorts by changeDate, username or domain.
    SipQuery SipFilter "SipOrderBy" {
        /// User part.
        username: string,
        /// Domain.
        domain: string,
        /// First name.
        first_name "firstName": string,
        /// Last name.
        last_name "lastName": string,
        /// E-mail address.
        email: string,
        /// Owner.
        owner: integer,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
        /// Groups that the account belongs to; empty names are ignored.
        groups: [string],
    }

    /// Selects SIP aliases; sorts by changeDate, aliasUsername, aliasDomain, targetUsername or targetDomain.
    AliasQuery AliasFilter "AliasOrderBy" {
        /// User part of the alias.
        alias_username "aliasUsername": string,
        /// Domain of the alias.
        alias_domain "aliasDomain": string,
        /// User part of the target.
        target_username "targetUsername": string,
        /// Domain of the target.
        target_domain "targetDomain": string,
        /// Owner.
        owner: integer,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects trusted peers; sorts by changeDate, description or ip.
    TrustedPeerQuery TrustedPeerFilter "TrustedPeerOrderBy" {
        /// Address.
        ip: string,
        /// Description.
        description: string,
        /// Teams tenant.
        tenant: string,
        /// Tags.
        tags: string,
        /// Billing identifier.
        billing_id "billingId": string,
        /// Microsoft Teams peers only.
        msteams: boolean,
        /// Whether the peer is blocked.
        blocked: int,
        /// Transport protocol.
        protocol: string,
        /// Tag.
        tag: string,
        /// Owner.
        owner: integer,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects carriers; sorts by changeDate or name.
    CarrierQuery CarrierFilter "CarrierOrderBy" {
        /// Identifier.
        id: integer,
        /// Name.
        name: string,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects gateways; sorts by changeDate, name, carrier_id or ip.
    GatewayQuery GatewayFilter "GatewayOrderBy" {
        /// Identifier.
        id: integer,
        /// Name.
        name: string,
        /// The gateway's carrier.
        carrier_id: integer,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects gateway rules; sorts by changeDate, gateway, carrier or prefix.
    GatewayRuleQuery GatewayRuleFilter "GatewayRuleOrderBy" {
        /// Identifier.
        id: integer,
        /// The rule's gateway.
        gateway_id: integer,
        /// The carrier of the rule's gateway.
        carrier_id: integer,
        /// Number prefix.
        prefix: string,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects routes; sorts by prefix, priority, changeDate or carrier.
    RouteQuery RouteFilter "RouteOrderBy" {
        /// Identifier.
        id: integer,
        /// Number prefix.
        prefix: string,
        /// The route's carrier.
        carrier_id: integer,
        /// Owning reseller.
        reseller: integer,
        /// Priority.
        priority: int,
        /// Originator.
        originator: string,
    }

    /// Selects ENUM ranges; sorts by changeDate, prefix or tld.
    EnumRangeQuery EnumRangeFilter "EnumRangeOrderBy" {
        /// Number prefix.
        prefix: string,
        /// Top level domain.
        tld: string,
        /// Free text.
        info: string,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects ENUM numbers; sorts by changeDate, number or tld.
    EnumNumberQuery EnumNumberFilter "EnumNumberOrderBy" {
        /// The number.
        number: string,
        /// Top level domain.
        tld: string,
        /// Type of a mapping.
        r#type "type": string,
        /// Target of a mapping.
        mapto: string,
        /// Owner.
        owner: integer,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects DNS zones; sorts by changeDate or name.
    DnsZoneQuery DnsZoneFilter "DnsZoneOrderBy" {
        /// The zone's name.
        name: string,
        /// Free text.
        info: string,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects DNS records; sorts by changeDate, type or name.
    DnsRecordQuery DnsRecordFilter "DnsRecordOrderBy" {
        /// Identifier.
        id: integer,
        /// The record's zone.
        zone: string,
        /// Owner name.
        name: string,
        /// Type.
        r#type "type": string,
        /// Value.
        value: string,
        /// Owner.
        owner: integer,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects fancy DNS records; sorts by changeDate, type or name.
    DnsFancyRecordQuery DnsFancyRecordFilter "DnsFancyRecordOrderBy" {
        /// Identifier.
        id: integer,
        /// The record's zone.
        zone: string,
        /// Owner name.
        name: string,
        /// Type.
        r#type "type": string,
        /// Value.
        value: string,
        /// Owner.
        owner: integer,
        /// Owning customer.
        customer: integer,
        /// Owning reseller.
        reseller: integer,
    }

    /// Selects customers or resellers; sorts by changeDate, username, firstName, lastName, organization or customer (the id).
    CustomerQuery CustomerFilter "CustomerOrderBy" {
        /// Login name.
        username: string,
        /// First name.
        first_name "firstName": string,
        /// Last name.
        last_name "lastName": string,
        /// Organization.
        organization: string,
        /// Telephone number.
        tel: string,
        /// E-mail address.
        email: string,
        /// Web address.
        web: string,
        /// City.
        city: string,
        /// Country.
        country: string,
        /// Resellers only.
        only_resellers: string,
        /// The customer's identifier.
        customer: integer,
        /// The customer's reseller.
        reseller: integer,
    }
}
