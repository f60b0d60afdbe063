//! A SOAP client that writes its own bytes, checks every reply against the contract's encoding rules, and keeps a
//! transcript so that the answers of two databases can be compared.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};

use crate::value::Value;
use crate::xml::{self, ENCODING, ENVELOPE, Node, XSD, XSI, escape};
use crate::{http, rules};

/// Namespace of the types; those of the ports append their name.
pub const TYPES: &str = "urn:AGProjects:NGNPro";

/// How a request is written; replies come in the same style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// rpc/encoded as CDRTool sends it: types on top parameters and scalars, arrays as `SOAP-ENC:Array`.
    Encoded,
    /// document/literal wrapped: no types at all.
    Literal,
}

/// Who calls (contract A6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The login.
    pub username: String,
    /// The password, in clear.
    pub password: String,
    /// Which table to check, when said.
    pub admin: Option<bool>,
    /// In whose name to act.
    pub impersonate: Option<i64>,
}

impl Login {
    /// The administrator, with no one impersonated.
    #[must_use]
    pub fn admin(username: &str, password: &str) -> Self {
        Self {
            username: username.to_owned(),
            password: password.to_owned(),
            admin: Some(true),
            impersonate: None,
        }
    }

    /// A customer.
    #[must_use]
    pub fn customer(username: &str, password: &str) -> Self {
        Self { admin: Some(false), ..Self::admin(username, password) }
    }
}

/// A fault of the contract's shape (D1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `detail/exception/errorcode`.
    pub code: i64,
    /// `detail/exception/errorstring`.
    pub text: String,
    /// The local part of `faultcode`.
    pub side: String,
}

/// What one call did, as it stands in a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Operation and login.
    pub label: String,
    /// HTTP status.
    pub status: u16,
    /// The body with everything that may differ from run to run masked.
    pub body: String,
}

/// What the clients of a platform called, in order.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    entries: Arc<Mutex<Vec<Entry>>>,
    position: Arc<AtomicU64>,
}

impl Transcript {
    /// The calls so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().map(|entries| entries.clone()).unwrap_or_default()
    }

    /// The highest journal position that a reply carried.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::SeqCst)
    }

    fn add(&self, entry: Entry, position: Option<u64>) {
        if let Ok(mut entries) = self.entries.lock() {
            entries.push(entry);
        }
        self.position.fetch_max(position.unwrap_or(0), Ordering::SeqCst);
    }
}

/// A client with a login.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where to.
    pub address: SocketAddr,
    /// Who calls; nobody for a call without header.
    pub login: Option<Login>,
    /// How requests are written.
    pub style: Style,
    /// Where calls are noted.
    pub transcript: Transcript,
    /// Whether the header carries a namespace; CDRTool's has none (W1).
    pub qualified_header: bool,
}

/// A reply with its journal position.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The result or the fault.
    pub outcome: Result<Node, Fault>,
    /// The `X-Journal-Position` header.
    pub position: Option<u64>,
    /// The body as it came.
    pub body: String,
}

impl Client {
    /// A client whose calls are noted nowhere else.
    #[must_use]
    pub fn new(address: SocketAddr, login: Option<Login>) -> Self {
        Self {
            address,
            login,
            style: Style::Encoded,
            transcript: Transcript::default(),
            qualified_header: false,
        }
    }

    /// The same client with another login.
    #[must_use]
    pub fn logged_in(&self, login: Login) -> Self {
        Self { login: Some(login), ..self.clone() }
    }

    /// The same client acting as a customer.
    #[must_use]
    pub fn impersonating(&self, customer: i64) -> Self {
        let mut client = self.clone();
        if let Some(login) = &mut client.login {
            login.impersonate = Some(customer);
        }
        client
    }

    /// The same client in the other style.
    #[must_use]
    pub fn literal(&self) -> Self {
        Self { style: Style::Literal, ..self.clone() }
    }

    /// The result of a call that must succeed: the `return` element, or an empty node for a void operation.
    #[track_caller]
    pub fn ok(&self, operation: &str, parameters: Value) -> Node {
        match self.call(operation, &parameters).outcome {
            Ok(node) => node,
            Err(fault) => panic!("{operation} was refused: {} {}", fault.code, fault.text),
        }
    }

    /// The fault of a call that must be refused.
    #[track_caller]
    pub fn fault(&self, operation: &str, parameters: Value) -> Fault {
        match self.call(operation, &parameters).outcome {
            Ok(node) => panic!("{operation} was not refused: {}", node.describe()),
            Err(fault) => fault,
        }
    }

    /// Calls what must be refused with this code.
    #[track_caller]
    pub fn refused(&self, code: i64, operation: &str, parameters: Value) {
        let fault = self.fault(operation, parameters);
        assert_eq!(fault.code, code, "{operation}: {}", fault.text);
    }

