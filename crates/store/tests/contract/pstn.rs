//! Trusted peers, carriers, gateways, gateway rules and routes.

use crate::backend::{Backend, Raw, actor};
use crate::on_both;
use ngn_model::{GatewayTransport, PeerProtocol, Route};
use ngn_store::{
    CarrierRow, Filter, GatewayRow, GatewayRuleRow, Range, RouteRow, StoreError, TrustedPeerRow,
};
use sqlx::AssertSqlSafe;

on_both!(
    servers_load_and_read_again,
    what_cannot_be_read_is_left_out,
    routes_follow_their_carrier,
    many_routes_are_read_from_an_index,
);

async fn fill(backend: &Backend) -> [i64; 4] {
    let peer = &TrustedPeerRow {
        ip: "2001:db8::7".to_owned(),
        protocol: "tls".to_owned(),
        call_limit: 5,
        blocked: 2,
        enum_lookup: true,
        tenant: Some(String::new()),
        originator: Some("trunk".to_owned()),
        strip: 2,
        customer: 8,
        reseller_id: 5,
        ..Default::default()
    };
    let (ids, position) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                tx.insert_trusted_peer(peer).await?;
                let carrier =
                    CarrierRow { name: "Telco".to_owned(), reseller: 5, ..Default::default() };
                let carrier_id = tx.insert_carrier(&carrier).await?;
                assert!(tx.insert_carrier(&carrier).await.expect_err("one name").is_duplicate());
                let gateway = GatewayRow {
                    name: "gw".to_owned(),
                    carrier_id,
                    transport: "tcp".to_owned(),
                    ip: "gw.example.com".to_owned(),
                    port: 5070,
                    ..Default::default()
                };
                let gateway_id = tx.insert_gateway(&gateway).await?;
                let rule = GatewayRuleRow {
                    gateway_id,
                    prefix: "0031".to_owned(),
                    strip: 2,
                    prepend: "9".to_owned(),
                    max_length: 15,
                    ..Default::default()
                };
                let rule_id = tx.insert_gateway_rule(&rule).await?;
                let route = RouteRow {
                    carrier_id,
                    prefix: "0031".to_owned(),
                    originator: "trunk".to_owned(),
                    priority: -1,
                    reseller: 5,
                    ..Default::default()
                };
                tx.insert_routes(std::slice::from_ref(&route)).await?;
                let found = tx.route_ids(&[route.key()]).await?;
                let [(route_id, _)] = found.try_into().expect("one route");
                tx.journal(ngn_model::Entity::Route, route_id, None, None, None);
                Ok::<_, StoreError>([carrier_id, gateway_id, rule_id, route_id])
            })
        })
        .await
        .expect("rows");
    assert!(position.is_some());
    ids
}

async fn servers_load_and_read_again(backend: &Backend) {
    let [carrier, gateway, rule, route] = fill(backend).await;
    let (directory, _) = backend.store.load_directory().await.expect("the directory");
    let [peer] = directory.trusted_peers.try_into().expect("one peer");
    assert_eq!((peer.ip.as_str(), peer.protocol), ("2001:db8::7", PeerProtocol::Tls));
    assert_eq!((peer.ownership.customer, peer.ownership.reseller), (8, 5));
    assert_eq!((peer.call_limit, peer.strip), (5, 2));
    assert!(peer.blocked && peer.enum_lookup && !peer.transit && !peer.msteams && !peer.prepaid);
    assert_eq!((peer.tenant.as_deref(), peer.originator.as_deref()), (None, Some("trunk")));
    let [found] = directory.carriers.try_into().expect("one carrier");
    assert_eq!((found.id, found.name.as_str(), found.reseller), (carrier, "Telco", 5));
    let [found] = directory.gateways.try_into().expect("one gateway");
    assert_eq!((found.id, found.carrier_id), (gateway, carrier));
    assert_eq!((found.host.as_str(), found.port), ("gw.example.com", 5070));
    assert_eq!(found.transport, GatewayTransport::Tcp);
    let [found] = directory.gateway_rules.try_into().expect("one rule");
    assert_eq!((found.id, found.gateway_id), (rule, gateway));
    assert_eq!((found.prefix.as_str(), found.strip, found.prepend.as_str()), ("0031", 2, "9"));
    assert_eq!((found.min_length, found.max_length), (0, 15));
    let expected = Route {
        id: route,
        carrier_id: carrier,
        prefix: "0031".to_owned(),
        originator: "trunk".to_owned(),
        priority: -1,
    };
    assert_eq!(directory.routes, std::slice::from_ref(&expected));

    let store = &backend.store;
    let routes = store.routes(&[route, route + 1000]).await.expect("routes");
    assert_eq!(routes, [(route, Some(expected)), (route + 1000, None)]);
    let carriers = store.carriers(&[carrier + 1000, carrier]).await.expect("carriers");
    assert!(carriers[0].1.is_none() && carriers[1].1.is_some());
    assert!(store.gateways(&[gateway]).await.expect("gateways")[0].1.is_some());
    assert!(store.gateway_rules(&[rule]).await.expect("rules")[0].1.is_some());
    let ips = ["2001:db8::7".to_owned(), "192.0.2.1".to_owned()];
    let peers = store.trusted_peers(&ips).await.expect("peers");
    assert_eq!(peers[0].1.as_ref(), Some(&peer));
    assert_eq!(peers[1], (ips[1].clone(), None));
    let many: Vec<i64> = (0..250).collect();
    assert_eq!(store.routes(&many).await.expect("routes").len(), 250);
    assert!(store.routes(&[]).await.expect("nothing").is_empty());
}

