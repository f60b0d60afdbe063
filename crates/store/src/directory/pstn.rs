//! What SIP servers read of trusted peers, carriers, gateways, gateway rules and routes.

use super::{CHUNK, readable};
use crate::error::StoreError;
use crate::prepaid::steps;
use crate::progress::Progress;
use crate::store::Store;
use crate::tx::{Tx, on};
use futures::TryStreamExt;
use ngn_model::{
    Amount, Aor, Carrier, EmergencyMapping, Gateway, GatewayRule, GatewayTransport, Ownership,
    PeerProtocol, Route, TrustedPeer,
};
use sqlx::mysql::MySqlRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder};
use std::collections::HashMap;
use std::hash::Hash;

/// A row that becomes a model, with the statement that reads it.
trait Readable: for<'r> FromRow<'r, MySqlRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin {
    /// What it becomes.
    type Model: Send;
    /// What it is found by.
    type Key: Clone + Eq + Hash + Send + Sync;
    /// Their name in the log.
    const WHAT: &'static str;
    /// SELECT without conditions.
    const SELECT: &'static str;
    /// The key's column.
    const COLUMN: &'static str;

    /// `None` when the row cannot be read as what it should be, after a warning.
    fn read(self) -> Option<Self::Model>;
    /// The key of a model.
    fn key(model: &Self::Model) -> Self::Key;
}

/// All rows of a kind, by key.
async fn load<R: Readable>(tx: &mut Tx<'_>) -> Result<Vec<R::Model>, StoreError> {
    let mut loaded = Vec::new();
    let mut progress = Progress::of(R::WHAT);
    on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new(R::SELECT);
        query.push(" ORDER BY ").push(R::COLUMN);
        let mut rows = query.build_query_as::<R>().fetch(&mut *c);
        while let Some(row) = rows.try_next().await? {
            progress.row();
            loaded.extend(row.read());
        }
        Ok(())
    })?;
    Ok(loaded)
}

/// A value that both drivers take.
trait Bindable:
    for<'q> sqlx::Encode<'q, sqlx::MySql>
    + sqlx::Type<sqlx::MySql>
    + for<'q> sqlx::Encode<'q, sqlx::Sqlite>
    + sqlx::Type<sqlx::Sqlite>
    + 'static
{
}

impl Bindable for i64 {}
impl Bindable for String {}

/// The rows of a kind with these keys; every key comes back.
async fn read_again<R>(
    store: &Store,
    keys: &[R::Key],
) -> Result<Vec<(R::Key, Option<R::Model>)>, StoreError>
where
    R: Readable,
    R::Key: Bindable,
{
    let mut found: HashMap<R::Key, R::Model> = store
        .read(|tx| {
            Box::pin(async move {
                let mut found = HashMap::new();
                for chunk in keys.chunks(CHUNK) {
                    let rows: Vec<R> = on!(tx, c => {
                        let mut query = QueryBuilder::<DB>::new(R::SELECT);
                        query.push(" WHERE ").push(R::COLUMN).push(" IN (");
                        let mut list = query.separated(", ");
                        for key in chunk {
                            list.push_bind(key.clone());
                        }
                        query.push(")");
                        query.build_query_as::<R>().fetch_all(&mut *c).await
                    })?;
                    found.extend(rows.into_iter().filter_map(R::read).map(|m| (R::key(&m), m)));
                }
                Ok::<_, StoreError>(found)
            })
        })
        .await?;
    Ok(keys.iter().map(|key| (key.clone(), found.remove(key))).collect())
}

/// Everything of this file, at one moment.
#[derive(Debug, Default)]
pub(super) struct Pstn {
    pub(super) trusted_peers: Vec<TrustedPeer>,
    pub(super) carriers: Vec<Carrier>,
    pub(super) gateways: Vec<Gateway>,
    pub(super) gateway_rules: Vec<GatewayRule>,
    pub(super) routes: Vec<Route>,
    pub(super) emergency: Vec<EmergencyMapping>,
    pub(super) balances: Vec<(Aor, Amount)>,
}

impl Pstn {
    pub(super) async fn load(tx: &mut Tx<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            trusted_peers: load::<PeerSql>(tx).await?,
            carriers: load::<CarrierSql>(tx).await?,
            gateways: load::<GatewaySql>(tx).await?,
            gateway_rules: load::<RuleSql>(tx).await?,
            routes: load::<RouteSql>(tx).await?,
            emergency: load::<EmergencySql>(tx).await?,
            balances: load::<BalanceSql>(tx).await?,
        })
    }
}

