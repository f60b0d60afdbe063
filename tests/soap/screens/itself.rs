//! The replayed client against captures of the real one (`tests/vectors/soap`): its requests byte for byte, its
//! parser by what it was measured to do.

use std::fs;

use ngn_tests::binaries::root;
use ngn_tests::cdrtool::{Php, Refusal, cdrtool_reads, write};
use ngn_tests::http::Reply;
use ngn_tests::soap::{Login, TYPES};
use ngn_tests::value::sip_id;
use ngn_tests::xml::{self, ENCODING, ENVELOPE, Node, XSD, XSI};
use ngn_tests::{Value, query, record};

/// The captures whose names end so, without the other clients'.
fn captures(what: &str) -> Vec<(String, String)> {
    let directory = root().join("tests/vectors/soap");
    let mut found: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let mut parts = name.split('.').skip(2);
            (parts.next() == Some(what) && parts.next() == Some("xml") && parts.next().is_none())
                .then(|| (name, fs::read_to_string(path).unwrap()))
        })
        .collect();
    found.sort();
    found
}

/// The value that a captured element was made of.
fn value(node: &Node) -> Value {
    let kind = node.attribute(XSI, "type").unwrap_or_default();
    if node.attribute(ENCODING, "arrayType").is_some() {
        return Value::List(node.children.iter().map(value).collect());
    }
    let text = node.text.clone();
    match kind.strip_prefix("xsd:") {
        Some("string") => Value::Text(text),
        Some("int") => Value::Int(text.parse().unwrap()),
        Some("float") => Value::Double(text.parse().unwrap()),
        Some("boolean") => Value::Bool(text == "true"),
        Some(other) => panic!("an xsd:{other}"),
        None => Value::Record(node.children.iter().map(|c| (c.name.clone(), value(c))).collect()),
    }
}

// Numbers of namespaces depend on what the proxy was asked before, so they are taken from the capture.
#[test]
fn writes_every_captured_request_byte_for_byte() {
    let captures = captures("request");
    assert!(captures.len() >= 55, "only {} captures", captures.len());
    for (name, capture) in captures {
        let envelope = xml::parse(&capture).unwrap();
        let auth = envelope.at("Header/auth");
        let login = Login {
            username: auth.text_at("username").to_owned(),
            password: auth.text_at("password").to_owned(),
            admin: auth.find("admin").map(|admin| admin.text == "true"),
            impersonate: auth.find("impersonate").map(|id| id.text.parse().unwrap()),
        };
        let mut numbered: Vec<String> =
            (4..).map_while(|n| envelope.prefixes.get(&format!("ns{n}")).cloned()).collect();
        let call = &envelope.at("Body").children[0];
        let (port, _) = name.split_once('.').unwrap();
        let written = write::request(&login, port, &call.name, &value(call), &mut numbered);
        assert_eq!(written, capture, "{name}");
    }
}

// The same from the calls as the replays write them, so that their notation stands for these bytes.
#[test]
fn writes_the_calls_of_the_screens_as_captured() {
    let mut compared = 0;
    let mut compare = |operation: &str, customer: Option<i64>, parameters: Value| {
        let (port, call) = operation.split_once('.').unwrap();
        let path = root().join(format!("tests/vectors/soap/{operation}.request.xml"));
        let capture = fs::read_to_string(path).unwrap();
        let login = Login { impersonate: customer, ..Login::admin("admin", "example-secret") };
        // A proxy of Rating was asked about an entity before, which numbers its own namespace first.
        let mut numbered =
            if port == "Rating" { vec![format!("{TYPES}:Rating")] } else { vec![TYPES.to_owned()] };
        let written = write::request(&login, port, call, &parameters, &mut numbered);
        assert_eq!(written, capture, "{operation}");
        compared += 1;
    };
    let filter = record! { domain: "hdemo.example.com", customer: 0, reseller: 0 };
    compare("Sip.getDomains", Some(1001), query(filter, "changeDate", "DESC", 0, 100));
    let filter = record! {
        username: "", domain: "hdemo.example.com", firstName: "", lastName: "", email: "",
        owner: 0, customer: 0, reseller: 0, groups: [""],
    };
    compare("Sip.getAccounts", Some(1001), query(filter, "username", "ASC", 0, 100));
    let text = |name: &str, category: &str, value: &str, permission: &str| {
        record! { name: name, category: category, value: value, permission: permission }
    };
    compare(
        "Customer.setProperties",
        None,
        record! { customer: 1001, properties: vec![
            text("support_web", "web", "https://x.example.com/?a=1&b=2", "customer"),
            text("ns_last", "web", "", "customer"),
        ] },
    );
    compare(
        "Sip.deleteRoutes",
        Some(1001),
        record! { routes: vec![
            record! { id: 1007 }, record! { id: 1008 },
        ] },
    );
    let diversions = record! {
        FUNC: "sip:bob@hdemo.example.com", FBUS: "<voice-mailbox>",
        FNOA: "sip:+31201234567@hdemo.example.com",
    };
    let sip_id = sip_id("alice@hdemo.example.com");
    compare(
        "Sip.setCallDiversions",
        Some(1001),
        record! { sipId: sip_id.clone(), diversions: diversions },
    );
    compare(
        "Sip.setAcceptRules",
        Some(1027),
        record! {
            sipId: ngn_tests::sip_id("alice@sdemo.example.com"),
            rules: record! {
                persistent: vec![
                    record! { start: "08:00", stop: "18:00", groups: ["everybody"], days: 127 },
                    record! { start: "10:00", stop: "12:00", groups: ["vip", "family"], days: 96 },
                ],
                temporary: record! { groups: ["nobody"], duration: 30 },
            },
        },
    );
    compare("Sip.getMediaSummary", Some(1001), record! {});
    compare(
        "Rating.setEntityProfiles",
        Some(1001),
        record! { profiles: record! {
            entity: "subscriber://alice@hdemo.example.com",
            profileWeekday: "441", profileWeekdayAlt: "", profileWeekend: "442", profileWeekendAlt: "",
            timezone: "Europe/Amsterdam",
        } },
    );
    assert!(compared >= 5);
}