/// One bad row, written by somebody else, stops nothing.
async fn what_cannot_be_read_is_left_out(backend: &Backend) {
    let [carrier, gateway, ..] = fill(backend).await;
    backend
        .sql(format!(
            "INSERT INTO trusted_peers (ip, protocol) VALUES ('192.0.2.1', 'sctp'); \
             INSERT INTO trusted_peers (ip, strip) VALUES ('192.0.2.2', -1); \
             INSERT INTO gateways (carrier_id, name, ip, port) VALUES ({carrier}, 'bad', 'x', 70000); \
             INSERT INTO gateways (carrier_id, name, ip, transport) VALUES ({carrier}, 'worse', 'x', 'ws'); \
             INSERT INTO gateway_rules (gateway_id, prefix, strip) VALUES ({gateway}, '0032', -1)"
        ))
        .await;
    let (directory, _) = backend.store.load_directory().await.expect("the directory");
    let counts = [
        directory.trusted_peers.len(),
        directory.gateways.len(),
        directory.gateway_rules.len(),
        directory.routes.len(),
    ];
    assert_eq!(counts, [1, 1, 1, 1]);
}

/// B17: the reseller of a route is its carrier's, whoever it was when the route was added.
async fn routes_follow_their_carrier(backend: &Backend) {
    let [carrier, ..] = fill(backend).await;
    backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let row = tx.lock_carrier(carrier).await?.expect("the carrier");
                tx.update_carrier(&CarrierRow { reseller: 6, ..row }).await
            })
        })
        .await
        .expect("a change");
    let seen = async |reseller: i64| {
        let mut filter = Filter::new();
        filter.equals("r.reseller", reseller);
        let filter = &filter;
        let page = backend.store.read(|tx| {
            Box::pin(async move { tx.list_routes(filter.clone(), None, Range::default()).await })
        });
        page.await.expect("routes").total
    };
    assert_eq!((seen(5).await, seen(6).await), (0, 1));
}

/// How many routes the last test has.
const MANY: i64 = 100_000;
/// How many of them nobody should have to sort.
const LONG: u64 = 2_000;

