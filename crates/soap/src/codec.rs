//! Decoding by schema, leniently (contract W1-W13): an element and a [`Kind`] to a Rust value.
//!
//! `xsi:type` is a hint at most (W2): the table says what a member is. The other direction is in `writer`.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::Style;
use crate::cut::cut;
use crate::fault::Fault;
use crate::ports::Operation;
use crate::schema::{Kind, MemberRow};
use crate::writer::{MemberWriter, Writer};
use crate::xml::{Document, Element, Limits};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";
const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";

/// References in a row that are followed before they count as a cycle.
const MAX_HOPS: usize = 16;

/// Standard alphabet, padding or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Something that has a form on the wire.
pub trait Value: Sized {
    /// Decodes an element; nothing for null.
    ///
    /// # Errors
    /// A fault 9000 that names the member and the value, or 9004 for a broken reference.
    fn decode<'d>(at: At<'_, 'd>, decoder: &mut Decoder<'d>) -> Result<Option<Self>, Fault>;

    /// Encodes itself as an element.
    fn encode(&self, name: &str, kind: &Kind, out: &mut Writer);

    /// What a null stands for inside of a list, so that positions are kept.
    fn null_item() -> Option<Self> {
        None
    }
}

/// A struct or the parameters of an operation; implemented by the table.
pub trait Record: Sized {
    /// Builds itself from its members, which come in the order of the table.
    ///
    /// # Errors
    /// What decoding a member gives.
    fn from_members(members: &mut Members<'_, '_>) -> Result<Self, Fault>;

    /// Writes its members in the order of the table.
    fn write_members(&self, out: &mut MemberWriter<'_>);
}

/// A complex type; implemented by the table.
pub(crate) trait Complex: Record + Default {
    /// The members in the order of the table.
    const MEMBERS: &'static [MemberRow];
}

/// A simple type with a fixed set of words; implemented by the table.
pub(crate) trait Enumeration: Copy {
    /// Reads a word.
    fn from_word(word: &str) -> Option<Self>;
}

/// Where a value stands: its element, its name for messages, and what it should be.
#[derive(Clone, Copy)]
pub struct At<'a, 'd> {
    element: Element<'d>,
    /// Where every item of a list came as a member of its own ([`is_bare_item`]), those after the first.
    further: &'a [Element<'d>],
    path: &'a Path<'a>,
    kind: &'a Kind,
}

/// The way from a parameter to a member: `account.acl[1].mask`.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(crate) const fn root(name: &'a str) -> Self {
        Self { parent: None, step: Step::Name(name) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match (self.step, self.parent) {
            (Step::Index(index), _) => write!(f, "[{index}]"),
            (Step::Name(name), None) => f.write_str(name),
            (Step::Name(name), Some(_)) => write!(f, ".{name}"),
        }
    }
}

/// What an element holds, before anything is converted.
enum Shape<'d> {
    /// `xsi:nil`, or an untyped empty element of an encoded message (W5).
    Null,
    /// No content, but a type, or a literal message.
    Empty(Hint),
    Text(&'d str),
    Children,
}

/// What the attributes of an empty element say about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    None,
    Scalar,
    Array,
    Other,
}

/// The state of decoding one message: its style, and what it may still cost.
pub struct Decoder<'d> {
    document: &'d Document,
    style: Style,
    nodes_left: usize,
    text_left: usize,
}

impl<'d> Decoder<'d> {
    /// Without references every element and every byte counts once, so the message itself always fits;
    /// references may repeat as much again as the limits allow, and no more.
    pub(crate) fn new(document: &'d Document, style: Style, limits: &Limits) -> Self {
        Self {
            document,
            style,
            nodes_left: document.len().max(limits.nodes),
            text_left: document.text_len().saturating_add(limits.body),
        }
    }

    /// Decodes the parameters of an operation; an empty element is a call without any (W11).
    pub(crate) fn operation<O: Operation>(&mut self, element: Element<'d>) -> Result<O, Fault> {
        self.record(element, O::ROW.parameters, None)
    }

