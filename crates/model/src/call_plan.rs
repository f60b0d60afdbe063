//! The decision about a call, as data, with the reasons for it.

use crate::{Aor, Binding, DiversionCondition, GatewayTransport};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a call: it is tried in ordered steps, or refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// The call is tried.
    Call(CallPlan),
    /// The call is refused.
    Reject(Reject),
}

impl Plan {
    /// Whether it is the plan of an emergency call (B165).
    #[must_use]
    pub const fn is_emergency(&self) -> bool {
        matches!(self, Self::Call(CallPlan { is_emergency: true, .. }))
    }
}

/// The ordered steps of a call.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CallPlan {
    /// The steps; the first one is taken at once, each later one when its condition comes true.
    pub steps: Vec<Step>,
    /// Changes to the request, wherever it goes.
    pub edits: Vec<HeaderEdit>,
    /// Changes to the request where it goes to somebody who is not trusted with the caller's identity: phones and
    /// other domains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outward_edits: Vec<HeaderEdit>,
    /// Whether it is an emergency call: it is never shed (B165).
    pub is_emergency: bool,
    /// What holds for the whole call, in the order in which it was decided.
    pub why: Vec<Why>,
    /// What was looked at and is not tried, and why not.
    pub not_tried: Vec<Why>,
}

/// One step: targets tried in parallel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// When the step is taken.
    pub when: Condition,
    /// Which leg of the call the step belongs to.
    pub leg: Leg,
    /// Where the call goes; never empty.
    pub targets: Vec<Target>,
    /// How long until "no answer".
    #[serde(serialize_with = "seconds")]
    pub answer_timeout: Duration,
    /// The accounts that diverted the call on its way here, in the order of events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diverted: Vec<Diverted>,
    /// Why the step stands here: the rules and what matched; never empty.
    pub why: Vec<Why>,
}

/// An account that diverted a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diverted {
    /// The account as others are shown it: the URI of its number, else of itself.
    pub shown: String,
    /// When it diverts.
    #[serde(serialize_with = "text")]
    pub condition: DiversionCondition,
    /// Where to.
    pub to: String,
    /// Whether it does not want to be shown (B66).
    pub is_hidden: bool,
}

impl Step {
    /// The reasons in one line.
    #[must_use]
    pub fn reason(&self) -> String {
        reason(&self.why)
    }
}

/// A rule that held, or did not. A copy costs as much as one pointer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Why(Arc<Reason>);

/// What a [`Why`] says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The rule, such as `B131` or `RFC 3261 16.5`.
    pub rule: &'static str,
    /// What it came to, in words.
    pub text: Cow<'static, str>,
    /// The data that matched: a name and a value each.
    pub matched: Vec<(&'static str, Matched)>,
}

/// A value that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// A text.
    Text(Arc<str>),
    /// A number.
    Number(i64),
}

impl Why {
    /// A reason without data.
    #[must_use]
    pub fn new(rule: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Reason { rule, text: text.into(), matched: Vec::new() }))
    }

    /// A reason with data.
    #[must_use]
    pub fn of<const N: usize>(
        rule: &'static str,
        text: &'static str,
        matched: [(&'static str, Matched); N],
    ) -> Self {
        Self(Arc::new(Reason { rule, text: Cow::Borrowed(text), matched: matched.into() }))
    }

    /// Adds data that matched.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Matched>) -> Self {
        Arc::make_mut(&mut self.0).matched.push((name, value.into()));
        self
    }
}

impl Deref for Why {
    type Target = Reason;

    fn deref(&self) -> &Reason {
        &self.0
    }
}

