//! Who shares routes: a number for each reseller with an originator, as long as there are routes of them.

use super::map::Map;
use ngn_model::CustomerId;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// The reseller of routes whose carrier is not known.
pub(super) const NOBODY: CustomerId = CustomerId::MIN;

/// The groups of routes.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    numbers: Map<Key, u32>,
    by_number: Map<u32, Group>,
    /// The number that the next group has when it is free.
    next: u32,
    /// How many groups are of [`NOBODY`].
    nobodys: usize,
}

/// Reseller and originator, behind a number made of both by which they are nearly always told apart.
type Key = (u64, CustomerId, Arc<str>);

/// The routes of a reseller for an originator.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) reseller: CustomerId,
    /// In lower case; empty for all.
    pub(super) originator: Arc<str>,
    /// How many routes there are.
    routes: usize,
}

impl Groups {
    /// The number of a group; `None` when no route is in it.
    pub(super) fn number(&self, reseller: CustomerId, originator: &str) -> Option<u32> {
        let wanted = (hash(reseller, originator), reseller, originator);
        self.numbers.find(|(hash, of, name)| (*hash, *of, &**name).cmp(&wanted)).copied()
    }

    pub(super) fn group(&self, number: u32) -> Option<&Group> {
        self.by_number.get(&number)
    }

    /// Whether there are routes of [`NOBODY`].
    pub(super) const fn has_nobodys(&self) -> bool {
        self.nobodys > 0
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.by_number.len()
    }

    /// The octets of memory that the groups take.
    pub(super) fn octets(&self) -> usize {
        let counters = 2 * size_of::<usize>();
        let names = self.by_number.iter().map(|(_, group)| group.originator.len() + counters);
        self.numbers.octets() + self.by_number.octets() + names.sum::<usize>()
    }

    /// Groups that are about to change.
    pub(super) fn change(&self) -> Changed<'_> {
        let (touched, added) = (HashMap::new(), HashMap::new());
        Changed { before: self, next: self.next, touched, added }
    }
}

/// Groups with what changes about them.
pub(super) struct Changed<'g> {
    before: &'g Groups,
    next: u32,
    touched: HashMap<u32, Group>,
    added: HashMap<CustomerId, HashMap<Arc<str>, u32>>,
}

impl Changed<'_> {
    /// The number of a group, which is made when there is none.
    pub(super) fn number(&mut self, reseller: CustomerId, originator: &str) -> u32 {
        let added = self.added.get(&reseller).and_then(|names| names.get(originator)).copied();
        if let Some(number) = added.or_else(|| self.before.number(reseller, originator)) {
            return number;
        }
        while self.before.group(self.next).is_some() || self.touched.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let (number, originator) = (self.next, Arc::<str>::from(originator));
        self.next = self.next.wrapping_add(1);
        self.added.entry(reseller).or_default().insert(Arc::clone(&originator), number);
        self.touched.insert(number, Group { reseller, originator, routes: 0 });
        number
    }

    /// One route more in a group.
    pub(super) fn add(&mut self, number: u32) {
        if let Some(group) = self.touch(number) {
            group.routes = group.routes.saturating_add(1);
        }
    }

    /// One route less in a group.
    pub(super) fn remove(&mut self, number: u32) {
        if let Some(group) = self.touch(number) {
            group.routes = group.routes.saturating_sub(1);
        }
    }

    fn touch(&mut self, number: u32) -> Option<&mut Group> {
        if !self.touched.contains_key(&number) {
            self.touched.insert(number, self.before.group(number)?.clone());
        }
        self.touched.get_mut(&number)
    }

    /// The groups after the changes; those without routes go.
    pub(super) fn finish(self) -> Groups {
        let mut groups = Groups { next: self.next, ..self.before.clone() };
        let (mut numbers, mut by_number) = (Vec::new(), Vec::new());
        for (number, group) in self.touched {
            let group = (group.routes > 0).then_some(group);
            let key = |group: &Group| {
                let hash = hash(group.reseller, &group.originator);
                (hash, group.reseller, Arc::clone(&group.originator))
            };
            match (&group, self.before.group(number)) {
                (Some(added), None) => {
                    groups.nobodys += usize::from(added.reseller == NOBODY);
                    numbers.push((key(added), Some(number)));
                }
                (None, Some(gone)) => {
                    groups.nobodys -= usize::from(gone.reseller == NOBODY).min(groups.nobodys);
                    numbers.push((key(gone), None));
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
            by_number.push((number, group));
        }
        groups.numbers.edit(numbers);
        groups.by_number.edit(by_number);
        groups
    }
}

fn hash(reseller: CustomerId, originator: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (reseller, originator).hash(&mut hasher);
    hasher.finish()
}
