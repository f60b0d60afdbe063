//! The macros of the one table: every type and every operation is written down once, and struct, codec,
//! schema row and reference come out of it.
//!
//! A kind is a token: an XSD name (`string`, `int`, `integer`, …), the name of a type of the table,
//! `[kind]` for a list, or `{ OrderBy: "SipOrderBy" }` for a type that has another name on the wire.
//! Words after a kind are the marks of [`crate::schema::MemberRow`].

/// The Rust type of a kind.
macro_rules! rust_type {
    (string) => { String };
    (int) => { i32 };
    (integer) => { i64 };
    (nonNegativeInteger) => { u32 };
    (unsignedInt) => { u32 };
    (unsignedShort) => { u16 };
    (boolean) => { bool };
    (double) => { f64 };
    (base64Binary) => { Vec<u8> };
    (void) => { () };
    ([$item:tt]) => { Vec<$crate::table::rust_type!($item)> };
    ({ $name:ident: $wire:literal }) => { $name };
    ($name:ident) => { $name };
}

/// The schema row of a kind.
macro_rules! kind {
    (string) => {
        $crate::schema::Kind::String
    };
    (int) => {
        $crate::schema::Kind::Int
    };
    (integer) => {
        $crate::schema::Kind::Integer
    };
    (nonNegativeInteger) => {
        $crate::schema::Kind::NonNegativeInteger
    };
    (unsignedInt) => {
        $crate::schema::Kind::UnsignedInt
    };
    (unsignedShort) => {
        $crate::schema::Kind::UnsignedShort
    };
    (boolean) => {
        $crate::schema::Kind::Boolean
    };
    (double) => {
        $crate::schema::Kind::Double
    };
    (base64Binary) => {
        $crate::schema::Kind::Base64Binary
    };
    ([$item:tt]) => {
        $crate::schema::Kind::Array(&$crate::table::kind!($item))
    };
    ({ $name:ident: $wire:literal }) => {{
        const ROW: &$crate::schema::StructRow = &$crate::schema::StructRow {
            name: $wire,
            doc: <$name>::ROW.doc,
            members: <$name>::ROW.members,
        };
        $crate::schema::Kind::Struct(ROW)
    }};
    ($name:ident) => {
        <$name>::KIND
    };
}

/// The kind that an operation returns, if any.
macro_rules! result_kind {
    (void) => {
        None
    };
    ($kind:tt) => {
        Some($crate::table::kind!($kind))
    };
}

/// The name on the wire: the literal where one is given, else the field's.
macro_rules! wire_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $wire:literal) => {
        $wire
    };
}

/// A struct whose members all are optional, with its codec.
macro_rules! record {
    (
        $(#[doc = $doc:expr])*
        $name:ident {
            $(
                $(#[doc = $member_doc:expr])*
                $field:ident $($wire:literal)? : $kind:tt $($mark:ident)*,
            )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Default)]
        pub struct $name {
            $(
                $(#[doc = $member_doc])*
                pub $field: Option<$crate::table::rust_type!($kind)>,
            )*
        }

        impl $name {
            const MEMBERS: &'static [$crate::schema::MemberRow] = &[
                $(
                    $crate::schema::MemberRow::new(
                        $crate::table::wire_name!($field $($wire)?),
                        $crate::table::kind!($kind),
                        concat!($($member_doc),*),
                    )$(.$mark())*,
                )*
            ];
        }

        impl $crate::codec::Record for $name {
            #[allow(unused_variables, reason = "a record may have no members")]
            fn from_members(
                members: &mut $crate::codec::Members<'_, '_>,
            ) -> Result<Self, $crate::fault::Fault> {
                Ok(Self { $($field: members.next()?,)* })
            }

            #[allow(unused_variables, reason = "a record may have no members")]
            fn write_members(&self, out: &mut $crate::writer::MemberWriter<'_>) {
                $(out.next(self.$field.as_ref());)*
            }
        }

        // What is absent is left out, what is secret is named without its value.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                #[allow(unused_mut, reason = "a record may have no members")]
                let mut shown = f.debug_struct(stringify!($name));
                #[allow(unused, reason = "a record may have no members")]
                let mut rows = Self::MEMBERS.iter();
                $(
                    match (rows.next(), &self.$field) {
                        (Some(row), Some(_)) if row.secret => {
                            shown.field(stringify!($field), &format_args!("(secret)"));
                        }
                        (_, Some(value)) => {
                            shown.field(stringify!($field), value);
                        }
                        (_, None) => {}
                    }
                )*
                shown.finish()
            }
        }

        #[cfg(test)]
        impl $crate::sample::Sample for $name {
            #[allow(unused_variables, reason = "a record may have no members")]
            fn sample(source: &mut $crate::sample::Source<'_>) -> Self {
                Self { $($field: $crate::sample::Sample::sample(source),)* }
            }
        }
    };
}

