//! Why something in the arena's database failed.

/// The result of a query.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something in the arena's database failed. What a caller did wrong has types of its own, beside what refused it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address of the database is none.
    #[error("`{url}` is no address of a database: expected `sqlite:FILE` or `postgres://USER@HOST/NAME`")]
    Address {
        /// What was given, without a password.
        url: String,
    },
    /// The database did not do what was asked.
    #[error("the database could not {doing}")]
    Database {
        /// What was asked, as a verb and its object.
        doing: &'static str,
        /// Why not.
        #[source]
        source: sqlx::Error,
    },
    /// The tables could not be made or brought up to date.
    #[error("the tables of the database could not be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// A stored value is not what its column holds.
    #[error("{what} `{got}` in the database is broken: expected {expected}")]
    Broken {
        /// What it is.
        what: &'static str,
        /// What stands there.
        got: String,
        /// What should.
        expected: &'static str,
    },
    /// A password could not be hashed.
    #[error("the password could not be hashed: {cause}")]
    Password {
        /// Why not.
        cause: String,
    },
    /// A record does not become JSON.
    #[error("{what} could not be written as JSON")]
    Json {
        /// What it is.
        what: &'static str,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
}

/// Names what was asked of the database when it failed.
pub(crate) trait Doing<T> {
    /// `doing` is a verb and its object, such as "store a vote".
    fn doing(self, doing: &'static str) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T> {
        self.map_err(|source| Error::Database { doing, source })
    }
}
