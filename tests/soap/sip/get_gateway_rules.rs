//! Sip.getGatewayRules.

use ngn_tests::fixture::{carrier, customer, gateway, gateway_rule, reseller};
use ngn_tests::{Value, both, matching, query, record};

both! {
    // B11, B12, B40, B41, B45.
    fn filters_and_sorts(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let (first, second) = (carrier(&acme.client, "b"), carrier(&acme.client, "a"));
        let (one, two) = (gateway(&acme.client, first, "x"), gateway(&acme.client, second, "y"));
        let id = gateway_rule(&acme.client, one, "0031");
        gateway_rule(&acme.client, two, "0032");
        gateway_rule(&acme.client, one, "");
        gateway_rule(&other.client, gateway(&other.client, carrier(&other.client, "c"), "z"), "0031");
        let prefixes = |client: &ngn_tests::soap::Client, filter: Value, order: &str| {
            let found = client.ok("Sip.getGatewayRules", query(filter, order, "ASC", 0, 20));
            found.column("gateway_rules", "prefix").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let screen = record! { id: 0, gateway_id: 0, carrier_id: 0, prefix: "", customer: 0, reseller: 0 };
        assert_eq!(prefixes(&p.admin(), screen, "prefix"), ["", "0031", "0031", "0032"]);
        assert_eq!(prefixes(&acme.client, Value::empty(), "gateway"), ["0031", "", "0032"]);
        assert_eq!(prefixes(&acme.client, Value::empty(), "carrier"), ["0032", "0031", ""]);
        assert_eq!(prefixes(&acme.client, record! { gateway_id: one }, "prefix"), ["", "0031"]);
        assert_eq!(prefixes(&acme.client, record! { carrier_id: second }, "prefix"), ["0032"]);
        assert_eq!(prefixes(&acme.client, record! { prefix: "003%" }, "prefix"), ["0031", "0032"]);
        assert_eq!(prefixes(&acme.client, record! { prefix: "%1" }, "prefix"), ["0031"]);
        assert_eq!(prefixes(&acme.client, record! { prefix: "003" }, "prefix"), Vec::<String>::new());
        assert_eq!(prefixes(&acme.client, record! { id: id }, "gateway"), ["0031"]);
        assert_eq!(prefixes(&acme.client, record! { reseller: other.id }, "prefix"), Vec::<String>::new());
        assert_eq!(prefixes(&p.admin(), record! { reseller: other.id }, "prefix"), ["0031"]);
        let page = acme.client.ok("Sip.getGatewayRules", query(Value::empty(), "prefix", "DESC", 1, 1));
        assert_eq!((page.column("gateway_rules", "prefix"), page.int_at("total")), (vec!["0031"], 3));
        let child = customer(p, &acme, "child");
        child.client.refused(8003, "Sip.getGatewayRules", matching(Value::empty()));
    }
}
