//! Members of voicemail accounts: mailbox numbers, PINs, announcements (B152, B158).

use ngn_soap::Fault;
use ngn_soap::fault::code;

/// Digits of a mailbox number or a PIN.
const DIGITS: usize = 18;

fn invalid(text: String) -> Fault {
    Fault::client(code::INVALID_ARGUMENT, text)
}

fn digits(text: &str) -> bool {
    text.len() <= DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

/// Checks the number that a caller wants for a mailbox; `None` for an empty one, which asks for a free number (B152).
///
/// # Errors
///
/// 9000 when it is no number of up to 18 digits.
pub fn check_mailbox(mailbox: &str) -> Result<Option<String>, Fault> {
    if !digits(mailbox) {
        return Err(invalid(format!(
            "account.mailbox: `{mailbox}` is no mailbox number; use 1 to {DIGITS} digits, or none at all"
        )));
    }
    Ok(Some(mailbox.to_owned()).filter(|mailbox| !mailbox.is_empty()))
}

/// Checks a PIN; `None` for an empty one (B158). The fault does not repeat it.
///
/// # Errors
///
/// 9000 when it has anything but digits, or more than 18.
pub fn check_pin(pin: &str) -> Result<Option<String>, Fault> {
    if !digits(pin) {
        return Err(invalid(format!("account.password: use 1 to {DIGITS} digits")));
    }
    Ok(Some(pin.to_owned()).filter(|pin| !pin.is_empty()))
}

/// Checks a text that the voicemail server writes into the header of a mail.
///
/// # Errors
///
/// 9000 for line breaks and other control characters.
pub fn check_text(text: &str, member: &str) -> Result<String, Fault> {
    if text.chars().any(char::is_control) {
        return Err(invalid(format!(
            "{member}: line breaks and control characters are not possible"
        )));
    }
    Ok(text.to_owned())
}

/// Checks that an announcement is a WAV file; an empty one stands for none.
///
/// # Errors
///
/// 9000 when it does not begin as one.
pub fn check_wav(message: &[u8]) -> Result<(), Fault> {
    let riff = message.starts_with(b"RIFF") && message.get(8..12) == Some(b"WAVE".as_slice());
    if message.is_empty() || riff {
        return Ok(());
    }
    Err(invalid(
        "message: is no WAV file; send one with 8000 samples of 16 bits per second, one channel"
            .to_owned(),
    ))
}

/// A PIN of six digits that nobody can guess.
///
/// # Errors
///
/// 9003 when the system gives no random numbers.
pub fn random_pin() -> Result<String, Fault> {
    let number = getrandom::u32().map_err(|_| {
        Fault::server(
            code::BACKEND_FAILURE,
            "the system gives no random numbers; nothing was changed",
        )
    })?;
    Ok(format!("{:06}", number % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T>(result: Result<T, Fault>) -> bool {
        result.is_err_and(|fault| fault.code == code::INVALID_ARGUMENT)
    }

    #[test]
    fn b152_mailboxes_are_numbers() {
        assert_eq!(check_mailbox(""), Ok(None));
        assert_eq!(check_mailbox("0017"), Ok(Some("0017".to_owned())));
        for bad in ["12a", "+12", "1 2", "١٢", "1234567890123456789"] {
            assert!(refused(check_mailbox(bad)), "{bad}");
        }
    }

    #[test]
    fn b158_pins_are_digits_and_never_repeated() {
        assert_eq!(check_pin(""), Ok(None));
        assert_eq!(check_pin("236651"), Ok(Some("236651".to_owned())));
        let fault = check_pin("hunter2").expect_err("refused");
        assert!(!fault.text.contains("hunter2"));
        let pin = random_pin().expect("a PIN");
        assert_eq!(check_pin(&pin), Ok(Some(pin.clone())));
        assert_eq!(pin.len(), 6);
    }

    #[test]
    fn announcements_are_wav_files() {
        assert_eq!(check_wav(b""), Ok(()));
        assert_eq!(check_wav(b"RIFF\0\0\0\0WAVEfmt "), Ok(()));
        for bad in [b"RIFF".as_slice(), b"ID3\x04", b"RIFF\0\0\0\0AVI fmt ", b"WAVE"] {
            assert!(refused(check_wav(bad)));
        }
        assert!(refused(check_text("a@example.com\nBcc: b@example.com", "account.email")));
    }
}
