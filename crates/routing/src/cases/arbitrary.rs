//! Platforms and calls made of any octets, for tests that want many different ones. The same octets make the same.

use super::world::{Call, Subscriber, World};
use crate::facts::{GatewayOrder, Purpose, Settings, Usage};
use crate::{EmergencyTable, NumberPlan, Pstn};
use ngn_model::accept_rules::TemporaryRule;
use ngn_model::call_options::AddressPattern;
use ngn_model::call_plan::Payer;
use ngn_model::{
    Account, Amount, Aor, Binding, CallOptions, Carrier, Diversion, DiversionAction,
    DiversionCondition, DiversionTarget, DomainName, EmergencyMapping, Gateway, GatewayRule,
    GatewayTransport, Ownership, PeerProtocol, Route, TrustedPeer,
};
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

const DOMAINS: [&str; 2] = ["example.com", "example.net"];
const NAMES: [&str; 8] =
    ["alice", "bob", "carol", "112", "31201234500", "+31201234501", "0201234502", "dave"];
const GROUPS: [&str; 5] = ["blocked", "quota", "prepaid", "anonymous", "anonymous-reject"];
const NUMBERS: [&str; 12] = [
    "112",
    "911",
    "+31207654321",
    "0201111111",
    "+31201234500",
    "0201234501",
    "0031201234502",
    "+31900123456",
    "+4412345678",
    "5",
    "*70",
    "0",
];
const PREFIXES: [&str; 7] = ["", "00", "0031", "003120", "0044", "0031900", "+31"];
const TRUNKS: [&str; 3] = ["192.0.2.50", "192.0.2.51", "pbx.example"];

/// Choices, one octet each; without any left always the first.
struct Octets<'o>(std::slice::Iter<'o, u8>);

impl Octets<'_> {
    fn below(&mut self, end: usize) -> usize {
        self.0.next().map_or(0, |octet| usize::from(*octet) % end.max(1))
    }

    fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == of - 1
    }

    fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let index = self.below(list.len());
        list.get(index).copied().unwrap_or_default()
    }

    fn some(&mut self, list: &[&str], of: usize) -> Vec<String> {
        list.iter().filter(|_| self.one_in(of)).map(|text| (*text).to_owned()).collect()
    }

    fn maybe(&mut self, list: &[&str]) -> Option<String> {
        self.one_in(3).then(|| self.pick(list).to_owned())
    }

    fn address(&mut self) -> String {
        format!("{}@{}", self.pick(&NAMES), self.pick(&DOMAINS))
    }

    /// Somebody who may be called.
    fn uri(&mut self) -> String {
        match self.below(5) {
            0 | 1 => format!("sip:{}", self.address()),
            2 | 3 => format!("sip:{}@{}", self.pick(&NUMBERS), self.pick(&DOMAINS)),
            _ => format!("sip:{}@elsewhere.example", self.pick(&NUMBERS)),
        }
    }

    fn payer(&mut self) -> Payer {
        match self.address().parse() {
            Ok(aor) if !self.one_in(4) => Payer::Account(aor),
            _ => Payer::Peer(self.pick(&TRUNKS).to_owned()),
        }
    }
}

/// A platform and a call in it.
#[must_use]
pub fn arbitrary(octets: &[u8]) -> (World, Call) {
    let mut o = Octets(octets.iter());
    let call = call(&mut o);
    let mut world = World { settings: settings(&mut o), ..World::default() };
    world.domains = DOMAINS.iter().filter_map(|name| DomainName::new(name).ok()).collect();
    let places = DOMAINS.iter().flat_map(|domain| NAMES.map(|name| (name, domain)));
    for (name, domain) in places {
        if let (Ok(aor), false) = (Aor::new(name, domain), o.one_in(4)) {
            world.accounts.insert(aor.clone(), subscriber(&mut o, aor));
        }
    }
    for _ in 0..o.below(3) {
        if let (Ok(alias), Ok(of)) = (o.address().parse::<Aor>(), o.address().parse::<Aor>()) {
            world.aliases.insert(alias, of);
        }
    }
    for ip in TRUNKS {
        let peer = trunk(&mut o, ip);
        world.peers.push(peer);
    }
    world.pstn = pstn(&mut o);
    for _ in 0..o.below(4) {
        let digits = o.pick(&["31201234501", "31201234502", "4412345678"]).to_owned();
        let uris = (0..o.below(3)).map(|_| o.uri()).collect();
        world.enum_uris.insert(digits, uris);
    }
    world.emergency = emergency(&mut o);
    (world, call)
}

