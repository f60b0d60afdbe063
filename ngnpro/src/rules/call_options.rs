//! What may stand in diversions, accept rules, barring prefixes, reject members and phone books (B80-B99).

use super::groups;
use ngn_model::accept_rules::{AcceptRule, Days, EVERYBODY, NOBODY, TemporaryRule, TimeOfDay};
use ngn_model::{
    AcceptRules, Aor, Diversion, DiversionAction, DiversionCondition, DiversionTarget, DomainName,
};
use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_soap::types::{self, AcceptRulePersistent, AcceptRuleTemporary, CallDiversions};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The most items of a list of one account.
pub const MAX_ITEMS: usize = 1000;

/// The most octets of a URI.
const MAX_URI: usize = 255;

/// The diversions that a caller asks for: one for each condition, forwarding rather than redirecting (B83-B87).
///
/// # Errors
///
/// 9000 for what is neither a URI nor a wildcard.
pub fn read_diversions(given: &CallDiversions, aor: &Aor) -> Result<Vec<Diversion>, Fault> {
    use DiversionAction::{Forward, Redirect};
    use DiversionCondition::{Busy, NoAnswer, NotOnline, Unavailable, Unconditional};
    let mut diversions: Vec<Diversion> = Vec::new();
    for (name, value, when, how) in [
        ("FUNC", &given.func, Unconditional, Forward),
        ("FNOL", &given.fnol, NotOnline, Forward),
        ("FUNV", &given.funv, Unavailable, Forward),
        ("FNOA", &given.fnoa, NoAnswer, Forward),
        ("FBUS", &given.fbus, Busy, Forward),
        ("RUNC", &given.runc, Unconditional, Redirect),
        ("RNOL", &given.rnol, NotOnline, Redirect),
        ("RUNV", &given.runv, Unavailable, Redirect),
        ("RNOA", &given.rnoa, NoAnswer, Redirect),
        ("RBUS", &given.rbus, Busy, Redirect),
    ] {
        let Some(target) = value.as_deref().and_then(DiversionTarget::read) else { continue };
        let target = match target {
            DiversionTarget::Uri(text) => {
                DiversionTarget::Uri(read_uri(&text, aor.domain(), &format!("diversions.{name}"))?)
            }
            wildcard => wildcard,
        };
        if diversions.iter().all(|known| known.when != when) {
            diversions.push(Diversion { when, how, target });
        }
    }
    Ok(diversions)
}

/// Diversions as they stand on the wire: every member is there (R6).
#[must_use]
pub fn wire_diversions(diversions: &[Diversion]) -> CallDiversions {
    let target = |when, how| {
        let found = diversions.iter().find(|known| known.when == when && known.how == how);
        found.map(|known| known.target.to_string())
    };
    let forward = |when| target(when, DiversionAction::Forward);
    let redirect = |when| target(when, DiversionAction::Redirect);
    CallDiversions {
        func: forward(DiversionCondition::Unconditional),
        fnol: forward(DiversionCondition::NotOnline),
        funv: forward(DiversionCondition::Unavailable),
        fnoa: forward(DiversionCondition::NoAnswer),
        fbus: forward(DiversionCondition::Busy),
        runc: redirect(DiversionCondition::Unconditional),
        rnol: redirect(DiversionCondition::NotOnline),
        runv: redirect(DiversionCondition::Unavailable),
        rnoa: redirect(DiversionCondition::NoAnswer),
        rbus: redirect(DiversionCondition::Busy),
    }
}

/// A SIP URI. Without a scheme it gets `sip:` (B85); a number alone is completed with the account's domain (B87).
///
/// # Errors
///
/// 9000 with what a URI looks like.
pub fn read_uri(text: &str, domain: &DomainName, member: &str) -> Result<String, Fault> {
    let wrong = |why: &str| {
        Fault::invalid(
            member,
            format!(
                "`{}` {why}; send a SIP URI such as sip:user@example.com, a number, or one of the wildcards \
                 <voice-mailbox> and <mobile-number>",
                shown(text)
            ),
        )
    };
    let text = text.trim();
    let (scheme, rest) = split_scheme(text);
    if text.len() > MAX_URI {
        return Err(wrong("is too long"));
    }
    if let Some(bad) = forbidden(text) {
        return Err(wrong(&format!("holds {bad:?}, which no SIP URI may")));
    }
    let scheme = match scheme.as_deref() {
        Some("sips") => "sips",
        Some("sip" | "tel") | None => "sip",
        Some(_) => return Err(wrong("has another scheme than sip and sips")),
    };
    let (user, host) = match rest.split_once('@') {
        Some(parts) => parts,
        None if is_number(rest) => return Ok(format!("{scheme}:{rest}@{domain}")),
        None => return Err(wrong("names no user at a domain")),
    };
    let end = host.find([';', '?']).unwrap_or(host.len());
    if user.is_empty() || !host.get(..end).is_some_and(is_host) {
        return Err(wrong("is not of the form user@domain"));
    }
    Ok(format!("{scheme}:{rest}"))
}

