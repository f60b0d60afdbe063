//! Which answer the caller gets when nobody accepted (RFC 3261 section 16.7 steps 6 and 7).

use crate::header::HeaderName;
use crate::message::Message;
use crate::uri::Uri;

/// A final answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// One that came from downstream.
    Received(Box<Message>),
    /// One of our own, with this status.
    Own(u16),
    /// 302: the caller is to call this URI itself.
    Redirect(Box<Uri>),
    /// None: nothing may be sent (408 to anything but INVITE, RFC 4320 section 4.2).
    Silence,
}

/// What is known when everything has ended.
pub(crate) struct Collected {
    /// The final responses, 300 to 699, in the order in which they came.
    pub(crate) candidates: Vec<(u16, Message)>,
    pub(crate) is_invite: bool,
    /// The caller gave up.
    pub(crate) is_cancelled: bool,
    /// It led where it must not.
    pub(crate) is_forbidden: bool,
    /// Somebody did not answer in time.
    pub(crate) is_unanswered: bool,
    /// A registered contact cannot be reached any more.
    pub(crate) is_contact_gone: bool,
}

impl Collected {
    /// Chooses the answer.
    pub(crate) fn best(self) -> Answer {
        let mut candidates = self.candidates;
        if self.is_cancelled {
            let terminated = candidates.into_iter().find(|(status, _)| *status == 487);
            return terminated.map_or(Answer::Own(487), |(_, r)| Answer::Received(Box::new(r)));
        }
        let best = (0..candidates.len())
            .min_by_key(|index| candidates.get(*index).map(|(status, _)| rank(*status)));
        let best = best.map(|index| candidates.remove(index));
        match best {
            Some((401 | 407, response)) => {
                Answer::Received(Box::new(with_all_challenges(response, &candidates)))
            }
            Some((408, _)) if !self.is_invite => Answer::Silence,
            // A 408 of our own is of a better class than a 5xx.
            Some((500..=599, _)) | None if self.is_unanswered => {
                if self.is_invite {
                    Answer::Own(408)
                } else {
                    Answer::Silence
                }
            }
            Some((500..=599, _)) | None if self.is_forbidden => Answer::Own(403),
            // RFC 5626 section 7: the caller knows nothing of flows, and nothing has failed here.
            Some((430 | 500..=599, _)) | None if self.is_contact_gone => Answer::Own(480),
            // A 503 says that we cannot serve anything; we only could not reach somebody (step 6).
            Some((503, _)) | None => Answer::Own(500),
            Some((_, response)) => Answer::Received(Box::new(response)),
        }
    }
}

/// The order of preference among final responses: 6xx, then the lower class; among 4xx first what helps the
/// caller to try again, last what says nothing about the callee.
const fn rank(status: u16) -> u16 {
    match status {
        600.. => 0,
        300..=399 => 1000 + status,
        401 | 407 => 2000,
        415 | 420 | 484 => 2001,
        408 | 487 => 2900,
        400..=499 => 2002,
        503 => 3001,
        _ => 3000,
    }
}

/// Adds the challenges of all other 401 and 407 responses (step 7).
fn with_all_challenges(mut best: Message, others: &[(u16, Message)]) -> Message {
    for (_, other) in others.iter().filter(|(status, _)| matches!(status, 401 | 407)) {
        for name in [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate] {
            best.copy(name, other);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Limits;

    fn response(status: u16, fields: &str) -> (u16, Message) {
        let text = format!(
            "SIP/2.0 {status} X\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n{fields}\
             From: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>;tag=t\r\nCall-ID: c1\r\n\
             CSeq: 2 INVITE\r\nContent-Length: 0\r\n\r\n"
        );
        (status, Message::parse(text.into(), &Limits::default()).expect("a response"))
    }

    fn collected(statuses: &[u16]) -> Collected {
        Collected {
            candidates: statuses.iter().map(|status| response(*status, "")).collect(),
            is_invite: true,
            is_cancelled: false,
            is_forbidden: false,
            is_unanswered: false,
            is_contact_gone: false,
        }
    }

    /// Received statuses as they are, statuses of our own negative, silence 0.
    fn number(answer: &Answer) -> i32 {
        match answer {
            Answer::Received(response) => i32::from(response.status().expect("a status")),
            Answer::Own(status) => -i32::from(*status),
            Answer::Redirect(_) => -302,
            Answer::Silence => 0,
        }
    }

    #[test]
    fn rfc3261_16_7_step_6_the_best_response() {
        for (statuses, best) in [
            (&[404, 302, 486][..], 302),
            (&[302, 603, 404], 603),
            (&[500, 404, 486], 404),
            (&[486, 404], 486),
            (&[486, 415], 415),
            (&[486, 484, 407], 407),
            (&[408, 486], 486),
            (&[487, 486], 486),
            (&[408], 408),
            (&[503], -500),
            (&[503, 502], 502),
            (&[], -500),
        ] {
            assert_eq!(number(&collected(statuses).best()), best, "{statuses:?}");
        }
    }

    #[test]
    fn when_nobody_answered_in_time() {
        let of = |statuses: &[u16], is_invite| {
            number(&Collected { is_unanswered: true, is_invite, ..collected(statuses) }.best())
        };
        assert_eq!(of(&[], true), -408);
        assert_eq!(of(&[500], true), -408);
        assert_eq!(of(&[486], true), 486);
        assert_eq!(of(&[], false), 0, "RFC 4320 section 4.2");
        assert_eq!(of(&[408], false), 0);
        assert_eq!(of(&[404], false), 404);
    }

    #[test]
    fn rfc5626_7_when_a_phone_is_gone() {
        let of = |statuses: &[u16]| {
            number(&Collected { is_contact_gone: true, ..collected(statuses) }.best())
        };
        assert_eq!(of(&[]), -480);
        assert_eq!(of(&[430]), -480);
        assert_eq!(of(&[503]), -480);
        assert_eq!(of(&[486]), 486);
        assert_eq!(of(&[430, 603]), 603);
    }

    #[test]
    fn when_the_caller_gave_up() {
        let of = |statuses: &[u16]| {
            number(&Collected { is_cancelled: true, ..collected(statuses) }.best())
        };
        assert_eq!(of(&[]), -487);
        assert_eq!(of(&[486]), -487);
        assert_eq!(of(&[486, 487]), 487);
    }

    #[test]
    fn rfc3261_16_7_step_7_all_challenges_are_collected() {
        let candidates = vec![
            response(407, "Proxy-Authenticate: Digest realm=\"a\"\r\n"),
            response(486, ""),
            response(401, "WWW-Authenticate: Digest realm=\"b\"\r\n"),
            response(407, "Proxy-Authenticate: Digest realm=\"c\"\r\n"),
        ];
        let Answer::Received(best) = Collected { candidates, ..collected(&[]) }.best() else {
            panic!("no response")
        };
        let values = |name| {
            let fields = best.named(name).map(|f| String::from_utf8_lossy(f.value()).into_owned());
            fields.collect::<Vec<_>>()
        };
        assert_eq!(best.status(), Some(407));
        assert_eq!(
            values(HeaderName::ProxyAuthenticate),
            ["Digest realm=\"a\"", "Digest realm=\"c\""]
        );
        assert_eq!(values(HeaderName::WwwAuthenticate), ["Digest realm=\"b\""]);
    }
}
