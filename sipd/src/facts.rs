//! All that a decision depends on, gathered at once and handed to [`ngn_routing::plan()`], which decides. For the engine,
//! and for whoever asks what it would do.

use crate::config::{self, Config};
use crate::directory::Directory;
use crate::gruus::OnePhone;
use ngn_model::call_plan::{FailoverCodes, Payer};
use ngn_model::{Account, Aor, Binding, DomainName, Plan};
use ngn_routing::{
    Asks, CallFacts, Callee, Caller, Diverted, EnumAnswer, GatewayOrder, NumberPlan, Purpose,
    Settings, Usage, dial, diversion, emergency,
};
use ngn_sip::gruu::{Gruus, is_gruu};
use ngn_sip::uri::{Scheme, Uri};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How many targets of diversions and mappings are looked at for one call.
const MOST: usize = 64;

/// What ENUM has of a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The tree, such as `e164.arpa`.
    pub tree: String,
    /// The SIP URIs, best first; none: the number leads nowhere.
    pub uris: Vec<String>,
}

/// What the DNS said about numbers, digits with country code.
pub type Told = HashMap<String, Listed>;

/// A request that a plan is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// What it is about.
    pub purpose: Purpose,
    /// Who calls.
    pub caller: Caller<'q>,
    /// The Request-URI.
    pub uri: &'q Uri,
    /// The URI of From.
    pub from: &'q str,
    /// Whether the caller asks not to be shown (RFC 3323).
    pub wants_privacy: bool,
    /// What else it says about privacy and diversions.
    pub asks: Asks,
    /// Where it comes from.
    pub source: IpAddr,
    /// The port it comes from as a datagram; `None` for a connection.
    pub source_port: Option<u16>,
    /// In milliseconds since 1970 UTC.
    pub now: i64,
    /// By what gateways share the load.
    pub seed: u64,
}

/// What was decided.
#[derive(Debug)]
pub struct Decision {
    /// Where it goes.
    pub plan: Plan,
    /// Who was called.
    pub called: Called,
    /// The numbers about which nobody said anything: no range of ours has them.
    pub numbers: Vec<String>,
}

/// Who was called, for the record of the call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Called {
    /// The account, also one that ENUM leads to, or the address.
    pub canonical: String,
    /// The ENUM tree that leads to who is called; empty when none does.
    pub enum_tree: String,
}

/// Where a URI leads.
enum Place {
    /// An address in a domain of ours, and what is registered there.
    Ours(Aor, Vec<Binding>),
    /// At ours, and no address.
    Nowhere,
    /// In a domain that is not ours.
    Foreign,
    /// A GRUU of ours, and the phone when there is one.
    Gruu(Option<Box<OnePhone>>),
}

/// A URI that a diversion, a mapping or ENUM leads to, and where that is.
struct Known {
    uri: String,
    place: Place,
}

/// What facts are gathered from.
#[derive(Clone, Copy)]
pub struct Sources<'s> {
    /// Domains, accounts, aliases, bindings, trunks and routes.
    pub directory: &'s Directory,
    /// The platform's settings.
    pub settings: &'s Settings,
    /// The ids of gateways that are known not to answer.
    pub down: &'s HashSet<i64>,
    /// How many calls somebody has at this moment.
    pub calls: &'s dyn Fn(&Payer) -> u32,
    /// Whether a URI is one of the server's own addresses.
    pub is_own: &'s dyn Fn(&Uri) -> bool,
    /// Reads GRUUs; without, they are URIs like others.
    pub gruus: Option<&'s Gruus>,
}

impl fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("directory", self.directory).finish_non_exhaustive()
    }
}

