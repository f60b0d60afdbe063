//! From the `auth` header to a principal (B1-B8).

use crate::fault::OpError;
use crate::principal::{Caller, Principal};
use ngn_model::CustomerId;
use ngn_soap::fault::code;
use ngn_soap::{Auth, Fault};
use ngn_store::{Customer, Tx};
use subtle::ConstantTimeEq as _;

/// The administrator's login (B2).
#[derive(Clone)]
pub struct AdministratorLogin {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for AdministratorLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdministratorLogin").finish_non_exhaustive()
    }
}

/// Checks a login and finds in whose name it acts.
///
/// # Errors
///
/// 8000 for a missing or wrong login, 8004 for an unknown customer to impersonate.
pub async fn authenticate(
    tx: &mut Tx<'_>,
    administrator: &AdministratorLogin,
    auth: Option<&Auth>,
) -> Result<Principal, OpError> {
    let auth = auth.ok_or_else(|| {
        Fault::client(
            code::AUTHENTICATION_FAILED,
            "authentication failed: the request has no auth header; send username and password in it",
        )
    })?;
    let username = auth.username.as_deref().unwrap_or_default();
    let password = auth.password.as_deref().unwrap_or_default();
    let as_administrator = match auth.admin {
        Some(flag) => flag,
        None => username == administrator.username,
    };
    let impersonate = auth.impersonate.filter(|id| *id > 0);
    if as_administrator {
        // Both are compared whatever the first comparison said.
        let name = same(username, &administrator.username);
        let secret = same(password, &administrator.password);
        if !(name & secret) || password.is_empty() {
            return Err(refused());
        }
        let mut principal = Principal::administrator(username);
        if let Some(id) = impersonate {
            let customer = tx.customer(id).await?.ok_or_else(|| unknown(id))?;
            principal.caller = Some(caller(tx, &customer).await?);
        }
        return Ok(principal);
    }
    let customer = tx.customer_by_username(username).await?;
    let stored = customer.as_ref().and_then(|c| c.password.as_deref()).unwrap_or_default();
    let good = same(password, stored);
    let Some(customer) = customer.filter(|_| good && !password.is_empty()) else {
        return Err(refused());
    };
    let mut acting = caller(tx, &customer).await?;
    // B7: a reseller may act as one of its customers; anything else in the member is ignored.
    if let Some(id) = impersonate.filter(|_| acting.as_reseller && acting.active)
        && let Some(child) = tx.customer(id).await?.filter(|c| c.reseller == acting.reseller)
    {
        acting = caller(tx, &child).await?;
    }
    Ok(Principal { login: customer.username, administrator_login: false, caller: Some(acting) })
}

async fn caller(tx: &mut Tx<'_>, customer: &Customer) -> Result<Caller, OpError> {
    let is_reseller = customer.id == customer.reseller;
    let active = if is_reseller {
        customer.reseller_active
    } else {
        tx.customer(customer.reseller).await?.is_some_and(|reseller| reseller.reseller_active)
    };
    Ok(Caller {
        customer: customer.id,
        reseller: customer.reseller,
        as_reseller: is_reseller || customer.impersonate == Some(customer.reseller),
        active,
    })
}

fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

fn refused() -> OpError {
    Fault::client(
        code::AUTHENTICATION_FAILED,
        "authentication failed: wrong user name or password, or the admin member does not fit the login",
    )
    .into()
}

fn unknown(id: CustomerId) -> OpError {
    Fault::client(
        code::IMPERSONATED_NOT_FOUND,
        format!("there is no customer {id} to impersonate; send 0 to act as the administrator"),
    )
    .into()
}
