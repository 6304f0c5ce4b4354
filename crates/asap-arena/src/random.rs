//! Numbers that nobody can guess.

/// `N` bytes of the operating system's randomness.
///
/// # Panics
/// Where the operating system has none: nothing that is secret could be made then.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .unwrap_or_else(|error| panic!("no randomness from the operating system: {error}"));
    bytes
}

/// The hexadecimal digits of `N` random bytes: 16 for a name that must be one of its kind, 32 for a secret.
///
/// # Panics
/// Where the operating system has no randomness.
pub fn random_hex<const N: usize>() -> String {
    hex(&random_bytes::<N>())
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_length_and_differ() {
        let (one, other) = (random_hex::<16>(), random_hex::<16>());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
