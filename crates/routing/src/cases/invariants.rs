//! What holds for every plan, whatever the platform and the call: said without the rules that make plans.

use super::world::{Call, World};
use crate::facts::Purpose;
use crate::legs::user_and_host;
use ngn_model::call_plan::{Condition, GatewayTarget, Payer, Step, Target};
use ngn_model::{Account, Amount, Aor, CallPlan, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// The most steps that any plan has: 32 legs with 8 gateways each are far above it.
const MOST_STEPS: usize = 256;

/// What is wrong with a plan; `None` when it is as every plan must be.
///
/// - Steps make sense: the first is taken at once and no other; each later one belongs to a leg that there is; each has
///   targets and a reason; no leg uses a gateway twice; a redirection is alone.
/// - No gateway gets a call for which nobody pays who may: the account is the caller's own or one that the call came to,
///   is in `free-pstn`, neither blocked nor over its quota, is not barred from the number, has money left if it pays in
///   advance, and a line. A trunk pays for its own calls only, and is not blocked.
/// - Nobody who is known is refused an emergency call while a target in another domain takes it.
/// - An account that is blocked and does not make an emergency call is refused.
/// - What tells about a mailbox takes one step, uses no gateway, and is no emergency call.
#[must_use]
pub fn broken(world: &World, call: &Call, plan: &Plan) -> Option<String> {
    let wrong = match call.purpose {
        Purpose::Call | Purpose::Other => emergency_refused(world, call, plan),
        Purpose::WatchMailbox | Purpose::MailboxChanged => more_than_a_summary(call, plan),
    };
    if wrong.is_some() {
        return wrong;
    }
    match plan {
        Plan::Reject(reject) => {
            let is_status = (400..700).contains(&reject.status);
            (!is_status || reject.why.is_empty()).then(|| format!("no refusal: {reject:?}"))
        }
        Plan::Call(plan) => shape(plan)
            .or_else(|| (!plan.is_emergency).then(|| rights(world, call, plan))?)
            .or_else(|| secrets(plan)),
    }
}

fn more_than_a_summary(call: &Call, plan: &Plan) -> Option<String> {
    let Plan::Call(plan) = plan else { return None };
    let one = plan.steps.len() == 1 && plan.steps.iter().flat_map(gateways_of).count() == 0;
    let is_target = |target: &Target| match call.purpose {
        Purpose::MailboxChanged => matches!(target, Target::Binding(_)),
        Purpose::WatchMailbox | Purpose::Call | Purpose::Other => matches!(target, Target::Uri(_)),
    };
    let fits = plan.steps.iter().flat_map(|step| &step.targets).all(is_target);
    (!one || !fits || plan.is_emergency).then(|| "more than a message summary".to_owned())
}

fn shape(plan: &CallPlan) -> Option<String> {
    let steps = &plan.steps;
    if steps.is_empty() || steps.len() > MOST_STEPS {
        return Some(format!("{} steps", steps.len()));
    }
    let mut legs: BTreeSet<u16> = BTreeSet::new();
    let mut gateways: BTreeMap<u16, BTreeSet<i64>> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let is_first = step.when == Condition::First;
        if is_first != (index == 0) {
            return Some(format!("step {index} is taken {:?}", step.when));
        }
        if step.leg.after.is_some_and(|after| !legs.contains(&after)) {
            return Some(format!("step {index} comes after a leg that there is not"));
        }
        legs.insert(step.leg.id);
        if step.targets.is_empty() || step.why.is_empty() {
            return Some(format!("step {index} has no target or no reason"));
        }
        let is_redirect = |target: &Target| matches!(target, Target::Redirect(_));
        if step.targets.len() > 1 && step.targets.iter().any(is_redirect) {
            return Some(format!("step {index} redirects and does something else"));
        }
        for gateway in gateways_of(step) {
            let is_new = gateways.entry(step.leg.id).or_default().insert(gateway.id);
            if gateway.number.is_empty() || !is_new && !plan.is_emergency {
                return Some(format!("step {index}: no number, or the gateway once more"));
            }
        }
    }
    None
}

fn gateways_of(step: &Step) -> impl Iterator<Item = &GatewayTarget> {
    step.targets.iter().filter_map(|target| match target {
        Target::Gateway(gateway) => Some(gateway.as_ref()),
        Target::Binding(_) | Target::Uri(_) | Target::Redirect(_) => None,
    })
}

