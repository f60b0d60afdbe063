//! SIP domains, accounts, aliases, and what belongs to an account (contract C2).

use super::{Property, SipId};
use crate::table::types;

types! {
    /// A SIP domain.
    struct SipDomain {
        /// Its name in lower case.
        domain: string key,
        /// The owning customer; the caller when absent.
        customer: integer,
        /// The owning reseller; the caller's when absent.
        reseller: integer,
        /// TLS certificate, PEM.
        certificate: string,
        /// TLS key, PEM.
        private_key: string secret,
        /// Addresses for which the TLS profile is chosen.
        match_ip_address: string,
        /// SIP domain for which the TLS profile is chosen.
        match_sip_domain: string,
        /// Whether a peer's certificate is verified.
        verify_cert: boolean,
        /// Whether a peer must show a certificate.
        require_cert: boolean,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// SIP domains and how many there are.
    struct SipDomains {
        /// This page.
        domains: [SipDomain],
        /// The matches on all pages.
        total: int,
    }

    /// A network from which an account may be used.
    struct SubscriberACL {
        /// The address.
        ip: string,
        /// Significant bits, 0 to 32.
        mask: int,
        /// What the entry is for.
        tag: string,
    }

    /// A SIP account.
    struct SipAccount {
        /// Its address; the username `<autoincrement>` asks for a generated one.
        id: SipId key,
        /// Clear text, or two MD5 digests `HA1:HA1B`.
        password: string secret,
        /// First name.
        first_name "firstName": string,
        /// Last name.
        last_name "lastName": string,
        /// E-mail address.
        email: string,
        /// Networks from which it may be used; anywhere when empty.
        acl: [SubscriberACL],
        /// Groups that it belongs to.
        groups: [string],
        /// Free properties.
        properties: [Property],
        /// Time zone by its name in the tz database.
        timezone: string,
        /// Caller identity towards the PSTN.
        rpid: string,
        /// Monthly limit in the rating currency; 0 for none.
        quota: int,
        /// Digits that mark a quick-dial number.
        quickdial_prefix "quickdialPrefix": string,
        /// Simultaneous PSTN calls; 0 or absent for the platform's default.
        call_limit "callLimit": int,
        /// Whether calls are paid in advance.
        prepaid: boolean,
        /// Emergency region.
        region: string,
        /// Seconds until a call counts as not answered.
        timeout: nonNegativeInteger,
        /// The owner.
        owner: integer,
        /// The owning customer, inherited from the domain.
        customer: integer,
        /// The owning reseller, inherited from the domain.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
        /// Creation, `YYYY-MM-DD hh:mm:ss`.
        create_date "createDate": string ro,
        /// MD5 of `user:realm:password` where no clear text is kept.
        ha1: string secret ro,
    }

    /// SIP accounts and how many there are.
    struct SipAccounts {
        /// This page.
        accounts: [SipAccount],
        /// The matches on all pages.
        total: int,
    }

    /// Another address of an account.
    struct SipAlias {
        /// The alias.
        id: SipId key,
        /// The address it stands for.
        target: SipId key,
        /// The owner.
        owner: integer,
        /// The owning customer.
        customer: integer,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }

    /// Aliases and how many there are.
    struct SipAliases {
        /// This page.
        aliases: [SipAlias],
        /// The matches on all pages.
        total: int,
    }

    /// Where calls go that do not reach the account: a SIP URI or a wildcard per condition (contract B80-B87).
    struct CallDiversions {
        /// Forward always.
        func "FUNC": string,
        /// Forward when not on line.
        fnol "FNOL": string,
        /// Forward when unavailable.
        funv "FUNV": string,
        /// Forward when there is no answer.
        fnoa "FNOA": string,
        /// Forward when busy.
        fbus "FBUS": string,
        /// Redirect always.
        runc "RUNC": string,
        /// Redirect when not on line.
        rnol "RNOL": string,
        /// Redirect when unavailable.
        runv "RUNV": string,
        /// Redirect when there is no answer.
        rnoa "RNOA": string,
        /// Redirect when busy.
        rbus "RBUS": string,
    }

    /// An entry of an account's phone book; also the pattern to search it with.
    struct PhonebookEntry {
        /// The contact's SIP URI in lower case: the key.
        uri: string,
        /// Display name.
        name: string,
        /// Group for accept rules.
        group: string,
        /// First name.
        first_name "firstName": string,
        /// Last name.
        last_name "lastName": string,
    }

    /// Phone-book entries and how many there are.
    struct PhonebookEntries {
        /// This page.
        entries: [PhonebookEntry],
        /// The matches on all pages.
        total: int,
    }

    /// A rule that holds at certain times of the week.
    struct AcceptRulePersistent {
        /// Days of the week as a bit mask.
        days: int,
        /// Start, `HH:MM`.
        start: string,
        /// End, `HH:MM`.
        stop: string,
        /// Phone-book groups whose calls are accepted.
        groups: [string],
    }

    /// A rule that holds for some time from now.
    struct AcceptRuleTemporary {
        /// Phone-book groups whose calls are accepted.
        groups: [string],
        /// Minutes; in a reply those that remain.
        duration: int,
    }

    /// Whose calls an account takes, and when.
    struct AcceptRules {
        /// By time of the week.
        persistent: [AcceptRulePersistent],
        /// From now on.
        temporary: AcceptRuleTemporary,
    }

    /// Accept rules with the groups that could be named in them.
    struct AcceptRulesInfo {
        /// The rules.
        rules: AcceptRules,
        /// Phone-book groups that have entries.
        non_empty_groups "nonEmptyGroups": [string],
    }

    /// A contact that an account has registered.
    struct SipDeviceLocation {
        /// Host of the Contact.
        address: string,
        /// Port of the Contact.
        port: int,
        /// Address that the request came from, when behind NAT.
        public_address "publicAddress": string,
        /// Port that the request came from, when behind NAT.
        public_port "publicPort": int,
        /// Seconds until it expires.
        expires: int,
        /// The device's User-Agent.
        user_agent "userAgent": string,
        /// Transport protocol.
        transport: string,
    }

    /// The contacts of one account.
    struct SipDeviceLocations {
        /// The account.
        id: SipId,
        /// Its contacts.
        locations: [SipDeviceLocation],
    }
}