    /// Calls `Port.operation`. Panics when the reply breaks a rule of the contract.
    #[track_caller]
    pub fn call(&self, operation: &str, parameters: &Value) -> Answer {
        match self.try_call(operation, parameters) {
            Ok(answer) => answer,
            Err(error) => panic!("{operation}: {error:#}"),
        }
    }

    /// Calls `Port.operation`; an error when there is no reply, or one that breaks a rule.
    pub fn try_call(&self, operation: &str, parameters: &Value) -> Result<Answer> {
        let (port, name) = operation.split_once('.').context("operations are Port.name")?;
        let reply = self.post(&self.envelope(port, name, parameters))?;
        let body = reply.text();
        let position = reply.header("x-journal-position").and_then(|p| p.parse().ok());
        self.note(operation, reply.status, &body, position);
        let outcome = read_reply(&reply, port, name, self.style)
            .with_context(|| format!("reply was {} {}", reply.status, &body))?;
        if let Err(fault) = &outcome {
            declared(port, name, fault)?;
        }
        Ok(Answer { outcome, position, body })
    }

    /// Posts a body as CDRTool does: HTTP/1.0, `Connection: close`, a Host without port.
    pub fn post(&self, envelope: &str) -> Result<http::Reply> {
        post(self.address, "/", envelope.as_bytes())
    }

    /// Notes a call in the transcript.
    pub fn note(&self, operation: &str, status: u16, body: &str, position: Option<u64>) {
        let who =
            self.login.as_ref().map_or("nobody".to_owned(), |login| match login.impersonate {
                Some(id) => format!("{} as {id}", login.username),
                None => login.username.clone(),
            });
        let label = format!("{operation} by {who}");
        self.transcript.add(Entry { label, status, body: mask(body) }, position);
    }

    /// The request's bytes.
    #[must_use]
    pub fn envelope(&self, port: &str, operation: &str, parameters: &Value) -> String {
        let mut out =
            String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope");
        _ = write!(
            out,
            " xmlns:SOAP-ENV=\"{ENVELOPE}\" xmlns:ns4=\"{TYPES}\" xmlns:ns5=\"{TYPES}:{port}\""
        );
        if self.style == Style::Encoded {
            _ = write!(
                out,
                " xmlns:SOAP-ENC=\"{ENCODING}\" xmlns:xsi=\"{XSI}\" xmlns:xsd=\"{XSD}\" \
                 SOAP-ENV:encodingStyle=\"{ENCODING}\""
            );
        }
        out.push('>');
        if let Some(login) = &self.login {
            self.header(login, &mut out);
        }
        _ = write!(out, "<SOAP-ENV:Body><ns5:{operation}>");
        if let Value::Record(members) = parameters {
            for (name, value) in members {
                self.write(name, value, &mut out);
            }
        }
        _ = writeln!(out, "</ns5:{operation}></SOAP-ENV:Body></SOAP-ENV:Envelope>");
        out
    }

    fn header(&self, login: &Login, out: &mut String) {
        let mut members = vec![
            ("username".to_owned(), Value::from(&login.username)),
            ("password".to_owned(), Value::from(&login.password)),
        ];
        members.extend(login.admin.map(|admin| ("admin".to_owned(), Value::Bool(admin))));
        members.extend(login.impersonate.map(|id| ("impersonate".to_owned(), Value::Int(id))));
        let (open, close) = if self.qualified_header {
            ("ns4:auth", "ns4:auth")
        } else {
            ("auth SOAP-ENV:actor=\"0\" SOAP-ENV:mustUnderstand=\"0\"", "auth")
        };
        _ = write!(out, "<SOAP-ENV:Header><{open}>");
        for (name, value) in &members {
            self.write(name, value, out);
        }
        _ = write!(out, "</{close}></SOAP-ENV:Header>");
    }

    fn write(&self, name: &str, value: &Value, out: &mut String) {
        let (kind, text) = match value {
            Value::Null => {
                _ = write!(out, "<{name}/>");
                return;
            }
            Value::Text(text) => ("string", escape(text)),
            Value::Int(number) => ("int", number.to_string()),
            Value::Double(number) => ("float", number.to_string()),
            Value::Bool(truth) => ("boolean", truth.to_string()),
            Value::Record(members) => {
                _ = write!(out, "<{name}>");
                for (name, value) in members {
                    self.write(name, value, out);
                }
                _ = write!(out, "</{name}>");
                return;
            }
            Value::List(items) => {
                self.write_list(name, items, out);
                return;
            }
        };
        if self.style == Style::Encoded {
            _ = write!(out, "<{name} xsi:type=\"xsd:{kind}\">{text}</{name}>");
        } else {
            _ = write!(out, "<{name}>{text}</{name}>");
        }
    }

