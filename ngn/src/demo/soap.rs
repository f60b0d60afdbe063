//! A SOAP client as a customer would write one: typed XML by yaserde, HTTP by hyper, document/literal.

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use yaserde::{YaDeserialize, YaSerialize};

/// Longest reply that is read, in octets.
const LONGEST: usize = 1 << 20;
/// Longest time that a call may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An element that is sent; all share one set of prefixes, which the envelope declares.
macro_rules! elements {
    ($($(#[doc = $doc:literal])* struct $name:ident $(as $element:literal in $prefix:literal)? {
        $($(#[yaserde($($mark:tt)*)])* $field:ident: $type:ty,)*
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Default, YaSerialize)]
        #[yaserde(
            $(rename = $element, prefix = $prefix,)?
            namespaces = {
                "soap" = "http://schemas.xmlsoap.org/soap/envelope/",
                "ngn" = "urn:AGProjects:NGNPro",
                "sip" = "urn:AGProjects:NGNPro:Sip",
                "enum" = "urn:AGProjects:NGNPro:Enum",
                "dns" = "urn:AGProjects:NGNPro:Dns"
            }
        )]
        pub(super) struct $name {
            $($(#[yaserde($($mark)*)])* pub(super) $field: $type,)*
        }
    )*};
}

elements! {
    /// The message.
    struct Envelope as "Envelope" in "soap" {
        #[yaserde(rename = "Header", prefix = "soap")]
        header: Header,
        #[yaserde(rename = "Body", prefix = "soap")]
        body: Operation,
    }

    /// Its header.
    struct Header {
        #[yaserde(prefix = "ngn")]
        auth: Auth,
    }

    /// The login.
    struct Auth {
        username: String,
        password: String,
        admin: bool,
    }

    /// The body: exactly one operation.
    struct Operation {
        #[yaserde(rename = "addDomain", prefix = "sip")]
        add_domain: Option<AddDomain>,
        #[yaserde(rename = "addAccount", prefix = "sip")]
        add_account: Option<AccountOf>,
        #[yaserde(rename = "updateAccount", prefix = "sip")]
        update_account: Option<AccountOf>,
        #[yaserde(rename = "addAlias", prefix = "sip")]
        add_alias: Option<AddAlias>,
        #[yaserde(rename = "setCallDiversions", prefix = "sip")]
        set_call_diversions: Option<SetCallDiversions>,
        #[yaserde(rename = "addRange", prefix = "enum")]
        add_range: Option<AddRange>,
        #[yaserde(rename = "addNumber", prefix = "enum")]
        add_number: Option<AddNumber>,
    }

    /// `Sip.addDomain`.
    struct AddDomain {
        domain: Domain,
    }

    /// A SIP domain.
    struct Domain {
        domain: String,
    }

    /// `Sip.addAccount` and `Sip.updateAccount`.
    struct AccountOf {
        account: Account,
    }

    /// A SIP account.
    struct Account {
        id: SipId,
        password: String,
        #[yaserde(rename = "firstName")]
        first_name: String,
        #[yaserde(rename = "lastName")]
        last_name: String,
    }

    /// A SIP address.
    struct SipId {
        username: String,
        domain: String,
    }

    /// `Sip.addAlias`.
    struct AddAlias {
        alias: Alias,
    }

    /// Another address of an account.
    struct Alias {
        id: SipId,
        target: SipId,
    }

    /// `Sip.setCallDiversions`.
    struct SetCallDiversions {
        #[yaserde(rename = "sipId")]
        sip_id: SipId,
        diversions: Diversions,
    }

    /// Where calls go instead; the others stay unset.
    struct Diversions {
        #[yaserde(rename = "FBUS")]
        busy: Option<String>,
    }

    /// `Enum.addRange`.
    struct AddRange {
        range: Range,
    }

    /// A block of numbers.
    struct Range {
        id: RangeId,
        #[yaserde(rename = "minDigits")]
        min_digits: u8,
        #[yaserde(rename = "maxDigits")]
        max_digits: u8,
        size: u32,
    }

    /// What a range is known by.
    struct RangeId {
        prefix: String,
        tld: String,
    }

    /// `Enum.addNumber`.
    struct AddNumber {
        number: Number,
    }

    /// A number with what it maps to.
    struct Number {
        id: EnumId,
        mappings: Mappings,
    }

    /// What a number is known by.
    struct EnumId {
        number: String,
        tld: String,
    }

    /// A list of mappings.
    struct Mappings {
        item: Vec<Mapping>,
    }

    /// A mapping of a number.
    struct Mapping {
        #[yaserde(rename = "type")]
        kind: String,
        mapto: String,
    }
}

/// A reply, as far as a caller that only adds things looks into it.
#[derive(Debug, Default, YaDeserialize)]
#[yaserde(
    rename = "Envelope",
    prefix = "env",
    namespaces = { "env" = "http://schemas.xmlsoap.org/soap/envelope/" }
)]
struct Reply {
    #[yaserde(rename = "Body", prefix = "env")]
    body: ReplyBody,
}

