//! The envelope of SOAP 1.1 §4: header, body, style, and which operation is called.

use crate::codec::Decoder;
use crate::cut::cut;
use crate::fault::Fault;
use crate::fault::code;
use crate::ports::{NAMESPACE, Port, Request};
use crate::schema::OperationRow;
use crate::suggest;
use crate::types::Auth;
use crate::xml::{Document, Element, Limits};

/// The namespace of SOAP 1.1 envelopes.
pub(crate) const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The namespace of the encoding rules of SOAP 1.1 §5.
pub(crate) const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";
const ENVELOPE_1_2: &str = "http://www.w3.org/2003/05/soap-envelope";

/// How values are written: a reply follows its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// rpc/encoded: a type on every value, lists as `SOAP-ENC:Array`.
    Encoded,
    /// Literal: no types, lists as plain elements.
    Literal,
}

/// A decoded request.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The `auth` header, if there is one.
    pub auth: Option<Auth>,
    /// The operation and its arguments.
    pub request: Request,
    /// The style that the reply must have.
    pub style: Style,
}

/// A request that was refused while it was decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// Why.
    pub fault: Fault,
    /// The style that the reply must have.
    pub style: Style,
    /// The `auth` header, as far as it could be read: a caller who is not known learns that first (contract D3).
    pub auth: Option<Auth>,
    /// The operation that was called, once it is known.
    pub operation: Option<&'static OperationRow>,
}

impl Rejected {
    fn malformed(text: impl Into<String>, style: Style) -> Self {
        Self::new(Fault::malformed(text), style)
    }

    fn new(fault: Fault, style: Style) -> Self {
        Self { fault, style, auth: None, operation: None }
    }
}

/// Decodes a request. `charset` is the parameter of the Content-Type header, if any.
///
/// # Errors
/// Faults 9004 (not XML, not SOAP), 9002 (no such operation) and 9000 (an argument that cannot be read),
/// each naming what is wrong and where.
pub fn decode(body: &[u8], charset: Option<&str>, limits: &Limits) -> Result<Call, Rejected> {
    let document = Document::parse(body, charset, limits).map_err(|error| {
        // Before the message is read its style is not known; every client reads an encoded fault.
        Rejected::malformed(error.to_string(), Style::Encoded)
    })?;
    let envelope = Envelope::of(&document)?;
    let style = envelope.style();
    let mut decoder = Decoder::new(&document, style, limits);

    let call = envelope.call().ok_or_else(|| {
        Rejected::malformed(
            "the SOAP Body is empty; send one element: {port namespace}operation",
            style,
        )
    })?;
    let operation = find(call).map_err(|fault| Rejected::new(fault, style))?;

    let rejected = |fault, auth| Rejected { fault, style, auth, operation: Some(operation) };
    let auth = match envelope.auth() {
        Some(element) => decoder
            .value::<Auth>(element, "auth", &Auth::KIND)
            .map_err(|fault| rejected(fault, None))?,
        None => None,
    };
    match operation.port.decode(operation.name, call, &mut decoder) {
        Some(Ok(request)) => Ok(Call { auth, request, style }),
        Some(Err(fault)) => Err(rejected(fault, auth)),
        None => Err(rejected(unknown(operation.port, operation.name), auth)),
    }
}

/// The parts of an envelope.
pub(crate) struct Envelope<'d> {
    root: Element<'d>,
    header: Option<Element<'d>>,
    body: Element<'d>,
}

impl<'d> Envelope<'d> {
    pub(crate) fn of(document: &'d Document) -> Result<Self, Rejected> {
        let malformed = |text: String| Rejected::malformed(text, Style::Encoded);
        let root = document.root().ok_or_else(|| malformed("the message is empty".to_owned()))?;
        if root.local() == "Envelope" && root.namespace() == ENVELOPE_1_2 {
            return Err(malformed(format!(
                "this is a SOAP 1.2 envelope; send SOAP 1.1, namespace {ENVELOPE}"
            )));
        }
        if !root.is(ENVELOPE, "Envelope") {
            return Err(malformed(format!(
                "the document's element is {}; a SOAP 1.1 message has {{{ENVELOPE}}}Envelope",
                named(root)
            )));
        }
        let mut header = None;
        for child in root.children() {
            if child.is(ENVELOPE, "Header") {
                header.get_or_insert(child);
            } else if child.is(ENVELOPE, "Body") {
                return Ok(Self { root, header, body: child });
            }
        }
        Err(malformed("the SOAP envelope has no Body".to_owned()))
    }