/// What the client makes of a result.
#[track_caller]
fn read(inside: &str) -> Result<Php, Refusal> {
    reply(200, &format!("<p:xResponse xmlns:p=\"urn:p\">{inside}</p:xResponse>"))
}

#[track_caller]
fn reply(status: u16, inside: &str) -> Result<Php, Refusal> {
    let envelope = format!(
        "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{ENVELOPE}\" xmlns:SOAP-ENC=\"{ENCODING}\" xmlns:xsi=\"{XSI}\" \
         xmlns:xsd=\"{XSD}\" xmlns:n=\"{TYPES}\"><SOAP-ENV:Body>{inside}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    );
    cdrtool_reads(&arrived(status, envelope.into_bytes()))
}

fn arrived(status: u16, body: Vec<u8>) -> Reply {
    let content_type = ("content-type".to_owned(), "text/xml; charset=utf-8".to_owned());
    Reply { version: "HTTP/1.1".to_owned(), status, headers: vec![content_type], body }
}

// A5 and `What CDRTool needs in replies`, each as it was measured.
#[test]
fn reads_as_the_original_parser_was_measured() {
    let value = |inside: &str| read(inside).unwrap();
    // R7: types come from the attribute; without one everything is text, and the text `false` is true.
    assert_eq!(value("<return xsi:type=\"xsd:int\">7</return>"), Php::Int(7));
    assert_eq!(value("<return>7</return>"), "7".into());
    assert_eq!(value("<return xsi:type=\"xsd:double\">7.5</return>"), Php::Float(7.5));
    let untyped = value("<return>false</return>");
    assert!(untyped == "false".into() && untyped.truthy());
    assert_eq!(value("<return xsi:type=\"xsd:boolean\">false</return>"), Php::Flag(false));
    // R13: nothing is TRUE.
    assert_eq!(value("<return xsi:type=\"xsd:boolean\" xsi:nil=\"true\"/>"), Php::Flag(true));
    // R5: nothing is 0 with a type and the empty text without.
    assert_eq!(value("<return xsi:type=\"xsd:int\" xsi:nil=\"true\"/>"), Php::Int(0));
    assert_eq!(value("<return xsi:nil=\"true\"/>"), "".into());
    // R14.
    assert_eq!(value("<return xsi:type=\"xsd:long\">7</return>"), "7".into());
    // R1: the last of both attributes counts.
    let item = "<item xsi:type=\"xsd:string\">a</item>";
    let right = "xsi:type=\"SOAP-ENC:Array\" SOAP-ENC:arrayType=\"xsd:string[1]\"";
    let wrong = "SOAP-ENC:arrayType=\"xsd:string[1]\" xsi:type=\"n:StringArray\"";
    assert_eq!(value(&format!("<return {right}>{item}</return>")), Php::List(vec!["a".into()]));
    assert!(matches!(value(&format!("<return {wrong}>{item}</return>")), Php::Object(_)));
    // R3, R4: none and one stay arrays; an item gets its type from the array.
    let none = "<return xsi:type=\"SOAP-ENC:Array\" SOAP-ENC:arrayType=\"n:X[0]\"/>";
    assert_eq!(value(none), Php::List(Vec::new()));
    let bare = "SOAP-ENC:arrayType=\"xsd:int[1]\"";
    assert_eq!(
        value(&format!("<return {bare}><item>7</item></return>")),
        Php::List(vec![Php::Int(7)])
    );
    // R6: a struct without members is a text.
    assert_eq!(value("<return xsi:type=\"n:CallDiversions\"/>"), "".into());
    assert_eq!(value(""), "".into());
    // R12.
    assert_eq!(value("<return>&lt;voice-mailbox&gt;</return>"), "<voice-mailbox>".into());
}

#[test]
fn dies_of_what_the_original_dies_of() {
    let dies = |status: u16, inside: &str| {
        let inside = inside.to_owned();
        std::panic::catch_unwind(move || reply(status, &inside)).is_err()
    };
    let wrapped = |inside: &str| format!("<p:xResponse xmlns:p=\"urn:p\">{inside}</p:xResponse>");
    // R2, R8, R10, A2.
    let offset = "<return SOAP-ENC:arrayType=\"n:X[0]\" SOAP-ENC:offset=\"[0]\"/>";
    assert!(dies(200, &wrapped(offset)));
    assert!(dies(200, &wrapped("<a>1</a><b>2</b>")));
    assert!(dies(200, &wrapped("<return><Header>x</Header></return>")));
    assert!(dies(401, &wrapped("<return>1</return>")));
    assert!(dies(200, ""));
    assert!(!dies(200, &wrapped("<return>1</return>")));
}

#[test]
fn reads_every_captured_fault_and_result() {
    for (name, capture) in captures("response") {
        assert!(cdrtool_reads(&arrived(200, capture.into_bytes())).is_ok(), "{name}");
    }
    for code in [3002, 5001, 1010] {
        let what = format!("response.fault-{code}.xml");
        let directory = root().join("tests/vectors/soap");
        let path = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().ends_with(&what))
            .unwrap();
        let fault = cdrtool_reads(&arrived(500, fs::read(path).unwrap()));
        assert_eq!(fault.unwrap_err().code, code);
    }
}
