//! A platform in memory, and the facts of a call in it, gathered as a SIP server does.

use crate::facts::{
    Asks, CallFacts, Callee, Caller, Diverted, EnumAnswer, Purpose, Settings, Usage,
};
use crate::legs::user_and_host;
use crate::{EmergencyTable, Pstn, dial, diversion, emergency, plan};
use ngn_model::{Account, Aor, Binding, DomainName, Plan, TrustedPeer};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

/// How many targets of diversions are looked at for one call.
const MOST_TARGETS: usize = 64;

/// A platform.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The domains that are served.
    pub domains: BTreeSet<DomainName>,
    /// The accounts, by address.
    pub accounts: BTreeMap<Aor, Subscriber>,
    /// The aliases, and whose they are.
    pub aliases: BTreeMap<Aor, Aor>,
    /// The trusted peers.
    pub peers: Vec<TrustedPeer>,
    /// Carriers, gateways, rules and routes.
    pub pstn: Pstn,
    /// Where emergency calls go.
    pub emergency: EmergencyTable,
    /// What ENUM says: digits, SIP URIs.
    pub enum_uris: BTreeMap<String, Vec<String>>,
    /// The settings.
    pub settings: Settings,
}

/// An account with its bindings.
#[derive(Debug, Clone)]
pub struct Subscriber {
    /// The account.
    pub account: Account,
    /// What is registered.
    pub bindings: Vec<Binding>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What the request is about.
    pub purpose: Purpose,
    /// An account, `unproved` and an account, `trunk` and its address, or any SIP URI.
    pub from: String,
    /// What is called: a number or a user name in the caller's domain, an address, or a SIP or tel URI.
    pub to: String,
    /// The URI of From, when it is not the caller's own.
    pub from_header: Option<String>,
    /// The address that the call comes from.
    pub source: IpAddr,
    /// The port it comes from as a datagram.
    pub source_port: Option<u16>,
    /// The time, in milliseconds since 1970 UTC.
    pub now: i64,
    /// By what gateways share the load.
    pub seed: u64,
    /// Whether the caller asks not to be shown.
    pub wants_privacy: bool,
    /// Gateways that are known not to answer.
    pub down: HashSet<i64>,
    /// What those who pay have used.
    pub usage: Vec<Usage>,
}

/// Why there is no such call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongCall {
    /// There is no such account.
    #[error("there is no account `{0}`")]
    NoAccount(String),
    /// There is no such trunk.
    #[error("there is no trunk `{0}`")]
    NoTrunk(String),
}

impl World {
    /// What becomes of a call.
    pub fn plan(&self, call: &Call) -> Result<Plan, WrongCall> {
        let (caller, own_domain) = self.caller(call)?;
        let (user, host) = user_and_host(&call.to);
        let domain = if host.is_empty() {
            own_domain.or_else(|| self.domains.first().cloned())
        } else {
            DomainName::new(host).ok().filter(|name| self.domains.contains(name))
        };
        let is_service = call.to.to_ascii_lowercase().starts_with("urn:");
        let dialled = if is_service { call.to.as_str() } else { user };
        let foreign = domain.is_none().then(|| {
            if host.contains('@') || call.to.contains(':') {
                call.to.clone()
            } else {
                format!("sip:{}", call.to)
            }
        });
        let names = match &domain {
            Some(domain) => dial::usernames(&caller, dialled, Some(domain), &self.settings)
                .iter()
                .filter_map(|name| Aor::new(name, domain.as_str()).ok())
                .collect(),
            None => Vec::new(),
        };
        let callee = match &foreign {
            Some(uri) => Callee::Foreign { uri },
            None => self.first(&names).unwrap_or(Callee::Unknown { address: &call.to }),
        };
        let mut known = Known::default();
        if let Callee::Account { account, .. } = callee {
            known.follow(self, account);
        }
        let (table, settings) = (&self.emergency, &self.settings);
        for uri in emergency::targets(table, caller, dialled, domain.as_ref(), settings) {
            known.add(self, uri);
        }
        let from = call.from_header.clone().unwrap_or_else(|| from_of(&caller, &call.from));
        let facts = CallFacts {
            purpose: call.purpose,
            caller,
            callee,
            dialled,
            domain: domain.as_ref(),
            from: &from,
            wants_privacy: call.wants_privacy,
            asks: Asks::default(),
            diverted: &[],
            enum_answers: &[],
            pstn: &self.pstn,
            down: &call.down,
            emergency: &self.emergency,
            usage: &call.usage,
            seed: call.seed,
            source: call.source,
            source_port: call.source_port,
            now: call.now,
            settings: &self.settings,
        };
        // What ENUM leads to may divert to numbers again.
        let mut asked: BTreeSet<String> = BTreeSet::new();
        loop {
            let diverted = known.diverted(self);
            let questions = crate::enum_questions(&CallFacts { diverted: &diverted, ..facts });
            let new: Vec<String> =
                questions.into_iter().filter(|number| !asked.contains(number)).collect();
            if new.is_empty() || asked.len() > MOST_TARGETS {
                break;
            }
            for number in new {
                for uri in self.enum_uris.get(&number).into_iter().flatten() {
                    known.add(self, uri);
                }
                asked.insert(number);
            }
        }
        let diverted = known.diverted(self);
        let answers: Vec<EnumAnswer<'_>> = asked
            .iter()
            .filter_map(|number| {
                let uris = self.enum_uris.get(number)?;
                Some(EnumAnswer { number, uris })
            })
            .collect();
        Ok(plan(&CallFacts { diverted: &diverted, enum_answers: &answers, ..facts }))
    }

