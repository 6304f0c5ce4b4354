//! Ballots: one vote on one item by one rater, signed, good once.
//!
//! A ballot is a number that was used once and a signature over what it stands for. What that is (the item, the side that
//! the model is on) stays on the server, so a ballot tells nothing about gold items or models, and raters who compare
//! theirs find nothing in common.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::random::hex;
use crate::refusal::Refusal;
use crate::time::UnixMs;

const N_NONCE_BYTES: usize = 16;
const N_SIGNATURE_BYTES: usize = 32;
/// A shorter key than the hash makes HMAC weaker (RFC 2104, section 3).
const LEAST_SECRET_BYTES: usize = 32;

/// On which side the model's image is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Left, or on top.
    Left,
    /// Right, or below.
    Right,
}

impl Side {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// What a ballot stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The item.
    pub item: String,
    /// The rater.
    pub rater: String,
    /// Where the model's image is.
    pub side: Side,
    /// The number that was used once, in hexadecimal digits.
    pub nonce: String,
    /// Until when it is good.
    pub expires: UnixMs,
    /// The round.
    pub round: u32,
}

/// The key that ballots are signed with.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Takes the secret of a server; all servers on one database have the same.
    ///
    /// # Errors
    /// [`Refusal::WeakSecret`] under 32 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, Refusal> {
        let weak = Refusal::WeakSecret {
            least: LEAST_SECRET_BYTES,
            got: bytes.len(),
        };
        if bytes.len() < LEAST_SECRET_BYTES {
            return Err(weak);
        }
        Hmac::new_from_slice(bytes).map(Self).map_err(|_any_length| weak)
    }

    /// The ballot for these terms: 64 characters for an address or a form.
    pub(crate) fn sign(&self, terms: &Terms) -> String {
        let mut bytes = from_hex(&terms.nonce);
        bytes.extend(self.mac(terms).finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whether a ballot was signed for these terms, in a time that does not depend on where it differs.
    pub(crate) fn check(&self, ballot: &Ballot, terms: &Terms) -> Result<(), Refusal> {
        self.mac(terms)
            .verify_slice(&ballot.signature)
            .map_err(|_mismatch| Refusal::Forged)
    }

    fn mac(&self, terms: &Terms) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        let (expires, round) = (terms.expires.0.to_string(), terms.round.to_string());
        mac.update(b"asap ballot v1");
        for field in [
            terms.item.as_str(),
            &terms.rater,
            terms.side.name(),
            &terms.nonce,
            &expires,
            &round,
        ] {
            // With its length before it, no field runs into the next.
            mac.update(&(field.len() as u64).to_le_bytes());
            mac.update(field.as_bytes());
        }
        mac
    }
}

/// A ballot as it came back; what it is worth is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ballot {
    pub(crate) nonce: String,
    signature: [u8; N_SIGNATURE_BYTES],
}

impl Ballot {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut bytes = [0; N_NONCE_BYTES + N_SIGNATURE_BYTES];
        // Longer text does not fit and is refused before it is decoded.
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(n_bytes) if n_bytes == bytes.len() => {}
            _ => return Err(Refusal::Forged),
        }
        let (nonce, signature) = bytes.split_at(N_NONCE_BYTES);
        let mut ballot = Self {
            nonce: hex(nonce),
            signature: [0; N_SIGNATURE_BYTES],
        };
        ballot.signature.copy_from_slice(signature);
        Ok(ballot)
    }
}

/// Bytes of hexadecimal digits that this crate wrote.
fn from_hex(digits: &str) -> Vec<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    digits
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| value(pair[0]) << 4 | value(pair[1]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random_hex;

    fn terms() -> Terms {
        Terms {
            item: "item".to_owned(),
            rater: "rater".to_owned(),
            side: Side::Left,
            nonce: random_hex::<16>(),
            expires: UnixMs(1000),
            round: 0,
        }
    }

    #[test]
    fn a_ballot_is_good_for_its_terms_alone() {
        let secret = Secret::new(&[7; 32]).unwrap();
        let terms = terms();
        let text = secret.sign(&terms);
        assert_eq!(text.len(), 64);
        let ballot = Ballot::parse(&text).unwrap();
        assert_eq!(ballot.nonce, terms.nonce);
        secret.check(&ballot, &terms).unwrap();
        let changes: [fn(&mut Terms); 6] = [
            |terms| terms.item.push('x'),
            |terms| terms.rater.clear(),
            |terms| terms.side = Side::Right,
            |terms| terms.nonce = random_hex::<16>(),
            |terms| terms.expires = UnixMs(1001),
            |terms| terms.round = 1,
        ];
        for change in changes {
            let mut changed = terms.clone();
            change(&mut changed);
            assert!(
                matches!(secret.check(&ballot, &changed), Err(Refusal::Forged)),
                "{changed:?}"
            );
        }
        let other = Secret::new(&[8; 32]).unwrap();
        assert!(matches!(other.check(&ballot, &terms), Err(Refusal::Forged)));
    }

    #[test]
    fn every_changed_character_is_found() {
        let secret = Secret::new(&[7; 32]).unwrap();
        let terms = terms();
        let text = secret.sign(&terms);
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let ballot = Ballot::parse(&changed).unwrap();
            let is_good = ballot.nonce == terms.nonce && secret.check(&ballot, &terms).is_ok();
            assert!(!is_good, "character {place}");
        }
    }

    #[test]
    fn short_secrets_and_other_texts_are_refused() {
        let refused = Secret::new(b"change me").unwrap_err();
        assert!(matches!(refused, Refusal::WeakSecret { least: 32, got: 9 }));
        let too_long = "A".repeat(100_000);
        for text in [
            "",
            "A",
            "not base64 !",
            &"A".repeat(63),
            &"A".repeat(65),
            &too_long,
        ] {
            assert!(matches!(Ballot::parse(text), Err(Refusal::Forged)));
        }
    }

    #[test]
    fn the_signature_is_hmac_sha_256() {
        // RFC 4231, test case 6: a key of 131 bytes 0xaa.
        let secret = Secret::new(&[0xaa; 131]).unwrap();
        let mut mac = secret.0;
        mac.update(b"Test Using Larger Than Block-Size Key - Hash Key First");
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(hex(&mac.finalize().into_bytes()), expected);
    }
}
