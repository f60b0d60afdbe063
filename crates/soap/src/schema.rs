//! Rows that describe the API: what the tables of `types` and `ports` say, as data.
//!
//! Codec, WSDL and reference read these rows, so they cannot drift apart.

use crate::ports::Port;

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `xsd:string`.
    String,
    /// `xsd:int`, 32 bits.
    Int,
    /// `xsd:integer`, held in 64 bits.
    Integer,
    /// `xsd:nonNegativeInteger`, held in 32 bits.
    NonNegativeInteger,
    /// `xsd:unsignedInt`.
    UnsignedInt,
    /// `xsd:unsignedShort`.
    UnsignedShort,
    /// `xsd:boolean`.
    Boolean,
    /// `xsd:double`.
    Double,
    /// `xsd:base64Binary`.
    Base64Binary,
    /// One of a fixed set of words.
    Enumeration(&'static EnumerationRow),
    /// Named members.
    Struct(&'static StructRow),
    /// A list of one kind.
    Array(&'static Kind),
}

impl Kind {
    /// The local name of the XSD type, without prefix: `int`, `SipAccount`, `SipAccountArray`.
    #[must_use]
    pub fn type_name(&self) -> String {
        match self {
            Self::Array(item) => {
                let name = item.type_name();
                let mut letters = name.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase());
                first.into_iter().chain(letters).chain("Array".chars()).collect()
            }
            _ => self.simple_name().to_owned(),
        }
    }

    /// Whether the type is one of XML Schema's own.
    #[must_use]
    pub const fn is_builtin(&self) -> bool {
        !matches!(self, Self::Enumeration(_) | Self::Struct(_) | Self::Array(_))
    }

    /// The type's name; of an array, its item's.
    pub(crate) const fn simple_name(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Integer => "integer",
            Self::NonNegativeInteger => "nonNegativeInteger",
            Self::UnsignedInt => "unsignedInt",
            Self::UnsignedShort => "unsignedShort",
            Self::Boolean => "boolean",
            Self::Double => "double",
            Self::Base64Binary => "base64Binary",
            Self::Enumeration(row) => row.name,
            Self::Struct(row) => row.name,
            Self::Array(item) => item.simple_name(),
        }
    }
}

/// A complex type with named members.
#[derive(Debug, PartialEq, Eq)]
pub struct StructRow {
    /// The XSD name.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its members in the order of the XSD sequence.
    pub members: &'static [MemberRow],
}

/// A simple type with a fixed set of values.
#[derive(Debug, PartialEq, Eq)]
pub struct EnumerationRow {
    /// The XSD name.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its values.
    pub values: &'static [&'static str],
}

/// A member of a struct, or a parameter of an operation.
#[derive(Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The element's name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it means.
    pub doc: &'static str,
    /// It identifies the record: `minOccurs` 1 and not nillable; everything else may be left out.
    pub key: bool,
    /// Kept by the server and ignored on input.
    pub read_only: bool,
    /// Never shown in logs or in the journal.
    pub secret: bool,
    /// Read when it comes, but not in the WSDL (old names).
    pub unlisted: bool,
}

impl MemberRow {
    pub(crate) const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, doc, key: false, read_only: false, secret: false, unlisted: false }
    }

    pub(crate) const fn key(mut self) -> Self {
        self.key = true;
        self
    }

    pub(crate) const fn ro(mut self) -> Self {
        self.read_only = true;
        self
    }

    pub(crate) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    pub(crate) const fn unlisted(mut self) -> Self {
        self.unlisted = true;
        self
    }
}

/// An operation of a port.
#[derive(Debug, PartialEq, Eq)]
pub struct OperationRow {
    /// Its port.
    pub port: Port,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Its parameters in order, unlisted ones included.
    pub parameters: &'static [MemberRow],
    /// What it returns; nothing when void.
    pub result: Option<Kind>,
    /// The fault codes that it raises beside [`crate::fault::COMMON`], in numeric order (contract B, D).
    pub faults: &'static [u16],
    /// The rules of behaviour that hold for it, by number, in their order; those of logins (B1-B7) hold for all.
    pub rules: &'static [&'static str],
}

impl OperationRow {
    /// The parameters that the WSDL lists.
    pub fn listed(&self) -> impl Iterator<Item = &'static MemberRow> {
        self.parameters.iter().filter(|p| !p.unlisted)
    }
}
