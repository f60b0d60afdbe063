//! The Customer port: customers, resellers and their properties (B20-B35).

use super::{Call, Outcome, query_parts, required, stored, wire_time, wire_total};
use crate::fault::OpError;
use crate::principal::{Need, Principal};
use crate::rules::properties;
use ngn_model::{CustomerId, Entity, Ownership};
use ngn_soap::Fault;
use ngn_soap::customer;
use ngn_soap::fault::code;
use ngn_soap::types::{CustomerAccount, CustomerAccounts, CustomerProperty, CustomerQuery};
use ngn_store::{Customer, CustomerFilter, CustomerPropertyRow, Filter, Tx};
use serde_json::{Value, json};

/// `addAccount` (B20-B23, B28, B190).
pub async fn add(call: &Call<'_>, request: customer::AddAccount) -> Outcome<CustomerAccount> {
    if !call.principal.has_reseller_rights() {
        return Err(Fault::client(
            code::ADMINISTRATOR_ONLY,
            "customers cannot create customers; ask your reseller",
        )
        .into());
    }
    let who = call.require(Need::Create)?;
    let account = required(request.account, "account")?;
    let username = username(&account)?;
    let (who, account, username) = (&who, &account, &username);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let mut new = Customer { username: username.clone(), ..Customer::default() };
                match &who.caller {
                    Some(caller) => new.reseller = caller.reseller,
                    None => {
                        // B190: an import by the administrator keeps ids that are free.
                        if who.administrator_login
                            && let Some(id) = account.id.filter(|id| *id > 0)
                            && tx.customer(id).await?.is_none()
                        {
                            new.id = id;
                        }
                        new.reseller = account.reseller.unwrap_or_default();
                        // A reseller of another server names itself.
                        let is_itself = new.id != 0 && new.reseller == new.id;
                        if new.reseller != 0 && !is_itself {
                            let reseller = tx.customer(new.reseller).await?;
                            if reseller.is_none_or(|r| r.id != r.reseller) {
                                return Err(no_such_reseller(new.reseller).into());
                            }
                        }
                    }
                }
                attributes(&mut new, account, who);
                new.impersonate = account.impersonate.filter(|id| *id > 0);
                if tx.customer_by_username(username).await?.is_some() {
                    return Err(taken(username).into());
                }
                let inserted = tx.insert_customer(&new).await;
                let id = inserted.map_err(|error| duplicate(error, username))?;
                let mut rows = Vec::new();
                for property in account.properties.iter().flatten() {
                    let reseller = if new.reseller == 0 { id } else { new.reseller };
                    let level = properties::level(who, Ownership { customer: id, reseller });
                    let Some(row) = properties::new_row(property, level) else { continue };
                    tx.set_customer_property(id, &row).await?;
                    rows.push(row);
                }
                let stored = existing(tx, id).await?;
                tx.journal(Entity::Customer, id, None, None, Some(snapshot(&stored, &rows)));
                let rows = tx.customer_properties(id).await?;
                Ok::<_, OpError>(wire(stored, rows))
            })
        })
        .await
}

