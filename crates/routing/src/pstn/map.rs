//! A sorted map that is never changed: an edit makes another one, which shares with it all but the pages that it touches.
//!
//! Pages lie below pages of pages, as in a B-tree, and have no room to spare. Whoever holds a map goes on with what was
//! in it; a copy costs as much as that of one pointer.

use std::borrow::Cow;
use std::sync::Arc;

/// The most entries of a page.
const MOST_ENTRIES: usize = 64;
/// The most pages below a page of pages.
const MOST_PAGES: usize = 64;

/// Keys with their values, sorted by key.
#[derive(Debug, Clone)]
pub(super) struct Map<K, V> {
    root: Page<K, V>,
    len: usize,
}

#[derive(Debug, Clone)]
enum Page<K, V> {
    Entries(Arc<[(K, V)]>),
    Pages(Arc<[Below<K, V>]>),
}

/// A page and the first key in it.
#[derive(Debug, Clone)]
struct Below<K, V> {
    first: K,
    page: Page<K, V>,
}

/// Entries that lie side by side, copied when they lie on several pages.
pub(super) type Run<'m, K, V> = Cow<'m, [(K, V)]>;

/// A key and what it shall have; `None` when it shall go.
pub(super) type Edit<K, V> = (K, Option<V>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { root: Page::Entries(Arc::from(Vec::new())), len: 0 }
    }
}

impl<K, V> Map<K, V> {
    /// How many keys there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The octets of memory that pages take, without what keys and values point to.
    pub(super) fn octets(&self) -> usize {
        self.root.octets()
    }

    /// Whether both are one and the same map. Maps that were edited apart are not, whatever is in them.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.root, &other.root) {
            (Page::Entries(a), Page::Entries(b)) => Arc::ptr_eq(a, b),
            (Page::Pages(a), Page::Pages(b)) => Arc::ptr_eq(a, b),
            (Page::Entries(_), Page::Pages(_)) | (Page::Pages(_), Page::Entries(_)) => false,
        }
    }

    /// Every entry, in the order of the keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        let (mut open, mut entries) = (vec![&self.root], [].iter());
        std::iter::from_fn(move || {
            loop {
                if let Some(entry) = entries.next() {
                    return Some(entry);
                }
                match open.pop()? {
                    Page::Entries(next) => entries = next.iter(),
                    Page::Pages(pages) => open.extend(pages.iter().rev().map(|below| &below.page)),
                }
            }
        })
    }

    /// The last entry whose key is within, as keys are up to some key, behind those before it on its page.
    pub(super) fn up_to(&self, is_within: impl Fn(&K) -> bool) -> &[(K, V)] {
        let mut page = &self.root;
        loop {
            match page {
                Page::Entries(entries) => {
                    let end = entries.partition_point(|(key, _)| is_within(key));
                    return entries.get(..end).unwrap_or_default();
                }
                Page::Pages(pages) => {
                    let end = pages.partition_point(|below| is_within(&below.first));
                    let Some(below) = pages.get(..end).and_then(<[_]>::last) else { return &[] };
                    page = &below.page;
                }
            }
        }
    }

    /// The value of the key that `order` finds equal to what is looked for.
    pub(super) fn find(&self, order: impl Fn(&K) -> std::cmp::Ordering) -> Option<&V> {
        let (key, value) = self.up_to(|key| order(key).is_le()).last()?;
        order(key).is_eq().then_some(value)
    }
}

impl<K: Ord, V> Map<K, V> {
    /// The value of a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.find(|known| known.cmp(key))
    }
}

impl<K: Clone, V: Clone> Map<K, V> {
    /// The entries that `order` finds equal to what is looked for.
    pub(super) fn run(&self, order: impl Fn(&K) -> std::cmp::Ordering) -> Run<'_, K, V> {
        self.root.run(&|key| order(key).is_lt(), &|key| order(key).is_le())
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// Makes changes, of which a later one for the same key counts.
    pub(super) fn edit(&mut self, mut edits: Vec<Edit<K, V>>) {
        // Stable: what came last for a key stays behind what came before.
        edits.sort_by(|(a, _), (b, _)| a.cmp(b));
        edits.reverse();
        edits.dedup_by(|(later, _), (earlier, _)| later == earlier);
        edits.reverse();
        if edits.is_empty() {
            return;
        }
        let mut len = self.len;
        let mut pages = self.root.edited(edits, &mut len);
        while pages.len() > 1 {
            pages = evenly(pages, MOST_PAGES)
                .filter_map(|pages| Page::Pages(pages.into()).below())
                .collect();
        }
        *self =
            Self { root: pages.pop().map_or_else(|| Self::default().root, |top| top.page), len };
        while let Page::Pages(pages) = &self.root
            && let [only] = &**pages
        {
            self.root = only.page.clone();
        }
    }
}

impl<K, V> Page<K, V> {
    fn octets(&self) -> usize {
        // Each page has the two counters of its `Arc`.
        let counters = 2 * size_of::<usize>();
        counters
            + match self {
                Self::Entries(entries) => size_of_val(&**entries),
                Self::Pages(pages) => {
                    size_of_val(&**pages) + pages.iter().map(|p| p.page.octets()).sum::<usize>()
                }
            }
    }

