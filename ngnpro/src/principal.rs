//! Who calls and what it may see and change (B1-B14).
//!
//! A [`Principal`] comes from the `auth` header. An operation states what it needs with [`Principal::require`]
//! and only then holds an [`Authorised`], which is what opens the store.

use ngn_model::{CustomerId, Ownership};
use ngn_soap::Fault;
use ngn_soap::fault::code;
use ngn_store::Filter;

/// The customer in whose name a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its id.
    pub customer: CustomerId,
    /// Its reseller; its own id when it is one.
    pub reseller: CustomerId,
    /// Whether it has the rights of its reseller: it is the reseller, or its `impersonate` names it (B10).
    pub as_reseller: bool,
    /// Whether its reseller is active, without which nothing may be created (B21).
    pub active: bool,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The login name that was checked.
    pub login: String,
    /// Whether that was the administrator's.
    pub administrator_login: bool,
    /// The customer in whose name it acts; `None` for the administrator with full rights (B5).
    pub caller: Option<Caller>,
}

/// What an operation needs of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Any login.
    Login,
    /// The administrator or somebody with a reseller's rights.
    Reseller,
    /// The administrator without impersonation (B170).
    Administrator,
    /// To create something: any login whose reseller is active (B21).
    Create,
    /// Trusted peers and PSTN routing: the administrator, or the rights of an active reseller (B18).
    Pstn,
    /// To create one of those: as `Pstn`, but an inactive reseller reads what B21 says.
    CreatePstn,
}

/// A principal whose rights were checked; the key to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorised(Principal);

impl std::ops::Deref for Authorised {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl Principal {
    /// The administrator with full rights.
    #[must_use]
    pub fn administrator(login: &str) -> Self {
        Self { login: login.to_owned(), administrator_login: true, caller: None }
    }

    /// Whether nothing is hidden from it.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.caller.is_none()
    }

    /// Whether it has a reseller's rights (the administrator's included).
    #[must_use]
    pub fn has_reseller_rights(&self) -> bool {
        self.caller.as_ref().is_none_or(|caller| caller.as_reseller)
    }

    /// Checks what an operation needs.
    ///
    /// # Errors
    ///
    /// 8003 without the right, 5003 when the reseller is not active.
    pub fn require(&self, need: Need) -> Result<Authorised, Fault> {
        let allowed = match need {
            Need::Login | Need::Create => true,
            Need::Reseller | Need::CreatePstn => self.has_reseller_rights(),
            Need::Administrator => self.is_administrator(),
            Need::Pstn => {
                self.caller.as_ref().is_none_or(|caller| caller.as_reseller && caller.active)
            }
        };
        let inactive = self.caller.as_ref().filter(|caller| !caller.active);
        if let Some(caller) = inactive
            && allowed
            && matches!(need, Need::Create | Need::CreatePstn)
        {
            return Err(Fault::client(
                code::RESELLER_INVALID,
                format!(
                    "reseller {} is not active, so nothing can be created for it or its customers; \
                     ask the administrator to set resellerActive",
                    caller.reseller
                ),
            ));
        }
        if allowed {
            Ok(Authorised(self.clone()))
        } else {
            Err(Fault::client(
                code::ADMINISTRATOR_ONLY,
                "this operation needs administrator or reseller rights, which this login does not have",
            ))
        }
    }

    /// Whether it may see and change a record of this owner (B10, B11).
    #[must_use]
    pub fn reaches(&self, ownership: Ownership) -> bool {
        match &self.caller {
            None => true,
            Some(caller) if caller.as_reseller => ownership.reseller == caller.reseller,
            Some(caller) => ownership.customer == caller.customer,
        }
    }

    /// Restricts a list to what it may see; the columns hold a record's customer and reseller (B11).
    pub fn restrict(&self, filter: &mut Filter, customer: &'static str, reseller: &'static str) {
        match &self.caller {
            None => {}
            Some(caller) if caller.as_reseller => {
                filter.equals(reseller, caller.reseller);
            }
            Some(caller) => {
                filter.equals(customer, caller.customer);
            }
        }
    }

    /// The owner of a record that it creates (B9, B14). `requested` holds what the call asked for; `child` tells
    /// whether the requested customer belongs to the caller's reseller.
    #[must_use]
    pub fn stamp(&self, requested: Ownership, child: bool) -> Ownership {
        match &self.caller {
            None => requested,
            Some(caller) => Ownership {
                customer: if caller.as_reseller && child && requested.customer > 0 {
                    requested.customer
                } else {
                    caller.customer
                },
                reseller: caller.reseller,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(customer: CustomerId, reseller: CustomerId, as_reseller: bool) -> Principal {
        Principal {
            login: "login".to_owned(),
            administrator_login: false,
            caller: Some(Caller { customer, reseller, as_reseller, active: true }),
        }
    }

    #[test]
    fn b10_reach() {
        let own = Ownership { customer: 7, reseller: 5 };
        let sibling = Ownership { customer: 8, reseller: 5 };
        let foreign = Ownership { customer: 9, reseller: 6 };
        let nobody = Ownership::default();
        for (name, principal, expected) in [
            ("administrator", Principal::administrator("admin"), [true, true, true, true]),
            ("reseller", customer(5, 5, true), [true, true, false, false]),
            ("customer", customer(7, 5, false), [true, false, false, false]),
            ("with its reseller's rights", customer(7, 5, true), [true, true, false, false]),
        ] {
            let reach = [own, sibling, foreign, nobody].map(|owner| principal.reaches(owner));
            assert_eq!(reach, expected, "{name}");
        }
    }

    #[test]
    fn b9_b14_stamping() {
        let wanted = Ownership { customer: 8, reseller: 6 };
        for (name, principal, child, expected) in [
            ("B14: administrators set any", Principal::administrator("admin"), false, (8, 6)),
            ("B9: a reseller names its customer", customer(5, 5, true), true, (8, 5)),
            ("B9: but nobody else's", customer(5, 5, true), false, (5, 5)),
            ("B9: a customer only itself", customer(7, 5, false), true, (7, 5)),
        ] {
            let stamped = principal.stamp(wanted, child);
            assert_eq!((stamped.customer, stamped.reseller), expected, "{name}");
        }
    }

    #[test]
    fn b21_needs() {
        let mut inactive = customer(5, 5, true);
        if let Some(caller) = &mut inactive.caller {
            caller.active = false;
        }
        let code_of = |p: &Principal, need| p.require(need).map(|_| ()).map_err(|f| f.code);
        assert_eq!(code_of(&inactive, Need::Create), Err(code::RESELLER_INVALID));
        assert_eq!(code_of(&inactive, Need::Login), Ok(()));
        assert_eq!(code_of(&inactive, Need::Pstn), Err(code::ADMINISTRATOR_ONLY));
        assert_eq!(code_of(&inactive, Need::CreatePstn), Err(code::RESELLER_INVALID));
        let plain = customer(7, 5, false);
        for need in [Need::Pstn, Need::CreatePstn] {
            assert_eq!(code_of(&plain, need), Err(code::ADMINISTRATOR_ONLY), "B18");
            assert_eq!(code_of(&customer(5, 5, true), need), Ok(()), "B18");
            assert_eq!(code_of(&Principal::administrator("a"), need), Ok(()), "B18");
        }
        assert_eq!(code_of(&plain, Need::Reseller), Err(code::ADMINISTRATOR_ONLY));
        assert_eq!(
            code_of(&customer(5, 5, true), Need::Administrator),
            Err(code::ADMINISTRATOR_ONLY)
        );
        assert_eq!(code_of(&Principal::administrator("a"), Need::Administrator), Ok(()));
    }
}
