//! What a trace needs of a message's text, and the text without credentials.

/// The headers by which a message is chosen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Call-ID.
    pub(super) call_id: String,
    /// Method; of a response, that of its CSeq.
    pub(super) method: String,
    /// Status code of a response, else empty.
    pub(super) status: String,
    /// Tag of the From header.
    pub(super) from_tag: String,
    /// Tag of the To header.
    pub(super) to_tag: String,
    /// `user@host` of Request-URI, From and To, in lower case.
    pub(super) addresses: Vec<String>,
}

/// A header whose value is masked but for some parameters.
const CREDENTIALS: [&str; 4] =
    ["authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info"];
/// Parameters of credentials by which nobody can log in or guess a password.
const HARMLESS: [&str; 9] =
    ["username", "realm", "uri", "algorithm", "qop", "nc", "nonce", "opaque", "stale"];
/// What stands in place of a secret.
const MASK: &str = "\"masked\"";

impl Parts {
    /// Reads the head of a message; nothing when it has no Call-ID.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (head, _) = split(text);
        let mut parts = Self::default();
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let (start, second) = (first.next()?, first.next().unwrap_or_default());
        if start == "SIP/2.0" {
            parts.status = second.chars().take(3).collect();
        } else {
            start.clone_into(&mut parts.method);
            parts.addresses.extend(address(second));
        }
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "call-id" | "i" => value.clone_into(&mut parts.call_id),
                "from" | "f" => {
                    parts.addresses.extend(address(value));
                    parts.from_tag = tag(value);
                }
                "to" | "t" => {
                    parts.addresses.extend(address(value));
                    parts.to_tag = tag(value);
                }
                "cseq" if parts.method.is_empty() => {
                    parts.method = value.split_whitespace().nth(1).unwrap_or_default().to_owned();
                }
                _ => {}
            }
        }
        (!parts.call_id.is_empty()).then_some(parts)
    }

    /// The hosts of the addresses, each once, separated by blanks.
    pub(super) fn domains(&self) -> String {
        let hosts = self.addresses.iter().filter_map(|address| address.rsplit_once('@'));
        let mut hosts: Vec<&str> = hosts.map(|(_, host)| host).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts.join(" ")
    }
}

/// Head and body.
fn split(text: &str) -> (&str, &str) {
    match text.find("\r\n\r\n").or_else(|| text.find("\n\n")) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    }
}

/// `user@host` of the first SIP URI in a text.
fn address(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start =
        ["sip:", "sips:"].iter().filter_map(|s| lower.find(s).map(|at| at + s.len())).min()?;
    let rest = lower.get(start..)?;
    let uri = rest.split(['>', ';', '?', ' ', ',', '"']).next()?;
    let (user, host) = uri.rsplit_once('@')?;
    let user = user.split(':').next()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    Some(format!("{user}@{host}"))
}

/// The tag parameter of a From or To header, which stands behind the URI's `>` if there is one.
fn tag(value: &str) -> String {
    let parameters = value.rsplit_once('>').map_or(value, |(_, rest)| rest);
    let named = parameters.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("tag").then(|| value.trim())
    });
    named.unwrap_or_default().to_owned()
}

/// A message's text without credentials, at most `longest` octets of it.
pub(super) fn masked(text: &str, longest: usize) -> String {
    let (head, body) = split(text);
    let mut out = String::with_capacity(text.len());
    let mut lines = head.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !CREDENTIALS.contains(&name.as_str()) {
            out.push_str(line);
            continue;
        }
        let mut value = line.to_owned();
        // A header goes on in lines that begin with a blank (RFC 3261 section 7.3.1).
        while let Some(more) = lines.next_if(|next| next.starts_with([' ', '\t'])) {
            value.push_str(more);
        }
        credentials(&value, &mut out);
    }
    for line in body.split_inclusive('\n') {
        out.push_str(&media_key(line));
    }
    let mut end = longest.min(out.len());
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out
}

/// A header with credentials: name, scheme, and the parameters that are harmless; other values are masked.
fn credentials(header: &str, out: &mut String) {
    let (name, value) = header.split_once(':').unwrap_or((header, ""));
    let value = value.trim();
    let (scheme, parameters) = match value.split_once([' ', '\t']) {
        Some((scheme, parameters)) if !scheme.contains(['=', ',']) => (scheme, parameters),
        _ => ("", value),
    };
    out.push_str(name);
    out.push(':');
    if !scheme.is_empty() {
        out.push(' ');
        out.push_str(scheme);
    }
    for (index, parameter) in comma_separated(parameters).into_iter().enumerate() {
        out.push_str(if index == 0 { " " } else { ", " });
        match parameter.split_once('=') {
            Some((name, _)) if !HARMLESS.contains(&name.trim().to_ascii_lowercase().as_str()) => {
                out.push_str(name.trim());
                out.push('=');
                out.push_str(MASK);
            }
            Some(_) => out.push_str(parameter.trim()),
            None => out.push_str(MASK),
        }
    }
    if header.ends_with('\n') {
        out.push_str("\r\n");
    }
}

/// Parts between commas that stand outside of quotes.
fn comma_separated(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut in_quotes, mut escaped) = (Vec::new(), 0, false, false);
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' => in_quotes = !in_quotes,
            b',' if !in_quotes => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// A line of SDP without the key that it may hold (RFC 4568 `a=crypto`, RFC 4566 `k=`).
fn media_key(line: &str) -> String {
    let end = if line.ends_with('\n') { "\r\n" } else { "" };
    if let (true, Some((before, _))) = (line.starts_with("a=crypto:"), line.split_once("inline:")) {
        return format!("{before}inline:masked{end}");
    }
    if line.starts_with("k=") { format!("k=masked{end}") } else { line.to_owned() }
}
