//! Any platform and any call in it: the plan is as every plan must be, and files of cases are read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_routing::cases::{Cases, arbitrary, broken};

fuzz_target!(|data: &[u8]| {
    let (world, call) = arbitrary(data);
    if let Ok(plan) = world.plan(&call) {
        if let Some(wrong) = broken(&world, &call, &plan) {
            panic!("{wrong}\n{call:#?}\n{plan}\n{world:#?}");
        }
        assert!(!plan.to_string().is_empty());
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(cases) = Cases::read(text)
    {
        let _ = cases.run();
    }
});
