//! Facts about whom the diversions of a callee may lead to, gathered at once before the plan is made.

use super::Engine;
use ngn_model::{Account, Aor, DomainName};
use ngn_routing::{Callee, Diverted, diversion};
use ngn_sip::uri::Uri;
use std::collections::{HashSet, VecDeque};

/// How many targets of diversions are looked at for one call.
const MOST: usize = 64;

/// A URI that a diversion leads to, and where that is.
pub(super) struct Known {
    uri: String,
    place: Place,
}

enum Place {
    /// An address in a domain of ours.
    Ours(Aor),
    /// At ours, and no address.
    Nowhere,
    /// In a domain that is not ours.
    Foreign,
}

impl Engine {
    /// The targets of an account's diversions, those of their diversions, and so on.
    pub(super) fn diverted(&self, account: &Account) -> Vec<Known> {
        let mut known = Vec::new();
        if account.options.is_none() {
            return known;
        }
        let mut seen = HashSet::new();
        let mut queue = VecDeque::from([account]);
        while let Some(account) = queue.pop_front() {
            for uri in diversion::targets(account, &self.settings) {
                if known.len() >= MOST || !seen.insert(uri.clone()) {
                    continue;
                }
                let place = self.place(&uri);
                if let Place::Ours(aor) = &place
                    && let Some(next) = self.directory.account_at(aor)
                {
                    queue.push_back(next);
                }
                known.push(Known { uri, place });
            }
        }
        known
    }

    fn place(&self, uri: &str) -> Place {
        let Ok(uri) = Uri::parse(uri) else { return Place::Nowhere };
        let is_domain =
            DomainName::new(uri.host_text()).is_ok_and(|name| self.directory.serves(&name));
        match uri.aor() {
            Some(aor) if is_domain => Place::Ours(aor),
            _ if is_domain || self.is_own_address(&uri) => Place::Nowhere,
            _ => Place::Foreign,
        }
    }

    /// What the plan must know of a target.
    pub(super) fn callee_of<'a>(&'a self, known: &'a Known) -> Diverted<'a> {
        let uri = known.uri.as_str();
        let callee = match &known.place {
            Place::Ours(aor) => self.directory.callee(aor, uri),
            Place::Nowhere => Callee::Unknown { address: uri },
            Place::Foreign => Callee::Foreign { uri },
        };
        Diverted { uri, callee }
    }
}
