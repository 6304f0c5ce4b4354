//! The database: SQLite in a file of its own, or PostgreSQL where several servers share it.
//!
//! Both are reached through one driver, so a query is written once. That holds as long as queries keep to what both
//! understand: arguments are `$1`, `$2`; types are TEXT, BIGINT and DOUBLE PRECISION; `ON CONFLICT` and `RETURNING` are
//! fine; nothing is locked by `FOR UPDATE`, but by changing a row ([`Tx::lock`]).

mod migrations;
#[cfg(test)]
pub(crate) mod testing;

use std::time::Duration;

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{Any, AnyConnection, AnyPool, Executor as _, Transaction};

use crate::error::{Doing as _, Error, Result};

/// Connections of one server: PostgreSQL allows a hundred in all.
const N_CONNECTIONS: u32 = 16;
/// How long a request waits for a connection before it fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One file, one server.
    Sqlite,
    /// A database server, for several of ours.
    Postgres,
}

/// The arena's database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pool: AnyPool,
    kind: Kind,
}

impl Database {
    /// Opens the database at `sqlite:FILE` or `postgres://…` and brings its tables up to date. A file that is not there
    /// is made, readable for its owner alone.
    ///
    /// # Errors
    /// [`Error::Address`] for another address, [`Error::Database`] where it does not answer, [`Error::Migration`] where
    /// its tables are of a newer version or were changed by hand.
    pub async fn open(url: &str) -> Result<Self> {
        let opened = Self::connect(url, "rwc").await?;
        migrations::run(&opened.pool).await.map_err(Error::Migration)?;
        Ok(opened)
    }

    /// Opens a database that is there, to read it: nothing is made and no table changed.
    ///
    /// # Errors
    /// [`Error::Address`] for another address, [`Error::Database`] where it does not answer or is not there.
    pub async fn open_existing(url: &str) -> Result<Self> {
        Self::connect(url, "rw").await
    }

    /// `mode` is how SQLite takes a file that is not there.
    async fn connect(url: &str, mode: &str) -> Result<Self> {
        install_default_drivers();
        let kind = kind_of(url)?;
        let pool = AnyPoolOptions::new()
            .max_connections(N_CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| Box::pin(prepare(connection, kind)))
            .connect(&url_for_driver(url, kind, mode))
            .await
            .doing("be opened")?;
        Ok(Self { pool, kind })
    }

    /// Which database it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// For queries that change nothing.
    pub(crate) const fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction that will write. Nothing is kept unless [`Tx::commit`] is reached.
    ///
    /// SQLite has one writer at a time: it is waited for here, and not in the middle, where two that read first would
    /// fail each other.
    pub(crate) async fn write(&self) -> Result<Tx> {
        let begin = match self.kind {
            Kind::Sqlite => "BEGIN IMMEDIATE",
            Kind::Postgres => "BEGIN",
        };
        let inner = self.pool.begin_with(begin).await.doing("begin a transaction")?;
        Ok(Tx { inner })
    }

    /// Ends all connections; what was committed is on disk.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A transaction that writes.
pub(crate) struct Tx {
    inner: Transaction<'static, Any>,
}

impl Tx {
    /// What queries run on.
    pub(crate) fn on(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Waits until no other transaction has the lock of this name, and has it until the end.
    pub(crate) async fn lock(&mut self, name: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO locks (name, taken) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET taken = locks.taken + 1",
        )
        .bind(name)
        .execute(self.on())
        .await
        .doing("take a lock")?;
        Ok(())
    }

    /// Keeps what was written.
    pub(crate) async fn commit(self) -> Result<()> {
        self.inner.commit().await.doing("commit")
    }
}

fn kind_of(url: &str) -> Result<Kind> {
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "sqlite" => Ok(Kind::Sqlite),
        "postgres" | "postgresql" => Ok(Kind::Postgres),
        _ => Err(Error::Address {
            url: without_password(url),
        }),
    }
}

fn url_for_driver(url: &str, kind: Kind, mode: &str) -> String {
    match kind {
        Kind::Sqlite if !url.contains('?') => format!("{url}?mode={mode}"),
        Kind::Sqlite | Kind::Postgres => url.to_owned(),
    }
}

/// An address may be told to people once its password is gone.
fn without_password(url: &str) -> String {
    let Some((head, tail)) = url.rsplit_once('@') else {
        return url.chars().take(200).collect();
    };
    let user = head.rsplit_once(':').map_or(head, |(user, _)| user);
    format!("{user}@{tail}").chars().take(200).collect()
}

async fn prepare(connection: &mut AnyConnection, kind: Kind) -> sqlx::Result<()> {
    if kind == Kind::Sqlite {
        // FULL: a vote that was acknowledged survives a power cut, not only a killed process.
        for pragma in [
            "PRAGMA busy_timeout = 10000",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
        ] {
            connection.execute(pragma).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_other_things_are_refused_without_their_password() {
        let refused = kind_of("mysql://me:secret@host/db").unwrap_err().to_string();
        assert!(refused.contains("mysql://me@host/db"), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
        assert_eq!(kind_of("sqlite:arena.db").unwrap(), Kind::Sqlite);
        assert_eq!(kind_of("postgres://me@host/db").unwrap(), Kind::Postgres);
    }

    #[tokio::test]
    async fn tables_are_made_once_and_found_again() {
        for test in testing::databases().await {
            let again = Database::open(&test.url).await.unwrap();
            let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM log_head")
                .fetch_one(again.pool())
                .await
                .unwrap();
            assert_eq!(count, 1, "{:?}", test.db.kind());
            test.end().await;
        }
    }

    #[tokio::test]
    async fn nothing_is_made_by_reading() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("none.db");
        let opened = Database::open_existing(&format!("sqlite:{}", file.display())).await;
        assert!(matches!(opened, Err(Error::Database { .. })));
        assert!(!file.exists());
    }

    #[tokio::test]
    async fn what_is_not_committed_is_gone() {
        for test in testing::databases().await {
            let mut tx = test.db.write().await.unwrap();
            tx.lock("a").await.unwrap();
            drop(tx);
            let mut tx = test.db.write().await.unwrap();
            tx.lock("b").await.unwrap();
            tx.commit().await.unwrap();
            let names: Vec<String> = sqlx::query_scalar("SELECT name FROM locks ORDER BY name")
                .fetch_all(test.db.pool())
                .await
                .unwrap();
            assert_eq!(names, ["b"], "{:?}", test.db.kind());
            test.end().await;
        }
    }
}
