//! Record types by number and by name.

use std::fmt;

/// The type of a record (RFC 1035 section 3.2.2 and the IANA registry), any of 0 to 65,535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordType(pub u16);

macro_rules! record_types {
    ($($name:ident = $number:literal, $about:literal;)*) => {
        impl RecordType {
            $(#[doc = $about] pub const $name: Self = Self($number);)*

            const NAMES: &[(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];

            /// By the name in upper case, as nearly all come.
            fn exact(text: &str) -> Option<Self> {
                $(const $name: &str = stringify!($name);)*
                match text {
                    $($name => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

record_types! {
    A = 1, "IPv4 address (RFC 1035).";
    NS = 2, "Name server (RFC 1035).";
    CNAME = 5, "Alias of another name (RFC 1035).";
    SOA = 6, "Start of authority (RFC 1035).";
    PTR = 12, "Name of an address (RFC 1035).";
    HINFO = 13, "Host information (RFC 1035), also the answer to ANY (RFC 8482).";
    MX = 15, "Mail server (RFC 1035).";
    TXT = 16, "Text (RFC 1035).";
    RP = 17, "Responsible person (RFC 1183).";
    AFSDB = 18, "Server of an AFS cell (RFC 1183).";
    AAAA = 28, "IPv6 address (RFC 3596).";
    LOC = 29, "Location (RFC 1876).";
    SRV = 33, "Server of a service (RFC 2782).";
    NAPTR = 35, "Naming authority pointer (RFC 3403).";
    DNAME = 39, "Alias of a subtree (RFC 6672).";
    OPT = 41, "Options of a message (RFC 6891).";
    DS = 43, "Delegation signer (RFC 4034).";
    SSHFP = 44, "SSH fingerprint (RFC 4255).";
    RRSIG = 46, "Signature (RFC 4034).";
    NSEC = 47, "Next name (RFC 4034).";
    DNSKEY = 48, "Zone key (RFC 4034).";
    DHCID = 49, "DHCP client (RFC 4701).";
    NSEC3 = 50, "Next hashed name (RFC 5155).";
    NSEC3PARAM = 51, "Parameters of hashed names (RFC 5155).";
    TLSA = 52, "TLS certificate (RFC 6698).";
    SMIMEA = 53, "S/MIME certificate (RFC 8162).";
    CDS = 59, "DS that the parent shall have (RFC 7344).";
    CDNSKEY = 60, "Key that the parent shall vouch for (RFC 7344).";
    OPENPGPKEY = 61, "OpenPGP key (RFC 7929).";
    SVCB = 64, "Service binding (RFC 9460).";
    HTTPS = 65, "Service binding of HTTPS (RFC 9460).";
    SPF = 99, "Who may send mail, as TXT (RFC 7208 section 3.1).";
    TSIG = 250, "Transaction signature (RFC 8945).";
    IXFR = 251, "Incremental zone transfer (RFC 1995).";
    AXFR = 252, "Zone transfer (RFC 5936).";
    ANY = 255, "All types, in questions (RFC 8482).";
    URI = 256, "URI (RFC 7553).";
    CAA = 257, "Certification authorities (RFC 8659).";
}

impl RecordType {
    /// Reads a mnemonic or `TYPE` and a decimal number (RFC 3597 section 5), in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(kind) = Self::exact(text) {
            return Some(kind);
        }
        let named = Self::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, kind)) = named {
            return Some(*kind);
        }
        let (head, digits) = text.split_at_checked(4)?;
        let decimal = digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = head.eq_ignore_ascii_case("TYPE") && decimal;
        number.then(|| digits.parse().ok().map(Self)).flatten()
    }

    /// The type whose name is most like a text that is no name of a type: at most two letters differ.
    #[must_use]
    pub fn nearest(text: &str) -> Option<Self> {
        if text.len() > 16 {
            return None;
        }
        let text = text.to_ascii_uppercase();
        let near = |name: &str| distance(name.as_bytes(), text.as_bytes());
        let found = Self::NAMES.iter().filter(|(_, kind)| kind.is_data());
        let (name, kind) = found.min_by_key(|(name, _)| near(name))?;
        (near(name) <= 2 && near(name) < name.len()).then_some(*kind)
    }

    /// Whether records in a zone can have this type: not those for questions and messages (RFC 6895 section 3.1).
    #[must_use]
    pub const fn is_data(self) -> bool {
        self.0 != 0 && self.0 != Self::OPT.0 && !(self.0 >= 128 && self.0 <= 255)
    }
}

/// How many letters must be put in, taken away or changed to make one word of the other (Levenshtein).
fn distance(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut left = i + 1;
        let mut corner = i;
        let mut next = vec![left];
        for (above, b) in row.iter().skip(1).zip(to) {
            left = (corner + usize::from(a != b)).min(above + 1).min(left + 1);
            corner = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The mnemonic, `TYPEnnn` for types without one here.
impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.iter().find(|(_, kind)| kind == self) {
            Some((name, _)) => f.pad(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}
