//! The decoding rules of the contract, one test per rule (W1-W13), and what else requests may hold.

#![allow(clippy::unwrap_used, reason = "a test may stop where it finds something missing")]

use ngn_soap::types::{
    AcceptRuleTemporary, CallDiversions, Route, SipAccount, SipFilter, SipId, TrustedPeer,
};
use ngn_soap::{
    Call, Limits, Rejected, Request, Side, Style, customer, decode, dns, enum_, rating, sip,
    voicemail,
};

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";

fn envelope(attributes: &str, header: &str, body: &str) -> String {
    format!(
        r#"<e:Envelope xmlns:e="{ENVELOPE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:enc="{ENCODING}" xmlns:t="urn:AGProjects:NGNPro"
 xmlns:s="urn:AGProjects:NGNPro:Sip" xmlns:v="urn:AGProjects:NGNPro:Voicemail"
 xmlns:n="urn:AGProjects:NGNPro:Enum" xmlns:d="urn:AGProjects:NGNPro:Dns"
 xmlns:c="urn:AGProjects:NGNPro:Customer" xmlns:r="urn:AGProjects:NGNPro:Rating" {attributes}>{header}<e:Body>{body}</e:Body></e:Envelope>"#
    )
}

fn run(text: &str) -> Result<Call, Rejected> {
    decode(text.as_bytes(), None, &Limits::default())
}

/// A request as PHP encodes it: `encodingStyle` on the Envelope.
fn encoded(body: &str) -> Request {
    try_encoded(body).unwrap()
}

fn try_encoded(body: &str) -> Result<Request, String> {
    let attributes = format!("e:encodingStyle=\"{ENCODING}\"");
    run(&envelope(&attributes, "", body))
        .inspect(|call| assert_eq!(call.style, Style::Encoded))
        .map(|call| call.request)
        .map_err(|rejected| rejected.fault.to_string())
}

/// A request without types and `encodingStyle`.
fn literal(body: &str) -> Request {
    try_literal(body).unwrap()
}

fn try_literal(body: &str) -> Result<Request, String> {
    run(&envelope("", "", body))
        .inspect(|call| assert_eq!(call.style, Style::Literal))
        .map(|call| call.request)
        .map_err(|rejected| rejected.fault.to_string())
}

fn account(request: Request) -> SipAccount {
    let Request::Sip(sip::Request::AddAccount(sip::AddAccount { account: Some(account) })) =
        request
    else {
        panic!("{request:?}");
    };
    account
}

fn encoded_account(members: &str) -> SipAccount {
    account(encoded(&format!("<s:addAccount><account>{members}</account></s:addAccount>")))
}

fn literal_account(members: &str) -> SipAccount {
    account(literal(&format!("<s:addAccount><account>{members}</account></s:addAccount>")))
}

