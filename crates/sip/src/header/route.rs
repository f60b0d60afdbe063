//! `Route`, `Record-Route`, `Path` and `Service-Route` (RFC 3261 sections 20.30, 20.34; RFC 3327, 3608).

use super::name_addr::NameAddr;
use super::{HeaderError, HeaderName, ListHeader};
use crate::uri::Uri;
use std::fmt;

macro_rules! route {
    ($(#[$doc:meta])* $type:ident $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $type(pub NameAddr);

        impl $type {
            /// An entry for a URI.
            #[must_use]
            pub fn new(uri: Uri) -> Self {
                Self(NameAddr::new(uri))
            }

            /// The URI.
            #[must_use]
            pub const fn uri(&self) -> &Uri {
                self.0.uri()
            }
        }

        impl ListHeader for $type {
            const NAME: HeaderName = HeaderName::$name;

            /// Reads one entry. The grammar wants angle brackets; an entry without them is taken when it
            /// has no parameters, since it is not clear whose those would be.
            fn parse_one(value: &str) -> Result<Self, HeaderError> {
                let wrong = |reason| HeaderError::new(Self::NAME, reason);
                let address = NameAddr::read(value).map_err(wrong)?;
                if !value.contains('<') && !address.params.is_empty() {
                    return Err(wrong("a URI with parameters must stand in angle brackets"));
                }
                Ok(Self(address))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

route! {
    /// A proxy that the request must visit.
    RouteHeader Route
}

route! {
    /// A proxy that wants to stay on the path of the dialog.
    RecordRouteHeader RecordRoute
}

route! {
    /// A proxy between the registrar and the contact.
    PathHeader Path
}

route! {
    /// A proxy that the registered phone sends its requests through.
    ServiceRouteHeader ServiceRoute
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists() {
        let list = RouteHeader::parse_list("<sip:a;lr>,\r\n \"P, 2\" <sip:b;lr;x=%2C>;y=1 , sip:c")
            .expect("routes");
        let uris: Vec<_> = list.iter().map(|r| r.uri().as_str()).collect();
        assert_eq!(uris, ["sip:a;lr", "sip:b;lr;x=%2C", "sip:c"]);
        assert_eq!(list.first().map(ToString::to_string).as_deref(), Some("<sip:a;lr>"));
        for text in ["", "<sip:a>,", "sip:a;lr", "<sip:a"] {
            assert!(RecordRouteHeader::parse_list(text).is_err(), "{text}");
        }
    }
}
