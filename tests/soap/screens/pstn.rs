//! The screens of carriers, gateways, gateway rules and routes (client-usage §2.5).

use super::{filled, listed, logins, open, tenants};
use ngn_tests::cdrtool::{Connection, Php};
use ngn_tests::{Value, both, query, record};

const CARRIER: &str = "id:i name:s reseller:i changeDate:s";
const GATEWAY: &str =
    "id:i name:s carrier_id:i carrier:s transport:s ip:s port:i reseller:i changeDate:s";
const RULE: &str = "id:i gateway_id:i gateway:s carrier_id:i carrier:s prefix:s strip:i prepend:s minLength:i \
                    maxLength:i reseller:i changeDate:s";
const ROUTE: &str =
    "id:i prefix:s originator:s priority:i carrier_id:i carrier:s reseller:i changeDate:s";

/// The one record that an edit form is filled with: `Q({id}; order ASC; 0,1)`.
fn one(connection: &Connection, operation: &str, array: &str, order: &str, id: i64) -> Php {
    let found = connection.ok(operation, query(record! { id: id }, order, "ASC", 0, 1));
    assert_eq!(found.int("total"), 1);
    found.at(&format!("{array}/0")).clone()
}

/// The lists that the other screens offer to choose from: carriers, gateways.
fn choices(connection: &Connection) -> [Vec<String>; 2] {
    let all = || query(record! { name: "" }, "name", "ASC", 0, 1000);
    let carriers = connection.ok("Sip.getCarriers", all());
    let gateways = connection.ok("Sip.getGateways", all());
    let carrier = |c: &Php| format!("{} {}", c.int("id"), c.text("name"));
    let gateway = |g: &Php| format!("{} {} of {}", g.int("id"), g.text("name"), g.text("carrier"));
    [
        carriers.list("carriers").iter().map(carrier).collect(),
        gateways.list("gateways").iter().map(gateway).collect(),
    ]
}