    fn caller(&self, call: &Call) -> Result<(Caller<'_>, Option<DomainName>), WrongCall> {
        let account = |text: &str| {
            let aor: Aor = text.parse().map_err(|_| WrongCall::NoAccount(text.to_owned()))?;
            let found = self.accounts.get(&aor).map(|subscriber| &subscriber.account);
            found.ok_or_else(|| WrongCall::NoAccount(text.to_owned()))
        };
        if let Some(key) = call.from.strip_prefix("trunk ") {
            let found = self.peers.iter().find(|peer| peer.ip == key.trim());
            let peer = found.ok_or_else(|| WrongCall::NoTrunk(key.to_owned()))?;
            return Ok((Caller::Peer(peer), None));
        }
        if let Some(text) = call.from.strip_prefix("unproved ") {
            let account = account(text.trim())?;
            return Ok((Caller::Claimed(account), Some(account.aor.domain().clone())));
        }
        if call.from.contains(':') {
            return Ok((Caller::Stranger, None));
        }
        let account = account(&call.from)?;
        Ok((Caller::Account(account), Some(account.aor.domain().clone())))
    }

    /// The first address that somebody has.
    fn first<'a>(&'a self, names: &'a [Aor]) -> Option<Callee<'a>> {
        names.iter().find_map(|name| {
            if let Some(Subscriber { account, bindings }) = self.accounts.get(name) {
                return Some(Callee::Account { account, alias: None, bindings });
            }
            let Subscriber { account, bindings } = self.accounts.get(self.aliases.get(name)?)?;
            Some(Callee::Account { account, alias: Some(name), bindings })
        })
    }
}

fn from_of(caller: &Caller<'_>, from: &str) -> String {
    match caller {
        Caller::Account(account) | Caller::Claimed(account) => format!("sip:{}", account.aor),
        Caller::Peer(peer) => format!("sip:{}", peer.ip),
        Caller::Stranger => from.to_owned(),
    }
}

/// URIs that a call may come to, and the addresses of ours that each may stand for; `None` for another domain.
#[derive(Default)]
struct Known {
    uris: BTreeMap<String, Option<Vec<Aor>>>,
}

impl Known {
    fn add(&mut self, world: &World, uri: &str) {
        if self.uris.len() >= MOST_TARGETS || self.uris.contains_key(uri) {
            return;
        }
        let (user, host) = user_and_host(uri);
        let domain = DomainName::new(host).ok().filter(|name| world.domains.contains(name));
        let names = domain.as_ref().map(|domain| {
            let names = dial::usernames(&Caller::Stranger, user, Some(domain), &world.settings);
            names.iter().filter_map(|name| Aor::new(name, domain.as_str()).ok()).collect::<Vec<_>>()
        });
        let found = names.as_deref().and_then(|names| world.first(names));
        let next = match found {
            Some(Callee::Account { account, .. }) => Some(account),
            _ => None,
        };
        self.uris.insert(uri.to_owned(), names.clone());
        if let Some(account) = next {
            self.follow(world, account);
        }
    }

    /// Where an account's diversions lead, and those of the accounts there.
    fn follow(&mut self, world: &World, account: &Account) {
        for uri in diversion::targets(account, &world.settings) {
            self.add(world, &uri);
        }
    }

    fn diverted<'a>(&'a self, world: &'a World) -> Vec<Diverted<'a>> {
        let callee = |uri: &'a str, names: &'a Option<Vec<Aor>>| match names {
            None => Callee::Foreign { uri },
            Some(names) => world.first(names).unwrap_or(Callee::Unknown { address: uri }),
        };
        self.uris.iter().map(|(uri, names)| Diverted { uri, callee: callee(uri, names) }).collect()
    }
}
