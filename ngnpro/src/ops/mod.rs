//! The operations, a file for each kind of record.
//!
//! # Adding an operation
//!
//! 1. Its rows: functions on [`ngn_store::Tx`] in a file of `crates/store` named after the table.
//! 2. Its rules on single values: plain functions in [`crate::rules`].
//! 3. Here: an `async fn name(call: &Call<'_>, request: port::Name) -> Outcome<Response>` that says what it needs
//!    (`call.require(Need::…)?`), opens one transaction, loads facts, decides in the order of contract D, writes,
//!    notes the journal, and returns.
//! 4. One line in [`crate::dispatch`], whose match is total: an operation without a line does not compile.

pub mod calls;
pub mod carriers;
pub mod credit;
pub mod customers;
pub mod derived;
pub mod dns_fancy_records;
pub mod dns_records;
pub mod dns_zones;
pub mod enum_numbers;
pub mod enum_ranges;
pub mod gateway_rules;
pub mod gateways;
pub mod network;
pub mod prepaid;
pub mod rating;
pub mod routes;
pub mod sip_accounts;
pub mod sip_aliases;
pub mod sip_call_options;
pub mod sip_domains;
pub mod sip_phonebook;
pub mod traces;
pub mod trusted_peers;
pub mod voicemail;
pub mod zone_file;

use crate::config::Provisioning;
use crate::fault::OpError;
use crate::principal::{Authorised, Need, Principal};
use crate::rules;
use ngn_model::{CustomerId, Ownership, Position};
use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_soap::types::Range as SoapRange;
use ngn_store::{Actor, Store, Tx};

/// What an operation gives back: its result and, after a write, the journal position.
pub type Outcome<T> = Result<(T, Option<Position>), OpError>;

/// One call in progress.
#[derive(Debug)]
pub struct Call<'a> {
    /// The store.
    pub store: &'a Store,
    /// Settings.
    pub settings: &'a Provisioning,
    /// Who calls.
    pub principal: Principal,
    /// For the journal.
    pub actor: Actor,
    /// Where accounts wait to be added together.
    pub adding: &'a sip_accounts::Adding,
}

impl Call<'_> {
    /// The same call on another handle of the store.
    #[must_use]
    pub fn on<'s>(&'s self, store: &'s Store) -> Call<'s> {
        Call {
            store,
            settings: self.settings,
            principal: self.principal.clone(),
            actor: self.actor.clone(),
            adding: self.adding,
        }
    }

    /// Checks what the operation needs of its caller.
    ///
    /// # Errors
    ///
    /// As [`Principal::require`].
    pub fn require(&self, need: Need) -> Result<Authorised, Fault> {
        self.principal.require(need)
    }

    /// The part of a list that a range asks for (B45).
    #[must_use]
    pub fn range(&self, range: Option<&SoapRange>) -> ngn_store::Range {
        let Some(range) = range else { return ngn_store::Range::default() };
        let number = |value: Option<i32>| value.and_then(|n| u64::try_from(n).ok());
        let count = number(range.count).filter(|count| *count > 0);
        ngn_store::Range {
            start: number(range.start).unwrap_or(0),
            count: count.map(|count| count.min(self.settings.page)),
        }
    }
}

/// A parameter that has to be there.
///
/// # Errors
///
/// 9001 with its name.
pub fn required<T>(value: Option<T>, name: &str) -> Result<T, Fault> {
    value.ok_or_else(|| {
        Fault::client(code::MISSING_ARGUMENT, format!("the parameter `{name}` is missing"))
    })
}

