//! What a file of cases may say.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use toml::Spanned;

/// A value that may turn out to be wrong later, with its place.
pub(super) type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) settings: SettingsText,
    #[serde(default)]
    pub(super) account: Vec<AccountText>,
    #[serde(default)]
    pub(super) alias: Vec<AliasText>,
    #[serde(default)]
    pub(super) trunk: Vec<TrunkText>,
    #[serde(default)]
    pub(super) carrier: Vec<CarrierText>,
    #[serde(default)]
    pub(super) route: Vec<RouteText>,
    #[serde(default)]
    pub(super) emergency: Vec<EmergencyText>,
    /// Digits, SIP URIs.
    #[serde(default, rename = "enum")]
    pub(super) enum_uris: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) case: Vec<CaseText>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SettingsText {
    pub(super) domains: Vec<Text>,
    pub(super) country: String,
    pub(super) area: String,
    pub(super) national_prefix: Option<String>,
    pub(super) international_prefix: Option<String>,
    pub(super) no_enum: bool,
    pub(super) voicemail_server: Option<String>,
    pub(super) reseller_voicemail: BTreeMap<Text, String>,
    pub(super) emergency_numbers: Vec<String>,
    pub(super) default_call_limit: u32,
    pub(super) gateways_in_order: bool,
    pub(super) failover: Vec<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountText {
    pub(super) aor: Text,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    /// Contact URIs, with `;q=` when they have no equal preference.
    #[serde(default)]
    pub(super) contacts: Vec<Text>,
    /// Contacts whose time is over.
    #[serde(default)]
    pub(super) expired: Vec<Text>,
    pub(super) rpid: Option<String>,
    pub(super) region: Option<String>,
    pub(super) quickdial: Option<String>,
    pub(super) call_limit: Option<u32>,
    #[serde(default)]
    pub(super) acl: Vec<String>,
    #[serde(default)]
    pub(super) reseller: i64,
    pub(super) timeout: Option<u32>,
    pub(super) mailbox: Option<String>,
    pub(super) mobile: Option<String>,
    #[serde(default)]
    pub(super) timezone: String,
    /// Condition, target: through the proxy.
    #[serde(default)]
    pub(super) forward: BTreeMap<Text, Text>,
    /// Condition, target: the caller goes there.
    #[serde(default)]
    pub(super) redirect: BTreeMap<Text, Text>,
    #[serde(default)]
    pub(super) reject: Vec<String>,
    #[serde(default)]
    pub(super) barred: Vec<String>,
    /// Address, group.
    #[serde(default)]
    pub(super) phonebook: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) accept: Vec<AcceptText>,
    pub(super) accept_now: Option<NowText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptText {
    pub(super) days: Spanned<i64>,
    pub(super) start: Text,
    pub(super) stop: Text,
    pub(super) groups: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NowText {
    pub(super) groups: Vec<String>,
    pub(super) until: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AliasText {
    pub(super) alias: Text,
    pub(super) of: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrunkText {
    pub(super) ip: String,
    #[serde(default)]
    pub(super) reseller: i64,
    #[serde(default)]
    pub(super) call_limit: u32,
    #[serde(default)]
    pub(super) prepaid: bool,
    #[serde(default)]
    pub(super) blocked: bool,
    #[serde(default)]
    pub(super) no_enum: bool,
    #[serde(default)]
    pub(super) transit: bool,
    pub(super) carrier: Option<String>,
    pub(super) originator: Option<String>,
    #[serde(default)]
    pub(super) strip: u32,
    pub(super) prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CarrierText {
    pub(super) name: String,
    #[serde(default)]
    pub(super) reseller: i64,
    #[serde(default)]
    pub(super) gateways: Vec<GatewayText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GatewayText {
    pub(super) name: String,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) transport: Option<Text>,
    #[serde(default)]
    pub(super) rules: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct RuleText {
    pub(super) prefix: String,
    pub(super) strip: u32,
    pub(super) prepend: String,
    pub(super) min: u32,
    pub(super) max: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteText {
    #[serde(default)]
    pub(super) prefix: String,
    pub(super) carrier: Text,
    #[serde(default)]
    pub(super) originator: String,
    #[serde(default)]
    pub(super) priority: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmergencyText {
    pub(super) number: String,
    #[serde(default)]
    pub(super) domain: String,
    #[serde(default)]
    pub(super) region: String,
    pub(super) target: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseText {
    pub(super) name: String,
    #[serde(default)]
    pub(super) rules: Vec<String>,
    pub(super) from: Text,
    pub(super) call: String,
    /// `watch mailbox` or `mailbox changed`, when it is no call.
    pub(super) purpose: Option<Text>,
    pub(super) from_header: Option<String>,
    pub(super) source: Option<IpAddr>,
    pub(super) source_port: Option<u16>,
    pub(super) now: Option<Text>,
    #[serde(default)]
    pub(super) seed: u64,
    #[serde(default)]
    pub(super) private: bool,
    /// Names of gateways.
    #[serde(default)]
    pub(super) down: Vec<Text>,
    /// Who pays, how many calls.
    #[serde(default)]
    pub(super) calls: BTreeMap<String, u32>,
    /// Who pays, what is left.
    #[serde(default)]
    pub(super) balance: BTreeMap<String, Text>,
    pub(super) expect: Vec<String>,
    #[serde(default)]
    pub(super) says: Vec<String>,
}