/// Lists and their counts do not read the table: a page of 100,000 routes comes from an index, in its order, by every
/// filter and for the administrator and resellers alike.
async fn many_routes_are_read_from_an_index(backend: &Backend) {
    for id in 1..=20 {
        backend
            .sql(format!(
                "INSERT INTO carriers (id, name, reseller) VALUES ({id}, 'c{id}', {})",
                id % 4
            ))
            .await;
    }
    for from in (0..MANY).step_by(2000) {
        let rows: Vec<String> = (from..from + 2000)
            .map(|i| {
                let carrier = i % 20 + 1;
                let originator =
                    if i % 10 == 0 { format!("d{}.example", i % 1000) } else { String::new() };
                format!(
                    "({}, '00{:06}', '{originator}', {carrier}, {}, {i})",
                    carrier % 4,
                    i * 7 % 999_983,
                    i % 50
                )
            })
            .collect();
        backend
            .sql(format!(
                "INSERT INTO routes (reseller, prefix, originator, carrier_id, priority, change_date) VALUES {}",
                rows.join(", ")
            ))
            .await;
    }
    analyze(backend).await;
    let check = async |what: &str, filter: &Filter, order: &str, total: Option<u64>| {
        let order = (order.to_owned(), "ASC".to_owned());
        let (filter, order) = (filter, &order);
        let range = Range { start: 0, count: Some(20) };
        let page = backend
            .store
            .read(|tx| {
                Box::pin(async move { tx.list_routes(filter.clone(), Some(order), range).await })
            })
            .await
            .expect("a page");
        if let Some(total) = total {
            assert_eq!(page.total, total, "{what}");
        }
        assert!(!page.rows.is_empty(), "{what}");
        let plan = backend
            .store
            .read(|tx| {
                Box::pin(async move {
                    RouteRow::listing(filter.clone(), Some(order), range).explain(tx).await
                })
            })
            .await
            .expect("a plan");
        // A list that a filter made short may be sorted; a long one comes sorted from its index.
        let mut bad = vec!["SCAN r\n", "\"access_type\": \"ALL\""];
        match total {
            Some(total) if total > LONG => {
                bad.extend(["TEMP B-TREE", "filesort", "temporary_table"])
            }
            _ => bad.extend(["SCAN r", "\"access_type\": \"index\""]),
        }
        for bad in bad {
            assert!(!plan.contains(bad), "{what} by {} has {bad}: {plan}", order.0);
        }
    };
    // A list of routes is looked up by key, added, locked and deleted in one transaction, beside all the others.
    let rows = &(0..LONG)
        .map(|i| RouteRow { carrier_id: 4, prefix: format!("01{i}"), ..Default::default() })
        .collect::<Vec<_>>();
    let (added, _) = backend
        .store
        .write(actor(), |tx| {
            Box::pin(async move {
                let keys: Vec<_> = rows.iter().map(RouteRow::key).collect();
                assert!(tx.route_ids(&keys).await?.is_empty());
                tx.insert_routes(rows).await?;
                let ids: Vec<i64> =
                    tx.route_ids(&keys).await?.into_iter().map(|(id, _)| id).collect();
                let locked = tx.lock_routes(&ids).await?.len();
                tx.delete_routes(&ids).await?;
                Ok::<_, StoreError>(locked)
            })
        })
        .await
        .expect("a list of routes");
    assert_eq!(added, rows.len());
    let all = MANY.unsigned_abs();
    for order in ["prefix", "priority", "changeDate"] {
        check("the administrator", &Filter::new(), order, Some(all)).await;
        check("a reseller", Filter::new().equals("r.reseller", 1), order, Some(all / 4)).await;
    }
    check("a carrier", Filter::new().number("r.carrier_id", Some(3)), "prefix", Some(all / 20))
        .await;
    let mut both = Filter::new();
    both.number("r.carrier_id", Some(3)).equals("r.reseller", 3);
    check("a carrier of a reseller", &both, "prefix", Some(all / 20)).await;
    check("a prefix", Filter::new().text_digits("r.prefix", Some("000031%")), "prefix", None).await;
    check("one prefix", Filter::new().text_digits("r.prefix", Some("00000007")), "prefix", Some(1))
        .await;
    let mut both = Filter::new();
    both.text_digits("r.prefix", Some("0012%")).equals("r.reseller", 2);
    check("a prefix of a reseller", &both, "prefix", None).await;
    check("a priority", Filter::new().number("r.priority", Some(7)), "priority", Some(all / 50))
        .await;
    let mut originator = Filter::new();
    originator.text_lower("r.originator", Some("D10.example"));
    check("an originator", &originator, "prefix", Some(all / 1000)).await;
}

/// The statistics that plans are made from.
async fn analyze(backend: &Backend) {
    match &backend.raw {
        Raw::My(_) => backend.sql("ANALYZE TABLE routes, carriers").await,
        Raw::Lite(pool) => {
            sqlx::raw_sql(AssertSqlSafe("ANALYZE".to_owned()))
                .execute(pool)
                .await
                .expect("ANALYZE");
        }
    }
}
