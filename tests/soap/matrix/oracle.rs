//! What a call must come to, derived from the contract alone: who calls, whose the record is, and what kind of
//! operation it is. Nothing here looks at what the server does.

/// Who calls (B1-B10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    /// The administrator.
    Admin,
    /// The administrator in the name of the own customer (B5).
    AsCustomer,
    /// The administrator in the name of the own reseller (B6).
    AsReseller,
    /// The reseller whose customer has the own records.
    OwnReseller,
    /// The reseller whose customer has the foreign records.
    ForeignReseller,
    /// The customer who has the own records.
    OwnCustomer,
    /// Another customer of the own reseller, who has no records.
    Sibling,
    /// The customer who has the foreign records.
    ForeignCustomer,
    /// No `auth` header.
    Nobody,
    /// The login of the own reseller with another password.
    WrongPassword,
}

impl Caller {
    /// All of them.
    pub(super) const ALL: [Self; 10] = [
        Self::Admin,
        Self::AsCustomer,
        Self::AsReseller,
        Self::OwnReseller,
        Self::ForeignReseller,
        Self::OwnCustomer,
        Self::Sibling,
        Self::ForeignCustomer,
        Self::Nobody,
        Self::WrongPassword,
    ];

    fn level(self) -> Option<Level> {
        match self {
            Self::Nobody | Self::WrongPassword => None,
            Self::AsCustomer | Self::OwnCustomer | Self::Sibling | Self::ForeignCustomer => {
                Some(Level::Customer)
            }
            Self::AsReseller | Self::OwnReseller | Self::ForeignReseller => Some(Level::Reseller),
            Self::Admin => Some(Level::Administrator),
        }
    }

    /// B10: the administrator reaches all, a reseller what has its reseller id, a customer what has its customer id.
    pub(super) fn reaches(self, record: Record) -> bool {
        match self {
            Self::Admin => matches!(record, Record::Own | Record::Foreign),
            Self::AsCustomer | Self::AsReseller | Self::OwnReseller | Self::OwnCustomer => {
                record == Record::Own
            }
            Self::ForeignReseller | Self::ForeignCustomer => record == Record::Foreign,
            Self::Sibling | Self::Nobody | Self::WrongPassword => false,
        }
    }

    /// Whose records stand for the caller's own where a request needs one beside the record in question.
    pub(super) fn home(self) -> Record {
        match self {
            Self::ForeignReseller | Self::ForeignCustomer => Record::Foreign,
            _ => Record::Own,
        }
    }
}

/// How far somebody's rights go, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Any login.
    Customer,
    /// A reseller's rights: PSTN routing and trusted peers (B18), customers (B22), traces (B170).
    Reseller,
    /// The administrator alone (B170).
    Administrator,
}

/// Whose the record is that a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// The own customer's.
    Own,
    /// The foreign customer's.
    Foreign,
    /// Nobody's: neither it nor what it would lie in exists.
    Absent,
    /// Nobody's, but what it would lie in exists and is the foreign customer's.
    AbsentInForeign,
}

impl Record {
    /// All of them.
    pub(super) const ALL: [Self; 4] =
        [Self::Own, Self::Foreign, Self::Absent, Self::AbsentInForeign];
}

/// How the contract treats the record that a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// What is absent is not found, and what is out of reach is as if it were absent (D3).
    Hidden(i64),
    /// What is absent is not found; of what is out of reach a number counted up by the server is no secret (B139).
    Numbered(i64),
    /// A name of a key space that is global: taken, whoever has it; free when it is absent (D3, last sentence).
    Name(i64),
    /// Whom a record is to belong to: the administrator names any customer there is, and gets this fault for others; the
    /// rest reach only their own and are not told about anybody else (B9).
    Owner(i64),
    /// A member that may be anything (B13), or a list in which what is out of reach looks like what is absent.
    Free,
    /// A list that holds the caller's own record beside the one in question, so that answers differ anyway.
    Beside,
    /// There is no record.
    None,
    /// The caller itself, who may be seen and changed, but not deleted by itself (D3: 8001).
    NotByItself(i64),
}

/// What a call must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A result.
    Done,
    /// A fault of this code.
    Fault(i64),
}

/// The one place that says what every cell must come to (contract D: 8000, 8003, not found, 8001, exists).
pub(super) fn expected(need: Level, rule: Rule, caller: Caller, record: Record) -> Outcome {
    let Some(level) = caller.level() else { return Outcome::Fault(8000) };
    if level < need {
        return Outcome::Fault(8003);
    }
    let exists = matches!(record, Record::Own | Record::Foreign);
    let reached = caller.reaches(record);
    match rule {
        Rule::None | Rule::Free | Rule::Beside => Outcome::Done,
        Rule::Hidden(code) if !reached => Outcome::Fault(code),
        Rule::Numbered(code) if !exists => Outcome::Fault(code),
        Rule::Numbered(_) if !reached => Outcome::Fault(8001),
        Rule::Name(code) if exists => Outcome::Fault(code),
        Rule::Owner(code) if level == Level::Administrator && !exists => Outcome::Fault(code),
        Rule::NotByItself(code) if !reached => Outcome::Fault(code),
        Rule::NotByItself(_) if level == Level::Customer => Outcome::Fault(8001),
        _ => Outcome::Done,
    }
}

/// Which answers a caller must not be able to tell from each other: those about what is out of its reach and those
/// about what is absent. Gives whether this cell is one of them.
pub(super) fn hides(rule: Rule, caller: Caller, record: Record) -> bool {
    match rule {
        Rule::Numbered(_) | Rule::None | Rule::Beside => false,
        Rule::Name(_) => matches!(record, Record::Own | Record::Foreign),
        Rule::Owner(_) => caller != Caller::Admin && !caller.reaches(record),
        Rule::Hidden(_) | Rule::Free | Rule::NotByItself(_) => !caller.reaches(record),
    }
}

/// Whose a record becomes that was to be the given customer's: customer and reseller (B9). `itself` is the caller's own
/// customer and reseller.
pub(super) fn owner(
    caller: Caller,
    record: Record,
    named: (i64, i64),
    itself: (i64, i64),
) -> (i64, i64) {
    match caller.level() {
        Some(Level::Administrator) => named,
        Some(Level::Reseller) if caller.reaches(record) => named,
        _ => itself,
    }
}

/// How many records a list shows of a kind of which the own and the foreign customer have one each (B11).
pub(super) fn all_of_each(caller: Caller, _: Record) -> i64 {
    let seen = [Record::Own, Record::Foreign].into_iter().filter(|record| caller.reaches(*record));
    i64::try_from(seen.count()).unwrap_or(0)
}

/// How many records a list shows that is asked for one by its name (B11).
pub(super) fn that_one(caller: Caller, record: Record) -> i64 {
    i64::from(caller.reaches(record))
}
