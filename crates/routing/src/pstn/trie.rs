//! Prefixes and what stands at them, packed: the children of a node lie side by side, and a bit says which digits
//! there are.

use super::Entry;

/// The longest prefix, as the column has it.
pub(super) const MOST_DIGITS: usize = 64;

#[derive(Debug, Clone, Copy, Default)]
struct Node {
    first_child: u32,
    first_entry: u32,
    entries: u32,
    /// Bit `d`: there is a child for the digit `d`.
    digits: u16,
}

/// Prefixes of digits.
#[derive(Debug, Clone, Default)]
pub(super) struct Trie {
    /// The root first.
    nodes: Vec<Node>,
    /// Sorted by prefix; those of one prefix in the order in which they were given.
    entries: Vec<Entry>,
}

impl Trie {
    /// A trie of prefixes, which are sorted and hold digits only.
    pub(super) fn new(sorted: &[(Box<[u8]>, Entry)]) -> Self {
        let mut trie = Self {
            nodes: vec![Node::default()],
            entries: sorted.iter().map(|(_, entry)| *entry).collect(),
        };
        // Node, depth, and the part of the list that lies below it.
        let mut open = vec![(0_usize, 0_usize, 0_usize, sorted.len())];
        while let Some((index, depth, start, end)) = open.pop() {
            let part = sorted.get(start..end).unwrap_or_default();
            let here = part.partition_point(|(prefix, _)| prefix.len() <= depth);
            let first_child = trie.nodes.len();
            let (mut digits, mut at) = (0_u16, start + here);
            while let Some(digit) =
                sorted.get(at).filter(|_| at < end).and_then(|(prefix, _)| prefix.get(depth))
            {
                let rest = sorted.get(at..end).unwrap_or_default();
                let below = rest.partition_point(|(prefix, _)| prefix.get(depth) <= Some(digit));
                digits |= bit(*digit);
                open.push((trie.nodes.len(), depth + 1, at, at + below));
                trie.nodes.push(Node::default());
                at += below;
            }
            if let Some(node) = trie.nodes.get_mut(index) {
                *node = Node {
                    first_child: number(first_child),
                    first_entry: number(start),
                    entries: number(here),
                    digits,
                };
            }
        }
        trie.nodes.shrink_to_fit();
        trie
    }

    /// What stands at the prefixes of a number, the longest first: how many digits, and the entries.
    pub(super) fn matches(&self, number: &str) -> Vec<(usize, &[Entry])> {
        let mut found = Vec::new();
        let Some(mut node) = self.nodes.first() else { return found };
        found.extend(self.entries_of(node).map(|entries| (0, entries)));
        for (index, digit) in number.bytes().enumerate().take(MOST_DIGITS) {
            let Some(next) = self.child(node, digit) else { break };
            node = next;
            found.extend(self.entries_of(node).map(|entries| (index + 1, entries)));
        }
        found.reverse();
        found
    }

    /// Every prefix with its entries, sorted by prefix.
    pub(super) fn all(&self) -> Vec<(Box<[u8]>, Entry)> {
        let mut all = Vec::with_capacity(self.entries.len());
        let mut open: Vec<(&Node, Vec<u8>)> =
            self.nodes.first().map(|root| (root, Vec::new())).into_iter().collect();
        while let Some((node, prefix)) = open.pop() {
            let entries = self.entries_of(node).unwrap_or_default();
            all.extend(entries.iter().map(|entry| (prefix.clone().into_boxed_slice(), *entry)));
            for digit in (b'0'..=b'9').rev() {
                if let Some(child) = self.child(node, digit) {
                    let mut longer = prefix.clone();
                    longer.push(digit);
                    open.push((child, longer));
                }
            }
        }
        all
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) const fn octets(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.entries.capacity() * size_of::<Entry>()
    }

    fn child(&self, node: &Node, digit: u8) -> Option<&Node> {
        let bit = bit(digit);
        if node.digits & bit == 0 || bit == 0 {
            return None;
        }
        let before = (node.digits & (bit - 1)).count_ones();
        self.nodes.get(usize::try_from(node.first_child + before).ok()?)
    }

    fn entries_of(&self, node: &Node) -> Option<&[Entry]> {
        let start = usize::try_from(node.first_entry).ok()?;
        let count = usize::try_from(node.entries).ok()?;
        self.entries.get(start..start + count).filter(|entries| !entries.is_empty())
    }
}

/// The bit of a digit; 0 for anything else.
fn bit(digit: u8) -> u16 {
    if digit.is_ascii_digit() { 1 << (digit - b'0') } else { 0 }
}

fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
