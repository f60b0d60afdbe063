//! Values of SOAP requests, written as a client would build them.

/// A parameter or a member of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: an empty element without a type, as PHP sends null (contract W5).
    Null,
    /// A string.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A truth value.
    Bool(bool),
    /// Members in order.
    Record(Vec<(String, Value)>),
    /// Items in order.
    List(Vec<Value>),
}

impl Value {
    /// A record without members.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Record(Vec::new())
    }

    /// The record with one member set: replaced where it stood, else added at the end.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Self::Record(members) = &mut self {
            let value = value.into();
            match members.iter_mut().find(|(n, _)| n == name) {
                Some(member) => member.1 = value,
                None => members.push((name.to_owned(), value)),
            }
        }
        self
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr;)*) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $make
            }
        })*
    };
}

from! {
    &str => |v| Self::Text(v.to_owned());
    String => |v| Self::Text(v);
    &String => |v| Self::Text(v.clone());
    i64 => |v| Self::Int(v);
    i32 => |v| Self::Int(v.into());
    u32 => |v| Self::Int(v.into());
    f64 => |v| Self::Double(v);
    bool => |v| Self::Bool(v);
    () => |_v| Self::Null;
    Vec<Value> => |v| Self::List(v);
    &[&str] => |v| Self::List(v.iter().map(|&s| s.into()).collect());
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(items: [&str; N]) -> Self {
        Self::List(items.iter().map(|&s| s.into()).collect())
    }
}

impl<const N: usize> From<[Value; N]> for Value {
    fn from(items: [Value; N]) -> Self {
        Self::List(items.into())
    }
}

/// A record: `record! { username: "a", domain: "example.com" }`.
#[macro_export]
macro_rules! record {
    ($($name:ident : $value:expr),* $(,)?) => {
        $crate::value::Value::Record(vec![
            $((stringify!($name).trim_start_matches("r#").to_owned(), $crate::value::Value::from($value))),*
        ])
    };
}

/// A SipId.
#[must_use]
pub fn sip_id(address: &str) -> Value {
    let (username, domain) = address.split_once('@').unwrap_or((address, ""));
    record! { username: username, domain: domain }
}

/// A query in the shape that CDRTool sends (client-usage, notation `Q(filter; orderBy; range)`).
#[must_use]
pub fn query(filter: Value, order: &str, direction: &str, start: i64, count: i64) -> Value {
    record! { query: record! {
        filter: filter,
        orderBy: record! { attribute: order, direction: direction },
        range: record! { start: start, count: count },
    } }
}

/// A query that asks for everything the filter lets through, in key order.
#[must_use]
pub fn matching(filter: Value) -> Value {
    record! { query: record! { filter: filter } }
}
