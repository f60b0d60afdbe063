//! Untrusted XML: bytes to a bounded tree, every refusal with its place.
//!
//! `charset` turns bytes into text, `reader` turns text into the arena of this module. The tree holds what
//! SOAP needs: elements by namespace and local name, attributes, and character data. Comments and
//! processing instructions are dropped; document type declarations are refused (SOAP 1.1 §3).

mod charset;
mod error;
mod reader;

use std::collections::BTreeMap;

pub use error::{Place, XmlError};

/// What a message may cost. Every bound is a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the body.
    pub body: usize,
    /// Nesting of elements.
    pub depth: usize,
    /// Elements, also after references are followed.
    pub nodes: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Namespace declarations in scope at one place.
    pub namespaces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1 << 20, depth: 64, nodes: 20_000, attributes: 64, namespaces: 128 }
    }
}

/// A parsed message: elements in document order, so that a subtree is a contiguous run.
#[derive(Debug)]
pub struct Document {
    nodes: Vec<Node>,
    /// Namespace names by number; number 0 is "no namespace".
    namespaces: Vec<String>,
    ids: BTreeMap<String, usize>,
    text_len: usize,
}

#[derive(Debug, Default)]
struct Node {
    namespace: usize,
    local: Box<str>,
    attributes: Vec<Attribute>,
    /// The value of `xsi:type`, its prefix resolved where it can be (W3: `Struct` cannot).
    xsi_type: Option<(usize, Box<str>)>,
    /// Character data; white space between child elements is dropped.
    text: String,
    has_children: bool,
    /// One past the last node of the subtree, hence also the next sibling if there is one.
    end: usize,
}

#[derive(Debug)]
struct Attribute {
    namespace: usize,
    local: Box<str>,
    value: String,
}

impl Document {
    /// Parses a message. `charset` is the parameter of the Content-Type header, if any.
    ///
    /// # Errors
    /// When the bytes are not the XML that a SOAP message may be, or cost more than `limits`.
    pub fn parse(body: &[u8], charset: Option<&str>, limits: &Limits) -> Result<Self, XmlError> {
        if body.len() > limits.body {
            return Err(XmlError::TooLarge { size: body.len(), limit: limits.body });
        }
        reader::read(&charset::decode(body, charset)?, limits)
    }

    /// The document element.
    #[must_use]
    pub fn root(&self) -> Option<Element<'_>> {
        self.element(0)
    }

    /// The element whose unqualified `id` attribute has this value (SOAP 1.1 §5.4.1).
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<Element<'_>> {
        self.ids.get(id).and_then(|index| self.element(*index))
    }

    /// The length of the text that was parsed, in bytes of UTF-8.
    #[must_use]
    pub fn text_len(&self) -> usize {
        self.text_len
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: a document has a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn element(&self, index: usize) -> Option<Element<'_>> {
        self.nodes.get(index).map(|node| Element { document: self, node, index })
    }

    fn namespace(&self, number: usize) -> &str {
        self.namespaces.get(number).map_or("", String::as_str)
    }
}

/// One element of a [`Document`].
#[derive(Debug, Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document,
    node: &'d Node,
    index: usize,
}

impl<'d> Element<'d> {
    /// The namespace name, empty for none.
    #[must_use]
    pub fn namespace(self) -> &'d str {
        self.document.namespace(self.node.namespace)
    }

    /// The local name.
    #[must_use]
    pub fn local(self) -> &'d str {
        &self.node.local
    }

    /// Whether the element has this name.
    #[must_use]
    pub fn is(self, namespace: &str, local: &str) -> bool {
        self.local() == local && self.namespace() == namespace
    }

    /// The character data, white space kept; of an element with child elements, what is more than white space.
    #[must_use]
    pub fn text(self) -> &'d str {
        &self.node.text
    }

    /// Whether there are child elements.
    #[must_use]
    pub fn has_children(self) -> bool {
        self.node.has_children
    }

    /// The child elements in document order.
    pub fn children(self) -> impl Iterator<Item = Element<'d>> {
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            let child = (next < self.node.end).then(|| self.document.element(next)).flatten()?;
            next = child.node.end;
            Some(child)
        })
    }

    /// The elements below this one, at any depth, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Element<'d>> {
        (self.index + 1..self.node.end).filter_map(move |index| self.document.element(index))
    }

    /// The value of an attribute; `namespace` is empty for an unqualified one.
    #[must_use]
    pub fn attribute(self, namespace: &str, local: &str) -> Option<&'d str> {
        self.node
            .attributes
            .iter()
            .find(|a| &*a.local == local && self.document.namespace(a.namespace) == namespace)
            .map(|a| a.value.as_str())
    }

    /// The namespace (empty when unresolvable) and local name of the `xsi:type`, if there is one.
    #[must_use]
    pub fn xsi_type(self) -> Option<(&'d str, &'d str)> {
        let (namespace, local) = self.node.xsi_type.as_ref()?;
        Some((self.document.namespace(*namespace), local))
    }
}
