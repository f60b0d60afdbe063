//! How a telephone number is reached: what ENUM says, else gateways, the best route's first (B130 to B135).
//!
//! 1. ENUM leads to an account of ours: that account, with its own rules. No call to the PSTN.
//! 2. Who pays may not call that number: refused ([`crate::paying`]).
//! 3. ENUM leads to another domain: there, and to gateways when that cannot be reached.
//! 4. Gateways, in the order of the routes; those that are known to be down are left out while another one is up.

use crate::barring;
use crate::caller_id::caller_id;
use crate::facts::{CallFacts, Callee, Caller};
use crate::legs::{Legs, Outcome, Way};
use crate::number;
use crate::paying::{Paying, blocked};
use crate::pstn::{CarrierPlace, Choice, GatewayPlace, Originator, RulePlace};
use ngn_model::call_plan::{
    CallerId, Condition, FailoverCodes, GatewayTarget, HeaderEdit, Leg, Payer, Target, Why,
};
use ngn_model::{Account, Binding, Reject};
use std::sync::Arc;

/// How many gateways one call may go through, one after the other.
const MOST_GATEWAYS: usize = 6;

/// Where ENUM leads.
enum Found<'f> {
    Account(&'f Account, &'f [Binding]),
    Foreign(&'f str),
}

/// A gateway that may take the number.
struct Candidate<'p> {
    choice: usize,
    place: &'p GatewayPlace,
    /// The rule that makes the number.
    rule: Option<&'p RulePlace>,
}

impl<'f> Legs<'f> {
    /// The steps by which a number is reached that no account or alias of ours has.
    pub(crate) fn number(&mut self, number: &str, paying: Paying<'_>, way: &Way<'_>) -> Outcome {
        let found = self.enum_answer(number, paying);
        if let Some((why, Found::Account(account, bindings))) = found {
            if way.via.contains(&&account.aor) {
                return Outcome::Nowhere(why.with("came through", account.aor.to_string()));
            }
            let why = way.reasons([why]);
            return self.account(account, bindings, &Way { why: &why, ..*way });
        }
        let allowed = paying.may_call(number, self.facts);
        if let Some((why, Found::Foreign(uri))) = found {
            return self.foreign_then_gateways(number, paying, way, (why, uri), allowed.ok());
        }
        match allowed {
            Ok(why) => self.gateways(number, paying, &Way { why: &way.reasons([why]), ..*way }),
            Err(mut reject) => {
                reject.why = way.reasons(reject.why);
                Outcome::Refused(reject)
            }
        }
    }

    /// The first usable URI that ENUM has for a number. Nothing is looked up when the domain or the trunk wants none.
    fn enum_answer(&mut self, number: &str, paying: Paying<'_>) -> Option<(Why, Found<'f>)> {
        if !wants_enum(self.facts, paying) {
            return None;
        }
        let digits = number::e164(number);
        let facts = self.facts;
        let answer = facts.enum_answers.iter().find(|answer| answer.number == digits)?;
        for uri in answer.uris {
            let why = Why::new("B105", "ENUM has the number")
                .with("number", format!("+{digits}"))
                .with("uri", uri.clone());
            let known = facts.diverted.iter().find(|diverted| diverted.uri == *uri);
            match known.map(|known| known.callee) {
                Some(Callee::Account { account, bindings, .. }) => {
                    return Some((why, Found::Account(account, bindings)));
                }
                Some(Callee::Foreign { uri }) => return Some((why, Found::Foreign(uri))),
                Some(Callee::Unknown { .. }) | None => {
                    let why = Why::new("B105", "ENUM leads to nobody");
                    self.not_tried.push(why.with("uri", uri.clone()));
                }
            }
        }
        None
    }

    /// Another domain that ENUM knows, and gateways when that cannot be reached and they may be used.
    fn foreign_then_gateways(
        &mut self,
        number: &str,
        paying: Paying<'_>,
        way: &Way<'_>,
        (why, uri): (Why, &str),
        allowed: Option<Why>,
    ) -> Outcome {
        if let Paying::Account(account) = paying {
            // B96: a number is not called, whatever the way to it; nor does anybody who is blocked call.
            let barred =
                barring::barred(account, number).map(|prefix| barring::why(account, prefix));
            if let Some(why) = barred.or_else(|| blocked(account)) {
                let why = way.reasons([why]);
                let (status, phrase, not_tried) = (403, "Forbidden", Vec::new());
                return Outcome::Refused(Reject { status, phrase, why, not_tried });
            }
        }
        let id = self.step(Target::Uri(uri.to_owned()), way, why);
        if let Some(why) = allowed {
            let why = way.reasons([why]);
            let (when, after) = (Condition::Failover, Some(id));
            let way = Way { when, after, why: &why, ..*way };
            if let Outcome::Refused(reject) = self.gateways(number, paying, &way) {
                self.not_tried.extend(reject.why);
            }
        }
        Outcome::Planned
    }

