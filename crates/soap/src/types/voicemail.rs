//! Voicemail accounts (contract C3).

use super::SipId;
use crate::table::types;

types! {
    /// How a mailbox treats messages.
    struct VoicemailOptions {
        /// Messages are mailed and not kept on the server.
        delete: boolean,
    }

    /// A voicemail account.
    struct VoicemailAccount {
        /// The SIP account it belongs to.
        sip_id "sipId": SipId key,
        /// The mailbox number; generated when absent.
        mailbox: string,
        /// The PIN, digits.
        password: string secret,
        /// The owner's name.
        name: string,
        /// E-mail address for messages.
        email: string,
        /// Free text.
        info: string,
        /// How messages are treated.
        options: VoicemailOptions,
        /// The owner.
        owner: integer,
        /// The owning customer.
        customer: integer,
        /// The owning reseller.
        reseller: integer,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
    }
}
