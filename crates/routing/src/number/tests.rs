use super::*;

fn plan(country: &str, area: &str, national: &str, international: &str) -> NumberPlan {
    NumberPlan {
        country_code: country.to_owned(),
        area_code: area.to_owned(),
        national_prefix: national.to_owned(),
        international_prefix: international.to_owned(),
        ..NumberPlan::default()
    }
}

#[test]
fn b131_numbers_get_the_form_00_and_country_code() {
    let netherlands = plan("31", "", "0", "00");
    let amsterdam = plan("31", "20", "0", "00");
    let america = plan("1", "", "1", "011");
    let spain = plan("34", "", "", "00");
    let nowhere = NumberPlan::default();
    for (plan, dialled, expected) in [
        (&netherlands, "+31201234567", Some("0031201234567")),
        (&netherlands, "0031201234567", Some("0031201234567")),
        (&netherlands, "0201234567", Some("0031201234567")),
        (&netherlands, "020-123 45 67", Some("0031201234567")),
        (&netherlands, "+31 (20) 123.45.67", Some("0031201234567")),
        (&netherlands, "00441234567890", Some("00441234567890")),
        (&netherlands, "1234567", None),
        (&netherlands, "112", None),
        (&netherlands, "*70", None),
        (&netherlands, "alice", None),
        (&netherlands, "", None),
        (&netherlands, "+", None),
        (&netherlands, "0", None),
        (&netherlands, "00", None),
        (&netherlands, "000123456", None),
        (&netherlands, "+0123456", None),
        (&netherlands, "+3120123456789012", None),
        (&netherlands, "+312012345678901", Some("00312012345678901")),
        (&netherlands, "+31+20", None),
        (&amsterdam, "1234567", Some("0031201234567")),
        (&amsterdam, "112", None),
        (&america, "12125550123", Some("0012125550123")),
        (&america, "01131201234567", Some("0031201234567")),
        (&america, "+31201234567", Some("0031201234567")),
        (&america, "5550123", None),
        (&spain, "912345678", Some("0034912345678")),
        (&spain, "0031201234567", Some("0031201234567")),
        (&nowhere, "+31201234567", Some("0031201234567")),
        (&nowhere, "0201234567", None),
    ] {
        assert_eq!(plan.international(dialled).as_deref(), expected, "{dialled} {plan:?}");
    }
}

#[test]
fn what_is_normal_stays_as_it_is() {
    let plan = plan("31", "20", "0", "00");
    for dialled in ["+31201234567", "0201234567", "1234567"] {
        let number = plan.international(dialled).expect("a number");
        assert_eq!(plan.international(&number).as_ref(), Some(&number));
    }
}
