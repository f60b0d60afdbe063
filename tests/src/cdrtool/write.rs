//! The client's serializer: types by the values at hand, wrapper types on top parameters, CR LF between elements.

use std::fmt::Write as _;

use crate::soap::{Login, TYPES};
use crate::value::Value;
use crate::xml::{ENCODING, ENVELOPE, XSD, XSI};

/// Prefixes that the client gives out itself before it counts `ns4`, `ns5`, …
const GIVEN: usize = 4;

/// The bytes of a call. `numbered` holds the namespaces that this port's proxy has used, in order of first use.
#[must_use]
pub fn request(
    login: &Login,
    port: &str,
    operation: &str,
    parameters: &Value,
    numbered: &mut Vec<String>,
) -> String {
    // The parameters are written before the element around them, and so are their namespaces counted.
    let mut inside = String::new();
    let Value::Record(members) = parameters else { panic!("parameters are a record") };
    for (name, value) in members {
        let wrapper = match value {
            Value::Record(_) => {
                let kind = wrapper(port, operation, name);
                format!(" xsi:type=\"{}:{kind}\"", prefix(numbered, TYPES))
            }
            _ => String::new(),
        };
        element(name, &wrapper, value, &mut inside);
    }
    let own = prefix(numbered, &format!("{TYPES}:{port}"));
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\r\n\
         <SOAP-ENV:Envelope  xmlns:SOAP-ENV=\"{ENVELOPE}\"\r\n xmlns:xsd=\"{XSD}\"\r\n xmlns:xsi=\"{XSI}\"\r\n \
         xmlns:SOAP-ENC=\"{ENCODING}\"\r\n"
    );
    for (n, namespace) in numbered.iter().enumerate() {
        _ = write!(out, " xmlns:ns{}=\"{namespace}\"\r\n", n + GIVEN);
    }
    _ = write!(out, " SOAP-ENV:encodingStyle=\"{ENCODING}\">\r\n<SOAP-ENV:Header>\r\n");
    element("auth", "", &auth(login), &mut out);
    out.push_str("\r\n</SOAP-ENV:Header>\r\n<SOAP-ENV:Body>\r\n");
    if inside.is_empty() {
        _ = write!(out, "\r\n<{own}:{operation}/>");
    } else {
        _ = write!(out, "\r\n<{own}:{operation}>{inside}</{own}:{operation}>");
    }
    out.push_str("\r\n</SOAP-ENV:Body>\r\n</SOAP-ENV:Envelope>\r\n");
    out
}

fn auth(login: &Login) -> Value {
    let mut members = vec![
        ("username".to_owned(), Value::from(&login.username)),
        ("password".to_owned(), Value::from(&login.password)),
    ];
    members.extend(login.admin.map(|admin| ("admin".to_owned(), Value::Bool(admin))));
    members.extend(login.impersonate.map(|id| ("impersonate".to_owned(), Value::Int(id))));
    Value::Record(members)
}

/// The prefix of a namespace, which gets the next number when it is new.
fn prefix(numbered: &mut Vec<String>, namespace: &str) -> String {
    let position = numbered.iter().position(|known| known == namespace).unwrap_or_else(|| {
        numbered.push(namespace.to_owned());
        numbered.len() - 1
    });
    format!("ns{}", position + GIVEN)
}

fn element(name: &str, wrapper: &str, value: &Value, out: &mut String) {
    let (kind, text) = match value {
        Value::Null => {
            _ = write!(out, "\r\n<{name}{wrapper}/>");
            return;
        }
        Value::Record(members) => {
            _ = write!(out, "\r\n<{name}{wrapper}>");
            for (name, value) in members {
                element(name, "", value, out);
            }
            _ = write!(out, "</{name}>");
            return;
        }
        Value::List(items) => {
            list(name, items, out);
            return;
        }
        Value::Text(text) => ("string", special(text)),
        Value::Int(number) => ("int", number.to_string()),
        Value::Double(number) => ("float", number.to_string()),
        Value::Bool(truth) => ("boolean", truth.to_string()),
    };
    _ = write!(out, "\r\n<{name} xsi:type=\"xsd:{kind}\">{text}</{name}>");
}

