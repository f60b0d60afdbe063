//! A persistent ordered set of octet strings: what a zone's names are in the order of NSEC or NSEC3, so that a copy costs
//! one reference count and a change copies the few nodes above it.
//!
//! Leaves are one piece of memory each: of each string, how many octets it shares with the one before (1), how many others
//! it has (2), and these. Names of an ENUM zone take a few octets each.

use std::cmp::Ordering;
use std::sync::Arc;

/// Most strings of a leaf and most children of a branch.
const MOST: usize = 64;

/// A set of octet strings of at most 65,535 octets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ordered {
    root: Option<Arc<Node>>,
    length: usize,
}

#[derive(Debug, Clone)]
enum Node {
    Leaf(Box<[u8]>),
    Branch(Vec<Child>),
}

#[derive(Debug, Clone)]
struct Child {
    /// No string below is lower, and all of the child before are.
    from: Box<[u8]>,
    node: Arc<Node>,
}

/// The strings of a leaf one after the other.
struct Strings<'l> {
    rest: &'l [u8],
    here: Vec<u8>,
}

impl<'l> Strings<'l> {
    fn of(leaf: &'l [u8]) -> Self {
        Self { rest: leaf, here: Vec::new() }
    }

    fn next(&mut self) -> Option<&[u8]> {
        let (head, rest) = self.rest.split_first_chunk::<3>()?;
        let [shared, high, low] = *head;
        let (own, rest) = rest.split_at_checked(u16::from_be_bytes([high, low]).into())?;
        self.rest = rest;
        self.here.truncate(shared.into());
        self.here.extend_from_slice(own);
        Some(&self.here)
    }
}

fn unpack(leaf: &[u8]) -> Vec<Vec<u8>> {
    let mut strings = Strings::of(leaf);
    let mut all = Vec::with_capacity(MOST + 1);
    while let Some(string) = strings.next() {
        all.push(string.to_vec());
    }
    all
}

fn pack<S: AsRef<[u8]>>(strings: &[S]) -> Node {
    let mut leaf = Vec::new();
    let mut before: &[u8] = &[];
    for string in strings.iter().map(AsRef::as_ref) {
        let same = before.iter().zip(string).take_while(|(a, b)| a == b).count();
        let shared = u8::try_from(same).unwrap_or(u8::MAX);
        let own = string.get(usize::from(shared)..).unwrap_or_default();
        leaf.push(shared);
        leaf.extend_from_slice(&u16::try_from(own.len()).unwrap_or(u16::MAX).to_be_bytes());
        leaf.extend_from_slice(own);
        before = string;
    }
    Node::Leaf(leaf.into())
}

impl Ordered {
    /// A set of strings that are sorted, each once.
    pub(crate) fn from_sorted<S: AsRef<[u8]>>(strings: &[S]) -> Self {
        let from =
            |chunk: &[S]| chunk.first().map_or(Box::default(), |first| first.as_ref().into());
        let mut level: Vec<Child> = strings
            .chunks(MOST)
            .map(|chunk| Child { from: from(chunk), node: Arc::new(pack(chunk)) })
            .collect();
        while level.len() > 1 {
            let above = level.chunks(MOST).map(|chunk| Child {
                from: chunk.first().map_or(Box::default(), |first| first.from.clone()),
                node: Arc::new(Node::Branch(chunk.to_vec())),
            });
            level = above.collect();
        }
        Self { root: level.pop().map(|child| child.node), length: strings.len() }
    }

    /// How many strings there are.
    #[cfg(test)]
    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// Whether a string is there.
    pub(crate) fn contains(&self, string: &[u8]) -> bool {
        self.at_or_before(string).is_some_and(|found| found == string)
    }

    /// Puts a string in; nothing changes when it is there.
    pub(crate) fn insert(&mut self, string: &[u8]) {
        if self.contains(string) {
            return;
        }
        self.length += 1;
        let Some(root) = &mut self.root else {
            self.root = Some(Arc::new(pack(&[string])));
            return;
        };
        if let Some(second) = insert(Arc::make_mut(root), string) {
            let first = Child { from: Box::default(), node: Arc::clone(root) };
            self.root = Some(Arc::new(Node::Branch(vec![first, second])));
        }
    }

    /// Takes a string out; nothing changes when it is not there.
    pub(crate) fn remove(&mut self, string: &[u8]) {
        if !self.contains(string) {
            return;
        }
        let Some(root) = &mut self.root else { return };
        self.length -= 1;
        if remove(Arc::make_mut(root), string) {
            self.root = None;
            return;
        }
        while let Node::Branch(children) = &**root
            && let [only] = children.as_slice()
        {
            let below = Arc::clone(&only.node);
            *root = below;
        }
    }

    /// The greatest string that is not above this one.
    pub(crate) fn at_or_before(&self, string: &[u8]) -> Option<Vec<u8>> {
        at_or_before(self.root.as_ref()?, string)
    }

    /// The least string that is above this one.
    pub(crate) fn after(&self, string: &[u8]) -> Option<Vec<u8>> {
        after(self.root.as_ref()?, string)
    }

    /// The least string.
    pub(crate) fn first(&self) -> Option<Vec<u8>> {
        let mut node = self.root.as_ref()?;
        loop {
            match &**node {
                Node::Branch(children) => node = &children.first()?.node,
                Node::Leaf(leaf) => return Strings::of(leaf).next().map(<[u8]>::to_vec),
            }
        }
    }

    /// The greatest string.
    pub(crate) fn last(&self) -> Option<Vec<u8>> {
        let mut node = self.root.as_ref()?;
        loop {
            match &**node {
                Node::Branch(children) => node = &children.last()?.node,
                Node::Leaf(leaf) => return unpack(leaf).pop(),
            }
        }
    }
}

