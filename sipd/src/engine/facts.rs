//! All that a decision depends on, gathered at once; nothing here decides.

use super::Engine;
use super::enums::Told;
use ngn_model::call_plan::Payer;
use ngn_model::{Account, Aor, DomainName, Plan};
use ngn_routing::{CallFacts, Callee, Caller, Diverted, EnumAnswer, Usage, dial, diversion};
use ngn_sip::uri::Uri;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::net::IpAddr;

/// How many targets of diversions and mappings are looked at for one call.
const MOST: usize = 64;
/// Up to how many domains are searched for a number that is called at our own address.
const SEARCHED: usize = 64;

/// A request that a plan is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) caller: Caller<'q>,
    /// The Request-URI.
    pub(super) uri: &'q Uri,
    /// The URI of From.
    pub(super) from: &'q str,
    pub(super) wants_privacy: bool,
    pub(super) source: IpAddr,
    /// In milliseconds since 1970 UTC.
    pub(super) now: i64,
    pub(super) seed: u64,
}

/// What was decided.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) plan: Plan,
    /// The account or address that was called.
    pub(super) canonical: String,
    /// The numbers about which nobody said anything: no range of ours has them.
    pub(super) numbers: Vec<String>,
}

/// Where a URI leads.
enum Place {
    /// An address in a domain of ours.
    Ours(Aor),
    /// At ours, and no address.
    Nowhere,
    /// In a domain that is not ours.
    Foreign,
}

/// A URI that a diversion, a mapping or ENUM leads to, and where that is.
struct Known {
    uri: String,
    place: Place,
}

impl Engine {
    /// Gathers the facts and decides; `told` is what the DNS said about numbers.
    pub(super) fn decide(&self, question: &Question<'_>, told: &Told) -> Decision {
        let (caller, uri, settings) = (question.caller, question.uri, &self.settings);
        let dialled = dialled(uri);
        let host = DomainName::new(uri.host_text()).ok();
        let domain = host.filter(|name| self.directory.serves(name));
        let is_own = self.is_own_address(uri);
        let names = dial::usernames(&caller, &dialled, domain.as_ref(), settings);
        let address = match &domain {
            Some(domain) => self.first_known(&names, domain).or_else(|| uri.aor()),
            None if is_own && matches!(caller, Caller::Peer(_)) => self.known_anywhere(&names),
            None if is_own => None,
            None => uri.aor(),
        };
        let is_ours = domain.is_some() || (is_own && address.is_some());
        let callee = match &address {
            Some(aor) if is_ours => self.directory.callee(aor, uri.as_str()),
            // A user at our own address has no domain: nobody is called so, and forwarding would be a loop. It may be a
            // number, and so may what has no host.
            _ if domain.is_some() || is_own || !uri.is_sip() => {
                Callee::Unknown { address: uri.as_str() }
            }
            _ => Callee::Foreign { uri: uri.as_str() },
        };
        let canonical = match callee {
            Callee::Account { account, .. } => account.aor.to_string(),
            _ => address.as_ref().map(ToString::to_string).unwrap_or_default(),
        };
        let emergency = self.directory.emergency();
        let mut payers = Vec::new();
        match caller {
            Caller::Account(account) => payers.push(Payer::Account(account.aor.clone())),
            Caller::Peer(peer) => payers.push(Payer::Peer(peer.ip.clone())),
            Caller::Claimed(_) | Caller::Stranger => {}
        }
        let mut leads = Leads { engine: self, known: Vec::new(), seen: HashSet::new(), payers };
        if emergency.knows(&dialled) || dialled.starts_with("urn:") {
            for uri in emergency.targets().take(MOST / 2) {
                leads.add(uri, None);
            }
        }
        if let Callee::Account { account, .. } = callee {
            leads.follow(account);
        }
        let facts = CallFacts {
            purpose: ngn_routing::Purpose::Call,
            caller,
            callee,
            dialled: &dialled,
            domain: domain.as_ref(),
            from: question.from,
            wants_privacy: question.wants_privacy,
            diverted: &[],
            enum_answers: &[],
            pstn: self.directory.pstn(),
            down: self.gateways.down(),
            emergency,
            usage: &[],
            seed: question.seed,
            source: question.source,
            now: question.now,
            settings,
        };
        let (answers, numbers) = self.ask_enum(&facts, &mut leads, told);
        let diverted = leads.diverted();
        let usage = leads.usage();
        let enum_answers: Vec<EnumAnswer<'_>> =
            answers.iter().map(|(number, uris)| EnumAnswer { number, uris }).collect();
        let enum_answers = &enum_answers;
        let plan = ngn_routing::plan(&CallFacts {
            diverted: &diverted,
            usage: &usage,
            enum_answers,
            ..facts
        });
        Decision { plan, canonical, numbers }
    }

