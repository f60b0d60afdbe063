//! Phones that are called by a GRUU (RFC 5627 section 6.1): that one phone of an account, wherever it is registered.

use crate::directory::Directory;
use ngn_model::{Account, Binding};
use ngn_routing::Callee;
use ngn_sip::gruu::Gruus;
use ngn_sip::uri::Uri;

/// A phone of an account: the account without its diversions, which are not for this phone alone, and its contacts.
#[derive(Debug)]
pub(crate) struct OnePhone {
    account: Account,
    bindings: Vec<Binding>,
}

impl OnePhone {
    /// The phone that a GRUU names at `now`, in milliseconds since 1970 UTC. `None` when there is no such GRUU: it was not
    /// made here, its account is gone, or it was a temporary one whose registration has ended.
    pub(crate) fn find(gruus: &Gruus, directory: &Directory, uri: &Uri, now: i64) -> Option<Self> {
        let gruu = gruus.read(uri)?;
        let mut account = directory.account_at(&gruu.aor)?.clone();
        let of_phone = |one: &Binding| one.expires_at > now && gruus.names(&gruu, one);
        let mut bindings: Vec<Binding> =
            directory.bindings(&account.aor).into_iter().filter(of_phone).collect();
        match bindings.iter().max_by_key(|one| one.last_modified) {
            Some(last) if !gruus.holds(&gruu, last) => return None,
            None if gruu.is_temporary() => return None,
            _ => {}
        }
        // Of contacts that are no flows of their own (RFC 5626) the one that was registered last is where the phone is.
        let last = bindings.iter().filter(|one| one.reg_id == 0).map(|one| one.last_modified).max();
        bindings.retain(|one| one.reg_id != 0 || Some(one.last_modified) == last);
        if let Some(options) = &account.options {
            let mut options = (**options).clone();
            options.diversions.clear();
            account.options = Some(Box::new(options));
        }
        Some(Self { account, bindings })
    }

    /// As a call's facts have it.
    pub(crate) fn callee(&self) -> Callee<'_> {
        Callee::Account { account: &self.account, alias: None, bindings: &self.bindings }
    }

    /// The account.
    pub(crate) const fn account(&self) -> &Account {
        &self.account
    }

    /// The contact of the phone.
    pub(crate) fn contact(&self) -> Option<Uri> {
        Uri::parse(&self.bindings.last()?.contact).ok()
    }
}
