//! Identifiers: digests as newtypes, printed in hexadecimal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id: expected {} hexadecimal digits, got {} characters", N_BYTES * 2, text.chars().count())]
pub struct ParseIdError {
    /// The text that was read.
    pub text: String,
}

const N_BYTES: usize = 32;

macro_rules! digest_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; N_BYTES]);

        impl $name {
            /// Takes the raw bytes of a digest.
            pub const fn from_bytes(bytes: [u8; N_BYTES]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; N_BYTES] {
                &self.0
            }

            /// The first eight hexadecimal digits, for people.
            pub fn short(&self) -> String {
                self.to_string()[..8].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse_hex(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

digest_newtype! {
    /// Names a pair: BLAKE3 of its positive, operators, parameters, seed and operator version.
    ///
    /// The same arguments give the same id, so a build that was interrupted can be repeated without
    /// duplicates.
    PairId
}
digest_newtype! {
    /// Names a preferred image (x_w): BLAKE3 of its source and of how it was prepared.
    PositiveId
}
digest_newtype! {
    /// SHA-256 of stored bytes, which any other tool can recompute.
    Sha256
}

impl PositiveId {
    /// The id of the positive that `recipe` makes out of `source`.
    pub fn new(source: &str, recipe: &str) -> Self {
        Self(digest(
            "asap positive v1",
            &[source.as_bytes(), recipe.as_bytes()],
        ))
    }
}

impl PairId {
    /// The id of the pair that `operators` with `parameters` make out of a positive.
    ///
    /// `operators` is the list of operator ids with their versions, `parameters` their canonical JSON.
    pub fn new(positive: PositiveId, operators: &str, parameters: &str, seed: u64) -> Self {
        Self(digest(
            "asap pair v1",
            &[
                positive.as_bytes(),
                operators.as_bytes(),
                parameters.as_bytes(),
                &seed.to_le_bytes(),
            ],
        ))
    }
}

/// Length-prefixed, so that no two lists of fields run together into the same bytes.
fn digest(domain: &str, fields: &[&[u8]]) -> [u8; N_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(domain);
    for field in fields {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    *hasher.finalize().as_bytes()
}

fn parse_hex(text: &str) -> Result<[u8; N_BYTES], ParseIdError> {
    let error = || ParseIdError {
        text: text.chars().take(80).collect(),
    };
    if text.len() != N_BYTES * 2 || !text.is_ascii() {
        return Err(error());
    }
    let mut bytes = [0; N_BYTES];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let high = (digits[0] as char).to_digit(16).ok_or_else(error)?;
        let low = (digits[1] as char).to_digit(16).ok_or_else(error)?;
        *byte = (high * 16 + low) as u8;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_every_field_and_survive_text() {
        let positive = PositiveId::new("a.jpg", "{}");
        let id = PairId::new(positive, "hand.extra_finger@1", "{\"finger\":2}", 7);
        assert_eq!(id.to_string().parse(), Ok(id));
        for other in [
            PairId::new(
                PositiveId::new("b.jpg", "{}"),
                "hand.extra_finger@1",
                "{\"finger\":2}",
                7,
            ),
            PairId::new(positive, "hand.extra_finger@2", "{\"finger\":2}", 7),
            PairId::new(positive, "hand.extra_finger@1", "{\"finger\":3}", 7),
            PairId::new(positive, "hand.extra_finger@1", "{\"finger\":2}", 8),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn fields_do_not_run_together() {
        assert_ne!(PositiveId::new("ab", "c"), PositiveId::new("a", "bc"));
    }

    #[test]
    fn a_wrong_text_is_refused() {
        assert_eq!(
            "12".parse::<PairId>().unwrap_err().to_string(),
            "`12` is not an id: expected 64 hexadecimal digits, got 2 characters"
        );
    }
}