/// W3, W4: `Struct` without a prefix, a useless offset, and for nothing an array of anything.
fn list(name: &str, items: &[Value], out: &mut String) {
    let kind = match items.first() {
        None => {
            _ = write!(
                out,
                "\r\n<{name} xsi:type=\"SOAP-ENC:Array\" SOAP-ENC:arrayType=\"xsd:anyType[0]\"/>"
            );
            return;
        }
        Some(Value::Record(_)) => "Struct",
        Some(Value::Int(_)) => "xsd:int",
        Some(_) => "xsd:string",
    };
    _ = write!(
        out,
        "\r\n<{name} xsi:type=\"SOAP-ENC:Array\" SOAP-ENC:arrayType=\"{kind}[{}]\" SOAP-ENC:offset=\"[0]\">",
        items.len()
    );
    for item in items {
        element("item", "", item, out);
    }
    _ = write!(out, "</{name}>");
}

/// The text as the client escapes it, both quotes included.
fn special(text: &str) -> String {
    crate::xml::escape(text).replace('\'', "&#039;")
}

/// The type that the client's proxies put on a parameter that is a struct (contract B, E2).
#[track_caller]
fn wrapper(port: &str, operation: &str, parameter: &str) -> &'static str {
    match (port, parameter, operation) {
        (_, "sipId", _) | ("Sip", "id" | "target", _) => "SipId",
        ("Sip", "query", "getDomains") => "SipDomainQuery",
        ("Sip", "query", "getAccounts") => "SipQuery",
        ("Sip", "query", "getAliases") => "AliasQuery",
        ("Sip", "query", "getTrustedPeers") => "TrustedPeerQuery",
        ("Sip", "query", "getCarriers") => "CarrierQuery",
        ("Sip", "query", "getGateways") => "GatewayQuery",
        ("Sip", "query", "getGatewayRules") => "GatewayRuleQuery",
        ("Sip", "query", "getRoutes") => "RouteQuery",
        ("Sip", "query", "getCalls" | "getCallStatistics") => "CallsQuery",
        ("Sip", "domain", _) => "SipDomain",
        ("Sip", "account", _) => "SipAccount",
        ("Sip", "alias", _) => "SipAlias",
        ("Sip", "peer", _) => "TrustedPeer",
        ("Sip", "carrier", _) => "Carrier",
        ("Sip", "gateway", _) => "Gateway",
        ("Sip", "rule", _) => "GatewayRule",
        ("Sip", "card", _) => "PrepaidCard",
        ("Sip", "entry" | "match", _) => "PhonebookEntry",
        ("Sip", "range", _) => "Range",
        ("Sip", "rules", _) => "AcceptRules",
        ("Sip", "diversions", _) => "CallDiversions",
        ("Sip", "filter", "getSipTrace") => "SipTraceFilter",
        ("Sip", "filter", "getMediaTrace") => "MediaTraceFilter",
        ("Voicemail", "account", _) => "VoicemailAccount",
        ("Enum", "range", "deleteRange") => "EnumRangeId",
        ("Enum", "range", _) => "EnumRange",
        ("Enum", "number", _) => "EnumNumber",
        ("Enum", "enumId", _) => "EnumId",
        ("Enum", "query", "getRanges") => "EnumRangeQuery",
        ("Enum", "query", "getNumbers") => "EnumNumberQuery",
        ("Dns", "zone", _) => "DnsZone",
        ("Dns", "record", "addFancyRecord" | "updateFancyRecord") => "DnsFancyRecord",
        ("Dns", "record", _) => "DnsRecord",
        ("Dns", "query", "getZones") => "DnsZoneQuery",
        ("Dns", "query", "getRecords") => "DnsRecordQuery",
        ("Dns", "query", "getFancyRecords") => "DnsFancyRecordQuery",
        ("Customer", "account", _) => "CustomerAccount",
        ("Customer", "query", _) => "CustomerQuery",
        ("Rating", "profiles", _) => "RatingEntityProfiles",
        _ => panic!("{port}.{operation} has no struct {parameter}"),
    }
}
