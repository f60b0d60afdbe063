//! WSDL 1.1 and XML Schema, as far as the API's description goes: a typed document, printed and read by yaserde.
//!
//! QNames in attribute values are plain strings with the prefixes declared here.

use yaserde::{YaDeserialize, YaSerialize};

/// An element of the document. All share one set of prefixes, which the root declares.
macro_rules! elements {
    ($(
        $(#[doc = $doc:literal])*
        struct $name:ident in $prefix:literal $(root $root:literal)? {
            $($(#[doc = $field_doc:literal])* $(#[yaserde($($mark:tt)*)])* $field:ident: $type:ty,)*
        }
    )*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, PartialEq, Default, YaSerialize, YaDeserialize)]
            #[yaserde(
                $(rename = $root,)?
                prefix = $prefix,
                default_namespace = "wsdl",
                namespaces = {
                    "wsdl" = "http://schemas.xmlsoap.org/wsdl/",
                    "soap" = "http://schemas.xmlsoap.org/wsdl/soap/",
                    "xsd" = "http://www.w3.org/2001/XMLSchema",
                    "tns" = "urn:AGProjects:NGNPro",
                    "sip" = "urn:AGProjects:NGNPro:Sip",
                    "voicemail" = "urn:AGProjects:NGNPro:Voicemail",
                    "enum" = "urn:AGProjects:NGNPro:Enum",
                    "dns" = "urn:AGProjects:NGNPro:Dns",
                    "rating" = "urn:AGProjects:NGNPro:Rating",
                    "customer" = "urn:AGProjects:NGNPro:Customer",
                    "network" = "urn:AGProjects:NGNPro:Network"
                }
            )]
            pub(crate) struct $name {
                $($(#[doc = $field_doc])* $(#[yaserde($($mark)*)])* pub(crate) $field: $type,)*
            }
        )*
    };
}