/// A caller or contact, in which `%` stands for anything, in lower case (B97, B98).
///
/// # Errors
///
/// 9000 when it cannot be part of a URI.
pub fn read_pattern(text: &str, member: &str) -> Result<String, Fault> {
    let text = text.trim().to_lowercase();
    let wrong = |why: String| {
        let text = shown(&text);
        let advice = "send a SIP URI such as user@example.com, with % for any run of characters";
        Fault::invalid(member, format!("`{text}` {why}; {advice}"))
    };
    if text.len() > MAX_URI {
        return Err(wrong("is too long".to_owned()));
    }
    match forbidden(&text) {
        Some(bad) => Err(wrong(format!("holds {bad:?}, which no SIP URI may"))),
        None => Ok(text),
    }
}

/// The callers to refuse: each a SIP URI with its scheme, without empty and repeated ones (B97).
///
/// # Errors
///
/// 9000 for what cannot be part of a URI, and for too many.
pub fn read_members(given: &[String]) -> Result<Vec<String>, Fault> {
    let mut members = Vec::new();
    for (i, text) in given.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let pattern = read_pattern(text, &format!("members[{i}]"))?;
        let has_scheme = ["sip:", "sips:"].iter().any(|scheme| pattern.starts_with(scheme));
        let member = if has_scheme { pattern } else { format!("sip:{pattern}") };
        add_once(&mut members, member, "members")?;
    }
    Ok(members)
}

/// Prefixes that may not be called: `+` and digits, without empty and repeated ones (B96).
///
/// # Errors
///
/// 9000 for what is no prefix of an international number, and for too many.
pub fn read_prefixes(given: &[String]) -> Result<Vec<String>, Fault> {
    let mut prefixes = Vec::new();
    for (i, text) in given.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let text = text.trim();
        let digits = text.strip_prefix('+').unwrap_or_default();
        let is_prefix = (1..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        if !is_prefix {
            let advice = "send + and 1 to 15 digits, the first not 0, such as +31900";
            let text =
                format!("`{}` is no prefix of an international number; {advice}", shown(text));
            return Err(Fault::invalid(format!("prefixes[{i}]"), text));
        }
        add_once(&mut prefixes, text.to_owned(), "prefixes")?;
    }
    Ok(prefixes)
}

fn add_once(list: &mut Vec<String>, item: String, member: &str) -> Result<(), Fault> {
    if list.contains(&item) {
        return Ok(());
    }
    if list.len() >= MAX_ITEMS {
        return Err(Fault::invalid(member, format!("at most {MAX_ITEMS} are kept; send fewer")));
    }
    list.push(item);
    Ok(())
}

/// Accept rules as a caller sent them. What days a rule without any has can only be said with the stored ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenRules {
    /// `None`: the stored ones stay (B94).
    persistent: Option<Vec<GivenRule>>,
    temporary: Option<(Vec<String>, i64)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct GivenRule {
    days: Option<Days>,
    start: TimeOfDay,
    stop: TimeOfDay,
    groups: Vec<String>,
}

impl GivenRules {
    /// Reads what a caller sent. Rules without groups are none (B93).
    ///
    /// # Errors
    ///
    /// 9000 for days, times, groups and durations that are none.
    pub fn read(given: &types::AcceptRules) -> Result<Self, Fault> {
        let rules = given.persistent.as_deref();
        if rules.is_some_and(|rules| rules.len() > MAX_ITEMS) {
            let text = format!("at most {MAX_ITEMS} are kept; send fewer");
            return Err(Fault::invalid("rules.persistent", text));
        }
        let persistent = rules.map(|rules| {
            let read = rules.iter().enumerate();
            read.filter_map(|(i, rule)| read_rule(rule, i).transpose()).collect()
        });
        let temporary = given.temporary.as_ref().map(read_temporary).transpose()?.flatten();
        Ok(Self { persistent: persistent.transpose()?, temporary })
    }

    /// The rules to be stored, where others are stored now (B93, B94).
    #[must_use]
    pub fn applied_to(&self, stored: &AcceptRules, now: i64) -> AcceptRules {
        let persistent = match &self.persistent {
            None => stored.persistent.clone(),
            Some(given) => given.iter().filter_map(|rule| rule.completed(stored)).collect(),
        };
        let temporary = self.temporary.as_ref().map(|(groups, minutes)| TemporaryRule {
            groups: groups.clone(),
            expires_at: (*minutes > 0).then(|| now.saturating_add(minutes.saturating_mul(60_000))),
        });
        AcceptRules { persistent, temporary }
    }
}

impl GivenRule {
    /// B94: a rule that lost its days on the way has those of the stored rule that is otherwise the same.
    fn completed(&self, stored: &AcceptRules) -> Option<AcceptRule> {
        let same = |rule: &&AcceptRule| {
            (rule.start, rule.stop, &rule.groups) == (self.start, self.stop, &self.groups)
        };
        let days =
            self.days.or_else(|| stored.persistent.iter().find(same).map(|rule| rule.days))?;
        Some(AcceptRule { days, start: self.start, stop: self.stop, groups: self.groups.clone() })
    }
}