    /// Decodes a value that is not a member: the `auth` header, a `return`.
    pub(crate) fn value<T: Value>(
        &mut self,
        element: Element<'d>,
        name: &str,
        kind: &Kind,
    ) -> Result<Option<T>, Fault> {
        let path = Path::root(name);
        let element = self.follow(element, &path)?;
        T::decode(At { element, further: &[], path: &path, kind }, self)
    }

    /// Sorts child elements into members by local name, in any order (W9). Unknown ones are passed over (W8).
    fn record<T: Record>(
        &mut self,
        element: Element<'d>,
        rows: &'static [MemberRow],
        path: Option<&Path<'_>>,
    ) -> Result<T, Fault> {
        let mut found: Vec<Option<Element<'d>>> = vec![None; rows.len()];
        let mut further = Vec::new();
        for child in element.children() {
            let slot = rows.iter().zip(&mut found).find(|(row, _)| row.name == child.local());
            let Some((row, slot)) = slot else { continue };
            let bare = |element: &Element<'_>| is_bare_item(*element, &row.kind);
            match slot {
                None => *slot = Some(child),
                Some(first) if bare(first) && bare(&child) => further.push((row.name, child)),
                Some(_) => {
                    let step = Path { parent: path, step: Step::Name(child.local()) };
                    return Err(Fault::invalid(step, "is given twice; send it once"));
                }
            }
        }
        T::from_members(&mut Members {
            decoder: self,
            members: rows.iter().zip(found).collect::<Vec<_>>().into_iter(),
            further,
            path,
        })
    }

    /// Resolves `href` (SOAP 1.1 §5.4.1, W12) and counts what the value costs.
    fn follow(&mut self, element: Element<'d>, path: &Path<'_>) -> Result<Element<'d>, Fault> {
        let mut target = element;
        let mut hops = 0;
        while let Some(href) = target.attribute("", "href").filter(|_| !target.has_children()) {
            let shown = Shown(href);
            let Some(id) = href.strip_prefix('#') else {
                return Err(Fault::malformed(format!(
                    "{path}: href {shown} points outside of the message; only #id can be followed"
                )));
            };
            target = self.document.by_id(id).ok_or_else(|| {
                Fault::malformed(format!("{path}: no element has the id that href {shown} names"))
            })?;
            hops += 1;
            if hops > MAX_HOPS {
                return Err(Fault::malformed(format!(
                    "{path}: href {shown} leads through more than {MAX_HOPS} references or in a circle"
                )));
            }
        }
        let cost = target.text().len();
        match (self.nodes_left.checked_sub(1), self.text_left.checked_sub(cost)) {
            (Some(nodes), Some(text)) => {
                self.nodes_left = nodes;
                self.text_left = text;
                Ok(target)
            }
            _ => Err(Fault::malformed(format!(
                "{path}: the references of the message repeat more than the limits allow"
            ))),
        }
    }

    fn shape(&self, element: Element<'d>) -> Shape<'d> {
        if element.attribute(XSI, "nil").is_some_and(|nil| matches!(nil.trim(), "true" | "1")) {
            // W4: PEAR SOAP writes an empty list as nil, yet with its size.
            return match element.attribute(ENCODING, "arrayType") {
                Some(_) => Shape::Empty(Hint::Array),
                None => Shape::Null,
            };
        }
        if element.has_children() {
            return Shape::Children;
        }
        if !element.text().is_empty() {
            return Shape::Text(element.text());
        }
        match (hint(element), self.style) {
            (Hint::None, Style::Encoded) => Shape::Null,
            (hint, _) => Shape::Empty(hint),
        }
    }

    /// As [`Self::shape`], where white space is no content.
    fn trimmed_shape(&self, element: Element<'d>) -> Shape<'d> {
        match self.shape(element) {
            Shape::Text(text) => match (text.trim(), hint(element), self.style) {
                ("", Hint::None, Style::Encoded) => Shape::Null,
                ("", hint, _) => Shape::Empty(hint),
                (text, ..) => Shape::Text(text),
            },
            shape => shape,
        }
    }

    /// The text of a scalar other than a string; empty is null (W6), as is an empty list (W4).
    fn scalar(&self, at: At<'_, 'd>, wanted: &str) -> Result<Option<&'d str>, Fault> {
        match self.trimmed_shape(at.element) {
            Shape::Null | Shape::Empty(_) => Ok(None),
            Shape::Text(text) => Ok(Some(text)),
            Shape::Children => Err(at.has_children(wanted)),
        }
    }

    /// The text of a string, white space kept.
    fn text(&self, at: At<'_, 'd>, wanted: &str) -> Result<Option<&'d str>, Fault> {
        match self.shape(at.element) {
            Shape::Null | Shape::Empty(Hint::Array) => Ok(None),
            Shape::Empty(_) => Ok(Some("")),
            Shape::Text(text) => Ok(Some(text)),
            Shape::Children => Err(at.has_children(wanted)),
        }
    }

    fn integer(&self, at: At<'_, 'd>, lowest: i64, highest: i64) -> Result<Option<i64>, Fault> {
        let Some(text) = self.scalar(at, "a number")? else { return Ok(None) };
        let number = match text.parse::<i64>() {
            Ok(number) => number,
            // PHP sends `true` for 1 as readily as 1 for `true` (W7).
            Err(_) if text.eq_ignore_ascii_case("true") => 1,
            Err(_) if text.eq_ignore_ascii_case("false") => 0,
            Err(_) => truncated(text).ok_or_else(|| at.not("a number", text))?,
        };
        if (lowest..=highest).contains(&number) {
            return Ok(Some(number));
        }
        Err(at.invalid(format_args!(
            "{number} does not fit {}, which goes from {lowest} to {highest}",
            at.kind.simple_name()
        )))
    }
}

