//! The Voicemail port (contract B2).

use crate::table::operations;
use crate::types::*;

operations! {
    Voicemail;

    /// Adds a voicemail account.
    AddAccount "addAccount" { account: VoicemailAccount } -> VoicemailAccount;
    /// Changes a voicemail account.
    UpdateAccount "updateAccount" { account: VoicemailAccount } -> void;
    /// Deletes a voicemail account.
    DeleteAccount "deleteAccount" { sip_id "sipId": SipId } -> void;
    /// Returns a voicemail account.
    GetAccount "getAccount" { sip_id "sipId": SipId } -> VoicemailAccount;
    /// Replaces the announcement of a mailbox by a WAV file.
    SetAnnouncement "setAnnouncement" { sip_id "sipId": SipId, message: base64Binary } -> void;
}