    /// How full it is, and the most that may be in it.
    fn fullness(&self) -> (usize, usize) {
        match self {
            Self::Entries(entries) => (entries.len(), MOST_ENTRIES),
            Self::Pages(pages) => (pages.len(), MOST_PAGES),
        }
    }
}

impl<K: Clone, V: Clone> Page<K, V> {
    /// With its first key; `None` when nothing is in it.
    fn below(self) -> Option<Below<K, V>> {
        let first = match &self {
            Self::Entries(entries) => entries.first()?.0.clone(),
            Self::Pages(pages) => pages.first()?.first.clone(),
        };
        Some(Below { first, page: self })
    }

    fn run(
        &self,
        is_before: &impl Fn(&K) -> bool,
        is_within: &impl Fn(&K) -> bool,
    ) -> Run<'_, K, V> {
        match self {
            Self::Entries(entries) => {
                let start = entries.partition_point(|(key, _)| is_before(key));
                let rest = entries.get(start..).unwrap_or_default();
                let end = rest.partition_point(|(key, _)| is_within(key));
                Cow::Borrowed(rest.get(..end).unwrap_or_default())
            }
            Self::Pages(pages) => {
                // The page before the first one that begins with the run or after it may end with it.
                let start =
                    pages.partition_point(|below| is_before(&below.first)).saturating_sub(1);
                let end = pages.partition_point(|below| is_within(&below.first)).max(start);
                let mut found = Cow::Borrowed(&[][..]);
                for below in pages.get(start..end).unwrap_or_default() {
                    let part = below.page.run(is_before, is_within);
                    if found.is_empty() {
                        found = part;
                    } else if !part.is_empty() {
                        found.to_mut().extend_from_slice(&part);
                    }
                }
                found
            }
        }
    }
}

impl<K: Ord + Clone, V: Clone> Page<K, V> {
    /// What becomes of the page by edits, which are sorted: any number of pages of its height. `len` is counted along.
    fn edited(&self, edits: Vec<Edit<K, V>>, len: &mut usize) -> Vec<Below<K, V>> {
        match self {
            Self::Entries(entries) => {
                let merged = merged(entries, edits);
                *len = (*len + merged.len()).saturating_sub(entries.len());
                let pages = evenly(merged, MOST_ENTRIES);
                pages.filter_map(|entries| Page::Entries(entries.into()).below()).collect()
            }
            Self::Pages(pages) => {
                let mut children: Vec<Below<K, V>> = Vec::with_capacity(pages.len() + 1);
                let (mut next, mut edits) = (pages.iter().skip(1), edits.into_iter().peekable());
                for below in pages.iter() {
                    let end = next.next().map(|next| &next.first);
                    let mut here = Vec::new();
                    while let Some(edit) = edits.next_if(|(key, _)| end.is_none_or(|end| key < end))
                    {
                        here.push(edit);
                    }
                    if here.is_empty() {
                        join(&mut children, below.clone());
                    } else {
                        let edited = below.page.edited(here, len);
                        edited.into_iter().for_each(|below| join(&mut children, below));
                    }
                }
                let pages = evenly(children, MOST_PAGES);
                pages.filter_map(|pages| Page::Pages(pages.into()).below()).collect()
            }
        }
    }
}

/// Entries after sorted edits.
fn merged<K: Ord + Clone, V: Clone>(entries: &[(K, V)], edits: Vec<Edit<K, V>>) -> Vec<(K, V)> {
    let mut merged = Vec::with_capacity(entries.len() + edits.len());
    let mut rest = entries;
    for (key, value) in edits {
        let (before, after) = rest.split_at(rest.partition_point(|(known, _)| *known < key));
        merged.extend_from_slice(before);
        rest = match after.split_first() {
            Some(((known, _), after)) if *known == key => after,
            _ => after,
        };
        merged.extend(value.map(|value| (key, value)));
    }
    merged.extend_from_slice(rest);
    merged
}

/// Adds a page, or what is in it to the last one when both are rather empty.
fn join<K: Clone, V: Clone>(pages: &mut Vec<Below<K, V>>, added: Below<K, V>) {
    if let Some(last) = pages.last_mut() {
        let ((a, most), (b, _)) = (last.page.fullness(), added.page.fullness());
        let joined = match (&last.page, &added.page) {
            _ if a + b > most / 2 => None,
            (Page::Entries(a), Page::Entries(b)) => {
                Some(Page::Entries(a.iter().chain(b.iter()).cloned().collect()))
            }
            (Page::Pages(a), Page::Pages(b)) => {
                Some(Page::Pages(a.iter().chain(b.iter()).cloned().collect()))
            }
            (Page::Entries(_), Page::Pages(_)) | (Page::Pages(_), Page::Entries(_)) => None,
        };
        if let Some(joined) = joined {
            last.page = joined;
            return;
        }
    }
    pages.push(added);
}

/// Lists of nearly one length, none of which is longer than `most`.
fn evenly<T>(items: Vec<T>, most: usize) -> impl Iterator<Item = Vec<T>> {
    let lists = items.len().div_ceil(most);
    let (each, longer) =
        (items.len().checked_div(lists).unwrap_or(0), items.len().checked_rem(lists).unwrap_or(0));
    let mut items = items.into_iter();
    (0..lists).map(move |list| items.by_ref().take(each + usize::from(list < longer)).collect())
}

#[cfg(test)]
mod tests;
