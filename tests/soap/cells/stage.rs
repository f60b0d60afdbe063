//! Who plays on a platform, and what a cell does there.

use ngn_tests::fixture::{Tenant, customer, generous, person, reseller};
use ngn_tests::platform::Platform;
use ngn_tests::soap::{Client, Login};
use ngn_tests::xml::Node;
use ngn_tests::{Value, record};
use std::cell::Cell;

/// A platform with its callers.
pub(super) struct Stage<'p> {
    /// The platform.
    pub(super) p: &'p Platform,
    /// The administrator.
    pub(super) admin: Client,
    /// An active reseller that may create anything.
    pub(super) acme: Tenant,
    /// A customer of it that may create anything.
    pub(super) child: Tenant,
    /// Another such reseller.
    pub(super) other: Tenant,
    /// A reseller that is not active (B21).
    pub(super) idle: Tenant,
    /// An active reseller whose credits are 0 and that has no rights.
    pub(super) poor: Tenant,
    number: Cell<usize>,
}

/// A reseller whose credits and rights are 0.
fn without_rights(p: &Platform, username: &str, active: bool) -> Tenant {
    let Value::List(properties) = generous() else { unreachable!() };
    let none: Vec<Value> = properties.into_iter().map(|p| p.with("value", "0")).collect();
    let account = person(username).with("resellerActive", active).with("properties", none);
    let made = p.admin().ok("Customer.addAccount", record! { account: account });
    Tenant {
        id: made.int_at("id"),
        reseller: made.int_at("reseller"),
        username: username.to_owned(),
        client: p.client(Login::customer(username, &format!("{username}-password"))),
    }
}

impl<'p> Stage<'p> {
    /// Makes the callers.
    pub(super) fn new(p: &'p Platform) -> Self {
        let acme = reseller(p, "acme");
        Self {
            p,
            admin: p.admin(),
            child: customer(p, &acme, "child"),
            acme,
            other: reseller(p, "other"),
            idle: without_rights(p, "idle", false),
            poor: without_rights(p, "poor", true),
            number: Cell::new(0),
        }
    }

    /// Begins a cell.
    pub(super) fn enter(&self, number: usize) {
        self.number.set(number);
    }

    /// A word of this cell's own: the letters, then its number.
    pub(super) fn word(&self, letters: &str) -> String {
        format!("{letters}{}", self.number.get())
    }

    /// A domain of this cell's own.
    pub(super) fn domain(&self) -> String {
        format!("{}.example", self.word("c"))
    }

    /// An address in the domain of this cell.
    pub(super) fn address(&self, username: &str) -> String {
        format!("{username}@{}", self.domain())
    }

    /// Digits of this cell's own that no other cell's begin with.
    pub(super) fn digits(&self) -> String {
        format!("3120{:03}", self.number.get())
    }

    /// The call that a cell is about.
    pub(super) fn act(&self, who: &Client, parameters: Value) -> Act {
        Act {
            who: who.clone(),
            reader: self.admin.clone(),
            parameters,
            names: Vec::new(),
            holds: Vec::new(),
            then: Vec::new(),
        }
    }
}

/// What a read after the call must say.
enum Then {
    Has(&'static str, Value, String),
    Lacks(&'static str, Value, String),
    Gone(&'static str, Value, u16),
    Seen(Box<dyn Fn(&Platform)>),
}

/// A call and what there is to see of it.
pub(super) struct Act {
    who: Client,
    reader: Client,
    parameters: Value,
    names: Vec<String>,
    holds: Vec<String>,
    then: Vec<Then>,
}

impl Act {
    /// What the errorstring names, or what stands in an element of the result.
    pub(super) fn names(mut self, text: impl ToString) -> Self {
        self.names.push(text.to_string());
        self
    }

    /// What stands somewhere in the text of the result.
    pub(super) fn holds(mut self, text: &str) -> Self {
        self.holds.push(text.to_owned());
        self
    }

    /// After it, the administrator reads something in which a text stands.
    pub(super) fn then(mut self, read: &'static str, of: Value, text: impl ToString) -> Self {
        self.then.push(Then::Has(read, of, text.to_string()));
        self
    }

    /// After it, a text does not stand in what the administrator reads.
    pub(super) fn without(mut self, read: &'static str, of: Value, text: impl ToString) -> Self {
        self.then.push(Then::Lacks(read, of, text.to_string()));
        self
    }

    /// After it, the administrator's read is refused.
    pub(super) fn gone(mut self, read: &'static str, of: Value, code: u16) -> Self {
        self.then.push(Then::Gone(read, of, code));
        self
    }

    /// After it, something is seen that no operation reads.
    pub(super) fn seen(mut self, look: impl Fn(&Platform) + 'static) -> Self {
        self.then.push(Then::Seen(Box::new(look)));
        self
    }

    /// The parameters, for a call under other circumstances.
    pub(super) fn into_parameters(self) -> Value {
        self.parameters
    }

    /// Calls and compares.
    pub(super) fn check(self, p: &Platform, operation: &str, fault: Option<u16>) {
        let outcome = self.who.call(operation, &self.parameters).outcome;
        match (outcome, fault) {
            (Ok(result), None) => {
                for text in &self.names {
                    assert!(
                        holds(&result, text),
                        "{operation}: no {text} in {}",
                        result.describe()
                    );
                }
                for text in &self.holds {
                    assert!(
                        result.text.contains(text),
                        "{operation}: no {text} in {}",
                        result.text
                    );
                }
                let seen = self.names.len() + self.holds.len() + self.then.len();
                assert!(seen > 0, "{operation}: the cell looks at nothing that shows the effect");
            }
            (Err(refusal), Some(code)) => {
                assert_eq!(refusal.code, i64::from(code), "{operation}: {}", refusal.text);
                let side = if matches!(code, 4000 | 6000 | 9003) { "Server" } else { "Client" };
                assert_eq!(refusal.side, side, "{operation} {code}");
                assert!(!refusal.text.trim().is_empty(), "{operation} {code}: no errorstring (D1)");
                assert!(!self.names.is_empty(), "{operation} {code}: the cell names no value");
                for text in &self.names {
                    assert!(
                        refusal.text.contains(text),
                        "{operation} {code}: no {text} in `{}`",
                        refusal.text
                    );
                }
            }
            (Ok(result), Some(code)) => {
                panic!("{operation} was not refused with {code}: {}", result.describe())
            }
            (Err(refusal), None) => {
                panic!("{operation} was refused: {} {}", refusal.code, refusal.text)
            }
        }
        for then in &self.then {
            match then {
                Then::Has(read, of, text) => {
                    let result = self.reader.ok(read, of.clone());
                    assert!(
                        holds(&result, text),
                        "{operation}, {read}: no {text} in {}",
                        result.describe()
                    );
                }
                Then::Lacks(read, of, text) => {
                    let result = self.reader.ok(read, of.clone());
                    assert!(
                        !holds(&result, text),
                        "{operation}, {read}: {text} in {}",
                        result.describe()
                    );
                }
                Then::Gone(read, of, code) => {
                    self.reader.refused(i64::from(*code), read, of.clone());
                }
                Then::Seen(look) => look(p),
            }
        }
    }
}

/// Whether some element holds this text and nothing else.
fn holds(result: &Node, text: &str) -> bool {
    result.walk().any(|node| node.text == text)
}
