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
mod wrong;

pub use arbitrary::arbitrary;
pub use invariants::broken;
pub use world::{Call, Subscriber, World, WrongCall};
pub use wrong::CasesError;

use ngn_model::Plan;
use std::fmt;

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
    pub difference: Option<Difference>,
}

/// How a plan differs from what must become of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The call cannot be made.
    NoCall(WrongCall),
    /// The plan has other lines.
    Lines {
        /// What they must be.
        expected: Vec<String>,
        /// What they are.
        found: Vec<String>,
    },
    /// No reason names this rule.
    Unsaid(String),
}

impl fmt::Display for Difference {
    /// For people: lines that are missing begin with `-`, those that are there instead with `+`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, found) = match self {
            Self::NoCall(wrong) => return write!(f, "{wrong}"),
            Self::Unsaid(rule) => return write!(f, "no reason names {rule}"),
            Self::Lines { expected, found } => (expected, found),
        };
        let same = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
        let (missing, instead) = (expected.iter().skip(same), found.iter().skip(same));
        let ends = missing.clone().rev().zip(instead.clone().rev());
        let after = ends.take_while(|(a, b)| a == b).count();
        let mut all = Vec::new();
        all.extend(found.iter().take(same).map(|line| format!("  {line}")));
        let count = missing.len().saturating_sub(after);
        all.extend(missing.take(count).map(|line| format!("- {line}")));
        let count = instead.len().saturating_sub(after);
        all.extend(instead.take(count).map(|line| format!("+ {line}")));
        all.extend(found.iter().skip(found.len() - after).map(|line| format!("  {line}")));
        f.write_str(&all.join("\n"))
    }
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
            Err(wrong) => {
                Verdict { case: self, plan: None, difference: Some(Difference::NoCall(wrong)) }
            }
            Ok(plan) => {
                let found = lines(&plan);
                let silent = self.says.iter().find(|rule| !show::names(&plan, rule));
                let difference = if found != self.expect {
                    Some(Difference::Lines { expected: self.expect.clone(), found })
                } else {
                    silent.cloned().map(Difference::Unsaid)
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

#[cfg(test)]
mod tests {
    use super::Difference;

    #[test]
    fn only_lines_that_differ_are_marked() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (expected, found, shown) in [
            ("a b c", "a x c", "  a\n- b\n+ x\n  c"),
            ("a b", "a", "  a\n- b"),
            ("a", "a b", "  a\n+ b"),
            ("a a", "a", "  a\n- a"),
            ("x", "y z", "- x\n+ y\n+ z"),
        ] {
            let (expected, found) = (lines(expected), lines(found));
            assert_eq!(Difference::Lines { expected, found }.to_string(), shown);
        }
    }
}