    /// Gateways for a number, whoever may call it.
    fn gateways(&mut self, number: &str, paying: Paying<'_>, way: &Way<'_>) -> Outcome {
        let settings = self.facts.settings;
        let who = paying.originator();
        let chosen = self.facts.pstn.choose(number, &who, settings.gateway_order, self.facts.seed);
        let candidates = self.candidates(number, &chosen);
        if candidates.is_empty() {
            let why = Why::new("B131", "no route leads to a gateway for the number");
            let why = way.reasons([why.with("number", number)]);
            // Q.850 cause 3, RFC 3398 section 8.2.6.1.
            let (status, phrase, not_tried) = (404, "No Route To Destination", Vec::new());
            return Outcome::Refused(Reject { status, phrase, why, not_tried });
        }
        let shared = Shared::new(self.facts, paying, number, false);
        let id = self.leg();
        self.steps.reserve(candidates.len());
        // The reasons for a carrier are those of all its gateways.
        let mut of_choice = (usize::MAX, Vec::new());
        for (index, candidate) in candidates.into_iter().enumerate() {
            let Some(choice) = chosen.get(candidate.choice) else { continue };
            let (when, after) =
                if index == 0 { (way.when, way.after) } else { (Condition::Failover, Some(id)) };
            if of_choice.0 != candidate.choice {
                of_choice = (candidate.choice, route_why(choice, &shared.called, &who));
            }
            let (sent, rule_why) = match candidate.rule {
                Some(rule) => {
                    let sent = rule.rewrite(number);
                    let why = rule_why(candidate.place, rule, &sent);
                    (sent, Some(why))
                }
                None => (number.to_owned(), None),
            };
            let why = way.reasons(of_choice.1.iter().cloned().chain(rule_why));
            let target = shared.target(choice, candidate.place, sent);
            let (leg, timeout) = (Leg { id, after }, settings.gateway_answer_timeout);
            self.push(when, leg, vec![target], timeout, (why, way.diverted));
        }
        Outcome::Planned
    }

