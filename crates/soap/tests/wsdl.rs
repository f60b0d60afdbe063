//! The published WSDL: generated, committed, and equal to what the API is known to be.

#![allow(clippy::expect_used, reason = "a test may stop where it finds something missing")]

use std::fmt::Write as _;
use std::path::PathBuf;

use ngn_soap::wsdl::{Variant, document};
use ngn_soap::xml::{Document, Element};
use ngn_soap::{Limits, Port};

/// As published; the server puts in the address by which the client came.
const LOCATION: &str = "https://ngnpro.example.com/ngnpro/";

const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
const SOAP: &str = "http://schemas.xmlsoap.org/wsdl/soap/";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";
const TYPES: &str = "urn:AGProjects:NGNPro";

#[allow(clippy::disallowed_methods, reason = "tests read and rewrite the published files")]
fn differs(file: &str, generated: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wsdl").join(file);
    if std::env::var("UPDATE_WSDL").is_ok_and(|value| value == "1")
        && let Err(error) = std::fs::write(&path, generated)
    {
        return Some(format!("{file}: {error}"));
    }
    let published = std::fs::read(&path).unwrap_or_default();
    (published != generated.as_bytes()).then(|| {
        format!(
            "wsdl/{file} differs from the table; if that is meant, run this test with UPDATE_WSDL=1"
        )
    })
}

#[test]
fn the_published_files_are_current() {
    assert_eq!(differs("ngnpro.wsdl", &document(Variant::Encoded, None, LOCATION)), None);
    assert_eq!(differs("ngnpro-literal.wsdl", &document(Variant::Literal, None, LOCATION)), None);
    assert_eq!(differs("reference.json", &ngn_soap::reference::json()), None);
}

