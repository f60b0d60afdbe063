//! What a decision about a call may depend on, all of it: gathered before, looked at only here.

use crate::emergency::EmergencyTable;
use crate::number::NumberPlan;
use crate::pstn::Pstn;
use ngn_model::call_plan::{FailoverCodes, Payer};
use ngn_model::{Account, Amount, Aor, Binding, CustomerId, DomainName, TrustedPeer};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

/// All that may matter to one request that begins a call (or any other dialog or transaction).
#[derive(Debug, Clone, Copy)]
pub struct CallFacts<'a> {
    /// What it is about.
    pub purpose: Purpose,
    /// Who calls.
    pub caller: Caller<'a>,
    /// Who is called: what the first of [`crate::dial::usernames`] that exists leads to.
    pub callee: Callee<'a>,
    /// The user part of the Request-URI or the number of a tel URI, unescaped and without parameters, as it came;
    /// a service URN (RFC 5031) as a whole; empty when there is none.
    pub dialled: &'a str,
    /// The domain of ours that is called; `None` when it is not ours, or an address of the server.
    pub domain: Option<&'a DomainName>,
    /// The URI of the request's From, without parameters of the header field.
    pub from: &'a str,
    /// Whether the caller asks not to be shown (RFC 3323: Privacy with `id`, `header` or `user`).
    pub wants_privacy: bool,
    /// What else the request says about privacy and diversions.
    pub asks: Asks,
    /// Whom diversions, ENUM answers and emergency mappings may lead to, from the callee on; what is not there leads
    /// nowhere.
    pub diverted: &'a [Diverted<'a>],
    /// What ENUM says about the numbers of [`crate::enum_questions`].
    pub enum_answers: &'a [EnumAnswer<'a>],
    /// Carriers, gateways, rules and routes.
    pub pstn: &'a Pstn,
    /// The ids of gateways that are known not to answer.
    pub down: &'a HashSet<i64>,
    /// Where emergency calls go.
    pub emergency: &'a EmergencyTable,
    /// What those who may have to pay have used; who is not there has used nothing and, paying in advance, has nothing.
    pub usage: &'a [Usage],
    /// A number that is different for each call, by which gateways share the load.
    pub seed: u64,
    /// The address that the request came from.
    pub source: IpAddr,
    /// The port that it came from as a datagram; `None` when it came over a connection, whose port says nothing.
    pub source_port: Option<u16>,
    /// The time, in milliseconds since 1970 UTC.
    pub now: i64,
    /// The platform's settings.
    pub settings: &'a Settings,
}

/// What a request says about privacy and diversions, beside whether its caller wants to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asks {
    /// Privacy with `header` or `user` (RFC 3323 section 4.2).
    pub header_privacy: bool,
    /// Privacy with `critical`: the request is to fail where its privacy cannot be kept.
    pub is_critical: bool,
    /// How many diversions it came through elsewhere, as far as it tells (RFC 5806).
    pub diversions_before: usize,
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Purpose {
    /// A call.
    #[default]
    Call,
    /// Anything else that goes where a call goes, such as a message or a subscription to somebody's presence; diversions are of
    /// calls (B80), so it goes to the account's phones or nowhere.
    Other,
    /// To be told about the messages in a mailbox: SUBSCRIBE with the event `message-summary` (RFC 3842).
    WatchMailbox,
    /// To tell about them: NOTIFY with that event, outside of a dialog.
    MailboxChanged,
}

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// An account of ours that answered the digest challenge.
    Account(&'a Account),
    /// An account of ours according to From, without proof. It may make emergency calls and nothing else (B165).
    Claimed(&'a Account),
    /// A trunk: an address that needs no credentials (B145), found by [`crate::trunk::find`].
    Peer(&'a TrustedPeer),
    /// Somebody whose From is not in a domain of ours and who proved nothing.
    Stranger,
}

/// Who is called.
#[derive(Debug, Clone, Copy)]
pub enum Callee<'a> {
    /// An account of ours with its bindings, expired ones included.
    Account {
        /// The account.
        account: &'a Account,
        /// The alias by which it was called, if any.
        alias: Option<&'a Aor>,
        /// What is registered.
        bindings: &'a [Binding],
    },
    /// The domain is ours; no account or alias has the user name. It may be a telephone number.
    Unknown {
        /// The address that was called.
        address: &'a str,
    },
    /// The domain is not ours.
    Foreign {
        /// The Request-URI as it came.
        uri: &'a str,
    },
}

/// Somebody a diversion, an ENUM answer or an emergency mapping leads to.
#[derive(Debug, Clone, Copy)]
pub struct Diverted<'a> {
    /// The URI, one of [`crate::diversion::targets`], [`crate::emergency::targets`] or of an ENUM answer.
    pub uri: &'a str,
    /// Who that is.
    pub callee: Callee<'a>,
}