both! {
    fn carriers_gateways_rules_and_routes(p) {
        let (acme, _) = tenants(p);
        for engine in logins(p, &acme) {
            open(p, acme.id, acme.id);
            assert_eq!(choices(&engine), [vec![], vec![]] as [Vec<String>; 2]);

            // Carriers.
            let filter = || record! { id: 0, name: "", reseller: acme.id };
            let carriers = || engine.ok("Sip.getCarriers", query(filter(), "changeDate", "DESC", 0, 20));
            listed(&carriers(), "carriers", 0);
            let added = engine.execute("Sip.addCarrier", record! { carrier: record! { name: "carrier", reseller: acme.id } });
            assert!(added.truthy());
            let found = carriers();
            let carrier = &listed(&found, "carriers", 1)[0];
            carrier.reads(CARRIER);
            let carrier_id = carrier.int("id");
            assert_eq!((carrier.text("name"), carrier.int("reseller")), ("carrier", acme.id));
            let form = vec![("id", carrier_id.into()), ("name", "carrier 2".into())];
            let edited = filled(one(&engine, "Sip.getCarriers", "carriers", "name", carrier_id), form);
            assert_eq!(engine.execute("Sip.updateCarrier", record! { carrier: edited }), Php::Flag(true));

            // Gateways; the carrier's name comes from the server (B136).
            let filter = || record! { id: 0, name: "", carrier_id: 0, customer: 0, reseller: acme.id };
            let gateways = || engine.ok("Sip.getGateways", query(filter(), "changeDate", "DESC", 0, 20));
            listed(&gateways(), "gateways", 0);
            engine.execute("Sip.addGateway", record! { gateway: record! {
                name: "gateway", carrier_id: carrier_id, ip: "192.0.2.20", port: 5070, transport: "udp",
            } });
            let found = gateways();
            let gateway = &listed(&found, "gateways", 1)[0];
            gateway.reads(GATEWAY);
            let gateway_id = gateway.int("id");
            assert_eq!((gateway.text("carrier"), gateway.int("port")), ("carrier 2", 5070));
            assert_eq!((gateway.text("transport"), gateway.int("reseller")), ("udp", acme.id));
            let form = vec![
                ("name", "gateway 2".into()), ("ip", "192.0.2.21".into()), ("port", Php::Int(5060)),
                ("carrier_id", carrier_id.into()), ("transport", "udp".into()),
            ];
            let edited = filled(one(&engine, "Sip.getGateways", "gateways", "name", gateway_id), form);
            assert_eq!(engine.execute("Sip.updateGateway", record! { gateway: edited }), Php::Flag(true));
            let gateway = format!("{gateway_id} gateway 2 of carrier 2");
            assert_eq!(choices(&engine), [[format!("{carrier_id} carrier 2")], [gateway]]);

            // Rules; the edit form sorts by a column that only this screen has.
            let filter = || record! {
                id: 0, gateway_id: gateway_id, carrier_id: 0, prefix: "", customer: 0, reseller: acme.id,
            };
            let rules = || engine.ok("Sip.getGatewayRules", query(filter(), "changeDate", "ASC", 0, 20));
            listed(&rules(), "gateway_rules", 0);
            engine.execute("Sip.addGatewayRule", record! { rule: record! {
                gateway_id: gateway_id, prefix: "0031", prepend: "00", strip: 2, minLength: 0, maxLength: 0,
            } });
            let found = rules();
            let rule = &listed(&found, "gateway_rules", 1)[0];
            rule.reads(RULE);
            let rule_id = rule.int("id");
            assert_eq!((rule.text("gateway"), rule.text("carrier")), ("gateway 2", "carrier 2"));
            assert_eq!((rule.int("strip"), rule.text("prepend")), (2, "00"));
            let form = vec![("strip", Php::Int(4)), ("maxLength", Php::Int(15)), ("gateway_id", gateway_id.into())];
            let edited = filled(one(&engine, "Sip.getGatewayRules", "gateway_rules", "gateway", rule_id), form);
            assert_eq!(engine.execute("Sip.updateGatewayRule", record! { rule: edited }), Php::Flag(true));
            let now = one(&engine, "Sip.getGatewayRules", "gateway_rules", "gateway", rule_id);
            assert_eq!((now.int("strip"), now.int("maxLength"), now.text("prefix")), (4, 15, "0031"));

            // Routes: lists in, nothing out (R9).
            let filter = |id: i64| record! { prefix: "", carrier_id: carrier_id, reseller: acme.id, id: id };
            let routes = || engine.ok("Sip.getRoutes", query(filter(0), "prefix", "ASC", 0, 20));
            listed(&routes(), "routes", 0);
            let route = |prefix: &str| record! { routes: vec![record! {
                prefix: prefix, originator: "", carrier_id: carrier_id, priority: 1,
            }] };
            assert_eq!(engine.execute("Sip.addRoutes", route("0031")), Php::Flag(true));
            engine.refused(1079, "Sip.addRoutes", route("0031"));
            engine.execute("Sip.addRoutes", route(""));
            let found = routes();
            let items = listed(&found, "routes", 2);
            items.iter().for_each(|route| route.reads(ROUTE));
            let route_id = items[1].int("id");
            assert_eq!((items[1].text("prefix"), items[1].text("carrier")), ("0031", "carrier 2"));
            let form = vec![("priority", Php::Int(3)), ("originator", "example.com".into())];
            let edited = filled(one(&engine, "Sip.getRoutes", "routes", "prefix", route_id), form);
            let list: Value = vec![edited].into();
            assert_eq!(engine.execute("Sip.updateRoutes", record! { routes: list }), Php::Flag(true));
            let now = one(&engine, "Sip.getRoutes", "routes", "prefix", route_id);
            assert_eq!((now.int("priority"), now.text("originator")), (3, "example.com"));

            // Away with everything, in the order that the server allows (B137).
            engine.refused(1072, "Sip.deleteCarrier", record! { id: carrier_id });
            let gone = |operation: &str, parameters: Value| {
                assert_eq!(engine.execute(operation, parameters.clone()), Php::Flag(true), "{operation}");
                engine.call(operation, &parameters).unwrap_err().code
            };
            let ids: Vec<_> = items.iter().map(|route| vec![record! { id: route.int("id") }]).collect();
            for id in ids {
                assert_eq!(gone("Sip.deleteRoutes", record! { routes: id }), 1078);
            }
            assert_eq!(gone("Sip.deleteGatewayRule", record! { id: rule_id }), 1076);
            assert_eq!(gone("Sip.deleteGateway", record! { id: gateway_id }), 1073);
            assert_eq!(gone("Sip.deleteCarrier", record! { id: carrier_id }), 1070);
        }
    }
}
