//! Sip.deleteCarrier.

use ngn_tests::fixture::{carrier, customer, gateway, reseller, route};
use ngn_tests::{both, record};

both! {
    // B137, B29.
    fn deletes_what_is_empty(p) {
        let acme = reseller(p, "acme");
        let id = carrier(&acme.client, "Telco");
        let gateway = gateway(&acme.client, id, "gw");
        acme.client.refused(1072, "Sip.deleteCarrier", record! { id: id });
        acme.client.ok("Sip.deleteGateway", record! { id: gateway });
        acme.client.ok("Sip.addRoutes", record! { routes: vec![route(id, "0031")] });
        acme.client.refused(1072, "Sip.deleteCarrier", record! { id: id });
        acme.client.ok("Sip.deleteRoutes", record! { routes: vec![route(id, "0031")] });
        p.admin().refused(5002, "Customer.deleteAccount", record! { id: acme.id });
        acme.client.ok("Sip.deleteCarrier", record! { id: id });
        acme.client.refused(1070, "Sip.deleteCarrier", record! { id: id });
        p.admin().ok("Customer.deleteAccount", record! { id: acme.id });
    }

    // Older clients name what they delete; contract B1.
    fn takes_a_name(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        for client in [&acme.client, &other.client] {
            carrier(client, "Telco");
        }
        // Two resellers have one of that name; each can only mean its own.
        p.admin().refused(9000, "Sip.deleteCarrier", record! { name: "Telco" });
        acme.client.ok("Sip.deleteCarrier", record! { name: "Telco" });
        acme.client.refused(1070, "Sip.deleteCarrier", record! { name: "Telco" });
        p.admin().ok("Sip.deleteCarrier", record! { id: 0, name: "Telco" });
    }

    fn refuses_strangers(p) {
        let (acme, other) = (reseller(p, "acme"), reseller(p, "other"));
        let child = customer(p, &acme, "child");
        let id = carrier(&acme.client, "Telco");
        other.client.refused(8001, "Sip.deleteCarrier", record! { id: id });
        child.client.refused(8003, "Sip.deleteCarrier", record! { id: id });
        acme.client.refused(9001, "Sip.deleteCarrier", record! { id: 0 });
        acme.client.refused(9000, "Sip.deleteCarrier", record! { id: -1 });
    }
}
