use super::*;

fn diverted(user: &str, condition: DiversionCondition, to: &str, is_hidden: bool) -> Diverted {
    let shown = format!("sip:{user}@example.com");
    Diverted { shown, condition, to: to.to_owned(), is_hidden }
}

fn texts(edits: &[HeaderEdit]) -> Vec<(&str, &str)> {
    let mut texts = Vec::new();
    for edit in edits {
        match edit {
            HeaderEdit::Set(name, value) => texts.push((*name, value.as_str())),
            HeaderEdit::Remove(name) => texts.push((*name, "")),
        }
    }
    texts
}

const CALLED: &str = "sip:bob@example.com";

#[test]
fn a_call_that_nobody_diverted_tells_nothing() {
    assert_eq!(fields(&[], CALLED, Before::default(), true), []);
}

// RFC 5806 section 4, RFC 7044 section 5.
#[test]
fn two_diversions() {
    let both = [
        diverted("bob", DiversionCondition::Busy, "sip:carol@example.com", false),
        diverted("carol", DiversionCondition::Unconditional, "sip:+431@example.com?x=y", false),
    ];
    assert_eq!(
        texts(&fields(&both, CALLED, Before::default(), false)),
        [
            (
                "Diversion",
                "<sip:carol@example.com>;reason=unconditional;counter=1;privacy=off, \
                 <sip:bob@example.com>;reason=user-busy;counter=1;privacy=off"
            ),
            (
                "History-Info",
                "<sip:bob@example.com?Reason=SIP%3Bcause%3D486>;index=1, \
                 <sip:carol@example.com>;index=1.1;mp=1, <sip:+431@example.com>;index=1.1.1;mp=1.1"
            ),
        ]
    );
}

#[test]
fn every_condition_has_its_reason() {
    let told = DiversionCondition::ALL.map(|condition| {
        let one = [diverted("bob", condition, "sip:carol@example.com", false)];
        let edits = fields(&one, CALLED, Before::default(), true);
        let (_, text) = texts(&edits)[0];
        text.split(';').nth(1).map(str::to_owned).expect("a reason")
    });
    assert_eq!(
        told,
        [
            "reason=do-not-disturb",
            "reason=unconditional",
            "reason=unavailable",
            "reason=user-busy",
            "reason=no-answer"
        ]
    );
}

// RFC 3323, RFC 7044 section 10.1.2.
#[test]
fn who_is_hidden_is_named_to_those_who_are_trusted_only() {
    let one = [diverted("bob", DiversionCondition::NoAnswer, "sip:carol@example.com", true)];
    let outside = fields(&one, CALLED, Before::default(), false);
    let outside = texts(&outside);
    assert!(outside.iter().all(|(_, text)| !text.contains("bob")), "{outside:?}");
    assert!(outside[0].1.contains("anonymous.invalid>;reason=no-answer;counter=1;privacy=full"));
    assert!(outside[1].1.contains("<sip:anonymous@anonymous.invalid>;index=1, <sip:carol@"));
    let inside = fields(&one, CALLED, Before::default(), true);
    let inside = texts(&inside);
    assert!(
        inside[0].1.starts_with("<sip:bob@example.com>;reason=no-answer;counter=1;privacy=full")
    );
    assert!(inside[1].1.contains("cause%3D408&Privacy=history>;index=1,"), "{inside:?}");
}

#[test]
fn earlier_diversions_stay() {
    let one = [diverted("bob", DiversionCondition::Busy, "sip:carol@example.com", false)];
    let diversions = ["<sip:x@y>;reason=unknown;counter=2".to_owned()];
    let history =
        ["<sip:x@y>;index=1".to_owned(), "<sip:bob@example.com>;index=1.2;rc=1".to_owned()];
    let before = Before { diversions: &diversions, history: &history };
    let edits = fields(&one, CALLED, before, true);
    let told = texts(&edits);
    assert!(told[0].1.ends_with("privacy=off, <sip:x@y>;reason=unknown;counter=2"), "{told:?}");
    assert!(
        told[1]
            .1
            .ends_with("cause%3D486>;index=1.2.1, <sip:carol@example.com>;index=1.2.1.1;mp=1.2.1"),
        "{told:?}"
    );
    // However many there are.
    let many: Vec<String> = (0..1000).map(|n| format!("<sip:{n}@y>;index={n}")).collect();
    let before = Before { diversions: &many, history: &many };
    let edits = fields(&one, CALLED, before, true);
    for (name, text) in texts(&edits) {
        assert!(text.split(',').count() <= MOST_BEFORE + 2, "{name}");
    }
}

#[test]
fn nothing_breaks_out_of_its_brackets() {
    let one = [diverted("bob>\r\nX: y<", DiversionCondition::Busy, "sip:c\"@d>\r\nEvil: 1", false)];
    let odd = ["<sip:x>;index=1>\r\n".to_owned(), "index".to_owned(), String::new()];
    let before = Before { diversions: &[], history: &odd[1..] };
    for (_, text) in texts(&fields(&one, "sip:<<>>", before, true)) {
        assert!(!text.contains(['\r', '\n', '"']), "{text}");
        assert_eq!(text.matches('<').count(), text.matches('>').count(), "{text}");
    }
}

#[test]
fn counters() {
    let of = |texts: &[&str]| {
        diversions_in(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(of(&[]), 0);
    assert_eq!(of(&["<sip:a@b>;reason=unknown", "<sip:a@b>;counter=4;privacy=off"]), 5);
    assert_eq!(of(&["<sip:a@b>;counter=0", "<sip:a@b>;counter=x"]), 2);
    assert_eq!(of(&["<sip:a@b>;counter=123456789"]), 1000);
}
