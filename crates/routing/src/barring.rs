//! Numbers that an account may not call (B96).

use ngn_model::Account;
use ngn_model::call_plan::Why;

/// The prefix that keeps an account from calling an address, if that is an international number (B96).
pub(crate) fn barred<'a>(account: &'a Account, address: &str) -> Option<&'a str> {
    let options = account.options.as_deref().filter(|options| !options.barred.is_empty())?;
    let number = international(address)?;
    let found = options.barred.iter().find(|prefix| number.starts_with(prefix.as_str()));
    found.map(String::as_str)
}

/// The reason not to call a number.
pub(crate) fn why(account: &Account, prefix: &str) -> Why {
    Why::new("B96", "the account may not call that number")
        .with("account", account.aor.to_string())
        .with("prefix", format!("+{prefix}"))
}

/// The digits of an international number, written with `+` or `00`, in an address or a SIP or tel URI. Separators
/// that people read do not count (RFC 3966 section 5.1.1).
fn international(address: &str) -> Option<String> {
    let lower = address.trim().to_ascii_lowercase();
    let bare = ["sips:", "sip:", "tel:"].iter().find_map(|scheme| lower.strip_prefix(scheme));
    let user = bare.unwrap_or(&lower).split(['@', ';', '?', ':']).next().unwrap_or_default();
    let user = user.replace("%2b", "+");
    let digits = user.strip_prefix('+').or_else(|| user.strip_prefix("00"))?;
    let digits: String = digits.chars().filter(|c| !"-.()".contains(*c)).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::CallOptions;

    #[test]
    fn b96_prefixes_of_international_numbers() {
        let mut account = Account::new("alice@example.com".parse().expect("an address"));
        assert_eq!(barred(&account, "sip:+31900123@example.com"), None);
        let prefixes = vec!["31900".to_owned(), "44".to_owned()];
        account.options =
            Some(Box::new(CallOptions { barred: prefixes, ..CallOptions::default() }));
        for (address, expected) in [
            ("sip:+31900123@example.com", Some("31900")),
            ("sip:0031900123@example.com;user=phone", Some("31900")),
            ("+441234@example.com", Some("44")),
            ("tel:+44-1234", Some("44")),
            ("sip:%2B441234@example.com", Some("44")),
            ("sip:+31901@example.com", None),
            ("sip:+3190@example.com", None),
            ("sip:31900123@example.com", None),
            ("sip:044@example.com", None),
            ("sip:+44bob@example.com", None),
            ("sip:+@example.com", None),
            ("", None),
        ] {
            assert_eq!(barred(&account, address), expected, "{address}");
        }
    }
}
