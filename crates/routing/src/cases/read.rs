//! From the text of a file of cases to a platform and its calls.

use super::file::{
    AcceptText, AccountText, CarrierText, CaseText, File, RouteText, SettingsText, Text, TrunkText,
};
use super::world::{Call, Subscriber, World};
use super::wrong::{Read, wrong, wrong_of};
use super::{Case, Cases};
use crate::facts::{GatewayOrder, Purpose, Settings, Usage};
use crate::{EmergencyTable, NumberPlan, Pstn};
use jiff::Timestamp;
use ngn_model::accept_rules::{AcceptRule, AcceptRules, Days, TemporaryRule, TimeOfDay};
use ngn_model::call_options::{AddressPattern, Contact};
use ngn_model::call_plan::{FailoverCodes, Payer};
use ngn_model::{
    Account, Amount, Aor, Binding, CallOptions, Carrier, Diversion, DiversionAction,
    DiversionCondition, DiversionTarget, DomainName, EmergencyMapping, Gateway, GatewayRule,
    GatewayTransport, Ownership, PeerProtocol, Route, TrustedPeer,
};
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

/// The time of a call that says none: Monday, 5 January 2026, noon UTC; in milliseconds since 1970 UTC.
const NOON: i64 = 1_767_614_400_000;

/// How the purposes of requests that are no calls are written.
const WATCH: &str = "watch mailbox";
const CHANGED: &str = "mailbox changed";
/// What is no call and goes where calls go.
const OTHER: &str = "message";

pub(super) fn read(text: &str) -> Read<Cases> {
    read_file(text).map_err(|error| error.with_line_in(text))
}

fn read_file(text: &str) -> Read<Cases> {
    let file: File = toml::from_str(text)?;
    let gateway_ids: BTreeMap<String, i64> = file
        .carrier
        .iter()
        .flat_map(|carrier| carrier.gateways.iter().map(|gateway| gateway.name.clone()))
        .zip(1..)
        .collect();
    let emergency = file.emergency.into_iter().zip(1..).map(|(row, id)| EmergencyMapping {
        id,
        number: row.number,
        domain: row.domain,
        region: row.region,
        target: row.target,
    });
    let numbers = file.settings.emergency_numbers.clone();
    let world = World {
        domains: file.settings.domains.iter().map(domain).collect::<Read<_>>()?,
        emergency: EmergencyTable::new(numbers, emergency),
        settings: settings(file.settings)?,
        accounts: file
            .account
            .into_iter()
            .map(|account| subscriber(account).map(|s| (s.account.aor.clone(), s)))
            .collect::<Read<_>>()?,
        aliases: file
            .alias
            .iter()
            .map(|alias| Ok((aor(&alias.alias)?, aor(&alias.of)?)))
            .collect::<Read<_>>()?,
        peers: file.trunk.into_iter().map(trunk).collect(),
        pstn: pstn(file.carrier, file.route, &gateway_ids)?,
        enum_uris: file.enum_uris,
    };
    let case = |case| read_case(case, &gateway_ids, &world);
    let cases = file.case.into_iter().map(case).collect::<Read<_>>()?;
    Ok(Cases { world, cases })
}

fn domain(text: &Text) -> Read<DomainName> {
    DomainName::new(text.get_ref()).or_else(|_| wrong("no domain", text))
}

fn aor(text: &Text) -> Read<Aor> {
    text.get_ref().parse().or_else(|_| wrong("no address; write user@domain", text))
}

fn time(text: &Text) -> Read<i64> {
    let time = text.get_ref().parse::<Timestamp>().map(Timestamp::as_millisecond);
    time.or_else(|_| wrong("no time; write it as 2026-01-05T12:00:00Z", text))
}

fn settings(text: SettingsText) -> Read<Settings> {
    let usual = NumberPlan::default();
    let numbers = NumberPlan {
        country_code: text.country,
        area_code: text.area,
        national_prefix: text.national_prefix.unwrap_or(usual.national_prefix),
        international_prefix: text.international_prefix.unwrap_or(usual.international_prefix),
        is_enum_first: !text.no_enum,
        ..NumberPlan::default()
    };
    let reseller_voicemail = text
        .reseller_voicemail
        .into_iter()
        .map(|(id, server)| match id.get_ref().parse() {
            Ok(id) => Ok((id, server)),
            Err(_) => wrong("no reseller; write its id", &id),
        })
        .collect::<Read<_>>()?;
    let gateway_order =
        if text.gateways_in_order { GatewayOrder::InOrder } else { GatewayOrder::Shared };
    Ok(Settings {
        voicemail_server: text.voicemail_server,
        reseller_voicemail,
        numbers,
        default_call_limit: text.default_call_limit,
        gateway_order,
        failover: FailoverCodes::and(text.failover),
        ..Settings::default()
    })
}