fn peer(members: &str) -> TrustedPeer {
    let body = format!("<s:addTrustedPeer><peer>{members}</peer></s:addTrustedPeer>");
    let Request::Sip(sip::Request::AddTrustedPeer(sip::AddTrustedPeer { peer: Some(peer) })) =
        encoded(&body)
    else {
        panic!("{body}");
    };
    peer
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn id(username: &str, domain: &str) -> SipId {
    SipId { username: text(username), domain: text(domain) }
}

#[test]
fn w1_the_auth_header_is_found_qualified_or_not() {
    for (open, close) in [
        ("<auth e:actor=\"0\" e:mustUnderstand=\"0\">", "</auth>"),
        ("<t:auth e:mustUnderstand=\"1\">", "</t:auth>"),
        ("<auth xmlns=\"urn:AGProjects:NGNPro\">", "</auth>"),
    ] {
        let header = format!(
            "<e:Header><other/>{open}<impersonate>7</impersonate><admin>1</admin>\
             <password> p </password><username>u</username>{close}</e:Header>"
        );
        let auth = run(&envelope("", &header, "<s:getMediaSummary/>")).unwrap().auth.unwrap();
        assert_eq!(auth.username, text("u"));
        assert_eq!(auth.password, text(" p "), "white space belongs to a password");
        assert_eq!(auth.admin, Some(true));
        assert_eq!(auth.impersonate, Some(7));
    }
}

#[test]
fn w1_a_header_of_another_namespace_is_not_auth() {
    let header = "<e:Header><x:auth xmlns:x='urn:x'><username>u</username></x:auth></e:Header>";
    assert_eq!(run(&envelope("", header, "<s:getMediaSummary/>")).unwrap().auth, None);
    assert_eq!(run(&envelope("", "", "<s:getMediaSummary/>")).unwrap().auth, None);
}

#[test]
fn w2_the_schema_decides_not_the_type_that_came() {
    let account = encoded_account(
        "<id xsi:type='t:Struct'><username xsi:type='xsd:int'>31201234567</username></id>\
         <quota xsi:type='xsd:string'>5</quota><password xsi:type='xsd:int'>12345</password>\
         <owner xsi:type='nowhere:thing'>4</owner>",
    );
    assert_eq!(account.id.unwrap().username, text("31201234567"));
    assert_eq!(account.quota, Some(5));
    assert_eq!(account.password, text("12345"));
    assert_eq!(account.owner, Some(4));
}

#[test]
fn w3_lists_are_read_by_position_whatever_their_type_and_item_names() {
    let expected = Some(vec!["a".to_owned(), "b".to_owned()]);
    for list in [
        "<groups xsi:type='enc:Array' enc:arrayType='xsd:string[2]' enc:offset='[0]'><item xsi:type='xsd:string'>a</item><item>b</item></groups>",
        "<groups xsi:type='enc:Array' enc:arrayType='Struct[2]'><item>a</item><item>b</item></groups>",
        "<groups enc:arrayType='xsd:string[2]' xsi:type='t:StringArray'><item>a</item><item>b</item></groups>",
        "<groups><string>a</string><string>b</string></groups>",
        "<groups>\r\n <item>a</item>\r\n <other>b</other>\r\n</groups>",
    ] {
        assert_eq!(encoded_account(list).groups, expected, "{list}");
    }
}

/// What suds 1.2 sends back of an account that it got in an encoded reply: it unwraps lists.
#[test]
fn w3_items_in_the_place_of_their_list_are_the_list() {
    let group = |text: &str| format!("<groups xsi:type='t:StringArray'>{text}</groups>");
    let words =
        |found: &[&str]| Some(found.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
    assert_eq!(encoded_account(&group("a")).groups, words(&["a"]));
    assert_eq!(
        encoded_account(&[group("a"), group(""), group("c d")].concat()).groups,
        words(&["a", "", "c d"])
    );
    assert_eq!(encoded_account(&group("")).groups, words(&[]), "an empty list stays one");
    assert_eq!(encoded_account(&group("<item>a</item>")).groups, words(&["a"]));

    let property = |name: &str| {
        format!(
            "<properties xsi:type='t:Property'><name>{name}</name><value>1</value></properties>"
        )
    };
    for names in [&["a"][..], &["a", "b", "c"]] {
        let sent: String = names.iter().map(|name| property(name)).collect();
        let read = encoded_account(&sent).properties.unwrap();
        let read: Vec<_> = read.iter().map(|p| p.name.as_deref().unwrap()).collect();
        assert_eq!(read, names);
    }
}

#[test]
fn w3_a_list_beside_an_item_or_a_list_is_refused() {
    let list = "<groups xsi:type='t:StringArray'><item>a</item></groups>";
    let item = "<groups xsi:type='t:StringArray'>a</groups>";
    let untyped = "<groups>a</groups>";
    for [first, second] in
        [[list, list], [list, item], [item, list], [untyped, untyped], [item, untyped]]
    {
        let body = format!("<s:addAccount><account>{first}{second}</account></s:addAccount>");
        let refused = try_encoded(&body).unwrap_err();
        assert_eq!(refused, "account.groups: is given twice; send it once (9000)");
    }
    let refused =
        try_encoded(&format!("<s:addAccount><account>{untyped}</account></s:addAccount>"));
    let told = "account.groups: \"a\" is not a list; send one element per item (9000)";
    assert_eq!(refused.unwrap_err(), told);
}

#[test]
fn w3_top_level_lists_lose_their_declared_type() {
    let request = encoded(
        "<s:deleteRoutes><routes xsi:type='enc:Array' enc:arrayType='Struct[2]' enc:offset='[0]'>\
         <item><id xsi:type='xsd:int'>4</id></item><item><id xsi:type='xsd:string'>5</id></item>\
         </routes></s:deleteRoutes>",
    );
    let route = |id| Route { id: Some(id), ..Route::default() };
    let expected = sip::DeleteRoutes { routes: Some(vec![route(4), route(5)]) };
    assert_eq!(request, Request::from(expected));
}

#[test]
fn w4_an_empty_list_is_empty_and_where_a_struct_belongs_a_struct_without_members() {
    let empty = "xsi:type='enc:Array' enc:arrayType='xsd:anyType[0]' enc:offset='[0]'";
    let account = encoded_account(&format!(
        "<groups {empty}/><acl {empty}>\n</acl><id {empty}/><quota {empty}/><rpid {empty}/>"
    ));
    assert_eq!(account.groups, Some(vec![]));
    assert_eq!(account.acl, Some(vec![]));
    assert_eq!(account.id, Some(SipId::default()));
    assert_eq!((account.quota, account.rpid), (None, None));
}

/// As PEAR SOAP writes them, which has nothing between the tags to tell an empty list from null.
#[test]
fn w4_a_nil_list_with_a_size_is_empty() {
    let empty = "xsi:type='enc:Array' enc:arrayType='xsd:anyType[0]' xsi:nil='true'";
    let account = encoded_account(&format!(
        "<groups {empty}/><acl {empty}/><id {empty}/><quota {empty}/><rpid {empty}/>"
    ));
    assert_eq!((account.groups, account.acl), (Some(vec![]), Some(vec![])));
    assert_eq!(account.id, Some(SipId::default()));
    assert_eq!((account.quota, account.rpid), (None, None));
    // Without a size nil is null: a member that is not to be looked at.
    let null = "xsi:type='t:StringArray' xsi:nil='true'";
    assert_eq!(encoded_account(&format!("<groups {null}/>")).groups, None);
}

/// PEAR SOAP with a WSDL writes an empty list in the place of a parameter as a nil of its type.
#[test]
fn w4_a_parameter_that_is_a_nil_list_is_empty() {
    let members = |attributes: &str| {
        let body = format!("<s:setRejectMembers><members {attributes}/></s:setRejectMembers>");
        let request = encoded(&body);
        let Request::Sip(sip::Request::SetRejectMembers(sip::SetRejectMembers { members, .. })) =
            request
        else {
            panic!("{request:?}");
        };
        members
    };
    assert_eq!(members("xsi:type='t:StringArray' xsi:nil='true'"), Some(vec![]));
    assert_eq!(
        members("xsi:type='enc:Array' enc:arrayType='xsd:anyType[0]' xsi:nil='true'"),
        Some(vec![])
    );
    assert_eq!(members("xsi:nil='true'"), None);
}

#[test]
fn w5_an_untyped_empty_element_of_an_encoded_request_is_null() {
    let nothing = SipAccount::default();
    assert_eq!(
        encoded_account("<rpid/><quota></quota><groups/><id/><prepaid/><acl> \n </acl>"),
        nothing
    );
    let nil = "xsi:nil='true' xsi:type='xsd:string'";
    assert_eq!(
        encoded_account(&format!("<rpid {nil}/><quota {nil}/><groups {nil}/><prepaid {nil}/>")),
        nothing
    );
    assert_eq!(literal_account("<rpid xsi:nil='1'/><groups xsi:nil=' true '/>"), nothing);
    assert_eq!(encoded_account("<rpid xsi:nil='false'>x</rpid>").rpid, text("x"));
}

#[test]
fn w5_a_typed_empty_string_is_an_empty_string() {
    let account = encoded_account(
        "<rpid xsi:type='xsd:string'></rpid><region xsi:type='xsd:string'/>\
         <quota xsi:type='xsd:string'></quota>",
    );
    assert_eq!(account.rpid, text(""));
    assert_eq!(account.region, text(""));
    assert_eq!(account.quota, None);
}

#[test]
fn w5_what_was_null_in_a_reply_comes_back_from_php_as_an_empty_string() {
    let account = encoded_account(
        "<id xsi:type='xsd:string'></id><acl xsi:type='xsd:string'></acl>\
         <timeout xsi:type='xsd:string'></timeout>",
    );
    assert_eq!(account, SipAccount::default());
}

#[test]
fn w5_empty_elements_of_a_literal_request_are_empty_values() {
    let account = literal_account("<rpid></rpid><groups/><id/><quota/><prepaid/>");
    assert_eq!(
        account,
        SipAccount {
            rpid: text(""),
            groups: Some(vec![]),
            id: Some(SipId::default()),
            ..SipAccount::default()
        }
    );
}

#[test]
fn w6_numbers_come_in_many_forms() {
    for (form, expected) in [
        ("<ttl xsi:type='xsd:string'>3600</ttl>", Some(3600)),
        ("<ttl xsi:type='xsd:float'>3600.9</ttl>", Some(3600)),
        ("<ttl> 3600 </ttl>", Some(3600)),
        ("<ttl>+3600</ttl>", Some(3600)),
        ("<ttl>3.6e3</ttl>", Some(3600)),
        ("<ttl>true</ttl>", Some(1)),
        ("<ttl>false</ttl>", Some(0)),
        ("<ttl>-0.5</ttl>", Some(0)),
        ("<ttl xsi:type='xsd:string'> </ttl>", None),
    ] {
        let request = encoded(&format!("<d:addRecord><record>{form}</record></d:addRecord>"));
        let Request::Dns(dns::Request::AddRecord(call)) = request else { panic!("{form}") };
        assert_eq!(call.record.unwrap_or_default().ttl, expected, "{form}");
    }
    assert_eq!(encoded_account("<quota>-1.9</quota>").quota, Some(-1), "towards zero");
}

#[test]
fn w6_what_is_no_number_is_refused_with_its_place_and_value() {
    for (body, expected) in [
        (
            "<s:addAccount><account><quota>abc</quota></account></s:addAccount>",
            "account.quota: \"abc\" is not a number (9000)",
        ),
        (
            "<s:addAccount><account><acl><item><mask>24</mask></item><item><mask>/24</mask></item></acl></account></s:addAccount>",
            "account.acl[1].mask: \"/24\" is not a number (9000)",
        ),
        (
            "<s:addBalance><value>1,50</value></s:addBalance>",
            "value: \"1,50\" is not a number (9000)",
        ),
        (
            "<s:addBalance><value>inf</value></s:addBalance>",
            "value: \"inf\" is not a number (9000)",
        ),
        (
            "<s:addBalance><value>NaN</value></s:addBalance>",
            "value: \"NaN\" is not a number (9000)",
        ),
        (
            "<s:addBalance><value>1e999</value></s:addBalance>",
            "value: \"1e999\" is not a number (9000)",
        ),
        ("<s:deleteGateway><id>0x10</id></s:deleteGateway>", "id: \"0x10\" is not a number (9000)"),
        ("<s:deleteGateway><id>1e30</id></s:deleteGateway>", "id: \"1e30\" is not a number (9000)"),
        (
            "<s:addAccount><account><quota>3000000000</quota></account></s:addAccount>",
            "account.quota: 3000000000 does not fit int, which goes from -2147483648 to 2147483647 (9000)",
        ),
        (
            "<s:addAccount><account><timeout>-1</timeout></account></s:addAccount>",
            "account.timeout: -1 does not fit nonNegativeInteger, which goes from 0 to 4294967295 (9000)",
        ),
        (
            "<d:addRecord><record><priority>65536</priority></record></d:addRecord>",
            "record.priority: 65536 does not fit unsignedShort, which goes from 0 to 65535 (9000)",
        ),
    ] {
        assert_eq!(try_encoded(body).unwrap_err(), expected);
        assert_eq!(try_literal(body).unwrap_err(), expected);
    }
}

#[test]
fn integers_have_64_bits() {
    let request = encoded("<c:getAccount><id>9007199254740993</id></c:getAccount>");
    assert_eq!(request, Request::from(customer::GetAccount { id: Some(9_007_199_254_740_993) }));
}

#[test]
fn w7_booleans_come_in_many_forms() {
    for (form, expected) in [
        ("<transit xsi:type='xsd:int'>1</transit>", Some(true)),
        ("<transit xsi:type='xsd:int'>0</transit>", Some(false)),
        ("<transit>true</transit>", Some(true)),
        ("<transit>false</transit>", Some(false)),
        ("<transit> True\n</transit>", Some(true)),
        ("<transit xsi:type='xsd:string'>1</transit>", Some(true)),
        ("<transit xsi:type='xsd:string'></transit>", Some(false)),
        ("<transit xsi:type='xsd:boolean'/>", Some(false)),
        ("<transit xsi:type='xsd:float'>0.0</transit>", Some(false)),
        ("<transit>2</transit>", Some(true)),
        ("<transit/>", None),
        ("", None),
    ] {
        assert_eq!(peer(&format!("<ip>192.0.2.1</ip>{form}")).transit, expected, "{form}");
    }
    let body = "<s:addTrustedPeer><peer><transit>maybe</transit></peer></s:addTrustedPeer>";
    assert_eq!(
        try_encoded(body).unwrap_err(),
        "peer.transit: \"maybe\" is not true or false (9000)"
    );
}

#[test]
fn w8_unknown_members_are_passed_over() {
    let account = encoded_account(
        "<answerTimeout xsi:type='xsd:int'>0</answerTimeout><quota>1</quota>\
         <surprise><quota>2</quota><deep><deeper/></deep></surprise><answerTimeout>x</answerTimeout>",
    );
    assert_eq!(account, SipAccount { quota: Some(1), ..SipAccount::default() });

    let request = encoded(
        "<s:setCallDiversions><sipId><username>a</username><domain>b</domain></sipId>\
         <diversions xsi:type='t:CallDiversions'><nocondition xsi:type='xsd:string'>empty</nocondition></diversions></s:setCallDiversions>",
    );
    let expected = sip::SetCallDiversions {
        sip_id: Some(id("a", "b")),
        diversions: Some(CallDiversions::default()),
    };
    assert_eq!(request, Request::from(expected));
}

#[test]
fn w9_parameters_are_taken_by_name() {
    let expected =
        Request::from(sip::AddToGroup { sip_id: Some(id("a", "b")), group: text("free-pstn") });
    let sip_id = "<sipId><domain>b</domain><username>a</username></sipId>";
    let group = "<group>free-pstn</group>";
    assert_eq!(encoded(&format!("<s:addToGroup>{sip_id}{group}</s:addToGroup>")), expected);
    assert_eq!(encoded(&format!("<s:addToGroup>{group}{sip_id}</s:addToGroup>")), expected);
    let missing = sip::AddToGroup { sip_id: Some(id("a", "b")), group: None };
    assert_eq!(encoded(&format!("<s:addToGroup>{sip_id}</s:addToGroup>")), missing.into());
}

#[test]
fn w9_members_may_be_qualified() {
    let request = literal(
        "<s:addToGroup><s:group>g</s:group><s:sipId><s:username>a</s:username></s:sipId></s:addToGroup>",
    );
    let expected = sip::AddToGroup {
        sip_id: Some(SipId { username: text("a"), domain: None }),
        group: text("g"),
    };
    assert_eq!(request, expected.into());
}

#[test]
fn w10_floats_fit_doubles() {
    for (form, expected) in [("12.5", 12.5), ("-3", -3.0), ("1e2", 100.0), (" .5 ", 0.5)] {
        let body =
            format!("<s:addBalance><value xsi:type='xsd:float'>{form}</value></s:addBalance>");
        let Request::Sip(sip::Request::AddBalance(call)) = encoded(&body) else { panic!("{body}") };
        assert_eq!(call.value, Some(expected));
    }
}

#[test]
fn w11_operations_without_parameters() {
    assert_eq!(encoded("<s:getMediaSummary/>"), sip::GetMediaSummary {}.into());
    assert_eq!(
        encoded("<s:getMediaSummary>\n</s:getMediaSummary>"),
        sip::GetMediaSummary {}.into()
    );
    assert_eq!(literal("<s:getAccounts/>"), sip::GetAccounts { query: None }.into());
}

#[test]
fn w12_references_are_followed() {
    let expected = Request::from(sip::GetSipDeviceLocations {
        sip_ids: Some(vec![id("a", "b"), id("a", "b")]),
    });
    let target =
        |name: &str| format!("<{name} id='ref1'><username>a</username><domain>b</domain></{name}>");
    // ext-soap repeats an object by reference to where it first stood.
    let backward = format!(
        "<s:getSipDeviceLocations><sipIds xsi:type='enc:Array'>{}<item href='#ref1'/></sipIds></s:getSipDeviceLocations>",
        target("item")
    );
    // Axis puts values behind the operation, marked as no call of their own.
    let forward = format!(
        "<s:getSipDeviceLocations><sipIds href='#list'/></s:getSipDeviceLocations>\
         <multiRef id='list' enc:root='0' xsi:type='enc:Array'><x href='#ref1'/><x href='#ref1'/></multiRef>{}",
        target("multiRef")
    );
    let before = "<multiRef enc:root='0' id='ref1'><username>a</username><domain href='#d'/></multiRef>\
         <multiRef enc:root='0' id='d' xsi:type='xsd:string'>b</multiRef>\
         <s:getSipDeviceLocations><sipIds><item href='#ref1'/><item href='#ref1'/></sipIds></s:getSipDeviceLocations>"
    .to_owned();
    for body in [backward, forward, before] {
        assert_eq!(encoded(&body), expected, "{body}");
    }
}

#[test]
fn w12_broken_references_are_refused() {
    for (body, expected) in [
        (
            "<s:getAccount><sipId href='#nowhere'/></s:getAccount>",
            "sipId: no element has the id that href \"#nowhere\" names (9004)",
        ),
        (
            "<s:getAccount><sipId href='http://192.0.2.1/x'/></s:getAccount>",
            "sipId: href \"http://192.0.2.1/x\" points outside of the message; only #id can be followed (9004)",
        ),
        (
            "<s:getAccount><sipId href='#a'/></s:getAccount><x id='a' href='#b'/><x id='b' href='#a'/>",
            "sipId: href \"#a\" leads through more than 16 references or in a circle (9004)",
        ),
        (
            "<s:getAccount><sipId id='self' href='#self'/></s:getAccount>",
            "sipId: href \"#self\" leads through more than 16 references or in a circle (9004)",
        ),
    ] {
        assert_eq!(try_encoded(body).unwrap_err(), expected);
    }
}

#[test]
fn w13_the_declared_character_set_is_honoured() {
    let text =
        envelope("", "", "<s:deleteDomain><domain>b\u{fc}ro.example</domain></s:deleteDomain>");
    let expected = Request::from(sip::DeleteDomain { domain: Some("büro.example".to_owned()) });
    let latin: Vec<u8> = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\r\n{text}")
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let limits = Limits::default();
    assert_eq!(decode(&latin, Some("utf-8"), &limits).unwrap().request, expected);
    assert_eq!(decode(text.as_bytes(), None, &limits).unwrap().request, expected);
    let marked = [b"\xEF\xBB\xBF".as_slice(), text.as_bytes()].concat();
    assert_eq!(decode(&marked, None, &limits).unwrap().request, expected);
    let undeclared: Vec<u8> = text.chars().map(|c| u32::from(c) as u8).collect();
    assert_eq!(decode(&undeclared, Some("iso-8859-1"), &limits).unwrap().request, expected);
    let refused = decode(&undeclared, None, &limits).unwrap_err().fault;
    assert_eq!(refused.code, 9004);
    assert!(refused.text.contains("byte 0xFC"), "{refused}");
}

#[test]
fn a_member_that_comes_twice_is_refused() {
    for (body, expected) in [
        (
            "<s:addAccount><account><quota>1</quota><rpid/><quota>1</quota></account></s:addAccount>",
            "account.quota: is given twice; send it once (9000)",
        ),
        (
            "<s:deleteDomain><domain>a</domain><domain>b</domain></s:deleteDomain>",
            "domain: is given twice; send it once (9000)",
        ),
    ] {
        assert_eq!(try_encoded(body).unwrap_err(), expected);
    }
}

#[test]
fn values_of_the_wrong_shape_are_refused() {
    for (body, expected) in [
        (
            "<s:getAccount><sipId>a@b</sipId></s:getAccount>",
            "sipId: \"a@b\" is not a SipId; send its members: username, domain (9000)",
        ),
        (
            "<s:deleteDomain><domain><name>a</name></domain></s:deleteDomain>",
            "domain: holds elements where text is expected (9000)",
        ),
        (
            "<s:setRejectMembers><members>a, b</members></s:setRejectMembers>",
            "members: \"a, b\" is not a list; send one element per item (9000)",
        ),
        (
            "<d:addRecord><record><type>SPF</type></record></d:addRecord>",
            "record.type: \"SPF\" is not one of A, AAAA, CNAME, MX, NAPTR, NS, SRV, TXT, PTR, LOC (9000)",
        ),
        (
            "<v:setAnnouncement><message>@@</message></v:setAnnouncement>",
            "message: is not base64 (invalid symbol 64, offset 0.) (9000)",
        ),
    ] {
        assert_eq!(try_literal(body).unwrap_err(), expected);
    }
}

#[test]
fn words_of_enumerations_are_read_in_any_case() {
    let request = encoded("<d:addRecord><record><type> naptr </type></record></d:addRecord>");
    let Request::Dns(dns::Request::AddRecord(call)) = request else { panic!() };
    assert_eq!(call.record.unwrap().r#type, Some(ngn_soap::types::DnsRecordType::Naptr));
}

#[test]
fn base64_is_read_with_line_breaks_and_without_padding() {
    for form in ["UklGRg==", "Ukl\r\n GRg= =", "UklGRg", " UklG\tRg== "] {
        let body = format!("<v:setAnnouncement><message>{form}</message></v:setAnnouncement>");
        let Request::Voicemail(voicemail::Request::SetAnnouncement(call)) = encoded(&body) else {
            panic!("{body}");
        };
        assert_eq!(call.message.as_deref(), Some(&b"RIFF"[..]), "{form}");
    }
}

#[test]
fn strings_keep_white_space_references_and_cdata() {
    let account = encoded_account(
        "<rpid xsi:type='xsd:string'> a\r\n\tb </rpid>\
         <region>&lt;b&gt;&amp;amp;&quot;&apos;&#233;&#x20AC;&#13;</region>\
         <timezone><![CDATA[<x> & ]]>y<!-- not this -->z<?nor this?></timezone>",
    );
    assert_eq!(account.rpid, text(" a\n\tb "), "line ends become LF (XML 1.0 2.11)");
    assert_eq!(account.region, text("<b>&amp;\"'é€\r"));
    assert_eq!(account.timezone, text("<x> & yz"));
}

#[test]
fn items_that_are_null_keep_their_place() {
    let request = encoded(
        "<s:getPrepaidStatus><sipIds><item/><item><username>a</username></item></sipIds></s:getPrepaidStatus>",
    );
    let expected = sip::GetPrepaidStatus {
        sip_ids: Some(vec![SipId::default(), SipId { username: text("a"), domain: None }]),
        sip_id: None,
    };
    assert_eq!(request, expected.into());
    let groups = encoded_account("<groups><item xsi:type='xsd:string'></item><item/></groups>");
    assert_eq!(groups.groups, Some(vec![String::new(), String::new()]));
}

#[test]
fn b1_older_clients_name_what_they_delete_and_ask_for_one_balance() {
    let name = || text("gw1");
    assert_eq!(
        encoded("<s:deleteGateway><name>gw1</name></s:deleteGateway>"),
        sip::DeleteGateway { id: None, name: name() }.into()
    );
    assert_eq!(
        encoded("<s:deleteCarrier><name>gw1</name></s:deleteCarrier>"),
        sip::DeleteCarrier { id: None, name: name() }.into()
    );
    assert_eq!(
        encoded(
            "<s:getPrepaidStatus><sipId><username>a</username><domain>b</domain></sipId></s:getPrepaidStatus>"
        ),
        sip::GetPrepaidStatus { sip_ids: None, sip_id: Some(id("a", "b")) }.into()
    );
}

#[test]
fn the_style_is_told_by_encoding_style_or_any_type_in_the_body() {
    let body = "<s:deleteDomain><domain>a</domain></s:deleteDomain>";
    let typed = "<s:deleteDomain><domain xsi:type='xsd:string'>a</domain></s:deleteDomain>";
    let header = "<e:Header><auth><username xsi:type='xsd:string'>u</username></auth></e:Header>";
    let style = |text: &str| run(text).unwrap().style;
    assert_eq!(style(&envelope("", "", body)), Style::Literal);
    assert_eq!(
        style(&envelope("", header, body)),
        Style::Literal,
        "types in the header do not count"
    );
    assert_eq!(style(&envelope("", "", typed)), Style::Encoded);
    let on_envelope = envelope(&format!("e:encodingStyle='{ENCODING}'"), "", body);
    assert_eq!(style(&on_envelope), Style::Encoded);
    let on_body = envelope("", "", body)
        .replace("<e:Body>", &format!("<e:Body e:encodingStyle='{ENCODING}'>"));
    assert_eq!(style(&on_body), Style::Encoded);
}

#[test]
fn unknown_operations_and_ports_teach() {
    for (body, expected) in [
        (
            "<s:getAcounts/>",
            "port Sip has no operation getAcounts; did you mean getAccounts? (9002)",
        ),
        (
            "<s:addZone/>",
            "port Sip has no operation addZone; it is an operation of port Dns, namespace urn:AGProjects:NGNPro:Dns (9002)",
        ),
        ("<s:reboot/>", "port Sip has no operation reboot; its operations are in the WSDL (9002)"),
        (
            "<s:addGatewayGroup/>",
            "port Sip has no operation addGatewayGroup; it belongs to the API before version 4; use addCarrier (9002)",
        ),
        (
            "<s:getDomainStatistics/>",
            "port Sip has no operation getDomainStatistics; it belongs to the API before version 4; use getStatistics of the Network port (9002)",
        ),
        (
            "<addZone/>",
            "addZone has no namespace, so its port is not known; addZone is an operation of urn:AGProjects:NGNPro:Dns (9002)",
        ),
        (
            "<t:reboot/>",
            "there is no port with namespace urn:AGProjects:NGNPro; the ports are urn:AGProjects:NGNPro: followed by Sip, Voicemail, Enum, Dns, Rating, Customer, Network (9002)",
        ),
        (
            "<x:addZone xmlns:x='urn:AGProjects:NGNPro:DNS'/>",
            "there is no port with namespace urn:AGProjects:NGNPro:DNS; did you mean urn:AGProjects:NGNPro:Dns? (9002)",
        ),
        (
            "<x:setPolicy xmlns:x='urn:AGProjects:SoapSIMPLEProxy:Presence'/>",
            "there is no port with namespace urn:AGProjects:SoapSIMPLEProxy:Presence; the ports are urn:AGProjects:NGNPro: followed by Sip, Voicemail, Enum, Dns, Rating, Customer, Network (9002)",
        ),
    ] {
        let rejected = run(&envelope("", "", body)).unwrap_err();
        assert_eq!(rejected.fault.to_string(), expected);
        assert_eq!(rejected.fault.side, Side::Client);
    }
}

#[test]
fn every_legacy_name_is_refused_as_unknown() {
    for name in ["getDomainStatistics", "addGatewayGroup", "deleteGatewayGroup", "getGatewayGroups"]
    {
        let rejected = run(&envelope("", "", &format!("<s:{name}/>"))).unwrap_err();
        assert_eq!(rejected.fault.code, 9002, "{name}");
    }
}

#[test]
fn what_is_no_soap_is_refused_with_the_reason() {
    let ns = ENVELOPE;
    for (text, expected) in [
        ("".to_owned(), "the message is empty; send a SOAP 1.1 envelope"),
        (" \r\n".to_owned(), "the message is empty; send a SOAP 1.1 envelope"),
        (
            "{\"jsonrpc\": 2}".to_owned(),
            "line 1, column 1: there is text outside of the document's element",
        ),
        (
            "<html/>".to_owned(),
            "the document's element is `html`; a SOAP 1.1 message has {http://schemas.xmlsoap.org/soap/envelope/}Envelope",
        ),
        (
            "<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>".to_owned(),
            "this is a SOAP 1.2 envelope; send SOAP 1.1, namespace http://schemas.xmlsoap.org/soap/envelope/",
        ),
        (format!("<Envelope xmlns='{ns}'><Header/></Envelope>"), "the SOAP envelope has no Body"),
        (
            format!("<Envelope xmlns='{ns}'><Body> </Body></Envelope>"),
            "the SOAP Body is empty; send one element: {port namespace}operation",
        ),
    ] {
        let rejected = run(&text).unwrap_err();
        assert_eq!((rejected.fault.code, rejected.fault.text.as_str()), (9004, expected));
    }
}

/// Who calls is checked before what is asked (contract D3), so a refusal carries both.
#[test]
fn a_rejected_argument_leaves_caller_and_operation_known() {
    let header =
        "<e:Header><auth><username>u</username><password>hunter2</password></auth></e:Header>";
    let body = "<s:addBalance><value>x</value></s:addBalance>";
    let rejected = run(&envelope("", header, body)).unwrap_err();
    assert_eq!(rejected.fault.code, 9000);
    assert_eq!(rejected.auth.as_ref().unwrap().username, text("u"));
    assert_eq!(rejected.operation.unwrap().name, "addBalance");
    assert!(!format!("{rejected:?}").contains("hunter2"));

    let header = "<e:Header><auth><admin>perhaps</admin></auth></e:Header>";
    let rejected = run(&envelope("", header, "<s:getMediaSummary/>")).unwrap_err();
    assert_eq!(rejected.fault.to_string(), "auth.admin: \"perhaps\" is not true or false (9000)");
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let shown = format!(
        "{:?}",
        encoded_account("<password>hunter2</password><ha1>hunter3</ha1><rpid>31</rpid>")
    );
    assert_eq!(shown, "SipAccount { password: (secret), rpid: \"31\", ha1: (secret) }");
}

#[test]
fn the_customer_filter_of_the_screens_is_read() {
    let request = encoded(
        "<c:getCustomers><query xsi:type='t:CustomerQuery'><filter><username xsi:type='xsd:string'></username>\
         <customer xsi:type='xsd:int'>0</customer><reseller xsi:type='xsd:string'>12</reseller>\
         <only_resellers xsi:type='xsd:string'>1</only_resellers></filter>\
         <orderBy><attribute>customer</attribute><direction>ASC</direction></orderBy></query></c:getCustomers>",
    );
    let Request::Customer(customer::Request::GetCustomers(call)) = request else { panic!() };
    let query = call.query.unwrap();
    assert_eq!(query.range, None);
    let filter = query.filter.unwrap();
    assert_eq!(filter.username, text(""));
    assert_eq!((filter.customer, filter.reseller), (Some(0), Some(12)));
    assert_eq!(filter.only_resellers, text("1"));
}

#[test]
fn nested_parameters_are_read() {
    let request = encoded(
        "<s:setAcceptRules><rules><temporary><groups><item>vip</item></groups><duration>30</duration></temporary></rules></s:setAcceptRules>",
    );
    let Request::Sip(sip::Request::SetAcceptRules(call)) = request else { panic!() };
    let rules = call.rules.unwrap();
    assert_eq!(rules.persistent, None);
    let expected = AcceptRuleTemporary { groups: Some(vec!["vip".to_owned()]), duration: Some(30) };
    assert_eq!(rules.temporary, Some(expected));

    let request = encoded(
        "<n:deleteNumber><enumId><number>31</number><tld>e164.arpa</tld></enumId></n:deleteNumber>",
    );
    let Request::Enum(enum_::Request::DeleteNumber(call)) = request else { panic!() };
    assert_eq!(call.enum_id.unwrap().number, text("31"));

    let request = encoded(
        "<r:getEntityProfiles><entity xsi:type='xsd:string'></entity></r:getEntityProfiles>",
    );
    let Request::Rating(rating::Request::GetEntityProfiles(call)) = request else { panic!() };
    assert_eq!(call.entity, text(""), "a client's typing error, tolerated (contract B6)");
}

#[test]
fn queries_come_apart() {
    use ngn_soap::types::Query as _;
    let request = encoded(
        "<s:getAccounts><query><filter><groups><item/></groups></filter><range><count>5</count></range></query></s:getAccounts>",
    );
    let Request::Sip(sip::Request::GetAccounts(call)) = request else { panic!() };
    let (filter, order, range) = call.query.unwrap().parts();
    assert_eq!(
        filter,
        Some(SipFilter { groups: Some(vec![String::new()]), ..SipFilter::default() })
    );
    assert_eq!(order, None);
    assert_eq!(range.unwrap().count, Some(5));
}
