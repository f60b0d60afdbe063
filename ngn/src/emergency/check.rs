//! Every account and every emergency number: whether the call would reach anybody, by the decision that servers make.
//!
//! Accounts come from the database in pages; only routes, domains and the mapping are held as a whole.

use crate::say;
use anyhow::Context as _;
use ngn_daemon::wall_clock;
use ngn_model::{Account, Aor, DomainName, Plan};
use ngn_routing::{Asks, Caller, EmergencyTable, Pstn, Purpose, Settings, dial};
use ngn_sip::uri::Uri;
use ngn_sipd::config::Config;
use ngn_sipd::directory::{Directory, Update};
use ngn_sipd::facts::{Question, Sources, is_own_address, settings};
use ngn_store::Store;
use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many accounts are held at one time.
const PAGE: u32 = 1000;
/// How often progress is told.
const TELL: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outcome {
    /// How many accounts were looked at.
    pub(super) accounts: u64,
    /// The numbers that each calls.
    pub(super) numbers: Vec<String>,
    /// How many of those calls reach nobody.
    pub(super) unreached: u64,
}

/// Checks all accounts; a line for each call that reaches nobody: account, number, why.
pub(super) async fn every_account(store: &Store, config: &Config) -> anyhow::Result<Outcome> {
    let mut check = Check::load(store, config).await?;
    let mut outcome = Outcome { numbers: check.numbers(), ..Outcome::default() };
    anyhow::ensure!(
        !outcome.numbers.is_empty(),
        "there is no emergency number: emergency.numbers of sipd.toml is empty, and none is mapped"
    );
    let all = store.count_accounts().await?;
    let (mut row, mut told) = (0, Instant::now());
    loop {
        let page = store.accounts_after(row, PAGE).await?;
        let Some(last) = page.last() else { break };
        row = last.id;
        let callers: Vec<&Account> =
            page.iter().filter_map(|paged| paged.account.as_ref()).collect();
        let held = check.hold(store, &callers, &outcome.numbers).await?;
        for paged in &page {
            outcome.accounts += 1;
            let Some(account) = &paged.account else {
                outcome.unreached += u64::try_from(outcome.numbers.len())?;
                let why = "servers leave the account out: its domain is not served, or its row cannot be read";
                say(&format!("{}\t*\t{why}", paged.address));
                continue;
            };
            for number in &outcome.numbers {
                if let Some(why) = check.unreached(account, number) {
                    outcome.unreached += 1;
                    say(&format!("{}\t{number}\t{why}", account.aor));
                }
            }
        }
        check.release(held);
        if told.elapsed() >= TELL {
            told = Instant::now();
            tell(&format!("{} of {all} accounts", outcome.accounts));
        }
    }
    Ok(outcome)
}

/// Tells how far it is, apart from what was found.
#[allow(clippy::print_stderr, reason = "progress of long work goes to its user")]
fn tell(text: &str) {
    eprintln!("ngn: {text}");
}

/// What calls depend on, without the accounts that no emergency call leads to.
struct Check {
    config: Config,
    settings: Settings,
    directory: Directory,
    /// Accounts and aliases that the mapping leads to.
    mapped: HashSet<Aor>,
    /// In milliseconds since 1970 UTC.
    now: i64,
}

/// What was loaded for a page.
#[derive(Default)]
struct Held {
    accounts: Vec<Aor>,
    aliases: Vec<Aor>,
}

impl Check {
    async fn load(store: &Store, config: &Config) -> anyhow::Result<Self> {
        let loaded = store.load_without_accounts().await.context("cannot load the routes")?;
        let table = EmergencyTable::new(config.emergency.numbers.clone(), loaded.emergency.clone());
        let mut directory = Directory::new();
        let pstn = Pstn::new(loaded.carriers, loaded.gateways, loaded.gateway_rules, loaded.routes);
        directory.apply(Update::Pstn(Arc::new(pstn)));
        directory.apply(Update::Emergency(Arc::new(table)));
        for row in loaded.domains {
            directory.apply(Update::Domain(row.domain, Some(row.ownership)));
        }
        let now = wall_clock();
        let settings = settings(config);
        let (config, mapped) = (config.clone(), HashSet::new());
        let mut check = Self { config, settings, directory, mapped, now };
        check.load_targets(store).await?;
        Ok(check)
    }

    /// Every emergency number.
    fn numbers(&self) -> Vec<String> {
        self.directory.emergency().numbers().map(str::to_owned).collect()
    }

