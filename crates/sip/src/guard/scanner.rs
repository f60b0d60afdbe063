//! Clients that name themselves after programs that look for victims.

use crate::header::HeaderName;
use crate::message::Message;

/// Words by which scanners are known.
#[derive(Debug, Clone, Default)]
pub struct Scanners(Vec<String>);

impl Scanners {
    /// Takes words; letter case does not count, and empty ones name nobody.
    #[must_use]
    pub fn new(words: &[String]) -> Self {
        let words = words.iter().map(|word| word.trim().to_ascii_lowercase());
        Self(words.filter(|word| !word.is_empty()).collect())
    }

    /// Whether User-Agent holds one of the words, or From is such a user or has such a display name.
    #[must_use]
    pub fn know(&self, request: &Message) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let agent = request.field(HeaderName::UserAgent);
        let agent = agent.and_then(|field| field.text()).unwrap_or_default().to_ascii_lowercase();
        if !agent.is_empty() && self.0.iter().any(|word| agent.contains(word.as_str())) {
            return true;
        }
        let Ok(from) = request.from_header() else { return false };
        let user = from.uri().user_unescaped();
        let is_word = |text: &str| self.0.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
        user.is_some_and(|user| is_word(&user))
            || from.display_name().is_some_and(|name| is_word(&name))
    }
}