/// What the proxies of known clients were generated from (contract B1-B7, E2, E3), typed by hand:
/// operation, parameters with their types, result. `s` string, `i` integer, `n` int, `d` double, `b64` base64.
const OPERATIONS: &str = "
Sip addGateway(gateway Gateway) Gateway
Sip updateGateway(gateway Gateway)
Sip deleteGateway(id i)
Sip getGateways(query GatewayQuery) Gateways
Sip addGatewayRule(rule GatewayRule) GatewayRule
Sip updateGatewayRule(rule GatewayRule)
Sip deleteGatewayRule(id i)
Sip getGatewayRules(query GatewayRuleQuery) GatewayRules
Sip addCarrier(carrier Carrier) Carrier
Sip updateCarrier(carrier Carrier)
Sip deleteCarrier(id i)
Sip getCarriers(query CarrierQuery) Carriers
Sip addRoutes(routes RouteArray)
Sip updateRoutes(routes RouteArray)
Sip deleteRoutes(routes RouteArray)
Sip getRoutes(query RouteQuery) Routes
Sip addDomain(domain SipDomain) SipDomain
Sip updateDomain(domain SipDomain)
Sip deleteDomain(domain s)
Sip getDomains(query SipDomainQuery) SipDomains
Sip addTrustedPeer(peer TrustedPeer) TrustedPeer
Sip deleteTrustedPeer(ip s)
Sip updateTrustedPeer(peer TrustedPeer)
Sip getTrustedPeers(query TrustedPeerQuery) TrustedPeers
Sip addAccount(account SipAccount) SipAccount
Sip updateAccount(account SipAccount)
Sip deleteAccount(sipId SipId)
Sip getAccount(sipId SipId) SipAccount
Sip getAccounts(query SipQuery) SipAccounts
Sip addAlias(alias SipAlias) SipAlias
Sip updateAlias(alias SipAlias)
Sip deleteAlias(id SipId)
Sip getAlias(id SipId) SipAlias
Sip getAliasesForAccount(target SipId) SipAliasArray
Sip getAliases(query AliasQuery) SipAliases
Sip addToGroup(sipId SipId, group s)
Sip removeFromGroup(sipId SipId, group s)
Sip getGroups(sipId SipId) StringArray
Sip addBalance(sipId SipId, value d, description s) BalanceChange
Sip addBalanceFromVoucher(sipId SipId, card PrepaidCard) BalanceChange
Sip getPrepaidStatus(sipIds SipIdArray) PrepaidStatusArray
Sip getCreditHistory(sipId SipId, count n) CreditHistory
Sip addPhonebookEntry(sipId SipId, entry PhonebookEntry)
Sip updatePhonebookEntry(sipId SipId, entry PhonebookEntry)
Sip deletePhonebookEntry(sipId SipId, uri s)
Sip getPhonebookEntries(sipId SipId, match PhonebookEntry, range Range) PhonebookEntries
Sip setRejectMembers(sipId SipId, members StringArray)
Sip getRejectMembers(sipId SipId) StringArray
Sip setAcceptRules(sipId SipId, rules AcceptRules)
Sip getAcceptRules(sipId SipId) AcceptRulesInfo
Sip setBarringPrefixes(sipId SipId, prefixes StringArray)
Sip getBarringPrefixes(sipId SipId) StringArray
Sip setCallDiversions(sipId SipId, diversions CallDiversions)
Sip getCallDiversions(sipId SipId) CallDiversions
Sip getCalls(sipId SipId, query CallsQuery) Calls
Sip getCallStatistics(sipId SipId, query CallsQuery) CallStatistics
Sip getSipDeviceLocations(sipIds SipIdArray) SipDeviceLocationsArray
Sip getSipTrace(filter SipTraceFilter) s
Sip getMediaTrace(filter MediaTraceFilter) s
Sip getMediaSummary() s
Sip getMediaSessions() s
Voicemail addAccount(account VoicemailAccount) VoicemailAccount
Voicemail updateAccount(account VoicemailAccount)
Voicemail deleteAccount(sipId SipId)
Voicemail getAccount(sipId SipId) VoicemailAccount
Voicemail setAnnouncement(sipId SipId, message b64)
Enum addRange(range EnumRange) EnumRange
Enum updateRange(range EnumRange)
Enum deleteRange(range EnumRangeId)
Enum getRanges(query EnumRangeQuery) EnumRanges
Enum addNumber(number EnumNumber) EnumNumber
Enum updateNumber(number EnumNumber)
Enum deleteNumber(enumId EnumId)
Enum getNumber(enumId EnumId) EnumNumber
Enum getNumbers(query EnumNumberQuery) EnumNumbers
Dns addZone(zone DnsZone) DnsZone
Dns updateZone(zone DnsZone)
Dns deleteZone(zone s)
Dns getZone(zone s) DnsZone
Dns getZones(query DnsZoneQuery) DnsZones
Dns addRecord(record DnsRecord) DnsRecord
Dns addFancyRecord(record DnsFancyRecord) DnsFancyRecord
Dns updateRecord(record DnsRecord)
Dns updateFancyRecord(record DnsFancyRecord)
Dns deleteRecord(recordId i)
Dns deleteFancyRecord(recordId i)
Dns getRecord(recordId i) DnsRecord
Dns getFancyRecord(recordId i) DnsFancyRecord
Dns getRecords(query DnsRecordQuery) DnsRecords
Dns getFancyRecords(query DnsFancyRecordQuery) DnsFancyRecords
Rating setEntityProfiles(profiles RatingEntityProfiles)
Rating deleteEntityProfiles(entity s)
Rating getEntityProfiles(entity s) RatingEntityProfiles
Customer addAccount(account CustomerAccount) CustomerAccount
Customer updateAccount(account CustomerAccount)
Customer deleteAccount(id i)
Customer getAccount(id i) CustomerAccount
Customer getCustomers(query CustomerQuery) CustomerAccounts
Customer getResellers(query CustomerQuery) CustomerAccounts
Customer setProperties(customer i, properties CustomerPropertyArray)
Customer getProperties(customer i) CustomerPropertyArray
Network getStatistics() s
Network getStatus() s
";