    /// The style of the request, hence of the reply: encoded when `encodingStyle` stands on Envelope or
    /// Body, or any `xsi:type` below Body.
    pub(crate) fn style(&self) -> Style {
        let declared = [self.root, self.body]
            .iter()
            .any(|element| element.attribute(ENVELOPE, "encodingStyle").is_some());
        if declared || self.body.descendants().any(|element| element.xsi_type().is_some()) {
            Style::Encoded
        } else {
            Style::Literal
        }
    }

    /// W1: `auth` with our namespace or none; actor and mustUnderstand do not matter.
    fn auth(&self) -> Option<Element<'d>> {
        self.header?
            .children()
            .find(|child| child.local() == "auth" && matches!(child.namespace(), "" | NAMESPACE))
    }

    /// The first child of Body that is not marked as an independent value (SOAP 1.1 §5.6).
    pub(crate) fn call(&self) -> Option<Element<'d>> {
        self.body.children().find(|child| child.attribute(ENCODING, "root") != Some("0"))
    }
}

/// Finds the operation by the namespace and local name of its element; SOAPAction plays no part.
fn find(call: Element<'_>) -> Result<&'static OperationRow, Fault> {
    let Some(port) = Port::from_namespace(call.namespace()) else {
        return Err(unknown_port(call));
    };
    port.operations()
        .iter()
        .copied()
        .find(|row| row.name == call.local())
        .ok_or_else(|| unknown(port, call.local()))
}

fn unknown_port(call: Element<'_>) -> Fault {
    let name = short(call.local());
    let advice = match (suggest::port(call.namespace()), homes(call.local()).as_slice()) {
        (Some(port), _) => format!("did you mean {}?", port.namespace()),
        (None, []) => {
            let all: Vec<_> = Port::ALL.iter().map(|port| port.name()).collect();
            format!("the ports are {NAMESPACE}: followed by {}", all.join(", "))
        }
        (None, homes) => {
            let homes: Vec<_> = homes.iter().map(|port| port.namespace()).collect();
            format!("{name} is an operation of {}", homes.join(" and "))
        }
    };
    let problem = match call.namespace() {
        "" => format!("{name} has no namespace, so its port is not known"),
        namespace => format!("there is no port with namespace {}", short(namespace)),
    };
    Fault::client(code::UNKNOWN_OPERATION, format!("{problem}; {advice}"))
}

fn unknown(port: Port, name: &str) -> Fault {
    let shown = short(name);
    let advice = if let Some((_, instead)) =
        LEGACY.iter().find(|(legacy, _)| port == Port::Sip && *legacy == name)
    {
        format!("it belongs to the API before version 4; use {instead}")
    } else if let Some(home) = homes(name).first() {
        format!("it is an operation of port {}, namespace {}", home.name(), home.namespace())
    } else if let Some(nearest) = suggest::operation(port, name) {
        format!("did you mean {nearest}?")
    } else {
        "its operations are in the WSDL".to_owned()
    };
    Fault::client(
        code::UNKNOWN_OPERATION,
        format!("port {} has no operation {shown}; {advice}", port.name()),
    )
}

/// Operations of older clients that are no longer served (contract B1), and what does their work now.
const LEGACY: &[(&str, &str)] = &[
    ("getDomainStatistics", "getStatistics of the Network port"),
    ("addGatewayGroup", "addCarrier"),
    ("deleteGatewayGroup", "deleteCarrier"),
    ("getGatewayGroups", "getCarriers"),
];

/// The ports that have an operation of that name.
fn homes(name: &str) -> Vec<Port> {
    let has = |port: &&Port| port.operations().iter().any(|row| row.name == name);
    Port::ALL.iter().filter(has).copied().collect()
}

fn named(element: Element<'_>) -> String {
    match element.namespace() {
        "" => format!("`{}`", short(element.local())),
        namespace => format!("{{{}}}{}", short(namespace), short(element.local())),
    }
}

/// A name that came from the network.
fn short(name: &str) -> String {
    cut(name, 80)
}
