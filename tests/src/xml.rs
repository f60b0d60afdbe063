//! A small reader of the XML that the server under test writes.
//!
//! It shares no code with the product, so that a mistake of the product's writer is not read back by the same mistake.
//! It is strict: anything that it does not know is an error, and so a failed test.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};

/// Namespace of SOAP 1.1 envelopes.
pub const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Namespace of SOAP's encoding rules.
pub const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";
/// Namespace of `xsi:type` and `xsi:nil`.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Namespace of XML Schema.
pub const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// An attribute with its namespace resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Namespace, empty for an unqualified attribute.
    pub namespace: String,
    /// Local name.
    pub name: String,
    /// Value, entities replaced.
    pub value: String,
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Namespace, empty for an unqualified element.
    pub namespace: String,
    /// Local name.
    pub name: String,
    /// Attributes in document order, without namespace declarations.
    pub attributes: Vec<Attribute>,
    /// Child elements in document order.
    pub children: Vec<Node>,
    /// Character data that stands directly in the element.
    pub text: String,
    /// Prefixes in scope, to resolve QNames in values.
    pub prefixes: HashMap<String, String>,
}

impl Node {
    /// The first child of that local name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }

    /// The descendant at a path of local names; a number picks a child by position. Panics when there is none.
    #[must_use]
    #[track_caller]
    pub fn at(&self, path: &str) -> &Self {
        self.find(path).unwrap_or_else(|| panic!("no `{path}` in {}", self.describe()))
    }

    /// The descendant at a path as for [`Node::at`].
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').filter(|step| !step.is_empty()).try_fold(self, |node, step| {
            match step.parse::<usize>() {
                Ok(position) => node.children.get(position),
                Err(_) => node.child(step),
            }
        })
    }

    /// The text at a path, trimmed of nothing. Panics when there is no such element.
    #[must_use]
    #[track_caller]
    pub fn text_at(&self, path: &str) -> &str {
        &self.at(path).text
    }

    /// The number at a path. Panics when there is none.
    #[must_use]
    #[track_caller]
    pub fn int_at(&self, path: &str) -> i64 {
        let text = self.text_at(path);
        text.parse().unwrap_or_else(|_| panic!("`{path}` is `{text}`, no number"))
    }

    /// The number with a fraction at a path. Panics when there is none.
    #[must_use]
    #[track_caller]
    pub fn double_at(&self, path: &str) -> f64 {
        let text = self.text_at(path);
        text.parse().unwrap_or_else(|_| panic!("`{path}` is `{text}`, no number"))
    }

    /// Whether the element at a path is nil. Panics when there is no such element.
    #[must_use]
    #[track_caller]
    pub fn is_nil_at(&self, path: &str) -> bool {
        self.at(path).is_nil()
    }

    /// Whether the element carries `xsi:nil`.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        matches!(self.attribute(XSI, "nil"), Some("true" | "1"))
    }

    /// The texts of the children of the list at a path.
    #[must_use]
    #[track_caller]
    pub fn texts_at(&self, path: &str) -> Vec<&str> {
        self.at(path).children.iter().map(|c| c.text.as_str()).collect()
    }

    /// One text per item of the list at a path: what stands at `member` in it.
    #[must_use]
    #[track_caller]
    pub fn column(&self, list: &str, member: &str) -> Vec<&str> {
        self.at(list).children.iter().map(|c| c.text_at(member)).collect()
    }

    /// An attribute's value.
    #[must_use]
    pub fn attribute(&self, namespace: &str, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|a| a.namespace == namespace && a.name == name)
            .map(|a| a.value.as_str())
    }

    /// The namespace and local name that a QName in this element means.
    #[must_use]
    pub fn resolve<'a>(&'a self, qname: &'a str) -> Option<(&'a str, &'a str)> {
        let (prefix, local) = qname.split_once(':').unwrap_or(("", qname));
        Some((self.prefixes.get(prefix)?.as_str(), local))
    }

    /// All elements of the tree, this one first.
    pub fn walk(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        Box::new(std::iter::once(self).chain(self.children.iter().flat_map(Node::walk)))
    }

    /// The element as an indented outline, for failure messages.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut out = String::new();
        self.outline(0, &mut out);
        out
    }

    fn outline(&self, depth: usize, out: &mut String) {
        out.push_str(&format!("\n{}{}", "  ".repeat(depth), self.name));
        if self.is_nil() {
            out.push_str(" (nil)");
        } else if self.children.is_empty() {
            out.push_str(&format!(" = {:?}", self.text));
        }
        for child in &self.children {
            child.outline(depth + 1, out);
        }
    }
}

