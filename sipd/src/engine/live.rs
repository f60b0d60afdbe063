//! Calls as those who look at them see them.

use super::calls::ByPlace;
use crate::live::{Call, Place, State};
use ngn_daemon::wall_clock;
use ngn_model::CallPlan;
use ngn_model::call_plan::Target;
use ngn_routing::Caller;
use ngn_sip::stack::{ForwardStep, ForwardTarget, IncomingRequest};

/// Who calls whom, for those who look at calls.
pub(super) fn live(
    incoming: &IncomingRequest,
    caller: Caller<'_>,
    canonical: String,
    plan: &CallPlan,
) -> Call {
    let (request, source, now) = (&incoming.request, &incoming.source, wall_clock());
    let account = match caller {
        Caller::Account(account) | Caller::Claimed(account) => account.aor.to_string(),
        Caller::Peer(peer) => peer.ip.clone(),
        Caller::Stranger => String::new(),
    };
    let from = request.from_header().map(|from| from.uri().as_str().to_owned());
    Call {
        number: 0,
        call_id: request.call_id().unwrap_or_default().to_owned(),
        caller: from.unwrap_or_default(),
        callee: request.request_uri().map(|uri| uri.as_str().to_owned()).unwrap_or_default(),
        canonical,
        account,
        state: State::Setup,
        began: now,
        since: now,
        source: format!("{}:{}", source.transport.as_str().to_ascii_lowercase(), source.remote),
        target: String::new(),
        gateway: String::new(),
        leg: 0,
        emergency: plan.is_emergency,
        before_start: false,
    }
}

/// The places of a plan, for those who look at calls.
pub(super) fn places(
    plan: &CallPlan,
    steps: &[ForwardStep],
    gateways: &ByPlace,
) -> Vec<Vec<Place>> {
    let name = |id: i64| {
        let targets = plan.steps.iter().flat_map(|step| &step.targets);
        let mut names = targets.filter_map(|target| match target {
            Target::Gateway(gateway) if gateway.id == id => Some(gateway.name.to_string()),
            _ => None,
        });
        names.next().unwrap_or_default()
    };
    let of = |(step, forward): (usize, &ForwardStep)| {
        let targets = forward.targets.iter().enumerate();
        let place = |(target, one): (usize, &ForwardTarget)| Place {
            uri: one.uri.to_string(),
            gateway: gateways.get(&(step, target)).map(|(id, _)| name(*id)).unwrap_or_default(),
            leg: forward.leg.id,
        };
        targets.map(place).collect()
    };
    steps.iter().enumerate().map(of).collect()
}