/// The complex types (contract C1-C7), typed by hand: members in order, `*` for a key. `q` stands for
/// nonNegativeInteger, `u` unsignedInt, `h` unsignedShort, `b` boolean.
const COMPLEX_TYPES: &str = "
Auth username s, password s, admin b, impersonate i
NGNProException errorcode* n, errorstring* s
Range start n, count n
SipId username* s, domain* s
Property name s, value s
SipDomain domain* s, customer i, reseller i, certificate s, private_key s, match_ip_address s, match_sip_domain s, verify_cert b, require_cert b, changeDate s
SipAccount id* SipId, password s, firstName s, lastName s, email s, acl SubscriberACLArray, groups StringArray, properties PropertyArray, timezone s, rpid s, quota n, quickdialPrefix s, callLimit n, prepaid b, region s, timeout q, owner i, customer i, reseller i, changeDate s, createDate s, ha1 s
SubscriberACL ip s, mask n, tag s
SipAlias id* SipId, target* SipId, owner i, customer i, reseller i, changeDate s
CallDiversions FUNC s, FNOL s, FUNV s, FNOA s, FBUS s, RUNC s, RNOL s, RUNV s, RNOA s, RBUS s
PhonebookEntry uri s, name s, group s, firstName s, lastName s
AcceptRules persistent AcceptRulePersistentArray, temporary AcceptRuleTemporary
AcceptRulePersistent days n, start s, stop s, groups StringArray
AcceptRuleTemporary groups StringArray, duration n
AcceptRulesInfo rules AcceptRules, nonEmptyGroups StringArray
CallsQuery placed CallQuery, received CallQuery, missed CallQuery
CallQuery fromDate n, toDate n, limit n
Calls placed CallArray, received CallArray, missed CallArray
Call applicationTypes StringArray, fromURI s, toURI s, fromHeader s, sessionId s, fromTag s, toTag s, startTime n, stopTime n, duration n, status n, price d, rate s, proxyIP s
CallStatistics placed CallStatisticsEntry, received CallStatisticsEntry
CallStatisticsEntry calls n, price d, duration n
SipDeviceLocations id SipId, locations SipDeviceLocationArray
SipDeviceLocation address s, port n, publicAddress s, publicPort n, expires n, userAgent s, transport s
PrepaidStatus balance d, callInProgress b, maxSessionTime n, sessionTime n, lastCallPrice d, destination s, id SipId
BalanceChange old_balance d, new_balance d
CreditHistory entries CreditHistoryEntryArray
CreditHistoryEntry date s, action s, description s, value d, balance d
PrepaidCard id n, number s
SipTraceFilter nodeIp s, callId s, fromTag s, toTag s
MediaTraceFilter nodeIp s, callId s, fromTag s, toTag s
TrustedPeer ip* s, protocol TrustedPeerProtocol, tag s, description s, callLimit n, msteams b, tenant s, authToken s, prepaid b, blocked n, enumLookup b, transit b, carrierName s, originator s, billingId s, tags s, strip n, prefix s, owner i, customer i, reseller i, changeDate s
Carrier id i, name s, reseller i, changeDate s
Gateway id i, name s, carrier_id i, carrier s, transport s, ip s, port n, reseller i, changeDate s
GatewayRule id i, gateway_id i, gateway s, carrier_id i, carrier s, prefix s, strip n, prepend s, minLength n, maxLength n, reseller i, changeDate s
Route id i, carrier_id i, carrier s, prefix s, originator s, priority n, reseller i, changeDate s
VoicemailAccount sipId* SipId, mailbox s, password s, name s, email s, info s, options VoicemailOptions, owner i, customer i, reseller i, changeDate s
VoicemailOptions delete b
EnumRangeId prefix* s, tld* s
EnumId number* s, tld* s
EnumRange id* EnumRangeId, ttl q, minDigits n, maxDigits n, size n, nameservers StringArray, used n, serial n, customer i, reseller i, changeDate s, info s
EnumNumber id* EnumId, mappings EnumMappingArray, info s, owner i, customer i, reseller i, changeDate s
EnumMapping id n, type s, mapto s, priority n, ttl n
DnsZone name* s, ttl q, nameservers StringArray, email s, serial n, refresh n, retry n, expire n, minimum n, customer i, reseller i, changeDate s, info s
DnsRecord id i, zone s, name s, type DnsRecordType, ttl u, value s, priority h, owner i, customer i, reseller i, changeDate s
DnsFancyRecord id i, zone s, name s, type DnsFancyRecordType, value s, owner i, customer i, reseller i, changeDate s
CustomerAccount id i, reseller i, impersonate i, username s, password s, firstName s, lastName s, organization s, vatNumber s, email s, web s, tel s, fax s, mobile s, sip s, enum s, address s, postcode s, city s, state s, country s, timezone s, language s, bankAccount s, billingAddress s, billingEmail s, balance d, credit d, companyCode s, resellerActive b, changeDate s, properties CustomerPropertyArray
CustomerProperty name s, value s, category s, permission s
RatingEntityProfiles entity* s, profileWeekday s, profileWeekdayAlt s, profileWeekend s, profileWeekendAlt s, timezone s, increment n, min_duration n, reseller i
SipDomains domains SipDomainArray, total n
SipAccounts accounts SipAccountArray, total n
SipAliases aliases SipAliasArray, total n
TrustedPeers peers TrustedPeerArray, total n
Carriers carriers CarrierArray, total n
Gateways gateways GatewayArray, total n
GatewayRules gateway_rules GatewayRuleArray, total n
Routes routes RouteArray, total n
EnumRanges ranges EnumRangeArray, total n
EnumNumbers numbers EnumNumberArray, total n
DnsZones zones DnsZoneArray, total n
DnsRecords records DnsRecordArray, total n
DnsFancyRecords records DnsFancyRecordArray, total n
CustomerAccounts accounts CustomerAccountArray, total n
PhonebookEntries entries PhonebookEntryArray, total n
SipDomainFilter domain s, customer i, reseller i
SipFilter username s, domain s, firstName s, lastName s, email s, owner i, customer i, reseller i, groups StringArray
AliasFilter aliasUsername s, aliasDomain s, targetUsername s, targetDomain s, owner i, customer i, reseller i
TrustedPeerFilter ip s, description s, tenant s, tags s, billingId s, msteams b, blocked n, protocol s, tag s, owner i, customer i, reseller i
CarrierFilter id i, name s, reseller i
GatewayFilter id i, name s, carrier_id i, customer i, reseller i
GatewayRuleFilter id i, gateway_id i, carrier_id i, prefix s, customer i, reseller i
RouteFilter id i, prefix s, carrier_id i, reseller i, priority n, originator s
EnumRangeFilter prefix s, tld s, info s, customer i, reseller i
EnumNumberFilter number s, tld s, type s, mapto s, owner i, customer i, reseller i
DnsZoneFilter name s, info s, customer i, reseller i
DnsRecordFilter id i, zone s, name s, type s, value s, owner i, customer i, reseller i
DnsFancyRecordFilter id i, zone s, name s, type s, value s, owner i, customer i, reseller i
CustomerFilter username s, firstName s, lastName s, organization s, tel s, email s, web s, city s, country s, only_resellers s, customer i, reseller i
";