impl fmt::Display for Why {
    /// `B131: the longest prefix wins (prefix 0031, route 7)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.text)?;
        for (index, (name, value)) in self.matched.iter().enumerate() {
            write!(f, "{}{name} {value}", if index == 0 { " (" } else { ", " })?;
        }
        f.write_str(if self.matched.is_empty() { "" } else { ")" })
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl Serialize for Matched {
    /// Always as a text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<&str> for Matched {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Matched {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&Arc<str>> for Matched {
    fn from(text: &Arc<str>) -> Self {
        Self::Text(Arc::clone(text))
    }
}

impl From<i64> for Matched {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// Reasons in one line.
fn reason(why: &[Why]) -> String {
    why.iter().map(Why::to_string).collect::<Vec<_>>().join("; ")
}

/// The attempts to reach one callee. A diversion begins a leg of its own, so that what happens at its target does not
/// set off the diversions of the account that was called before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Leg {
    /// Its number in the plan, from 0.
    pub id: u16,
    /// The step is looked at only while the step taken last belongs to this leg; `None`: to any.
    pub after: Option<u16>,
}

/// When a step of a plan is taken. A step whose condition does not come true is passed over, and the next one
/// looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// At once.
    First,
    /// The step before ended in 486 or 600.
    Busy,
    /// The step before was not answered in time.
    NoAnswer,
    /// The step before failed in any other way.
    Failure,
    /// The step before could not be carried out where it went, so that another way may do: nothing came back, it could
    /// not be sent, or it ended in one of its targets' [`FailoverCodes`].
    Failover,
    /// The step before ended without an answer, whatever the reason (serial forking, RFC 3261 section 16.6).
    Unanswered,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "at once",
            Self::Busy => "when busy",
            Self::NoAnswer => "without an answer in time",
            Self::Failure => "when that fails",
            Self::Failover => "when that cannot be reached",
            Self::Unanswered => "when nobody answers",
        })
    }
}

/// The responses after which another gateway is tried: 408, every 5xx, and those named in addition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct FailoverCodes(Arc<[u16]>);

impl FailoverCodes {
    /// The usual codes and these.
    #[must_use]
    pub fn and(mut codes: Vec<u16>) -> Self {
        codes.sort_unstable();
        codes.dedup();
        Self(codes.into())
    }

    /// Whether a final response of this status asks for another gateway.
    #[must_use]
    pub fn holds(&self, status: u16) -> bool {
        matches!(status, 408 | 500..=599) || self.0.binary_search(&status).is_ok()
    }
}

/// One place that a call can go to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A registered contact of an account.
    #[serde(serialize_with = "binding")]
    Binding(Box<Binding>),
    /// A SIP URI outside our registrar.
    Uri(String),
    /// A gateway to the telephone network.
    Gateway(Box<GatewayTarget>),
    /// The caller is told to call this SIP URI itself (302, RFC 3261 section 21.3.3); the only target of its step.
    Redirect(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binding(binding) => write!(f, "{} at {}", binding.aor, binding.contact),
            Self::Uri(uri) => f.write_str(uri),
            Self::Gateway(gateway) => write!(
                f,
                "gateway {} of {}: {}",
                gateway.name,
                gateway.carrier,
                gateway.request_uri()
            ),
            Self::Redirect(uri) => write!(f, "302 {uri}"),
        }
    }
}

/// A gateway, with everything as it is to be sent there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewayTarget {
    /// The gateway's id.
    pub id: i64,
    /// The gateway's name.
    pub name: Arc<str>,
    /// Its carrier's id.
    pub carrier_id: i64,
    /// Its carrier's name.
    pub carrier: Arc<str>,
    /// Address, without brackets also for IPv6, or host name, which is to be looked up.
    pub host: Arc<str>,
    /// Port, 1 to 65535.
    pub port: u16,
    /// Transport.
    #[serde(serialize_with = "transport")]
    pub transport: GatewayTransport,
    /// The number that is called, `00` and country code (B131).
    pub called: Arc<str>,
    /// The number as this gateway wants it (B135).
    pub number: String,
    /// The caller as this gateway is told.
    pub caller: Arc<CallerId>,
    /// Changes to the request on the way to this gateway, after those of the plan.
    pub edits: Arc<[HeaderEdit]>,
    /// The responses after which another gateway is tried.
    pub failover: FailoverCodes,
    /// Who pays for the call and whose limit it counts against.
    pub payer: Arc<Payer>,
}

