//! 503 to those for whom there is no time, without keeping anything.

use super::Config;
use super::server::reply_to;
use super::tag::Tag;
use crate::header::{HeaderName, RetryAfter};
use crate::message::{Message, Method, reason_phrase};
use crate::proxy::secret::Purpose;
use crate::proxy::{Destination, Secret, Source};
use crate::transaction::KeyText;
use bytes::Bytes;

/// Says 503 with Retry-After to a request. It needs no stack, so that a stack which has too much to do need not see what
/// it would refuse; the answer is the same that it would give.
#[derive(Debug, Clone)]
pub struct Refuser {
    secret: Secret,
    retry_after: u32,
    retry_spread: u32,
    follows_nat: bool,
}

impl Refuser {
    /// One for a stack of these settings.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            secret: config.secret.clone(),
            retry_after: config.retry_after,
            retry_spread: config.retry_spread,
            follows_nat: config.follows_nat,
        }
    }

    /// The answer to a request as it came, and where it goes; `None` for what is not answered: an ACK, a response, a request
    /// that cannot be read. `number` should be another one each time, and such that nobody can foresee it.
    #[must_use]
    pub fn answer(
        &self,
        source: &Source,
        mut request: Message,
        number: u64,
    ) -> Option<(Destination, Bytes)> {
        if request.method().is_none_or(|method| *method == Method::Ack) {
            return None;
        }
        request.record_source(source.remote.ip(), source.remote.port()).ok()?;
        let key = KeyText::of(&request).ok()?;
        Some(self.refuse(source, &key, &request, 503, number))
    }

    /// The answer to a request whose Via says where it came from.
    pub(super) fn refuse(
        &self,
        source: &Source,
        key: &KeyText,
        request: &Message,
        status: u16,
        number: u64,
    ) -> (Destination, Bytes) {
        let tag = self.tag_of(key).to_text();
        let mut response = request.response(status, reason_phrase(status), Some(&tag));
        if status == 503 {
            // Some spreading, so that those who are turned away do not come back together.
            let spread = u64::from(self.retry_spread).saturating_add(1);
            let spread = u32::try_from(number % spread).unwrap_or(0);
            let seconds = RetryAfter(self.retry_after.saturating_add(spread));
            response.append(HeaderName::RetryAfter, &seconds.to_string());
        }
        (reply_to(request, source, self.follows_nat), response.to_bytes())
    }

    /// The To tag of our own responses to a request; the same for each copy of it.
    pub(super) fn tag_of(&self, key: &KeyText) -> Tag {
        Tag(self.secret.sign_short(Purpose::Tag, &[key.as_bytes()]))
    }
}