impl<'s> Sources<'s> {
    /// Gathers the facts and decides; `told` is what the DNS said about numbers.
    #[must_use]
    pub fn decide(&self, question: &Question<'_>, told: &Told) -> Decision {
        let (caller, uri, settings) = (question.caller, question.uri, self.settings);
        let dialled = dialled(uri);
        let host = DomainName::new(uri.host_text()).ok();
        let domain = host.filter(|name| self.directory.serves(name));
        // A tel URI has no domain (RFC 3966): what an account dials so it dials in its own.
        let domain = domain.or_else(|| match caller {
            Caller::Account(account) | Caller::Claimed(account) if is_tel(uri) => {
                Some(account.aor.domain().clone())
            }
            _ => None,
        });
        let is_own = (self.is_own)(uri);
        // RFC 5627 section 6.1; a number that calls for help does so whatever stands behind it.
        let is_gruu = self.is_gruu(uri) && !self.directory.emergency().knows(&dialled);
        let phone = if is_gruu { self.one_phone(uri, question.now) } else { None };
        let dialled = if is_gruu { String::new() } else { dialled };
        let names = dial::usernames(&caller, &dialled, domain.as_ref(), settings);
        let address = match &domain {
            Some(domain) => self
                .first_known(&names, domain)
                .or_else(|| uri.aor())
                .or_else(|| Aor::new(&dialled, domain.as_str()).ok().filter(|_| is_tel(uri))),
            None if is_tel(uri)
                && matches!(caller, Caller::Peer(_))
                && question.purpose != Purpose::MailboxChanged =>
            {
                names.iter().find_map(|name| self.directory.with_number(name))
            }
            // Numbers are unique; a name that is told about its messages may be another one's in another domain.
            None if is_own
                && matches!(caller, Caller::Peer(_))
                && question.purpose != Purpose::MailboxChanged =>
            {
                names.iter().find_map(|name| self.directory.with_number(name))
            }
            None if is_own => None,
            None => uri.aor(),
        };
        let is_ours = domain.is_some() || ((is_own || is_tel(uri)) && address.is_some());
        let ours = address.as_ref().filter(|_| is_ours && !is_gruu);
        let bindings = ours.map_or_else(Vec::new, |aor| self.directory.bindings_at(aor));
        let callee = match &address {
            _ if is_gruu => {
                phone.as_ref().map_or(Callee::Unknown { address: uri.as_str() }, OnePhone::callee)
            }
            Some(aor) if is_ours => self.directory.callee(aor, &bindings, uri.as_str()),
            // A user at our own address has no domain: nobody is called so, and forwarding would be a loop. It may be a
            // number, and so may what has no host.
            _ if domain.is_some() || is_own || !uri.is_sip() => {
                Callee::Unknown { address: uri.as_str() }
            }
            _ => Callee::Foreign { uri: uri.as_str() },
        };
        let canonical = match callee {
            Callee::Account { account, .. } => account.aor.to_string(),
            // A trunk's number at our own address is in no domain of ours, and a tel URI in none at all.
            _ => address
                .clone()
                .or_else(|| uri.aor())
                .map_or_else(|| uri.as_str().to_owned(), |aor| aor.to_string()),
        };
        let emergency = self.directory.emergency();
        let mut payers = Vec::new();
        match caller {
            Caller::Account(account) => payers.push(Payer::Account(account.aor.clone())),
            Caller::Peer(peer) => payers.push(Payer::Peer(peer.ip.clone())),
            Caller::Claimed(_) | Caller::Stranger => {}
        }
        let now = question.now;
        let mut leads =
            Leads { sources: *self, now, known: Vec::new(), seen: HashSet::new(), payers };
        for uri in emergency::targets(emergency, caller, &dialled, domain.as_ref(), settings) {
            leads.add(uri, None);
        }
        if let Callee::Account { account, .. } = callee {
            leads.follow(account);
        }
        let facts = CallFacts {
            purpose: question.purpose,
            caller,
            callee,
            dialled: &dialled,
            domain: domain.as_ref(),
            from: question.from,
            wants_privacy: question.wants_privacy,
            asks: question.asks,
            diverted: &[],
            enum_answers: &[],
            pstn: self.directory.pstn(),
            down: self.down,
            emergency,
            usage: &[],
            seed: question.seed,
            source: question.source,
            source_port: question.source_port,
            now: question.now,
            settings,
        };
        let (answers, numbers) = self.ask_enum(&facts, &mut leads, told);
        let diverted = leads.diverted();
        let usage = leads.usage();
        let enum_answers: Vec<EnumAnswer<'_>> =
            answers.iter().map(|(number, it)| EnumAnswer { number, uris: &it.uris }).collect();
        let enum_answers = &enum_answers;
        let plan = ngn_routing::plan(&CallFacts {
            diverted: &diverted,
            usage: &usage,
            enum_answers,
            ..facts
        });
        let mut called = Called { canonical, enum_tree: String::new() };
        if let Callee::Unknown { .. } = callee
            && let Some((_, listed)) = answers.iter().find(|(number, _)| names.contains(number))
        {
            leads.resolve_listed(listed, &mut called);
        }
        Decision { plan, called, numbers }
    }

