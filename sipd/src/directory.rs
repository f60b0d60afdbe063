//! What sipd knows of domains, accounts, aliases, bindings, trusted peers, ENUM numbers and where calls to telephone
//! numbers go: a full copy in memory.
//!
//! The engine owns it and is the only one to change it, so no look-up takes a lock. Provisioned records come
//! from the journal's follower as [`Update`]s; bindings come from REGISTER requests that the engine accepts and,
//! for those that another node accepted, from the database.

mod bound;
mod numbers;

pub use bound::Held;

use bound::Bound;
use ngn_model::binding::BindingKey;
use ngn_model::{
    Account, Amount, Aor, Binding, CustomerId, DomainName, Ownership, PeerProtocol, TrustedPeer,
};
use ngn_routing::{Callee, EmergencyTable, EnumTable, Pstn, trunk};
use ngn_store::EnumKey;
use numbers::Numbers;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// The copy.
#[derive(Debug, Default)]
pub struct Directory {
    domains: HashMap<DomainName, Ownership>,
    /// Boxed: half of a map's room is empty at times.
    accounts: HashMap<Aor, Box<Account>>,
    aliases: HashMap<Aor, Aor>,
    /// Accounts and aliases whose names are telephone numbers.
    numbers: Numbers,
    /// Ordered, so that whoever looks at all of them can do so piece by piece.
    bindings: Bound,
    /// Trusted peers by their address in its canonical form.
    peers: HashMap<IpAddr, TrustedPeer>,
    /// Trusted peers by host name, each with the addresses that it has now.
    named_peers: HashMap<String, (TrustedPeer, Vec<IpAddr>)>,
    /// The host names of trusted peers by those addresses.
    names_at: HashMap<IpAddr, BTreeSet<String>>,
    /// What prepaid accounts have.
    balances: HashMap<Aor, Amount>,
    /// The voicemail servers of resellers, as they wrote them.
    voicemail: HashMap<CustomerId, String>,
    pstn: Arc<Pstn>,
    emergency: Arc<EmergencyTable>,
    enums: EnumTable,
}

/// The new state of one provisioned record; `None` means that it is gone.
#[derive(Debug, Clone)]
pub enum Update {
    /// A SIP domain of ours and whose it is, or no longer.
    Domain(DomainName, Option<Ownership>),
    /// An account.
    Account(Aor, Option<Box<Account>>),
    /// An alias and the account it leads to.
    Alias(Aor, Option<Aor>),
    /// A trusted peer by its key.
    Peer(String, Option<Box<TrustedPeer>>),
    /// What a prepaid account has.
    Balance(Aor, Option<Amount>),
    /// The voicemail server of a reseller, as it wrote it.
    Voicemail(CustomerId, Option<String>),
    /// Carriers, gateways, gateway rules and routes, as they are after changes.
    Pstn(Arc<Pstn>),
    /// The emergency mapping, as it is after changes.
    Emergency(Arc<EmergencyTable>),
    /// An ENUM range of ours, or no longer.
    EnumRange(EnumKey, bool),
    /// The SIP URIs of an ENUM number, best first.
    EnumNumber(EnumKey, Vec<String>),
}

impl Directory {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that was loaded; what is made of several tables is given, and so are the ENUM trees that count.
    #[must_use]
    pub fn from_loaded(
        loaded: ngn_store::Directory,
        pstn: Arc<Pstn>,
        emergency: Arc<EmergencyTable>,
        trees: &[DomainName],
    ) -> Self {
        let enums = EnumTable::new(trees.iter().cloned());
        let mut directory = Self { pstn, emergency, enums, ..Self::new() };
        for key in loaded.enum_ranges {
            directory.apply(Update::EnumRange(key, true));
        }
        for (key, uris) in loaded.enum_numbers {
            directory.apply(Update::EnumNumber(key, uris));
        }
        for peer in loaded.trusted_peers {
            directory.apply(Update::Peer(peer.ip.clone(), Some(Box::new(peer))));
        }
        directory.balances = loaded.balances.into_iter().collect();
        directory.voicemail = loaded.voicemail_servers.into_iter().collect();
        for row in loaded.domains {
            directory.apply(Update::Domain(row.domain, Some(row.ownership)));
        }
        for account in loaded.accounts {
            directory.apply(Update::Account(account.aor.clone(), Some(Box::new(account))));
        }
        for (alias, target) in loaded.aliases {
            directory.apply(Update::Alias(alias, Some(target)));
        }
        for binding in loaded.bindings {
            directory.load_binding(binding);
        }
        directory
    }