impl Store {
    /// Re-reads trusted peers; every address comes back, with `None` when it is no trusted peer.
    pub async fn trusted_peers(
        &self,
        ips: &[String],
    ) -> Result<Vec<(String, Option<TrustedPeer>)>, StoreError> {
        read_again::<PeerSql>(self, ips).await
    }

    /// Re-reads carriers; every id comes back, with `None` when there is no such carrier.
    pub async fn carriers(&self, ids: &[i64]) -> Result<Vec<(i64, Option<Carrier>)>, StoreError> {
        read_again::<CarrierSql>(self, ids).await
    }

    /// Re-reads gateways; every id comes back, with `None` when there is no such gateway.
    pub async fn gateways(&self, ids: &[i64]) -> Result<Vec<(i64, Option<Gateway>)>, StoreError> {
        read_again::<GatewaySql>(self, ids).await
    }

    /// Re-reads gateway rules; every id comes back, with `None` when there is no such rule.
    pub async fn gateway_rules(
        &self,
        ids: &[i64],
    ) -> Result<Vec<(i64, Option<GatewayRule>)>, StoreError> {
        read_again::<RuleSql>(self, ids).await
    }

    /// Re-reads routes; every id comes back, with `None` when there is no such route.
    pub async fn routes(&self, ids: &[i64]) -> Result<Vec<(i64, Option<Route>)>, StoreError> {
        read_again::<RouteSql>(self, ids).await
    }

    /// Re-reads rows of the emergency mapping; every id comes back, with `None` when there is no such row.
    pub async fn emergency_mappings(
        &self,
        ids: &[i64],
    ) -> Result<Vec<(i64, Option<EmergencyMapping>)>, StoreError> {
        read_again::<EmergencySql>(self, ids).await
    }

    /// Re-reads what prepaid accounts have; every address comes back, with `None` when it never had anything.
    pub async fn balances(&self, aors: &[Aor]) -> Result<Vec<(Aor, Option<Amount>)>, StoreError> {
        let keys: Vec<String> = aors.iter().map(ToString::to_string).collect();
        let rows = read_again::<BalanceSql>(self, &keys).await?;
        let amounts = rows.into_iter().map(|(_, row)| row.map(|(_, amount)| amount));
        Ok(aors.iter().cloned().zip(amounts).collect())
    }
}

/// Nothing in place of an empty text.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A word of a fixed set, or that it is none.
fn word<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    read(text).ok_or_else(|| format!("`{text}` is none of the words that may stand there"))
}

#[derive(FromRow)]
struct PeerSql {
    ip: String,
    protocol: String,
    call_limit: i64,
    msteams: bool,
    tenant: Option<String>,
    prepaid: bool,
    blocked: i64,
    enum_lookup: bool,
    transit: bool,
    carrier_name: Option<String>,
    originator: Option<String>,
    billing_id: Option<String>,
    strip: i64,
    prefix: Option<String>,
    customer: i64,
    reseller_id: i64,
}

impl Readable for PeerSql {
    type Model = TrustedPeer;
    type Key = String;
    const WHAT: &'static str = "trusted peers";
    const SELECT: &'static str = "SELECT ip, protocol, call_limit, msteams, tenant, prepaid, blocked, enum_lookup, \
         transit, carrier_name, originator, billing_id, strip, prefix, customer, reseller_id FROM trusted_peers";
    const COLUMN: &'static str = "ip";

    fn read(self) -> Option<TrustedPeer> {
        let protocol =
            readable("trusted peer", &self.ip, word(&self.protocol, PeerProtocol::from_name))?;
        Some(TrustedPeer {
            call_limit: readable("trusted peer", &self.ip, u32::try_from(self.call_limit))?,
            strip: readable("trusted peer", &self.ip, u32::try_from(self.strip))?,
            ip: self.ip,
            protocol,
            ownership: Ownership { customer: self.customer, reseller: self.reseller_id },
            msteams: self.msteams,
            tenant: given(self.tenant),
            prepaid: self.prepaid,
            blocked: self.blocked != 0,
            enum_lookup: self.enum_lookup,
            transit: self.transit,
            carrier_name: given(self.carrier_name),
            originator: given(self.originator),
            billing_id: given(self.billing_id),
            prefix: given(self.prefix),
        })
    }

    fn key(model: &TrustedPeer) -> String {
        model.ip.clone()
    }
}

#[derive(FromRow)]
struct CarrierSql {
    id: i64,
    name: String,
    reseller: i64,
}

impl Readable for CarrierSql {
    type Model = Carrier;
    type Key = i64;
    const WHAT: &'static str = "carriers";
    const SELECT: &'static str = "SELECT id, name, reseller FROM carriers";
    const COLUMN: &'static str = "id";

