//! Invitations: a code that makes one account, once.

use std::time::Duration;

use super::{Account, NewAccount, Refused, Role, audit, expect_admin, hashed, insert};
use crate::db::Database;
use crate::time::UnixMs;
use crate::token::Secret;

/// Makes an invitation. The code is shown here and never again.
///
/// # Errors
/// [`Refused::NotAdmin`], and a failing database.
pub async fn issue(
    db: &Database,
    admin: &Account,
    role: Role,
    valid_for: Duration,
    now: UnixMs,
) -> Result<Secret, Refused> {
    expect_admin(admin)?;
    let code = Secret::new();
    let mut tx = db.write().await?;
    sqlx::query("INSERT INTO invites (id, hash, role, made_by, expires_ms) VALUES ($1, $2, $3, $4, $5)")
        .bind(code.id())
        .bind(code.hash())
        .bind(role.name())
        .bind(&admin.id)
        .bind(now.plus(valid_for).0)
        .execute(tx.on())
        .await?;
    audit(&mut tx, "invited", code.id(), &admin.id, now).await?;
    tx.commit().await?;
    Ok(code)
}

/// Makes the account of an invitation.
///
/// # Errors
/// [`Refused::Invite`], those of [`create`](super::create), and a failing database. An invitation whose account was
/// refused can be used again.
pub async fn accept(
    db: &Database,
    code: &str,
    name: String,
    password: String,
    now: UnixMs,
) -> Result<Account, Refused> {
    use sqlx::Row as _;

    let code = Secret::parse(code).ok_or(Refused::Invite)?;
    let row = sqlx::query("SELECT hash, role FROM invites WHERE id = $1")
        .bind(code.id())
        .fetch_optional(db.pool())
        .await?
        .ok_or(Refused::Invite)?;
    if !code.has_hash(row.try_get("hash")?) {
        return Err(Refused::Invite);
    }
    let role = Role::parse(row.try_get("role")?)?;
    let new = NewAccount { name, password, role };
    let hash = hashed(&new).await?;
    let mut tx = db.write().await?;
    let used =
        sqlx::query("UPDATE invites SET used_by = $1 WHERE id = $2 AND used_by IS NULL AND expires_ms > $3")
            .bind(&new.name)
            .bind(code.id())
            .bind(now.0)
            .execute(tx.on())
            .await?;
    if used.rows_affected() == 0 {
        return Err(Refused::Invite);
    }
    let account = insert(&mut tx, &new, hash, code.id(), now).await?;
    tx.commit().await?;
    Ok(account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::testing::{PASSWORD, account};
    use crate::db::testing::databases;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn an_invitation_makes_one_account_however_many_try() {
        for test in databases().await {
            let admin = account(&test.db, "root", Role::Admin).await;
            let code = issue(&test.db, &admin, Role::Submitter, HOUR, UnixMs(1))
                .await
                .unwrap();
            let code = code.show();
            let tries = ["anna", "otto", "ines", "emil"]
                .map(|name| accept(&test.db, &code, name.to_owned(), PASSWORD.to_owned(), UnixMs(2)));
            let results = futures::future::join_all(tries).await;
            assert_eq!(results.iter().filter(|it| it.is_ok()).count(), 1, "{results:?}");
            assert_eq!(
                results
                    .iter()
                    .filter(|it| matches!(it, Err(Refused::Invite)))
                    .count(),
                3
            );
            test.end().await;
        }
    }

    #[tokio::test]
    async fn old_and_forged_invitations_make_nothing_and_a_taken_name_uses_none_up() {
        for test in databases().await {
            let admin = account(&test.db, "root", Role::Admin).await;
            let code = issue(&test.db, &admin, Role::Admin, HOUR, UnixMs(1))
                .await
                .unwrap();
            let forged = format!("asap_{}_{}", code.id(), "0".repeat(64));
            let name = |name: &str| (name.to_owned(), PASSWORD.to_owned());
            for (code, at) in [
                (forged.as_str(), UnixMs(2)),
                (&code.show(), UnixMs(1).plus(HOUR)),
                ("x", UnixMs(2)),
            ] {
                let (name, password) = name("anna");
                let refused = accept(&test.db, code, name, password, at).await;
                assert!(matches!(refused, Err(Refused::Invite)), "{code}");
            }
            let (taken, password) = name("root");
            let refused = accept(&test.db, &code.show(), taken, password, UnixMs(2)).await;
            assert!(matches!(refused, Err(Refused::Taken { .. })));
            let (free, password) = name("anna");
            let made = accept(&test.db, &code.show(), free, password, UnixMs(2))
                .await
                .unwrap();
            assert_eq!(made.role, Role::Admin);
            test.end().await;
        }
    }
}
