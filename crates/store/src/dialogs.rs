//! What is needed to ask the sides of a call whether it goes on (`radacct.dialog`): written with the record of the call,
//! changed when a side moves, read by a node that starts again, and gone when the call is over.

use crate::error::StoreError;
use crate::lasting_calls::{LastingCall, OF_RECORD};
use crate::radacct::{INTERRUPTED, cut};
use crate::store::Store;
use crate::time::utc;
use crate::tx::{Actor, Tx, on};
use sqlx::QueryBuilder;

/// How far back it is forgotten how to ask the sides of calls, in milliseconds.
const FORGOTTEN: i64 = 86_400_000;

/// A call whose sides are elsewhere now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdrMove {
    /// Call-ID.
    pub session_id: String,
    /// Tag of one side.
    pub from_tag: String,
    /// Tag of the other side.
    pub to_tag: String,
    /// As [`Cdr::dialog`](crate::Cdr::dialog).
    pub dialog: String,
}

impl Store {
    /// Notes where the sides of calls are now that go on, in one transaction.
    pub async fn move_cdrs(&self, moves: &[CdrMove]) -> Result<(), StoreError> {
        if moves.is_empty() {
            return Ok(());
        }
        self.write(&Actor::system("move_cdrs"), |tx| {
            Box::pin(async move {
                for one in moves {
                    move_one(tx, one).await?;
                }
                Ok(())
            })
        })
        .await
        .map(drop)
    }

    /// The calls of a node that [`close_interrupted_cdrs`](Self::close_interrupted_cdrs) closed, whose sides can be asked
    /// whether they go on, and that were answered since a time; of older ones that is forgotten. Times are in milliseconds
    /// since 1970 UTC.
    pub async fn interrupted_calls(
        &self,
        node: &str,
        since: i64,
        now: i64,
    ) -> Result<Vec<LastingCall>, StoreError> {
        let (node, since) = (cut(node, 50), since.min(now.saturating_add(1_000)));
        let begin = since.saturating_sub(FORGOTTEN);
        let (found, _) = self
            .write(&Actor::system("interrupted_calls"), |tx| {
                Box::pin(async move {
                    on!(tx, c => {
                        sqlx::query::<DB>(
                            "UPDATE radacct SET dialog = NULL WHERE AcctStartTime >= ? AND AcctStartTime < ? \
                             AND NASPortId = ? AND dialog IS NOT NULL",
                        )
                        .bind(utc(begin))
                        .bind(utc(since))
                        .bind(node)
                        .execute(&mut *c)
                        .await?;
                        let mut query = QueryBuilder::<DB>::new(
                            "SELECT r.AcctSessionId AS session_id, r.SipFromTag AS from_tag, r.SipToTag AS to_tag, \
                             '' AS payer, r.start_unix * 1000 AS started_at, ",
                        );
                        query.push(OF_RECORD).push(" FROM radacct r WHERE r.AcctStartTime >= ");
                        query.push_bind(utc(since)).push(" AND r.NASPortId = ").push_bind(node);
                        query.push(" AND r.AcctTerminateCause = ").push_bind(INTERRUPTED);
                        query.push(" AND r.dialog IS NOT NULL ORDER BY r.RadAcctId");
                        query.build_query_as::<LastingCall>().fetch_all(&mut *c).await
                    })
                })
            })
            .await?;
        Ok(found)
    }
}

async fn move_one(tx: &mut Tx<'_>, one: &CdrMove) -> Result<(), StoreError> {
    let (from, to) = (cut(&one.from_tag, 128), cut(&one.to_tag, 128));
    on!(tx, c => {
        // One that is over has none.
        sqlx::query::<DB>(
            "UPDATE radacct SET dialog = ? WHERE AcctSessionId = ? AND dialog IS NOT NULL \
             AND ((SipFromTag = ? AND SipToTag = ?) OR (SipFromTag = ? AND SipToTag = ?))",
        )
        .bind(&one.dialog)
        .bind(cut(&one.session_id, 255))
        .bind(from)
        .bind(to)
        .bind(to)
        .bind(from)
        .execute(&mut *c)
        .await
        .map(drop)
    })
}
