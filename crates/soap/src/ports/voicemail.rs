//! The Voicemail port (contract B2).

use crate::table::operations;
use crate::types::*;

operations! {
    Voicemail;

    /// Adds a voicemail account.
    AddAccount "addAccount" { account: VoicemailAccount } -> VoicemailAccount
        faults [1010 1012 2001 2002 5000 5003 9001]
        rules [B9 B13 B21 B151 B152 B157 B158];
    /// Changes a voicemail account.
    UpdateAccount "updateAccount" { account: VoicemailAccount } -> void
        faults [1010 1012 2000 2002 9001]
        rules [B10 B13 B153 B154 B155 B157 B158];
    /// Deletes a voicemail account.
    DeleteAccount "deleteAccount" { sip_id "sipId": SipId } -> void
        faults [1010 1012 2000 9001]
        rules [B10 B88 B157 B159];
    /// Returns a voicemail account.
    GetAccount "getAccount" { sip_id "sipId": SipId } -> VoicemailAccount
        faults [1010 1012 2000 9001]
        rules [B11 B157];
    /// Replaces the announcement of a mailbox by a WAV file.
    SetAnnouncement "setAnnouncement" { sip_id "sipId": SipId, message: base64Binary } -> void
        faults [1010 1012 2000 9001]
        rules [B10 B157];
}
