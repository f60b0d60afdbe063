//! What the caller may have meant.

use crate::ports::Port;

/// The operation of a port whose name is nearest, if it is near.
pub(crate) fn operation(port: Port, name: &str) -> Option<&'static str> {
    // Nobody misspells more than a third of a name.
    let bound = (name.chars().count() / 3).max(1);
    nearest(port.operations().iter().map(|row| row.name), name, bound)
}

/// The port whose namespace is nearest, if it is near.
pub(crate) fn port(namespace: &str) -> Option<Port> {
    // What the namespaces have in common is most of them, so little may differ.
    let nearest = nearest(Port::ALL.iter().map(|port| port.namespace()), namespace, 2)?;
    Port::from_namespace(nearest)
}

fn nearest(
    candidates: impl Iterator<Item = &'static str>,
    name: &str,
    bound: usize,
) -> Option<&'static str> {
    // The cost below is a product of lengths.
    if name.len() > 64 {
        return None;
    }
    let name = name.to_ascii_lowercase();
    candidates
        .map(|candidate| (distance(&candidate.to_ascii_lowercase(), &name), candidate))
        .min()
        .filter(|(distance, _)| *distance <= bound)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance: letters to insert, delete or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("abc", "", 3), ("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        assert_eq!(operation(Port::Sip, "getAcounts"), Some("getAccounts"));
        assert_eq!(operation(Port::Sip, "ADDACCOUNT"), Some("addAccount"));
        assert_eq!(operation(Port::Dns, "addZones"), Some("addZone"));
        assert_eq!(operation(Port::Network, "reboot"), None);
        assert_eq!(operation(Port::Sip, &"a".repeat(100_000)), None);
        assert_eq!(port("urn:AGProjects:NGNPro:sip"), Some(Port::Sip));
        assert_eq!(port("urn:AGProjects:NGNPro"), None);
        assert_eq!(port("urn:example"), None);
    }
}
