//! Call detail records: the `radacct` table, as CDRTool, call control and the rating engine read it.
//!
//! A call that lasts is inserted when it is answered and stopped when it ends; one that fails is inserted
//! once, ended. A call whose node was killed is closed when that node starts again, with the cause
//! [`INTERRUPTED`] and the time at which the node was last alive; should its BYE come later after all, that one
//! counts. Texts that CDRTool decodes as quoted-printable are stored so by whoever fills a [`Cdr`].

use crate::dialect::{Spelling, push_upsert};
use crate::error::StoreError;
use crate::lasting_calls;
use crate::pieces::pieces;
use crate::store::Store;
use crate::time::utc;
use crate::tx::{Actor, Tx, on};
use sqlx::QueryBuilder;

/// The cause of calls whose node was killed (RFC 2866 section 5.10).
pub const INTERRUPTED: &str = "NAS-Reboot";
/// How far back a node that starts looks for calls that it left open.
const LONGEST_CALL: i64 = 7 * 86_400_000;

/// One call, as it is written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cdr {
    /// Call-ID (AcctSessionId).
    pub session_id: String,
    /// Tag of the From header.
    pub from_tag: String,
    /// Tag of the To header in the final response that the caller got.
    pub to_tag: String,
    /// The account that placed the call (UserName), `user@domain`; empty for none of ours.
    pub username: String,
    /// The account, peer or domain that pays (BillingPartyId).
    pub billing_party: String,
    /// Domain of the caller (Realm).
    pub realm: String,
    /// `user@domain` of the caller (CallingStationId).
    pub from_uri: String,
    /// The whole From header.
    pub from_header: String,
    /// What was dialled (CalledStationId).
    pub to_uri: String,
    /// What it meant: the account or E.164 number called (CanonicalURI).
    pub canonical_uri: String,
    /// Where the request finally went (SipTranslatedRequestURI).
    pub translated_uri: String,
    /// SIP method, INVITE or MESSAGE.
    pub method: String,
    /// Final response code.
    pub status: u16,
    /// When the call was answered or failed, in milliseconds since 1970 UTC.
    pub started_at: i64,
    /// When it ended; `None` while it lasts.
    pub stopped_at: Option<i64>,
    /// Why an answered call ended, as in [`CdrStop`]; empty while it lasts, and for one that was never answered.
    pub cause: String,
    /// Media, such as `audio` (SipApplicationType).
    pub application: String,
    /// Codecs.
    pub codecs: String,
    /// User agents of both ends (SipUserAgents).
    pub user_agents: String,
    /// Caller id sent towards the PSTN (SipRPID).
    pub rpid: String,
    /// Address the caller's request came from.
    pub source_ip: String,
    /// Port it came from.
    pub source_port: u16,
    /// Our address that served the call (NASIPAddress).
    pub proxy_ip: String,
    /// The node that served the call (NASPortId), as [`Store::sip_node_is_alive`] has it; at most 50 characters.
    pub node: String,
    /// Billing id of a trusted peer.
    pub billing_id: String,
    /// ENUM tree that answered, empty or `none`.
    pub enum_tld: String,
    /// Contact of the caller.
    pub contact: String,
    /// Seconds from the request to the answer or failure (DelayTime).
    pub delay: u32,
    /// For whom the call counts while it lasts: accounts' addresses and trusted peers' keys (`lasting_calls`).
    pub counts_for: Vec<String>,
    /// What is needed to ask its sides whether it goes on, while it does; `None` when nobody can be asked.
    pub dialog: Option<String>,
}

/// The end of a call that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdrStop {
    /// Call-ID.
    pub session_id: String,
    /// Tag of the From header; of the one who hung up, who need not be the caller.
    pub from_tag: String,
    /// Tag of the To header.
    pub to_tag: String,
    /// When it ended, in milliseconds since 1970 UTC.
    pub stopped_at: i64,
    /// Why: `User-Request` for BYE, `Session-Timeout`, `Lost-Carrier` and the like (AcctTerminateCause).
    pub cause: String,
    /// Whether it counted for somebody while it lasted.
    pub counted: bool,
}

