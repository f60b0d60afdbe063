//! Any platform, any call: the plan is as every plan must be.
//!
//! `NGN_PLANS=1000000 cargo test --release -p ngn-routing --test properties` tries more than the usual 20,000.

use ngn_model::Plan;
use ngn_routing::cases::{arbitrary, broken};

/// Numbers that look random and are the same each time (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[test]
fn every_plan_is_as_plans_must_be() {
    let count = std::env::var_os("NGN_PLANS");
    let count = count.and_then(|text| text.to_str()?.parse().ok()).unwrap_or(20_000_u64);
    let (mut calls, mut gateways, mut emergencies, mut refusals) = (0, 0, 0, 0);
    for seed in 0..count {
        let mut random = Random(seed);
        let octets: Vec<u8> = (0..75).flat_map(|_| random.next().to_le_bytes()).collect();
        let (world, call) = arbitrary(&octets);
        // Who calls may not be there.
        let Ok(plan) = world.plan(&call) else { continue };
        if let Some(wrong) = broken(&world, &call, &plan) {
            panic!("seed {seed}: {wrong}\n{call:#?}\n{plan}\n{world:#?}");
        }
        assert!(!plan.to_string().is_empty());
        match plan {
            Plan::Reject(_) => refusals += 1,
            Plan::Call(plan) => {
                calls += 1;
                emergencies += u64::from(plan.is_emergency);
                let text = format!("{:?}", plan.steps);
                gateways += u64::from(text.contains("Gateway("));
            }
        }
    }
    println!(
        "{calls} calls, {gateways} with gateways, {emergencies} emergencies, {refusals} refused"
    );
    assert!(
        calls > count / 20
            && gateways > count / 200
            && emergencies > count / 100
            && refusals > count / 20,
        "too few of some kind: {calls} {gateways} {emergencies} {refusals}"
    );
}
