//! The WSDL, made from the table (contract E, and what clients were measured to understand).
//!
//! Two variants describe the same messages on the wire. Both declare lists as `complexType/sequence/item`:
//! with `SOAP-ENC:Array` zeep would fetch the encoding schema from the network. Header and fault parts are
//! given by `element` with `use="literal"`. Each variant exists whole and per port, since ext-soap calls the
//! first port's operation when two ports have one of the same name. There is no `documentation` element:
//! PEAR's parser, as fielded, dies of it.

mod model;

use crate::envelope::ENCODING;
use crate::ports::{NAMESPACE, Port};
use crate::schema::{EnumerationRow, Kind, MemberRow, OperationRow, StructRow};
use crate::type_set::TypeSet;
use crate::types::{Auth, NGNProException};

use self::model::{
    Binding, BoundFault, BoundMessage, BoundOperation, ComplexType, Definitions, EnumerationValue,
    Import, Message, MessageReference, Part, PortOperation, PortType, Restriction, Schema,
    SchemaElement, Sequence, Service, ServicePort, SimpleType, SoapAddress, SoapBinding, SoapBody,
    SoapFault, SoapHeader, SoapOperation, Types,
};

/// How the WSDL binds operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// rpc/encoded: the one that every known client digests.
    Encoded,
    /// document/literal wrapped: typed values for clients that do not convert encoded ones.
    Literal,
}

/// Makes the WSDL, whole or of one port. `location` is the URL of the service as the client sees it; it must
/// not end in `wsdl`, or PEAR takes it for a description (contract A1).
#[must_use]
pub fn document(variant: Variant, port: Option<Port>, location: &str) -> String {
    let ports = port.as_ref().map_or(Port::ALL, std::slice::from_ref);
    let config = yaserde::ser::Config {
        perform_indent: true,
        write_document_declaration: true,
        indent_string: None,
    };
    let definitions = Describer { variant, ports }.definitions(location);
    match yaserde::ser::to_string_with_config(&definitions, &config) {
        Ok(mut text) => {
            text.push('\n');
            text
        }
        // Writing names of our own into memory has no way to fail; a comment would show one.
        Err(error) => format!("<!-- {} -->\n", error.to_string().replace("--", "- -")),
    }
}

const HEADER: &str = "Header";
const FAULT: &str = "NGNProException";

struct Describer<'p> {
    variant: Variant,
    ports: &'p [Port],
}

