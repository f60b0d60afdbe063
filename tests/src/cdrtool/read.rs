//! The client's parser: types from attributes, the last one wins; what it cannot type is text (contract R1-R14).

use crate::cdrtool::Refusal;
use crate::http;
use crate::value::Value;
use crate::xml::{self, Node};

/// A value in the client's hands.
#[derive(Debug, Clone, PartialEq)]
pub enum Php {
    /// A string, also for everything without a known type.
    Text(String),
    /// An integer.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A truth value.
    Flag(bool),
    /// An array with the keys 0, 1, 2, …
    List(Vec<Php>),
    /// An object with its members in order.
    Object(Vec<(String, Php)>),
}

/// Decodes a reply as the client does. Panics where the client would die or show a raw error.
#[track_caller]
pub fn cdrtool_reads(reply: &http::Reply) -> Result<Php, Refusal> {
    // A2: it throws the body of every 4xx away, compares the content type by letters, and knows no chunks.
    assert!(!(400..500).contains(&reply.status), "HTTP {} hides the fault", reply.status);
    let kind = reply.header("content-type").unwrap_or_default();
    assert!(kind == "text/xml" || kind.starts_with("text/xml;"), "the content type is {kind}");
    assert!(reply.header("transfer-encoding").is_none(), "chunks are read as XML");
    let document = xml::parse(&reply.text()).unwrap_or_else(|error| panic!("XML error: {error:#}"));
    let body = document.child("Body").expect("it cannot build a response without a Body");
    let wrapper = body.children.first().expect("it cannot build a response from an empty Body");
    let mut members = match decode(wrapper, None, "Struct") {
        Php::Object(members) => members,
        // A void result: an empty wrapper.
        empty => return Ok(empty),
    };
    if members.iter().any(|(name, _)| name.contains("faultcode")) {
        return Err(refusal(&Php::Object(members)));
    }
    // One member is taken out of the wrapper, several would be handed over as an array (R8).
    assert_eq!(members.len(), 1, "a wrapper with several children is an array: {members:?}");
    Ok(members.remove(0).1)
}

/// D1: the code is compared as a number and as text, so either is fine; both members must be there.
#[track_caller]
fn refusal(fault: &Php) -> Refusal {
    let exception = fault.object("detail").object("exception");
    let code = match exception.get("errorcode") {
        Some(Php::Int(code)) => *code,
        Some(Php::Text(code)) => code.parse().expect("a code is a number"),
        other => panic!("the error code is {other:?}"),
    };
    assert!(!fault.text("faultstring").is_empty(), "the client shows the fault string first");
    Refusal { code, text: exception.text("errorstring").to_owned() }
}

/// The value of an element. `item_type` is the array's that it stands in, which its own type has no say against.
fn decode(node: &Node, item_type: Option<&str>, fallback: &str) -> Php {
    let mut kind = fallback.to_owned();
    let mut items = None;
    for attribute in &node.attributes {
        let local = attribute.value.rsplit(':').next().unwrap_or_default();
        match attribute.name.as_str() {
            "type" => kind = local.to_owned(),
            "arrayType" => {
                kind = "Array".to_owned();
                items = local.split('[').next();
            }
            // R2: it calls a function that its language lost long ago.
            "offset" => panic!("`{}` carries offset: the client dies", node.name),
            _ => {}
        }
    }
    // R10: it looks at local names and would start a new message inside this one.
    assert!(
        !["envelope", "header", "body"].contains(&node.name.to_lowercase().as_str()),
        "an element called {} in a result",
        node.name
    );
    if let Some(item_type) = item_type {
        kind = item_type.to_owned();
    }
    if kind == "Array" {
        return Php::List(node.children.iter().map(|child| decode(child, items, "")).collect());
    }
    if !node.children.is_empty() {
        return object(node);
    }
    let text = node.text.as_str();
    match kind.as_str() {
        // R13: nothing is TRUE, and so is every word but these.
        "boolean" => Php::Flag(text != "0" && !text.eq_ignore_ascii_case("false")),
        "int" | "integer" | "short" => Php::Int(text.trim().parse().unwrap_or(0)),
        "float" | "double" | "decimal" => Php::Float(text.trim().parse().unwrap_or(0.0)),
        // R6: a struct without members, R14: a long, and everything else.
        _ => Php::Text(text.to_owned()),
    }
}

/// Members by name; one that comes again turns what was there into an array, as PEAR's decoder does.
fn object(node: &Node) -> Php {
    let mut members: Vec<(String, Php)> = Vec::new();
    for child in &node.children {
        let value = decode(child, None, "");
        match members.iter_mut().find(|(name, _)| *name == child.name) {
            None => members.push((child.name.clone(), value)),
            Some((_, Php::List(items))) => items.push(value),
            Some((_, first)) => *first = Php::List(vec![first.clone(), value]),
        }
    }
    Php::Object(members)
}

