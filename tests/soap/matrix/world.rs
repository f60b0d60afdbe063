//! Two resellers, each with a customer who has a record of every kind. What a record holds besides its name is
//! `hush-…`, so that it is noticed wherever it appears.

pub(super) use super::names::Names;
use super::oracle::{Caller, Record};
use base64::Engine as _;
use ngn_tests::fixture::{Tenant, generous, person};
use ngn_tests::platform::{ADMIN, Platform};
use ngn_tests::soap::{Client, Login, Transcript};
use ngn_tests::{Value, record, sip_id};

/// Everything of one platform that the cells need.
pub(super) struct World<'a> {
    /// The platform.
    pub(super) p: &'a Platform,
    /// The administrator.
    pub(super) admin: Client,
    own: Names,
    foreign: Names,
    absent: Names,
    inside: Names,
    clients: Vec<(Caller, Client)>,
    resellers: [Client; 2],
    sibling: i64,
}

impl<'a> World<'a> {
    /// Makes all the records.
    pub(super) fn build(p: &'a Platform) -> Self {
        let admin = quiet(p, Some(Login::admin(ADMIN, &p.password())));
        let mut own = Names::of("own", "319715550", "192.0.2.211");
        let mut foreign = Names::of("foreign", "319825550", "198.51.100.222");
        let own_tenants = tenants(p, &admin, &mut own);
        let foreign_tenants = tenants(p, &admin, &mut foreign);
        let sibling = add_tenant(p, &admin, "sibling-customer", Some(own.reseller));
        fill(p, &own_tenants, &mut own, ["4711.25", "73918460"]);
        fill(p, &foreign_tenants, &mut foreign, ["8822.75", "84629571"]);
        let [own_reseller, own_customer] = own_tenants;
        let [foreign_reseller, foreign_customer] = foreign_tenants;
        let wrong = Login::customer("own-reseller", "not-the-password");
        let clients = vec![
            (Caller::Admin, admin.clone()),
            (Caller::AsCustomer, admin.impersonating(own.customer)),
            (Caller::AsReseller, admin.impersonating(own.reseller)),
            (Caller::OwnReseller, own_reseller.client.clone()),
            (Caller::ForeignReseller, foreign_reseller.client.clone()),
            (Caller::OwnCustomer, own_customer.client),
            (Caller::Sibling, sibling.client.clone()),
            (Caller::ForeignCustomer, foreign_customer.client),
            (Caller::Nobody, quiet(p, None)),
            (Caller::WrongPassword, quiet(p, Some(wrong))),
        ];
        let inside = foreign.missing_inside();
        let resellers = [own_reseller.client, foreign_reseller.client];
        Self {
            p,
            admin,
            own,
            foreign,
            absent: Names::absent(),
            inside,
            clients,
            resellers,
            sibling: sibling.id,
        }
    }

    /// The names of a record.
    pub(super) fn names(&self, record: Record) -> &Names {
        match record {
            Record::Own => &self.own,
            Record::Foreign => &self.foreign,
            Record::Absent => &self.absent,
            Record::AbsentInForeign => &self.inside,
        }
    }

    /// A caller's client.
    pub(super) fn client(&self, caller: Caller) -> &Client {
        let found = self.clients.iter().find(|(who, _)| *who == caller);
        &found.expect("every caller has a client").1
    }

    /// The customer and the reseller that a caller is.
    pub(super) fn itself(&self, caller: Caller) -> (i64, i64) {
        let Names { customer, reseller, .. } = *self.names(caller.home());
        match caller {
            Caller::Admin | Caller::Nobody | Caller::WrongPassword => (0, 0),
            Caller::AsReseller | Caller::OwnReseller | Caller::ForeignReseller => {
                (reseller, reseller)
            }
            Caller::AsCustomer | Caller::OwnCustomer | Caller::ForeignCustomer => {
                (customer, reseller)
            }
            Caller::Sibling => (self.sibling, reseller),
        }
    }

    /// The reseller of somebody's records.
    pub(super) fn reseller_of(&self, names: &Names) -> &Client {
        &self.resellers[usize::from(names.reseller == self.foreign.reseller)]
    }
}

/// A client whose calls are not noted: ids and ports in the answers differ from one database to the other.
fn quiet(p: &Platform, login: Option<Login>) -> Client {
    let client = p.admin();
    Client { login, transcript: Transcript::default(), ..client }
}

fn add_tenant(p: &Platform, admin: &Client, username: &str, reseller: Option<i64>) -> Tenant {
    let hush = format!("hush-{username}");
    let account = person(username)
        .with("password", format!("{hush}-password"))
        .with("lastName", format!("{hush}-name"))
        .with("vatNumber", format!("{hush}-vat"))
        .with("bankAccount", format!("{hush}-bank"))
        .with("address", format!("{hush}-address"))
        .with("email", format!("{hush}@example.org"))
        .with("reseller", reseller.unwrap_or_default())
        .with("resellerActive", reseller.is_none());
    let mut properties = generous();
    if let Value::List(items) = &mut properties {
        items.push(record! {
            name: "auth_token", value: format!("{hush}-token"), category: "dns", permission: "customer",
        });
    }
    let parameters = record! { account: account.with("properties", properties) };
    let added = admin.ok("Customer.addAccount", parameters);
    Tenant {
        id: added.int_at("id"),
        reseller: added.int_at("reseller"),
        username: username.to_owned(),
        client: quiet(p, Some(Login::customer(username, &format!("{hush}-password")))),
    }
}

