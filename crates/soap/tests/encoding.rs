//! The encoding rules of the contract, one test per rule (R1-R14), faults (D1), and captured replies.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads its vectors and may stop where it finds something missing"
)]

use std::path::PathBuf;

use ngn_soap::types::*;
use ngn_soap::xml::{Document, Element};
use ngn_soap::{
    Fault, Limits, Operation, Style, customer, decode_reply, dns, encode_fault, encode_reply,
    enum_, network, rating, sip, voicemail,
};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";

fn reply<O: Operation>(response: &O::Response, style: Style) -> String {
    String::from_utf8(encode_reply::<O>(response, style)).unwrap()
}

/// What stands between `<return …>` and `</return>`, tags included.
fn returned<O: Operation>(response: &O::Response, style: Style) -> String {
    let reply = reply::<O>(response, style);
    let start = reply.find("<return").unwrap();
    let end = reply.find(&format!("</ns1:{}Response>", O::NAME)).unwrap();
    reply[start..end].to_owned()
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn r1_r4_lists_are_typed_first_and_counted_second() {
    let groups = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(
        returned::<sip::GetGroups>(&groups, Style::Encoded),
        "<return xsi:type=\"SOAP-ENC:Array\" SOAP-ENC:arrayType=\"xsd:string[2]\">\
         <item xsi:type=\"xsd:string\">a</item><item xsi:type=\"xsd:string\">b</item></return>"
    );
    let one = vec![CustomerProperty { name: text("n"), ..CustomerProperty::default() }];
    assert_eq!(
        returned::<customer::GetProperties>(&one, Style::Encoded),
        "<return xsi:type=\"SOAP-ENC:Array\" SOAP-ENC:arrayType=\"ngnpro:CustomerProperty[1]\">\
         <item xsi:type=\"ngnpro:CustomerProperty\"><name xsi:type=\"xsd:string\">n</name>\
         <value xsi:nil=\"true\"/><category xsi:nil=\"true\"/><permission xsi:nil=\"true\"/></item></return>"
    );
}

#[test]
fn literal_lists_are_items_without_types() {
    let groups = vec!["a".to_owned()];
    assert_eq!(
        returned::<sip::GetGroups>(&groups, Style::Literal),
        "<return><item>a</item></return>"
    );
    assert_eq!(returned::<sip::GetGroups>(&vec![], Style::Literal), "<return></return>");
}

#[test]
fn r3_an_empty_or_absent_list_is_a_typed_list() {
    let empty = "xsi:type=\"SOAP-ENC:Array\" SOAP-ENC:arrayType=\"ngnpro:SipDomain[0]\"></domains>";
    for domains in [None, Some(vec![])] {
        let shown =
            returned::<sip::GetDomains>(&SipDomains { domains, total: Some(0) }, Style::Encoded);
        assert!(shown.contains(empty), "{shown}");
    }
    let literal = returned::<sip::GetDomains>(&SipDomains::default(), Style::Literal);
    assert_eq!(literal, "<return><domains></domains><total xsi:nil=\"true\"/></return>");
}

#[test]
fn r5_r6_r13_r14_a_struct_carries_all_its_members() {
    let peer = TrustedPeer {
        ip: text("192.0.2.1"),
        protocol: Some(TrustedPeerProtocol::Tls),
        call_limit: Some(5),
        transit: Some(true),
        customer: Some(1003),
        reseller: Some(5_000_000_000),
        ..TrustedPeer::default()
    };
    let nil = |name: &str| format!("<{name} xsi:nil=\"true\"/>");
    let expected = [
        "<return xsi:type=\"ngnpro:TrustedPeer\"><ip xsi:type=\"xsd:string\">192.0.2.1</ip>"
            .to_owned(),
        "<protocol>tls</protocol>".to_owned(),
        nil("tag"),
        nil("description"),
        "<callLimit xsi:type=\"xsd:int\">5</callLimit>".to_owned(),
        "<msteams xsi:type=\"xsd:boolean\">false</msteams>".to_owned(),
        nil("tenant"),
        nil("authToken"),
        "<prepaid xsi:type=\"xsd:boolean\">false</prepaid>".to_owned(),
        nil("blocked"),
        "<enumLookup xsi:type=\"xsd:boolean\">false</enumLookup>".to_owned(),
        "<transit xsi:type=\"xsd:boolean\">true</transit>".to_owned(),
        nil("carrierName"),
        nil("originator"),
        nil("billingId"),
        nil("tags"),
        nil("strip"),
        nil("prefix"),
        nil("owner"),
        "<customer xsi:type=\"xsd:int\">1003</customer>".to_owned(),
        "<reseller xsi:type=\"xsd:integer\">5000000000</reseller>".to_owned(),
        nil("changeDate"),
        "</return>".to_owned(),
    ];
    assert_eq!(returned::<sip::AddTrustedPeer>(&peer, Style::Encoded), expected.concat());
}

#[test]
fn r6_diversions_with_nothing_set_still_have_members() {
    for style in [Style::Encoded, Style::Literal] {
        let shown = returned::<sip::GetCallDiversions>(&CallDiversions::default(), style);
        assert_eq!(shown.matches("xsi:nil=\"true\"").count(), 10, "{shown}");
    }
}

#[test]
fn r7_scalars_have_the_four_types_that_clients_convert() {
    let change = BalanceChange { old_balance: Some(0.0), new_balance: Some(12.5) };
    assert_eq!(
        returned::<sip::AddBalance>(&change, Style::Encoded),
        "<return xsi:type=\"ngnpro:BalanceChange\"><old_balance xsi:type=\"xsd:double\">0</old_balance>\
         <new_balance xsi:type=\"xsd:double\">12.5</new_balance></return>"
    );
    assert_eq!(
        returned::<network::GetStatus>(&"{}".to_owned(), Style::Encoded),
        "<return xsi:type=\"xsd:string\">{}</return>"
    );
}

#[test]
fn r8_the_response_has_one_child_and_a_void_one_none() {
    let reply = String::from_utf8(encode_reply::<sip::AddRoutes>(&(), Style::Encoded)).unwrap();
    assert!(
        reply.contains(
            "<SOAP-ENV:Body><ns1:addRoutesResponse xmlns:ns1=\"urn:AGProjects:NGNPro:Sip\"></ns1:addRoutesResponse></SOAP-ENV:Body>"
        ),
        "{reply}"
    );
    let bytes = encode_reply::<dns::GetZone>(&DnsZone::default(), Style::Literal);
    let document = Document::parse(&bytes, None, &Limits::default()).unwrap();
    let body = document.root().unwrap().children().next().unwrap();
    assert!(body.is(ENVELOPE, "Body"), "R11: no header");
    let response = body.children().next().unwrap();
    assert!(response.is("urn:AGProjects:NGNPro:Dns", "getZoneResponse"));
    assert_eq!(response.children().map(Element::local).collect::<Vec<_>>(), ["return"]);
}

/// What `execute()` of the screens calls never answers with a list (contract R9).
#[test]
fn r9_operations_that_change_something_return_no_list() {
    for port in ngn_soap::Port::ALL {
        for row in port.operations() {
            let lists = matches!(row.result, Some(ngn_soap::schema::Kind::Array(_)));
            let reads = row.name.starts_with("get");
            assert!(reads || !lists, "{}", row.name);
            let void =
                ["update", "delete", "set", "remove"].iter().any(|p| row.name.starts_with(p));
            assert!(!void || row.result.is_none(), "{}", row.name);
        }
    }
}

#[test]
fn r2_r10_no_offset_and_no_references_anywhere() {
    let account = SipAccount {
        acl: Some(vec![SubscriberACL::default(), SubscriberACL::default()]),
        ..SipAccount::default()
    };
    let accounts = SipAccounts { accounts: Some(vec![account.clone(), account]), total: Some(2) };
    for style in [Style::Encoded, Style::Literal] {
        let bytes = encode_reply::<sip::GetAccounts>(&accounts, style);
        let document = Document::parse(&bytes, None, &Limits::default()).unwrap();
        let root = document.root().unwrap();
        assert_eq!(root.attribute(ENVELOPE, "encodingStyle").is_some(), style == Style::Encoded);
        for element in root.descendants() {
            assert_eq!(element.attribute(ENCODING, "offset"), None);
            assert_eq!(element.attribute("", "href"), None);
            if style == Style::Literal {
                assert_eq!(element.xsi_type(), None);
                assert_eq!(element.attribute(ENCODING, "arrayType"), None);
            }
        }
    }
}

/// Member names that PEAR's reader would take for parts of the envelope (contract R10).
#[test]
fn r10_no_member_is_called_like_a_part_of_the_envelope() {
    fn check(kind: ngn_soap::schema::Kind) {
        match kind {
            ngn_soap::schema::Kind::Struct(row) => {
                for member in row.members {
                    assert!(!["Envelope", "Header", "Body", "Fault"].contains(&member.name));
                    check(member.kind);
                }
            }
            ngn_soap::schema::Kind::Array(item) => check(*item),
            _ => {}
        }
    }
    for row in ngn_soap::Port::ALL.iter().flat_map(|port| port.operations()) {
        row.result.into_iter().for_each(check);
    }
}

#[test]
fn r12_markup_is_escaped_and_what_xml_cannot_carry_is_replaced() {
    let diversions = CallDiversions {
        fbus: text("<voice-mailbox>"),
        func: text("a & b ]]> \"'\r\n\t"),
        fnol: text("x\u{0}y\u{1f}\u{ffff}"),
        ..CallDiversions::default()
    };
    let shown = returned::<sip::GetCallDiversions>(&diversions, Style::Literal);
    assert!(shown.contains("<FBUS>&lt;voice-mailbox&gt;</FBUS>"), "{shown}");
    assert!(shown.contains("<FUNC>a &amp; b ]]&gt; \"'&#13;\n\t</FUNC>"), "{shown}");
    assert!(shown.contains("<FNOL>x\u{FFFD}y\u{FFFD}\u{FFFD}</FNOL>"), "{shown}");
}

#[test]
fn d1_an_encoded_fault() {
    let fault = Fault::client(1011, "SIP account already exists: a@example.com <&>");
    assert_eq!(
        String::from_utf8(encode_fault(&fault, Style::Encoded)).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:ngnpro=\"urn:AGProjects:NGNPro\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:SOAP-ENC=\"http://schemas.xmlsoap.org/soap/encoding/\" \
         SOAP-ENV:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">\
         <SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode>\
         <faultstring>SIP account already exists: a@example.com &lt;&amp;&gt;</faultstring>\
         <detail><ngnpro:exception><errorcode xsi:type=\"xsd:int\">1011</errorcode>\
         <errorstring xsi:type=\"xsd:string\">SIP account already exists: a@example.com &lt;&amp;&gt;</errorstring>\
         </ngnpro:exception></detail></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    );
}

#[test]
fn d1_a_literal_fault() {
    let fault = Fault::server(9003, "the database does not answer; try again later");
    assert_eq!(
        String::from_utf8(encode_fault(&fault, Style::Literal)).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:ngnpro=\"urn:AGProjects:NGNPro\">\
         <SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode>\
         <faultstring>the database does not answer; try again later</faultstring>\
         <detail><ngnpro:exception><errorcode>9003</errorcode>\
         <errorstring>the database does not answer; try again later</errorstring>\
         </ngnpro:exception></detail></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    );
}

#[test]
fn a_fault_comes_back_as_the_error_of_a_reply() {
    let fault = Fault::client(3002, "no ENUM number 31 in e164.arpa");
    for style in [Style::Encoded, Style::Literal] {
        let bytes = encode_fault(&fault, style);
        let read = decode_reply::<enum_::GetNumber>(&bytes, &Limits::default());
        assert_eq!(read.unwrap_err(), fault);
    }
}

#[test]
fn a_fault_of_another_server_is_read_as_far_as_it_goes() {
    let body = format!(
        "<e:Envelope xmlns:e='{ENVELOPE}'><e:Body><e:Fault><faultcode>e:Server</faultcode>\
         <faultstring>oops</faultstring></e:Fault></e:Body></e:Envelope>"
    );
    let read = decode_reply::<sip::GetAccount>(body.as_bytes(), &Limits::default());
    assert_eq!(read.unwrap_err(), Fault::server(0, "oops"));
}

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/soap")
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(vectors().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Reads a reply that the known client accepted, writes it anew, and compares: whatever the captured one
/// says about members of ours, ours says too, in the same form.
fn compare<O: Operation>() -> usize {
    let name = file::<O>();
    let captured = vector(&name);
    let limits = Limits::default();
    let response = decode_reply::<O>(&captured, &limits).unwrap_or_else(|e| panic!("{name}: {e}"));
    let ours = encode_reply::<O>(&response, Style::Encoded);
    let captured = Document::parse(&captured, None, &limits).unwrap();
    let ours = Document::parse(&ours, None, &limits).unwrap();
    let wrapper = |document| -> Element<'_> {
        let document: &Document = document;
        document.root().unwrap().children().next().unwrap().children().next().unwrap()
    };
    let (captured, ours) = (wrapper(&captured), wrapper(&ours));
    assert_eq!(
        (captured.namespace(), captured.local()),
        (ours.namespace(), ours.local()),
        "{name}"
    );
    covers(&name, captured, ours)
}

/// Checks that `ours` says what `theirs` says; returns how many values were compared.
fn covers(path: &str, theirs: Element<'_>, ours: Element<'_>) -> usize {
    let path = format!("{path}/{}", ours.local());
    let array = |element: Element<'_>| element.attribute(ENCODING, "arrayType").is_some();
    assert_eq!(array(theirs), array(ours), "{path}: list or not");
    assert_eq!(ours.attribute(XSI, "nil"), None, "{path}: they have a value");
    if array(theirs) {
        let count = |element: Element<'_>| {
            let array_type = element.attribute(ENCODING, "arrayType").unwrap();
            array_type.rsplit_once('[').unwrap().1.to_owned()
        };
        assert_eq!(count(theirs), count(ours), "{path}");
        assert_eq!(theirs.xsi_type(), ours.xsi_type(), "{path}");
        let pairs = theirs.children().zip(ours.children());
        return 1 + pairs.map(|(theirs, ours)| covers(&path, theirs, ours)).sum::<usize>();
    }
    if !theirs.has_children() {
        let number = |element: Element<'_>| element.text().parse::<f64>().ok();
        let flag = |element: Element<'_>| match element.text() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        };
        let same = theirs.text().trim() == ours.text().trim()
            || (number(theirs).is_some() && number(theirs) == number(ours))
            || (flag(theirs).is_some() && flag(theirs) == flag(ours));
        assert!(same, "{path}: {} and {}", theirs.text(), ours.text());
        return 1;
    }
    let mut count = 0;
    for theirs in theirs.children() {
        if let Some(ours) = ours.children().find(|ours| ours.local() == theirs.local()) {
            count += covers(&path, theirs, ours);
        } else {
            // The stub behind the captures sent members that the contract does not have.
            let known = ["lastChange", "total", "sipId"].contains(&theirs.local());
            assert!(known, "{path}: no member {}", theirs.local());
        }
    }
    count
}

macro_rules! for_operations {
    ($function:ident: $($operation:ty)*) => {
        [$((file::<$operation>(), $function::<$operation>()),)*]
    };
}

fn file<O: Operation>() -> String {
    format!("{}.{}.response.xml", O::PORT.name(), O::NAME)
}

fn void<O: Operation<Response = ()>>() -> usize {
    let name = file::<O>();
    assert_eq!(decode_reply::<O>(&vector(&name), &Limits::default()), Ok(()), "{name}");
    1
}

/// Captures of replies that the contract words differently: the stub answered what adds something with an
/// id, a key or nothing, where the contract has the record itself.
const OTHER_SHAPES: &str = "Customer.addAccount Dns.addFancyRecord Dns.addRecord Dns.addZone Enum.addNumber \
    Enum.addRange Sip.addAccount Sip.addAlias Sip.addBalance Sip.addCarrier Sip.addDomain Sip.addGateway \
    Sip.addGatewayRule Sip.addTrustedPeer Voicemail.addAccount";

#[test]
fn captured_replies_are_written_in_the_same_form() {
    let compared = for_operations! { compare:
        customer::GetCustomers customer::GetProperties customer::GetResellers dns::GetRecords
        enum_::GetNumber enum_::GetNumbers network::GetStatistics rating::GetEntityProfiles
        sip::GetAcceptRules sip::GetAccount sip::GetAccounts sip::GetAliases sip::GetCallDiversions
        sip::GetCallStatistics sip::GetCalls sip::GetCreditHistory sip::GetDomains
        sip::GetGatewayRules sip::GetGroups sip::GetMediaSummary sip::GetPhonebookEntries
        sip::GetPrepaidStatus sip::GetRejectMembers sip::GetRoutes sip::GetSipDeviceLocations
        sip::GetSipTrace sip::GetTrustedPeers voicemail::GetAccount
    };
    assert!(compared.iter().all(|(_, count)| *count > 0), "{compared:?}");
    assert!(compared.iter().map(|(_, count)| count).sum::<usize>() > 300, "{compared:?}");

    let void = for_operations! { void:
        customer::SetProperties enum_::UpdateNumber rating::SetEntityProfiles
        sip::AddPhonebookEntry sip::AddRoutes sip::AddToGroup sip::DeleteDomain sip::DeleteRoutes
        sip::SetAcceptRules sip::SetBarringPrefixes sip::SetCallDiversions sip::SetRejectMembers
        sip::UpdateAccount voicemail::SetAnnouncement
    };

    let mut read: Vec<String> = compared.into_iter().chain(void).map(|(name, _)| name).collect();
    read.extend(OTHER_SHAPES.split_whitespace().map(|name| format!("{name}.response.xml")));
    read.sort();
    let mut captured: Vec<String> = std::fs::read_dir(vectors())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".response.xml"))
        .collect();
    captured.sort();
    assert_eq!(read, captured, "every capture is accounted for");
}