/// Complex types.
macro_rules! types {
    ($(
        $(#[doc = $doc:expr])*
        struct $name:ident { $($members:tt)* }
    )*) => {
        $(
            $crate::table::record! { $(#[doc = $doc])* $name { $($members)* } }

            impl $name {
                /// The type as data.
                pub const ROW: &'static $crate::schema::StructRow = &$crate::schema::StructRow {
                    name: stringify!($name),
                    doc: concat!($($doc),*),
                    members: Self::MEMBERS,
                };
                /// The type as a kind.
                pub const KIND: $crate::schema::Kind = $crate::schema::Kind::Struct(Self::ROW);
            }

            impl $crate::codec::Complex for $name {
                const MEMBERS: &'static [$crate::schema::MemberRow] = Self::MEMBERS;
            }

            #[cfg(test)]
            impl $crate::sample::Named for $name {
                const KIND: $crate::schema::Kind = Self::KIND;
            }

            impl $crate::codec::Value for $name {
                fn decode<'d>(
                    at: $crate::codec::At<'_, 'd>,
                    decoder: &mut $crate::codec::Decoder<'d>,
                ) -> Result<Option<Self>, $crate::fault::Fault> {
                    $crate::codec::decode_struct(at, decoder)
                }

                fn encode(
                    &self,
                    name: &str,
                    kind: &$crate::schema::Kind,
                    out: &mut $crate::writer::Writer,
                ) {
                    $crate::codec::encode_struct(self, name, kind, Self::MEMBERS, out);
                }

                fn null_item() -> Option<Self> {
                    Some(Self::default())
                }
            }
        )*

        #[cfg(test)]
        pub(crate) const ROUND_TRIPS: &[$crate::sample::RoundTrip] =
            &[$($crate::sample::RoundTrip::of::<$name>(stringify!($name)),)*];
    };
}

/// Simple types with a fixed set of words.
macro_rules! enumerations {
    ($(
        $(#[doc = $doc:expr])*
        enum $name:ident {
            $($(#[doc = $value_doc:literal])* $variant:ident = $text:literal,)*
        }
    )*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub enum $name {
                $($(#[doc = $value_doc])* $variant,)*
            }

            impl $name {
                /// Every value.
                pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
                /// The type as data.
                pub const ROW: &'static $crate::schema::EnumerationRow =
                    &$crate::schema::EnumerationRow {
                        name: stringify!($name),
                        doc: concat!($($doc),*),
                        values: &[$($text,)*],
                    };
                /// The type as a kind.
                pub const KIND: $crate::schema::Kind = $crate::schema::Kind::Enumeration(Self::ROW);

                /// The word on the wire.
                #[must_use]
                pub const fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => $text,)*
                    }
                }

                /// Reads a word, in any case.
                #[must_use]
                pub fn from_name(name: &str) -> Option<Self> {
                    Self::ALL.iter().copied().find(|v| v.as_str().eq_ignore_ascii_case(name))
                }
            }

            impl $crate::codec::Enumeration for $name {
                fn from_word(word: &str) -> Option<Self> {
                    Self::from_name(word)
                }
            }

            impl $crate::codec::Value for $name {
                fn decode<'d>(
                    at: $crate::codec::At<'_, 'd>,
                    decoder: &mut $crate::codec::Decoder<'d>,
                ) -> Result<Option<Self>, $crate::fault::Fault> {
                    $crate::codec::decode_word(at, decoder)
                }

                fn encode(
                    &self,
                    name: &str,
                    _: &$crate::schema::Kind,
                    out: &mut $crate::writer::Writer,
                ) {
                    out.word(name, self.as_str());
                }
            }

            #[cfg(test)]
            impl $crate::sample::Sample for $name {
                fn sample(source: &mut $crate::sample::Source<'_>) -> Self {
                    source.pick(Self::ALL)
                }
            }
        )*
    };
}

/// A list operation's `query` parameter: filter, order and page (contract C1).
macro_rules! queries {
    ($(
        $(#[doc = $doc:expr])*
        $name:ident $filter:ident $order:literal { $($members:tt)* }
    )*) => {
        $crate::table::types! {
            $(
                $(#[doc = $doc])*
                struct $name {
                    #[doc = "What the records must match; nothing given matches all."]
                    filter: $filter,
                    #[doc = "How the records are sorted."]
                    order_by "orderBy": { OrderBy: $order },
                    #[doc = "Which part of the sorted records is returned; absent for all."]
                    range: Range,
                }

                #[doc = concat!("What a [`", stringify!($name), "`] selects.")]
                struct $filter { $($members)* }
            )*
        }

        $(
            impl Query for $name {
                type Filter = $filter;

                fn parts(self) -> (Option<$filter>, Option<OrderBy>, Option<Range>) {
                    (self.filter, self.order_by, self.range)
                }
            }
        )*
    };
}

/// The operations of one port, in the order of the WSDL (contract E3). Each names the faults that it raises beside
/// [`crate::fault::COMMON`], and the rules of behaviour that hold for it.
macro_rules! operations {
    (
        $port:ident;
        $(
            $(#[doc = $doc:expr])*
            $name:ident $wire:literal {
                $($field:ident $($parameter:literal)? : $kind:tt $($mark:ident)*),* $(,)?
            } -> $result:tt
                faults [$($fault:literal)*]
                rules [$($rule:ident)*];
        )*
    ) => {
        $(
            $crate::table::record! {
                $(#[doc = $doc])*
                $name {
                    $(
                        #[doc = concat!(
                            "Parameter `", $crate::table::wire_name!($field $($parameter)?), "`."
                        )]
                        $field $($parameter)? : $kind $($mark)*,
                    )*
                }
            }

            impl $crate::ports::Operation for $name {
                type Response = $crate::table::rust_type!($result);
                const PORT: $crate::ports::Port = $crate::ports::Port::$port;
                const NAME: &'static str = $wire;
                const ROW: &'static $crate::schema::OperationRow = &$crate::schema::OperationRow {
                    port: $crate::ports::Port::$port,
                    name: $wire,
                    doc: concat!($($doc),*),
                    parameters: Self::MEMBERS,
                    result: $crate::table::result_kind!($result),
                    faults: &[$($fault),*],
                    rules: &[$(stringify!($rule)),*],
                };
            }
        )*

        #[doc = concat!("A call of port ", stringify!($port), ".")]
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant, reason = "a request is moved once, to its handler")]
        pub enum Request {
            $(
                #[doc = concat!("`", $wire, "`")]
                $name($name),
            )*
        }

        impl Request {
            /// The operation that is called.
            #[must_use]
            pub const fn operation(&self) -> &'static $crate::schema::OperationRow {
                match self {
                    $(Self::$name(_) => <$name as $crate::ports::Operation>::ROW,)*
                }
            }

            /// Encodes the call, for clients of the API. Members without a value are left out.
            #[must_use]
            pub fn encode(
                &self,
                auth: Option<&$crate::types::Auth>,
                style: $crate::Style,
            ) -> Vec<u8> {
                match self {
                    $(Self::$name(operation) => $crate::encode_call(operation, auth, style),)*
                }
            }

            /// Decodes the call of an operation of this port; nothing when there is none of that name.
            pub(crate) fn decode<'d>(
                name: &str,
                element: $crate::xml::Element<'d>,
                decoder: &mut $crate::codec::Decoder<'d>,
            ) -> Option<Result<Self, $crate::fault::Fault>> {
                match name {
                    $($wire => Some(decoder.operation::<$name>(element).map(Self::$name)),)*
                    _ => None,
                }
            }
        }

        $(
            impl From<$name> for Request {
                fn from(operation: $name) -> Self {
                    Self::$name(operation)
                }
            }

            impl From<$name> for $crate::ports::Request {
                fn from(operation: $name) -> Self {
                    Self::$port(Request::$name(operation))
                }
            }
        )*

        /// The operations of this port, in the order of the WSDL.
        pub const OPERATIONS: &[&$crate::schema::OperationRow] =
            &[$(<$name as $crate::ports::Operation>::ROW,)*];

        #[cfg(test)]
        pub(crate) const ROUND_TRIPS: &[$crate::sample::CallRoundTrip] =
            &[$($crate::sample::CallRoundTrip::of::<$name>(),)*];
    };
}

pub(crate) use {
    enumerations, kind, operations, queries, record, result_kind, rust_type, types, wire_name,
};
