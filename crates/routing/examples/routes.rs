//! What a decision costs with a million routes: `cargo run --release -p ngn-routing --example routes [COUNT]`.
//!
//! Prints the time to make the table and to change a route in it, the octets of a route, and for calls of an account the
//! time of one decision, the plan with its reasons included. Times are the processor's, as Linux counts them.
#![allow(clippy::print_stdout, clippy::expect_used)]

use ngn_model::call_plan::Plan;
use ngn_model::{
    Account, Carrier, DomainName, Gateway, GatewayRule, GatewayTransport, Ownership, Route,
};
use ngn_routing::pstn::Change;
use ngn_routing::{CallFacts, Callee, Caller, EmergencyTable, NumberPlan, Pstn, Settings, plan};
use std::collections::HashSet;
use std::hint::black_box;
use std::net::IpAddr;

const CALLS: u32 = 200_000;
const CHANGES: u32 = 10_000;

/// Seconds that the processor has worked for this thread.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.expect("a number") / 1e9
}

fn main() {
    let count: i64 =
        std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let mut state = 1_u64;
    let mut random = move |end: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % end
    };
    // Prefixes as price lists have them: country code and one to six digits.
    let routes: Vec<Route> = (1..=count)
        .map(|id| {
            let digits = 10_u64.pow(u32::try_from(random(6) + 3).unwrap_or(3));
            Route {
                id,
                carrier_id: i64::try_from(random(40)).unwrap_or(0) + 1,
                prefix: format!("00{}", digits + random(9 * digits)),
                originator: if random(20) == 0 {
                    format!("d{}.example", random(1000))
                } else {
                    String::new()
                },
                priority: i32::try_from(random(3)).unwrap_or(0),
            }
        })
        .collect();
    let carriers = (1..=40).map(|id| Carrier { id, name: format!("c{id}"), reseller: id % 4 });
    let gateways = (1..=120).map(|id| Gateway {
        id,
        carrier_id: id % 40 + 1,
        name: format!("g{id}"),
        transport: GatewayTransport::Udp,
        host: format!("gw{id}.example"),
        port: 5060,
    });
    let rules = (1..=120).map(|id| GatewayRule {
        id,
        gateway_id: id,
        prefix: "00".to_owned(),
        strip: 2,
        prepend: "+".to_owned(),
        min_length: 0,
        max_length: 0,
    });
    let numbers: Vec<String> =
        (0..4096).map(|_| format!("+{}{:06}", 100 + random(900), random(1_000_000))).collect();
    let default = Route {
        id: count + 1,
        carrier_id: 4,
        prefix: "00".to_owned(),
        originator: String::new(),
        priority: 0,
    };
    let begun = processor();
    let pstn = Pstn::new(carriers, gateways, rules, routes.into_iter().chain([default.clone()]));
    println!("{} routes in {:.2} s", pstn.routes(), (processor() - begun));
    println!("{} octets for a route", pstn.route_octets() / pstn.routes());
    let mut account = Account::new("alice@d1.example".parse().expect("an address"));
    account.groups = vec!["free-pstn".to_owned()];
    account.ownership = Ownership { customer: 0, reseller: 1 };
    account.rpid = Some("+31201234500".to_owned());
    let domain = DomainName::new("d1.example").expect("a domain");
    let numbers_of = NumberPlan { country_code: "31".to_owned(), ..NumberPlan::default() };
    let settings = Settings { numbers: numbers_of, ..Settings::default() };
    let (emergency, down) = (EmergencyTable::default(), HashSet::new());
    let facts = CallFacts {
        purpose: ngn_routing::Purpose::Call,
        caller: Caller::Account(&account),
        callee: Callee::Unknown { address: "" },
        dialled: "",
        domain: Some(&domain),
        from: "sip:alice@d1.example",
        wants_privacy: false,
        diverted: &[],
        enum_answers: &[],
        pstn: &pstn,
        down: &down,
        emergency: &emergency,
        usage: &[],
        seed: 0,
        source: IpAddr::from([192, 0, 2, 9]),
        now: 1_000,
        settings: &settings,
    };
    let (mut steps, mut refused) = (0, 0);
    let begun = processor();
    for (number, seed) in numbers.iter().cycle().zip(0..CALLS) {
        let decided = plan(&CallFacts { dialled: number, seed: seed.into(), ..facts });
        match black_box(&decided) {
            Plan::Call(call) => steps += call.steps.len(),
            Plan::Reject(_) => refused += 1,
        }
    }
    let each = (processor() - begun) * 1e6 / f64::from(CALLS);
    let steps = steps / usize::try_from(CALLS).unwrap_or(1);
    println!("{each:.2} microseconds for a decision ({steps} gateways each, {refused} refused)");
    let carrier = |reseller| Carrier { id: 4, name: "c4".to_owned(), reseller };
    let mut pstn = pstn.clone();
    for (what, change) in [
        ("carrier's reseller", Change::Carrier(4, Some(carrier(1)))),
        ("carrier's reseller, back", Change::Carrier(4, Some(carrier(0)))),
    ] {
        let begun = processor();
        pstn = black_box(pstn.with(&[change]));
        println!("one {what} changed in {:.0} ms", (processor() - begun) * 1e3);
    }
    let begun = processor();
    for n in 1..=CHANGES {
        let id = i64::from(n) * 7_919 % count + 1;
        let prefix = format!("00{}", 1_000 + random(1_000_000));
        pstn = black_box(
            pstn.with(&[Change::Route(id, Some(Route { id, prefix, ..default.clone() }))]),
        );
    }
    let each = (processor() - begun) * 1e6 / f64::from(CHANGES);
    println!("{each:.1} microseconds for each of {CHANGES} changed routes");
}