impl Store {
    /// Inserts calls in one transaction. A call that is there already (same Call-ID and tags) is left as it
    /// is, so that a batch whose answer was lost can be sent again.
    pub async fn insert_cdrs(&self, cdrs: &[Cdr]) -> Result<(), StoreError> {
        if cdrs.is_empty() {
            return Ok(());
        }
        self.write(&Actor::system("insert_cdrs"), |tx| {
            Box::pin(async move {
                for chunk in pieces(cdrs) {
                    insert(tx, chunk).await?;
                }
                lasting_calls::insert(tx, cdrs).await
            })
        })
        .await
        .map(drop)
    }

    /// Marks calls as ended, in one transaction; tells how many of them lasted.
    pub async fn stop_cdrs(&self, stops: &[CdrStop]) -> Result<usize, StoreError> {
        if stops.is_empty() {
            return Ok(0);
        }
        let (stopped, _) = self
            .write(&Actor::system("stop_cdrs"), |tx| {
                Box::pin(async move {
                    let mut stopped = 0;
                    for some in pieces(stops) {
                        stopped += update_stopped(tx, some).await?;
                    }
                    lasting_calls::stop(tx, stops).await?;
                    Ok::<_, StoreError>(stopped)
                })
            })
            .await?;
        Ok(stopped)
    }

    /// Closes the calls that a node left open when it was killed; tells how many. `alive_at` is when it was last
    /// alive, `before` when it started again, both in milliseconds since 1970 UTC.
    pub async fn close_interrupted_cdrs(
        &self,
        node: &str,
        alive_at: i64,
        before: i64,
    ) -> Result<u64, StoreError> {
        let (closed, _) = self
            .write(&Actor::system("close_interrupted_cdrs"), |tx| {
                Box::pin(async move {
                    on!(tx, c => {
                        let alive = alive_at.div_euclid(1000);
                        sqlx::query::<DB>(
                            "UPDATE radacct SET AcctStopTime = CASE WHEN start_unix > ? THEN AcctStartTime \
                             ELSE ? END, AcctSessionTime = CASE WHEN start_unix > ? THEN 0 \
                             ELSE ? - start_unix END, ConnectInfo_stop = '200', AcctTerminateCause = ? \
                             WHERE AcctStopTime IS NULL AND NASPortId = ? \
                             AND AcctStartTime >= ? AND AcctStartTime <= ?",
                        )
                        .bind(alive)
                        .bind(utc(alive_at))
                        .bind(alive)
                        .bind(alive)
                        .bind(INTERRUPTED)
                        .bind(cut(node, 50))
                        .bind(utc(before.saturating_sub(LONGEST_CALL)))
                        .bind(utc(before))
                        .execute(&mut *c)
                        .await
                        .map(|done| done.rows_affected())
                    })
                })
            })
            .await?;
        Ok(closed)
    }

    /// The sipd nodes that were last alive before a time, with that time; both in milliseconds since 1970 UTC.
    pub async fn silent_sip_nodes(&self, before: i64) -> Result<Vec<(String, i64)>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                on!(tx, c => {
                    sqlx::query_as::<DB, (String, i64)>(
                        "SELECT node, alive_at FROM sip_nodes WHERE alive_at < ? ORDER BY node",
                    )
                    .bind(before)
                    .fetch_all(&mut *c)
                    .await
                })
            })
        })
        .await
    }

    /// Forgets a sipd node, unless it was alive since.
    pub async fn forget_sip_node(&self, node: &str, alive_at: i64) -> Result<(), StoreError> {
        self.write(&Actor::system("forget_sip_node"), |tx| {
            Box::pin(async move {
                on!(tx, c => {
                    sqlx::query::<DB>("DELETE FROM sip_nodes WHERE node = ? AND alive_at = ?")
                        .bind(cut(node, 50))
                        .bind(alive_at)
                        .execute(&mut *c)
                        .await
                        .map(drop)
                })
            })
        })
        .await
        .map(drop)
    }

    /// Notes that a sipd node is alive; gives when it last was, `None` when it never was. Times are in
    /// milliseconds since 1970 UTC.
    pub async fn sip_node_is_alive(&self, node: &str, now: i64) -> Result<Option<i64>, StoreError> {
        let (before, _) = self
            .write(&Actor::system("sip_node_is_alive"), |tx| {
                Box::pin(async move {
                    on!(tx, c => {
                        let before: Option<i64> =
                            sqlx::query_scalar::<DB, i64>("SELECT alive_at FROM sip_nodes WHERE node = ?")
                                .bind(cut(node, 50))
                                .fetch_optional(&mut *c)
                                .await?;
                        let mut query =
                            QueryBuilder::<DB>::new("INSERT INTO sip_nodes (node, alive_at) VALUES (");
                        query.push_bind(cut(node, 50)).push(", ").push_bind(now).push(")");
                        push_upsert(&mut query, "node", &["alive_at"]);
                        query.build().execute(&mut *c).await?;
                        Ok(before)
                    })
                })
            })
            .await?;
        Ok(before)
    }
}

