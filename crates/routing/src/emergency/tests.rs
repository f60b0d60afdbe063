use super::*;

fn table(numbers: &[&str], rows: &[(i64, &str, &str, &str)]) -> EmergencyTable {
    let row = |(id, number, domain, region): &(i64, &str, &str, &str)| EmergencyMapping {
        id: *id,
        number: (*number).to_owned(),
        domain: (*domain).to_owned(),
        region: (*region).to_owned(),
        target: format!("sip:{id}@ecc.example"),
    };
    EmergencyTable::new(numbers.iter().map(|n| (*n).to_owned()), rows.iter().map(row))
}

#[test]
fn b165_the_closest_row_comes_first() {
    let rows = [
        (1, "112", "", ""),
        (2, "112", "", "north"),
        (3, "112", "Example.com", ""),
        (4, "112", "example.com", "north"),
        (5, "112", "example.com", "south"),
        (6, "112", "example.net", "north"),
        (7, "110", "", ""),
        (8, "112", "example.com", "North"),
    ];
    let table = table(&[], &rows);
    for (domain, region, expected) in [
        ("example.com", "north", &[4, 8, 3, 2, 1][..]),
        ("example.com", "", &[3, 1]),
        ("example.com", "east", &[3, 1]),
        ("example.org", "north", &[2, 1]),
        ("example.org", "", &[1]),
    ] {
        let rows = table.rows("112", domain, region);
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        assert_eq!(ids, expected, "{domain} {region}");
    }
    assert!(table.rows("113", "example.com", "").is_empty());
}

#[test]
fn b165_what_is_an_emergency_number() {
    let table = table(&["112", "911"], &[(1, "110", "", ""), (2, "urn:service:sos.fire", "", "")]);
    for (dialled, expected) in [
        ("112", Some("112")),
        (" 911", Some("911")),
        ("110", Some("110")),
        ("1120", None),
        ("+112", None),
        ("", None),
        ("urn:service:sos", Some("112")),
        ("URN:service:sos.police", Some("112")),
        ("urn:service:sos.fire", Some("urn:service:sos.fire")),
        ("urn:service:sos.fire.forest", Some("urn:service:sos.fire")),
        ("urn:service:counseling", None),
    ] {
        assert_eq!(table.number(dialled), expected, "{dialled}");
    }
    assert_eq!(EmergencyTable::default().number("urn:service:sos"), None);
}

#[test]
fn b165_a_long_table_hides_none_of_its_rows() {
    let mut file = String::from(
        "[settings]\ndomains = [\"example.com\"]\n[[account]]\naor = \"centre@example.com\"\ncontacts = [\"sip:centre@192.0.2.70\"]\n",
    );
    for region in 0..200 {
        file += &format!(
            "[[emergency]]\nnumber = \"112\"\nregion = \"r{region}\"\ntarget = \"sip:other{region}@example.com\"\n"
        );
    }
    file += "[[emergency]]\nnumber = \"112\"\nregion = \"last\"\ntarget = \"sip:centre@example.com\"\n\
             [[account]]\naor = \"alice@example.com\"\nregion = \"last\"\n\
             [[case]]\nname = \"to the last row\"\nfrom = \"alice@example.com\"\ncall = \"112\"\n\
             expect = [\"emergency\", \"first 0: sip:centre@192.0.2.70\"]\n";
    let cases = crate::cases::Cases::read(&file).expect("cases");
    for verdict in cases.run() {
        assert_eq!(verdict.difference, None);
    }
}
