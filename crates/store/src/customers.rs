//! `customers` and `customer_properties`: the people and companies that own everything else.

use crate::dialect::Spelling;
use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::journal::InsertId as _;
use crate::sealed_passwords::Owner;
use crate::tx::{Tx, on};
use ngn_model::CustomerId;
use sqlx::QueryBuilder;
use std::fmt;

/// A customer or reseller as it is stored. Money is in millionths.
#[derive(Clone, Default, PartialEq, sqlx::FromRow)]
pub struct Customer {
    /// Its id; 0 for one that is to get a new one.
    pub id: CustomerId,
    /// Its reseller; its own id when it is one.
    pub reseller: CustomerId,
    /// The id whose rights it has (B10).
    pub impersonate: Option<CustomerId>,
    /// Login name, as it was written.
    pub username: String,
    /// Password (B8).
    pub password: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Organization.
    pub organization: Option<String>,
    /// VAT number.
    pub vat_number: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Web address.
    pub web: Option<String>,
    /// Telephone number.
    pub tel: Option<String>,
    /// Fax number.
    pub fax: Option<String>,
    /// Mobile number.
    pub mobile: Option<String>,
    /// SIP address.
    pub sip: Option<String>,
    /// ENUM number.
    pub r#enum: Option<String>,
    /// Street address.
    pub address: Option<String>,
    /// Postal code.
    pub postcode: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province.
    pub state: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Time zone.
    pub timezone: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// Bank account.
    pub bank_account: Option<String>,
    /// Billing address.
    pub billing_address: Option<String>,
    /// Billing e-mail address.
    pub billing_email: Option<String>,
    /// Balance, in millionths.
    pub balance: i64,
    /// Credit, in millionths.
    pub credit: i64,
    /// Company code.
    pub company_code: Option<String>,
    /// Whether it may act as a reseller (B21).
    pub reseller_active: bool,
    /// When it was last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is personal, and the password is a secret.
        f.debug_struct("Customer")
            .field("id", &self.id)
            .field("reseller", &self.reseller)
            .finish_non_exhaustive()
    }
}

/// A property of a customer.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CustomerPropertyRow {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Option<String>,
    /// What it is about.
    pub category: Option<String>,
    /// Who may change it (B33).
    pub permission: Option<String>,
}

/// What a list of customers is restricted to, by the API's filter members (contract C1).
#[derive(Debug, Clone, Default)]
pub struct CustomerFilter {
    /// Conditions on the columns.
    pub filter: Filter,
    /// Order as the API names it: attribute and direction.
    pub order: Option<(String, String)>,
    /// Which part.
    pub range: Range,
}

const COLUMNS: &str = "id, reseller, impersonate, username, password, first_name, last_name, \
     organization, vat_number, email, web, tel, fax, mobile, sip, `enum`, address, postcode, city, state, country, \
     timezone, language, bank_account, billing_address, billing_email, balance, credit, company_code, \
     reseller_active, change_date, p.sealed";
const FROM: &str = "customers LEFT JOIN sealed_passwords p ON p.kind = 1 AND p.record = id";

/// A customer as the tables hold it.
#[derive(sqlx::FromRow)]
struct Stored {
    #[sqlx(flatten)]
    customer: Customer,
    sealed: Option<String>,
}

/// The attributes by which a list may be ordered (contract C1).
const ORDER: &[(&str, &str)] = &[
    ("changeDate", "change_date"),
    ("username", "username_lower"),
    ("firstName", "first_name"),
    ("lastName", "last_name"),
    ("organization", "organization"),
    ("customer", "id"),
];