async fn insert(tx: &mut Tx<'_>, cdrs: &[Cdr]) -> Result<(), StoreError> {
    on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new(
            "INSERT INTO radacct (AcctSessionId, SipFromTag, SipToTag, UserName, BillingPartyId, Realm, \
             CallingStationId, FromHeader, CalledStationId, CanonicalURI, SipTranslatedRequestURI, SipMethod, \
             SipResponseCode, AcctStartTime, AcctStopTime, AcctSessionTime, ConnectInfo_start, \
             ConnectInfo_stop, AcctTerminateCause, SipApplicationType, SipCodecs, SipUserAgents, SipRPID, SourceIP, SourcePort, \
             NASIPAddress, NASPortId, BillingId, ENUMtld, Contact, DelayTime, Timestamp, dialog) ",
        );
        query.push_values(cdrs, |mut tuple, cdr| {
            let status = cdr.status.to_string();
            tuple
                .push_bind(cut(&cdr.session_id, 255))
                .push_bind(cut(&cdr.from_tag, 128))
                .push_bind(cut(&cdr.to_tag, 128))
                .push_bind(cut(&cdr.username, 320))
                .push_bind(cut(&cdr.billing_party, 320))
                .push_bind(cut(&cdr.realm, 255))
                .push_bind(cut(&cdr.from_uri, 320))
                .push_bind(cut(&cdr.from_header, 512))
                .push_bind(cut(&cdr.to_uri, 320))
                .push_bind(cut(&cdr.canonical_uri, 320))
                .push_bind(cut(&cdr.translated_uri, 512))
                .push_bind(cut(&cdr.method, 32))
                .push_bind(i64::from(cdr.status))
                .push_bind(utc(cdr.started_at))
                .push_bind(cdr.stopped_at.map(utc))
                .push_bind(cdr.stopped_at.map(|stop| seconds_between(cdr.started_at, stop)))
                .push_bind(status.clone())
                .push_bind(cdr.stopped_at.map(|_| status))
                .push_bind(cut(&cdr.cause, 32))
                .push_bind(cut(&cdr.application, 255))
                .push_bind(cut(&cdr.codecs, 255))
                .push_bind(cut(&cdr.user_agents, 512))
                .push_bind(cut(&cdr.rpid, 255))
                .push_bind(cut(&cdr.source_ip, 64))
                .push_bind(i64::from(cdr.source_port))
                .push_bind(cut(&cdr.proxy_ip, 64))
                .push_bind(cut(&cdr.node, 50))
                .push_bind(cut(&cdr.billing_id, 255))
                .push_bind(cut(&cdr.enum_tld, 255))
                .push_bind(cut(&cdr.contact, 512))
                .push_bind(i64::from(cdr.delay))
                .push_bind(cdr.started_at.div_euclid(1000))
                .push_bind(cdr.dialog.as_deref().filter(|_| cdr.stopped_at.is_none()));
        });
        query.push(<DB as Spelling>::keep_existing("AcctSessionId, SipFromTag, SipToTag"));
        query.build().execute(&mut *c).await.map(drop)
    })
}