fn subscriber(text: AccountText) -> Read<Subscriber> {
    let mut account = Account::new(aor(&text.aor)?);
    account.ownership = Ownership { customer: 0, reseller: text.reseller };
    account.groups.clone_from(&text.groups);
    account.rpid.clone_from(&text.rpid);
    account.region.clone_from(&text.region);
    account.quickdial_prefix.clone_from(&text.quickdial);
    account.call_limit = text.call_limit;
    account.answer_timeout = text.timeout;
    account.acl.clone_from(&text.acl);
    let live = text.contacts.iter().map(|contact| binding(&account, contact, i64::MAX));
    let over = text.expired.iter().map(|contact| binding(&account, contact, 0));
    let bindings = live.chain(over).collect::<Read<_>>()?;
    let options = options(text)?;
    account.options = (options != CallOptions::default()).then(|| Box::new(options));
    Ok(Subscriber { account, bindings })
}

fn options(text: AccountText) -> Read<CallOptions> {
    let mut diversions = Vec::new();
    let ways =
        [(DiversionAction::Forward, text.forward), (DiversionAction::Redirect, text.redirect)];
    for (how, targets) in ways {
        for (name, target) in targets {
            let known = DiversionCondition::ALL.into_iter();
            let Some(when) = known.clone().find(|c| c.to_string() == *name.get_ref()) else {
                return wrong_of("condition", &name, known.map(|known| known.to_string()));
            };
            let Some(target) = DiversionTarget::read(target.get_ref()) else {
                return wrong("nowhere to divert to", &target);
            };
            // B84: forwarding wins.
            if !diversions.iter().any(|other: &Diversion| other.when == when) {
                diversions.push(Diversion { when, how, target });
            }
        }
    }
    let temporary = match text.accept_now {
        None => None,
        Some(now) => {
            let expires_at = now.until.as_ref().map(time).transpose()?;
            Some(TemporaryRule { groups: now.groups, expires_at })
        }
    };
    Ok(CallOptions {
        diversions,
        accept: AcceptRules {
            persistent: text.accept.into_iter().map(accept).collect::<Read<_>>()?,
            temporary,
        },
        timezone: text.timezone,
        phonebook: text
            .phonebook
            .into_iter()
            .map(|(uri, group)| Contact { address: AddressPattern::new(&uri), group })
            .collect(),
        reject: text.reject.iter().map(|uri| AddressPattern::new(uri)).collect(),
        barred: text.barred.iter().map(|p| p.trim_start_matches('+').to_owned()).collect(),
        mailbox: text.mailbox,
        mobile: text.mobile,
    })
}

fn accept(text: AcceptText) -> Read<AcceptRule> {
    let time = |text: &Text| {
        let read = TimeOfDay::read(text.get_ref());
        read.map_or_else(|| wrong("no time of day; write it as 08:30", text), Ok)
    };
    let Some(days) = Days::new(*text.days.get_ref()) else {
        return wrong("no days; add up 1 for Monday to 64 for Sunday", &text.days);
    };
    let (start, stop) = (time(&text.start)?, time(&text.stop)?);
    Ok(AcceptRule { days, start, stop, groups: text.groups })
}

fn binding(account: &Account, text: &Text, expires_at: i64) -> Read<Binding> {
    let contact = text.get_ref().as_str();
    let (contact, q) = contact.split_once(";q=").unwrap_or((contact, "1"));
    let Some(Amount(steps)) = Amount::parse(q) else {
        return wrong("no contact with a preference such as ;q=0.5", text);
    };
    let q = u16::try_from(steps / 10).unwrap_or(1000);
    Ok(Binding { q, ..Binding::new(account.aor.clone(), contact, expires_at) })
}

fn trunk(text: TrunkText) -> TrustedPeer {
    TrustedPeer {
        ownership: Ownership { customer: 0, reseller: text.reseller },
        call_limit: text.call_limit,
        prepaid: text.prepaid,
        blocked: text.blocked,
        enum_lookup: !text.no_enum,
        transit: text.transit,
        carrier_name: text.carrier,
        originator: text.originator,
        strip: text.strip,
        prefix: text.prefix,
        ..TrustedPeer::new(text.ip, PeerProtocol::Any)
    }
}

