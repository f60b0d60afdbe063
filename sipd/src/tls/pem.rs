//! PEM files (RFC 7468), with the line of what is wrong in them.

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The most certificates of one chain that are read.
const LONGEST_CHAIN: usize = 16;

/// What is wrong with a PEM text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// A section cannot be read.
    #[error("line {line}: {why}")]
    Line {
        /// The line of the text, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// There is nothing of what is looked for.
    #[error("holds no {0}")]
    Missing(&'static str),
}

/// One section: its label, its text, and the line where it begins.
struct Section<'t> {
    label: &'t str,
    text: String,
    line: usize,
}

/// The sections of a text; what stands around them is comment.
fn sections(text: &str) -> Result<Vec<Section<'_>>, PemError> {
    let mut sections = Vec::new();
    let mut open: Option<Section<'_>> = None;
    let marker = |line: &'_ str, word: &str| {
        let rest = line.strip_prefix("-----")?.strip_prefix(word)?.strip_prefix(' ')?;
        rest.strip_suffix("-----").map(str::len)
    };
    for (number, line) in text.lines().map(str::trim_end).enumerate() {
        let at = number + 1;
        let label = |word: &str| {
            let length = marker(line, word)?;
            line.get(6 + word.len()..6 + word.len() + length)
        };
        if let Some(label) = label("BEGIN") {
            if let Some(before) = &open {
                return Err(unended(before));
            }
            open = Some(Section { label, text: format!("{line}\n"), line: at });
            continue;
        }
        let Some(section) = &mut open else { continue };
        section.text.push_str(line);
        section.text.push('\n');
        if let Some(end) = label("END") {
            if end != section.label {
                let why = format!("`{}` begins and `{end}` ends", section.label);
                return Err(PemError::Line { line: at, why });
            }
            sections.extend(open.take());
        }
    }
    open.map_or(Ok(sections), |section| Err(unended(&section)))
}

fn unended(section: &Section<'_>) -> PemError {
    let why = format!("what begins here has no line -----END {}-----", section.label);
    PemError::Line { line: section.line, why }
}

fn wrong(section: &Section<'_>, why: impl std::fmt::Display) -> PemError {
    let why = format!("the {} that begins here: {why}", section.label.to_ascii_lowercase());
    PemError::Line { line: section.line, why }
}

/// The certificates of a text, in order; each is one that can be read.
pub(super) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let mut found = Vec::new();
    for section in sections(text)?.iter().filter(|section| section.label == "CERTIFICATE") {
        let read = CertificateDer::from_pem_slice(section.text.as_bytes());
        let certificate = read.map_err(|error| wrong(section, error))?;
        // A store of authorities reads it; a chain is not read before its first handshake.
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|error| wrong(section, error))?;
        found.push(certificate);
        if found.len() > LONGEST_CHAIN {
            return Err(wrong(section, "there are too many before it"));
        }
    }
    if found.is_empty() { Err(PemError::Missing("certificate")) } else { Ok(found) }
}

/// Adds the authorities of a text to a store.
pub(super) fn authorities(text: &str, store: &mut RootCertStore) -> Result<(), PemError> {
    for section in sections(text)?.iter().filter(|section| section.label == "CERTIFICATE") {
        let read = CertificateDer::from_pem_slice(section.text.as_bytes());
        let certificate = read.map_err(|error| wrong(section, error))?;
        store.add(certificate).map_err(|error| wrong(section, error))?;
    }
    if store.is_empty() { Err(PemError::Missing("certificate")) } else { Ok(()) }
}

/// The private key of a text.
pub(super) fn private_key(text: &str) -> Result<PrivateKeyDer<'static>, PemError> {
    let sections = sections(text)?;
    let is_key = |section: &&Section<'_>| section.label.ends_with("PRIVATE KEY");
    let section = sections.iter().find(is_key).ok_or(PemError::Missing("private key"))?;
    if section.label == "ENCRYPTED PRIVATE KEY" || section.text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(wrong(section, "it is encrypted; write it without a pass phrase"));
    }
    let key = PrivateKeyDer::from_pem_slice(section.text.as_bytes());
    key.map_err(|error| wrong(section, error))
}
