//! Calls, traces, and prepaid accounts (contract C2).

use super::SipId;
use crate::table::types;

types! {
    /// Which calls of one direction are wanted.
    struct CallQuery {
        /// Not before, in seconds since 1970.
        from_date "fromDate": int,
        /// Not after, in seconds since 1970.
        to_date "toDate": int,
        /// How many at most.
        limit: int,
    }

    /// Which lists of calls are wanted; an absent one is not returned.
    struct CallsQuery {
        /// Calls that the account made.
        placed: CallQuery,
        /// Calls that the account took.
        received: CallQuery,
        /// Calls that the account did not take.
        missed: CallQuery,
    }

    /// One call. Text members are quoted-printable: `=` is sent as `=3D`.
    struct Call {
        /// Media names, comma-separated, in the first item.
        application_types "applicationTypes": [string],
        /// URI of the caller.
        from_uri "fromURI": string,
        /// URI of the callee.
        to_uri "toURI": string,
        /// The From header.
        from_header "fromHeader": string,
        /// The Call-ID.
        session_id "sessionId": string,
        /// Tag of the From header.
        from_tag "fromTag": string,
        /// Tag of the To header.
        to_tag "toTag": string,
        /// Start, in seconds since 1970.
        start_time "startTime": int,
        /// End, in seconds since 1970; 0 or absent while in progress.
        stop_time "stopTime": int,
        /// Seconds.
        duration: int,
        /// Final SIP response code.
        status: int,
        /// Price in the rating currency.
        price: double,
        /// Rate of older clients.
        rate: string,
        /// Address of the proxy that carried it.
        proxy_ip "proxyIP": string,
    }

    /// Calls of an account by direction.
    struct Calls {
        /// Calls that the account made.
        placed: [Call],
        /// Calls that the account took.
        received: [Call],
        /// Calls that the account did not take.
        missed: [Call],
    }

    /// Sums over calls of one direction.
    struct CallStatisticsEntry {
        /// How many.
        calls: int,
        /// Their price in the rating currency.
        price: double,
        /// Their seconds.
        duration: int,
    }

    /// Sums over the calls of an account.
    struct CallStatistics {
        /// Calls that the account made.
        placed: CallStatisticsEntry,
        /// Calls that the account took.
        received: CallStatisticsEntry,
    }

    /// What a prepaid account can still spend.
    struct PrepaidStatus {
        /// In the rating currency; 0 for accounts that are not prepaid.
        balance: double,
        /// Whether a call is in progress.
        call_in_progress "callInProgress": boolean,
        /// Seconds that a call may last.
        max_session_time "maxSessionTime": int,
        /// Seconds of the call in progress.
        session_time "sessionTime": int,
        /// Price of the last call.
        last_call_price "lastCallPrice": double,
        /// Destination of the call in progress.
        destination: string,
        /// The account.
        id: SipId,
    }

    /// A balance before and after a change.
    struct BalanceChange {
        /// Before.
        old_balance: double,
        /// After.
        new_balance: double,
    }

    /// One change of a prepaid balance.
    struct CreditHistoryEntry {
        /// When, `YYYY-MM-DD hh:mm:ss`.
        date: string,
        /// What happened.
        action: string,
        /// The caller's description.
        description: string,
        /// By how much, with sign.
        value: double,
        /// The balance after it.
        balance: double,
    }

    /// Changes of a prepaid balance, newest first.
    struct CreditHistory {
        /// The changes.
        entries: [CreditHistoryEntry],
    }

    /// A voucher for a prepaid account.
    struct PrepaidCard {
        /// Its identifier.
        id: int,
        /// Its number.
        number: string secret,
    }

    /// Which SIP trace is wanted.
    struct SipTraceFilter {
        /// Address of the proxy.
        node_ip "nodeIp": string,
        /// Call-ID.
        call_id "callId": string,
        /// Tag of the From header.
        from_tag "fromTag": string,
        /// Tag of the To header.
        to_tag "toTag": string,
    }

    /// Which media trace is wanted.
    struct MediaTraceFilter {
        /// Address of the proxy.
        node_ip "nodeIp": string,
        /// Call-ID.
        call_id "callId": string,
        /// Tag of the From header.
        from_tag "fromTag": string,
        /// Tag of the To header.
        to_tag "toTag": string,
    }
}