    /// Takes the place of a directory that was served until now, whose database went back to an earlier state: what
    /// phones were told that is registered stays, as far as its account is still there (B57). Returns those bindings
    /// that are not in the database, and so have to be written.
    pub fn take_bindings_of(&mut self, served: &mut Self) -> Vec<Binding> {
        let mut missing = Vec::new();
        for (aor, bindings) in served.bindings.take() {
            if self.accounts.contains_key(&aor) {
                missing.extend(self.keep_newer(&aor, bindings));
            }
        }
        missing
    }

    /// Keeps bindings that are newer than what is held under their keys, or new, and returns those.
    fn keep_newer(&mut self, aor: &Aor, mut bindings: Vec<Binding>) -> Vec<Binding> {
        let held = self.bindings(aor);
        bindings.retain(|binding| {
            let same = held.iter().find(|held| held.is_same(binding));
            same.is_none_or(|held| held != binding && held.last_modified <= binding.last_modified)
        });
        self.change_bindings(aor, &bindings, &[]);
        bindings
    }

    /// Puts what was read from the database in place of all bindings but those of `pending` addresses, whose changes
    /// are not in there yet. When the database went back, what phones were told since then stays as far as its account
    /// is there (B57); it is returned, since it has to be written.
    pub fn replace_bindings(
        &mut self,
        loaded: Vec<Binding>,
        went_back: bool,
        pending: impl Fn(&Aor) -> bool,
    ) -> Vec<Binding> {
        let before = self.bindings.take();
        for binding in loaded {
            self.load_binding(binding);
        }
        let mut missing = Vec::new();
        for (aor, bindings) in before {
            if pending(&aor) {
                self.set_bindings(&aor, &bindings);
            } else if went_back && self.accounts.contains_key(&aor) {
                missing.extend(self.keep_newer(&aor, bindings));
            }
        }
        missing
    }

    /// The SIP domains of ours.
    pub fn domains(&self) -> impl Iterator<Item = &DomainName> {
        self.domains.keys()
    }

    /// Puts the new state of a record in place of what is held.
    pub fn apply(&mut self, update: Update) {
        match update {
            Update::Domain(name, Some(ownership)) => {
                let before = self.domains.insert(name.clone(), ownership);
                // B15: what its accounts inherit; they are looked through when it changed only.
                if before.is_some_and(|before| before != ownership) {
                    let accounts = self.accounts.values_mut();
                    let inherit = |account: &mut Box<Account>| account.ownership = ownership;
                    accounts.filter(|account| *account.aor.domain() == name).for_each(inherit);
                }
            }
            Update::Domain(name, None) => {
                self.domains.remove(&name);
            }
            Update::Account(aor, Some(account)) => {
                self.numbers.insert(&aor);
                self.accounts.insert(aor, account);
            }
            Update::Account(aor, None) => {
                self.accounts.remove(&aor);
                self.release_number(&aor);
                // B57: an account's registrations go with it.
                self.set_bindings(&aor, &[]);
            }
            Update::Alias(alias, Some(target)) => {
                self.numbers.insert(&alias);
                self.aliases.insert(alias, target);
            }
            Update::Alias(alias, None) => {
                self.aliases.remove(&alias);
                self.release_number(&alias);
            }
            Update::Peer(key, peer) => self.apply_peer(key, peer),
            Update::Balance(aor, Some(amount)) => {
                self.balances.insert(aor, amount);
            }
            Update::Balance(aor, None) => {
                self.balances.remove(&aor);
            }
            Update::Voicemail(reseller, Some(server)) => {
                self.voicemail.insert(reseller, server);
            }
            Update::Voicemail(reseller, None) => {
                self.voicemail.remove(&reseller);
            }
            Update::Pstn(pstn) => self.pstn = pstn,
            Update::Emergency(table) => self.emergency = table,
            Update::EnumRange((prefix, tree), exists) => {
                self.enums.set_range(&prefix, &tree, exists);
            }
            Update::EnumNumber((number, tree), uris) => {
                self.enums.set_number(&number, &tree, uris.iter().map(String::as_str));
            }
        }
    }

    /// Forgets a number that neither an account nor an alias has any more.
    fn release_number(&mut self, aor: &Aor) {
        if !self.accounts.contains_key(aor) && !self.aliases.contains_key(aor) {
            self.numbers.remove(aor);
        }
    }