/// Reads a document.
pub fn parse(document: &str) -> Result<Node> {
    let mut reader = Reader { rest: document };
    reader.prologue()?;
    let root = reader.element(&HashMap::from([(
        "xml".to_owned(),
        "http://www.w3.org/XML/1998/namespace".to_owned(),
    )]))?;
    // Comments may follow (XML 1.0 §2.1, production 22).
    let mut rest = reader.rest.trim();
    while let Some(comment) = rest.strip_prefix("<!--") {
        let (inside, after) = comment.split_once("-->").context("a comment without end")?;
        ensure!(!inside.contains("--") && !inside.ends_with('-'), "two hyphens in a comment");
        rest = after.trim();
    }
    ensure!(rest.is_empty(), "text after the root element");
    Ok(root)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn prologue(&mut self) -> Result<()> {
        if self.rest.starts_with("<?xml") {
            self.until("?>")?;
        }
        self.rest = self.rest.trim_start();
        while self.rest.starts_with("<!--") {
            self.until("-->")?;
            self.rest = self.rest.trim_start();
        }
        Ok(())
    }

    fn until(&mut self, mark: &str) -> Result<&'a str> {
        let (before, after) =
            self.rest.split_once(mark).with_context(|| format!("no `{mark}` to come"))?;
        self.rest = after;
        Ok(before)
    }

    fn eat(&mut self, mark: &str) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> Result<&'a str> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.')))
            .unwrap_or(self.rest.len());
        ensure!(end > 0, "a name was expected at {:?}", self.rest.get(..20).unwrap_or(self.rest));
        let (name, after) = self.rest.split_at(end);
        self.rest = after;
        Ok(name)
    }

    fn element(&mut self, outer: &HashMap<String, String>) -> Result<Node> {
        ensure!(self.eat("<"), "an element was expected");
        let qname = self.name()?;
        let mut prefixes = outer.clone();
        let mut raw: Vec<(&str, String)> = Vec::new();
        let empty = loop {
            self.rest = self.rest.trim_start();
            if self.eat("/>") {
                break true;
            }
            if self.eat(">") {
                break false;
            }
            let name = self.name()?;
            ensure!(self.eat("="), "attribute `{name}` without value");
            let quote = if self.eat("\"") { "\"" } else { "'" };
            if quote == "'" {
                ensure!(self.eat("'"), "attribute `{name}` without quotes");
            }
            let value = unescape(self.until(quote)?)?;
            ensure!(raw.iter().all(|(n, _)| *n != name), "attribute `{name}` twice");
            if name == "xmlns" {
                prefixes.insert(String::new(), value);
            } else if let Some(prefix) = name.strip_prefix("xmlns:") {
                prefixes.insert(prefix.to_owned(), value);
            } else {
                raw.push((name, value));
            }
        };
        let lookup = |prefix: &str| {
            prefixes.get(prefix).cloned().with_context(|| format!("prefix `{prefix}` undeclared"))
        };
        let attributes = raw
            .into_iter()
            .map(|(name, value)| {
                let (namespace, name) = match name.split_once(':') {
                    Some((prefix, local)) => (lookup(prefix)?, local),
                    None => (String::new(), name),
                };
                Ok(Attribute { namespace, name: name.to_owned(), value })
            })
            .collect::<Result<_>>()?;
        let (namespace, local) = match qname.split_once(':') {
            Some((prefix, local)) => (lookup(prefix)?, local),
            None => (prefixes.get("").cloned().unwrap_or_default(), qname),
        };
        let mut node =
            Node { namespace, name: local.to_owned(), attributes, prefixes, ..Node::default() };
        if !empty {
            self.content(&mut node, qname)?;
        }
        Ok(node)
    }

    fn content(&mut self, node: &mut Node, qname: &str) -> Result<()> {
        loop {
            let open = self.rest.find('<').with_context(|| format!("`{qname}` is not closed"))?;
            let (text, after) = self.rest.split_at(open);
            self.rest = after;
            node.text.push_str(&unescape(text)?);
            if self.eat("</") {
                let end = self.name()?;
                ensure!(end == qname, "`{qname}` is closed by `{end}`");
                self.rest = self.rest.trim_start();
                ensure!(self.eat(">"), "end tag of `{qname}` is broken");
                if !node.children.is_empty() && node.text.trim().is_empty() {
                    node.text.clear();
                }
                return Ok(());
            }
            if self.eat("<!--") {
                self.until("-->")?;
            } else if self.eat("<![CDATA[") {
                let text = self.until("]]>")?;
                node.text.push_str(text);
            } else {
                let child = self.element(&node.prefixes)?;
                node.children.push(child);
            }
        }
    }
}

fn unescape(text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (entity, rest) = part.split_once(';').context("`&` without `;`")?;
        out.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let code = match entity.strip_prefix('#') {
                    Some(number) => match number.strip_prefix('x') {
                        Some(hex) => u32::from_str_radix(hex, 16)?,
                        None => number.parse()?,
                    },
                    None => bail!("unknown entity `{entity}`"),
                };
                char::from_u32(code).context("no such character")?
            }
        });
        out.push_str(rest);
    }
    Ok(out)
}

/// Text for element content or an attribute value.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_namespaces_and_entities() {
        let node = parse(
            "<?xml version=\"1.0\"?>\n<a:x xmlns:a=\"u\" a:k=\"1&amp;2\"><y> &lt;&#65; </y><y/></a:x>\n",
        )
        .unwrap();
        assert_eq!((node.namespace.as_str(), node.name.as_str()), ("u", "x"));
        assert_eq!(node.attribute("u", "k"), Some("1&2"));
        assert_eq!(node.text_at("0"), " <A ");
        assert_eq!(node.at("1").namespace, "");
    }

    #[test]
    fn refuses_what_is_no_xml() {
        for broken in ["", "x", "<a>", "<a></b>", "<a b=1/>", "<p:a/>", "<a/><b/>", "<a>&x;</a>"] {
            assert!(parse(broken).is_err(), "{broken} was read");
        }
    }
}