#[derive(Debug, Default, YaDeserialize)]
#[yaserde(prefix = "env", namespaces = { "env" = "http://schemas.xmlsoap.org/soap/envelope/" })]
struct ReplyBody {
    #[yaserde(rename = "Fault", prefix = "env")]
    fault: Option<Fault>,
}

#[derive(Debug, Default, YaDeserialize)]
#[yaserde(prefix = "env", namespaces = { "env" = "http://schemas.xmlsoap.org/soap/envelope/" })]
struct Fault {
    faultstring: String,
    detail: Option<Detail>,
}

#[derive(Debug, Default, YaDeserialize)]
#[yaserde(prefix = "ngn", namespaces = { "ngn" = "urn:AGProjects:NGNPro" })]
struct Detail {
    #[yaserde(prefix = "ngn")]
    exception: Exception,
}

#[derive(Debug, Default, YaDeserialize)]
struct Exception {
    errorcode: u16,
    errorstring: String,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// Its number; 0 when the server gave none.
    pub(super) code: u16,
    /// Its sentence.
    pub(super) text: String,
}

/// A server with a login.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Where it is.
    pub(super) server: SocketAddr,
    /// The administrator's password.
    pub(super) password: String,
}

impl Client {
    /// Calls an operation; gives the journal position of what it changed, or the refusal.
    pub(super) async fn call(&self, operation: Operation) -> anyhow::Result<Result<u64, Refused>> {
        let auth =
            Auth { username: "admin".to_owned(), password: self.password.clone(), admin: true };
        let envelope = Envelope { header: Header { auth }, body: operation };
        let text =
            yaserde::ser::to_string(&envelope).map_err(|error| anyhow::anyhow!("{error}"))?;
        let (position, reply) = tokio::time::timeout(PATIENCE, self.exchange(text))
            .await
            .context("the SOAP server does not answer")??;
        let reply: Reply =
            yaserde::de::from_str(&reply).map_err(|error| anyhow::anyhow!("{error} in {reply}"))?;
        Ok(match reply.body.fault {
            None => Ok(position),
            Some(fault) => Err(match fault.detail {
                Some(Detail { exception }) => {
                    Refused { code: exception.errorcode, text: exception.errorstring }
                }
                None => Refused { code: 0, text: fault.faultstring },
            }),
        })
    }

    async fn exchange(&self, text: String) -> anyhow::Result<(u64, String)> {
        let stream = TcpStream::connect(self.server).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let request = Request::post("/")
            .header(HOST, self.server.to_string())
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .header("SOAPAction", "\"\"")
            .body(Full::new(Bytes::from(text)))?;
        let reply = sender.send_request(request).await?;
        let position = reply.headers().get("X-Journal-Position");
        let position = position.and_then(|text| text.to_str().ok()?.parse().ok()).unwrap_or(0);
        let body = Limited::new(reply.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes();
        drop(sender);
        let _ = connection.await;
        Ok((position, String::from_utf8(body.to_vec())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_servers_own_codec_reads() {
        let operation = Operation {
            add_account: Some(AccountOf {
                account: Account {
                    id: SipId { username: "alice".to_owned(), domain: "demo.example".to_owned() },
                    password: "<&>".to_owned(),
                    ..Account::default()
                },
            }),
            ..Operation::default()
        };
        let envelope = Envelope { body: operation, ..Envelope::default() };
        let text = yaserde::ser::to_string(&envelope).expect("written");
        let document = text.replace("&lt;&amp;&gt;", "PASSWORD");
        assert!(document.contains("<password>PASSWORD</password>"), "{text}");
        assert!(document.contains("<sip:addAccount"), "{text}");
        assert!(document.contains("<id><username>alice</username>"), "{text}");
        assert!(!document.contains("addDomain"), "{text}");
    }

    #[test]
    fn reads_faults_whatever_their_prefix() {
        let reply = r#"<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns:n="urn:AGProjects:NGNPro"><S:Body>
            <S:Fault><faultcode>S:Client</faultcode><faultstring>no</faultstring><detail><n:exception>
            <errorcode>1001</errorcode><errorstring>it is there</errorstring></n:exception></detail>
            </S:Fault></S:Body></S:Envelope>"#;
        let reply: Reply = yaserde::de::from_str(reply).expect("read");
        let exception = reply.body.fault.expect("a fault").detail.expect("a detail").exception;
        assert_eq!((exception.errorcode, exception.errorstring.as_str()), (1001, "it is there"));
    }
}
