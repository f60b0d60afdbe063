//! Calls as data: a small platform and calls in it, each with what must become of it, in a file that people read.
//!
//! ```
//! let file = r#"
//! [settings]
//! domains = ["example.com"]
//! country = "31"
//!
//! [[account]]
//! aor = "alice@example.com"
//! groups = ["free-pstn"]
//! rpid = "+31201234500"
//!
//! [[carrier]]
//! name = "telco"
//! gateways = [{ name = "gw1", host = "192.0.2.80", rules = [{ prefix = "00", strip = 2, prepend = "+" }] }]
//!
//! [[route]]
//! prefix = "0031"
//! carrier = "telco"
//!
//! [[case]]
//! name = "a national number"
//! rules = ["B131", "B135"]
//! from = "alice@example.com"
//! call = "020 765 43 21"
//! expect = ["first 0: gateway gw1 +31207654321 as +31201234500"]
//! "#;
//! let cases = ngn_routing::cases::Cases::read(file).expect("a file of cases");
//! assert!(cases.run().iter().all(|verdict| verdict.difference.is_none()));
//! ```
//!
//! `file` has the names of everything that a file may say, `world` gathers the facts of a call, as a SIP server does,
//! `show` writes plans as the lines under `expect`. `arbitrary` makes platforms and calls of any octets, and
//! `invariants` says what holds for every plan.

mod arbitrary;
mod file;
mod invariants;
mod read;
mod show;
mod world;

pub use arbitrary::arbitrary;
pub use invariants::broken;
pub use read::CasesError;
pub use world::{Call, Subscriber, World, WrongCall};

use ngn_model::Plan;

/// A file of cases.
#[derive(Debug, Clone)]
pub struct Cases {
    /// The platform.
    pub world: World,
    /// The calls.
    pub cases: Vec<Case>,
}

/// A call, and what must become of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is about.
    pub name: String,
    /// The rules that it shows, such as `B131`.
    pub rules: Vec<String>,
    /// The call.
    pub call: Call,
    /// The plan, as [`lines`] writes it.
    pub expect: Vec<String>,
    /// Rules that the plan must name among its reasons.
    pub says: Vec<String>,
}

/// What became of a case.
#[derive(Debug, Clone)]
pub struct Verdict<'c> {
    /// The case.
    pub case: &'c Case,
    /// The plan that was made.
    pub plan: Option<Plan>,
    /// How it differs from what must become of the call; `None` when it does not.
    pub difference: Option<String>,
}

impl Cases {
    /// Reads a file. Names that are not known are errors, with the line.
    pub fn read(text: &str) -> Result<Self, CasesError> {
        read::read(text)
    }

    /// Makes the plan of each case and compares it.
    #[must_use]
    pub fn run(&self) -> Vec<Verdict<'_>> {
        self.cases.iter().map(|case| case.judge(&self.world)).collect()
    }
}

impl Case {
    fn judge(&self, world: &World) -> Verdict<'_> {
        match world.plan(&self.call) {
            Err(wrong) => Verdict { case: self, plan: None, difference: Some(wrong.to_string()) },
            Ok(plan) => {
                let found = lines(&plan);
                let silent = self.says.iter().find(|rule| !show::names(&plan, rule));
                let difference = if found != self.expect {
                    let lines = |lines: &[String]| lines.join("\n    ");
                    let (expected, found) = (lines(&self.expect), lines(&found));
                    Some(format!("expected\n    {expected}\nbut it is\n    {found}\n{plan}"))
                } else {
                    silent.map(|rule| format!("no reason names {rule}:\n{plan}"))
                };
                Verdict { case: self, plan: Some(plan), difference }
            }
        }
    }
}

/// A plan in lines: a refusal as `403 Forbidden`; a call with a line for each step: condition, leg, `<` and the leg
/// after which it comes, and where it goes. Before them `emergency` for such a call.
#[must_use]
pub fn lines(plan: &Plan) -> Vec<String> {
    show::lines(plan)
}