/// Every query has filter, order and page (contract C1).
const QUERIES: &str = "SipDomain Sip Alias TrustedPeer Carrier Gateway GatewayRule Route EnumRange EnumNumber DnsZone DnsRecord DnsFancyRecord Customer";

const ARRAYS: &str = "String s, Integer i, SipId SipId, Property Property, SubscriberACL SubscriberACL, SipAlias SipAlias, PhonebookEntry PhonebookEntry, AcceptRulePersistent AcceptRulePersistent, Call Call, SipDeviceLocation SipDeviceLocation, SipDeviceLocations SipDeviceLocations, PrepaidStatus PrepaidStatus, CreditHistoryEntry CreditHistoryEntry, Route Route, EnumMapping EnumMapping, CustomerProperty CustomerProperty, SipDomain SipDomain, SipAccount SipAccount, TrustedPeer TrustedPeer, Carrier Carrier, Gateway Gateway, GatewayRule GatewayRule, EnumRange EnumRange, EnumNumber EnumNumber, DnsZone DnsZone, DnsRecord DnsRecord, DnsFancyRecord DnsFancyRecord, CustomerAccount CustomerAccount";

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes(), None, &Limits::default()).expect("our WSDL is XML")
}

fn attribute<'d>(element: Element<'d>, name: &str) -> &'d str {
    element.attribute("", name).unwrap_or_default()
}

fn named<'d>(parent: Element<'d>, namespace: &str, local: &str, name: &str) -> Element<'d> {
    parent
        .children()
        .find(|e| e.is(namespace, local) && attribute(*e, "name") == name)
        .unwrap_or_else(|| panic!("no {local} {name}"))
}

fn only<'d>(parent: Element<'d>, namespace: &str, local: &str) -> Element<'d> {
    let mut found = parent.children().filter(|e| e.is(namespace, local));
    let first = found.next().unwrap_or_else(|| panic!("no {local} in {}", parent.local()));
    assert!(found.next().is_none(), "two {local} in {}", parent.local());
    first
}

