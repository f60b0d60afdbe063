//! The seven ports and their operations (contract B1-B7), one file per port.

pub mod customer;
pub mod dns;
pub mod enum_;
pub mod network;
pub mod rating;
pub mod sip;
pub mod voicemail;

use crate::codec::{Decoder, Record};
use crate::fault::Fault;
use crate::schema::OperationRow;
use crate::types::Auth;
use crate::xml::Element;
use crate::{Encode, Style};

/// The namespace of all types; those of the ports begin with it.
pub const NAMESPACE: &str = "urn:AGProjects:NGNPro";

macro_rules! ports {
    ($($(#[doc = $doc:literal])* $name:ident $module:ident $namespace:literal;)*) => {
        /// A port: a group of operations with a namespace of its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Port {
            $($(#[doc = $doc])* $name,)*
        }

        impl Port {
            /// Every port, in the order of the WSDL (contract E3).
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The port's name, without the suffix `Port`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The namespace of its operations.
            #[must_use]
            pub const fn namespace(self) -> &'static str {
                match self {
                    $(Self::$name => $namespace,)*
                }
            }

            /// What the port is for.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*),)*
                }
            }

            /// Its operations, in the order of the WSDL.
            #[must_use]
            pub const fn operations(self) -> &'static [&'static OperationRow] {
                match self {
                    $(Self::$name => $module::OPERATIONS,)*
                }
            }

            /// The port of a name, in any case, with or without the suffix `Port`.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                let name = match name.len().checked_sub(4).map(|at| (name.get(..at), name.get(at..))) {
                    Some((Some(head), Some(tail))) if tail.eq_ignore_ascii_case("port") => head,
                    _ => name,
                };
                Self::ALL.iter().copied().find(|port| port.name().eq_ignore_ascii_case(name))
            }

            /// The port of a namespace.
            #[must_use]
            pub fn from_namespace(namespace: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|port| port.namespace() == namespace)
            }

            pub(crate) fn decode<'d>(
                self,
                name: &str,
                element: Element<'d>,
                decoder: &mut Decoder<'d>,
            ) -> Option<Result<Request, Fault>> {
                match self {
                    $(
                        Self::$name => $module::Request::decode(name, element, decoder)
                            .map(|request| request.map(Request::$name)),
                    )*
                }
            }
        }

        /// A call of any port.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant, reason = "a request is moved once, to its handler")]
        pub enum Request {
            $($(#[doc = $doc])* $name($module::Request),)*
        }

        impl Request {
            /// The operation that is called.
            #[must_use]
            pub const fn operation(&self) -> &'static OperationRow {
                match self {
                    $(Self::$name(request) => request.operation(),)*
                }
            }

            /// Encodes the call, for clients of the API. Members without a value are left out.
            #[must_use]
            pub fn encode(&self, auth: Option<&Auth>, style: Style) -> Vec<u8> {
                match self {
                    $(Self::$name(request) => request.encode(auth, style),)*
                }
            }
        }

        $(
            impl From<$module::Request> for Request {
                fn from(request: $module::Request) -> Self {
                    Self::$name(request)
                }
            }
        )*

        #[cfg(test)]
        pub(crate) fn round_trips() -> impl Iterator<Item = &'static crate::sample::CallRoundTrip> {
            [$($module::ROUND_TRIPS,)*].into_iter().flatten()
        }
    };
}

ports! {
    /// SIP domains, accounts, aliases, peers and routing.
    Sip sip "urn:AGProjects:NGNPro:Sip";
    /// Voicemail accounts.
    Voicemail voicemail "urn:AGProjects:NGNPro:Voicemail";
    /// ENUM ranges and numbers.
    Enum enum_ "urn:AGProjects:NGNPro:Enum";
    /// DNS zones and records.
    Dns dns "urn:AGProjects:NGNPro:Dns";
    /// Rating profiles.
    Rating rating "urn:AGProjects:NGNPro:Rating";
    /// Customers and resellers.
    Customer customer "urn:AGProjects:NGNPro:Customer";
    /// State of the platform.
    Network network "urn:AGProjects:NGNPro:Network";
}

/// An operation: a struct of its parameters, and what it returns.
pub trait Operation: Record {
    /// What it returns; `()` when void.
    type Response: Encode;
    /// Its port.
    const PORT: Port;
    /// Its name.
    const NAME: &'static str;
    /// The operation as data.
    const ROW: &'static OperationRow;
}