impl Describer<'_> {
    fn definitions(&self, location: &str) -> Definitions {
        Definitions {
            name: "NGNPro".to_owned(),
            target_namespace: NAMESPACE.to_owned(),
            types: Types { schemas: self.schemas() },
            messages: self.messages(),
            port_types: self.ports.iter().map(|port| port_type(*port)).collect(),
            bindings: self.ports.iter().map(|port| self.binding(*port)).collect(),
            service: Service {
                name: "NGNPro".to_owned(),
                ports: self
                    .ports
                    .iter()
                    .map(|port| ServicePort {
                        name: port_name(*port),
                        binding: format!("tns:{}Binding", port.name()),
                        // XML has no place for control characters, and no URL has them.
                        address: SoapAddress { location: location.replace(char::is_control, "") },
                    })
                    .collect(),
            },
        }
    }

    fn operations(&self) -> impl Iterator<Item = &'static OperationRow> {
        self.ports.iter().flat_map(|port| port.operations()).copied()
    }

    fn schemas(&self) -> Vec<Schema> {
        let mut schemas = vec![self.type_schema()];
        if self.variant == Variant::Literal {
            schemas.extend(self.ports.iter().map(|port| wrapper_schema(*port)));
        }
        schemas
    }

    /// The types that the operations need, and what those need.
    fn type_schema(&self) -> Schema {
        let types = TypeSet::of(self.ports);
        Schema {
            target_namespace: NAMESPACE.to_owned(),
            element_form_default: "unqualified".to_owned(),
            imports: Vec::new(),
            simple_types: types.enumerations.iter().map(|row| simple_type(row)).collect(),
            complex_types: types
                .structs
                .iter()
                .map(|row| struct_type(row, self.variant))
                .chain(types.arrays.iter().map(|item| array_type(item, self.variant)))
                .collect(),
            elements: vec![
                global("auth", &Auth::KIND, self.variant),
                global("exception", &NGNProException::KIND, self.variant),
            ],
        }
    }

    fn messages(&self) -> Vec<Message> {
        let by_element = |name: &str, part: &str, element: String| Message {
            name: name.to_owned(),
            parts: vec![Part { name: part.to_owned(), r#type: None, element: Some(element) }],
        };
        let mut messages = vec![
            by_element(HEADER, "auth", "tns:auth".to_owned()),
            by_element(FAULT, "exception", "tns:exception".to_owned()),
        ];
        for operation in self.operations() {
            let (input, output) = (message(operation, "Request"), message(operation, "Response"));
            match self.variant {
                Variant::Encoded => {
                    let part = |name: &str, kind: &Kind| Part {
                        name: name.to_owned(),
                        r#type: Some(qname(kind, self.variant)),
                        element: None,
                    };
                    messages.push(Message {
                        name: input,
                        parts: operation.listed().map(|p| part(p.name, &p.kind)).collect(),
                    });
                    messages.push(Message {
                        name: output,
                        parts: operation.result.iter().map(|kind| part("return", kind)).collect(),
                    });
                }
                Variant::Literal => {
                    let element = format!("{}:{}", prefix(operation.port), operation.name);
                    let response = format!("{element}Response");
                    messages.push(by_element(&input, "parameters", element));
                    messages.push(by_element(&output, "parameters", response));
                }
            }
        }
        messages
    }

    fn binding(&self, port: Port) -> Binding {
        let style = match self.variant {
            Variant::Encoded => "rpc",
            Variant::Literal => "document",
        };
        let body = || match self.variant {
            Variant::Encoded => SoapBody {
                r#use: "encoded".to_owned(),
                encoding_style: Some(ENCODING.to_owned()),
                namespace: Some(port.namespace().to_owned()),
            },
            Variant::Literal => SoapBody { r#use: "literal".to_owned(), ..SoapBody::default() },
        };
        Binding {
            name: format!("{}Binding", port.name()),
            r#type: format!("tns:{}", port_name(port)),
            soap: SoapBinding {
                style: style.to_owned(),
                transport: "http://schemas.xmlsoap.org/soap/http".to_owned(),
            },
            operations: port
                .operations()
                .iter()
                .map(|operation| BoundOperation {
                    name: operation.name.to_owned(),
                    soap: SoapOperation { soap_action: String::new() },
                    input: BoundMessage {
                        header: Some(SoapHeader {
                            message: format!("tns:{HEADER}"),
                            part: "auth".to_owned(),
                            r#use: "literal".to_owned(),
                        }),
                        body: body(),
                    },
                    output: BoundMessage { header: None, body: body() },
                    fault: BoundFault {
                        name: FAULT.to_owned(),
                        soap: SoapFault { name: FAULT.to_owned(), r#use: "literal".to_owned() },
                    },
                })
                .collect(),
        }
    }
}

fn port_name(port: Port) -> String {
    format!("{}Port", port.name())
}

fn prefix(port: Port) -> String {
    port.name().to_lowercase()
}

/// The name of a message; operations of several ports share names, so the port is part of it.
fn message(operation: &OperationRow, direction: &str) -> String {
    format!("{}_{}{direction}", operation.port.name(), operation.name)
}

/// The QName of a type. Encoded replies say `xsd:int` of numbers that an int holds (R14): gSOAP takes that for every
/// kind of integer but these two, and refuses the message.
fn qname(kind: &Kind, variant: Variant) -> String {
    if variant == Variant::Encoded && matches!(kind, Kind::UnsignedInt | Kind::UnsignedShort) {
        return "xsd:int".to_owned();
    }
    let prefix = if kind.is_builtin() { "xsd" } else { "tns" };
    format!("{prefix}:{}", kind.type_name())
}

fn simple_type(row: &EnumerationRow) -> SimpleType {
    SimpleType {
        name: row.name.to_owned(),
        restriction: Restriction {
            base: "xsd:string".to_owned(),
            values: row
                .values
                .iter()
                .map(|value| EnumerationValue { value: (*value).to_owned() })
                .collect(),
        },
    }
}

fn struct_type(row: &StructRow, variant: Variant) -> ComplexType {
    let listed = row.members.iter().filter(|m| !m.unlisted);
    let elements = listed.map(|row| member(row, variant)).collect();
    ComplexType { name: Some(row.name.to_owned()), sequence: Sequence { elements } }
}

/// A list: any number of `item`.
fn array_type(item: &'static Kind, variant: Variant) -> ComplexType {
    ComplexType {
        name: Some(Kind::Array(item).type_name()),
        sequence: Sequence {
            elements: vec![SchemaElement {
                name: "item".to_owned(),
                r#type: Some(qname(item, variant)),
                min_occurs: Some("0".to_owned()),
                max_occurs: Some("unbounded".to_owned()),
                nillable: Some(true),
                complex_type: None,
            }],
        },
    }
}

/// A member may be left out unless it is a key: clients would refuse to send what lacks a required one
/// (contract E4).
fn member(row: &MemberRow, variant: Variant) -> SchemaElement {
    SchemaElement {
        name: row.name.to_owned(),
        r#type: Some(qname(&row.kind, variant)),
        min_occurs: (!row.key).then(|| "0".to_owned()),
        nillable: (!row.key).then_some(true),
        ..SchemaElement::default()
    }
}

fn global(name: &str, kind: &Kind, variant: Variant) -> SchemaElement {
    SchemaElement {
        name: name.to_owned(),
        r#type: Some(qname(kind, variant)),
        ..SchemaElement::default()
    }
}

/// The elements that wrap parameters and results of a port's operations in document style.
fn wrapper_schema(port: Port) -> Schema {
    let wrapper = |name: String, elements| SchemaElement {
        name,
        complex_type: Some(ComplexType { name: None, sequence: Sequence { elements } }),
        ..SchemaElement::default()
    };
    let mut elements = Vec::new();
    for operation in port.operations() {
        let parameters = operation.listed().map(|row| member(row, Variant::Literal)).collect();
        elements.push(wrapper(operation.name.to_owned(), parameters));
        let result =
            operation.result.iter().map(|kind| global("return", kind, Variant::Literal)).collect();
        elements.push(wrapper(format!("{}Response", operation.name), result));
    }
    Schema {
        target_namespace: port.namespace().to_owned(),
        element_form_default: "unqualified".to_owned(),
        imports: vec![Import { namespace: NAMESPACE.to_owned() }],
        elements,
        ..Schema::default()
    }
}

fn port_type(port: Port) -> PortType {
    let to = |name: Option<&str>, message: String| MessageReference {
        name: name.map(str::to_owned),
        message: format!("tns:{message}"),
    };
    PortType {
        name: port_name(port),
        operations: port
            .operations()
            .iter()
            .map(|operation| PortOperation {
                name: operation.name.to_owned(),
                input: to(None, message(operation, "Request")),
                output: to(None, message(operation, "Response")),
                fault: to(Some(FAULT), FAULT.to_owned()),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCATION: &str = "https://ngnpro.example.com/ngnpro/";

    /// yaserde reads back what it printed: nothing is lost on the way.
    #[test]
    fn the_document_is_read_back() {
        for variant in [Variant::Encoded, Variant::Literal] {
            for port in Port::ALL.iter().map(|port| Some(*port)).chain([None]) {
                let ports = port.as_ref().map_or(Port::ALL, std::slice::from_ref);
                let text = document(variant, port, LOCATION);
                let read: Definitions = yaserde::de::from_str(&text).unwrap();
                assert_eq!(read, Describer { variant, ports }.definitions(LOCATION));
            }
        }
    }

    #[test]
    fn a_location_is_escaped() {
        let text = document(Variant::Encoded, Some(Port::Network), "http://a/?x=1&y=\"<\u{1}>");
        let read: Definitions = yaserde::de::from_str(&text).unwrap();
        assert_eq!(read.service.ports[0].address.location, "http://a/?x=1&y=\"<>");
    }
}
