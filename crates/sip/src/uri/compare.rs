//! Comparison of URIs (RFC 3261 section 19.1.4, RFC 3966 section 5).

use super::{Scheme, Uri};
use ngn_model::escapes::hex_pair;
use std::collections::{BTreeMap, BTreeSet};

/// Parameters that must be in both URIs or in neither.
///
/// The text names `user`, `ttl`, `method` and `maddr`; its examples show that `transport` belongs here too.
const NEVER_IGNORED: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

impl Uri {
    /// Whether both URIs are equivalent by RFC 3261 section 19.1.4.
    ///
    /// The relation is not transitive: parameters that only one URI has are ignored.
    #[must_use]
    pub fn is_equivalent(&self, other: &Self) -> bool {
        if self.scheme != other.scheme {
            return false;
        }
        match self.scheme {
            Scheme::Sip | Scheme::Sips => self.is_equivalent_sip(other),
            Scheme::Tel => self.is_equivalent_tel(other),
            Scheme::Other => {
                self.scheme_text().eq_ignore_ascii_case(other.scheme_text())
                    && self.after_scheme() == other.after_scheme()
            }
        }
    }

    fn is_equivalent_sip(&self, other: &Self) -> bool {
        let same_text = |a: Option<&str>, b: Option<&str>| match (a, b) {
            (Some(a), Some(b)) => a == b || fold(a) == fold(b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let same_host = || match (self.host(), other.host()) {
            (Some(a), Some(b)) => a.matches(&b),
            _ => false,
        };
        // What costs least comes first.
        self.port == other.port
            && same_text(self.user(), other.user())
            && same_text(self.password(), other.password())
            && same_host()
            && are_compatible(&self.folded_params(), &other.folded_params())
            && self.has_same_headers(other)
    }

    /// Names and values of the parameters, folded. One that is repeated, against section 19.1.1, has several
    /// values. A map, since comparing each with each would take minutes for a URI of the size of a datagram.
    fn folded_params(&self) -> ParamMap {
        let mut map = ParamMap::new();
        for (name, value) in self.params() {
            map.entry(fold_case(name)).or_default().insert(value.map(fold_case));
        }
        map
    }

    /// Each name and value must be in both as often.
    fn has_same_headers(&self, other: &Self) -> bool {
        let folded = |uri: &Self| -> Vec<(Vec<u8>, Vec<u8>)> {
            let pairs = uri.headers().map(|(n, v)| (fold_case(n), fold(v.unwrap_or(""))));
            let mut pairs: Vec<_> = pairs.collect();
            pairs.sort();
            pairs
        };
        folded(self) == folded(other)
    }

    /// Both local or both global; digits compared without visual separators and case, parameters in any
    /// order (RFC 3966 section 5).
    fn is_equivalent_tel(&self, other: &Self) -> bool {
        let plain = |uri: &Self| -> String {
            let number = uri.user().unwrap_or("").chars();
            number.filter(|c| !"-.()".contains(*c)).map(|c| c.to_ascii_lowercase()).collect()
        };
        let params = |uri: &Self| -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
            let pairs = uri.params().map(|(n, v)| (fold_case(n), v.map(fold_case)));
            let mut pairs: Vec<_> = pairs.collect();
            pairs.sort();
            pairs
        };
        plain(self) == plain(other) && params(self) == params(other)
    }
}

/// Parameters by folded name.
type ParamMap = BTreeMap<Vec<u8>, BTreeSet<Option<Vec<u8>>>>;

/// Whether parameters that both have are the same, and those that only one has may be ignored.
fn are_compatible(a: &ParamMap, b: &ParamMap) -> bool {
    let may_lack = |name: &[u8]| !NEVER_IGNORED.iter().any(|never| never.as_bytes() == name);
    let fits = |one: &ParamMap, two: &ParamMap| {
        let mut all = one.iter();
        all.all(|(name, values)| two.get(name).map_or_else(|| may_lack(name), |v| v == values))
    };
    fits(a, b) && fits(b, a)
}

/// Resolves the escapes of characters that are not reserved; those are equal to their escaped form, while
/// an escaped reserved character differs from the plain one.
fn fold(text: &str) -> Vec<u8> {
    let mut folded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, hex_pair(tail)) {
            (b'%', Some((value, after))) => {
                rest = after;
                if is_reserved(value) {
                    folded.push(b'%');
                    folded.extend(tail.iter().take(2).map(u8::to_ascii_uppercase));
                } else {
                    folded.push(value);
                }
            }
            _ => folded.push(byte),
        }
    }
    folded
}

fn fold_case(text: &str) -> Vec<u8> {
    let mut folded = fold(text);
    folded.make_ascii_lowercase();
    folded
}

/// `reserved` of section 25.1; `%` itself counts, since `%25` must not turn into the start of an escape.
const fn is_reserved(byte: u8) -> bool {
    matches!(byte, b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',' | b'%')
}