    /// The gateways that may take a number, in their order.
    fn candidates<'c>(&mut self, number: &str, chosen: &'c [Choice<'_>]) -> Vec<Candidate<'c>> {
        let mut candidates = Vec::with_capacity(2 * MOST_GATEWAYS);
        for (index, choice) in chosen.iter().enumerate() {
            for place in choice.gateways() {
                if self.is_from(place) {
                    let why = Why::new("RFC 3261 16.3", "the call came from that gateway");
                    self.not_tried.push(why.with("gateway", &place.name));
                    continue;
                }
                let rule = place.rule(number);
                if rule.is_some_and(|rule| !rule.leaves_some(number)) {
                    let why = Why::new("B135", "a rule of the gateway leaves no number");
                    self.not_tried.push(why.with("gateway", &place.name));
                    continue;
                }
                candidates.push(Candidate { choice: index, place, rule });
            }
        }
        self.only_up(&mut candidates);
        candidates.truncate(MOST_GATEWAYS);
        candidates
    }

    /// Whether the call came from a gateway, to which it does not go back. A machine may be several things at once, a gateway
    /// and a trunk or phones: ports tell them apart. A connection comes from any port, so there only a trunk is taken for it.
    fn is_from(&self, place: &GatewayPlace) -> bool {
        let facts = self.facts;
        place.address.is_some_and(|address| address == facts.source)
            && match facts.source_port {
                Some(port) => port == place.gateway.port,
                None => matches!(facts.caller, Caller::Peer(_)),
            }
    }

    /// Leaves out gateways that are known to be down, unless all are.
    fn only_up(&mut self, candidates: &mut Vec<Candidate<'_>>) {
        let down = self.facts.down;
        let is_down = |candidate: &Candidate<'_>| down.contains(&candidate.place.gateway.id);
        if down.is_empty() || candidates.iter().all(is_down) {
            return;
        }
        for candidate in candidates.extract_if(.., |candidate| is_down(candidate)) {
            let why = Why::new("B130", "the gateway does not answer");
            self.not_tried.push(why.with("gateway", &candidate.place.name));
        }
    }

    /// Gateways for an emergency call, whatever anybody may call: the number is sent as it was dialled.
    pub(crate) fn emergency_gateways(
        &mut self,
        number: &str,
        dialled: &str,
        paying: Paying<'_>,
        way: &Way<'_>,
    ) -> bool {
        let settings = self.facts.settings;
        let who = paying.originator();
        let chosen = self.facts.pstn.choose(number, &who, settings.gateway_order, self.facts.seed);
        let places = chosen.iter().flat_map(|choice| choice.gateways().map(move |g| (choice, g)));
        let (mut up, down): (Vec<_>, Vec<_>) =
            places.partition(|(_, place)| !self.facts.down.contains(&place.gateway.id));
        // Those that do not answer are tried too: nothing else is left then.
        up.extend(down);
        let shared = Shared::new(self.facts, paying, number, true);
        for (choice, place) in up.into_iter().take(MOST_GATEWAYS) {
            let sent = if dialled.is_empty() {
                place.rewrite(number).unwrap_or_else(|| number.to_owned())
            } else {
                dialled.to_owned()
            };
            let target = shared.target(choice, place, sent);
            let why = way.reasons(route_why(choice, &shared.called, &who));
            self.emergency_target(vec![target], why);
        }
        !self.steps.is_empty()
    }
}

/// Whether numbers that somebody calls are looked for in ENUM.
pub(crate) fn wants_enum(facts: &CallFacts<'_>, paying: Paying<'_>) -> bool {
    let domain = match paying {
        Paying::Account(account) => Some(account.aor.domain()),
        Paying::Peer(_) => facts.domain,
    };
    paying.wants_enum() && facts.settings.numbers_of(domain).is_enum_first
}

/// Why a route was chosen.
fn route_why(choice: &Choice<'_>, number: &Arc<str>, who: &Originator<'_>) -> Vec<Why> {
    let CarrierPlace { carrier, name } = choice.carrier;
    let Some(route) = choice.route else {
        let text = "the trunk's calls take the carrier that it names";
        return vec![Why::of("B147", text, [("carrier", name.into()), ("number", number.into())])];
    };
    let prefix = number.get(..choice.digits).unwrap_or(number);
    let matched = [
        ("number", number.into()),
        ("prefix", prefix.into()),
        ("route", route.into()),
        ("priority", i64::from(choice.priority).into()),
        ("carrier", name.into()),
    ];
    let mut why = vec![Why::of("B131", "the longest prefix of the number has a route", matched)];
    if let Some(originator) = choice.originator.and_then(|place| who.names.get(place)) {
        let text = "the route is for the caller";
        why.push(Why::of("B132", text, [("originator", (&**originator).into())]));
    }
    if carrier.reseller != 0 {
        let text = "the route is the reseller's own";
        why.push(Why::of("B133", text, [("reseller", carrier.reseller.into())]));
    }
    why
}

/// Why a gateway gets another number than was called.
fn rule_why(gateway: &GatewayPlace, rule: &RulePlace, sent: &str) -> Why {
    let matched = [
        ("gateway", (&gateway.name).into()),
        ("prefix", (&rule.prefix).into()),
        ("strip", i64::from(rule.rule.strip).into()),
        ("prepend", (&rule.prepend).into()),
        ("sent", sent.into()),
    ];
    Why::of("B135", "a rule of the gateway makes the number", matched)
}

/// What all gateways are told alike.
struct Shared<'f> {
    called: Arc<str>,
    caller: Arc<CallerId>,
    edits: Arc<[HeaderEdit]>,
    payer: Arc<Payer>,
    failover: &'f FailoverCodes,
}

impl<'f> Shared<'f> {
    fn new(facts: &CallFacts<'f>, paying: Paying<'_>, called: &str, is_emergency: bool) -> Self {
        let (caller, edits) = caller_id(facts, paying, is_emergency);
        let (caller, edits, payer) = (caller.into(), edits.into(), paying.payer().into());
        Self { called: called.into(), caller, edits, payer, failover: &facts.settings.failover }
    }

    /// A gateway, with the number that it is sent.
    fn target(&self, choice: &Choice<'_>, place: &GatewayPlace, number: String) -> Target {
        let gateway = &place.gateway;
        Target::Gateway(Box::new(GatewayTarget {
            id: gateway.id,
            name: Arc::clone(&place.name),
            carrier_id: choice.carrier.carrier.id,
            carrier: Arc::clone(&choice.carrier.name),
            host: Arc::clone(&place.host),
            port: gateway.port,
            transport: gateway.transport,
            called: Arc::clone(&self.called),
            number,
            caller: Arc::clone(&self.caller),
            edits: Arc::clone(&self.edits),
            failover: self.failover.clone(),
            payer: Arc::clone(&self.payer),
        }))
    }
}