#[test]
fn captured_faults_are_read() {
    let limits = Limits::default();
    let customer = decode_reply::<customer::AddAccount>(
        &vector("Customer.addAccount.response.fault-5001.xml"),
        &limits,
    );
    assert_eq!(customer.unwrap_err(), Fault::server(5001, "Duplicate username"));
    let number = decode_reply::<enum_::GetNumber>(
        &vector("Enum.getNumber.response.fault-3002.xml"),
        &limits,
    );
    assert_eq!(number.unwrap_err(), Fault::server(3002, "ENUM number not found"));
    let account =
        decode_reply::<sip::GetAccount>(&vector("Sip.getAccount.response.fault-1010.xml"), &limits);
    assert_eq!(account.unwrap_err().code, 1010);
}

/// Literal replies as a program reads them that knows nothing of this crate.
mod independent {
    use yaserde::YaDeserialize;

    #[derive(Debug, Default, PartialEq, YaDeserialize)]
    #[yaserde(
        prefix = "e",
        rename = "Envelope",
        namespaces = { "e" = "http://schemas.xmlsoap.org/soap/envelope/", "s" = "urn:AGProjects:NGNPro:Sip" }
    )]
    pub(crate) struct Envelope {
        #[yaserde(prefix = "e", rename = "Body")]
        pub(crate) body: Body,
    }

    #[derive(Debug, Default, PartialEq, YaDeserialize)]
    #[yaserde(
        prefix = "e",
        namespaces = { "e" = "http://schemas.xmlsoap.org/soap/envelope/", "s" = "urn:AGProjects:NGNPro:Sip" }
    )]
    pub(crate) struct Body {
        #[yaserde(prefix = "s", rename = "getAliasesResponse")]
        pub(crate) response: Response,
    }

    #[derive(Debug, Default, PartialEq, YaDeserialize)]
    #[yaserde(prefix = "s", namespaces = { "s" = "urn:AGProjects:NGNPro:Sip" })]
    pub(crate) struct Response {
        #[yaserde(rename = "return")]
        pub(crate) result: Aliases,
    }

    #[derive(Debug, Default, PartialEq, YaDeserialize)]
    pub(crate) struct Aliases {
        pub(crate) aliases: Items,
        pub(crate) total: i32,
    }

    #[derive(Debug, Default, PartialEq, YaDeserialize)]
    pub(crate) struct Items {
        pub(crate) item: Vec<Alias>,
    }

    #[derive(Debug, Default, PartialEq, YaDeserialize)]
    pub(crate) struct Alias {
        pub(crate) id: SipId,
        pub(crate) target: SipId,
        pub(crate) owner: i64,
        #[yaserde(rename = "changeDate")]
        pub(crate) change_date: String,
    }

    #[derive(Debug, Default, PartialEq, YaDeserialize)]
    pub(crate) struct SipId {
        pub(crate) username: String,
        pub(crate) domain: String,
    }
}

#[test]
fn an_independent_reader_understands_literal_replies() {
    let id = |username: &str| SipId { username: text(username), domain: text("example.com") };
    let alias = |name: &str| SipAlias {
        id: Some(id(name)),
        target: Some(id("alice & <bob>")),
        owner: Some(7),
        change_date: text("2026-11-20 20:10:35"),
        ..SipAlias::default()
    };
    let aliases = SipAliases { aliases: Some(vec![alias("a1"), alias("a2")]), total: Some(12) };
    let reply = reply::<sip::GetAliases>(&aliases, Style::Literal);
    let read: independent::Envelope = yaserde::de::from_str(&reply).unwrap();

    let id = |username: &str| independent::SipId {
        username: username.to_owned(),
        domain: "example.com".to_owned(),
    };
    let alias = |name: &str| independent::Alias {
        id: id(name),
        target: id("alice & <bob>"),
        owner: 7,
        change_date: "2026-11-20 20:10:35".to_owned(),
    };
    let result = independent::Aliases {
        aliases: independent::Items { item: vec![alias("a1"), alias("a2")] },
        total: 12,
    };
    assert_eq!(read.body.response.result, result);
}
