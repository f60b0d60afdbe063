//! Session timers (RFC 4028 section 8): what a proxy asks for in requests that begin or refresh a session, and what it
//! adds to their answers.
//!
//! ```text
//! caller                      this proxy                      callee
//!   | INVITE (Supported: timer)  |  INVITE + Session-Expires: N   |
//!   |--------------------------->|------------------------------->|
//!   |  200 + Session-Expires: N;refresher=uac, Require: timer     |  200, which says nothing: the callee knows
//!   |<---------------------------|<-------------------------------|  no session timers
//! ```

use super::plan::Edit;
use crate::header::{Header, HeaderName, MinSe, SessionExpires};
use crate::message::{Message, Method};

/// What is asked of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionRules {
    /// The session interval that requests are given which ask for none, in seconds; 0: none.
    pub expires: u32,
    /// The shortest session interval that is taken, in seconds; 0: any. In earnest at least 90 (section 8.1).
    pub minimum: u32,
}

/// What has to be remembered of a request until its answer (section 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The session interval in the request that was sent on, in seconds.
    seconds: u32,
    /// The client knows session timers.
    is_known: bool,
}

impl Asked {
    /// In five octets.
    pub(crate) fn to_bytes(self) -> [u8; 5] {
        let [a, b, c, d] = self.seconds.to_le_bytes();
        [a, b, c, d, u8::from(self.is_known)]
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    pub(crate) const fn from_bytes([a, b, c, d, is_known]: [u8; 5]) -> Self {
        Self { seconds: u32::from_le_bytes([a, b, c, d]), is_known: is_known != 0 }
    }
}

/// The session interval is shorter than what is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooSmall {
    /// For `Min-SE`, in seconds.
    pub(crate) minimum: u32,
}

/// Section 8.1: the changes to a request that begins or refreshes a session, and what to remember.
pub(crate) fn consider(
    request: &Message,
    rules: SessionRules,
) -> Result<(Vec<Edit>, Option<Asked>), TooSmall> {
    if !matches!(request.method(), Some(Method::Invite | Method::Update)) {
        return Ok((Vec::new(), None));
    }
    let has_timer = |name| {
        request.option_tags(name).is_ok_and(|tags: crate::header::OptionTags| tags.has(TIMER))
    };
    let is_known = has_timer(HeaderName::Supported) || has_timer(HeaderName::Require);
    let least = request.header::<MinSe>().ok().flatten().map(|least| least.0);
    let asked = |seconds| Some(Asked { seconds, is_known });
    let (wanted, raised) = match request.header::<SessionExpires>() {
        // What cannot be read is left to whom it is for.
        Err(_) => return Ok((Vec::new(), None)),
        Ok(None) if rules.expires == 0 => return Ok((Vec::new(), None)),
        Ok(None) => {
            let seconds = rules.expires.max(least.unwrap_or(0));
            let edit = Edit::Append(SESSION_EXPIRES.to_owned(), seconds.to_string());
            return Ok((vec![edit], asked(seconds)));
        }
        Ok(Some(SessionExpires(wanted))) if wanted < rules.minimum => {
            if is_known {
                return Err(TooSmall { minimum: rules.minimum });
            }
            let least = least.unwrap_or(0).max(rules.minimum);
            (wanted, Some(least))
        }
        Ok(Some(SessionExpires(wanted))) => (wanted, None),
    };
    let mut edits = Vec::new();
    if let Some(raised) = raised {
        edits.push(Edit::Set(MinSe::NAME.as_str().to_owned(), raised.to_string()));
    }
    let seconds = wanted.max(raised.or(least).unwrap_or(0));
    if seconds > wanted {
        // Who refreshes is not ours to say, nor to unsay.
        let value = request.field(HeaderName::SessionExpires);
        let value = value.map(|field| field.unfolded().into_owned()).unwrap_or_default();
        let parameters = value.split_once(';').map(|(_, rest)| format!(";{rest}"));
        let value = format!("{seconds}{}", parameters.unwrap_or_default());
        edits.push(Edit::Set(SESSION_EXPIRES.to_owned(), value));
    }
    Ok((edits, asked(seconds)))
}

/// Section 8.2: what is added to a 2xx of a callee who knows no session timers, when the caller does.
pub(crate) fn complete(asked: Option<Asked>, response: &mut Message) {
    let is_success = response.status().is_some_and(|status| (200..300).contains(&status));
    let Some(Asked { seconds, is_known: true }) = asked else { return };
    if !is_success || response.has(HeaderName::SessionExpires) {
        return;
    }
    response.append(HeaderName::SessionExpires, &format!("{seconds};refresher=uac"));
    let required = response.option_tags(HeaderName::Require);
    if !required.is_ok_and(|tags| tags.has(TIMER)) {
        response.append(HeaderName::Require, TIMER);
    }
}

