use super::*;

mod changes;

use crate::facts::GatewayOrder;
use ngn_model::GatewayTransport;

fn carrier(id: i64, reseller: CustomerId) -> Carrier {
    Carrier { id, name: format!("c{id}"), reseller }
}

fn gateway(id: i64, carrier_id: i64) -> Gateway {
    Gateway {
        id,
        carrier_id,
        name: format!("g{id}"),
        transport: GatewayTransport::Udp,
        host: "192.0.2.1".to_owned(),
        port: 5060,
    }
}

fn route(id: i64, prefix: &str, originator: &str, carrier_id: i64, priority: i32) -> Route {
    let (prefix, originator) = (prefix.to_owned(), originator.to_owned());
    Route { id, carrier_id, prefix, originator, priority }
}

/// A carrier with its gateway for each number from 1: odd ones of the platform, even ones of reseller 7.
fn pstn(carriers: i64, routes: Vec<Route>) -> Pstn {
    let carriers = 1..=carriers;
    Pstn::new(
        carriers.clone().map(|id| carrier(id, if id % 2 == 0 { 7 } else { 0 })),
        carriers.map(|id| gateway(id, id)),
        [],
        routes,
    )
}

/// The ids of the routes that take a number, in their order.
fn chosen(pstn: &Pstn, number: &str, reseller: CustomerId, names: &[&str]) -> Vec<i64> {
    let names = names.iter().map(|name| (*name).into()).collect();
    let who = Originator { reseller, names, carrier: None };
    let chosen = pstn.choose(number, &who, GatewayOrder::InOrder, 0);
    chosen.iter().filter_map(|choice| choice.route).collect()
}

#[test]
fn b131_the_longest_prefix_wins() {
    let prefixes = ["", "00", "0031", "003120", "0031201234567", "0044"];
    let routes = prefixes.iter().zip(1..).map(|(prefix, id)| route(id, prefix, "", 1, 0));
    let pstn = pstn(1, routes.collect());
    for (number, expected) in [
        ("0031201234567", 5),
        ("00312012345678", 5),
        ("003120123456", 4),
        ("00313", 3),
        ("0044", 6),
        ("0033", 2),
        ("112", 1),
        ("", 1),
    ] {
        assert_eq!(chosen(&pstn, number, 0, &[]), [expected], "{number}");
    }
}

#[test]
fn b132_originators_and_priorities() {
    let routes = vec![
        route(1, "0031", "", 1, 1),
        route(2, "0031", "", 3, 0),
        route(3, "0031", "example.com", 5, 9),
        route(4, "0031", "alice@example.com", 7, 9),
        route(5, "0031", "bob@example.com", 1, 0),
    ];
    let pstn = pstn(7, routes);
    let alice = &["alice@example.com", "example.com"];
    assert_eq!(chosen(&pstn, "003120", 0, alice), [4, 3, 2, 1]);
    assert_eq!(chosen(&pstn, "003120", 0, &["example.com"]), [3, 2, 1]);
    assert_eq!(chosen(&pstn, "003120", 0, &[]), [2, 1]);
    // A carrier to which several routes lead is tried once, by the best of them.
    assert_eq!(chosen(&pstn, "003120", 0, &["bob@example.com"]), [5, 2]);
}

#[test]
fn b132_originators_may_be_uris() {
    let routes = vec![
        route(1, "0031", "", 1, 0),
        route(2, "0031", "sip:example.com", 3, 0),
        route(3, "0031", " SIPS:Alice@Example.com", 5, 0),
        route(4, "0031", "sip", 7, 0),
        route(5, "0031", "sip:", 9, 0),
        route(6, "0031", "sipé", 11, 0),
    ];
    let pstn = pstn(11, routes);
    let alice = &["alice@example.com", "example.com"];
    assert_eq!(chosen(&pstn, "003120", 0, alice)[..3], [3, 2, 1]);
    assert_eq!(chosen(&pstn, "003120", 0, &["sip"])[0], 4);
    assert_eq!(chosen(&pstn, "003120", 0, &["sipé"])[0], 6);
}

#[test]
fn b133_resellers_have_routes_of_their_own() {
    let routes = vec![
        route(1, "0031", "", 1, 0),
        route(2, "0031", "", 2, 9),
        route(3, "0031", "example.com", 3, 0),
        route(4, "0044", "", 2, 0),
    ];
    let pstn = pstn(3, routes);
    assert_eq!(chosen(&pstn, "003120", 7, &["example.com"]), [3, 2, 1]);
    assert_eq!(chosen(&pstn, "003120", 0, &["example.com"]), [3, 1]);
    assert_eq!(chosen(&pstn, "003120", 8, &[]), [1]);
    assert_eq!(chosen(&pstn, "0044", 7, &[]), [4]);
    assert!(chosen(&pstn, "0044", 8, &[]).is_empty());
}

