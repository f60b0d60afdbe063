//! Names of header fields and their compact forms (RFC 3261 section 7.3.3).

use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident $text:literal $($compact:literal)?;)*) => {
        /// The name of a header field that this crate knows; all others are [`HeaderName::Other`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum HeaderName {
            $($(#[$doc])* $variant,)*
            /// A field whose name is not in this list; its name is found in the message.
            Other,
        }

        impl HeaderName {
            /// All names, without [`HeaderName::Other`].
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in its long form; empty for [`HeaderName::Other`].
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other => "",
                }
            }

            /// The compact form.
            #[must_use]
            pub const fn compact(self) -> Option<u8> {
                match self {
                    $($(Self::$variant => Some($compact),)?)*
                    _ => None,
                }
            }
        }
    };
}

names! {
    /// `Accept`.
    Accept "Accept";
    /// `Accept-Contact` (RFC 3841).
    AcceptContact "Accept-Contact" b'a';
    /// `Accept-Encoding`.
    AcceptEncoding "Accept-Encoding";
    /// `Accept-Language`.
    AcceptLanguage "Accept-Language";
    /// `Alert-Info`.
    AlertInfo "Alert-Info";
    /// `Allow`.
    Allow "Allow";
    /// `Allow-Events` (RFC 6665).
    AllowEvents "Allow-Events" b'u';
    /// `Authentication-Info`.
    AuthenticationInfo "Authentication-Info";
    /// `Authorization`.
    Authorization "Authorization";
    /// `Call-ID`.
    CallId "Call-ID" b'i';
    /// `Call-Info`.
    CallInfo "Call-Info";
    /// `Contact`.
    Contact "Contact" b'm';
    /// `Content-Disposition`.
    ContentDisposition "Content-Disposition";
    /// `Content-Encoding`.
    ContentEncoding "Content-Encoding" b'e';
    /// `Content-Language`.
    ContentLanguage "Content-Language";
    /// `Content-Length`.
    ContentLength "Content-Length" b'l';
    /// `Content-Type`.
    ContentType "Content-Type" b'c';
    /// `CSeq`.
    CSeq "CSeq";
    /// `Date`.
    Date "Date";
    /// `Diversion` (RFC 5806).
    Diversion "Diversion";
    /// `Error-Info`.
    ErrorInfo "Error-Info";
    /// `Event` (RFC 6665).
    Event "Event" b'o';
    /// `Expires`.
    Expires "Expires";
    /// `Flow-Timer` (RFC 5626).
    FlowTimer "Flow-Timer";
    /// `From`.
    From "From" b'f';
    /// `Geolocation` (RFC 6442).
    Geolocation "Geolocation";
    /// `History-Info` (RFC 7044).
    HistoryInfo "History-Info";
    /// `Identity` (RFC 8224).
    Identity "Identity" b'y';
    /// `In-Reply-To`.
    InReplyTo "In-Reply-To";
    /// `Max-Forwards`.
    MaxForwards "Max-Forwards";
    /// `MIME-Version`.
    MimeVersion "MIME-Version";
    /// `Min-Expires`.
    MinExpires "Min-Expires";
    /// `Min-SE` (RFC 4028).
    MinSe "Min-SE";
    /// `Organization`.
    Organization "Organization";
    /// `P-Asserted-Identity` (RFC 3325).
    PAssertedIdentity "P-Asserted-Identity";
    /// `P-Preferred-Identity` (RFC 3325).
    PPreferredIdentity "P-Preferred-Identity";
    /// `Path` (RFC 3327).
    Path "Path";
    /// `Priority`.
    Priority "Priority";
    /// `Privacy` (RFC 3323).
    Privacy "Privacy";
    /// `Proxy-Authenticate`.
    ProxyAuthenticate "Proxy-Authenticate";
    /// `Proxy-Authorization`.
    ProxyAuthorization "Proxy-Authorization";
    /// `Proxy-Require`.
    ProxyRequire "Proxy-Require";
    /// `RAck` (RFC 3262).
    RAck "RAck";
    /// `Reason` (RFC 3326).
    Reason "Reason";
    /// `Record-Route`.
    RecordRoute "Record-Route";
    /// `Refer-To` (RFC 3515).
    ReferTo "Refer-To" b'r';
    /// `Referred-By` (RFC 3892).
    ReferredBy "Referred-By" b'b';
    /// `Reject-Contact` (RFC 3841).
    RejectContact "Reject-Contact" b'j';
    /// `Remote-Party-ID`.
    RemotePartyId "Remote-Party-ID";
    /// `Replaces` (RFC 3891).
    Replaces "Replaces";
    /// `Reply-To`.
    ReplyTo "Reply-To";
    /// `Request-Disposition` (RFC 3841).
    RequestDisposition "Request-Disposition" b'd';
    /// `Require`.
    Require "Require";
    /// `Retry-After`.
    RetryAfter "Retry-After";
    /// `Route`.
    Route "Route";
    /// `RSeq` (RFC 3262).
    RSeq "RSeq";
    /// `Server`.
    Server "Server";
    /// `Service-Route` (RFC 3608).
    ServiceRoute "Service-Route";
    /// `Session-Expires` (RFC 4028).
    SessionExpires "Session-Expires" b'x';
    /// `SIP-ETag` (RFC 3903).
    SipETag "SIP-ETag";
    /// `SIP-If-Match` (RFC 3903).
    SipIfMatch "SIP-If-Match";
    /// `Subject`.
    Subject "Subject" b's';
    /// `Subscription-State` (RFC 6665).
    SubscriptionState "Subscription-State";
    /// `Supported`.
    Supported "Supported" b'k';
    /// `Timestamp`.
    Timestamp "Timestamp";
    /// `To`.
    To "To" b't';
    /// `Unsupported`.
    Unsupported "Unsupported";
    /// `User-Agent`.
    UserAgent "User-Agent";
    /// `Via`.
    Via "Via" b'v';
    /// `Warning`.
    Warning "Warning";
    /// `WWW-Authenticate`.
    WwwAuthenticate "WWW-Authenticate";
}