/// The owner of a record that a principal creates or gives away (B9, B14).
///
/// # Errors
///
/// 5000 when the administrator names a customer that does not exist.
pub async fn stamp(
    tx: &mut Tx<'_>,
    who: &Principal,
    customer: Option<CustomerId>,
    reseller: Option<CustomerId>,
) -> Result<Ownership, OpError> {
    let mut requested = Ownership {
        customer: customer.unwrap_or_default().max(0),
        reseller: reseller.unwrap_or_default().max(0),
    };
    let mut child = false;
    for id in [requested.customer, requested.reseller] {
        if id == 0 {
            continue;
        }
        let found = tx.customer(id).await?;
        if who.is_administrator() && found.is_none() {
            return Err(Fault::client(
                code::CUSTOMER_NOT_FOUND,
                format!("there is no customer {id} to own the record; send 0 for nobody"),
            )
            .into());
        }
        let Some(found) = found.filter(|found| found.id == requested.customer) else { continue };
        child = who.caller.as_ref().is_some_and(|caller| caller.reseller == found.reseller);
        // A record of a customer belongs to that customer's reseller unless another one is named.
        if requested.reseller == 0 {
            requested.reseller = found.reseller;
        }
    }
    Ok(who.stamp(requested, child))
}

/// The owner of a record that a principal changes (B9, B14, B58): what is missing stays, but a record that is given to
/// another customer becomes that customer's reseller's, unless one is named.
///
/// # Errors
///
/// As [`stamp`].
pub async fn restamp(
    tx: &mut Tx<'_>,
    who: &Principal,
    customer: Option<CustomerId>,
    reseller: Option<CustomerId>,
    old: Ownership,
) -> Result<Ownership, OpError> {
    let moved = customer.is_some_and(|id| id > 0 && id != old.customer);
    let reseller = if moved { reseller } else { reseller.or(Some(old.reseller)) };
    stamp(tx, who, customer.or(Some(old.customer)), reseller).await
}

/// The key of a carrier or gateway to be deleted: its id or, as older clients send, its name.
///
/// # Errors
///
/// 9001 when both are missing, 9000 when the id is negative.
pub fn id_or_name(id: Option<i64>, name: Option<&str>) -> Result<Result<i64, String>, Fault> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    match (id.filter(|id| *id != 0), name) {
        (None, Some(name)) => Ok(Err(name.to_owned())),
        (id, _) => rules::pstn::read_id(id, "id").map(Ok),
    }
}

/// The only one of the records that a name may mean; `None` when there are none.
///
/// # Errors
///
/// 9000 when there are several.
pub fn only_one(
    mut ids: impl Iterator<Item = i64>,
    what: &str,
    name: &str,
) -> Result<Option<i64>, Fault> {
    let first = ids.next();
    if ids.next().is_some() {
        return Err(Fault::invalid(
            "name",
            format!("several resellers or carriers have a {what} {name}; send the id instead"),
        ));
    }
    Ok(first)
}

/// Checks that a carrier, or what belongs to one, is the caller's own (B10, B139).
///
/// # Errors
///
/// 8001 when it is another reseller's.
pub fn own_pstn(who: &Principal, reseller: CustomerId, what: &str, id: i64) -> Result<(), Fault> {
    if who.reaches(Ownership { customer: 0, reseller }) {
        return Ok(());
    }
    Err(Fault::client(
        code::NO_PERMISSION,
        format!("the {what} {id} belongs to another reseller; nothing was changed"),
    ))
}

/// A time as it stands on the wire: `YYYY-MM-DD hh:mm:ss`, UTC.
#[must_use]
pub fn wire_time(millis: i64) -> Option<String> {
    (millis > 0).then(|| ngn_store::utc(millis))
}

/// A number of the database as an xsd:int; what does not fit there becomes the nearest number that does.
#[must_use]
pub fn wire_int(value: i64) -> Option<i32> {
    Some(i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX }))
}

/// A count as it stands on the wire.
#[must_use]
pub fn wire_total(total: u64) -> Option<i32> {
    Some(i32::try_from(total).unwrap_or(i32::MAX))
}

/// Text of a nullable column: empty is stored as nothing.
#[must_use]
pub fn stored(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Takes a query apart: filter, order (attribute and direction) and range.
macro_rules! query_parts {
    ($query:expr) => {{
        let query = $query.unwrap_or_default();
        let order = query.order_by.map(|order| {
            (order.attribute.unwrap_or_default(), order.direction.unwrap_or_default())
        });
        (query.filter.unwrap_or_default(), order, query.range)
    }};
}
pub(crate) use query_parts;