/// A type's name as the tables above abbreviate it.
fn short(qname: &str) -> &str {
    match qname {
        "xsd:string" => "s",
        "xsd:integer" => "i",
        "xsd:int" => "n",
        "xsd:double" => "d",
        "xsd:boolean" => "b",
        "xsd:base64Binary" => "b64",
        "xsd:nonNegativeInteger" => "q",
        "xsd:unsignedInt" => "u",
        "xsd:unsignedShort" => "h",
        _ => qname.strip_prefix("tns:").unwrap_or(qname),
    }
}

/// The parts of a message: `name Type, name Type` for parts by type, the wrapper's content for document style.
fn parts(definitions: Element<'_>, message: &str) -> String {
    let name = message.strip_prefix("tns:").expect("messages are in the target namespace");
    let message = named(definitions, WSDL, "message", name);
    let shown: Vec<String> = message
        .children()
        .map(|part| match part.attribute("", "element") {
            None => format!("{} {}", attribute(part, "name"), short(attribute(part, "type"))),
            Some(element) => {
                assert_eq!(attribute(part, "name"), "parameters");
                let (prefix, local) = element.split_once(':').expect("a QName");
                let namespace = format!("{TYPES}:{}", capitalised(prefix));
                let schema = only(definitions, WSDL, "types")
                    .children()
                    .find(|s| attribute(*s, "targetNamespace") == namespace)
                    .expect("a schema per port");
                let wrapper = named(schema, XSD, "element", local);
                let sequence = only(only(wrapper, XSD, "complexType"), XSD, "sequence");
                let members: Vec<String> = sequence
                    .children()
                    .map(|e| format!("{} {}", attribute(e, "name"), short(attribute(e, "type"))))
                    .collect();
                members.join(", ")
            }
        })
        .collect();
    shown.join(", ")
}

fn capitalised(word: &str) -> String {
    let (head, tail) = word.split_at(1);
    head.to_uppercase() + tail
}