impl At<'_, '_> {
    fn invalid(&self, problem: impl fmt::Display) -> Fault {
        Fault::invalid(self.path, problem)
    }

    fn not(&self, wanted: &str, text: &str) -> Fault {
        self.invalid(format_args!("{} is not {wanted}", Shown(text)))
    }

    fn has_children(&self, wanted: &str) -> Fault {
        self.invalid(format_args!("holds elements where {wanted} is expected"))
    }
}

/// The members of a record, each decoded when it is asked for.
pub struct Members<'a, 'd> {
    decoder: &'a mut Decoder<'d>,
    members: std::vec::IntoIter<(&'static MemberRow, Option<Element<'d>>)>,
    /// Members that came again, each an item of the list that the member is ([`is_bare_item`]).
    further: Vec<(&'static str, Element<'d>)>,
    path: Option<&'a Path<'a>>,
}

impl Members<'_, '_> {
    /// Decodes the next member of the table; nothing when it is missing or null.
    ///
    /// # Errors
    /// What [`Value::decode`] gives.
    pub fn next<T: Value>(&mut self) -> Result<Option<T>, Fault> {
        let Some((row, Some(first))) = self.members.next() else { return Ok(None) };
        let further: Vec<_> =
            self.further.iter().filter(|(name, _)| *name == row.name).map(|(_, e)| *e).collect();
        let path = Path { parent: self.path, step: Step::Name(row.name) };
        let element = self.decoder.follow(first, &path)?;
        T::decode(At { element, further: &further, path: &path, kind: &row.kind }, self.decoder)
    }
}

/// A value in a fault: quoted, on one line, not too long.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", cut(self.0, 60))
    }
}

fn hint(element: Element<'_>) -> Hint {
    if element.attribute(ENCODING, "arrayType").is_some() {
        return Hint::Array;
    }
    match element.xsi_type() {
        None => Hint::None,
        Some((XSD, _)) => Hint::Scalar,
        Some((_, local)) if local.ends_with("Array") => Hint::Array,
        Some((ENCODING, _)) => Hint::Scalar,
        Some(_) => Hint::Other,
    }
}