impl Php {
    /// The member at a path; a number picks an item of an array.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |value, step| match value {
            Self::Object(members) => members.iter().find(|(n, _)| n == step).map(|(_, v)| v),
            Self::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The member at a path, which must be there: the client warns or dies otherwise.
    #[must_use]
    #[track_caller]
    pub fn at(&self, path: &str) -> &Self {
        self.get(path).unwrap_or_else(|| panic!("undefined property `{path}` of {self:?}"))
    }

    /// The text at a path.
    #[must_use]
    #[track_caller]
    pub fn text(&self, path: &str) -> &str {
        match self.at(path) {
            Self::Text(text) => text,
            other => panic!("`{path}` is no text but {other:?}"),
        }
    }

    /// The integer at a path.
    #[must_use]
    #[track_caller]
    pub fn int(&self, path: &str) -> i64 {
        match self.at(path) {
            Self::Int(number) => *number,
            other => panic!("`{path}` is no integer but {other:?}"),
        }
    }

    /// The number with a fraction at a path.
    #[must_use]
    #[track_caller]
    pub fn float(&self, path: &str) -> f64 {
        match self.at(path) {
            Self::Float(number) => *number,
            other => panic!("`{path}` is no float but {other:?}"),
        }
    }

    /// The truth value at a path.
    #[must_use]
    #[track_caller]
    pub fn flag(&self, path: &str) -> bool {
        match self.at(path) {
            Self::Flag(truth) => *truth,
            other => panic!("`{path}` is no boolean but {other:?}"),
        }
    }

    /// The array at a path.
    #[must_use]
    #[track_caller]
    pub fn list(&self, path: &str) -> &[Self] {
        match self.at(path) {
            Self::List(items) => items,
            other => panic!("`{path}` is no array but {other:?}: PHP 8 dies of it"),
        }
    }

    /// The object at a path.
    #[must_use]
    #[track_caller]
    pub fn object(&self, path: &str) -> &Self {
        match self.at(path) {
            object @ Self::Object(_) => object,
            other => panic!("`{path}` is no object but {other:?}: PHP 8 dies of it"),
        }
    }

    /// This array's items.
    #[must_use]
    #[track_caller]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            other => panic!("no array but {other:?}"),
        }
    }

    /// The texts of the array at a path.
    #[must_use]
    #[track_caller]
    pub fn texts(&self, path: &str) -> Vec<&str> {
        self.list(path)
            .iter()
            .map(|item| match item {
                Self::Text(text) => text.as_str(),
                other => panic!("an item of `{path}` is no text but {other:?}"),
            })
            .collect()
    }

    /// Whether the client takes it for true: `if ($value)`.
    #[must_use]
    pub fn truthy(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty() && text != "0",
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Flag(truth) => *truth,
            Self::List(items) => !items.is_empty(),
            Self::Object(_) => true,
        }
    }

    /// Checks what the client's code reads: `"domain:s customer:i owner:i? prepaid:b groups:a id/domain:s"`.
    ///
    /// s text, i integer, f float, b boolean, a array, o object; `?` also takes the empty text that a nil without a
    /// type becomes (R5).
    #[track_caller]
    pub fn reads(&self, members: &str) {
        for member in members.split_whitespace() {
            let (path, kind) = member.split_once(':').expect("path:kind");
            let value = self.at(path);
            let (kind, or_nil) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
            let is_right = match (kind, value) {
                ("s", Self::Text(_)) | ("i", Self::Int(_)) | ("f", Self::Float(_)) => true,
                ("b", Self::Flag(_)) | ("a", Self::List(_)) | ("o", Self::Object(_)) => true,
                (_, Self::Text(text)) => or_nil && text.is_empty(),
                _ => false,
            };
            assert!(is_right, "`{path}` is {value:?}, the client wants {kind}");
        }
    }

    /// Writes a member into the object, as the client's forms do: replaced where it stands, else at the end.
    pub fn set(&mut self, name: &str, value: Self) {
        let Self::Object(members) = self else { panic!("no object but {self:?}") };
        match members.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value,
            None => members.push((name.to_owned(), value)),
        }
    }

    /// Takes a member out of the object: `unset($object->name)`.
    pub fn unset(&mut self, name: &str) {
        let Self::Object(members) = self else { panic!("no object but {self:?}") };
        members.retain(|(n, _)| n != name);
    }

    /// The value as the client sends it back: whatever PHP holds, typed by what it is.
    #[must_use]
    pub fn echo(&self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.clone()),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Double(*number),
            Self::Flag(truth) => Value::Bool(*truth),
            Self::List(items) => Value::List(items.iter().map(Self::echo).collect()),
            Self::Object(members) => {
                Value::Record(members.iter().map(|(n, v)| (n.clone(), v.echo())).collect())
            }
        }
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr;)*) => {
        $(impl From<$type> for Php {
            fn from($value: $type) -> Self {
                $make
            }
        })*
    };
}

from! {
    &str => |v| Self::Text(v.to_owned());
    i64 => |v| Self::Int(v);
    f64 => |v| Self::Float(v);
    bool => |v| Self::Flag(v);
    Vec<Php> => |v| Self::List(v);
    &[&str] => |v| Self::List(v.iter().map(|&s| s.into()).collect());
}
