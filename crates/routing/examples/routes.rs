//! What a decision costs with a million accounts and routes:
//! `cargo run --release -p ngn-routing --example routes [COUNT]`.
//!
//! Prints the time to make the table, the octets of a route, for calls of any of the accounts to telephone numbers the
//! time of one decision, the plan with its reasons included, and what changes of the table cost. Times are the
//! processor's, as Linux counts them; of several rounds of calls the fastest and the slowest are shown.
#![allow(clippy::print_stdout, clippy::expect_used)]

use ngn_model::call_plan::Plan;
use ngn_model::{Account, Aor, Carrier, Gateway, GatewayRule, GatewayTransport, Ownership, Route};
use ngn_routing::pstn::Change;
use ngn_routing::{CallFacts, Callee, Caller, EmergencyTable, NumberPlan, Pstn, Settings, plan};
use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::net::IpAddr;

const ROUNDS: usize = 7;
const CALLS: u32 = 50_000;
const CHANGES: u32 = 10_000;

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        let Self(state) = self;
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % end
    }

    /// From 1 to `end`.
    fn id(&mut self, end: i64) -> i64 {
        i64::try_from(self.below(end.unsigned_abs())).unwrap_or(0) + 1
    }
}

/// Seconds that the processor has worked for this thread.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.expect("a number") / 1e9
}

/// Prefixes as price lists have them: country code and one to six digits.
fn route(id: i64, random: &mut Random) -> Route {
    let digits = 10_u64.pow(u32::try_from(random.below(6) + 3).unwrap_or(3));
    let domain = random.below(20_000);
    Route {
        id,
        carrier_id: random.id(40),
        prefix: format!("00{}", digits + random.below(9 * digits)),
        originator: if domain < 1_000 { format!("d{domain}.example") } else { String::new() },
        priority: i32::try_from(random.below(3)).unwrap_or(0),
    }
}

fn carrier(id: i64) -> Carrier {
    Carrier { id, name: format!("c{id}"), reseller: id % 4 }
}

fn table(count: i64, random: &mut Random) -> Pstn {
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
    let default = Route {
        id: count + 1,
        carrier_id: 4,
        prefix: "00".to_owned(),
        originator: String::new(),
        priority: 0,
    };
    let routes: Vec<Route> = (1..=count).map(|id| route(id, random)).chain([default]).collect();
    let begun = processor();
    let pstn = Pstn::new((1..=40).map(carrier), gateways, rules, routes);
    println!("{} routes in {:.2} s", pstn.routes(), processor() - begun);
    println!("{} octets for a route", pstn.route_octets() / pstn.routes());
    pstn
}

fn accounts(count: i64) -> HashMap<Aor, Account> {
    let account = |n: i64| {
        let aor = Aor::new(&format!("u{n}"), &format!("d{}.example", n % 1_000));
        let mut account = Account::new(aor.expect("an address"));
        account.groups = vec!["free-pstn".to_owned()];
        account.ownership = Ownership { customer: 0, reseller: n % 1_000 % 4 };
        account.rpid = Some(format!("+312{n:08}"));
        (account.aor.clone(), account)
    };
    (1..=count).map(account).collect()
}

fn decisions(pstn: &Pstn, accounts: &HashMap<Aor, Account>, random: &mut Random) {
    // Callers in no order that memory has.
    let callers: Vec<&Account> = accounts.values().step_by(accounts.len() / 10_000 + 1).collect();
    let numbers: Vec<String> = (0..4096)
        .map(|_| format!("+{}{:06}", 100 + random.below(900), random.below(1_000_000)))
        .collect();
    let numbers_of = NumberPlan { country_code: "31".to_owned(), ..NumberPlan::default() };
    let settings = Settings { numbers: numbers_of, ..Settings::default() };
    let (emergency, down) = (EmergencyTable::default(), HashSet::new());
    let round = |seed: u32| {
        let (mut gateways, mut refused) = (0, 0);
        let begun = processor();
        let calls = numbers.iter().cycle().zip(callers.iter().cycle()).zip(seed..seed + CALLS);
        for ((number, caller), seed) in calls {
            let decided = plan(&CallFacts {
                purpose: ngn_routing::Purpose::Call,
                caller: Caller::Account(caller),
                callee: Callee::Unknown { address: "" },
                dialled: number,
                domain: Some(caller.aor.domain()),
                from: "sip:alice@d1.example",
                wants_privacy: false,
                asks: ngn_routing::Asks::default(),
                diverted: &[],
                enum_answers: &[],
                pstn,
                down: &down,
                emergency: &emergency,
                usage: &[],
                seed: seed.into(),
                source: IpAddr::from([192, 0, 2, 9]),
                source_port: None,
                now: 1_000,
                settings: &settings,
            });
            match black_box(&decided) {
                Plan::Call(call) => gateways += call.steps.len(),
                Plan::Reject(_) => refused += 1,
            }
        }
        ((processor() - begun) * 1e6 / f64::from(CALLS), gateways, refused)
    };
    let mut rounds: Vec<_> = (0..ROUNDS).zip(0..).map(|(_, n)| round(n * CALLS)).collect();
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let ([(least, gateways, refused), ..], [.., (most, ..)]) = (&rounds[..], &rounds[..]) {
        let each = f64::from(u32::try_from(*gateways).unwrap_or(0)) / f64::from(CALLS);
        println!(
            "{least:.2} to {most:.2} microseconds for a decision ({each:.1} gateways each, {refused} refused)"
        );
    }
}

fn changes(pstn: &Pstn, count: i64, random: &mut Random) {
    let carrier = |reseller| Carrier { reseller, ..carrier(4) };
    let mut pstn = pstn.clone();
    for (what, change) in [
        ("a carrier's reseller", Change::Carrier(4, Some(carrier(1)))),
        ("a carrier's reseller, back", Change::Carrier(4, Some(carrier(0)))),
    ] {
        let begun = processor();
        pstn = black_box(pstn.with(&[change]));
        println!("{what} changed in {:.0} ms", (processor() - begun) * 1e3);
    }
    for what in ["route", "carrier's name", "gateway", "rule"] {
        let begun = processor();
        for n in 1..=CHANGES {
            let id = random.id(count);
            let change = match what {
                "route" => Change::Route(id, Some(route(id, random))),
                "carrier's name" => {
                    let name = format!("c4 {n}");
                    Change::Carrier(4, Some(Carrier { name, ..carrier(0) }))
                }
                "gateway" => Change::Gateway(i64::from(n % 120) + 1, None),
                _ => Change::Rule(i64::from(n % 120) + 1, None),
            };
            pstn = black_box(pstn.with(&[change]));
        }
        let each = (processor() - begun) * 1e6 / f64::from(CHANGES);
        println!("{each:.1} microseconds for a {what} that changes");
    }
}

fn main() {
    let count: i64 =
        std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let random = &mut Random(1);
    let accounts = accounts(count);
    let pstn = table(count, random);
    decisions(&pstn, &accounts, random);
    changes(&pstn, count, random);
}
