//! The contract's rules for replies (R1-R14, D1), checked on every reply that a test receives.

use anyhow::{Context, Result, bail, ensure};

use crate::soap::{Fault, Style};
use crate::xml::{ENCODING, Node, XSD, XSI};

/// Members that are words of an enumeration, with the words that the tests see.
const ENUMERATED: &[(&str, &str)] = &[
    ("type", "A"),
    ("type", "AAAA"),
    ("type", "CNAME"),
    ("type", "MX"),
    ("type", "NAPTR"),
    ("type", "NS"),
    ("type", "SRV"),
    ("type", "TXT"),
    ("type", "PTR"),
    ("type", "LOC"),
    ("type", "URL"),
    ("type", "MBOXFW"),
    ("protocol", "any"),
    ("protocol", "udp"),
    ("protocol", "tcp"),
    ("protocol", "tls"),
];

/// Checks a result's wrapper; gives its one child, or an empty node for a void operation.
pub fn result(wrapper: &Node, style: Style) -> Result<Node> {
    ensure!(
        wrapper.children.len() <= 1,
        "the result has {} children, one is allowed (R8)",
        wrapper.children.len()
    );
    let Some(value) = wrapper.children.first() else {
        ensure!(wrapper.text.trim().is_empty(), "text in a void result");
        return Ok(Node::default());
    };
    ensure!(value.name == "return" && value.namespace.is_empty(), "the result is not `return`");
    for node in value.walk() {
        check(node, style).with_context(|| format!("element `{}`", node.name))?;
    }
    Ok(value.clone())
}

fn check(node: &Node, style: Style) -> Result<()> {
    ensure!(node.namespace.is_empty(), "is qualified (contract A3)");
    ensure!(!matches!(node.name.as_str(), "Envelope" | "Header"), "has a forbidden name (R10)");
    for attribute in &node.attributes {
        ensure!(
            !matches!(attribute.name.as_str(), "href" | "id" | "offset"),
            "carries `{}` (R2, R10)",
            attribute.name
        );
        ensure!(
            style == Style::Encoded || (attribute.namespace == XSI && attribute.name == "nil"),
            "carries `{}` in a literal reply",
            attribute.name
        );
    }
    if node.is_nil() {
        ensure!(node.children.is_empty() && node.text.is_empty(), "is nil and has content (R5)");
    }
    if style == Style::Literal {
        return Ok(());
    }
    let kind = node.attribute(XSI, "type").map(|name| {
        node.resolve(name).with_context(|| format!("the prefix of type `{name}` is undeclared"))
    });
    let kind = kind.transpose()?;
    match node.attribute(ENCODING, "arrayType") {
        Some(array_type) => array(node, kind, array_type),
        None => plain(node, kind),
    }
}

fn array(node: &Node, kind: Option<(&str, &str)>, array_type: &str) -> Result<()> {
    ensure!(kind == Some((ENCODING, "Array")), "is a list of type {kind:?} (R1)");
    let first = node.attributes.first().context("no attributes")?;
    ensure!(first.name == "type", "has arrayType before xsi:type (R1)");
    ensure!(!node.is_nil(), "is a nil list (R3)");
    let (item_type, size) = array_type.split_once('[').context("arrayType without size")?;
    let size: usize = size.trim_end_matches(']').parse()?;
    ensure!(size == node.children.len(), "says {size} items and has {}", node.children.len());
    node.resolve(item_type).context("the prefix of arrayType is undeclared")?;
    ensure!(node.children.iter().all(|item| item.name == "item"), "has items of other names (R4)");
    Ok(())
}

fn plain(node: &Node, kind: Option<(&str, &str)>) -> Result<()> {
    let Some((namespace, kind)) = kind else {
        // R5: a nil value needs no type; nor does a word, which gSOAP would refuse as a string.
        let word = ENUMERATED.contains(&(node.name.as_str(), node.text.as_str()));
        ensure!((node.is_nil() || word) && node.children.is_empty(), "has no xsi:type (R7)");
        return Ok(());
    };
    if namespace != XSD {
        ensure!(!node.children.is_empty() || node.is_nil(), "is a struct without members (R6)");
        return Ok(());
    }
    ensure!(node.children.is_empty(), "is a scalar with children");
    let text = node.text.as_str();
    match kind {
        "boolean" => {
            ensure!(!node.is_nil(), "is a nil boolean (R13)");
            ensure!(matches!(text, "true" | "false"), "is the boolean {text:?}");
        }
        "int" => ensure!(node.is_nil() || text.parse::<i32>().is_ok(), "is the int {text:?}"),
        "double" => ensure!(node.is_nil() || text.parse::<f64>().is_ok(), "is the double {text:?}"),
        "string" => {}
        other => bail!("is an xsd:{other} (R7, R14)"),
    }
    Ok(())
}

/// Checks a fault (D1).
pub fn fault(node: &Node, style: Style) -> Result<Fault> {
    let code = node.child("faultcode").context("no faultcode")?;
    let (namespace, side) = code.resolve(&code.text).context("faultcode is no QName")?;
    ensure!(
        namespace == crate::xml::ENVELOPE && matches!(side, "Client" | "Server"),
        "faultcode is {}",
        code.text
    );
    let text = node.child("faultstring").context("no faultstring")?;
    ensure!(!text.text.is_empty() && !text.text.contains('\n'), "faultstring is no line");
    let detail = node.child("detail").context("no detail")?;
    ensure!(detail.namespace.is_empty() && detail.attributes.is_empty(), "detail is decorated");
    let exception = detail.child("exception").context("no exception in detail")?;
    ensure!(exception.namespace == crate::soap::TYPES, "exception is not the element of the WSDL");
    ensure!(
        exception.attribute(XSI, "type").is_none(),
        "exception carries xsi:type, which hides its members from ext-soap"
    );
    let number = exception.child("errorcode").context("no errorcode")?;
    let explanation = exception.child("errorstring").context("no errorstring")?;
    for member in [number, explanation] {
        ensure!(
            (style == Style::Encoded) == member.attribute(XSI, "type").is_some(),
            "`{}` is typed in the wrong style",
            member.name
        );
    }
    ensure!(!explanation.text.is_empty(), "errorstring is empty");
    Ok(Fault {
        code: number.text.parse().context("errorcode is no number")?,
        text: explanation.text.clone(),
        side: side.to_owned(),
    })
}