    fn read(self) -> Option<Carrier> {
        Some(Carrier { id: self.id, name: self.name, reseller: self.reseller })
    }

    fn key(model: &Carrier) -> i64 {
        model.id
    }
}

#[derive(FromRow)]
struct GatewaySql {
    id: i64,
    carrier_id: i64,
    name: String,
    transport: String,
    ip: String,
    port: i64,
}

impl Readable for GatewaySql {
    type Model = Gateway;
    type Key = i64;
    const WHAT: &'static str = "gateways";
    const SELECT: &'static str = "SELECT id, carrier_id, name, transport, ip, port FROM gateways";
    const COLUMN: &'static str = "id";

    fn read(self) -> Option<Gateway> {
        let transport = word(&self.transport, GatewayTransport::from_name);
        Some(Gateway {
            transport: readable("gateway", &self.name, transport)?,
            port: readable("gateway", &self.name, u16::try_from(self.port))?,
            id: self.id,
            carrier_id: self.carrier_id,
            name: self.name,
            host: self.ip,
        })
    }

    fn key(model: &Gateway) -> i64 {
        model.id
    }
}

#[derive(FromRow)]
struct RuleSql {
    id: i64,
    gateway_id: i64,
    prefix: String,
    strip: i64,
    prepend: String,
    min_length: i64,
    max_length: i64,
}

impl Readable for RuleSql {
    type Model = GatewayRule;
    type Key = i64;
    const WHAT: &'static str = "gateway rules";
    const SELECT: &'static str =
        "SELECT id, gateway_id, prefix, strip, prepend, min_length, max_length FROM gateway_rules";
    const COLUMN: &'static str = "id";

    fn read(self) -> Option<GatewayRule> {
        let count = |value| readable("gateway rule", &self.prefix, u32::try_from(value));
        Some(GatewayRule {
            id: self.id,
            gateway_id: self.gateway_id,
            strip: count(self.strip)?,
            min_length: count(self.min_length)?,
            max_length: count(self.max_length)?,
            prepend: self.prepend,
            prefix: self.prefix,
        })
    }

    fn key(model: &GatewayRule) -> i64 {
        model.id
    }
}

#[derive(FromRow)]
struct RouteSql {
    id: i64,
    carrier_id: i64,
    prefix: String,
    originator: String,
    priority: i64,
}

impl Readable for RouteSql {
    type Model = Route;
    type Key = i64;
    const WHAT: &'static str = "routes";
    const SELECT: &'static str = "SELECT id, carrier_id, prefix, originator, priority FROM routes";
    const COLUMN: &'static str = "id";

    fn read(self) -> Option<Route> {
        Some(Route {
            id: self.id,
            carrier_id: self.carrier_id,
            priority: readable("route", &self.prefix, i32::try_from(self.priority))?,
            prefix: self.prefix,
            originator: self.originator,
        })
    }

    fn key(model: &Route) -> i64 {
        model.id
    }
}

#[derive(FromRow)]
struct EmergencySql {
    id: i64,
    username: String,
    domain: String,
    region: String,
    target: String,
}

impl Readable for EmergencySql {
    type Model = EmergencyMapping;
    type Key = i64;
    const WHAT: &'static str = "emergency mappings";
    const SELECT: &'static str =
        "SELECT CAST(id AS SIGNED) AS id, username, domain, region, target FROM emergency_mapping";
    const COLUMN: &'static str = "id";

    fn read(self) -> Option<EmergencyMapping> {
        let Self { id, username: number, domain, region, target } = self;
        Some(EmergencyMapping { id, number, domain, region, target })
    }

    fn key(model: &EmergencyMapping) -> i64 {
        model.id
    }
}

#[derive(FromRow)]
struct BalanceSql {
    account: String,
    balance: i64,
}

impl Readable for BalanceSql {
    type Model = (Aor, Amount);
    type Key = String;
    const WHAT: &'static str = "balances";
    const SELECT: &'static str =
        concat!("SELECT account, ", steps!("balance"), " AS balance FROM prepaid");
    const COLUMN: &'static str = "account";

    fn read(self) -> Option<(Aor, Amount)> {
        readable_balance(&self.account, self.balance)
    }

    fn key((aor, _): &(Aor, Amount)) -> String {
        aor.to_string()
    }
}

/// A row of `prepaid`.
pub(super) fn readable_balance(account: &str, steps: i64) -> Option<(Aor, Amount)> {
    Some((readable("prepaid account", account, account.parse::<Aor>())?, Amount(steps)))
}