    /// What ENUM says about the numbers that matter to a call: our own ranges first, then what the DNS said; and the
    /// numbers about which neither says anything. Accounts that it leads to may divert to numbers again.
    fn ask_enum(
        &self,
        facts: &CallFacts<'_>,
        leads: &mut Leads<'_>,
        told: &Told,
    ) -> (BTreeMap<String, Listed>, Vec<String>) {
        let (mut answers, mut open) = (BTreeMap::new(), Vec::new());
        loop {
            let (diverted, usage) = (leads.diverted(), leads.usage());
            let questions = ngn_routing::enum_questions(&CallFacts {
                diverted: &diverted,
                usage: &usage,
                ..*facts
            });
            let mut found_more = false;
            for number in questions {
                if answers.len() >= MOST || answers.contains_key(&number) {
                    continue;
                }
                let own = self.directory.enums().find(&number);
                let own = own.map(|(tree, uris)| Listed { tree: tree.to_string(), uris });
                let listed = own.or_else(|| told.get(&number).cloned()).unwrap_or_else(|| {
                    open.push(number.clone());
                    Listed::default()
                });
                for uri in &listed.uris {
                    found_more |= leads.add_with_diversions(uri);
                }
                answers.insert(number, listed);
            }
            if !found_more {
                return (answers, open);
            }
        }
    }

    fn usage_of(&self, payer: Payer) -> Usage {
        let balance = match &payer {
            Payer::Account(aor) => self.directory.balance(aor),
            Payer::Peer(_) => None,
        };
        Usage { calls: (self.calls)(&payer), balance, payer }
    }

    /// The first of some names that somebody has in a domain.
    fn first_known(&self, names: &[String], domain: &DomainName) -> Option<Aor> {
        let mut addresses = names.iter().filter_map(|name| Aor::new(name, domain.as_str()).ok());
        addresses.find(|aor| self.directory.resolve(aor).is_some())
    }

    /// Whether a URI is a GRUU in a domain of ours.
    fn is_gruu(&self, uri: &Uri) -> bool {
        let domain = || DomainName::new(uri.host_text());
        self.gruus.is_some()
            && is_gruu(uri)
            && domain().is_ok_and(|domain| self.directory.serves(&domain))
    }

    fn one_phone(&self, uri: &Uri, now: i64) -> Option<OnePhone> {
        OnePhone::find(self.gruus?, self.directory, uri, now)
    }

    /// Where a URI leads; numbers are read as the account dials them whose diversion it is.
    fn place(&self, uri: &str, account: Option<&Account>, now: i64) -> Place {
        let Ok(uri) = Uri::parse(uri) else { return Place::Nowhere };
        if self.is_gruu(&uri) {
            return Place::Gruu(self.one_phone(&uri, now).map(Box::new));
        }
        let domain = DomainName::new(uri.host_text()).ok();
        let domain = domain.filter(|name| self.directory.serves(name));
        match (uri.aor(), domain) {
            (Some(aor), Some(domain)) => {
                let user = dialled(&uri);
                let names = match account {
                    Some(account) => dial::usernames_of_target(account, &user, self.settings),
                    None => dial::usernames(&Caller::Stranger, &user, Some(&domain), self.settings),
                };
                let aor = self.first_known(&names, &domain).unwrap_or(aor);
                let bindings = self.directory.bindings_at(&aor);
                Place::Ours(aor, bindings)
            }
            (_, None) if !(self.is_own)(&uri) => Place::Foreign,
            _ => Place::Nowhere,
        }
    }

    /// What the plan must know of a target.
    fn callee_of<'a>(&self, known: &'a Known) -> Diverted<'a>
    where
        's: 'a,
    {
        let uri = known.uri.as_str();
        let callee = match &known.place {
            Place::Ours(aor, bindings) => self.directory.callee(aor, bindings, uri),
            Place::Gruu(Some(phone)) => phone.callee(),
            Place::Gruu(None) | Place::Nowhere => Callee::Unknown { address: uri },
            Place::Foreign => Callee::Foreign { uri },
        };
        Diverted { uri, callee }
    }
}

/// Where a call may lead: the targets of diversions, of their diversions and so on, of ENUM and of mappings; and who may
/// have to pay.
struct Leads<'e> {
    sources: Sources<'e>,
    /// In milliseconds since 1970 UTC.
    now: i64,
    known: Vec<Known>,
    seen: HashSet<String>,
    payers: Vec<Payer>,
}