/// What ENUM says about a number: in zones of ours or in other trees.
#[derive(Debug, Clone, Copy)]
pub struct EnumAnswer<'a> {
    /// The number, digits with country code, without `+`.
    pub number: &'a str,
    /// The SIP URIs that it leads to, best first; empty when there are none. Who they are stands in
    /// [`CallFacts::diverted`].
    pub uris: &'a [String],
}

/// What somebody who pays for calls has used of what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Who: an account, or a trusted peer by its key.
    pub payer: Payer,
    /// Calls at this moment: for an account those to the PSTN (B76), for a trusted peer all of them.
    pub calls: u32,
    /// What is left of what was paid in advance; `None` when nothing was ever paid.
    pub balance: Option<Amount>,
}

/// Platform-wide settings that calls depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a callee rings who has set no time of its own (B56).
    pub default_answer_timeout: Duration,
    /// How long a called number rings; networks play their own announcements.
    pub gateway_answer_timeout: Duration,
    /// Host and port of the voicemail server; without it diversions to mailboxes lead nowhere (B85).
    pub voicemail_server: Option<String>,
    /// Voicemail servers of resellers, before the platform's (B89).
    pub reseller_voicemail: HashMap<CustomerId, String>,
    /// What is dialled to listen to one's messages (B156).
    pub voicemail_numbers: Vec<String>,
    /// How numbers are dialled where a domain says nothing else.
    pub numbers: NumberPlan,
    /// How numbers are dialled in some domains.
    pub domain_numbers: HashMap<DomainName, NumberPlan>,
    /// Simultaneous calls to the PSTN of an account that has no limit of its own (B76); 0 for no limit.
    pub default_call_limit: u32,
    /// How the gateways of one carrier are used.
    pub gateway_order: GatewayOrder,
    /// The responses after which another gateway is tried.
    pub failover: FailoverCodes,
}

/// How the gateways of one carrier are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GatewayOrder {
    /// Each gets the same share of the calls; the others take over.
    #[default]
    Shared,
    /// Always the first that is up, by id.
    InOrder,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_answer_timeout: Duration::from_secs(35),
            gateway_answer_timeout: Duration::from_secs(120),
            voicemail_server: None,
            reseller_voicemail: HashMap::new(),
            voicemail_numbers: vec!["*70".to_owned()],
            numbers: NumberPlan::default(),
            domain_numbers: HashMap::new(),
            default_call_limit: 0,
            gateway_order: GatewayOrder::default(),
            failover: FailoverCodes::default(),
        }
    }
}

impl Settings {
    /// How numbers are dialled in a domain.
    #[must_use]
    pub fn numbers_of(&self, domain: Option<&DomainName>) -> &NumberPlan {
        domain.and_then(|domain| self.domain_numbers.get(domain)).unwrap_or(&self.numbers)
    }

    /// The voicemail server for accounts of a reseller (B89).
    #[must_use]
    pub fn voicemail_of(&self, reseller: CustomerId) -> Option<&str> {
        self.reseller_voicemail
            .get(&reseller)
            .or(self.voicemail_server.as_ref())
            .map(String::as_str)
    }
}
