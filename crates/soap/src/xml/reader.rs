//! Text to tree. The only file that names quick-xml's reader.
//!
//! quick-xml cuts the text into tokens and matches end tags; everything else is checked here: characters,
//! names, references, namespaces, one root, and the limits. Each step is linear in the text, with the
//! limits as factors.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::cut::cut;

use super::{Attribute, Document, Limits, Node, Place, XmlError};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Reads a whole text.
pub(super) fn read(text: &str, limits: &Limits) -> Result<Document, XmlError> {
    check_characters(text)?;
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_comments = true;
    config.expand_empty_elements = true;
    let mut builder = Builder::new(text, limits);
    loop {
        builder.offset = position(reader.buffer_position());
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                let problem = match error {
                    quick_xml::Error::Syntax(error) => error.to_string(),
                    quick_xml::Error::IllFormed(error) => error.to_string(),
                    error => error.to_string(),
                };
                return Err(XmlError::Syntax {
                    problem: cut(&problem, 160),
                    place: Place::of(text, position(reader.error_position())),
                });
            }
        };
        match event {
            Event::Start(tag) | Event::Empty(tag) => builder.open(&tag)?,
            Event::End(_) => builder.close(),
            Event::Text(data) => builder.text(&data.xml10_content())?,
            Event::CData(data) => builder.text(&data.xml10_content())?,
            Event::GeneralRef(name) => {
                let c = resolve(&name).map_err(|problem| builder.unresolved(&name, problem))?;
                builder.text(c.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(XmlError::Doctype(builder.place())),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => break,
        }
    }
    builder.finish()
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// XML 1.0 §2.2, production Char.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..) && c != '\u{FFFE}'
}

fn check_characters(text: &str) -> Result<(), XmlError> {
    match text.char_indices().find(|(_, c)| !is_xml_char(*c)) {
        Some((at, c)) => {
            Err(XmlError::Character { code: u32::from(c), place: Place::of(text, at) })
        }
        None => Ok(()),
    }
}

/// XML 1.0 §2.3, production NameStartChar without the colon.
fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
        | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
        | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn is_nc_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start)
        && chars.all(|c| {
            is_name_start(c)
                || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
        })
}

/// What is wrong with a reference.
enum Unresolved {
    Undefined,
    Forbidden(u32),
    NotANumber,
}

