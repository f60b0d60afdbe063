//! Types that several ports share (contract C1, A6, D1).

use crate::table::types;

types! {
    /// Who calls (contract A6): the `auth` header.
    struct Auth {
        /// The login name.
        username: string,
        /// The password in clear text.
        password: string secret,
        /// True checks against the administrator of the configuration, false against the customers, absent both in that order.
        admin: boolean,
        /// The customer or reseller to act for; 0 or absent for nobody. Administrators only.
        impersonate: integer,
    }

    /// What the `detail` of a fault holds (contract D1).
    struct NGNProException {
        /// The code.
        errorcode: int key,
        /// What was wrong and what to do, as a sentence.
        errorstring: string key,
    }

    /// Which part of a sorted list is returned.
    struct Range {
        /// How many records are passed over; 0 when absent.
        start: int,
        /// How many records are returned at most; all when absent.
        count: int,
    }

    /// How a list is sorted. Which attributes there are depends on the query.
    struct OrderBy {
        /// The member to sort by.
        attribute: string,
        /// `ASC` or `DESC`.
        direction: string,
    }

    /// A SIP address without scheme: the key of accounts and aliases.
    struct SipId {
        /// The user part.
        username: string key,
        /// The domain.
        domain: string key,
    }

    /// A free name and value.
    struct Property {
        /// Its name.
        name: string,
        /// Its value.
        value: string,
    }
}
