//! `lasting_calls`: calls that count towards somebody's limit (B76, B147) while they last. They are written and removed
//! with the records of the calls; a node that starts again reads its own, and every node counts those of the others.

use crate::error::StoreError;
use crate::follower::on_connection;
use crate::pieces::pieces;
use crate::radacct::{Cdr, CdrStop, cut};
use crate::store::{Db, Store};
use crate::tx::{Actor, Tx, on};
use sqlx::QueryBuilder;

/// A call that lasts. Texts are as its record has them, where there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct LastingCall {
    /// Call-ID.
    pub session_id: String,
    /// Tag of the From header.
    pub from_tag: String,
    /// Tag of the To header.
    pub to_tag: String,
    /// For whom it counts: an account's address or a trusted peer's key; empty when it counts for nobody.
    pub payer: String,
    /// When it was answered, in milliseconds since 1970 UTC.
    pub started_at: i64,
    /// `user@domain` of the caller.
    pub caller: String,
    /// What was called.
    pub callee: String,
    /// The account, address or number that this is.
    pub canonical: String,
    /// Where it was answered.
    pub target: String,
    /// [`Cdr::dialog`].
    pub dialog: Option<String>,
}

/// What the records of calls say of them.
pub(crate) const OF_RECORD: &str = "COALESCE(r.CallingStationId, '') AS caller, COALESCE(r.CalledStationId, '') AS callee, \
                         COALESCE(r.CanonicalURI, '') AS canonical, \
                         COALESCE(r.SipTranslatedRequestURI, '') AS target, r.dialog AS dialog";

impl Store {
    /// The calls of a node that count and that were answered since a time, in milliseconds since 1970 UTC; what is older
    /// is forgotten.
    pub async fn lasting_calls(
        &self,
        node: &str,
        since: i64,
    ) -> Result<Vec<LastingCall>, StoreError> {
        let (found, _) = self
            .write(&Actor::system("lasting_calls"), |tx| {
                Box::pin(async move {
                    on!(tx, c => {
                        sqlx::query::<DB>("DELETE FROM lasting_calls WHERE node = ? AND started_at < ?")
                            .bind(cut(node, 50))
                            .bind(since)
                            .execute(&mut *c)
                            .await?;
                        let mut query = QueryBuilder::<DB>::new(
                            "SELECT l.session_id, l.from_tag, l.to_tag, l.payer, l.started_at, ",
                        );
                        query.push(OF_RECORD);
                        query.push(
                            " FROM lasting_calls l LEFT JOIN radacct r ON r.AcctSessionId = l.session_id \
                             AND r.SipFromTag = l.from_tag AND r.SipToTag = l.to_tag WHERE l.node = ",
                        );
                        query.push_bind(cut(node, 50)).push(" ORDER BY l.id");
                        query.build_query_as::<LastingCall>().fetch_all(&mut *c).await
                    })
                })
            })
            .await?;
        Ok(found)
    }

    /// How many calls count for whom on other nodes that were alive since `alive_since`; those that were answered before
    /// `since` do not. Times are in milliseconds since 1970 UTC.
    pub async fn lasting_calls_elsewhere(
        &self,
        node: &str,
        since: i64,
        alive_since: i64,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        on_connection!(self, c => {
            sqlx::query_as::<DB, (String, i64)>(
                "SELECT l.payer, COUNT(*) FROM lasting_calls l JOIN sip_nodes n ON n.node = l.node \
                 WHERE l.node <> ? AND l.started_at >= ? AND n.alive_at >= ? \
                 GROUP BY l.payer ORDER BY l.payer",
            )
            .bind(cut(node, 50))
            .bind(since)
            .bind(alive_since)
            .fetch_all(&mut *c)
            .await
        })
    }
}

/// Notes which of some calls count, instead of what is noted of them.
pub(crate) async fn insert(tx: &mut Tx<'_>, cdrs: &[Cdr]) -> Result<(), StoreError> {
    let counted: Vec<&Cdr> =
        cdrs.iter().filter(|cdr| cdr.stopped_at.is_none() && !cdr.counts_for.is_empty()).collect();
    for chunk in pieces(&counted) {
        let dialogs = chunk.iter().map(|cdr| dialog(&cdr.session_id, &cdr.from_tag, &cdr.to_tag));
        remove(tx, dialogs.collect()).await?;
        let mut rows = Vec::new();
        for cdr in chunk {
            rows.extend(cdr.counts_for.iter().map(|payer| (*cdr, payer)));
        }
        on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new(
                "INSERT INTO lasting_calls (node, session_id, from_tag, to_tag, payer, started_at) ",
            );
            query.push_values(rows, |mut tuple, (cdr, payer)| {
                tuple
                    .push_bind(cut(&cdr.node, 50))
                    .push_bind(cut(&cdr.session_id, 255))
                    .push_bind(cut(&cdr.from_tag, 128))
                    .push_bind(cut(&cdr.to_tag, 128))
                    .push_bind(cut(payer, 320))
                    .push_bind(cdr.started_at);
            });
            query.build().execute(&mut *c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Forgets calls that counted and are over.
pub(crate) async fn stop(tx: &mut Tx<'_>, stops: &[CdrStop]) -> Result<(), StoreError> {
    let counted: Vec<&CdrStop> = stops.iter().filter(|stop| stop.counted).collect();
    for chunk in pieces(&counted) {
        let dialogs =
            chunk.iter().map(|stop| dialog(&stop.session_id, &stop.from_tag, &stop.to_tag));
        remove(tx, dialogs.collect()).await?;
    }
    Ok(())
}

/// Call-ID and tags as they are stored.
fn dialog<'a>(session_id: &'a str, from_tag: &'a str, to_tag: &'a str) -> [&'a str; 3] {
    [cut(session_id, 255), cut(from_tag, 128), cut(to_tag, 128)]
}

/// Removes dialogs, whoever's tag comes first.
async fn remove(tx: &mut Tx<'_>, dialogs: Vec<[&str; 3]>) -> Result<(), StoreError> {
    on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new("DELETE FROM lasting_calls WHERE ");
        let mut list = query.separated(" OR ");
        for [session, one, other] in &dialogs {
            list.push("(session_id = ").push_bind_unseparated(*session);
            for (separator, from, to) in [(" AND ((", one, other), (") OR (", other, one)] {
                list.push_unseparated(separator).push_unseparated("from_tag = ");
                list.push_bind_unseparated(*from).push_unseparated(" AND to_tag = ");
                list.push_bind_unseparated(*to);
            }
            list.push_unseparated(")))");
        }
        query.build().execute(&mut *c).await.map(drop)
    })
}
