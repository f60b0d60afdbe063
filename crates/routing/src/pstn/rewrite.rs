//! The number as a gateway wants it (B135).

use super::GatewayPlace;
use ngn_model::GatewayRule;

impl GatewayPlace {
    /// The number to send, and the rule that made it; without one the number stays as it is. `None` when the rule
    /// leaves nothing of it.
    ///
    /// The rule with the longest prefix is taken, and no other.
    pub(crate) fn rewrite(&self, number: &str) -> Option<(String, Option<&GatewayRule>)> {
        let Some(rule) = self.rules.iter().find(|rule| applies(rule, number)) else {
            return Some((number.to_owned(), None));
        };
        let strip = usize::try_from(rule.strip).unwrap_or(usize::MAX);
        let sent = format!("{}{}", rule.prepend, number.get(strip..).unwrap_or_default());
        (!sent.is_empty()).then_some((sent, Some(rule)))
    }
}

/// Whether a rule is for a number: by its prefix and its length, where 0 is no limit.
fn applies(rule: &GatewayRule, number: &str) -> bool {
    let length = u32::try_from(number.len()).unwrap_or(u32::MAX);
    number.starts_with(rule.prefix.as_str())
        && length >= rule.min_length
        && (rule.max_length == 0 || length <= rule.max_length)
}
