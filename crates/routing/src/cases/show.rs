//! Plans as lines.

use ngn_model::Plan;
use ngn_model::call_plan::{Condition, Step, Target, Why};

pub(super) fn lines(plan: &Plan) -> Vec<String> {
    match plan {
        Plan::Reject(reject) => vec![format!("{} {}", reject.status, reject.phrase)],
        Plan::Call(call) => {
            let emergency = call.is_emergency.then(|| "emergency".to_owned());
            emergency.into_iter().chain(call.steps.iter().map(line)).collect()
        }
    }
}

/// Whether a rule is among the reasons, or among those for what is not tried.
pub(super) fn names(plan: &Plan, rule: &str) -> bool {
    let is = |whys: &[Why]| whys.iter().any(|why| why.rule == rule);
    match plan {
        Plan::Reject(reject) => is(&reject.why) || is(&reject.not_tried),
        Plan::Call(call) => {
            is(&call.why) || is(&call.not_tried) || call.steps.iter().any(|step| is(&step.why))
        }
    }
}

fn line(step: &Step) -> String {
    let when = match step.when {
        Condition::First => "first",
        Condition::Busy => "busy",
        Condition::NoAnswer => "no answer",
        Condition::Failure => "failure",
        Condition::Failover => "failover",
        Condition::Unanswered => "unanswered",
    };
    let after = step.leg.after.map_or(String::new(), |after| format!("<{after}"));
    let targets: Vec<String> = step.targets.iter().map(target).collect();
    format!("{when} {}{after}: {}", step.leg.id, targets.join(" + "))
}

fn target(target: &Target) -> String {
    match target {
        Target::Binding(binding) => binding.contact.clone(),
        Target::Uri(uri) => format!("uri {uri}"),
        Target::Redirect(uri) => format!("302 {uri}"),
        Target::Gateway(gateway) => {
            let caller = gateway.caller.number.as_deref().unwrap_or("nobody");
            let hidden = if gateway.caller.is_hidden { "hidden " } else { "" };
            format!("gateway {} {} as {hidden}{caller}", gateway.name, gateway.number)
        }
    }
}