    fn write_list(&self, name: &str, items: &[Value], out: &mut String) {
        if self.style == Style::Encoded {
            let kind = match items.first() {
                None => "xsd:anyType",
                Some(Value::Text(_)) => "xsd:string",
                Some(_) => "Struct",
            };
            _ = write!(
                out,
                "<{name} xsi:type=\"SOAP-ENC:Array\" SOAP-ENC:arrayType=\"{kind}[{}]\" SOAP-ENC:offset=\"[0]\">",
                items.len()
            );
        } else {
            _ = write!(out, "<{name}>");
        }
        for item in items {
            self.write("item", item, out);
        }
        _ = write!(out, "</{name}>");
    }
}

/// Posts a body over HTTP/1.0.
pub fn post(address: SocketAddr, path: &str, body: &[u8]) -> Result<http::Reply> {
    post_with(address, path, &[], body)
}

/// Posts a body over HTTP/1.0 with further header fields.
pub fn post_with(
    address: SocketAddr,
    path: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<http::Reply> {
    let mut further = String::new();
    for (name, value) in fields {
        _ = write!(further, "{name}: {value}\r\n");
    }
    let mut request = format!(
        "POST {path} HTTP/1.0\r\nUser-Agent: PEAR-SOAP\r\nHost: {}\r\nContent-Type: text/xml; charset=UTF-8\r\n\
         Content-Length: {}\r\nSOAPAction: \"\"\r\n{further}Connection: close\r\n\r\n",
        address.ip(),
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    http::exchange(address, &request)
}

/// Reads a reply and checks it against the rules for its style.
pub fn read_reply(
    reply: &http::Reply,
    port: &str,
    operation: &str,
    style: Style,
) -> Result<Result<Node, Fault>> {
    ensure!(
        reply.header("content-type") == Some("text/xml; charset=utf-8"),
        "content type is {:?} (contract A2)",
        reply.header("content-type")
    );
    ensure!(reply.header("transfer-encoding").is_none(), "the reply is chunked (contract A2)");
    let document = xml::parse(std::str::from_utf8(&reply.body)?)?;
    ensure!(
        document.namespace == ENVELOPE && document.name == "Envelope",
        "the root is no SOAP 1.1 envelope"
    );
    ensure!(document.children.len() == 1, "an envelope with more than a Body (R11)");
    let body = document.children.first().context("no Body")?;
    ensure!(body.namespace == ENVELOPE && body.name == "Body", "no Body in the envelope");
    ensure!(body.children.len() == 1, "the Body has {} children", body.children.len());
    let wrapper = body.children.first().context("empty Body")?;
    if wrapper.name == "Fault" {
        ensure!(reply.status == 500, "a fault with HTTP status {} (contract A2)", reply.status);
        return Ok(Err(rules::fault(wrapper, style)?));
    }
    ensure!(reply.status == 200, "a result with HTTP status {}", reply.status);
    ensure!(
        wrapper.name == format!("{operation}Response")
            && wrapper.namespace == format!("{TYPES}:{port}"),
        "the wrapper is {{{}}}{}",
        wrapper.namespace,
        wrapper.name
    );
    Ok(Ok(rules::result(wrapper, style)?))
}

/// Checks that the table of the API names a fault for the operation that raised it.
fn declared(port: &str, operation: &str, fault: &Fault) -> Result<()> {
    let rows = ngn_soap::Port::from_name(port).map_or(&[][..], |port| port.operations());
    let Some(row) = rows.iter().find(|row| row.name == operation) else { return Ok(()) };
    let named = |codes: &[u16]| codes.iter().any(|code| i64::from(*code) == fault.code);
    ensure!(
        named(row.faults) || named(ngn_soap::fault::COMMON),
        "the table of crates/soap does not name the fault {} of {port}.{operation}: {}",
        fault.code,
        fault.text
    );
    Ok(())
}

/// Elements whose content is a time, seconds left or a serial number, which may differ from run to run.
const MASKED: [&str; 5] = ["changeDate", "createDate", "serial", "date", "expires"];

/// The body with times and serial numbers replaced.
#[must_use]
pub fn mask(body: &str) -> String {
    let mut out = body.to_owned();
    for name in MASKED {
        let (open, close) = (format!("<{name}"), format!("</{name}>"));
        let mut from = 0;
        while let Some(start) = out[from..].find(&open).map(|at| at + from) {
            let Some(end_of_tag) = out[start..].find('>').map(|at| at + start) else { break };
            from = end_of_tag + 1;
            if out[start..end_of_tag].ends_with('/') {
                continue;
            }
            let Some(end) = out[from..].find(&close).map(|at| at + from) else { break };
            out.replace_range(from..end, "*");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_only_times_and_serials() {
        assert_eq!(
            mask("<a><changeDate t=\"x\">2026</changeDate><serial/><serial>7</serial><b>8</b></a>"),
            "<a><changeDate t=\"x\">*</changeDate><serial/><serial>*</serial><b>8</b></a>"
        );
    }
}