fn call(o: &mut Octets<'_>) -> Call {
    let from = match o.below(12) {
        0..=7 => o.address(),
        8 => format!("unproved {}", o.address()),
        9 | 10 => format!("trunk {}", o.pick(&TRUNKS)),
        _ => o.pick(&["sip:x@elsewhere.example", "sip:anonymous@anonymous.invalid"]).to_owned(),
    };
    let to = match o.below(8) {
        0 | 1 => o.pick(&NUMBERS).to_owned(),
        2 => format!("sip:{}@{}", o.pick(&NUMBERS), o.pick(&DOMAINS)),
        3..=6 => o.uri(),
        _ => o.pick(&["urn:service:sos", "tel:+31201234502", "sip:@example.com", ""]).to_owned(),
    };
    let source = IpAddr::from([192, 0, 2, o.pick(&[9, 80, 50, 81])]);
    let source_port = o.pick(&[None, Some(5060), Some(5070)]);
    let usage = (0..o.below(4)).map(|_| Usage {
        payer: o.payer(),
        calls: o.pick(&[0, 1, 2]),
        balance: o.one_in(2).then(|| Amount(o.pick(&[0, 1, -1]))),
    });
    let usage = usage.collect();
    let down = [1, 2, 3, 4].into_iter().filter(|_| o.one_in(3)).collect::<HashSet<i64>>();
    let (seed, wants_privacy) = (o.pick(&[0, 1, 2, u64::MAX]), o.one_in(4));
    let purpose = match o.below(8) {
        0 => Purpose::WatchMailbox,
        1 => Purpose::MailboxChanged,
        2 => Purpose::Other,
        _ => Purpose::Call,
    };
    let (from_header, now) = (None, 1_000);
    Call {
        purpose,
        from,
        to,
        from_header,
        source,
        source_port,
        now,
        seed,
        wants_privacy,
        down,
        usage,
    }
}

fn settings(o: &mut Octets<'_>) -> Settings {
    Settings {
        voicemail_server: o.one_in(2).then(|| "vm.example:5062".to_owned()),
        numbers: NumberPlan {
            country_code: o.pick(&["31", "31", "31", "", "1"]).to_owned(),
            area_code: o.pick(&["", "20"]).to_owned(),
            is_enum_first: !o.one_in(3),
            ..NumberPlan::default()
        },
        default_call_limit: o.pick(&[0, 1]),
        gateway_order: o.pick(&[GatewayOrder::Shared, GatewayOrder::InOrder]),
        ..Settings::default()
    }
}

fn subscriber(o: &mut Octets<'_>, aor: Aor) -> Subscriber {
    let mut account = Account::new(aor);
    account.ownership = Ownership { customer: 0, reseller: o.pick(&[0, 7]) };
    account.groups = o.some(&GROUPS, 8);
    if !o.one_in(4) {
        account.groups.push("free-pstn".to_owned());
    }
    account.rpid = o.maybe(&["+31201234500", "0201234500", "sip:x", "\r\nX: y"]);
    account.region = o.maybe(&["north", "south"]);
    account.quickdial_prefix = o.maybe(&["3120123450", "0", "x"]);
    account.call_limit = o.pick(&[None, Some(1), Some(0)]);
    if o.one_in(8) {
        account.acl = vec!["192.0.2.80/32".to_owned()];
    }
    let mut options = CallOptions {
        barred: o.some(&["31900", "44"], 3),
        mailbox: o.maybe(&["1000000"]),
        mobile: o.maybe(&["+31611111111", "m@elsewhere.example", "x"]),
        ..CallOptions::default()
    };
    for when in DiversionCondition::ALL {
        if !o.one_in(5) {
            continue;
        }
        let how = if o.one_in(4) { DiversionAction::Redirect } else { DiversionAction::Forward };
        let target = match o.below(5) {
            0 => DiversionTarget::VoiceMailbox,
            1 => DiversionTarget::MobileNumber,
            _ => DiversionTarget::Uri(o.uri()),
        };
        options.diversions.push(Diversion { when, how, target });
    }
    if o.one_in(8) {
        let groups = vec![o.pick(&["nobody", "everybody"]).to_owned()];
        options.accept.temporary = Some(TemporaryRule { groups, expires_at: None });
    }
    if o.one_in(6) {
        options.reject.push(AddressPattern::new("sip:%@example.com"));
    }
    account.options = (!o.one_in(4)).then(|| Box::new(options));
    let bindings = (0..o.below(3)).map(|index| {
        let contact = format!("sip:phone{index}@192.0.2.1");
        let expires_at = o.pick(&[2_000, 2_000, 2_000, 500]);
        let q = o.pick(&[1000, 500]);
        Binding { q, ..Binding::new(account.aor.clone(), contact, expires_at) }
    });
    let bindings = bindings.collect();
    Subscriber { account, bindings }
}

