//! Trusted peers and least-cost routing (contract C2).

use crate::table::{enumerations, types};

enumerations! {
    /// The transport over which a trusted peer is trusted.
    enum TrustedPeerProtocol {
        /// Over every transport.
        Any = "any",
        /// Over UDP.
        Udp = "udp",
        /// Over TCP.
        Tcp = "tcp",
        /// Over TLS.
        Tls = "tls",
    }
}

types! {
    /// An address whose calls are accepted without credentials.
    struct TrustedPeer {
        /// The address: the key.
        ip: string key,
        /// Transport protocol; any when absent.
        protocol: TrustedPeerProtocol,
        /// Tag.
        tag: string,
        /// Description.
        description: string,
        /// Simultaneous calls; 0 for no limit.
        call_limit "callLimit": int,
        /// Whether it is a Microsoft Teams peer.
        msteams: boolean,
        /// Teams tenant.
        tenant: string,
        /// Teams authentication token.
        auth_token "authToken": string secret,
        /// Whether its calls are paid in advance.
        prepaid: boolean,
        /// 0 when it is not blocked.
        blocked: int,
        /// Whether its calls are looked up in ENUM; true when absent.
        enum_lookup "enumLookup": boolean,
        /// Whether it may reach foreign domains through us.
        transit: boolean,
        /// The PSTN carrier to use for its calls.
        carrier_name "carrierName": string,
        /// Chooses the routes of that originator.
        originator: string,
        /// Billing identifier.
        billing_id "billingId": string,
        /// Tags, to search by.
        tags: string,
        /// Digits to strip from the called number.
        strip: int,
        /// Digits to put before the called number.
        prefix: string,
        /// The owner.
        owner: integer,
        /// The owning customer.
        customer: integer,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// Trusted peers and how many there are.
    struct TrustedPeers {
        /// This page.
        peers: [TrustedPeer],
        /// The matches on all pages.
        total: int,
    }

    /// A PSTN carrier: a set of gateways.
    struct Carrier {
        /// Its identifier.
        id: integer ro,
        /// Its name.
        name: string,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// Carriers and how many there are.
    struct Carriers {
        /// This page.
        carriers: [Carrier],
        /// The matches on all pages.
        total: int,
    }

    /// A gateway to the PSTN.
    struct Gateway {
        /// Its identifier.
        id: integer ro,
        /// Its name.
        name: string,
        /// Its carrier.
        carrier_id: integer,
        /// Its carrier's name.
        carrier: string ro,
        /// Transport protocol.
        transport: string,
        /// Address or host name.
        ip: string,
        /// Port; 5060 when absent.
        port: int,
        /// The owning reseller.
        reseller: integer ro,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// Gateways and how many there are.
    struct Gateways {
        /// This page.
        gateways: [Gateway],
        /// The matches on all pages.
        total: int,
    }

    /// How numbers are rewritten for a gateway.
    struct GatewayRule {
        /// Its identifier.
        id: integer ro,
        /// Its gateway.
        gateway_id: integer,
        /// Its gateway's name.
        gateway: string ro,
        /// The carrier of its gateway.
        carrier_id: integer ro,
        /// That carrier's name.
        carrier: string ro,
        /// Applies to numbers that start so.
        prefix: string,
        /// Digits to strip.
        strip: int,
        /// Digits to put before.
        prepend: string,
        /// Applies to numbers of at least so many digits.
        min_length "minLength": int,
        /// Applies to numbers of at most so many digits.
        max_length "maxLength": int,
        /// The owning reseller.
        reseller: integer ro,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// Gateway rules and how many there are.
    struct GatewayRules {
        /// This page.
        gateway_rules: [GatewayRule],
        /// The matches on all pages.
        total: int,
    }

    /// Which carrier takes numbers of a prefix.
    struct Route {
        /// Its identifier.
        id: integer ro,
        /// Its carrier.
        carrier_id: integer,
        /// Its carrier's name.
        carrier: string ro,
        /// Number prefix; empty for all.
        prefix: string,
        /// Applies to peers of that originator only.
        originator: string,
        /// Routes of one prefix are tried in this order.
        priority: int,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// Routes and how many there are.
    struct Routes {
        /// This page.
        routes: [Route],
        /// The matches on all pages.
        total: int,
    }
}