/// A call as it is found for its end.
#[derive(sqlx::FromRow)]
struct Begun {
    id: i64,
    session_id: String,
    from_tag: String,
    to_tag: String,
    started: i64,
    lasts: bool,
}

impl Begun {
    /// Whether an end is that of this call; whoever was called may hang up.
    fn ends_by(&self, stop: &CdrStop) -> bool {
        let tags = (self.from_tag.as_str(), self.to_tag.as_str());
        let (from, to) = (cut(&stop.from_tag, 128), cut(&stop.to_tag, 128));
        self.session_id == cut(&stop.session_id, 255) && (tags == (from, to) || tags == (to, from))
    }
}

/// Writes the ends of some calls; tells how many of them lasted.
///
/// A call that was closed because its node was killed may end once more: it went on without us.
async fn update_stopped(tx: &mut Tx<'_>, stops: &[CdrStop]) -> Result<usize, StoreError> {
    let found: Vec<Begun> = on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new(
            "SELECT RadAcctId AS id, AcctSessionId AS session_id, SipFromTag AS from_tag, SipToTag AS to_tag, \
             start_unix AS started, AcctStopTime IS NULL AS lasts FROM radacct WHERE AcctSessionId IN (",
        );
        let mut list = query.separated(", ");
        for stop in stops {
            list.push_bind(cut(&stop.session_id, 255));
        }
        query.push(") AND (AcctStopTime IS NULL OR AcctTerminateCause = ").push_bind(INTERRUPTED);
        query.push(") ORDER BY RadAcctId");
        query.build_query_as::<Begun>().fetch_all(&mut *c).await
    })?;
    // The first end of a call counts.
    let ends: Vec<(&Begun, &CdrStop)> = found
        .iter()
        .filter_map(|call| Some((call, stops.iter().find(|stop| call.ends_by(stop))?)))
        .collect();
    for some in pieces(&ends) {
        end(tx, some).await?;
    }
    Ok(ends.iter().filter(|(call, _)| call.lasts).count())
}

async fn end(tx: &mut Tx<'_>, ends: &[(&Begun, &CdrStop)]) -> Result<(), StoreError> {
    on!(tx, c => {
        // What was priced for an interrupted call is priced again.
        let mut query = QueryBuilder::<DB>::new(
            "UPDATE radacct SET ConnectInfo_stop = '200', Normalized = '0', dialog = NULL, \
             AcctStopTime = CASE RadAcctId",
        );
        for (call, stop) in ends {
            query.push(" WHEN ").push_bind(call.id).push(" THEN ").push_bind(utc(stop.stopped_at));
        }
        query.push(" END, AcctSessionTime = CASE RadAcctId");
        for (call, stop) in ends {
            let lasted = seconds_between(call.started.saturating_mul(1000), stop.stopped_at);
            query.push(" WHEN ").push_bind(call.id).push(" THEN ").push_bind(lasted);
        }
        query.push(" END, AcctTerminateCause = CASE RadAcctId");
        for (call, stop) in ends {
            query.push(" WHEN ").push_bind(call.id).push(" THEN ").push_bind(cut(&stop.cause, 32));
        }
        query.push(" END WHERE RadAcctId IN (");
        let mut list = query.separated(", ");
        for (call, _) in ends {
            list.push_bind(call.id);
        }
        query.push(")");
        query.build().execute(&mut *c).await.map(drop)
    })
}

/// Whole seconds of a call, never negative.
fn seconds_between(start: i64, stop: i64) -> i64 {
    (stop.div_euclid(1000) - start.div_euclid(1000)).max(0)
}

/// As much of a text as a column takes: a long header must not cost a call its record.
pub(crate) fn cut(text: &str, characters: usize) -> &str {
    if text.len() <= characters {
        return text;
    }
    text.char_indices().nth(characters).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("\u{e4}bc", 3), "\u{e4}bc");
        assert_eq!(cut("\u{e4}bc", 2), "\u{e4}b");
    }
}