    /// Who has a telephone number as user name in any domain of ours; of several domains the first by name.
    #[must_use]
    pub fn with_number(&self, number: &str) -> Option<Aor> {
        let domains = self.numbers.domains_of(number).filter(|domain| self.serves(domain));
        let addresses = domains.filter_map(|domain| Aor::new(number, domain.as_str()).ok());
        addresses.filter(|aor| self.resolve(aor).is_some()).min()
    }

    fn apply_peer(&mut self, key: String, peer: Option<Box<TrustedPeer>>) {
        match (key.parse::<IpAddr>(), peer) {
            (Ok(address), Some(peer)) => {
                self.peers.insert(address.to_canonical(), *peer);
            }
            (Ok(address), None) => {
                self.peers.remove(&address.to_canonical());
            }
            (Err(_), Some(peer)) => match self.named_peers.get_mut(&key) {
                Some((known, _)) => *known = *peer,
                None => {
                    self.named_peers.insert(key, (*peer, Vec::new()));
                }
            },
            (Err(_), None) => {
                self.set_peer_addresses(&key, &[]);
                self.named_peers.remove(&key);
            }
        }
    }

    /// The host names of trusted peers, whose addresses have to be looked up.
    pub fn peer_names(&self) -> impl Iterator<Item = &str> {
        self.named_peers.keys().map(String::as_str)
    }

    /// Says which addresses the host name of a trusted peer has now.
    pub fn set_peer_addresses(&mut self, name: &str, addresses: &[IpAddr]) {
        let Some((_, known)) = self.named_peers.get_mut(name) else { return };
        let new = addresses.iter().map(IpAddr::to_canonical).collect();
        for address in std::mem::replace(known, new) {
            if let Some(names) = self.names_at.get_mut(&address) {
                names.remove(name);
                if names.is_empty() {
                    self.names_at.remove(&address);
                }
            }
        }
        for address in known {
            self.names_at.entry(*address).or_default().insert(name.to_owned());
        }
    }

    /// The trusted peer that a request comes from (B145).
    #[must_use]
    pub fn peer(&self, source: IpAddr, protocol: PeerProtocol) -> Option<&TrustedPeer> {
        let source = source.to_canonical();
        let at = self.peers.get(&source).into_iter();
        let names = self.names_at.get(&source).into_iter().flatten();
        let named = names.filter_map(|name| self.named_peers.get(name)).map(|(peer, _)| peer);
        trunk::find(at.chain(named), source, protocol, |_, _| true)
    }

    /// What is left of what was paid in advance; `None` when nothing was ever paid.
    #[must_use]
    pub fn balance(&self, aor: &Aor) -> Option<Amount> {
        self.balances.get(aor).copied()
    }

    /// The voicemail servers of resellers, as they wrote them (B39).
    #[must_use]
    pub const fn voicemail_servers(&self) -> &HashMap<CustomerId, String> {
        &self.voicemail
    }

    /// Carriers, gateways, gateway rules and routes.
    #[must_use]
    pub fn pstn(&self) -> &Arc<Pstn> {
        &self.pstn
    }

    /// Where emergency calls go.
    #[must_use]
    pub fn emergency(&self) -> &Arc<EmergencyTable> {
        &self.emergency
    }

    /// The numbers of our ENUM ranges.
    #[must_use]
    pub const fn enums(&self) -> &EnumTable {
        &self.enums
    }

    /// Whether a host name is a SIP domain of ours.
    #[must_use]
    pub fn serves(&self, domain: &DomainName) -> bool {
        self.domains.contains_key(domain)
    }

    /// The account with exactly this address.
    #[must_use]
    pub fn account(&self, aor: &Aor) -> Option<&Account> {
        self.accounts.get(aor).map(|account| &**account)
    }