fn pstn(
    carriers: Vec<CarrierText>,
    routes: Vec<RouteText>,
    gateway_ids: &BTreeMap<String, i64>,
) -> Read<Pstn> {
    let ids: BTreeMap<String, i64> =
        carriers.iter().map(|carrier| carrier.name.clone()).zip(1..).collect();
    let (mut made, mut gateways, mut rules) = (Vec::new(), Vec::new(), Vec::new());
    for (carrier, id) in carriers.into_iter().zip(1..) {
        made.push(Carrier { id, name: carrier.name, reseller: carrier.reseller });
        for text in carrier.gateways {
            let gateway_id = gateway_ids.get(&text.name).copied().unwrap_or_default();
            let named = text.transport.as_ref().map_or("udp", |text| text.get_ref());
            let transport = match (GatewayTransport::from_name(named), &text.transport) {
                (Some(transport), _) => transport,
                (None, Some(text)) => {
                    let known = ["udp", "tcp", "tls"].map(str::to_owned);
                    return wrong_of("transport", text, known);
                }
                (None, None) => GatewayTransport::Udp,
            };
            for rule in text.rules {
                rules.push(GatewayRule {
                    id: i64::try_from(rules.len()).unwrap_or_default() + 1,
                    gateway_id,
                    prefix: rule.prefix,
                    strip: rule.strip,
                    prepend: rule.prepend,
                    min_length: rule.min,
                    max_length: rule.max,
                });
            }
            gateways.push(Gateway {
                id: gateway_id,
                carrier_id: id,
                name: text.name,
                transport,
                host: text.host,
                port: text.port.unwrap_or(5060),
            });
        }
    }
    let routes = routes.into_iter().zip(1..).map(|(route, id)| {
        let Some(carrier_id) = ids.get(route.carrier.get_ref()).copied() else {
            return wrong_of("carrier", &route.carrier, ids.keys().cloned());
        };
        let (prefix, originator) = (route.prefix, route.originator);
        Ok(Route { id, carrier_id, prefix, originator, priority: route.priority })
    });
    let routes = routes.collect::<Read<Vec<Route>>>()?;
    Ok(Pstn::new(made, gateways, rules, routes))
}

fn read_case(text: CaseText, gateway_ids: &BTreeMap<String, i64>, world: &World) -> Read<Case> {
    caller(&text.from, world)?;
    let mut down = HashSet::new();
    for name in &text.down {
        let Some(id) = gateway_ids.get(name.get_ref()) else {
            return wrong_of("gateway", name, gateway_ids.keys().cloned());
        };
        down.insert(*id);
    }
    let mut usage: BTreeMap<&str, Usage> = BTreeMap::new();
    let payer = |name: &str| match name.parse() {
        Ok(aor) => Payer::Account(aor),
        Err(_) => Payer::Peer(name.to_owned()),
    };
    for name in text.calls.keys().chain(text.balance.keys()) {
        let balance = match text.balance.get(name) {
            None => None,
            Some(text) => match Amount::parse(text.get_ref()) {
                None => return wrong("no amount of money; write it as 1.50", text),
                amount => amount,
            },
        };
        let calls = text.calls.get(name).copied().unwrap_or_default();
        usage.insert(name, Usage { payer: payer(name), calls, balance });
    }
    let purpose = match &text.purpose {
        None => Purpose::Call,
        Some(name) if name.get_ref() == WATCH => Purpose::WatchMailbox,
        Some(name) if name.get_ref() == CHANGED => Purpose::MailboxChanged,
        Some(name) if name.get_ref() == OTHER => Purpose::Other,
        Some(name) => return wrong_of("purpose", name, [WATCH, CHANGED, OTHER].map(str::to_owned)),
    };
    let call = Call {
        purpose,
        from: text.from.into_inner(),
        to: text.call,
        from_header: text.from_header,
        source: text.source.unwrap_or(IpAddr::from([192, 0, 2, 9])),
        source_port: text.source_port,
        now: text.now.as_ref().map_or(Ok(NOON), time)?,
        seed: text.seed,
        wants_privacy: text.private,
        down,
        usage: usage.into_values().collect(),
    };
    let (name, rules, expect, says) = (text.name, text.rules, text.expect, text.says);
    Ok(Case { name, rules, call, expect, says })
}

/// Who calls is there: an account, `unproved` and an account, `trunk` and its address, or any SIP URI.
fn caller(from: &Text, world: &World) -> Read<()> {
    let text = from.get_ref();
    if let Some(key) = text.strip_prefix("trunk ") {
        let known = world.peers.iter().any(|peer| peer.ip == key.trim());
        let trunks = world.peers.iter().map(|peer| format!("trunk {}", peer.ip));
        return if known { Ok(()) } else { wrong_of("caller", from, trunks) };
    }
    let name = text.strip_prefix("unproved ").unwrap_or(text).trim();
    if name.len() == text.len() && name.contains(':') {
        return Ok(());
    }
    match name.parse::<Aor>() {
        Ok(aor) if world.accounts.contains_key(&aor) => Ok(()),
        _ => wrong_of("caller", from, world.accounts.keys().map(ToString::to_string)),
    }
}
