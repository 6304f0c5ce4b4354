//! Passwords: Argon2id, off the threads that answer requests, a few at a time.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::Error;
use crate::random::random_bytes;

/// OWASP's password storage cheat sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const N_PASSES: u32 = 2;
const N_LANES: u32 = 1;
/// The shortest password. No rule about its letters: length is what helps.
pub(super) const MIN_BYTES: usize = 12;
/// A longer one costs time and adds nothing.
pub(super) const MAX_BYTES: usize = 256;

/// Each takes 19 MiB, so a flood of logins waits instead of filling the memory.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

fn hasher() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, N_PASSES, N_LANES, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(cause: impl std::fmt::Display) -> Error {
    Error::Password {
        cause: cause.to_string(),
    }
}

/// The hash of a password in the PHC format, which names its parameters and its salt.
pub(super) async fn hash(password: String) -> Result<String, Error> {
    off_thread(move || {
        let salt = random_bytes::<16>();
        let hashed: PasswordHash = hasher()?
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(failed)?;
        Ok(hashed.to_string())
    })
    .await
}

/// Whether the password is the one of this hash. Without a hash the same work is done for nothing, so that the time
/// does not tell which names exist.
pub(super) async fn is_right(password: String, stored: Option<String>) -> Result<bool, Error> {
    let Some(stored) = stored else {
        hash(password).await?;
        return Ok(false);
    };
    off_thread(move || {
        let parsed = PasswordHash::new(&stored).map_err(failed)?;
        Ok(hasher()?.verify_password(password.as_bytes(), &parsed).is_ok())
    })
    .await
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let _turn = AT_ONCE.acquire().await.map_err(failed)?;
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_names_its_parameters_and_knows_its_password_alone() {
        let one = hash("correct horse battery".to_owned()).await.unwrap();
        let other = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other, "the salt is random");
        assert!(
            is_right("correct horse battery".to_owned(), Some(one.clone()))
                .await
                .unwrap()
        );
        assert!(
            !is_right("correct horse batterz".to_owned(), Some(one))
                .await
                .unwrap()
        );
        assert!(!is_right("correct horse battery".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_that_the_reference_made_is_known() {
        // Of the command `argon2` (P-H-C/phc-winner-argon2), test vectors of its repository: argon2id, v 19.
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(
            is_right("password".to_owned(), Some(stored.to_owned()))
                .await
                .unwrap()
        );
        assert!(
            !is_right("Password".to_owned(), Some(stored.to_owned()))
                .await
                .unwrap()
        );
    }
}