    /// The account that an address leads to, and the alias if it was one (B79).
    #[must_use]
    pub fn resolve<'a>(&'a self, address: &'a Aor) -> Option<(&'a Account, Option<&'a Aor>)> {
        if let Some(account) = self.account(address) {
            return Some((account, None));
        }
        let target = self.aliases.get(address)?;
        self.account(target).map(|account| (account, Some(address)))
    }

    /// The account that an address leads to.
    #[must_use]
    pub fn account_at(&self, address: &Aor) -> Option<&Account> {
        self.account(address).or_else(|| self.account(self.aliases.get(address)?))
    }

    /// The callee's part of a call's facts, for an address in a domain of ours, with its
    /// [`bindings_at`](Self::bindings_at).
    #[must_use]
    pub fn callee<'a>(
        &'a self,
        address: &'a Aor,
        bindings: &'a [Binding],
        text: &'a str,
    ) -> Callee<'a> {
        match self.resolve(address) {
            Some((account, alias)) => Callee::Account { account, alias, bindings },
            None => Callee::Unknown { address: text },
        }
    }

    /// The bindings of the account that an address leads to, as [`bindings`](Self::bindings) has them.
    #[must_use]
    pub fn bindings_at(&self, address: &Aor) -> Vec<Binding> {
        self.account_at(address).map_or_else(Vec::new, |account| self.bindings(&account.aor))
    }

    /// The bindings of an account, expired ones included until they are swept.
    #[must_use]
    pub fn bindings(&self, aor: &Aor) -> Vec<Binding> {
        self.bindings.get(aor)
    }

    /// The accounts behind an address that have bindings, in their order; all when there is no address.
    pub fn bound_after(&self, aor: Option<&Aor>) -> impl Iterator<Item = Held<'_>> {
        self.bindings.after(aor)
    }

    /// Replaces the bindings of an account.
    pub fn set_bindings<'b>(&mut self, aor: &Aor, bindings: impl IntoIterator<Item = &'b Binding>) {
        // One copy of the address is enough.
        let aor = self.accounts.get_key_value(aor).map_or(aor, |(aor, _)| aor);
        self.bindings.set(aor, bindings);
    }

    /// Saves some bindings of an account under their keys and removes others.
    pub fn change_bindings(&mut self, aor: &Aor, upserts: &[Binding], deletes: &[BindingKey]) {
        let bindings = self.bindings(aor);
        self.change_from(bindings, aor, upserts, deletes);
    }

    /// Like [`change_bindings`](Self::change_bindings), for whoever has the account's `bindings` at hand.
    pub fn change_from(
        &mut self,
        mut bindings: Vec<Binding>,
        aor: &Aor,
        upserts: &[Binding],
        deletes: &[BindingKey],
    ) {
        bindings.retain(|old| {
            !deletes.iter().any(|key| old.has_key(key))
                && !upserts.iter().any(|new| new.is_same(old))
        });
        self.set_bindings(aor, bindings.iter().chain(upserts));
    }

    /// Adds a binding that was read from the database.
    pub fn load_binding(&mut self, binding: Binding) {
        let known = self.accounts.get_key_value(&binding.aor);
        let aor = known.map_or_else(|| binding.aor.clone(), |(aor, _)| aor.clone());
        self.bindings.push(&aor, binding);
    }

    /// Drops every binding that ended before `now`.
    pub fn sweep(&mut self, now: i64) {
        self.bindings.sweep(now);
    }

    /// About how many octets of memory accounts take, without what their owners set about calls. Looks at each.
    #[must_use]
    pub fn account_octets(&self) -> usize {
        let places = self.accounts.capacity().saturating_mul(size_of::<(Aor, Box<Account>)>() + 1);
        let each = self.accounts.values().map(|account| octets(account)).sum::<usize>();
        places.saturating_add(each).saturating_add(self.numbers.octets())
    }

    /// How many domains, accounts, aliases and bindings are held.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        Sizes {
            domains: self.domains.len(),
            accounts: self.accounts.len(),
            aliases: self.aliases.len(),
            bindings: self.bindings.len(),
            peers: self.peers.len() + self.named_peers.len(),
            routes: self.pstn.routes(),
            enum_numbers: self.enums.len(),
        }
    }
}

/// What an account takes, its address twice, since it is the key as well; without its options.
fn octets(account: &Account) -> usize {
    // What the allocator needs for each piece, at least.
    const PIECE: usize = 16;
    let text = |text: &str| if text.is_empty() { 0 } else { PIECE + text.len() };
    let aor = text(account.aor.username()) + text(account.aor.domain().as_str());
    let list = |texts: &[String]| -> usize {
        let each = texts.iter().map(|one| text(one)).sum::<usize>();
        if texts.is_empty() { 0 } else { PIECE + size_of_val(texts) + each }
    };
    let given = [&account.rpid, &account.region, &account.quickdial_prefix];
    let given = given.into_iter().flatten().map(|one| text(one)).sum::<usize>();
    PIECE + size_of::<Account>() + 2 * aor + list(&account.groups) + list(&account.acl) + given
}

/// How much a directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// SIP domains.
    pub domains: usize,
    /// Accounts.
    pub accounts: usize,
    /// Aliases.
    pub aliases: usize,
    /// Bindings.
    pub bindings: usize,
    /// Trusted peers.
    pub peers: usize,
    /// Routes of calls to telephone numbers.
    pub routes: usize,
    /// ENUM numbers of ours that lead to SIP URIs.
    pub enum_numbers: usize,
}

#[cfg(test)]
mod tests;