/// A reseller and its customer.
fn tenants(p: &Platform, admin: &Client, names: &mut Names) -> [Tenant; 2] {
    let reseller = add_tenant(p, admin, &format!("{}-reseller", names.tag), None);
    let customer = add_tenant(p, admin, &names.username, Some(reseller.id));
    (names.customer, names.reseller) = (customer.id, reseller.id);
    [reseller, customer]
}

/// Sound that a voicemail server could play.
pub(super) fn sound() -> String {
    base64::engine::general_purpose::STANDARD.encode(b"RIFF\0\0\0\0WAVEfmt hush")
}

/// What `addAccount` of the Sip port takes; prepaid, like the accounts of the world.
pub(super) fn subscriber(address: &str, hush: &str) -> Value {
    record! {
        id: sip_id(address), password: format!("{hush}-sip"), firstName: format!("{hush}-first"),
        lastName: format!("{hush}-last"), email: format!("{hush}@example.org"), prepaid: true,
        properties: vec![record! { name: "web_password", value: format!("{hush}-web") }],
    }
}

/// One record of every kind.
fn fill(p: &Platform, [reseller, customer]: &[Tenant; 2], names: &mut Names, numbers: [&str; 2]) {
    let hush = format!("hush-{}", names.tag);
    let [balance, pin] = numbers;
    names.secrets.extend(numbers.map(str::to_owned));
    sip(&customer.client, names, &hush, balance);
    voicemail_and_rating(&customer.client, names, &hush, pin);
    pstn(&reseller.client, names, &hush);
    numbering(&customer.client, names, &hush);
    recorded(p, names, &hush);
}

fn sip(client: &Client, names: &Names, hush: &str, balance: &str) {
    let id = || sip_id(&names.account);
    let domain = record! {
        domain: &names.domain, private_key: format!("{hush}-key"), certificate: format!("{hush}-certificate"),
        match_sip_domain: format!("{hush}.example"),
    };
    client.ok("Sip.addDomain", record! { domain: domain });
    client.ok("Sip.addAccount", record! { account: subscriber(&names.account, hush) });
    let alias = record! { id: sip_id(&names.alias), target: id() };
    client.ok("Sip.addAlias", record! { alias: alias });
    client.ok("Sip.addToGroup", record! { sipId: id(), group: format!("{hush}-group") });
    let entry = record! { uri: &names.entry, name: format!("{hush}-friend"), group: "vip" };
    client.ok("Sip.addPhonebookEntry", record! { sipId: id(), entry: entry });
    let diversions = record! { FUNC: format!("sip:{hush}-diverted@example.org") };
    client.ok("Sip.setCallDiversions", record! { sipId: id(), diversions: diversions });
    let members = [format!("sip:{hush}-rejected@example.org")].map(Value::from);
    client.ok("Sip.setRejectMembers", record! { sipId: id(), members: members });
    let barred = [format!("+{}77", names.prefix)].map(Value::from);
    client.ok("Sip.setBarringPrefixes", record! { sipId: id(), prefixes: barred });
    let rule = record! { days: 31, start: "09:00", stop: "17:00", groups: ["vip"] };
    client.ok(
        "Sip.setAcceptRules",
        record! { sipId: id(), rules: record! { persistent: vec![rule] } },
    );
    let payment = record! { sipId: id(), value: balance, description: format!("{hush}-payment") };
    client.ok("Sip.addBalance", payment);
}

fn voicemail_and_rating(client: &Client, names: &Names, hush: &str, pin: &str) {
    let account = record! {
        sipId: sip_id(&names.account), password: pin, name: format!("{hush}-mailbox"),
        email: format!("{hush}@example.org"),
    };
    client.ok("Voicemail.addAccount", record! { account: account });
    let announcement = record! { sipId: sip_id(&names.account), message: sound() };
    client.ok("Voicemail.setAnnouncement", announcement);
    let entities =
        [format!("subscriber://{}", names.account), format!("domain://{}", names.domain)];
    for entity in entities {
        let profiles = record! { entity: entity, profileWeekday: format!("{hush}-week") };
        client.ok("Rating.setEntityProfiles", record! { profiles: profiles });
    }
}

