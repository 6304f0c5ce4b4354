//! Sessions and API tokens: what stands for an account after it logged in.
//!
//! Both are 256 random bits that are shown once and kept as a hash. A session may do what its account may; a token has
//! [`Scopes`] and belongs into scripts.

mod secret;

use std::time::Duration;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::account::{Account, Role, account_of, audit};
use crate::db::Database;
use crate::error::{Doing as _, Error, Result};
use crate::time::UnixMs;

pub use secret::Secret;

/// A session lasts this long: a working day.
pub const SESSION_LASTS: Duration = Duration::from_secs(12 * 3_600);
/// No token lasts longer: a forgotten one ends by itself.
pub const TOKEN_LASTS_AT_MOST: Duration = Duration::from_secs(366 * 86_400);

/// One thing that a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Upload, seal, withdraw.
    Submit,
    /// See one's own submissions.
    Read,
    /// What administrators do.
    Admin,
}

impl Scope {
    const ALL: [Self; 3] = [Self::Submit, Self::Read, Self::Admin];

    /// The name in the database and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// What a credential may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// These, in a fixed order.
    pub fn of(scopes: &[Scope]) -> Self {
        Self(
            Scope::ALL
                .into_iter()
                .filter(|scope| scopes.contains(scope))
                .collect(),
        )
    }

    fn of_role(role: Role) -> Self {
        match role {
            Role::Submitter => Self::of(&[Scope::Submit, Scope::Read]),
            Role::Admin => Self::of(&Scope::ALL),
        }
    }

    /// Whether it may do that.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    fn names(&self) -> String {
        self.0
            .iter()
            .map(|scope| scope.name())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn parse(names: &str) -> Self {
        Self(
            Scope::ALL
                .into_iter()
                .filter(|scope| names.split(' ').any(|name| name == scope.name()))
                .collect(),
        )
    }

    fn within(&self, other: &Self) -> Self {
        Self(
            self.0
                .iter()
                .copied()
                .filter(|scope| other.allow(*scope))
                .collect(),
        )
    }
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: Account,
    /// What the session or token may do.
    pub scopes: Scopes,
    /// The id of the session or token.
    pub credential: String,
}

/// A session or token as its owner sees it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Credential {
    /// The part between `asap_` and the secret.
    pub id: String,
    /// `session` or `token`.
    pub kind: String,
    /// What the owner called it.
    pub label: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub made: UnixMs,
    /// When it ends.
    pub expires: UnixMs,
    /// When it was ended before.
    pub revoked: Option<UnixMs>,
}

/// Why a session or token does not count.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// There is none like it.
    #[error(
        "the token is unknown: expected `asap_`, 16 digits, `_`, 64 digits, as it was shown when it was made"
    )]
    Unknown,
    /// It is too old.
    #[error("token `asap_{id}` has expired: make a new one")]
    Expired {
        /// Its id.
        id: String,
    },
    /// It was ended.
    #[error("token `asap_{id}` was revoked: make a new one")]
    Revoked {
        /// Its id.
        id: String,
    },
    /// Its account was.
    #[error("account `{name}` was disabled: ask an administrator")]
    Disabled {
        /// Its name.
        name: String,
    },
    /// It may not do that, or its account may not.
    #[error("scope `{}` is missing: make a token that has it", needed.name())]
    Scope {
        /// What was needed.
        needed: Scope,
    },
    /// The database failed.
    #[error(transparent)]
    Arena(#[from] Error),
}

/// Begins a session of an account that has just logged in.
///
/// # Errors
/// A failing database.
pub async fn begin_session(db: &Database, account: &Account, now: UnixMs) -> Result<Secret> {
    let scopes = Scopes::of_role(account.role);
    let expires = now.plus(SESSION_LASTS);
    store(db, account, ("session", ""), &scopes, (now, expires)).await
}

/// Makes a token; it lasts a year at most. The secret is shown here and never again.
///
/// # Errors
/// [`Denied::Scope`] where the account itself may not do what the token should, and a failing database.
pub async fn issue(
    db: &Database,
    account: &Account,
    label: &str,
    scopes: &Scopes,
    valid_for: Duration,
    now: UnixMs,
) -> Result<Secret, Denied> {
    let role = Scopes::of_role(account.role);
    if let Some(needed) = scopes.0.iter().copied().find(|scope| !role.allow(*scope)) {
        return Err(Denied::Scope { needed });
    }
    let label: String = label
        .chars()
        .filter(|letter| !letter.is_control())
        .take(80)
        .collect();
    let expires = now.plus(valid_for.min(TOKEN_LASTS_AT_MOST));
    Ok(store(db, account, ("token", &label), scopes, (now, expires)).await?)
}

