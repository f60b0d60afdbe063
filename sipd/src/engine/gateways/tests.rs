use super::*;
use crate::metrics::Metrics;
use ngn_model::GatewayTransport;
use prometheus_client::registry::Registry;

const EVERY: Duration = Duration::from_secs(30);

struct Bench {
    gateways: Gateways,
    metrics: Metrics,
    registry: Registry,
    now: Instant,
}

impl Bench {
    fn new(ids: &[i64]) -> Self {
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        let mut this =
            Self { gateways: Gateways::default(), metrics, registry, now: Instant::now() };
        this.set(ids);
        this
    }

    fn set(&mut self, ids: &[i64]) {
        let all: Vec<Gateway> = ids.iter().map(|id| gateway(*id, "192.0.2.1")).collect();
        let metrics = &self.metrics;
        let make = |gateway: &Gateway| metrics.gateway(gateway.id, &gateway.name);
        self.gateways.set(all.iter(), make, self.now);
    }

    /// Which gateways are probed now.
    fn probed(&mut self) -> Vec<i64> {
        let due = self.gateways.due(EVERY, 3, self.now);
        let mut ids: Vec<i64> = due.into_iter().map(|(id, ..)| id).collect();
        ids.sort_unstable();
        ids
    }

    fn shown(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("text");
        text
    }
}

fn gateway(id: i64, host: &str) -> Gateway {
    Gateway {
        id,
        carrier_id: 1,
        name: format!("gw{id}"),
        transport: GatewayTransport::Udp,
        host: host.to_owned(),
        port: 5060,
    }
}

#[test]
fn silence_takes_a_gateway_down_and_an_answer_brings_it_up() {
    let mut bench = Bench::new(&[1, 2]);
    for round in 0..3 {
        assert_eq!(bench.probed(), [1, 2], "round {round}");
        bench.gateways.succeeded(2);
        assert!(bench.gateways.down().is_empty());
        bench.now += PATIENCE;
        assert!(bench.probed().is_empty(), "the next one is not due");
        bench.now += EVERY;
    }
    assert_eq!(bench.gateways.down(), &HashSet::from([1]));
    assert!(
        bench.shown().contains("sipd_gateway_up{id=\"1\",gateway=\"gw1\"} 0"),
        "{}",
        bench.shown()
    );
    assert_eq!(bench.probed(), [1, 2], "it is probed on");
    bench.gateways.succeeded(1);
    assert!(bench.gateways.down().is_empty());
    assert!(bench.shown().contains("sipd_gateway_up{id=\"1\",gateway=\"gw1\"} 1"));
}

#[test]
fn calls_tell_too_and_are_counted() {
    let mut bench = Bench::new(&[1]);
    let most = Some(3);
    for result in [TriedResult::Silent, TriedResult::Final(503), TriedResult::Final(486)] {
        bench.gateways.tried(1, result, most);
    }
    assert!(bench.gateways.down().is_empty(), "the count begins anew after an answer");
    for _ in 0..3 {
        bench.gateways.tried(1, TriedResult::Failed, most);
    }
    assert_eq!(bench.gateways.down(), &HashSet::from([1]));
    let shown = bench.shown();
    assert!(shown.contains("sipd_gateway_calls_total{id=\"1\",gateway=\"gw1\"} 6"), "{shown}");
    assert!(shown.contains("sipd_gateway_failures_total{id=\"1\",gateway=\"gw1\"} 5"), "{shown}");
}

#[test]
fn a_gateway_that_nobody_probes_is_always_up() {
    let mut bench = Bench::new(&[1]);
    for _ in 0..9 {
        bench.gateways.tried(1, TriedResult::Silent, None);
    }
    assert!(bench.gateways.down().is_empty());
}

#[test]
fn a_gateway_that_is_gone_or_moved_is_forgotten() {
    let mut bench = Bench::new(&[1, 2]);
    for id in [1, 2] {
        bench.gateways.goes_down(id, "a test");
    }
    bench.set(&[1]);
    assert_eq!(bench.gateways.down(), &HashSet::from([1]), "what stays keeps its state");
    assert!(!bench.shown().contains("gw2"));
    let moved = [gateway(1, "192.0.2.9")];
    let metrics = bench.metrics.clone();
    bench.gateways.set(moved.iter(), |g| metrics.gateway(g.id, &g.name), bench.now);
    assert!(bench.gateways.down().is_empty());
    assert!(bench.shown().contains("sipd_gateway_up{id=\"1\",gateway=\"gw1\"} 1"));
}

#[test]
fn where_probes_go() {
    let shown = |host: &str, transport| {
        let gateway = Gateway { transport, ..gateway(1, host) };
        probe_uri(&gateway).map(|uri| uri.to_string())
    };
    let uri = |text: &str| Some(text.to_owned());
    assert_eq!(shown("gw.example", GatewayTransport::Udp), uri("sip:gw.example:5060"));
    assert_eq!(
        shown("2001:db8::1", GatewayTransport::Tcp),
        uri("sip:[2001:db8::1]:5060;transport=tcp")
    );
    assert_eq!(shown("no host", GatewayTransport::Udp), None);
}