impl HeaderName {
    /// Recognises a name in its long or compact form, of either case.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        if let [letter] = name {
            let letter = letter.to_ascii_lowercase();
            let same = |known: &&Self| known.compact() == Some(letter);
            return Self::ALL.iter().find(same).copied().unwrap_or(Self::Other);
        }
        let mut at = place(name);
        while let Some(Some(known)) = PLACES.get(at) {
            let text = known.as_str().as_bytes();
            // As it is mostly written; to compare without case takes longer.
            if text == name || text.eq_ignore_ascii_case(name) {
                return *known;
            }
            at = (at + 1) % PLACES.len();
        }
        Self::Other
    }
}

/// All names, each at its [`place`] or, where others stand there, at the next free one behind it. More than half is free.
static PLACES: [Option<HeaderName>; 256] = {
    let mut places = [None; 256];
    let mut names = HeaderName::ALL;
    while let [name, rest @ ..] = names {
        let mut at = place(name.as_str().as_bytes());
        while places[at].is_some() {
            at = (at + 1) % places.len();
        }
        places[at] = Some(*name);
        names = rest;
    }
    places
};

/// Where a name stands: by its length, its first octet and two of its last, in lower case.
const fn place(name: &[u8]) -> usize {
    let (first, third_last, last) = match name {
        [first, .., third_last, _, last] => (*first, *third_last, *last),
        [first, .., last] => (*first, 0, *last),
        _ => (0, 0, 0),
    };
    let mixed = (first | 0x20) as usize * 7 + (third_last | 0x20) as usize * 31;
    (mixed + (last | 0x20) as usize * 3 + name.len() * 13) % 256
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_every_name_in_every_form() {
        for name in HeaderName::ALL {
            assert_eq!(HeaderName::of(name.as_str().as_bytes()), *name);
            assert_eq!(HeaderName::of(name.as_str().to_ascii_uppercase().as_bytes()), *name);
            if let Some(letter) = name.compact() {
                assert_eq!(HeaderName::of(&[letter]), *name);
                assert_eq!(HeaderName::of(&[letter.to_ascii_uppercase()]), *name);
            }
        }
        for other in ["", "q", "X-Foo", "Via2", "Vi", "Call_ID", "\u{ff}\u{ff}", &"a".repeat(300)] {
            assert_eq!(HeaderName::of(other.as_bytes()), HeaderName::Other, "{other}");
        }
    }

    #[test]
    fn names_stand_near_their_places() {
        let away = |known: &HeaderName| {
            let at = PLACES.iter().position(|one| one.as_ref() == Some(known)).unwrap();
            (at + PLACES.len() - place(known.as_str().as_bytes())) % PLACES.len()
        };
        let all: Vec<usize> = HeaderName::ALL.iter().map(away).collect();
        assert!(all.iter().sum::<usize>() < all.len() / 2, "{all:?}");
        assert!(all.iter().all(|away| *away < 6), "{all:?}");
    }
}