/// The character of a predefined entity or a character reference (XML 1.0 §4.1, §4.6).
fn resolve(name: &str) -> Result<char, Unresolved> {
    let code = match name {
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "amp" => return Ok('&'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => {
            let digits = name.strip_prefix('#').ok_or(Unresolved::Undefined)?;
            let (digits, radix) = match digits.strip_prefix('x') {
                Some(hexadecimal) => (hexadecimal, 16),
                None => (digits, 10),
            };
            if digits.starts_with('+') {
                return Err(Unresolved::NotANumber);
            }
            u32::from_str_radix(digits, radix).map_err(|_| Unresolved::NotANumber)?
        }
    };
    char::from_u32(code).filter(|c| is_xml_char(*c)).ok_or(Unresolved::Forbidden(code))
}

struct Builder<'t> {
    text: &'t str,
    limits: &'t Limits,
    offset: usize,
    nodes: Vec<Node>,
    /// Open elements: node, and how many declarations were in scope outside.
    open: Vec<(usize, usize)>,
    /// Declarations in scope, innermost last: prefix (empty for the default) and namespace number.
    scope: Vec<(String, usize)>,
    namespaces: Vec<String>,
    numbers: BTreeMap<String, usize>,
    ids: BTreeMap<String, usize>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, limits: &'t Limits) -> Self {
        Self {
            text,
            limits,
            offset: 0,
            nodes: Vec::new(),
            open: Vec::new(),
            scope: Vec::new(),
            namespaces: vec![String::new()],
            numbers: BTreeMap::from([(String::new(), 0)]),
            ids: BTreeMap::new(),
        }
    }

    fn place(&self) -> Place {
        Place::of(self.text, self.offset)
    }

    fn syntax(&self, problem: impl Into<String>) -> XmlError {
        XmlError::Syntax { problem: problem.into(), place: self.place() }
    }

    fn limit(&self, what: &'static str, limit: usize) -> XmlError {
        XmlError::Limit { what, limit, place: self.place() }
    }

    fn unresolved(&self, name: &str, problem: Unresolved) -> XmlError {
        let place = self.place();
        match problem {
            Unresolved::Undefined => XmlError::Entity { name: cut(name, 40), place },
            Unresolved::Forbidden(code) => XmlError::Character { code, place },
            Unresolved::NotANumber => {
                self.syntax(format!("`&{};` is not a character reference", cut(name, 40)))
            }
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        if self.open.is_empty() && !self.nodes.is_empty() {
            return Err(self.syntax("there is a second element after the document's end"));
        }
        if self.open.len() >= self.limits.depth {
            return Err(self.limit("elements nest too deep", self.limits.depth));
        }
        if self.nodes.len() >= self.limits.nodes {
            return Err(self.limit("there are too many elements", self.limits.nodes));
        }
        let outside = self.scope.len();
        let name = tag.name();
        let (prefix, local) = self.split(name.0)?;
        let raw = self.declare(tag)?;
        let namespace = self.number_of(prefix)?;
        let index = self.nodes.len();
        let mut node = Node { namespace, local: local.into(), ..Node::default() };
        for (name, value) in raw {
            let (prefix, local) = self.split(name)?;
            // An attribute without prefix is in no namespace (Namespaces in XML §6.2).
            let namespace = if prefix.is_empty() { 0 } else { self.number_of(prefix)? };
            let is_type = local == "type"
                && self.namespaces.get(namespace).is_some_and(|namespace| namespace == XSI);
            if is_type {
                node.xsi_type = Some(self.type_name(&value));
            }
            if namespace == 0 && local == "id" {
                self.ids.entry(value.clone()).or_insert(index);
            }
            node.attributes.push(Attribute { namespace, local: local.into(), value });
        }
        if let Some(parent) = self.open.last().and_then(|(parent, _)| self.nodes.get_mut(*parent)) {
            parent.has_children = true;
        }
        self.nodes.push(node);
        self.open.push((index, outside));
        Ok(())
    }

    /// Takes the namespace declarations of a tag into scope and returns its other attributes, unescaped.
    fn declare<'a>(&mut self, tag: &'a BytesStart<'_>) -> Result<Vec<(&'a str, String)>, XmlError> {
        let mut others = Vec::new();
        for (count, attribute) in tag.attributes().enumerate() {
            if count >= self.limits.attributes {
                return Err(
                    self.limit("an element has too many attributes", self.limits.attributes)
                );
            }
            let attribute = attribute.map_err(|error| self.syntax(error.to_string()))?;
            let value = self.unescape(&attribute.value)?;
            let name = attribute.key.0;
            let prefix = match name.strip_prefix("xmlns").map(|rest| (rest, rest.strip_prefix(':')))
            {
                Some(("", _)) => "",
                Some((_, Some(prefix))) if is_nc_name(prefix) => prefix,
                Some((_, Some(_))) => {
                    let shown = cut(name, 40);
                    return Err(self.syntax(format!("`{shown}` is not a namespace declaration")));
                }
                Some((_, None)) | None => {
                    others.push((name, value));
                    continue;
                }
            };
            if self.scope.len() >= self.limits.namespaces {
                return Err(self.limit("too many namespaces are declared", self.limits.namespaces));
            }
            let number = self.intern(value);
            self.scope.push((prefix.to_owned(), number));
        }
        Ok(others)
    }

    fn intern(&mut self, namespace: String) -> usize {
        if let Some(number) = self.numbers.get(&namespace) {
            return *number;
        }
        let number = self.namespaces.len();
        self.namespaces.push(namespace.clone());
        self.numbers.insert(namespace, number);
        number
    }

    fn split<'n>(&self, name: &'n str) -> Result<(&'n str, &'n str), XmlError> {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if is_nc_name(local) && (prefix.is_empty() || is_nc_name(prefix)) && !name.starts_with(':')
        {
            return Ok((prefix, local));
        }
        Err(self.syntax(format!("`{}` is not a name", cut(name, 40))))
    }

    fn lookup(&self, prefix: &str) -> Option<usize> {
        self.scope.iter().rev().find(|(p, _)| p == prefix).map(|(_, number)| *number)
    }

    fn number_of(&mut self, prefix: &str) -> Result<usize, XmlError> {
        match self.lookup(prefix) {
            Some(number) => Ok(number),
            None if prefix.is_empty() => Ok(0),
            None if prefix == "xml" => Ok(self.intern(XML.to_owned())),
            None => Err(XmlError::Prefix { prefix: cut(prefix, 40), place: self.place() }),
        }
    }

    /// Resolves a QName in content; one that cannot be resolved is kept without namespace (W3).
    fn type_name(&self, value: &str) -> (usize, Box<str>) {
        let value = value.trim();
        let (prefix, local) = value.split_once(':').unwrap_or(("", value));
        (self.lookup(prefix).unwrap_or(0), local.into())
    }

    /// An attribute's value: references resolved, white space normalised (XML 1.0 §3.3.3).
    fn unescape(&self, raw: &str) -> Result<String, XmlError> {
        if raw.contains('<') {
            return Err(self.syntax("`<` stands in an attribute's value; write &lt;"));
        }
        let mut value = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once('&') {
            push_normalised(&mut value, before);
            let (name, after) = after
                .split_once(';')
                .ok_or_else(|| self.syntax("`&` without `;` in an attribute's value"))?;
            value.push(resolve(name).map_err(|problem| self.unresolved(name, problem))?);
            rest = after;
        }
        push_normalised(&mut value, rest);
        Ok(value)
    }

    fn close(&mut self) {
        let Some((index, outside)) = self.open.pop() else { return };
        self.scope.truncate(outside);
        let end = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(index) {
            node.end = end;
            if node.has_children && node.text.trim().is_empty() {
                node.text = String::new();
            }
        }
    }

    fn text(&mut self, data: &str) -> Result<(), XmlError> {
        match self.open.last().and_then(|(index, _)| self.nodes.get_mut(*index)) {
            Some(node) => {
                node.text.push_str(data);
                Ok(())
            }
            None if data.trim().is_empty() => Ok(()),
            None => Err(self.syntax("there is text outside of the document's element")),
        }
    }

    fn finish(self) -> Result<Document, XmlError> {
        if let Some(node) = self.open.last().and_then(|(index, _)| self.nodes.get(*index)) {
            return Err(
                self.syntax(format!("the message ends inside of `{}`", cut(&node.local, 40)))
            );
        }
        if self.nodes.is_empty() {
            return Err(XmlError::Empty);
        }
        Ok(Document {
            nodes: self.nodes,
            namespaces: self.namespaces,
            ids: self.ids,
            text_len: self.text.len(),
        })
    }
}

fn push_normalised(value: &mut String, raw: &str) {
    // CR LF counts as one line end (XML 1.0 §2.11), which then becomes one space.
    let mut previous = ' ';
    for c in raw.chars() {
        match c {
            '\n' if previous == '\r' => {}
            '\t' | '\n' | '\r' => value.push(' '),
            _ => value.push(c),
        }
        previous = c;
    }
}