/// How many children begin at or before a string, at least one when there is any.
fn place(children: &[Child], string: &[u8]) -> usize {
    children.partition_point(|child| *child.from <= *string).max(1).min(children.len())
}

/// What has to stand behind the node when it had to be cut in two. The string is new.
fn insert(node: &mut Node, string: &[u8]) -> Option<Child> {
    match node {
        Node::Leaf(leaf) => {
            let mut strings = unpack(leaf);
            let at = strings.partition_point(|other| other.as_slice() < string);
            strings.insert(at, string.to_vec());
            // Strings often come in order; then the first part stays full.
            let cut = if at == MOST { MOST } else { MOST / 2 };
            let second = if strings.len() > MOST { strings.split_off(cut) } else { Vec::new() };
            *node = pack(&strings);
            let from = second.first()?.as_slice().into();
            Some(Child { from, node: Arc::new(pack(&second)) })
        }
        Node::Branch(children) => {
            let at = place(children, string);
            let child = children.get_mut(at.checked_sub(1)?)?;
            if *string < *child.from {
                child.from = string.into();
            }
            let second = insert(Arc::make_mut(&mut child.node), string)?;
            children.insert(at, second);
            if children.len() <= MOST {
                return None;
            }
            let cut = if at == MOST { MOST } else { MOST / 2 };
            let second = children.split_off(cut);
            let from = second.first()?.from.clone();
            Some(Child { from, node: Arc::new(Node::Branch(second)) })
        }
    }
}

/// Whether nothing is left. The string is there.
fn remove(node: &mut Node, string: &[u8]) -> bool {
    match node {
        Node::Leaf(leaf) => {
            let mut strings = unpack(leaf);
            strings.retain(|other| other != string);
            let empty = strings.is_empty();
            *node = pack(&strings);
            empty
        }
        Node::Branch(children) => {
            let at = place(children, string).saturating_sub(1);
            let Some(child) = children.get_mut(at) else { return children.is_empty() };
            if remove(Arc::make_mut(&mut child.node), string) {
                children.remove(at);
            }
            children.is_empty()
        }
    }
}

fn at_or_before(node: &Node, string: &[u8]) -> Option<Vec<u8>> {
    match node {
        Node::Leaf(leaf) => {
            let mut strings = Strings::of(leaf);
            let mut found = None;
            while let Some(other) = strings.next() {
                match other.cmp(string) {
                    Ordering::Greater => break,
                    Ordering::Equal => return Some(string.to_vec()),
                    Ordering::Less => {
                        let place: &mut Vec<u8> = found.get_or_insert_default();
                        place.clear();
                        place.extend_from_slice(other);
                    }
                }
            }
            found
        }
        Node::Branch(children) => {
            let until = children.get(..place(children, string))?;
            until.iter().rev().find_map(|child| at_or_before(&child.node, string))
        }
    }
}

fn after(node: &Node, string: &[u8]) -> Option<Vec<u8>> {
    match node {
        Node::Leaf(leaf) => {
            let mut strings = Strings::of(leaf);
            while let Some(other) = strings.next() {
                if other > string {
                    return Some(other.to_vec());
                }
            }
            None
        }
        Node::Branch(children) => {
            let rest = children.get(place(children, string).saturating_sub(1)..)?;
            rest.iter().find_map(|child| after(&child.node, string))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::ops::Bound::{Excluded, Unbounded};

    fn agrees(set: &Ordered, model: &BTreeSet<Vec<u8>>, asked: &[Vec<u8>]) {
        assert_eq!(set.len(), model.len());
        assert_eq!(set.first().as_ref(), model.first());
        assert_eq!(set.last().as_ref(), model.last());
        for string in asked {
            assert_eq!(
                set.at_or_before(string).as_ref(),
                model.range(..=string.clone()).next_back()
            );
            let above = model.range((Excluded(string.clone()), Unbounded)).next();
            assert_eq!(set.after(string).as_ref(), above);
        }
    }

    proptest! {
        #[test]
        fn is_a_set_whose_copies_stay(
            start in prop::collection::btree_set(prop::collection::vec(0_u8..4, 0..6), 0..400),
            steps in prop::collection::vec((any::<bool>(), prop::collection::vec(0_u8..4, 0..6)), 0..600),
        ) {
            let sorted: Vec<&Vec<u8>> = start.iter().collect();
            let mut set = Ordered::from_sorted(&sorted);
            let mut model = start.clone();
            let asked: Vec<Vec<u8>> = steps.iter().map(|(_, string)| string.clone()).collect();
            let before = (set.clone(), model.clone());
            for (put, string) in &steps {
                if *put {
                    set.insert(string);
                    model.insert(string.clone());
                } else {
                    set.remove(string);
                    model.remove(string);
                }
            }
            agrees(&set, &model, &asked);
            agrees(&before.0, &before.1, &asked);
            for string in &asked {
                set.remove(string);
                model.remove(string);
            }
            agrees(&set, &model, &asked);
        }
    }

    #[test]
    fn grows_and_shrinks_by_levels() {
        let strings: Vec<[u8; 4]> = (0..20_000_u32).map(u32::to_be_bytes).collect();
        let mut set = Ordered::default();
        for string in &strings {
            set.insert(string);
        }
        assert_eq!(set.after(&strings[12_344]).unwrap(), strings[12_345]);
        for string in strings.iter().skip(1) {
            set.remove(string);
        }
        assert_eq!((set.len(), set.first().unwrap()), (1, vec![0; 4]));
        assert!(matches!(set.root.as_deref(), Some(Node::Leaf(_))));
        set.remove(&strings[0]);
        assert_eq!((set.len(), set.first(), set.last()), (0, None, None));
    }
}