elements! {
    /// `wsdl:types`
    struct Types in "wsdl" {
        #[yaserde(rename = "schema", prefix = "xsd")]
        schemas: Vec<Schema>,
    }

    /// `xsd:schema`
    struct Schema in "xsd" {
        #[yaserde(attribute = true, rename = "targetNamespace")]
        target_namespace: String,
        #[yaserde(attribute = true, rename = "elementFormDefault")]
        element_form_default: String,
        #[yaserde(rename = "import", prefix = "xsd")]
        imports: Vec<Import>,
        #[yaserde(rename = "simpleType", prefix = "xsd")]
        simple_types: Vec<SimpleType>,
        #[yaserde(rename = "complexType", prefix = "xsd")]
        complex_types: Vec<ComplexType>,
        #[yaserde(rename = "element", prefix = "xsd")]
        elements: Vec<SchemaElement>,
    }

    /// `xsd:import`
    struct Import in "xsd" {
        #[yaserde(attribute = true)]
        namespace: String,
    }

    /// `xsd:simpleType`
    struct SimpleType in "xsd" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(rename = "restriction", prefix = "xsd")]
        restriction: Restriction,
    }

    /// `xsd:restriction`
    struct Restriction in "xsd" {
        #[yaserde(attribute = true)]
        base: String,
        #[yaserde(rename = "enumeration", prefix = "xsd")]
        values: Vec<EnumerationValue>,
    }

    /// `xsd:enumeration`
    struct EnumerationValue in "xsd" {
        #[yaserde(attribute = true)]
        value: String,
    }

    /// `xsd:complexType`
    struct ComplexType in "xsd" {
        #[yaserde(attribute = true)]
        name: Option<String>,
        #[yaserde(rename = "sequence", prefix = "xsd")]
        sequence: Sequence,
    }

    /// `xsd:sequence`
    struct Sequence in "xsd" {
        #[yaserde(rename = "element", prefix = "xsd")]
        elements: Vec<SchemaElement>,
    }

    /// `xsd:element`
    struct SchemaElement in "xsd" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(attribute = true, rename = "type")]
        r#type: Option<String>,
        #[yaserde(attribute = true, rename = "minOccurs")]
        min_occurs: Option<String>,
        #[yaserde(attribute = true, rename = "maxOccurs")]
        max_occurs: Option<String>,
        #[yaserde(attribute = true)]
        nillable: Option<bool>,
        #[yaserde(rename = "complexType", prefix = "xsd")]
        complex_type: Option<ComplexType>,
    }

    /// `wsdl:message`
    struct Message in "wsdl" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(rename = "part", prefix = "wsdl")]
        parts: Vec<Part>,
    }

    /// `wsdl:part`
    struct Part in "wsdl" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(attribute = true, rename = "type")]
        r#type: Option<String>,
        #[yaserde(attribute = true)]
        element: Option<String>,
    }

    /// `wsdl:portType`
    struct PortType in "wsdl" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(rename = "operation", prefix = "wsdl")]
        operations: Vec<PortOperation>,
    }

    /// `wsdl:operation` of a port type
    struct PortOperation in "wsdl" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(rename = "input", prefix = "wsdl")]
        input: MessageReference,
        #[yaserde(rename = "output", prefix = "wsdl")]
        output: MessageReference,
        #[yaserde(rename = "fault", prefix = "wsdl")]
        fault: MessageReference,
    }

    /// `wsdl:input`, `wsdl:output` or `wsdl:fault` of a port type's operation
    struct MessageReference in "wsdl" {
        #[yaserde(attribute = true)]
        name: Option<String>,
        #[yaserde(attribute = true)]
        message: String,
    }

    /// `wsdl:binding`
    struct Binding in "wsdl" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(attribute = true, rename = "type")]
        r#type: String,
        #[yaserde(rename = "binding", prefix = "soap")]
        soap: SoapBinding,
        #[yaserde(rename = "operation", prefix = "wsdl")]
        operations: Vec<BoundOperation>,
    }

    /// `soap:binding`
    struct SoapBinding in "soap" {
        #[yaserde(attribute = true)]
        style: String,
        #[yaserde(attribute = true)]
        transport: String,
    }

    /// `wsdl:operation` of a binding
    struct BoundOperation in "wsdl" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(rename = "operation", prefix = "soap")]
        soap: SoapOperation,
        #[yaserde(rename = "input", prefix = "wsdl")]
        input: BoundMessage,
        #[yaserde(rename = "output", prefix = "wsdl")]
        output: BoundMessage,
        #[yaserde(rename = "fault", prefix = "wsdl")]
        fault: BoundFault,
    }

    /// `soap:operation`
    struct SoapOperation in "soap" {
        #[yaserde(attribute = true, rename = "soapAction")]
        soap_action: String,
    }

    /// `wsdl:input` or `wsdl:output` of a binding's operation
    struct BoundMessage in "wsdl" {
        #[yaserde(rename = "header", prefix = "soap")]
        header: Option<SoapHeader>,
        #[yaserde(rename = "body", prefix = "soap")]
        body: SoapBody,
    }

    /// `soap:header`
    struct SoapHeader in "soap" {
        #[yaserde(attribute = true)]
        message: String,
        #[yaserde(attribute = true)]
        part: String,
        #[yaserde(attribute = true, rename = "use")]
        r#use: String,
    }

    /// `soap:body`
    struct SoapBody in "soap" {
        #[yaserde(attribute = true, rename = "use")]
        r#use: String,
        #[yaserde(attribute = true, rename = "encodingStyle")]
        encoding_style: Option<String>,
        #[yaserde(attribute = true)]
        namespace: Option<String>,
    }

    /// `wsdl:fault` of a binding's operation
    struct BoundFault in "wsdl" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(rename = "fault", prefix = "soap")]
        soap: SoapFault,
    }

    /// `soap:fault`
    struct SoapFault in "soap" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(attribute = true, rename = "use")]
        r#use: String,
    }

    /// `wsdl:service`
    struct Service in "wsdl" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(rename = "port", prefix = "wsdl")]
        ports: Vec<ServicePort>,
    }

    /// `wsdl:port`
    struct ServicePort in "wsdl" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(attribute = true)]
        binding: String,
        #[yaserde(rename = "address", prefix = "soap")]
        address: SoapAddress,
    }

    /// `soap:address`
    struct SoapAddress in "soap" {
        #[yaserde(attribute = true)]
        location: String,
    }

    /// `wsdl:definitions`
    struct Definitions in "wsdl" root "definitions" {
        #[yaserde(attribute = true)]
        name: String,
        #[yaserde(attribute = true, rename = "targetNamespace")]
        target_namespace: String,
        #[yaserde(rename = "types", prefix = "wsdl")]
        types: Types,
        #[yaserde(rename = "message", prefix = "wsdl")]
        messages: Vec<Message>,
        #[yaserde(rename = "portType", prefix = "wsdl")]
        port_types: Vec<PortType>,
        #[yaserde(rename = "binding", prefix = "wsdl")]
        bindings: Vec<Binding>,
        #[yaserde(rename = "service", prefix = "wsdl")]
        service: Service,
    }
}