fn read_rule(given: &AcceptRulePersistent, index: usize) -> Result<Option<GivenRule>, Fault> {
    let path = |member: &str| format!("rules.persistent[{index}].{member}");
    let groups = read_groups(given.groups.as_deref(), &path("groups"))?;
    if groups.is_empty() {
        return Ok(None);
    }
    let days = match given.days.unwrap_or_default() {
        0 => None,
        mask => Some(Days::new(i64::from(mask)).ok_or_else(|| {
            let advice = "add up Monday 1, Tuesday 2, Wednesday 4, Thursday 8, Friday 16, Saturday 32, Sunday 64";
            Fault::invalid(path("days"), format!("{mask} is no set of days; {advice}"))
        })?),
    };
    let time = |text: &Option<String>, member: &str| {
        let text = text.as_deref().unwrap_or_default();
        if text.trim().is_empty() {
            let advice = "is missing; send a time of day such as 08:00";
            return Err(Fault::client(
                code::MISSING_ARGUMENT,
                format!("{} {advice}", path(member)),
            ));
        }
        TimeOfDay::read(text).ok_or_else(|| {
            let advice = "is no time of day; send HH:MM from 00:00 to 24:00";
            Fault::invalid(path(member), format!("`{}` {advice}", shown(text)))
        })
    };
    let (start, stop) = (time(&given.start, "start")?, time(&given.stop, "stop")?);
    Ok(Some(GivenRule { days, start, stop, groups }))
}

fn read_temporary(given: &AcceptRuleTemporary) -> Result<Option<(Vec<String>, i64)>, Fault> {
    let groups = read_groups(given.groups.as_deref(), "rules.temporary.groups")?;
    let minutes = given.duration.unwrap_or_default();
    if minutes < 0 {
        let text =
            format!("{minutes} is no duration; send minutes, or 0 for a rule without an end");
        return Err(Fault::invalid("rules.temporary.duration", text));
    }
    Ok((!groups.is_empty()).then_some((groups, i64::from(minutes))))
}

/// The groups of a rule: without empty and repeated ones, `everybody` and `nobody` in lower case (B91).
fn read_groups(given: Option<&[String]>, member: &str) -> Result<Vec<String>, Fault> {
    let mut read: Vec<String> = Vec::new();
    for name in given.unwrap_or_default().iter().map(|name| name.trim()) {
        if name.is_empty() {
            continue;
        }
        let group = read_group(name, member)?;
        if !read.contains(&group) {
            add_once(&mut read, group, member)?;
        }
    }
    Ok(read)
}

/// The name of a phone-book group; empty for none.
///
/// # Errors
///
/// 9000 when it cannot be one.
pub fn read_group(name: &str, member: &str) -> Result<String, Fault> {
    let name = name.trim();
    if !name.is_empty() && !groups::is_valid(name) {
        let advice = "cannot be a group's name; use 1 to 64 printable characters";
        return Err(Fault::invalid(member, format!("`{}` {advice}", shown(name))));
    }
    let token = [EVERYBODY, NOBODY].into_iter().find(|token| name.eq_ignore_ascii_case(token));
    Ok(token.unwrap_or(name).to_owned())
}

/// Accept rules as they stand on the wire; the temporary rule is always there (R6).
#[must_use]
pub fn wire_accept_rules(rules: &AcceptRules, now: i64) -> types::AcceptRules {
    let persistent = rules.persistent.iter().map(|rule| AcceptRulePersistent {
        days: Some(i32::from(rule.days.mask())),
        start: Some(rule.start.to_string()),
        stop: Some(rule.stop.to_string()),
        groups: Some(rule.groups.clone()),
    });
    let (groups, minutes) = match &rules.temporary {
        Some(rule) => (rule.groups.clone(), rule.remaining_minutes(now)),
        None => (Vec::new(), 0),
    };
    let duration = Some(i32::try_from(minutes).unwrap_or(i32::MAX));
    types::AcceptRules {
        persistent: Some(persistent.collect()),
        temporary: Some(AcceptRuleTemporary { groups: Some(groups), duration }),
    }
}

/// The scheme in lower case, if what stands before a colon can be one, and the rest.
fn split_scheme(text: &str) -> (Option<String>, &str) {
    match text.split_once(':') {
        Some((scheme, rest))
            if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphabetic()) =>
        {
            (Some(scheme.to_ascii_lowercase()), rest)
        }
        _ => (None, text),
    }
}

fn forbidden(text: &str) -> Option<char> {
    text.chars().find(|c| c.is_whitespace() || c.is_control() || "<>\"`\\^{}|".contains(*c))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b"*#".contains(&b))
}

/// Whether a text is a host with or without a port (RFC 3261 section 25.1, `hostport`).
fn is_host(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = text.split_once(':').unwrap_or((text, "5060"));
    is_port(port) && (host.parse::<Ipv4Addr>().is_ok() || DomainName::new(host).is_ok())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// As much of a value as a fault repeats.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests;
