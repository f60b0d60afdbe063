//! What the records of a customer are called.

/// The names of one customer's records, or of nobody's.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// The word in every name.
    pub(super) tag: &'static str,
    /// The customer.
    pub(super) customer: i64,
    /// Its reseller.
    pub(super) reseller: i64,
    /// The customer's login.
    pub(super) username: String,
    /// A SIP domain.
    pub(super) domain: String,
    /// A prepaid SIP account with everything that an account can have.
    pub(super) account: String,
    /// An alias of it.
    pub(super) alias: String,
    /// An entry of its phone book.
    pub(super) entry: String,
    /// A call that it made, that was traced and whose media were relayed.
    pub(super) call: String,
    /// A trusted peer.
    pub(super) peer: String,
    /// A carrier.
    pub(super) carrier: i64,
    /// Its name.
    pub(super) carrier_name: String,
    /// A gateway of the carrier.
    pub(super) gateway: i64,
    /// Its name.
    pub(super) gateway_name: String,
    /// A rule of the gateway.
    pub(super) rule: i64,
    /// A route to the carrier.
    pub(super) route: i64,
    /// The prefix of rule and route.
    pub(super) dialled: String,
    /// A prepaid card of the reseller: its id.
    pub(super) card: i64,
    /// An ENUM range.
    pub(super) prefix: String,
    /// A number in it.
    pub(super) number: String,
    /// A DNS zone.
    pub(super) zone: String,
    /// A record in it.
    pub(super) record: i64,
    /// Its name.
    pub(super) record_name: String,
    /// A fancy record in it.
    pub(super) fancy: i64,
    /// Its name.
    pub(super) fancy_name: String,
    /// What only those may read who reach the records.
    pub(super) secrets: Vec<String>,
}

impl Names {
    /// The names that only one customer's records have, longest first.
    pub(super) fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = [
            &self.username,
            &self.domain,
            &self.entry,
            &self.call,
            &self.peer,
            &self.carrier_name,
            &self.gateway_name,
            &self.dialled,
            &self.prefix,
            &self.number,
            &self.zone,
            &self.record_name,
            &self.fancy_name,
        ]
        .map(String::as_str)
        .to_vec();
        // Requests have the parts of an address apart.
        texts.extend([&self.account, &self.alias].map(|it| it.split('@').next().unwrap_or(it)));
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts
    }

    /// The DNS zone of the ENUM range.
    pub(super) fn apex(&self) -> String {
        let labels: String = self.prefix.chars().rev().map(|digit| format!("{digit}.")).collect();
        format!("{labels}e164.arpa")
    }

    /// The ids by which requests name records.
    pub(super) fn ids(&self) -> [i64; 9] {
        [
            self.customer,
            self.reseller,
            self.carrier,
            self.gateway,
            self.rule,
            self.route,
            self.card,
            self.record,
            self.fancy,
        ]
    }

    pub(super) fn of(tag: &'static str, digits: &str, address: &str) -> Self {
        Self {
            tag,
            username: format!("{tag}-customer"),
            domain: format!("{tag}-sip.example"),
            account: format!("{tag}-alice@{tag}-sip.example"),
            alias: format!("{tag}-info@{tag}-sip.example"),
            entry: format!("sip:{tag}-friend@example.org"),
            call: format!("{tag}-call"),
            peer: address.to_owned(),
            carrier_name: format!("{tag}-carrier"),
            gateway_name: format!("{tag}-gateway"),
            dialled: format!("00{digits}"),
            prefix: digits.to_owned(),
            number: format!("{digits}0001"),
            zone: format!("{tag}-zone.example"),
            record_name: format!("www.{tag}-zone.example"),
            fancy_name: format!("web.{tag}-zone.example"),
            secrets: vec![format!("hush-{tag}")],
            ..Self::default()
        }
    }

    pub(super) fn absent() -> Self {
        Self {
            customer: 990_001,
            reseller: 990_002,
            carrier: 990_003,
            gateway: 990_004,
            rule: 990_005,
            route: 990_006,
            card: 990_007,
            record: 990_008,
            fancy: 990_009,
            ..Self::of("absent", "319735550", "203.0.113.233")
        }
    }

    /// What is missing beside these records.
    pub(super) fn missing_inside(&self) -> Self {
        let absent = Self::absent();
        Self {
            account: format!("absent-alice@{}", self.domain),
            alias: format!("absent-info@{}", self.domain),
            entry: absent.entry,
            number: format!("{}9999", self.prefix),
            gateway: absent.gateway,
            rule: absent.rule,
            route: absent.route,
            dialled: absent.dialled,
            record: absent.record,
            record_name: format!("absent.{}", self.zone),
            fancy: absent.fancy,
            fancy_name: format!("absent-web.{}", self.zone),
            ..self.clone()
        }
    }
}