/// Whether an element is one item of a list in the place of the list. suds unwraps the lists of an encoded reply and,
/// when such a record is sent back, repeats the member for every item: a struct with the item's type, a simple value
/// with the list's.
fn is_bare_item(element: Element<'_>, list: &Kind) -> bool {
    let Kind::Array(item) = list else { return false };
    let Some((_, local)) = element.xsi_type() else { return false };
    match item {
        Kind::Struct(_) => local == item.type_name(),
        _ => local == list.type_name() && !element.has_children(),
    }
}

/// The whole part of a decimal number (W6); nothing when the text is none.
fn truncated(text: &str) -> Option<i64> {
    let number = decimal(text)?.trunc();
    // Below 2^63 in magnitude, the conversion is exact.
    (number.abs() < 9.2e18).then_some(number as i64)
}

/// A finite decimal number; `inf` and `nan`, which Rust reads too, are none.
fn decimal(text: &str) -> Option<f64> {
    let plausible =
        text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|number| plausible && number.is_finite())
}

impl Value for String {
    fn decode<'d>(at: At<'_, 'd>, decoder: &mut Decoder<'d>) -> Result<Option<Self>, Fault> {
        Ok(decoder.text(at, "text")?.map(str::to_owned))
    }

    fn encode(&self, name: &str, _: &Kind, out: &mut Writer) {
        out.scalar(name, "xsd:string", self);
    }

    fn null_item() -> Option<Self> {
        Some(Self::new())
    }
}

macro_rules! integers {
    ($($type:ident)*) => {
        $(
            impl Value for $type {
                fn decode<'d>(
                    at: At<'_, 'd>,
                    decoder: &mut Decoder<'d>,
                ) -> Result<Option<Self>, Fault> {
                    #[allow(clippy::unnecessary_cast, clippy::cast_lossless, reason = "one of them is i64")]
                    let number = decoder.integer(at, $type::MIN as i64, $type::MAX as i64)?;
                    Ok(number.and_then(|number| Self::try_from(number).ok()))
                }

                fn encode(&self, name: &str, kind: &Kind, out: &mut Writer) {
                    out.integer(name, i64::from(*self), kind);
                }
            }
        )*
    };
}

integers! { i32 i64 u32 u16 }

impl Value for f64 {
    fn decode<'d>(at: At<'_, 'd>, decoder: &mut Decoder<'d>) -> Result<Option<Self>, Fault> {
        let Some(text) = decoder.scalar(at, "a number")? else { return Ok(None) };
        decimal(text).map(Some).ok_or_else(|| at.not("a number", text))
    }

    fn encode(&self, name: &str, _: &Kind, out: &mut Writer) {
        out.scalar(name, "xsd:double", &self.to_string());
    }
}

impl Value for bool {
    /// W7: words, numbers, and PHP's empty string for false.
    fn decode<'d>(at: At<'_, 'd>, decoder: &mut Decoder<'d>) -> Result<Option<Self>, Fault> {
        let text = match decoder.trimmed_shape(at.element) {
            Shape::Empty(Hint::Scalar) => return Ok(Some(false)),
            Shape::Null | Shape::Empty(_) => return Ok(None),
            Shape::Text(text) => text,
            Shape::Children => return Err(at.has_children("true or false")),
        };
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => match decimal(text) {
                Some(number) => Ok(Some(number != 0.0)),
                None => Err(at.not("true or false", text)),
            },
        }
    }

    fn encode(&self, name: &str, _: &Kind, out: &mut Writer) {
        out.scalar(name, "xsd:boolean", if *self { "true" } else { "false" });
    }
}

impl Value for Vec<u8> {
    fn decode<'d>(at: At<'_, 'd>, decoder: &mut Decoder<'d>) -> Result<Option<Self>, Fault> {
        let Some(text) = decoder.text(at, "base64")? else { return Ok(None) };
        let packed: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        BASE64.decode(packed).map(Some).map_err(|error| {
            at.invalid(format_args!("is not base64 ({})", error.to_string().to_lowercase()))
        })
    }

    fn encode(&self, name: &str, _: &Kind, out: &mut Writer) {
        out.scalar(name, "xsd:base64Binary", &BASE64.encode(self));
    }
}