/// Reads a WSDL the way a proxy generator does: from service to port, binding, port type and messages.
fn projection(text: &str, variant: Variant) -> String {
    let document = parse(text);
    let definitions = document.root().expect("a root");
    assert!(definitions.is(WSDL, "definitions"));
    assert_eq!(attribute(definitions, "name"), "NGNPro");
    assert_eq!(attribute(definitions, "targetNamespace"), TYPES);
    let (style, r#use) = match variant {
        Variant::Encoded => ("rpc", "encoded"),
        Variant::Literal => ("document", "literal"),
    };
    let mut shown = String::from("\n");
    let service = only(definitions, WSDL, "service");
    assert_eq!(attribute(service, "name"), "NGNPro");
    for port in service.children() {
        let port_name = attribute(port, "name");
        let short_name = port_name.strip_suffix("Port").expect("ports end in Port");
        assert_eq!(attribute(only(port, SOAP, "address"), "location"), LOCATION);
        let binding = attribute(port, "binding").strip_prefix("tns:").expect("a binding of ours");
        let binding = named(definitions, WSDL, "binding", binding);
        assert_eq!(attribute(binding, "type"), format!("tns:{port_name}"));
        let soap = only(binding, SOAP, "binding");
        assert_eq!(attribute(soap, "style"), style);
        assert_eq!(attribute(soap, "transport"), "http://schemas.xmlsoap.org/soap/http");
        let port_type = named(definitions, WSDL, "portType", port_name);
        let bound: Vec<_> = binding.children().filter(|e| e.is(WSDL, "operation")).collect();
        let abstract_operations: Vec<_> = port_type.children().collect();
        assert_eq!(bound.len(), abstract_operations.len());
        for (bound, operation) in bound.into_iter().zip(abstract_operations) {
            let name = attribute(operation, "name");
            assert_eq!(attribute(bound, "name"), name);
            assert_eq!(only(bound, SOAP, "operation").attribute("", "soapAction"), Some(""));

            let header = only(only(bound, WSDL, "input"), SOAP, "header");
            assert_eq!(attribute(header, "message"), "tns:Header");
            assert_eq!(attribute(header, "part"), "auth");
            assert_eq!(attribute(header, "use"), "literal");
            for direction in ["input", "output"] {
                let body = only(only(bound, WSDL, direction), SOAP, "body");
                assert_eq!(attribute(body, "use"), r#use);
                let namespace = format!("{TYPES}:{short_name}");
                let (expected_namespace, encoding) = match variant {
                    Variant::Encoded => (
                        Some(namespace.as_str()),
                        Some("http://schemas.xmlsoap.org/soap/encoding/"),
                    ),
                    Variant::Literal => (None, None),
                };
                assert_eq!(body.attribute("", "namespace"), expected_namespace);
                assert_eq!(body.attribute("", "encodingStyle"), encoding);
            }
            let fault = only(operation, WSDL, "fault");
            assert_eq!(attribute(fault, "message"), "tns:NGNProException");
            let bound_fault = only(only(bound, WSDL, "fault"), SOAP, "fault");
            assert_eq!(attribute(bound_fault, "name"), attribute(fault, "name"));
            assert_eq!(attribute(bound_fault, "use"), "literal");

            let input = parts(definitions, attribute(only(operation, WSDL, "input"), "message"));
            let output = parts(definitions, attribute(only(operation, WSDL, "output"), "message"));
            let result = output.strip_prefix("return").unwrap_or(&output);
            writeln!(shown, "{short_name} {name}({input}){result}").expect("a String");
        }
    }
    for (message, part, element) in
        [("Header", "auth", "tns:auth"), ("NGNProException", "exception", "tns:exception")]
    {
        let found = only(named(definitions, WSDL, "message", message), WSDL, "part");
        assert_eq!((attribute(found, "name"), attribute(found, "element")), (part, element));
    }
    shown
}

#[test]
fn e2_proxies_made_from_the_encoded_wsdl_are_the_known_ones() {
    let text = document(Variant::Encoded, None, LOCATION);
    assert_eq!(projection(&text, Variant::Encoded), OPERATIONS);
}

#[test]
fn e2_the_literal_wsdl_describes_the_same_operations() {
    let text = document(Variant::Literal, None, LOCATION);
    assert_eq!(projection(&text, Variant::Literal), OPERATIONS);
}

#[test]
fn e3_a_port_by_itself_has_its_operations_and_all_types_they_need() {
    for variant in [Variant::Encoded, Variant::Literal] {
        for port in Port::ALL {
            let text = document(variant, Some(*port), LOCATION);
            let own: String = OPERATIONS
                .lines()
                .filter(|line| line.split(' ').next() == Some(port.name()))
                .fold(String::from("\n"), |all, line| all + line + "\n");
            assert_eq!(projection(&text, variant), own);

            let document = parse(&text);
            let definitions = document.root().expect("a root");
            let schema = only(definitions, WSDL, "types").children().next().expect("a schema");
            for reference in definitions.descendants().filter_map(|e| e.attribute("", "type")) {
                let Some(name) = reference.strip_prefix("tns:") else { continue };
                let defined = schema.children().any(|e| attribute(e, "name") == name);
                assert!(defined || name == format!("{}Port", port.name()), "{port:?}: {name}");
            }
        }
    }
}

/// The complex types of a schema in the tables' notation.
fn complex_types(text: &str) -> Vec<String> {
    let document = parse(text);
    let definitions = document.root().expect("a root");
    let schema = only(definitions, WSDL, "types").children().next().expect("a schema");
    assert_eq!(attribute(schema, "targetNamespace"), TYPES);
    assert_eq!(attribute(schema, "elementFormDefault"), "unqualified");
    schema
        .children()
        .filter(|e| e.is(XSD, "complexType"))
        .map(|complex| {
            let members: Vec<String> = only(complex, XSD, "sequence")
                .children()
                .map(|e| {
                    // Whatever may be left out may also be nil; keys are neither.
                    let optional = attribute(e, "minOccurs") == "0";
                    assert_eq!(attribute(e, "nillable") == "true", optional);
                    let many = match attribute(e, "maxOccurs") {
                        "" => "",
                        "unbounded" => "[]",
                        other => panic!("maxOccurs {other}"),
                    };
                    let key = if optional { "" } else { "*" };
                    let name = attribute(e, "name");
                    format!("{name}{key} {}{many}", short(attribute(e, "type")))
                })
                .collect();
            format!("{} {}", attribute(complex, "name"), members.join(", "))
        })
        .collect()
}

#[test]
fn c_every_type_is_declared_member_by_member() {
    let mut expected: Vec<String> = COMPLEX_TYPES.trim().lines().map(str::to_owned).collect();
    for name in QUERIES.split(' ') {
        expected
            .push(format!("{name}Query filter {name}Filter, orderBy {name}OrderBy, range Range"));
        expected.push(format!("{name}OrderBy attribute s, direction s"));
    }
    for array in ARRAYS.split(", ") {
        let (name, item) = array.split_once(' ').expect("two words");
        expected.push(format!("{name}Array item {item}[]"));
    }
    expected.sort();
    for variant in [Variant::Encoded, Variant::Literal] {
        let mut found = complex_types(&document(variant, None, LOCATION));
        found.sort();
        // R14: encoded replies have them as xsd:int, and gSOAP takes that for no unsigned type.
        let wire = |line: &String| match variant {
            Variant::Encoded => line.replace(" u,", " n,").replace(" h,", " n,"),
            Variant::Literal => line.clone(),
        };
        assert_eq!(found, expected.iter().map(wire).collect::<Vec<_>>());
    }
}

#[test]
fn e1_lists_need_no_foreign_schema() {
    for variant in [Variant::Encoded, Variant::Literal] {
        let text = document(variant, None, LOCATION);
        let document = parse(&text);
        for import in document.root().expect("a root").descendants().filter(|e| e.is(XSD, "import"))
        {
            assert_eq!(attribute(import, "namespace"), TYPES, "only our own types are imported");
        }
        assert!(!text.contains("arrayType") && !text.contains("SOAP-ENC"));
        assert!(!text.contains("documentation"), "PEAR's parser dies of it");
    }
}

#[test]
fn c_enumerations() {
    let text = document(Variant::Encoded, None, LOCATION);
    let document = parse(&text);
    let definitions = document.root().expect("a root");
    let schema = only(definitions, WSDL, "types").children().next().expect("a schema");
    for (name, values) in [
        ("DnsRecordType", "A AAAA CNAME MX NAPTR NS SRV TXT PTR LOC"),
        ("DnsFancyRecordType", "URL MBOXFW"),
        ("TrustedPeerProtocol", "any udp tcp tls"),
    ] {
        let restriction = only(named(schema, XSD, "simpleType", name), XSD, "restriction");
        assert_eq!(attribute(restriction, "base"), "xsd:string");
        let found: Vec<_> = restriction.children().map(|e| attribute(e, "value")).collect();
        assert_eq!(found.join(" "), values);
    }
}

#[test]
fn the_reference_is_json_and_names_what_the_wsdl_names() {
    let reference: serde_json::Value =
        serde_json::from_str(&ngn_soap::reference::json()).expect("it is JSON");
    let mut operations = String::from("\n");
    for port in reference["ports"].as_array().expect("a list") {
        for operation in port["operations"].as_array().expect("a list") {
            let parameters: Vec<String> = operation["parameters"]
                .as_array()
                .expect("a list")
                .iter()
                .filter(|parameter| parameter["legacy"] != true)
                .map(|p| format!("{} {}", p["name"].as_str().expect("text"), plain(&p["type"])))
                .collect();
            let result = match &operation["result"] {
                serde_json::Value::Null => String::new(),
                result => format!(" {}", plain(result)),
            };
            let (port, name) = (&port["name"], &operation["name"]);
            let parameters = parameters.join(", ");
            writeln!(operations, "{port} {name}({parameters}){result}").expect("a String");
        }
    }
    assert_eq!(operations.replace('"', ""), OPERATIONS);

    let mut names: Vec<_> = reference["types"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["name"].as_str().expect("text").to_owned())
        .collect();
    names.sort();
    let mut expected: Vec<_> = complex_types(&document(Variant::Encoded, None, LOCATION))
        .iter()
        .map(|row| row.split(' ').next().unwrap_or_default().to_owned())
        .chain(["DnsRecordType", "DnsFancyRecordType", "TrustedPeerProtocol"].map(str::to_owned))
        .collect();
    expected.sort();
    assert_eq!(names, expected);
}

fn plain(name: &serde_json::Value) -> String {
    let name = name.as_str().expect("text");
    short(&format!("xsd:{name}")).trim_start_matches("xsd:").to_owned()
}