impl Tx<'_> {
    /// A customer by id.
    pub async fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("id", id);
        self.one_customer(filter).await
    }

    /// A customer's login name alone; needs no key for passwords.
    pub(crate) async fn customer_login(
        &mut self,
        id: CustomerId,
    ) -> Result<Option<String>, StoreError> {
        on!(self, c => {
            sqlx::query_scalar::<DB, String>("SELECT username FROM customers WHERE id = ?")
                .bind(id)
                .fetch_optional(&mut *c)
                .await
        })
    }

    /// A customer by login name, compared without case (B23).
    pub async fn customer_by_username(
        &mut self,
        username: &str,
    ) -> Result<Option<Customer>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("username_lower", username.to_lowercase());
        self.one_customer(filter).await
    }

    async fn one_customer(&mut self, filter: Filter) -> Result<Option<Customer>, StoreError> {
        let wanted =
            CustomerFilter { filter, order: None, range: Range { start: 0, count: Some(1) } };
        Ok(self.customers(&wanted).await?.rows.pop())
    }

    /// A list of customers.
    pub async fn customers(
        &mut self,
        wanted: &CustomerFilter,
    ) -> Result<Page<Customer>, StoreError> {
        let (attribute, direction) = wanted.order.as_ref().map(|(a, d)| (&**a, &**d)).unzip();
        let listing = Listing {
            columns: COLUMNS,
            from: FROM,
            filter: wanted.filter.clone(),
            order: Order::by(ORDER, attribute, direction, &["id"]),
            range: wanted.range,
        };
        let Page { rows, total } = listing.fetch::<Stored>(self).await?;
        let rows = rows
            .into_iter()
            .map(|Stored { mut customer, sealed }| {
                let owner = Owner::Customer(customer.id);
                customer.password = self.read_password(owner, customer.password, sealed)?;
                Ok(customer)
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Page { rows, total })
    }

    /// Adds a customer and gives its id: the one it has when that is not 0, else a new one (B20, B190).
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when the user name is taken (B23).
    pub async fn insert_customer(&mut self, customer: &Customer) -> Result<CustomerId, StoreError> {
        let now = self.now();
        let given = (customer.id != 0).then_some(customer.id);
        let id = on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO customers (id, username, username_lower, create_date) VALUES (?, ?, ?, ?)",
            )
            .bind(given)
            .bind(&customer.username)
            .bind(customer.username.to_lowercase())
            .bind(now)
            .execute(&mut *c)
            .await
            .map(|done| done.insert_id())
        })?;
        let id = CustomerId::try_from(id)
            .map_err(|_| StoreError::corrupt("id of a new customer", "too large"))?;
        let reseller = if customer.reseller == 0 { id } else { customer.reseller };
        self.update_customer(&Customer { id, reseller, ..customer.clone() }).await?;
        Ok(id)
    }

    /// Replaces all columns of a customer; its change date becomes now.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when the user name is taken (B23).
    pub async fn update_customer(&mut self, customer: &Customer) -> Result<(), StoreError> {
        let now = self.now();
        let owner = Owner::Customer(customer.id);
        let password = self.store_password(owner, customer.password.as_deref()).await?;
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE customers SET reseller = ?, impersonate = ?, username = ?, username_lower = ?, \
                 password = ?, first_name = ?, last_name = ?, organization = ?, vat_number = ?, email = ?, \
                 web = ?, tel = ?, fax = ?, mobile = ?, sip = ?, `enum` = ?, address = ?, postcode = ?, \
                 city = ?, state = ?, country = ?, timezone = ?, language = ?, bank_account = ?, \
                 billing_address = ?, billing_email = ?, balance = ?, credit = ?, company_code = ?, \
                 reseller_active = ?, change_date = ? WHERE id = ?",
            )
            .bind(customer.reseller)
            .bind(customer.impersonate)
            .bind(&customer.username)
            .bind(customer.username.to_lowercase())
            .bind(password)
            .bind(customer.first_name.as_deref())
            .bind(customer.last_name.as_deref())
            .bind(customer.organization.as_deref())
            .bind(customer.vat_number.as_deref())
            .bind(customer.email.as_deref())
            .bind(customer.web.as_deref())
            .bind(customer.tel.as_deref())
            .bind(customer.fax.as_deref())
            .bind(customer.mobile.as_deref())
            .bind(customer.sip.as_deref())
            .bind(customer.r#enum.as_deref())
            .bind(customer.address.as_deref())
            .bind(customer.postcode.as_deref())
            .bind(customer.city.as_deref())
            .bind(customer.state.as_deref())
            .bind(customer.country.as_deref())
            .bind(customer.timezone.as_deref())
            .bind(customer.language.as_deref())
            .bind(customer.bank_account.as_deref())
            .bind(customer.billing_address.as_deref())
            .bind(customer.billing_email.as_deref())
            .bind(customer.balance)
            .bind(customer.credit)
            .bind(customer.company_code.as_deref())
            .bind(customer.reseller_active)
            .bind(now)
            .bind(customer.id)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Deletes a customer with its properties, and makes nobody the owner of what named it as owner (B29).
    pub async fn delete_customer(&mut self, id: CustomerId) -> Result<(), StoreError> {
        self.delete_sealed_password(Owner::Customer(id)).await?;
        for sql in [
            "UPDATE subscriber SET owner = 0 WHERE owner = ?",
            "UPDATE dbaliases SET owner = 0 WHERE owner = ?",
            "UPDATE enum_numbers SET owner = 0 WHERE owner = ?",
            "UPDATE records SET owner = 0 WHERE owner = ?",
            "UPDATE trusted_peers SET owner = 0 WHERE owner = ?",
            "DELETE FROM customer_properties WHERE customer = ?",
            "DELETE FROM customers WHERE id = ?",
        ] {
            on!(self, c => sqlx::query::<DB>(sql).bind(id).execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }

    /// What still belongs to a customer, in words; `None` when nothing does (B29).
    pub async fn customer_in_use(
        &mut self,
        id: CustomerId,
    ) -> Result<Option<&'static str>, StoreError> {
        for (what, sql) in [
            ("child customers", "SELECT id FROM customers WHERE reseller = ? AND id <> ? LIMIT 1"),
            ("SIP domains", "SELECT id FROM domain WHERE customer = ? OR reseller_id = ? LIMIT 1"),
            (
                "ENUM ranges",
                "SELECT id FROM enum_ranges WHERE customer = ? OR reseller = ? LIMIT 1",
            ),
            (
                "DNS zones",
                "SELECT domain_id FROM dns_zones WHERE customer = ? OR reseller = ? LIMIT 1",
            ),
            ("carriers", "SELECT id FROM carriers WHERE reseller = ? OR reseller = ? LIMIT 1"),
            (
                "trusted peers",
                "SELECT id FROM trusted_peers WHERE customer = ? OR reseller_id = ? LIMIT 1",
            ),
        ] {
            let found: Option<i64> = on!(self, c => {
                sqlx::query_scalar::<DB, i64>(sql).bind(id).bind(id).fetch_optional(&mut *c).await
            })?;
            if found.is_some() {
                return Ok(Some(what));
            }
        }
        Ok(None)
    }

    /// The properties of a customer, by name.
    pub async fn customer_properties(
        &mut self,
        id: CustomerId,
    ) -> Result<Vec<CustomerPropertyRow>, StoreError> {
        on!(self, c => {
            sqlx::query_as::<DB, CustomerPropertyRow>(
                "SELECT name, value, category, permission FROM customer_properties \
                 WHERE customer = ? ORDER BY name",
            )
            .bind(id)
            .fetch_all(&mut *c)
            .await
        })
    }

    /// The value of a property, which stays as it is until this transaction ends; a limit is exact only if all who
    /// count against it wait for each other here.
    pub async fn lock_customer_property(
        &mut self,
        id: CustomerId,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        self.property_value(id, name, true).await
    }

    /// Keeps a customer as it is until this transaction ends; whether it exists. Who counts against a limit that no
    /// property holds waits here.
    pub async fn lock_customer(&mut self, id: CustomerId) -> Result<bool, StoreError> {
        let found: Option<i64> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT id FROM customers WHERE id = ");
            query.push_bind(id).push(<DB as Spelling>::FOR_UPDATE);
            query.build_query_scalar::<i64>().fetch_optional(&mut *c).await
        })?;
        Ok(found.is_some())
    }

    /// The value of a property at this moment.
    pub async fn customer_property(
        &mut self,
        id: CustomerId,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        self.property_value(id, name, false).await
    }

    async fn property_value(
        &mut self,
        id: CustomerId,
        name: &str,
        lock: bool,
    ) -> Result<Option<String>, StoreError> {
        let row: Option<(Option<String>,)> = on!(self, c => {
            let mut query = QueryBuilder::<DB>::new("SELECT value FROM customer_properties WHERE customer = ");
            query.push_bind(id).push(" AND name = ").push_bind(name);
            if lock {
                query.push(<DB as Spelling>::FOR_UPDATE);
            }
            query.build_query_as::<(Option<String>,)>().fetch_optional(&mut *c).await
        })?;
        Ok(row.map(|(value,)| value.unwrap_or_default()))
    }

    /// Writes a property, new or not.
    pub async fn set_customer_property(
        &mut self,
        id: CustomerId,
        property: &CustomerPropertyRow,
    ) -> Result<(), StoreError> {
        self.delete_customer_property(id, &property.name).await?;
        on!(self, c => {
            sqlx::query::<DB>(
                "INSERT INTO customer_properties (customer, name, value, category, permission) \
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(id)
            .bind(&property.name)
            .bind(property.value.as_deref())
            .bind(property.category.as_deref())
            .bind(property.permission.as_deref())
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Removes a property.
    pub async fn delete_customer_property(
        &mut self,
        id: CustomerId,
        name: &str,
    ) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM customer_properties WHERE customer = ? AND name = ?")
                .bind(id)
                .bind(name)
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }
}