fn pstn(client: &Client, names: &mut Names, hush: &str) {
    let peer = record! {
        ip: &names.peer, description: format!("{hush}-peer"), authToken: format!("{hush}-token"),
        billingId: format!("{hush}-billing"), customer: names.customer,
    };
    client.ok("Sip.addTrustedPeer", record! { peer: peer });
    let id = |operation: &str, parameters: Value| client.ok(operation, parameters).int_at("id");
    names.carrier =
        id("Sip.addCarrier", record! { carrier: record! { name: &names.carrier_name } });
    let gateway = record! {
        name: &names.gateway_name, carrier_id: names.carrier, ip: format!("{hush}.example.org"),
    };
    names.gateway = id("Sip.addGateway", record! { gateway: gateway });
    let rule = record! { gateway_id: names.gateway, prefix: &names.dialled, strip: 2 };
    names.rule = id("Sip.addGatewayRule", record! { rule: rule });
    let route = record! {
        carrier_id: names.carrier, prefix: &names.dialled, originator: &names.domain,
    };
    client.ok("Sip.addRoutes", record! { routes: vec![route] });
    let query = record! { filter: record! { carrier_id: names.carrier } };
    names.route = client.ok("Sip.getRoutes", record! { query: query }).int_at("routes/0/id");
}

fn numbering(client: &Client, names: &mut Names, hush: &str) {
    let range = record! {
        id: record! { prefix: &names.prefix, tld: "e164.arpa" }, info: format!("{hush}-range"),
        nameservers: ["ns1.example.net"],
    };
    client.ok("Enum.addRange", record! { range: range });
    let number = record! {
        id: record! { number: &names.number, tld: "e164.arpa" }, info: format!("{hush}-number"),
        mappings: vec![record! { r#type: "sip", mapto: format!("sip:{hush}@example.org") }],
    };
    client.ok("Enum.addNumber", record! { number: number });
    let zone = record! {
        name: &names.zone, info: format!("{hush}-zone"), nameservers: ["ns1.example.net"],
        email: format!("{hush}@example.org"),
    };
    client.ok("Dns.addZone", record! { zone: zone });
    let text = record! {
        zone: &names.zone, name: &names.record_name, r#type: "TXT", value: format!("{hush}-text"),
    };
    names.record = client.ok("Dns.addRecord", record! { record: text }).int_at("id");
    let web = record! {
        zone: &names.zone, name: &names.fancy_name, r#type: "URL", value: format!("http://{hush}.example/"),
    };
    names.fancy = client.ok("Dns.addFancyRecord", record! { record: web }).int_at("id");
}

/// What proxies, relays and the rating engine write, and what only the administrator makes.
fn recorded(p: &Platform, names: &mut Names, hush: &str) {
    names.card = 700 + names.reseller;
    card(p, names.card, names.reseller, hush);
    let Names { account, domain, call, .. } = &*names;
    let user = account.split('@').next().unwrap_or(account);
    let far = 4_000_000_000_u32;
    for statement in [
        format!(
            "INSERT INTO radacct (AcctSessionId, SipFromTag, SipToTag, UserName, Realm, CallingStationId, CanonicalURI, \
             CalledStationId, FromHeader, SipApplicationType, NASIPAddress, AcctStartTime, AcctStopTime, \
             AcctSessionTime, SipResponseCode, Price) VALUES ('{call}', 'f', 't', '{account}', '{domain}', '{account}', \
             '{hush}-called@example.org', 'x@example.org', '{hush}-header', 'audio', '192.0.2.9', \
             '2026-03-02 10:00:00', '2026-03-02 10:01:00', 60, 200, 1.5)"
        ),
        format!(
            "INSERT INTO sip_trace (callid, trace_attrs, msg, method, fromtag, totag, direction) \
             VALUES ('{call}', '{domain}', '{hush}-message', 'INVITE', 'f', 't', 'in')"
        ),
        format!(
            "INSERT INTO media_sessions (call_id, from_tag, to_tag, info) VALUES ('{call}', 'f', 't', \
             '{{\"duration\": 60, \"streams\": [{{\"caller_codec\": \"{hush}-codec\"}}]}}')"
        ),
        format!(
            "INSERT INTO location (ruid, username, domain, contact, expires, expires_at, user_agent, socket) \
             VALUES ('{call}', '{user}', '{domain}', 'sip:{user}@192.0.2.77:5066', {far}, {far}000, '{hush}-phone', \
             'udp:192.0.2.1:5060')"
        ),
    ] {
        _ = p.database.sql(&statement);
    }
    let gateway = format!("gateway://{}-gateway.example", names.tag);
    let profiles = record! { entity: gateway, profileWeekday: format!("{hush}-week") };
    let admin = quiet(p, Some(Login::admin(ADMIN, &p.password())));
    admin.ok("Rating.setEntityProfiles", record! { profiles: profiles });
}

/// A prepaid card of a reseller; its number is `{hush}-{id}`.
pub(super) fn card(p: &Platform, id: i64, reseller: i64, hush: &str) {
    _ = p.database.sql(&format!(
        "INSERT INTO prepaid_cards (id, reseller_id, number, value) VALUES ({id}, {reseller}, '{hush}-{id}', 10)"
    ));
}