fn trunk(o: &mut Octets<'_>, ip: &str) -> TrustedPeer {
    TrustedPeer {
        ownership: Ownership { customer: 0, reseller: o.pick(&[0, 7]) },
        call_limit: o.pick(&[0, 1, 2]),
        prepaid: o.one_in(3),
        blocked: o.one_in(6),
        enum_lookup: !o.one_in(3),
        transit: o.one_in(2),
        carrier_name: o.maybe(&["c1", "c2", "nobody"]),
        originator: o.maybe(&["wholesale", "example.com"]),
        strip: o.pick(&[0, 1, 99]),
        prefix: o.maybe(&["00", "0031"]),
        ..TrustedPeer::new(ip, PeerProtocol::Any)
    }
}

fn pstn(o: &mut Octets<'_>) -> Pstn {
    let carriers = [(1, 0), (2, 7), (3, 0)];
    let carriers = carriers.map(|(id, reseller)| Carrier { id, name: format!("c{id}"), reseller });
    let gateways: Vec<Gateway> = (1..=4)
        .filter_map(|id| {
            let carrier_id = o.pick(&[1, 2, 3, 9]);
            (!o.one_in(4)).then(|| Gateway {
                id,
                carrier_id,
                name: format!("g{id}"),
                transport: GatewayTransport::Udp,
                host: format!("192.0.2.{}", 79 + id),
                port: 5060,
            })
        })
        .collect();
    let rules: Vec<GatewayRule> = (0..o.below(4))
        .zip(1..)
        .map(|(_, id)| GatewayRule {
            id,
            gateway_id: o.pick(&[1, 2, 3, 4]),
            prefix: o.pick(&["", "00", "0031"]).to_owned(),
            strip: o.pick(&[0, 2, 4, u32::MAX]),
            prepend: o.pick(&["", "+", "9#"]).to_owned(),
            min_length: o.pick(&[0, 12]),
            max_length: o.pick(&[0, 13]),
        })
        .collect();
    let routes: Vec<Route> = (0..o.below(10))
        .zip(1..)
        .map(|(_, id)| Route {
            id,
            carrier_id: o.pick(&[1, 2, 3, 8]),
            prefix: o.pick(&PREFIXES).to_owned(),
            originator: o.pick(&["", "example.com", "alice@example.com", "wholesale"]).to_owned(),
            priority: o.pick(&[0, 1, i32::MIN]),
        })
        .collect();
    Pstn::new(carriers, gateways, rules, routes)
}

fn emergency(o: &mut Octets<'_>) -> EmergencyTable {
    let numbers = o.some(&["112", "911"], 2);
    let rows: Vec<EmergencyMapping> = (0..o.below(5))
        .zip(1..)
        .map(|(_, id)| EmergencyMapping {
            id,
            number: o.pick(&["112", "911", "urn:service:sos"]).to_owned(),
            domain: o.pick(&["", "example.com", "example.net"]).to_owned(),
            region: o.pick(&["", "north"]).to_owned(),
            target: if o.one_in(2) { "sip:112@ecc.example".to_owned() } else { o.uri() },
        })
        .collect();
    let mut seen = BTreeMap::new();
    let rows = rows.into_iter().filter(|row| {
        seen.insert((row.number.clone(), row.target.clone(), row.domain.clone()), ()).is_none()
    });
    EmergencyTable::new(numbers, rows)
}
