//! The original client, call by call: its bytes out, its parser in.
//!
//! [`mod@write`] makes the bytes that the client's serializer makes, [`read`] decodes as its parser decodes (contract
//! A4, A5; `tests/vectors/soap` holds captures of both), and [`Connection`] is one of its logins (client-usage §1.1).
//! Every reply also passes the rules that hold for all clients ([`crate::rules`]).

pub mod read;
pub mod write;

use std::cell::RefCell;
use std::collections::BTreeMap;

pub use read::{Php, cdrtool_reads};

use crate::platform::Platform;
use crate::soap::{Client, Login, Style, Transcript, read_reply};
use crate::value::Value;

/// A fault as the client sees it: the code that it compares, the text that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `detail.exception.errorcode`.
    pub code: i64,
    /// `detail.exception.errorstring`.
    pub text: String,
}

/// A login of the client with the proxies of all ports (client-usage §1.1).
#[derive(Debug)]
pub struct Connection {
    client: Client,
    /// The namespaces that each port's proxy has numbered so far: it counts on from call to call.
    numbered: RefCell<BTreeMap<String, Vec<String>>>,
}

impl Connection {
    /// The administrator who acts for nobody, without that header member: SoapAuthAdmin, background jobs.
    #[must_use]
    #[track_caller]
    pub fn admin(p: &Platform) -> Self {
        Self::of(p.admin())
    }

    /// The administrator in the name of a customer or reseller; 0 is nobody, and is sent.
    #[must_use]
    #[track_caller]
    pub fn admin_as(p: &Platform, customer: i64) -> Self {
        Self::of(p.admin().impersonating(customer))
    }

    /// A reseller or customer with its own login.
    #[must_use]
    #[track_caller]
    pub fn customer(p: &Platform, username: &str, password: &str) -> Self {
        Self::of(p.client(Login::customer(username, password)))
    }

    /// The same login, its calls not compared between databases: times and ports differ from run to run.
    #[must_use]
    pub fn unnoted(self) -> Self {
        Self::of(Client { transcript: Transcript::default(), ..self.client })
    }

    fn of(client: Client) -> Self {
        Self { client, numbered: RefCell::default() }
    }

    /// A call whatever it leads to.
    #[track_caller]
    pub fn call(&self, operation: &str, parameters: &Value) -> Result<Php, Refusal> {
        self.call_edited(operation, parameters, |request| request)
    }

    /// A call whose bytes are edited before they go, for what older versions of the client wrote.
    #[track_caller]
    pub fn call_edited(
        &self,
        operation: &str,
        parameters: &Value,
        edit: impl FnOnce(String) -> String,
    ) -> Result<Php, Refusal> {
        let (port, name) = operation.split_once('.').expect("operations are Port.name");
        let request = {
            let mut all = self.numbered.borrow_mut();
            let numbered = all.entry(port.to_owned()).or_default();
            let login = self.client.login.as_ref().expect("a login");
            write::request(login, port, name, parameters, numbered)
        };
        let reply = self.client.post(&edit(request)).expect("a reply");
        let body = reply.text();
        self.client.note(operation, reply.status, &body, None);
        if let Err(error) = read_reply(&reply, port, name, Style::Encoded) {
            panic!("{operation}: {error:#}\n{body}");
        }
        cdrtool_reads(&reply)
    }

    /// A call that must succeed.
    #[track_caller]
    pub fn ok(&self, operation: &str, parameters: Value) -> Php {
        match self.call(operation, &parameters) {
            Ok(result) => result,
            Err(fault) => panic!("{operation} was refused: {} {}", fault.code, fault.text),
        }
    }

    /// A call through the client's generic executor (client-usage §1.4): an object or a scalar comes back, or `true`
    /// for nothing; a bare array would end the client.
    #[track_caller]
    pub fn execute(&self, operation: &str, parameters: Value) -> Php {
        match self.ok(operation, parameters) {
            Php::List(items) => panic!("{operation}: the executor dies of {items:?}"),
            Php::Text(text) if text.is_empty() => Php::Flag(true),
            result => result,
        }
    }

    /// A call that must be refused with the code that the client looks for.
    #[track_caller]
    pub fn refused(&self, code: i64, operation: &str, parameters: Value) -> String {
        match self.call(operation, &parameters) {
            Ok(result) => panic!("{operation} was not refused: {result:?}"),
            Err(fault) => {
                assert_eq!(fault.code, code, "{operation}: {}", fault.text);
                assert!(!fault.text.is_empty(), "{operation}: the enrollment page tests the text");
                fault.text
            }
        }
    }
}