/// `updateAccount` (B26-B28, B32-B35).
pub async fn update(call: &Call<'_>, request: customer::UpdateAccount) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let account = required(request.account, "account")?;
    let id = required(account.id, "account.id")?;
    let named = account.username.as_deref().is_some_and(|name| !name.trim().is_empty());
    let name = if named { Some(username(&account)?) } else { None };
    let (who, account, name) = (&who, &account, &name);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = visible(tx, who, id).await?;
                let rows = tx.customer_properties(id).await?;
                let mut new = Customer { id, reseller: old.reseller, ..Customer::default() };
                // B28: what only the administrator changes.
                new.balance = old.balance;
                new.credit = old.credit;
                new.company_code = old.company_code.clone();
                new.reseller_active = old.reseller_active;
                new.password = old.password.clone();
                new.username = name.clone().unwrap_or_else(|| old.username.clone());
                if who.is_administrator()
                    && let Some(reseller) = account.reseller.filter(|id| *id > 0)
                    && reseller != old.reseller
                {
                    let found = tx.customer(reseller).await?;
                    if reseller != id && found.is_none_or(|r| r.id != r.reseller) {
                        return Err(no_such_reseller(reseller).into());
                    }
                    new.reseller = reseller;
                }
                attributes(&mut new, account, who);
                // B27: the rights of a child are given by its reseller or the administrator.
                let may_give =
                    who.has_reseller_rights() && (who.is_administrator() || !is_self(who, id));
                new.impersonate = if may_give {
                    account.impersonate.filter(|id| *id > 0)
                } else {
                    old.impersonate
                };
                let updated = tx.update_customer(&new).await;
                updated.map_err(|error| duplicate(error, &new.username))?;
                if let Some(given) = &account.properties {
                    let level = properties::level(who, owner(&old));
                    for change in properties::replaced(given, &rows, level) {
                        apply(tx, id, &change).await?;
                    }
                }
                let after_rows = tx.customer_properties(id).await?;
                tx.journal(
                    Entity::Customer,
                    id,
                    None,
                    Some(snapshot(&old, &rows)),
                    Some(snapshot(&new, &after_rows)),
                );
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `deleteAccount` (B29).
pub async fn delete(call: &Call<'_>, request: customer::DeleteAccount) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let id = required(request.id, "id")?;
    let who = &who;
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let old = visible(tx, who, id).await?;
                if !who.has_reseller_rights() {
                    return Err(Fault::client(
                        code::NO_PERMISSION,
                        format!("customer {id} cannot delete itself; ask your reseller"),
                    )
                    .into());
                }
                if let Some(what) = tx.customer_in_use(id).await? {
                    return Err(Fault::client(
                        code::CUSTOMER_IN_USE,
                        format!("customer {id} still owns {what}; delete or move them first"),
                    )
                    .into());
                }
                let rows = tx.customer_properties(id).await?;
                tx.delete_customer(id).await?;
                tx.journal(Entity::Customer, id, None, Some(snapshot(&old, &rows)), None);
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getAccount`.
pub async fn get(call: &Call<'_>, request: customer::GetAccount) -> Outcome<CustomerAccount> {
    let who = call.require(Need::Login)?;
    let id = required(request.id, "id")?;
    let who = &who;
    let account = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let customer = visible(tx, who, id).await?;
                let rows = tx.customer_properties(id).await?;
                Ok::<_, OpError>(wire(customer, rows))
            })
        })
        .await?;
    Ok((account, None))
}

/// `getCustomers` (B24, B25).
pub async fn customers(
    call: &Call<'_>,
    request: customer::GetCustomers,
) -> Outcome<CustomerAccounts> {
    list(call, request.query, false).await
}

/// `getResellers`: with a customer in the filter that very customer, reseller or not (B24).
pub async fn resellers(
    call: &Call<'_>,
    request: customer::GetResellers,
) -> Outcome<CustomerAccounts> {
    list(call, request.query, true).await
}

async fn list(
    call: &Call<'_>,
    query: Option<CustomerQuery>,
    resellers: bool,
) -> Outcome<CustomerAccounts> {
    let who = call.require(Need::Login)?;
    let (wanted, order, range) = query_parts!(query);
    let mut filter = Filter::new();
    filter
        .text_lower("username_lower", wanted.username.as_deref())
        .text("first_name", wanted.first_name.as_deref())
        .text("last_name", wanted.last_name.as_deref())
        .text("organization", wanted.organization.as_deref())
        .text("tel", wanted.tel.as_deref())
        .text("email", wanted.email.as_deref())
        .text("web", wanted.web.as_deref())
        .text("city", wanted.city.as_deref())
        .text("country", wanted.country.as_deref())
        .number("id", wanted.customer)
        .number("reseller", wanted.reseller);
    let one = wanted.customer.is_some_and(|id| id > 0);
    let only_resellers = wanted.only_resellers.as_deref().is_some_and(|text| !text.is_empty());
    if (resellers && !one) || only_resellers {
        filter.sql("id = reseller", Vec::new());
    }
    who.restrict(&mut filter, "id", "reseller");
    let wanted = CustomerFilter { filter, order, range: call.range(range.as_ref()) };
    let wanted = &wanted;
    let accounts = call
        .store
        .read(|tx| {
            Box::pin(async move {
                let page = tx.customers(wanted).await?;
                let mut accounts = Vec::with_capacity(page.rows.len());
                for customer in page.rows {
                    let rows = tx.customer_properties(customer.id).await?;
                    accounts.push(wire(customer, rows));
                }
                Ok::<_, OpError>(CustomerAccounts {
                    accounts: Some(accounts),
                    total: wire_total(page.total),
                })
            })
        })
        .await?;
    Ok((accounts, None))
}

/// `setProperties`: by name, the others stay (B31, B33-B35).
pub async fn set_properties(call: &Call<'_>, request: customer::SetProperties) -> Outcome<()> {
    let who = call.require(Need::Login)?;
    let id = required(request.customer, "customer")?;
    let given = required(request.properties, "properties")?;
    given.iter().try_for_each(|property| properties::name(property).map(drop))?;
    let (who, given) = (&who, &given);
    call.store
        .write(&call.actor, |tx| {
            Box::pin(async move {
                let customer = visible(tx, who, id).await?;
                let rows = tx.customer_properties(id).await?;
                let level = properties::level(who, owner(&customer));
                for property in given {
                    let change = properties::set(property, &rows, level)?;
                    apply(tx, id, &change).await?;
                }
                let after = tx.customer_properties(id).await?;
                tx.journal(
                    Entity::Customer,
                    id,
                    None,
                    Some(json!({ "properties": property_names(&rows) })),
                    Some(json!({ "properties": property_names(&after) })),
                );
                Ok::<_, OpError>(())
            })
        })
        .await
}

/// `getProperties`.
pub async fn get_properties(
    call: &Call<'_>,
    request: customer::GetProperties,
) -> Outcome<Vec<CustomerProperty>> {
    let who = call.require(Need::Login)?;
    let id = required(request.customer, "customer")?;
    let who = &who;
    let rows = call
        .store
        .read(|tx| {
            Box::pin(async move {
                visible(tx, who, id).await?;
                Ok::<_, OpError>(tx.customer_properties(id).await?)
            })
        })
        .await?;
    Ok((rows.into_iter().map(wire_property).collect(), None))
}

async fn apply(
    tx: &mut Tx<'_>,
    id: CustomerId,
    change: &properties::Change,
) -> Result<(), OpError> {
    match change {
        properties::Change::Set(row) => tx.set_customer_property(id, row).await?,
        properties::Change::Remove(name) => tx.delete_customer_property(id, name).await?,
    }
    Ok(())
}

/// A customer that exists and may be seen; anything else is not found (contract D3).
async fn visible(tx: &mut Tx<'_>, who: &Principal, id: CustomerId) -> Result<Customer, OpError> {
    tx.customer(id).await?.filter(|customer| who.reaches(owner(customer))).ok_or_else(|| {
        let text = format!("there is no customer {id}; getCustomers lists those that you may see");
        Fault::client(code::CUSTOMER_NOT_FOUND, text).into()
    })
}

async fn existing(tx: &mut Tx<'_>, id: CustomerId) -> Result<Customer, OpError> {
    let customer = tx.customer(id).await?;
    customer.ok_or_else(|| Fault::server(code::BACKEND_FAILURE, "the new customer is gone").into())
}

fn owner(customer: &Customer) -> Ownership {
    Ownership { customer: customer.id, reseller: customer.reseller }
}

fn is_self(who: &Principal, id: CustomerId) -> bool {
    who.caller.as_ref().is_some_and(|caller| caller.customer == id)
}

fn username(account: &CustomerAccount) -> Result<String, Fault> {
    let name = account.username.as_deref().unwrap_or_default().trim();
    if name.is_empty() {
        return Err(Fault::client(
            code::MISSING_ARGUMENT,
            "account.username is missing; send the login name of the customer",
        ));
    }
    if name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(Fault::invalid(
            "account.username",
            "is longer than 255 characters or not printable",
        ));
    }
    Ok(name.to_owned())
}

fn taken(username: &str) -> Fault {
    Fault::client(
        code::CUSTOMER_EXISTS,
        format!("the user name `{username}` is taken by another customer; choose another one"),
    )
}

fn duplicate(error: ngn_store::StoreError, username: &str) -> OpError {
    if error.is_duplicate() { taken(username).into() } else { error.into() }
}

fn no_such_reseller(id: CustomerId) -> Fault {
    Fault::client(
        code::RESELLER_INVALID,
        format!("{id} is no reseller; send the id of one, or 0 to make a new reseller"),
    )
}

/// Copies what a caller may set (B26, B28).
fn attributes(to: &mut Customer, from: &CustomerAccount, who: &Principal) {
    let text = |value: &Option<String>| stored(value.clone());
    if let Some(password) = text(&from.password) {
        to.password = Some(password);
    }
    to.first_name = text(&from.first_name);
    to.last_name = text(&from.last_name);
    to.organization = text(&from.organization);
    to.vat_number = text(&from.vat_number);
    to.email = text(&from.email);
    to.web = text(&from.web);
    to.tel = text(&from.tel);
    to.fax = text(&from.fax);
    to.mobile = text(&from.mobile);
    to.sip = text(&from.sip);
    to.r#enum = text(&from.r#enum);
    to.address = text(&from.address);
    to.postcode = text(&from.postcode);
    to.city = text(&from.city);
    to.state = text(&from.state);
    to.country = text(&from.country);
    to.timezone = text(&from.timezone);
    to.language = text(&from.language);
    to.bank_account = text(&from.bank_account);
    to.billing_address = text(&from.billing_address);
    to.billing_email = text(&from.billing_email);
    if who.is_administrator() {
        to.balance = millionths(from.balance);
        to.credit = millionths(from.credit);
        to.company_code = text(&from.company_code);
        to.reseller_active = from.reseller_active.unwrap_or(false);
    }
}

#[allow(clippy::cast_possible_truncation, reason = "saturates, and no balance comes near")]
fn millionths(value: Option<f64>) -> i64 {
    (value.unwrap_or_default() * 1e6).round() as i64
}

#[allow(clippy::cast_precision_loss, reason = "exact below nine thousand million")]
pub(crate) fn from_millionths(value: i64) -> f64 {
    value as f64 / 1e6
}

fn wire(customer: Customer, rows: Vec<CustomerPropertyRow>) -> CustomerAccount {
    CustomerAccount {
        id: Some(customer.id),
        reseller: Some(customer.reseller),
        impersonate: Some(customer.impersonate.unwrap_or_default()),
        username: Some(customer.username),
        password: customer.password,
        first_name: customer.first_name,
        last_name: customer.last_name,
        organization: customer.organization,
        vat_number: customer.vat_number,
        email: customer.email,
        web: customer.web,
        tel: customer.tel,
        fax: customer.fax,
        mobile: customer.mobile,
        sip: customer.sip,
        r#enum: customer.r#enum,
        address: customer.address,
        postcode: customer.postcode,
        city: customer.city,
        state: customer.state,
        country: customer.country,
        timezone: customer.timezone,
        language: customer.language,
        bank_account: customer.bank_account,
        billing_address: customer.billing_address,
        billing_email: customer.billing_email,
        balance: Some(from_millionths(customer.balance)),
        credit: Some(from_millionths(customer.credit)),
        company_code: customer.company_code,
        reseller_active: Some(customer.reseller_active),
        change_date: wire_time(customer.change_date),
        properties: Some(rows.into_iter().map(wire_property).collect()),
    }
}

fn wire_property(row: CustomerPropertyRow) -> CustomerProperty {
    CustomerProperty {
        name: Some(row.name),
        value: row.value,
        category: row.category,
        permission: row.permission,
    }
}

fn snapshot(customer: &Customer, rows: &[CustomerPropertyRow]) -> Value {
    json!({
        "id": customer.id, "reseller": customer.reseller, "impersonate": customer.impersonate,
        "username": customer.username, "password": customer.password, "first_name": customer.first_name,
        "last_name": customer.last_name, "organization": customer.organization,
        "vat_number": customer.vat_number, "email": customer.email, "web": customer.web, "tel": customer.tel,
        "fax": customer.fax, "mobile": customer.mobile, "sip": customer.sip, "enum": customer.r#enum,
        "address": customer.address, "postcode": customer.postcode, "city": customer.city,
        "state": customer.state, "country": customer.country, "timezone": customer.timezone,
        "language": customer.language, "bank_account": customer.bank_account,
        "billing_address": customer.billing_address, "billing_email": customer.billing_email,
        "balance": customer.balance, "credit": customer.credit, "company_code": customer.company_code,
        "reseller_active": customer.reseller_active, "properties": property_names(rows),
    })
}

/// Properties for the journal: those that are secrets without their values.
fn property_names(rows: &[CustomerPropertyRow]) -> Value {
    rows.iter()
        .map(|row| {
            let secret = ["password", "token", "key", "secret", "yubikey"];
            let hidden = secret.iter().any(|word| row.name.to_ascii_lowercase().contains(word));
            let value = if hidden { json!("changed") } else { json!(row.value) };
            json!({ "name": row.name, "text": value, "permission": row.permission })
        })
        .collect()
}