    /// Loads the accounts that the mapping leads to, with what is registered.
    async fn load_targets(&mut self, store: &Store) -> anyhow::Result<()> {
        let mut names = BTreeSet::new();
        for target in self.directory.emergency().targets() {
            let Ok(uri) = Uri::parse(target.trim()) else { continue };
            let user = uri.user_unescaped().unwrap_or_default();
            let Ok(domain) = DomainName::new(uri.host_text()) else { continue };
            names.extend(self.addresses(Caller::Stranger, &user, &domain));
        }
        let names: Vec<Aor> = names.into_iter().collect();
        let Held { accounts, aliases } = self.take(store, &names).await?;
        for (aor, bindings) in store.bindings(&accounts, self.now).await? {
            self.directory.change_bindings(&aor, &bindings, &[]);
        }
        self.mapped = accounts.into_iter().chain(aliases).collect();
        Ok(())
    }

    /// The addresses under which somebody may be known who is called in a domain of ours.
    fn addresses(&self, caller: Caller<'_>, user: &str, domain: &DomainName) -> Vec<Aor> {
        if !self.directory.serves(domain) {
            return Vec::new();
        }
        let names = dial::usernames(&caller, user, Some(domain), &self.settings);
        names.iter().filter_map(|name| Aor::new(name, domain.as_str()).ok()).collect()
    }

    /// Loads whoever may have an emergency number as an address in the domains of some accounts.
    async fn hold(
        &mut self,
        store: &Store,
        callers: &[&Account],
        numbers: &[String],
    ) -> anyhow::Result<Held> {
        let mut names = BTreeSet::new();
        for account in callers {
            for number in numbers {
                names.extend(self.addresses(
                    Caller::Account(account),
                    number,
                    account.aor.domain(),
                ));
            }
        }
        let names: Vec<Aor> =
            names.into_iter().filter(|name| !self.mapped.contains(name)).collect();
        self.take(store, &names).await
    }

    /// Loads the accounts and aliases with some addresses, and whom those aliases lead to.
    async fn take(&mut self, store: &Store, names: &[Aor]) -> anyhow::Result<Held> {
        let mut held = Held::default();
        let mut wanted = names.to_vec();
        for (alias, target) in store.aliases(names).await? {
            if let Some(target) = target {
                wanted.push(target.clone());
                held.aliases.push(alias.clone());
                self.directory.apply(Update::Alias(alias, Some(target)));
            }
        }
        wanted.retain(|aor| !self.mapped.contains(aor));
        for (aor, account) in store.accounts(&wanted).await? {
            if let Some(account) = account {
                held.accounts.push(aor.clone());
                self.directory.apply(Update::Account(aor, Some(Box::new(account))));
            }
        }
        Ok(held)
    }

    /// Forgets what was loaded for a page.
    fn release(&mut self, held: Held) {
        for aor in held.accounts {
            self.directory.apply(Update::Account(aor, None));
        }
        for alias in held.aliases {
            self.directory.apply(Update::Alias(alias, None));
        }
    }

    /// Why a call reaches nobody; `None` when it reaches somebody.
    fn unreached(&self, account: &Account, number: &str) -> Option<String> {
        let text = if number.starts_with("urn:") {
            number.to_owned()
        } else {
            format!("sip:{}@{}", number.replace('#', "%23"), account.aor.domain())
        };
        let Ok(uri) = Uri::parse(&text) else {
            return Some(format!("`{number}` cannot be called"));
        };
        let listen = &self.config.listen;
        let listens = || listen.udp.iter().chain(&listen.tcp).copied();
        let sources = Sources {
            directory: &self.directory,
            settings: &self.settings,
            down: &HashSet::new(),
            calls: &|_| 0,
            is_own: &|uri| is_own_address(uri, listens(), listen.advertised.as_deref()),
            gruus: None,
        };
        let question = Question {
            purpose: Purpose::Call,
            caller: Caller::Account(account),
            uri: &uri,
            from: &format!("sip:{}", account.aor),
            wants_privacy: false,
            asks: Asks::default(),
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            source_port: None,
            now: self.now,
            seed: 0,
        };
        match sources.decide(&question, &Default::default()).plan {
            Plan::Call(plan) if plan.is_emergency => None,
            Plan::Call(_) => Some("servers do not take it for an emergency call".to_owned()),
            Plan::Reject(reject) => {
                let whys = reject.why.iter().chain(&reject.not_tried);
                Some(whys.map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
        }
    }
}
