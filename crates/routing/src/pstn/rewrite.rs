//! The number as a gateway wants it (B135).

use super::{GatewayPlace, RulePlace};
use ngn_model::GatewayRule;

impl GatewayPlace {
    /// The rule for a number, if there is one: the one with the longest prefix, and no other.
    pub(crate) fn rule(&self, number: &str) -> Option<&RulePlace> {
        self.rules.iter().map(|place| &**place).find(|place| place.applies(number))
    }

    /// The number to send; without a rule it stays as it is. `None` when the rule leaves nothing of it.
    pub(crate) fn rewrite(&self, number: &str) -> Option<String> {
        match self.rule(number) {
            Some(rule) => rule.leaves_some(number).then(|| rule.rewrite(number)),
            None => Some(number.to_owned()),
        }
    }
}

impl RulePlace {
    /// Whether the rule is for a number: by its prefix and its length, where 0 is no limit.
    fn applies(&self, number: &str) -> bool {
        let GatewayRule { prefix, min_length, max_length, .. } = &self.rule;
        let length = u32::try_from(number.len()).unwrap_or(u32::MAX);
        number.starts_with(prefix.as_str())
            && length >= *min_length
            && (*max_length == 0 || length <= *max_length)
    }

    /// Whether anything of a number is left, or put in its place.
    pub(crate) fn leaves_some(&self, number: &str) -> bool {
        !self.rest(number).is_empty() || !self.prepend.is_empty()
    }

    /// What is left of a number, behind what is put in front.
    pub(crate) fn rewrite(&self, number: &str) -> String {
        [&self.prepend, self.rest(number)].concat()
    }

    fn rest<'n>(&self, number: &'n str) -> &'n str {
        let strip = usize::try_from(self.rule.strip).unwrap_or(usize::MAX);
        number.get(strip..).unwrap_or_default()
    }
}