const TIMER: &str = "timer";
const SESSION_EXPIRES: &str = HeaderName::SessionExpires.as_str();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Limits;

    const RULES: SessionRules = SessionRules { expires: 1800, minimum: 120 };

    fn message(start: &str, method: &str, fields: &str) -> Message {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n{fields}From: <sip:a@example.com>;tag=f\r\n\
             To: <sip:b@example.com>\r\nCall-ID: c1\r\nCSeq: 2 {method}\r\nContent-Length: 0\r\n\r\n"
        );
        Message::parse(text.into(), &Limits::default()).expect("a message")
    }

    fn request(method: &str, fields: &str) -> Message {
        message(&format!("{method} sip:b@example.com SIP/2.0"), method, fields)
    }

    /// `Session-Expires` and `Min-SE` of the request as it is sent on.
    fn sent(fields: &str, rules: SessionRules) -> Result<(String, String), TooSmall> {
        let mut request = request("INVITE", fields);
        let (edits, _) = consider(&request, rules)?;
        edits.iter().for_each(|edit| edit.apply(&mut request));
        let text = |name| {
            assert!(request.named(name).count() <= 1);
            request.field(name).map(|f| f.unfolded().into_owned()).unwrap_or_default()
        };
        Ok((text(HeaderName::SessionExpires), text(HeaderName::MinSe)))
    }

    #[test]
    fn rfc4028_8_1_requests() {
        let ok = |expires: &str, least: &str| Ok((expires.to_owned(), least.to_owned()));
        let timer = "Supported: 100rel, timer\r\n";
        for (fields, expected) in [
            // Nobody asked: this proxy does, with no less than Min-SE.
            (String::new(), ok("1800", "")),
            (timer.to_owned(), ok("1800", "")),
            (format!("{timer}Min-SE: 2000\r\n"), ok("2000", "2000")),
            // Asked for: not raised, not cut, the refresher left as it is.
            ("Session-Expires: 4000;refresher=uas\r\n".to_owned(), ok("4000;refresher=uas", "")),
            ("x: 120\r\n".to_owned(), ok("120", "")),
            // Too small.
            (format!("{timer}Session-Expires: 119\r\n"), Err(TooSmall { minimum: 120 })),
            ("Require: timer\r\nx: 90\r\n".to_owned(), Err(TooSmall { minimum: 120 })),
            // Too small, and nobody there who understands 422.
            ("Session-Expires: 90;refresher=uac\r\n".to_owned(), ok("120;refresher=uac", "120")),
            ("x: 90\r\nMin-SE: 100\r\n".to_owned(), ok("120", "120")),
            ("x: 90\r\nMin-SE: 300\r\n".to_owned(), ok("300", "300")),
            // Somebody before us raised Min-SE.
            ("x: 200\r\nMin-SE: 300\r\n".to_owned(), ok("300", "300")),
            // Not readable, not touched.
            ("Session-Expires: soon\r\n".to_owned(), ok("soon", "")),
        ] {
            assert_eq!(sent(&fields, RULES), expected, "{fields}");
        }
        let none = SessionRules::default();
        assert_eq!(sent(timer, none), ok("", ""));
        assert_eq!(sent("x: 1\r\nSupported: timer\r\n", none), ok("1", ""));
    }

    #[test]
    fn rfc4028_8_1_only_requests_that_refresh() {
        assert!(consider(&request("UPDATE", ""), RULES).is_ok_and(|(edits, _)| edits.len() == 1));
        for method in ["INFO", "MESSAGE", "BYE", "SUBSCRIBE"] {
            let fields = "Session-Expires: 1\r\nSupported: timer\r\n";
            assert_eq!(consider(&request(method, fields), RULES), Ok((Vec::new(), None)));
        }
    }

    #[test]
    fn rfc4028_8_2_answers() {
        let answered = |asked: &str, start: &str, fields: &str| {
            let asked = consider(&request("INVITE", asked), RULES).expect("it is taken").1;
            let mut response = message(start, "INVITE", fields);
            complete(asked, &mut response);
            let all = |name| -> Vec<String> {
                response.named(name).map(|f| f.unfolded().into_owned()).collect()
            };
            [all(HeaderName::SessionExpires).join("|"), all(HeaderName::Require).join("|")]
        };
        let (ok, timer) = ("SIP/2.0 200 OK", "Supported: timer\r\n");
        assert_eq!(answered(timer, ok, ""), ["1800;refresher=uac", "timer"]);
        let asked = "Supported: timer\r\nSession-Expires: 600\r\n";
        assert_eq!(answered(asked, ok, "Require: x\r\n"), ["600;refresher=uac", "x|timer"]);
        // The callee knows of it, or the caller does not, or it is not answered.
        let told = "Session-Expires: 500;refresher=uas\r\n";
        assert_eq!(answered(timer, ok, told), ["500;refresher=uas", ""]);
        assert_eq!(answered("", ok, ""), ["", ""]);
        assert_eq!(answered(timer, "SIP/2.0 183 Session Progress", ""), ["", ""]);
    }
}