async fn store(
    db: &Database,
    account: &Account,
    (kind, label): (&'static str, &str),
    scopes: &Scopes,
    (made, expires): (UnixMs, UnixMs),
) -> Result<Secret> {
    let secret = Secret::new();
    let mut tx = db.write().await?;
    sqlx::query(
        "INSERT INTO credentials (id, kind, account_id, hash, label, scopes, made_ms, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(secret.id())
    .bind(kind)
    .bind(&account.id)
    .bind(secret.hash())
    .bind(label)
    .bind(scopes.names())
    .bind(made.0)
    .bind(expires.0)
    .execute(tx.on())
    .await
    .doing("store a credential")?;
    audit(&mut tx, kind, &account.id, secret.id(), made).await?;
    tx.commit().await?;
    Ok(secret)
}

/// Who presents this, if it may do what is needed.
///
/// # Errors
/// [`Denied`]. Whether an id exists is told only to who has its secret.
pub async fn identify(
    db: &Database,
    presented: &str,
    needed: Scope,
    now: UnixMs,
) -> Result<Identity, Denied> {
    let secret = Secret::parse(presented).ok_or(Denied::Unknown)?;
    let row = sqlx::query(
        "SELECT a.id, a.name, a.role, a.disabled_ms, c.hash, c.scopes, c.expires_ms, c.revoked_ms
         FROM credentials c JOIN accounts a ON a.id = c.account_id WHERE c.id = $1",
    )
    .bind(secret.id())
    .fetch_optional(db.pool())
    .await
    .doing("find a credential")?
    .ok_or(Denied::Unknown)?;
    let doing = "read a credential";
    if !secret.has_hash(row.try_get("hash").doing(doing)?) {
        return Err(Denied::Unknown);
    }
    let id = secret.id().to_owned();
    if row
        .try_get::<Option<i64>, _>("revoked_ms")
        .doing(doing)?
        .is_some()
    {
        return Err(Denied::Revoked { id });
    }
    if row.try_get::<i64, _>("expires_ms").doing(doing)? <= now.0 {
        return Err(Denied::Expired { id });
    }
    let account = account_of(&row)?;
    if account.disabled.is_some() {
        return Err(Denied::Disabled { name: account.name });
    }
    let scopes: String = row.try_get("scopes").doing(doing)?;
    let scopes = Scopes::parse(&scopes).within(&Scopes::of_role(account.role));
    match scopes.allow(needed) {
        true => Ok(Identity {
            account,
            scopes,
            credential: id,
        }),
        false => Err(Denied::Scope { needed }),
    }
}

/// Ends a session or token of an account. One that was ended or is another's is left as it is: `false`.
///
/// # Errors
/// A failing database.
pub async fn revoke(db: &Database, account: &Account, id: &str, now: UnixMs) -> Result<bool> {
    let mut tx = db.write().await?;
    let ended = sqlx::query(
        "UPDATE credentials SET revoked_ms = $1 WHERE id = $2 AND account_id = $3 AND revoked_ms IS NULL",
    )
    .bind(now.0)
    .bind(id)
    .bind(&account.id)
    .execute(tx.on())
    .await
    .doing("revoke a credential")?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    audit(&mut tx, "revoked", &account.id, id, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// The sessions and tokens of an account, oldest first.
///
/// # Errors
/// A failing database.
pub async fn list(db: &Database, account: &Account) -> Result<Vec<Credential>> {
    let rows = sqlx::query(
        "SELECT id, kind, label, scopes, made_ms, expires_ms, revoked_ms FROM credentials
         WHERE account_id = $1 ORDER BY made_ms, id",
    )
    .bind(&account.id)
    .fetch_all(db.pool())
    .await
    .doing("list credentials")?;
    rows.iter()
        .map(|row| credential_of(row).doing("read a credential"))
        .collect()
}

fn credential_of(row: &AnyRow) -> std::result::Result<Credential, sqlx::Error> {
    Ok(Credential {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        label: row.try_get("label")?,
        scopes: Scopes::parse(row.try_get("scopes")?),
        made: UnixMs(row.try_get("made_ms")?),
        expires: UnixMs(row.try_get("expires_ms")?),
        revoked: row.try_get::<Option<i64>, _>("revoked_ms")?.map(UnixMs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::disable;
    use crate::account::testing::account;
    use crate::db::testing::databases;

    const DAY: Duration = Duration::from_secs(86_400);

    #[tokio::test]
    async fn a_token_does_what_its_scopes_say_until_it_ends() {
        for test in databases().await {
            let anna = account(&test.db, "anna", Role::Submitter).await;
            let scopes = Scopes::of(&[Scope::Submit]);
            let secret = issue(&test.db, &anna, "laptop\n", &scopes, DAY, UnixMs(0))
                .await
                .unwrap();
            let shown = secret.show();
            let identity = identify(&test.db, &shown, Scope::Submit, UnixMs(1))
                .await
                .unwrap();
            assert_eq!(identity.account, anna);
            let denied = identify(&test.db, &shown, Scope::Read, UnixMs(1)).await;
            assert!(matches!(denied, Err(Denied::Scope { needed: Scope::Read })));
            let late = identify(&test.db, &shown, Scope::Submit, UnixMs(0).plus(DAY)).await;
            assert!(matches!(late, Err(Denied::Expired { .. })));
            let forged = format!("asap_{}_{}", secret.id(), "0".repeat(64));
            let denied = identify(&test.db, &forged, Scope::Submit, UnixMs(1)).await;
            assert!(matches!(denied, Err(Denied::Unknown)));
            let listed = list(&test.db, &anna).await.unwrap();
            assert_eq!((listed.len(), listed[0].label.as_str()), (1, "laptop"));

            let other = account(&test.db, "otto", Role::Submitter).await;
            assert!(!revoke(&test.db, &other, secret.id(), UnixMs(2)).await.unwrap());
            assert!(revoke(&test.db, &anna, secret.id(), UnixMs(2)).await.unwrap());
            assert!(!revoke(&test.db, &anna, secret.id(), UnixMs(3)).await.unwrap());
            let denied = identify(&test.db, &shown, Scope::Submit, UnixMs(3)).await;
            assert!(matches!(denied, Err(Denied::Revoked { .. })));
            test.end().await;
        }
    }

    #[tokio::test]
    async fn nobody_gets_more_than_the_account_has() {
        for test in databases().await {
            let root = account(&test.db, "root", Role::Admin).await;
            let anna = account(&test.db, "anna", Role::Submitter).await;
            let all = Scopes::of(&Scope::ALL);
            let denied = issue(&test.db, &anna, "", &all, DAY, UnixMs(0)).await;
            assert!(matches!(denied, Err(Denied::Scope { needed: Scope::Admin })));
            let session = begin_session(&test.db, &anna, UnixMs(0)).await.unwrap().show();
            identify(&test.db, &session, Scope::Read, UnixMs(1))
                .await
                .unwrap();
            let denied = identify(&test.db, &session, Scope::Admin, UnixMs(1)).await;
            assert!(matches!(denied, Err(Denied::Scope { .. })));
            let long = issue(&test.db, &root, "", &all, DAY * 1_000, UnixMs(0))
                .await
                .unwrap();
            let late = UnixMs(0).plus(TOKEN_LASTS_AT_MOST);
            let denied = identify(&test.db, &long.show(), Scope::Admin, late).await;
            assert!(matches!(denied, Err(Denied::Expired { .. })));
            disable(&test.db, &anna.id, &root, UnixMs(1)).await.unwrap();
            let denied = identify(&test.db, &session, Scope::Read, UnixMs(2)).await;
            assert!(matches!(denied, Err(Denied::Disabled { .. })));
            test.end().await;
        }
    }

    #[tokio::test]
    async fn neither_the_tables_nor_the_log_hold_a_secret() {
        for test in databases().await {
            let anna = account(&test.db, "anna", Role::Submitter).await;
            let secret = begin_session(&test.db, &anna, UnixMs(0)).await.unwrap();
            let shown = secret.show();
            let key = &shown[shown.len() - 64..];
            for query in ["SELECT hash FROM credentials", "SELECT body FROM log"] {
                let texts: Vec<String> = sqlx::query_scalar(query).fetch_all(test.db.pool()).await.unwrap();
                assert!(!texts.is_empty());
                assert!(texts.iter().all(|text| !text.contains(key)), "{query}");
            }
            test.end().await;
        }
    }
}
