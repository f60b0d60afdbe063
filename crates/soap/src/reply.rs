//! Whole messages outward: replies, faults, and the requests of our own clients.

use quick_xml::events::{BytesDecl, Event};

use crate::codec::{Decoder, Value};
use crate::envelope::{ENCODING, ENVELOPE, Envelope, Style};
use crate::fault::{Fault, Side};
use crate::ports::{NAMESPACE, Operation};
use crate::schema::Kind;
use crate::types::Auth;
use crate::writer::{MemberWriter, Writer};
use crate::xml::{Document, Element, Limits};

/// What an operation may return: one value, or nothing.
pub trait Encode: Sized {
    /// Writes the one child of the response element (R8).
    fn encode_return(&self, kind: Option<&Kind>, out: &mut Writer);

    /// Reads the one child of the response element.
    ///
    /// # Errors
    /// A fault when it is missing or cannot be read.
    fn decode_return<'d>(
        kind: Option<&Kind>,
        element: Option<Element<'d>>,
        decoder: &mut Decoder<'d>,
    ) -> Result<Self, Fault>;
}

impl Encode for () {
    fn encode_return(&self, _: Option<&Kind>, _: &mut Writer) {}

    fn decode_return<'d>(
        _: Option<&Kind>,
        _: Option<Element<'d>>,
        _: &mut Decoder<'d>,
    ) -> Result<Self, Fault> {
        Ok(())
    }
}

impl<T: Value> Encode for T {
    fn encode_return(&self, kind: Option<&Kind>, out: &mut Writer) {
        if let Some(kind) = kind {
            self.encode("return", kind, out);
        }
    }

    fn decode_return<'d>(
        kind: Option<&Kind>,
        element: Option<Element<'d>>,
        decoder: &mut Decoder<'d>,
    ) -> Result<Self, Fault> {
        let missing = || Fault::malformed("the reply holds no return value");
        let kind = kind.ok_or_else(missing)?;
        let element = element.ok_or_else(missing)?;
        decoder.value(element, "return", kind)?.ok_or_else(missing)
    }
}

/// Encodes the reply of an operation.
#[must_use]
pub fn encode_reply<O: Operation>(response: &O::Response, style: Style) -> Vec<u8> {
    let mut out = Writer::new(style, false);
    let name = format!("ns1:{}Response", O::NAME);
    envelope(&mut out, None, |out| {
        out.open(&name, &[("xmlns:ns1", O::PORT.namespace())]);
        response.encode_return(O::ROW.result.as_ref(), out);
        out.close(&name);
    });
    out.into_bytes()
}

/// Encodes a fault (contract D1). The HTTP status that goes with it is 500.
#[must_use]
pub fn encode_fault(fault: &Fault, style: Style) -> Vec<u8> {
    let mut out = Writer::new(style, false);
    envelope(&mut out, None, |out| {
        out.open("SOAP-ENV:Fault", &[]);
        out.open("faultcode", &[]);
        out.text(&format!("SOAP-ENV:{}", fault.side.as_str()));
        out.close("faultcode");
        out.open("faultstring", &[]);
        out.text(&fault.text);
        out.close("faultstring");
        out.open("detail", &[]);
        // The element of the WSDL in either style: zeep and gSOAP read it only by that name, PEAR and ext-soap go by the
        // local part. Never with an xsi:type: ext-soap would wrap the codes out of reach.
        let exception = "ngnpro:exception";
        out.open(exception, &[]);
        i32::from(fault.code).encode("errorcode", &Kind::Int, out);
        fault.text.encode("errorstring", &Kind::String, out);
        out.close(exception);
        out.close("detail");
        out.close("SOAP-ENV:Fault");
    });
    out.into_bytes()
}

/// Encodes a request, for clients of the API. Members without a value are left out.
#[must_use]
pub fn encode_call<O: Operation>(operation: &O, auth: Option<&Auth>, style: Style) -> Vec<u8> {
    let mut out = Writer::new(style, true);
    let name = format!("ns1:{}", O::NAME);
    envelope(&mut out, auth, |out| {
        out.open(&name, &[("xmlns:ns1", O::PORT.namespace())]);
        operation.write_members(&mut MemberWriter::new(out, O::ROW.parameters));
        out.close(&name);
    });
    out.into_bytes()
}

/// Decodes the reply to a request of our own. A fault of the server comes back as the error.
///
/// # Errors
/// The server's fault, or one that says why its reply cannot be read.
pub fn decode_reply<O: Operation>(body: &[u8], limits: &Limits) -> Result<O::Response, Fault> {
    let document = Document::parse(body, None, limits)
        .map_err(|error| Fault::server(crate::fault::code::MALFORMED, error.to_string()))?;
    let envelope = Envelope::of(&document).map_err(|rejected| rejected.fault)?;
    let mut decoder = Decoder::new(&document, envelope.style(), limits);
    let wrapper =
        envelope.call().ok_or_else(|| Fault::malformed("the SOAP Body of the reply is empty"))?;
    if wrapper.is(ENVELOPE, "Fault") {
        return Err(received(wrapper));
    }
    let value = wrapper.children().next();
    O::Response::decode_return(O::ROW.result.as_ref(), value, &mut decoder)
}

/// A fault that came from a server.
fn received(element: Element<'_>) -> Fault {
    let child = |element: Element<'_>, name: &str| {
        element
            .children()
            .find(|child| child.local() == name)
            .map(|child| child.text().trim().to_owned())
    };
    let exception = element
        .children()
        .find(|child| child.local() == "detail")
        .and_then(|detail| detail.children().find(|child| child.local() == "exception"));
    let side = match child(element, "faultcode") {
        Some(code) if code.ends_with("Client") => Side::Client,
        _ => Side::Server,
    };
    let code = exception.and_then(|exception| child(exception, "errorcode")?.parse().ok());
    let text = exception
        .and_then(|exception| child(exception, "errorstring"))
        .or_else(|| child(element, "faultstring"))
        .unwrap_or_default();
    Fault { code: code.unwrap_or_default(), side, text }
}

fn envelope(out: &mut Writer, auth: Option<&Auth>, body: impl FnOnce(&mut Writer)) {
    out.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let common = [
        ("xmlns:SOAP-ENV", ENVELOPE),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("xmlns:ngnpro", NAMESPACE),
    ];
    let encoded = [
        ("xmlns:xsd", "http://www.w3.org/2001/XMLSchema"),
        ("xmlns:SOAP-ENC", ENCODING),
        ("SOAP-ENV:encodingStyle", ENCODING),
    ];
    let attributes: Vec<_> = match out.style() {
        Style::Encoded => common.into_iter().chain(encoded).collect(),
        Style::Literal => common.into(),
    };
    out.open("SOAP-ENV:Envelope", &attributes);
    if let Some(auth) = auth {
        out.open("SOAP-ENV:Header", &[]);
        auth.encode("ngnpro:auth", &Auth::KIND, out);
        out.close("SOAP-ENV:Header");
    }
    out.open("SOAP-ENV:Body", &[]);
    body(out);
    out.close("SOAP-ENV:Body");
    out.close("SOAP-ENV:Envelope");
}
