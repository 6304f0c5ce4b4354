//! Accounts: who may submit, and who looks after it.
//!
//! An account is made by an administrator, by an invitation ([`invite`]) or at the console of the server; nobody signs
//! up alone. Logging in ([`login`]) costs an attempt before the password is looked at, so guesses sent at once count too.

pub mod invite;
mod login;
mod password;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::db::{Database, Tx};
use crate::error::{Doing as _, Error};
use crate::log::{Log, NewEntry};
use crate::random::random_hex;
use crate::time::UnixMs;

pub use login::{ATTEMPTS, WINDOW, login};

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Submit, and see its own submissions.
    Submitter,
    /// Everything.
    Admin,
}

impl Role {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitter => "submitter",
            Self::Admin => "admin",
        }
    }

    fn parse(name: String) -> Result<Self, Error> {
        match name.as_str() {
            "submitter" => Ok(Self::Submitter),
            "admin" => Ok(Self::Admin),
            _ => Err(Error::Broken {
                what: "role",
                got: name,
                expected: "`submitter` or `admin`",
            }),
        }
    }
}

/// An account, without its password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Opaque, never used twice.
    pub id: String,
    /// What people see.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when it may do nothing any more.
    pub disabled: Option<UnixMs>,
}

/// An account to be made.
#[derive(Clone)]
pub struct NewAccount {
    /// 3 to 32 small letters, digits and hyphens.
    pub name: String,
    /// 12 to 256 bytes, of whatever kind.
    pub password: String,
    /// What it may do.
    pub role: Role,
}

/// Who makes an account.
#[derive(Clone, Copy, Debug)]
pub enum Maker<'a> {
    /// Somebody with a shell on the server: the first administrator is made so.
    Console,
    /// An administrator.
    Admin(&'a Account),
}

/// Why an account was not made, changed or let in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The name is none.
    #[error("account name `{got}`: expected 3 to 32 small letters, digits and hyphens, a letter first")]
    Name {
        /// What was given, cut.
        got: String,
    },
    /// Somebody has the name.
    #[error("account name `{name}` is taken: choose another")]
    Taken {
        /// The name.
        name: String,
    },
    /// The password is too short or too long.
    #[error(
        "password: expected {} to {} bytes, got {got}",
        password::MIN_BYTES,
        password::MAX_BYTES
    )]
    Password {
        /// Its length.
        got: usize,
    },
    /// Only an administrator may do that.
    #[error("account `{name}` is no administrator: ask one")]
    NotAdmin {
        /// Who asked.
        name: String,
    },
    /// Name or password is wrong; which of them is not told.
    #[error("name or password is wrong")]
    Login,
    /// Too many attempts under this name.
    #[error("too many attempts to log in: wait {} seconds", wait.as_secs().max(1))]
    Attempts {
        /// Until when no further one is looked at.
        wait: std::time::Duration,
    },
    /// The invitation is unknown, used or too old.
    #[error("the invitation is unknown, was used or has expired: ask for a new one")]
    Invite,
    /// The database failed.
    #[error(transparent)]
    Arena(#[from] Error),
}

impl From<sqlx::Error> for Refused {
    fn from(source: sqlx::Error) -> Self {
        Self::Arena(Error::Database {
            doing: "change an account",
            source,
        })
    }
}

/// Makes an account.
///
/// # Errors
/// [`Refused::Name`], [`Refused::Taken`], [`Refused::Password`], [`Refused::NotAdmin`], and a failing database.
pub async fn create(
    db: &Database,
    new: NewAccount,
    maker: Maker<'_>,
    now: UnixMs,
) -> Result<Account, Refused> {
    let by = match maker {
        Maker::Console => "console",
        Maker::Admin(admin) => {
            expect_admin(admin)?;
            &admin.id
        }
    };
    let hash = hashed(&new).await?;
    let mut tx = db.write().await?;
    let account = insert(&mut tx, &new, hash, by, now).await?;
    tx.commit().await?;
    Ok(account)
}

/// Takes an account's rights, and with them those of all its sessions and tokens; what it submitted stays.
///
/// # Errors
/// [`Refused::NotAdmin`], and a failing database.
pub async fn disable(db: &Database, id: &str, admin: &Account, now: UnixMs) -> Result<(), Refused> {
    expect_admin(admin)?;
    let mut tx = db.write().await?;
    sqlx::query("UPDATE accounts SET disabled_ms = $1 WHERE id = $2 AND disabled_ms IS NULL")
        .bind(now.0)
        .bind(id)
        .execute(tx.on())
        .await?;
    audit(&mut tx, "disabled", id, &admin.id, now).await?;
    tx.commit().await?;
    Ok(())
}

/// The account of that name.
///
/// # Errors
/// A failing database.
pub async fn find(db: &Database, name: &str) -> Result<Option<Account>, Error> {
    sqlx::query("SELECT id, name, role, disabled_ms FROM accounts WHERE name = $1")
        .bind(name)
        .fetch_optional(db.pool())
        .await
        .doing("find an account")?
        .map(|row| account_of(&row))
        .transpose()
}

fn expect_admin(account: &Account) -> Result<(), Refused> {
    match account.role == Role::Admin && account.disabled.is_none() {
        true => Ok(()),
        false => Err(Refused::NotAdmin {
            name: account.name.clone(),
        }),
    }
}

