//! Messages that this element makes itself, most of them from one that it received.

use super::head::Head;
use super::known::Known;
use super::{Message, Method, StartLine};
use crate::header::scan::is_token_text;
use crate::header::{
    CSeq, FromHeader, Header, HeaderError, HeaderName, MaxForwards, ToHeader, Via,
};
use crate::uri::Uri;
use bytes::Bytes;
use std::borrow::Cow;

impl Message {
    /// A request of our own, out of the blue (RFC 3261 section 8.1.1): no Contact, no body.
    #[must_use]
    pub fn request(
        method: Method,
        uri: Uri,
        via: &Via,
        from: &FromHeader,
        to: &ToHeader,
        call_id: &str,
        cseq: u32,
    ) -> Self {
        let mut head = Head::empty();
        head.push(HeaderName::Via, &via.to_string());
        head.push(HeaderName::MaxForwards, &MaxForwards::DEFAULT.to_string());
        head.push(HeaderName::From, &from.to_string());
        head.push(HeaderName::To, &to.to_string());
        head.push(HeaderName::CallId, call_id);
        let cseq = CSeq { number: cseq, method: method.clone() };
        head.push(HeaderName::CSeq, &cseq.to_string());
        head.push(HeaderName::ContentLength, "0");
        Self::made(StartLine::Request { method, uri }, head)
    }

    /// A response to this request (section 8.2.6.2): Via, From, To, Call-ID and CSeq as they came, Timestamp
    /// in a 100. `to_tag` is added to To where that has no tag yet, never to a 100.
    #[must_use]
    pub fn response(&self, code: u16, phrase: &str, to_tag: Option<&str>) -> Self {
        response(&self.head, self.known.to.as_deref(), code, phrase, to_tag)
    }

    /// The CANCEL for this request, which must be the INVITE exactly as it was sent (section 9.1).
    ///
    /// Request-URI, Call-ID, To, From and the number of CSeq are the INVITE's, Via is its topmost one, and
    /// Route fields are repeated.
    pub fn cancel(&self) -> Result<Self, HeaderError> {
        self.derived(Method::Cancel, None)
    }

    /// The ACK for a final response other than 2xx to this request, which must be the INVITE exactly as it
    /// was sent (section 17.1.1.3): as for CANCEL, but To is the response's.
    pub fn ack(&self, response: &Self) -> Result<Self, HeaderError> {
        self.derived(Method::Ack, Some(response))
    }

    fn derived(&self, method: Method, response: Option<&Self>) -> Result<Self, HeaderError> {
        let StartLine::Request { uri, .. } = &self.start else {
            return Err(HeaderError::new(HeaderName::CSeq, "this is not a request"));
        };
        let mut head = Head::empty();
        head.push(HeaderName::Via, &self.top_via()?.to_string());
        head.copy_from(self.head.named(HeaderName::Route));
        head.push(HeaderName::MaxForwards, &MaxForwards::DEFAULT.to_string());
        head.copy_from(self.head.named(HeaderName::From));
        head.copy_from(response.unwrap_or(self).head.named(HeaderName::To));
        head.copy_from(self.head.named(HeaderName::CallId));
        let cseq = CSeq { number: self.cseq()?.number, method: method.clone() };
        head.push(HeaderName::CSeq, &cseq.to_string());
        head.push(HeaderName::ContentLength, "0");
        Ok(Self::made(StartLine::Request { method, uri: uri.clone() }, head))
    }

    fn made(start: StartLine, head: Head) -> Self {
        Self {
            start,
            start_length: 0,
            head,
            body: Bytes::new(),
            whole_length: 0,
            known: Known::default(),
        }
    }
}

/// Makes a response from the header section of a request, which may be malformed; `to` is its To where that was read.
pub(super) fn response(
    request: &Head,
    to: Option<&ToHeader>,
    code: u16,
    phrase: &str,
    to_tag: Option<&str>,
) -> Message {
    let code = code.clamp(100, 699);
    let phrase: String = phrase.chars().filter(|c| !c.is_control()).collect();
    let mut head = Head::with_room();
    head.copy_from(request.named(HeaderName::Via));
    head.copy_from(request.named(HeaderName::From));
    let read = || {
        let to = request.first(HeaderName::To)?;
        ToHeader::parse(&to.address_text()).ok().map(Cow::Owned)
    };
    let tag = to_tag.filter(|_| code != 100);
    let to = tag.and_then(|_| to.map(Cow::Borrowed).or_else(read));
    match (tag, request.first(HeaderName::To), to) {
        (Some(tag), Some(field), Some(to)) if to.tag().is_none() => {
            let name = HeaderName::To;
            if field.text().is_none() {
                // A display name that is not UTF-8 comes back as it was.
                head.push_octets(name, &[field.value(), b";tag=", tag.as_bytes()]);
            } else if to.params.is_empty() && is_token_text(tag) {
                head.push_octets(name, &[to.before_params().as_bytes(), b";tag=", tag.as_bytes()]);
            } else {
                let mut to = to.into_owned();
                to.set_tag(tag);
                head.push(name, &to.to_string());
            }
        }
        _ => head.copy_from(request.named(HeaderName::To)),
    }
    head.copy_from(request.named(HeaderName::CallId));
    head.copy_from(request.named(HeaderName::CSeq));
    if code == 100 {
        head.copy_from(request.named(HeaderName::Timestamp));
    }
    head.push(HeaderName::ContentLength, "0");
    Message::made(StartLine::Status { code, phrase }, head)
}

/// The usual reason phrase of a status code (section 21 and the RFCs that added codes).
#[must_use]
pub const fn reason_phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        430 => "Flow Failed",
        433 => "Anonymity Disallowed",
        439 => "First Hop Lacks Outbound Support",
        440 => "Max-Breadth Exceeded",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        _ => match code / 100 {
            0 | 1 => "Session Progress",
            2 => "OK",
            3 => "Redirect",
            4 => "Bad Request",
            5 => "Server Error",
            _ => "Declined",
        },
    }
}
