//! Hostile input: a precise fault, in time linear in its size.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test measures time and may stop where it finds something missing"
)]

use std::time::{Duration, Instant};

use ngn_soap::xml::{Document, XmlError};
use ngn_soap::{Fault, Limits, decode};

const MIB: usize = 1 << 20;

/// What an unoptimised build on a busy machine may take for one message of 1 MiB; quadratic work takes minutes.
const PATIENCE: Duration = Duration::from_secs(5);

fn soap(body: &str) -> String {
    format!(
        "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:s='urn:AGProjects:NGNPro:Sip'>\
         <e:Body>{body}</e:Body></e:Envelope>"
    )
}

fn fault(body: &[u8]) -> Fault {
    let start = Instant::now();
    let Err(rejected) = decode(body, None, &Limits::default()) else { panic!("it was taken") };
    let fault = rejected.fault;
    assert!(start.elapsed() < PATIENCE, "{:?}: {fault}", start.elapsed());
    assert!(fault.text.len() < 400, "a fault is one readable line: {fault}");
    assert!(!fault.text.contains(char::is_control), "{fault}");
    fault
}

fn refused(body: impl AsRef<[u8]>) -> String {
    let fault = fault(body.as_ref());
    assert_eq!(fault.code, 9004);
    fault.text
}

/// A text repeated up to a size.
fn filled(piece: &str, size: usize) -> String {
    piece.repeat(size / piece.len())
}

#[test]
fn too_many_bytes() {
    let limits = Limits::default();
    let body = soap(&"x".repeat(MIB));
    let expected = format!("the message has {} bytes; the limit is 1048576", body.len());
    assert_eq!(refused(&body), expected);
    let small = Limits { body: 10, ..limits };
    let error = Document::parse(b"<abcdefghi/>", None, &small).unwrap_err();
    assert_eq!(error, XmlError::TooLarge { size: 12, limit: 10 });
}

#[test]
fn deep_nesting() {
    assert_eq!(
        refused(soap(&filled("<a>", MIB - 300))),
        "line 1, column 349: elements nest too deep; the limit is 64"
    );
    let deep = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
    assert!(Document::parse(deep(64).as_bytes(), None, &Limits::default()).is_ok());
    assert!(Document::parse(deep(65).as_bytes(), None, &Limits::default()).is_err());
}

#[test]
fn many_elements() {
    let text = refused(soap(&filled("<a/>", MIB - 300)));
    assert!(text.ends_with("there are too many elements; the limit is 20000"), "{text}");
    let wide = |count: usize| format!("<r>{}</r>", "<a/>".repeat(count - 1));
    assert!(Document::parse(wide(20_000).as_bytes(), None, &Limits::default()).is_ok());
    assert!(Document::parse(wide(20_001).as_bytes(), None, &Limits::default()).is_err());
}

#[test]
fn many_attributes() {
    let attributes: String = (0..100_000).map(|i| format!(" a{i}='x'")).collect();
    let text = refused(format!("<r{}/>", &attributes[..MIB - 100].rsplit_once(' ').unwrap().0));
    assert_eq!(text, "line 1, column 1: an element has too many attributes; the limit is 64");
    let some = |count: usize| {
        let attributes: String = (0..count).map(|i| format!(" a{i}='x'")).collect();
        Document::parse(format!("<r{attributes}/>").as_bytes(), None, &Limits::default())
    };
    assert!(some(64).is_ok());
    assert!(some(65).is_err());
}

#[test]
fn many_namespaces() {
    let declarations: String = (0..60).map(|i| format!(" xmlns:p{i}='urn:{i}'")).collect();
    let nested = format!("<r{declarations}>").repeat(40);
    let text = refused(nested);
    assert!(text.ends_with("too many namespaces are declared; the limit is 128"), "{text}");
    // Siblings may declare anew what is out of scope.
    let siblings = format!("<r>{}</r>", format!("<a{declarations}/>").repeat(100));
    assert!(Document::parse(siblings.as_bytes(), None, &Limits::default()).is_ok());
}