    /// What ENUM says about the numbers that matter to a call: our own ranges first, then what the DNS said; and the
    /// numbers about which neither says anything. Accounts that it leads to may divert to numbers again.
    fn ask_enum(
        &self,
        facts: &CallFacts<'_>,
        leads: &mut Leads<'_>,
        told: &Told,
    ) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
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
                let mut uris = self.directory.enums().uris(&number);
                if uris.is_empty() {
                    match told.get(&number) {
                        Some(said) => uris.clone_from(said),
                        None => open.push(number.clone()),
                    }
                }
                for uri in &uris {
                    found_more |= leads.add_with_diversions(uri);
                }
                answers.insert(number, uris);
            }
            if !found_more {
                return (answers, open);
            }
        }
    }

    /// Whether a request is an emergency call by what it calls (B165).
    pub(super) fn is_emergency(&self, uri: &Uri) -> bool {
        let dialled = dialled(uri);
        dialled.to_ascii_lowercase().starts_with("urn:service:sos")
            || self.directory.emergency().knows(&dialled)
    }

    fn usage_of(&self, payer: Payer) -> Usage {
        let balance = match &payer {
            Payer::Account(aor) => self.directory.balance(aor),
            Payer::Peer(_) => None,
        };
        Usage { calls: self.counts.of(&payer), balance, payer }
    }

    /// The first of some names that somebody has in a domain.
    fn first_known(&self, names: &[String], domain: &DomainName) -> Option<Aor> {
        let mut addresses = names.iter().filter_map(|name| Aor::new(name, domain.as_str()).ok());
        addresses.find(|aor| self.directory.resolve(aor).is_some())
    }

    /// Who has one of some names in any domain: trunks call numbers at our address.
    fn known_anywhere(&self, names: &[String]) -> Option<Aor> {
        self.directory.domains().take(SEARCHED).find_map(|domain| self.first_known(names, domain))
    }

    /// Where a URI leads; numbers are read as the account dials them whose diversion it is.
    fn place(&self, uri: &str, account: Option<&Account>) -> Place {
        let Ok(uri) = Uri::parse(uri) else { return Place::Nowhere };
        let domain = DomainName::new(uri.host_text()).ok();
        let domain = domain.filter(|name| self.directory.serves(name));
        match (uri.aor(), domain) {
            (Some(aor), Some(domain)) => {
                let user = dialled(&uri);
                let names = match account {
                    Some(account) => dial::usernames_of_target(account, &user, &self.settings),
                    None => {
                        dial::usernames(&Caller::Stranger, &user, Some(&domain), &self.settings)
                    }
                };
                Place::Ours(self.first_known(&names, &domain).unwrap_or(aor))
            }
            (_, None) if !self.is_own_address(&uri) => Place::Foreign,
            _ => Place::Nowhere,
        }
    }

    /// What the plan must know of a target.
    fn callee_of<'a>(&'a self, known: &'a Known) -> Diverted<'a> {
        let uri = known.uri.as_str();
        let callee = match &known.place {
            Place::Ours(aor) => self.directory.callee(aor, uri),
            Place::Nowhere => Callee::Unknown { address: uri },
            Place::Foreign => Callee::Foreign { uri },
        };
        Diverted { uri, callee }
    }
}

/// Where a call may lead: the targets of diversions, of their diversions and so on, of ENUM and of mappings; and who may
/// have to pay.
struct Leads<'e> {
    engine: &'e Engine,
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
        let place = self.engine.place(uri, account);
        let found = match &place {
            Place::Ours(aor) => self.engine.directory.account_at(aor),
            Place::Nowhere | Place::Foreign => None,
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
            for uri in diversion::targets(account, &self.engine.settings) {
                queue.extend(self.add(&uri, Some(account)));
            }
        }
    }

    fn diverted(&self) -> Vec<Diverted<'_>> {
        self.known.iter().map(|known| self.engine.callee_of(known)).collect()
    }

    /// What those who may have to pay have used.
    fn usage(&self) -> Vec<Usage> {
        let payers: BTreeSet<&Payer> = self.payers.iter().collect();
        payers.into_iter().map(|payer| self.engine.usage_of(payer.clone())).collect()
    }
}

/// What was dialled: the user part without parameters, the number of a tel URI, or a URN.
pub(super) fn dialled(uri: &Uri) -> String {
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
