//! `domain`: the SIP domains of the platform.

use crate::error::StoreError;
use crate::filter::{Filter, Listing, Order, Page, Range};
use crate::tx::{Tx, on};
use ngn_model::DomainName;
use std::fmt;

/// A SIP domain as it is provisioned.
#[derive(Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct SipDomainRecord {
    /// Its name.
    pub domain: String,
    /// The owning customer.
    pub customer: i64,
    /// The owning reseller.
    pub reseller_id: i64,
    /// TLS certificate, PEM.
    pub certificate: Option<String>,
    /// TLS key, PEM.
    pub private_key: Option<String>,
    /// Addresses for which the TLS profile is chosen.
    pub match_ip_address: Option<String>,
    /// SIP domain for which the TLS profile is chosen.
    pub match_sip_domain: Option<String>,
    /// Whether a peer's certificate is verified.
    pub verify_cert: bool,
    /// Whether a peer must show a certificate.
    pub require_cert: bool,
    /// When it last changed, in milliseconds since 1970 UTC.
    pub change_date: i64,
}

impl fmt::Debug for SipDomainRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipDomainRecord").field("domain", &self.domain).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "domain, customer, reseller_id, certificate, private_key, match_ip_address, \
     match_sip_domain, verify_cert, require_cert, change_date";
const ORDER: &[(&str, &str)] = &[("changeDate", "change_date"), ("domain", "domain")];

impl Tx<'_> {
    /// A SIP domain by name.
    pub async fn sip_domain(
        &mut self,
        name: &DomainName,
    ) -> Result<Option<SipDomainRecord>, StoreError> {
        let mut filter = Filter::new();
        filter.equals("domain", name.as_str());
        let one = Range { start: 0, count: Some(1) };
        Ok(self.list_sip_domains(filter, None, one).await?.rows.pop())
    }

    /// A list of SIP domains; the columns are `domain`, `customer`, `reseller_id`.
    pub async fn list_sip_domains(
        &mut self,
        filter: Filter,
        order: Option<&(String, String)>,
        range: Range,
    ) -> Result<Page<SipDomainRecord>, StoreError> {
        let (attribute, direction) = order.map(|(a, d)| (&**a, &**d)).unzip();
        let order = Order::by(ORDER, attribute, direction, &["domain"]);
        Listing { columns: COLUMNS, from: "domain", filter, order, range }.fetch(self).await
    }

    /// Adds a SIP domain.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] when it exists.
    pub async fn insert_sip_domain(&mut self, row: &SipDomainRecord) -> Result<(), StoreError> {
        on!(self, c => {
            sqlx::query::<DB>("INSERT INTO domain (domain) VALUES (?)")
                .bind(&row.domain)
                .execute(&mut *c)
                .await
                .map(drop)
        })?;
        self.update_sip_domain(row).await
    }

    /// Replaces all columns of a SIP domain; its change date becomes now.
    pub async fn update_sip_domain(&mut self, row: &SipDomainRecord) -> Result<(), StoreError> {
        let now = self.now();
        on!(self, c => {
            sqlx::query::<DB>(
                "UPDATE domain SET customer = ?, reseller_id = ?, certificate = ?, private_key = ?, \
                 match_ip_address = ?, match_sip_domain = ?, verify_cert = ?, require_cert = ?, \
                 change_date = ?, last_modified = CURRENT_TIMESTAMP WHERE domain = ?",
            )
            .bind(row.customer)
            .bind(row.reseller_id)
            .bind(row.certificate.as_deref())
            .bind(row.private_key.as_deref())
            .bind(row.match_ip_address.as_deref())
            .bind(row.match_sip_domain.as_deref())
            .bind(row.verify_cert)
            .bind(row.require_cert)
            .bind(now)
            .bind(&row.domain)
            .execute(&mut *c)
            .await
            .map(drop)
        })
    }

    /// Deletes a SIP domain with its rating profiles.
    pub async fn delete_sip_domain(&mut self, name: &DomainName) -> Result<(), StoreError> {
        self.delete_rating_profiles("", name.as_str(), "").await?;
        on!(self, c => {
            sqlx::query::<DB>("DELETE FROM domain WHERE domain = ?")
                .bind(name.as_str())
                .execute(&mut *c)
                .await
                .map(drop)
        })
    }

    /// Whether accounts or aliases lie in a domain (B52).
    pub async fn sip_domain_in_use(&mut self, name: &DomainName) -> Result<bool, StoreError> {
        let found: Option<String> = on!(self, c => {
            sqlx::query_scalar::<DB, String>(
                "SELECT username FROM addresses WHERE domain = ? LIMIT 1",
            )
            .bind(name.as_str())
            .fetch_optional(&mut *c)
            .await
        })?;
        Ok(found.is_some())
    }
}
