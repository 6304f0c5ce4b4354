//! Logging in: attempts are counted in the database, so all servers count together.

use std::time::Duration;

use sqlx::Row as _;

use super::{Account, Refused, account_of, password};
use crate::db::Database;
use crate::time::UnixMs;

/// Attempts under one name in one [`WINDOW`]; the right password ends the count.
pub const ATTEMPTS: i64 = 10;
/// After it the count begins again.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);

/// The account, where name and password are right.
///
/// # Errors
/// [`Refused::Login`] whatever was wrong, [`Refused::Attempts`] after too many, and a failing database.
pub async fn login(db: &Database, name: &str, password: &str, now: UnixMs) -> Result<Account, Refused> {
    if name.len() > 64 || password.len() > password::MAX_BYTES {
        return Err(Refused::Login);
    }
    take_attempt(db, name, now).await?;
    let row = sqlx::query("SELECT id, name, role, disabled_ms, password_hash FROM accounts WHERE name = $1")
        .bind(name)
        .fetch_optional(db.pool())
        .await?;
    let stored = row.as_ref().map(|row| row.try_get("password_hash")).transpose()?;
    let is_right = password::is_right(password.to_owned(), stored).await?;
    let account = row.as_ref().map(account_of).transpose()?;
    let account = account
        .filter(|account| is_right && account.disabled.is_none())
        .ok_or(Refused::Login)?;
    forget_attempts(db, name).await?;
    Ok(account)
}

/// Counts the attempt in one statement, before anything is looked at.
async fn take_attempt(db: &Database, name: &str, now: UnixMs) -> Result<(), Refused> {
    let window = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
    let mut tx = db.write().await?;
    // Names that nobody has are counted as well, so old counts go, or the table would only grow.
    sqlx::query("DELETE FROM login_attempts WHERE began_ms <= $1")
        .bind(now.0.saturating_sub(window))
        .execute(tx.on())
        .await?;
    let row = sqlx::query(
        "INSERT INTO login_attempts (name, began_ms, n) VALUES ($1, $2, 1)
         ON CONFLICT (name) DO UPDATE SET n = login_attempts.n + 1 RETURNING n, began_ms",
    )
    .bind(name)
    .bind(now.0)
    .fetch_one(tx.on())
    .await?;
    tx.commit().await?;
    let (n, began): (i64, i64) = (row.try_get("n")?, row.try_get("began_ms")?);
    match n <= ATTEMPTS {
        true => Ok(()),
        false => Err(Refused::Attempts {
            wait: UnixMs(began).plus(WINDOW).since(now),
        }),
    }
}

async fn forget_attempts(db: &Database, name: &str) -> Result<(), Refused> {
    let mut tx = db.write().await?;
    sqlx::query("DELETE FROM login_attempts WHERE name = $1")
        .bind(name)
        .execute(tx.on())
        .await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::testing::{PASSWORD, account};
    use crate::account::{Role, disable};
    use crate::db::testing::databases;

    #[tokio::test]
    async fn the_right_password_lets_in_and_the_wrong_one_tells_nothing() {
        for test in databases().await {
            let admin = account(&test.db, "root", Role::Admin).await;
            assert_eq!(login(&test.db, "root", PASSWORD, UnixMs(1)).await.unwrap(), admin);
            let wrong = login(&test.db, "root", "wrong", UnixMs(1)).await.unwrap_err();
            let unknown = login(&test.db, "nobody", PASSWORD, UnixMs(1)).await.unwrap_err();
            assert_eq!(wrong.to_string(), unknown.to_string());
            disable(&test.db, &admin.id, &admin, UnixMs(2)).await.unwrap();
            let refused = login(&test.db, "root", PASSWORD, UnixMs(3)).await;
            assert!(matches!(refused, Err(Refused::Login)));
            test.end().await;
        }
    }

    #[tokio::test]
    async fn guesses_at_once_are_counted_and_end_with_the_window() {
        for test in databases().await {
            account(&test.db, "root", Role::Admin).await;
            let guesses = (0..14).map(|_| login(&test.db, "root", "wrong guess", UnixMs(1_000)));
            let results = futures::future::join_all(guesses).await;
            let looked_at = results
                .iter()
                .filter(|it| matches!(it, Err(Refused::Login)))
                .count();
            assert_eq!(looked_at, usize::try_from(ATTEMPTS).unwrap());
            let refused = login(&test.db, "root", PASSWORD, UnixMs(2_000))
                .await
                .unwrap_err();
            assert_eq!(
                refused.to_string(),
                "too many attempts to log in: wait 899 seconds"
            );
            let later = UnixMs(1_000).plus(WINDOW);
            login(&test.db, "root", PASSWORD, later).await.unwrap();
            test.end().await;
        }
    }
}
