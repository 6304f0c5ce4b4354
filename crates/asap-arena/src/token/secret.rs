//! What is shown once: an id to look it up by, and 256 bits that only its hash is kept of.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::random::{hex, random_hex};

/// What scanners for leaked secrets look for.
const PREFIX: &str = "asap_";
const ID_DIGITS: usize = 16;
const KEY_DIGITS: usize = 64;

/// `asap_ID_KEY`: a token, the key of a session or the code of an invitation.
///
/// The bits are random, so one round of SHA-256 is enough: nobody guesses 256 bits, however fast the hash is.
#[derive(Clone)]
pub struct Secret {
    id: String,
    key: String,
}

impl Secret {
    pub(crate) fn new() -> Self {
        Self {
            id: random_hex::<{ ID_DIGITS / 2 }>(),
            key: random_hex::<{ KEY_DIGITS / 2 }>(),
        }
    }

    /// What somebody presented; `None` where it is not in the form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (id, key) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_hex = |part: &str, len| part.len() == len && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_hex(id, ID_DIGITS) && is_hex(key, KEY_DIGITS)).then(|| Self {
            id: id.to_owned(),
            key: key.to_owned(),
        })
    }

    /// By which it is recognised; no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole, to be shown once.
    pub fn show(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.key)
    }

    pub(crate) fn hash(&self) -> String {
        hex(&Sha256::digest(self.key.as_bytes()))
    }

    /// Takes the same time wherever the two differ.
    pub(crate) fn has_hash(&self, stored: &str) -> bool {
        self.hash().as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_…", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_not_printed_by_accident() {
        let secret = Secret::new();
        let shown = secret.show();
        assert_eq!(shown.len(), 5 + 16 + 1 + 64);
        let again = Secret::parse(&shown).unwrap();
        assert!(again.has_hash(&secret.hash()));
        assert!(!Secret::new().has_hash(&secret.hash()));
        assert!(!format!("{secret:?}").contains(&secret.key));
        for broken in [
            "",
            "asap_",
            "asap_1_2",
            &shown[1..],
            &format!("{shown}0"),
            &shown.replace('_', "-"),
        ] {
            assert!(Secret::parse(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn the_hash_is_sha256_of_the_key() {
        // `printf 0000…0 (64 times) | sha256sum`
        let secret = Secret {
            id: "0".repeat(16),
            key: "0".repeat(64),
        };
        assert_eq!(
            secret.hash(),
            "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55"
        );
    }
}