fn rights(world: &World, call: &Call, plan: &CallPlan) -> Option<String> {
    for gateway in plan.steps.iter().flat_map(gateways_of) {
        let wrong = match &*gateway.payer {
            Payer::Account(aor) => match world.accounts.get(aor) {
                None => Some("nobody".to_owned()),
                Some(subscriber) => account_may_not(world, call, &subscriber.account, gateway),
            },
            Payer::Peer(key) => {
                let peer = world.peers.iter().find(|peer| peer.ip == *key);
                let is_caller = call.from == format!("trunk {key}");
                let broke =
                    |prepaid: bool| prepaid && balance(call, &gateway.payer) <= Amount::ZERO;
                match peer {
                    Some(peer) if is_caller && !peer.blocked && !broke(peer.prepaid) => None,
                    _ => Some("a trunk that may not".to_owned()),
                }
            }
        };
        if let Some(wrong) = wrong {
            return Some(format!("{} pays for {}: {wrong}", gateway.payer, gateway.called));
        }
    }
    None
}

fn account_may_not(
    world: &World,
    call: &Call,
    account: &Account,
    gateway: &GatewayTarget,
) -> Option<String> {
    let has = |group: &str| account.groups.iter().any(|g| g == group);
    let (calls, payer) = (used(call, &gateway.payer), &gateway.payer);
    let own = account.call_limit.filter(|limit| *limit > 0);
    let limit = own.unwrap_or(world.settings.default_call_limit);
    let digits = gateway.called.get(2..).unwrap_or_default();
    let barred = account.options.iter().flat_map(|options| &options.barred);
    let is_caller = call.from == account.aor.to_string();
    let diverts = account.options.as_ref().is_some_and(|options| !options.diversions.is_empty());
    let wrong = [
        (!has("free-pstn"), "not in free-pstn"),
        (has("blocked"), "blocked"),
        (has("quota"), "over its quota"),
        (barred.into_iter().any(|prefix| digits.starts_with(prefix.as_str())), "barred"),
        (has("prepaid") && balance(call, payer) <= Amount::ZERO, "no money left"),
        (limit > 0 && calls >= limit, "no line left"),
        (!is_caller && !diverts, "neither caller nor diverting"),
        (is_caller && !diverts && !account.admits(call.source), "from outside its networks"),
    ];
    wrong.into_iter().find(|(is_so, _)| *is_so).map(|(_, what)| what.to_owned())
}

fn used(call: &Call, payer: &Payer) -> u32 {
    call.usage.iter().find(|usage| usage.payer == *payer).map_or(0, |usage| usage.calls)
}

fn balance(call: &Call, payer: &Payer) -> Amount {
    let usage = call.usage.iter().find(|usage| usage.payer == *payer);
    usage.and_then(|usage| usage.balance).unwrap_or(Amount::ZERO)
}

/// Nothing that is provisioned may end a header field.
fn secrets(plan: &CallPlan) -> Option<String> {
    let gateways = plan.steps.iter().flat_map(gateways_of);
    let text = gateways.map(|gateway| format!("{:?}", gateway.edits)).collect::<String>();
    (text.contains("\\r") || text.contains("\\n")).then(|| format!("line breaks in {text}"))
}

fn emergency_refused(world: &World, call: &Call, plan: &Plan) -> Option<String> {
    let (text, is_trunk) = match call.from.split_once(' ') {
        Some((word, rest)) => (rest, word == "trunk"),
        None => (call.from.as_str(), false),
    };
    if call.from.contains("sip:") {
        return None;
    }
    let aor: Option<Aor> = if is_trunk { None } else { text.parse().ok() };
    let account = aor.as_ref().and_then(|aor| world.accounts.get(aor)).map(|s| &s.account);
    let (user, host) = user_and_host(&call.to);
    let is_ours = host.is_empty() || world.domains.iter().any(|domain| domain.as_str() == host);
    let number = if call.to.starts_with("urn:") { &call.to } else { user };
    let is_emergency = is_ours && world.emergency.number(number).is_some();
    if let (Some(account), false) = (account, is_emergency)
        && account.is_blocked()
        && call.from == account.aor.to_string()
        && matches!(plan, Plan::Call(_))
    {
        return Some("somebody who is blocked calls".to_owned());
    }
    let number = world.emergency.number(number).filter(|_| is_emergency)?;
    let (domain, region) = match account {
        Some(account) => {
            (account.aor.domain().as_str(), account.region.as_deref().unwrap_or_default())
        }
        None if is_trunk && !host.is_empty() => (host, ""),
        None => return None,
    };
    let rows = world.emergency.rows(number, domain, region);
    let is_taken = rows.iter().any(|row| user_and_host(&row.target).1.ends_with(".example"));
    let is_called = matches!(plan, Plan::Call(plan) if plan.is_emergency);
    (is_taken && !is_called).then(|| "an emergency call is refused".to_owned())
}