impl<T: Value> Value for Vec<T> {
    /// W3: every child element is an item, whatever its name.
    fn decode<'d>(at: At<'_, 'd>, decoder: &mut Decoder<'d>) -> Result<Option<Self>, Fault> {
        let item = if let Kind::Array(item) = at.kind { item } else { at.kind };
        let bare = is_bare_item(at.element, at.kind);
        match decoder.trimmed_shape(at.element) {
            // An empty element by itself is the list; beside others of its name it is an item.
            _ if !at.further.is_empty() => {}
            // PEAR SOAP with a WSDL has no other way to write an empty list in the place of a parameter.
            Shape::Null if at.path.parent.is_none() && hint(at.element) == Hint::Array => {
                return Ok(Some(Self::new()));
            }
            Shape::Null | Shape::Empty(Hint::Scalar) => return Ok(None),
            Shape::Empty(_) => return Ok(Some(Self::new())),
            Shape::Text(text) if !bare => {
                return Err(at.not("a list; send one element per item", text));
            }
            Shape::Text(_) | Shape::Children => {}
        }
        let mut items = Self::new();
        let mut add = |element, index, decoder: &mut Decoder<'d>| {
            let path = Path { parent: Some(at.path), step: Step::Index(index) };
            // The first of the bare ones was followed as the member that it is.
            let element =
                if bare && index == 0 { element } else { decoder.follow(element, &path)? };
            let value = T::decode(At { element, further: &[], path: &path, kind: item }, decoder)?;
            items.extend(value.or_else(T::null_item));
            Ok::<_, Fault>(())
        };
        if bare {
            let elements = std::iter::once(at.element).chain(at.further.iter().copied());
            for (index, element) in elements.enumerate() {
                add(element, index, decoder)?;
            }
        } else {
            for (index, element) in at.element.children().enumerate() {
                add(element, index, decoder)?;
            }
        }
        Ok(Some(items))
    }

    fn encode(&self, name: &str, kind: &Kind, out: &mut Writer) {
        let item = if let Kind::Array(item) = kind { item } else { kind };
        out.open_array(name, item, self.len());
        for value in self {
            value.encode("item", item, out);
        }
        out.close(name);
    }
}

/// Decodes a struct: nothing when null, and a struct without members when empty (W4).
pub(crate) fn decode_struct<'d, T: Complex>(
    at: At<'_, 'd>,
    decoder: &mut Decoder<'d>,
) -> Result<Option<T>, Fault> {
    match decoder.trimmed_shape(at.element) {
        // What was null in a reply comes back from PHP as an empty string.
        Shape::Null | Shape::Empty(Hint::Scalar) => Ok(None),
        Shape::Empty(_) => Ok(Some(T::default())),
        Shape::Text(text) => {
            let members: Vec<_> = T::MEMBERS.iter().map(|row| row.name).collect();
            let wanted =
                format!("a {}; send its members: {}", at.kind.simple_name(), members.join(", "));
            Err(at.not(&wanted, text))
        }
        Shape::Children => decoder.record(at.element, T::MEMBERS, Some(at.path)).map(Some),
    }
}

/// Encodes a struct.
pub(crate) fn encode_struct(
    record: &impl Record,
    name: &str,
    kind: &Kind,
    rows: &'static [MemberRow],
    out: &mut Writer,
) {
    out.open_struct(name, kind);
    record.write_members(&mut MemberWriter::new(out, rows));
    out.close(name);
}

/// Decodes a word of an enumeration.
pub(crate) fn decode_word<'d, T: Enumeration>(
    at: At<'_, 'd>,
    decoder: &mut Decoder<'d>,
) -> Result<Option<T>, Fault> {
    let Some(text) = decoder.scalar(at, "a word")? else { return Ok(None) };
    let wanted = || match at.kind {
        Kind::Enumeration(row) => format!("one of {}", row.values.join(", ")),
        kind => format!("a {}", kind.simple_name()),
    };
    T::from_word(text).map(Some).ok_or_else(|| at.not(&wanted(), text))
}