/// The worst that the limits leave: every element and attribute looks through a full scope.
#[test]
fn full_scopes_cost_little() {
    let declarations = |from: usize| -> String {
        (from..from + 60).map(|i| format!(" xmlns:p{i}='urn:{i}'")).collect()
    };
    let attributes: String = (0..50).map(|i| format!(" p0:a{i}=''")).collect();
    let element = format!("<p0:a{attributes}/>");
    let body = filled(&element, MIB - 3000);
    let text = format!("<r{}><r{}>{body}</r></r>", declarations(0), declarations(60));
    let start = Instant::now();
    Document::parse(text.as_bytes(), None, &Limits::default()).unwrap();
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

#[test]
fn entities_and_document_types() {
    let bomb = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]>";
    assert_eq!(
        refused(format!("<?xml version='1.0'?>\n{bomb}{}", soap("<s:x>&lol2;</s:x>"))),
        "line 2, column 1: a DOCTYPE is not allowed in a SOAP message; remove it"
    );
    assert_eq!(
        refused("<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>"),
        "line 1, column 1: a DOCTYPE is not allowed in a SOAP message; remove it"
    );
    for (text, expected) in [
        (
            "<r>&lol;</r>",
            "line 1, column 4: entity `&lol;` is not defined; only &lt; &gt; &amp; &quot; &apos; are",
        ),
        (
            "<r a='&xxe;'/>",
            "line 1, column 1: entity `&xxe;` is not defined; only &lt; &gt; &amp; &quot; &apos; are",
        ),
        ("<r>&#0;</r>", "line 1, column 4: character U+0000 is not allowed in XML"),
        ("<r>&#x1F;</r>", "line 1, column 4: character U+001F is not allowed in XML"),
        ("<r>&#xD800;</r>", "line 1, column 4: character U+D800 is not allowed in XML"),
        ("<r>&#xFFFF;</r>", "line 1, column 4: character U+FFFF is not allowed in XML"),
        ("<r a='&#2;'/>", "line 1, column 1: character U+0002 is not allowed in XML"),
        (
            "<r>&#99999999999;</r>",
            "line 1, column 4: `&#99999999999;` is not a character reference",
        ),
        ("<r>&#x;</r>", "line 1, column 4: `&#x;` is not a character reference"),
        ("<r>&#+65;</r>", "line 1, column 4: `&#+65;` is not a character reference"),
    ] {
        assert_eq!(refused(text), expected);
    }
}

#[test]
fn characters_that_xml_does_not_have() {
    for (text, expected) in [
        ("<r>\n a\u{0}b</r>", "line 2, column 3: character U+0000 is not allowed in XML"),
        ("<r>\u{1b}[31m</r>", "line 1, column 4: character U+001B is not allowed in XML"),
        ("<r>é\u{ffff}</r>", "line 1, column 5: character U+FFFF is not allowed in XML"),
        ("<r>\u{fffe}</r>", "line 1, column 4: character U+FFFE is not allowed in XML"),
    ] {
        assert_eq!(refused(text), expected);
    }
    assert!(
        Document::parse(
            "<r>\t\r\n\u{7f}\u{85}\u{fffd}\u{10ffff}</r>".as_bytes(),
            None,
            &Limits::default()
        )
        .is_ok()
    );
}

#[test]
fn what_is_not_well_formed() {
    for (text, expected) in [
        ("<r>", "line 1, column 4: the message ends inside of `r`"),
        ("<r><a></r>", "line 1, column 7: expected `</a>`, but `</r>` was found"),
        ("</r>", "line 1, column 1: close tag `</r>` does not match any open tag"),
        ("<r/><r/>", "line 1, column 5: there is a second element after the document's end"),
        ("<r/>x", "line 1, column 5: there is text outside of the document's element"),
        ("x<r/>", "line 1, column 1: there is text outside of the document's element"),
        ("<a:r/>", "line 1, column 1: namespace prefix `a` is not declared"),
        ("<r a:b=''/>", "line 1, column 1: namespace prefix `a` is not declared"),
        (
            "<r a='1' a='2'/>",
            "line 1, column 1: position 8: duplicated attribute, previous declaration at position 2",
        ),
        (
            "<r a=1/>",
            "line 1, column 1: position 4: attribute value must be enclosed in `\"` or `'`",
        ),
        ("<r a='<'/>", "line 1, column 1: `<` stands in an attribute's value; write &lt;"),
        ("<1r/>", "line 1, column 1: `1r` is not a name"),
        ("<a:b:c xmlns:a='urn:a'/>", "line 1, column 1: `a:b:c` is not a name"),
        ("<:r/>", "line 1, column 1: `:r` is not a name"),
        ("< r/>", "line 1, column 1: `` is not a name"),
        ("<r xmlns:='urn:x'/>", "line 1, column 1: `xmlns:` is not a namespace declaration"),
        (
            "<r>&amp</r>",
            "line 1, column 4: entity or character reference not closed: `;` not found before end of input",
        ),
        ("<r a='&amp'/>", "line 1, column 1: `&` without `;` in an attribute's value"),
        (
            "<r><!-- a -- b --></r>",
            "line 1, column 11: forbidden string `--` was found in a comment",
        ),
        (
            "<r><![CDATA[x</r>",
            "line 1, column 4: CDATA not closed: `]]>` not found before end of input",
        ),
        ("<r", "line 1, column 1: tag not closed: `>` not found before end of input"),
    ] {
        assert_eq!(refused(text), expected, "{text}");
    }
}

