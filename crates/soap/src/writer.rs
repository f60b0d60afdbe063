//! Encoding, strictly (contract R1-R14).
//!
//! One pass writes either style: encoded with a type on every value, literal with none.

use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use crate::Style;
use crate::codec::Value;
use crate::schema::{Kind, MemberRow};

/// Writes elements of one style.
pub struct Writer {
    out: quick_xml::Writer<Vec<u8>>,
    style: Style,
    /// Whether members without a value are left out (requests) instead of written as nil (replies, R6).
    sparse: bool,
}

impl Writer {
    pub(crate) fn new(style: Style, sparse: bool) -> Self {
        Self { out: quick_xml::Writer::new(Vec::new()), style, sparse }
    }

    pub(crate) fn style(&self) -> Style {
        self.style
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out.into_inner()
    }

    pub(crate) fn event(&mut self, event: Event<'_>) {
        // Writing into memory cannot fail.
        let _infallible = self.out.write_event(event);
    }

    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let tag = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.event(Event::Start(tag));
    }

    pub(crate) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let tag = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.event(Event::Empty(tag));
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.event(Event::Text(BytesText::from_escaped(escape(text))));
    }

    /// A value of a simple type (R7).
    pub(crate) fn scalar(&mut self, name: &str, xsi_type: &str, text: &str) {
        match self.style {
            Style::Encoded => self.open(name, &[("xsi:type", xsi_type)]),
            Style::Literal => self.open(name, &[]),
        }
        self.text(text);
        self.close(name);
    }

    /// A word of an enumeration, without type: to PEAR it is text anyway (R7), and gSOAP, which knows from the WSDL
    /// that it is no `xsd:string`, refuses a message that says so.
    pub(crate) fn word(&mut self, name: &str, text: &str) {
        self.open(name, &[]);
        self.text(text);
        self.close(name);
    }

    /// A number: `xsd:int` whenever it fits, since clients keep other types as text (R14).
    pub(crate) fn integer(&mut self, name: &str, number: i64, kind: &Kind) {
        if i32::try_from(number).is_ok() {
            self.scalar(name, "xsd:int", &number.to_string());
        } else {
            self.scalar(name, &format!("xsd:{}", kind.simple_name()), &number.to_string());
        }
    }

    pub(crate) fn open_struct(&mut self, name: &str, kind: &Kind) {
        match self.style {
            Style::Encoded => self.open(name, &[("xsi:type", &qualified(kind))]),
            Style::Literal => self.open(name, &[]),
        }
    }

    /// A list: `xsi:type` before `arrayType` (R1), never `offset` (R2), typed even when empty (R3).
    pub(crate) fn open_array(&mut self, name: &str, item: &Kind, len: usize) {
        match self.style {
            Style::Encoded => {
                let array_type = format!("{}[{len}]", qualified(item));
                self.open(
                    name,
                    &[("xsi:type", "SOAP-ENC:Array"), ("SOAP-ENC:arrayType", &array_type)],
                );
            }
            Style::Literal => self.open(name, &[]),
        }
    }

    /// What stands for a member without a value.
    pub(crate) fn absent(&mut self, name: &str, kind: &Kind) {
        match kind {
            _ if self.sparse => {}
            // R13: clients read a nil boolean as true.
            Kind::Boolean => false.encode(name, kind, self),
            // R3: clients iterate over lists without looking.
            Kind::Array(item) => {
                self.open_array(name, item, 0);
                self.close(name);
            }
            // R5, without a type: PEAR reads a nil int as 0 and would send that 0 back as a value.
            _ => self.empty(name, &[("xsi:nil", "true")]),
        }
    }
}

/// Writes the members of a struct in the order of the table.
pub struct MemberWriter<'w> {
    out: &'w mut Writer,
    rows: std::slice::Iter<'static, MemberRow>,
}

impl<'w> MemberWriter<'w> {
    pub(crate) fn new(out: &'w mut Writer, rows: &'static [MemberRow]) -> Self {
        Self { out, rows: rows.iter() }
    }

    /// Writes the next member of the table.
    pub fn next<T: Value>(&mut self, value: Option<&T>) {
        let Some(row) = self.rows.next() else { return };
        match value {
            Some(value) => value.encode(row.name, &row.kind, self.out),
            None => self.out.absent(row.name, &row.kind),
        }
    }
}

/// The QName of a kind inside of an encoded message.
fn qualified(kind: &Kind) -> String {
    match kind {
        Kind::Struct(row) => format!("ngnpro:{}", row.name),
        Kind::Array(_) => "SOAP-ENC:Array".to_owned(),
        // Whole numbers as `integer` writes them; a list of words, which no type has, would be one of strings.
        Kind::Enumeration(_) => "xsd:string".to_owned(),
        Kind::Integer | Kind::NonNegativeInteger | Kind::UnsignedInt | Kind::UnsignedShort => {
            "xsd:int".to_owned()
        }
        _ => format!("xsd:{}", kind.simple_name()),
    }
}

/// Escapes character data (R12). A carriage return survives only as a reference; what XML cannot carry at
/// all is replaced, so that one bad byte in a record does not spoil a whole list.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(c),
            '\0'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            _ => escaped.push(c),
        }
    }
    escaped
}