#[test]
fn b130_a_route_without_a_gateway_leads_nowhere() {
    let carriers = [carrier(1, 0), carrier(2, 0)];
    let routes =
        vec![route(1, "00", "", 1, 0), route(2, "0031", "", 2, 0), route(3, "0032", "", 9, 0)];
    let pstn = Pstn::new(carriers, [gateway(1, 1)], [], routes);
    assert_eq!(chosen(&pstn, "0031", 0, &[]), [1]);
    assert_eq!(chosen(&pstn, "0032", 0, &[]), [1]);
    assert_eq!(pstn.routes(), 3);
}

#[test]
fn routes_of_one_priority_and_gateways_take_turns() {
    let routes = vec![route(1, "00", "", 1, 0), route(2, "00", "", 3, 0), route(3, "00", "", 5, 1)];
    let mut pstn = pstn(5, routes);
    pstn = pstn.with(&[Change::Gateway(8, Some(gateway(8, 1)))]);
    let who = Originator { reseller: 0, names: Vec::new(), carrier: None };
    let (mut first, mut first_gateway) = ([0; 4], [0; 9]);
    for seed in 0..3000 {
        let chosen = pstn.choose("0031", &who, GatewayOrder::Shared, seed);
        let routes: Vec<i64> = chosen.iter().filter_map(|choice| choice.route).collect();
        assert_eq!((routes.len(), routes[2]), (3, 3), "the priority holds");
        first[usize::try_from(routes[0]).expect("an id")] += 1;
        let of_one =
            chosen.iter().find(|choice| choice.carrier.carrier.id == 1).expect("carrier 1");
        assert_eq!(of_one.gateways().count(), 2);
        first_gateway
            [usize::try_from(of_one.gateways().next().expect("one").gateway.id).expect("an id")] +=
            1;
    }
    assert!((1300..1700).contains(&first[1]) && first[3] == 0, "{first:?}");
    assert!((1300..1700).contains(&first_gateway[8]), "{first_gateway:?}");
}

#[test]
fn b135_the_number_as_a_gateway_wants_it() {
    let rule = |id, prefix: &str, strip, prepend: &str, min_length, max_length| GatewayRule {
        id,
        gateway_id: 1,
        prefix: prefix.to_owned(),
        strip,
        prepend: prepend.to_owned(),
        min_length,
        max_length,
    };
    let rules = [
        rule(1, "00", 2, "+", 0, 0),
        rule(2, "0031", 4, "0", 13, 13),
        rule(3, "0044", 4, "", 0, 0),
        rule(4, "0032", 99, "", 0, 0),
        rule(5, "0031", 0, "9", 0, 8),
    ];
    let pstn = Pstn::new([carrier(1, 0)], [gateway(1, 1)], rules, [route(1, "", "", 1, 0)]);
    let gateway = pstn.gateways.get(&(1, 1)).expect("the gateway");
    for (number, expected) in [
        ("0031201234567", Some(("0201234567", Some(2)))),
        ("00312012345678", Some(("+312012345678", Some(1)))),
        ("00312012", Some(("900312012", Some(5)))),
        ("00441234", Some(("1234", Some(3)))),
        ("0033123", Some(("+33123", Some(1)))),
        ("0032123", None),
        ("112", Some(("112", None))),
    ] {
        let (sent, rule) = (gateway.rewrite(number), gateway.rule(number));
        let found = sent.as_deref().map(|sent| (sent, rule.map(|place| place.rule.id)));
        assert_eq!(found, expected, "{number}");
    }
}

#[test]
fn a_changed_table_is_like_one_that_was_made_so() {
    let routes = vec![
        route(1, "", "", 1, 0),
        route(2, "0031", "A@Example.com", 2, 0),
        route(3, "0032", "", 1, 0),
        route(4, "+32", "", 1, 0),
    ];
    let before = pstn(2, routes);
    assert_eq!((before.routes(), before.unusable_routes()), (3, 1));
    let after = before.with(&[
        Change::Route(3, None),
        Change::Route(2, Some(route(2, "0033", "", 3, 5))),
        Change::Route(9, Some(route(9, "0031", "b@example.com", 1, 0))),
        Change::Route(10, Some(route(10, "0034", "", 1, 0))),
        Change::Route(10, None),
        Change::Carrier(3, Some(carrier(3, 0))),
        Change::Gateway(2, None),
        Change::Gateway(3, Some(gateway(3, 3))),
    ]);
    let expected = vec![
        route(1, "", "", 1, 0),
        route(2, "0033", "", 3, 5),
        route(9, "0031", "b@example.com", 1, 0),
    ];
    let made = Pstn::new(
        [carrier(1, 0), carrier(2, 7), carrier(3, 0)],
        [gateway(1, 1), gateway(3, 3)],
        [],
        expected,
    );
    for number in ["0031", "0032", "0033", "0034", "1"] {
        for reseller in [0, 7] {
            for names in [&[][..], &["a@example.com"], &["b@example.com"]] {
                assert_eq!(
                    chosen(&after, number, reseller, names),
                    chosen(&made, number, reseller, names),
                    "{number} {reseller} {names:?}"
                );
            }
        }
    }
    assert_eq!(before.routes(), 3, "the table before is as it was");
    let ids: Vec<i64> = after.gateways().map(|gateway| gateway.id).collect();
    assert_eq!(ids, [1, 3]);
}