impl<'e> Leads<'e> {
    /// Takes a URI; gives the account that it leads to when it is new. Numbers are read as the account dials them whose
    /// diversion it is.
    fn add(&mut self, uri: &str, account: Option<&Account>) -> Option<&'e Account> {
        if self.known.len() >= MOST || !self.seen.insert(uri.to_owned()) {
            return None;
        }
        let place = self.sources.place(uri, account, self.now);
        let found = match &place {
            Place::Ours(aor, _) => self.sources.directory.account_at(aor),
            Place::Nowhere | Place::Foreign | Place::Gruu(_) => None,
        };
        self.known.push(Known { uri: uri.to_owned(), place });
        found
    }

    /// Takes a URI and the diversions of whom it leads to; says whether that is an account that was not known to be.
    fn add_with_diversions(&mut self, uri: &str) -> bool {
        let found = self.add(uri, None);
        if let Some(account) = found {
            self.follow(account);
        }
        found.is_some()
    }

    /// Takes the targets of an account's diversions, those of their diversions, and so on. Whoever diverts may have to
    /// pay.
    fn follow(&mut self, account: &'e Account) {
        let mut queue = VecDeque::from([account]);
        while let Some(account) = queue.pop_front() {
            if account.options.is_none() {
                continue;
            }
            self.payers.push(Payer::Account(account.aor.clone()));
            for uri in diversion::targets(account, self.sources.settings) {
                queue.extend(self.add(&uri, Some(account)));
            }
        }
    }

    /// Says whom ENUM leads to: the first that is anybody, as the plan takes it.
    fn resolve_listed(&self, listed: &Listed, called: &mut Called) {
        let places = listed.uris.iter().filter_map(|uri| {
            self.known.iter().find(|known| known.uri == *uri).map(|known| &known.place)
        });
        for place in places {
            let account = match place {
                Place::Ours(aor, _) => match self.sources.directory.account_at(aor) {
                    None => continue,
                    found => found,
                },
                Place::Gruu(Some(phone)) => Some(phone.account()),
                Place::Nowhere | Place::Gruu(None) => continue,
                Place::Foreign => None,
            };
            if let Some(account) = account {
                called.canonical = account.aor.to_string();
            }
            called.enum_tree.clone_from(&listed.tree);
            return;
        }
    }

    fn diverted(&self) -> Vec<Diverted<'_>> {
        self.known.iter().map(|known| self.sources.callee_of(known)).collect()
    }

    /// What those who may have to pay have used.
    fn usage(&self) -> Vec<Usage> {
        let payers: BTreeSet<&Payer> = self.payers.iter().collect();
        payers.into_iter().map(|payer| self.sources.usage_of(payer.clone())).collect()
    }
}

fn is_tel(uri: &Uri) -> bool {
    uri.scheme_text().eq_ignore_ascii_case("tel")
}

/// What was dialled: the user part without parameters, the number of a tel URI, or a URN.
pub(crate) fn dialled(uri: &Uri) -> String {
    if uri.is_sip() {
        let user = uri.user_unescaped().unwrap_or_default();
        return user.split(';').next().unwrap_or_default().to_owned();
    }
    match uri.scheme_text().to_ascii_lowercase().as_str() {
        "tel" => uri.after_scheme().split(';').next().unwrap_or_default().to_owned(),
        "urn" => uri.as_str().to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// What decisions depend on, from the configuration.
#[must_use]
pub fn settings(config: &Config) -> Settings {
    let (proxy, pstn) = (&config.proxy, &config.pstn);
    Settings {
        default_answer_timeout: Duration::from_secs(proxy.answer_timeout),
        gateway_answer_timeout: Duration::from_secs(pstn.answer_timeout),
        voicemail_server: Some(proxy.voicemail_server.clone()).filter(|name| !name.is_empty()),
        voicemail_numbers: proxy.voicemail_numbers.clone(),
        numbers: NumberPlan {
            country_code: pstn.country_code.clone(),
            area_code: pstn.area_code.clone(),
            national_prefix: pstn.national_prefix.clone(),
            international_prefix: pstn.international_prefix.clone(),
            ..NumberPlan::default()
        },
        default_call_limit: pstn.calls_per_account,
        gateway_order: match pstn.gateway_order {
            config::GatewayOrder::Shared => GatewayOrder::Shared,
            config::GatewayOrder::InOrder => GatewayOrder::InOrder,
        },
        failover: FailoverCodes::and(pstn.failover_codes.clone()),
        ..Settings::default()
    }
}

/// Whether a URI is one of the addresses that a server listens on, or the name that it gives itself.
#[must_use]
pub fn is_own_address(
    uri: &Uri,
    mut listens: impl Iterator<Item = SocketAddr>,
    advertised: Option<&str>,
) -> bool {
    let host = uri.address();
    let standard = if uri.scheme() == Scheme::Sips { 5061 } else { 5060 };
    let port = uri.port().unwrap_or(standard);
    listens.any(|a| a.port() == port && (Some(a.ip()) == host || a.ip().is_unspecified()))
        || advertised == Some(uri.host_text())
}