impl GatewayTarget {
    /// The Request-URI, with a transport unless that is UDP.
    #[must_use]
    pub fn request_uri(&self) -> String {
        let mut user = String::with_capacity(self.number.len());
        for byte in self.number.bytes() {
            // RFC 3261 section 25.1: `unreserved` and `user-unreserved`, the rest escaped.
            if byte.is_ascii_alphanumeric() || b"+-_.!~*'()&=$,;?/".contains(&byte) {
                user.push(char::from(byte));
            } else {
                user.push_str(&format!("%{byte:02X}"));
            }
        }
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        let transport = match self.transport {
            GatewayTransport::Udp => String::new(),
            other => format!(";transport={other}"),
        };
        format!("sip:{user}@{open}{}{close}:{}{transport}", self.host, self.port)
    }
}

/// How a caller is shown to a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CallerId {
    /// The number, with `+` and country code, or as it was set when it is none; `None` when it is not known.
    pub number: Option<String>,
    /// Whether the called party may not see it (B66).
    pub is_hidden: bool,
}

/// Who pays for a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payer {
    /// An account of ours.
    #[serde(serialize_with = "text")]
    Account(Aor),
    /// A trusted peer, by its key.
    Peer(String),
}

impl fmt::Display for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(aor) => aor.fmt(f),
            Self::Peer(key) => f.write_str(key),
        }
    }
}

/// A change to a request's header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderEdit {
    /// Removes all fields of a name.
    Remove(&'static str),
    /// Removes all fields of a name and adds one.
    Set(&'static str, String),
}

/// A refusal: status, reason phrase and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// SIP status code, 400 to 699.
    pub status: u16,
    /// Reason phrase.
    pub phrase: &'static str,
    /// Why: the rules and what matched, the one that settled it last; never empty.
    pub why: Vec<Why>,
    /// What was looked at and is not tried, and why not.
    pub not_tried: Vec<Why>,
}

impl Reject {
    /// A refusal for one reason.
    #[must_use]
    pub fn new(status: u16, phrase: &'static str, why: Why) -> Self {
        Self { status, phrase, why: vec![why], not_tried: Vec::new() }
    }

    /// The reasons in one line.
    #[must_use]
    pub fn reason(&self) -> String {
        reason(&self.why)
    }
}

impl fmt::Display for Plan {
    /// For people: what is done, step by step, with the reasons below each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, head: &str, whys: &[Why]| {
            whys.iter().try_for_each(|why| writeln!(f, "   {head}{why}"))
        };
        match self {
            Self::Reject(reject) => {
                writeln!(f, "refused: {} {}", reject.status, reject.phrase)?;
                list(f, "", &reject.why)?;
                list(f, "not tried: ", &reject.not_tried)
            }
            Self::Call(plan) => {
                writeln!(f, "{}", if plan.is_emergency { "emergency call" } else { "call" })?;
                list(f, "", &plan.why)?;
                for (index, step) in plan.steps.iter().enumerate() {
                    write!(f, "{}. {}", index + 1, step.when)?;
                    if let Some(after) = step.leg.after {
                        write!(f, " (leg {} after leg {after})", step.leg.id)?;
                    }
                    writeln!(f, ", for {} s:", step.answer_timeout.as_secs())?;
                    step.targets.iter().try_for_each(|target| writeln!(f, "   -> {target}"))?;
                    list(f, "", &step.why)?;
                }
                list(f, "not tried: ", &plan.not_tried)
            }
        }
    }
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

fn transport<S: Serializer>(transport: &GatewayTransport, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(transport.as_str())
}

fn text<S: Serializer, T: fmt::Display>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[allow(clippy::borrowed_box)]
fn binding<S: Serializer>(binding: &Box<Binding>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Shown<'b> {
        aor: String,
        contact: &'b str,
        received: Option<&'b str>,
        path: &'b str,
    }
    let shown = Shown {
        aor: binding.aor.to_string(),
        contact: &binding.contact,
        received: binding.received.as_deref(),
        path: &binding.path,
    };
    shown.serialize(serializer)
}

#[cfg(test)]
mod tests;