#[test]
fn rows_may_come_before_what_they_refer_to() {
    let rule = GatewayRule {
        id: 1,
        gateway_id: 1,
        prefix: String::new(),
        strip: 2,
        prepend: "+".to_owned(),
        min_length: 0,
        max_length: 0,
    };
    let pstn = Pstn::default()
        .with(&[Change::Route(1, Some(route(1, "00", "", 1, 0))), Change::Rule(1, Some(rule))])
        .with(&[Change::Gateway(1, Some(gateway(1, 1)))])
        .with(&[Change::Carrier(1, Some(carrier(1, 7)))]);
    assert_eq!(chosen(&pstn, "0031", 7, &[]), [1]);
    assert!(chosen(&pstn, "0031", 8, &[]).is_empty());
    let sent = pstn.gateways.get(&(1, 1)).expect("the gateway").rewrite("0031");
    assert_eq!(sent.as_deref(), Some("+31"));
}

/// The rules once more, in the plainest way: every route is looked at.
fn chosen_plainly(
    routes: &[Route],
    carriers: &[Carrier],
    number: &str,
    reseller: CustomerId,
    names: &[&str],
) -> Vec<i64> {
    let of = |route: &Route| carriers.iter().find(|c| c.id == route.carrier_id);
    let rank = |route: &Route| {
        let originators = names.iter().copied().chain([""]);
        let originator = originators.clone().position(|name| name == route.originator)?;
        let owner = of(route)?.reseller;
        let is_usable = number.starts_with(&route.prefix) && (owner == reseller || owner == 0);
        let platform = owner != reseller;
        is_usable.then_some((originator, platform, route.priority, route.id))
    };
    let usable: Vec<&Route> = routes.iter().filter(|route| rank(route).is_some()).collect();
    let longest = usable.iter().map(|route| route.prefix.len()).max();
    let mut usable: Vec<&Route> =
        usable.into_iter().filter(|route| Some(route.prefix.len()) == longest).collect();
    usable.sort_by_key(|route| rank(route));
    let mut carriers = Vec::new();
    usable.retain(|route| {
        let is_new = !carriers.contains(&route.carrier_id);
        carriers.push(route.carrier_id);
        is_new
    });
    usable.iter().map(|route| route.id).collect()
}

#[test]
fn the_index_finds_what_looking_at_every_route_finds() {
    let mut state = 7_u64;
    let mut random = move |end: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("fits") % end
    };
    let digits = |random: &mut dyn FnMut(usize) -> usize, most: usize| -> String {
        (0..random(most)).map(|_| char::from(b"0123"[random(4)])).collect()
    };
    let names = ["", "a@x.example", "x.example", "y.example"];
    for _ in 0..300 {
        let carriers: Vec<Carrier> = (1..=4).map(|id| carrier(id, [0, 7, 8][random(3)])).collect();
        // Each priority once for a prefix and originator, so that the order is settled without a seed.
        let routes: Vec<Route> = (1..=i64::try_from(random(120)).expect("fits"))
            .map(|id| {
                let carrier_id = i64::try_from(random(4)).expect("fits") + 1;
                let priority =
                    i32::try_from(id).expect("fits") * if random(2) == 0 { 1 } else { -1 };
                route(id, &digits(&mut random, 6), names[random(4)], carrier_id, priority)
            })
            .collect();
        let gateways = (1..=4).map(|id| gateway(id, id));
        let whole = Pstn::new(carriers.clone(), gateways, [], routes.clone());
        // The same by one change after the other.
        let half = routes.len() / 2;
        let grown = Pstn::new(
            carriers.clone(),
            (1..=4).map(|id| gateway(id, id)),
            [],
            routes[..half].iter().cloned(),
        );
        let rest = routes[half..].iter().map(|r| Change::Route(r.id, Some(r.clone())));
        let grown = grown.with(&rest.collect::<Vec<_>>());
        for _ in 0..30 {
            let number = digits(&mut random, 9);
            let reseller = [0, 7, 9][random(3)];
            let names = [&[][..], &["a@x.example", "x.example"], &["y.example"]][random(3)];
            let expected = chosen_plainly(&routes, &carriers, &number, reseller, names);
            assert_eq!(chosen(&whole, &number, reseller, names), expected, "{number}");
            assert_eq!(chosen(&grown, &number, reseller, names), expected, "{number}, grown");
        }
    }
}