#[test]
fn a_mebibyte_of_garbage() {
    for piece in [
        "<",
        ">",
        "&",
        "&amp;",
        "&amp",
        "&#65;",
        "<a",
        "<a>",
        "</a>",
        "<a/>",
        "<!--",
        "<!-- -->",
        "<![CDATA[",
        "<![CDATA[]]>",
        "<?",
        "<?x?>",
        "\"",
        "'",
        "=",
        " ",
        "\n",
        "<a b='",
        "<a b='c' ",
        " a='b'",
        "<a xmlns='",
        ":",
        "<a:",
        "]]>",
        "\u{10FFFF}",
        "x",
        "<!DOCTYPE ",
        "<!",
        "\0",
    ] {
        refused(filled(piece, MIB));
        fault(soap(&filled(piece, MIB - 400)).as_bytes());
        let inside =
            soap(&format!("<s:deleteDomain>{}</s:deleteDomain>", filled(piece, MIB - 400)));
        let start = Instant::now();
        let _either = decode(inside.as_bytes(), None, &Limits::default());
        assert!(start.elapsed() < PATIENCE, "{piece}: {:?}", start.elapsed());
    }
}

#[test]
fn a_mebibyte_of_bytes() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for mask in [0xFF, 0x7F, 0x3F] {
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8 & mask
        })
        .take(MIB)
        .collect();
        refused(&noise);
    }
}

/// References that repeat: each item of a list points to one list of as many members.
#[test]
fn references_cannot_multiply() {
    let rule = "<item><groups href='#groups'/></item>".repeat(1000);
    let groups = "<item>g</item>".repeat(1000);
    assert_eq!(
        refused(soap(&format!(
            "<s:setAcceptRules><rules><persistent>{rule}</persistent></rules></s:setAcceptRules>\
             <x id='groups'>{groups}</x>"
        ))),
        "rules.persistent[19].groups[958]: the references of the message repeat more than the limits allow"
    );
}

#[test]
fn references_cannot_multiply_text() {
    let items = "<item href='#long'/>".repeat(5000);
    let long = "x".repeat(500_000);
    assert_eq!(
        refused(soap(&format!(
            "<s:setRejectMembers><members>{items}</members></s:setRejectMembers><x id='long'>{long}</x>"
        ))),
        "members[3]: the references of the message repeat more than the limits allow"
    );
}

#[test]
fn a_long_row_of_references_ends() {
    let rows: String = (0..9000).map(|i| format!("<x id='r{i}' href='#r{}'/>", i + 1)).collect();
    assert_eq!(
        refused(soap(&format!("<s:getAccount><sipId href='#r0'/></s:getAccount>{rows}"))),
        "sipId: href \"#r16\" leads through more than 16 references or in a circle"
    );
}

#[test]
fn circles_through_members_end_at_the_depth_of_the_schema() {
    let body =
        "<s:addAccount><account id='a'><id href='#a'/><acl href='#a'/></account></s:addAccount>";
    assert!(decode(soap(body).as_bytes(), None, &Limits::default()).is_ok());
}

#[test]
fn long_names_and_values_are_cut_in_faults() {
    let long = "n".repeat(500_000);
    for body in [
        format!("<s:{long}/>"),
        format!("<x:y xmlns:x='{long}'/>"),
        format!("<s:deleteGateway><id>{long}</id></s:deleteGateway>"),
        format!("<s:getAccount><sipId href='#{long}'/></s:getAccount>"),
        format!("<{long}:a/>"),
        format!("<{long}:a:b/>"),
        format!("<s:deleteDomain>&{long};</s:deleteDomain>"),
        format!("<s:deleteDomain><a></{long}></s:deleteDomain>"),
        format!("<{long}>"),
    ] {
        fault(soap(&body).as_bytes());
    }
    fault(format!("<?xml version='1.0' encoding='{}'?><r/>", "e".repeat(200)).as_bytes());
}

#[test]
fn faults_stay_on_one_line() {
    assert_eq!(
        refused("<?xml version='1.0' encoding='UTF-8\0\r\n'?><r/>"),
        "character set `UTF-8   ` is not supported; send UTF-8, ISO-8859-1 or US-ASCII"
    );
    let port = fault(soap("<x:a xmlns:x='urn:&#10;&#13;y'/>").as_bytes());
    assert!(port.text.starts_with("there is no port with namespace urn:  y; "), "{port}");
    let fault = fault(soap("<s:deleteGateway><id>a\nb\u{85}c</id></s:deleteGateway>").as_bytes());
    assert_eq!(fault.text, "id: \"a b c\" is not a number");
}