/// Checks name and password before the work of hashing is done.
async fn hashed(new: &NewAccount) -> Result<String, Refused> {
    let name = new.name.as_bytes();
    let known = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    if !(3..=32).contains(&name.len()) || !name.iter().all(known) || !name[0].is_ascii_lowercase() {
        return Err(Refused::Name {
            got: new.name.chars().take(40).collect(),
        });
    }
    if !(password::MIN_BYTES..=password::MAX_BYTES).contains(&new.password.len()) {
        return Err(Refused::Password {
            got: new.password.len(),
        });
    }
    Ok(password::hash(new.password.clone()).await?)
}

async fn insert(
    tx: &mut Tx,
    new: &NewAccount,
    hash: String,
    by: &str,
    now: UnixMs,
) -> Result<Account, Refused> {
    let account = Account {
        id: random_hex::<8>(),
        name: new.name.clone(),
        role: new.role,
        disabled: None,
    };
    let made = sqlx::query(
        "INSERT INTO accounts (id, name, role, password_hash, made_ms) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(&account.id)
    .bind(&account.name)
    .bind(account.role.name())
    .bind(hash)
    .bind(now.0)
    .execute(tx.on())
    .await?;
    if made.rows_affected() == 0 {
        return Err(Refused::Taken { name: account.name });
    }
    audit(tx, "made", &account.id, by, now).await?;
    Ok(account)
}

/// What happened to an account, as the log has it: no name, no password, no address.
#[derive(Serialize)]
struct Audit<'a> {
    event: &'a str,
    account: &'a str,
    by: &'a str,
}

/// Tells the log in the transaction that makes it true.
pub(crate) async fn audit(
    tx: &mut Tx,
    event: &str,
    account: &str,
    by: &str,
    now: UnixMs,
) -> Result<(), Error> {
    let entry = NewEntry::of("account", &Audit { event, account, by })?;
    Log::append(tx, &[entry], now).await?;
    Ok(())
}

pub(crate) fn account_of(row: &AnyRow) -> Result<Account, Error> {
    let doing = "read an account";
    let disabled: Option<i64> = row.try_get("disabled_ms").doing(doing)?;
    Ok(Account {
        id: row.try_get("id").doing(doing)?,
        name: row.try_get("name").doing(doing)?,
        role: Role::parse(row.try_get("role").doing(doing)?)?,
        disabled: disabled.map(UnixMs),
    })
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) const PASSWORD: &str = "a long enough secret";

    /// An account that was made at the console.
    pub(crate) async fn account(db: &Database, name: &str, role: Role) -> Account {
        let new = NewAccount {
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
            role,
        };
        create(db, new, Maker::Console, UnixMs(1)).await.unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{PASSWORD, account};
    use super::*;
    use crate::db::testing::databases;

    fn new(name: &str, password: &str) -> NewAccount {
        NewAccount {
            name: name.to_owned(),
            password: password.to_owned(),
            role: Role::Submitter,
        }
    }

    #[tokio::test]
    async fn accounts_are_made_by_administrators_under_one_name_each() {
        for test in databases().await {
            let admin = account(&test.db, "root", Role::Admin).await;
            let by = Maker::Admin(&admin);
            let anna = create(&test.db, new("anna", PASSWORD), by, UnixMs(2))
                .await
                .unwrap();
            assert_eq!(find(&test.db, "anna").await.unwrap(), Some(anna.clone()));
            assert_eq!(find(&test.db, "otto").await.unwrap(), None);
            let twice = create(&test.db, new("anna", PASSWORD), by, UnixMs(2)).await;
            assert!(matches!(twice, Err(Refused::Taken { .. })));
            let by = Maker::Admin(&anna);
            let refused = create(&test.db, new("otto", PASSWORD), by, UnixMs(2)).await;
            assert!(matches!(refused, Err(Refused::NotAdmin { .. })));
            for name in ["ab", "Anna", "9anna", "a/b", "../x", "a\0bc", &"a".repeat(33)] {
                let refused = create(&test.db, new(name, PASSWORD), Maker::Console, UnixMs(2)).await;
                assert!(matches!(refused, Err(Refused::Name { .. })), "{name}");
            }
            let refused = create(&test.db, new("otto", "short"), Maker::Console, UnixMs(2)).await;
            assert!(matches!(refused, Err(Refused::Password { got: 5 })));
            test.end().await;
        }
    }

    #[tokio::test]
    async fn the_log_tells_of_accounts_and_of_no_secret() {
        for test in databases().await {
            let admin = account(&test.db, "root", Role::Admin).await;
            disable(&test.db, &admin.id, &admin, UnixMs(5)).await.unwrap();
            let mut bodies = Vec::new();
            Log::read(&test.db, 0, |entry| {
                bodies.push(entry.body);
                Ok(())
            })
            .await
            .unwrap();
            assert_eq!(bodies.len(), 2, "{bodies:?}");
            assert!(bodies[1].contains("disabled"), "{bodies:?}");
            let all = bodies.concat();
            assert!(!all.contains("argon2") && !all.contains(PASSWORD), "{all}");
            test.end().await;
        }
    }
}
